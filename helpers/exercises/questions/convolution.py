"""The exercises of notebooks/01_convolution.ipynb: questions, worked solutions, usual mistakes.

A worked solution is shown to the learner as it stands here, and its head is the notebook's stub, so
it has the notebook's style. A mistake is a change of it, "a → b", wherever it can be.
"""
import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.hostile import mixed, scaled, whole
from helpers.functional.convolution import conv2d_backward, output_size

# --- how large is the output ------------------------------------------------------------------

def size_by_hand(n, k, s, p, d):
    """At how many places a window can stand along one axis.

    n pixels, kernel k, stride s, padding p on each side, dilation d → an int.
    """
    reach = d * (k - 1) + 1          # pixels from the first entry to the last
    return (n + 2 * p - reach) // s + 1


def _size_cases(rng):
    for n, k, s, p, d in ((3, 1, 1, 0, 1), (4, 3, 1, 1, 1), (5, 2, 1, 0, 1), (5, 2, 2, 0, 1), (6, 3, 2, 1, 1),
                          (7, 3, 1, 0, 2), (8, 2, 3, 0, 2), (11, 3, 3, 2, 2), (28, 5, 4, 3, 3)):
        yield {"n": n, "k": k, "s": s, "p": p, "d": d}


SIZE = Exercise(
    "convolution.size", "The size of the output", size_by_hand, output_size, _size_cases,
    mistakes=(
        Mistake("no + 1", "One place is missing: the window moves that many times, but it stood somewhere "
                "before the first move.", "s + 1 → s"),
        Mistake("no dilation", "You forgot the dilation: the kernel spans `d*(k-1) + 1` pixels, not `k`.",
                "d * (k - 1) + 1 → k"),
        Mistake("dilation times k", "The kernel spans `d*(k-1) + 1` pixels, not `d*k`: it has `k-1` gaps, "
                "and nothing follows the last entry.", "d * (k - 1) + 1 → d * k"),
        Mistake("dilation times k, less 1", "The kernel spans `d*(k-1) + 1` pixels, not `d*k - 1`: a gap "
                "adds `d - 1` pixels between two entries, and there are `k-1` gaps.",
                "d * (k - 1) + 1 → d * k - 1"),
        Mistake("one gap", "Dilation widens all of the `k-1` gaps between the entries, not one of them.",
                "d * (k - 1) + 1 → k + d - 1"),
        Mistake("reach one short", "The kernel spans one pixel more than `d*(k-1)`: that counts the steps "
                "from the first entry to the last, not the pixels.", "d * (k - 1) + 1 → d * (k - 1)"),
        Mistake("padding once", "The padding stands on both sides: `2*p`, not `p`.", "2 * p → p"),
        Mistake("no padding", "You forgot the padding, `2*p` pixels more.", "n + 2 * p → n"),
        Mistake("no stride", "You forgot the stride: the window moves `s` pixels at a time.", "// s →"),
        Mistake("rounded up", "You rounded up: a last move that does not fit whole is not made, and its "
                "pixels are left over.", "(n + 2 * p - reach) // s → -((reach - n - 2 * p) // s)"),
        Mistake("not rounded", "You divided and did not round: `//` leaves the pixels that are left over out "
                "of the count.", "// → /"),
        Mistake("divided first", "You divided before you subtracted: the stride divides the room that the "
                "window has to move in, not the pixels.",
                "(n + 2 * p - reach) // s → (n + 2 * p) // s - reach"),
        Mistake("same", "This is n/s, rounded up: the size that libraries call `same`, which choose their "
                "padding for it. Here the padding is given.", "(n + 2 * p - reach) // s + 1 → -(-n // s)"),
        Mistake("1 inside", "The `+ 1` stands inside the division: it is a place, not a pixel.",
                "reach) // s + 1 → reach + 1) // s"),
    ),
    hints=("How many pixels lie from the first entry of the kernel to the last, both included? Draw k = 3 "
           "with d = 2.",
           "Let the window stand at the left end of the padded line. How many pixels are free to its "
           "right, and how many moves of `s` pixels fit into them?"))


# --- the gradient of the bias -----------------------------------------------------------------

def db_by_hand(dy):
    """The gradient of the biases: dy (N, O, Ho, Wo) → db (O,)."""
    db = np.zeros(dy.shape[1])
    for n, o, p, q in np.ndindex(dy.shape):
        db[o] += dy[n, o, p, q]      # b[o] is added to every y[n, o, p, q]
    return db


@scaled("dy")
def _db_cases(rng):
    for shape in ((1, 1, 1, 2), (2, 1, 2, 3), (1, 2, 3, 1), (3, 3, 3, 3), (3, 2, 5, 4), (5, 4, 3, 2)):
        yield {"dy": whole(rng, *shape)}


DB = Exercise(
    "convolution.db", "The gradient of the bias", db_by_hand,
    lambda dy: conv2d_backward(dy, dy, np.zeros((dy.shape[1],) * 2 + (1, 1)))[2], _db_cases,
    mistakes=(
        Mistake("mean of all", "You took the mean: this is the right gradient divided by N·Ho·Wo. The "
                "upstream gradients of all pixels that use a bias add up.",
                "return db → return db / dy[:, 0].size"),
        Mistake("mean over the batch", "This is the right gradient divided by N: you averaged over the "
                "batch. An average belongs to the cost, and then dy has it already.",
                "return db → return db / len(dy)"),
        Mistake("mean over the pixels", "This is the right gradient divided by Ho·Wo: you averaged over the "
                "pixels. Their upstream gradients add up.", "return db → return db / dy[0, 0].size"),
        Mistake("batch only", "You summed over the batch and kept the pixels: one bias serves every pixel, "
                "so the last two axes are summed as well.", lambda dy: dy.sum(0)),
        Mistake("pixels only", "You summed over the pixels and kept the batch: one bias serves every sample, "
                "so axis 0 is summed as well.", lambda dy: dy.sum((2, 3))),
        Mistake("first sample", "Only the first sample of the batch is counted.",
                lambda dy: dy[0].sum((1, 2))),
        Mistake("last sample", "Only the last sample of the batch is counted: is there an `=` for `+=`?",
                lambda dy: dy[-1].sum((1, 2))),
        Mistake("= for +=", "Only the last pixel of the last sample is left: is there an `=` for `+=`?",
                "+= → ="),
        Mistake("all in one", "You summed over everything, the filters too: each filter has its own bias, so "
                "axis 1 stays.", lambda dy: dy.sum()),
        Mistake("wrong axis kept", "You kept the axis of the batch and summed over the filters: the filters "
                "are axis 1.", lambda dy: dy.sum((1, 2, 3))),
        Mistake("reshape for swap", "Samples and filters are mixed up: `reshape` leaves the numbers in their "
                "places, and the samples come first there. `swapaxes(0, 1)` brings the filters to the front.",
                lambda dy: dy.reshape(dy.shape[1], -1).sum(1)),
        Mistake("axes kept", "The numbers are right, but the summed axes are still there with length 1: db "
                "has the shape of b, which is (O,). Did you say `keepdims`?",
                lambda dy: dy.sum((0, 2, 3), keepdims=True)),
        Mistake("ones upstream", "You counted the pixels: that is the gradient when every dy is 1. Add up "
                "the entries of dy.", lambda dy: np.ones_like(dy).sum((0, 2, 3))),
    ),
    hints=("∂y[n, o, p, q]/∂b[o] is 1. Which entries of y depend on b[o]?",
           "All that have the same o, in every sample and at every pixel: three of the four axes are "
           "summed."))


# --- the gradient of the filters, with dilation -----------------------------------------------

def dW_by_hand(dy, x, dilation):
    """The gradient of the filters; stride 1, no padding.

    dy (N, O, Ho, Wo), x (N, C, H, Wd) → dW (O, C, kh, kw),
    with H = Ho + dilation * (kh - 1).
    """
    (O, Ho, Wo), (C, H, Wd) = dy.shape[1:], x.shape[1:]
    kh, kw = (H - Ho) // dilation + 1, (Wd - Wo) // dilation + 1
    dW = np.zeros((O, C, kh, kw))
    for u, v in np.ndindex(kh, kw):
        i, j = dilation * u, dilation * v
        used = x[:, :, i:i + Ho, j:j + Wo]   # what this entry multiplies
        dW[:, :, u, v] = np.einsum("nopq,ncpq->oc", dy, used)
    return dW


@scaled("dy", "x")
def _dW_cases(rng):
    """With dilation no fewer entries than places: then dilation for stride raises no IndexError."""
    for (N, O, C), (Ho, Wo), (kh, kw), d in (
            ((1, 1, 1), (1, 2), (1, 2), 1), ((1, 2, 1), (1, 2), (1, 2), 1), ((1, 1, 2), (1, 2), (1, 2), 1),
            ((2, 1, 1), (2, 1), (1, 3), 1), ((1, 1, 1), (2, 2), (2, 2), 2),
            ((2, 3, 2), (3, 2), (4, 3), 2), ((3, 2, 5), (4, 6), (6, 7), 3), ((6, 5, 4), (2, 1), (2, 2), 1)):
        size = Ho + d * (kh - 1), Wo + d * (kw - 1)
        yield {"dy": whole(rng, N, O, Ho, Wo), "x": whole(rng, N, C, *size), "dilation": d}


def _true_dW(dy, x, dilation):
    entries = [(n - m) // dilation + 1 for n, m in zip(x.shape[2:], dy.shape[2:], strict=True)]
    return conv2d_backward(dy, x, np.zeros((dy.shape[1], x.shape[1], *entries)), dilation=dilation)[1]


DW = Exercise(
    "convolution.dW", "The gradient of the filters, with dilation", dW_by_hand, _true_dW, _dW_cases,
    mistakes=(
        Mistake("no dilation", "You ignored the dilation: entry (u, v) multiplies the pixels from (d·u, d·v) "
                "on.", "dilation * u, dilation * v → u, v"),
        Mistake("dilation at the place", "The dilation stands at the wrong index: entry (u, v) multiplies "
                "pixel (p + d·u, q + d·v), not (d·p + u, d·q + v); that is a stride.",
                ("dilation * u, dilation * v → u, v",
                 "i:i + Ho, j:j + Wo → i:i + dilation * Ho:dilation, j:j + dilation * Wo:dilation")),
        Mistake("gaps kept", "The gaps between the entries got a gradient too: dW has the shape of W, so "
                "take every d-th row and column of this.", lambda dy, x, dilation: _true_dW(dy, x, 1)),
        Mistake("flipped", "The kernel's gradient is turned by 180°: torch's convolution does not flip the "
                "kernel, so neither does its gradient.", "return dW → return dW[..., ::-1, ::-1]"),
        Mistake("dy flipped", "You turned dy by 180°, a true convolution: here dy slides over x as it is.",
                "dy, used → dy[..., ::-1, ::-1], used"),
        Mistake("last sample", "Only the last sample counts: `=` stands where `+=` should, or the sum over "
                "the batch is missing.", "dy, used → dy[-1:], used[-1:]"),
        Mistake("first sample", "Only the first sample counts: the sum over the batch is missing.",
                "dy, used → dy[:1], used[:1]"),
        Mistake("last window", "Only the last window counts: is there an `=` for `+=`, so that each window "
                "overwrites the one before?", "dy, used → dy[..., -1:, -1:], used[..., -1:, -1:]"),
        Mistake("= for +=", "Only the last window of the last sample counts: is there an `=` for `+=`?",
                "dy, used → dy[-1:, :, -1:, -1:], used[-1:, :, -1:, -1:]"),
        Mistake("mean over the batch", "This is the right gradient divided by N: you averaged over the "
                "batch. An average belongs to the cost, and then dy has it already.",
                "return dW → return dW / len(dy)"),
        Mistake("mean over the pixels", "This is the right gradient divided by Ho·Wo: the contributions of "
                "all places of the window add up.", "return dW → return dW / dy[0, 0].size"),
        Mistake("mean of all", "This is the right gradient divided by N·Ho·Wo: the contributions of all "
                "places in all samples add up.", "return dW → return dW / dy[:, 0].size"),
        Mistake("columns in another order", "dy and the columns of x are in different orders: one counts the "
                "samples first, the other the pixels. `transpose` both before `reshape`.",
                "dy, used → dy, np.moveaxis(used, 0, -1).reshape(C, len(x), Ho, Wo).swapaxes(0, 1)"),
        Mistake("channels swapped", "The first two axes are swapped: dW has the shape of W, (filters, "
                "channels, kh, kw).", "return dW → return dW.swapaxes(0, 1)"),
        Mistake("channels added", "Every channel got the sum over all channels: entry W[o, c, u, v] "
                "multiplies channel c of x and no other.", "used) → mixed(used, 1))"),
        Mistake("batch crossed", "You summed dy and x over the batch separately: sample n of dy belongs to "
                "sample n of x and to no other.", "dy, used → mixed(dy, 0), used"),
        Mistake("filters added", "Every filter got the gradient of all filters: only y[:, o] depends on "
                "W[o].", "dy, used → mixed(dy, 1), used"),
        Mistake("ones upstream", "dy is not in it: this is the gradient when every dy is 1. Multiply each "
                "pixel of x by the dy of the output pixel in which it was used.",
                "dy, used → np.ones_like(dy), used"),
    ),
    hints=("With dilation d, y[n, o, p, q] contains W[o, c, u, v] · x[n, c, p + d·u, q + d·v]. What is "
           "∂y[n, o, p, q]/∂W[o, c, u, v]?",
           "Fix an entry (u, v). While the window slides, the entry multiplies a block of x as large as dy. "
           "Where does the block begin? Multiply the block and dy, and sum over n, p, q."))


# --- the gradient of the input, with stride and padding ---------------------------------------

def dx_by_hand(dy, W, x_shape, stride, padding):
    """The gradient of the input; some pixels may be left over.

    dy (N, O, Ho, Wo), W (O, C, kh, kw) → dx of x_shape, (N, C, H, Wd).
    """
    (N, C, H, Wd), (kh, kw) = x_shape, W.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, Wd + 2 * padding))
    for p, q in np.ndindex(dy.shape[2:]):
        i, j = p * stride, q * stride       # where the window of (p, q) begins
        scaled = np.einsum("no,ocuv->ncuv", dy[:, :, p, q], W)
        dx[:, :, i:i + kh, j:j + kw] += scaled
    return dx[:, :, padding:padding + H, padding:padding + Wd]


@scaled("dy", "W")
def _dx_cases(rng):
    for (N, O, C), (Ho, Wo), (kh, kw), s, p, (below, right) in (
            ((1, 1, 1), (1, 2), (1, 2), 1, 0, (0, 0)), ((1, 1, 1), (1, 2), (1, 3), 2, 0, (0, 1)),
            ((1, 1, 1), (3, 2), (1, 3), 1, 1, (0, 0)), ((2, 2, 1), (2, 1), (2, 2), 3, 0, (1, 2)),
            ((2, 2, 3), (2, 3), (3, 4), 2, 1, (1, 0)), ((3, 2, 4), (5, 4), (3, 5), 2, 2, (0, 1)),
            ((2, 3, 1), (2, 2), (3, 2), 1, 1, (0, 0)), ((6, 5, 4), (2, 1), (2, 1), 1, 0, (0, 0))):
        size = (Ho - 1) * s + kh + below - 2 * p, (Wo - 1) * s + kw + right - 2 * p
        yield {"dy": whole(rng, N, O, Ho, Wo), "W": whole(rng, O, C, kh, kw),
               "x_shape": (N, C, *size), "stride": s, "padding": p}


def _true_dx(dy, W, x_shape, s, p):
    return conv2d_backward(dy, np.zeros(x_shape), W, stride=s, padding=p)[0]


def _leftovers_first(dy, W, x_shape, s, p):
    size = [(m - 1) * s + k - 2 * p for m, k in zip(dy.shape[2:], W.shape[2:], strict=True)]
    return np.pad(_true_dx(dy, W, (*x_shape[:2], *size), s, p),
                  [(0, 0), (0, 0), *((n - m, 0) for n, m in zip(x_shape[2:], size, strict=True))])


DX = Exercise(
    "convolution.dx", "The gradient of the input, with stride and padding",
    dx_by_hand, _true_dx, _dx_cases,
    mistakes=(
        Mistake("no stride", "You ignored the stride: output pixel (p, q) belongs to the window that "
                "begins at (p·stride, q·stride) of the padded image.", "p * stride, q * stride → p, q"),
        Mistake("spread too far", "The pixels of dy stand too far apart: put `stride - 1` zeros between two "
                "of them, not `stride`.",
                ("H + 2 * padding, Wd + 2 * padding → 99, 99",
                 "p * stride, q * stride → p * (stride + 1), q * (stride + 1)")),
        Mistake("margin too wide", "All of it stands one pixel too low and too far right: the margin around "
                "the spread dy is `k - 1` wide, not `k`.",
                ("H + 2 * padding, Wd + 2 * padding → 99, 99",
                 "p * stride, q * stride → p * stride + 1, q * stride + 1")),
        Mistake("kernel turned", "The kernel is flipped where it should not be, or not flipped where it "
                "should be: to a window of dx it is added as it is; slid over the spread dy it is flipped.",
                "q], W → q], W[..., ::-1, ::-1]"),
        Mistake("= for +=", "Right where windows do not overlap, wrong where they do: is there an `=` for "
                "`+=`, or `+=` with index arrays, which adds once where an index comes twice (`np.add.at` "
                "adds all)?", "+= → ="),
        Mistake("= for += everywhere", "Only the last of everything that reaches a pixel is left, of the "
                "windows and of the filters: is there an `=` for `+=`?",
                ("+= → =", "dy[:, :, p, q], W → dy[:, -1:, p, q], W[-1:]")),
        Mistake("first filter", "Only the first filter counts: the outputs of all filters depend on a pixel "
                "of x, so sum over o.", "dy[:, :, p, q], W → dy[:, :1, p, q], W[:1]"),
        Mistake("last filter", "Only the last filter counts: the sum over o is missing, or it has `=` "
                "for `+=`.", "dy[:, :, p, q], W → dy[:, -1:, p, q], W[-1:]"),
        Mistake("filters crossed", "You summed over the filters too early: dy[:, o] belongs to W[o], so "
                "multiply the two first and sum over o then.", "q], W → q], mixed(W, 0)"),
        Mistake("reshape for swap", "W is read in the wrong order: `reshape` renames the axes of W and "
                "leaves the numbers in their places; `swapaxes(0, 1)` exchanges filters and channels.",
                "q], W → q], W.reshape(C, len(W), kh, kw).swapaxes(0, 1)"),
        Mistake("channels added", "Every channel got the gradient of all channels: W[o, c] multiplies "
                "channel c and no other.", "q], W → q], mixed(W, 1)"),
        Mistake("padding kept", "The gradient of the padding is still around it: dx has the shape of x, so "
                "cut `padding` rows and columns off on every side.",
                "[:, :, padding:padding + H, padding:padding + Wd] →"),
        Mistake("cut with -0", "Right with padding, empty without: `padding:-padding` is `0:-0`, which is "
                "`0:0`, when there is none.",
                "padding:padding + H, padding:padding + Wd → padding:-padding, padding:-padding"),
        Mistake("cut at one end", "Padding is ignored, or cut off at the bottom and the right only: pixel "
                "(0, 0) of x is pixel (padding, padding) of the padded image.",
                "padding:padding + H, padding:padding + Wd → :H, :Wd"),
        Mistake("leftovers cut", "The pixels left over are missing: dx has the shape of x. They lie in no "
                "window, so their gradient is 0.",
                ("padding + H, → i + kh - padding,", "padding + Wd] → j + kw - padding]")),
        Mistake("leftovers first", "The pixels left over stand at the wrong end: the first window begins at "
                "the first pixel, and what is left over lies below and on the right.", _leftovers_first),
        Mistake("mean over the batch", "This is the right gradient divided by N: each sample has its own dx, "
                "and nothing is averaged.", "+= scaled → += scaled / N"),
        Mistake("batch added", "Every sample got the gradient of the whole batch: only y[n] depends on "
                "x[n].", "dy[:, :, p, q] → mixed(dy, 0)[:, :, p, q]"),
        Mistake("ones upstream", "dy is not in it: this is the gradient when every dy is 1.",
                "dy[:, :, p, q] → np.ones((N, len(W)))"),
    ),
    hints=("Take one output pixel (p, q). Which window of the padded image was it computed from, and with "
           "which weights?",
           "Begin with zeros as large as the padded image. For each dy[n, o, p, q] add dy[n, o, p, q] · W[o] "
           "to its window; where windows overlap, the contributions add up. Cut the padding off last."))


# --- break it ---------------------------------------------------------------------------------

def wrong_dx(dy, W):
    """A wrong gradient of the input that the weak test accepts; stride 1.

    dy (N, O, Ho, Wo), W (O, C, kh, kw) → dx (N, C, Ho + kh - 1, Wo + kw - 1).
    """
    (N, _, Ho, Wo), (_, C, kh, kw) = dy.shape, W.shape
    dx = np.zeros((N, C, Ho + kh - 1, Wo + kw - 1))
    for p, q in np.ndindex(Ho, Wo):
        dx[:, :, p:p + kh, q:q + kw] += W.sum(axis=0)   # as if every dy were 1
    return dx


def _right(dy, W):
    size = [m + k - 1 for m, k in zip(dy.shape[2:], W.shape[2:], strict=True)]
    return conv2d_backward(dy, np.zeros((len(dy), W.shape[1], *size)), W)[0]


def _weak_and_better(rng):
    """The one input of the weak test, then the better ones."""
    yield {"dy": np.ones((1, 1, 2, 2)), "W": np.array([[[[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]]])}
    for (N, O, C), (Ho, Wo), (kh, kw) in (((1, 1, 1), (1, 2), (2, 3)), ((1, 2, 3), (2, 2), (3, 3)),
                                          ((4, 3, 2), (2, 5), (5, 4))):
        yield {"dy": whole(rng, N, O, Ho, Wo), "W": whole(rng, O, C, kh, kw)}


HOLES = (
    Mistake("ones upstream", "An upstream gradient of ones hides that dy is not used.", wrong_dx),
    Mistake("no flip", "A symmetric kernel hides a flip that is missing, or one too many.",
            lambda dy, W: _right(dy, W[..., ::-1, ::-1])),
    Mistake("mean over the batch", "A batch of one hides a division by N.",
            lambda dy, W: _right(dy, W) / len(dy)),
    Mistake("mean over the filters", "A single filter hides a mean where a sum should be.",
            lambda dy, W: _right(dy, W) / len(W)),
    Mistake("first filter", "A single filter hides that the sum over the filters is missing.",
            lambda dy, W: _right(dy[:, :1], W[:1])),
    Mistake("channels added", "A single channel hides that the channels are mixed.",
            lambda dy, W: _right(dy, mixed(W, 1))),
    Mistake("dy turned", "An upstream gradient that is the same everywhere hides that dy is turned.",
            lambda dy, W: _right(dy[..., ::-1, ::-1], W)),
)


BREAK = break_it(
    "convolution.weak_test", "Break it: a wrong gradient that a weak test accepts",
    wrong_dx, _right, _weak_and_better, HOLES,
    hints=("What could you change about the right gradient that makes no difference when every dy is 1? "
           "When the kernel is the same after every rotation and reflection? When there is only one image, "
           "one channel and one filter?",
           "For every output pixel, add the kernel to its window as if its dy were 1."))


EXERCISES = (SIZE, DB, DW, DX, BREAK)
