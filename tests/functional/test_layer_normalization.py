"""LayerNorm and RMSNorm against torch: values, gradients, precision, invariants, refusals."""
import inspect

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import agree, frozen, own_memory, refused, search, tensors
from hypothesis import given
from hypothesis import strategies as st

from helpers.functional import _batch_last
from helpers.functional.layer_normalization import (
    layer_norm,
    layer_norm_backward,
    rms_norm,
    rms_norm_backward,
)
from helpers.functional.normalization import batch_norm, batch_norm_backward
from helpers.verify.witnesses import refuted, three_witnesses

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")
LN, RMS = "layer norm", "RMS norm"
KINDS = pytest.mark.parametrize("kind", [LN, RMS])


def both_ways(kind, dy, x, shape, w, b, **eps):
    """y, dx, dweight, and for LayerNorm dbias."""
    if kind == LN:
        return [layer_norm(x, shape, w, b, **eps), *layer_norm_backward(dy, x, shape, w, **eps)]
    return [rms_norm(x, shape, w, **eps), *rms_norm_backward(dy, x, shape, w, **eps)]


def in_torch(kind, dy, x, shape, w, b, **eps):
    """A weight of ones and a bias of zeros stand in for none."""
    ones = np.ones(shape, x.dtype)
    x, w, b = tensors(x, ones if w is None else w, 0 * ones if b is None else b)
    y = F.layer_norm(x, shape, w, b, **eps) if kind == LN else F.rms_norm(x, shape, w, **eps)
    return [y, *torch.autograd.grad(y, (x, w, b)[:3 if kind == LN else 2], torch.tensor(dy))]


@search(max_examples=200)
@given(st.sampled_from([LN, RMS]), st.data())
def test_forward_and_backward(kind, data):
    """Any axes in front, one to three normalized; features of different size; ε large now and then."""
    sizes = st.lists(st.integers(1, 5), min_size=1, max_size=3)
    shape, front = tuple(data.draw(sizes)), data.draw(st.lists(st.integers(0, 4), max_size=2))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = (rng.normal(size=(*front, *shape)) * np.exp(rng.normal(size=shape)) + 3 * rng.normal()).astype(dtype)
    x.flags.writeable = False
    w, b = (frozen(rng, shape, dtype) if data.draw(st.booleans()) else None for _ in range(2))
    # Of few features σ² may be so small that float32 has no digits left of x̂, ours or torch's.
    eps = data.draw(st.sampled_from([0.1, 1e-2, 2.0] + [1e-5] * (dtype == np.float64)))
    dy = frozen(rng, x.shape, dtype)
    results = both_ways(kind, dy, x, shape, w, b, eps=eps)
    for ours, theirs in zip(results, in_torch(kind, dy, x, shape, w, b, eps=eps), strict=True):
        agree(ours, theirs, dtype)
    own_memory(results, [x, w, b, dy])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_eps_that_is_not_given_is_torch_s(dtype):
    """LayerNorm: 10⁻⁵; RMSNorm: the spacing at 1, which shows where x is as small as its root."""
    x, dy = (np.random.default_rng(0).normal(size=(2, 4, 6)) * 1e-4).astype(dtype)
    for kind in (LN, RMS):
        for ours, theirs in zip(both_ways(kind, dy, x, (6,), None, None),
                                in_torch(kind, dy, x, (6,), None, None), strict=True):
            agree(ours, theirs, dtype)
    assert np.array_equal(rms_norm(x, 6), rms_norm(x, 6, None, np.finfo(dtype).eps))


def test_small_numbers_by_hand():
    x = np.array([[1.0, 3.0, 5.0], [10.0, 10.0, 40.0]])
    np.testing.assert_allclose(layer_norm(x, 3, eps=1e-300)[0], [-1.5**0.5, 0, 1.5**0.5])
    np.testing.assert_allclose(rms_norm(x, 3, np.array([1.0, 0, 2]), eps=1e-300)[1],
                               [1 / 6**0.5, 0, 8 / 6**0.5])
    assert np.array_equal(layer_norm(x, 3), layer_norm(x, (3,))) and layer_norm(x[0], [3]).shape == (3,)


@pytest.mark.parametrize("shape", [(4096, 6), (64, 300)])
@KINDS
def test_float32_far_from_zero_is_as_good_as_torch_s(kind, shape):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(1000, 1, size=shape).astype(np.float32), rng.normal(size=shape).astype(np.float32)
    n = shape[1:]
    exact = both_ways(kind, dy.astype(np.float64), x.astype(np.float64), n, None, None, eps=1e-5)
    theirs = [t.detach().numpy() for t in in_torch(kind, dy, x, n, None, None, eps=1e-5)]
    results = both_ways(kind, dy, x, n, None, None, eps=1e-5)
    for ours, other, right in zip(results, theirs, exact, strict=True):
        assert np.abs(ours - right).max() <= 2 * np.abs(other - right).max() + 1e-6 * np.abs(right).max()


@pytest.mark.parametrize("chunk", [1, 500])
@KINDS
def test_pieces_and_views_change_nothing(monkeypatch, kind, chunk):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(2, 3, size=(2, 7, 4, 10))[..., ::2].swapaxes(1, 2)
    w, b = rng.normal(size=(2, 5))
    before = both_ways(kind, dy.copy(), x.copy(), (5,), w, b)
    monkeypatch.setattr(_batch_last, "CHUNK", chunk)
    for ours, whole in zip(both_ways(kind, dy, x, (5,), w, b), before, strict=True):
        np.testing.assert_allclose(ours, whole, rtol=1e-12, atol=1e-14)


def test_it_is_batch_norm_with_the_axes_exchanged():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(2, 3, size=(2, 4, 7))
    turned = batch_norm(x.T, training=True, eps=0.1).T
    np.testing.assert_allclose(layer_norm(x, 7, eps=0.1), turned, rtol=1e-12)
    dx = layer_norm_backward(dy, x, 7, eps=0.1)[0]
    np.testing.assert_allclose(dx, batch_norm_backward(dy.T, x.T, training=True, eps=0.1)[0].T, rtol=1e-10)
    assert np.abs(layer_norm(x, 7) - batch_norm(x, training=True)).max() > 0.1


@KINDS
def test_invariants(kind):
    """dx is orthogonal to x (up to ε) and, for LayerNorm, to 1; y does not change with the scale of x."""
    rng = np.random.default_rng(0)
    x, dy, w = rng.normal(2, 3, size=(5, 7)), rng.normal(1, 1, size=(5, 7)), rng.normal(size=7)
    eps = 1e-12
    y, dx, *_ = both_ways(kind, dy, x, (7,), w, None, eps=eps)
    size = np.abs(dx).sum(axis=1)
    assert (np.abs((dx * x).sum(axis=1)) < 1e-10 * size).all()
    assert (np.abs(dx.sum(axis=1)) < 1e-12 * size).all() == (kind == LN)
    y9, dx9, *_ = both_ways(kind, dy, 9 * x + 4 * (kind == LN), (7,), w, None, eps=eps)
    np.testing.assert_allclose(y9, y, rtol=1e-9)
    np.testing.assert_allclose(9 * dx9, dx, atol=1e-10)
    assert np.abs(both_ways(RMS, dy, x + 4, (7,), w, None)[0] - y).max() > 0.1


def test_one_sample_has_no_influence_on_another():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 6))
    other = x.copy()
    other[1] += 5 * rng.normal(size=6)
    for kind in (LN, RMS):
        rows, changed = (both_ways(kind, dy, one, (6,), None, None)[:2] for one in (x, other))
        for a, b in zip(rows, changed, strict=True):
            assert np.array_equal(a[[0, 2]], b[[0, 2]]) and not np.allclose(a[1], b[1])


@pytest.mark.parametrize("eps", [1e-5, 0.1])
@KINDS
def test_three_witnesses(kind, eps):
    """And wrong versions: no term along x̂, no mean or one too many, the weight outside of the sums."""
    rng = np.random.default_rng(0)
    x, dy, w, b = rng.normal(2, 3, size=(4, 5)), *rng.normal(size=(1, 4, 5)), *rng.normal(size=(2, 5))
    _, dx, dw, *db = both_ways(kind, dy, x, (5,), w, b, eps=eps)
    function, reference = (layer_norm, F.layer_norm) if kind == LN else (rms_norm, F.rms_norm)

    def ask(judge, dx):
        bias = {"bias": (b, db[0])} if kind == LN and judge is three_witnesses else {}
        weight = {"weight": (w, dw)} if judge is three_witnesses else {}
        fixed = () if weight else (w, b)[:1 + (kind == LN)]
        judge(lambda x, *rest: function(x, (5,), *rest, *fixed, eps=eps),
              lambda x, *rest: reference(x, (5,), *rest, *map(torch.tensor, fixed), eps=eps),
              dy, x=(x, dx), **weight, **bias)
    ask(three_witnesses, dx)
    centred = x - (kind == LN) * x.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt((centred**2).mean(axis=1, keepdims=True) + eps)
    xhat, g = centred * scale, dy * w
    mean, along = g.mean(axis=1, keepdims=True), xhat * (g * xhat).mean(axis=1, keepdims=True)
    right = mean * (kind == LN)
    np.testing.assert_allclose(scale * (g - right - along), dx, rtol=1e-9)
    outside = both_ways(kind, dy, x, (5,), None, None, eps=eps)[1] * w
    for wrong in (scale * (g - right), scale * (g - mean * (kind == RMS) - along), outside,
                  scale * (g - right + along)):
        ask(refuted, wrong)


X, V = np.ones((4, 3)), np.ones(3)


@pytest.mark.parametrize("call, sentence", [
    (lambda: layer_norm(X, 4), "normalized_shape: got 4, expected the last sizes of x, which has shape (4,"),
    (lambda: rms_norm(X, (2, 4, 3)), "normalized_shape: got (2, 4, 3), expected the last sizes of x"),
    (lambda: layer_norm(X, ()), "normalized_shape: got (), expected at least one size"),
    (lambda: layer_norm(X, 3.0), "normalized_shape: got 3.0, expected an integer of at least 1"),
    (lambda: rms_norm(np.ones((2, 0)), 0), "normalized_shape: got 0, expected an integer of at least 1"),
    (lambda: layer_norm(X, 3, V[:2]), "weight: got shape (2,), expected (3,), the normalized_shape"),
    (lambda: layer_norm(X, 3, V, V[None]), "bias: got shape (1, 3), expected (n,)"),
    (lambda: rms_norm(X, 3, V.astype(np.float32)), "x is float64, weight is float32: expected the same"),
    (lambda: layer_norm(X.tolist(), 3), "x: got a list, expected a NumPy array"),
    (lambda: rms_norm(X.astype(int), 3), "x: got an array of int64, expected float32 or float64"),
    (lambda: layer_norm(np.array(1.0), 1), "x: got shape (), expected (n,)"),
    (lambda: layer_norm(X, 3, eps=0), "eps: got 0, expected a number above 0"),
    (lambda: layer_norm(X, 3, eps="small"), "eps: got 'small', expected a number above 0"),
    (lambda: rms_norm(X, 3, eps=-1.0), "eps: got -1.0, expected a number above 0"),
    (lambda: layer_norm_backward(X[:2], X, 3), "dy: got shape (2, 3), expected (4, 3), the shape of x"),
    (lambda: rms_norm_backward(V, X, 3), "dy: got shape (3,), expected (…, n)"),
    (lambda: rms_norm_backward(X.astype(np.float32), X, 3), "dy is float32, x is float64: expected the same"),
])
def test_sentences(call, sentence):
    assert refused(call, "").startswith(sentence)


@pytest.mark.parametrize("ours, theirs", [(layer_norm, F.layer_norm), (rms_norm, F.rms_norm)])
def test_names_and_order_are_torch_s(ours, theirs):
    assert list(inspect.signature(ours).parameters)[1:] == list(inspect.signature(theirs).parameters)[1:]
