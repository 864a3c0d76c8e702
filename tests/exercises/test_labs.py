"""The three suspects are wrong, the mended ones are right, and the checks tell which is which.

That the suspects train, and that the checks find them, notebook 07 prints.
tests/exercises/test_exercises.py asks of the exercises what it asks of all; this is what it does not know.
"""
import copy
import inspect

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import rng
from torch_nets import twin_of

from helpers.exercises import catch_it, labs
from helpers.exercises.grading import grade
from helpers.exercises.labs import (
    SuspectBlock,
    SuspectNorm,
    backward_of,
    suspect_one,
    suspect_three,
    suspect_two,
)
from helpers.exercises.labs_mended import flat, mended_one, mended_three, mended_two, recorded
from helpers.exercises.questions import labs as checks
from helpers.exercises.questions.labs import block_is_off, norm_is_off
from helpers.functional.losses import softmax_cross_entropy_backward
from helpers.nn.trained_cnn import digit_images
from helpers.verify.differences import central_differences
from helpers.verify.witnesses import WitnessError, three_witnesses

X, X_TEST, Y, Y_TEST = digit_images(np.random.default_rng(0))


def test_a_suspect_is_short_and_does_not_say_what_is_wrong():
    for one in (SuspectNorm._forward, SuspectNorm._backward, SuspectBlock, suspect_one, suspect_two,
                suspect_three):
        source = inspect.getsource(one)
        assert len([line for line in source.splitlines() if line.strip()]) <= 20
        assert not any(word in source.lower() for word in ("bug", "wrong", "fault", "spoil", "activation"))


# --- the first -----------------------------------------------------------------------------------

def activations(*shape, seed=0):
    return rng(seed).normal(size=shape) * (1 + np.arange(shape[1]))[:, None, None] - 0.7


def test_the_first_passes_a_gradient_check_with_its_own_formula():
    """The backward is right, of the wrong function: only another's function, torch's, finds it."""
    layer, x = SuspectNorm(3), activations(5, 3, 2, 4)
    layer.weight.value, layer.bias.value = np.array([0.5, -2, 1.5]), np.array([1.0, 0.2, -1])
    weight, bias = layer.weight.value, layer.bias.value
    dy = rng(1).normal(size=x.shape)
    layer(x)
    dx = layer.backward(dy)

    def by_hand(x, weight, bias):
        mine = copy.deepcopy(layer)
        mine.weight.value, mine.bias.value = weight, bias
        return mine(x)

    def same_formula(x, weight, bias):
        x_hat = (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + 1e-5)
        return weight[:, None, None] * x_hat + bias[:, None, None]

    given = {"x": (x, dx), "weight": (weight, layer.weight.grad), "bias": (bias, layer.bias.grad)}
    three_witnesses(by_hand, same_formula, dy, **given)
    with pytest.raises(WitnessError, match="value"):
        three_witnesses(by_hand, lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), dy,
                        **given)


def test_the_moments_of_the_first_look_right_and_the_check_finds_it():
    x = activations(6, 8, 3, 5)
    suspect, mended = suspect_one(rng())[1], mended_one(rng())[1]
    x_hat = suspect(x)
    assert np.abs(x_hat.mean((0, 2, 3))).max() < 1e-12 and np.abs(x_hat.var((0, 2, 3)) - 1).max() < 1e-3
    assert norm_is_off(suspect, x) > 0.5
    assert norm_is_off(mended, x) < 1e-12


# --- the second ----------------------------------------------------------------------------------

def block_inputs():
    x = activations(2, 8, 3, 2)
    return rng(1).normal(size=x.shape), x


def test_in_rows_a_block_is_the_same_and_is_found_too():
    dy, x = block_inputs()
    for net, wrong in ((suspect_two(rng()), True), (mended_two(rng()), False)):
        block, backward = labs.in_rows(net[1], x.shape[1:])
        rows, given = x.reshape(2, -1), dy.reshape(2, -1).copy()
        assert np.array_equal(block(rows), net[1](x).reshape(2, -1))
        net.forget()
        off = block_is_off(block, backward, given, rows)
        assert off > 0.5 if wrong else off < 1e-6
        backward(given, rows)
        assert np.array_equal(given, dy.reshape(2, -1)) != wrong, "the layer has dy itself"


def test_a_check_that_measures_with_the_changed_dy_finds_nothing():
    dy, x = block_inputs()
    net = suspect_two(rng())
    check = next(m.function for m in checks.SECOND.mistakes if m.name == "measured with the changed dy")
    assert check(net[1], backward_of(net[1]), dy, x) < 1e-6


def test_the_gradients_behind_the_second_are_right_and_those_before_it_wrong():
    """Both have the same weights: the last layer and the last block's convolution agree, no other does."""
    grads = []
    for make in (suspect_two, mended_two):
        net = make(rng())
        net.backward(softmax_cross_entropy_backward(net(X[:64]), Y[:64]), needs_dx=False)
        grads.append([p.grad for p in net.parameters()])
    assert [a.shape for a in grads[0]] == [b.shape for b in grads[1]]
    same = [np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(*grads, strict=True)]
    assert same == [False, False, False, False, True, True, True, True]      # conv, block, block, linear


def test_the_mended_block_is_torchs():
    block, (dy, x) = mended_two(rng())[2], block_inputs()
    W, b = block[0].weight.value, block[0].bias.value
    t = torch.tensor(x, requires_grad=True)
    out = t + F.relu(F.conv2d(t, torch.tensor(W), torch.tensor(b), padding=1))
    true = torch.autograd.grad(out, t, torch.tensor(dy))[0].numpy()
    assert np.allclose(block(x), out.detach().numpy()) and np.allclose(block.backward(dy), true, atol=1e-12)


# --- the third -----------------------------------------------------------------------------------

def departures(W, gradient, eta):
    return np.array([np.abs(W[k + 1] - W[k] + eta * gradient(k, W[k])).max() for k in range(len(W) - 1)])


@pytest.fixture(scope="module")
def records():
    found = {}
    for loop in (suspect_three, mended_three):
        net = mended_one(rng())
        found[loop] = recorded(loop(net, X, Y, rng=rng(), epochs=2, lr=0.05), net, X, Y)
    return found


def test_the_third_is_right_at_each_first_step_of_an_epoch_alone(records):
    steps = -(-len(X) // 64)
    off = departures(*records[suspect_three], 0.05)
    assert len(off) == 2 * steps
    assert np.flatnonzero(off < 1e-12).tolist() == [0, steps]
    assert departures(*records[mended_three], 0.05).max() < 1e-12


def test_the_mended_loop_is_torchs(records):
    """Losses and all parameters of an epoch, at every step."""
    net = mended_one(rng())
    model = twin_of(net, strict=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for batch, cost in mended_three(net, X, Y, rng=rng(), epochs=1, lr=0.05):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(torch.tensor(X[batch])), torch.tensor(Y[batch]))
        loss.backward()
        optimizer.step()
        theirs = torch.cat([p.detach().ravel() for p in model.parameters()]).numpy()
        assert abs(cost - loss.item()) < 1e-9 * loss.item()
        assert np.linalg.norm(flat(net) - theirs) < 1e-9 * np.linalg.norm(theirs)


def test_the_recorded_gradient_is_that_of_the_cost(records):
    W, gradient = records[mended_three]
    assert len(W) == 47 and W.shape[1] == sum(p.value.size for p in mended_one(rng()).parameters())
    assert not np.array_equal(gradient(0, W[0]), gradient(1, W[0]))
    assert np.array_equal(gradient(3, W[3]), gradient(3, W[3]))


# --- the exercises -------------------------------------------------------------------------------

def by_torch_norm(norm, x):
    return np.abs(norm(x) - F.batch_norm(torch.tensor(x), None, None, training=True).numpy()).max()


def by_loops(norm, x):
    off, y = 0.0, norm(x)
    for c in range(x.shape[1]):
        one = x[:, c]
        off = max(off, np.abs(y[:, c] - (one - one.mean()) / one.std()).max())
    return off


def by_central_differences(block, backward, dy, x):
    given = dy.copy()
    dx = backward(given, x)
    entries, slopes = central_differences(block, [x], dy, 0)
    return max(np.abs(dx.flat[entries] - slopes).max(), np.abs(given - dy).max())


def relative_steps(W, gradient, eta):
    right = np.array([W[k] - eta * gradient(k, W[k]) for k in range(len(W) - 1)])
    return np.linalg.norm(W[1:] - right) / np.linalg.norm(np.diff(W, axis=0))


@pytest.mark.parametrize("name, function", [
    ("first", by_torch_norm), ("first", by_loops), ("second", by_central_differences),
    ("third", relative_steps), ("third", lambda *given: float(relative_steps(*given) > 1e-6)),
])
def test_other_right_checks_pass(name, function):
    verdict = grade(f"labs.{name}", function)
    assert verdict.passed, verdict
    assert verdict.sentence.startswith("It accepts all 2 that are right, and catches all ")


def test_all_the_wrong_ones_are_wrong_and_the_right_ones_right_by_torch():
    for suspect in checks._norms(rng()):
        x = suspect.given["x"]
        true = F.batch_norm(torch.tensor(x), None, None, training=True).numpy()
        assert (np.abs(suspect.given["norm"](x) - true).max() < 1e-5) == suspect.right, suspect.does
    for suspect in checks._backwards(rng()):
        dy, x, given = suspect.given["dy"], suspect.given["x"], suspect.given["dy"].copy()
        t = torch.tensor(x, requires_grad=True)
        out = t + F.relu(t @ torch.tensor(checks.WEIGHT).T)
        assert np.allclose(suspect.given["block"](x), out.detach().numpy())
        true = torch.autograd.grad(out, t, torch.tensor(dy))[0].numpy()
        right = np.allclose(suspect.given["backward"](given, x), true) and np.array_equal(given, dy)
        assert right == suspect.right, suspect.does


def by_torch_sgd():
    """W of the six steps by torch.optim."""
    w = torch.tensor([0.5, -1.0, 1.5], dtype=torch.float64, requires_grad=True)
    optimizer, W = torch.optim.SGD([w], lr=checks.ETA), [w.detach().numpy().copy()]
    for x, t in zip(torch.tensor(checks.BATCHES), torch.tensor(checks.TARGETS), strict=True):
        optimizer.zero_grad()
        (0.5 * (x @ w - t)**2).backward()
        optimizer.step()
        W.append(w.detach().numpy().copy())
    return np.array(W)


def test_the_right_trainings_are_torchs():
    true = by_torch_sgd()
    for suspect in checks._trainings(rng()):
        assert np.allclose(suspect.given["W"], true, rtol=1e-12) == suspect.right, suspect.does


def test_each_suspect_is_among_the_wrong_ones():
    """What the check is shown does what the suspect in the network does."""
    x = activations(4, 2, 3, 5)
    given = next(s.given["norm"] for s in checks._norms(rng()) if "each activation" in s.does)
    assert np.allclose(given(x), SuspectNorm(2)(x), atol=1e-12)
    dx = checks.masks_in_place(dy := np.ones((2, 3)), np.array([[1.0, -2, 3], [-2, 1, 2]]))
    assert not dy.all() and dx.shape == dy.shape
    assert any("once an epoch" in s.does for s in checks._trainings(rng()))


def gives_dy_away(block, backward, dy, x):
    entries, slopes = central_differences(block, [x], dy, 0)
    return np.abs(backward(dy, x).flat[entries] - slopes).max()


def test_who_gives_dy_away_is_told_that_it_was_changed():
    verdict = grade("labs.second", gives_dy_away)
    assert verdict.sentence.startswith("It changes its argument `dy`, which its caller still needs.")
    assert "block = block, backward = masks_in_place, dy (2, 3), x (2, 3)" in verdict.sentence


@pytest.mark.parametrize("function, said", [
    (lambda norm, x: norm(x) - x, "It returned an array of shape (4, 2, 3, 5) for one that normalizes each"),
    (lambda norm, x: np.nan, "It returned nan for one that normalizes each channel; expected one finite"),
    (lambda norm, x: np.inf, "It returned inf for one"),
    (lambda norm, x: True, "It returned a bool; expected a number."),
    (lambda norm, x: float(norm(x)[0, 1, 0, 0] < -0.5),
     "It catches 5 of 13 that are wrong. It accepts one that normalizes each channel of each sample."),
    (lambda norm, x: float(norm is checks.normalizes_channels),
     "It rejects what is right: one that normalizes each channel."),
])
def test_whatever_a_check_says_is_one_clear_sentence(function, said):
    verdict = grade("labs.first", function)
    assert verdict.sentence.startswith(said) and not verdict.passed, verdict


def test_the_evidence_lists_what_it_judged_wrongly():
    blind = next(m.function for m in checks.THIRD.mistakes if m.name == "direction only")
    verdict = grade("labs.third", blind)
    assert verdict.shown == catch_it.SHOWN
    does = [line.split("though it ")[1] for line in verdict.evidence.splitlines()]
    assert does == ["decreases the learning rate", "leaves out the first step", "leaves out the third step",
                    "leaves out the last step", "has a learning rate twice as large"]
    assert all("accepted" in line for line in verdict.evidence.splitlines())


def test_a_negative_number_is_a_complaint_too():
    assert grade("labs.first", lambda norm, x: -norm_is_off(norm, x)).passed
