"""The exercises of notebooks/06_gradient_pathologies.ipynb: questions, worked solutions, usual mistakes.

Each truth is put together from helpers that have a proof of their own;
tests/exercises/test_exercises_pathologies.py compares it with autograd once more.
"""
import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.grading import Exercise, Mistake
from helpers.functional.activations import sigmoid_prime, tanh, tanh_prime
from helpers.functional.linear import linear, linear_backward
from helpers.functional.normalization import batch_norm_backward, running_statistics


def _random(rng, *shape, most=29):
    """Whole numbers, easy to read; none is zero."""
    return rng.integers(1, most + 1, shape) * rng.choice([-1.0, 1.0], shape)


def _tenths(rng, *shape):
    """Tenths of both signs, none zero, so small that no activation is saturated."""
    return _random(rng, *shape, most=20) / 10


# --- the factor of one layer ------------------------------------------------------------------

def chi_by_hand(z, sigma_w):
    """The factor of the squared blame in a layer of tanh, from its samples.

    z (m, n), n weighted sums of m samples; the variance of one weight is
    σ_w²/n → χ, a number.
    """
    slope = 1 - np.tanh(z)**2
    return sigma_w**2 * np.mean(slope**2)


def _chi_cases(rng):
    for (m, n), sigma_w in (((1, 1), 2.0), ((1, 2), 0.5), ((2, 2), 3.0), ((2, 3), 1.5), ((4, 3), 1.25)):
        yield {"z": _tenths(rng, m, n), "sigma_w": sigma_w}


def _true_chi(z, sigma_w):
    return sigma_w**2 * (tanh_prime(z)**2).mean()


CHI = Exercise(
    "pathologies.chi", "The factor of one layer", chi_by_hand, _true_chi, _chi_cases,
    mistakes=(
        Mistake("σ_w for σ_w²", "σ_w is not squared. χ is the factor of ‖δ‖², and the variance of a weight "
                "is σ_w²/n.",
                lambda z, s: s * (tanh_prime(z)**2).mean()),
        Mistake("square of the mean", "This is the square of the mean slope. χ holds the mean of the squared "
                "slopes, which is larger: square first, then average.",
                lambda z, s: s**2 * tanh_prime(z).mean()**2),
        Mistake("slope not squared", "The slopes are averaged as they are. δ is multiplied by the slope, so "
                "δ² is multiplied by its square.",
                lambda z, s: s**2 * tanh_prime(z).mean()),
        Mistake("nothing squared", "Neither σ_w nor the slope is squared. χ is the factor of ‖δ‖², so both "
                "are.",
                lambda z, s: s * tanh_prime(z).mean()),
        Mistake("root", "This is √χ, the factor of ‖δ‖. χ is that of ‖δ‖².",
                lambda z, s: np.sqrt(_true_chi(z, s))),
        Mistake("length map", "This is the length map: it has σ, and says how long z is in the next layer. "
                "Blame meets σ′.",
                lambda z, s: s**2 * (tanh(z)**2).mean()),
        Mistake("σ′ at a", "σ′ is taken at a = tanh(z). Its slope is wanted at z; with a at hand it is 1 − "
                "a².",
                lambda z, s: s**2 * (tanh_prime(tanh(z))**2).mean()),
        Mistake("sum for mean", "You added the squares up. E[σ′(z)²] is their mean: the n neurons that are "
                "added are made up for by the n in σ_w²/n.",
                lambda z, s: s**2 * (tanh_prime(z)**2).sum()),
        Mistake("divided by n", "This is the right χ divided by n. The variance σ_w²/n has been used up: n "
                "neurons were added.",
                lambda z, s: _true_chi(z, s) / z.shape[1]),
        Mistake("no σ_w", "σ_w is not in it. The weights multiply the blame as much as the slopes do.",
                lambda z, s: (tanh_prime(z)**2).mean()),
        Mistake("one for each neuron", "This is a number for each neuron. The mean runs over samples and "
                "neurons alike.",
                lambda z, s: s**2 * (tanh_prime(z)**2).mean(axis=0)),
        Mistake("sigmoid′", "This is the slope of the sigmoid. tanh has 1 − tanh²(z).",
                lambda z, s: s**2 * (sigmoid_prime(z)**2).mean()),
        Mistake("1 − z²", "σ′ is written as 1 − z². It is 1 − tanh²(z).",
                lambda z, s: s**2 * ((1 - z**2)**2).mean()),
    ),
    hints=("χ = σ_w²·E[σ′(z)²]. The expectation is over all that z may be; you have m·n examples of it.",
           "First the slope of every entry, 1 − tanh²(z). Then the square of each. Then the mean of all."))


# --- running statistics -----------------------------------------------------------------------

def running_by_hand(x, running_mean, running_var, momentum):
    """The running statistics of batch normalization after one more batch.

    x (N, C, H, W), running_mean (C,), running_var (C,); momentum as in
    torch → the new mean and variance, [mean, var] (2, C).
    """
    n = x.size // x.shape[1]                  # values in each channel
    mean = x.mean(axis=(0, 2, 3))
    var = x.var(axis=(0, 2, 3)) * n / (n - 1)
    old, new = np.stack([running_mean, running_var]), np.stack([mean, var])
    return (1 - momentum) * old + momentum * new


def _running_cases(rng):
    for shape, momentum in (((2, 1, 1, 2), 0.1), ((2, 2, 2, 2), 0.2), ((3, 2, 1, 3), 0.1),
                            ((2, 3, 2, 2), 0.7), ((3, 2, 4, 5), 0.3)):
        C = shape[1]
        yield {"x": _random(rng, *shape), "running_mean": _random(rng, C),
               "running_var": np.abs(_random(rng, C, most=99)), "momentum": momentum}


def _true_running(x, mean, var, momentum):
    return np.stack(running_statistics(x, mean, var, momentum=momentum))


ALL_BUT_CHANNELS = 0, 2, 3


def _blend(statistics):
    """The blend of old and new, with a pair (mean, var) of statistics(x) for the new ones."""
    def function(x, mean, var, momentum):
        return (1 - momentum) * np.stack([mean, var]) + momentum * np.stack(statistics(x))
    return function


def _unbiased(x, n=None, axis=ALL_BUT_CHANNELS):
    """The variance of each channel with n − 1, of n values, or as if there were n."""
    n = n or x.size // x.shape[1]
    return x.var(axis=axis) * n / (n - 1)


def _mean(x):
    return x.mean(axis=ALL_BUT_CHANNELS)


RUNNING = Exercise(
    "pathologies.running", "Running statistics", running_by_hand, _true_running, _running_cases,
    mistakes=(
        Mistake("biased", "The running variance is the biased one, which divides by n. torch normalizes with "
                "that, but keeps the unbiased one, with n − 1.",
                _blend(lambda x: (_mean(x), x.var(axis=ALL_BUT_CHANNELS)))),
        Mistake("N for n", "The correction N/(N − 1) counts images. In a channel there are n = N·H·W values.",
                _blend(lambda x: (_mean(x), _unbiased(x, len(x))))),
        Mistake("momentum reversed", "momentum stands on the wrong side. In torch it says how much the new "
                "batch counts, not how much of the old stays.",
                lambda x, mean, var, momentum: _true_running(x, mean, var, 1 - momentum)),
        Mistake("biased, reversed", "Two things are wrong: momentum says how much the new batch counts, and "
                "the variance that is kept divides by n − 1.",
                lambda x, mean, var, momentum: _blend(
                    lambda x: (_mean(x), x.var(axis=ALL_BUT_CHANNELS)))(x, mean, var, 1 - momentum)),
        Mistake("standard deviation", "You kept the standard deviation. It is the variance that is kept; the "
                "root is taken when it is used, after ε was added.",
                _blend(lambda x: (_mean(x), np.sqrt(_unbiased(x))))),
        Mistake("no memory", "These are the statistics of this batch alone. The old ones fade, they do not "
                "vanish: (1 − momentum) of them stays.",
                lambda x, mean, var, momentum: np.stack([_mean(x), _unbiased(x)])),
        Mistake("old kept whole", "The old statistics stay whole, and the new are added. Take away as much "
                "as you add: the shares 1 − momentum and momentum make 1.",
                lambda x, mean, var, momentum: np.stack([mean, var]) + momentum * np.stack(
                    [_mean(x), _unbiased(x)])),
        Mistake("mean of squares", "This is the mean of x², not the variance: the mean has not been taken "
                "away.",
                _blend(lambda x: (_mean(x), (x**2).mean(axis=ALL_BUT_CHANNELS)))),
        Mistake("around the old mean", "The variance is taken around the running mean. It belongs around the "
                "mean of this batch.",
                lambda x, mean, var, momentum: _blend(lambda x: (_mean(x), (
                    (x - mean[:, None, None])**2).mean(axis=ALL_BUT_CHANNELS)))(x, mean, var, momentum)),
        Mistake("within images", "You averaged the variances of the single images. What differs from image "
                "to image belongs to it too: one variance over N, H and W together.",
                _blend(lambda x: (_mean(x), _unbiased(x, x[0, 0].size, (2, 3)).mean(axis=0)
                                  if x[0, 0].size > 1 else _mean(x)))),
        Mistake("all channels together", "You averaged over the channels too. Each channel has its own mean "
                "and variance.",
                _blend(lambda x: (np.full(x.shape[1], x.mean()),
                                  np.full(x.shape[1], x.var(ddof=1))))),
        Mistake("rows exchanged", "The numbers are right, but the variance stands in the first row.",
                lambda *given: _true_running(*given)[::-1]),
    ),
    hints=("How many values does one channel of x hold? They have one mean and one variance, together.",
           "Mean and variance over the axes 0, 2 and 3; the variance times n/(n − 1). The new batch counts "
           "with momentum, the old statistics with 1 − momentum."))


# --- batch normalization backward -------------------------------------------------------------

def dx_by_hand(dy, x, weight, eps):
    """Batch normalization in training, backward: the blame of x.

    dy (m, n), x (m, n), m samples of n units; weight (n,); eps a number
    → dx (m, n).
    """
    mean, var = x.mean(axis=0), x.var(axis=0)
    scale = 1 / np.sqrt(var + eps)
    xhat = (x - mean) * scale
    rest = dy - dy.mean(axis=0) - xhat * (dy * xhat).mean(axis=0)
    return weight * scale * rest


def _dx_cases(rng):
    for N, C, eps in ((2, 1, 1.0), (3, 1, 0.5), (2, 2, 0.1), (3, 3, 2.0), (4, 2, 0.1), (5, 3, 0.5)):
        yield {"dy": _random(rng, N, C), "x": _tenths(rng, N, C), "weight": _tenths(rng, C), "eps": eps}


def _true_dx(dy, x, weight, eps):
    return batch_norm_backward(dy, x, weight=weight, training=True, eps=eps)[0]


def _dx(mean_term=1.0, variance_term=1.0, *, axis=0, ddof=0, scale=None, xhat=None, back=None,
        average=np.mean):
    """A wrong dx: each argument takes the place of one piece of the right one."""
    def function(dy, x, weight, eps):
        mean, var = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True, ddof=ddof)
        s = scale(var, eps) if scale else 1 / np.sqrt(var + eps)
        h = xhat(x, mean, s) if xhat else (x - mean) * s
        b = back(h, x, mean) if back else h
        through = mean_term * average(dy, axis=axis, keepdims=True)
        return weight * s * (dy - through - variance_term * b * average(dy * h, axis=axis, keepdims=True))
    return function


BACKWARD = Exercise(
    "pathologies.batch_norm", "Batch normalization, backward", dx_by_hand, _true_dx, _dx_cases,
    mistakes=(
        Mistake("no mean term", "The way through the mean is missing. Every x moves the mean, which is taken "
                "from all: subtract the mean of dy.",
                _dx(mean_term=0)),
        Mistake("no variance term", "The way through the variance is missing. Every x moves the variance, by "
                "which all are divided: subtract x̂ times the mean of dy·x̂.",
                _dx(variance_term=0)),
        Mistake("constants", "The mean and the variance are treated as constants. That is right in use, not "
                "in training: there every x moves both, and two terms are missing.",
                _dx(0, 0)),
        Mistake("m − 1", "The variance divides by m − 1. For normalizing it divides by m; only the running "
                "variance has m − 1.",
                _dx(ddof=1)),
        Mistake("sums for means", "The sums of dy and of dy·x̂ are not divided by m. One x moves the mean by "
                "1/m of itself.",
                _dx(average=np.sum)),
        Mistake("no weight", "The weight is missing: y = weight·x̂ + bias, so blame meets it on the way "
                "back.",
                lambda dy, x, weight, eps: _true_dx(dy, x, np.ones_like(weight), eps)),
        Mistake("weight twice", "The weight is in it twice.",
                lambda dy, x, weight, eps: weight * _true_dx(dy, x, weight, eps)),
        Mistake("no scale", "The division by √(v + ε), v the variance, is missing: this is as if x̂ were "
                "x less its mean, as far as the last step goes.",
                lambda dy, x, weight, eps: _true_dx(dy, x, weight, eps) * np.sqrt(x.var(0) + eps)),
        Mistake("no root", "You divided by v + ε, without the root.",
                _dx(scale=lambda var, eps: 1 / (var + eps))),
        Mistake("ε outside", "ε stands outside the root, √v + ε. It belongs inside, √(v + ε).",
                _dx(scale=lambda var, eps: 1 / (np.sqrt(var) + eps))),
        Mistake("ε left out", "ε is missing: forward divides by √(v + ε).",
                _dx(scale=lambda var, eps: 1 / np.sqrt(var))),
        Mistake("no x̂ outside", "The mean of dy·x̂ is subtracted as it is. It belongs times x̂: those far "
                "from the mean move the variance most.",
                _dx(back=lambda h, x, mean: 1.0)),
        Mistake("x for x̂", "x stands where x̂ should, twice. It is x̂ that the weight met.",
                _dx(xhat=lambda x, mean, s: x)),
        Mistake("x − μ for x̂", "x − μ stands where x̂ should. It still has to be divided by √(v + ε).",
                _dx(xhat=lambda x, mean, s: x - mean)),
        Mistake("not centred", "x̂ lacks the subtraction of the mean.",
                _dx(xhat=lambda x, mean, s: x * s)),
        Mistake("signs", "Both terms are added. What goes through the mean and the variance works against "
                "the direct way: subtract them.",
                _dx(-1, -1)),
        Mistake("wrong axis", "Mean and variance run along a row, over the features of one sample. That is "
                "layer normalization. Here axis 0, the batch, is averaged.",
                _dx(axis=1)),
        Mistake("whole batch", "One mean and one variance for all units. Each unit has its own: "
                "`axis=0`.",
                _dx(axis=(0, 1))),
    ),
    hints=("x reaches y on three ways: by itself, through the mean μ and through the variance v. First the "
           "blame of x̂, which is dy·weight. Then each way.",
           "dx = weight/√(v + ε) · (dy − mean of dy − x̂ · mean of dy·x̂), the means over the batch."))


# --- residual blocks --------------------------------------------------------------------------

def blame_by_hand(dz, V, W, z0):
    """The blame of z0 below residual blocks, z ← z + tanh(z Vᵀ) Wᵀ.

    dz (m, n), the blame of the last z; V (L, k, n) and W (L, n, k), a pair
    for each block; z0 (m, n) → the blame of z0 (m, n).
    """
    z, a = z0, []
    for l in range(len(V)):
        a.append(np.tanh(z @ V[l].T))
        z = z + a[l] @ W[l].T
    for l in reversed(range(len(V))):
        dz = dz + (dz @ W[l] * (1 - a[l]**2)) @ V[l]
    return dz


def _residual_cases(rng):
    for L, m, n, k in ((2, 1, 1, 1), (1, 1, 2, 2), (2, 2, 2, 2), (2, 1, 3, 2), (3, 2, 3, 3), (2, 5, 4, 3)):
        yield {"dz": _random(rng, m, n), "V": _tenths(rng, L, k, n) / 2, "W": _tenths(rng, L, n, k) / 2,
               "z0": _tenths(rng, m, n)}


def _inside(z, V, W):
    """z of every block, the first included, and what stands inside its tanh."""
    zs, inner = [z], []
    for V_l, W_l in zip(V, W, strict=True):
        inner.append(linear(zs[-1], V_l))
        zs.append(zs[-1] + linear(tanh(inner[-1]), W_l))
    return zs, inner


def _through(dz, V, W, u):
    """The blame that goes through F alone, tanh at u."""
    da = linear_backward(dz, tanh(u), W)[0]
    return linear_backward(da * tanh_prime(u), np.zeros((len(u), V.shape[1])), V)[0]


def _blame(step, *, order=reversed, forward=_inside):
    """The blame of z0, with step(dz, through) in every block; through(dz) goes through F alone."""
    def function(dz, V, W, z0):
        inner = forward(z0, V, W)[1]
        for l in order(range(len(V))):
            dz = step(dz, lambda d, l=l: _through(d, V[l], W[l], inner[l]))
        return dz
    return function


_true_residual = _blame(lambda dz, through: dz + through(dz))


def _plain_forward(z, V, W):
    """Forward with the identity forgotten."""
    zs, inner = [z], []
    for V_l, W_l in zip(V, W, strict=True):
        inner.append(linear(zs[-1], V_l))
        zs.append(linear(tanh(inner[-1]), W_l))
    return zs, inner


def _after(z, V, W):
    """What would stand inside tanh, had each block its own output for an input."""
    zs, _ = _inside(z, V, W)
    return zs, [linear(z, V_l) for z, V_l in zip(zs[1:], V, strict=True)]


def _at_start(z, V, W):
    return [z], [linear(z, V_l) for V_l in V]


def _all_from_the_top(dz, V, W, z0):
    """dz and what each block returns of it, as if no block stood above another."""
    inner = _inside(z0, V, W)[1]
    return dz + sum(_through(dz, V[l], W[l], inner[l]) for l in range(len(V)))


def _slopes(slope):
    """The right way back with slope(u) in the place of tanh′(u)."""
    def function(dz, V, W, z0):
        inner = _inside(z0, V, W)[1]
        for l in reversed(range(len(V))):
            dz = dz + (dz @ W[l] * slope(inner[l])) @ V[l]
        return dz
    return function


RESIDUAL = Exercise(
    "pathologies.residual", "Blame through residual blocks", blame_by_hand, _true_residual, _residual_cases,
    mistakes=(
        Mistake("no identity", "The identity is missing: this is the blame that goes through F. In z + F(z) "
                "a part goes past F unchanged: add dz.",
                _blame(lambda dz, through: through(dz))),
        Mistake("identity alone", "Only the direct way is there, and dz comes back as it was. z reaches the "
                "next z through F as well.",
                lambda dz, V, W, z0: dz.copy()),
        Mistake("identity once", "The identity is added once, at the end. Every block has its own: the "
                "factors are 1 + ∂F, and they are multiplied.",
                lambda dz, V, W, z0: dz + _blame(lambda dz, through: through(dz))(dz, V, W, z0)),
        Mistake("sum for product", "The blocks are added up, each with the blame of the last z. A lower "
                "block gets what the blocks above it have made of that: update dz in the loop.",
                _all_from_the_top),
        Mistake("forward without identity", "Backward is right, but forward left out the identity, and so "
                "the slopes are those of another network: z + F(z).",
                _blame(lambda dz, through: dz + through(dz), forward=_plain_forward)),
        Mistake("wrong order", "The blocks are passed first to last. Blame meets the last block first.",
                _blame(lambda dz, through: dz + through(dz), order=iter)),
        Mistake("slope of the output", "tanh′ is taken at the block's output. The block used tanh at its "
                "input.",
                _blame(lambda dz, through: dz + through(dz), forward=_after)),
        Mistake("slope at z0", "Every block has the slopes at z0. Each needs those of its own input.",
                _blame(lambda dz, through: dz + through(dz), forward=_at_start)),
        Mistake("no σ′", "tanh′ is missing between W and V.",
                _slopes(np.ones_like)),
        Mistake("σ′ at a", "tanh′ is taken at a. With a = tanh(z Vᵀ) at hand, the slope is 1 − a².",
                _slopes(lambda u: tanh_prime(tanh(u)))),
        Mistake("1 − a", "The square is missing: tanh′ is 1 − a², here it is 1 − a.",
                _slopes(lambda u: 1 - tanh(u))),
        Mistake("last block", "Only the last block is there: the blame has to go through all of them.",
                lambda dz, V, W, z0: dz + _through(dz, V[-1], W[-1], _inside(z0, V, W)[1][-1])),
        Mistake("halved", "Each block halves: this is the mean of the two ways. Blame that comes on two ways "
                "is added.",
                _blame(lambda dz, through: (dz + through(dz)) / 2)),
    ),
    hints=("One block first: z′ = z + F(z). How does the cost change with z? On two ways, and the chain rule "
           "adds them.",
           "Forward, keep a = tanh(z Vᵀ) of every block. Backward, last block first: "
           "dz = dz + (dz @ W * (1 − a²)) @ V."))


# --- break it ---------------------------------------------------------------------------------

def wrong_dx(dy, x, weight, eps):
    """A wrong blame of x in batch normalization that the weak test accepts.

    dy (m, n), x (m, n), m samples of n units; weight (n,); eps a number
    → dx (m, n).
    """
    return weight * dy / np.sqrt(x.var(axis=0) + eps)   # μ and v as constants


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones."""
    yield {"dy": np.array([[1.0], [-1], [-1], [1]]), "x": np.array([[-3.0], [-1], [1], [3]]),
           "weight": np.ones(1), "eps": 1e-12}
    for N, C, eps in ((3, 1, 0.5), (2, 2, 0.1), (3, 3, 2.0), (5, 3, 0.5)):
        yield {"dy": _random(rng, N, C), "x": _tenths(rng, N, C), "weight": _tenths(rng, C), "eps": eps}


BALANCED = "A dy that adds up to 0 hides that"
HOLES = (
    Mistake("constants", "A dy that adds up to 0, and so does dy·x̂, hides that μ and v, the variance, were "
            "taken for constants.",
            wrong_dx),
    Mistake("no mean term", f"{BALANCED} the way through the mean is missing.",
            _dx(mean_term=0)),
    Mistake("no variance term", "A dy·x̂ that adds up to 0 hides that the way through the variance is "
            "missing.",
            _dx(variance_term=0)),
    Mistake("signs", "Sums of 0 hide that both terms have the wrong sign.",
            _dx(-1, -1)),
    Mistake("sums for means", "Sums of 0 hide that they are not divided by m.",
            _dx(average=np.sum)),
    Mistake("x for x̂", "A dy·x that adds up to 0 hides that x stands for x̂.",
            _dx(xhat=lambda x, mean, s: x)),
    Mistake("not centred", "An x whose mean is 0 hides that it is not taken away.",
            _dx(xhat=lambda x, mean, s: x * s)),
    Mistake("no x̂ outside", "A dy·x̂ that adds up to 0 hides that its mean is not multiplied by x̂.",
            _dx(back=lambda h, x, mean: 1.0)),
    Mistake("mean of squares", "An x whose mean is 0 hides that the mean of x² stands for the variance.",
            lambda dy, x, weight, eps: _dx(scale=lambda var, eps: 1 / np.sqrt(
                (x**2).mean(axis=0, keepdims=True) + eps))(dy, x, weight, eps)),
    Mistake("no weight", "A weight of 1 hides that it is missing.",
            lambda dy, x, weight, eps: _true_dx(dy, x, np.ones_like(weight), eps)),
    Mistake("weight twice", "A weight of 1 hides that it is in twice.",
            lambda dy, x, weight, eps: weight * _true_dx(dy, x, weight, eps)),
    Mistake("ε left out", "A tiny ε hides that it is missing.",
            _dx(scale=lambda var, eps: 1 / np.sqrt(var))),
    Mistake("ε outside", "A tiny ε hides that it stands outside the root.",
            _dx(scale=lambda var, eps: 1 / (np.sqrt(var) + eps))),
    Mistake("whole batch", "One unit hides that all units share one mean and one variance.",
            _dx(axis=(0, 1))),
)


BREAK = break_it(
    "pathologies.break_it", "Break it: a wrong batch norm that a weak test accepts",
    wrong_dx, _true_dx, _weak_and_honest, HOLES,
    hints=("Add up dy. Add up dy·x. What may be left out of dx when both are 0?",
           "Which terms carry the blame through the mean μ and through the variance v? And what do a weight "
           "of 1, an ε of almost 0 and a single unit hide?"))


EXERCISES = (CHI, RUNNING, BACKWARD, RESIDUAL, BREAK)
