"""The gradient in a stack of residual blocks, with the normalization N before F, after the sum, or left out.

    place    block                        mean square of x            ‖∂C/∂x‖² of the input / of the output
    pre      x ← x + α·F(N(x))            v ← v + α²·f                1 + α²·g/v
    post     x ← N(x + α·F(x))            1                           (1 + α²·g) / (1 + α²·f)
    none     x ← x + α·F(x)               v ← v + α²·f(v)             1 + α²·g(v)

for wide layers, F(u) = W² φ(W¹ u) with random weights of variance σ_w²/n, no biases, and an input x of mean
square 1. N is LayerNorm or RMSNorm: without its weight it makes the mean square 1, and divides the gradient
by the root mean square of its input. With a standard normal ξ and u of mean square q,

    f(q) = σ_w² E[φ(σ_w √q ξ)²]       how much F adds in the forward pass; f = f(1)
    g(q) = σ_w⁴ E[φ′(σ_w √q ξ)²]      how much it adds in the backward pass; g = g(1)

Pre-norm: no factor is below 1, and their product grows as a power of the depth, as depth^(g/f), since v grows
linearly. Post-norm: all factors are equal, and the product is exponential in the depth, unless f = g, as for
ReLU. Sources: those of helpers.theory.deep_mean_field; Xiong et al., "On layer normalization in the
transformer architecture" (2020), arXiv:2002.04745. Derived in notebooks/09_networks_of_today.ipynb.
"""
from typing import NamedTuple

import numpy as np

from helpers import arguments as check
from helpers.functional.activations import ACTIVATIONS
from helpers.functional.gated_activations import gelu, gelu_prime, silu, silu_prime
from helpers.functional.layer_normalization import (
    layer_norm,
    layer_norm_backward,
    rms_norm,
    rms_norm_backward,
)
from helpers.theory.mean_field import NODES, WEIGHTS

__all__ = ["PHI", "PLACES", "Stack", "branch_gains", "measured_stack", "predicted_stack"]

PHI = {"gelu": (gelu, gelu_prime), "silu": (silu, silu_prime),
       **{name: ACTIVATIONS[name] for name in ("relu", "tanh", "sigmoid")}}
PLACES = "pre", "post", "none"
NORM_KINDS = {"LayerNorm": (layer_norm, layer_norm_backward), "RMSNorm": (rms_norm, rms_norm_backward)}


class Stack(NamedTuple):
    """From the input to the output, (depth + 1,): ‖∂C/∂x‖, that of the output being 1; mean squares of x."""

    gradient: np.ndarray
    squares: np.ndarray


def branch_gains(activation: str, sigma_w: float, q: float = 1.0) -> tuple[float, float]:
    """f(q) and g(q). Raises ValueError for an unknown activation and a negative number."""
    q, sigma_w = check.number("q", q, least=0), check.number("sigma_w", sigma_w, least=0)
    phi, slope = _known("activation", activation, PHI)
    z = sigma_w * q**0.5 * NODES
    forward, backward = (float((one(z)**2 + one(-z)**2) @ WEIGHTS) for one in (phi, slope))
    return sigma_w**2 * forward, sigma_w**4 * backward


def predicted_stack(depth: int, place: str, activation: str = "gelu", sigma_w: float = 1.0,
                    alpha: float = 1.0) -> Stack:
    """The theory for `depth` blocks, by the table above. Raises ValueError for what it does not have."""
    _known("place", place, dict.fromkeys(PLACES))
    a, squares, factors = check.number("alpha", alpha, least=0)**2, [1.0], []
    f, g = branch_gains(activation, sigma_w)
    for _ in range(check.integer("depth", depth, least=1)):
        v = squares[-1]
        if place == "none":
            f, g = branch_gains(activation, sigma_w, v)
        factors.append({"pre": 1 + a * g / v, "post": (1 + a * g) / (1 + a * f), "none": 1 + a * g}[place])
        squares.append(1.0 if place == "post" else v + a * f)
    return Stack(np.sqrt(np.append(np.cumprod(factors[::-1])[::-1], 1.0)), np.array(squares))


def measured_stack(depth: int, place: str, activation: str = "gelu", sigma_w: float = 1.0,
                   alpha: float = 1.0, kind: str = "LayerNorm", *, seed: int = 0, width: int = 128,
                   samples: int = 8) -> Stack:
    """The same of one random stack: a random x goes forward, a random gradient of the output back.

    `kind` is LayerNorm or RMSNorm. Raises ValueError for what is not known and for a size below 1.
    """
    predicted_stack(1, place, activation, sigma_w, alpha)                        # refuses what does not fit
    for name, size in {"depth": depth, "width": width, "samples": samples}.items():
        check.integer(name, size, least=1)
    phi, norm = PHI[activation], _known("kind", kind, NORM_KINDS)
    rng = np.random.default_rng(seed)
    x, delta = rng.normal(size=(2, samples, width))
    x /= np.sqrt(np.mean(x**2))
    W = sigma_w * rng.normal(size=(depth, 2, width, width)) / width**0.5
    kept, squares, sizes = [], [np.mean(x**2)], [np.linalg.norm(delta)]
    for first, second in W:
        x, memory = _block(x, first, second, place, phi[0], norm[0], alpha)
        kept.append(memory)
        squares.append(np.mean(x**2))
    for (first, second), memory in zip(W[::-1], kept[::-1], strict=True):
        delta = _block_backward(delta, memory, first, second, place, phi[1], norm[1], alpha)
        sizes.append(np.linalg.norm(delta))
    return Stack(np.array(sizes[::-1]) / sizes[0], np.array(squares))


def _block(x, first, second, place, phi, norm, alpha):
    """Forward pass of a block: its output, and what its backward pass needs."""
    z = (norm(x, len(first)) if place == "pre" else x) @ first.T
    total = x + alpha * (phi(z) @ second.T)
    return (norm(total, len(first)) if place == "post" else total), (x, z, total)


def _block_backward(dy, memory, first, second, place, slope, norm_backward, alpha):
    """The gradient of the input of a block: that along the skip connection, plus that through F."""
    x, z, total = memory
    if place == "post":
        dy = norm_backward(dy, total, len(first))[0]
    through = alpha * (dy @ second * slope(z)) @ first
    return dy + (norm_backward(through, x, len(first))[0] if place == "pre" else through)


def _known(name, value, table):
    if not isinstance(value, str) or value not in table:
        raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(table)}")
    return table[value]
