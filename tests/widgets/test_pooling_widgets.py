"""The numbers in the two widgets of notebook 02 are torch's, and what their sentences claim is true."""
import itertools
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from shown import asked, watched

from helpers.data import digit
from helpers.plotting.marks import written
from helpers.widgets.pooling import explorer as module
from helpers.widgets.pooling import stepper as stepping
from helpers.widgets.pooling.explorer import DIGIT, GRADIENT, Pooled, pooling_explorer, shifted
from helpers.widgets.pooling.stepper import (
    FIRST,
    MASK,
    OVERWRITE,
    X,
    accumulated,
    complete,
    pooling_stepper,
    upstream,
)

KINDS, PIXELS = ("max", "average"), digit(DIGIT) * 16
POOL = {"max": F.max_pool2d, "average": F.avg_pool2d}
GEOMETRIES = list(itertools.product(KINDS, (1, 2, 3, 4), (1, 2, 3, 4)))
VIEWS = list(itertools.product(KINDS, (2, 3), (1, 2, 3)))
of_each_view = pytest.mark.parametrize("kind, k, s", VIEWS)


def by_torch(dy, x, kind, k, s, p=0):
    x = torch.tensor(x, requires_grad=True)
    y = POOL[kind](x[None], k, s, p)[0]
    return torch.autograd.grad(y, x, torch.tensor(dy))[0].numpy()


def pooled(x, kind, k, s, p):
    return POOL[kind](torch.tensor(x)[None], k, s, p)[0].numpy()


def moved(shift):
    """PIXELS moved to the right, by torch: a negative padding takes away."""
    return F.pad(torch.tensor(PIXELS), (shift, -shift)).numpy()


def windows_of(x, k, s):
    """All windows of an image by torch: (Ho, Wo, k, k)."""
    return torch.as_tensor(x).unfold(0, k, s).unfold(1, k, s)


@pytest.fixture(scope="module")
def explorer():
    return pooling_explorer()


@pytest.fixture(scope="module")
def stepper():
    return pooling_stepper(by_torch)


# --- the explorer ----------------------------------------------------------------------------

def test_the_digit_is_one_that_shows_something():
    """Whole numbers with zeros and ties, of which no shift of two pixels loses any."""
    assert np.array_equal(PIXELS, np.round(PIXELS)) and (PIXELS == 16).sum() > 3 and (PIXELS == 0).any()
    assert not PIXELS[:, [0, 1, -2, -1]].any()
    assert all(np.array_equal(shifted(PIXELS, n), moved(n)) and moved(n).sum() == PIXELS.sum()
               for n in range(-2, 3))


def test_a_shift_loses_what_leaves():
    assert np.array_equal(shifted(np.array([[1., 2, 3]]), 2), [[0, 0, 1]])
    assert np.array_equal(shifted(np.array([[1., 2, 3]]), -1), [[2, 3, 0]])


@pytest.mark.parametrize("kind, k, s", GEOMETRIES)
def test_what_is_shown_is_torchs(kind, k, s):
    for p, shift in itertools.product((0, 1, 2), (-2, 0, 1)):
        one, half = Pooled(PIXELS, kind, k, s, p, shift, 100, 0), min(p, k // 2)
        assert one.padding == half and np.allclose(one.y, pooled(moved(shift), kind, k, s, half), rtol=1e-15)
        assert np.allclose(one.before, pooled(PIXELS, kind, k, s, half), rtol=1e-15)
        assert np.array_equal(one.dy, GRADIENT[:len(one.y), :len(one.y)])
        assert np.allclose(one.dx, by_torch(one.dy, moved(shift), kind, k, s, half), rtol=1e-12)


def test_the_result_is_that_of_the_controls(explorer):
    asked(explorer, kind="average", kernel=4, stride=3, padding=2, shift=-1)
    y, dx = explorer.result
    assert np.allclose(y, pooled(moved(-1), "average", 4, 3, 2))
    assert np.allclose(dx, by_torch(GRADIENT[:3, :3].copy(), moved(-1), "average", 4, 3, 2))


NAMES = "kind", "kernel", "stride", "padding", "shift", "across", "down"
SAMPLE = [dict(zip(NAMES, setting, strict=True)) for setting in itertools.product(
    KINDS, (1, 2, 3, 4), (1, 3), (0, 2), (-1, 0, 2), (0, 56), (26, 100))]


@pytest.mark.parametrize("values", SAMPLE[::5], ids=str)
def test_the_sentence_of_the_explorer_is_true(explorer, values):
    said, one = explorer.describe(**values), Pooled(PIXELS, **values)
    x, k, s, kind = moved(values["shift"]), values["kernel"], values["stride"], values["kind"]
    margin = -np.inf if kind == "max" else 0.0
    windows = windows_of(F.pad(torch.tensor(x), (one.padding,) * 4, value=margin), k, s).numpy()
    place = tuple(round(values[way] / 100 * (len(windows) - 1)) for way in ("down", "across"))
    window, dy = windows[place], GRADIENT[place]
    y, before = (pooled(image, kind, k, s, one.padding) for image in (x, PIXELS))
    assert f"⌋ + 1 = {len(windows)}. The window of output pixel {place} holds " in said
    assert re.search("holds ([^:]*):", said)[1] == "; ".join(", ".join(map(written, row)) for row in window)
    if kind == "max":
        tied = int((window == window.max()).sum())
        assert f"the maximum {window.max():.0f} stands there {tied} times" in said or tied == 1
        assert f"receives {dy:.0f}" in said
    else:
        assert f"the sum is {window.sum():.0f}, " in said and f"receives {dy:.0f}" in said
    if values["shift"]:
        assert f"by {abs(values['shift'])} to the {'right' if values['shift'] > 0 else 'left'} " in said
        assert (f"{(x != PIXELS).sum()} of 64 entries of x and {(y != before).sum()} of {y.size} of y."
                in said)
    else:
        assert "changed" not in said


@pytest.mark.parametrize("k, p", list(itertools.product((1, 2, 3, 4), (0, 1, 2))))
def test_a_padding_is_refused_where_torch_refuses_it(k, p):
    said = module._say(Pooled(PIXELS, "max", k, 2, p, 1, 66, 66))
    try:
        pooled(PIXELS, "max", k, 1, p)
        refused = False
    except RuntimeError:
        refused = True
    assert (f"torch refuses padding {p}" in said) == refused
    assert f"(8 + 2·{min(p, k // 2)} − {k}) / 2⌋" in said


@pytest.mark.parametrize("k, s, p", [(2, 1, 0), (3, 1, 1), (3, 2, 1), (4, 1, 2), (4, 2, 0)])
def test_the_argmax_receives_the_gradients_of_all_its_windows(k, s, p):
    """The sum that the sentence announces, counted window by window with torch's indices."""
    x = moved(1)
    _, indices = F.max_pool2d(torch.tensor(x)[None], k, s, p, return_indices=True)
    several = 0
    for across, down in itertools.product(range(0, 101, 20), repeat=2):
        one = Pooled(PIXELS, "max", k, s, p, 1, across, down)
        same = indices[0].numpy() == indices[0][one.place].item()
        row, column, *_ = one.receiving
        said, total = module._say(one), one.dy[same].sum()
        assert row * 8 + column == indices[0][one.place] and one.dx[row, column] == total
        sum_is_said = f"and {total:.0f} in all from the {same.sum()} windows whose argmax it is" in said
        assert sum_is_said == (same.sum() > 1)
        several += same.sum() > 1
    assert several, "windows that overlap must add up somewhere"


@pytest.mark.parametrize("k, s, p", [(2, 2, 1), (3, 1, 1), (3, 3, 0), (4, 1, 2)])
def test_the_parts_of_the_padding_are_cut_off(k, s, p):
    lost = 0
    for across, down in itertools.product((0, 50, 100), repeat=2):
        one = Pooled(PIXELS, "average", k, s, p, 0, across, down)
        dy = np.zeros_like(one.dy)
        dy[one.place] = k * k
        reached = by_torch(dy, PIXELS, "average", k, s, p)
        row, column, rows, columns = one.receiving
        assert reached.sum() == rows * columns
        assert (reached[row:row + rows, column:column + columns] == 1).all()
        gone = k * k - rows * columns
        assert (f"of the {gone} zeros of the padding are cut off" in module._say(one)) == (gone > 0)
        lost += gone
    assert bool(lost) == bool(p)


def test_some_outputs_do_not_change_and_some_do():
    """What the shift is there to show: by one pixel, max pooling keeps more of y than averaging."""
    kept = {kind: [np.mean(one.y == one.before) for k, s in ((3, 1), (3, 2), (4, 1), (4, 2))
                   for one in [Pooled(PIXELS, kind, k, s, 0, 1, 0, 0)]] for kind in KINDS}
    assert all(0.3 < part < 0.8 for part in kept["max"])
    assert all(a > b for a, b in zip(kept["max"], kept["average"], strict=True))


@pytest.mark.parametrize("setting, y, dx", [
    (("max", 2, 2, 0, 1, 0, 0), "y = max = 0, 4 times", "dx += 5 at the solid ring"),
    (("max", 3, 2, 1, 1, 66, 66), "y = max = 16", "dx += 2 at the ring"),
    (("average", 3, 2, 1, 1, 66, 66), "y = 61/9 ≈ 6.78", "dx += 2/9 in each cell of the frame"),
    (("average", 2, 2, 0, 1, 33, 100), "y = 15/4 = 3.75", "dx += 4/4 in each cell of the frame"),
    (("average", 1, 4, 0, 1, 100, 100), "y = 12", "dx += 4 in each cell of the frame")], ids=str)
def test_the_arithmetic_is_written_out(setting, y, dx):
    assert module._arithmetic(Pooled(PIXELS, *setting)) == (y, dx)


@pytest.mark.parametrize("kind, k, s, p", [("max", 3, 1, 1), ("max", 2, 2, 0), ("average", 4, 1, 2),
                                           ("average", 2, 2, 1), ("average", 1, 2, 0)])
def test_the_panels_of_the_explorer_show_torchs_numbers(kind, k, s, p, explorer, monkeypatch):
    panels, marks = watched(monkeypatch, module, "_panel"), watched(monkeypatch, module, "corners")
    asked(explorer, kind=kind, kernel=k, stride=s, padding=p, down=0, across=0)
    shown = {name: (values, title, more.get("tinted")) for name, values, title, _, more in panels}
    y, before = pooled(moved(1), kind, k, s, p), pooled(PIXELS, kind, k, s, p)
    dy, n = GRADIENT[:len(y), :len(y)].copy(), k * k if kind == "average" else 1
    assert np.allclose(shown["x"][0][p:p + 8, p:p + 8], moved(1)) and len(shown["x"][0]) == 8 + 2 * p
    assert np.allclose(shown["dx"][0], by_torch(dy, moved(1), kind, k, s, p) * n)
    assert shown["dx"][1] == (f"{n} · dx" if n > 1 else "dx")
    assert np.allclose(shown["y"][0], y) and np.allclose(shown["before"][0], before)
    assert shown["y"][1] == ("output y, rounded" if (y % 1).any() else "output y")
    assert np.array_equal(shown["before"][2], y == before) and np.array_equal(marks[-1][1], y != before)


@pytest.mark.parametrize("across, down", [(0, 0), (60, 0), (50, 50), (66, 100), (100, 100)])
def test_the_ring_is_at_torchs_index_and_the_dashed_ones_at_its_equals(across, down, explorer, monkeypatch):
    ringed = watched(monkeypatch, module, "rings")
    asked(explorer, kernel=3, stride=1, padding=1, across=across, down=down, shift=0)
    _, solid, dashed, *_ = ringed[-1]
    y, indices = F.max_pool2d(torch.tensor(PIXELS)[None], 3, 1, 1, return_indices=True)
    p, q = round(down / 100 * 7), round(across / 100 * 7)
    assert solid.tolist() == [[indices[0, p, q] // 8 + 1, indices[0, p, q] % 8 + 1]]
    equals = np.argwhere(np.pad(PIXELS, 1, constant_values=-1) == y[0, p, q].item())
    equals = [place for place in equals.tolist() if p <= place[0] < p + 3 and q <= place[1] < q + 3]
    assert sorted(solid.tolist() + dashed.tolist()) == equals


# --- the stepper -----------------------------------------------------------------------------

@of_each_view
def test_the_stepper_ends_at_torch_and_wrong_rules_where_they_must(kind, k, s):
    dy = upstream(kind, k, s)
    truth = by_torch(dy, X, kind, k, s)
    dx = {rule: accumulated(kind, rule, k, s, dy.size)[1] for rule in (FIRST, MASK, OVERWRITE)}
    assert dy.shape == pooled(X, kind, k, s, 0).shape and np.unique(dy).size > 1 and dy.all()
    assert np.array_equal(dx[FIRST], truth)
    assert not np.array_equal(accumulated(kind, FIRST, k, s, dy.size - 1)[1], truth), "the last step matters"
    each = [by_torch(one, X, kind, k, s) for one in np.eye(dy.size).reshape(-1, *dy.shape) * dy]
    overwritten = np.zeros(X.shape)
    for part in each:                             # the last window that reaches a pixel overwrites the others
        overwritten = np.where(part != 0, part, overwritten)
    assert np.array_equal(dx[OVERWRITE], overwritten)
    assert np.array_equal(dx[OVERWRITE], truth) == (s >= k)
    windows = windows_of(X, k, s).flatten(2).flatten(0, 1)
    masks = windows == windows.max(1, keepdim=True)[0]
    assert (masks.sum(1) > 1).any(), "each view must have a tie"
    masked = F.fold((masks * torch.tensor(dy).flatten()[:, None]).T[None], X.shape, k, stride=s)[0, 0]
    assert np.array_equal(dx[MASK], masked if kind == "max" else truth)
    assert np.array_equal(dx[MASK], truth) == (kind == "average")


def test_the_sum_of_dx_is_that_of_dy_and_larger_with_a_mask():
    dy = upstream("max", 2, 2)
    assert accumulated("max", FIRST, 2, 2, dy.size)[1].sum() == dy.sum()
    assert np.abs(accumulated("max", MASK, 2, 2, dy.size)[1]).sum() > np.abs(dy).sum()


@of_each_view
def test_what_is_complete_does_not_change(kind, k, s):
    count = upstream(kind, k, s).size
    end, before = accumulated(kind, FIRST, k, s, count)[1], np.zeros(X.shape, bool)
    for step in range(1, count + 1):
        done = complete(k, s, step)
        assert np.array_equal(accumulated(kind, FIRST, k, s, step)[1][done], end[done])
        assert (done >= before).all()
        before = done
    assert before.all()


@pytest.mark.parametrize("rule", [FIRST, MASK, OVERWRITE])
@of_each_view
def test_the_stepper_tells_the_truth_at_every_step(stepper, kind, k, s, rule):
    dy = upstream(kind, k, s)
    truth = by_torch(dy, X, kind, k, s)
    for step in range(1, dy.size + 1):
        values = {"kind": kind, "rule": rule, "kernel": k, "stride": s, "step": step}
        done = complete(k, s, step)
        differ = (done & (accumulated(**values)[1] != truth)).sum()
        said, compared = stepper.describe(**values).rpartition("; ")[::2]
        assert f"step {step} of {dy.size}: " in said
        if step == dy.size:
            parts = f"differs from torch's in {differ} of 30 entries." if differ else "equals torch's."
            assert compared == f"the backward pass is complete, and dx {parts}"
        else:
            assert f"{done.sum() or 'no'} entr{'y' if done.sum() < 2 else 'ies'} of dx " in compared
            assert (" not as in torch" in compared) == bool(differ)
            assert f"{differ} of them not" in compared or not differ or done.sum() == 1


def test_the_slider_ends_where_the_steps_end(stepper):
    asked(stepper, step=20)
    for k, s in [(3, 1), (3, 3), (2, 3), (2, 1), (2, 2), (3, 2)]:
        stepper.set(kernel=k, stride=s)
        count = upstream("max", k, s).size
        assert stepper.controls["step"].max == count >= stepper.values["step"]
    assert max(stepper.controls["step"].settings) <= min(upstream("max", k, s).size for _, k, s in VIEWS)


@pytest.mark.parametrize("values, words", [
    ({"step": 2}, "dx += −1, at the first of two maxima"),
    ({"step": 2, "rule": MASK}, "dx += −1, at each of two maxima"),
    ({"step": 2, "rule": OVERWRITE}, "dx = −1, at the first of two maxima, the old value is lost"),
    ({"step": 3}, "dx += 2, at the maximum"),
    ({"step": 1, "rule": OVERWRITE}, "dx = 3, at the first of two maxima"),
    ({"kind": "average"}, "dx += −4/4 = −1, at each of four pixels")], ids=str)
def test_the_update_is_written_out(stepper, values, words):
    assert re.search("in its window; (.*); ", stepper.describe(**{**stepper.start, **values}))[1] == words


def test_an_average_has_no_mask(stepper):
    values = {**stepper.start, "kind": "average"}
    assert "stride 1, equal parts (torch), step 2" in stepper.describe(**values)
    assert "stride 1, equal parts, as an average has no" in stepper.describe(**{**values, "rule": MASK})


@pytest.mark.parametrize("kind", KINDS)
def test_the_stepper_shows_where_dx_differs(kind):
    one = pooling_stepper(lambda *a: by_torch(*a) + 1)
    half, end = ({**one.start, "kind": kind, "step": step} for step in (10, 20))
    assert "differs from torch's in 30 of 30 entries" in one.describe(**end)
    assert f"{complete(2, 1, 10).sum()} of them not as in torch" in one.describe(**half)
    one = pooling_stepper(lambda dy, *a: by_torch(dy[::-1].copy(), *a))
    assert "differs" in one.describe(**end)


@pytest.mark.parametrize("rule", [FIRST, MASK, OVERWRITE])
def test_green_and_corners_are_where_torch_agrees_and_where_not(stepper, rule, monkeypatch):
    drawn, marks = watched(monkeypatch, stepping, "matrix"), watched(monkeypatch, stepping, "corners")
    asked(stepper, rule=rule, step=14)
    tinted = {title: more.get("tinted") for _, _, title, _, more in drawn}
    same, done = stepper.result == by_torch(upstream("max", 2, 1), X, "max", 2, 1), complete(2, 1, 14)
    assert np.array_equal(tinted["torch's dx"], done & same)
    assert np.array_equal(marks[-1][1], done & ~same) and marks[-1][1].any() == (rule != FIRST)


@pytest.mark.parametrize("rule, solid, dashed", [(FIRST, [[0, 1]], [[0, 2]]), (MASK, [[0, 1], [0, 2]], [])])
def test_the_argmax_has_a_ring_and_its_equals_a_dashed_one(stepper, rule, solid, dashed, monkeypatch):
    asked(stepper, rule=OVERWRITE)
    ringed, tints = watched(monkeypatch, stepping, "rings"), watched(monkeypatch, stepping, "matrix")
    stepper.set(rule=rule, step=2)
    assert [places.tolist() for places in ringed[-1][1:3]] == [solid, dashed]
    assert np.argwhere(tints[-4][-1]["tinted"]).tolist() == solid
