"""The exercises of notebook 04: right by torch, and right about what learners really write.

tests/exercises/test_exercises.py asks of these exercises what it asks of all; this is what it does not know.
"""
from dataclasses import replace

import exercise_checks
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from helpers.exercises import break_it
from helpers.exercises.grading import compare, find, grade
from helpers.exercises.questions import network as network
from helpers.functional.losses import softmax, squared_error

NAMES = [exercise.name for exercise in network.EXERCISES]


# --- what torch says --------------------------------------------------------------------------

def blamed(cost, of):
    """The gradient of cost(of), by autograd."""
    given = of.clone().requires_grad_()
    return torch.autograd.grad(cost(given), given)[0]


def layer(x, both):
    """A fully connected layer whose weights and biases stand side by side."""
    return F.linear(x, both[:, :-1], both[:, -1])


def step(delta_next, W_next, z, a_prev):
    """The layer's z is made to be z: its bias column takes up what the weights leave."""
    both = torch.randn(z.shape[1], a_prev.shape[1] + 1, dtype=z.dtype)

    def blame(both):
        fresh = layer(a_prev, both)
        return (delta_next * F.linear(torch.tanh(fresh + (z - fresh).detach()), W_next)).sum()
    return blamed(blame, both)


# Each exercise by autograd, from nothing but its forward pass.
IN_TORCH = {
    "network.delta_output": lambda z, y:
        blamed(lambda z: z.shape[1] / 2 * F.mse_loss(torch.sigmoid(z), y), z),
    "network.delta_hidden": lambda delta, W, z:
        blamed(lambda z: (delta * F.linear(torch.tanh(z), W)).sum(), z),
    "network.dW": lambda delta, z: blamed(
        lambda both: (delta * layer(torch.sigmoid(z), both)).sum(),
        z.new_zeros(delta.shape[1], z.shape[1] + 1)),
    "network.cross_entropy": lambda z, target: blamed(lambda z: F.cross_entropy(z, target), z),
    "network.break_it": step,
}


def test_torch_is_asked_about_every_exercise():
    assert list(IN_TORCH) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_that_of_torch_and_no_mistake_is(name):
    exercise_checks.check_truth(find(name), IN_TORCH)


def test_the_cost_of_the_first_is_the_notes():
    """δ times a small step is what the cost changes by: ½‖a − y‖², averaged over the rows."""
    for case in network.OUTPUT.inputs():
        z, y = case.values()
        nudge = 1e-6 * np.random.default_rng(1).standard_normal(z.shape)
        above, below = (squared_error(1 / (1 + np.exp(-z - n)), y) for n in (nudge, -nudge))
        assert abs(above - below - 2 * (nudge * network.OUTPUT.truth(z, y)).sum()) < 1e-13


# --- the inputs -------------------------------------------------------------------------------

def test_nothing_is_saturated_and_no_square_is_symmetric():
    for exercise in (network.OUTPUT, network.HIDDEN, network.WEIGHTS, network.BREAK):
        for case in exercise.inputs()[exercise is network.BREAK:]:
            assert all(np.abs(case[name]).max() <= 2 for name in case if name[0] in "za")
            for name in ("delta_next", "W_next", "delta"):
                array = case.get(name, np.zeros((1, 1)))
                square = array.shape[0] == array.shape[1] > 1
                assert not square or not np.allclose(array, array.T)


def test_the_large_logits_tell_the_ways_to_overflow_apart():
    case = next(c for c in network.ENTROPY.inputs() if np.abs(c["z"]).max() >= 1000)
    rows = case["z"].max(1)
    assert rows[0] == 1000 and rows[1] == -1000 and abs(rows[2]) < 10
    assert ((softmax(case["z"]) > 0.05).sum(1) >= 2).all()      # no row is settled by its largest entry
    assert np.isfinite(network.ENTROPY.truth(*case.values())).all()


def test_the_weak_test_is_what_the_notebook_says():
    case = network.BREAK.inputs()[0]
    assert [case[name].tolist() for name in case] == [[[1, 1]], [[1, 2], [2, 1]], [[0, 0]], [[1, 1]]]
    assert len(network.BREAK.inputs()) == 1 + 4


# --- break it ---------------------------------------------------------------------------------

@pytest.mark.parametrize("hole", network.HOLES, ids=lambda hole: hole.name)
def test_every_hole_of_the_weak_test_is_recognised(hole):
    exercise_checks.check_hole(network.BREAK, hole)


def test_no_two_holes_are_the_same():
    exercise_checks.check_holes_differ(network.BREAK, network.HOLES)


def back(delta, a):
    return delta.T @ np.hstack([a, np.ones((len(a), 1))])


def slope(z):
    return 1 - np.tanh(z)**2


@pytest.mark.parametrize("function, mistake", [
    (lambda d, W, z, a: back(d @ W * slope(z), a), "right"),
    (lambda d, W, z, a: back(d @ W * slope(z), np.tanh(a)), "rejected"),
    (lambda d, W, z, a: back(d @ W * slope(z), a)[:2, :3], "shape"),
    (lambda d, W, z, a: np.full((2, 3), 3.0), "shape"),
    (lambda d, W, z, a: back(d @ W * np.where(z == 0, 1, np.nan), a), "not finite"),
])
def test_what_is_no_way_through_does_not_pass(function, mistake):
    verdict = grade("network.break_it", function)
    assert verdict.mistake == mistake and not verdict.passed


def test_a_hole_that_has_no_name_passes():
    verdict = grade("network.break_it", lambda d, W, z, a: back(d @ W * (1 - z**2), a))
    assert verdict.passed and verdict.sentence.endswith(break_it.OWN)


# --- the notebook -----------------------------------------------------------------------------

def test_the_notebook_asks_every_exercise_in_order():
    exercise_checks.check_asked("04", NAMES)


def test_the_notebook_says_how_many_holes_are_known_by_name():
    exercise_checks.check_counted("04", network.HOLES)


# --- ways in which people come by a mistake, written as they write them ---------------------------

def sigma(z):
    return 1 / (1 + np.exp(-z))


def one_hot(z, target):
    return np.eye(z.shape[1])[target]


def less_one(index):
    """Softmax, less 1 at index(rows, target)."""
    def function(z, target):
        p = softmax(z)
        p[index(np.arange(len(z)), target)] -= 1
        return p / len(z)
    return function


def lessened_copy(z, target):
    p = softmax(z)
    for i, t in enumerate(target):
        p[[i]][0, t] -= 1
    return p / len(z)


def shifted(shift, *, added=0.0):
    """The whole answer, with shift(z) subtracted from z."""
    def function(z, target):
        with np.errstate(all="ignore"):
            e = np.exp(z - shift(z))
            return (e / (e.sum(1, keepdims=True) + added) - one_hot(z, target)) / len(z)
    return function


def unshifted_logarithm(z, target):
    with np.errstate(all="ignore"):
        ln_p = z - np.log(np.exp(z).sum(1, keepdims=True))
        return (np.exp(ln_p) - one_hot(z, target)) / len(z)


def by_the_chain(z, target, *, least=0.0):
    """−y/p, sent back through softmax."""
    with np.errstate(all="ignore"):
        p = softmax(z)
        dp = -one_hot(z, target) / np.maximum(p, least) / len(z)
        return p * (dp - (dp * p).sum(1, keepdims=True))


def unit_by_unit(delta_next, W_next, z, way):
    """BP2 in loops; way is 1 for += and 0 for =."""
    delta = np.zeros(z.shape)
    for i, k, j in np.ndindex(*delta_next.shape, z.shape[1]):
        delta[i, j] = way * delta[i, j] + delta_next[i, k] * W_next[k, j]
    return delta * slope(z)


def sample_by_sample(delta, z_prev, way):
    """BP3 and BP4 in a loop over the batch; way is 1 for += and 0 for =."""
    both = np.zeros((delta.shape[1], z_prev.shape[1] + 1))
    for d, z in zip(delta, z_prev, strict=True):
        both = way * both + np.outer(d, [*sigma(z), 1])
    return both


@pytest.mark.parametrize("name, function, mistake", [
    ("delta_output", lambda z, y: (sigma(z) - y) * sigma(z) * (1 - sigma(z)), "m forgotten"),
    ("delta_output", lambda z, y: np.mean((sigma(z) - y) * sigma(z) * (1 - sigma(z)), 0), "samples added"),
    ("delta_output", lambda z, y: (sigma(z) - y) / len(z) * sigma(sigma(z)) * sigma(-sigma(z)), "σ′ at a"),
    ("delta_output", lambda z, y: 2 / y.size * (sigma(z) - y) * sigma(z) * (1 - sigma(z)), "MSELoss"),
    ("delta_output", lambda z, y: 2 / y.size * (sigma(z) - y), "no σ′, MSELoss"),
    ("delta_output", lambda z, y: (sigma(z) - y) / len(y[0]) * sigma(z) * (1 - sigma(z)),
     "mean over the outputs"),
    ("delta_output", lambda z, y: (y - sigma(z)) * sigma(z) * (1 - sigma(z)) / len(y), "y − a"),
    ("delta_hidden", lambda d, W, z: unit_by_unit(d, W, z, 0), "= for +="),
    ("delta_hidden", lambda d, W, z: d @ W * slope(np.tanh(z)), "σ′ at a"),
    ("delta_hidden", lambda d, W, z: (W.T @ d.T).T, "no σ′"),
    ("delta_hidden", lambda d, W, z: (d @ W * slope(z)) / len(d), "m twice"),
    ("delta_hidden", lambda d, W, z: np.einsum("ik,hj->ij", d, W) * slope(z), "summed apart"),
    ("delta_hidden", lambda d, W, z: d @ W.T.reshape(W.shape) * slope(z), "transposed"),
    ("dW", lambda d, z: sample_by_sample(d, z, 0), "last sample"),
    ("dW", lambda d, z: sample_by_sample(d, z, 1) / len(d), "m twice"),
    ("dW", lambda d, z: np.vstack([sigma(z).T @ d, d.sum(0)]), "reversed"),
    ("dW", lambda d, z: back(d, z), "z for a"),
    ("dW", lambda d, z: np.column_stack([d.T @ sigma(z), d.mean(0)]), "db averaged"),
    ("dW", lambda d, z: np.column_stack([d.sum(0), d.T @ sigma(z)]), "db first"),
    ("dW", lambda d, z: np.einsum("ik,hj->kj", d, np.hstack([sigma(z), np.ones((len(z), 1)) / len(z)])),
     "batch crossed"),
    ("cross_entropy", less_one(lambda rows, target: (slice(None), target)), "every row"),
    ("cross_entropy", less_one(lambda rows, target: slice(None)), "1 everywhere"),
    ("cross_entropy", lessened_copy, "no one-hot"),
    ("cross_entropy", shifted(lambda z: 0), "overflow"),
    ("cross_entropy", shifted(lambda z: 0, added=1e-8), "overflow"),
    ("cross_entropy", shifted(lambda z: z.min(1, keepdims=True)), "overflow"),
    ("cross_entropy", shifted(lambda z: z.mean(1, keepdims=True)), "overflow"),
    ("cross_entropy", shifted(lambda z: np.abs(z).max(1, keepdims=True)), "overflow"),
    ("cross_entropy", unshifted_logarithm, "overflow"),
    ("cross_entropy", by_the_chain, "overflow"),
    ("cross_entropy", lambda *given: np.nan_to_num(shifted(lambda z: 0)(*given)), "overflow"),
    ("cross_entropy", shifted(np.max), "one shift for all"),
    ("cross_entropy", shifted(lambda z: z - np.clip(z, -700, 700)), "clipped"),
    ("cross_entropy", shifted(lambda z: z.max(1, keepdims=True), added=1e-7), "small number added"),
])
def test_a_mistake_is_named_however_it_is_written(name, function, mistake):
    verdict = grade(f"network.{name}", function)
    assert verdict.mistake == mistake and not verdict.passed, verdict
    known = {m.name: m.sentence for m in find(f"network.{name}").mistakes}
    assert verdict.sentence == known[mistake]


@pytest.mark.parametrize("function, mistake, second", [
    (lambda *given: len(given[0]) * shifted(lambda z: 0)(*given), "m forgotten", "This is the right "),
    (lambda *given: -shifted(lambda z: 0)(*given), "sign", "The sign is wrong."),
    (lambda *given: 3 * shifted(lambda z: 0)(*given), None, "It is right but for a factor of 3."),
])
def test_overflow_beside_another_mistake_is_said_with_it(function, mistake, second):
    verdict = grade("network.cross_entropy", function)
    said = "Two things are wrong. First, it holds NaN or infinity at ±1000. Second: "
    assert verdict.mistake == mistake and verdict.sentence.startswith(said + second), verdict


def test_an_overflow_is_shown_on_the_input_that_made_it():
    lines = grade("network.cross_entropy", shifted(lambda z: 0)).evidence.splitlines()
    assert "1000" in lines[1] and any("nan" in line for line in lines)


def test_float32_is_said_to_be_that_and_nothing_else():
    verdict = grade("network.cross_entropy", lambda z, t: network.dz_by_hand(z, t).astype("float32"))
    assert verdict.sentence == "It returned numbers of float32; expected float64."


@pytest.mark.parametrize("name, function, mistake", [
    ("delta_hidden", lambda d, W, z: d @ W.T * slope(z), "transposed"),
    ("delta_hidden", lambda d, W, z: (d * slope(z)) @ W, "σ′ before W"),
    ("dW", lambda d, z: np.column_stack([d.T @ sigma(z), d.sum(axis=1)]), "db over the wrong axis"),
])
def test_what_runs_on_squares_only_is_an_error_and_has_a_name_until_then(name, function, mistake):
    exercise, answers = find(f"network.{name}"), []
    assert grade(exercise.name, function).sentence.startswith("ValueError in line")
    with pytest.raises(ValueError):
        for case in exercise.inputs():
            answers.append(function(*case.values()))
    early = replace(exercise, cases=lambda rng: exercise.inputs()[:len(answers)])
    assert compare(early, answers).mistake == mistake


# --- arguments that are changed -----------------------------------------------------------------

def averaged_in_place(delta_next, W_next, z):
    delta_next /= len(delta_next)
    return delta_next @ W_next * slope(z)


def masked_in_place(delta_next, W_next, z):
    delta_next[delta_next > 25] = 25
    return delta_next @ W_next * slope(z)


def squeezed_in_place(delta_next, W_next, z):
    return delta_next @ W_next * (1 - np.tanh(z, out=z)**2)


def error_in_place(z, y):
    y -= sigma(z)
    return -y / len(z) * sigma(z) * (1 - sigma(z))


def shifted_in_place(z, target):
    z -= z.max(axis=1, keepdims=True)
    return network.dz_by_hand(z, target)


def summed_in_place(delta, z_prev):
    delta[0] += delta[1:].sum(axis=0)
    return np.column_stack([delta.T @ sigma(z_prev), delta[0]])


@pytest.mark.parametrize("name, function, argument", [
    ("delta_hidden", averaged_in_place, "delta_next"), ("delta_hidden", masked_in_place, "delta_next"),
    ("delta_hidden", squeezed_in_place, "z"), ("delta_output", error_in_place, "y"),
    ("cross_entropy", shifted_in_place, "z"), ("dW", summed_in_place, "delta"),
])
def test_an_argument_that_is_changed_in_place_is_named(name, function, argument):
    verdict = grade(f"network.{name}", function)
    said = f"It changes its argument `{argument}`, which its caller still needs. Work on a copy: "
    assert verdict.sentence.startswith(said) and not verdict.passed, verdict


# --- other right ways ---------------------------------------------------------------------------

def by_differences(z, y):
    delta, h = np.zeros(z.shape), 1e-4
    for at in np.ndindex(z.shape):
        nudge = np.zeros(z.shape)
        nudge[at] = h
        costs = [squared_error(sigma(z + n * nudge), y) for n in (2, 1, -1, -2)]
        delta[at] = np.dot([-1, 8, -8, 1], costs) / (12 * h)
    return delta


@pytest.mark.parametrize("name, function", [
    ("delta_output", by_differences),
    ("delta_output", lambda z, y: (sigma(z) - y) * np.exp(-z) * sigma(z)**2 / len(z)),
    ("delta_hidden", lambda d, W, z: (W.T @ d.T * slope(z).T).T),
    ("delta_hidden", lambda d, W, z: unit_by_unit(d, W, z, 1)),
    ("delta_hidden", lambda d, W, z: d @ W / np.cosh(z)**2),
    ("dW", lambda d, z: sample_by_sample(d, z, 1)),
    ("dW", lambda d, z: np.column_stack([np.einsum("ik,ij->kj", d, sigma(z)), d.sum(0)])),
    ("cross_entropy", less_one(lambda rows, target: (rows, target))),
    ("cross_entropy", lambda z, target: by_the_chain(z, target, least=1e-12)),
    ("cross_entropy", shifted(lambda z: z.max(1, keepdims=True), added=1e-12)),
])
def test_other_right_ways_pass(name, function):
    assert grade(f"network.{name}", function).passed
