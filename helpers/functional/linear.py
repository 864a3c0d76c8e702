"""A fully connected layer: forward and backward, as torch.nn.functional has it.

    y[n, i] = b[i] + Σ_j  W[i, j] · x[n, j]

In the note one sample is a column, and z = W·a + b. Here a sample is a row, as in torch, and the same
numbers are y = x·Wᵀ + b. Derived in notebooks/04_fully_connected_backprop.ipynb.
"""
import math

import numpy as np

from helpers import arguments as check

__all__ = ["linear", "linear_backward"]


def linear(x: np.ndarray, W: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    """Fully connected layer: a weighted sum of the features of each row of x, plus the bias: y = x·Wᵀ + b.

    x (…, in), any number of axes in front; W (out, in); b (out,); y (…, out). float32 or float64, as x.
    Raises ValueError for every argument that does not fit.
    """
    _check_arrays(x, W, b)
    y = (_rows(x) @ W.T).reshape(*x.shape[:-1], len(W))
    if b is not None:
        y += b
    return y


def linear_backward(dy: np.ndarray, x: np.ndarray, W: np.ndarray, *, needs_dx: bool = True,
                    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """The gradients (dx, dW, db) of linear for the upstream gradient dy; each has the shape of x, W or b.

    dx = dy·W, dW = dyᵀ·x, and db is the sum of the rows of dy. dy has the shape of y; with
    needs_dx=False (the first layer of a network) dx is None. Raises ValueError for every argument
    that does not fit.
    """
    _check_arrays(x, W, None)
    check.floats("dy", dy, "…, " * (x.ndim - 1) + "out")
    check.same_dtype(dy=dy, x=x)
    check.shape("dy", dy, (*x.shape[:-1], len(W)), "the shape of linear(x, W)")
    dy = _rows(dy)
    dx = (dy @ W).reshape(x.shape) if needs_dx else None
    return dx, dy.T @ _rows(x), dy.sum(axis=0)


def _rows(x):
    """All axes but the last as one: a single large matrix product is faster than many small ones."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _check_arrays(x, W, b):
    check.floats("x", x, "…, " * (getattr(x, "ndim", 2) - 1) + "in")
    check.floats("W", W, "out, in")
    if b is not None:
        check.floats("b", b, "out")
    check.same_dtype(x=x, W=W, b=b)
    if W.shape[1] != x.shape[-1]:
        raise ValueError(f"W: got shape {W.shape}, which takes {W.shape[1]} features, but x {x.shape} has "
                         f"{x.shape[-1]}; expected W of shape (out, {x.shape[-1]})")
    if b is not None:
        check.shape("b", b, (len(W),), "one number for each output")
