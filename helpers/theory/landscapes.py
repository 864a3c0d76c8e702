"""Test functions of two weights, with their gradients, and the path of an update rule (an optimizer) on them.

w (…, 2): one point, or many, of float32 or float64; a value is (…,), a gradient (…, 2). Far out, where a
number overflows, it is ∞ or NaN, without a warning, and a plot leaves it out. Anything but such an array
is a ValueError. The theory of the ravine is in helpers/theory/quadratics.py.
"""
import functools
from collections.abc import Callable
from math import cos, sin
from typing import NamedTuple

import numpy as np

from helpers import arguments as check

__all__ = ["FAR", "LANDSCAPES", "Landscape", "beale", "beale_gradient", "descend", "noisy", "ravine",
           "ravine_gradient", "ravine_hessian", "rosenbrock", "rosenbrock_gradient", "saddle",
           "saddle_gradient"]

FAR = 1e6   # with a coordinate beyond this, a path has diverged
_BEALE = (1, 1.5), (2, 2.25), (3, 2.625)   # i, cᵢ
Gradient = Callable[[np.ndarray], np.ndarray]


def _over_points(function):
    """Check that w holds points."""
    @functools.wraps(function)
    def checked(w, *values, **options):
        check.floats("w", w, "…, " * (max(getattr(w, "ndim", 1), 1) - 1) + "2")
        check.shape("w", w, (*w.shape[:-1], 2), "two coordinates for each point")
        with np.errstate(all="ignore"):
            return function(w, *values, **options)
    return checked


def ravine_hessian(kappa: float = 10.0, angle: float = 0.0) -> np.ndarray:
    """The Hessian H (2, 2) of the ravine, with the eigenvalues 1 along it and kappa across; κ(H) is kappa.

    The ravine runs along the first axis, rotated counterclockwise by `angle` (radians).
    Raises ValueError for a kappa below 1.
    """
    check.number("kappa", kappa, least=1)
    check.number("angle", angle)
    c, s = cos(angle), sin(angle)
    return np.array([[c * c + kappa * s * s, (1 - kappa) * c * s],
                     [(1 - kappa) * c * s, s * s + kappa * c * c]])


@_over_points
def ravine(w: np.ndarray, kappa: float = 10.0, angle: float = 0.0) -> np.ndarray:
    """The quadratic ½·wᵀHw with H = ravine_hessian(kappa, angle): at angle 0, ½(x² + κ·y²)."""
    return (w * ravine_gradient(w, kappa, angle)).sum(axis=-1) / 2


@_over_points
def ravine_gradient(w: np.ndarray, kappa: float = 10.0, angle: float = 0.0) -> np.ndarray:
    """The gradient of `ravine`: H·w, for each point."""
    return w @ ravine_hessian(kappa, angle).astype(w.dtype)


@_over_points
def rosenbrock(w: np.ndarray) -> np.ndarray:
    """Rosenbrock's function (1 − x)² + 100·(y − x²)², minimum 0 at (1, 1). Source: Comput. J. 3 (1960)."""
    x, y = w[..., 0], w[..., 1]
    return (1 - x)**2 + 100 * (y - x**2)**2


@_over_points
def rosenbrock_gradient(w: np.ndarray) -> np.ndarray:
    """The gradient of `rosenbrock`: (−2(1 − x) − 400·x·(y − x²), 200·(y − x²))."""
    x, y = w[..., 0], w[..., 1]
    return np.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], axis=-1)


@_over_points
def beale(w: np.ndarray) -> np.ndarray:
    """Beale's function (1958) Σᵢ (cᵢ − x·(1 − yⁱ))² with c = 1.5, 2.25, 2.625; minimum 0 at (3, ½)."""
    x, y = w[..., 0], w[..., 1]
    return sum((c - x * (1 - y**i))**2 for i, c in _BEALE)


@_over_points
def beale_gradient(w: np.ndarray) -> np.ndarray:
    """The gradient of `beale`: (Σᵢ −2·rᵢ·(1 − yⁱ), Σᵢ 2·rᵢ·x·i·yⁱ⁻¹) with rᵢ = cᵢ − x·(1 − yⁱ)."""
    x, y = w[..., 0], w[..., 1]
    r = {i: c - x * (1 - y**i) for i, c in _BEALE}
    return np.stack([sum(-2 * r[i] * (1 - y**i) for i in r),
                     sum(2 * r[i] * x * i * y**(i - 1) for i in r)], axis=-1)


@_over_points
def saddle(w: np.ndarray) -> np.ndarray:
    """½·x² + ¼·(y² − 1)²: a saddle point at (0, 0), with the value ¼, and minima 0 at (0, ±1)."""
    x, y = w[..., 0], w[..., 1]
    return x**2 / 2 + (y**2 - 1)**2 / 4


@_over_points
def saddle_gradient(w: np.ndarray) -> np.ndarray:
    """The gradient of `saddle`: (x, y³ − y). On the line y = 0 its second entry is 0."""
    x, y = w[..., 0], w[..., 1]
    return np.stack([x, y * (y**2 - 1)], axis=-1)


def noisy(gradient: Gradient, noise: float, rng: np.random.Generator) -> Gradient:
    """A gradient function with noise, as of a mini-batch: noise·N(0, 1) is added to each entry at each call.

    Raises ValueError for a noise below 0, and for an rng that is no generator.
    """
    check.number("noise", noise, least=0)
    check.generator(rng)
    return lambda w: gradient(w) + (noise * rng.normal(size=w.shape)).astype(w.dtype)


class Landscape(NamedTuple):
    """A cost function, its gradient, its minima, a start, the limits of the picture, the noise to add."""

    value: Callable[[np.ndarray], np.ndarray]
    gradient: Gradient
    minima: tuple[tuple[float, float], ...]
    start: tuple[float, float]
    view: tuple[float, float, float, float]   # from x, to x, from y, to y
    noise: float = 0.0


LANDSCAPES = {
    "ravine":     Landscape(ravine, ravine_gradient, ((0, 0),), (-4, 2), (-5, 5, -3, 3)),
    "Rosenbrock": Landscape(rosenbrock, rosenbrock_gradient, ((1, 1),), (-1.2, 1), (-2, 2, -1, 3)),
    "Beale":      Landscape(beale, beale_gradient, ((3, 0.5),), (1, 1.5), (-4.5, 4.5, -4.5, 4.5)),
    "saddle":     Landscape(saddle, saddle_gradient, ((0, -1), (0, 1)), (-1.5, 0.01), (-2, 2, -1.75, 1.75)),
    "noisy quadratic": Landscape(ravine, ravine_gradient, ((0, 0),), (-4, 2), (-5, 5, -3, 3), noise=2.0),
}


def descend(rule: Callable, gradient: Gradient, start: np.ndarray, steps: int, *,
            lr: float | Callable[[int], float], **options: object) -> np.ndarray:
    """Run an update rule from `start`; return all iterates, (steps + 1, *start.shape), the start included.

    rule is one of helpers/functional/optimizers.py, with its options; lr may be a schedule, lr(t) for t = 0,
    1, … start (…, n) is one point, or many independent ones. A point with a coordinate beyond ±FAR has
    diverged: it is NaN from there on, without a warning. Raises ValueError for what the rule refuses,
    and for bad steps.
    """
    check.floats("start", start, "…, " * (max(getattr(start, "ndim", 1), 1) - 1) + "n")
    path, state = [start], None
    for t in range(check.integer("steps", steps, least=0)):
        rate = lr(t) if callable(lr) else lr
        with np.errstate(over="ignore", invalid="ignore"):   # squares that float32 does not hold
            w, state = rule(path[-1], gradient(path[-1]), state, lr=rate, **options)
        near = (np.abs(w) <= FAR).all(axis=-1, keepdims=True)
        path.append(np.where(near, w, w.dtype.type(np.nan)))
    return np.array(path)
