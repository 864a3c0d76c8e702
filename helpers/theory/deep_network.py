"""A deep net of equal layers, run forward and back, and what is measured on the way.

    z⁽¹⁾ = W⁽¹⁾ x + b⁽¹⁾                      u⁽ˡ⁾ = z⁽ˡ⁾, or with batch norm γ·ẑ⁽ˡ⁾ + β
    z⁽ˡ⁺¹⁾ = W⁽ˡ⁺¹⁾ φ(u⁽ˡ⁾) + b⁽ˡ⁺¹⁾           with a residual connection + z⁽ˡ⁾ where the widths agree

and back, from a given δ of the last z, with δ⁽ˡ⁾ = ∂C/∂z⁽ˡ⁾:

    ∂C/∂u⁽ˡ⁾ = W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾ ⊙ φ′(u⁽ˡ⁾)     δ⁽ˡ⁾ is that, or what batch norm makes of it, and
                                            with a residual connection + δ⁽ˡ⁺¹⁾

A batch has its samples in rows. Lists begin with layer 1: z[0] is z⁽¹⁾. Batch norm is that of training, with
the statistics of the batch. It is the net that helpers.nn.modules builds of Linear, BatchNorm1d, an
activation and Residual, with all that is in between kept, and without the checks of what goes in, which would
take half of the time. Used in notebooks/06_gradient_pathologies.ipynb.
"""
import math
from typing import NamedTuple

import numpy as np

from helpers.functional.activations import ACTIVATIONS

SATURATED, DEAD = 0.1, 0.001        # of the largest φ′ there is
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
    """What one batch meets: the input x, and by layer z, u and a, of which u and a are a layer shorter.

    With batch norm also xhat, which is ẑ, and scale, 1/√(variance + ε) of each unit.
    """

    x: np.ndarray
    z: Arrays
    u: Arrays
    a: Arrays
    xhat: Arrays
    scale: Arrays


class BackwardPass(NamedTuple):
    """δ = ∂C/∂z of each layer, and ∂C/∂γ, ∂C/∂β of each batch norm."""

    delta: Arrays
    dgamma: Arrays
    dbeta: Arrays


def forward(net: Net, x: np.ndarray) -> ForwardPass:
    """Send the batch x (m, inputs) through all layers, and keep everything."""
    passed = ForwardPass(x, [_affine(net, 0, x)], [], [], [], [])
    for l in range(1, len(net.weights)):
        z = passed.z[-1]
        if net.gamma:
            z, scale = normalised(z)
            passed.xhat.append(z)
            passed.scale.append(scale)
            z = net.gamma[l - 1] * z + net.beta[l - 1]
        passed.u.append(z)
        passed.a.append(ACTIVATIONS[net.activation][0](z))
        passed.z.append(_affine(net, l, passed.a[-1]))
        if _skips(net, l):
            passed.z[-1] += passed.z[-2]
    return passed


def backward(net: Net, passed: ForwardPass, delta: np.ndarray) -> BackwardPass:
    """Send the blame delta of the last z back to the first."""
    found, dgamma, dbeta = [delta], [], []
    for l in range(len(net.weights) - 1, 0, -1):
        du = found[-1] @ net.weights[l]
        du *= ACTIVATIONS[net.activation][1](passed.u[l - 1])
        if net.gamma:
            xhat, m = passed.xhat[l - 1], len(du)
            dbeta.append(_sums(du))
            dgamma.append(_sums(du * xhat))
            du = net.gamma[l - 1] * passed.scale[l - 1] * (du - dbeta[-1] / m - xhat * (dgamma[-1] / m))
        found.append(du + found[-1] if _skips(net, l) else du)
    return BackwardPass(found[::-1], dgamma[::-1], dbeta[::-1])


def normalised(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each unit less its mean over the batch z (m, width), times `scale` (width,), 1/√(variance + ε)."""
    centred = z - _sums(z) / len(z)
    scale = 1 / np.sqrt(_sums(centred**2) / len(z) + EPS)
    centred *= scale
    return centred, scale


def gradients(net: Net, passed: ForwardPass, blame: BackwardPass) -> tuple[Arrays, Arrays, Arrays, Arrays]:
    """The gradients of weights, biases, gamma and beta, in lists as those of the net."""
    dW = [delta.T @ a for delta, a in zip(blame.delta, [passed.x, *passed.a], strict=True)]
    db = [_sums(delta) for delta in blame.delta] if net.biases else []
    return dW, db, blame.dgamma, blame.dbeta


def norms(arrays: Arrays) -> np.ndarray:
    """The length ‖·‖ of each array, all its entries together; tiny and huge entries are no trouble."""
    return np.array([_norm(array) for array in arrays])


def saturated_and_dead(u: Arrays, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """The share of saturated entries and that of dead units, of each layer.

    An entry, one unit for one sample, is saturated where φ′(u) is below a tenth of the largest there is. A
    unit is dead where it is below a thousandth for every sample: what is wrong with its weights, nobody
    will tell them.
    """
    prime = ACTIVATIONS[activation][1]
    largest = prime(np.array([0.0, 1.0])).max()          # of all φ here it is at 0 or right of it
    slopes = [prime(one) / largest for one in u]
    return (np.array([(slope < SATURATED).mean() for slope in slopes]),
            np.array([(slope < DEAD).all(axis=0).mean() for slope in slopes]))


def _norm(array):
    """Where squares underflow or overflow, the largest entry is taken out of them first."""
    square = float(np.vdot(array, array))
    if 1e-250 < square < 1e250:
        return math.sqrt(square)
    largest = float(np.abs(array).max(initial=0))
    return largest and largest * float(np.linalg.norm(array / largest))


def _sums(array):
    """Over the batch; a matrix product is quicker than sum(axis=0)."""
    return np.ones(len(array), array.dtype) @ array


def _affine(net, l, x):
    z = x @ net.weights[l].T
    return z + net.biases[l] if net.biases else z


def _skips(net, l):
    """Whether the identity leads by layer l, counted from 0: nowhere, unless as much comes out as goes in."""
    rows, columns = net.weights[l].shape
    return net.residual and rows == columns
