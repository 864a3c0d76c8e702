"""The exercises of notebooks/02_pooling.ipynb: questions, worked solutions, usual mistakes.

A worked solution is shown to the learner as it stands here, and its head is the notebook's stub, so
it has the notebook's style. The mistakes are written as changes to a right answer wherever they can be.
"""
import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.grading import Exercise, Mistake
from helpers.functional.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from helpers.functional.windows import output_size


def _random(rng, *shape, most=29, negative=0.5):
    """Whole numbers, easy to read; none is zero. With a small `most` many are alike."""
    return rng.integers(1, most + 1, shape) * rng.choice([-1.0, 1.0], shape, p=[negative, 1 - negative])


def _mixed(array, axis):
    """The sum over an axis, in place of each of its entries."""
    return np.broadcast_to(array.sum(axis, keepdims=True), array.shape)


def _usual(truth):
    """Mistakes that come with every blame; the blame is the first argument."""
    return (
        Mistake("channels added", "Every channel got the blame of all channels: each is pooled alone.",
                lambda dy, *more: truth(_mixed(dy, 1), *more)),
        Mistake("mean over the batch", "This is the right gradient divided by N: each sample has its own "
                "dx, and nothing is averaged.",
                lambda dy, *more: truth(dy, *more) / len(dy)),
        Mistake("ones upstream", "dy is not in it: this is the gradient when every blame is 1.",
                lambda dy, *more: truth(np.ones_like(dy), *more)))


# --- max pooling, forward ---------------------------------------------------------------------

def max_by_hand(x, kernel_size, stride, padding):
    """Max pooling: the largest pixel under each window.

    x (N, C, H, Wd), kernel_size (kh, kw) → y (N, C, Ho, Wo).
    """
    (N, C, H, Wd), (kh, kw), pad = x.shape, kernel_size, padding
    wide = np.full((N, C, H + 2 * pad, Wd + 2 * pad), -np.inf)
    wide[:, :, pad:pad + H, pad:pad + Wd] = x
    Ho = (H + 2 * pad - kh) // stride + 1
    Wo = (Wd + 2 * pad - kw) // stride + 1
    y = np.zeros((N, C, Ho, Wo))
    for p, q in np.ndindex(Ho, Wo):
        i, j = p * stride, q * stride       # where the window begins
        y[:, :, p, q] = wide[:, :, i:i + kh, j:j + kw].max(axis=(2, 3))
    return y


def _max_cases(rng):
    """Mostly negative pixels: where a zero is mixed in, it wins. Padding on one side fills no window."""
    for (N, C), (H, Wd), kernel, s, p in (
            ((1, 1), (2, 2), (1, 2), 1, 0), ((1, 1), (3, 3), (3, 3), 1, 1), ((1, 1), (3, 5), (2, 2), 2, 0),
            ((1, 2), (3, 4), (3, 4), 1, 1), ((2, 1), (4, 5), (3, 2), 2, 1), ((2, 3), (8, 7), (3, 4), 2, 1)):
        yield {"x": _random(rng, N, C, H, Wd, negative=0.8), "kernel_size": kernel, "stride": s, "padding": p}


def _padded(x, before, after, value=-np.inf):
    return np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)), constant_values=value)


MAX = Exercise(
    "pooling.max", "Max pooling, forward", max_by_hand, max_pool2d, _max_cases,
    mistakes=(
        Mistake("zero padding", "The padding took part: a zero beats every negative pixel. Pad with −∞, "
                "which beats none.",
                lambda x, k, s, p: max_pool2d(_padded(x, p, p, 0.0), k, s)),
        Mistake("zero start", "No answer is negative: the search for the largest began at 0. Begin it at "
                "−∞, or at the window's first pixel.",
                lambda *given: np.maximum(max_pool2d(*given), 0)),
        Mistake("no padding", "You forgot the padding: the windows begin `padding` pixels before the image "
                "and end as far behind it.",
                lambda x, k, s, p: max_pool2d(x, k, s)),
        Mistake("padding at the far end", "The windows stand too far down and too far right: the padding is "
                "on all four sides, so the first window begins `padding` pixels before the image.",
                lambda x, k, s, p: max_pool2d(_padded(x, 0, 2 * p), k, s)),
        Mistake("no stride", "You ignored the stride in the place: the windows move by one pixel. That of "
                "(p, q) begins at (p·stride, q·stride) of the padded image.",
                lambda x, k, s, p: max_pool2d(x, k, 1, p)[np.ix_(*map(range, max_pool2d(x, k, s, p).shape))]),
        Mistake("stride = kernel", "The windows stand side by side, as they do in torch when no stride is "
                "given. Here one is given: windows may overlap, or leave gaps.",
                lambda x, k, s, p: max_pool2d(x, k, k, p)),
        Mistake("rounded up", "You rounded the size of the output up: a window that does not fit whole is "
                "left out, unless torch is told `ceil_mode=True`.",
                lambda x, k, s, p: max_pool2d(x, k, s, p, ceil_mode=True)),
        Mistake("kernel turned", "The kernel's height and width are exchanged: `kernel_size` is (kh, kw), "
                "rows first.",
                lambda x, k, s, p: max_pool2d(x, k[::-1], s, p)),
        Mistake("no axis", "The largest of all channels and all samples is everywhere: is `axis=(2, 3)` "
                "missing? Each channel of each sample is pooled alone.",
                lambda x, k, s, p: max_pool2d(np.broadcast_to(x.max((0, 1)), x.shape), k, s, p)),
        Mistake("of the sizes", "This is the largest |x|. Max pooling looks at the number with its sign: −9 "
                "is smaller than 1.",
                lambda x, *more: max_pool2d(np.abs(x), *more)),
        Mistake("mean", "This is average pooling, with zeros for padding: take the largest pixel of the "
                "window, not the mean.", avg_pool2d),
    ),
    hints=("Which number can stand in the padding without ever being the largest, even if all the pixels "
           "under the window are negative?",
           "`-np.inf`. Put x into the middle of an array full of it; then each output is the maximum of one "
           "slice, over the last two axes. How many windows fit: that is exercise 1 of notebook 01."))


# --- average pooling, backward ----------------------------------------------------------------

def avg_dx_by_hand(dy, x_shape, kernel_size, stride):
    """The blame of the input of average pooling; no padding.

    dy (N, C, Ho, Wo), kernel_size k for k x k → dx of x_shape, (N, C, H, Wd).
    """
    dx, k = np.zeros(x_shape), kernel_size
    for p, q in np.ndindex(dy.shape[2:]):
        i, j = p * stride, q * stride
        share = dy[:, :, p, q] / k**2       # of each pixel under the window
        dx[:, :, i:i + k, j:j + k] += share[:, :, None, None]
    return dx


def _avg_cases(rng):
    for (N, C), (Ho, Wo), k, s, (below, right) in (
            ((1, 1), (1, 2), 2, 1, (0, 0)), ((1, 1), (2, 1), 2, 2, (0, 1)), ((1, 1), (2, 2), 3, 2, (1, 0)),
            ((2, 1), (2, 3), 2, 3, (1, 0)), ((1, 2), (3, 2), 4, 1, (0, 0)), ((2, 3), (4, 5), 3, 2, (1, 0))):
        size = (Ho - 1) * s + k + below, (Wo - 1) * s + k + right
        yield {"dy": _random(rng, N, C, Ho, Wo), "x_shape": (N, C, *size), "kernel_size": k, "stride": s}


def _true_avg(dy, x_shape, k, s):
    return avg_pool2d_backward(dy, np.zeros(x_shape), k, s)


def _cut(start, length):
    """The part of a window that is not before the image."""
    return slice(max(start, 0), max(start + length, 0))


def _stamped(dy, x_shape, kernel, s, p=0, count=None, *, cut=_cut, last=False):
    """dx of windows that begin at (s·i − p, s·j − p) and send dy / count to each pixel inside the image.

    count(rows inside, columns inside, kh, kw, top, left) is rows · columns unless given. Where windows
    overlap the blame adds up, or the last window wins.
    """
    dx, (kh, kw) = np.zeros(x_shape), kernel
    for i, j in np.ndindex(dy.shape[2:]):
        top, left = i * s - p, j * s - p
        inside = dx[:, :, cut(top, kh), cut(left, kw)]
        rows, columns = inside.shape[2:]
        if rows * columns:
            n = count(rows, columns, kh, kw, top, left) if count else rows * columns
            inside[...] = dy[:, :, i, j, None, None] / n + (0 if last else inside)
    return dx


def _whole(*given):
    """dx in which no window divides its blame."""
    return _stamped(*given, count=lambda *_: 1)


def _over_overlap(dy, *more):
    """The same, divided by the number of windows over each pixel."""
    return _whole(dy, *more) / np.maximum(_whole(np.ones_like(dy), *more), 1)


AVG = Exercise(
    "pooling.avg", "Average pooling, backward", avg_dx_by_hand, _true_avg, _avg_cases,
    mistakes=(
        Mistake("= for +=", "Right where windows do not overlap, wrong where they do: `=` for `+=`.",
                lambda dy, x_shape, k, s: _stamped(dy, x_shape, (k, k), s, last=True)),
        Mistake("not divided", "Every pixel got the whole blame of its windows: in the forward pass it was "
                "divided by k², so its blame is too.",
                lambda dy, x_shape, k, s: _whole(dy, x_shape, (k, k), s)),
        Mistake("k for k²", "You divided by k: a window has k rows of k pixels, k² of them.",
                lambda dy, x_shape, k, s: _true_avg(dy, x_shape, k, s) * k),
        Mistake("divided by the outputs", "You divided by Ho·Wo, the number of windows: each output is the "
                "mean of the k² pixels under its window.",
                lambda dy, x_shape, k, s: _whole(dy, x_shape, (k, k), s) / dy[0, 0].size),
        Mistake("mean of the overlap", "You took the mean of the windows that cover a pixel. Blame that "
                "comes along several ways is added; the division is by k², the pixels in a window.",
                lambda dy, x_shape, k, s: _over_overlap(dy, x_shape, (k, k), s)),
        Mistake("no stride", "You ignored the stride: the window of output (p, q) begins at (p·stride, "
                "q·stride), not at (p, q).",
                lambda dy, x_shape, k, s: _stamped(dy, x_shape, (k, k), 1)),
        Mistake("stride = kernel", "The windows stand side by side here, at (p·k, q·k): they move by "
                "`stride`, and may overlap or leave gaps.",
                lambda dy, x_shape, k, s: _stamped(dy, x_shape, (k, k), k, count=lambda *_: k**2)),
        Mistake("mean of dy", "Every pixel got the mean of dy. An output blames the pixels under its own "
                "window and no others, with dy / k² each.",
                lambda dy, x_shape, *_: np.zeros(x_shape) + dy.mean((2, 3), keepdims=True)),
        *_usual(_true_avg),
    ),
    hints=("One window, one output: y is the sum of k² pixels, divided by k². What is ∂y/∂x of one of them?",
           "1/k², for every pixel under the window, whatever its value: that is why x is not needed. Begin "
           "with zeros of `x_shape`; each dy[n, c, p, q] adds dy / k² to its whole window. Where windows "
           "overlap, a pixel is blamed by each."))


# --- max pooling, backward --------------------------------------------------------------------

def max_dx_by_hand(dy, x, kernel_size, stride):
    """The blame of the input of max pooling; of equals the first takes all.

    dy (N, C, Ho, Wo), x (N, C, H, Wd), kernel_size (kh, kw) → dx like x.
    """
    dx, (kh, kw) = np.zeros(x.shape), kernel_size
    for n, c, p, q in np.ndindex(dy.shape):
        i, j = p * stride, q * stride
        window = x[n, c, i:i + kh, j:j + kw]
        u, v = divmod(window.argmax(), kw)      # argmax finds the first
        dx[n, c, i + u, j + v] += dy[n, c, p, q]
    return dx


def _max_back_cases(rng):
    """Many ties. Where the kernel is not square, its transpose fits too: no IndexError gives u, v away."""
    yield {"dy": np.array([[[[5.0, -3]]]]), "x": np.array([[[[-1.0, 2, -4], [1, 2, -2]]]]),
           "kernel_size": (2, 2), "stride": 1}      # one pixel wins twice, and has an equal
    for (N, C), (Ho, Wo), (kh, kw), s, (below, right) in (
            ((1, 1), (2, 1), (2, 1), 2, (0, 1)), ((1, 1), (2, 3), (3, 3), 1, (0, 0)),
            ((2, 1), (2, 2), (2, 3), 2, (1, 0)), ((1, 2), (3, 2), (3, 2), 2, (0, 1)),
            ((2, 3), (4, 5), (3, 4), 2, (1, 0))):
        size = (Ho - 1) * s + kh + below, (Wo - 1) * s + kw + right
        yield {"dy": _random(rng, N, C, Ho, Wo), "x": _random(rng, N, C, *size, most=3, negative=0.85),
               "kernel_size": (kh, kw), "stride": s}


# Which part of its window's dy each pixel gets.
SHARES = {
    "first": lambda w: _only(w, w.argmax()),
    "last": lambda w: _only(w, w.size - 1 - w.ravel()[::-1].argmax()),
    "first by columns": lambda w: _only(w.T, w.T.argmax()).T,
    "first from zero": lambda w: _only(w, w.argmax() if w.max() > 0 else 0),
    "first above zero": lambda w: _only(w, w.argmax()) * (w > 0),
    "first in size": lambda w: _only(w, np.abs(w).argmax()),
    "ties": lambda w: w == w.max(),
    "fair": lambda w: (w == w.max()) / (w == w.max()).sum(),
    "all": lambda w: np.ones(w.shape),
    "mean": lambda w: np.ones(w.shape) / w.size,
}


def _only(window, index):
    """1 at the flat index, 0 elsewhere."""
    return (np.arange(window.size) == index).reshape(window.shape)


def _by(share, way="add"):
    """A backward that shares dy out as SHARES says. `way` is what happens where two windows meet.

    "add" is right, "pixel" overwrites where the blame goes, "window" the whole window.
    """
    def wrong(dy, x, kernel, s):
        dx, (kh, kw) = np.zeros(x.shape), np.broadcast_to(kernel, 2)
        for n, c, p, q in np.ndindex(dy.shape):
            inside = np.s_[n, c, p * s:p * s + kh, q * s:q * s + kw]
            if x[inside].size:
                sent = SHARES[share](x[inside]) * dy[n, c, p, q]
                before = {"add": dx[inside], "pixel": dx[inside] * (sent == 0), "window": 0}[way]
                dx[inside] = before + sent
        return dx
    return wrong


def _to(place):
    """A backward that sends dy to place(index in the window, kh, kw, row and column of its corner, H, Wd)."""
    def wrong(dy, x, kernel, s):
        dx, (kh, kw) = np.zeros(x.shape), np.broadcast_to(kernel, 2)
        for n, c, p, q in np.ndindex(dy.shape):
            i, j = p * s, q * s
            at = x[n, c, i:i + kh, j:j + kw].argmax()
            dx[n, c][place(at, kh, kw, i, j, *x.shape[2:])] += dy[n, c, p, q]
        return dx
    return wrong


MAX_BACK = Exercise(
    "pooling.max_backward", "Max pooling, backward", max_dx_by_hand, max_pool2d_backward, _max_back_cases,
    mistakes=(
        Mistake("= for +=", "Only the last window that blames a pixel counts: `=` for `+=`. A pixel may win "
                "in several windows.", _by("first", "pixel")),
        Mistake("window overwritten", "Each window overwrites what earlier ones left in it, with zeros "
                "where it sends nothing: `=` for `+=`.", _by("first", "window")),
        Mistake("all ties", "Where several pixels of a window are the largest, each got the whole blame: "
                "the mask `window == window.max()` counts it several times. The first takes all.",
                _by("ties")),
        Mistake("all ties, overwritten", "Two things are wrong. Of several largest pixels each got the "
                "whole blame, and the first takes all; and `=` stands where `+=` should.",
                _by("ties", "window")),
        Mistake("ties share", "Where several pixels of a window are the largest, they share the blame. That "
                "is a fair choice, but not the one of torch: the first takes all.", _by("fair")),
        Mistake("last of the ties", "Of several largest pixels the last got the blame. The first takes all: "
                "a later one has to be larger to win, not equal.", _by("last")),
        Mistake("first by columns", "Of several largest pixels you took the first by columns. First means "
                "row by row, as `argmax` counts.", _by("first by columns")),
        Mistake("wrong width", "The index in the window is taken apart with the wrong width: a row of the "
                "window has kw entries, so it is `divmod(index, kw)`, not `kh`.",
                _to(lambda at, kh, kw, i, j, *_: (i + at // kh, j + at % kh))),
        Mistake("u and v exchanged", "Row and column in the window are exchanged: `divmod` gives the row "
                "first.",
                _to(lambda at, kh, kw, i, j, *_: (i + at % kw, j + at // kw))),
        Mistake("no offset", "All the blame is in the corner: u and v count from where the window begins. "
                "The pixel is (p·stride + u, q·stride + v).",
                _to(lambda at, kh, kw, *_: divmod(at, kw))),
        Mistake("index of the image", "All the blame is in the first rows: the index counts the pixels of "
                "the window, and you used it for those of the image.",
                _to(lambda at, kh, kw, i, j, H, Wd: divmod(at, Wd))),
        Mistake("no stride", "You ignored the stride: the window of output (p, q) begins at (p·stride, "
                "q·stride), not at (p, q).",
                lambda dy, x, k, s: _by("first")(dy, x, k, 1)),
        Mistake("zero start", "A window without a positive pixel blames its first: the search for the "
                "largest began at 0. Begin it at −∞, or at the window's first pixel.",
                _by("first from zero")),
        Mistake("largest in size", "The blame goes to the pixel whose |x| is largest. Max pooling looks at "
                "the number with its sign.", _by("first in size")),
        Mistake("all of the window", "Every pixel of the window got the whole blame. Only the largest "
                "reached the output: the derivative is 0 for all others.", _by("all")),
        Mistake("shared by the window", "Every pixel of the window got an equal share: that is average "
                "pooling. Only the largest reached the output.", _by("mean")),
        Mistake("first channel", "The first channel decides for all of them where the blame goes: each "
                "channel of each sample has its own largest pixels.",
                lambda dy, x, *more: max_pool2d_backward(dy, np.repeat(x[:, :1], x.shape[1], 1), *more)),
        *_usual(max_pool2d_backward),
    ),
    hints=("Nudge a pixel that is not the largest of its window: what does the output do? And the largest?",
           "The whole dy[n, c, p, q] goes to one pixel. `window.argmax()` finds the first of equals; "
           "`divmod(index, kw)` gives its row and column, counted from where the window begins. A pixel "
           "that wins in several windows is blamed by each."))


# --- average pooling that does not count its padding, backward --------------------------------

def count_dx_by_hand(dy, x_shape, kernel_size, stride, padding):
    """The blame of the input of average pooling; padding is not counted.

    dy (N, C, Ho, Wo), kernel_size (kh, kw) → dx of x_shape, (N, C, H, Wd).
    """
    dx, (H, Wd), (kh, kw) = np.zeros(x_shape), x_shape[2:], kernel_size
    for p, q in np.ndindex(dy.shape[2:]):
        i, j = p * stride - padding, q * stride - padding
        top, bottom = max(i, 0), min(i + kh, H)     # the part on the image
        left, right = max(j, 0), min(j + kw, Wd)
        share = dy[:, :, p, q] / ((bottom - top) * (right - left))
        dx[:, :, top:bottom, left:right] += share[:, :, None, None]
    return dx


def _count_cases(rng):
    for (N, C), (H, Wd), kernel, s, p in (
            ((1, 1), (2, 3), (2, 2), 1, 0), ((1, 1), (2, 2), (2, 2), 1, 1), ((1, 1), (3, 3), (3, 2), 2, 1),
            ((1, 2), (4, 3), (2, 3), 2, 1), ((2, 1), (3, 4), (4, 5), 1, 2), ((2, 3), (8, 10), (3, 4), 2, 1)):
        size = [output_size(n, k, s, p) for n, k in zip((H, Wd), kernel, strict=True)]
        yield {"dy": _random(rng, N, C, *size), "x_shape": (N, C, H, Wd), "kernel_size": kernel,
               "stride": s, "padding": p}


def _true_count(dy, x_shape, k, s, p):
    return avg_pool2d_backward(dy, np.zeros(x_shape), k, s, p, count_include_pad=False)


def _with_margin(dy, x_shape, k, s, p):
    """dx with the margin around it, each window divided by its real pixels."""
    inside = avg_pool2d(np.ones(x_shape), k, s, p)      # which part of the window is on the image
    return avg_pool2d_backward(dy / inside, _padded(np.zeros(x_shape), p, p), k, s)


COUNT = Exercise(
    "pooling.count", "Average pooling that does not count its padding", count_dx_by_hand, _true_count,
    _count_cases,
    mistakes=(
        Mistake("padding counted", "You divided by kh·kw, padding and all, as torch does unless it is told "
                "`count_include_pad=False`. Here a window divides by the pixels of x that lie in it.",
                lambda dy, x_shape, *more: avg_pool2d_backward(dy, np.zeros(x_shape), *more)),
        Mistake("not divided", "Every pixel got the whole blame of its windows: in the forward pass it was "
                "divided by the number of pixels of x in the window, so its blame is too.", _whole),
        Mistake("number of windows", "You divided by the number of windows that cover a pixel. It is the "
                "other way round: each window divides by the number of pixels of x in it.", _over_overlap),
        Mistake("rows only", "Only the rows of the padding are left out of the count: windows reach over "
                "the left and right edge too.",
                lambda *given: _stamped(*given, lambda rows, columns, kh, kw, *_: rows * kw)),
        Mistake("columns only", "Only the columns of the padding are left out of the count: windows reach "
                "over the upper and lower edge too.",
                lambda *given: _stamped(*given, lambda rows, columns, kh, kw, *_: kh * columns)),
        Mistake("near edges only", "The count leaves the padding above and on the left out, but not that "
                "below and on the right: cut the window with `min(i + kh, H)` too.",
                lambda *given: _stamped(*given, lambda rows, columns, kh, kw, top, left:
                                        (kh + min(top, 0)) * (kw + min(left, 0)))),
        Mistake("negative start", "A window that begins above or left of the image is lost: in a slice, −1 "
                "is the last row, and `-1:1` is empty as a rule. Cut it with `max(i, 0)` first.",
                lambda *given: _stamped(*given, cut=lambda i, k: slice(i, i + k))),
        Mistake("cut too early", "Windows at the upper and left edge are too large: after `i = max(i, 0)` "
                "their end is no longer `i + kh`. Work the end out first.",
                lambda *given: _stamped(*given, cut=lambda i, k: slice(max(i, 0), max(i, 0) + k))),
        Mistake("= for +=", "Right where windows do not overlap, wrong where they do: `=` for `+=`.",
                lambda *given: _stamped(*given, last=True)),
        Mistake("padding kept", "The blame of the padding is still around it: dx has the shape of x, so cut "
                "`padding` rows and columns off on every side.", _with_margin),
        Mistake("cut with -0", "Right with padding, empty without: `padding:-padding` is `0:-0`, which is "
                "`0:0`, when there is none.",
                lambda *given: _with_margin(*given)[:, :, given[4]:-given[4], given[4]:-given[4]]),
        Mistake("cut at one end", "The margin is cut off below and on the right only: pixel (0, 0) of x is "
                "pixel (padding, padding) of the padded image.",
                lambda *given: _with_margin(*given)[:, :, :given[1][2], :given[1][3]]),
        Mistake("no padding", "The windows stand too far down and too far right: the first begins at "
                "(−padding, −padding), outside the image.",
                lambda dy, x_shape, k, s, p: _stamped(dy, x_shape, k, s)),
        Mistake("no stride", "You ignored the stride: the window of output (p, q) begins at (p·stride − "
                "padding, q·stride − padding).",
                lambda dy, x_shape, k, s, p: _stamped(dy, x_shape, k, 1, p)),
        *_usual(_true_count),
    ),
    hints=("Let m be the number of pixels of x under window (p, q), 2 × 2 at a corner where four of nine "
           "are inside. Then y = Σ x / m. What does such a window send to each of its pixels?",
           "dy / m. The window covers the rows from i = p·stride − padding to i + kh − 1; those of x among "
           "them are the rows from `max(i, 0)` up to `min(i + kh, H)`, that one not included. So do the "
           "columns."))


# --- break it ---------------------------------------------------------------------------------

def wrong_dx(dy, x, kernel_size, stride):
    """A wrong blame of the input of max pooling that the weak test accepts.

    dy (N, C, Ho, Wo), x (N, C, H, Wd), kernel_size k for k x k → dx like x.
    """
    dx, k = np.zeros(x.shape), kernel_size
    for n, c, p, q in np.ndindex(dy.shape):
        i, j = p * stride, q * stride
        window = x[n, c, i:i + k, j:j + k]
        largest = window == window.max()        # all of them, if several are
        dx[n, c, i:i + k, j:j + k] += largest * dy[n, c, p, q]
    return dx


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones.

    Few windows: with k for the stride, or the stride for k, they still stand in the image. It is wider
    than high: a height taken for the width gives no IndexError away.
    """
    yield {"dy": rng.permutation(16).reshape(1, 1, 4, 4) + 1.0,
           "x": rng.permutation(64).reshape(1, 1, 8, 8) + 1.0, "kernel_size": 2, "stride": 2}
    for (N, C), (Ho, Wo), k, s, (below, right) in (
            ((1, 1), (1, 2), 2, 1, (0, 0)), ((1, 2), (2, 2), 2, 3, (0, 2)), ((5, 4), (2, 3), 3, 2, (1, 1))):
        size = (Ho - 1) * s + k + below, (Wo - 1) * s + k + right
        yield {"dy": _random(rng, N, C, Ho, Wo), "x": _random(rng, N, C, *size, most=3, negative=0.8),
               "kernel_size": k, "stride": s}


def _turned(images):
    return images[:, :, ::-1, ::-1]


HOLES = (
    Mistake("all ties", "Pixels that are all different hide that each of several largest gets all the "
            "blame.", wrong_dx),
    Mistake("ties share", "Pixels that are all different hide that several largest share the blame.",
            _by("fair")),
    Mistake("last of the ties", "Pixels that are all different hide that the last of several largest is "
            "blamed, not the first.", _by("last")),
    Mistake("= for +=", "Windows that do not overlap hide `=` in place of `+=`.", _by("first", "pixel")),
    Mistake("window overwritten", "Windows that do not overlap hide that each overwrites all under it.",
            _by("first", "window")),
    Mistake("k for the stride", "A stride equal to the kernel hides that the stride is not used.",
            lambda dy, x, k, s: _by("first")(dy, x, k, k)),
    Mistake("stride for k", "A kernel equal to the stride hides that its size is not used.",
            lambda dy, x, k, s: _by("first")(dy, x, s, s)),
    Mistake("2 and 2", "One kernel size and one stride hide that both are fixed at 2.",
            lambda dy, x, k, s: _by("first")(dy, x, 2, 2)),
    Mistake("zero start, nobody", "Positive pixels hide that a window without any blames nobody.",
            _by("first above zero")),
    Mistake("zero start", "Positive pixels hide that a window without any blames its first pixel.",
            _by("first from zero")),
    Mistake("largest in size", "Positive pixels hide that the largest |x| is blamed.", _by("first in size")),
    Mistake("leftovers first", "An image that the windows cover hides where left-over pixels should lie.",
            lambda dy, x, *more: _turned(_by("last")(_turned(dy), _turned(x), *more))),
    Mistake("height for width", "A square image hides that its height was taken for its width.",
            _to(lambda at, kh, kw, i, j, H, Wd: divmod((i + at // kw) * H + j + at % kw, Wd))),
    Mistake("first channel", "A single channel hides that the first decides for all of them.",
            lambda dy, x, *more: max_pool2d_backward(dy, np.repeat(x[:, :1], x.shape[1], 1), *more)),
    Mistake("first sample", "A batch of one hides that the first sample decides for all of them.",
            lambda dy, x, *more: max_pool2d_backward(dy, np.repeat(x[:1], len(x), 0), *more)),
    Mistake("mean over the batch", "A batch of one hides a division by N.",
            lambda dy, x, *more: max_pool2d_backward(dy, x, *more) / len(x)),
    Mistake("size of dy", "Blame without a minus hides that the signs of dy are lost.",
            lambda dy, *more: max_pool2d_backward(np.abs(dy), *more)),
)


BREAK = break_it(
    "pooling.break_it", "Break it: a wrong max pooling backward that a weak test accepts",
    wrong_dx, max_pool2d_backward, _weak_and_honest, HOLES,
    hints=("What never happens in that one input? Think of two pixels, of two windows, of a number's sign, "
           "of the sizes.",
           "No two pixels are alike. What would you do differently if two of a window were the largest?"))


EXERCISES = (MAX, AVG, MAX_BACK, COUNT, BREAK)
