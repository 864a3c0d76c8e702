"""Gradient clipping before a step: all of them together by their norm, or each entry by its value.

    norm, the one number of all gradients: ‖(g₁, g₂, …)‖; clipped: gᵢ·min(1, max_norm / (norm + 1e-6))

What torch.nn.utils.clip_grad_norm_ and clip_grad_value_ do is the reference, but for the last underscore:
here the clipped gradients are new arrays. Used in notebooks 05 and 06, on a cliff of the cost.
"""
from collections.abc import Sequence

import numpy as np

from helpers import arguments as check

__all__ = ["clip_grad_norm", "clip_grad_value"]


def clip_grad_norm(grads: Sequence[np.ndarray], max_norm: float, norm_type: float = 2.0, *,
                   eps: float = 1e-6,
                   error_if_nonfinite: bool = False) -> tuple[list[np.ndarray], np.floating]:
    """Scale all gradients by one factor so that their common norm is at most max_norm; also the norm before.

    grads: arrays of any shapes, [p.grad for p in parameters]. The direction stays as it is. The norm has
    the exponent norm_type, 2 or any other of at least 1, or inf for the largest entry. max_norm=inf only
    measures. A norm that is no number makes none of all gradients, as in torch, unless error_if_nonfinite.

    Raises ValueError for what are no gradients, or for a number out of its range.
    Source: Pascanu et al., "On the difficulty of training recurrent neural networks" (2013), arXiv:1211.5063.
    """
    _check_arrays(grads)
    p = check.number("norm_type", norm_type, least=1, infinite=True)
    max_norm = check.number("max_norm", max_norm, least=0, infinite=True)
    eps = check.number("eps", eps, least=0)
    with np.errstate(all="ignore"):   # an ∞ among the gradients is the caller's to see
        norm = _norm(np.array([_norm(g, p) for g in grads]), p)
        factor = np.minimum(1, max_norm / (norm + eps))
        if error_if_nonfinite and not np.isfinite(norm):
            raise ValueError(f"grads: got a norm of {norm}, expected a finite one")
        return [np.asarray(g * factor) for g in grads], norm


def clip_grad_value(grads: Sequence[np.ndarray], clip_value: float) -> list[np.ndarray]:
    """Clip every entry to −clip_value … clip_value; this changes the direction.

    Raises ValueError for what are no gradients, or a clip_value below 0.
    """
    _check_arrays(grads)
    c = check.number("clip_value", clip_value, least=0, infinite=True)
    return [np.asarray(np.clip(g, -c, c)) for g in grads]


def _norm(g, p):
    """(Σ |g|^p)^(1/p), in the dtype of g; older NumPy finds no largest entry of none."""
    return np.linalg.norm(g.ravel(), p) if g.size else g.dtype.type(0)


def _check_arrays(grads):
    """Refuse what is no list of arrays; of one array alone, the rows would be taken for gradients."""
    if not isinstance(grads, (list, tuple)):
        raise ValueError(f"grads: got a {type(grads).__name__}, expected a list of arrays, such as "
                         "[p.grad for p in net.parameters()]")
    if not grads:
        raise ValueError("grads: got an empty list, expected at least one array")
    for i, g in enumerate(grads):
        if not isinstance(g, np.ndarray) or isinstance(g, np.ma.MaskedArray) or g.dtype not in check.FLOATS:
            got = getattr(g, "dtype", type(g).__name__)
            raise ValueError(f"grads[{i}]: got {got}, expected a NumPy array of float32 or float64")
    check.same_dtype(**{f"grads[{i}]": g for i, g in enumerate(grads)})
