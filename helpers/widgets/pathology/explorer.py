"""A deep net whose gradients vanish and explode under the sliders: a widget of 06_gradient_pathologies.ipynb.

A batch of normal numbers goes in; a random δ of norm 1 is given to the last layer and goes back through all
others. Nothing is learned. The numbers of a seed are drawn once for each layer and width and kept, so
that a slider only scales them. A second batch may go in beside the first, to see how far the two stay apart.
"""
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from ipywidgets import Checkbox, Dropdown, FloatLogSlider, IntSlider

from helpers.explore.explorer import Explore, explore
from helpers.functional.activations import ACTIVATIONS
from helpers.functional.initialization import INITIALIZATIONS
from helpers.theory.deep_mean_field import predicted
from helpers.theory.deep_network import (
    ForwardPass,
    Net,
    backward,
    first_layers,
    flat_and_dead,
    forward,
    normalised,
    norms,
)
from helpers.theory.mean_field import edge_of_chaos
from helpers.theory.random_networks import WEIGHT_RULES
from helpers.theory.two_inputs import distances, second_input
from helpers.widgets.pathology.picture import DEEPEST, SIZE, draw_propagation, pathology_frame
from helpers.widgets.pathology.words import describe_propagation

BATCH, NARROWEST, WIDEST = 64, 16, 256
ROUNDING = 1e-13        # of z: a smaller distance of two inputs is made of rounding errors
INPUTS = {"not shown": 0.0, "10⁻⁶ apart": 1e-6, "independent": 2**0.5}

_PLAIN = {"initialization": "σ_w/√n normal", "scale": 1.0, "batch_norm": False, "residual": False}
PRESETS = {
    "vanish": {**_PLAIN, "activation": "sigmoid"},
    "explode": {**_PLAIN, "activation": "relu", "scale": 2.0},
    "edge of chaos": {**_PLAIN, "activation": "sigmoid", "scale": edge_of_chaos("sigmoid")},
    "He + ReLU": {**_PLAIN, "activation": "relu", "initialization": "He"},
    "torch's default": {**_PLAIN, "activation": "relu", "initialization": "torch default"},
    "with BN": {"batch_norm": True}, "with residual": {"residual": True},
}


class Propagation(NamedTuple):
    """One setting, measured; arrays begin with layer 1.

    norms, theory (depth,): ‖δ‖ where that of the last layer is 1, by the net and by
    helpers.theory.deep_mean_field; weights, slopes (depth − 1,): the factors ‖Wᵀδ‖/‖δ‖ and
    ‖Wᵀδ ⊙ φ′‖/‖Wᵀδ‖ on the way to each layer, 0 where nothing arrives; flat, dead (depth,): fractions, by
    helpers.theory.deep_network; a, delta: the arrays (batch, width) of the layers in `layers`: the first, the
    middle one, the last. distances, distances_theory: between two inputs, where that in layer 1 is 1; 0 where
    it is lost in rounding errors; (0,) where no second input was asked for. growth: the size of z in the last
    layer where that in the first is 1.
    """

    sigma_w: float
    norms: np.ndarray
    theory: np.ndarray
    weights: np.ndarray
    slopes: np.ndarray
    flat: np.ndarray
    dead: np.ndarray
    layers: list[int]
    a: list[np.ndarray]
    delta: list[np.ndarray]
    distances: np.ndarray
    distances_theory: np.ndarray
    growth: float


@lru_cache(maxsize=2 * DEEPEST)
def drawn(initialization: str, width: int, seed: int, layer: int) -> np.ndarray:
    """W (width, width) of a layer, as this rule draws it; it does not depend on how deep the net is."""
    rule = INITIALIZATIONS[WEIGHT_RULES[initialization][0]]
    return rule(np.random.default_rng([seed, layer]), (width, width))


@lru_cache
def random_batch(width: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The input x, one independent of it, and δ of the last layer with norm 1, all (batch, width)."""
    x, delta, other = np.random.default_rng([seed, 0]).normal(size=(3, BATCH, width))
    return x, other, delta / np.linalg.norm(delta)


def random_net(depth: int, width: int, activation: str, initialization: str, scale: float, batch_norm: bool,
               residual: bool, seed: int) -> Net:
    """The net of these controls."""
    weights = [scale * drawn(initialization, width, seed, layer) for layer in range(1, depth + 1)]
    gamma, beta = ([np.full(width, value)] * depth * batch_norm for value in (1.0, 0.0))
    return Net(weights, [], gamma, beta, activation, residual)


@lru_cache(maxsize=2)     # a deeper net goes on with it
def begun(**shallow: object) -> ForwardPass:
    """The forward pass of the first layer, and of as many more as were asked for since."""
    return forward(random_net(1, **shallow), random_batch(shallow["width"], shallow["seed"])[0])


@lru_cache(maxsize=2)     # for the picture and for its sentence
def propagate(depth: int, width: int, activation: str, initialization: str, scale: float, batch_norm: bool,
              residual: bool, seed: int, apart: float = 0.0) -> Propagation:
    """Forward and backward pass of a random batch, measured; the arguments are the values of the controls."""
    x, _, delta = random_batch(width, seed)
    given = {"width": width, "activation": activation, "initialization": initialization, "scale": scale,
             "batch_norm": batch_norm, "residual": residual, "seed": seed}
    net = random_net(depth, **given)
    passed = first_layers(forward(net, x, begun(**given)), depth)
    back = backward(net, passed, delta)
    phi, slope = ACTIVATIONS[activation]
    last = normalised(passed.z[-1])[0] if batch_norm else passed.z[-1]
    a, layers = [*passed.a, phi(last)], list(dict.fromkeys([1, (depth + 1) // 2, depth]))
    sigma_w = scale * WEIGHT_RULES[initialization][1]
    kind = {"batch_norm": batch_norm, "residual": residual}
    return Propagation(
        sigma_w, norms(back.delta), predicted(depth, sigma_w, activation, **kind), *_two_factors(back),
        *flat_and_dead([*back.slopes, slope(last)], activation), layers, [a[l - 1] for l in layers],
        [back.delta[l - 1] for l in layers], *_distances(net, passed, width, seed, sigma_w, apart),
        float(np.divide(*norms([passed.z[-1], passed.z[0]]))))


def _two_factors(back):
    """What the weights and the slopes multiply ‖δ‖ by, on the way to the layers 1 … depth − 1."""
    after = norms([da * slope for da, slope in zip(back.da, back.slopes, strict=True)])
    before, between = norms(back.delta[1:]), norms(back.da)
    return tuple(np.divide(new, old, out=np.zeros_like(new), where=old > 0)
                 for old, new in ((before, between), (between, after)))


def _distances(net, passed, width, seed, sigma_w, apart):
    """The distance of the two batches in each layer and its theory, that of layer 1 being 1."""
    if not apart:
        return np.zeros(0), np.zeros(0)
    x, other, _ = random_batch(width, seed)
    second = forward(net, second_input(x, other, apart))
    found = norms([z - w for z, w in zip(passed.z, second.z, strict=True)])
    found[found < ROUNDING * norms(passed.z)] = 0
    kind = {"batch_norm": bool(net.gamma), "residual": net.residual}
    theory = distances(len(found), sigma_w, net.activation, apart=apart, **kind)
    return found / found[0], theory / theory[0]


def pathology_explorer() -> Explore:
    """Watch ‖δ‖ of each layer vanish or explode as a deep random net changes, with the theory beside it.

    `result` is the Propagation of this moment.
    """
    return explore(
        _draw, pathology_frame,
        lambda **values: describe_propagation(propagate(**values), **values), size=SIZE,
        presets=PRESETS, play=("depth", "scale"),
        depth=IntSlider(30, 2, DEEPEST),
        scale=FloatLogSlider(1, base=2, min=-2, max=4, step=0.1, description="weights times",
                             readout_format=".2f"),
        activation=Dropdown(options=list(ACTIVATIONS), value="sigmoid"),
        initialization=Dropdown(options=list(WEIGHT_RULES)),
        width=IntSlider(128, NARROWEST, WIDEST, 16),
        seed=IntSlider(0, 0, 20),
        apart=Dropdown(options=list(INPUTS.items()), description="two inputs"),
        batch_norm=Checkbox(False), residual=Checkbox(False, description="residual connections"))


def _draw(ax, **values):
    one = propagate(**values)
    draw_propagation(ax, one, values["activation"])
    return one
