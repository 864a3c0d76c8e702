"""Batch normalisation against torch: values, gradients, running statistics, invariants, refusals."""
import inspect
from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import agree, batch_last, frozen, own_memory, refused, search
from hypothesis import given
from hypothesis import strategies as st

from helpers.functional import _batch_last, normalization
from helpers.functional.normalization import (
    batch_norm,
    batch_norm_backward,
    batch_statistics,
    running_statistics,
)
from helpers.verify.witnesses import three_witnesses

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")


class Case(NamedTuple):
    """The arrays, None where torch allows it, and the options that numpy and torch share."""

    x: np.ndarray
    running: tuple
    weight: np.ndarray | None
    bias: np.ndarray | None
    options: dict
    dy: np.ndarray


@st.composite
def cases(draw):
    """Channels of different mean and size; ε is large now and then, so that its place shows."""
    C, H, W = (draw(st.integers(1, n)) for n in (5, 4, 5))
    N = draw(st.sampled_from([1, 2, 3, 6, 7]))
    shape = draw(st.sampled_from([(N, C), (N, C, W), (N, C, H, W)]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    training = draw(st.booleans())
    if training and np.prod(shape) == C:
        shape = (N + 2, *shape[1:])
    scale = np.exp(rng.normal(size=(C, *[1] * (len(shape) - 2))))
    x = (rng.normal(size=shape) * scale + 3 * rng.normal(size=scale.shape)).astype(dtype)
    x.flags.writeable = False
    running = frozen(rng, C, dtype), np.exp(frozen(rng, C, dtype))
    if training and draw(st.booleans()):
        running = None, None
    weight, bias = (frozen(rng, C, dtype) if draw(st.booleans()) else None for _ in range(2))
    options = {"training": training, "eps": draw(st.sampled_from([1e-5, 0.1, 1e-3, 2.0]))}
    return Case(x, running, weight, bias, options, frozen(rng, shape, dtype))


def in_torch(case, running=None):
    """y, dx, dweight, dbias; a weight of ones and a bias of zeros stand in for none."""
    ones = np.ones(case.x.shape[1], case.x.dtype)
    weight, bias = (plain if given is None else given
                    for given, plain in ((case.weight, ones), (case.bias, 0 * ones)))
    x, weight, bias = (torch.tensor(array, requires_grad=True) for array in (case.x, weight, bias))
    mean, var = running or (None if v is None else torch.tensor(v) for v in case.running)
    y = F.batch_norm(x, mean, var, weight, bias, **case.options)
    return [y, *torch.autograd.grad(y, (x, weight, bias), torch.tensor(case.dy))]


def by_hand(case):
    y = batch_norm(case.x, *case.running, case.weight, case.bias, **case.options)
    return [y, *batch_norm_backward(case.dy, case.x, *case.running, case.weight, **case.options)]


@search(max_examples=150)
@given(cases())
def test_forward_and_backward(case):
    results = by_hand(case)
    for ours, theirs in zip(results, in_torch(case), strict=True):
        agree(ours, theirs, case.x.dtype)
    own_memory(results, [case.x, *case.running, case.weight, case.bias, case.dy])
    nothing, *rest = batch_norm_backward(case.dy, case.x, *case.running, case.weight, **case.options,
                                         needs_dx=False)
    assert nothing is None and all(np.array_equal(a, b) for a, b in zip(rest, results[2:], strict=True))


@search(max_examples=60)
@given(cases(), st.sampled_from([0.1, 0.3, 0.0, 1.0]))
def test_running_statistics(case, momentum):
    """torch writes into its running tensors; ours are new arrays."""
    C, dtype = case.x.shape[1], case.x.dtype
    if case.x.size == C:
        return
    old = frozen(np.random.default_rng(1), C, dtype), np.exp(frozen(np.random.default_rng(2), C, dtype))
    truths = [torch.tensor(array) for array in old]
    F.batch_norm(torch.tensor(case.x), *truths, training=True, momentum=momentum)
    results = running_statistics(case.x, *old, momentum=momentum)
    for ours, theirs in zip(results, truths, strict=True):
        agree(ours, theirs, dtype)
    own_memory(results, [case.x, *old])


def test_small_numbers_by_hand():
    x = np.array([[1.0, 10.0], [3.0, 10.0], [5.0, 40.0]])
    mean, var = batch_statistics(x)
    assert mean.tolist() == [3, 20] and var == pytest.approx([8 / 3, 200])
    np.testing.assert_allclose(batch_norm(x, training=True, eps=1e-300)[:, 0], [-1.5**0.5, 0, 1.5**0.5])
    new = running_statistics(x, np.array([0.0, 0.0]), np.array([1.0, 1.0]), momentum=0.25)
    np.testing.assert_allclose(new, [[0.75, 5.0], [0.75 + 4 / 4, 0.75 + 300 / 4]])   # 4 and 300: with n − 1
    given = ([1.0, 10.0], [3.0, 8.0], [2.0, 1.0], [0.0, 5.0])
    y = batch_norm(x, *map(np.array, given), eps=1.0)
    np.testing.assert_allclose(y, [[0, 5], [2, 5], [4, 15]])


# --- speed and precision ---------------------------------------------------------------------

@pytest.mark.parametrize("shape", [(6, 5), (3, 7, 4), (3, 7, 4, 5)])
@pytest.mark.parametrize("chunk", [1, 500, 10**6])
def test_pieces_change_nothing(monkeypatch, shape, chunk):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(2, 3, size=shape), rng.normal(size=shape)
    w, b, mean, var = np.exp(rng.normal(size=(4, shape[1])))

    def all_of_it():
        return [part for training in (True, False) for part in
                (batch_norm(x, mean, var, w, b, training=training),
                 *batch_norm_backward(dy, x, mean, var, w, training=training))] + [*batch_statistics(x)]
    before = all_of_it()
    monkeypatch.setattr(_batch_last, "CHUNK", chunk)
    for ours, others in zip(all_of_it(), before, strict=True):
        np.testing.assert_allclose(ours, others, rtol=1e-13)


@pytest.mark.parametrize("shape", [(4096, 3), (64, 3, 17, 19)])
def test_float32_far_from_zero_is_as_good_as_torch_s(shape):
    """Means of 1000 with deviations around 1: what float32 does to the statistics, ours and torch's."""
    rng = np.random.default_rng(0)
    x = rng.normal(1000, 1, size=shape).astype(np.float32)
    dy, truth = rng.normal(size=shape).astype(np.float32), x.astype(np.float64)
    exact = [batch_norm(truth, training=True),
             *batch_norm_backward(dy.astype(np.float64), truth, training=True), *batch_statistics(truth)]
    case = Case(x, (None, None), None, None, {"training": True, "eps": 1e-5}, dy)
    mean, var = torch.zeros(3), torch.zeros(3)
    F.batch_norm(torch.tensor(x), mean, var, training=True, momentum=1.0)
    n = x.size // 3
    theirs = [*(t.detach().numpy() for t in in_torch(case)), mean.numpy(), var.numpy() * (n - 1) / n]
    for ours, other, right in zip([*by_hand(case), *batch_statistics(x)], theirs, exact, strict=True):
        size = np.abs(right).max()
        assert np.abs(ours - right).max() <= 2 * np.abs(other - right).max() + 1e-6 * size


# Values of which no small multiple is a float32, and a count that is no power of two.
@pytest.mark.parametrize("count", [2, 3, 7, 11, 49, 1001])
@pytest.mark.parametrize("value", [1e8 / 3, 0.1, -1e-3 / 7, 1e30 / 3])
def test_a_channel_of_one_value_is_all_zeros(value, count):
    """μ is that value and σ² is 0, in float32 too: sums are divided in float64 and rounded last."""
    x = np.full((count, 1), value, np.float32)
    mean, var = batch_statistics(x)
    assert mean[0] == x[0, 0] and var[0] == 0 and not batch_norm(x, training=True).any()
    noise = np.random.default_rng(0).normal(size=(count, 1)).astype(np.float32)
    dx, *_ = batch_norm_backward(x, noise, training=True)
    assert np.abs(dx).max() <= 1e-5 * abs(value) / noise.std(), "a constant dy has nothing but its mean"


def test_float32_means_are_rounded_once(monkeypatch):
    """To half a unit of the last place; rounded before the division too, they are worse now and then."""
    x = np.random.default_rng(0).normal(1000, 1, size=(11, 2000)).astype(np.float32)
    exact = x.astype(np.float64).sum(axis=0) / 11

    def worst():
        return (np.abs(batch_statistics(x)[0] - exact) / np.spacing(exact.astype(np.float32))).max()
    assert worst() <= 0.5
    once = normalization._sums
    monkeypatch.setattr(normalization, "_sums", lambda a: once(a).astype(a.dtype))
    assert worst() > 0.5 and batch_norm(np.full((11, 1), 1e8 / 3, np.float32), training=True)[0, 0] < -0.99


def test_sums_are_in_float64():
    """Between 10⁸ and −10⁸, float32 forgets ones, whatever the order; float64 does not."""
    x = np.ones((1002, 1), np.float32)
    x[0], x[-1] = 1e8, -1e8
    assert batch_statistics(x)[0] == np.float32(1000 / 1002)


@pytest.mark.parametrize("turn", [lambda a: a[::-1], lambda a: a.transpose(0, 1, 3, 2), lambda a: a[:, ::2],
                                  lambda a: a[..., 1:], np.asfortranarray])
def test_views_are_as_good_as_copies(turn):
    rng = np.random.default_rng(0)
    x, dy = (turn(rng.normal(size=(4, 6, 5, 3))) for _ in range(2))
    w, b = rng.normal(size=(2, x.shape[1]))
    views, copies = ((batch_norm(x, None, None, w, b, training=True),
                      *batch_norm_backward(dy, x, None, None, w, training=True))
                     for x, dy in ((x, dy), (x.copy(), dy.copy())))
    for ours, copied in zip(views, copies, strict=True):
        np.testing.assert_allclose(ours, copied, rtol=1e-12, atol=1e-14)


def test_the_order_in_memory_is_that_of_x():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 9, 6, 5, 3))
    w, b = rng.normal(size=(2, 6))
    turned = map(batch_last, (x, dy))
    results, others = ((batch_norm(x, None, None, w, b, training=True),
                        *batch_norm_backward(dy, x, None, None, w, training=True))
                       for x, dy in ((x, dy), turned))
    for i, (ours, other) in enumerate(zip(results, others, strict=True)):
        np.testing.assert_allclose(ours, other, rtol=1e-12, atol=1e-14)
        assert ours.flags.c_contiguous and _batch_last.batch_last(other) == (i < 2)


def test_nan_stays_in_its_channel():
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    x[1, 1, 0] = np.nan
    y = batch_norm(x, training=True)
    assert np.isnan(y[:, 1]).all() and not np.isnan(y[:, [0, 2]]).any()
    assert F.batch_norm(torch.tensor(x), None, None, training=True)[:, 1].isnan().all()


def test_no_samples_in_use():
    y = batch_norm(np.zeros((0, 3)), np.zeros(3), np.ones(3))
    dx, dw, db = batch_norm_backward(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(3), np.ones(3))
    assert y.shape == dx.shape == (0, 3) and dw.tolist() == db.tolist() == [0, 0, 0]


# --- three witnesses -------------------------------------------------------------------------

def hostile(shape=(4, 3, 2, 5)):
    rng = np.random.default_rng(0)
    x = rng.normal(2, 3, size=shape)
    return rng.normal(size=shape), x, rng.normal(size=3), np.exp(rng.normal(size=3)), *rng.normal(size=(2, 3))


@pytest.mark.parametrize("eps", [1e-5, 0.1])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(6, 3), (5, 3, 4), (4, 3, 2, 5)])
def test_three_witnesses(shape, training, eps):
    dy, x, mean, var, w, b = hostile(shape)
    options = {"training": training, "eps": eps}
    dx, dw, db = batch_norm_backward(dy, x, mean, var, w, **options)
    three_witnesses(lambda x, w, b: batch_norm(x, mean, var, w, b, **options),
                    lambda x, w, b: F.batch_norm(x, *map(torch.tensor, (mean, var)), w, b, **options),
                    dy, x=(x, dx), w=(w, dw), b=(b, db))


# --- what is refused, and how ----------------------------------------------------------------

X, V = np.ones((4, 3)), np.ones(3)


def forward(x=X, *rest, **options):
    return batch_norm(x, *rest, **{"training": True, **options})


def backward(dy=X, x=X, *rest, **options):
    return batch_norm_backward(dy, x, *rest, **{"training": True, **options})


@pytest.mark.parametrize("call, sentence", [
    (lambda: forward(X[:1]), "x: got shape (1, 3), expected more than one value in each channel: the mean"),
    (lambda: forward(np.ones((1, 3, 1, 1))), "x: got shape (1, 3, 1, 1), expected more than one value"),
    (lambda: forward(np.ones((0, 3))), "x: got shape (0, 3), expected more than one value"),
    (lambda: forward(np.ones((3, 0))), "x: got shape (3, 0), expected more than one value"),
    (lambda: backward(X[:1], X[:1]), "x: got shape (1, 3), expected more than one value"),
    (lambda: batch_statistics(X[:1]), "x: got shape (1, 3), expected more than one value"),
    (lambda: running_statistics(X[:1], V, V), "x: got shape (1, 3), expected more than one value"),
    (lambda: forward(X[0]), "x: got shape (3,), expected (N, C) or (N, C, L) or (N, C, H, W)"),
    (lambda: forward(X[..., None, None, None]), "x: got shape (4, 3, 1, 1, 1), expected (N, C)"),
    (lambda: forward(X.tolist()), "x: got a list, expected a NumPy array"),
    (lambda: forward(X.astype(int)), "x: got an array of int64, expected float32 or float64"),
    (lambda: forward(X, V[:2]), "running_mean: got shape (2,), expected (3,), one number for each"),
    (lambda: forward(X, V, V[:1]), "running_var: got shape (1,), expected (3,), one number for each channel"),
    (lambda: forward(X, None, None, V[None]), "weight: got shape (1, 3), expected (C,)"),
    (lambda: forward(X, None, None, None, 0.5), "bias: got a float, expected a NumPy array (C,)"),
    (lambda: forward(X, None, None, V.astype(np.float32)), "x is float64, weight is float32: expected"),
    (lambda: batch_norm(X), "running_mean: got None, expected an array (C,); only with training=True"),
    (lambda: batch_norm(X, V), "running_var: got None, expected an array (C,)"),
    (lambda: batch_norm_backward(X, X), "running_mean: got None, expected an array (C,)"),
    (lambda: forward(training=1), "training: got 1, expected True or False"),
    (lambda: forward(eps=0), "eps: got 0, expected a number above 0"),
    (lambda: forward(eps=-1e-5), "eps: got -1e-05, expected a number above 0"),
    (lambda: forward(eps="small"), "eps: got 'small', expected a number above 0"),
    (lambda: backward(X[:2]), "dy: got shape (2, 3), expected (4, 3), the shape of x"),
    (lambda: backward(X[None]), "dy: got shape (1, 4, 3), expected (4, 3), the shape of x"),
    (lambda: backward(X.astype(np.float32)), "dy is float32, x is float64: expected the same dtype"),
    (lambda: backward(None), "dy: got a NoneType, expected a NumPy array"),
    (lambda: running_statistics(X, None, V), "running_mean: got None, expected an array (C,)"),
    (lambda: running_statistics(X, V, V[:2]), "running_var: got shape (2,), expected (3,), one number"),
    (lambda: running_statistics(X, V, V, momentum=None), "momentum: got None, expected a number"),
    (lambda: running_statistics(X, V, V, momentum=1.5), "momentum: got 1.5, expected a number of at least 0"),
    (lambda: running_statistics(X, V, V.astype(np.float32)), "x is float64, running_mean is float64,"),
])
def test_sentences(call, sentence):
    assert refused(call, "").startswith(sentence)


def test_names_and_order_are_torch_s():
    theirs = list(inspect.signature(F.batch_norm).parameters)
    ours = list(inspect.signature(batch_norm).parameters)
    assert [name for name in theirs if name not in ("input", "momentum")] == ours[1:] and ours[0] == "x"
