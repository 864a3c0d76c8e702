"""The numbers in the three widgets of notebook 05 are torch's or NumPy's, and their sentences are true."""
import itertools
import re
from functools import partial

import numpy as np
import pytest
import sweep
import torch
from checks import refused
from matplotlib.path import Path
from shown import number_in, stage
from torch_landscapes import beale_torch, ravine_torch, rosenbrock_torch, saddle_torch

from helpers.explore.panel import LETTER
from helpers.plotting.contrast import ink
from helpers.theory.landscapes import FAR, LANDSCAPES
from helpers.widgets import momentum_conventions as conventions
from helpers.widgets.landscape import explorer as exploring
from helpers.widgets.landscape import map as landscape_map
from helpers.widgets.landscape import races as landscape_races
from helpers.widgets.landscape.controls import StartPoint, Switches
from helpers.widgets.landscape.explorer import landscape_explorer, raced
from helpers.widgets.landscape.races import COLORS, MARKERS, SIGNS, race, rule_of, slope, walk
from helpers.widgets.momentum_conventions import momentum_conventions
from helpers.widgets.phase_diagram import explorer as phases
from helpers.widgets.phase_diagram import map as phase_map
from helpers.widgets.phase_diagram.explorer import phase_diagram

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")

COSTS = {"ravine": partial(ravine_torch, angle=0), "noisy quadratic": partial(ravine_torch, angle=0),
         "Rosenbrock": lambda w, kappa: rosenbrock_torch(w), "Beale": lambda w, kappa: beale_torch(w),
         "saddle": lambda w, kappa: saddle_torch(w)}
OPTIMIZERS = {
    "SGD": lambda w, lr, momentum: torch.optim.SGD(w, lr),
    "momentum": lambda w, lr, momentum: torch.optim.SGD(w, lr, momentum),
    "Nesterov": lambda w, lr, momentum: torch.optim.SGD(w, lr, momentum, nesterov=momentum > 0),
    "AdaGrad": lambda w, lr, momentum: torch.optim.Adagrad(w, lr),
    "RMSProp": lambda w, lr, momentum: torch.optim.RMSprop(w, lr),
    "Adam": lambda w, lr, momentum: torch.optim.Adam(w, lr),
}
ALL = tuple(OPTIMIZERS)
START = {"landscape": "ravine", "kappa": 30, "eta": 0.05, "gamma": 0.8, "steps": 100, "optimizers": ALL,
         "start": (-4.0, 2.0)}


def holds(area, point):
    """Whether a point is in an area with holes: in an odd number of its polygons."""
    return sum(Path(polygon).contains_point(point) for polygon in area.to_polygons()) % 2 == 1


# --- the race --------------------------------------------------------------------------------

def torch_run(landscape, name, kappa, eta, gamma, start, steps):
    """Path and costs, as far as on the map, by torch.optim and autograd, with the noise of seed 0."""
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer, rng, path, costs = OPTIMIZERS[name]([w], eta, gamma), np.random.default_rng(0), [], []
    for _ in range(steps + 1):
        cost = COSTS[landscape](w, kappa=kappa)
        if not float(w.detach().abs().max()) <= 1e6:
            break
        path.append(w.detach().numpy().copy())
        costs.append(cost.item())
        w.grad, = torch.autograd.grad(cost, w)
        if landscape.startswith("noisy"):
            w.grad += torch.tensor(2 * rng.normal(size=2))
        optimizer.step()
    return np.array(path), np.array(costs)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("landscape, eta", [
    ("ravine", 0.02), ("ravine", 0.3), ("noisy quadratic", 0.03), ("Rosenbrock", 1e-3), ("Rosenbrock", 0.1),
    ("Beale", 0.01), ("saddle", 0.2)])
def test_every_run_is_torchs(landscape, eta, name):
    start = (-1.5, 1.25)
    one = raced(landscape, 7, eta, 0.7, 60, (name,), start)
    path, costs = torch_run(landscape, name, 7, eta, 0.7, start, 60)
    run = one.runs[name]
    assert list(one.runs) == [name] and len(run.path) == len(run.losses) == len(path)
    np.testing.assert_allclose(run.path, path, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(run.losses, costs, rtol=1e-6, atol=1e-12)
    assert run.left == (len(path) if len(path) <= 60 else None)


def test_without_momentum_nesterov_is_sgd():
    runs = race("Beale", 1, 0.01, 0, (1.0, 1.5))
    for name in ("momentum", "Nesterov"):
        np.testing.assert_allclose(runs[name].path, runs["SGD"].path, rtol=1e-12)


def test_a_walk_checks_its_options_and_leaves_the_start_alone():
    start, gradient = np.array([1.5, -1.25]), slope("ravine", 10)
    rule, options = rule_of("Adam", 0.9)
    assert len(walk(rule, gradient, start, 5, lr=0.1, **options)) == 6 and start.tolist() == [1.5, -1.25]
    refused(partial(walk, rule, gradient, start, 5, lr=-1.0), "lr")


def test_the_rest_of_a_race_does_not_change_a_run():
    """Neither who else runs, nor how far it is looked at: the noise of a step is the same for all."""
    values = {**START, "landscape": "noisy quadratic", "steps": 40}
    alone, together = raced(**{**values, "optimizers": ("Adam",)}), raced(**{**values, "steps": 90})
    np.testing.assert_array_equal(alone.runs["Adam"].path, together.runs["Adam"].path[:41])
    noise = [slope("noisy quadratic", 10), slope("noisy quadratic", 10)]
    w = np.zeros(2)
    for _ in range(3):
        assert np.array_equal(noise[0](w), noise[1](w)) and noise[0](w).any() and noise[1](w).any()


def test_a_race_of_fewer_steps_is_the_beginning_of_one_of_more():
    short, long = (race("noisy quadratic", 30, 0.05, 0.8, (-4.0, 2.0), steps) for steps in (100, 300))
    for name, run in short.items():
        path, losses, left = long[name].until(100)
        assert np.array_equal(run.path, path) and np.array_equal(run.losses, losses) and run.left == left
    assert short["Nesterov"].left and short["SGD"].left is None


def test_a_run_that_leaves_later_is_still_shown():
    runs = race("ravine", 30, 0.05, 0.8, (-4.0, 2.0))
    left = runs["Nesterov"].left
    assert 20 < left < 100 and len(runs["Nesterov"].path) == left
    assert np.abs(runs["Nesterov"].path).max() <= FAR
    before, after = (raced(**{**START, "steps": s}).runs["Nesterov"] for s in (left - 1, left))
    assert before.left is None and after.left == left and np.array_equal(before.path, after.path)
    early = raced(**{**START, "steps": 5}).runs["Nesterov"]
    assert len(early.path) == len(early.losses) == 6


SETTINGS = [
    {}, {"landscape": "Rosenbrock", "eta": 0.0015, "gamma": 0.9, "steps": 120, "start": (-1.2, 1.0)},
    {"landscape": "noisy quadratic", "steps": 80, "kappa": 10}, {"landscape": "Beale", "eta": 0.1,
                                                                  "start": (-1.0, 0.5)},
    {"kappa": 100, "eta": 0.1, "steps": 150}, {"landscape": "saddle", "optimizers": ("AdaGrad", "Adam"),
                                               "start": (0.5, -1.5), "steps": 30}]


@pytest.mark.parametrize("changed", SETTINGS, ids=str)
def test_the_sentence_of_the_race_is_true(changed):
    values = {**START, **changed}
    said = exploring._describe(**values)
    runs = {name: torch_run(values["landscape"], name, values["kappa"], values["eta"], values["gamma"],
                            values["start"], values["steps"]) for name in values["optimizers"]}
    here = sorted((costs[-1], name) for name, (_, costs) in runs.items() if len(costs) > values["steps"])
    (best, leader), (second, follower), *_ = here
    assert f": {leader} has the lowest cost, " in said and f"step {values['steps']}: " in said
    assert ("κ = " in said) == (values["landscape"] in ("ravine", "noisy quadratic"))
    if best > 1e-20:
        assert number_in(said, r"lowest cost, ([\d.,e−]+\d)") == pytest.approx(best, rel=0.06)
        assert said.split(".")[-2 - ("Diverged" in said)].endswith(f"than {follower}")
        if second > 2 * best:
            times = number_in(said, r", ([\d.,e]+) times lower")
            assert times == pytest.approx(second / best, rel=0.06)
        else:
            assert number_in(said, r"(\d+)% lower") == pytest.approx(100 * (1 - best / second), abs=0.51)
    gone = {name: len(costs) for name, (_, costs) in runs.items() if len(costs) <= values["steps"]}
    assert ("Diverged, beyond a million" in said) == bool(gone)
    for name, step in gone.items():
        assert f"{name} at step {step}" in said
    assert set(re.findall(r"(\w+) at step", said)) == set(gone)


def test_odd_ends_of_a_race_in_words():
    def said(**runs):
        return exploring._leader({name: landscape_races.Run(np.zeros((2, 2)), np.array([1.0, cost]),
                                  3 if cost > 1e9 else None) for name, cost in runs.items()})
    assert said() == "no optimizer is on." and said(SGD=1e10) == "all have diverged."
    assert said(SGD=0.034) == "SGD is at cost 0.034."
    assert said(SGD=0.5, Adam=0.5) == "Adam has the lowest cost, 0.5, about equal to SGD's."
    assert said(SGD=0.0, Adam=1e-30) == "SGD has the lowest cost, below 1e−20, about equal to Adam's."
    assert said(SGD=0.0, Adam=2.0) == "SGD has the lowest cost, below 1e−20, then Adam with 2.0."
    assert said(SGD=4.0, Adam=3.0) == "Adam has the lowest cost, 3.0, 25% lower than SGD."
    assert said(SGD=900.0, Adam=2.0) == "Adam has the lowest cost, 2.0, 450 times lower than SGD."


@pytest.mark.parametrize("value, words", [
    (0.0342, "0.034"), (9.96, "10"), (0.996, "1.0"), (1234, "1,200"), (3.4e-4, "3.4e−4"), (2e7, "2.0e7"),
    (0, "below 1e−20")])
def test_costs_are_written_to_be_read(value, words):
    assert exploring.short_number(value) == words


def explorer_axes():
    return stage(exploring._frame, exploring.SIZE)


def curves_of(ax):
    return [line for line in ax.lines if len(line.get_xdata()) > 1 and line.get_linestyle() != "None"]


@pytest.mark.parametrize("changed", SETTINGS, ids=str)
def test_the_picture_of_the_race_is_that_of_the_runs(changed):
    values = {**START, **changed}
    sheet, left, right = axes = explorer_axes()
    one = exploring._draw(axes, **values)
    x0, x1, y0, y1 = landscape_map.sides(one.landscape)
    assert x1 - x0 == pytest.approx(y1 - y0) and exploring.MAP[2] == exploring.MAP[3]     # one scale
    drawn = {line.get_color(): line for line in curves_of(left)}
    for name, run in one.runs.items():
        shown = drawn[COLORS[name]].get_xydata() * [x1 - x0, y1 - y0] + [x0, y0]
        same = len(run.path) if run.left is None else len(shown) - 1
        np.testing.assert_allclose(shown[:same], run.path[:same], atol=1e-9)
        assert run.left is not None or len(shown) == len(run.path)
        losses, = (line for line in curves_of(right) if line.get_color() == COLORS[name])
        np.testing.assert_array_equal(losses.get_ydata(), run.losses)
    crossed = {tuple(line.get_xydata()[0]) for line in left.lines if line.get_marker() == "x"}
    for name, run in one.runs.items():
        mark, = (line for line in left.lines
                 if len(line.get_xdata()) == 1 and line.get_color() == COLORS[name])
        assert mark.get_marker() == MARKERS[name]
        assert (tuple(mark.get_xydata()[0]) in crossed) == (run.left is not None)
    stars, = (line.get_xydata() for line in left.lines if line.get_marker() == "*")
    minima = landscape_map.placed(one.landscape, LANDSCAPES[one.landscape].minima)
    np.testing.assert_allclose(stars, minima, atol=1e-12)
    ring, = (line for line in left.lines if line.get_marker() == "o" and line.get_mfc() == "none")
    np.testing.assert_allclose(ring.get_xydata()[0] * [x1 - x0, y1 - y0] + [x0, y0], values["start"])


def test_a_path_that_left_ends_where_it_crosses_the_edge():
    path = np.array([[0.5, 0.5], [0.6, 0.2], [0.8, -0.6], [-3, 9.0], [50, -70]])
    inside = (np.abs(path - 0.5) <= 0.5).all(axis=1)
    np.testing.assert_allclose(landscape_map.leaves(path, inside), [0.65, 0], atol=1e-12)
    assert np.array_equal(landscape_map.leaves(path[:2], inside[:2]), path[1])
    up = np.array([[0.5, 0.5], [0.5, 3]])
    np.testing.assert_allclose(landscape_map.leaves(up, np.array([True, False])), [0.5, 1])


@pytest.mark.parametrize("changed", [
    {"landscape": "Rosenbrock", "start": (-1.2, 1.0)},
    {"landscape": "Rosenbrock", "start": (-1.2, 1.0), "eta": 5},
    {"landscape": "Beale", "start": (4.5, 4.5), "eta": 0.5}, {"kappa": 100}], ids=str)
def test_no_cross_hides_another(changed):
    """Rules that leave the map at one place stand side by side there, each with its colour and its marker."""
    _, left, _ = axes = explorer_axes()
    one, gone = exploring._draw(axes, **{**START, **changed}), {"SGD", "momentum", "Nesterov"}
    crossed = {tuple(line.get_xydata()[0]) for line in left.lines if line.get_marker() == "x"}
    marks = [line for line in left.lines
             if tuple(line.get_xydata()[0]) in crossed and line.get_marker() != "x"]
    assert [line.get_marker() for line in marks] == [MARKERS[name] for name in one.runs if name in gone]
    crosses = {line.get_color(): line.get_xydata()[0] for line in marks}
    assert set(crosses) == {COLORS[name] for name in gone} and all(one.runs[name].left for name in gone)
    places = np.array(list(crosses.values()))
    assert places.min() >= 0 and places.max() <= 1
    pixels = np.abs(places[:, None] - places).max(axis=-1) * exploring.MAP[2] + 99 * np.eye(len(places))
    assert pixels.min() > 17, "a marker of 12 points is 17 pixels wide"
    for name in gone:                             # and none far from where its path ends
        path = next(line for line in curves_of(left) if line.get_color() == COLORS[name]).get_xydata()
        assert np.abs(crosses[COLORS[name]] - path[-1]).max() * exploring.MAP[2] < 2.1 * exploring.CROSS


def test_side_by_side_moves_only_what_hides():
    far, edge, corner = np.array([0.3, 1.0]), np.array([1.0, 0.4]), np.array([1.0, 1.0])
    assert np.array_equal(landscape_map.side_by_side([far, edge], 0.05), [far, edge])
    np.testing.assert_allclose(landscape_map.side_by_side([edge] * 3, 0.05), [edge, [1, 0.35], [1, 0.45]])
    np.testing.assert_allclose(landscape_map.side_by_side([far] * 2, 0.05), [far, [0.25, 1]])
    np.testing.assert_allclose(landscape_map.side_by_side([corner] * 3, 0.05), [corner, [1, 0.95], [1, 0.9]])


def test_the_labels_are_apart_and_in_the_order_of_the_costs(monkeypatch):
    seen, inks = [], set(map(ink, COLORS.values()))
    monkeypatch.setattr(exploring, "write", lambda sheet, labels, color="": seen.append((labels, color)))
    for changed in SETTINGS:
        seen.clear()
        one = exploring._draw(explorer_axes(), **{**START, **changed})
        names = {labels[0][0]: labels[0][2] for labels, color in seen if color in inks}
        assert set(names) == {("× " if run.left else "") + name for name, run in one.runs.items()}
        heights = sorted(names.values())
        top, tall = exploring.PLOT[1], exploring.PLOT[3]
        assert np.diff(heights).min() >= 14.9 and top - 1 <= heights[0] and heights[-1] <= top + tall + 12
        cost = {name: run.losses[-1] if run.left is None else np.inf for name, run in one.runs.items()}
        order = [cost[name.removeprefix("× ")] for name in sorted(names, key=names.get)]
        assert all(a >= b or a < 1e-10 for a, b in itertools.pairwise(order))


@pytest.mark.parametrize("landscape, kappa", [("ravine", 30), ("Rosenbrock", 1), ("Beale", 1), ("saddle", 1)])
def test_the_lines_of_the_map_join_equal_costs(landscape, kappa):
    areas, lines = landscape_map.cost_bands(landscape, kappa)
    x0, x1, y0, y1 = landscape_map.sides(landscape)
    where = np.random.default_rng(0).uniform(size=(300, 2))
    cost = COSTS[landscape](torch.tensor(where * [x1 - x0, y1 - y0] + [x0, y0]), kappa=kappa).numpy()
    band = [[k for k, area in enumerate(areas) if holds(area, w)] for w in where]
    found = np.array([k[0] for k in band if len(k) == 1])
    assert len(found) == 300, "every place is in one band"
    ends = [(cost[found == k].min(), cost[found == k].max()) for k in np.unique(found)]
    assert len(ends) > 8 and all(low[1] <= high[0] * 1.1 for low, high in itertools.pairwise(ends))
    fractions = [(found <= k).mean() for k in range(len(areas))]
    np.testing.assert_allclose(fractions[:-1], landscape_map.QUANTILES, atol=0.07)
    assert lines.vertices.min() >= 0 and lines.vertices.max() <= 1


@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_numbers_along_the_map(landscape):
    x0, x1, y0, y1 = landscape_map.sides(landscape)
    view = LANDSCAPES[landscape].view
    assert x0 <= view[0] < view[1] <= x1 and y0 <= view[2] < view[3] <= y1
    for side, low, high in zip(landscape_map.ticks(landscape), (x0, y0), (x1, y1), strict=True):
        assert len(side) >= 3
        for at, words in side:
            assert low + at * (high - low) == pytest.approx(float(words.replace("−", "-")))


def test_a_new_landscape_brings_its_start_and_draws_once():
    explorer = landscape_explorer()
    drawn = []
    explorer.draw = lambda axes, **values: drawn.append(values) or exploring._draw(axes, **values)
    for name in (*LANDSCAPES, "ravine"):
        if name != explorer.values["landscape"]:
            explorer.controls["landscape"].value = name          # as in the browser
            assert drawn[-1]["start"] == explorer.values["start"] == LANDSCAPES[name].start
            assert explorer.controls["kappa"].disabled == (name not in ("ravine", "noisy quadratic"))
    assert len(drawn) == len(LANDSCAPES)
    explorer.set(start=(2.0, 1.5), landscape="Beale")
    assert explorer.values["start"] == explorer.result.start == (2, 1.5)
    assert "from (2, 1.5)" in explorer.sentence
    for odd in ((9, 0), (0, -9), (1,), "left", 3):
        refused(partial(explorer.set, start=odd), "start")
    assert explorer.values["start"] == (2, 1.5)
    explorer.reset()
    assert explorer.values == START


def test_kappa_means_nothing_elsewhere():
    race.cache_clear()
    one, two = (raced("Beale", kappa, 0.01, 0.5, 9, ("SGD",), (1.0, 1.5)).runs["SGD"] for kappa in (2, 50))
    assert np.array_equal(one.path, two.path) and np.array_equal(one.losses, two.losses)
    assert race.cache_info().misses == 1, "nor is the race run again"


def test_the_names_of_the_start_are_not_clipped():
    for slider in landscape_explorer().controls["start"].sliders:
        assert int(slider.style.description_width.removesuffix("ch")) > len(slider.description)


def test_the_sliders_of_the_start_follow_and_lead():
    one = StartPoint((-5, 5, -3, 3), (-4, 2), [(0, 0), (1, 1)], "6ch")
    seen = []
    one.observe(lambda change: seen.append(change.new), "value")
    one.sliders[1].value = -1.5
    assert seen == [(-4, -1.5)]
    one.value = (2, 0.25)
    assert [slider.value for slider in one.sliders] == [2, 0.25] and len(seen) == 2
    one.fit((-2, 2, -9, -7), (0.5, -8))
    assert seen[2:] == [(0.5, -8)]
    assert [(s.min, s.max, s.value) for s in one.sliders] == [(-2, 2, 0.5), (-9, -7, -8)]
    one.fit((100, 200, 10, 20), (150, 15))
    assert one.value == (150, 15) and [(s.min, s.max) for s in one.sliders] == [(100, 200), (10, 20)]


def test_a_new_map_reaches_the_browser_in_one_message(monkeypatch):
    """With the limits alone, the browser would cut the old value off and send it back."""
    one = StartPoint((-5, 5, -3, 3), (-4, 2), [(0, 0), (1, 1)], "6ch")
    sent = []
    for slider in one.sliders:
        monkeypatch.setattr(slider, "send_state", lambda key=None: sent.append(set(key)))
    one.fit((-2, 2, -9, -7), (0.5, -8))
    assert [keys & {"min", "max", "value"} for keys in sent] == [{"min", "max", "value"}] * 2


def test_the_switches_follow_and_lead():
    one = Switches(COLORS, SIGNS, ("SGD", "Adam"))
    seen = []
    one.observe(lambda change: seen.append(change.new), "value")
    one.boxes["momentum"].value = True
    assert seen == [("SGD", "momentum", "Adam")]
    one.value = ("Adam", "AdaGrad")
    assert one.value == ("AdaGrad", "Adam") and len(seen) == 2, "in the order of the boxes"
    assert [name for name, box in one.boxes.items() if box.value] == ["AdaGrad", "Adam"]
    for name, box in one.boxes.items():
        assert f"color:{COLORS[name]}; " in box.description
        assert f">{SIGNS[name]}</span> {name}" in box.description
    explorer = landscape_explorer()
    for odd in (("Lion",), ("SGD", "SGD"), "SGD", 3):
        refused(partial(explorer.set, optimizers=odd), "optimizers")
    explorer.set(optimizers=())
    assert explorer.result.runs == {} and explorer.sentence.endswith("no optimizer is on.")


def test_markers_are_told_apart():
    """Colours are tests/plotting/test_contrast.py's."""
    assert [len(set(each.values())) for each in (COLORS, MARKERS, SIGNS)] == [6, 6, 6]


# --- the phase diagram -----------------------------------------------------------------------

def sgd_by_torch(start, gradient, rates, momentum, nesterov=False):
    """The path of torch.optim.SGD, with a learning rate for each step."""
    w, path = start.double().requires_grad_(), []
    optimizer = torch.optim.SGD([w], rates[0], momentum, nesterov=nesterov and momentum > 0)
    for rate in rates:
        path.append(w.detach().numpy().copy())
        optimizer.param_groups[0]["lr"] = rate
        w.grad = gradient(w.detach())
        optimizer.step()
    return np.array(path)


def roots(eta, gamma, curvature, nesterov):
    """The two roots of z² − a·z − b, where wₜ₊₁ = a·wₜ + b·wₜ₋₁: from the update rule with v left out."""
    shrink = 1 - eta * curvature
    a, b = ((1 + gamma) * shrink, -gamma * shrink) if nesterov else (gamma + shrink, -gamma)
    return np.roots([1, -a, -b])


def rate_by_roots(eta, gamma, kappa, nesterov):
    return max(np.abs(roots(eta, gamma, curvature, nesterov)).max() for curvature in (1, 1 / kappa))


POINTS = [(0.1, 0.8), (0.25, 0.2), (1.5, 0.0), (1.9, 0.5), (3.0, 0.2), (0.04, 0.9), (2.5, 0.6), (1.3, 0.9)]
CASES = [(*point, kappa, nesterov) for point in POINTS for kappa in (1, 20) for nesterov in (False, True)]


@pytest.mark.parametrize("eta, gamma, kappa, nesterov", CASES)
def test_the_run_is_torchs_and_the_rate_the_roots(eta, gamma, kappa, nesterov):
    one = phases.quadratic_run(eta, gamma, kappa, nesterov)
    curvatures = torch.tensor([1, 1 / kappa][:1 if kappa == 1 else 2], dtype=torch.float64)
    path = sgd_by_torch(torch.ones_like(curvatures), lambda w: curvatures * w, [eta] * 101, gamma, nesterov)
    path = path[np.cumsum((np.abs(path) > 1e6).any(axis=1)) == 0]
    np.testing.assert_allclose(one.path, path, rtol=1e-7, atol=1e-12 * np.abs(path).max())
    truth = rate_by_roots(eta, gamma, kappa, nesterov)
    assert one.rate == pytest.approx(truth, rel=1e-7) == one.rates.max()
    for named, curvature in zip(one.regimes, curvatures.tolist(), strict=True):
        both = roots(eta, gamma, curvature, nesterov)
        expected = ("divergent" if np.abs(both).max() >= 1 else "oscillating" if np.iscomplex(both).any()
                    or both[np.abs(both).argmax()] < 0 else "monotone")
        assert named == expected
    assert one.measured == pytest.approx(truth, rel=0.03)


def test_the_rate_is_measured_in_the_run():
    t = np.arange(101)
    swing = (0.9**t * np.cos(0.7 * t))[:, None]
    assert phases.rate_of_run(swing) == pytest.approx(0.9, rel=2e-3)
    assert phases.rate_of_run(np.hstack([swing, 0.95**t[:, None]])) == pytest.approx(0.95, rel=1e-2)
    assert phases.rate_of_run(1e-3**t[:, None] + 0.0) == pytest.approx(1e-3), "tiny squares are not 0"
    assert phases.rate_of_run(np.eye(1, 101).T) is None
    assert phases.rate_of_run((0.8**t * (t % 2))[:, None]) == pytest.approx(0.8, rel=1e-3), "zeros in between"


@pytest.mark.parametrize("kappa, nesterov", [(1, False), (1, True), (20, False), (20, True)])
def test_the_colours_of_the_map_are_the_rates(kappa, nesterov):
    areas, rng = phase_map.rate_bands(kappa, nesterov), np.random.default_rng(0)
    seen = 0
    for eta, gamma in zip(rng.uniform(0.02, 3.98, 200), rng.uniform(0.01, 0.99, 200), strict=True):
        rate = rate_by_roots(eta, gamma, kappa, nesterov)
        if np.abs(np.array(phase_map.LEVELS) - rate).min() < 0.01:
            continue
        inside = [k for k, area in enumerate(areas) if holds(area, (eta, gamma))]
        assert inside == ([np.searchsorted(phase_map.LEVELS, rate) - 1] if rate < 1 else [])
        seen += 1
    assert seen > 100


def phase_axes():
    return stage(phases._frame, phases.SIZE)


@pytest.mark.parametrize("kappa, nesterov", [(1, False), (1, True), (20, False), (20, True)])
def test_the_lines_of_the_map_are_where_the_regimes_meet(kappa, nesterov):
    chart, top, bottom = axes = phase_axes()
    phases._ground(axes, kappa, nesterov)
    phases._draw(axes, 0.3, 0.6, kappa, nesterov)
    edge, critical = None, []
    for line in curves_of(chart):
        points = line.get_xydata()[1:-1]
        points = points[(points[:, 0] > 1e-3) & (points[:, 0] <= 4)]
        curvature = 1 if line.get_linestyle() == "-" else 1 / kappa
        if points[-1, 1] > points[0, 1] or line.get_xdata()[0] == 2:       # up from the bottom: the edge
            edge = np.array([np.abs(roots(*point, 1, nesterov)).max() for point in points])
        else:
            critical.append(curvature)
            gap = [abs(np.subtract(*roots(*point, curvature, nesterov))) for point in points]
            assert max(gap) < 1e-4, "a double root"
    np.testing.assert_allclose(edge, 1, atol=1e-9)
    assert sorted(critical, reverse=True) == [1, 1 / kappa][:1 if kappa == 1 else 2]
    here, = (line for line in chart.lines if line.get_marker() == "o")
    assert here.get_xydata().tolist() == [[0.3, 0.6]]
    best = [line.get_xydata()[0] for line in chart.lines if line.get_marker() == "*"]
    assert len(best) == (not nesterov)
    if best:                                      # the least rate on a grid around it
        around = itertools.product(np.linspace(-0.3, 0.3, 7), np.linspace(-0.1, 0.1, 7))
        others = [rate_by_roots(*np.clip(best[0] + step, 0, (4, 1)), kappa, False) for step in around]
        assert rate_by_roots(*best[0], kappa, False) - 1e-6 < min(others)


@pytest.mark.parametrize("eta, gamma, kappa, nesterov", CASES[::5])
def test_the_picture_of_the_run_is_the_run(eta, gamma, kappa, nesterov):
    _, top, bottom = axes = phase_axes()
    one = phases._draw(axes, eta, gamma, kappa, nesterov)
    runs = [line for line in top.lines if line.get_marker() == "."]
    np.testing.assert_array_equal(np.array([line.get_ydata() for line in runs]).T, one.path)
    distance, = (line for line in bottom.lines if line.get_marker() == ".")
    np.testing.assert_allclose(distance.get_ydata(), np.sqrt((one.path**2).sum(axis=1)), rtol=1e-12)
    theory = [line.get_ydata() for ax in (top, bottom) for line in ax.lines if line.get_color() == "#000000"]
    rate = rate_by_roots(eta, gamma, kappa, nesterov)
    for drawn, sign in zip(theory, (1, -1, 1), strict=True):
        np.testing.assert_allclose(drawn, sign * rate ** np.arange(101), rtol=1e-6)
    words = [text.get_text() for text in bottom.texts]
    assert f"predicted {rate:.3f}" in words and f"measured {one.measured:.3f}" in words


@pytest.mark.parametrize("eta, gamma, kappa, nesterov", CASES)
def test_the_sentence_of_the_diagram_is_true(eta, gamma, kappa, nesterov):
    said, one = (say(eta, gamma, kappa, nesterov) for say in (phases._describe, phases.quadratic_run))
    rate = rate_by_roots(eta, gamma, kappa, nesterov)
    assert f"Predicted rate {rate:.3f}, measured {one.measured:.3f} in the second half" in said
    assert f"of {len(one.path) - 1} steps" in said
    assert ("not settled" in said) == (abs(one.measured / rate - 1) > 0.002)
    if rate >= 1:
        limit = 2 * (1 + gamma) / (1 + 2 * gamma * nesterov)
        assert eta > limit + 1e-9
        written = number_in(said, r"divergent, since the largest stable step is η·λ = ([\d.]+)\. ")
        assert written == pytest.approx(limit, abs=0.0051)
    elif kappa == 1:
        assert said.split(": ", 1)[1].startswith(one.regimes[0])
    else:
        rates = [np.abs(roots(eta, gamma, c, nesterov)).max() for c in (1, 1 / kappa)]
        slower = f"; the {'steep' if rates[0] > rates[1] else 'flat'} one is slower."
        tail = ", at the same rate." if rates[0] == pytest.approx(rates[1], rel=1e-9) else slower
        assert f"{one.regimes[0]} in the steep direction, {one.regimes[1]} in the flat one{tail}" in said


def discriminant(i, j, nesterov):
    """Exactly, 10⁸ times that of the roots at η·λ = i/100 and γ = j/100."""
    if nesterov:
        return (100 + j)**2 * (100 - i)**2 - 40_000 * j * (100 - i)
    return 10_000 * ((100 + j - i)**2 - 400 * j)


def phase_words(i, j, nesterov):
    """What the diagram says at η·λ = i/100, γ = j/100, of one direction."""
    eta, gamma = i / 100, j / 100
    named = phases.regime(eta, gamma, np.ones(1), nesterov=nesterov)
    run = phases.QuadraticRun(None, None, tuple(named), None, None, None)
    return phases._regimes(run, eta, gamma, nesterov)


def slack(i, j, nesterov):
    """Exactly, how far below its largest stable step a setting is: 0 at the border."""
    return 200 * (100 + j) - i * (100 + 2 * j * nesterov)


def worth_a_look(nesterov):
    """Of the 40,000 pairs of both sliders those at a border of two regimes, their neighbours, some others."""
    pairs = np.array(list(itertools.product(range(1, 401), range(100))))
    kind = np.array([3 * np.sign(slack(*pair, nesterov)) + np.sign(discriminant(*pair, nesterov))
                     for pair in pairs.tolist()]).reshape(400, 100)
    border = np.zeros(kind.shape, bool)
    border[1:] |= kind[1:] != kind[:-1]
    border[:, 1:] |= kind[:, 1:] != kind[:, :-1]
    border[:-1] |= border[1:]
    border[:, :-1] |= border[:, 1:]
    border[::23, ::7] = True
    return pairs[border.ravel()].tolist()


@pytest.mark.parametrize("nesterov", [False, True])
def test_what_the_diagram_says_is_true_by_whole_numbers_instead_of_roots(nesterov):
    for i, j in worth_a_look(nesterov):
        said, exact = phase_words(i, j, nesterov), discriminant(i, j, nesterov)
        if (room := slack(i, j, nesterov)) <= 0:
            assert said.startswith("divergent")
            assert ("border" in said) == (room == 0)
            if room:
                assert number_in(said, r"η·λ = ([\d.]+)$") < i / 100
        elif exact == 0:
            negative = i > 100
            assert said == "critical" + f": both roots are −{np.sqrt(j / 100):.2f}" * negative
        else:
            assert said.startswith("monotone" if exact > 0 and i < 100 else "oscillating")
            sides = exact > 0 and i > 100
            assert ("from side to side" in said) == sides
            if nesterov and i > 100:
                assert said.endswith("as with every stable γ where η·λ is above 1")
                continue
            critical, root = number_in(said, r"critical is γ = ([\d.]+)$"), np.sqrt(i / 100)
            truth = (1 - root) / (1 + root) if nesterov else (1 - root)**2
            assert critical == pytest.approx(truth, abs=0.0051)
            assert (critical > j / 100) == (exact > 0), said


@pytest.mark.parametrize("i, j, nesterov, words", [
    (225, 25, False, "critical: both roots are −0.50"),
    (10, 47, False, "oscillating, and critical is γ = 0.468"),
    (225, 20, False, "oscillating from side to side, and critical is γ = 0.25"),
    (200, 0, False, "divergent at its border: at η·λ = 2.00 it goes from side to side without end")])
def test_some_settings_in_words(i, j, nesterov, words):
    assert phase_words(i, j, nesterov) == words


def test_critical_and_arrived_are_said():
    explorer = phase_diagram()
    for eta, gamma, nesterov in ((0.25, 0.25, False), (0.04, 0.64, False), (0.36, 0.25, True)):
        explorer.set(eta=eta, gamma=gamma, nesterov=nesterov)
        assert explorer.result.regimes == ("critical",) and ": critical. " in explorer.sentence
        assert abs(np.subtract(*roots(eta, gamma, 1, nesterov))) < 1e-6
        assert "it falls as t·rateᵗ" in explorer.sentence
        assert explorer.result.measured > explorer.result.rate
    explorer.set(eta=1, gamma=0, nesterov=False)
    assert explorer.result.measured is None and explorer.sentence.endswith("and the run is at 0 exactly.")
    assert not explorer.result.path[1:].any()


# --- the conventions -------------------------------------------------------------------------

def three_by_hand(drop, factor, gamma, eta):
    """The three forms written out on plain numbers, and torch's by torch."""
    rates = [eta * (factor if t >= drop else 1) for t in range(100)]
    note, average = [1.0], [1.0]
    u = v = 0.0
    for rate in rates:
        u = gamma * u + rate * note[-1]
        note.append(note[-1] - u)
        v = gamma * v + (1 - gamma) * average[-1]
        average.append(average[-1] - rate / (1 - gamma) * v)
    torchs = sgd_by_torch(torch.ones(1), torch.clone, [*rates, 0], gamma)[:, 0]
    return {"note": np.array(note), "torch": torchs, "moving average": np.array(average)}, rates


DROPS = [(14, 0.1, 0.9, 0.1), (30, 0, 0.95, 0.2), (6, 0, 0.99, 0.5), (50, 0.5, 0.5, 0.02),
         (99, 0.3, 0.9, 0.05), (1, 0.01, 0.8, 0.01)]
EQUAL = {(0, 0.1, 0.9, 0.1): "no step was made with the old η", (100, 0.1, 0.9, 0.1): "η never drops",
         (20, 1, 0.9, 0.1): "η never drops", (20, 0.1, 0, 0.1): "without momentum no v contains"}


@pytest.mark.parametrize("setting", [*DROPS, *EQUAL], ids=str)
def test_the_three_forms_by_hand_and_by_torch(setting):
    one = conventions.three_runs(*setting)
    truth, rates = three_by_hand(*setting)
    assert list(one.rates) == pytest.approx(rates)
    for name, path in truth.items():
        np.testing.assert_allclose(one.paths[name], path, rtol=1e-9, atol=1e-11)
    for name, gap in one.gaps.items():
        np.testing.assert_allclose(gap, np.abs(truth[name] - truth["torch"]), rtol=1e-7, atol=1e-11)


@pytest.mark.parametrize("setting", DROPS, ids=str)
def test_they_differ_from_the_first_step_at_the_new_rate(setting):
    drop, factor, gamma, eta = setting
    one, (truth, _) = conventions.three_runs(*setting), three_by_hand(*setting)
    gap = np.abs(truth["note"] - truth["torch"])
    assert one.first_difference == drop + 1 and gap[:drop + 1].max() < 1e-13 < gap[drop + 1]
    assert np.abs(truth["moving average"] - truth["torch"]).max() < 1e-12
    said = conventions._describe(drop, factor, gamma, eta)
    assert f"γ = {gamma:g}, η = {eta:g}, {eta * factor:g} after step {drop}: " in said
    assert f"equal to 10 digits up to step {drop}. From step {drop + 1} on the note differs" in said
    assert number_in(said, r"by up to ([\d.e−]+),") == pytest.approx(gap.max(), rel=0.06)
    assert number_in(said, r", at step (\d+), and") == gap.argmax()
    assert number_in(said, r"and by ([\d.e−]+) at the end") == pytest.approx(gap[-1], rel=0.06)
    assert said.endswith("Torch and the moving average stay equal.")


@pytest.mark.parametrize("setting, why", EQUAL.items(), ids=str)
def test_where_they_stay_equal_the_reason_is_said(setting, why):
    truth, _ = three_by_hand(*setting)
    assert all(np.abs(path - truth["torch"]).max() < 1e-12 for path in truth.values())
    assert conventions.three_runs(*setting).first_difference is None
    said = conventions._describe(*setting)
    assert f"the three are equal to 10 digits in all 100 steps, because {why}" in said


def test_at_every_setting_they_differ_at_once_or_never():
    for drop, factor, gamma, eta in itertools.product(
            (0, 3, 37, 100), conventions.FACTORS[::3], conventions.MOMENTA[::2], conventions._RATES[::3]):
        one = conventions.three_runs(drop, factor, gamma, eta)
        never = factor == 1 or gamma == 0 or drop in (0, 100)
        assert one.first_difference == (None if never else drop + 1), (drop, factor, gamma, eta)
        assert not conventions.differs(one.paths["moving average"], one.paths["torch"]).any()


def test_with_a_rate_of_0_torch_stands_and_the_note_rolls_out():
    """v, 0.9·v, 0.81·v …: in the end γ/(1 − γ)·v further."""
    one = conventions.three_runs(20, 0, 0.9, 0.1)
    assert np.ptp(one.paths["torch"][20:]) == 0
    v = one.paths["note"][19] - one.paths["note"][20]
    rolled = one.paths["note"][20] - v * 0.9 * (1 - 0.9 ** np.arange(81)) / (1 - 0.9)
    np.testing.assert_allclose(one.paths["note"][20:], rolled, rtol=1e-10)


@pytest.mark.parametrize("setting", [DROPS[0], DROPS[2], (100, 0.1, 0.9, 0.1)], ids=str)
def test_the_picture_of_the_conventions(setting):
    top, bottom = axes = stage(conventions._frame, conventions.SIZE)
    one, (truth, _) = conventions._draw(axes, *setting), three_by_hand(*setting)
    colors = {style["color"]: name for name, style in conventions.STYLES.items()}
    drawn = {colors[line.get_color()]: line for line in top.lines if line.get_color() in colors}
    assert list(drawn) == ["torch", "moving average", "note"], "the widest first"
    assert np.all(np.diff([line.get_linewidth() for line in drawn.values()]) < 0)
    for name, line in drawn.items():
        np.testing.assert_allclose(line.get_ydata(), truth[name], rtol=1e-9, atol=1e-11)
    for line in (line for line in bottom.lines if line.get_color() in colors):
        gap = one.gaps[colors[line.get_color()]]
        np.testing.assert_array_equal(line.get_ydata(), np.maximum(gap, 1e-18))
    assert all(ax.lines[-1].get_xdata()[0] == setting[0] for ax in axes)
    words = [text.get_text() for text in top.texts]
    assert ("↑ the note goes to 41.6" in words) == (setting == DROPS[2])
    names = [text for text in top.texts if text.get_text() in truth]
    heights = sorted(text.get_position()[1] * conventions.TOP[3] for text in names)
    assert len(names) == 3 and np.diff(heights).min() > 12


# --- all three -------------------------------------------------------------------------------

@pytest.mark.parametrize("make", [landscape_explorer, phase_diagram, momentum_conventions],
                         ids=lambda make: make.__name__)
def test_the_panel_keeps_room_for_the_longest_sentence(make):
    explorer, rng = make(), np.random.default_rng(1)
    room = round(float(explorer.panel.sentence.layout.min_height.removesuffix("em")) / 1.4)
    choices = {name: sweep.settings(control) for name, control in explorer.controls.items()}
    for _ in range(12):
        said = explorer.describe(**{name: some[rng.integers(len(some))] for name, some in choices.items()})
        assert LETTER * len(said) / 700 <= room
