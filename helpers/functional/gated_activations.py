"""GELU and SiLU, an input times a smooth gate between 0 and 1, and their derivatives, entry by entry.

    gelu   z·Φ(z)      Φ the distribution function of the standard normal, or its approximation with tanh
    silu   z·σ(z)      σ the sigmoid

z is an array of any shape, float32 or float64, or a number, as in helpers.functional.activations; all else is
a ValueError. Both are ReLU for large |z|, but dip below 0 left of it, and have no kink. Sources: Hendrycks &
Gimpel, "Gaussian error linear units" (2016), arXiv:1606.08415, which has both; Elfwing et al.,
"Sigmoid-weighted linear units …" (2017), arXiv:1702.03118. Derived in
notebooks/09_networks_of_today.ipynb.
"""
import math

import numpy as np

from helpers import arguments as check
from helpers.functional.activations import sigmoid

__all__ = ["gelu", "gelu_prime", "silu", "silu_prime"]

CUBIC = 0.044715                   # fitted by Hendrycks & Gimpel

# NumPy has no Φ: Taylor series around the nearest of these nodes, exact to rounding. Beyond them Φ is 0 or 1.
STEP, FARTHEST = 1 / 256, 9.0
NODES = np.arange(-FARTHEST, FARTHEST + STEP, STEP)
DENSITY = np.exp(-NODES**2 / 2) / math.sqrt(2 * math.pi)
TAYLOR = (np.array([math.erfc(-node / math.sqrt(2)) / 2 for node in NODES]), DENSITY, -NODES * DENSITY / 2,
          (NODES**2 - 1) * DENSITY / 6, (3 - NODES**2) * NODES * DENSITY / 24)


def gelu(z: np.ndarray, approximate: str = "none") -> np.ndarray:
    """z·Φ(z), or with approximate="tanh" ½·z·(1 + tanh(√(2/π)·(z + 0.044715·z³))), at most 5·10⁻⁴ from it.

    Source of the approximation: Hendrycks & Gimpel, section 2. Raises ValueError for another approximate.
    """
    z = check.entries("z", z)
    with np.errstate(all="ignore"):
        return _like(z, z * _gate(z, approximate))


def gelu_prime(z: np.ndarray, approximate: str = "none") -> np.ndarray:
    """Φ(z) + z·Φ′(z), for the approximation likewise; between −0.13 and 1.13."""
    z = check.entries("z", z)
    with np.errstate(all="ignore"):
        gate = _gate(z, approximate)
        slope = 2 * gate * (1 - gate) * _cubic_prime(z) if approximate == "tanh" else _density(z)
        return _like(z, gate + z * slope)


def silu(z: np.ndarray) -> np.ndarray:
    """z·σ(z); also called swish. Ramachandran et al. (2017), arXiv:1710.05941, found it by search."""
    z = check.entries("z", z)
    with np.errstate(all="ignore"):
        return _like(z, z * sigmoid(z))


def silu_prime(z: np.ndarray) -> np.ndarray:
    """σ(z) + z·σ(z)·(1 − σ(z)); between −0.10 and 1.10."""
    z = check.entries("z", z)
    with np.errstate(all="ignore"):
        gate = sigmoid(z)
        return _like(z, gate * (1 + z * (1 - gate)))


def _gate(z, approximate):
    """Φ(z), or ½·(1 + tanh u) = σ(2u)."""
    if approximate == "tanh":
        return sigmoid(2 * _cubic(z))
    if approximate != "none":
        raise ValueError(f"approximate: got {approximate!r}, expected 'none' or 'tanh'")
    return _distribution(z).astype(z.dtype)


def _density(z):
    return np.exp(-z**2 / 2) / math.sqrt(2 * math.pi)


def _cubic(z):
    return math.sqrt(2 / math.pi) * (z + CUBIC * (z * z * z))


def _cubic_prime(z):
    return math.sqrt(2 / math.pi) * (1 + 3 * CUBIC * z**2)


def _distribution(z):
    """Φ(z) in float64, by Horner's rule."""
    near = np.fmin(np.fmax(z, -FARTHEST), FARTHEST)             # a NaN becomes a number here
    k = np.rint((near + FARTHEST) / STEP).astype(np.intp)
    d = near - NODES[k]
    value = TAYLOR[-1][k]
    for terms in TAYLOR[-2::-1]:
        value = value * d + terms[k]
    return np.where(z < -FARTHEST, 0.0, value)


def _like(z, answer):
    """In the dtype of z, and an array even without axes, where NumPy makes a number."""
    answer = np.asarray(answer, z.dtype)
    return answer if isinstance(z, np.ndarray) else answer[()]
