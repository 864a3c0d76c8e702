"""A deep net whose gradients vanish and explode under the sliders: a widget of 06_gradient_pathologies.ipynb.

A batch of normal numbers goes in; a random δ of norm 1 is given to the last layer and goes back through all
others. Nothing is learned. The numbers of a seed are drawn once for each layer and width and kept, so
that a slider only scales them.
"""
from collections import namedtuple
from functools import lru_cache

import numpy as np
from ipywidgets import Checkbox, Dropdown, FloatSlider, IntSlider

from helpers.explore.explorer import Explore, explore
from helpers.functional.activations import ACTIVATIONS
from helpers.functional.initialization import INITIALIZATIONS
from helpers.theory.deep_mean_field import predicted
from helpers.theory.deep_network import Net, backward, forward, normalised, norms, saturated_and_dead
from helpers.theory.random_networks import WEIGHT_RULES
from helpers.widgets.pathology.picture import SIZE, draw_propagation, pathology_frame
from helpers.widgets.pathology.words import describe_propagation

BATCH, DEEPEST, NARROWEST, WIDEST = 128, 60, 16, 256

# One setting, measured. norms and theory (depth,): ‖δ‖ of each layer where that of the last is 1, by the net
# and by helpers.theory.deep_mean_field; saturated and dead (depth,): fractions, by
# helpers.theory.deep_network; a and delta: the arrays (batch, width) of the layers in `layers`: the first,
# the middle one, the last.
Propagation = namedtuple("Propagation", "sigma_w norms theory saturated dead layers a delta")


@lru_cache(maxsize=2 * DEEPEST)
def drawn(initialization: str, width: int, seed: int, layer: int) -> np.ndarray:
    """W (width, width) of a layer, as this rule draws it; it does not depend on how deep the net is."""
    rule = INITIALIZATIONS[WEIGHT_RULES[initialization][0]]
    return rule(np.random.default_rng([seed, layer]), (width, width))


@lru_cache
def random_batch(width: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The input x and δ of the last layer, whose norm is 1, both (batch, width)."""
    x, delta = np.random.default_rng([seed, 0]).normal(size=(2, BATCH, width))
    return x, delta / np.linalg.norm(delta)


@lru_cache(maxsize=2)     # for the picture and for its sentence
def propagate(depth: int, width: int, activation: str, initialization: str, scale: float, batch_norm: bool,
              residual: bool, seed: int) -> Propagation:
    """Forward and backward pass of a random batch, measured; the arguments are the values of the controls."""
    x, delta = random_batch(width, seed)
    weights = [scale * drawn(initialization, width, seed, layer) for layer in range(1, depth + 1)]
    gamma, beta = ([np.full(width, value)] * depth * batch_norm for value in (1.0, 0.0))
    net = Net(weights, [], gamma, beta, activation, residual)
    passed = forward(net, x)
    found = backward(net, passed, delta).delta
    u = [*passed.u, normalised(passed.z[-1])[0] if batch_norm else passed.z[-1]]
    a = [*passed.a, ACTIVATIONS[activation][0](u[-1])]
    layers = [1, (depth + 1) // 2, depth]
    sigma_w = scale * WEIGHT_RULES[initialization][1]
    theory = predicted(depth, sigma_w, activation, batch_norm=batch_norm, residual=residual)
    return Propagation(sigma_w, norms(found), theory, *saturated_and_dead(u, activation), layers,
                       [a[l - 1] for l in layers], [found[l - 1] for l in layers])


def pathology_explorer() -> Explore:
    """Watch ‖δ‖ of each layer vanish or explode as a deep random net changes, with the theory beside it.

    `result` is the Propagation of this moment.
    """
    return explore(
        _draw, pathology_frame,
        lambda **values: describe_propagation(propagate(**values), **values), size=SIZE,
        depth=IntSlider(30, 2, DEEPEST),
        width=IntSlider(128, NARROWEST, WIDEST, 16),
        activation=Dropdown(options=list(ACTIVATIONS), value="sigmoid"),
        initialization=Dropdown(options=list(WEIGHT_RULES)),
        scale=FloatSlider(1, min=0.2, max=4, step=0.1, description="weights times", readout_format=".1f"),
        seed=IntSlider(0, 0, 20),
        batch_norm=Checkbox(False), residual=Checkbox(False, description="residual connections"))


def _draw(ax, **values):
    one = propagate(**values)
    draw_propagation(ax, one, values["activation"])
    return one
