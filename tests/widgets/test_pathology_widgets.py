"""The widgets of notebook 06: gradients and trainings are torch's, and their sentences are true."""
import itertools
import math
import re

import numpy as np
import pytest
import sweep
import torch
import torch.nn.functional as F
from matplotlib.colors import to_hex
from shown import number, number_in, stage, watched
from torch_nets import SIGMA, deep_by_torch

from helpers.functional.activations import ACTIVATIONS
from helpers.functional.initialization import INITIALIZATIONS
from helpers.plotting import panes
from helpers.theory.deep_mean_field import predicted
from helpers.theory.deep_network import Net
from helpers.theory.random_networks import WEIGHT_RULES
from helpers.widgets.pathology import explorer as exploring
from helpers.widgets.pathology import picture as pathology_picture
from helpers.widgets.pathology.explorer import pathology_explorer, propagate
from helpers.widgets.pathology.words import describe_propagation

SETTING = {"depth": 9, "width": 48, "activation": "tanh", "initialization": "He", "scale": 1.3, "seed": 3,
           "batch_norm": False, "residual": False}
SETTINGS = [{**SETTING, **other} for other in (
    {}, {"activation": "sigmoid", "initialization": "σ_w/√n normal"},
    {"activation": "relu", "residual": True},
    {"activation": "elu", "batch_norm": True, "initialization": "orthogonal"}, {"depth": 2, "scale": 0.2},
    {"batch_norm": True, "residual": True, "initialization": "torch default", "activation": "leaky_relu"})]
FLAT = {"relu": "Inactive", "leaky_relu": "Inactive"}       # half of the line


def close(words, true, within=0.06):
    return abs(number(words) / true - 1) < within


# --- the explorer ----------------------------------------------------------------------------

@pytest.fixture(scope="module")
def explorer():
    return pathology_explorer()


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_result_is_torchs(setting):
    one, width, depth = propagate(**setting), setting["width"], setting["depth"]
    weights = [setting["scale"] * exploring.drawn(setting["initialization"], width, 3, l + 1)
               for l in range(depth)]
    gamma, beta = ([np.full(width, v)] * (depth - 1) * setting["batch_norm"] for v in (1.0, 0.0))
    x, other, delta = exploring.random_batch(width, 3)
    assert x.shape == delta.shape == other.shape == (64, width) and np.isclose(np.linalg.norm(delta), 1)
    net = Net(weights, [], gamma, beta, setting["activation"], setting["residual"])
    z, deltas, _ = deep_by_torch(net, x, delta)
    assert np.allclose(one.norms, [np.linalg.norm(d) for d in deltas], rtol=1e-10)
    for l, a, d in zip(one.layers, one.a, one.delta, strict=True):
        u = torch.tensor(z[l - 1], requires_grad=True)
        v = F.batch_norm(u, None, None, training=True) if setting["batch_norm"] else u
        true = SIGMA[setting["activation"]](v)
        assert np.allclose(a, true.detach(), rtol=1e-9)
        assert np.abs(d - deltas[l - 1]).max() < 1e-10 * np.abs(d).max()
        slope = torch.autograd.grad(true.sum(), v)[0].numpy()
        slope = slope / (0.25 if setting["activation"] == "sigmoid" else 1)
        assert np.isclose(one.flat[l - 1], (slope < 0.1).mean())
        assert np.isclose(one.dead[l - 1], (slope < 0.001).all(axis=0).mean())
    assert one.layers == ([1, (depth + 1) // 2, depth] if depth > 2 else [1, 2]), "no layer twice"
    arriving = [torch.tensor(d) @ torch.tensor(W) for d, W in zip(deltas[1:], weights[1:], strict=True)]
    wide = [np.linalg.norm(a) / np.linalg.norm(d) for a, d in zip(arriving, deltas[1:], strict=True)]
    assert np.allclose(one.weights, wide)
    if not (setting["batch_norm"] or setting["residual"]):
        assert np.allclose(one.weights * one.slopes, one.norms[:-1] / one.norms[1:])
    sigma_w = setting["scale"] * WEIGHT_RULES[setting["initialization"]][1]
    kind = {name: setting[name] for name in ("batch_norm", "residual")}
    assert np.array_equal(one.theory, predicted(depth, sigma_w, setting["activation"], **kind))


@pytest.mark.parametrize("setting", [*SETTINGS, {**SETTING, "depth": 20, "scale": 3.0}])
def test_the_sentence_is_true(setting):
    one = propagate(**setting)
    said = describe_propagation(one, **setting)
    got, last, of = re.search(r"layer 1 is (\S+) times that of layer (\d+).*?\(theory: (\S+?)\)",
                              said).groups()
    assert int(last) == setting["depth"]
    assert close(got, one.norms[0]) and close(of, one.theory[0])
    each = re.search(r"multiplies it by (\S+) \(theory: (\S+?)\)", said).groups()
    for words, all_of_it in zip(each, (one.norms[0], one.theory[0]), strict=True):
        assert close(words, all_of_it**(1 / (setting["depth"] - 1)), 0.006)
    far = re.search(r"(\d+) orders? of magnitude (less|more)", said)
    assert bool(far) == (not 0.1 <= one.norms[0] <= 10)
    if far:
        assert int(far[1]) == round(abs(math.log10(one.norms[0])))
        assert far[2] == ("less" if one.norms[0] < 1 else "more")
    first = FLAT.get(setting["activation"], "Saturated")
    for name, share in ((first, one.flat.mean()), ("dead", one.dead.mean())):
        words = "none" if share == 0 else f"{100 * share:.0f} %" if share >= 0.005 else "below 0.5 %"
        assert f"{name}: {words} of the " in said
    start = "vanish" if one.norms[0] < 0.1 else "explode" if one.norms[0] > 10 else "keep their order"
    assert f"Gradients {start}" in said
    assert ("weight scale has no effect" in said) == setting["batch_norm"]
    assert f"σ_w = {setting['scale'] * WEIGHT_RULES[setting['initialization']][1]:.2f}, seed 3." in said


def test_the_sentences_above_are_of_every_kind():
    said = " ".join(describe_propagation(propagate(**setting), **setting) for setting in
                    [*SETTINGS, {**SETTING, "depth": 20, "scale": 3.0}])
    assert all(f"Gradients {start}" in said for start in ("vanish", "explode", "keep their order"))


def spread_of(initialization, width=128):
    return exploring.drawn(initialization, width, 0, 1).std() * width**0.5


@pytest.mark.parametrize("initialization", WEIGHT_RULES)
def test_the_weights_have_the_variance_that_theory_is_told(monkeypatch, initialization):
    name, sigma_w = WEIGHT_RULES[initialization]
    rule = INITIALIZATIONS[name]
    assert np.isclose(spread_of(initialization), sigma_w, rtol=0.02)
    exploring.drawn.cache_clear()
    monkeypatch.setitem(INITIALIZATIONS, name, lambda *a: 1.1 * rule(*a))
    assert not np.isclose(spread_of(initialization), sigma_w, rtol=0.02)
    exploring.drawn.cache_clear()


@pytest.mark.parametrize("activation, seed", list(itertools.product(ACTIVATIONS, (0, 7))))
def test_the_start_follows_its_theory(explorer, activation, seed):
    """At the start and for another seed, the measured line is not far from the predicted one."""
    one = propagate(**{**explorer.start, "activation": activation, "seed": seed})
    assert np.abs(np.log10(one.norms / one.theory)).max() < 0.5


def test_batch_norm_cancels_the_scale_and_equal_rules_are_equal():
    one, other = (propagate(**{**SETTING, "batch_norm": True, "scale": scale}) for scale in (0.4, 3.1))
    assert np.allclose(one.norms, other.norms, rtol=1e-3) and np.allclose(one.theory, other.theory)
    he, normal = (propagate(**{**SETTING, "initialization": name, "scale": scale})
                  for name, scale in (("He", 1.0), ("σ_w/√n normal", 2**0.5)))
    assert np.allclose(he.norms, normal.norms, rtol=1e-9)
    flat = propagate(**{**SETTING, "initialization": "orthogonal", "scale": 1.0, "activation": "identity"})
    assert np.allclose(flat.norms, 1) and np.allclose(flat.theory, 1)


def test_what_keeps_the_size_of_the_gradient_at_the_start(explorer):
    """Residual connections whatever the depth; ReLU at σ_w = 1.4."""
    for depth in (10, 30, 60):
        assert 0.5 < propagate(**{**explorer.start, "depth": depth, "residual": True}).norms[0] < 2
    assert 0.5 < propagate(**{**explorer.start, "activation": "relu", "scale": 2**0.5}).norms[0] < 1


def test_every_corner_is_finite_and_said():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for activation, with_norm, residual in itertools.product(ACTIVATIONS, (False, True), (False, True)):
            for scale in (0.25, 16.0)[with_norm:]:                     # which batch norm cancels
                values = {**SETTING, "depth": 60, "width": 16, "activation": activation, "scale": scale,
                          "batch_norm": with_norm, "residual": residual, "apart": 2**0.5}
                one = propagate(**values)
                assert sweep.finite(list(one))
                assert not re.search(r"\b(nan|inf)\b", describe_propagation(one, **values))


def picture(one, activation):
    """What is drawn: points, the theory's line, the areas by colour, words."""
    ax = stage(pathology_picture.pathology_frame, pathology_picture.SIZE)
    lines, strokes = len(ax.lines), len(ax.artists)
    with pytest.MonkeyPatch.context() as patch:
        written = watched(patch, pathology_picture, "write")
        pathology_picture.draw_propagation(ax, one, activation)
    words = [text.get_text() for text in ax.texts] + [words for labels, _ in written for words, *_ in labels]
    new = ax.artists[strokes:]
    black = [stroke for stroke in new if not stroke.fill and to_hex(stroke.color) == "#000000"]
    areas = {to_hex(stroke.color): stroke.path.vertices for stroke in new
             if stroke.fill and stroke.color[3] == 1}
    points = [line for line in ax.lines[lines:] if line.get_markersize() == 4.5]
    return ax, points, [stroke.path.vertices for stroke in black], areas, words


def test_the_curves_are_those_of_the_view():
    one = propagate(**SETTING)
    ax, (points,), (theory_line,), areas, words = picture(one, "tanh")
    most, pane = pathology_picture.exponent(one), pathology_picture.NORMS
    x, y = points.get_data()
    assert np.allclose((x - pane.left) / pane.width * 60 - 0.5, np.arange(9)), "60 layers wide, always"
    for heights, values in ((y, one.norms), (theory_line[:, 1], one.theory)):
        shown = -most + 2 * most * (1 - (np.array(heights) - pane.top) / pane.height)
        assert np.allclose(shown[::-1], np.log10(values)) and np.allclose(theory_line[:, 0], x)
    pane = pathology_picture.FRACTIONS
    colors = pathology_picture.FLAT, pathology_picture.DEAD
    for color, fractions in zip(colors, (one.flat, one.dead), strict=True):
        steps = 1 - (areas[color.lower()][:18:2, 1] - pane.top) / pane.height
        assert np.allclose(steps[::-1], fractions)
    assert one.flat.mean() > 0.1
    assert f"layer 1: {panes.scientific(one.norms[0])}" in words and "saturated activations" in words
    assert f"theory: {panes.scientific(one.theory[0])}" in words
    for name, values in (("weights", one.weights), ("slopes", one.slopes),
                         ("total", one.norms[:-1] / one.norms[1:])):
        assert f"{name} {panes.scientific(np.prod(values) ** (1 / 8))}" in words
    assert "inactive activations" in picture(one, "relu")[-1]


def test_more_depth_moves_the_end_of_the_curve_and_nothing_else():
    """40 and 60 sigmoid layers have the same range, so that the curve goes on where it ended."""
    sigmoid = {**SETTING, "activation": "sigmoid", "initialization": "Xavier", "scale": 1, "width": 256}
    (short,), (long,) = (picture(propagate(**{**sigmoid, "depth": depth}), "sigmoid")[1]
                         for depth in (40, 60))
    assert short.get_xdata()[-1] < long.get_xdata()[39] + 1 < long.get_xdata()[-1] - 100
    assert np.abs(short.get_ydata() - long.get_ydata()[:40]).max() < 6, "pixels: other random layers"


@pytest.mark.parametrize("size, most", [(1.0, 5), (9e4, 5), (1.1e-5, 5), (2e5, 20), (1e-21, 50), (1e60, 100),
                                        (1e-300, 100)])
def test_the_range_is_one_of_four(size, most):
    one = propagate(**SETTING)
    wide = one._replace(norms=np.array([size, *np.ones(8)]), theory=np.ones(9))
    assert pathology_picture.exponent(wide) == most
    for name in ("theory", "distances", "distances_theory"):
        other = wide._replace(norms=np.ones(9), **{name: wide.norms})
        assert pathology_picture.exponent(other) == most, name
    ax, (points,), *_ = picture(wide, "tanh")
    pane = pathology_picture.NORMS
    assert pane.top - 1e-9 <= points.get_ydata().min() <= points.get_ydata().max() <= pane.top + pane.height
    names = sum(abs(math.log10(value)) < most for value in pathology_picture.FORMATS.values())
    dotted = [stroke for stroke in ax.artists if stroke.lw == 0.9 and stroke.dashes]
    assert len(dotted) == names == {5: 1, 20: 2, 50: 4, 100: 4}[most]


@pytest.mark.parametrize("values, way", [
    ({"activation": "tanh", "scale": 3.0, "apart": 1e-6}, "move apart"),
    ({"activation": "sigmoid", "scale": 1.0, "apart": 2**0.5}, "move together"),
    ({"activation": "identity", "scale": 2.0, "apart": 1e-6}, "stay as alike")])
def test_two_inputs_are_drawn_and_said(values, way):
    setting = {**SETTING, "initialization": "orthogonal", "depth": 12, **values}
    one = propagate(**setting)
    x, other, _ = exploring.random_batch(48, 3)
    net = Net([values["scale"] * exploring.drawn("orthogonal", 48, 3, l + 1) for l in range(12)], [], [], [],
              values["activation"], False)
    c = 1 - values["apart"]**2 / 2
    pair = (deep_by_torch(net, start, x)[0] for start in (x, c * x + (1 - c**2)**0.5 * other))
    apart = [np.linalg.norm(u - v) for u, v in zip(*pair, strict=True)]
    assert np.allclose(one.distances, np.array(apart) / apart[0], rtol=1e-6)
    said = describe_propagation(one, **setting)
    assert f": they {way}" in said and ": in layer 12 " in said
    z = deep_by_torch(net, x, x)[0]
    growth = np.linalg.norm(z[-1]) / np.linalg.norm(z[0])
    assert np.isclose(number_in(said, r"it is (\S+) times as large"), one.distances[-1] / growth, rtol=0.06)
    got = number_in(said, r"distance is (\S+) times that in layer 1")
    assert abs(got / one.distances[-1] - 1) < 0.06
    _, _, lines, *_ = picture(one, values["activation"])
    assert len(lines) == 2 and len(lines[1]) == 12


def test_a_distance_of_rounding_errors_is_not_shown():
    setting = {**SETTING, "activation": "sigmoid", "scale": 0.5, "depth": 40, "apart": 1e-6}
    one = propagate(**setting)
    lost = one.distances == 0
    assert lost[-1] and not lost[:5].any() and (np.diff(lost.astype(int)) >= 0).all()
    assert "until rounding errors hide their distance" in describe_propagation(one, **setting)
    assert (one.distances_theory > 0).all()


def test_every_preset_shows_what_it_is_called(explorer):
    found = {}
    for name, values in explorer.presets.items():
        explorer.reset()
        explorer.set(**values)
        found[name] = explorer.result.norms[0], explorer.sentence
    assert "Gradients vanish" in found["vanish"][1] and "Gradients vanish" in found["torch's default"][1]
    assert "Gradients explode" in found["explode"][1]
    assert 0.1 < found["edge of chaos"][0] < 10 and "sigmoid" in found["edge of chaos"][1]
    assert 0.1 < found["He + ReLU"][0] < 10 and "σ_w = 1.41" in found["He + ReLU"][1]
    assert "with batch norm" in found["with BN"][1] and "residual" in found["with residual"][1]


def test_where_nothing_arrives_it_is_said_and_no_curve_is_drawn():
    one = propagate(**{**SETTING, "activation": "relu"})
    dead = one._replace(norms=np.where(np.arange(9) < 4, 0, one.norms), a=[0 * one.a[0], *one.a[1:]],
                        delta=[0 * one.delta[0], *one.delta[1:]])
    ax, (points,), *_ = picture(dead, "relu")
    assert len(points.get_xdata()) == 5 and "layer 1: 0" in [text.get_text() for text in ax.texts]
    assert "the gradient of layer 1 is exactly 0" in describe_propagation(dead, **SETTING)


def test_the_picture_does_not_depend_on_the_way_there(explorer):
    explorer.reset()
    first = explorer.png()
    explorer.set(depth=12, activation="relu", batch_norm=True, seed=9)
    for cache in (exploring.propagate, exploring.drawn, exploring.random_batch):
        cache.cache_clear()
    explorer.reset()
    assert explorer.png() == first and explorer.result is propagate(**explorer.start)
    deep_one, shallow = (propagate(**{**SETTING, "depth": depth}) for depth in (9, 4))
    assert np.array_equal(deep_one.a[0], shallow.a[0]), "a deeper net begins with the same layers"
    first, second = (exploring.drawn("He", 16, seed, layer) for seed, layer in ((3, 1), (4, 1)))
    assert np.abs(first - second).min() > 0 and not np.array_equal(first, exploring.drawn("He", 16, 3, 2))
