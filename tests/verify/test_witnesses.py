"""Do the three witnesses accept what is right, and can they fail? Wrong gradients are put before them."""
import functools
import itertools
import re
import sys
import types
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers.functional.convolution import conv2d, conv2d_backward
from helpers.verify import differences
from helpers.verify.differences import KinkError, central_differences
from helpers.verify.report import TWO_WITNESSES, Row
from helpers.verify.witnesses import WitnessError, refuted, three_witnesses

torch.set_num_threads(1)

# --- hostile shapes --------------------------------------------------------------------------
# In each, all axes of x differ, and kernel and image are higher or wider, never square.

SHAPES = {
    "plain":          ((2, 3, 5, 6), (4, 3, 3, 2), {}),
    "stride":         ((2, 3, 5, 7), (4, 3, 3, 2), {"stride": (2, 1)}),
    "left over":      ((2, 3, 7, 5), (4, 3, 2, 3), {"stride": (3, 2)}),
    "stride > kernel": ((3, 2, 8, 5), (4, 2, 2, 1), {"stride": (3, 2)}),
    "padding":        ((3, 2, 5, 4), (4, 2, 3, 2), {"padding": (1, 2)}),
    "dilation":       ((3, 2, 6, 7), (4, 2, 3, 2), {"dilation": (2, 3)}),
    "groups":         ((3, 4, 5, 6), (6, 2, 3, 2), {"groups": 2}),
    "depthwise":      ((2, 4, 5, 6), (4, 1, 3, 2), {"groups": 4}),
    "unbatched":      ((3, 6, 5), (4, 3, 3, 2), {"padding": (2, 1)}),
    "1 × 1":          ((2, 3, 4, 5), (4, 3, 1, 1), {}),
    "everything":     ((3, 4, 8, 9), (6, 2, 3, 2),
                       {"stride": (3, 2), "padding": (2, 1), "dilation": (2, 3), "groups": 2}),
}


@functools.cache
def hostile(name):
    """x, W, b, dy of random numbers, and the options."""
    rng, (x, W, options) = np.random.default_rng(0), SHAPES[name]
    x, W, b = rng.normal(size=x), rng.normal(size=W), rng.normal(size=W[0])
    return x, W, b, rng.normal(size=conv2d(x, W, b, **options).shape), options


def hear(name, gradients, court=three_witnesses):
    x, W, b, dy, options = hostile(name)
    dx, dW, db = gradients
    return court(conv2d, F.conv2d, dy, options=options, x=(x, dx), W=(W, dW), b=(b, db))


@pytest.mark.parametrize("name", SHAPES)
def test_the_right_gradient_is_accepted(name):
    x, W, _, dy, options = hostile(name)
    rows = hear(name, conv2d_backward(dy, x, W, **options))
    assert [row.name for row in rows] == ["value", "dx", "dW", "db"]
    assert {row.words()[2:] for row in rows} == {("≤ 1e-12", ""), ("≤ 1e-12", "≤ 1e-08")}


# --- plausible wrong gradients ---------------------------------------------------------------

def of_kernel(change):
    """dx from another kernel, such as one that is not flipped."""
    def wrong(dy, x, W, dx, dW, db, options):
        return conv2d_backward(dy, x, change(W), **options)[0], dW, db
    return wrong


MUTANTS = {
    "kernel not flipped": of_kernel(lambda W: W[..., ::-1, ::-1].copy()),
    "channels not exchanged": of_kernel(lambda W: W.reshape(3, 4, 3, 2).swapaxes(0, 1).copy()),
    "one off": lambda dy, x, W, dx, dW, db, options: (np.roll(dx, 1, axis=-1), dW, db),
    "the last image": lambda dy, x, W, dx, dW, db, options:
        (dx, conv2d_backward(dy[-1:], x[-1:], W, **options)[1], db),
    "ones for dy": lambda dy, x, W, dx, dW, db, options: conv2d_backward(np.ones_like(dy), x, W, **options),
    "minus dW": lambda dy, x, W, dx, dW, db, options: (dx, -dW, db),
    "db a mean": lambda dy, x, W, dx, dW, db, options: (dx, dW, db / dy[:, 0].size),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_of_the_two_witnesses_is_enough_to_reject_a_wrong_gradient(mutant):
    x, W, _, dy, options = hostile("plain")
    wrong = MUTANTS[mutant](dy, x, W, *conv2d_backward(dy, x, W, **options), options)
    with pytest.raises(WitnessError, match="disagrees with autograd .* and central differences"):
        hear("plain", wrong)


def test_one_entry_that_is_off_by_a_millionth_is_seen():
    x, W, _, dy, options = hostile("everything")
    dx, dW, db = conv2d_backward(dy, x, W, **options)
    with pytest.raises(WitnessError, match="^dx .* disagrees with autograd"):
        hear("everything", (dx + 1e-6 * (dx == dx.max()), dW, db))


# --- weak data -------------------------------------------------------------------------------

def test_a_constant_dy_is_refused():
    x, W, dy = np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3))
    dx, dW, db = conv2d_backward(dy, x, W)
    for constant in (dy, 0 * dy, dy + 1e-9 * np.random.default_rng(0).normal(size=dy.shape),
                     dy * np.eye(3)):      # ones; nothing; nearly ones; mostly nothing
        with pytest.raises(ValueError, match="dy: got the same number everywhere or nearly so.*rng.normal"):
            three_witnesses(conv2d, F.conv2d, constant, x=(x, dx), W=(W, dW), b=(np.zeros(1), db))


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_a_single_dy_may_be_one_but_not_nothing():
    x = np.array([1.0, 2.0])
    three_witnesses(np.dot, torch.dot, np.array(1.0), x=(x, x), z=(x, x))
    for f, g, dy in (np.dot, torch.dot, np.array(0.0)), (np.square, torch.square, np.ones(2)):
        with pytest.raises(ValueError, match="^dy: got the same number everywhere"):
            three_witnesses(f, g, dy, x=(x, 0 * x))


def test_why_a_constant_dy_is_refused():
    """The softmax without its second term gets 0 = Σ p − … right where dy is constant, and only there."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    p = softmax(x)

    def right(dy):
        return p * (dy - (dy * p).sum(axis=1, keepdims=True))

    def wrong(dy):
        return p * (dy - dy.mean(axis=1, keepdims=True))

    assert np.allclose(right(np.ones((2, 3))), wrong(np.ones((2, 3))))
    torch_s = functools.partial(torch.softmax, dim=1)
    three_witnesses(softmax, torch_s, dy, x=(x, right(dy)))
    refuted(softmax, torch_s, dy, x=(x, wrong(dy)))


# --- refuted ---------------------------------------------------------------------------------

def test_refuted_lets_no_right_gradient_pass_for_wrong():
    x, W, _, dy, options = hostile("everything")
    dx, dW, db = conv2d_backward(dy, x, W, **options)
    with pytest.raises(WitnessError, match="^dx, dW, db: expected a wrong gradient, but every witness"):
        hear("everything", (dx, dW, db), refuted)
    with pytest.raises(WitnessError, match="^dx, db: expected a wrong gradient"):
        hear("everything", (dx, 2 * dW, db), refuted)
    rows = hear("everything", (2 * dx, 2 * dW, 2 * db), refuted)
    assert [row.words()[2] for row in rows] == ["error 1"] * 3


def test_two_different_functions_refute_nothing():
    """A reference that computes something else would have any gradient refuted, the right one too."""
    x, dy = np.array([1.0, 2.0, 3.5]), np.array([0.3, -1.0, 2.0])
    with pytest.raises(WitnessError, match="^value"):
        refuted(np.square, torch.sin, dy, x=(x, 2 * x * dy))
    detached = functools.partial(lambda x: x.detach() * x)
    for court in (three_witnesses, refuted):
        with pytest.raises(WitnessError, match="^x: autograd and central differences disagree"):
            court(np.square, detached, dy, x=(x, 2 * x * dy))


def test_the_two_witnesses_must_agree_with_one_another():
    """A reference with the right value and a slightly wrong gradient: the error is in the reference."""
    x, dy = np.array([1.0, 2.0, 3.5]), np.array([0.3, -1.0, 2.0])

    def reference(x):
        return x**2 + 1e-4 * (x**2 - (x**2).detach())

    for factor in (2, 2.0002):
        with pytest.raises(WitnessError, match="^x: autograd and central differences disagree .error 0.0001"):
            three_witnesses(np.square, reference, dy, x=(x, factor * x * dy))


@pytest.mark.parametrize("autograd, measured, wrong", [
    (0.0, 0.0, False), (9e-11, 9e-7, False), (2e-10, 0.0, True), (0.0, 2e-6, True), (0.0, None, False),
    (0.0, np.nan, False), (1.0, np.nan, True), (np.inf, np.inf, True)])
def test_the_limits(autograd, measured, wrong):
    assert Row("dx", (2,), autograd, measured).disagrees == wrong


def test_a_limit_itself_is_below_it():
    assert Row("dx", (2,), 1e-12, 1e-8).words()[2:] == ("≤ 1e-12", "≤ 1e-08")


def test_a_wrong_value_is_named():
    x, dy = np.array([1.0, 2.0, 3.5]), np.array([0.3, -1.0, 2.0])
    with pytest.raises(WitnessError, match=r"^value \(3,\) disagrees with autograd \(error 0.5\)"):
        three_witnesses(lambda x: x**2, lambda x: 2 * x**2, dy, x=(x, 2 * x * dy))
    x, dy = np.array([1.0, 1e-5]), np.array([0.3, -1.0])      # a small entry, which the norm overlooks
    with pytest.raises(WitnessError, match=r"^value \(2,\) disagrees with autograd"):
        three_witnesses(lambda x: x**2 * [1, 1.5], lambda x: x**2, dy, x=(x, 2 * x * dy))


# --- kinks -----------------------------------------------------------------------------------

DY = np.array([0.7, -1.3, 0.4, 2.0])
KINKS = {
    "relu": (lambda x: np.maximum(x, 0), torch.relu, lambda x: x > 0),
    "abs": (np.abs, torch.abs, np.sign),
    "max": (lambda x: np.maximum(x, 0.3 * x), lambda x: torch.maximum(x, 0.3 * x),
            lambda x: np.where(x > 0, 1, 0.3)),
    "gentle": (lambda x: 1e-3 * np.maximum(x, 0), lambda x: 1e-3 * torch.relu(x), lambda x: 1e-3 * (x > 0)),
    "steep too": (lambda x: np.abs(x) + 100 * x, lambda x: x.abs() + 100 * x, lambda x: 100 + np.sign(x)),
    "a step": (lambda x: np.floor(x) + x, lambda x: torch.floor(x) + x, np.ones_like),
}


@pytest.mark.parametrize("kind", KINKS)
@pytest.mark.parametrize("where", [0.0, 0.1, 0.3, 1 / 3, 0.36, 0.5, 0.7, 0.95, -0.2, -1 / 3, -0.9])
def test_a_kink_within_the_step_is_refused(kind, where):
    """A third of the step is a trap: there the bend of a kink halves with the step, as a smooth one does."""
    function, reference, slope = KINKS[kind]
    x = np.array([1.3, -2.3, where * differences.STEP, 0.5])
    with pytest.raises(KinkError, match="^x: entry 2 of an input of 4 entries lies within 1e-05 of a kink"):
        three_witnesses(function, reference, DY, x=(x, slope(x) * DY))


@pytest.mark.parametrize("kind", KINKS)
def test_a_kink_beyond_the_step_is_not(kind):
    function, reference, slope = KINKS[kind]
    x = np.array([1.3, -2.3, 1.01 * differences.STEP, -1.01 * differences.STEP])
    three_witnesses(function, reference, DY, x=(x, slope(x) * DY))


def test_a_tie_and_the_edge_of_a_function_are_kinks():
    x = np.array([[1.0, 2.0, 2.0], [0.0, 1.0, 3.0]])
    with pytest.raises(KinkError, match="^x: entry 1"):
        three_witnesses(lambda x: x.max(axis=1), lambda x: x.max(dim=1).values, np.array([0.3, 2.0]),
                        x=(x, np.zeros((2, 3))))
    with pytest.raises(KinkError, match="^x: entry 0"), np.errstate(invalid="ignore"):
        three_witnesses(np.sqrt, torch.sqrt, DY, x=(np.array([1e-7, 1.0, 2.0, 3.0]), DY))


def test_one_kink_among_many_outputs():
    """The loss is one number, and one relu among a hundred stands on its kink."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=100), rng.normal(size=100)
    x[40] = 0.0
    with pytest.raises(KinkError, match="entry 40"):
        three_witnesses(lambda x: np.dot(np.maximum(x, 0), w), lambda x: torch.relu(x) @ torch.tensor(w),
                        np.array(1.0), x=(x, (x > 0) * w))


SMOOTH = {   # function, reference, derivative, where
    "x² at 0": (lambda x: x**2, lambda x: x**2, lambda x: 2 * x, [0.0, 0.0, 0.0, 0.0]),
    "100 x²": (lambda x: 100 * x**2, lambda x: 100 * x**2, lambda x: 200 * x, [0.0, 1.0, -1e-5, 3.0]),
    "x⁴ at 0": (lambda x: x**4, lambda x: x**4, lambda x: 4 * x**3, [0.0, 1e-5, 1.0, -2.0]),
    "x³ at 1000": (lambda x: x**3, lambda x: x**3, lambda x: 3 * x**2, [1000.0, -1000.0, 999.0, 500.0]),
    "x at a million": (lambda x: x * x, lambda x: x * x, lambda x: 2 * x, [1e6, -1e6, 3e6, 1.0]),
    "exp": (np.exp, torch.exp, np.exp, [0.0, 3.0, -20.0, 30.0]),
    "tanh": (np.tanh, torch.tanh, lambda x: 1 - np.tanh(x)**2, [0.0, 0.5, -1.0, 6.0]),
    "saturated tanh": (np.tanh, torch.tanh, lambda x: 1 - np.tanh(x)**2, [12.0, -13.0, 14.0, 12.5]),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), torch.sigmoid,
                lambda x: 1 / (1 + np.exp(-x)) * (1 - 1 / (1 + np.exp(-x))), [0.0, 20.0, 17.0, -18.0]),
    "1/x near 0": (lambda x: 1 / x, lambda x: 1 / x, lambda x: -1 / x**2, [0.05, -0.06, 0.07, 1.0]),
    "log near 0": (np.log, torch.log, lambda x: 1 / x, [0.02, 0.05, 1.0, 9.0]),
    "sin": (np.sin, torch.sin, np.cos, [0.0, np.pi / 2, 1000.0, -3.0]),
    "constant": (lambda x: np.full_like(x, 3.0), lambda x: torch.full_like(x, 3.0), np.zeros_like,
                 [0.0, 1.0, 2.0, 3.0]),
    "0 · x": (lambda x: 0 * x, lambda x: 0 * x, np.zeros_like, [0.0, 1.0, 2.0, 3.0]),
    "x − x": (lambda x: x - x, lambda x: x - x, np.zeros_like, [0.0, 1.0, 2.0, 3.0]),
    "sin far out": (np.sin, torch.sin, np.cos, [1e6, 2e6, -3e6, 1e5]),
    "big plus small": (lambda x: 1e6 + np.sin(x), lambda x: 1e6 + torch.sin(x), np.cos, [0.0, 1.0, 2.0, 3.0]),
}


@pytest.mark.parametrize("kind", SMOOTH)
def test_smooth_functions_have_no_kink(kind):
    function, reference, slope, x = SMOOTH[kind]
    x = np.array(x)
    rows = three_witnesses(function, reference, DY, x=(x, slope(x) * DY))
    assert (rows[1].words()[3] == "too small") == (kind == "saturated tanh")
    wrong = slope(x) * DY + 1e-3 * np.abs(slope(x)).max() + (1e-3 if not slope(x).any() else 0)
    refuted(function, reference, DY, x=(x, wrong))


def test_a_sum_of_many_terms():
    rng = np.random.default_rng(0)
    for x in (rng.normal(size=3000), np.zeros(50), rng.normal(size=(40, 50))):
        three_witnesses(lambda x: np.sum(x**2), lambda x: (x**2).sum(), np.array(1.0), x=(x, 2 * x))


def normalise(x, c):
    """A batch norm, which takes away again whatever bias c was added before it."""
    z = x + c
    return (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)


def normalise_in_torch(x, c):
    return F.batch_norm(x + c, None, None, training=True)


@pytest.mark.parametrize("seed, N", list(itertools.product(range(5), (4, 32))))
def test_a_gradient_that_is_nothing_but_rounding(seed, N):
    rng = np.random.default_rng(seed)
    x, c, dy = 3 + rng.normal(size=(N, 5)), rng.normal(size=5) * (seed % 2), rng.normal(size=(N, 5))
    h = normalise(x, c)
    dx = (dy - dy.mean(axis=0) - h * (dy * h).mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    for dc in (dx.sum(axis=0), np.zeros(5)):
        rows = three_witnesses(normalise, normalise_in_torch, dy, x=(x, dx), c=(c, dc))
        assert {row.words()[2:] for row in rows[1:]} == {("≤ 1e-12", "≤ 1e-08")}
    refuted(normalise, normalise_in_torch, dy, x=(x, 1.001 * dx), c=(c, np.full(5, 1e-9)))


@pytest.mark.parametrize("seed, entries", [(0, 1000), *((seed, 1) for seed in range(20))])
def test_much_rounding_and_nothing_else(seed, entries):
    """The softmax does not feel what is added to all its inputs; a thousand numbers are."""
    rng = np.random.default_rng(seed)
    x, c, dy = rng.normal(size=(4, 6)), rng.normal(size=entries), rng.normal(size=(4, 6))

    def shifted(c):
        return softmax(x + c.sum())

    three_witnesses(shifted, lambda c: torch.softmax(torch.tensor(x) + c.sum(), dim=1), dy, c=(c, 0 * c))


# --- can a wrong gradient hide? --------------------------------------------------------------

def scaled(x=1.0, W=1.0, y=1.0, b=0.0):
    """y·(x @ W) + b, with inputs of the given sizes: the right gradients, functions, inputs."""
    rng = np.random.default_rng(0)
    x, W, dy = x * rng.normal(size=(5, 3)), W * rng.normal(size=(3, 4)), rng.normal(size=(5, 4))

    def function(x, W):
        return y * (x @ W) + b

    return function, dy, x, W, y * (dy @ W.T), y * (x.T @ dy)


SCALES = {
    "ones": {}, "tiny values": {"y": 1e-20}, "huge values": {"y": 1e9}, "tiny x": {"x": 1e-9},
    "tinier x": {"x": 1e-18}, "tiny W": {"W": 1e-12}, "huge x": {"x": 1e5},
    "tiny beside a bias": {"x": 1e-12, "W": 1e-12, "b": 1.0},
    "values of 1e-9 beside 1": {"y": 1e-9, "b": 1.0}, "small beside a million": {"b": 1e6},
    "both tiny": {"x": 1e-8, "W": 1e-8}, "1e-30": {"y": 1e-30, "b": 1.0},
}


@pytest.mark.parametrize("scale", SCALES)
def test_no_scale_hides_a_wrong_gradient(scale):
    function, dy, x, W, dx, dW = scaled(**SCALES[scale])
    three_witnesses(function, function, dy, x=(x, dx), W=(W, dW))
    for factor in (2, -1, 0, 1.05, np.nan, np.inf):
        with np.errstate(invalid="ignore"):
            refuted(function, function, dy, x=(x, factor * dx), W=(W, factor * dW))
    refuted(function, function, dy, x=(x, dx[::-1]), W=(W, dW[:, ::-1]))


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1e6])
def test_the_size_of_dy_does_not_matter(factor):
    function, dy, x, W, dx, dW = scaled()
    three_witnesses(function, function, factor * dy, x=(x, factor * dx), W=(W, factor * dW))
    refuted(function, function, factor * dy, x=(x, dx * factor * 1.001), W=(W, dW * factor * 1.001))


@pytest.mark.parametrize("big", [1e3, 1e6, 1e9])
def test_a_small_entry_is_not_lost_among_big_ones(big):
    """Features of very different sizes: the norm of dW is that of its largest row."""
    rng = np.random.default_rng(0)
    x, W, dy = rng.normal(size=(5, 3)) * [big, 1, 0.1], rng.normal(size=(3, 4)), rng.normal(size=(5, 4))

    def function(W):
        return (torch.tensor(x) if isinstance(W, torch.Tensor) else x) @ W

    dW = x.T @ dy
    three_witnesses(function, function, dy, W=(W, dW))
    dW[2, 1] *= 1.5
    refuted(function, function, dy, W=(W, dW))
    if big < 1e9:       # … and when x is asked about too
        with pytest.raises(WitnessError, match="^dW [^;]* disagrees with autograd [^;]*$"):
            three_witnesses(np.matmul, torch.matmul, dy, x=(x, dy @ W.T), W=(W, dW))


def test_a_deep_saturated_net():
    """Twenty sigmoids: the first gradient is far too small for differences, and autograd still sees it."""
    rng = np.random.default_rng(0)
    W, x, dy = rng.normal(size=(20, 4, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))

    def net(x):
        for A in W:
            x = 1 / (1 + np.exp(-x @ A))
        return x

    def in_torch(x):
        for A in torch.tensor(W):
            x = torch.sigmoid(x @ A)
        return x

    leaf = torch.tensor(x, requires_grad=True)
    dx = torch.autograd.grad(in_torch(leaf), leaf, torch.tensor(dy))[0].numpy() * (1 + 1e-15)
    assert 0 < np.linalg.norm(dx) < 1e-7
    assert three_witnesses(net, in_torch, dy, x=(x, dx))[1].words()[2:] == ("≤ 1e-12", "too small")
    for wrong in (0 * dx, 2 * dx, dx[::-1], -dx):
        refuted(net, in_torch, dy, x=(x, wrong))


def test_large_inputs_are_sampled_but_autograd_sees_all():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(70, 71)), rng.normal(size=(70, 71))
    entries, quotients = central_differences(np.square, [x], dy, 0)
    again, _ = central_differences(np.square, [x], dy, 0)
    assert len(entries) == len(set(entries)) == differences.MOST_ENTRIES and (entries == again).all()
    assert np.allclose(quotients, (2 * x * dy).flat[entries])
    dx = 2 * x * dy
    three_witnesses(np.square, torch.square, dy, x=(x, dx))
    unseen = np.setdiff1d(np.arange(x.size), entries)[0]
    dx.flat[unseen] += 1e-3
    with pytest.raises(WitnessError, match=r"^dx \(70, 71\) disagrees with autograd \(error [^)]*\)$"):
        three_witnesses(np.square, torch.square, dy, x=(x, dx))


# --- an unfair question is refused -----------------------------------------------------------

A = np.array([0.5, -1.0, 2.0, 1.5])
UNFAIR = {
    "no input": (lambda: three_witnesses(np.square, torch.square, DY), "inputs: got none"),
    "no pair": (lambda: three_witnesses(np.square, torch.square, DY, x=A), "x: expected a pair"),
    "float32 x": (lambda: square(x=(A.astype(np.float32), A)),
                  "x: got float32, expected a NumPy array of float64"),
    "float32 dx": (lambda: square(x=(A, A.astype(np.float32))), "dx: got float32"),
    "float32 dy": (lambda: square(DY.astype(np.float32)), "dy: got float32"),
    "integers": (lambda: square(x=(np.arange(4), A)), "x: got int64"),
    "a list": (lambda: square(x=(A.tolist(), A)), "x: got list"),
    "a tensor": (lambda: square(torch.tensor(DY)), "dy: got torch.float64"),
    "NaN in x": (lambda: square(x=(A * [1, np.nan, 1, 1], A)), "x: got a NaN or an infinity"),
    "infinite dy": (lambda: square(DY * [1, 1, np.inf, 1]), "dy: got a NaN or an infinity"),
    "nothing": (lambda: square(DY[:0], x=(A[:0], A[:0])), "dy: got shape (0,), expected at least one entry"),
    "a value of another shape": (lambda: square(DY[:3]),
                                 "dy: got shape (3,); by hand the value has shape (4,)"),
    "NaN in the value": (lambda: three_witnesses(np.log, torch.log, DY, x=(A, A)),
                         "function: its value holds a NaN"),
    "two values": (lambda: three_witnesses(lambda x: (x, x), torch.square, DY, x=(A, A)),
                   "function: it returns a tuple, expected one array"),
    "two values in torch": (lambda: three_witnesses(np.square, lambda x: (x, x), DY, x=(A, A)),
                            "reference: its value is of tuple"),
    "float32 in torch": (lambda: three_witnesses(np.square, lambda x: x.float()**2, DY, x=(A, A)),
                         "reference: its value is of torch.float32"),
    "an array in torch": (lambda: three_witnesses(np.square, lambda x: x.detach().numpy(), DY, x=(A, A)),
                          "reference: its value is of float64, expected one tensor"),
    "too large": (lambda: square(x=(A * 1e12, A)), "an entry of 2e+12 is too large to be nudged by 1e-05"),
}


def square(dy=DY, **inputs):
    return three_witnesses(np.square, torch.square, dy, **(inputs or {"x": (A, 2 * A * DY)}))


@pytest.mark.parametrize("what", UNFAIR)
def test_an_unfair_question_is_refused(what):
    call, said = UNFAIR[what]
    with pytest.raises(ValueError, match=re.escape(said)), np.errstate(all="ignore"):
        call()


def test_a_gradient_of_the_wrong_shape_is_named():
    with pytest.raises(WitnessError, match=r"^dx: got shape \(4, 1\); a gradient has the shape of x"):
        square(x=(A, A[:, None]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_nan_in_the_claim_is_a_disagreement(bad):
    claim = 2 * A * DY
    claim[1] = bad
    with pytest.raises(WitnessError, match=r"autograd \(error inf\) and central differences \(error inf\)"):
        square(x=(A, claim))


def in_place(x):
    x *= x
    return x


def test_a_function_that_changes_its_arguments_is_refused():
    x = A.copy()
    for court in (three_witnesses, refuted):
        with pytest.raises(ValueError, match="^function: it changes its argument number 1; expected"):
            court(in_place, torch.square, DY, x=(x, 2 * x * DY))
    with pytest.raises(ValueError, match="changes its argument number 2"):
        central_differences(lambda a, b: a + in_place(b), [A, x], DY, 0)
    assert (x == A).all()


def test_an_output_that_is_used_again_does_no_harm():
    """A function may return its argument, or write every answer into the same array."""
    buffer = np.empty(4)
    three_witnesses(lambda x: np.square(x, out=buffer), torch.square, DY, x=(A, 2 * A * DY))
    three_witnesses(lambda x: x, lambda x: x, DY, x=(A, DY.copy()))
    refuted(lambda x: x, lambda x: x, DY, x=(A, A))


def test_views_numbers_and_read_only_inputs_are_taken():
    x, dy = np.arange(12.0).reshape(3, 4).T[::-1], np.arange(12.0).reshape(4, 3)
    x.flags.writeable = False
    three_witnesses(np.square, torch.square, dy, x=(x, 2 * x * dy))
    three_witnesses(np.square, torch.square, np.float64(3.0), x=(np.float64(2.0), np.float64(12.0)))
    refuted(np.square, torch.square, np.float64(3.0), x=(np.float64(2.0), np.float64(4.0)))


def test_an_input_without_influence():
    three_witnesses(lambda x, z: x**2, lambda x, z: x**2, DY, x=(A, 2 * A * DY), z=(A, 0 * A))
    with pytest.raises(WitnessError, match="^dz "):
        three_witnesses(lambda x, z: x**2, lambda x, z: x**2, DY, x=(A, 2 * A * DY), z=(A, 1e-12 * A))


# --- the table -------------------------------------------------------------------------------

TABLE = """\
       shape         autograd  differences
value  (2, 4, 3, 5)  ≤ 1e-12
dx     (2, 3, 5, 6)  ≤ 1e-12   ≤ 1e-08
dW     (4, 3, 3, 2)  ≤ 1e-12   ≤ 1e-08
db     (4,)          ≤ 1e-12   ≤ 1e-08"""


def test_the_table_is_the_same_text_for_any_numbers():
    for seed in (0, 3, 8, 11):
        rng = np.random.default_rng(seed)
        x, W = rng.normal(size=(2, 3, 5, 6)), rng.normal(size=(4, 3, 3, 2))
        b = rng.normal(size=4) * (seed % 2)
        dy = rng.normal(size=(2, 4, 3, 5)) * 10.0**(seed - 6)
        dx, dW, db = conv2d_backward(dy, x, W)
        for _ in range(2):
            assert repr(three_witnesses(conv2d, F.conv2d, dy, x=(x, dx), W=(W, dW), b=(b, db))) == TABLE


def test_the_html_is_well_formed_and_says_the_same():
    rows = three_witnesses(np.square, torch.square, DY, **{"<b>&": (A, 2 * A * DY)})
    table = ET.fromstring(rows._repr_html_())
    cells = [[cell.text or "" for cell in row] for row in table]
    assert table.tag == "table" and {len(row) for row in cells} == {4} and len(cells) == 3
    assert cells[2] == ["d<b>&", "(4,)", "≤ 1e-12", "≤ 1e-08"]
    assert [line.split() for line in repr(rows).splitlines()] == [" ".join(row).split() for row in cells]


def test_the_complaint_names_who_disagrees():
    with pytest.raises(WitnessError, match=r"^dx \(4,\) disagrees with autograd \(error 0.5\) and "
                                           r"central differences \(error 0.5\)$"):
        square(x=(A, A * DY))
    with pytest.raises(WitnessError, match=r"^dx \(4,\) disagrees with autograd \(error 1e-08\)$"):
        square(x=(A, 2 * A * DY * (1 + 1e-8)))


# --- where there is no torch -----------------------------------------------------------------

@pytest.fixture
def without_torch(monkeypatch):
    """As in a browser, where a module of its names stands in for torch."""
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))


def test_without_torch_two_witnesses_are_heard_and_the_report_says_who_is_missing(without_torch):
    x, dy = np.array([1.0, -2.0, 0.5]), np.array([0.3, -1.0, 2.0])
    report = three_witnesses(np.square, None, dy, x=(x, 2 * x * dy))
    assert [row.words() for row in report] == [("dx", "(3,)", "not here", "≤ 1e-08")]
    assert TWO_WITNESSES in repr(report) and TWO_WITNESSES in report._repr_html_()
    with pytest.raises(WitnessError, match=r"dx \(3,\) disagrees with central differences \(error"):
        three_witnesses(np.square, None, dy, x=(x, x * dy))
    assert "error" in repr(refuted(np.square, None, dy, x=(x, x * dy)))


def test_without_torch_what_only_autograd_could_refute_is_told(without_torch):
    x, dy = np.array([1.0, -2.0, 0.5]), np.array([0.3, -1.0, 2.0])
    with pytest.raises(WitnessError, match="dx: differences accept it; only autograd, which is not here"):
        refuted(lambda x: 1e-9 * x + 1, None, dy, x=(x, 1e-9 * dy[::-1].copy()))
