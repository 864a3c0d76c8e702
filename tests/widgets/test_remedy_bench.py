"""The remedy bench of notebook 06: its trainings are torch's and go on; what it shows and says is true."""
import asyncio
import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from shown import asked, number_in, stage
from torch_nets import deep, leaves

from helpers.plotting.panes import scientific
from helpers.theory.mean_field import edge_of_chaos
from helpers.widgets.remedy import bench as benching
from helpers.widgets.remedy import picture, runs, words
from helpers.widgets.remedy.bench import (
    ACTIVATION_OPTIONS,
    EDGE,
    INITIALIZATION_OPTIONS,
    NETS,
    OFF,
    outcome,
    remedy_bench,
    with_remedies,
)
from helpers.widgets.remedy.runs import STATIONS, Recipe, Trainings, build, digit_batch

SGD, MOMENTUM, ADAM, TINY = ({"optimizer": name} for name in runs.OPTIMIZERS)
RECIPES = [Recipe("sigmoid"), Recipe("relu", "He", residual=True, scale=0.3, **MOMENTUM),
           Recipe("elu", "Xavier", clip=0.5), Recipe("tanh", "orthogonal", **ADAM, eta=0.003),
           Recipe("tanh", "orthogonal", batch_norm=True, clip=1.0, weight_decay=0.1),
           Recipe("leaky_relu", "torch default", batch_norm=True, residual=True, weight_decay=0.05, **ADAM,
                  eta=0.01),
           Recipe("sigmoid", weight_decay=0.1, **MOMENTUM), Recipe("tanh", clip=0.95),
           Recipe("sigmoid", **TINY, eta=0.001)]


@pytest.fixture
def exact(monkeypatch):
    """Trainings in float64."""
    monkeypatch.setattr(runs, "DTYPE", np.float64)
    runs.images.cache_clear()
    yield
    runs.images.cache_clear()


def trained(recipe, steps, **sizes):
    training = Trainings(recipe, **sizes)
    training.advance(steps)
    return training


# --- training --------------------------------------------------------------------------------

def trained_by_torch(recipe, steps, depth, seed):
    """The same training with autograd, torch.optim and clip_grad_norm_: costs, ratios, what was clipped."""
    W, b, gamma, beta = parts = [leaves(part) for part in build(recipe, depth=depth, seed=seed)[:4]]
    others = [*b, *gamma, *beta]
    groups = [{"params": W, "weight_decay": recipe.weight_decay}, {"params": others}]
    optimizer = (torch.optim.Adam(groups, recipe.eta, eps=1e-8 if recipe.optimizer == "Adam" else 1e-30)
                 if "Adam" in recipe.optimizer else
                 torch.optim.SGD(groups, recipe.eta, 0.9 * (recipe.optimizer == "momentum")))
    losses, ratios, clipped = [], [], []
    for step in range(steps):
        x, y = (torch.tensor(part[digit_batch(step, (seed,))[0]]) for part in runs.images())
        cost = F.cross_entropy(deep(x, *parts, recipe.activation, recipe.residual)[-1], y)
        optimizer.zero_grad()
        cost.backward()
        if recipe.clip is not None:
            norm = torch.nn.utils.clip_grad_norm_([*W, *others], recipe.clip).item()
            clipped.append(norm > recipe.clip)
        before = [w.detach().clone() for w in W]
        optimizer.step()
        losses.append(cost.item())
        ratios.append([((w - old).norm() / old.norm()).item() for w, old in zip(W, before, strict=True)])
    return np.array(losses), np.array(ratios), clipped


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_training_is_torchs(exact, recipe):
    ours = trained(recipe, 8, depth=5, seeds=(3, 0))
    for k, seed in enumerate((3, 0)):
        losses, ratios, clipped = trained_by_torch(recipe, 8, 5, seed)
        assert np.allclose(np.array(ours.losses)[:8, k], losses, rtol=1e-7)
        for step in (1, 2, 6, 8):
            assert np.allclose(ours.ratios[step][k], ratios[step - 1], rtol=1e-5)
        assert [row[k] for row in ours.clipped] == clipped
    assert len(ours.losses) == 9 and set(ours.delta) == {0, *ours.ratios} == {*range(7), 8}
    assert ours.delta[8].shape == ours.ratios[8].shape == (2, 6) and (ours.diverged == math.inf).all()
    assert any(clipped) == (recipe.clip is not None) and not (recipe.clip == 0.95 and all(clipped))


def decay_before_clipping(training, right=Trainings._step):
    """Torch clips before it adds the weight decay."""
    end, recipe = training._ends[-1], training.recipe
    training._grads[:, :end] += recipe.weight_decay * training._values[:, :end]
    training.recipe = recipe._replace(weight_decay=0.0)
    right(training)
    training.recipe = recipe


@pytest.mark.parametrize("change", [
    {"weight_decay": 0.2}, {"clip": None}, {"batch_norm": False}, {"eta": 0.11}, MOMENTUM, {"residual": True},
    {"scale": 1.1}, {}], ids=str)
def test_another_training_is_not(exact, monkeypatch, change):
    recipe = RECIPES[4]
    losses, *_ = trained_by_torch(recipe, 8, 5, 0)
    if not change:
        monkeypatch.setattr(Trainings, "_step", decay_before_clipping)
    ours = trained(recipe._replace(**change), 8, depth=5, seeds=(0,))
    assert not np.allclose(np.array(ours.losses)[:8, 0], losses, rtol=1e-4)


def test_single_precision_is_near_to_double(monkeypatch):
    single = np.array(trained(RECIPES[3], 8, depth=5).losses)
    monkeypatch.setattr(runs, "DTYPE", np.float64)
    runs.images.cache_clear()
    double = np.array(trained(RECIPES[3], 8, depth=5).losses)
    runs.images.cache_clear()
    assert np.allclose(single, double, rtol=1e-4) and not np.array_equal(single, double)


@pytest.mark.parametrize("recipe", RECIPES[:5], ids=str)
def test_a_training_goes_on_exactly_where_it_was(recipe):
    once, again = trained(recipe, 25, depth=5), Trainings(recipe, depth=5)
    assert not again.advance(25, seconds=0) and not again.losses, "no time, no step"
    slices = 0
    while not again.advance(20, seconds=1e-4):
        slices += 1
    assert slices > 3 and len(again.losses) == 21 and again.advance(20) and again.advance(25)
    assert np.array_equal(once.losses, again.losses) and once.clipped == again.clipped
    for step in (s for s in STATIONS if s <= 25):
        assert np.array_equal(once.delta[step], again.delta[step])
        assert not step or np.array_equal(once.ratios[step], again.ratios[step])


def test_seeds_differ_and_do_not_meet():
    three, alone = trained(RECIPES[0], 5, depth=5), trained(RECIPES[0], 5, depth=5, seeds=(2,))
    costs = np.array(three.losses)
    assert (np.ptp(costs, axis=1) > 1e-3).all() and np.allclose(costs[:, 2:], alone.losses, rtol=1e-5)
    rows = digit_batch(0, runs.SEEDS)
    assert rows.shape == (3, 64) and len({tuple(row) for row in (*rows, *digit_batch(1, runs.SEEDS))}) == 6
    assert np.isclose(runs.images()[0].std(), 1)


def test_divergence_ends_a_record_and_the_others_go_on(monkeypatch):
    lost = trained(NETS["ReLU, σ_w = 2"], 20)
    assert (lost.diverged < 20).all() and len(lost.losses) == lost.diverged.max() + 1 and lost.reached(1000)
    worse = trained(Recipe("relu", scale=1e9), 3)
    assert (worse.diverged == 0).all() and not np.isfinite(worse.losses).any()
    right = runs.cost_and_gradients

    def one_explodes(net, x, y):
        loss, delta, grads = right(net, x, y)
        grads[1, 7] = math.inf
        return loss, delta, grads
    three = trained(RECIPES[0], 2, depth=5)
    monkeypatch.setattr(runs, "cost_and_gradients", one_explodes)
    three.advance(6)
    assert three.diverged.tolist() == [math.inf, 3, math.inf]
    losses, whole = np.array(three.losses), np.array(trained(RECIPES[0], 6, depth=5, seeds=(0, 2)).losses)
    assert np.isnan(losses[3:, 1]).all() and np.isfinite(losses[:3, 1]).all()
    monkeypatch.undo()
    whole = np.array(trained(RECIPES[0], 6, depth=5).losses)
    assert np.array_equal(losses[:, [0, 2]], whole[:, [0, 2]]) and np.isnan(three.delta[4][1]).all()


@pytest.mark.parametrize("loss, entry", [(np.nan, 1.0), (2e12, 1.0), (2.3, np.inf), (2.3, np.nan)])
def test_what_divergence_is(monkeypatch, loss, entry):
    given = [(2.3, 1.0), (9e11, 1.0), (loss, entry)]

    def cost_and_gradients(net, x, y):
        cost, fill = given.pop(0)
        return np.full(3, cost), [np.ones((3, 2))] * 6, np.full(three._values.shape, fill, np.float32)
    monkeypatch.setattr(runs, "cost_and_gradients", cost_and_gradients)
    three = Trainings(Recipe("tanh"), depth=5)
    assert three.advance(9)
    assert (three.diverged == 2).all() and np.allclose(three.losses[:2], [[2.3] * 3, [9e11] * 3])


@pytest.mark.parametrize("name, call", [
    ("activation", lambda: build(Recipe("softplus"))),
    ("initialization", lambda: build(Recipe("tanh", "Lecun"))),
    ("optimizer", lambda: build(Recipe("tanh", optimizer="Lion"))),
    ("steps", lambda: trained(Recipe("tanh"), -1)), ("depth", lambda: Trainings(Recipe("tanh"), depth=0)),
    ("width", lambda: build(Recipe("tanh"), width=2.5)), ("lr", lambda: trained(Recipe("tanh", eta=-1.0), 1)),
    ("remedies", lambda: outcome("sigmoid, σ_w = 1", "prayer", steps=1))])
def test_what_makes_no_net_is_refused(name, call):
    with pytest.raises(ValueError, match=f"{name}: got"):
        call()


def test_layers_learn_at_different_speeds():
    """In the plain sigmoid net only the last layers move; each remedy moves all, and the cost falls."""
    plain = trained(Recipe("sigmoid"), 60)
    twins = {"batch norm": Recipe("sigmoid", batch_norm=True), "residual": Recipe("sigmoid", residual=True),
             "edge": Recipe("tanh")}
    rows = plain.ratios[1]
    assert (rows[:, 0] < 1e-12).all() and (rows[:, -1] > 1e-3).all()
    assert (np.diff(np.log(rows)) > 0).mean() > 0.9 and words.recent(plain, 60).min() > 2.25
    for name, one in ((name, trained(twin, 60)) for name, twin in twins.items()):
        assert one.ratios[60].min() > 1e-4 and np.ptp(np.log10(one.ratios[1]), axis=1).max() < 2, name
        assert words.recent(one, 60).max() < 2.1, name


# --- words -----------------------------------------------------------------------------------

def with_costs(*seeds, diverged=None):
    """Trainings whose nets had these costs, step by step."""
    three = Trainings(Recipe("tanh"), depth=2, seeds=range(len(seeds)))
    three.losses = list(np.array(seeds, float).T)
    three.diverged = np.array(diverged or [math.inf] * len(seeds), float)
    for k, step in enumerate(three.diverged):
        for row in three.losses[int(min(step, len(three.losses))):]:
            row[k] = math.nan
    return three


@pytest.mark.parametrize("costs, diverged, step, said", [
    ([2.4], None, 0, "untrained"), ([2.4, 2.2, 2.2], None, 2, "guesses"),
    ([2.4, 1.9, 1.9], None, 2, "learns"), ([2.4, 4.0, 2.6], None, 2, "worse"),
    ([2.4, 1.5, 0], [2], 1, "learns"), ([2.4, 1.5, 0], [2], 2, "diverged"),
    ([9.0] * 10 + [1.0] * 10, None, 19, "learns"), ([9.0] * 10 + [1.0] * 10, None, 11, "worse")])
def test_states(costs, diverged, step, said):
    assert words.states(with_costs(costs, diverged=diverged), step) == [said]


def test_means_are_those_of_the_last_ten():
    costs = np.random.default_rng(0).uniform(1, 3, (2, 30))
    found = words.averaged(with_costs(*costs, diverged=[20, math.inf]))
    for step in (0, 3, 9, 10, 29):
        mean = costs[:, max(0, step - 9):step + 1].mean(axis=1)
        assert np.isclose(found[step, 1], mean[1]) and np.isclose(found[step, 0], mean[0]) == (step < 20)


FALLS, NEARLY, STAYS = [2.4] * 10 + [1.5] * 10, [2.4] * 10 + [2.1] * 10, [2.4] * 20


@pytest.mark.parametrize("costs, diverged, steps, said", [
    ([FALLS] * 3, None, 19, "learns"), ([FALLS] * 3, None, 9, "does not learn"),
    ([FALLS, FALLS, STAYS], None, 19, "learns from some seeds"), ([STAYS] * 3, None, 19, "does not learn"),
    ([FALLS, FALLS, NEARLY], None, 19, "learns from some seeds"),
    ([NEARLY] * 3, None, 19, "is near the limit"),
    ([STAYS, NEARLY, STAYS], None, 19, "is near the limit"),
    ([STAYS] * 3, [3, 4, 5], 19, "diverges"), ([STAYS] * 3, [3, 4, 5], 4, "does not learn"),
    ([STAYS] * 3, [3, 4, math.inf], 19, "does not learn"),
    ([FALLS + [9.0] * 20] * 3, None, 39, "learns")])
def test_conclusions(costs, diverged, steps, said):
    assert words.conclusion(with_costs(*costs, diverged=diverged), steps) == said


def test_counts_in_words():
    assert words.counted(["learns"] * 3) == "learns in 3 of 3 seeds"
    mixed = ["diverged", "learns", "guesses"]
    assert words.counted(mixed) == ("learns in 1 of 3 seeds, only guesses in 1 of them, "
                                     "has diverged in 1 of them")
    for found, said in ((mixed, "1 of 3"), (["worse"] * 3, "0 of 3"), (["diverged"] * 3, "diverged"),
                        (["untrained"] * 3, "untrained")):
        assert words.how_many(found) == said


def test_what_is_not_positive_is_left_out_of_the_spread():
    low, middle, high = words.band(np.array([[1.0, 0, 0], [2, 3, 0], [4, 0, 0]]))
    assert (low.tolist(), middle.tolist(), high.tolist()) == ([1, 3, 0], [2, 3, 0], [4, 3, 0])
    rows = {0: np.ones((2, 3)), 2: np.array([[1, 2, 3], [math.nan] * 3]), 3: np.full((2, 3), math.nan)}
    assert words.at_station(rows, 3).tolist() == [[1, 2, 3]] and len(words.at_station(rows, 1)) == 2
    assert words.at_station({3: rows[3]}, 9) is None


# --- the bench -------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def bench():
    return remedy_bench()


NONE = {**OFF, "batch_norm": False}
EXPLODES = {**NONE, "net": "ReLU, σ_w = 2"}
CASES = [   # what is switched on, beside the net; the states of the modified and of the plain one
    ({}, "learns", "only guesses"), (NONE, "only guesses", None),
    ({**NONE, **ADAM, "eta": 0.001}, "only guesses", None),
    ({**NONE, "residual": True}, "learns", "only guesses"),
    ({**NONE, "activation": "ELU"}, "learns", "only guesses"),
    ({**NONE, "initialization": EDGE, "steps": 300}, "learns", "only guesses"),
    ({**NONE, "clip": True}, "only guesses", "only guesses"),
    ({**EXPLODES, "weight_decay": True}, "has diverged", "has diverged"),
    ({**EXPLODES, "batch_norm": True}, "learns", "has diverged"),
    ({"steps": 0}, "is untrained", "is untrained")]


@pytest.mark.parametrize("switches, new, old", CASES, ids=str)
def test_each_remedy_does_what_it_can(bench, switches, new, old):
    said, one = asked(bench, **switches), bench.result
    assert re.search(rf"the (modified )?net {new} in 3 of 3 seeds", said)
    assert old is None or f"the plain one {old} in 3 of 3 seeds" in said
    sizes = [np.median(words.relative(net, one.step)[:, 0]) for net in (one.modified, one.plain)]
    assert f"layer 1 is {scientific(sizes[0])} times that of the output" in said
    assert (f"in the plain net {scientific(sizes[1])} times" in said) == bool(old)
    for net, name in ((one.modified, f"net {new}"), (one.plain, f"one {old}")):
        if old and "diverged" not in name:
            cost = number_in(said, name + r" in 3 of 3 seeds, with a median cost of (\d+\.\d+)")
            assert abs(cost - np.median(np.array(net.losses)[:one.step + 1][-10:].mean(axis=0))) < 0.006
    assert ("no remedy" in said) == (not one.remedies) and f"rate {bench.values['eta']:g}. " in said
    clipped = f"; {np.mean(one.modified.clipped[:one.step] or 0):.0%} of the gradients were clipped"
    assert (clipped in said) == bool(switches.get("clip")) == ("clipped" in said)


@pytest.mark.parametrize("remedies, net, more, said", [
    (["BN"], 0, {}, "learns"), (["clip"], 0, {}, "does not learn"),
    ([], 0, {**ADAM, "eta": 0.001}, "does not learn"),
    (["L2"], 2, {}, "diverges"), (["BN", "residual"], 2, {}, "learns"), (["tanh"], 0, ADAM, "does not learn"),
    (["tanh"], 0, {**ADAM, "eta": 0.001}, "learns"), (["ELU", "orthogonal"], 0, {}, "learns"),
    (["tanh"], 3, {**ADAM, "eta": 0.001}, "learns"), (["tanh"], 3, {}, "does not learn")], ids=str)
def test_outcomes(remedies, net, more, said):
    assert outcome(list(NETS)[net], *remedies, steps=100, **more) == said


def test_an_outcome_looks_no_further_than_it_is_asked():
    benching.trainings.cache_clear()
    name = "sigmoid, σ_w = 1"
    assert outcome(name, "BN", steps=1000) == "learns"
    one = benching.trainings(with_remedies(name, **{**OFF, "batch_norm": True}))
    assert len(one.losses) <= 101, "nets that have learned need not go on"
    one.advance(150)
    assert outcome(name, "BN", steps=5) == "does not learn", "which is too early"


def test_what_is_there_already_is_no_remedy(bench):
    asked(bench, **{**EXPLODES, "activation": "ReLU"})
    assert bench.result.remedies == [] and bench.result.modified is bench.result.plain
    bench.set(initialization="Xavier")
    assert bench.result.remedies == ["Xavier initialization"]
    bench.set(activation="tanh", initialization=EDGE)
    assert bench.result.remedies == ["tanh", "σ_w = 1, the edge of chaos"]
    recipe = with_remedies("sigmoid, σ_w = 1", **{**OFF, "initialization": EDGE})
    assert recipe.scale == edge_of_chaos("sigmoid")


@pytest.mark.parametrize("name", NETS)
def test_every_switch_is_another_training(name):
    assert with_remedies(name, **OFF) == NETS[name]
    on = [with_remedies(name, **{**OFF, switch: True}) for switch in list(OFF)[2:]]
    on += [with_remedies(name, **{**OFF, "activation": key}) for key, to in ACTIVATION_OPTIONS.items()
           if to not in (None, NETS[name].activation)]
    on += [with_remedies(name, **{**OFF, "initialization": key}) for key, rule in
           INITIALIZATION_OPTIONS.items() if rule]
    assert NETS[name] not in on and len(set(on)) == len(on)


@pytest.mark.parametrize("name, remedies, how", [
    ("no remedy", [], "SGD, learning rate 0.1"), ("BN", ["batch norm"], "SGD, learning rate 0.1"),
    ("residual", ["residual connections"], "SGD, learning rate 0.1"),
    ("edge of chaos, 1000 steps", ["σ_w = 10.1, the edge of chaos"], "SGD, learning rate 0.1"),
    ("Adam, 1000 steps", [], "Adam, learning rate 0.001")])
def test_each_button_says_all_that_it_needs(bench, name, remedies, how):
    values = benching.PRESETS[name]
    assert set(values) == {*bench.controls} - {"net"} and values["steps"] == (1000 if "1000" in name else 100)
    bench.set(net="sigmoid, σ_w = 1", **{**values, "steps": 10})
    assert bench.result.remedies == remedies and how in bench.sentence


# --- while it trains -------------------------------------------------------------------------

def test_a_new_setting_neither_loses_nor_mixes_what_is_trained():
    benching.trainings.cache_clear()
    bench = remedy_bench()

    async def learner():
        bench.set(steps=40)
        bench.controls["eta"].value = 0.3
        first = bench.result
        assert not bench.finished and 0 < first.done < 40 and "40 steps is running." in bench.sentence
        bench.controls["eta"].value = 0.01           # before the first is trained
        await bench._task
        assert bench.finished and bench.result.done == 40 and len(first.modified.losses) < 40
        bench.controls["eta"].value = 0.3
        assert bench.result.modified is first.modified, "it goes on"
        await bench._task
    asyncio.run(learner())
    for eta in (0.3, 0.01):
        bench.set(eta=eta)
        for net, recipe in ((bench.result.plain, Recipe("sigmoid", eta=eta)),
                            (bench.result.modified, Recipe("sigmoid", batch_norm=True, eta=eta))):
            assert np.array_equal(net.losses, trained(recipe, 40).losses)


def test_what_is_stored_is_finished():
    benching.trainings.cache_clear()

    async def cell():
        return remedy_bench()._repr_mimebundle_()["text/plain"]
    assert "After 100 steps, the modified net learns in 3 of 3 seeds" in asyncio.run(cell())


# --- the picture -----------------------------------------------------------------------------

def drawn(one):
    """What is drawn for a Comparison: points, curves and areas, words."""
    ax = stage(picture.remedy_frame, picture.SIZE)
    before = len(ax.lines), len(ax.artists), len(ax.texts)
    picture.draw_comparison(ax, one)
    return ax.lines[before[0]:], ax.artists[before[1]:], [text.get_text() for text in ax.texts]


def test_the_curves_are_those_of_the_trainings(bench):
    asked(bench, steps=30)
    one = bench.result
    dots, strokes, texts = drawn(one)
    lines = [stroke.path.vertices for stroke in strokes if not stroke.fill]
    pane = picture.COST._replace(floor=-2, ceiling=1.5)
    costs = [np.mean(net.losses[21:31], axis=0) for net in (one.plain, one.modified)]
    for dot, cost in zip(dots, np.ravel(costs), strict=True):
        assert np.allclose(np.ravel(dot.get_data()), pane.at(math.log10(31), math.log10(cost)))
    for pane, rows in ((picture.GRADIENT, one.modified.delta[30]), (picture.SPEED, one.modified.ratios[30])):
        rows = rows / rows[:, -1:] if pane is picture.GRADIENT else rows
        middle = np.median(rows, axis=0)[::-1]       # the output on the left
        points = pane.at(np.arange(21), np.log10(middle))
        assert any(len(line) == 21 and np.allclose(line, points) for line in lines)
    assert {"after 30 steps", "0 of 3"} <= set(texts)


def test_what_is_still_to_come_is_pale_and_counted(bench):
    asked(bench, steps=30)
    whole, part = bench.result, bench.result._replace(step=1000, done=30)
    areas = [{stroke.color: stroke.path.vertices for stroke in drawn(one)[1] if stroke.fill}
             for one in (whole, part)]
    (new,) = [area for color, area in areas[1].items() if color not in areas[0]]
    left, right = picture.COST.at(np.log10([31, 1001]), 0)[:, 0]
    assert np.allclose([new[:, 0].min(), new[:, 0].max()], [left, right])
    assert "30 of 1000 steps" in drawn(part)[2]


@pytest.mark.parametrize("values, ceiling", [({}, 1.5), ({**EXPLODES, "clip": True}, 8)], ids=str)
def test_the_range_of_the_costs_is_one_of_few(bench, values, ceiling):
    """It holds all costs; a net that has diverged ends in a cross."""
    asked(bench, **values, steps=20)
    one, (marks, *_) = bench.result, drawn(bench.result)
    pane = picture.COST._replace(floor=-2, ceiling=ceiling)
    first = pane.at(0, math.log10(one.plain.losses[0].max()))[1]
    assert pane.top <= first <= pane.top + pane.height
    assert [mark.get_marker() for mark in marks] == ["x" if values else "o"] * 3 + ["o"] * 3
    heights = [mark.get_ydata()[0] for mark in marks[3:]]
    costs = np.array(one.modified.losses)[:21][-10:].mean(axis=0)
    assert np.allclose(heights, pane.at(0, np.log10(costs))[:, 1])
