"""Mean-field theory of wide random networks: the variance of z in each layer, and the growth of the gradient.

    z⁽ˡ⁺¹⁾ = W φ(z⁽ˡ⁾) + b,   Wᵢⱼ ~ N(0, σ_w²/fan_in),   bᵢ ~ N(0, σ_b²)

q is the mean square of the pre-activations z of a layer. In a wide layer every zᵢ is normal with variance q,
so that, with a standard normal ξ,

    q⁽ˡ⁺¹⁾  = σ_w² E[φ(√q ξ)²] + σ_b²                 the variance map (Poole et al.: length map)
    χ⁽ˡ⁾    = σ_w² E[φ′(√q ξ)²]                       the factor of the gradient: ‖δˡ‖² = χ⁽ˡ⁾ ‖δˡ⁺¹‖²

χ < 1 in every layer: gradients vanish; χ > 1: they explode; in between is the edge of chaos. The first layer
has q = σ_w²·mean(x²) + σ_b² for an input x.

Sources: Poole et al., "Exponential expressivity in deep neural networks through transient chaos" (2016),
arXiv:1606.05340; Schoenholz et al., "Deep information propagation" (2017), arXiv:1611.01232; for ReLU, He
et al., "Delving deep into rectifiers" (2015), arXiv:1502.01852. Used in
notebooks/06_gradient_pathologies.ipynb.
"""
import math

import numpy as np

from helpers import arguments as check
from helpers.functional.activations import ACTIVATIONS

__all__ = ["chi", "edge_of_chaos", "fixed_point", "mean_square", "variance_map", "variances"]

_ROUNDING = 1e-12     # how far a sum of weights may be from 1: nothing is decided within it
STRAIGHT = {"identity": (1.0, 1.0), "relu": (0.0, 1.0), "leaky_relu": (0.01, 1.0)}   # slopes left, right of 0

# ∫ f(ξ) N(ξ) dξ over ξ = ±eᵗ, t in even steps: exact to rounding for functions smooth on either side of 0,
# and equally so for every q, since scaling ξ only shifts t. No node stands at 0, where a kink may be.
_STEP = 1 / 8
NODES = np.exp(np.arange(-40, 2.5, _STEP))
WEIGHTS = _STEP * NODES * np.exp(-NODES**2 / 2) / math.sqrt(2 * math.pi)

Variances = float | np.ndarray


def mean_square(q: Variances, activation: str = "tanh", *, slope: bool = False) -> Variances:
    """E[φ(√q ξ)²], or with slope=True E[φ′(√q ξ)²], ξ standard normal; entry by entry for an array q.

    For identity, ReLU and LeakyReLU in closed form: half the sum of the squared slopes, times q for φ. Raises
    ValueError for a negative q or an unknown activation.
    """
    q = _checked_variances(q)
    function = _activation(activation)[slope]
    if activation in STRAIGHT:
        left, right = STRAIGHT[activation]
        average = (left**2 + right**2) / 2
        answer = np.full(q.shape, average) if slope else average * q
    else:
        scaled = np.sqrt(q)[..., None] * NODES
        answer = (function(scaled)**2 + function(-scaled)**2) @ WEIGHTS
    return answer if answer.ndim else float(answer)


def variance_map(q: Variances, sigma_w: float, sigma_b: float = 0.0, activation: str = "tanh") -> Variances:
    """The variance of z in the next layer: σ_w² E[φ(√q ξ)²] + σ_b², for a number or an array q ≥ 0."""
    var_w, var_b = check.number("sigma_w", sigma_w, least=0)**2, check.number("sigma_b", sigma_b, least=0)**2
    return var_w * mean_square(q, activation) + var_b


def chi(q: Variances, sigma_w: float, activation: str = "tanh") -> Variances:
    """The factor of ‖δ‖² in the backward pass of a layer whose z has variance q: σ_w² E[φ′(√q ξ)²]."""
    return check.number("sigma_w", sigma_w, least=0)**2 * mean_square(q, activation, slope=True)


def variances(q0: float, depth: int, sigma_w: float, sigma_b: float = 0.0,
              activation: str = "tanh") -> np.ndarray:
    """The variances of z by layer (depth + 1,): q0, then 1 … depth applications of the variance map."""
    found = [check.number("q0", q0, least=0, infinite=True)]
    variance_map(found[0], sigma_w, sigma_b, activation)   # refuses what does not fit, at depth 0 too
    for _ in range(check.integer("depth", depth, least=0)):
        found.append(variance_map(found[-1], sigma_w, sigma_b, activation))
    return np.array(found)


def fixed_point(sigma_w: float, sigma_b: float = 0.0, activation: str = "tanh", *, q0: float = 1.0) -> float:
    """The limit q* of the variance of z in deep layers, a fixed point of the variance map: from 0 to ∞.

    Where the map is the identity, as for ReLU with σ_w = √2 and σ_b = 0, it is q0; elsewhere it does not
    depend on q0 > 0. The map is increasing and concave, so that there is one such limit.
    """
    q0 = check.number("q0", q0, above=0)
    least = variance_map(0.0, sigma_w, sigma_b, activation)   # no q* is below
    steepness = chi(0.0, sigma_w, activation)               # of the map at q = 0, where φ(0) = 0
    if activation in STRAIGHT:
        if abs(steepness - 1) > _ROUNDING:
            return least / (1 - steepness) if steepness < 1 else math.inf
        return math.inf if least else q0
    if least == 0 and steepness <= 1 + _ROUNDING:
        return 0.0
    return _crossing(lambda q: q - variance_map(q, sigma_w, sigma_b, activation), least)


def edge_of_chaos(activation: str = "tanh", sigma_b: float = 0.0) -> float:
    """The σ_w with χ = 1 at the fixed point: deep in the network ‖δ‖ neither shrinks nor grows.

    χ = 1 gives σ_w² = 1/E[φ′²] for each q, and q = q* gives σ_b² = q − E[φ²]/E[φ′²]. That is solved for q.
    For identity, ReLU and LeakyReLU χ does not depend on q: 1, √2, √(2/(1 + s²)), whatever σ_b is, though
    with σ_b > 0 the variances then grow without end.
    """
    variance = check.number("sigma_b", sigma_b, least=0)**2
    if activation in STRAIGHT:
        return 1 / math.sqrt(mean_square(1.0, activation, slope=True))

    def excess(q):
        return q - mean_square(q, activation) / mean_square(q, activation, slope=True) - variance
    q = 0.0 if excess(0.0) >= 0 else _crossing(excess, 0.0)
    return 1 / math.sqrt(mean_square(q, activation, slope=True))


def _crossing(function, least):
    """The q from `least` on where function(q) goes from minus to plus, or ∞; halved in ln q, to rounding."""
    low = high = max(least, 1.0)
    while function(high) < 0:
        low, high = high, 2 * high
        if high > 1e15:
            return math.inf
    while low > least and function(low) >= 0:
        low, high = max(least, low / 2), low
    for _ in range(60):
        middle = math.sqrt(low) * math.sqrt(high) if low else high / 2
        low, high = (low, middle) if function(middle) >= 0 else (middle, high)
    return high


def _activation(name):
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(f"activation: got {name!r}, expected one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def _checked_variances(q):
    array = np.asarray(q)
    if array.dtype.kind not in "fiu" or not (array >= 0).all():   # NaN is not ≥ 0
        raise ValueError(f"q: got {q!r}, expected a variance, not negative")
    return array.astype(np.float64)
