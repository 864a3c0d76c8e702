"""Batch normalisation: forward and backward, as torch.nn.functional has it.

    x̂ = (x − μ) / √(σ² + ε),   y = w·x̂ + b               one μ, σ², w and b for each channel

In training μ and σ² are the mean and the variance of the batch; in use they are the running statistics, which
training has gathered and backward takes for constants. With n values in a channel, σ² divides by n for
normalising, and by n − 1 for the running variance. Source: Ioffe & Szegedy, "Batch normalization" (2015),
arXiv:1502.03167. Derived in notebooks/06_gradient_pathologies.ipynb.
"""
import numpy as np

from helpers import arguments as check
from helpers.functional._batch_last import chunks, room

__all__ = ["batch_norm", "batch_norm_backward", "batch_statistics", "running_statistics"]

Maybe = np.ndarray | None

AXES = ("N, C", "N, C, L", "N, C, H, W")


def batch_norm(x: np.ndarray, running_mean: Maybe = None, running_var: Maybe = None, weight: Maybe = None,
               bias: Maybe = None, *, training: bool = False, eps: float = 1e-5) -> np.ndarray:
    """Give each channel mean 0 and variance 1, then weight and bias: y = w·(x − μ)/√(σ² + ε) + b.

    x (N, C), (N, C, L) or (N, C, H, W), float32 or float64, y likewise; the others (C,). With training=True
    μ and σ² are those of the batch, and the running ones are not read. Sums and means are taken in float64
    and rounded once, at the end: a channel of one value has exactly that mean, even where n times it is no
    float32.
    Nothing is written into: running_statistics gives the new ones. Raises ValueError for every argument
    that does not fit, and in training for a single value in each channel.
    """
    eps = _checked(x, training, eps, running_mean=running_mean, running_var=running_var, weight=weight,
                   bias=bias)
    y = room(x, x.shape)
    for c in _channels(x):
        centred, scale = _centred(x[:, c], c, running_mean, running_var, training, eps)
        np.multiply(centred, _spread(scale if weight is None else scale * weight[c], x), out=y[:, c])
        if bias is not None:
            y[:, c] += _spread(bias[c], x)
    return y


def batch_norm_backward(dy: np.ndarray, x: np.ndarray, running_mean: Maybe = None, running_var: Maybe = None,
                        weight: Maybe = None, *, training: bool = False, eps: float = 1e-5,
                        needs_dx: bool = True) -> tuple[Maybe, np.ndarray, np.ndarray]:
    """The gradients (dx, dweight, dbias) of batch_norm for the upstream gradient dy; dweight, dbias (C,).

    With n values in a channel, and all sums over them,

        dbias = Σ dy,    dweight = Σ dy·x̂,    dx = w/√(σ² + ε) · (dy − dbias/n − x̂·dweight/n)

    The last two terms are the gradient that goes through μ and through σ²; without training=True they are
    missing. With needs_dx=False dx is None. Raises ValueError for every argument that does not fit.
    """
    eps = _checked(x, training, eps, running_mean=running_mean, running_var=running_var, weight=weight)
    check.floats("dy", dy, *AXES)
    check.same_dtype(dy=dy, x=x)
    check.shape("dy", dy, x.shape, "the shape of x")
    dx = room(x, x.shape) if needs_dx else None
    dweight, dbias = np.empty((2, x.shape[1]), x.dtype)
    for c in _channels(x):
        centred, scale = _centred(x[:, c], c, running_mean, running_var, training, eps)
        for_bias, for_weight = _sums(dy[:, c]), _sums(dy[:, c] * centred) * scale
        dbias[c], dweight[c] = for_bias, for_weight
        if needs_dx:
            through = _through_statistics(centred, scale, for_weight, for_bias) if training else 0
            np.subtract(dy[:, c], through, out=dx[:, c])
            dx[:, c] *= _spread(scale if weight is None else scale * weight[c], x)
    return dx, dweight, dbias


def batch_statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the variance of each channel, both (C,); the variance divides by n, as for normalising.

    Raises ValueError for another x than batch_norm takes, and for a single value in each channel.
    """
    check.floats("x", x, *AXES)
    _check_count(x)
    mean, var = np.empty((2, x.shape[1]), x.dtype)
    for c in _channels(x):
        mean[c], var[c], _ = _moments(x[:, c])
    return mean, var


def running_statistics(x: np.ndarray, running_mean: np.ndarray, running_var: np.ndarray, *,
                       momentum: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """The running mean and variance after the batch x, new arrays (C,): (1 − momentum)·old + momentum·x's.

    The variance of x is the unbiased one here, with n − 1. momentum is torch's: how much the new batch
    counts; torch's momentum=None, the mean of all batches so far, is 1/k for the k-th batch. Raises
    ValueError for another momentum than 0 … 1 and for every array that does not fit.
    """
    share = check.number("momentum", momentum, least=0, most=1)
    mean, var = batch_statistics(x)
    _check_channels(x, running_mean=_given("running_mean", running_mean),
                    running_var=_given("running_var", running_var))
    unbiased = var * (_count(x) / (_count(x) - 1))
    return (1 - share) * running_mean + share * mean, (1 - share) * running_var + share * unbiased


def _moments(x):
    """μ and σ² of each channel, and x − μ, which the second is made of."""
    mean = (_sums(x) / _count(x)).astype(x.dtype)
    centred = x - _spread(mean, x)
    return mean, (_sums(centred**2) / _count(x)).astype(x.dtype), centred


def _centred(x, c, running_mean, running_var, training, eps):
    """x − μ and 1/√(σ² + ε), whose product is x̂; x is that of the channels c, as μ and σ² are in training."""
    if training:
        _, var, centred = _moments(x)
    else:
        var, centred = running_var[c], x - _spread(running_mean[c], x)
    return centred, 1 / np.sqrt(var + eps)


def _through_statistics(centred, scale, dweight, dbias):
    """The part of the gradient that comes through μ and σ²: dbias/n + x̂·dweight/n. Writes into x − μ."""
    centred *= _spread((scale * dweight / _count(centred)).astype(centred.dtype), centred)
    centred += _spread((dbias / _count(centred)).astype(centred.dtype), centred)
    return centred


def _channels(x):
    """The channels, as many at a time as fit the cache: no channel asks another."""
    return chunks(x.shape[1], x.nbytes // max(1, x.shape[1]))


def _sums(x):
    """Over all axes but that of the channels, in float64; they are rounded after the division by n.

    The batch first: whole images are added, which is faster than many short sums when images are small.
    """
    images = x.sum(axis=0, dtype=np.float64)
    return images.sum(axis=tuple(range(1, images.ndim)))


def _count(x):
    return x.size // x.shape[1]


def _spread(v, x):
    """One number for each channel, shaped so that it meets all of that channel in x."""
    return v.reshape(-1, *[1] * (x.ndim - 2))


def _checked(x, training, eps, **arrays):
    """Refuse what does not fit; ε as a float."""
    check.floats("x", x, *AXES)
    check.flag("training", training)
    if training:
        _check_count(x)
    else:
        for name in ("running_mean", "running_var"):
            _given(name, arrays[name])
    _check_channels(x, **arrays)
    return check.number("eps", eps, above=0)


def _check_count(x):
    if not x.size or _count(x) < 2:
        raise ValueError(f"x: got shape {x.shape}, expected more than one value in each channel: the mean of "
                         "one value is that value, and nothing is left of it")


def _check_channels(x, **arrays):
    for name, array in arrays.items():
        if array is not None:
            check.floats(name, array, "C")
            check.shape(name, array, x.shape[1:2], f"one number for each channel of x {x.shape}")
    check.same_dtype(x=x, **arrays)


def _given(name, array):
    if array is None:
        raise ValueError(f"{name}: got None, expected an array (C,); only with training=True does the batch "
                         "itself give the statistics")
    return array
