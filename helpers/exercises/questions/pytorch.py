"""The exercises of notebooks/07_pytorch_implementation.ipynb: questions, worked solutions, usual mistakes.

Each truth is put together from helpers that have a proof of their own;
tests/exercises/test_exercises_pytorch.py compares it with autograd once more.
"""
from functools import wraps

import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.grading import Exercise, Mistake
from helpers.exercises.sandbox import named
from helpers.functional.activations import relu, relu_prime, sigmoid, sigmoid_prime
from helpers.functional.convolution import conv2d, conv2d_backward
from helpers.functional.pooling import avg_pool2d_backward, max_pool2d, max_pool2d_backward
from helpers.verify.witnesses import function_answers


def _random(rng, *shape, most=29):
    """Whole numbers, easy to read; none is zero."""
    return rng.integers(1, most + 1, shape) * rng.choice([-1.0, 1.0], shape)


def _tenths(rng, *shape):
    """Tenths of both signs, none zero, so small that no activation is saturated."""
    return _random(rng, *shape, most=20) / 10


# --- gradients of several mini-batches ----------------------------------------------------------

def accumulate_by_hand(gradients, sizes):
    """One gradient from those of several mini-batches.

    gradients (k, n): row i is the gradient of the mean cost of mini-batch i;
    sizes (k,): how many samples it has → the gradient of the mean cost of
    all samples, (n,).
    """
    return (sizes[:, None] * gradients).sum(axis=0) / sizes.sum()


def _accumulate_cases(rng):
    for k, n in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 4)):
        yield {"gradients": _random(rng, k, n), "sizes": rng.permutation(9)[:k] + 1.0}


def _true_accumulate(gradients, sizes):
    return np.average(gradients, axis=0, weights=sizes)


def _weighted(weights):
    """The sum of the gradients, each with its weight out of weights(sizes)."""
    return lambda gradients, sizes: weights(sizes) @ gradients


ACCUMULATE = Exercise(
    "pytorch.accumulate", "One gradient from many", accumulate_by_hand, _true_accumulate, _accumulate_cases,
    mistakes=(
        Mistake("sum", "You added the gradients, as `backward` does without `zero_grad`. Each belongs to a "
                "mean cost, and a sum of means is no mean.",
                _weighted(np.ones_like)),
        Mistake("mean of means", "Every mini-batch counts the same. A sample of a small one then counts for "
                "more than one of a large one: weigh each mini-batch with its size.",
                _weighted(lambda sizes: np.full(len(sizes), 1 / len(sizes)))),
        Mistake("not divided", "This is the gradient of the sum of all costs. For the mean, divide by the "
                "number of all samples.",
                _weighted(lambda sizes: sizes)),
        Mistake("divided by k", "You weighed each mini-batch with its size, but divided by their number. "
                "Divide by the number of samples.",
                _weighted(lambda sizes: sizes / len(sizes))),
        Mistake("last", "This is the last mini-batch's gradient: `=` for `+=`, or a `zero_grad` inside the "
                "loop.",
                lambda gradients, sizes: gradients[-1].copy()),
        Mistake("first", "This is the first mini-batch's gradient alone.",
                lambda gradients, sizes: gradients[0].copy()),
        Mistake("largest batch's size", "You divided by the largest size, not by the number of all samples.",
                _weighted(lambda sizes: sizes / sizes.max())),
        Mistake("divided by sizes", "Each gradient is divided by its size. It is a mean already; to make a "
                "sum of it again, multiply.",
                _weighted(lambda sizes: 1 / sizes)),
        Mistake("inverse weights", "Small mini-batches count for more than large ones: the weights are "
                "turned over.",
                _weighted(lambda sizes: 1 / sizes / (1 / sizes).sum())),
        Mistake("divided twice", "The number of mini-batches has been divided by as well. The sizes add up "
                "to the number of samples, and that is all.",
                _weighted(lambda sizes: sizes / sizes.sum() / len(sizes))),
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


def _swish_cases(rng):
    for n, beta in ((1, 0.5), (2, 2.0), (2, -1.5), (3, 0.7), (5, 1.3)):
        yield {"dy": _random(rng, n), "x": _tenths(rng, n), "beta": beta}


def _through_torch(make):
    """The answers of the Function that `make` makes, or is: y, dx and dbeta in one row."""
    @wraps(make)
    def called(dy, x, beta):
        return function_answers(lambda Function: _checked(make if isinstance(make, type) else make(Function)),
                                dy, x, np.asarray(beta))
    return called


def _checked(made):
    if not callable(getattr(made, "apply", None)):
        raise ValueError(f"expected a class that inherits from Function, got {named(made)}; is the `return` "
                         "missing, or are there parentheses behind the class?")
    return made


def _swish(dx=None, dbeta=None, *, y=None):
    """A maker of Functions with another dx or dbeta, of (dy, x, beta, s, slope), or with another y."""
    def answers(given, s, slope):
        dy, x, beta = given
        along = dx(*given, s, slope) if dx else dy * (s + beta * x * slope)
        across = dbeta(*given, s, slope) if dbeta else (dy * x**2 * slope).sum()
        return along, across

    def make(Function):
        class Made(Function):
            @staticmethod
            def forward(ctx, x, beta):
                ctx.save_for_backward(x, beta)
                return y(x, beta) if y else x * (beta * x).sigmoid()

            @staticmethod
            def backward(ctx, dy):
                x, beta = (tensor.numpy() for tensor in ctx.saved_tensors)
                found = answers((dy.numpy(), x, beta), sigmoid(beta * x), sigmoid_prime(beta * x))
                return tuple(None if g is None else dy.new_tensor(g) for g in found)
        return Made
    return make


SWISH = Exercise(
    "pytorch.swish", "A Function of your own", swish_function, _swish(), _swish_cases,
    mistakes=(
        Mistake("first factor only", "dx has only the way through the first x. x stands in y twice, and the "
                "product rule has two terms: add β·x·σ′(βx).",
                _swish(lambda dy, x, beta, s, slope: dy * s)),
        Mistake("second factor only", "dx has only the way through σ. x stands in y twice, and the product "
                "rule has two terms: add σ(βx).",
                _swish(lambda dy, x, beta, s, slope: dy * beta * x * slope)),
        Mistake("inner β", "In dx the inner derivative is missing: σ(βx) changes by β·σ′(βx).",
                _swish(lambda dy, x, beta, s, slope: dy * (s + x * slope))),
        Mistake("x once", "In dβ one x is missing. One is the factor in front, the other the inner "
                "derivative of βx.",
                _swish(None, lambda dy, x, beta, s, slope: (dy * x * slope).sum())),
        Mistake("no dy in dβ", "dy is missing in dβ: every y passes on its own blame.",
                _swish(None, lambda dy, x, beta, s, slope: (x**2 * slope).sum())),
        Mistake("no dy in dx", "dy is missing in dx: this is the slope, not the blame.",
                _swish(lambda dy, x, beta, s, slope: s + beta * x * slope)),
        Mistake("mean for sum", "dβ is averaged. One β acts on every y, and what comes back from them is "
                "added.",
                _swish(None, lambda dy, x, beta, s, slope: (dy * x**2 * slope).mean())),
        Mistake("last for sum", "dβ is that of the last y alone: `=` for `+=`.",
                _swish(None, lambda dy, x, beta, s, slope: (dy * x**2 * slope)[-1])),
        Mistake("σ′ at x", "In backward σ and σ′ are taken at x. The sigmoid stands at βx.",
                _swish(lambda dy, x, beta, *_: dy * (sigmoid(x) + beta * x * sigmoid_prime(x)),
                       lambda dy, x, beta, *_: (dy * x**2 * sigmoid_prime(x)).sum())),
        Mistake("β fixed at 1", "This is right for β = 1, torch's SiLU. Here β is an argument.",
                _swish(lambda dy, x, beta, *_: dy * (sigmoid(x) + x * sigmoid_prime(x)),
                       lambda dy, x, beta, *_: (dy * x**2 * sigmoid_prime(x)).sum(),
                       y=lambda x, beta: x * x.sigmoid())),
        Mistake("forward without β", "backward is right, but forward leaves β out: y = x · σ(βx).",
                _swish(y=lambda x, beta: x * x.sigmoid())),
        Mistake("forward without x", "backward is right, but forward returns σ(βx) alone: the factor x is "
                "missing.",
                _swish(y=lambda x, beta: (beta * x).sigmoid())),
        Mistake("None for β", "You returned `None` for β, which says that it needs no gradient. β is "
                "learned: it has one.",
                _swish(None, lambda *_: None)),
        Mistake("β blamed like x", "dβ has the formula of dx. With respect to β the front factor x is a "
                "constant: only σ(βx) changes, by x·σ′(βx).",
                _swish(None, lambda dy, x, beta, s, slope: (dy * (s + beta * x * slope)).sum())),
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
    """Back through convolution, ReLU and 2 × 2 max pooling, to the filters.

    dy (N, O, Ho, Wo), x (N, C, H, W), W (O, C, kh, kw), b (O,)
    → dW (O, C, kh, kw). No padding, stride 1.
    """
    z = conv2d(x, W, b)
    da = max_pool2d_backward(dy, relu(z), 2)
    dz = da * relu_prime(z)
    return conv2d_backward(dz, x, W)[1]


def _block_cases(rng):
    for (N, C, O), kernel, pooled in (((1, 1, 1), (1, 1), (1, 1)), ((1, 1, 1), (2, 2), (1, 2)),
                                      ((2, 1, 2), (2, 3), (2, 1)), ((2, 3, 5), (2, 4), (4, 6))):
        H, W = (2 * p + k - 1 for p, k in zip(pooled, kernel, strict=True))
        yield {"dy": _random(rng, N, O, *pooled), "x": _tenths(rng, N, C, H, W),
               "W": _tenths(rng, O, C, *kernel), "b": rng.integers(5, 30, O) / 10}


def _block(back=None, mask=relu_prime, *, forward=conv2d, dW=None):
    """dW with another way back through the pool, another slope or another last step."""
    def function(dy, x, W, b):
        z = forward(x, W, b)
        da = back(dy, z) if back else max_pool2d_backward(dy, relu(z), 2)
        return dW(da * mask(z), x, W) if dW else conv2d_backward(da * mask(z), x, W)[1]
    return function


def _everywhere(dy, z):
    """Every cell of a window gets the window's whole blame."""
    return dy.repeat(2, axis=2).repeat(2, axis=3)


def _top_left(dy, z):
    da = np.zeros_like(z)
    da[:, :, ::2, ::2] = dy
    return da


def _largest_in_size(dy, z):
    return max_pool2d_backward(dy, np.abs(z), 2)


def _late_relu(dy, x, W, b):
    """The mask taken from the pooled values, before the pool is passed."""
    z = conv2d(x, W, b)
    return conv2d_backward(max_pool2d_backward(dy * (max_pool2d(z, 2) <= 0), z, 2), x, W)[1]


BLOCK = Exercise(
    "pytorch.block", "Back through a block", block_by_hand, _block(), _block_cases,
    mistakes=(
        Mistake("no ReLU", "The ReLU is left out on the way back: multiply by its slope at z. A window in "
                "which no z is positive sends nothing back.",
                _block(mask=np.ones_like)),
        Mistake("mean pool", "The blame is shared out over the window, as average pooling does. In "
                "max pooling the largest takes it all.",
                _block(lambda dy, z: avg_pool2d_backward(dy, relu(z), 2))),
        Mistake("everywhere", "Every cell of a window got the whole blame. Only the largest one is passed "
                "on, and so only it is to blame.",
                _block(_everywhere)),
        Mistake("first cell", "The blame went to the first cell of each window. It belongs to the largest.",
                _block(_top_left)),
        Mistake("largest in size", "The pool was taken over |z|. It saw the ReLU's output.",
                _block(_largest_in_size)),
        Mistake("no bias", "Forward is computed without b, so the ReLU and the pool chose other cells.",
                _block(forward=lambda x, W, b: conv2d(x, W))),
        Mistake("mask reversed", "The mask lets the blame pass where z is negative.",
                _block(mask=lambda z: 1 - relu_prime(z))),
        Mistake("mask after the pool, reversed", "The mask is taken from the pooled values, and reversed.",
                _late_relu),
        Mistake("a for the slope", "You multiplied by a = ReLU(z), not by its slope, which is 1 or 0.",
                _block(mask=relu)),
        Mistake("averaged", "This is the right dW divided by N. dy has the 1/m of the cost in it already.",
                lambda dy, x, W, b: _block()(dy, x, W, b) / len(x)),
        Mistake("turned kernel", "dW is turned by 180°. It is dx that wants the flipped kernel; dW is the "
                "correlation of x with dz as it is.",
                lambda dy, x, W, b: _block()(dy, x, W, b)[..., ::-1, ::-1]),
        Mistake("last image", "Only the last image counts: `=` for `+=`.",
                lambda dy, x, W, b: _block()(dy[-1:], x[-1:], W, b)),
        Mistake("first image", "Only the first image counts: the sum over the images is missing.",
                lambda dy, x, W, b: _block()(dy[:1], x[:1], W, b)),
    ),
    hints=("Forward is z = conv(x), a = ReLU(z), y = pool(a). Go back in the other order: what does each of "
           "the three need to know of its own input?",
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
        yield {"gradients": _random(rng, k, n), "sizes": rng.permutation(9)[:k] + 1.0}


HOLES = (
    Mistake("mean of means", "Mini-batches of one size hide that the sizes are not used.",
            wrong_accumulate),
    Mistake("last", "Gradients that are all alike hide that only the last one counts.",
            lambda gradients, sizes: gradients[-1].copy()),
    Mistake("first", "Gradients that are all alike hide that only the first one counts.",
            lambda gradients, sizes: gradients[0].copy()),
    Mistake("median", "Gradients that are all alike hide that this is their median.",
            lambda gradients, sizes: np.median(gradients, axis=0)),
    Mistake("largest", "Gradients that are all alike hide that this is the largest of each entry.",
            lambda gradients, sizes: gradients.max(axis=0)),
    Mistake("smallest", "Gradients that are all alike hide that this is the smallest of each entry.",
            lambda gradients, sizes: gradients.min(axis=0)),
    Mistake("no signs", "Gradients without a minus hide that signs are lost.",
            lambda gradients, sizes: _true_accumulate(np.abs(gradients), sizes)),
    Mistake("inverse weights", "Mini-batches of one size hide that the weights are turned over.",
            lambda gradients, sizes: _true_accumulate(gradients, 1 / sizes)),
    Mistake("sizes exchanged", "Mini-batches of one size hide that the sizes are in the wrong order.",
            lambda gradients, sizes: _true_accumulate(gradients, sizes[::-1])),
    Mistake("divided by the first size", "Mini-batches of one size hide that k times the first size stands "
            "for the number of samples.",
            lambda gradients, sizes: sizes @ gradients / (len(sizes) * sizes[0])),
    Mistake("halved sum", "Two mini-batches hide that the sum is divided by two, however many there are.",
            lambda gradients, sizes: gradients.sum(axis=0) / 2),
    Mistake("two at most", "Two mini-batches hide that a third one is never looked at.",
            lambda gradients, sizes: _true_accumulate(gradients[:2], sizes[:2])),
)


BREAK = break_it(
    "pytorch.break_it", "Break it: an accumulation that a weak test accepts",
    wrong_accumulate, _true_accumulate, _weak_and_honest, HOLES,
    hints=("What makes no difference when all mini-batches are of one size? When all gradients are the same? "
           "When there are two?",
           "With equal sizes, weights do not matter. With equal gradients, any one of them will do."))


EXERCISES = (ACCUMULATE, BLOCK, SWISH, BREAK)
