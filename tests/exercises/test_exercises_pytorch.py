"""The exercises of notebook 07: right by torch, and right about what learners really write.

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
from helpers.exercises.questions import pytorch as exercises

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = [exercise.name for exercise in exercises.EXERCISES]
WORDS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen".split()


# --- what torch says --------------------------------------------------------------------------

def accumulated(gradients, sizes):
    """The mean cost of all samples, where each sample of a mini-batch has the same linear cost."""
    w = torch.zeros_like(gradients[0], requires_grad=True)
    costs = torch.cat([(g @ w).repeat(int(size)) for g, size in zip(gradients, sizes, strict=True)])
    return torch.autograd.grad(costs.mean(), w)[0]


def swish(dy, x, beta):
    x, beta = x.clone().requires_grad_(), torch.tensor(beta, dtype=x.dtype, requires_grad=True)
    y = x * torch.sigmoid(beta * x)
    dx, dbeta = torch.autograd.grad((dy * y).sum(), (x, beta))
    return torch.cat([y.detach(), dx, dbeta[None]])


def block(dy, x, W, b):
    W = W.clone().requires_grad_()
    return torch.autograd.grad((dy * F.max_pool2d(F.relu(F.conv2d(x, W, b)), 2)).sum(), W)[0]


IN_TORCH = {"pytorch.accumulate": accumulated, "pytorch.block": block, "pytorch.swish": swish,
            "pytorch.break_it": accumulated}


def test_torch_is_asked_about_every_exercise():
    assert list(IN_TORCH) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_that_of_torch_and_no_mistake_is(name):
    checks.check_truth(find(name), IN_TORCH)


def test_relu_and_pool_matter_in_the_block():
    """Some windows are silent, and in others the largest in size is negative."""
    for case in exercises.BLOCK.inputs()[1:]:
        z = F.conv2d(*(torch.tensor(case[name]) for name in ("x", "W", "b")))
        assert (z < 0).any() and (F.max_pool2d(z, 2) > 0).any()


# --- break it ---------------------------------------------------------------------------------

@pytest.mark.parametrize("hole", exercises.HOLES, ids=lambda hole: hole.name)
def test_every_hole_of_the_weak_test_is_recognised(hole):
    checks.check_hole(exercises.BREAK, hole)


def test_no_two_holes_are_the_same():
    checks.check_holes_differ(exercises.BREAK, exercises.HOLES)


@pytest.mark.parametrize("function, mistake", [
    (exercises.accumulate_by_hand, "right"),
    (lambda gradients, sizes: gradients.sum(axis=0), "rejected"),
    (lambda gradients, sizes: gradients.mean(axis=0)[:2], "shape"),
    (lambda gradients, sizes: gradients.mean(axis=0) / (len(sizes) == 2), "not finite"),
])
def test_what_is_no_way_through_does_not_pass(function, mistake):
    verdict = grade("pytorch.break_it", function)
    assert verdict.mistake == mistake and not verdict.passed


def test_the_weak_test_is_what_the_notebook_says():
    gradients, sizes = exercises.BREAK.inputs()[0].values()
    assert gradients.tolist() == [[2, 1], [2, 1]] and sizes.tolist() == [4, 4]
    assert len(exercises.BREAK.inputs()) == 1 + 4


# --- the notebook -----------------------------------------------------------------------------

def cells(kind):
    return [cell.source for path in sorted(NOTEBOOKS.glob("07_*.ipynb"))
            for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


def test_the_notebook_asks_every_exercise_in_order():
    graded = re.findall(r'^grade\("(pytorch\..*?)"', "\n".join(cells("code")), re.MULTILINE)
    assert graded == NAMES


def test_the_notebook_says_how_many_holes_are_known_by_name():
    text = " ".join(" ".join(cells("markdown")).split())
    assert re.findall(r"The grader knows (\w+) by name", text) == [WORDS[len(exercises.HOLES)]]


# --- ways in which people come by a mistake, written as they write them ---------------------------

def in_a_loop(gradients, sizes, *, way=1.0, weight=lambda size: size, divide=True):
    """Add up mini-batch by mini-batch; way is 1 for += and 0 for =."""
    total = np.zeros(gradients.shape[1])
    for g, size in zip(gradients, sizes, strict=True):
        total = way * total + weight(size) * g
    return total / sizes.sum() if divide else total


def swish_by_autograd(Function):
    """Another right way: backward runs the forward once more, and asks autograd."""
    class Swish(Function):
        @staticmethod
        def forward(ctx, x, beta):
            ctx.save_for_backward(x, beta)
            return torch.nn.functional.silu(beta * x) / beta

        @staticmethod
        def backward(ctx, dy):
            with torch.enable_grad():
                given = [t.detach().requires_grad_() for t in ctx.saved_tensors]
                y = given[0] / (1 + torch.exp(-given[1] * given[0]))
            return torch.autograd.grad(y, given, dy)
    return Swish


def saving(y):
    """A forward that saves both and returns y(x, beta)."""
    return lambda ctx, x, beta: (ctx.save_for_backward(x, beta), y(x, beta))[1]


def swish_with(backward, forward=None):
    """A maker whose class has this backward(dy, x, beta)."""
    forward = forward or saving(lambda x, beta: x / (1 + (-beta * x).exp()))
    return lambda Function: type("Swish", (Function,), {
        "forward": staticmethod(forward),
        "backward": staticmethod(lambda ctx, dy: backward(dy, *ctx.saved_tensors))})


def slopes(dy, x, beta):
    s = (beta * x).sigmoid()
    return dy * (s + beta * x * s * (1 - s)), dy * x**2 * s * (1 - s)


def test_torch_itself_adds_up_what_is_too_large_for_its_argument():
    """Who forgets the sum over all that one β has acted on is right in torch."""
    assert grade("pytorch.swish", swish_with(slopes)).passed


def test_the_class_itself_may_be_handed_in():
    assert grade("pytorch.swish", exercises.swish_function(torch.autograd.Function)).passed


@pytest.mark.parametrize("function, said", [
    (swish_with(lambda *given: slopes(*given)[0]), "an incorrect number of gradients (expected 2, got 1)"),
    (swish_with(lambda *given: slopes(*given)[::-1]), "No usual mistake gives this"),
    (swish_with(lambda *given: (slopes(*given)[1].sum(), slopes(*given)[0])), "returned an invalid gradient"),
    (lambda Function: None if Function else 0, "a class that inherits from Function, got None; is the"),
    (swish_with(slopes, lambda ctx, x, beta: x), "missing 2 required positional arguments"),
    (swish_with(slopes, saving(lambda x, beta: x.sum())), "dy: got shape"),
    (swish_with(slopes, lambda ctx, x, beta: x.detach().numpy()), "torch.float64"),
])
def test_what_is_no_function_of_torchs_is_one_sentence(function, said):
    verdict = grade("pytorch.swish", function)
    assert not verdict.passed and said in verdict.sentence, verdict.sentence
    assert "Traceback" not in repr(verdict)


@pytest.mark.parametrize("name, function, mistake", [
    ("accumulate", lambda g, n: in_a_loop(g, n, weight=lambda size: 1.0, divide=False), "sum"),
    ("accumulate", lambda g, n: in_a_loop(g, n, way=0.0) * n.sum() / n[-1], "last"),
    ("accumulate", lambda g, n: np.mean(g, axis=0), "mean of means"),
    ("accumulate", lambda g, n: in_a_loop(g, n, divide=False), "not divided"),
    ("accumulate", lambda g, n: np.mean(n[:, None] * g, axis=0), "divided by k"),
    ("swish", swish_with(lambda dy, x, beta: slopes(dy, x, torch.ones(())),
                         saving(lambda x, beta: F.silu(x))), "β fixed at 1"),
    ("swish", swish_with(lambda dy, x, beta: (slopes(dy, x, beta)[0], None)), "None for β"),
    ("block", lambda dy, x, W, b: np.flip(exercises.block_by_hand(dy, x, W, b), (2, 3)), "turned kernel"),
    ("block", lambda dy, x, W, b: exercises.block_by_hand(dy, x, W, np.zeros_like(b)), "no bias"),
])
def test_a_mistake_is_named_however_it_is_written(name, function, mistake):
    verdict = grade(f"pytorch.{name}", function)
    assert verdict.mistake == mistake and not verdict.passed, verdict


@pytest.mark.parametrize("name, function", [
    ("accumulate", in_a_loop),
    ("swish", swish_by_autograd),
    ("block", lambda *given: block(*map(torch.tensor, given)).numpy()),
])
def test_other_right_ways_pass(name, function):
    assert grade(f"pytorch.{name}", function).passed
