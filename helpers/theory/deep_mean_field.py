"""Mean-field theory of the gradient in a deep net: plain, with batch norm, residual, or both.

For wide layers and random weights of variance σ_w²/fan_in, biases 0, input of mean square 1, ξ normal:

    net                   variance of z                                  ‖δˡ‖² / ‖δˡ⁺¹‖²
    plain                 q ← σ_w² E[φ(√q ξ)²]                            σ_w² E[φ′(√q ξ)²]
    residual              q ← q + σ_w² E[φ(√q ξ)²]                        1 + σ_w² E[φ′(√q ξ)²]
    batch norm            v ← σ_w² Var φ(ξ)                               σ_w² E[φ′(ξ)²] / v
    both                  v ← v + σ_w² Var φ(ξ)                           1 + σ_w² E[φ′(ξ)²] / v

The first line is helpers.theory.mean_field. The second: W⁽ˡ⁺¹⁾ is independent of z⁽ˡ⁾, so that the squares of
the two paths add up, forward and backward. With batch norm the input of φ is standard normal whatever z was,
and the gradient is divided by √v, the standard deviation of z over the batch, to which the mean of φ does not
contribute. There σ_w cancels: v is proportional to σ_w². For ReLU the factor is π/(π − 1), as published.
A batch of m samples changes the factors with batch norm by terms of the order 1/m.

Sources: those of helpers.theory.mean_field; Yang & Schoenholz, "Mean field residual networks: on the edge of
chaos" (2017), arXiv:1712.08969; Yang et al., "A mean field theory of batch normalization" (2019),
arXiv:1902.08129.
"""
import numpy as np

from helpers import arguments as check
from helpers.functional.activations import ACTIVATIONS
from helpers.theory.mean_field import NODES, WEIGHTS, chi, mean_square, variance_map


def output_variance(activation: str) -> float:
    """The variance of an activation's output, Var φ(ξ) = E[φ²] − E[φ]², for a standard normal input ξ."""
    phi = ACTIVATIONS[activation][0]
    mean = (phi(NODES) + phi(-NODES)) @ WEIGHTS
    return float(mean_square(1.0, activation) - mean**2)


def factors(depth: int, sigma_w: float, activation: str, *, batch_norm: bool = False,
            residual: bool = False) -> np.ndarray:
    """The factors ‖δˡ‖²/‖δˡ⁺¹‖² of the layers 1 … depth − 1, (depth − 1,), by the table above.

    Raises ValueError for what has none, such as batch norm with σ_w = 0, where z has no variance.
    """
    layers = check.integer("depth", depth, least=1) - 1
    if batch_norm:
        check.number("sigma_w", sigma_w, above=0)
    slope = chi(1.0, sigma_w, activation)                    # where the input of φ is standard normal, and
    constant = sigma_w**2 * output_variance(activation)      # what a layer adds to the variance there
    q = [sigma_w**2]                                         # of z⁽¹⁾
    for _ in range(layers - 1):
        more = constant if batch_norm else variance_map(q[-1], sigma_w, 0.0, activation)
        q.append(more + q[-1] * residual)
    q = np.array(q[:layers])
    return (slope / q if batch_norm else chi(q, sigma_w, activation)) + residual


def predicted(depth: int, sigma_w: float, activation: str, *, batch_norm: bool = False,
              residual: bool = False) -> np.ndarray:
    """The predicted norms ‖δˡ‖ of the layers 1 … depth, (depth,), divided by that of the last layer."""
    each = factors(depth, sigma_w, activation, batch_norm=batch_norm, residual=residual)
    return np.sqrt(np.append(np.cumprod(each[::-1])[::-1], 1.0))
