"""Embedding, a row of a table for each index: forward and backward, as torch.nn.functional has it.

    Y = W[x],    which is O W with one-hot rows O, so that dW = Oᵀ dY: the gradients of equal indices add up

Source: Bengio et al., "A neural probabilistic language model" (2003), JMLR 3. Derived in
notebooks/09_networks_of_today.ipynb.
"""
import numpy as np

from helpers import arguments as check

__all__ = ["embedding", "embedding_backward"]


def embedding(x: np.ndarray, weight: np.ndarray, padding_idx: int | None = None,
              max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
              sparse: bool = False) -> np.ndarray:
    """Take the row weight[i] for each index i of x: y (*x.shape, E) for integers x and weight (V, E).

    padding_idx and scale_grad_by_freq matter in the backward pass only. Raises ValueError for an index
    outside 0 … V − 1; for max_norm, which in torch writes into the weight; and for sparse gradients.
    """
    _checked(x, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    return weight[x]


def embedding_backward(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, padding_idx: int | None = None,
                       max_norm: float | None = None, norm_type: float = 2.0,
                       scale_grad_by_freq: bool = False, sparse: bool = False) -> np.ndarray:
    """The gradient dweight (V, E) for dy (*x.shape, E): row i is the sum of dy over all places of i in x.

    The row padding_idx (a negative one counts from the end) gets no gradient. With scale_grad_by_freq each
    sum is divided by how often i stands in x: it becomes a mean.
    """
    padding_idx = _checked(x, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    check.floats("dy", dy, "…, " * x.ndim + "E")
    check.same_dtype(dy=dy, weight=weight)
    check.shape("dy", dy, (*x.shape, weight.shape[1]), "a row for each index of x")
    dweight = np.zeros_like(weight, order="C")
    found, starts, counts, order = _places(x)
    if found.size:
        dweight[found] = np.add.reduceat(dy.reshape(x.size, -1)[order], starts, axis=0)
    if scale_grad_by_freq:
        dweight[found] /= counts[:, None].astype(weight.dtype)
    if padding_idx is not None:
        dweight[padding_idx] = 0
    return dweight


def _places(x):
    """The indices in x, and where each begins and how often it stands in `order`, which sorts x."""
    order = np.argsort(x, axis=None, kind="stable")
    return *np.unique(x.ravel()[order], return_index=True, return_counts=True), order


def _checked(x, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse):
    """Refuse what does not fit; the padding_idx, from 0 on, or None."""
    check.floats("weight", weight, "V, E")
    V = len(weight)
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "iu":
        kind = getattr(x, "dtype", type(x).__name__)
        raise ValueError(f"x: got {kind}, expected an array of integers, indices 0 … {V - 1}")
    odd = x[(x < 0) | (x >= V)]
    if odd.size:
        raise ValueError(f"x: got index {odd[0]}, expected 0 … {V - 1}, for weight has {V} rows")
    if max_norm is not None:
        raise ValueError(f"max_norm: got {max_norm!r}, expected None: it would write into the weight")
    check.number("norm_type", norm_type)
    check.flag("scale_grad_by_freq", scale_grad_by_freq)
    if check.flag("sparse", sparse):
        raise ValueError("sparse: got True, expected False; the gradient here is an array with all rows")
    return None if padding_idx is None else _row(padding_idx, V)


def _row(padding_idx, V):
    """A row of the table, from 0 on."""
    row = check.integer("padding_idx", padding_idx, least=-V)
    if row >= V:
        raise ValueError(f"padding_idx: got {row}, expected a row of weight, {-V} … {V - 1}")
    return row % V
