"""A right answer passes and a mistake is named however they are written.

The mistakes of helpers/exercises/questions/ are changes of the worked solution; people also come to them by
other ways: matrices for loops and loops for matrices, a convolution, a search, the chain rule entry by entry.
"""
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_exercises import EXERCISES
from test_in_torch import IN_TORCH
from torch.nn import functional as F

from helpers.exercises import break_it
from helpers.exercises.grading import compare, find, grade
from helpers.exercises.questions import network, pathologies, pytorch
from helpers.functional.convolution import conv2d, flip, spread
from helpers.functional.losses import softmax, squared_error

# --- 01 -----------------------------------------------------------------------------------------

def windows_of(dy, x, dilation):
    seen = np.lib.stride_tricks.sliding_window_view(x, dy.shape[2:], axis=(2, 3))
    return seen[:, :, ::dilation, ::dilation]


def correlated(dy, W, x_shape, stride, padding, *, zeros=0, margin=0, axis=None):
    """dx as a correlation of the spread dy with the flipped kernels."""
    (H, Wd), (kh, kw) = x_shape[2:], W.shape[2:]
    a, b = kh - 1 + margin, kw - 1 + margin
    wide = np.pad(spread(dy, stride + zeros), ((0, 0), (0, 0), (a, a), (b, b)))
    if axis is not None:
        wide, W = wide.sum(1, keepdims=True), W.sum(0, keepdims=True)
    near = np.pad(conv2d(wide, flip(W)), ((0, 0), (0, 0), (0, stride), (0, stride)))
    return near[:, :, padding:padding + H, padding:padding + Wd]


def without_padding(dy, W, x_shape, stride, padding):
    dx = np.zeros(x_shape)
    for n, o, c, p, q, u, v in np.ndindex(*dy.shape[:2], W.shape[1], *dy.shape[2:], *W.shape[2:]):
        i, j = p * stride + u, q * stride + v
        if i < x_shape[2] and j < x_shape[3]:
            dx[n, c, i, j] += dy[n, o, p, q] * W[o, c, u, v]
    return dx


# --- 02, 03 -------------------------------------------------------------------------------------

def searched(start, wins):
    """The largest of each window by a loop that begins at `start` and takes a pixel that `wins`."""
    def function(dy, x, kernel_size, stride):
        dx = np.zeros(x.shape)
        for n, c, p, q in np.ndindex(dy.shape):
            best, at = start, (p * stride, q * stride)
            for u, v in np.ndindex(kernel_size):
                i, j = p * stride + u, q * stride + v
                if wins(x[n, c, i, j], best):
                    best, at = x[n, c, i, j], (i, j)
            dx[n, c][at] += dy[n, c, p, q]
        return dx
    return function


def convolved(x, kernel_size, stride, padding):
    """Each entry of the window as a channel of its own, by a kernel with a single 1; then the maximum."""
    kh, kw = kernel_size
    taps = np.eye(kh * kw).reshape(kh * kw, 1, kh, kw)
    low = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=-1e9)
    channels = [conv2d(low[:, c:c + 1], taps, stride=stride).max(1) for c in range(x.shape[1])]
    return np.stack(channels, axis=1)


def gathered(dy, x_shape, kernel_size, stride):
    """Average pooling backward pixel by pixel: which windows stand over this one?"""
    dx, k = np.zeros(x_shape), kernel_size
    for (n, c, i, j), (p, q) in ((at, to) for at in np.ndindex(x_shape) for to in np.ndindex(dy.shape[2:])):
        if 0 <= i - p * stride < k and 0 <= j - q * stride < k:
            dx[n, c, i, j] += dy[n, c, p, q] / k**2
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


def softmax_by_rows(sent):
    """Softmax backward in a loop over rows; sent(da, J) is the line in its middle."""
    def function(da, a):
        return np.array([sent(d, np.diag(row) - np.outer(row, row)) for d, row in zip(da, a, strict=True)])
    return function


# --- 04 -----------------------------------------------------------------------------------------

def sigma(z):
    return 1 / (1 + np.exp(-z))


def slope(z):
    return 1 - np.tanh(z)**2


def one_hot(z, target):
    return np.eye(z.shape[1])[target]


def lessened_copy(z, target):
    p = softmax(z)
    for i, t in enumerate(target):
        p[[i]][0, t] -= 1
    return p / len(z)


def shifted(shift, *, added=0.0):
    """The gradient of the cross-entropy, with shift(z) subtracted from z."""
    def function(z, target):
        with np.errstate(all="ignore"):
            e = np.exp(z - shift(z))
            return (e / (e.sum(1, keepdims=True) + added) - one_hot(z, target)) / len(z)
    return function


unshifted = shifted(lambda z: 0)


def unshifted_logarithm(z, target):
    with np.errstate(all="ignore"):
        ln_p = z - np.log(np.exp(z).sum(1, keepdims=True))
        return (np.exp(ln_p) - one_hot(z, target)) / len(z)


def by_the_chain(z, target, *, least=0.0):
    """−y/p, sent back through softmax."""
    with np.errstate(all="ignore"):
        p = softmax(z)
        dp = -one_hot(z, target) / np.maximum(p, least) / len(z)
        return p * (dp - (dp * p).sum(1, keepdims=True))


def unit_by_unit(delta_next, W_next, z, way=1):
    """BP2 in loops; way is 1 for += and 0 for =."""
    delta = np.zeros(z.shape)
    for i, k, j in np.ndindex(*delta_next.shape, z.shape[1]):
        delta[i, j] = way * delta[i, j] + delta_next[i, k] * W_next[k, j]
    return delta * slope(z)


def sample_by_sample(delta, z_prev, way=1):
    """BP3 and BP4 in a loop over the batch; way is 1 for += and 0 for =."""
    both = np.zeros((delta.shape[1], z_prev.shape[1] + 1))
    for d, z in zip(delta, z_prev, strict=True):
        both = way * both + np.outer(d, [*sigma(z), 1])
    return both


def by_differences(z, y):
    delta, h = np.zeros(z.shape), 1e-4
    for at in np.ndindex(z.shape):
        nudge = np.zeros(z.shape)
        nudge[at] = h
        costs = [squared_error(sigma(z + n * nudge), y) for n in (2, 1, -1, -2)]
        delta[at] = np.dot([-1, 8, -8, 1], costs) / (12 * h)
    return delta


# --- 05 -----------------------------------------------------------------------------------------

def unrolled(W, dC0, eta, gamma, lam):
    """v is the difference of the last two W, and never kept."""
    before = W
    for t in range(len(eta)):
        W, before = W + gamma * (W - before) - eta[t] * (dC0[t].sum(0) / len(dC0[t]) + lam * W), W
    return W


def scaled_first(W, dC0, eta, gamma, lam):
    v = 0 * W
    for g, rate in zip(dC0.mean(axis=1), eta, strict=True):
        v = gamma * v + rate * g
        W = (1 - rate * lam) * W - v
    return W


def adam(W, dW, eta, betas, eps, lam, *, l2=False, late=False, kept=False):
    """Adam as others write it: the means by differences, the decay as a factor."""
    m, s = np.zeros(W.shape), np.zeros(W.shape)
    for t, g in enumerate(dW, start=1):
        g = g + l2 * lam * W
        m, s = m + (1 - betas[0]) * (g - m), s + (1 - betas[1]) * (g * g - s)
        m_hat, s_hat = m / (1 - betas[0]**t), s / (1 - betas[1]**t)
        m, s = (m_hat, s_hat) if kept else (m, s)
        step, factor = eta * m_hat / (eps + s_hat**0.5), 1 - eta * lam * (not l2)
        W = factor * (W - step) if late else factor * W - step
    return W


def sum_of_powers(W, dW, eta, betas, eps, lam):
    """The two means by weights that add up to 1: then nothing is left to correct."""
    for t in range(1, len(dW) + 1):
        m, s = (np.average(of[:t], axis=0, weights=β ** np.arange(t)[::-1])
                for of, β in ((dW, betas[0]), (dW**2, betas[1])))
        W = W - eta * (lam * W + m / (np.sqrt(s) + eps))
    return W


def rate_by_rate(eta, warmup, T_max, start, eta_min, *, early=0, delay=1, more=1):
    """A warm-up and a cosine in a loop."""
    def rate(t):
        if t < warmup:
            return start * eta + (t + early) / warmup * (eta - start * eta)
        return eta_min + (eta - eta_min) / 2 * (1 + math.cos(math.pi * (t - delay * warmup) / T_max))
    return np.array([rate(t) for t in range(warmup + T_max + more)])


def joined(eta, warmup, T_max, start, eta_min):
    """Two pieces by linspace, of which the first has its end as well."""
    angle = np.linspace(0, np.pi, T_max + 1)
    return np.concatenate([np.linspace(start * eta, eta, warmup),
                           eta_min + (eta - eta_min) * (1 + np.cos(angle)) / 2])


def cut(norm, *, always=False):
    """Clipping with an if."""
    def function(dW, db, most):
        both = np.hstack([dW, db[:, None]])
        length = norm(both)
        return both * most / (length + 1e-6) if always or length > most else both
    return function


# --- 06, 07 -------------------------------------------------------------------------------------

def kept(x, mean, var, momentum, *, ddof=1, share=None):
    """The running statistics in a loop over the channels."""
    share = momentum if share is None else share
    rows = [((1 - share) * m + share * c.mean(), (1 - share) * v + share * c.var(ddof=ddof))
            for c, m, v in zip(np.moveaxis(x, 1, 0), mean, var, strict=True)]
    return np.array(rows).T


def by_the_long_way(dy, x, weight, eps, *, through_mean=True, through_var=True):
    """Batch normalization through x̂, σ² and μ one after the other, as the paper has it."""
    n, mean, var = len(x), x.mean(0), x.var(0)
    dxhat = dy * weight
    dvar = (dxhat * (x - mean)).sum(0) * -0.5 * (var + eps)**-1.5
    dmean = -dxhat.sum(0) / np.sqrt(var + eps)
    return (dxhat / np.sqrt(var + eps) + through_var * dvar * 2 * (x - mean) / n
            + through_mean * dmean / n)


def skipping(dz, V, W, z0, *, skip=1.0, factor=slope):
    """Residual blocks, recursively."""
    if not len(V):
        return dz
    inner = z0 @ V[0].T
    above = skipping(dz, V[1:], W[1:], z0 + np.tanh(inner) @ W[0].T, skip=skip, factor=factor)
    return skip * above + (above @ W[0] * factor(inner)) @ V[0]


def in_a_loop(gradients, sizes, *, way=1.0):
    """Add up mini-batch by mini-batch; way is 1 for += and 0 for =."""
    total = np.zeros(gradients.shape[1])
    for g, size in zip(gradients, sizes, strict=True):
        total = way * total + size * g
    return total / sizes.sum()


def swish_by_autograd(Function):
    """Backward runs the forward once more, and asks autograd."""
    class Swish(Function):
        @staticmethod
        def forward(ctx, x, beta):
            ctx.save_for_backward(x, beta)
            return torch.nn.functional.silu(beta * x) / beta

        @staticmethod
        def backward(ctx, dy):
            with torch.enable_grad():
                given = [t.detach().requires_grad_() for t in ctx.saved_tensors]
                y = given[0] / (1 + torch.exp(-given[1] * given[0]))
            return torch.autograd.grad(y, given, dy)
    return Swish


def saving(y):
    """A forward that saves both and returns y(x, beta)."""
    return lambda ctx, x, beta: (ctx.save_for_backward(x, beta), y(x, beta))[1]


def swish_with(backward, forward=None):
    """A maker whose class has this backward(dy, x, beta)."""
    forward = forward or saving(lambda x, beta: x / (1 + (-beta * x).exp()))
    return lambda Function: type("Swish", (Function,), {
        "forward": staticmethod(forward),
        "backward": staticmethod(lambda ctx, dy: backward(dy, *ctx.saved_tensors))})


def slopes(dy, x, beta):
    s = (beta * x).sigmoid()
    return dy * (s + beta * x * s * (1 - s)), dy * x**2 * s * (1 - s)


@pytest.mark.parametrize("name, function", [
    ("convolution.size", lambda n, k, s, p, d: len(range(0, n + 2 * p - d * (k - 1), s))),
    ("convolution.db", lambda dy: np.einsum("nopq->o", dy)),
    ("convolution.dW", lambda dy, x, d: np.einsum("nopq,ncuvpq->ocuv", dy, windows_of(dy, x, d))),
    ("convolution.dx", correlated),
    ("pooling.max", convolved), ("pooling.avg", gathered), ("pooling.count", over_real_pixels),
    ("pooling.max_backward", searched(-np.inf, np.greater)),
    ("matrices.batch", lambda dY, X: dY.T @ X),
    ("matrices.rank3", lambda W, x: np.einsum("ik,j->ikj", np.eye(len(W)), x)),
    ("matrices.softmax", softmax_by_rows(lambda da, J: da @ J)),
    ("matrices.trace", lambda X, W: (lambda A: (A + A.T) @ W)(X.T @ (X @ W @ W.T - X))),
    ("network.delta_output", by_differences),
    ("network.delta_output", lambda z, y: (sigma(z) - y) * np.exp(-z) * sigma(z)**2 / len(z)),
    ("network.delta_hidden", lambda d, W, z: (W.T @ d.T * slope(z).T).T),
    ("network.delta_hidden", unit_by_unit), ("network.dW", sample_by_sample),
    ("network.cross_entropy", lambda z, target: by_the_chain(z, target, least=1e-12)),
    ("network.cross_entropy", shifted(lambda z: z.max(1, keepdims=True), added=1e-12)),
    ("steps.clip", cut(np.linalg.norm)), ("steps.warmup_cosine", rate_by_rate),
    ("optimizers.momentum", unrolled), ("optimizers.adamw", sum_of_powers), ("optimizers.adamw", adam),
    ("pathologies.chi", lambda z, s: np.mean((s / np.cosh(z)**2)**2)), ("pathologies.running", kept),
    ("pathologies.batch_norm", by_the_long_way), ("pathologies.residual", skipping),
    ("pytorch.accumulate", in_a_loop), ("pytorch.swish", swish_by_autograd),
    ("pytorch.swish", swish_with(slopes)),      # torch itself adds up what is too large for β
    ("pytorch.swish", pytorch.swish_function(torch.autograd.Function)),     # the class itself
    ("pytorch.block", lambda *given: IN_TORCH["pytorch.block"](*map(torch.tensor, given)).numpy()),
])
def test_other_right_ways_pass(name, function):
    assert grade(name, function).passed


@pytest.mark.parametrize("name, function, mistake", [
    ("convolution.size", lambda n, k, s, p, d: (n + 2 * p - d * k + 1) // s + 1, "dilation times k, less 1"),
    ("convolution.dW", lambda dy, x, d: np.einsum("nopq,mcuvpq->ocuv", dy, windows_of(dy, x, d)),
     "batch crossed"),
    ("convolution.dx", lambda *given: correlated(*given, zeros=1), "spread too far"),
    ("convolution.dx", lambda *given: correlated(*given, margin=1), "margin too wide"),
    ("convolution.dx", lambda *given: correlated(*given, axis=1), "filters crossed"),
    ("convolution.dx", without_padding, "cut at one end"),
    ("pooling.max_backward", searched(-np.inf, np.greater_equal), "last of the ties"),
    ("pooling.max_backward", searched(0, np.greater), "zero start"),
    ("pooling.count", lambda *given: over_real_pixels(*given, count=np.size), "padding counted"),
    ("pooling.count", lambda *given: over_real_pixels(*given, way=0), "= for +="),
    ("matrices.rank3", lambda W, x: np.einsum("ik,kj->ikj", np.eye(len(W)), W), "W for x"),
    ("matrices.rank3", lambda W, x: np.einsum("ik,j->ijk", np.eye(len(W)), x), "W's axes swapped"),
    ("matrices.batch", lambda dY, X: np.einsum("ni,mj->ij", dY, X), "batch crossed"),
    ("matrices.softmax", softmax_by_rows(lambda da, J: da * np.diag(J)), "diagonal only"),
    ("matrices.softmax", softmax_by_rows(lambda da, J: J.sum(0).round(9)), "ones upstream"),
    ("matrices.trace", lambda X, W: 2 * X.T @ X @ W @ W.T @ W - 2 * X.T @ X @ W, "twice the first"),
    ("network.delta_output", lambda z, y: np.mean((sigma(z) - y) * sigma(z) * sigma(-z), 0), "samples added"),
    ("network.delta_output", lambda z, y: 2 / y.size * (sigma(z) - y) * sigma(z) * sigma(-z), "MSELoss"),
    ("network.delta_hidden", lambda d, W, z: unit_by_unit(d, W, z, 0), "= for +="),
    ("network.delta_hidden", lambda d, W, z: (W.T @ d.T).T, "no σ′"),
    ("network.delta_hidden", lambda d, W, z: np.einsum("ik,hj->ij", d, W) * slope(z), "summed apart"),
    ("network.dW", lambda d, z: sample_by_sample(d, z, 0), "last sample"),
    ("network.dW", lambda d, z: np.vstack([sigma(z).T @ d, d.sum(0)]), "reversed"),
    ("network.dW", lambda d, z: np.column_stack([d.T @ sigma(z), d.mean(0)]), "db averaged"),
    ("network.cross_entropy", lessened_copy, "no one-hot"),
    ("network.cross_entropy", unshifted, "overflow"),
    ("network.cross_entropy", lambda z, target: unshifted(z.astype(np.longdouble), target).astype(float),
     "overflow"),
    ("network.cross_entropy", shifted(lambda z: 0, added=1e-8), "overflow"),
    ("network.cross_entropy", shifted(lambda z: z.min(1, keepdims=True)), "overflow"),
    ("network.cross_entropy", shifted(lambda z: z.mean(1, keepdims=True)), "overflow"),
    ("network.cross_entropy", shifted(lambda z: np.abs(z).max(1, keepdims=True)), "overflow"),
    ("network.cross_entropy", unshifted_logarithm, "overflow"),
    ("network.cross_entropy", by_the_chain, "overflow"),
    ("network.cross_entropy", lambda *given: np.nan_to_num(unshifted(*given)), "overflow"),
    ("network.cross_entropy", shifted(np.max), "one shift for all"),
    ("network.cross_entropy", shifted(lambda z: z - np.clip(z, -700, 700)), "clipped"),
    ("network.cross_entropy", shifted(lambda z: z.max(1, keepdims=True), added=1e-7), "small number added"),
    ("steps.clip", cut(lambda g: abs(g).max()), "largest entry"),
    ("steps.clip", cut(lambda g: np.linalg.norm(g, np.inf)), None),
    ("steps.clip", cut(np.linalg.norm, always=True), "always max_norm"),
    ("steps.warmup_cosine", lambda *given: rate_by_rate(*given, delay=0), "cosine does not wait"),
    ("steps.warmup_cosine", lambda *given: rate_by_rate(*given, early=1), "warm-up one step early"),
    ("steps.warmup_cosine", joined, "warm-up too steep"),
    ("optimizers.momentum", scaled_first, "decay after momentum"),
    ("optimizers.adamw", lambda *given: adam(*given, l2=True), "L2"),
    ("optimizers.adamw", lambda *given: adam(*given, late=True), "decay after the step"),
    ("optimizers.adamw", lambda *given: adam(*given, kept=True), "correction kept"),
    ("pathologies.chi", lambda z, s: (s * np.mean(1 / np.cosh(z)**2))**2, "square of the mean"),
    ("pathologies.chi", lambda z, s: np.linalg.norm(s * slope(z))**2, "sum for mean"),
    ("pathologies.running", lambda *given: kept(*given, ddof=0, share=1 - given[-1]), "biased, reversed"),
    ("pathologies.running", lambda *given: kept(*given, share=1.0), "no memory"),
    ("pathologies.batch_norm", lambda *given: by_the_long_way(*given, through_mean=False), "no mean term"),
    ("pathologies.batch_norm", lambda *given: by_the_long_way(*given, through_var=False), "no variance term"),
    ("pathologies.residual", lambda *given: skipping(*given, skip=0.0), "no identity"),
    ("pathologies.residual", lambda *given: skipping(*given, factor=lambda u: slope(np.tanh(u))), "σ′ at a"),
    ("pytorch.accumulate", lambda g, n: in_a_loop(g, n, way=0.0) * n.sum() / n[-1], "last"),
    ("pytorch.swish", swish_with(lambda dy, x, beta: slopes(dy, x, torch.ones(())),
                                 saving(lambda x, beta: F.silu(x))), "β fixed at 1"),
    ("pytorch.block", lambda *given: np.flip(pytorch.block_by_hand(*given), (2, 3)), "turned kernel"),
])
def test_a_mistake_is_named_however_it_is_written(name, function, mistake):
    verdict = grade(name, function)
    assert verdict.mistake == mistake and not verdict.passed, verdict
    known = {m.name: m.sentence for m in find(name).mistakes}
    assert mistake is None or verdict.sentence == known[mistake]


# --- what single exercises say beyond the names ---------------------------------------------------

@pytest.mark.parametrize("function, mistake, second", [
    (lambda *given: len(given[0]) * unshifted(*given), "m forgotten", "This is the right "),
    (lambda *given: -unshifted(*given), "sign", "The sign is wrong."),
    (lambda *given: 3 * unshifted(*given), None, "It is right but for a factor of 3."),
])
def test_overflow_beside_another_mistake_is_said_with_it(function, mistake, second):
    verdict = grade("network.cross_entropy", function)
    said = "Two things are wrong. First, it holds NaN or infinity where z is large. Second: "
    assert verdict.mistake == mistake and verdict.sentence.startswith(said + second), verdict


def test_an_overflow_is_shown_on_the_input_that_made_it():
    lines = grade("network.cross_entropy", unshifted).evidence.splitlines()
    assert "20000" in lines[1] and any("nan" in line for line in lines)


def unpowered(W, dW, *rest):
    return adam(W, dW, *rest) if len(dW) == 1 else np.full(W.shape, np.nan)


@pytest.mark.parametrize("name, function, said", [
    ("optimizers.adamw", unpowered, "Right on 1 of 8 inputs. On the first of the others your"),
    ("optimizers.adamw", lambda *given: adam(*given).astype("float32"), "It returned numbers of float32;"),
    ("network.cross_entropy", lambda *given: network.dz_by_hand(*given).astype("float32"),
     "It returned numbers of float32; expected float64."),
    ("pathologies.residual", lambda dz, V, W, z0: np.multiply(dz, 2, out=dz), "It changes its argument `dz`"),
    ("pathologies.break_it", lambda *given: pathologies.dx_by_hand(*given)[:4, :1], break_it.SHAPE),
])
def test_what_else_is_wrong_is_said(name, function, said):
    verdict = grade(name, function)
    assert verdict.sentence.startswith(said) and not verdict.passed, verdict


@pytest.mark.parametrize("name, function, mistake", [
    ("delta_hidden", lambda d, W, z: d @ W.T * slope(z), "transposed"),
    ("delta_hidden", lambda d, W, z: (d * slope(z)) @ W, "σ′ before W"),
    ("dW", lambda d, z: np.column_stack([d.T @ sigma(z), d.sum(axis=1)]), "db over the wrong axis"),
])
def test_what_runs_on_squares_only_is_an_error_and_has_a_name_until_then(name, function, mistake):
    exercise, answers = find(f"network.{name}"), []
    said = grade(exercise.name, function).sentence
    known = {m.name: m.sentence for m in exercise.mistakes}
    assert said.startswith("ValueError in line")
    assert f" On the inputs before it, this fits: {known[mistake]}" in said
    with pytest.raises(ValueError):
        for case in exercise.inputs():
            answers.append(function(*case.values()))
    early = replace(exercise, cases=lambda rng: exercise.inputs()[:len(answers)])
    assert compare(early, answers).mistake == mistake


@pytest.mark.parametrize("function, said", [
    (swish_with(lambda *given: slopes(*given)[0]), "an incorrect number of gradients (expected 2, got 1)"),
    (swish_with(lambda *given: slopes(*given)[::-1]), "y is right. dx is wrong. dbeta: dβ has"),
    (swish_with(lambda *given: (slopes(*given)[1].sum(), slopes(*given)[0])), "returned an invalid gradient"),
    (lambda Function: None if Function else 0, "a class that inherits from Function, got None; is the"),
    (swish_with(slopes, lambda ctx, x, beta: x), "missing 2 required positional arguments"),
    (swish_with(slopes, saving(lambda x, beta: x.sum())), "dy: got shape"),
    (swish_with(slopes, lambda ctx, x, beta: x.detach().numpy()), "torch.float64"),
])
def test_what_is_no_function_of_torchs_is_one_sentence(function, said):
    verdict = grade("pytorch.swish", function)
    assert not verdict.passed and said in verdict.sentence, verdict.sentence
    assert "Traceback" not in repr(verdict)


def test_a_gradient_that_torch_adds_up_is_right_and_told_so():
    def unsummed(dy, x, beta):
        s = (beta * x).sigmoid()
        return dy * (s + beta * x * s * (1 - s)), dy * x**2 * s * (1 - s)
    with pytest.warns(UserWarning, match="torch adds it up, without a word"):
        assert grade("pytorch.swish", swish_with(unsummed)).passed


def test_another_global_generator_makes_no_difference(monkeypatch):
    def replaced(*_):
        raise AssertionError("the learner's own generator is asked")
    monkeypatch.setattr(np.random, "default_rng", replaced)
    for exercise in EXERCISES:
        assert grade(exercise.name, exercise.solution).passed
        assert all(not grade(exercise.name, m.function).passed for m in exercise.mistakes[:4])
