"""Blame in many random networks, and the figures of notebook 06, against torch and against what they hold."""
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from helpers.functional.initialization import orthogonal
from helpers.theory import mean_field
from helpers.theory.random_networks import CASES, measured, unit
from helpers.widgets.pathology.figures import chi_at_fixed_point, paths_on_a_cliff, theory_and_spread

TORCH = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}
WAYS = [{}, {"batch_norm": True}, {"residual": True}, {"batch_norm": True, "residual": True}]
SIZES = {"depth": 5, "width": 6, "samples": 7}


def by_torch(activation, sigma_w, seed, draw=unit, batch_norm=False, residual=False):
    """‖∂C/∂zˡ‖ of all layers by autograd, from the same draws; no identity leads by the first layer."""
    rng = np.random.default_rng(seed)
    W = [sigma_w * torch.tensor(draw(rng, (6, 6))) for _ in range(5)]
    x, delta = (torch.tensor(a) for a in rng.normal(size=(2, 7, 6)))
    z = [(x @ W[0].T).requires_grad_()]
    for V in W[1:]:
        u = torch.nn.functional.batch_norm(z[-1], None, None, training=True) if batch_norm else z[-1]
        z.append(TORCH[activation](u) @ V.T + residual * z[-1])
    sizes = [g.norm().item() for g in torch.autograd.grad(z[-1], z, delta)]
    return np.array(sizes) / sizes[-1]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("activation", TORCH)
def test_sizes_are_those_of_autograd(activation, way):
    found = measured([(activation, 1.7), (activation, 0.4)], seeds=2, **SIZES, **way)
    for (name, sigma_w), sizes in found.items():
        wanted = [by_torch(name, sigma_w, seed, **way) for seed in (0, 1)]
        np.testing.assert_allclose(sizes, wanted, rtol=1e-9)


def test_another_rule_draws_the_weights():
    found = measured([("tanh", 0.9)], draw=orthogonal, **SIZES)["tanh", 0.9]
    np.testing.assert_allclose(found[0], by_torch("tanh", 0.9, 0, draw=orthogonal), rtol=1e-9)


def test_each_seed_is_a_network_of_its_own():
    few, many = (measured([("relu", 1.0)], seeds=seeds, **SIZES)["relu", 1.0] for seeds in (1, 3))
    assert np.array_equal(few[0], many[0]) and len(np.unique(many[:, 0])) == 3


@pytest.mark.parametrize("bad", [{"cases": []}, {"seeds": 0}, {"depth": 0}, {"width": 0}, {"samples": 1.5}])
def test_bad_arguments_are_named(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))}: got .*expected"):
        measured(**{"cases": [("tanh", 1.0)], **bad})


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
