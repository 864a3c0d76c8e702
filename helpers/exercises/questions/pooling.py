"""The exercises of notebooks/02_pooling.ipynb: questions, worked solutions, usual mistakes.

A worked solution is shown to the learner as it stands here, and its head is the notebook's stub, so
it has the notebook's style. A mistake is a change of it, "a → b", wherever it can be.
"""
import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.changes import changed
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.hostile import mixed, scaled, whole
from helpers.functional.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from helpers.functional.windows import output_size


def _usual(truth):
    """Mistakes that are possible in every backward pass; dy is the first argument."""
    return (
        Mistake("channels added", "Every channel received the gradients of all channels: each is pooled "
                "alone.", lambda dy, *more: truth(mixed(dy, 1), *more)),
        Mistake("mean over the batch", "This is the right gradient divided by N: each sample has its own dx, "
                "and nothing is averaged.", lambda dy, *more: truth(dy, *more) / len(dy)),
        Mistake("ones upstream", "dy is missing: this is dx when every entry of dy is 1.",
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


@scaled("x")
def _max_cases(rng):
    """Mostly negative pixels: a zero among them is the maximum. Padding on one side fills no window."""
    for (N, C), (H, Wd), kernel, s, p in (
            ((1, 1), (2, 2), (1, 2), 1, 0), ((1, 1), (3, 3), (3, 3), 1, 1), ((1, 1), (3, 5), (2, 2), 2, 0),
            ((1, 2), (3, 4), (3, 4), 1, 1), ((2, 1), (4, 5), (3, 2), 2, 1), ((1, 1), (6, 5), (5, 4), 3, 2),
            ((5, 4), (3, 2), (2, 1), 1, 0), ((2, 3), (8, 7), (3, 4), 2, 1)):
        yield {"x": whole(rng, N, C, H, Wd, negative=0.8), "kernel_size": kernel, "stride": s, "padding": p}


def _padded(x, before, after, value=-np.inf):
    return np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)), constant_values=value)


MAX = Exercise(
    "pooling.max", "Max pooling, forward", max_by_hand, max_pool2d, _max_cases,
    mistakes=(
        Mistake("zero padding", "A zero of the padding is larger than every negative pixel. Pad with −∞, "
                "which is larger than none.", "-np.inf → 0.0"),
        Mistake("zero start", "No answer is negative: the search for the largest began at 0. Begin it at −∞, "
                "or at the window's first pixel.", "return y → return np.maximum(y, 0)"),
        Mistake("no padding", "You forgot the padding: the windows begin `padding` pixels before the image "
                "and end as many pixels after it.", "kernel_size, padding → kernel_size, 0"),
        Mistake("padding at the far end", "The windows stand too far down and too far right: the padding is "
                "on all four sides, so the first window begins `padding` pixels before the image.",
                "pad:pad + H, pad:pad + Wd → :H, :Wd"),
        Mistake("no stride", "You ignored the stride: your windows move by one pixel. The window of output "
                "(p, q) begins at (p·stride, q·stride) of the padded image.",
                "p * stride, q * stride → p, q"),
        Mistake("stride = kernel", "The windows stand side by side, as they do in torch when no stride is "
                "given. Here one is given: windows may overlap, or leave gaps.",
                lambda x, k, s, p: max_pool2d(x, k, k, p)),
        Mistake("rounded up", "You rounded the size of the output up: a window that does not fit whole is "
                "left out, unless torch is told `ceil_mode=True`.",
                lambda x, k, s, p: max_pool2d(x, k, s, p, ceil_mode=True)),
        Mistake("kernel turned", "The kernel's height and width are exchanged: `kernel_size` is (kh, kw), "
                "rows first.", "(kh, kw), pad → (kw, kh), pad"),
        Mistake("no axis", "The largest of all channels and all samples is everywhere: is `axis=(2, 3)` "
                "missing? Each channel of each sample is pooled alone.", "axis=(2, 3) →"),
        Mistake("of the absolute values", "This is the largest |x|. Max pooling compares the numbers with "
                "their signs: −9 is smaller than 1.", lambda x, *more: max_pool2d(np.abs(x), *more)),
        Mistake("mean", "This is average pooling, with zeros for padding: take the largest pixel of the "
                "window, not the mean.", avg_pool2d),
    ),
    hints=("Which number can stand in the padding without ever being the largest, even if all the pixels "
           "under the window are negative?",
           "`-np.inf`. Put x into the middle of an array full of it; then each output is the maximum of one "
           "slice, over the last two axes. How many windows fit: that is exercise 1 of notebook 01."))


# --- average pooling, backward ----------------------------------------------------------------

def avg_dx_by_hand(dy, x_shape, kernel_size, stride):
    """Average pooling, backward: the gradient of its input; no padding.

    dy (N, C, Ho, Wo), kernel_size k for k x k → dx of x_shape, (N, C, H, Wd).
    """
    dx, k = np.zeros(x_shape), kernel_size
    for p, q in np.ndindex(dy.shape[2:]):
        i, j = p * stride, q * stride
        part = dy[:, :, p, q] / k**2        # for each pixel of the window
        dx[:, :, i:i + k, j:j + k] += part[:, :, None, None]
    return dx


@scaled("dy")
def _avg_cases(rng):
    for (N, C), (Ho, Wo), k, s, (below, right) in (
            ((1, 1), (1, 2), 2, 1, (0, 0)), ((1, 1), (2, 1), 2, 2, (0, 1)), ((1, 1), (2, 2), 3, 2, (1, 0)),
            ((2, 1), (2, 3), 2, 3, (1, 0)), ((1, 2), (3, 2), 4, 1, (0, 0)), ((2, 3), (4, 5), 3, 2, (1, 0)),
            ((6, 5), (3, 2), 2, 1, (0, 0))):
        size = (Ho - 1) * s + k + below, (Wo - 1) * s + k + right
        yield {"dy": whole(rng, N, C, Ho, Wo), "x_shape": (N, C, *size), "kernel_size": k, "stride": s}


def _true_avg(dy, x_shape, k, s):
    return avg_pool2d_backward(dy, np.zeros(x_shape), k, s)


def _over_overlap(dy, *more):
    """dx in which each pixel gets the mean of the windows that cover it."""
    whole = changed(count_dx_by_hand, "/ ((bottom - top) * (right - left)) →")
    return whole(dy, *more) / np.maximum(whole(np.ones_like(dy), *more), 1)


AVG = Exercise(
    "pooling.avg", "Average pooling, backward", avg_dx_by_hand, _true_avg, _avg_cases,
    mistakes=(
        Mistake("= for +=", "Right where windows do not overlap, wrong where they do: is there an `=` for "
                "`+=`, or `+=` with index arrays, which adds once where an index comes twice (`np.add.at` "
                "adds all)?", "+= → ="),
        Mistake("not divided", "Every pixel received the whole gradient of its windows. The forward pass "
                "divides by k², so the local gradient is 1/k².", "/ k**2 →"),
        Mistake("k for k²", "You divided by k: a window has k rows of k pixels, k² of them.", "k**2 → k"),
        Mistake("divided by the outputs", "You divided by Ho·Wo, the number of windows: each output is the "
                "mean of the k² pixels under its window.", "k**2 → dy[0, 0].size"),
        Mistake("divided by the stride", "You divided by stride²: a window has k² pixels, however far it "
                "moves.", "k**2 → stride**2"),
        Mistake("mean of the overlap", "You took the mean over the windows that cover a pixel. Their "
                "gradients are added; the division is by k², the number of pixels in a window.",
                lambda dy, x_shape, k, s: _over_overlap(dy, x_shape, (k, k), s, 0)),
        Mistake("no stride", "You ignored the stride: the window of output (p, q) begins at (p·stride, "
                "q·stride), not at (p, q).", "p * stride, q * stride → p, q"),
        Mistake("stride = kernel", "The windows stand side by side here, at (p·k, q·k): they move by "
                "`stride`, and may overlap or leave gaps.", "p * stride, q * stride → p * k, q * k"),
        Mistake("mean of dy", "Every pixel received the mean of dy. The gradient of an output goes to the "
                "pixels of its own window and to no others, dy / k² to each.",
                lambda dy, x_shape, *_: np.zeros(x_shape) + dy.mean((2, 3), keepdims=True)),
        *_usual(_true_avg),
    ),
    hints=("One window, one output: y is the sum of k² pixels, divided by k². What is ∂y/∂x of one of them?",
           "1/k², for every pixel under the window, whatever its value: that is why x is not needed. Begin "
           "with zeros of `x_shape`; each dy[n, c, p, q] adds dy / k² to its whole window. Where windows "
           "overlap, a pixel receives a part from each of them."))


# --- max pooling, backward --------------------------------------------------------------------

def max_dx_by_hand(dy, x, kernel_size, stride):
    """Max pooling, backward: dx, where ties go to the first index.

    dy (N, C, Ho, Wo), x (N, C, H, Wd), kernel_size (kh, kw) → dx like x.
    """
    dx, (kh, kw) = np.zeros(x.shape), kernel_size
    for n, c, p, q in np.ndindex(dy.shape):
        i, j = p * stride, q * stride
        window = x[n, c, i:i + kh, j:j + kw]
        u, v = divmod(window.argmax(), kw)      # the first, at a tie
        dx[n, c, i + u, j + v] += dy[n, c, p, q]
    return dx


@scaled("dy", "x")
def _max_back_cases(rng):
    """Many ties. Where the kernel is not square, its transpose fits too: no IndexError gives u, v away."""
    yield {"dy": np.array([[[[5.0, -3]]]]), "x": np.array([[[[-1.0, 2, -4], [1, 2, -2]]]]),
           "kernel_size": (2, 2), "stride": 1}      # one pixel is the argmax twice, with a tie
    for (N, C), (Ho, Wo), (kh, kw), s, (below, right) in (
            ((1, 1), (2, 1), (2, 1), 2, (0, 1)), ((1, 1), (2, 3), (3, 3), 1, (0, 0)),
            ((2, 1), (2, 2), (2, 3), 2, (1, 0)), ((1, 2), (3, 2), (3, 2), 2, (0, 1)),
            ((2, 3), (4, 5), (3, 4), 2, (1, 0)), ((1, 2), (2, 2), (4, 4), 3, (0, 0)),
            ((6, 5), (3, 2), (2, 2), 1, (0, 0))):
        size = (Ho - 1) * s + kh + below, (Wo - 1) * s + kw + right
        yield {"dy": whole(rng, N, C, Ho, Wo, negative=0.5),
               "x": whole(rng, N, C, *size, most=3, negative=0.85 if N < 5 else 0.3),
               "kernel_size": (kh, kw), "stride": s}


MAX_BACK = Exercise(
    "pooling.max_backward", "Max pooling, backward", max_dx_by_hand, max_pool2d_backward, _max_back_cases,
    mistakes=(
        Mistake("= for +=", "Only the last window that reaches a pixel counts: is there an `=` for `+=`? A "
                "pixel may be the argmax of several windows.", "+= → ="),
        Mistake("window overwritten", "Each window overwrites the gradients that earlier windows left in it, "
                "with zeros everywhere but at its argmax: is there an `=` for `+=`?",
                ("dx[n, c, i + u → dx[n, c, i:i + kh, j:j + kw] = 0; dx[n, c, i + u", "+= → =")),
        Mistake("all ties", "Where several pixels of a window are the largest, each received the whole "
                "gradient: the mask `window == window.max()` counts it several times. Ties go to the first "
                "index.", "i + u, j + v] → i:i + kh, j:j + kw][window == window.max()]"),
        Mistake("all ties, overwritten", "Two things are wrong. Each of several largest pixels received the "
                "whole gradient, but ties go to the first index; and a window overwrites the one before.",
                "i + u, j + v] += → i:i + kh, j:j + kw] = (window == window.max()) *"),
        Mistake("ties divided", "Where several pixels of a window are the largest, you divided the gradient "
                "among them. That is possible, but it is not torch's rule: ties go to the first index.",
                ("i + u, j + v] → i:i + kh, j:j + kw][window == window.max()]",
                 "dy[n, c, p, q] → dy[n, c, p, q] / (window == window.max()).sum()")),
        Mistake("last of the ties", "Of several largest pixels the last received the gradient. Ties go to "
                "the first index: a later pixel is the argmax only if it is larger, not if it is equal.",
                "window.argmax() → window.size - 1 - window.ravel()[::-1].argmax()"),
        Mistake("first by columns", "Of several largest pixels you took the first by columns. First means "
                "row by row, as `argmax` counts.",
                "divmod(window.argmax(), kw) → divmod(window.T.argmax(), kh)[::-1]"),
        Mistake("wrong width", "The index in the window is divided by the wrong width: a row of the window "
                "has kw entries, so it is `divmod(index, kw)`, not `kh`.", "argmax(), kw → argmax(), kh"),
        Mistake("u and v exchanged", "Row and column in the window are exchanged: `divmod` gives the row "
                "first.", "u, v = → v, u ="),
        Mistake("no offset", "The whole gradient is in the corner of the image: u and v count from where the "
                "window begins. The pixel is (p·stride + u, q·stride + v).", "i + u, j + v → u, v"),
        Mistake("index of the image", "The whole gradient is in the first rows: the index counts the pixels "
                "of the window, and you used it for those of the image.",
                ("argmax(), kw → argmax(), x.shape[3]", "i + u, j + v → u, v")),
        Mistake("no stride", "You ignored the stride: the window of output (p, q) begins at (p·stride, "
                "q·stride), not at (p, q).", "p * stride, q * stride → p, q"),
        Mistake("zero start", "A window without a positive pixel sends its gradient to its first pixel: the "
                "search for the largest began at 0. Begin it at −∞, or at the window's first pixel.",
                "window.argmax() → np.maximum(window, 0).argmax()"),
        Mistake("largest in size", "The gradient goes to the pixel whose |x| is largest. Max pooling "
                "compares the numbers with their signs.", "window.argmax() → np.abs(window).argmax()"),
        Mistake("all of the window", "Every pixel of the window received the whole gradient. The output "
                "depends on the largest only: the derivative is 0 for all others.",
                "i + u, j + v → i:i + kh, j:j + kw"),
        Mistake("divided in the window", "Every pixel of the window received an equal part: that is average "
                "pooling. The output depends on the largest pixel only.",
                ("i + u, j + v → i:i + kh, j:j + kw", "dy[n, c, p, q] → dy[n, c, p, q] / window.size")),
        Mistake("maximum for dy", "The largest pixel itself was added. It says where the gradient goes; what "
                "is added is dy of its window.", "dy[n, c, p, q] → window.max()"),
        Mistake("first channel", "The argmax of the first channel is used for all channels: each channel of "
                "each sample has its own.", "= x[n, c → = x[n, 0"),
        *_usual(max_pool2d_backward),
    ),
    hints=("Increase a pixel a little that is not the largest of its window: how does the output change? And "
           "if it is the largest?",
           "The whole dy[n, c, p, q] goes to one pixel. `window.argmax()` finds the first of equals; "
           "`divmod(index, kw)` gives its row and column, counted from where the window begins. A pixel "
           "that is the argmax of several windows receives the sum of their gradients."))


# --- average pooling that does not count its padding, backward --------------------------------

def count_dx_by_hand(dy, x_shape, kernel_size, stride, padding):
    """Average pooling, backward: dx, where the padding is not counted.

    dy (N, C, Ho, Wo), kernel_size (kh, kw) → dx of x_shape, (N, C, H, Wd).
    """
    dx, (H, Wd), (kh, kw) = np.zeros(x_shape), x_shape[2:], kernel_size
    for p, q in np.ndindex(dy.shape[2:]):
        i, j = p * stride - padding, q * stride - padding
        top, bottom = max(i, 0), min(i + kh, H)     # the part on the image
        left, right = max(j, 0), min(j + kw, Wd)
        part = dy[:, :, p, q] / ((bottom - top) * (right - left))
        dx[:, :, top:bottom, left:right] += part[:, :, None, None]
    return dx


@scaled("dy")
def _count_cases(rng):
    for (N, C), (H, Wd), kernel, s, p in (
            ((1, 1), (2, 3), (2, 2), 1, 0), ((1, 1), (2, 2), (2, 2), 1, 1), ((1, 1), (3, 3), (3, 2), 2, 1),
            ((1, 2), (4, 3), (2, 3), 2, 1), ((2, 1), (3, 4), (4, 5), 1, 2), ((2, 3), (8, 10), (3, 4), 2, 1),
            ((1, 2), (5, 6), (4, 5), 3, 2), ((6, 5), (4, 3), (2, 2), 1, 0)):
        size = [output_size(n, k, s, p) for n, k in zip((H, Wd), kernel, strict=True)]
        yield {"dy": whole(rng, N, C, *size), "x_shape": (N, C, H, Wd), "kernel_size": kernel,
               "stride": s, "padding": p}


def _true_count(dy, x_shape, k, s, p):
    return avg_pool2d_backward(dy, np.zeros(x_shape), k, s, p, count_include_pad=False)


def _with_margin(dy, x_shape, k, s, p):
    """dx with its padding, each window divided by the number of pixels of x in it."""
    inside = avg_pool2d(np.ones(x_shape), k, s, p)      # which part of the window is on the image
    return avg_pool2d_backward(dy / inside, _padded(np.zeros(x_shape), p, p), k, s)


COUNT = Exercise(
    "pooling.count", "Average pooling that does not count its padding", count_dx_by_hand, _true_count,
    _count_cases,
    mistakes=(
        Mistake("padding counted", "You divided by kh·kw and so counted the padding, as torch does unless it "
                "is told `count_include_pad=False`. Here a window divides by the pixels of x that lie in it.",
                "((bottom - top) * (right - left)) → (kh * kw)"),
        Mistake("not divided", "Every pixel received the whole gradient of its windows. The forward pass "
                "divides by the number of pixels of x in the window; divide the gradient by it too.",
                "/ ((bottom - top) * (right - left)) →"),
        Mistake("number of windows", "You divided by the number of windows that cover a pixel. It is the "
                "other way round: each window divides by the number of pixels of x in it.", _over_overlap),
        Mistake("rows only", "Only the rows of the padding are left out of the count: windows reach over the "
                "left and right edge too.", "(right - left) → kw"),
        Mistake("columns only", "Only the columns of the padding are left out of the count: windows reach "
                "over the upper and lower edge too.", "(bottom - top) → kh"),
        Mistake("near edges only", "Your count leaves out the padding above and on the left, but not the "
                "padding below and on the right: cut the window with `min(i + kh, H)` too.",
                "((bottom - top) * (right - left)) → ((i + kh - top) * (j + kw - left))"),
        Mistake("negative start", "A window that begins above or left of the image is lost: in a slice, −1 "
                "is the last row, and `-1:1` is empty as a rule. Cut it with `max(i, 0)` first.",
                ("max(i, 0), min(i + kh, H) → i, i + kh", "max(j, 0), min(j + kw, Wd) → j, j + kw",
                 "((bottom - top) * (right - left)) → max(1, dx[0, 0, top:bottom, left:right].size)")),
        Mistake("cut too early", "Windows at the upper and left edge are too large: after `i = max(i, 0)` "
                "their end is no longer `i + kh`. Compute the end first.",
                ("i + kh → max(i, 0) + kh", "j + kw → max(j, 0) + kw")),
        Mistake("= for +=", "Right where windows do not overlap, wrong where they do: is there an `=` for "
                "`+=`, or `+=` with index arrays, which adds once where an index comes twice (`np.add.at` "
                "adds all)?", "+= → ="),
        Mistake("padding kept", "The gradient of the padding is still there: dx has the shape of x, so cut "
                "`padding` rows and columns off on every side.", _with_margin),
        Mistake("cut with -0", "Right with padding, empty without: `padding:-padding` is `0:-0`, which is "
                "`0:0`, when there is none.",
                lambda *given: _with_margin(*given)[:, :, given[4]:-given[4], given[4]:-given[4]]),
        Mistake("cut at one end", "The padding is cut off below and on the right only: pixel (0, 0) of x is "
                "pixel (padding, padding) of the padded image.",
                lambda *given: _with_margin(*given)[:, :, :given[1][2], :given[1][3]]),
        Mistake("no padding", "The windows stand too far down and too far right: the first begins at "
                "(−padding, −padding), outside the image.",
                "p * stride - padding, q * stride - padding → p * stride, q * stride"),
        Mistake("no stride", "You ignored the stride: the window of output (p, q) begins at (p·stride − "
                "padding, q·stride − padding).",
                "p * stride - padding, q * stride - padding → p - padding, q - padding"),
        *_usual(_true_count),
    ),
    hints=("Let m be the number of pixels of x under window (p, q), 2 × 2 at a corner where four of nine "
           "are inside. Then y = Σ x / m. What is ∂y/∂x for each of them, and what does dx receive?",
           "dy / m. The window covers the rows from i = p·stride − padding to i + kh − 1; those of x among "
           "them are the rows from `max(i, 0)` up to `min(i + kh, H)`, that one not included. The columns "
           "likewise."))


# --- break it ---------------------------------------------------------------------------------

def wrong_dx(dy, x, kernel_size, stride):
    """A wrong backward pass of max pooling that the weak test accepts.

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

    Few windows: with k for the stride, or the stride for k, they still lie in the image. It is wider
    than high: a height taken for the width raises no IndexError.
    """
    yield {"dy": rng.permutation(16).reshape(1, 1, 4, 4) + 1.0,
           "x": rng.permutation(64).reshape(1, 1, 8, 8) + 1.0, "kernel_size": 2, "stride": 2}
    for (N, C), (Ho, Wo), k, s, (below, right) in (
            ((1, 1), (1, 2), 2, 1, (0, 0)), ((1, 2), (2, 2), 2, 3, (0, 2)), ((5, 4), (2, 3), 3, 2, (1, 1))):
        size = (Ho - 1) * s + k + below, (Wo - 1) * s + k + right
        yield {"dy": whole(rng, N, C, Ho, Wo), "x": whole(rng, N, C, *size, most=3, negative=0.8),
               "kernel_size": k, "stride": s}


def _wrong(*changes):
    """Max pooling backward with a change; the kernel is k x k, and a window may be cut off by the edge."""
    cut = "argmax(), kw → argmax(), window.shape[1]"
    return changed(max_dx_by_hand, "kernel_size → (kernel_size, kernel_size)", *changes, cut)


def _turned(images):
    return images[:, :, ::-1, ::-1]


_LAST = _wrong("window.argmax() → window.size - 1 - window.ravel()[::-1].argmax()")


HOLES = (
    Mistake("all ties", "Pixels that are all different hide that at a tie each maximum receives the whole "
            "gradient.", wrong_dx),
    Mistake("ties divided", "Pixels that are all different hide that at a tie the gradient is divided.",
            _wrong("i + u, j + v] → i:i + kh, j:j + kw][window == window.max()]",
                   "dy[n, c, p, q] → dy[n, c, p, q] / (window == window.max()).sum()")),
    Mistake("last of the ties", "Pixels that are all different hide that ties go to the last index, not "
            "to the first.", _LAST),
    Mistake("= for +=", "Windows that do not overlap hide `=` in place of `+=`.", _wrong("+= → =")),
    Mistake("window overwritten", "Windows that do not overlap hide that each overwrites dx everywhere in "
            "it.", _wrong("dx[n, c, i + u → dx[n, c, i:i + kh, j:j + kw] = 0; dx[n, c, i + u", "+= → =")),
    Mistake("k for the stride", "A stride equal to the kernel hides that the stride is not used.",
            _wrong("p * stride, q * stride → p * kh, q * kw")),
    Mistake("stride for k", "A kernel equal to the stride hides that its size is not used.",
            _wrong("i, j = → kh = kw = stride; i, j =")),
    Mistake("2 and 2", "One kernel size and one stride hide that both are fixed at 2.",
            _wrong("i, j = → kh = kw = stride = 2; i, j =")),
    Mistake("zero start, none", "Positive pixels hide that a window without any routes no gradient.",
            _wrong("dy[n, c, p, q] → dy[n, c, p, q] * (window.max() > 0)")),
    Mistake("zero start", "Positive pixels hide that the search for the largest began at 0.",
            _wrong("window.argmax() → np.maximum(window, 0).argmax()")),
    Mistake("largest in size", "Positive pixels hide that the gradient goes to the largest |x|.",
            _wrong("window.argmax() → np.abs(window).argmax()")),
    Mistake("leftovers first", "An image that the windows cover completely hides that the windows begin at "
            "the wrong end.", lambda dy, x, *more: _turned(_LAST(_turned(dy), _turned(x), *more))),
    Mistake("height for width", "A square image hides that its height was taken for its width.",
            _wrong("i + u, j + v → *divmod((i + u) * x.shape[2] + j + v, x.shape[3])")),
    Mistake("first channel", "A single channel hides that the argmax of the first is used for all.",
            _wrong("= x[n, c → = x[n, 0")),
    Mistake("first sample", "A batch of one hides that the argmax of the first sample is used for all.",
            _wrong("= x[n, c → = x[0, c")),
    Mistake("mean over the batch", "A batch of one hides a division by N.",
            _wrong("dy[n, c, p, q] → dy[n, c, p, q] / len(x)")),
    Mistake("size of dy", "A dy without negative numbers hides that its signs are lost.",
            _wrong("dy[n, c, p, q] → abs(dy[n, c, p, q])")),
)


BREAK = break_it(
    "pooling.break_it", "Break it: a wrong max pooling backward that a weak test accepts",
    wrong_dx, max_pool2d_backward, _weak_and_honest, HOLES,
    hints=("What never happens in that one input? Compare two pixels, two windows, the signs of the numbers, "
           "the sizes.",
           "No two pixels are alike. What would you do differently if two of a window were the largest?"))


EXERCISES = (MAX, AVG, MAX_BACK, COUNT, BREAK)
