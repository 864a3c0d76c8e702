"""The convolution against torch: values, gradients, shapes, memory, and what both refuse."""
import itertools
import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import (
    CLOSE,
    ODD_NUMBERS,
    VIEWS,
    agree,
    axis_pairs,
    batch_last,
    both,
    frozen,
    own_memory,
    refused,
    refused_by_torch,
    search,
    tensors,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from helpers.functional import _batch_last, convolution, windows
from helpers.functional.convolution import (
    conv2d,
    conv2d_backward,
    conv_transpose2d,
    flip,
    output_size,
    spread,
)

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")



class Case(NamedTuple):
    """One convolution: the arrays, and the keyword arguments that numpy and torch share."""

    x: np.ndarray
    W: np.ndarray
    b: np.ndarray | None
    options: dict
    rng: np.random.Generator

    def normal(self, shape):
        return frozen(self.rng, shape, self.x.dtype)


@st.composite
def cases(draw, transposed=False, strides=4):
    """Any convolution that has an output; height and width differ, and so do those of the kernel."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    C, O = (groups * draw(st.integers(1, 3)) for _ in range(2))
    H, Wd, kh, kw = (draw(st.integers(1, n)) for n in (9, 9, 4, 4))
    assume(H != Wd and kh != kw)
    options = {"stride": draw(axis_pairs(1, strides)), "dilation": draw(axis_pairs(1, 3)), "groups": groups}
    options["padding"] = draw(axis_pairs(0, 6))
    if not transposed and draw(st.booleans()):
        options["padding"] = draw(st.sampled_from(["same", "valid"]))
    if options["padding"] == "same":
        options["stride"] = 1
    rng, dtype = np.random.default_rng(draw(st.integers(0, 99))), draw(st.sampled_from(list(CLOSE)))
    batch = draw(st.sampled_from([(), (0,), (1,), (2,), (5,), (9,)]))
    W = frozen(rng, (C, O // groups, kh, kw) if transposed else (O, C // groups, kh, kw), dtype)
    b = frozen(rng, O, dtype) if draw(st.booleans()) else None
    return Case(frozen(rng, (*batch, C, H, Wd), dtype), W, b, options, rng)


def in_torch(function, *arrays, **options):
    """The value in torch, or None when torch refuses; no leaf remembers, no gradient is kept."""
    try:
        with torch.no_grad():
            return function(*tensors(*arrays), **options).numpy()
    except RuntimeError:
        return None


# --- against torch ---------------------------------------------------------------------------

@search(max_examples=125)
@given(cases())
def test_forward_and_backward(case):
    assume(in_torch(F.conv2d, *case[:3], **case.options) is not None)
    compare(case)


def compare(case):
    """Both passes with torch's, on arguments that cannot be written into."""
    x, W, b, options, _ = case
    truth = in_torch(F.conv2d, x, W, b, **options)
    y = conv2d(x, W, b, **options)
    agree(y, truth, x.dtype)
    inputs = tensors(x, W, np.zeros(len(W), x.dtype) if b is None else b)
    dy = case.normal(y.shape)
    truths = torch.autograd.grad(F.conv2d(*inputs, **options), inputs, torch.tensor(dy))
    gradients = conv2d_backward(dy, x, W, **options)
    for ours, theirs in zip(gradients, truths, strict=True):
        agree(ours, theirs, x.dtype)
    own_memory([y, *gradients], [x, W, b, dy])


@search(max_examples=100)
@given(cases(transposed=True), axis_pairs(0, 3))
def test_transposed(case, output_padding):
    x, W, b, options, _ = case
    options["output_padding"] = output_padding
    truth = in_torch(F.conv_transpose2d, x, W, b, **options)
    fits = all(more < max(s, d) for more, s, d in
               zip(*map(both, (output_padding, options["stride"], options["dilation"])), strict=True))
    assume(truth is not None and fits and 0 not in truth.shape[-2:])   # torch checks less when N = 0
    y = conv_transpose2d(x, W, b, **options)
    agree(y, truth, x.dtype)
    own_memory([y], [x, W, b])


@pytest.mark.parametrize("shape, W, options", [
    ((2, 3, 9, 11), (4, 3, 3, 2), {"stride": (4, 3)}),                       # pixels left over, both axes
    ((2, 3, 9, 11), (4, 3, 2, 3), {"stride": (5, 4), "padding": (1, 0)}),    # steps over whole pixels
    ((1, 2, 3, 4), (5, 2, 2, 1), {"padding": (4, 3)}),                       # more padding than kernel − 1
    ((2, 4, 5, 7), (6, 2, 1, 1), {"groups": 2, "padding": 2, "stride": 2}),  # 1 × 1 in a margin
    ((3, 4, 6, 5), (4, 1, 3, 2), {"groups": 4, "padding": "same"}),          # depthwise, uneven margin
    ((6, 7, 8), (5, 6, 3, 4), {"dilation": (3, 2), "padding": (2, 1)}),      # no batch axis
    ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    ((2, 2, 3, 3), (30, 2, 2, 2), {}),                                       # many filters: dx by folding
], ids=str)
def test_named_corners(shape, W, options):
    rng = np.random.default_rng(0)
    compare(Case(frozen(rng, shape), frozen(rng, W), frozen(rng, W[0]), options, rng))


def test_output_padding_may_exceed_what_is_left_of_dy():
    """At stride 1, all of dy was cropped away and the margin on the other side was kept whole."""
    rng, tried = np.random.default_rng(0), 0
    for H, k, p, more, d in itertools.product((1, 2), (1, 2), range(4), range(7), range(1, 8)):
        x, W = frozen(rng, (2, 3, H, 2)), frozen(rng, (3, 2, k, 2))
        options = {"padding": (p, 0), "output_padding": (more, 0), "dilation": (d, 1)}
        truth = in_torch(F.conv_transpose2d, x, W, **options)
        if truth is not None and truth.size:
            agree(conv_transpose2d(x, W, **options), truth, x.dtype)
            tried += 1
    assert tried > 200


# --- the ways inside agree with one another --------------------------------------------------

@search(max_examples=60)
@given(cases(strides=1))
def test_two_ways_of_dx(case):
    x, W, _, options, _ = case
    assume(in_torch(F.conv2d, x, W, **options) is not None and x.ndim == 4)
    Ho_Wo, pads, stride, dilation, groups = convolution._checked(
        x, W, None, 1, options["padding"], options["dilation"], options["groups"])
    dy = case.normal((len(x), len(W), *Ho_Wo))
    correlated = convolution._full_correlation(dy, W, x.shape[2:], pads, dilation, groups)
    folded = convolution._fold(dy, W, x.shape[2:], pads, stride, dilation, groups)
    agree(*(np.ascontiguousarray(dx) for dx in (correlated, folded)), x.dtype)


@pytest.mark.parametrize("W, padding, way", [
    ((4, 3, 3, 2), 0, "_full_correlation"), ((40, 3, 3, 2), 0, "_fold"),
    ((7, 3, 3, 4), 0, "_fold"), ((7, 3, 3, 4), 1, "_full_correlation")], ids=str)    # pixels count, too
def test_both_ways_are_taken(monkeypatch, W, padding, way):
    rng, taken = np.random.default_rng(0), []
    real = getattr(convolution, way)
    monkeypatch.setattr(convolution, way, lambda *a: taken.append(way) or real(*a))
    x, W = frozen(rng, (2, 3, 6, 5)), frozen(rng, W)
    conv2d_backward(conv2d(x, W, padding=padding), x, W, padding=padding)
    assert taken == [way]


@search(max_examples=40)
@given(cases(), st.sampled_from([1, 500, 3000]))
def test_chunks_change_nothing(case, chunk):
    x, W, b, options, _ = case
    assume(in_torch(F.conv2d, x, W, b, **options) is not None)
    y = conv2d(x, W, b, **options)
    dy = case.normal(y.shape)
    whole = y, *conv2d_backward(dy, x, W, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_batch_last, "CHUNK", chunk)
        chunked = conv2d(x, W, b, **options), *conv2d_backward(dy, x, W, **options)
    for a, b_ in zip(chunked, whole, strict=True):
        agree(a, b_, x.dtype)


@pytest.mark.parametrize("chunk", [2**20, 40_000, 1])     # all images are interleaved, some at a time, none
@pytest.mark.parametrize("O, options", [
    (4, {}), (4, {"padding": 2}), (30, {"padding": (0, 1)}), (4, {"stride": (2, 1), "dilation": (1, 2)}),
    (4, {"stride": 2}), (6, {"groups": 2, "padding": 1}), (4, {"padding": (4, 5)}),
], ids=str)
def test_the_order_in_memory_is_that_of_x(monkeypatch, O, options, chunk):
    """With the batch last in memory or not, and dy in the other order: the same numbers, in x's order."""
    rng = np.random.default_rng(0)
    x, W, b = (frozen(rng, s) for s in ((19, 4, 7, 6), (O, 4 // options.get("groups", 1), 3, 2), (O,)))
    y = conv2d(x, W, b, **options)
    agree(y, in_torch(F.conv2d, x, W, b, **options), x.dtype)
    dy = frozen(rng, y.shape)
    dx, *rest = conv2d_backward(dy, x, W, **options)
    inputs = tensors(x, W, b)
    truths = torch.autograd.grad(F.conv2d(*inputs, **options), inputs, torch.tensor(dy))
    monkeypatch.setattr(_batch_last, "CHUNK", chunk)
    for turn, upstream in ((batch_last, dy), (batch_last, batch_last(dy)), (np.array, batch_last(dy))):
        others = [conv2d(turn(x), W, b, **options), *conv2d_backward(upstream, turn(x), W, **options)]
        for i, (a, truth) in enumerate(zip(others, [y, *truths], strict=True)):
            agree(np.array(a, order="C"), truth, x.dtype)
            assert a.flags.c_contiguous != _batch_last.batch_last(a)
            assert _batch_last.batch_last(a) == (turn is batch_last and i < 2)
        own_memory(others, [x, W, b, dy, upstream])


def test_transposed_keeps_the_order_in_memory():
    rng = np.random.default_rng(0)
    x, W, b = (frozen(rng, s) for s in ((9, 4, 3, 5), (4, 2, 3, 2), (2,)))
    y = conv_transpose2d(x, W, b)
    agree(y, in_torch(F.conv_transpose2d, x, W, b), x.dtype)
    turned = conv_transpose2d(batch_last(x), W, b)
    assert _batch_last.batch_last(turned)
    np.testing.assert_allclose(turned, y, rtol=1e-13)


@pytest.mark.parametrize("N, bytes_each, few, lengths", [
    (7, 2**20 // 3, 1, [2, 2, 3]), (3, 2**30, 1, [1, 1, 1]), (0, 8, 1, []), (7, 2**20 // 3, 4, [1] * 7),
    (9, 2**18, 4, [3, 3, 3]), (3, 8, 4, [1, 1, 1]), (4, 8, 4, [4])])
def test_chunks_cover_the_batch_once(N, bytes_each, few, lengths):
    """As few as fit the cache, as equal as can be; one by one where fewer than `few` fit."""
    found = [range(N)[n] for n in _batch_last.chunks(N, bytes_each, few)]
    assert [len(n) for n in found] == lengths and [i for n in found for i in n] == list(range(N))


# --- what an array may look like -------------------------------------------------------------

@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": 2}], ids=str)
def test_views_are_as_good_as_copies(view, options):
    rng, groups = np.random.default_rng(0), options.get("groups", 1)
    x, W = frozen(rng, (3, 4, 7, 9)), frozen(rng, (6, 4 // groups, 3, 2))
    y = conv2d(x, W, **options)
    dy = frozen(rng, y.shape)
    assert not view(x).flags.c_contiguous
    agree(conv2d(view(x), view(W), **options), y, x.dtype)
    for ours, theirs in zip(conv2d_backward(view(dy), view(x), view(W), **options),
                            conv2d_backward(dy, x, W, **options), strict=True):
        agree(ours, theirs, x.dtype)
    transposed = {**options, "groups": 1}
    agree(conv_transpose2d(view(dy), view(W), **transposed), conv_transpose2d(dy, W, **transposed), x.dtype)


def test_one_number_seen_everywhere():
    """np.broadcast_to makes arrays whose entries share one place in memory."""
    x, W = np.broadcast_to(2.0, (2, 3, 4, 5)), np.broadcast_to(0.5, (2, 3, 2, 2))
    np.testing.assert_array_equal(conv2d(x, W), np.full((2, 2, 3, 4), 12.0))
    dx, dW, db = conv2d_backward(np.broadcast_to(1.0, (2, 2, 3, 4)), x, W)
    assert dW.min() == dW.max() == 2 * 2 * 12 and db.tolist() == [24.0, 24.0] and dx[0, 0, 1, 1] == 4


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["x", "W", "b", "dy"])
@pytest.mark.parametrize("options", [{}, {"padding": 1}, {"padding": 3}, {"stride": 2, "padding": 1},
                                     {"dilation": 2, "padding": 1}, {"groups": 2, "padding": 1}], ids=str)
def test_nan_and_infinity_go_where_torch_sends_them(monkeypatch, where, value, options):
    """Against torch's plain kernels: oneDNN's skip some of the products with the zeros of a margin."""
    rng = np.random.default_rng(0)
    arrays = {"x": (2, 4, 7, 9), "W": (6, 4 // options.get("groups", 1), 3, 2), "b": (6,)}
    arrays = {name: rng.normal(size=shape) for name, shape in arrays.items()}
    arrays["dy"] = rng.normal(size=conv2d(*arrays.values(), **options).shape)
    arrays[where].flat[3] = value
    *forward, dy = arrays.values()
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    with np.errstate(invalid="ignore"):
        y = F.conv2d(*(leaves := tensors(*forward)), **options)
        truths = [y, *torch.autograd.grad(y, leaves, torch.tensor(dy))]
        ours = [conv2d(*forward, **options), *conv2d_backward(dy, *forward[:2], **options)]
    assert any(not np.isfinite(a).all() for a in ours)
    for a, truth in zip(ours, truths, strict=True):
        np.testing.assert_allclose(a, truth.detach().numpy(), rtol=1e-10, atol=1e-10)   # NaN equals NaN


def test_the_first_layer_needs_no_dx():
    rng = np.random.default_rng(0)
    x, W, dy = frozen(rng, (2, 3, 6, 5)), frozen(rng, (4, 3, 3, 2)), frozen(rng, (2, 4, 4, 4))
    nothing, dW, db = conv2d_backward(dy, x, W, needs_dx=False)
    assert nothing is None
    for ours, theirs in zip((dW, db), conv2d_backward(dy, x, W)[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


# --- sizes -----------------------------------------------------------------------------------

SMALL = list(itertools.product(range(1, 7), range(1, 5), range(1, 4),
                               [*range(5), "same", "valid"], range(1, 4)))


def test_output_size_is_torch_s_for_all_small_numbers():
    sizes = 0
    for n, k, s, p, d in SMALL:
        padding = p if isinstance(p, str) else (p, 0)
        truth = in_torch(F.conv2d, np.zeros((1, 1, n, 1)), np.zeros((1, 1, k, 1)),
                         stride=s, padding=padding, dilation=(d, 1))
        if truth is None:
            with pytest.raises(ValueError, match=r"^(size|stride): got"):
                output_size(n, k, s, p, d)
        else:
            assert output_size(n, k, s, p, d) == truth.shape[2], (n, k, s, p, d)
            sizes += 1
    assert sizes > 900


# --- the small parts -------------------------------------------------------------------------

def test_spread_puts_zeros_between():
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    expected = [[1, 0, 2, 0, 3], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [4, 0, 5, 0, 6]]
    assert spread(x, (3, 2)).tolist() == expected
    assert spread(x[None, None], (3, 2))[0, 0].tolist() == expected
    assert spread(x.astype(np.float32), 1).dtype == np.float32
    assert spread(x[:, :1], (1, 5)).tolist() == [[1], [4]]        # nothing lies between one pixel
    assert spread(x[:0], 2).shape == (0, 5) and spread(x[:, :0], 3).shape == (4, 0)
    own_memory([spread(x, 1)], [x])


def test_flip_turns_and_exchanges():
    W = np.arange(2 * 3 * 2 * 2, dtype=float).reshape(2, 3, 2, 2)
    assert flip(W).shape == (3, 2, 2, 2)
    assert flip(W)[2, 1].tolist() == [[23, 22], [21, 20]] == W[1, 2, ::-1, ::-1].tolist()
    own_memory([flip(W), flip(W[:1, :, :1, :1])], [W])


def test_flip_keeps_to_its_group():
    W = np.arange(4 * 3.0).reshape(4, 3, 1, 1)                    # two groups of two filters, three channels
    assert flip(W, 2).shape == (6, 2, 1, 1)
    assert flip(W, 2)[:, :, 0, 0].tolist() == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10], [8, 11]]


@pytest.mark.parametrize("pads, expected", [
    (((1, 0), (0, 2)), [[7, 7, 7, 7], [1, 2, 7, 7], [3, 4, 7, 7]]),
    (((-1, 0), (0, -1)), [[3]]),
    (((-1, 1), (1, -1)), [[7, 3], [7, 7]]),
    (((-3, 2), (0, 0)), [[7, 7]]),                                # more taken away than there is
    (((2, -3), (0, 0)), [[7, 7]]),
    (((3, -4), (4, -5)), [[7]]),
    (((0, 0), (-2, 1)), [[7], [7]]),
])
def test_a_margin_may_be_negative(pads, expected):
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert windows.pad(x, pads, 7.0)[0, 0].tolist() == expected
    assert windows.pad(x[0], pads, 7.0, axis=1)[0].tolist() == expected
    assert windows.pad(x, ((0, 0), (0, 0)), 7.0) is x


@pytest.mark.parametrize("N, C", [(32, 16), (16, 64)])
def test_memory(N, C):
    """Beside its arguments, a call needs at most five times the input, at the larger benchmark shapes."""
    rng = np.random.default_rng(0)
    x, W = frozen(rng, (N, C, 32, 32), np.float32), frozen(rng, (32, C, 3, 3), np.float32)
    dy = frozen(rng, (N, 32, 32, 32), np.float32)
    for call in lambda: conv2d(x, W, padding=1), lambda: conv2d_backward(dy, x, W, padding=1):
        tracemalloc.start()
        try:
            call()
            peak = tracemalloc.get_traced_memory()[1] / x.nbytes
        finally:
            tracemalloc.stop()
        assert 0.4 < peak <= 5, peak      # the lower bound: NumPy's memory is seen at all


# --- what is refused, and how ----------------------------------------------------------------

X, K, B = np.ones((2, 4, 5, 6)), np.ones((6, 4, 3, 2)), np.ones(6)
DY = np.ones((2, 6, 3, 5))
ODD_OPTIONS = [(name, value) for name in ("stride", "padding", "dilation", "groups")
               for value in (*ODD_NUMBERS, 1.0, None, ())]
ODD_OPTIONS += [(name, value) for name in ("stride", "dilation", "groups") for value in (0, (0, 1))]
ARRAYS = {
    "a list": X.tolist(), "None": None, "a number": 1.0, "a string": "x", "integers": X.astype(int),
    "booleans": X > 0, "float16": X.astype(np.float16), "complex": X + 0j, "float32": X.astype(np.float32),
    "objects": X.astype(object),
    "the other byte order": X.astype(X.dtype.newbyteorder()),
    "no axis": np.array(1.0), "one axis": np.ones(6), "two axes": np.ones((5, 6)), "five axes": X[None],
    "no channel": X[:, :0], "no row": X[:, :, :0], "no column": X[..., :0], "channels": X[:, :3],
    "too low": X[:, :, :2], "too narrow": X[..., :1],
}
FILTERS = {
    "a list": K.tolist(), "None": None, "integers": K.astype(int), "float32": K.astype(np.float32),
    "three axes": K[0], "two axes": K[0, 0], "five axes": K[None], "no filter": K[:0], "no channel": K[:, :0],
    "no row": K[:, :, :0], "no column": K[..., :0], "channels": K[:, :3], "too large": np.ones((6, 4, 6, 6)),
}
BIASES = {
    "a list": B.tolist(), "a number": 1.0, "short": B[:5], "a row": B[None], "a column": B[:, None],
    "one": B[:1], "float32": B.astype(np.float32), "integers": B.astype(int), "no axis": np.array(1.0),
    "False": False,
}
UPSTREAM = {
    "a list": DY.tolist(), "None": None, "a number": 1.0, "integers": DY.astype(int), "low": DY[:, :, :2],
    "narrow": DY[..., :4], "channels": DY[:, :5], "no batch": DY[0], "turned": DY.swapaxes(2, 3),
    "one axis": np.ones(5), "float32": DY.astype(np.float32),
}


@pytest.mark.parametrize("name, value", ODD_OPTIONS, ids=str)
def test_odd_numbers_are_refused_where_torch_refuses(name, value):
    said = refused(lambda: conv2d(X, K, B, **{name: value}), name)
    assert repr(value) in said
    refused(lambda: conv2d_backward(DY, X, K, **{name: value}), name)
    refused(lambda: conv_transpose2d(X, K.swapaxes(0, 1), **{name: value}), name)
    refused_by_torch(F.conv2d, X, K, B, **{name: value})


@pytest.mark.parametrize("what", ARRAYS)
def test_odd_images_are_refused_where_torch_refuses(what):
    x, names = ARRAYS[what], ("x", "W: got shape", "height of x", "width of x")
    said = refused(lambda: conv2d(x, K, B), *names)
    assert refused(lambda: conv2d_backward(DY, x, K), *names)
    refused_by_torch(F.conv2d, x, K, B)
    if not what.startswith("too"):      # what is too small for a window may still be a stamp
        refused(lambda: conv_transpose2d(x, K[:4]), *names)
    if isinstance(x, np.ndarray):
        assert str(x.dtype if x.dtype != X.dtype else x.shape) in said or "pixels" in said or "has 3" in said


@pytest.mark.parametrize("what", FILTERS)
def test_odd_filters_are_refused_where_torch_refuses(what):
    W, names = FILTERS[what], ("W", "x, W", "x is float64, W is float32", "height of x")
    refused(lambda: conv2d(X, W), *names)
    refused(lambda: conv2d_backward(DY, X, W), *names)
    refused_by_torch(F.conv2d, X, W)


@pytest.mark.parametrize("what", BIASES)
def test_odd_biases_are_refused_where_torch_refuses(what):
    names = ("b", "x is float64, W is float64, b is float32")
    refused(lambda: conv2d(X, K, BIASES[what]), *names)
    refused(lambda: conv_transpose2d(X, K[:4].copy(), BIASES[what]), *names)
    refused_by_torch(F.conv2d, X, K, BIASES[what])


@pytest.mark.parametrize("what", UPSTREAM)
def test_an_odd_upstream_gradient_is_refused(what):
    refused(lambda: conv2d_backward(UPSTREAM[what], X, K), "dy")


def test_an_upstream_gradient_with_a_batch_axis_too_many():
    assert "(O, Ho, Wo)" in refused(lambda: conv2d_backward(DY, X[0], K), "dy")


SENTENCES = [
    (lambda: conv2d(X, K, groups=4),
     "groups: got 4, expected a divisor of the 6 filters in W (6, 4, 3, 2)"),
    (lambda: conv2d(X, K, groups=2),
     "W: got shape (6, 4, 3, 2), which with groups=2 takes 8 channels, but x has 4; expected W of shape "
     "(filters, channels/groups, kh, kw)"),
    (lambda: conv_transpose2d(X, K),
     "W: got shape (6, 4, 3, 2), which with groups=1 takes 6 channels, but x has 4; expected W of shape "
     "(channels, filters/groups, kh, kw)"),
    (lambda: conv2d(X, K, padding="SAME"),
     "padding: got 'SAME', expected an integer, a pair, \"same\" or \"valid\""),
    (lambda: conv2d(X, K, padding="same", stride=(1, 2)),
     'stride: got (1, 2) with padding="same", expected stride 1'),
    (lambda: conv2d(X[:, :, :2], K),
     "height of x: got 2 pixels and 0 of padding, but the kernel spans 3; expected a kernel no larger than "
     "the padded input"),
    (lambda: conv2d(X, K, B[:5]),
     "b: got shape (5,), expected (6,), one number for each output channel"),
    (lambda: conv2d_backward(DY[:, :, :2], X, K),
     "dy: got shape (2, 6, 2, 5), expected (2, 6, 3, 5), the shape of conv2d(x, W)"),
    (lambda: conv_transpose2d(X, K[:4], output_padding=2, stride=2),
     "output_padding: got (2, 2), expected less than stride (2, 2) or dilation (1, 1)"),
    (lambda: conv_transpose2d(X, K[:4], padding=9),
     "padding: got (9, 9), which leaves an output of (-11, -11); expected less"),
    (lambda: flip(K, 4),
     "groups: got 4, expected a divisor of the 6 filters in W (6, 4, 3, 2)"),
]


@pytest.mark.parametrize("call, sentence", SENTENCES, ids=[sentence[:48] for _, sentence in SENTENCES])
def test_sentences(call, sentence):
    assert refused(call, "") == sentence


@pytest.mark.parametrize("call", [
    lambda: output_size(0, 3), lambda: output_size(5, 0), lambda: output_size(5, 3, 0),
    lambda: output_size(5, True), lambda: output_size(5.0, 3), lambda: output_size("5", 3),
    lambda: output_size(5, (3, 3)),
    lambda: output_size(5, 3, 1, -1), lambda: output_size(5, 3, 1, 1.5), lambda: output_size(5, 3, 1, None),
    lambda: output_size(5, 3, 1, 0, 0), lambda: output_size(5, 3, 2, "same"), lambda: spread(X.tolist(), 2),
    lambda: spread(X.astype(int), 2), lambda: spread(X, 0), lambda: spread(X, 1.5), lambda: flip(K[0]),
    lambda: flip(K, 0), lambda: flip(K, 2.0), lambda: flip(K.tolist()),
])
def test_small_parts_refuse_too(call):
    refused(call, "size", "kernel_size", "stride", "padding", "dilation", "x", "W", "groups")


@pytest.mark.parametrize("options", [{"stride": np.int64(2)}, {"padding": [1, 2]}, {"dilation": np.array(2)},
                                     {"stride": (np.int32(1), 2)}, {"stride": 2**40}], ids=str)
def test_integers_of_every_kind_are_taken(options):
    plain = {name: tuple(map(int, v)) if np.size(v) > 1 else int(v) for name, v in options.items()}
    agree(conv2d(X, K, B, **options), in_torch(F.conv2d, X, K, B, **plain), X.dtype)


@pytest.mark.parametrize("call, name", [
    (lambda: conv2d(X, K, stride=(2,)), "stride"),
    (lambda: conv_transpose2d(X, K[:4, :, :1], stride=2, padding=5, output_padding=1), "padding"),
    (lambda: conv_transpose2d(X[:0], K[:4], output_padding=3), "output_padding"),
], ids=["a list of one", "an output without pixels", "output_padding of no images"])
def test_where_torch_is_kinder(call, name):
    """What torch lets pass, always or in some builds; a learner is told."""
    refused(call, name)


@search(max_examples=150)
@given(cases(), st.data())
def test_never_kinder_than_torch(case, data):
    """With one thing made odd in a right case: we accept only what torch accepts, and say the same."""
    arrays = dict(zip("xWb", case[:3], strict=True))
    name = data.draw(st.sampled_from([*arrays, *case.options]))
    if name in arrays:
        like = np.shape(arrays[name])
        shape = data.draw(st.permutations(like) | st.just(like[1:]) | st.just((2, *like)) |
                          st.tuples(*[st.integers(max(0, n - 1), n + 1) for n in like]))
        arrays[name] = frozen(case.rng, shape, case.x.dtype)
    else:
        odd = st.sampled_from([*ODD_NUMBERS, None, "same", [1, 2]])
        case.options[name] = data.draw(st.one_of(axis_pairs(-1, 9), odd))
    try:
        y = conv2d(*arrays.values(), **case.options)
    except ValueError as refusal:
        assert "expected" in str(refusal) and "\n" not in str(refusal)
    else:
        agree(y, in_torch(F.conv2d, *arrays.values(), **case.options), case.x.dtype)
