"""The overfitting explorer of notebook 05: its trainings are torch's, its picture and its sentence true."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import refused
from shown import number_in, stage
from torch import nn

from helpers.explore.panel import LETTER
from helpers.widgets.overfitting import explorer as exploring
from helpers.widgets.overfitting import overfit, overfitting_explorer, runs

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")


def by_torch(size, lam, seed):
    """Costs and accuracies of a training without dropout, look by look, as {name: (looks, 2)}."""
    ours, _ = runs._net(lam, 0.0, seed)
    net = nn.Sequential(nn.Linear(64, runs.HIDDEN), nn.ReLU(), nn.Dropout(0),
                        nn.Linear(runs.HIDDEN, 10)).double()
    net.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})
    W_1, b_1, W_2, b_2 = net.parameters()
    optimizer = torch.optim.SGD([{"params": [W_1, W_2], "weight_decay": lam}, {"params": [b_1, b_2]}],
                                runs.ETA, runs.GAMMA)
    data = {name: [torch.tensor(a) for a in pair] for name, pair in runs.samples(size, seed).items()}
    looks = {name: [] for name in data}
    for step in range(runs.STEPS + 1):
        if step % runs.EVERY == 0:
            for name, (X, y) in data.items():
                z = net(X).detach()
                looks[name].append((F.cross_entropy(z, y).item(), (z.argmax(1) == y).double().mean().item()))
        optimizer.zero_grad()
        F.cross_entropy(net(data["train"][0]), data["train"][1]).backward()
        optimizer.step()
    return {name: np.array(rows) for name, rows in looks.items()}


@pytest.mark.parametrize("size, lam, seed", [(100, 0.0, 0), (60, 0.03, 2)])
def test_a_training_is_torchs(size, lam, seed):
    ours, theirs = overfit(size, lam, 0.0, seed), by_torch(size, lam, seed)
    for name, rows in theirs.items():
        np.testing.assert_allclose(ours.cost[name], rows[:, 0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(ours.accuracy[name], rows[:, 1])


def test_dropout_acts_on_the_steps_and_not_on_what_is_shown():
    plain, dropped, all_dropped = (overfit(60, 0.0, p, 0) for p in (0.0, 0.5, 1.0))
    for name in plain.cost:
        assert plain.cost[name][0] == dropped.cost[name][0] == all_dropped.cost[name][0]
    assert dropped.cost["train"][10] > 1.2 * plain.cost["train"][10]
    net, _ = runs._net(0.0, 1.0, 0)
    assert not np.ptp(net(runs.samples(60, 0)["train"][0]), axis=0).any()   # the output's biases alone


def test_the_digits_are_nested_and_apart_and_a_fifth_of_the_labels_is_random():
    small, large = runs.samples(30, 3), runs.samples(300, 3)
    for k in (0, 1):
        np.testing.assert_array_equal(small["train"][k], large["train"][k][:30])
        np.testing.assert_array_equal(small["validation"][k], large["validation"][k])
    rows = [{row.tobytes() for row in X} for X, _ in large.values()]
    assert sum(map(len, rows)) == len(set.union(*rows)) == 300 + 200 + 360
    X, _, y, y_test = runs._digits()
    right = {row.tobytes(): label for row, label in zip(X, y, strict=True)}
    wrong = [right[row.tobytes()] != label for row, label in zip(*large["train"], strict=True)]
    assert not any(wrong[k] for k in range(300) if k % 5) and 45 <= sum(wrong) <= 60
    np.testing.assert_array_equal(large["test"][1], y_test)


def test_early_stopping_looks_at_the_validation_digits_up_to_now():
    curves = overfit(100, 0.0, 0.0, 0)
    costs = curves.cost["validation"]
    assert curves.stop() == costs.argmin() > 0 and costs.argmin() * runs.EVERY == curves.steps[curves.stop()]
    assert curves.stop(10) == costs[:6].argmin() and curves.stop(0) == 0


VALUES = {"steps": 100, "digits": 100, "lam": 0, "p": 0, "seed": 0}


@pytest.mark.parametrize("changed", [{}, {"lam": 0.03}, {"steps": 40, "p": 0.5}, {"steps": 10},
                                     {"digits": 30}, {"steps": 0}], ids=str)
def test_the_picture_is_that_of_the_training(changed):
    axes = stage(exploring._frame, exploring.SIZE)
    values = {**VALUES, **changed}
    one = exploring._draw(axes, **values)
    last = values["steps"] // runs.EVERY
    for ax, kind in zip(axes, ("cost", "accuracy"), strict=True):
        for name, color in exploring.SIDES.items():
            drawn = [line for line in ax.lines if line.get_color() == color]
            curve, = (line for line in drawn if line.get_linewidth() > 2)
            assert (curve.get_marker() == "o") == (last == 0)          # one point alone is a dot
            np.testing.assert_array_equal(curve.get_ydata(), getattr(one.curves, kind)[name][:last + 1])
            pale = [line for line in drawn if line.get_alpha()]
            assert len(pale) == bool(values["lam"] or values["p"])
            for line in pale:
                plain = overfit(values["digits"], 0, 0, 0)
                np.testing.assert_array_equal(line.get_ydata(), getattr(plain, kind)[name])
            dots = [line for line in drawn if line.get_marker() == "o" and line is not curve]
            assert len(dots) == (one.stop < last)
            for dot in dots:
                assert dot.get_xdata()[0] == one.curves.steps[one.stop]
                assert dot.get_ydata()[0] == min(getattr(one.curves, kind)[name][one.stop], ax.get_ylim()[1])


@pytest.mark.parametrize("changed", [{}, {"lam": 0.01, "digits": 300}, {"steps": 20, "p": 0.5}, {"steps": 0}],
                         ids=str)
def test_the_sentence_says_the_numbers(changed):
    values = {**VALUES, **changed}
    said, one = exploring._describe(**values), exploring.watched(**values)
    last, curves = values["steps"] // runs.EVERY, one.curves
    for name in ("train", "test"):
        assert number_in(said, name + r" cost ([\d.]+)") == pytest.approx(curves.cost[name][last], abs=0.005)
        assert number_in(said, name + r" cost [\d.]+, accuracy (\d+)%") == pytest.approx(
            100 * curves.accuracy[name][last], abs=0.51)
    if values["lam"] or values["p"]:
        assert number_in(said, r"; without λ and dropout cost ([\d.]+)") == pytest.approx(
            overfit(values["digits"], 0, 0, 0).cost["test"][last], abs=0.005)
    best = curves.cost["validation"][:last + 1].argmin()
    if best == last:
        assert said.endswith("at its lowest: no reason to stop before.")
    else:
        assert number_in(said, r"weights of step (\d+)") == best * runs.EVERY
        there = number_in(said, r"lowest: test cost ([\d.]+)")
        assert there == pytest.approx(curves.cost["test"][best], abs=0.005)


def test_each_button_shows_what_it_is_called():
    explorer, found = overfitting_explorer(), {}
    for name, values in exploring.PRESETS.items():
        explorer.set(**explorer.start)                # a button says all that it needs
        explorer.set(**values)
        found[name] = {part: explorer.result.curves.cost[part][-1] for part in ("train", "test")}
    assert found["overfit"]["test"] > 10 * found["overfit"]["train"]
    for name in ("L2", "dropout", "both", "more digits"):
        assert found[name]["test"] < found["overfit"]["test"]
    assert found["underfit"]["train"] > found["overfit"]["test"]


def test_the_panel_keeps_room_for_the_longest_sentence():
    explorer = overfitting_explorer()
    room = round(float(explorer.panel.sentence.layout.min_height.removesuffix("em")) / 1.4)
    for lam, p in ((0.003, 0), (0, 0.5)):
        assert LETTER * len(exploring._describe(**{**VALUES, "lam": lam, "p": p})) / 700 <= room


def test_odd_trainings_are_refused():
    for size in (4, 301, 2.5):
        refused(lambda size=size: overfit(size, 0.0, 0.0, 0), "size")
    refused(lambda: overfit(30, -1.0, 0.0, 0), "weight_decay")
    refused(lambda: overfit(30, 0.0, 1.5, 0), "p")
