"""The exercises of the three labs in notebooks/07_pytorch_implementation.ipynb: checks that find the fault.

Each check is given right and wrong versions; the suspects of helpers/exercises/labs.py are among the wrong
ones.
"""
import numpy as np

from helpers.exercises.catch_it import Candidate, catch_it
from helpers.exercises.exercise import Mistake
from helpers.exercises.hostile import whole
from helpers.functional.normalization import batch_norm

# --- the first: a normalization ---------------------------------------------------------------

def norm_is_off(norm, x):
    """How far norm(x) is from x normalized in each channel.

    x (N, C, H, W); norm(x) has its shape, and neither weight nor bias.
    Returns one number, 0 where norm is batch normalization in training;
    differences due to ε = 1e-5 or to rounding count as 0.
    """
    axes = (0, 2, 3)      # one mean and one variance for each channel
    mean, var = (f(x, axis=axes, keepdims=True) for f in (np.mean, np.var))
    return np.abs(norm(x) - (x - mean) / np.sqrt(var + 1e-5)).max()


def _over(axes, *, eps=1e-5, ddof=0, power=0.5, center=True):
    """Normalization with the statistics of these axes."""
    def norm(x):
        mean = x.mean(axes, keepdims=True) * center
        return (x - mean) / (x.var(axes, ddof=ddof, keepdims=True) + eps) ** power
    return norm


def normalizes_channels(x):
    """As torch's BatchNorm2d in training, before weight and bias."""
    return batch_norm(x, None, None, training=True)


def _but(x, place):
    """Normalized in each channel, apart from one place."""
    y = normalizes_channels(x)
    y[place] = x[place]
    return y


CHANNEL, ACTIVATION = (0, 2, 3), (0,)
NORMS = (
    ("normalizes each channel", True, normalizes_channels),
    ("normalizes each channel with ε = 1e-6", True, _over(CHANNEL, eps=1e-6)),
    ("normalizes each activation over the batch", False, _over(ACTIVATION)),
    ("normalizes each channel of each sample", False, _over((2, 3))),
    ("normalizes each sample", False, _over((1, 2, 3))),
    ("normalizes the whole batch at once", False, _over((0, 1, 2, 3))),
    ("normalizes each column of a channel", False, _over((0, 2))),
    ("divides by the variance, not by its root", False, _over(CHANNEL, power=1)),
    ("divides the variance by n − 1", False, _over(CHANNEL, ddof=1)),
    ("does not subtract the mean", False, _over(CHANNEL, center=False)),
    ("turns each image by 180°", False, lambda x: normalizes_channels(x)[..., ::-1, ::-1]),
    ("leaves the first channel as it is", False, lambda x: _but(x, np.s_[:, :1])),
    ("leaves the last channel as it is", False, lambda x: _but(x, np.s_[:, -1:])),
    ("leaves the first sample as it is", False, lambda x: _but(x, np.s_[:1])),
    ("leaves the last sample as it is", False, lambda x: _but(x, np.s_[-1:])),
)


def _norms(rng):
    """Each channel has its own mean and standard deviation."""
    mean, std = np.array([[20.0, -41], [1, 3]])[:, :, None, None]
    x = whole(rng, 4, 2, 3, 5, most=9) * std + mean
    for does, right, norm in NORMS:
        yield Candidate(does, right, {"norm": norm, "x": x.copy()})


def _moments(axes, *, var=True, mean=True, ddof=0):
    """A check of the means and the variances over these axes."""
    def check(norm, x):
        y = norm(x)
        return max(np.abs(y.mean(axes)).max() * mean, np.abs(y.var(axes, ddof=ddof) - 1).max() * var)
    return check


def _not_affine(norm, x):
    """How far each channel of x̂ is from a linear function of x (plus a constant)."""
    x, y = (np.moveaxis(a, 1, 0).reshape(a.shape[1], -1) for a in (x, norm(x)))
    return max(np.abs(b - np.polyval(np.polyfit(a, b, 1), a)).max() for a, b in zip(x, y, strict=True))


FIRST = catch_it(
    "labs.first", "The first suspect: a check of a normalization", norm_is_off, _norms,
    weak=(
        Mistake("blind", "It accepts everything. The shape alone says nothing: compare the numbers with "
                "the right ones.", lambda norm, x: float(norm(x).shape != x.shape)),
        Mistake("moments of each channel", "It accepts whatever has mean 0 and variance 1 in each channel. "
                "That is not enough: where each activation, or each sample, has mean 0 and variance 1, so "
                "has the channel. Compute x̂ yourself and compare all of it.", _moments(CHANNEL)),
        Mistake("means of each channel", "It accepts whatever has mean 0 in each channel, with any variance. "
                "Compute x̂ yourself and compare all of it.", _moments(CHANNEL, var=False)),
        Mistake("variances of each channel", "It accepts whatever has variance 1 in each channel, with any "
                "mean, and what normalizes smaller parts of a channel. Compare all of x̂.",
                _moments(CHANNEL, mean=False)),
        Mistake("moments of each activation", "It rejects the right one and accepts the suspect, in which "
                "each activation has mean 0 and variance 1 over the batch. All pixels of a channel "
                "have one mean and one variance: `axis=(0, 2, 3)`.", _moments(ACTIVATION)),
        Mistake("moments of each sample", "It accepts just the one in which each sample has mean 0 and "
                "variance 1. That is layer normalization; batch normalization averages over the batch.",
                _moments((1, 2, 3))),
        Mistake("moments of all", "It accepts whatever has mean 0 and variance 1 in the whole array, and so "
                "versions that normalize parts of it.", _moments((0, 1, 2, 3))),
        Mistake("n − 1", "It accepts just the one that divides the variance by n − 1. Batch normalization "
                "divides by n when it normalizes; n − 1 is for the running variance.",
                lambda norm, x: np.abs(norm(x) - _over(CHANNEL, ddof=1)(x)).max()),
        Mistake("straight line only", "It accepts whatever is a linear function of x in each channel, with "
                "any shift and any scale. Both are known: compute x̂ yourself and compare.", _not_affine),
        Mistake("differences cancel", "It notices a wrong mean alone: do its differences have signs, and "
                "cancel? Take the largest absolute value: `np.abs(…).max()`.",
                ("np.abs →", ".max() → .mean()")),
        Mistake("one channel", "It accepts those that are right in the first channel. Compare all of them.",
                lambda norm, x: np.abs(norm(x) - normalizes_channels(x))[:, 0].max()),
        Mistake("one sample", "It accepts those that are right in the first sample. Compare all of them.",
                lambda norm, x: np.abs(norm(x) - normalizes_channels(x))[0].max()),
        Mistake("rejects all", "It rejects everything, the right ones too. Expected is x minus the mean of "
                "its channel, divided by √(variance + ε) with ε = 1e-5.",
                lambda norm, x: np.abs(norm(x) - x).max()),
    ),
    hints=("Which numbers of x have one common mean and variance? Does the mean over them distinguish the "
           "suspect from the right one?",
           "The suspect has mean 0 and variance 1 in every channel, as the right one has. So compute x̂ "
           "yourself, with `axis=(0, 2, 3)`, and return the largest difference."))


# --- the second: a residual block ---------------------------------------------------------------

def block_is_off(block, backward, dy, x):
    """How far backward is from the derivative of block, and harmless.

    block(x) → y; backward(dy, x) → dx; x, dx, y, dy (m, n). Returns one
    number, 0 where dx is right and dy is afterwards what it was before;
    no entry of x is near a kink.
    """
    given, h = dy.copy(), 1e-6
    dx = backward(given, x.copy())
    off = np.abs(given - dy).max()
    for i in np.ndindex(x.shape):
        nudge = np.zeros(x.shape)
        nudge[i] = h
        change = (block(x + nudge) - block(x - nudge)) / (2 * h)
        off = max(off, abs(dx[i] - (dy * change).sum()))
    return off


WEIGHT = np.array([[0.5, -1.0, 0.25], [2.0, 0.5, -0.75], [-0.5, 1.5, 1.0]])


def block(x):
    """x + ReLU(x Wᵀ), a sample in each row."""
    return x + np.maximum(x @ WEIGHT.T, 0)


def _mask(x):
    return x @ WEIGHT.T > 0


def adds_both(dy, x):
    """The gradient of the shortcut plus that of the branch: right."""
    return dy + (dy * _mask(x)) @ WEIGHT


def adds_into_a_copy(dy, x):
    """The same, in an array of its own."""
    dx = dy.copy()
    dx += (dy * _mask(x)) @ WEIGHT
    return dx


def masks_in_place(dy, x):
    """What the suspect does."""
    dy *= _mask(x)
    return dy + dy @ WEIGHT


def adds_in_place(dy, x):
    """The right dx, but the dy of the caller is changed."""
    dy += (dy * _mask(x)) @ WEIGHT
    return dy.copy()


def _branch_of(dy, x, samples):
    dx = dy.copy()
    dx[samples] = adds_both(dy, x)[samples]
    return dx


BACKWARDS = (
    ("adds both gradients", True, adds_both),
    ("adds both in a new array", True, adds_into_a_copy),
    ("masks dy in place and so changes the shortcut", False, masks_in_place),
    ("returns the right dx and changes dy", False, adds_in_place),
    ("forgets the shortcut", False, lambda dy, x: (dy * _mask(x)) @ WEIGHT),
    ("forgets the branch", False, lambda dy, x: dy.copy()),
    ("forgets the mask", False, lambda dy, x: dy + dy @ WEIGHT),
    ("masks the shortcut too", False, lambda dy, x: dy * _mask(x) + (dy * _mask(x)) @ WEIGHT),
    ("masks after the weights", False, lambda dy, x: dy + dy @ WEIGHT * _mask(x)),
    ("forgets the branch of the first sample", False, lambda dy, x: _branch_of(dy, x, np.s_[1:])),
    ("forgets the branch of the last sample", False, lambda dy, x: _branch_of(dy, x, np.s_[:-1])),
    ("has the transpose of the weights", False, lambda dy, x: dy + (dy * _mask(x)) @ WEIGHT.T),
)


def _backwards(rng):
    x, dy = np.array([[1.0, -2, 3], [-2, 1, 2]]), whole(rng, 2, 3, most=9)
    for does, right, backward in BACKWARDS:
        yield Candidate(does, right, {"block": block, "backward": backward, "dy": dy.copy(), "x": x.copy()})


def _sums(block, backward, dy, x):
    return abs(backward(dy.copy(), x.copy()).sum() - dy.sum())


SECOND = catch_it(
    "labs.second", "The second suspect: a check of a residual block", block_is_off, _backwards,
    weak=(
        Mistake("blind", "It accepts everything. The shape alone says nothing: compare dx with differences "
                "of block.",
                lambda block, backward, dy, x: float(backward(dy.copy(), x.copy()).shape != x.shape)),
        Mistake("dy not looked at", "It notices every wrong dx, and not a backward that returns "
                "the right dx and changes dy, which other layers still need. Compare dy before and after.",
                "np.abs(given - dy).max() → 0.0"),
        Mistake("measured with the changed dy", "The suspect is accepted: did you measure with the dy "
                "that it had changed? For that dy, its dx is right. Keep a copy of dy from before the call.",
                ("np.abs(given - dy).max() → 0.0", "dy * change → given * change")),
        Mistake("dy alone", "It rejects just those that change dy. It does not notice a wrong dx: "
                "compare dx with differences of block.", "np.ndindex(x.shape) → []"),
        Mistake("shortcut not expected", "It accepts just the one that forgets the shortcut. A residual "
                "block has two paths, and their gradients add up.",
                ("np.abs(given - dy).max() → 0.0", "/ (2 * h) → / (2 * h) - nudge / h")),
        Mistake("conservation", "It accepts just the one that returns dy for dx: does it expect of dx what "
                "holds for dy, such as its sum? Max pooling keeps the sum of the gradient; weights do not.",
                _sums),
        Mistake("rejects all", "It rejects everything, the right ones too. The number expected at x[i] is Σ "
                "dy · (block(x + h) − block(x − h)) / 2h, where only x[i] changes by h.",
                ("np.abs(given - dy).max() → 0.0", "dx[i] - → dx[i] +")),
    ),
    hints=("Use the third witness: change one entry of x by ±h, and see how Σ dy·block(x) "
           "changes. With which dy: the one before the call, or the one after it?",
           "Give backward a copy of dy. Measure with your own dy, and compare the copy with it afterwards. "
           "Return the larger of the two differences."))


# --- the third: a training loop -----------------------------------------------------------------

def training_is_off(W, gradient, eta):
    """How far the steps of a training are from gradient descent.

    W (T + 1, n): W[k] before step k, W[k + 1] after it; gradient(k, w)
    → (n,), that of the cost of batch k at w; eta is the learning rate.
    Returns one number, 0 where every step is −eta times the gradient.
    """
    off = 0.0
    for k in range(len(W) - 1):
        step = W[k + 1] - W[k]
        off = max(off, np.abs(step + eta * gradient(k, W[k])).max())
    return off


BATCHES = np.array([[1.0, -2, 0.5], [0.5, 1, -1.5], [-1, 0.5, 2], [2, 1, 1], [-1.5, 2, 1], [1, -1, -2]])
TARGETS, ETA = np.array([3.0, -2, 1, 4, -1, 2]), 0.05
EPOCH = 3      # steps


def gradient(k, w):
    """The gradient of ½(w·x − t)² of batch k, which is one sample."""
    return (BATCHES[k] @ w - TARGETS[k]) * BATCHES[k]


def _steps(rule):
    """The W of six steps; rule(k, W, sum) → (the gradient used, the sum kept)."""
    W, kept = [np.array([0.5, -1.0, 1.5])], np.zeros(3)
    for k in range(len(BATCHES)):
        used, kept = rule(k, W, kept)
        W.append(W[-1] - ETA * used)
    return np.array(W)


def _added(keep):
    """Accumulated gradients; keep(k) is the factor of the old sum."""
    def rule(k, W, kept):
        total = keep(k) * kept + gradient(k, W[-1])
        return total, total
    return rule


def _of(used):
    return lambda k, W, kept: (used(k, W), kept)


def _repaired(k, W):
    """The third step left out, and made up for in the last."""
    end = _steps(_of(lambda k, W: gradient(k, W[-1])))[-1]
    return (k != 2) * gradient(k, W[-1]) if k < len(BATCHES) - 1 else (W[-1] - end) / ETA


TRAININGS = (
    ("descends the gradient of each batch", True, _of(lambda k, W: gradient(k, W[-1]))),
    ("zeroes the gradients before each step", True, _added(lambda k: 0)),
    ("zeroes the gradients once an epoch", False, _added(lambda k: k % EPOCH > 0)),
    ("never zeroes the gradients", False, _added(lambda k: 1)),
    ("uses momentum", False, _added(lambda k: 0.9)),
    ("steps along the batch before", False, _of(lambda k, W: gradient(max(k - 1, 0), W[max(k - 1, 0)]))),
    ("is stuck with the first batch", False, _of(lambda k, W: gradient(0, W[-1]))),
    ("decreases the learning rate", False, _of(lambda k, W: 0.8**k * gradient(k, W[-1]))),
    *((does, False, _of(lambda k, W, n=n: (k != n) * gradient(k, W[-1]))) for n, does in (
        (0, "leaves out the first step"), (2, "leaves out the third step"), (5, "leaves out the last step"))),
    ("steps sideways, too", False,
     _of(lambda k, W: gradient(k, W[-1]) + np.cross(gradient(k, W[-1]), [1, 1, 1]))),
    ("steps uphill", False, _of(lambda k, W: -gradient(k, W[-1]))),
    ("has a learning rate twice as large", False, _of(lambda k, W: 2 * gradient(k, W[-1]))),
    ("decays the weights as well", False, _of(lambda k, W: gradient(k, W[-1]) + 0.1 * W[-1])),
    ("adds a constant to the gradient of the first weight", False,
     _of(lambda k, W: gradient(k, W[-1]) + [0.2, 0, 0])),
    ("adds a constant to the gradient of the last weight", False,
     _of(lambda k, W: gradient(k, W[-1]) + [0, 0, 0.2])),
    ("adds a constant in the second step and subtracts it in the fourth", False,
     _of(lambda k, W: gradient(k, W[-1]) + 0.2 * (k == 1) - 0.2 * (k == 3))),
    ("adds constants whose sum is 0", False, _of(lambda k, W: gradient(k, W[-1]) + [0.2, -0.2, 0])),
    ("leaves out the third step and makes up for it in the last", False, _of(_repaired)),
)


def _trainings(rng):
    for does, right, rule in TRAININGS:
        yield Candidate(does, right, {"W": _steps(rule), "gradient": gradient, "eta": ETA})


def _at_the_end(W, gradient, eta):
    """How far the last W is from that of gradient descent."""
    w = W[0]
    for k in range(len(W) - 1):
        w = w - eta * gradient(k, w)
    return np.abs(W[-1] - w).max()


def _bend(W, gradient, eta):
    """The largest angle between a step and the gradient, as 1 − cosine; a step of zero has none."""
    steps = [(W[k] - W[k + 1], gradient(k, W[k])) for k in range(len(W) - 1)]
    return max(1 - s @ g / np.sqrt(s @ s * (g @ g)) for s, g in steps if s.any())


THIRD = catch_it(
    "labs.third", "The third suspect: a check of a training", training_is_off, _trainings,
    weak=(
        Mistake("blind", "It accepts everything. W changes in every training: test for each step whether it "
                "is −eta times the gradient.", lambda W, gradient, eta: float(not np.isfinite(W).all())),
        Mistake("first step only", "It accepts a run whose first step is right. Accumulated gradients are "
                "right once, when no other was added before. Test every step, and return the largest "
                "difference.", "range(len(W) - 1) → range(1)"),
        Mistake("last step only", "It accepts a run whose last step is right, even where a step was left "
                "out before. Test every step.", "range(len(W) - 1) → [len(W) - 2]"),
        Mistake("differences cancel", "It accepts constants whose sum is 0: do its differences have signs, "
                "and cancel? Take the largest absolute value: `np.abs(…).max()`.",
                ("max(off, np.abs → off +", ".max()) → .sum()")),
        Mistake("one side only", "It accepts what differs below zero only: is it the largest difference with "
                "its sign? Take the largest absolute value: `np.abs(…).max()`.", "np.abs →"),
        Mistake("end only", "It accepts a run that left a step out and made up for it in the last. Compare "
                "every step, from the W[k] that the run had, and not where it ended.", _at_the_end),
        Mistake("direction only", "It accepts every step in the right direction, whatever its length, such "
                "as another learning rate. Compare the step itself with −eta times the gradient.", _bend),
        Mistake("length only", "It accepts steps of the right length that go uphill. Compare the step itself "
                "with −eta times the gradient.", lambda W, gradient, eta: max(
                    abs(np.linalg.norm(W[k + 1] - W[k]) - eta * np.linalg.norm(gradient(k, W[k])))
                    for k in range(len(W) - 1))),
        Mistake("steps cancel", "It accepts steps whose errors add up to 0: are they summed over the steps? "
                "Take the largest absolute value of all.", lambda W, gradient, eta: np.abs(
                    sum(W[k + 1] - W[k] + eta * gradient(k, W[k]) for k in range(len(W) - 1))).max()),
        Mistake("one weight", "It accepts an error in the last weight alone: compare all weights.",
                ".max()) → [0])"),
        Mistake("last step not looked at", "It accepts a run whose last step alone is wrong: W has one more "
                "row than there are steps.", "len(W) - 1 → len(W) - 2"),
        Mistake("first step not looked at", "It accepts a run whose first step alone is wrong. Test every "
                "step.", "range( → range(1, "),
        Mistake("rejects all", "It rejects everything, the right ones too. A right step is W[k + 1] − W[k] = "
                "−eta · gradient(k, W[k]): with a minus, and the gradient taken at W[k], before the step.",
                "gradient(k, W[k]) → gradient(k, W[k + 1])"),
    ),
    hints=("The first step of the suspect is right. What is different at the second?",
           "The right step depends on W[k] and batch k alone, not on earlier steps: −eta · "
           "gradient(k, W[k]). Compare it with W[k + 1] − W[k], for every k."))


EXERCISES = (FIRST, SECOND, THIRD)
