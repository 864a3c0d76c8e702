"""The exercises of notebooks 02 and 03: right by torch, and right about what learners really write.

tests/exercises/test_exercises.py asks of these exercises what it asks of all; this is what it does not know.
"""
import exercise_checks
import numpy as np
import pytest
import torch
from torch.func import jacrev
from torch.nn import functional as F

from helpers.exercises import break_it
from helpers.exercises.grading import find, grade
from helpers.exercises.questions import matrices as matrices
from helpers.exercises.questions import pooling as pooling
from helpers.functional.convolution import conv2d

HOLES = [pytest.param(f"{name}.break_it", hole, id=f"{name}: {hole.name}")
         for name, module in (("pooling", pooling), ("matrices", matrices)) for hole in module.HOLES]


# --- what torch says --------------------------------------------------------------------------

def blamed(forward, of, dy):
    """The gradient of Σ dy·forward(of) with respect to `of`, by autograd."""
    given = of.clone().requires_grad_()
    return torch.autograd.grad(forward(given), given, dy)[0]


def tied(X, W):
    return 0.5 * ((X @ W @ W.T - X) ** 2).sum()


# Each exercise by autograd, from nothing but its forward pass.
IN_TORCH = {
    "pooling.max": lambda x, k, s, p: F.max_pool2d(x, k, s, p),
    "pooling.avg": lambda dy, x_shape, k, s:
        blamed(lambda x: F.avg_pool2d(x, k, s), dy.new_zeros(x_shape), dy),
    "pooling.max_backward": lambda dy, x, k, s: blamed(lambda x: F.max_pool2d(x, k, s), x, dy),
    "pooling.count": lambda dy, x_shape, k, s, p: blamed(
        lambda x: F.avg_pool2d(x, k, s, p, count_include_pad=False), dy.new_zeros(x_shape), dy),
    "pooling.break_it": lambda dy, x, k, s: blamed(lambda x: F.max_pool2d(x, k, s), x, dy),
    "matrices.rank3": lambda W, x: jacrev(lambda W: W @ x)(W),
    "matrices.batch": lambda dY, X:
        blamed(lambda W: F.linear(X, W, X.new_ones(len(W))), X.new_zeros(dY.shape[1], X.shape[1]), dY),
    "matrices.softmax": lambda da, a: blamed(lambda z: torch.softmax(z, 1), a.log(), da),
    "matrices.trace": lambda X, W: blamed(lambda W: tied(X, W), W, torch.ones((), dtype=X.dtype)),
    "matrices.break_it": lambda dY, W: blamed(lambda X: X @ W, W.new_zeros(len(dY), len(W)), dY),
}


def test_torch_is_asked_about_every_exercise():
    assert list(IN_TORCH) == [e.name for module in (pooling, matrices) for e in module.EXERCISES]


@pytest.mark.parametrize("name", IN_TORCH)
def test_the_truth_is_that_of_torch_and_no_mistake_is(name):
    exercise_checks.check_truth(find(name), IN_TORCH)


@pytest.mark.parametrize("name, function", [
    ("pooling.max_backward", pooling._by("first")), ("pooling.max_backward",
     pooling._to(lambda at, kh, kw, i, j, *_: (i + at // kw, j + at % kw))),
    ("pooling.avg", lambda dy, x_shape, k, s: pooling._stamped(dy, x_shape, (k, k), s)),
    ("pooling.count", pooling._stamped),
])
def test_what_the_mistakes_are_changes_of_is_right(name, function):
    assert grade(name, function).passed


# --- the inputs -------------------------------------------------------------------------------

def windows(case):
    """Each window of an input of max pooling, as one row."""
    kh, kw = np.broadcast_to(case["kernel_size"], 2)
    seen = np.lib.stride_tricks.sliding_window_view(case["x"], (kh, kw), axis=(2, 3))
    return seen[:, :, ::case["stride"], ::case["stride"]].reshape(-1, kh * kw)


def test_max_poolings_inputs_hold_ties_overlap_and_windows_below_zero():
    for exercise, least in ((pooling.MAX_BACK, 5), (pooling.BREAK, 2)):
        seen = [windows(case) for case in exercise.inputs()]
        ties = [((rows == rows.max(1, keepdims=True)).sum(1) > 1).any() for rows in seen]
        assert sum(ties) >= least and sum((rows < 0).all(1).any() for rows in seen) >= 2
        assert any(case["stride"] < np.max(case["kernel_size"]) for case in exercise.inputs())
    first = pooling.MAX_BACK.inputs()[0]
    assert (windows(first).argmax(1) == [1, 0]).all()   # the pixel between, for both windows


def test_the_weak_tests_are_what_the_notebooks_say():
    case = pooling.BREAK.inputs()[0]
    assert case["x"].shape == (1, 1, 8, 8) and case["kernel_size"] == case["stride"] == 2
    assert (np.sort(case["x"].ravel()) == np.arange(1, 65)).all()
    assert (np.sort(case["dy"].ravel()) == np.arange(1, 17)).all() and case["dy"].shape == (1, 1, 4, 4)
    case = matrices.BREAK.inputs()[0]
    assert case["dY"].tolist() == [[1, 1]] and case["W"].tolist() == [[1, 2], [2, 3]]


def test_where_a_row_is_mixed_up_with_a_column_no_error_gives_it_away():
    for case in matrices.RANK3.inputs():
        assert case["W"].shape[0] <= case["W"].shape[1]
    for case in pooling.MAX_BACK.inputs():
        kernel, places = case["kernel_size"], case["dy"].shape[2:]
        last = [(n - 1) * case["stride"] for n in places]
        assert all(i + k <= n for i, k, n in zip(last, kernel[::-1], case["x"].shape[2:], strict=True))


def test_every_row_of_softmax_sums_to_1_and_has_no_two_alike():
    for case in matrices.SOFTMAX.inputs():
        assert np.allclose(case["a"].sum(1), 1) and (case["a"] > 0).all()
        assert all(len(set(row)) == len(row) for row in case["a"].tolist())


# --- break it ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name, hole", HOLES)
def test_every_hole_of_a_weak_test_is_recognised(name, hole):
    exercise_checks.check_hole(find(name), hole)


@pytest.mark.parametrize("module", [pooling, matrices], ids=["pooling", "matrices"])
def test_no_two_holes_are_the_same(module):
    exercise_checks.check_holes_differ(module.BREAK, module.HOLES)


def test_what_a_weak_test_rejects_does_not_pass():
    assert grade("pooling.break_it", lambda dy, x, k, s: dy.repeat(k, 2).repeat(k, 3)).mistake == "rejected"
    assert grade("matrices.break_it", lambda dY, W: np.zeros((len(dY), len(W)))).mistake == "rejected"
    assert grade("matrices.break_it", lambda dY, W: np.array([[3.0, 5]])).mistake == "shape"
    assert grade("matrices.break_it", lambda dY, W: dY @ W).sentence.startswith("ValueError")
    assert grade("matrices.break_it", lambda dY, W: np.abs(dY @ W.T)).sentence.endswith(break_it.OWN)


# --- the notebooks ----------------------------------------------------------------------------

@pytest.mark.parametrize("number, module", [("02", pooling), ("03", matrices)], ids=["02", "03"])
def test_the_notebook_asks_every_exercise_in_order(number, module):
    exercise_checks.check_asked(number, [exercise.name for exercise in module.EXERCISES])


@pytest.mark.parametrize("number, module", [("02", pooling), ("03", matrices)], ids=["02", "03"])
def test_the_notebook_says_how_many_holes_are_known_by_name(number, module):
    exercise_checks.check_counted(number, module.HOLES)


# --- ways in which people come by a mistake, written as they write them ---------------------------

def in_windows(send):
    """A max pooling backward as people write it; send(dx, blame, window, i, j) is the line in its middle."""
    def function(dy, x, kernel_size, stride):
        dx, (kh, kw) = np.zeros(x.shape), kernel_size
        for n, c, p, q in np.ndindex(dy.shape):
            i, j = p * stride, q * stride
            send(dx[n, c], dy[n, c, p, q], x[n, c, i:i + kh, j:j + kw], i, j)
        return dx
    return function


def searched(start, wins):
    """The largest found by a loop that begins at `start` and takes a pixel that `wins`."""
    def send(dx, blame, window, i, j):
        best, at = start, (0, 0)
        for u, v in np.ndindex(window.shape):
            if wins(window[u, v], best):
                best, at = window[u, v], (u, v)
        dx[i + at[0], j + at[1]] += blame
    return in_windows(send)


def masked(dx, blame, window, i, j):
    dx[i:i + window.shape[0], j:j + window.shape[1]] += blame * (window == window.max())


def put(dx, blame, window, i, j):
    u, v = np.unravel_index(window.argmax(), window.shape)
    dx[i + u, j + v] = blame


def masked_and_put(dx, blame, window, i, j):
    dx[i:i + window.shape[0], j:j + window.shape[1]] = np.where(window == window.max(), blame, 0)


def by_the_height(dx, blame, window, i, j):
    at = window.argmax()
    dx[i + at // len(window), j + at % len(window)] += blame


def in_the_corner(dx, blame, window, i, j):
    dx[np.unravel_index(window.argmax(), window.shape)] += blame


def in_the_flat_image(dx, blame, window, i, j):
    dx.flat[window.argmax()] += blame


def slid(value, pick, *, strided=True):
    """A max pooling forward with `value` for padding; pick(window) is the line in its middle."""
    def function(x, kernel_size, stride, padding):
        (kh, kw), p = kernel_size, padding
        wide = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=value)
        Ho, Wo = (wide.shape[2] - kh) // stride + 1, (wide.shape[3] - kw) // stride + 1
        y = np.zeros((*x.shape[:2], Ho, Wo))
        for i, j in np.ndindex(Ho, Wo):
            top, left = (i * stride, j * stride) if strided else (i, j)
            y[:, :, i, j] = pick(wide[:, :, top:top + kh, left:left + kw])
        return y
    return function


def largest(window):
    return window.max(axis=(2, 3))


def one_window_per_pixel(dy, x_shape, kernel_size, stride):
    k, dx = kernel_size, np.zeros(x_shape)
    for p, q in np.ndindex(dy.shape[2:]):
        dx[:, :, p * stride:p * stride + k, q * stride:q * stride + k] = dy[:, :, p:p + 1, q:q + 1] / k**2
    return dx


def over_real_pixels(dy, x_shape, kernel_size, stride, padding, *, count=np.sum, way=1):
    """Average pooling backward on a padded canvas, with a mask that is 1 on the image."""
    (H, Wd), (kh, kw), m = x_shape[2:], kernel_size, padding
    wide = np.zeros((*x_shape[:2], H + 2 * m, Wd + 2 * m))
    real = np.pad(np.ones((H, Wd)), m)
    for p, q in np.ndindex(dy.shape[2:]):
        inside = np.s_[p * stride:p * stride + kh, q * stride:q * stride + kw]
        sent = dy[:, :, p:p + 1, q:q + 1] / count(real[inside])
        wide[:, :, *inside] = wide[:, :, *inside] * way + sent
    return wide[:, :, m:m + H, m:m + Wd]


def on_the_image(start):
    """Average pooling backward on the image itself; start(i) is where a window is taken to begin."""
    def function(dy, x_shape, kernel_size, stride, padding):
        dx, (kh, kw) = np.zeros(x_shape), kernel_size
        for p, q in np.ndindex(dy.shape[2:]):
            i, j = start(p * stride - padding), start(q * stride - padding)
            window = dx[:, :, i:i + kh, j:j + kw]
            if window.size:
                window += dy[:, :, p:p + 1, q:q + 1] / window[0, 0].size
        return dx
    return function


def softmax_by_rows(sent):
    """Softmax backward in a loop over rows; sent(da, J) is the line in its middle."""
    def function(da, a):
        dz = np.zeros(a.shape)
        for n, row in enumerate(a):
            dz[n] = sent(da[n], np.diag(row) - np.outer(row, row))
        return dz
    return function


@pytest.mark.parametrize("name, function, mistake", [
    ("pooling.max", slid(0, largest), "zero padding"),
    ("pooling.max", slid(-np.inf, lambda w: np.maximum(0, largest(w))), "zero start"),
    ("pooling.max", slid(-np.inf, largest, strided=False), "no stride"),
    ("pooling.max", slid(-np.inf, np.max), "no axis"),
    ("pooling.max", slid(0, lambda w: w.mean((2, 3))), "mean"),
    ("pooling.max", slid(0, lambda w: np.abs(w).max((2, 3))), "of the sizes"),
    ("pooling.avg", one_window_per_pixel, "= for +="),
    ("pooling.avg", lambda dy, x_shape, k, s: pooling.avg_dx_by_hand(k * dy, x_shape, k, s), "k for k²"),
    ("pooling.max_backward", in_windows(put), "= for +="),
    ("pooling.max_backward", in_windows(masked), "all ties"),
    ("pooling.max_backward", in_windows(masked_and_put), "all ties, overwritten"),
    ("pooling.max_backward", in_windows(by_the_height), "wrong width"),
    ("pooling.max_backward", in_windows(in_the_corner), "no offset"),
    ("pooling.max_backward", in_windows(in_the_flat_image), "index of the image"),
    ("pooling.max_backward", searched(-np.inf, np.greater_equal), "last of the ties"),
    ("pooling.max_backward", searched(0, np.greater), "zero start"),
    ("pooling.count", lambda *given: over_real_pixels(*given, count=np.size), "padding counted"),
    ("pooling.count", lambda *given: over_real_pixels(*given, way=0), "= for +="),
    ("pooling.count", lambda *given: over_real_pixels(*given, count=lambda w: 1), "not divided"),
    ("pooling.count", on_the_image(lambda i: i), "negative start"),
    ("pooling.count", on_the_image(lambda i: max(i, 0)), "cut too early"),
    ("matrices.rank3", lambda W, x: np.einsum("ik,kj->ikj", np.eye(len(W)), W), "W for x"),
    ("matrices.rank3", lambda W, x: np.einsum("ik,j->ijk", np.eye(len(W)), x), "W's axes swapped"),
    ("matrices.rank3", lambda W, x: np.outer(np.ones(len(W)), x), "diagonal only"),
    ("matrices.batch", lambda dY, X: np.einsum("ni,nj->nij", dY, X), "not summed"),
    ("matrices.batch", lambda dY, X: np.einsum("ni,mj->ij", dY, X), "batch crossed"),
    ("matrices.batch", lambda dY, X: np.mean([np.outer(d, x) for d, x in zip(dY, X, strict=True)], 0),
     "mean over the batch"),
    ("matrices.softmax", softmax_by_rows(lambda da, J: da * np.diag(J)), "diagonal only"),
    ("matrices.softmax", softmax_by_rows(lambda da, J: np.diag(J)), "diagonal itself"),
    ("matrices.softmax", softmax_by_rows(lambda da, J: J.sum(0).round(9)), "ones upstream"),
    ("matrices.softmax", lambda da, a: a * da - a**2 * da, "diagonal only"),
    ("matrices.trace", lambda X, W: 2 * X.T @ X @ W @ W.T @ W - 2 * X.T @ X @ W, "twice the first"),
    ("matrices.trace", lambda X, W: X.T @ (X @ W @ W.T - X) @ W, "first place only"),
])
def test_a_mistake_is_named_however_it_is_written(name, function, mistake):
    verdict = grade(name, function)
    assert verdict.mistake == mistake and not verdict.passed, verdict


@pytest.mark.parametrize("name, function, said", [
    ("pooling.avg", lambda dy, *more: -pooling.avg_dx_by_hand(dy, *more), "It is right but for its sign."),
    ("matrices.softmax", lambda da, a: a * (da - (da * a).sum(1)), "ValueError in line"),
    ("matrices.rank3", lambda W, x: np.kron(np.eye(len(W)), x), "It is right but for its shape, which is"),
    ("matrices.batch", lambda dY, X: X.T @ dY / len(X), "Two things are wrong. First, the order of its axes"),
    ("matrices.trace", lambda X, W: (X @ W @ W.T - X) @ W, "Its shape is (1, 1); expected (2, 1)."),
])
def test_what_else_is_wrong_is_said(name, function, said):
    verdict = grade(name, function)
    assert verdict.sentence.startswith(said) and not verdict.passed, verdict


def gathered(dy, x_shape, kernel_size, stride):
    """Average pooling backward pixel by pixel: which windows stand over this one?"""
    dx, k = np.zeros(x_shape), kernel_size
    for (n, c, i, j), (p, q) in ((at, to) for at in np.ndindex(x_shape) for to in np.ndindex(dy.shape[2:])):
        if 0 <= i - p * stride < k and 0 <= j - q * stride < k:
            dx[n, c, i, j] += dy[n, c, p, q] / k**2
    return dx


def convolved(x, kernel_size, stride, padding):
    """Each entry of the window as a channel of its own, by a kernel with a single 1; then the maximum."""
    kh, kw = kernel_size
    taps = np.eye(kh * kw).reshape(kh * kw, 1, kh, kw)
    low = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=-1e3)
    channels = [conv2d(low[:, c:c + 1], taps, stride=stride).max(1) for c in range(x.shape[1])]
    return np.stack(channels, axis=1)


@pytest.mark.parametrize("name, function", [
    ("pooling.max", convolved), ("pooling.avg", gathered), ("pooling.count", over_real_pixels),
    ("pooling.max_backward", searched(-np.inf, np.greater)),
    ("matrices.batch", lambda dY, X: dY.T @ X),
    ("matrices.rank3", lambda W, x: np.einsum("ik,j->ikj", np.eye(len(W)), x)),
    ("matrices.softmax", softmax_by_rows(lambda da, J: da @ J)),
    ("matrices.trace", lambda X, W: (lambda A: (A + A.T) @ W)(X.T @ (X @ W @ W.T - X))),
])
def test_other_right_ways_pass(name, function):
    assert grade(name, function).passed
