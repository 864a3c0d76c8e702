"""The exercises of notebook 06: right by torch, and right about what learners really write.

tests/exercises/test_exercises.py asks of these exercises what it asks of all; this is what it does not know.
"""
import re
from pathlib import Path

import exercise_checks as checks
import nbformat
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from helpers.exercises.grading import find, grade
from helpers.exercises.questions import pathologies as pathologies

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = [exercise.name for exercise in pathologies.EXERCISES]
WORDS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
         "fifteen sixteen seventeen eighteen nineteen twenty").split()


# --- what torch says --------------------------------------------------------------------------

def blamed(cost, of):
    """The gradient of cost(of), by autograd."""
    given = of.clone().requires_grad_()
    return torch.autograd.grad(cost(given), given)[0]


def chi(z, sigma_w):
    """The mean of the squared slopes, each by autograd."""
    return sigma_w**2 * (blamed(lambda z: torch.tanh(z).sum(), z)**2).mean()


def running(x, mean, var, momentum):
    mean, var = mean.clone(), var.clone()
    F.batch_norm(x, mean, var, training=True, momentum=float(momentum))
    return torch.stack([mean, var])


def dx(dy, x, weight, eps):
    def cost(x):
        return (dy * F.batch_norm(x, None, None, weight, training=True, eps=float(eps))).sum()
    return blamed(cost, x)


def residual(dz, V, W, z0):
    def cost(z):
        for V_l, W_l in zip(V, W, strict=True):
            z = z + F.linear(torch.tanh(F.linear(z, V_l)), W_l)
        return (dz * z).sum()
    return blamed(cost, z0)


IN_TORCH = {"pathologies.chi": chi, "pathologies.running": running, "pathologies.batch_norm": dx,
            "pathologies.residual": residual, "pathologies.break_it": dx}


def test_torch_is_asked_about_every_exercise():
    assert list(IN_TORCH) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_that_of_torch_and_no_mistake_is(name):
    checks.check_truth(find(name), IN_TORCH)


# --- break it ---------------------------------------------------------------------------------

@pytest.mark.parametrize("hole", pathologies.HOLES, ids=lambda hole: hole.name)
def test_every_hole_of_the_weak_test_is_recognised(hole):
    checks.check_hole(pathologies.BREAK, hole)


def test_no_two_holes_are_the_same():
    checks.check_holes_differ(pathologies.BREAK, pathologies.HOLES)


@pytest.mark.parametrize("function, mistake", [
    (pathologies.dx_by_hand, "right"),
    (lambda dy, x, weight, eps: dy * 0.5, "rejected"),
    (lambda dy, x, weight, eps: weight * dy / np.sqrt(x.var(axis=0, ddof=1) + eps), "rejected"),
    (lambda dy, x, weight, eps: (weight * dy / np.sqrt(x.var(axis=0) + eps))[:4, :1], "shape"),
])
def test_what_is_no_way_through_does_not_pass(function, mistake):
    verdict = grade("pathologies.break_it", function)
    assert verdict.mistake == mistake and not verdict.passed


def test_the_weak_test_is_what_the_notebook_says():
    dy, x, weight, eps = pathologies.BREAK.inputs()[0].values()
    assert dy.ravel().tolist() == [1, -1, -1, 1] and x.ravel().tolist() == [-3, -1, 1, 3]
    assert weight.tolist() == [1] and eps == 1e-12 and len(pathologies.BREAK.inputs()) == 1 + 4


# --- the notebook -----------------------------------------------------------------------------

def cells(kind):
    return [cell.source for path in sorted(NOTEBOOKS.glob("06_*.ipynb"))
            for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


def test_the_notebook_asks_every_exercise_in_order():
    graded = re.findall(r'^grade\("(.*?)"', "\n".join(cells("code")), re.MULTILINE)
    assert [name for name in graded if "." in name] == NAMES


def test_the_notebook_says_how_many_holes_are_known_by_name():
    text = " ".join(" ".join(cells("markdown")).split())
    assert re.findall(r"The grader knows (\w+) by name", text) == [WORDS[len(pathologies.HOLES)]]


# --- ways in which people come by a mistake, written as they write them ---------------------------

def slope(z):
    return 1 - np.tanh(z)**2


def kept(x, mean, var, momentum, *, ddof=1, share=None):
    """The running statistics in a loop over the channels."""
    share = momentum if share is None else share
    rows = [((1 - share) * m + share * c.mean(), (1 - share) * v + share * c.var(ddof=ddof))
            for c, m, v in zip(np.moveaxis(x, 1, 0), mean, var, strict=True)]
    return np.array(rows).T


def by_the_long_way(dy, x, weight, eps, *, through_mean=True, through_var=True):
    """Through x̂, σ² and μ one after the other, as the paper has it."""
    n, mean, var = len(x), x.mean(0), x.var(0)
    dxhat = dy * weight
    dvar = (dxhat * (x - mean)).sum(0) * -0.5 * (var + eps)**-1.5
    dmean = -dxhat.sum(0) / np.sqrt(var + eps)
    return (dxhat / np.sqrt(var + eps) + through_var * dvar * 2 * (x - mean) / n
            + through_mean * dmean / n)


def skipping(dz, V, W, z0, *, skip=1.0, factor=slope):
    """Residual blocks, recursively."""
    if not len(V):
        return dz
    inner = z0 @ V[0].T
    above = skipping(dz, V[1:], W[1:], z0 + np.tanh(inner) @ W[0].T, skip=skip, factor=factor)
    return skip * above + (above @ W[0] * factor(inner)) @ V[0]


@pytest.mark.parametrize("name, function, mistake", [
    ("chi", lambda z, s: s * np.mean((1 - np.tanh(z)**2)**2), "σ_w for σ_w²"),
    ("chi", lambda z, s: (s * np.mean(1 / np.cosh(z)**2))**2, "square of the mean"),
    ("chi", lambda z, s: np.linalg.norm(s * slope(z))**2, "sum for mean"),
    ("chi", lambda z, s: s * np.sqrt(np.mean(slope(z)**2)), "root"),
    ("chi", lambda z, s: s**2 * np.mean(np.tanh(z)**2), "length map"),
    ("running", lambda *given: kept(*given, ddof=0), "biased"),
    ("running", lambda *given: kept(*given, share=1 - given[-1]), "momentum reversed"),
    ("running", lambda *given: kept(*given, ddof=0, share=1 - given[-1]), "biased, reversed"),
    ("running", lambda *given: kept(*given, share=1.0), "no memory"),
    ("batch_norm", lambda *given: by_the_long_way(*given, through_mean=False), "no mean term"),
    ("batch_norm", lambda *given: by_the_long_way(*given, through_var=False), "no variance term"),
    ("batch_norm", lambda dy, x, w, eps: dy * w / np.sqrt(x.var(0) + eps), "constants"),
    ("batch_norm", lambda dy, x, w, eps: pathologies.dx_by_hand(dy, x, 1.0, eps), "no weight"),
    ("residual", lambda *given: skipping(*given, skip=0.0), "no identity"),
    ("residual", lambda *given: skipping(*given, factor=np.ones_like), "no σ′"),
    ("residual", lambda *given: skipping(*given, factor=lambda u: slope(np.tanh(u))), "σ′ at a"),
])
def test_a_mistake_is_named_however_it_is_written(name, function, mistake):
    verdict = grade(f"pathologies.{name}", function)
    assert verdict.mistake == mistake and not verdict.passed, verdict
    known = {m.name: m.sentence for m in find(f"pathologies.{name}").mistakes}
    assert verdict.sentence == known[mistake]


def in_place(dz, V, W, z0):
    """`+=` on the caller's array."""
    z, a = z0, []
    for V_l, W_l in zip(V, W, strict=True):
        a.append(np.tanh(z @ V_l.T))
        z = z + a[-1] @ W_l.T
    for l in reversed(range(len(V))):
        dz += (dz @ W[l] * (1 - a[l]**2)) @ V[l]
    return dz


def test_blame_that_is_changed_in_place_is_named():
    verdict = grade("pathologies.residual", in_place)
    assert verdict.sentence.startswith("It changes its argument `dz`") and not verdict.passed


@pytest.mark.parametrize("name, function", [
    ("chi", lambda z, s: np.mean((s / np.cosh(z)**2)**2)),
    ("running", kept),
    ("batch_norm", by_the_long_way),
    ("residual", skipping),
])
def test_other_right_ways_pass(name, function):
    assert grade(f"pathologies.{name}", function).passed
