"""The exercises of notebooks/07_pytorch_implementation.ipynb: questions, worked solutions, usual mistakes.

Each truth is put together from helpers that have a proof of their own.
"""
import warnings
from functools import wraps

import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.hostile import scaled, tenths, whole
from helpers.exercises.sandbox import type_name
from helpers.functional.activations import relu, relu_prime
from helpers.functional.convolution import conv2d, conv2d_backward
from helpers.functional.pooling import (  # noqa: F401, for changes
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from helpers.verify.in_torch import function_answers

# --- gradients of several mini-batches ----------------------------------------------------------

def accumulate_by_hand(gradients, sizes):
    """One gradient from those of several mini-batches.

    gradients (k, n): row i is the gradient of the mean cost of mini-batch i;
    sizes (k,): how many samples it has → the gradient of the mean cost of
    all samples, (n,).
    """
    return (sizes[:, None] * gradients).sum(axis=0) / sizes.sum()


@scaled("gradients")
def _accumulate_cases(rng):
    for k, n in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 4), (3, 5)):
        yield {"gradients": whole(rng, k, n), "sizes": rng.permutation(9)[:k] + 1.0}


def _true_accumulate(gradients, sizes):
    return np.average(gradients, axis=0, weights=sizes)


ACCUMULATE = Exercise(
    "pytorch.accumulate", "One gradient from many", accumulate_by_hand, _true_accumulate, _accumulate_cases,
    mistakes=(
        Mistake("sum", "You added the gradients, as `backward` does without `zero_grad`. Each belongs to a "
                "mean cost, and a sum of means is no mean.", lambda g, sizes: g.sum(0)),
        Mistake("mean of means", "Every mini-batch counts the same. A sample of a small one then counts for "
                "more than one of a large one: weight each mini-batch with its size.",
                lambda g, sizes: g.mean(0)),
        Mistake("not divided", "This is the gradient of the sum of all costs. For the mean, divide by the "
                "number of all samples.", "/ sizes.sum() →"),
        Mistake("not multiplied", "You divided by the number of all samples, but the rows are gradients of "
                "means. Multiply each by its size first.", lambda g, sizes: g.sum(0) / sizes.sum()),
        Mistake("divided by k", "You weighted each mini-batch with its size, but divided by their number. "
                "Divide by the number of samples.", "sizes.sum() → len(sizes)"),
        Mistake("last", "This is the last mini-batch's gradient: `=` for `+=`, or a `zero_grad` inside the "
                "loop.", lambda g, sizes: g[-1].copy()),
        Mistake("first", "This is the first mini-batch's gradient alone.", lambda g, sizes: g[0].copy()),
        Mistake("largest batch's size", "You divided by the largest size, not by the number of all samples.",
                "sizes.sum() → sizes.max()"),
        Mistake("divided by sizes", "Each gradient is divided by its size. It is a mean already; to make a "
                "sum of it again, multiply.", lambda g, sizes: (1 / sizes) @ g),
        Mistake("inverse weights", "Small mini-batches count for more than large ones: the weights are "
                "inverted.", lambda g, sizes: _true_accumulate(g, 1 / sizes)),
        Mistake("divided twice", "The number of mini-batches has been divided by as well. The sizes add up "
                "to the number of samples, and that is all.", "sizes.sum() → sizes.sum() / len(sizes)"),
    ),
    hints=("From the gradient of a mean to that of a sum: multiply by the number of samples. Sums can be "
           "added.",
           "Multiply each row by its size, add the rows, divide by the number of all samples."))


# --- a function of one's own ------------------------------------------------------------------

def swish_function(Function):
    """An autograd.Function for y = x · σ(βx), σ the sigmoid.

    Function is torch.autograd.Function → a class that inherits from it, with
    two static methods: forward(ctx, x, beta) → y, and backward(ctx, dy)
    → dx, dbeta. x, y, dy, dx (n,) and beta, dbeta () are tensors.
    """
    class Swish(Function):
        @staticmethod
        def forward(ctx, x, beta):
            ctx.save_for_backward(x, beta)
            return x * (beta * x).sigmoid()

        @staticmethod
        def backward(ctx, dy):
            x, beta = ctx.saved_tensors
            s = (beta * x).sigmoid()
            slope = s * (1 - s)                      # σ′ at βx
            dx = dy * (s + beta * x * slope)
            dbeta = (dy * x**2 * slope).sum()
            return dx, dbeta

    return Swish


@scaled("dy")
def _swish_cases(rng):
    for n, beta in ((1, 0.5), (2, 2.0), (2, -1.5), (3, 0.7), (5, 1.3)):
        yield {"dy": whole(rng, n), "x": tenths(rng, n), "beta": beta}


def _through_torch(make):
    """The answers of the Function that `make` makes, or is: y, dx and dbeta in one row."""
    @wraps(make)
    def called(dy, x, beta):
        return function_answers(lambda Function: _checked(make if isinstance(make, type) else make(Function)),
                                dy, x, np.asarray(beta))
    return called


def _checked(made):
    if not callable(getattr(made, "apply", None)):
        raise ValueError(f"expected a class that inherits from Function, got {type_name(made)}; is the "
                         "`return` missing, or are there parentheses behind the class?")

    class Checked(made):
        @staticmethod
        def backward(ctx, dy):
            found = made.backward(ctx, dy)
            if isinstance(found, tuple) and [getattr(one, "ndim", 0) for one in found] == [1, 1]:
                warnings.warn(f"dbeta has the shape {tuple(found[1].shape)}, and beta is a single number: "
                              "torch adds it up, without a word. Better do that in `backward`.", stacklevel=1)
            return found
    return Checked


SWISH = Exercise(
    "pytorch.swish", "A Function of your own", swish_function, swish_function, _swish_cases,
    parts=lambda row: {"y": row[:len(row) // 2], "dx": row[len(row) // 2:-1], "dbeta": row[-1:]},
    mistakes=(
        Mistake("first factor only", "dx has only the path through the first x. x stands in y twice, and the "
                "product rule has two terms: add β·x·σ′(βx).", "s + beta * x * slope → s"),
        Mistake("second factor only", "dx has only the path through σ. x stands in y twice, and the product "
                "rule has two terms: add σ(βx).", "s + beta → beta"),
        Mistake("inner β", "In dx the inner derivative is missing: σ(βx) changes by β·σ′(βx).",
                "s + beta * x → s + x"),
        Mistake("x once", "In dβ one x is missing. One is the factor in front, the other the inner "
                "derivative of βx.", "x**2 → x"),
        Mistake("x for x²·σ′", "dβ is Σ dy·x, the gradient of βx alone. β acts through σ, and x stands in "
                "front: x²·σ′(βx).", "dy * x**2 * slope → dy * x"),
        Mistake("no dy in dβ", "dy is missing in dβ: the local gradient is multiplied by the upstream dy.",
                "dy * x**2 → x**2"),
        Mistake("no dy in dx", "dy is missing in dx: this is the local gradient alone.", "dx = dy * → dx ="),
        Mistake("mean for sum", "dβ is averaged. One β acts on every y, and their gradients "
                "are added.", "sum() → mean()"),
        Mistake("last for sum", "dβ is that of the last y alone: is there an `=` for `+=`?", ".sum() → [-1]"),
        Mistake("σ′ at x", "In backward σ and σ′ are taken at x. The sigmoid stands at βx.",
                "s = (beta * x) → s = x"),
        Mistake("β fixed at 1", "This is right for β = 1, torch's SiLU. Here β is an argument.",
                ("(beta * x) → x", "s + beta * x → s + x")),
        Mistake("forward without β", "backward is right, but forward leaves β out: y = x · σ(βx).",
                "return x * (beta * x) → return x * x"),
        Mistake("forward without x", "backward is right, but forward returns σ(βx) alone: the factor x is "
                "missing.", "return x * → return"),
        Mistake("None for β", "dβ is 0, as it is where `backward` returns `None` for it. β is learned: its "
                "gradient is Σ dy·x²·σ′(βx).", "return dx, dbeta → return dx, None"),
        Mistake("dβ like dx", "dβ has the formula of dx. With respect to β the front factor x is a "
                "constant: only σ(βx) changes, by x·σ′(βx).", "dbeta = (dy * x**2 * slope) → dbeta = dx"),
    ),
    hints=("Write y = x·s with s = σ(βx). What is ∂y/∂x by the product rule, and what is ∂y/∂β, where x is a "
           "constant?",
           "∂y/∂x = σ(βx) + β·x·σ′(βx), ∂y/∂β = x²·σ′(βx). Multiply by dy; one β has acted on all, so add. "
           "The class looks like HandConv in section 8, but forward gets ctx and saves x and beta by "
           "`ctx.save_for_backward`; backward gets them from `ctx.saved_tensors`. Then `return Swish`, the "
           "class."),
    through=_through_torch)


# --- a block of layers ------------------------------------------------------------------------

def block_by_hand(dy, x, W, b):
    """Backward through 2 × 2 max pooling, ReLU and convolution: dW.

    dy (N, O, Ho, Wo), x (N, C, H, W), W (O, C, kh, kw), b (O,)
    → dW (O, C, kh, kw). No padding, stride 1.
    """
    z = conv2d(x, W, b)
    da = max_pool2d_backward(dy, relu(z), 2)
    dz = da * relu_prime(z)
    return conv2d_backward(dz, x, W)[1]


@scaled("dy")
def _block_cases(rng):
    """In quarters, whose sums are exact: rounding makes no ties, and breaks none."""
    yield {"dy": whole(rng, 1, 1, 1, 1), "x": _quarters(rng, 1, 1, 2, 2), "W": _quarters(rng, 1, 1, 1, 1),
           "b": np.array([1.5])}
    yield {"dy": whole(rng, 1, 1, 2, 3), "x": whole(rng, 1, 1, 4, 6, most=1), "W": np.ones((1, 1, 1, 1)),
           "b": np.array([0.5])}      # many ties above zero
    for (N, C, O), kernel, pooled in (((1, 1, 1), (2, 2), (1, 2)),
                                      ((2, 1, 2), (2, 3), (2, 1)), ((2, 3, 5), (2, 4), (4, 6)),
                                      ((7, 6, 4), (2, 1), (2, 1)), ((7, 4, 5), (2, 3), (1, 2))):
        H, W = (2 * p + k - 1 for p, k in zip(pooled, kernel, strict=True))
        sign = 1 if N < 3 else (-1)**np.arange(O)
        yield {"dy": whole(rng, N, O, *pooled), "x": _quarters(rng, N, C, H, W),
               "W": _quarters(rng, O, C, *kernel), "b": sign * rng.integers(2, 12, O) / 4}


def _quarters(rng, *shape):
    return whole(rng, *shape, most=8) / 4


def _twice(y):
    return np.kron(y, np.ones((2, 2)))      # each entry in all four places of its window


BLOCK = Exercise(
    "pytorch.block", "Backward through a block", block_by_hand, block_by_hand, _block_cases,
    mistakes=(
        Mistake("no ReLU", "The ReLU is left out in the backward pass: multiply by its slope at z. A window "
                "in which no z is positive passes no gradient.", "* relu_prime(z) →"),
        Mistake("mean pool", "The gradient is divided over the window, as in average pooling. Max pooling "
                "routes all of it to the largest entry.", "max_pool2d_backward → avg_pool2d_backward"),
        Mistake("everywhere", "Every entry of a window got the whole gradient. The output depends on the "
                "largest entry alone, so the gradient is routed to it.",
                "max_pool2d_backward(dy, relu(z), 2) → dy.repeat(2, axis=2).repeat(2, axis=3)"),
        Mistake("first cell", "The gradient went to the first entry of each window. It belongs to the "
                "largest.",
                "max_pool2d_backward(dy, relu(z), 2) → np.zeros_like(z); da[:, :, ::2, ::2] = dy"),
        Mistake("all ties", "Every entry that equals the maximum of its window got the gradient. Where "
                "several are equal, it goes to the first of them.",
                "max_pool2d_backward(dy, relu(z), 2) → "
                "_twice(dy) * (relu(z) == _twice(max_pool2d(relu(z), 2)))"),
        Mistake("largest in size", "The pool was taken over |z|. Its input is the output of the ReLU.",
                "relu(z) → np.abs(z)"),
        Mistake("no bias", "Forward is computed without b, so the ReLU and the pool chose other entries.",
                "x, W, b → x, W"),
        Mistake("mask reversed", "The mask lets the gradient pass where z is negative.",
                "relu_prime(z) → (1 - relu_prime(z))"),
        Mistake("mask after the pool, reversed", "The mask is taken from the pooled values, and reversed.",
                ("dy, relu(z) → dy * (max_pool2d(z, 2) <= 0), z", "* relu_prime(z) →")),
        Mistake("a for the slope", "You multiplied by a = ReLU(z), not by its slope, which is 1 or 0.",
                "relu_prime → relu"),
        Mistake("averaged", "This is the right dW divided by N. dy has the 1/m of the cost in it already.",
                "[1] → [1] / len(x)"),
        Mistake("turned kernel", "dW is turned by 180°. The flipped kernel belongs to dx; dW is the "
                "correlation of x with dz as it is.", "[1] → [1][..., ::-1, ::-1]"),
        Mistake("last image", "Only the last image counts: is there an `=` for `+=`?",
                "dz, x → dz[-1:], x[-1:]"),
        Mistake("first image", "Only the first image counts: the sum over the images is missing.",
                "dz, x → dz[:1], x[:1]"),
    ),
    hints=("Forward is z = conv(x), a = ReLU(z), y = pool(a). Go back in the other order: what does each of "
           "the three need from its own input?",
           "`max_pool2d_backward(dy, relu(z), 2)`, times `relu_prime(z)`, then `conv2d_backward(dz, x, W)`, "
           "of which dW is the second."))


# --- break it ---------------------------------------------------------------------------------

def wrong_accumulate(gradients, sizes):
    """A wrong way to put gradients together that the weak test accepts.

    gradients (k, n): the gradient of each mini-batch's mean cost;
    sizes (k,) → the gradient of the mean cost of all samples, (n,).
    """
    return gradients.mean(axis=0)             # the sizes are left out


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones."""
    yield {"gradients": np.array([[2.0, 1], [2, 1]]), "sizes": np.array([4.0, 4])}
    for k, n in ((2, 2), (3, 2), (3, 3), (5, 4)):
        yield {"gradients": whole(rng, k, n), "sizes": rng.permutation(9)[:k] + 1.0}


HOLES = (
    Mistake("mean of means", "Mini-batches of one size hide that the sizes are not used.", wrong_accumulate),
    Mistake("last", "Gradients that are all alike hide that only the last one counts.",
            lambda g, sizes: g[-1].copy()),
    Mistake("first", "Gradients that are all alike hide that only the first one counts.",
            lambda g, sizes: g[0].copy()),
    Mistake("median", "Gradients that are all alike hide that this is their median.",
            lambda g, sizes: np.median(g, axis=0)),
    Mistake("largest", "Gradients that are all alike hide that this is the largest of each entry.",
            lambda g, sizes: g.max(0)),
    Mistake("smallest", "Gradients that are all alike hide that this is the smallest of each entry.",
            lambda g, sizes: g.min(0)),
    Mistake("no signs", "Gradients without a minus hide that signs are lost.",
            lambda g, sizes: _true_accumulate(np.abs(g), sizes)),
    Mistake("inverse weights", "Mini-batches of one size hide that the weights are inverted.",
            lambda g, sizes: _true_accumulate(g, 1 / sizes)),
    Mistake("sizes exchanged", "Mini-batches of one size hide that the sizes are in the wrong order.",
            lambda g, sizes: _true_accumulate(g, sizes[::-1])),
    Mistake("divided by the first size", "Mini-batches of one size hide that k times the first size stands "
            "for the number of samples.", "sizes.sum() → (len(sizes) * sizes[0])"),
    Mistake("halved sum", "Two mini-batches hide that the sum is divided by two, however many there are.",
            lambda g, sizes: g.sum(0) / 2),
    Mistake("two at most", "Two mini-batches hide that a third one is never looked at.",
            lambda g, sizes: _true_accumulate(g[:2], sizes[:2])),
)


BREAK = break_it(
    "pytorch.break_it", "Break it: an accumulation that a weak test accepts",
    wrong_accumulate, _true_accumulate, _weak_and_honest, HOLES,
    right=accumulate_by_hand,
    hints=("What makes no difference when all mini-batches are of one size? When all gradients are the same? "
           "When there are two?",
           "With equal sizes, weights do not matter. With equal gradients, any one of them will do."))


EXERCISES = (ACCUMULATE, BLOCK, SWISH, BREAK)
