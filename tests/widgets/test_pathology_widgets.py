"""The widgets of notebook 06: blame and trainings are torch's, theory is right, sentences are true."""
import itertools
import math
import re
import sys

import numpy as np
import pytest
import sweep
import torch
import torch.nn.functional as F
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex

from helpers.explore.raster import Stage
from helpers.functional.activations import ACTIVATIONS
from helpers.functional.normalization import batch_norm
from helpers.nn.modules import (
    ELU,
    BatchNorm1d,
    Identity,
    LeakyReLU,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Tanh,
)
from helpers.plotting import panes
from helpers.theory import deep_network, mean_field
from helpers.theory.deep_mean_field import factors, predicted
from helpers.theory.deep_network import Net, backward, forward, gradients, normalised, norms, shares
from helpers.widgets.pathology import explorer as exploring
from helpers.widgets.pathology import picture as pathology_picture
from helpers.widgets.pathology.explorer import INITIALIZATIONS, pathology_explorer, view
from helpers.widgets.pathology.words import described
from helpers.widgets.remedy import picture as remedy_picture
from helpers.widgets.remedy import runs as remedy_training
from helpers.widgets.remedy.bench import BENDS, KEEP, NETS, STARTS, fate, remedy_bench, treated
from helpers.widgets.remedy.runs import Recipe, batch, build, train
from helpers.widgets.remedy.words import state

SIGMA = {"identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu,
         "leaky_relu": F.leaky_relu, "elu": F.elu}
LAYER = {"identity": Identity, "sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU, "leaky_relu": LeakyReLU,
         "elu": ELU}
KINDS = list(itertools.product(ACTIVATIONS, (False, True), (False, True)))


def hostile(activation, batch_norm, residual, seed=0):
    """A net of widths 5, 7, 7, 7, 3, nothing symmetric, nothing 0 or 1; its input and a blame."""
    rng = np.random.default_rng(seed)
    sizes = 5, 7, 7, 7, 3
    weights = [rng.normal(0.3, 1, (out, into)) for into, out in itertools.pairwise(sizes)]
    gamma, beta = ([rng.normal(size=7) for _ in range(3 * batch_norm)] for _ in range(2))
    net = Net(weights, [rng.normal(size=size) for size in sizes[1:]], gamma, beta, activation, residual)
    return net, rng.normal(0.5, 2, (6, 5)), rng.normal(0.2, 1, (6, 3))


def by_torch(net, x, delta):
    """All gradients of Σ delta·z by autograd: of each z, and of all parameters in a row."""
    W, b, gamma, beta = ([torch.tensor(p, requires_grad=True) for p in part] for part in net[:4])
    z = [F.linear(torch.tensor(x), W[0], b[0] if b else None)]
    for l in range(1, len(W)):
        u = F.batch_norm(z[-1], None, None, gamma[l - 1], beta[l - 1], training=True) if gamma else z[-1]
        new = F.linear(SIGMA[net.activation](u), W[l], b[l] if b else None)
        z.append(z[-1] + new if net.residual and z[-1].shape == new.shape else new)
    total = (torch.tensor(delta) * z[-1]).sum()
    used = [*W, *b, *gamma[:len(W) - 1], *beta[:len(W) - 1]]
    found = torch.autograd.grad(total, [*z, *used])
    arrays = [t.numpy() for t in found]
    return [t.detach().numpy() for t in z], arrays[:len(z)], arrays[len(z):]


def strays(net, x, delta):
    """How far z, δ and the gradients are from torch's: the largest relative error of each.

    The gradient of a bias before batch norm is 0, and differs by rounding.
    """
    passed = forward(net, x)
    blame = backward(net, passed, delta)
    ours = passed.z, blame.delta, [g for part in gradients(net, passed, blame) for g in part]
    return [max(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-3) for a, b in zip(mine, true, strict=True))
            for mine, true in zip(ours, by_torch(net, x, delta), strict=True)]


# --- the engine ------------------------------------------------------------------------------

@pytest.mark.parametrize("activation, with_norm, residual", KINDS)
def test_forward_and_backward_are_torchs(activation, with_norm, residual):
    assert max(strays(*hostile(activation, with_norm, residual))) < 1e-10


@pytest.mark.parametrize("activation, with_norm, residual", KINDS)
def test_it_is_the_net_of_our_layers(activation, with_norm, residual):
    net, x, delta = hostile(activation, with_norm, residual)
    rng = np.random.default_rng(1)
    layers = [Linear(5, 7, rng=rng)]
    for out in (7, 7, 3):
        block = [*[BatchNorm1d(7)] * with_norm, LAYER[activation](), Linear(7, out, rng=rng)]
        layers.append((Residual if residual and out == 7 else Sequential)(*block))
    ours = Sequential(*layers)
    norms_of = [(), *zip(net.gamma, net.beta, strict=True)] if with_norm else [()] * 4
    values = [p for W, b, norm in zip(net.weights, net.biases, norms_of, strict=True) for p in (*norm, W, b)]
    for parameter, value in zip(ours.parameters(), values, strict=True):
        parameter.value = value
    z = ours(x)
    dx = ours.backward(delta)
    passed = forward(net, x)
    blame = backward(net, passed, delta)
    assert np.allclose(z, passed.z[-1], rtol=1e-12)
    assert np.allclose(dx, blame.delta[0] @ net.weights[0], rtol=1e-9)
    found = gradients(net, passed, blame)
    grads = [p for l in range(4) for p in ((found[2][l - 1], found[3][l - 1]) if with_norm and l else ()) +
             (found[0][l], found[1][l])]
    for parameter, grad in zip(ours.parameters(), grads, strict=True):
        assert np.allclose(parameter.grad, grad, rtol=1e-9, atol=1e-12)


def without_slope(monkeypatch):
    table = {name: (pair[0], np.ones_like) for name, pair in ACTIVATIONS.items()}
    monkeypatch.setattr(deep_network, "ACTIVATIONS", table)


def without_identity(monkeypatch):
    right = deep_network._skips
    monkeypatch.setattr(deep_network, "_skips", lambda net, l: False if within("backward") else right(net, l))


def without_the_mean(monkeypatch):
    right = deep_network._sums
    monkeypatch.setattr(deep_network, "_sums", lambda a: 0 * right(a) if within("backward") else right(a))


def within(name):
    """Whether the function that calls the caller has this name."""
    return sys._getframe(2).f_code.co_name == name


def without_epsilon(monkeypatch):
    monkeypatch.setattr(deep_network, "EPS", 1e-3)


def in_use(monkeypatch):
    """Batch norm with running statistics: 0 and 1 here, as before any training."""
    monkeypatch.setattr(deep_network, "normalised", lambda z: (z, np.ones(z.shape[1])))


@pytest.mark.parametrize("fault, kinds", [
    (without_slope, [kind for kind in KINDS if kind[0] != "identity"]),
    (without_identity, [kind for kind in KINDS if kind[2]]),
    (without_the_mean, [kind for kind in KINDS if kind[1]]),
    (without_epsilon, [kind for kind in KINDS if kind[1]]),
    (in_use, [kind for kind in KINDS if kind[1]])])
def test_a_wrong_engine_is_not_torchs(monkeypatch, fault, kinds):
    fault(monkeypatch)
    assert all(max(strays(*hostile(*kind))) > 1e-6 for kind in kinds)


def test_batch_norm_is_the_helpers():
    z = np.random.default_rng(0).normal(3, 2, (9, 4))
    zhat, scale = normalised(z)
    assert np.allclose(zhat, batch_norm(z, training=True), rtol=1e-12)
    assert np.allclose(scale, 1 / np.sqrt(z.var(axis=0) + 1e-5), rtol=1e-12)


@pytest.mark.parametrize("size", [0, 1e-300, 1e-160, 1, 1e160, 1e300])
def test_norms_neither_overflow_nor_underflow(size):
    arrays = [size * np.array([[3.0, 0], [0, -4.0]]), np.ones(4)]
    assert norms(arrays).tolist() == pytest.approx([5 * size, 2], rel=1e-14, abs=0)
    assert norms([np.zeros((0, 3))])[0] == 0


@pytest.mark.parametrize("activation, saturated, dead", [
    # per sample 0, 2, −2, 5, −5, −20, 20: one of them in each unit, the same for both samples
    ("identity", 0, 0), ("sigmoid", 4 / 7, 2 / 7), ("tanh", 6 / 7, 4 / 7), ("relu", 4 / 7, 4 / 7),
    ("leaky_relu", 4 / 7, 0), ("elu", 2 / 7, 1 / 7)])
def test_saturated_and_dead_by_hand(activation, saturated, dead):
    u = np.array([[0.0, 2, -2, 5, -5, -20, 20]] * 2)
    found = shares([u, np.concatenate([u, [[1.0] * 7]])], activation)
    assert np.allclose([found[0][0], found[1][0]], [saturated, dead])
    assert found[1][1] == 0 or activation in ("tanh", "sigmoid"), "one sample of three brings it to life"
    assert found[1][1] == 0


# --- theory ----------------------------------------------------------------------------------

@pytest.mark.parametrize("activation, sigma_w", list(itertools.product(ACTIVATIONS, (0.5, 1.0, 3.0))))
def test_plain_nets_are_those_of_the_theory(activation, sigma_w):
    chis, products = mean_field.gradient_factors(sigma_w**2, 11, sigma_w, 0.0, activation)
    assert np.allclose(factors(12, sigma_w, activation), chis, rtol=1e-12)
    assert np.allclose(predicted(12, sigma_w, activation)**2, products, rtol=1e-12)


def test_the_others_have_their_closed_forms():
    pi, both = math.pi, {"batch_norm": True, "residual": True}
    assert np.allclose(factors(5, 3, "relu", batch_norm=True)[1:], pi / (pi - 1), rtol=1e-6)
    assert np.allclose(factors(5, 3, "relu", batch_norm=True)[0], 1 / 2)
    assert np.allclose(factors(5, 3, "identity", batch_norm=True), 1)
    assert np.allclose(factors(5, 3, "relu", residual=True), 1 + 9 / 2)
    assert np.allclose(factors(5, 0.5, "identity", **both), 1 + 1 / np.arange(1, 5))
    assert np.allclose(predicted(4, 1, "identity", residual=True), [8**0.5, 2, 2**0.5, 1])
    for activation, residual in itertools.product(ACTIVATIONS, (False, True)):
        twice = [factors(9, s, activation, batch_norm=True, residual=residual) for s in (0.3, 2)]
        assert np.allclose(*twice, rtol=1e-9), "σ_w cancels"


def measured(activation, with_norm, residual, sigma_w, depth=12, width=128, seeds=6):
    """The root mean square over seeds of ‖δ‖ at layer 1, by torch's autograd: float32 will do."""
    found = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        z = torch.randn(width, width)
        W = [sigma_w * torch.randn(width, width) / width**0.5 for _ in range(depth)]
        z = first = (z @ W[0].T).requires_grad_()
        for l in range(1, depth):
            u = F.batch_norm(z, None, None, training=True) if with_norm else z
            z = SIGMA[activation](u) @ W[l].T + (z if residual else 0)
        delta = torch.randn(width, width)
        found.append(torch.autograd.grad((delta / delta.norm() * z).sum(), first)[0].norm().item())
    return float(np.mean(np.square(found))**0.5)


@pytest.mark.parametrize("activation, with_norm, residual", KINDS)
def test_random_nets_do_as_predicted(activation, with_norm, residual):
    for sigma_w in (0.7, 1.6):
        ratio = measured(activation, with_norm, residual, sigma_w) / predicted(
            12, sigma_w, activation, batch_norm=with_norm, residual=residual)[0]
        assert 0.85 < ratio < 1.18, ratio


# --- the explorer ----------------------------------------------------------------------------

SETTING = {"depth": 9, "width": 48, "activation": "tanh", "initialization": "He", "scale": 1.3, "seed": 3,
           "batch_norm": False, "residual": False}
SETTINGS = [{**SETTING, **other} for other in (
    {}, {"activation": "sigmoid", "initialization": "σ_w/√n normal"},
    {"activation": "relu", "residual": True},
    {"activation": "elu", "batch_norm": True, "initialization": "orthogonal"}, {"depth": 2, "scale": 0.2},
    {"batch_norm": True, "residual": True, "initialization": "torch default", "activation": "leaky_relu"})]


@pytest.fixture(scope="module")
def explorer():
    return pathology_explorer()


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_result_is_torchs(explorer, setting):
    explorer.set(**setting)
    one, width, depth = explorer.result, setting["width"], setting["depth"]
    weights = [setting["scale"] * exploring.drawn(setting["initialization"], width, 3, l + 1)
               for l in range(depth)]
    gamma, beta = ([np.full(width, v)] * (depth - 1) * setting["batch_norm"] for v in (1.0, 0.0))
    x, delta = exploring.batch(width, 3)
    assert x.shape == delta.shape == (128, width) and np.isclose(np.linalg.norm(delta), 1)
    net = Net(weights, [], gamma, beta, setting["activation"], setting["residual"])
    z, deltas, _ = by_torch(net, x, delta)
    assert np.allclose(one.norms, [np.linalg.norm(d) for d in deltas], rtol=1e-10)
    for l, a, d in zip(one.layers, one.a, one.delta, strict=True):
        u = torch.tensor(z[l - 1], requires_grad=True)
        v = F.batch_norm(u, None, None, training=True) if setting["batch_norm"] else u
        true = SIGMA[setting["activation"]](v)
        assert np.allclose(a, true.detach(), rtol=1e-9)
        assert np.abs(d - deltas[l - 1]).max() < 1e-10 * np.abs(d).max()
        slope = torch.autograd.grad(true.sum(), v)[0].numpy()
        slope = slope / (0.25 if setting["activation"] == "sigmoid" else 1)
        assert np.isclose(one.saturated[l - 1], (slope < 0.1).mean())
        assert np.isclose(one.dead[l - 1], (slope < 0.001).all(axis=0).mean())
    assert one.layers == [1, (depth + 1) // 2, depth]
    sigma_w = setting["scale"] * INITIALIZATIONS[setting["initialization"]][1]
    kind = {name: setting[name] for name in ("batch_norm", "residual")}
    assert np.array_equal(one.theory, predicted(depth, sigma_w, setting["activation"], **kind))


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_sentence_is_true(explorer, setting):
    explorer.set(**setting)
    one, said = explorer.result, explorer.sentence
    arrival = r"layer 1 gets (\S+) times the blame of layer (\d+).*?\(theory: (\S+?)\)"
    got, last, of = re.search(arrival, said).groups()
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
    flat = {"relu": "Inactive (slope 0)", "leaky_relu": "Inactive (slope 0.01)"}     # half of the line
    first = flat.get(setting["activation"], "Saturated")
    for name, share in ((first, one.saturated.mean()), ("dead", one.dead.mean())):
        words = "none" if share == 0 else f"{100 * share:.0f} %" if share >= 0.005 else "below 0.5 %"
        assert f"{name}: {words} of the " in said
    start = "vanish" if one.norms[0] < 0.1 else "explode" if one.norms[0] > 10 else "keep their order"
    assert f"Gradients {start}" in said
    assert ("σ_w cancels" in said) == setting["batch_norm"]
    assert f"σ_w = {setting['scale'] * INITIALIZATIONS[setting['initialization']][1]:.2f}, seed 3." in said


def number(words):
    """What a printed number means."""
    digits, _, power = words.replace("−", "-").partition("·10")
    return float(digits) * 10.0**int((power or "⁰").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))


def close(words, true, within=0.06):
    return abs(number(words) / true - 1) < within


def test_more_depth_lets_the_gradient_vanish_by_orders_of_magnitude(explorer):
    explorer.reset()
    explorer.set(depth=5)
    shallow, few = explorer.result.norms, number(re.search(r"gets (\S+) times", explorer.sentence)[1])
    explorer.set(depth=50)
    deep, many = explorer.result.norms, number(re.search(r"gets (\S+) times", explorer.sentence)[1])
    assert len(shallow) == 5 and len(deep) == 50 and np.allclose([shallow[-1], deep[-1]], 1)
    assert shallow[0] > 1e20 * deep[0] and few > 1e20 * many
    assert "30 orders of magnitude less" in explorer.sentence or "31 orders" in explorer.sentence
    explorer.set(activation="tanh", scale=4)
    assert explorer.result.norms[0] > 1e5 and "Gradients explode" in explorer.sentence


def spread_of(initialization, width=128):
    return exploring.drawn(initialization, width, 0, 1).std() * width**0.5


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
def test_the_weights_have_the_variance_that_theory_is_told(monkeypatch, initialization):
    rule, sigma_w = INITIALIZATIONS[initialization]
    assert np.isclose(spread_of(initialization), sigma_w, rtol=0.02)
    exploring.drawn.cache_clear()
    monkeypatch.setitem(INITIALIZATIONS, initialization, (lambda *a: 1.1 * rule(*a), sigma_w))
    assert not np.isclose(spread_of(initialization), sigma_w, rtol=0.02)
    exploring.drawn.cache_clear()


def test_the_start_follows_its_theory(explorer):
    """At the start and for other seeds, the measured line is not far from the predicted one."""
    explorer.reset()
    for activation, seed in itertools.product(ACTIVATIONS, (0, 7)):
        explorer.set(activation=activation, seed=seed)
        assert np.abs(np.log10(explorer.result.norms / explorer.result.theory)).max() < 0.5


def test_batch_norm_cancels_the_scale_and_equal_rules_are_equal():
    one, other = (view(**{**SETTING, "batch_norm": True, "scale": scale}) for scale in (0.4, 3.1))
    assert np.allclose(one.norms, other.norms, rtol=1e-3) and np.allclose(one.theory, other.theory)
    he, normal = (view(**{**SETTING, "initialization": name, "scale": scale})
                  for name, scale in (("He", 1.0), ("σ_w/√n normal", 2**0.5)))
    assert np.allclose(he.norms, normal.norms, rtol=1e-9)
    flat = view(**{**SETTING, "initialization": "orthogonal", "scale": 1.0, "activation": "identity"})
    assert np.allclose(flat.norms, 1) and np.allclose(flat.theory, 1)


def test_every_corner_is_finite_and_said():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for activation, with_norm, residual in KINDS:
            for scale in (0.2, 4.0)[with_norm:]:                     # which batch norm cancels
                values = {**SETTING, "depth": 60, "width": 16, "activation": activation, "scale": scale,
                          "batch_norm": with_norm, "residual": residual}
                one = view(**values)
                assert sweep.finite([one.norms, one.theory, one.a, one.delta, one.saturated, one.dead])
                assert not re.search(r"\b(nan|inf)\b", described(one, **values))


def picture(one, activation):
    """What is drawn in the gradient's pane and below it: points, the theory's line, the areas by colour."""
    ax = Stage(pathology_picture.pathology_frame, pathology_picture.SIZE, 1).axes
    lines, collections = len(ax.lines), len(ax.collections)
    pathology_picture.draw_view(ax, one, activation)
    new = ax.collections[collections:]
    black, = (c for c in new if isinstance(c, LineCollection) and to_hex(c.get_color()[0]) == "#000000")
    areas = {to_hex(c.get_facecolor()[0]): c.get_paths()[0].vertices for c in new
             if isinstance(c, PolyCollection)}
    return ax, ax.lines[lines:], black.get_segments()[0], areas


def test_the_curves_are_those_of_the_view():
    one = view(**SETTING)
    ax, (points,), theory_line, areas = picture(one, "tanh")
    low, high = pathology_picture.exponents(one)
    pane = pathology_picture.GRADIENT
    x, y = points.get_data()
    assert np.allclose((x - pane.left) / pane.width * 9 + 0.5, np.arange(1, 10))
    for heights, values in ((y, one.norms), (theory_line[:, 1], one.theory)):
        shown = low + (high - low) * (1 - (np.array(heights) - pane.top) / pane.height)
        assert np.allclose(shown, np.log10(values)) and np.allclose(theory_line[:, 0], x)
    pane = pathology_picture.SHARES
    colors = pathology_picture.SATURATED, pathology_picture.DEAD
    for color, shares_of in zip(colors, (one.saturated, one.dead), strict=True):
        steps = 1 - (areas[color.lower()][:18:2, 1] - pane.top) / pane.height
        assert np.allclose(steps, shares_of)
    assert one.saturated.mean() > 0.1
    words = " ".join(text.get_text() for text in ax.texts)
    assert f"layer 1: {panes.scientific(one.norms[0])}" in words
    assert f"theory: {panes.scientific(one.theory[0])}" in words


def test_where_nothing_arrives_it_is_said_and_no_curve_is_drawn():
    one = view(**{**SETTING, "activation": "relu"})
    dead = one._replace(norms=np.where(np.arange(9) < 4, 0, one.norms), a=[0 * one.a[0], *one.a[1:]],
                        delta=[0 * one.delta[0], *one.delta[1:]])
    ax, (points,), *_ = picture(dead, "relu")
    assert len(points.get_xdata()) == 5 and "layer 1: 0" in [text.get_text() for text in ax.texts]
    assert "nothing at all arrives at layer 1" in described(dead, **SETTING)


def test_the_picture_does_not_depend_on_the_way_there(explorer):
    explorer.reset()
    first = explorer.png()
    explorer.set(depth=12, activation="relu", batch_norm=True, seed=9)
    for cache in (exploring.view, exploring.drawn, exploring.batch):
        cache.cache_clear()
    explorer.reset()
    assert explorer.png() == first
    deep, shallow = (view(**{**SETTING, "depth": depth}) for depth in (9, 4))
    assert np.array_equal(deep.a[0], shallow.a[0]), "a deeper net begins with the same layers"
    first, second = (exploring.drawn("He", 16, seed, layer) for seed, layer in ((3, 1), (4, 1)))
    assert np.abs(first - second).min() > 0 and not np.array_equal(first, exploring.drawn("He", 16, 3, 2))


# --- training --------------------------------------------------------------------------------

RECIPES = [Recipe("sigmoid"), Recipe("relu", "He", residual=True, scale=0.3),
           Recipe("elu", "Xavier", clip=0.5),
           Recipe("tanh", "orthogonal", batch_norm=True, clip=1.0, weight_decay=0.1),
           Recipe("leaky_relu", "torch default", batch_norm=True, residual=True, weight_decay=0.05),
           Recipe("relu", scale=1.6, clip=0.1), Recipe("tanh", clip=0.95)]


def trained_by_torch(recipe, steps, eta, depth):
    """The same training with autograd, torch.optim.SGD and clip_grad_norm_."""
    net = build(recipe, depth=depth)
    W, b, gamma, beta = ([torch.tensor(p, requires_grad=True) for p in part] for part in net[:4])
    others = [*b, *gamma, *beta]
    decayed = {"params": W, "weight_decay": recipe.weight_decay}
    optimizer = torch.optim.SGD([decayed, {"params": others}], lr=eta)
    losses, ratios, clipped = [], [], 0
    for step in range(steps):
        x, y = batch(step)
        z = F.linear(torch.tensor(x), W[0], b[0])
        for l in range(1, depth + 1):
            u = F.batch_norm(z, None, None, gamma[l - 1], beta[l - 1], training=True) if gamma else z
            new = F.linear(SIGMA[recipe.activation](u), W[l], b[l])
            z = z + new if recipe.residual and l < depth else new
        cost = F.cross_entropy(z, torch.tensor(y))
        optimizer.zero_grad()
        cost.backward()
        if recipe.clip is not None:
            clipped += torch.nn.utils.clip_grad_norm_([*W, *others], recipe.clip).item() > recipe.clip
        before = [w.detach().clone() for w in W]
        optimizer.step()
        losses.append(cost.item())
        ratios.append([((w - old).norm() / old.norm()).item() for w, old in zip(W, before, strict=True)])
    return np.array(losses), np.array(ratios), clipped


@pytest.mark.parametrize("recipe", RECIPES)
def test_training_is_torchs(recipe):
    losses, ratios, clipped = trained_by_torch(recipe, 8, 0.1, 5)
    ours = train(recipe, 8, depth=5)
    assert np.allclose(ours.losses[:8], losses, rtol=1e-9) and ours.diverged is None
    assert np.allclose(ours.ratios, ratios, rtol=1e-6) and ours.clipped == clipped
    assert len(ours.losses) == 9 and ours.delta.shape == (9, 6) and ours.ratios.shape == (8, 6)
    assert (clipped > 0) == (recipe.clip is not None) and (0 < clipped < 8) == (recipe.clip == 0.95)
    net, (x, y) = build(recipe, depth=5), batch(0)
    z = torch.tensor(forward(net, x).z[-1], requires_grad=True)
    delta = torch.autograd.grad(F.cross_entropy(z, torch.tensor(y)), z)[0].numpy()
    _, deltas, _ = by_torch(net, x, delta)
    assert np.allclose(ours.delta[0], [np.linalg.norm(d) for d in deltas], rtol=1e-9)


@pytest.mark.parametrize("fault", [
    lambda recipe: recipe._replace(weight_decay=2 * recipe.weight_decay),
    lambda recipe: recipe._replace(clip=None), lambda recipe: recipe._replace(batch_norm=False),
    lambda recipe: recipe._replace(residual=True), lambda recipe: recipe._replace(scale=1.1)])
def test_another_training_is_not(fault):
    losses, *_ = trained_by_torch(RECIPES[3], 8, 0.1, 5)
    assert not np.allclose(train(fault(RECIPES[3]), 8, depth=5).losses[:8], losses, rtol=1e-4)


def test_decay_is_not_clipped(monkeypatch):
    """As torch has it: with weight_decay in the optimizer, clipping comes before."""
    def wrong(net, grads, recipe, eta):
        layers = len(net.weights)
        decayed = [g + recipe.weight_decay * W for g, W in zip(grads, net.weights, strict=False)]
        return right(net, decayed + grads[layers:], recipe._replace(weight_decay=0), eta)
    losses, *_ = trained_by_torch(RECIPES[3], 8, 0.1, 5)
    right = remedy_training.descend
    monkeypatch.setattr(remedy_training, "descend", wrong)
    assert not np.allclose(train(RECIPES[3], 8, depth=5).losses[:8], losses, rtol=1e-4)


def test_divergence_ends_the_record():
    one = train(NETS["ReLU, σ_w = 2"], 20)
    assert one.diverged == len(one.losses) == len(one.ratios) < 20 and sweep.finite(list(one[:3]))
    worse = train(Recipe("relu", scale=1e9), 3)
    assert worse.diverged == 0 and worse.losses.shape == (0,) and worse.ratios.shape == (0, 21)


@pytest.mark.parametrize("loss, entry", [(np.nan, 1.0), (2e12, 1.0), (2.3, np.inf), (2.3, np.nan)])
def test_what_divergence_is(monkeypatch, loss, entry):
    given = [(2.3, 1.0), (9e11, 1.0), (loss, entry)]

    def blame(net, x, y):
        cost, fill = given.pop(0)
        return cost, [np.ones(2)] * 6, [np.full_like(p, fill) for part in net[:2] for p in part]
    monkeypatch.setattr(remedy_training, "blame", blame)
    one = train(Recipe("tanh"), 9, depth=5)
    assert one.diverged == 2 and one.losses.tolist() == [2.3, 9e11] and len(one.ratios) == 2


def test_a_training_is_repeatable_and_a_longer_one_goes_on():
    short, long = train(RECIPES[1], 4), train(RECIPES[1], 9)
    assert np.array_equal(short.losses, long.losses[:5]) and np.array_equal(short.ratios, long.ratios[:4])
    assert not np.array_equal(batch(0)[0], batch(1)[0]) and np.isclose(remedy_training.images()[0].std(), 1)


@pytest.mark.parametrize("recipe, low, high", [
    (Recipe("tanh", scale=3.0), 1e-3, 10), (Recipe("tanh", "orthogonal"), 0, 1e-10)])
def test_a_net_whose_gradients_explode_amplifies_rounding(monkeypatch, recipe, low, high):
    """In a hundred steps 1e-15 grows to what can be seen, or stays; so another machine's costs may differ."""
    def moved(*args, **options):
        net = build(*args, **options)
        net.weights[0][:] *= 1 + 1e-15 * np.random.default_rng(1).normal(size=net.weights[0].shape)
        return net
    losses = train(recipe, 100).losses
    monkeypatch.setattr(remedy_training, "build", moved)
    assert low <= np.abs(train(recipe, 100).losses - losses).max() <= high


@pytest.mark.parametrize("name, call", [
    ("activation", lambda: build(Recipe("softplus"))),
    ("initialization", lambda: build(Recipe("tanh", "Lecun"))),
    ("steps", lambda: train(Recipe("tanh"), -1)), ("depth", lambda: train(Recipe("tanh"), 1, depth=0)),
    ("width", lambda: build(Recipe("tanh"), width=2.5)), ("depth", lambda: factors(0, 1.0, "tanh")),
    ("activation", lambda: predicted(3, 1.0, "softplus", batch_norm=True))])
def test_what_makes_no_net_is_refused(name, call):
    with pytest.raises(ValueError, match=f"{name}: got"):
        call()


def test_layers_learn_at_different_speeds():
    """In the plain sigmoid net only the last layers move; each remedy moves all, and the cost falls."""
    plain = train(Recipe("sigmoid"), 60)
    twins = {"batch norm": Recipe("sigmoid", batch_norm=True), "residual": Recipe("sigmoid", residual=True),
             "ReLU, He": Recipe("relu", "He"),
             "all": Recipe("relu", "He", batch_norm=True, residual=True)}
    assert (plain.ratios[:, 0] < 1e-12).all() and (plain.ratios[:, -1] > 1e-3).all()
    assert (np.diff(np.log(plain.ratios[0])) > 0).mean() > 0.9 and plain.losses[-10:].mean() > 2.25
    for name, record in ((name, train(twin, 60)) for name, twin in twins.items()):
        assert record.ratios.min(axis=0).max() > 1e-4 and np.ptp(np.log10(record.ratios[0])) < 2, name
        assert record.losses[-10:].mean() < 2.1, name
        assert record.losses[-10:].mean() < plain.losses[-10:].mean() - 0.2


# --- the bench -------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def bench():
    return remedy_bench()


def test_the_result_is_that_of_the_trainings(bench):
    bench.reset()
    bench.set(steps=30, net="tanh, σ_w = 3", initialization="orthogonal", clip=True, batch_norm=False)
    one = bench.result
    losses, ratios, clipped = trained_by_torch(Recipe("tanh", "orthogonal", clip=1.0), 30, 0.1, 20)
    assert np.allclose(one.treated.losses[:30], losses, rtol=1e-7) and one.step == 30
    assert np.allclose(one.treated.ratios[:30], ratios, rtol=1e-4)
    losses, ratios, _ = trained_by_torch(Recipe("tanh", scale=3.0), 3, 0.1, 20)     # chaos: not for long
    assert np.allclose(one.plain.losses[:3], losses, rtol=1e-6)
    assert one.remedies == ["orthogonal initialization", "clipping"]


CASES = [   # what is switched on, beside the net; the states of the treated and of the plain one
    ({}, "learns", "only guesses"), ({"batch_norm": False}, "only guesses", None),
    ({"batch_norm": False, "residual": True}, "learns", "only guesses"),
    ({"batch_norm": False, "activation": "ELU"}, "learns", "only guesses"),
    ({"batch_norm": False, "clip": True}, "only guesses", "only guesses"),
    ({"net": "ReLU, torch's start", "batch_norm": False, "initialization": "He"}, "learns", "only guesses"),
    ({"net": "ReLU, σ_w = 2", "batch_norm": False, "weight_decay": True}, "has diverged", "has diverged"),
    ({"net": "ReLU, σ_w = 2", "batch_norm": False, "clip": True}, "is worse than guessing", "has diverged"),
    ({"net": "ReLU, σ_w = 2", "batch_norm": False, "clip": True, "weight_decay": True}, "learns",
     "has diverged"),
    ({"steps": 0}, "is untrained", "is untrained")]


@pytest.mark.parametrize("switches, new, old", CASES)
def test_each_remedy_does_what_it_can(bench, switches, new, old):
    bench.reset()
    bench.set(**switches)
    one, said = bench.result, bench.sentence
    assert re.search(rf"the (treated )?net {new}\b", said)
    assert old is None or f"the plain one {old}" in said
    plain, better = (r.delta[0, 0] / r.delta[0, -1] for r in (one.plain, one.treated))
    assert close(re.search(r"layer 1 gets (\S+) times", said)[1], better)
    if old:
        assert close(re.search(r"in the plain net (\S+)\. ", said)[1], plain)
    costs = r"net learns, with a cost of (\S+?);", r"guesses, with a cost of (\S+?)\.( |$)"
    for record, words in zip((one.treated, one.plain), costs, strict=True):
        if found := re.search(words, said):
            assert abs(float(found[1]) - record.losses[-10:].mean()) < 0.006
    assert ("no remedy" in said) == (not one.remedies)
    assert f"{one.treated.clipped} were clipped" in said or not switches.get("clip")


@pytest.mark.parametrize("net, remedies, switches", [
    ("sigmoid, σ_w = 1", "tanh", {"batch_norm": False, "activation": "tanh"}),
    ("sigmoid, σ_w = 1", "L2", {"batch_norm": False, "weight_decay": True}),
    ("ReLU, σ_w = 2", "residual", {"batch_norm": False, "residual": True}),
    ("ReLU, σ_w = 2", "clip", {"batch_norm": False, "clip": True}),
    ("ReLU, σ_w = 2", "BN He", {"initialization": "He"})])
def test_the_fate_of_a_net_is_what_the_bench_says(bench, net, remedies, switches):
    bench.reset()
    bench.set(net=net, **switches)
    words = {"learns": "net learns", "diverges": "net has diverged",
             "does not learn": r"net (only guesses|is worse than guessing)"}[fate(net, *remedies.split())]
    assert re.search(words, bench.sentence.replace("; the plain", "."))


@pytest.mark.parametrize("net, remedy, fates", [   # within 100 and within 400 steps
    ("ReLU, σ_w = 2", "clip", ("does not learn", "learns")),
    ("sigmoid, σ_w = 1", "ReLU", ("does not learn", "learns")),
    ("sigmoid, σ_w = 1", "Xavier", ("does not learn", "does not learn")),
    ("sigmoid, σ_w = 1", "clip", ("does not learn", "does not learn")),
    ("sigmoid, σ_w = 1", "L2", ("does not learn", "does not learn")),
    ("ReLU, σ_w = 2", "residual", ("diverges", "diverges"))])
def test_a_verdict_holds_within_the_steps_it_names(net, remedy, fates):
    assert (fate(net, remedy), fate(net, remedy, steps=400)) == fates


def test_a_start_at_its_edge_lets_the_sigmoid_net_learn():
    """χ = 1 at σ_w = 10.15, though no slope is above ¼: the factor is weight times slope."""
    record = train(Recipe("sigmoid", scale=mean_field.edge_of_chaos("sigmoid")), 300)
    assert record.delta[0, 0] > 0.1 * record.delta[0, -1] and record.losses[-10:].mean() < 2

def test_an_unknown_remedy_is_refused():
    with pytest.raises(ValueError, match="remedies: got 'prayer', expected one of BN, residual, clip, L2"):
        fate("sigmoid, σ_w = 1", "prayer")


def test_the_answers_of_the_notebook_are_those_of_the_explorer(explorer):
    """Section 3: what arrives at layer 1 and how much is saturated, where the questions lead."""
    def asked(**values):
        explorer.reset()
        explorer.set(**values)
        return explorer.result.norms[0], explorer.result.saturated.mean(), explorer.result.norms
    assert 2e-3 < asked(depth=5)[0] < 4e-3 and 1e-32 < asked(depth=50)[0] < 1e-30
    low, level, high = (asked(activation="relu", scale=scale)[0] for scale in (1.3, 1.4, 1.5))
    assert 0.06 < low < 0.08 and 0.5 < level < 0.7 and 4 < high < 5
    first, saturated, sizes = asked(activation="tanh", scale=3.0)
    assert 7000 < first < 9000 and 0.4 < saturated < 0.5 and 1.3 < first**(1 / 29) < 1.4
    assert all(0.5 < asked(depth=depth, residual=True)[0] < 2 for depth in (10, 30, 60))


@pytest.mark.parametrize("losses, diverged, step, words", [
    ([2.4], None, 0, "untrained"), ([2.4, 2.2, 2.2], None, 2, "guesses"),
    ([2.4, 1.9, 1.9], None, 2, "learns"),
    ([2.4, 4.0, 2.6], None, 2, "worse"), ([2.4, 1.5], 2, 1, "learns"), ([2.4, 1.5], 2, 2, "diverged"),
    ([9.0] * 10 + [1.0] * 10, None, 19, "learns"), ([9.0] * 10 + [1.0] * 10, None, 11, "worse")])
def test_states(losses, diverged, step, words):
    empty = np.zeros((0, 3))
    assert state(remedy_training.Record(np.array(losses), empty, empty, 0, diverged), step) == words


def test_what_is_there_already_is_no_remedy(bench):
    bench.reset()
    bench.set(net="ReLU, σ_w = 2", activation="ReLU", batch_norm=False)
    assert bench.result.remedies == [] and bench.result.treated is bench.result.plain
    bench.set(initialization="Xavier")
    assert bench.result.remedies == ["Xavier initialization"]


def test_every_switch_is_another_training():
    off = {"activation": KEEP, "initialization": KEEP, "batch_norm": False, "residual": False, "clip": False,
           "weight_decay": False}
    for name, net in NETS.items():
        assert treated(name, **off) == net
        on = [treated(name, **{**off, switch: True}) for switch in list(off)[2:]]
        on += [treated(name, **{**off, "activation": key}) for key, to in BENDS.items()
               if to not in (None, net.activation)]
        on += [treated(name, **{**off, "initialization": key}) for key in STARTS if key != KEEP]
        assert net not in on and len(set(on)) == len(on)


def test_the_curves_of_the_bench_are_those_of_the_records(bench):
    bench.reset()
    bench.set(steps=35)
    one, stage = bench.result, Stage(remedy_picture.remedy_frame, remedy_picture.SIZE, 1)
    before = len(stage.axes.lines)
    remedy_picture.draw_view(stage.axes, one)
    treated_dot, plain_dot = stage.axes.lines[before:]
    pane = remedy_picture.COST
    for dot, record in ((treated_dot, one.treated), (plain_dot, one.plain)):
        x, y = dot.get_data()
        assert np.isclose(x[0], pane.left + 0.35 * pane.width)
        share = 1 - (y[0] - pane.top) / pane.height
        assert np.isclose(10 ** (math.log10(0.3) + share), record.losses[35], rtol=1e-6), "from 0.3 to 3"
    words = [text.get_text() for text in stage.axes.texts]
    assert {panes.scientific(one.treated.ratios[34, 0]), "learns", "on: batch norm"} <= set(words)


# --- panes -----------------------------------------------------------------------------------

@pytest.mark.parametrize("value, words", [
    (0, "0"), (1, "1"), (0.25, "0.25"), (-1, "−1"), (344, "340"), (0.0012345, "0.0012"), (9999, "1·10⁴"),
    (5.24e-19, "5.2·10⁻¹⁹"), (-2e36, "−2·10³⁶"), (0.999, "1"), (20, "20"), (1600.4, "1600")])
def test_numbers_are_written_to_be_read(value, words):
    assert panes.scientific(value) == words


def test_scales():
    assert panes.decades(-18.3, 0) == (-20, 1) and panes.decades(0, 35.1) == (-1, 40)
    with pytest.raises(ValueError, match="least, most: got -500"):
        panes.decades(-500, 0)
    assert panes.steps(30, 8) == 5 and panes.steps(8, 8) == 1
    pane = panes.Pane(10, 20, 100, 50).scaled(1, 5, -2, 2)
    assert np.allclose(pane.at([1, 3, 5, 99], [-2, 0, 2, -7]), [(10, 70), (60, 45), (110, 20), (110, 70)])
    marks = [[words for words, *_ in panes.counts_along(pane, 1, last)] for last in (2, 5, 30, 60)]
    assert marks[0] == ["1", "2"] and marks[1] == list("12345") and marks[2][:2] == ["1", "5"]
    assert all(row[-1] == str(last) for row, last in zip(marks, (2, 5, 30, 60), strict=True))
