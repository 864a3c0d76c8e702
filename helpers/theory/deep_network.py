"""The forward and the backward pass of a deep net of equal layers, with every intermediate array kept.

    z⁽¹⁾ = W⁽¹⁾ x + b⁽¹⁾                      u⁽ˡ⁾ = z⁽ˡ⁾, or with batch norm γ·ẑ⁽ˡ⁾ + β
    z⁽ˡ⁺¹⁾ = W⁽ˡ⁺¹⁾ φ(u⁽ˡ⁾) + b⁽ˡ⁺¹⁾           with a residual connection + z⁽ˡ⁾ where the widths agree

and backward, from a given δ of the last z, with δ⁽ˡ⁾ = ∂C/∂z⁽ˡ⁾:

    ∂C/∂u⁽ˡ⁾ = W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾ ⊙ φ′(u⁽ˡ⁾)     δ⁽ˡ⁾ is that, or its gradient through batch norm, and
                                            with a residual connection + δ⁽ˡ⁺¹⁾

A batch has its samples in rows. Lists begin with layer 1: z[0] is z⁽¹⁾. Batch norm is that of training, with
the statistics of the batch. Nets of one shape may be stacked, which makes them quicker: where parameters,
batch and δ have a leading axis more, so has everything. It is the net that helpers.nn.modules builds of
Linear, BatchNorm1d, an activation and Residual, but all arrays in between are kept and arguments are not
checked, which would take half of the time. Used in notebooks/06_gradient_pathologies.ipynb.
"""
import math
from typing import NamedTuple

import numpy as np

from helpers.functional.activations import ACTIVATIONS

FLAT, DEAD = 0.1, 0.001        # of the largest φ′ there is
EPS = 1e-5                          # of batch norm, as in torch

Arrays = list[np.ndarray]


class Net(NamedTuple):
    """Parameters by layer, and how the layers are connected.

    weights (out, in) and biases (out,) of each layer; gamma and beta (width,) of each batch norm, one
    before every activation: a layer less. Lists without entries: no biases, no batch norm.
    """

    weights: Arrays
    biases: Arrays
    gamma: Arrays
    beta: Arrays
    activation: str
    residual: bool


class ForwardPass(NamedTuple):
    """The arrays of one forward pass: the input x, and by layer z, u and a; u and a have one layer less.

    With batch norm also xhat, which is ẑ, and scale, 1/√(variance + ε) of each unit.
    """

    x: np.ndarray
    z: Arrays
    u: Arrays
    a: Arrays
    xhat: Arrays
    scale: Arrays


class BackwardPass(NamedTuple):
    """δ = ∂C/∂z of each layer, ∂C/∂γ, ∂C/∂β of each batch norm; da = Wᵀδ and φ′(u), a layer less."""

    delta: Arrays
    dgamma: Arrays
    dbeta: Arrays
    da: Arrays
    slopes: Arrays


def forward(net: Net, x: np.ndarray, begun: ForwardPass | None = None) -> ForwardPass:
    """Forward pass of a batch x (m, inputs) through all layers; everything is kept.

    `begun` is that of the first layers of such a net, with the same x: it is gone on with, in place.
    """
    passed = begun or ForwardPass(x, [_affine(net, 0, x)], [], [], [], [])
    for l in range(len(passed.z), len(net.weights)):
        z = passed.z[-1]
        if net.gamma:
            z, scale = normalised(z)
            passed.xhat.append(z)
            passed.scale.append(scale)
            z = _row(net.gamma[l - 1]) * z + _row(net.beta[l - 1])
        passed.u.append(z)
        passed.a.append(ACTIVATIONS[net.activation][0](z))
        passed.z.append(_affine(net, l, passed.a[-1]))
        if _skips(net, l):
            passed.z[-1] += passed.z[-2]
    return passed


def first_layers(passed: ForwardPass, depth: int) -> ForwardPass:
    """The forward pass of the first `depth` layers alone."""
    return ForwardPass(passed.x, passed.z[:depth], *(arrays[:depth - 1] for arrays in passed[2:]))


def backward(net: Net, passed: ForwardPass, delta: np.ndarray) -> BackwardPass:
    """Backward pass of the δ (m, units) of the last z through all layers; everything is kept."""
    found, dgamma, dbeta, da, slopes = [delta], [], [], [], []
    for l in range(len(net.weights) - 1, 0, -1):
        da.append(found[-1] @ net.weights[l])
        slopes.append(ACTIVATIONS[net.activation][1](passed.u[l - 1]))
        du = da[-1] * slopes[-1]
        if net.gamma:
            xhat, m = passed.xhat[l - 1], du.shape[-2]
            dbeta.append(_sums(du))
            dgamma.append(_sums(du * xhat))
            du = _row(net.gamma[l - 1] * passed.scale[l - 1]) * (
                du - _row(dbeta[-1] / m) - xhat * _row(dgamma[-1] / m))
        found.append(du + found[-1] if _skips(net, l) else du)
    return BackwardPass(*(one[::-1] for one in (found, dgamma, dbeta, da, slopes)))


def normalised(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalization of z (m, width) without γ and β: x̂ (m, width) and 1/√(variance + ε) (width,)."""
    m = z.shape[-2]
    centred = z - _row(_sums(z) / m)
    scale = 1 / np.sqrt(_sums(centred**2) / m + EPS)
    centred *= _row(scale)
    return centred, scale


def gradients(net: Net, passed: ForwardPass, back: BackwardPass) -> tuple[Arrays, Arrays, Arrays, Arrays]:
    """The gradients of weights, biases, gamma and beta, in lists as those of the net."""
    dW = [delta.swapaxes(-1, -2) @ a for delta, a in zip(back.delta, [passed.x, *passed.a], strict=True)]
    db = [_sums(delta) for delta in back.delta] if net.biases else []
    return dW, db, back.dgamma, back.dbeta


def norms(arrays: Arrays) -> np.ndarray:
    """The norm ‖·‖ of each array, all its entries together, without underflow and overflow of the squares."""
    return np.array([_norm(array) for array in arrays])


def flat_and_dead(slopes: Arrays, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """The fraction of flat entries and the fraction of dead units of each layer, from its φ′(u) (m, units).

    An entry, one unit for one sample, is flat where φ′(u) is below a tenth of the largest there is: the
    saturated ends of the sigmoid, of tanh and of ELU, the inactive half of ReLU. A unit is dead where φ′(u)
    is below a thousandth for every sample: its weights get almost no gradient.
    """
    largest = ACTIVATIONS[activation][1](np.array([0.0, 1.0])).max()   # of all φ here at 0 or right of it
    return (np.array([(slope < FLAT * largest).mean() for slope in slopes]),
            np.array([(slope < DEAD * largest).all(axis=0).mean() for slope in slopes]))


def _norm(array):
    """Where squares underflow or overflow, the largest entry is taken out of them first."""
    square = float(np.vdot(array, array))
    if 1e-250 < square < 1e250:
        return math.sqrt(square)
    largest = float(np.abs(array).max(initial=0))
    return largest and largest * float(np.linalg.norm(array / largest))


def _sums(array):
    """Sum over the batch; a matrix product is faster than sum(axis=0)."""
    return np.ones(array.shape[-2], array.dtype) @ array


def _row(vector):
    """A number for each unit, (…, width), as a row that meets every sample, (…, 1, width)."""
    return vector[..., None, :]


def _affine(net, l, x):
    z = x @ net.weights[l].swapaxes(-1, -2)
    return z + _row(net.biases[l]) if net.biases else z


def _skips(net, l):
    """Whether layer l, counted from 0, has an identity connection: it must have as many outputs as inputs."""
    rows, columns = net.weights[l].shape[-2:]
    return net.residual and rows == columns
