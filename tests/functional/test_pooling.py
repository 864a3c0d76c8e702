"""Pooling against torch: values, indices, gradients, three witnesses, and what both refuse."""
import itertools
import tracemalloc
from functools import partial
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
    own_memory,
    refused,
    refused_by_torch,
    search,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from helpers.functional import _batch_last
from helpers.functional.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from helpers.verify.witnesses import three_witnesses

torch.set_num_threads(1)

OVERLAPPING = {"kernel_size": 3, "stride": 2, "padding": 1}
MAX, AVG = (max_pool2d, max_pool2d_backward, F.max_pool2d), (avg_pool2d, avg_pool2d_backward, F.avg_pool2d)


class Case(NamedTuple):
    """The image, and the keyword arguments that numpy and torch share."""

    x: np.ndarray
    options: dict
    rng: np.random.Generator

    def upstream(self, shape, *odd):
        """A random upstream gradient that cannot be written into, with `odd` numbers here and there."""
        dy = sprinkled(self.rng, self.rng.normal(size=shape), odd).astype(self.x.dtype)
        dy.flags.writeable = False
        return dy


def sprinkled(rng, array, values):
    for value in values:
        array[rng.random(array.shape) < 0.15] = value
    return array


# What the pixels may be. Whole numbers make ties; so does a ReLU, in most windows that it meets.
PIXELS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "negative": lambda rng, shape: -1 - rng.random(shape),
    "ties": lambda rng, shape: rng.integers(-2, 3, shape).astype(float),
    "after a ReLU": lambda rng, shape: np.maximum(0, rng.normal(size=shape) - 0.8),
    "all equal": lambda rng, shape: np.full(shape, -2.5),
    "NaN": lambda rng, shape: sprinkled(rng, rng.normal(size=shape), [np.nan]),
    "infinite": lambda rng, shape: sprinkled(rng, rng.normal(size=shape), [np.inf, -np.inf]),
    "all odd": lambda rng, shape: rng.choice([np.nan, np.inf, -np.inf, 0.0, -1.0], shape),
    "nothing but −∞": lambda rng, shape: np.full(shape, -np.inf),
}

def steps_over_x(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """Whether a window may see only the margin. Torch answers with an index outside of x, and its
    backward pass writes there, into whatever memory that is: it must not be asked.
    """
    return any(d > size and p for d, size, p in zip(both(dilation), x.shape[-2:], both(padding), strict=True))


@st.composite
def cases(draw, pool=MAX, kinds=tuple(PIXELS)):
    """Any pooling that has an output; leftover pixels, gaps and overlaps come by themselves."""
    k = draw(axis_pairs(1, 5))
    options = {"kernel_size": k, "stride": draw(st.none() | axis_pairs(1, 6)),
               "ceil_mode": draw(st.booleans())}
    halves = [st.integers(0, n // 2) for n in both(k)]
    options["padding"] = draw(st.tuples(*halves) | st.integers(0, min(both(k)) // 2))
    if pool is MAX:
        options["dilation"] = draw(axis_pairs(1, 3))
    else:
        options["count_include_pad"] = draw(st.booleans())
        options["divisor_override"] = draw(st.sampled_from([None, None, 1, 3, 7, -2]))
    shape = (*draw(st.sampled_from([(), (0,), (1,), (3,)])), *(draw(st.integers(1, n)) for n in (3, 10, 10)))
    rng, dtype = np.random.default_rng(draw(st.integers(0, 99))), draw(st.sampled_from(list(CLOSE)))
    x = PIXELS[draw(st.sampled_from(kinds))](rng, shape).astype(dtype)
    x = draw(st.sampled_from([np.array, *VIEWS.values()]))(x)
    x.flags.writeable = False
    case = Case(x, options, rng)
    assume(not steps_over_x(x, *(options.get(name, 1) for name in
                                 ("kernel_size", "stride", "padding", "dilation", "ceil_mode"))))
    return case


def leaf(array):
    """A tensor with the same numbers. Torch takes no array that runs backwards."""
    return torch.tensor(np.array(array, order="C"), requires_grad=True)


def in_torch(function, x, **options):
    """The result of torch, or None when torch refuses."""
    try:
        with torch.no_grad():
            return function(leaf(x), **options)
    except RuntimeError:
        return None


def gradient_in_torch(function, dy, x, **options):
    x = leaf(x)
    return torch.autograd.grad(function(x, **options), x, torch.tensor(np.array(dy, order="C")))[0].numpy()


# --- against torch ---------------------------------------------------------------------------

def compare(pool, case, *odd):
    """Both passes with torch's, on arguments that cannot be written into."""
    (forward, backward, reference), (x, options, _) = pool, case
    y = forward(x, **options)
    agree(y, in_torch(reference, x, **options), x.dtype, 0 if pool is MAX else None)
    dy = case.upstream(y.shape, *odd)
    dx = backward(dy, x, **options)
    agree(dx, gradient_in_torch(reference, dy, x, **options), x.dtype)
    own_memory([y, dx], [x, dy])
    assert not np.may_share_memory(y, dx)
    return y


def compare_indices(case):
    values, places = in_torch(F.max_pool2d, case.x, **case.options, return_indices=True)
    y, indices = max_pool2d(case.x, **case.options, return_indices=True)
    agree(y, values, case.x.dtype, 0)
    np.testing.assert_array_equal(indices, places.numpy())
    assert indices.dtype == np.int64 and indices.flags.c_contiguous
    own_memory([y, indices], [case.x])


@search(max_examples=200)
@given(cases(MAX))
def test_max(case):
    assume(in_torch(F.max_pool2d, case.x, **case.options) is not None)
    compare(MAX, case)
    compare_indices(case)


@search(max_examples=150)
@given(cases(AVG))
def test_average(case):
    assume(in_torch(F.avg_pool2d, case.x, **case.options) is not None)
    with np.errstate(invalid="ignore"):      # ∞ − ∞
        compare(AVG, case)


@pytest.mark.parametrize("pool", [MAX, AVG], ids=["max", "average"])
@pytest.mark.parametrize("odd", [(np.nan,), (np.inf,), (np.inf, -np.inf, np.nan)], ids=str)
def test_an_odd_upstream_gradient_goes_only_where_torch_sends_it(pool, odd):
    """0 · ∞ is a NaN: dy times a mask would put one into every other pixel of the window."""
    tried = 0
    for options in {"kernel_size": 2}, OVERLAPPING, {"kernel_size": (1, 3)}:
        for dtype in CLOSE:
            rng = np.random.default_rng(tried)
            with np.errstate(invalid="ignore"):
                compare(pool, Case(rng.normal(size=(2, 3, 7, 8)).astype(dtype), options, rng), *odd)
            tried += 1
    assert tried == 6


CORNERS = [
    ((2, 3, 7, 9), {"kernel_size": 2}),                                       # pixels left over
    ((2, 3, 7, 9), {"kernel_size": 2, "ceil_mode": True}),                    # windows reach beyond
    ((2, 3, 8, 11), {"kernel_size": (2, 1), "stride": (3, 4)}),               # gaps
    ((2, 3, 8, 11), {"kernel_size": (3, 4), "stride": (1, 2)}),               # overlap
    ((2, 3, 8, 11), {"kernel_size": (3, 4), "stride": (4, 2)}),               # overlap in one axis
    ((1, 2, 5, 4), {"kernel_size": (5, 4)}),                                  # global
    ((1, 2, 5, 4), {"kernel_size": (4, 3), "stride": 9}),                     # one window, not all of x
    ((1, 2, 5, 4), {"kernel_size": (5, 4), "padding": (2, 0)}),               # one across, several down
    ((1, 2, 3, 2), {"kernel_size": 6, "padding": 3, "stride": 2}),            # larger than x
    ((1, 2, 3, 2), {"kernel_size": 9, "stride": 9, "ceil_mode": True}),       # larger than x and margin
    ((1, 2, 3, 2), {"kernel_size": 2**30, "stride": 2**30, "ceil_mode": True}),# a little larger still
    ((1, 2, 3, 2), {"kernel_size": 2, "stride": 2**30}),
    ((4, 3, 2), {"kernel_size": 2, "stride": 1, "padding": 1}),               # no batch axis
    ((1, 1, 1, 1), {"kernel_size": 1}),
    ((0, 3, 4, 5), {"kernel_size": 2}),
    ((2, 1, 18, 20), {"kernel_size": (17, 16), "stride": 1}),                 # more than 256 entries
]


@pytest.mark.parametrize("shape, options", CORNERS, ids=str)
@pytest.mark.parametrize("kind", ["normal", "ties", "negative"])
def test_named_corners(kind, shape, options):
    rng = np.random.default_rng(0)
    case = Case(PIXELS[kind](rng, shape), options, rng)
    compare(MAX, case)
    compare_indices(case)
    compare(AVG, case)


def test_entries_far_apart():
    """Entry 3 lies 300 pixels from entry 0, which no longer fits the small integers that count entries."""
    rng, options = np.random.default_rng(0), {"kernel_size": (2, 4), "dilation": (150, 100), "stride": 1}
    compare_indices(Case(rng.normal(size=(1, 155, 305)), options, rng))


def test_one_number_seen_everywhere():
    """np.broadcast_to makes arrays whose entries share one place in memory."""
    x, dy = np.broadcast_to(2.0, (2, 3, 4, 6)), np.broadcast_to(1.0, (2, 3, 2, 3))
    assert (max_pool2d(x, 2) == 2).all() and (avg_pool2d(x, 2) == 2).all()
    assert max_pool2d_backward(dy, x, 2)[1, 2].tolist() == [[1, 0] * 3, [0] * 6] * 2
    assert (avg_pool2d_backward(dy, x, 2) == 0.25).all()


@pytest.mark.parametrize("chunk", [2**20, 300])
@pytest.mark.parametrize("kind", PIXELS)
@pytest.mark.parametrize("shape, options", [
    ((9, 3, 6, 8), {"kernel_size": 2}), ((9, 3, 7, 6), OVERLAPPING), ((9, 3, 4, 6), {"kernel_size": (4, 6)}),
    ((9, 1, 5, 4), {"kernel_size": (3, 2), "ceil_mode": True})], ids=str)
def test_the_order_in_memory_is_that_of_x(monkeypatch, shape, options, kind, chunk):
    """With the batch last in memory or not, and dy in the other order: the same bits, in the order of x."""
    monkeypatch.setattr(_batch_last, "CHUNK", chunk)
    rng = np.random.default_rng(0)
    x = PIXELS[kind](rng, shape)
    y = in_torch(F.max_pool2d, x, **options).numpy()
    dy = rng.normal(size=y.shape)
    for turn, upstream in ((batch_last, dy), (batch_last, batch_last(dy)), (np.array, batch_last(dy))):
        with np.errstate(invalid="ignore"):      # ∞ − ∞ in a mean
            results = [(max_pool2d(turn(x), **options), y), (avg_pool2d(turn(x), **options),
                                                             avg_pool2d(x, **options)),
                       *zip(max_pool2d(turn(x), **options, return_indices=True),
                            in_torch(F.max_pool2d, x, **options, return_indices=True), strict=True),
                       (max_pool2d_backward(upstream, turn(x), **options),
                        gradient_in_torch(F.max_pool2d, dy, x, **options)),
                       (avg_pool2d_backward(upstream, turn(x), **options),
                        avg_pool2d_backward(dy, x, **options))]
        for ours, truth in results:
            np.testing.assert_allclose(ours, truth, rtol=1e-14)
            one_place = ours[0].size == 1
            assert ours.flags.c_contiguous == (turn is np.array or one_place)
            assert _batch_last.batch_last(ours) == (turn is batch_last and not one_place)


@pytest.mark.parametrize("chunk", [1, 300])
@pytest.mark.parametrize("options", [{"kernel_size": 2}, OVERLAPPING], ids=str)
def test_chunks_change_nothing(monkeypatch, chunk, options):
    rng = np.random.default_rng(0)
    x = PIXELS["ties"](rng, (5, 3, 6, 7))

    def everything():
        y, indices = max_pool2d(x, **options, return_indices=True)
        dy = np.random.default_rng(1).normal(size=y.shape)
        return (y, indices, max_pool2d(x, **options), max_pool2d_backward(dy, x, **options),
                avg_pool2d(x, **options), avg_pool2d_backward(dy, x, **options))

    whole, pieces, cut = everything(), [], _batch_last.chunks
    monkeypatch.setattr(_batch_last, "CHUNK", chunk)
    monkeypatch.setattr("helpers.functional.pooling.chunks",
                        lambda N, size: pieces.append(len([*cut(N, size)])) or cut(N, size))
    for a, b in zip(everything(), whole, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(pieces) == 5 and min(pieces) > 3


def test_memory():
    """Beside its arguments, a call needs at most four times the input, margin or not."""
    x = np.random.default_rng(0).normal(size=(32, 64, 32, 32)).astype(np.float32)
    for options in {"kernel_size": 2}, OVERLAPPING:
        dy = avg_pool2d(x, **options)
        for call in (partial(max_pool2d, x), partial(avg_pool2d, x), partial(max_pool2d_backward, dy, x),
                     partial(avg_pool2d_backward, dy, x)):
            tracemalloc.start()
            try:
                call(**options)
                peak = tracemalloc.get_traced_memory()[1] / x.nbytes
            finally:
                tracemalloc.stop()
            assert 0.2 < peak <= 4, peak     # the lower bound: NumPy's memory is seen at all


# --- sizes and divisors, for all small numbers -----------------------------------------------

def small_numbers(dilations):
    """Lengths, and options for an axis of such a length."""
    small = range(1, 8), range(1, 6), range(1, 6), dilations, (False, True)
    for n, k, s, d, ceil_mode in itertools.product(*small):
        for p in range(k // 2 + 1):
            options = {"kernel_size": (k, 1), "stride": (s, 1), "padding": (p, 0), "ceil_mode": ceil_mode}
            yield n, options | ({"dilation": (d, 1)} if d > 1 else {})


def test_heights_are_torch_s():
    sizes = 0
    for n, options in small_numbers(range(1, 4)):
        x = np.zeros((1, n, 1))
        if steps_over_x(x, **options):
            continue
        truth = in_torch(F.max_pool2d, x, **options)
        if truth is None:
            with pytest.raises(ValueError, match=r"^height of x: got \d+ pixels"):
                max_pool2d(x, **options)
        else:
            assert max_pool2d(x, **options).shape == truth.shape, (n, options)
            sizes += 1
    assert sizes > 1000


def test_divisors_are_torch_s():
    """The mean of an image of ones tells what its windows were divided by."""
    seen = set()
    for (n, options), count in itertools.product(small_numbers([1]), (False, True)):
        truth = in_torch(F.avg_pool2d, np.ones((1, n, 1)), **options, count_include_pad=count)
        if truth is not None:
            y = avg_pool2d(np.ones((1, n, 1)), **options, count_include_pad=count)
            np.testing.assert_allclose(y, truth.numpy(), rtol=1e-14)
            seen.update(y.ravel().round(3))
    assert {1.0, 0.5, 0.333, 0.667, 0.75, 0.6, 0.8, 0.2} <= seen


def test_a_window_that_begins_in_the_margin_behind_x_is_left_out():
    """Of three windows that would fit a height of 3 in ceil_mode, the third starts behind its last pixel."""
    x = np.arange(3.0).reshape(1, 3, 1)
    options = {"kernel_size": (2, 1), "stride": (2, 1), "padding": (1, 0), "ceil_mode": True}
    assert max_pool2d(x, **options).ravel().tolist() == [0, 2]
    assert max_pool2d(np.arange(4.0).reshape(1, 4, 1), **options).ravel().tolist() == [0, 2, 3]


def test_the_mean_does_not_count_what_lies_beyond_the_margin():
    """At the lower right 1 pixel and 3 of margin are under a 3 × 3 window, and 5 places of nothing."""
    x = np.full((1, 3, 3), 12.0)
    options = {"kernel_size": 3, "stride": 3, "padding": 1, "ceil_mode": True}
    assert avg_pool2d(x, **options)[0].tolist() == [[12 * 4 / 9, 12 * 2 / 6], [12 * 2 / 6, 12 * 1 / 4]]
    assert (avg_pool2d(x, **options, count_include_pad=False) == 12).all()
    assert avg_pool2d(x, **options, divisor_override=2)[0].tolist() == [[24, 12], [12, 6]]


# --- which pixel is kept, which receives the gradient ----------------------------------------

def kept(pixels, **options):
    """Index and gradient of windows over one row of pixels, as torch has them too."""
    x = np.array([[pixels]], float)
    y, indices = max_pool2d(x, **options, return_indices=True)
    dy = 1.0 + np.arange(y.size).reshape(y.shape)
    dx = max_pool2d_backward(dy, x, **options)
    np.testing.assert_array_equal(indices, in_torch(F.max_pool2d, x, **options, return_indices=True)[1])
    np.testing.assert_array_equal(dx, gradient_in_torch(F.max_pool2d, dy, x, **options))
    return indices.ravel().tolist(), dx.ravel().tolist()


NAN, INF = np.nan, np.inf


@pytest.mark.parametrize("pixels, index", [
    ([1, 3, 3, 2], 1), ([0, 0, 0, 0], 0), ([-1, -2, -1, -3], 0), ([0.0, -0.0, 0.0, -1], 0),
    ([-0.0, 0.0, 0.0, -1], 0), ([1, NAN, 9, 2], 1), ([NAN, 1, NAN, 2], 2), ([NAN] * 4, 3),
    ([INF, NAN, INF, 1], 1), ([NAN, INF, 1, 2], 0), ([1, INF, INF, 2], 1),
    ([-INF] * 4, 0), ([-INF, -INF, -5, -INF], 2), ([-INF, NAN, -INF, -INF], 1),
], ids=str)
def test_the_first_of_equals_and_the_last_nan(pixels, index):
    assert kept(pixels, kernel_size=(1, 4)) == ([index], [float(n == index) for n in range(4)])


def test_equals_are_read_row_by_row():
    x = np.array([[[1.0, 7, 7], [7, 2, 7]]])
    assert max_pool2d(x, (2, 3), return_indices=True)[1].item() == 1
    assert max_pool2d_backward(np.ones((1, 1, 1)), x, (2, 3))[0].tolist() == [[0, 1, 0], [0, 0, 0]]


def test_the_margin_never_wins():
    """Not over negative pixels, and not over −∞, which the margin is too."""
    options = {"kernel_size": (1, 3), "stride": (1, 2), "padding": (0, 1)}
    assert kept([-4, -3, -2], **options) == ([1, 2], [0, 1, 2])
    assert kept([-INF, -INF, -INF], **options) == ([0, 1], [1, 2, 0])
    assert kept([-INF, -INF, -INF, -INF], **options, dilation=(1, 2)) == ([1], [0, 1, 0, 0])


def test_gradients_add_up_where_windows_overlap():
    assert kept([1, 9, 2, 3], kernel_size=(1, 2), stride=1) == ([1, 1, 3], [0, 3, 0, 3])
    dx = avg_pool2d_backward(np.array([[[2.0, 4, 6]]]), np.zeros((1, 1, 4)), (1, 2), 1)
    assert dx.ravel().tolist() == [1, 3, 5, 3]


# --- three witnesses -------------------------------------------------------------------------

@pytest.mark.parametrize("pool, options", [
    (MAX, {"stride": (2, 1)}), (MAX, {"dilation": (3, 2)}), (AVG, {"ceil_mode": True}),
    (AVG, {"count_include_pad": False}), (AVG, {"divisor_override": 3})],
    ids=["stride", "dilation", "ceil_mode", "count_include_pad", "divisor_override"])
def test_three_witnesses(pool, options):
    """On negative numbers far from one another, so that no nudge changes the argmax."""
    (forward, backward, reference), rng = pool, np.random.default_rng(0)
    options, x = {**OVERLAPPING, **options}, rng.permutation(2 * 2 * 7 * 6).reshape(2, 2, 7, 6) / 10 - 30
    dy = rng.normal(size=forward(x, **options).shape)
    three_witnesses(forward, reference, dy, options=options, x=(x, backward(dy, x, **options)))


# --- what is refused, and how ----------------------------------------------------------------

X, DY = np.ones((2, 3, 6, 8)), np.ones((2, 3, 3, 4))
ODD_OPTIONS = [(name, value) for name in ("kernel_size", "stride", "padding", "dilation")
               for value in ODD_NUMBERS]
ODD_OPTIONS += [(name, value) for name in ("kernel_size", "stride", "dilation") for value in (0, (0, 1))]
ODD_OPTIONS += [(name, None) for name in ("kernel_size", "padding", "dilation")] + [("padding", "same")]
FLAGGED = {"ceil_mode": [MAX, AVG], "count_include_pad": [AVG], "return_indices": [MAX]}
ODD_FLAGS = [(name, value) for name in FLAGGED for value in (0, 1, None, "True", np.True_, np.array(True))]
ARRAYS = {
    "a list": X.tolist(), "None": None, "a number": 1.0, "a string": "x", "integers": X.astype(int),
    "booleans": X > 0, "float16": X.astype(np.float16), "complex": X + 0j, "objects": X.astype(object),
    "the other byte order": X.astype(X.dtype.newbyteorder()), "no axis": np.array(1.0),
    "one axis": np.ones(6), "two axes": np.ones((6, 8)), "five axes": X[None], "no channel": X[:, :0],
    "no row": X[:, :, :0], "no column": X[..., :0], "no channel, no batch": X[0, :0],
    "too low": X[:, :, :1], "too narrow": X[..., :1],
}
KINDER = {"integers", "float16"}     # torch pools these too
UPSTREAM = {
    "a list": DY.tolist(), "None": None, "a number": 1.0, "integers": DY.astype(int), "low": DY[:, :, :2],
    "narrow": DY[..., :3], "channels": DY[:, :2], "images": DY[:1], "no batch": DY[0], "five axes": DY[None],
    "turned": DY.swapaxes(2, 3), "one axis": np.ones(4), "float32": DY.astype(np.float32), "as x": X,
}


@pytest.mark.parametrize("name, value", ODD_OPTIONS, ids=str)
def test_odd_numbers_are_refused_where_torch_refuses(name, value):
    options = {"kernel_size": 2, name: value}
    said = refused(lambda: max_pool2d(X, **options), name)
    assert repr(value) in said
    assert refused(lambda: max_pool2d_backward(DY, X, **options), name) == said
    refused_by_torch(F.max_pool2d, X, **options)
    if name != "dilation":
        assert refused(lambda: avg_pool2d(X, **options), name) == said
        assert refused(lambda: avg_pool2d_backward(DY, X, **options), name) == said
        refused_by_torch(F.avg_pool2d, X, **options)


@pytest.mark.parametrize("name", ["kernel_size", "stride", "dilation"])
def test_numbers_that_no_image_needs_are_refused_where_torch_refuses(name):
    options = {"kernel_size": 2, "ceil_mode": True, name: 2**40}
    assert f"{name.removesuffix('_size')} {2**40}" in refused(lambda: max_pool2d(X, **options), "height of x")
    refused_by_torch(F.max_pool2d, X, **options)


@pytest.mark.parametrize("name, value", ODD_FLAGS, ids=str)
def test_flags_are_true_or_false(name, value):
    said = f"{name}: got {value!r}, expected True or False"
    for forward, backward, reference in FLAGGED[name]:
        assert refused(lambda f=forward: f(X, 2, **{name: value}), name) == said
        if name != "return_indices":      # torch takes anything there
            assert refused(lambda b=backward: b(DY, X, 2, **{name: value}), name) == said
            refused_by_torch(reference, X, kernel_size=2, **{name: value})


@pytest.mark.parametrize("value", [0, True, np.True_, 1.0, 2.5, "3", (2, 2), 10**30, -10**30, 2j,
                                   np.array([2, 3])], ids=str)
def test_odd_divisors_are_refused_where_torch_refuses(value):
    said = f"divisor_override: got {value!r}, expected None or an integer other than 0"
    assert refused(lambda: avg_pool2d(X, 2, divisor_override=value), "") == said
    assert refused(lambda: avg_pool2d_backward(DY, X, 2, divisor_override=value), "") == said
    refused_by_torch(F.avg_pool2d, X, kernel_size=2, divisor_override=value)


@pytest.mark.parametrize("what", ARRAYS)
def test_odd_images_are_refused_where_torch_refuses(what):
    x, names = ARRAYS[what], ("x", "height of x", "width of x")
    said = refused(lambda: max_pool2d(x, 2), *names)
    assert refused(lambda: avg_pool2d(x, 2), *names) == said
    assert refused(lambda: max_pool2d_backward(DY, x, 2), *names) == said
    assert refused(lambda: avg_pool2d_backward(DY, x, 2), *names) == said
    if what not in KINDER:
        refused_by_torch(F.max_pool2d, x, kernel_size=2)
        refused_by_torch(F.avg_pool2d, x, kernel_size=2)
    if isinstance(x, np.ndarray):
        assert str(x.dtype if x.dtype != X.dtype else x.shape) in said or "pixels" in said


@pytest.mark.parametrize("what", UPSTREAM)
def test_an_odd_upstream_gradient_is_refused(what):
    dy = UPSTREAM[what]
    said = refused(lambda: max_pool2d_backward(dy, X, 2), "dy")
    assert refused(lambda: avg_pool2d_backward(dy, X, 2), "dy") == said.replace("max_pool", "avg_pool")


@pytest.mark.parametrize("options", [
    {"padding": 1, "dilation": 7, "ceil_mode": True, "stride": 9},     # the height is stepped over
    {"kernel_size": (1, 2), "padding": (0, 1), "dilation": (1, 9)},    # the width is
    {"padding": 1, "dilation": 9, "ceil_mode": True, "stride": 4},
], ids=str)
def test_a_window_that_sees_only_the_margin_is_refused(options):
    """Torch's indices lie outside of x then, and its backward pass writes there: it is not asked."""
    options = {"kernel_size": 2, **options}
    assert steps_over_x(X, **options)
    for call in partial(max_pool2d, X), partial(max_pool2d_backward, DY, X):
        said = refused(lambda call=call: call(**options), "dilation")
        assert "a pixel under every window" in said


@pytest.mark.parametrize("shape, options, size", [
    ((2, 6, 3), {"kernel_size": 2, "dilation": (1, 5), "stride": (2, 9)}, (3, 1)),       # it starts on x
    ((2, 2, 3), {"kernel_size": (4, 1), "dilation": (3, 1), "stride": (5, 1), "padding": (2, 0)}, (1, 3)),
], ids=str)
def test_a_dilation_larger_than_x_may_do_no_harm(shape, options, size):
    """Windows that have a pixel under them are pooled, as in torch, even if their neighbours would not."""
    rng = np.random.default_rng(0)
    case = Case(rng.normal(size=shape), {**options, "ceil_mode": True}, rng)
    assert compare(MAX, case).shape[1:] == size
    compare_indices(case)


SENTENCES = [
    (lambda: max_pool2d(X, 2, padding=2),
     "padding: got 2, expected at most half of kernel_size 2"),
    (lambda: max_pool2d(X, 7),
     "height of x: got 6 pixels and 0 of padding, but the kernel spans 7; expected a kernel no larger than "
     "the padded input"),
    (lambda: max_pool2d(X[:, :, :2], 2, 1, 1, (3, 1)),
     "dilation: got 3, with which a window steps over all 2 pixels of the height of x; expected a pixel "
     "under every window"),
    (lambda: max_pool2d(X, 2, 2**31),
     "height of x: got kernel 2, stride 2147483648, dilation 1; expected less than 2³¹"),
    (lambda: max_pool2d(X[:, :0], 2),
     "x: got shape (2, 0, 6, 8), expected no axis of length 0 but N"),
    (lambda: max_pool2d_backward(DY[:, :, :2], X, 2),
     "dy: got shape (2, 3, 2, 4), expected (2, 3, 3, 4), the shape of max_pool2d(x, …)"),
    (lambda: avg_pool2d_backward(DY, X, 2, 1),
     "dy: got shape (2, 3, 3, 4), expected (2, 3, 5, 7), the shape of avg_pool2d(x, …)"),
]


@pytest.mark.parametrize("call, sentence", SENTENCES, ids=[sentence[:48] for _, sentence in SENTENCES])
def test_sentences(call, sentence):
    assert refused(call, "") == sentence


@pytest.mark.parametrize("options", [{"stride": np.int64(2)}, {"padding": [1, 0]}, {"dilation": np.array(2)},
                                     {"stride": (np.int32(1), 2)}], ids=str)
def test_integers_of_every_kind_are_taken(options):
    plain = {name: tuple(map(int, v)) if np.size(v) > 1 else int(v) for name, v in options.items()}
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 7))
    truth = in_torch(F.max_pool2d, x, kernel_size=2, **plain)
    agree(max_pool2d(x, 2, **options), truth, x.dtype, 0)
    divisor = np.int32(3)
    agree(avg_pool2d(x, 2, divisor_override=divisor), avg_pool2d(x, 2, divisor_override=3), x.dtype)


def test_the_order_of_arguments_is_torch_s():
    x = np.random.default_rng(0).normal(size=(2, 3, 9, 8))
    for call, reference, given_ in ((max_pool2d, F.max_pool2d, (3, 2, 1, 2, True, True)),
                                    (avg_pool2d, F.avg_pool2d, (3, 2, 1, True, False, 5))):
        ours, theirs = call(x, *given_), reference(torch.tensor(x), *given_)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b.numpy(), rtol=1e-12, atol=1e-14)
    dy = np.random.default_rng(1).normal(size=(2, 3, 4, 4))
    names = {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}
    agree(max_pool2d_backward(dy, x, *names.values()), max_pool2d_backward(dy, x, **names), x.dtype)
    x, names = x[:, :, :8], {"kernel_size": 4, "stride": 2, "padding": 1, "ceil_mode": True,
                             "count_include_pad": False, "divisor_override": 5}
    agree(avg_pool2d_backward(dy, x, *names.values()), avg_pool2d_backward(dy, x, **names), x.dtype)


@pytest.mark.parametrize("value", [(2,), [2], (), []], ids=str)
def test_where_torch_is_kinder(value):
    """Torch takes a list of one, and as a stride an empty one; a learner is told."""
    refused(lambda: max_pool2d(X, 2, value), "stride")


@search(max_examples=150)
@given(st.booleans(), st.data())
def test_never_kinder_than_torch(is_max, data):
    """With one option made odd in a right case: we accept only what torch accepts, and say the same."""
    forward, _, reference = MAX if is_max else AVG
    x, options, _ = data.draw(cases(MAX if is_max else AVG, ["normal"]))
    name = data.draw(st.sampled_from(sorted(options)))
    odd = st.sampled_from([*ODD_NUMBERS, None, False, "same", [1, 2], 2**40])
    options[name] = data.draw(st.one_of(axis_pairs(-1, 9), odd))
    try:
        y = forward(x, **options)
    except ValueError as refusal:
        assert "expected" in str(refusal) and "\n" not in str(refusal)
    else:
        agree(y, in_torch(reference, x, **options), x.dtype)
