"""Layer normalization and RMS normalization: forward and backward, as torch.nn.functional has them.

    layer_norm   x̂ = (x − μ) / √(σ² + ε)         μ, σ² the mean and the variance of one sample's last axes
    rms_norm     x̂ = x / √(mean x² + ε)          y = w·x̂ + b, or w·x̂

It is batch normalization with the axes exchanged: statistics of each sample, over its features. So one
sample has no influence on another, training and use do not differ, and w has an entry for each
feature, *within* the sums of dx. Sources: Ba et al., "Layer normalization" (2016), arXiv:1607.06450; Zhang &
Sennrich, "Root mean square layer normalization" (2019), arXiv:1910.07467. Derived in
notebooks/09_networks_of_today.ipynb.
"""
import math

import numpy as np

from helpers import arguments as check
from helpers.functional._batch_last import chunks

__all__ = ["layer_norm", "layer_norm_backward", "rms_norm", "rms_norm_backward"]

Maybe = np.ndarray | None
Sizes = int | tuple[int, ...]


def layer_norm(x: np.ndarray, normalized_shape: Sizes, weight: Maybe = None, bias: Maybe = None,
               eps: float = 1e-5) -> np.ndarray:
    """Give each sample mean 0 and variance 1 over its last axes, then weight and bias: y = w·x̂ + b.

    x (…, *normalized_shape), float32 or float64, y likewise; weight and bias (*normalized_shape). A single
    int is the size of the last axis, as torch.nn.LayerNorm takes it. Raises ValueError for every
    argument that does not fit, and for an eps that is not above 0.
    """
    rows, eps = _checked(x, normalized_shape, eps, weight=weight, bias=bias)
    return _forward(rows, eps, weight, bias, centre=True).reshape(x.shape)


def layer_norm_backward(dy: np.ndarray, x: np.ndarray, normalized_shape: Sizes, weight: Maybe = None,
                        eps: float = 1e-5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradients (dx, dweight, dbias) of layer_norm for the upstream gradient dy (…, *normalized_shape).

    With g = w·dy, means over the n features of a sample, sums over all samples,

        dbias = Σ dy,    dweight = Σ dy·x̂,    dx = (g − mean g − x̂·mean(g·x̂)) / √(σ² + ε)
    """
    rows, eps = _checked(x, normalized_shape, eps, weight=weight)
    dx, dweight, dbias = _backward(_upstream(dy, x).reshape(rows.shape), rows, eps, weight, centre=True)
    shape = x.shape[x.ndim - len(_sizes(normalized_shape)):]
    return dx.reshape(x.shape), dweight.reshape(shape), dbias.reshape(shape)


def rms_norm(x: np.ndarray, normalized_shape: Sizes, weight: Maybe = None,
             eps: float | None = None) -> np.ndarray:
    """Give each sample mean square 1 over its last axes, then the weight: y = w·x/√(mean x² + ε).

    Arguments as for layer_norm; the mean stays, and there is no bias. eps None is the distance from 1 to the
    next number in the dtype of x, as in torch.
    """
    rows, eps = _checked(x, normalized_shape, eps, weight=weight)
    return _forward(rows, eps, weight, None, centre=False).reshape(x.shape)


def rms_norm_backward(dy: np.ndarray, x: np.ndarray, normalized_shape: Sizes, weight: Maybe = None,
                      eps: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The gradients (dx, dweight) of rms_norm: dx = (g − x̂·mean(g·x̂)) / √(mean x² + ε), with g = w·dy."""
    rows, eps = _checked(x, normalized_shape, eps, weight=weight)
    dx, dweight, _ = _backward(_upstream(dy, x).reshape(rows.shape), rows, eps, weight, centre=False)
    return dx.reshape(x.shape), dweight.reshape(x.shape[x.ndim - len(_sizes(normalized_shape)):])


def _forward(rows, eps, weight, bias, *, centre):
    """y (samples, n), as many samples at a time as fit the cache."""
    y = np.empty(rows.shape, rows.dtype)
    for r in chunks(len(rows), rows[:1].nbytes):
        xhat, _ = _normalised(rows[r], eps, centre)
        y[r] = xhat if weight is None else np.multiply(xhat, weight.ravel(), out=xhat)
        if bias is not None:
            y[r] += bias.ravel()
    return y


def _backward(dy, rows, eps, weight, *, centre):
    """dx (samples, n), dweight and dbias (n,). dx is g without its part along x̂ and, if centred, its mean."""
    dx, sums = np.empty(rows.shape, rows.dtype), np.zeros((2, rows.shape[1]))
    for r in chunks(len(rows), rows[:1].nbytes):
        xhat, scale = _normalised(rows[r], eps, centre)
        sums += np.einsum("ij,ij->j", dy[r], xhat), dy[r].sum(axis=0)
        g = dy[r] if weight is None else dy[r] * weight.ravel()
        xhat *= _means(g, xhat)
        np.subtract(g, xhat, out=dx[r])
        if centre:
            dx[r] -= g.mean(axis=1, keepdims=True)
        dx[r] *= scale
    return dx, *sums.astype(rows.dtype)


def _normalised(rows, eps, centre):
    """x̂ (samples, n), and 1/√(… + ε) (samples, 1)."""
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64).astype(rows.dtype) if centre else rows
    scale = 1 / np.sqrt(_means(centred, centred) + rows.dtype.type(eps))
    return centred * scale, scale


def _means(a, b):
    """The mean of a·b in each row, (samples, 1)."""
    return np.einsum("ij,ij->i", a, b)[:, None] / a.dtype.type(a.shape[1])


def _upstream(dy, x):
    check.floats("dy", dy, "…, " * (x.ndim - 1) + "n")
    check.same_dtype(dy=dy, x=x)
    check.shape("dy", dy, x.shape, "the shape of x")
    return dy


def _checked(x, normalized_shape, eps, **arrays):
    """Refuse what does not fit; x as rows (samples, n), and ε as a float."""
    check.floats("x", x, "…, " * (max(1, getattr(x, "ndim", 1)) - 1) + "n")
    sizes = _sizes(normalized_shape)
    if x.shape[max(0, x.ndim - len(sizes)):] != sizes:
        raise ValueError(f"normalized_shape: got {normalized_shape}, expected the last sizes of x, which has "
                         f"shape {x.shape}")
    for name, array in arrays.items():
        if array is not None:
            check.floats(name, array, "…, " * (len(sizes) - 1) + "n")
            check.shape(name, array, sizes, "the normalized_shape")
    check.same_dtype(x=x, **arrays)
    eps = np.finfo(x.dtype).eps if eps is None else check.number("eps", eps, above=0)
    return x.reshape(-1, math.prod(sizes)), eps


def _sizes(normalized_shape):
    sizes = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    sizes = tuple(check.integer("normalized_shape", n, least=1) for n in sizes)
    if not sizes:
        raise ValueError(f"normalized_shape: got {normalized_shape}, expected at least one size")
    return sizes
