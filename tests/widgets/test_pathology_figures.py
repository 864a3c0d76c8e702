"""The figures of notebook 06 against what they are given."""
import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.theory import mean_field
from helpers.theory.random_networks import CASES
from helpers.widgets.pathology.figures import (
    chi_at_fixed_point,
    cost_and_speed,
    paths_on_a_cliff,
    theory_and_spread,
    two_inputs_by_layer,
)


@pytest.fixture
def figure_of():
    yield lambda figure: figure
    plt.close("all")


def test_the_figure_shows_root_mean_squares_theory_and_spread(figure_of):
    rng = np.random.default_rng(0)
    found = {case: np.exp(rng.normal(size=(9, 6))) for case in CASES}
    forecast = {case: np.exp(rng.normal(size=6)) for case in CASES}
    figure = figure_of(theory_and_spread(found, forecast))
    above, *strips = np.reshape(figure.axes, (4, 3))
    for ax, below, name in zip(above, np.transpose(strips), ("tanh", "relu", "sigmoid"), strict=True):
        assert ax.get_title(loc="left") == name or ax.get_title() == name
        assert all(one.get_xlim()[0] > 6 > 1 > one.get_xlim()[1] for one in (ax, *below)), "the last is left"
        own = [case for case in CASES if case[0] == name]
        assert [text.get_text() for text in ax.texts] == [f"{s:.3g}" for _, s in own]
        for k, case in enumerate(own):
            mean = np.sqrt((found[case]**2).mean(axis=0))
            np.testing.assert_allclose(ax.lines[2 * k].get_ydata(), mean)
            np.testing.assert_allclose(ax.lines[2 * k + 1].get_ydata(), forecast[case])
            ratio = below[k]     # a strip for each, so that no band hides another
            assert [text.get_text() for text in ratio.texts] == [f"σ_w = {case[1]:.3g}"]
            np.testing.assert_allclose(ratio.lines[0].get_ydata(), mean / forecast[case])
            edge = ratio.collections[0].get_paths()[0].vertices
            low, high = np.quantile(found[case][:, 0] / forecast[case][0], (0.1, 0.9))
            at = edge[edge[:, 0] == 1, 1]
            assert np.isclose(at.min(), low) and np.isclose(at.max(), high)


def test_the_dots_stand_where_chi_is_one(figure_of):
    ax = figure_of(chi_at_fixed_point("sigmoid", "tanh", "relu")).axes[0]
    for name, dot in zip(("sigmoid", "tanh", "relu"), ax.lines[-3:], strict=True):
        (sigma_w,), (one,) = dot.get_data()
        assert one == 1 and sigma_w == mean_field.edge_of_chaos(name)
    x, chi = ax.lines[2].get_data()
    np.testing.assert_allclose(chi, np.square(x) / 2)


def test_measured_distances_are_dots_on_the_lines_of_theory(figure_of):
    pairs = {name: np.exp(np.random.default_rng(k).normal(size=(2, 7))) for k, name in enumerate("ab")}
    ax = figure_of(two_inputs_by_layer(pairs)).axes[0]
    dots, lines = ax.lines[:2], ax.lines[2:]
    for dot, line, (measured, theory) in zip(dots, lines, pairs.values(), strict=True):
        assert dot.get_marker() == "o" and dot.get_linestyle() == "None" and line.get_color() == "#000000"
        for drawn, values in ((dot, measured), (line, theory)):
            np.testing.assert_allclose(drawn.get_data(), (range(1, 8), values))
    assert ax.get_yscale() == "log" and {text.get_text() for text in ax.texts} == set(pairs)


def test_cost_and_speed_have_the_same_colours_and_the_rule_of_thumb(figure_of):
    by_step = {name: np.exp(np.random.default_rng(k).normal(size=(2, 5))) for k, name in enumerate("abc")}
    left, right = figure_of(cost_and_speed(by_step)).axes
    for k, both in enumerate(by_step.values()):
        assert left.lines[k].get_color() == right.lines[k].get_color()
        for ax, values in zip((left, right), both, strict=True):
            np.testing.assert_allclose(ax.lines[k].get_data(), ([5, 15, 25, 35, 45], values))
    assert right.get_yscale() == "log" and right.lines[3].get_ydata()[0] == 1e-3


def test_both_paths_and_their_costs_are_drawn(figure_of):
    paths = {name: np.random.default_rng(k).uniform((4, -3), (6, -2), (5, 2)) for k, name in enumerate("ab")}
    def cost(p):
        return (p[0] - 5)**2 + p[1]**2
    above, beside = figure_of(paths_on_a_cliff(cost, paths)).axes
    for line, costs, (name, path) in zip(above.lines, beside.lines, paths.items(), strict=True):
        np.testing.assert_array_equal(np.transpose(line.get_data()), path)
        np.testing.assert_allclose(costs.get_ydata(), [cost(p) for p in path])
        assert name in [text.get_text() for text in beside.texts]
    for ax in (above, beside):     # the first is wider, so that the second does not hide it
        assert ax.lines[0].get_linewidth() > 2 * ax.lines[1].get_linewidth()


def test_a_path_that_leaves_the_map_is_named_where_it_does(figure_of):
    paths = {"free": np.array([[4.0, -2.0], [5.0, -1.0], [9.0, 3.0]]),
             "held": np.array([[5.0, -3.0], [5.1, -2.9]])}
    above, _ = figure_of(paths_on_a_cliff(lambda p: p[0] + p[1], paths)).axes
    places = {text.get_text(): text.xy for text in above.texts if text.get_text() in paths}
    assert places["free"] == pytest.approx((4.5, -1.53)) and places["held"] == (5.0, -3.0)
