"""Costs and their gradients, averaged over the batch: squared error, cross-entropy after softmax or sigmoid.

A cost is one number, and its backward pass starts the others: there is no dy to pass on, ∂C/∂C = 1.
Derived in notebooks/04_fully_connected_backprop.ipynb.
"""
import numpy as np

from helpers import arguments as check

__all__ = ["binary_cross_entropy_with_logits", "binary_cross_entropy_with_logits_backward", "log_softmax",
           "softmax", "softmax_backward", "softmax_cross_entropy", "softmax_cross_entropy_backward",
           "squared_error", "squared_error_backward"]


def squared_error(a: np.ndarray, y: np.ndarray) -> np.floating:
    """Squared error, half the squared distance, mean over the m rows: C = 1/m Σ ½‖a − y‖², the note's cost.

    a and y (m, d), or (d,), which is one sample. With d outputs it is d/2 times torch's MSELoss, which
    averages over the outputs too and has no ½. Raises ValueError for arrays that do not fit.
    """
    m = _pairs(a, y)
    return ((a - y)**2).sum() / (2 * m)


def squared_error_backward(a: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The gradient of the outputs: da = (a − y)/m, of the shape of a."""
    m = _pairs(a, y)
    return (a - y) / m


def softmax(z: np.ndarray) -> np.ndarray:
    """Softmax along the last axis, positive numbers that add up to 1: aᵢ = e^zᵢ / Σⱼ e^zⱼ.

    z (…, K), a (…, K). The largest zⱼ is taken from all of them first, which changes no aᵢ and lets no
    e^z overflow. Raises ValueError for what is no array of floats.
    """
    e = np.exp(_centred(z))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(da: np.ndarray, a: np.ndarray) -> np.ndarray:
    """The gradient through a = softmax(z): dz = a·(da − Σⱼ daⱼ·aⱼ). All are (…, K)."""
    check.floats("a", a, "…, " * (getattr(a, "ndim", 2) - 1) + "K")
    check.floats("da", da, "…, " * (a.ndim - 1) + "K")
    check.same_dtype(da=da, a=a)
    check.shape("da", da, a.shape, "the shape of a")
    return a * (da - (da * a).sum(axis=-1, keepdims=True))


def log_softmax(z: np.ndarray) -> np.ndarray:
    """ln softmax(z) along the last axis, zᵢ − ln Σⱼ e^zⱼ, finite where softmax itself is already 0."""
    z = _centred(z)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def softmax_cross_entropy(z: np.ndarray, target: np.ndarray) -> np.floating:
    """Cross-entropy of the class probabilities a = softmax(z), mean over the batch: C = −1/m Σ Σᵢ yᵢ·ln aᵢ.

    z (m, K), or (K,), which is one sample: the outputs before any softmax. target: integers (m,) or (),
    the right classes 0 … K − 1, or floats of the shape of z, a probability for each class, as
    torch's F.cross_entropy takes them. Raises ValueError for a target that is neither.
    """
    y, m = _probabilities(z, target)
    asked = y > 0   # 0·ln 0 is 0 here, not NaN: a class of target 0 may have z = −∞
    return -(y[asked] * log_softmax(z)[asked]).sum() / m


def softmax_cross_entropy_backward(z: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The gradient of the outputs before the softmax: dz = (a − y)/m, of the shape of z."""
    y, m = _probabilities(z, target)
    return (softmax(z) - y) / m


def binary_cross_entropy_with_logits(z: np.ndarray, y: np.ndarray) -> np.floating:
    """The mean of −y·ln σ(z) − (1 − y)·ln(1 − σ(z)), σ the sigmoid: torch's function of the same name.

    z (m, d) or (d,), before any sigmoid; y of the shape of z, numbers from 0 to 1. It is the mean over
    all entries. Raises ValueError for arrays that do not fit.
    """
    _pairs(z, y, "z")
    _within_0_and_1("y", y)
    return ((1 - y) * z + np.logaddexp(0, -z)).mean()


def binary_cross_entropy_with_logits_backward(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The gradient of the outputs before the sigmoid: dz = (σ(z) − y) / (m·d), of the shape of z."""
    _pairs(z, y, "z")
    _within_0_and_1("y", y)
    return (np.exp(-np.logaddexp(0, -z)) - y) / z.size


def _centred(z):
    """z less its largest entry along the last axis: e^z is then 1 at most, and somewhere it is 1."""
    check.floats("z", z, "…, " * (getattr(z, "ndim", 2) - 1) + "K")
    if z.shape[-1] == 0:
        raise ValueError(f"z: got shape {z.shape}, expected at least one class")
    return z - z.max(axis=-1, keepdims=True)


def _pairs(a, y, name="a"):
    """Check outputs and what they should be; how many rows there are."""
    check.floats(name, a, "m, d", "d")
    check.floats("y", y, "m, d", "d")
    check.same_dtype(**{name: a, "y": y})
    check.shape("y", y, a.shape, f"the shape of {name}")
    return _rows(name, a)


def _rows(name, array):
    """The m of the average; (d,) is one row. Of nothing there is no average, torch makes it NaN."""
    if array.size == 0:
        raise ValueError(f"{name}: got shape {array.shape}, expected at least one entry on every axis")
    return len(array) if array.ndim == 2 else 1


def _within_0_and_1(name, y):
    if not np.all((y >= 0) & (y <= 1)):   # not for a NaN either
        raise ValueError(f"{name}: got numbers from {y.min():.3g} to {y.max():.3g}, expected 0 to 1")


def _probabilities(z, target):
    """The target as probabilities y of the shape of z, and the number of rows."""
    m = _rows("z", check.floats("z", z, "m, K", "K"))
    if isinstance(target, (int, np.integer)):
        target = np.array(target)
    if _are_classes(z, target):
        return _one_hot(z, target), m
    check.floats("target", target, *(("m", "m, K") if z.ndim == 2 else ("K",)))
    check.same_dtype(target=target, z=z)
    check.shape("target", target, z.shape, "the shape of z")
    _within_0_and_1("target", target)
    sums = target.sum(axis=-1)
    if np.abs(sums - 1).max() > 1e-3:
        raise ValueError(f"target: got rows that add up to {sums.min():.3g} … {sums.max():.3g}, expected "
                         "probabilities, which add up to 1")
    return target, m


def _are_classes(z, target):
    """Whether the target is meant as classes: one entry a row, or integers that are no table of 0 and 1."""
    if not isinstance(target, np.ndarray) or isinstance(target, np.ma.MaskedArray):
        return False
    return target.ndim == z.ndim - 1 or (target.dtype.kind in "iu" and target.shape != z.shape)


def _one_hot(z, target):
    """1 at each row's class, 0 elsewhere."""
    K = z.shape[-1]
    if target.dtype.kind not in "iu":
        raise ValueError(f"target: got {target.dtype} of shape {target.shape}, expected integers, the "
                         f"classes 0 … {K - 1}, or probabilities of the shape of z, {z.shape}")
    check.shape("target", target, z.shape[:-1], "one class for each row of z")
    odd = target[(target < 0) | (target >= K)]
    if odd.size:
        raise ValueError(f"target: got class {odd[0]}, expected 0 … {K - 1}, for z has {K} columns")
    return (np.arange(K) == target[..., None]).astype(z.dtype)
