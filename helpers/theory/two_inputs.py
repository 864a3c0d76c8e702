"""How far apart two inputs are in each layer of a deep random net: mean-field theory of the forward pass.

Two inputs of equal mean square go through the same wide net. Let u, v be one unit's inputs of φ for the two:
normal numbers of variance q, with D² = E[(u − v)²]. The next layer multiplies both by the same weights, so

    D² ← σ_w² E[(φ(u) − φ(v))²]        and, with a residual connection, + D²

where u = s + t, v = s − t with independent normal s, t of variance q − D²/4 and D²/4. For a small distance
φ(u) − φ(v) ≈ φ′(u)(u − v), so that D² ← χ D² with the χ of the gradient: nearby inputs move together where
gradients vanish in the backward pass, and apart where they explode. With batch norm u is z divided by its
standard deviation over the batch.

Sources: Poole et al., "Exponential expressivity in deep neural networks through transient chaos" (2016),
arXiv:1606.05340, and Schoenholz et al., "Deep information propagation" (2017), arXiv:1611.01232, who follow
the correlation c = 1 − D²/(2q). Used in notebooks/06_gradient_pathologies.ipynb.
"""
import math

import numpy as np

from helpers import arguments as check
from helpers.functional.activations import ACTIVATIONS
from helpers.theory.deep_mean_field import output_variance
from helpers.theory.mean_field import STRAIGHT, chi, variance_map

__all__ = ["distances", "second_input", "squared_difference"]

SMALL = 1e-8     # of D²/q: below it the difference is φ′(u)(u − v), to a relative error of that order

# E f(ξ) of an even f, ξ = ±eᵗ in even steps of t, as in helpers.theory.mean_field but coarser: both s and t.
_STEP = 1 / 4
_NODES = np.exp(np.arange(-16, 2.25, _STEP))
_WEIGHTS = _STEP * _NODES * np.exp(-_NODES**2 / 2) / math.sqrt(2 * math.pi)


def squared_difference(square: float, q: float, activation: str = "tanh") -> float:
    """E[(φ(u) − φ(v))²] of two normal numbers of variance q whose squared difference is D² = `square`.

    In closed form for identity, ReLU and LeakyReLU. Raises ValueError unless 0 ≤ D² ≤ 4q, and for an
    activation that is none of helpers.functional.activations.
    """
    q = check.number("q", q, least=0)
    if not 0 <= square <= 4 * q:
        raise ValueError(f"square: got {square!r}, expected a squared difference from 0 to 4·q = {4 * q}")
    factor = chi(q, 1.0, activation)                             # refuses an unknown activation
    if square <= SMALL * q:
        return square * factor
    common, different = q - square / 4, square / 4               # the variances of s and t
    if activation in STRAIGHT:
        left, right = STRAIGHT[activation]
        return (left + right)**2 * different + (right - left)**2 * _least_square(common, different)
    phi = ACTIVATIONS[activation][0]
    s, t = math.sqrt(common) * _NODES[:, None], math.sqrt(different) * _NODES
    up, down = phi(s + t) - phi(s - t), phi(t - s) - phi(-s - t)   # s > 0 and s < 0; t < 0 gives the same
    return float(2 * _WEIGHTS @ (up**2 + down**2) @ _WEIGHTS)


def distances(depth: int, sigma_w: float, activation: str = "tanh", *, apart: float = 1e-6,
              batch_norm: bool = False, residual: bool = False) -> np.ndarray:
    """The root mean square of u − v for z of the layers 1 … depth, (depth,); biases are 0.

    The inputs have mean square 1, and the root mean square of their difference is `apart`. Raises ValueError
    unless apart is from 0 to 2 and sigma_w above 0.
    """
    apart = check.number("apart", apart, least=0, most=2)
    q = check.number("sigma_w", sigma_w, above=0)**2             # of z⁽¹⁾
    square, found = q * apart**2, [math.sqrt(q) * apart]
    for _ in range(check.integer("depth", depth, least=1) - 1):
        if batch_norm:
            more, next_q = squared_difference(square / q, 1.0, activation), output_variance(activation)
        else:
            more = squared_difference(square, q, activation)
            next_q = variance_map(q, 1.0, 0.0, activation)
        square, q = sigma_w**2 * more + residual * square, sigma_w**2 * next_q + residual * q
        found.append(math.sqrt(square))
    return np.array(found)


def second_input(x: np.ndarray, other: np.ndarray, apart: float) -> np.ndarray:
    """An input of mean square 1 whose root mean square distance from x is `apart`.

    x and `other` are independent random inputs of one shape, of mean square 1. Raises ValueError unless
    apart is from 0, which is x, to 2, which is −x.
    """
    correlation = 1 - check.number("apart", apart, least=0, most=2)**2 / 2
    return correlation * x + math.sqrt(1 - correlation**2) * other


def _least_square(a, b):
    """E[min(s², t²)] of independent normal s, t of variances a and b: an integral over the angle."""
    angle = math.atan2(math.sqrt(a), math.sqrt(b))               # where s² = t²
    lap = math.sin(2 * angle) / 2
    return 2 / math.pi * (b * (angle - lap) + a * (math.pi / 2 - angle - lap))
