"""The norm of the gradient in each layer of many deep random networks.

Every network is one of helpers/theory/deep_network.py without biases. A random input of mean square 1 goes
in, a random δ is given to the last layer; nothing is learned. What the theory says about the sizes is in
helpers/theory/deep_mean_field.py. Used in notebooks/06_gradient_pathologies.ipynb.
"""
from collections.abc import Callable, Sequence

import numpy as np

from helpers import arguments as check
from helpers.theory.deep_network import Net, backward, forward, norms
from helpers.theory.two_inputs import second_input

__all__ = ["CASES", "WEIGHT_RULES", "Case", "measured", "measured_distances", "unit"]

Case = tuple[str, float]   # an activation, a scale σ_w

CASES = [(activation, sigma_w) for activation, scales in
         {"tanh": (1.0, 1.5, 3.0), "relu": (1.0, 2**0.5, 2.0), "sigmoid": (1.0, 4.0, 12.0)}.items()
         for sigma_w in scales]

# By the explorers' names: a rule of functional.initialization, its σ_w = √(n·Var W) for n inputs, n outputs.
WEIGHT_RULES = {
    "σ_w/√n normal": ("lecun_normal", 1.0),
    "Xavier":        ("xavier_normal", 1.0),
    "He":            ("kaiming_normal", 2**0.5),
    "orthogonal":    ("orthogonal", 1.0),
    "torch default": ("torch_default", 3**-0.5),
}


def unit(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Normal weights (out, in) of variance 1/in, that is, of σ_w = 1."""
    return rng.normal(size=shape) / np.sqrt(shape[1])


def measured(cases: Sequence[Case], *, seeds: int = 1, depth: int = 20, width: int = 256, samples: int = 8,
             draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray] = unit,
             batch_norm: bool = False, residual: bool = False) -> dict[Case, np.ndarray]:
    """The measured norms ‖δˡ‖ of layers 1 … depth, divided by that of the last: (seeds, depth) for each case.

    A case is a pair (activation, σ_w). A seed draws the weights once; each case multiplies them by its σ_w.
    `draw` is a rule of helpers/functional/initialization.py. Raises ValueError for no case and for a size
    below 1.
    """
    if not cases:
        raise ValueError("cases: got none, expected at least one pair such as ('tanh', 1.5)")
    for name, value in {"seeds": seeds, "depth": depth, "width": width, "samples": samples}.items():
        check.integer(name, value, least=1)
    found = {case: [] for case in cases}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        weights = [draw(rng, (width, width)) for _ in range(depth)]
        x, delta = rng.normal(size=(2, samples, width))
        gamma, beta = ([np.full(width, value)] * (depth - 1) * batch_norm for value in (1.0, 0.0))
        for (activation, sigma_w), sizes in found.items():
            net = Net([sigma_w * W for W in weights], [], gamma, beta, activation, residual)
            back = norms(backward(net, forward(net, x), delta).delta)
            sizes.append(back / back[-1])
    return {case: np.array(sizes) for case, sizes in found.items()}


def measured_distances(activation: str, sigma_w: float, apart: float, *, seeds: int = 1, depth: int = 20,
                       width: int = 256, samples: int = 8) -> np.ndarray:
    """The root mean square distance of z of two inputs in layers 1 … depth, (depth,), over all networks.

    The inputs have mean square 1 and differ by `apart`, as in helpers.theory.two_inputs. Raises ValueError
    for a size below 1, and unless apart is from 0 to 2.
    """
    for name, value in {"seeds": seeds, "depth": depth, "width": width, "samples": samples}.items():
        check.integer(name, value, least=1)
    squares = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        net = Net([sigma_w * unit(rng, (width, width)) for _ in range(depth)], [], [], [], activation, False)
        x, other = rng.normal(size=(2, samples, width))
        one, two = (forward(net, start).z for start in (x, second_input(x, other, apart)))
        squares.append([np.mean((u - v)**2) for u, v in zip(one, two, strict=True)])
    return np.sqrt(np.mean(squares, axis=0))
