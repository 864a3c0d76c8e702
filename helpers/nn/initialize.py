"""Give a whole network new weights by one rule of helpers/functional/initialization.py.

    initialize(net, "kaiming_normal", rng)
    initialize(net, lambda rng, shape: normal(rng, shape, sigma_w / math.sqrt(fans(shape)[0])), rng)
"""
from collections.abc import Callable

import numpy as np

from helpers import arguments as check
from helpers.functional.initialization import INITIALIZATIONS
from helpers.nn.layer import Layer, Parameter

__all__ = ["initialize"]


def initialize(net: Layer, rule: str | Callable[..., np.ndarray], rng: np.random.Generator) -> None:
    """Draw the weights of all layers like Linear and Conv2d anew, first to last, and set biases to 0.

    These are the layers whose `weight` has at least two axes: BatchNorm stays as it is. rule(rng, shape)
    gives an array, or is a name from INITIALIZATIONS. Gradients and inputs kept are forgotten. Raises
    ValueError, and changes nothing, for an unknown rule, or an array of another shape or none.
    """
    if not callable(rule) and (not isinstance(rule, str) or rule not in INITIALIZATIONS):
        raise ValueError(f"rule: got {rule!r}, expected a function rule(rng, shape) or one of "
                         f"{', '.join(INITIALIZATIONS)}")
    draw = rule if callable(rule) else INITIALIZATIONS[rule]
    layers = [layer for layer in net.modules() if _weighted(layer)]
    drawn = [_drawn(draw, rng, layer.weight.value) for layer in layers]
    for layer, W in zip(layers, drawn, strict=True):
        layer.weight.value = W
        if getattr(layer, "bias", None) is not None:
            layer.bias.value = np.zeros_like(layer.bias.value)
    net.zero_grad()
    net.forget()


def _weighted(layer):
    weight = getattr(layer, "weight", None)
    return isinstance(weight, Parameter) and weight.value.ndim > 1


def _drawn(draw, rng, old):
    W = draw(rng, old.shape)
    if not isinstance(W, np.ndarray):
        raise ValueError(f"rule: got {W!r} from it, expected an array of shape {old.shape}")
    check.shape("rule", W, old.shape, "the shape of the weight it is asked for")
    return W.astype(old.dtype)
