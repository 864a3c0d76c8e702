"""Second derivatives by two passes over the tape: the Hessian times a vector, and its largest eigenvalue."""
from collections.abc import Callable, Sequence

import numpy as np

from helpers import arguments as check
from helpers.autograd.sweep import grad
from helpers.autograd.variable import Variable

__all__ = ["curvature_in_training", "hessian_vector_product", "largest_eigenvalue"]

_Arrays = Sequence[np.ndarray]


def hessian_vector_product(gradient: Sequence[Variable], parameters: Sequence[Variable],
                           v: _Arrays) -> list[np.ndarray]:
    """H v = ∂(g·v)/∂p: the gradient of the scalar product of the gradient g with v.

    `gradient` is what grad(C, parameters, create_graph=True) returned; v has an array for each
    parameter, and so has the answer. Cost: one backward pass over the tape of g. Source: Pearlmutter, "Fast
    exact multiplication by the Hessian" (1994). Derived in notebooks/08_autograd_by_hand.ipynb.
    """
    for i, (g, array) in enumerate(zip(gradient, v, strict=True)):
        check.shape(f"v[{i}]", array, g.shape, "that of the parameter")
    product = sum((g * array).sum() for g, array in zip(gradient, v, strict=True))
    return [h.value for h in grad(product, parameters, retain_graph=True)]


def largest_eigenvalue(gradient: Sequence[Variable], parameters: Sequence[Variable], start: _Arrays,
                       steps: int) -> tuple[float, list[np.ndarray]]:
    """Power iteration: v ← H v / ‖v‖; the Rayleigh quotient v·Hv of the last step, and the next v.

    It approaches the eigenvalue of largest size, from any start that its eigenvector is not at right angles
    to. A quotient is never above the largest eigenvalue.
    """
    v, quotient = list(start), 0.0
    for _ in range(check.integer("steps", steps, least=1)):
        norm = np.sqrt(sum((array**2).sum() for array in v))
        v = [array / norm for array in v]
        Hv = hessian_vector_product(gradient, parameters, v)
        quotient = float(sum((a * h).sum() for a, h in zip(v, Hv, strict=True)))
        v = Hv
    return quotient, v


def curvature_in_training(cost: Callable[..., Variable], weights: _Arrays, eta: float, *, steps: int,
                          rng: np.random.Generator, every: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Full-batch gradient descent on cost(*weights): λ_max of the Hessian each `every` steps, and all costs.

    Power iteration goes on from where it ended before: 8 products of H and a vector, 30 at the start.
    """
    v, found, costs = [check.generator(rng).normal(size=W.shape) for W in weights], [], []
    for k in range(check.integer("steps", steps, least=1)):
        leaves, look = [Variable(W, requires_grad=True) for W in weights], k % every == 0
        C = cost(*leaves)
        g = grad(C, leaves, create_graph=look)
        if look:
            quotient, v = largest_eigenvalue(g, leaves, v, 8 if k else 30)
            found.append(quotient)
        costs.append(float(C.value))
        weights = [W - eta * d.value for W, d in zip(weights, g, strict=True)]
    return np.array(found), np.array(costs)
