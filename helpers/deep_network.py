"""A deep net of equal layers, run forward and back, and what is measured on the way.

    z⁽¹⁾ = W⁽¹⁾ x + b⁽¹⁾                      u⁽ˡ⁾ = z⁽ˡ⁾, or with batch norm γ·ẑ⁽ˡ⁾ + β
    z⁽ˡ⁺¹⁾ = W⁽ˡ⁺¹⁾ φ(u⁽ˡ⁾) + b⁽ˡ⁺¹⁾           with a residual connection + z⁽ˡ⁾ where the widths agree

and back, from a given δ of the last z, with δ⁽ˡ⁾ = ∂C/∂z⁽ˡ⁾:

    ∂C/∂u⁽ˡ⁾ = W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾ ⊙ φ′(u⁽ˡ⁾)     δ⁽ˡ⁾ is that, or what batch norm makes of it, and
                                            with a residual connection + δ⁽ˡ⁺¹⁾

A batch has its samples in rows. Lists begin with layer 1: z[0] is z⁽¹⁾. Batch norm is that of training, with
the statistics of the batch. It is the net that helpers.network builds of Linear, BatchNorm1d, an activation
and Residual, with all that is in between kept. Used in notebooks/06_gradient_pathologies.ipynb.
"""
from typing import NamedTuple

import numpy as np

from helpers.activations import ACTIVATIONS
from helpers.linear import linear
from helpers.normalization import batch_norm, batch_norm_backward

SATURATED, DEAD = 0.1, 0.001        # of the largest |φ′| there is

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


class Pass(NamedTuple):
    """What one batch meets: the input x, and lists of z, u and a, of which u and a are a layer shorter."""

    x: np.ndarray
    z: Arrays
    u: Arrays
    a: Arrays


class Blame(NamedTuple):
    """δ = ∂C/∂z of each layer, and ∂C/∂γ, ∂C/∂β of each batch norm."""

    delta: Arrays
    dgamma: Arrays
    dbeta: Arrays


def forward(net: Net, x: np.ndarray) -> Pass:
    """Send the batch x (m, inputs) through all layers, and keep everything."""
    z, u, a = [_affine(net, 0, x)], [], []
    for l in range(1, len(net.weights)):
        u.append(normalised(net, l - 1, z[-1]))
        a.append(ACTIVATIONS[net.activation][0](u[-1]))
        z.append(_affine(net, l, a[-1]))
        if _skips(net, l):
            z[-1] += z[-2]
    return Pass(x, z, u, a)


def backward(net: Net, passed: Pass, delta: np.ndarray) -> Blame:
    """Send the blame delta of the last z back to the first."""
    found, dgamma, dbeta = [delta], [], []
    for l in range(len(net.weights) - 1, 0, -1):
        du = found[-1] @ net.weights[l]
        du *= ACTIVATIONS[net.activation][1](passed.u[l - 1])
        if net.gamma:
            du, dg, db = batch_norm_backward(du, passed.z[l - 1], None, None, net.gamma[l - 1], training=True)
            dgamma.append(dg)
            dbeta.append(db)
        found.append(du + found[-1] if _skips(net, l) else du)
    return Blame(found[::-1], dgamma[::-1], dbeta[::-1])


def gradients(net: Net, passed: Pass, blame: Blame) -> tuple[Arrays, Arrays, Arrays, Arrays]:
    """The gradients of weights, biases, gamma and beta, in lists as those of the net."""
    dW = [delta.T @ a for delta, a in zip(blame.delta, [passed.x, *passed.a], strict=True)]
    db = [delta.sum(axis=0) for delta in blame.delta] if net.biases else []
    return dW, db, blame.dgamma, blame.dbeta


def normalised(net: Net, l: int, z: np.ndarray) -> np.ndarray:
    """u of layer l, counted from 0: z itself, or its batch norm."""
    if not net.gamma:
        return z
    return batch_norm(z, None, None, net.gamma[l], net.beta[l], training=True)


def norms(arrays: Arrays) -> np.ndarray:
    """The length ‖·‖ of each array, all its entries together; tiny and huge entries are no trouble."""
    sizes = [float(np.abs(array).max(initial=0)) for array in arrays]
    return np.array([size and size * float(np.linalg.norm(array / size))
                     for array, size in zip(arrays, sizes, strict=True)])


def shares(u: Arrays, activation: str) -> tuple[np.ndarray, np.ndarray]:
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


def _affine(net, l, x):
    return linear(x, net.weights[l], net.biases[l] if net.biases else None)


def _skips(net, l):
    """Whether the identity leads by layer l, counted from 0: nowhere, unless as much comes out as goes in."""
    rows, columns = net.weights[l].shape
    return net.residual and rows == columns
