"""The explorer of pre-norm and post-norm: what it draws is what it says, and the axes stay."""
import itertools

import numpy as np
import pytest

from helpers.plotting.panes import scientific
from helpers.theory.residual_norms import PHI, measured_stack, predicted_stack
from helpers.widgets.residual_stack import (
    DEEPEST,
    GRADIENT,
    NORM_PLACES,
    WIDTH,
    _points,
    residual_stack_explorer,
)


@pytest.fixture(scope="module")
def explorer():
    return residual_stack_explorer()


@pytest.mark.parametrize("place", NORM_PLACES.values())
def test_it_shows_the_stack_of_its_controls(explorer, place):
    explorer.set(depth=7, place=place, kind="RMSNorm", activation="tanh", sigma_w=1.4, alpha=0.5, seed=3)
    measured, predicted = explorer.result
    np.testing.assert_array_equal(measured.gradient, measured_stack(
        7, place, "tanh", 1.4, 0.5, "RMSNorm", seed=3, width=WIDTH).gradient)
    np.testing.assert_array_equal(predicted.squares, predicted_stack(7, place, "tanh", 1.4, 0.5).squares)
    said = explorer.sentence
    for stack, words in ((measured, "it is {0} times"), (predicted, "theory: {0})")):
        assert words.format(scientific(stack.gradient[0])) in said
    assert f"to {scientific(measured.squares[-1])} (theory: {scientific(predicted.squares[-1])})" in said
    assert ("no norm" in said) == (place == "none") and ("RMSNorm" in said) == (place != "none")


def test_the_finding_in_words(explorer):
    for preset, finding in (("post-norm, sigmoid", "vanishes"), ("no norm", "explodes"),
                            ("pre-norm, sigmoid", "neither vanishes nor explodes")):
        explorer.set(**explorer.presets[preset], kind="LayerNorm", seed=0)
        assert f"The gradient {finding}:" in explorer.sentence


def test_all_that_fits_is_drawn_in_the_pane_and_what_does_not_on_its_edge(explorer):
    for place, activation in itertools.product(NORM_PLACES.values(), PHI):
        explorer.set(depth=DEEPEST, place=place, activation=activation, sigma_w=2.0, alpha=1.0)
        heights = GRADIENT.at(0, np.log10(explorer.result[0].gradient))[:, 1]
        assert np.isfinite(heights).all() and heights.min() >= GRADIENT.top
        assert explorer.png().startswith(b"\x89PNG")


def test_the_gradient_goes_from_the_output_on_the_left_to_the_input(explorer):
    explorer.set(**explorer.presets["post-norm, sigmoid"], seed=0)
    points = _points(GRADIENT, explorer.result[0].gradient)
    assert tuple(points[0]) == (GRADIENT.left, GRADIENT.top + GRADIENT.height / 2)
    assert points[-1][0] == GRADIENT.left + GRADIENT.width and points[-1][1] > points[0][1] + 60
