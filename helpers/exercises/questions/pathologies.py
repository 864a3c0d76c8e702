"""The exercises of notebooks/06_gradient_pathologies.ipynb: questions, worked solutions, usual mistakes.

Each truth is put together from helpers that have a proof of their own.
"""
import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.hostile import scaled, tenths, whole
from helpers.functional.activations import sigmoid_prime, tanh, tanh_prime  # noqa: F401, for a change
from helpers.functional.linear import linear, linear_backward
from helpers.functional.normalization import batch_norm_backward, running_statistics

# --- the factor of one layer ------------------------------------------------------------------

def chi_by_hand(z, sigma_w):
    """The factor of the squared gradient in a tanh layer, from its samples.

    z (m, n), pre-activations of m samples; the variance of one weight is
    σ_w²/n → χ, a number.
    """
    slope = 1 - np.tanh(z)**2
    return sigma_w**2 * np.mean(slope**2)


def _chi_cases(rng):
    for (m, n), sigma_w in (((1, 1), 2.0), ((1, 2), 0.5), ((2, 2), 3.0), ((2, 3), 1.5), ((4, 3), 1.25)):
        yield {"z": tenths(rng, m, n), "sigma_w": sigma_w}


def _true_chi(z, sigma_w):
    return sigma_w**2 * (tanh_prime(z)**2).mean()


CHI = Exercise(
    "pathologies.chi", "The factor of one layer", chi_by_hand, _true_chi, _chi_cases,
    mistakes=(
        Mistake("σ_w for σ_w²", "σ_w is not squared. χ is the factor of ‖δ‖², and the variance of a weight "
                "is σ_w²/n.", "sigma_w**2 → sigma_w"),
        Mistake("square of the mean", "This is the square of the mean slope. χ holds the mean of the squared "
                "slopes, which is larger unless all are equal: square first, then average.",
                "slope**2) → slope)**2"),
        Mistake("slope not squared", "The slopes are averaged as they are. δ is multiplied by the slope, so "
                "δ² is multiplied by its square.", "slope**2 → slope"),
        Mistake("nothing squared", "Neither σ_w nor the slope is squared. χ is the factor of ‖δ‖², so both "
                "are.", ("sigma_w**2 → sigma_w", "slope**2 → slope")),
        Mistake("root", "This is √χ, the factor of ‖δ‖. χ is that of ‖δ‖².",
                "sigma_w**2 * np.mean(slope**2) → sigma_w * np.sqrt(np.mean(slope**2))"),
        Mistake("variance map", "This is the variance map: it has σ, and gives the mean square of z in the "
                "next layer. The gradient is multiplied by σ′.", "1 - np.tanh(z)**2 → np.tanh(z)"),
        Mistake("σ′ at a", "σ′ is taken at a = tanh(z). The slope at z is needed; from a it is 1 − a².",
                "np.tanh(z) → np.tanh(np.tanh(z))"),
        Mistake("sum for mean", "You added the squares up. E[σ′(z)²] is their mean: the sum over n neurons "
                "and the n in σ_w²/n cancel.", "np.mean → np.sum"),
        Mistake("divided by n", "This is the right χ divided by n. The n of the variance σ_w²/n has "
                "cancelled already: n neurons were added.",
                "return sigma_w → return 1 / z.shape[1] * sigma_w"),
        Mistake("no σ_w", "σ_w is missing. The weights multiply the gradient as well as the slopes do.",
                "sigma_w**2 * →"),
        Mistake("one for each neuron", "This is a number for each neuron. The mean is over samples and "
                "neurons together.", "slope**2) → slope**2, axis=0)"),
        Mistake("sigmoid′", "This is the slope of the sigmoid. tanh has 1 − tanh²(z).",
                "1 - np.tanh(z)**2 → sigmoid_prime(z)"),
        Mistake("1 − z²", "σ′ is written as 1 − z². It is 1 − tanh²(z).", "np.tanh(z) → z"),
    ),
    hints=("χ = σ_w²·E[σ′(z)²]. The expectation is over all values of z; you have m·n examples of them.",
           "First the slope of every entry, 1 − tanh²(z). Then the square of each. Then the mean of all."))


# --- running statistics -----------------------------------------------------------------------

def running_by_hand(x, running_mean, running_var, momentum):
    """The running statistics of batch normalization after one more batch.

    x (N, C, H, W), running_mean (C,), running_var (C,); momentum as in
    torch → the new mean and variance, [mean, var] (2, C).
    """
    m = x.size // x.shape[1]                  # values in each channel
    mean = x.mean(axis=(0, 2, 3))
    var = x.var(axis=(0, 2, 3)) * m / (m - 1)
    old, new = np.stack([running_mean, running_var]), np.stack([mean, var])
    return (1 - momentum) * old + momentum * new


@scaled("x", "running_mean", "running_var")
def _running_cases(rng):
    for shape, momentum in (((2, 1, 1, 2), 0.1), ((2, 2, 2, 2), 0.2), ((3, 2, 1, 3), 0.1),
                            ((2, 3, 2, 2), 0.7), ((3, 2, 4, 5), 0.3), ((5, 4, 3, 2), 0.4)):
        C = shape[1]
        yield {"x": whole(rng, *shape), "running_mean": whole(rng, C),
               "running_var": np.abs(whole(rng, C, most=99)), "momentum": momentum}


def _true_running(x, mean, var, momentum):
    return np.stack(running_statistics(x, mean, var, momentum=momentum))


RUNNING = Exercise(
    "pathologies.running", "Running statistics", running_by_hand, _true_running, _running_cases,
    parts=lambda both: {"The mean": both[0], "The variance": both[1]},
    mistakes=(
        Mistake("biased", "The running variance is the biased one, which divides by m. torch normalizes with "
                "that, but keeps the unbiased one, with m − 1.", "* m / (m - 1) →"),
        Mistake("N for m", "The correction N/(N − 1) counts images. In a channel there are m = N·H·W values.",
                "x.size // x.shape[1] → len(x)"),
        Mistake("momentum reversed", "momentum multiplies the wrong statistics. In torch it is the weight "
                "of the new batch, not of the old statistics.",
                "(1 - momentum) * old + momentum * new → momentum * old + (1 - momentum) * new"),
        Mistake("biased, reversed", "Two things are wrong: momentum is the weight of the new batch, and the "
                "variance that is kept divides by m − 1.",
                ("* m / (m - 1) →",
                 "(1 - momentum) * old + momentum * new → momentum * old + (1 - momentum) * new")),
        Mistake("standard deviation", "You kept the standard deviation. It is the variance that is kept; the "
                "root is taken when it is used, after ε was added.",
                "x.var(axis=(0, 2, 3)) * m / (m - 1) → np.sqrt(x.var(axis=(0, 2, 3)) * m / (m - 1))"),
        Mistake("biased standard deviation", "You kept the standard deviation, divided by m. It is the "
                "variance that is kept, the unbiased one, with m − 1.",
                "x.var(axis=(0, 2, 3)) * m / (m - 1) → x.std(axis=(0, 2, 3))"),
        Mistake("all values counted", "The correction counts the values of all channels. One channel has m = "
                "N·H·W of them.", "* m / (m - 1) → * x.size / (x.size - 1)"),
        Mistake("no memory", "These are the statistics of this batch alone. They must be added to the old "
                "ones, which keep the weight 1 − momentum.", "(1 - momentum) * old + momentum * →"),
        Mistake("old kept whole", "The old statistics stay whole, and the new are added. The "
                "weights 1 − momentum and momentum must add up to 1.", "(1 - momentum) * old → old"),
        Mistake("mean of squares", "This is the mean of x², not the variance: the mean has not been "
                "subtracted.", "x.var(axis=(0, 2, 3)) * m / (m - 1) → (x**2).mean(axis=(0, 2, 3))"),
        Mistake("around the old mean", "The variance is taken around the running mean. It belongs around the "
                "mean of this batch.",
                ("m / (m - 1) → 1", "x.var( → np.mean((x - running_mean[:, None, None])**2, ")),
        Mistake("within images", "You averaged the variances of the single images. The differences "
                "between images count, too: one variance over N, H and W together.",
                "x.var(axis=(0, 2, 3)) * m / (m - 1) → x.var(axis=(2, 3), ddof=1).mean(axis=0)"),
        Mistake("all channels together", "You averaged over the channels too. Each channel has its own mean "
                "and variance.", "mean, var] → mean * 0 + x.mean(), var * 0 + x.var(ddof=1)]"),
        Mistake("rows exchanged", "The numbers are right, but the variance stands in the first row.",
                ("[running_mean, running_var] → [running_var, running_mean]", "[mean, var] → [var, mean]")),
    ),
    hints=("How many values does one channel of x hold? They have one mean and one variance, together.",
           "Mean and variance over the axes 0, 2 and 3; the variance times m/(m − 1). The new batch has "
           "the weight momentum, the old statistics 1 − momentum."))


# --- batch normalization backward -------------------------------------------------------------

def dx_by_hand(dy, x, weight, eps):
    """Batch normalization in training, backward: the gradient dx.

    dy (m, n), x (m, n), m samples of n units; weight (n,); eps a number
    → dx (m, n).
    """
    mean, var = x.mean(axis=0), x.var(axis=0)
    scale = 1 / np.sqrt(var + eps)
    xhat = (x - mean) * scale
    rest = dy - dy.mean(axis=0) - xhat * (dy * xhat).mean(axis=0)
    return weight * scale * rest


@scaled("dy")
def _dx_cases(rng):
    for N, C, eps in ((2, 1, 1.0), (3, 1, 0.5), (2, 2, 0.1), (3, 3, 2.0), (4, 2, 0.1), (5, 3, 0.5),
                      (3, 4, 0.2)):
        yield {"dy": whole(rng, N, C), "x": tenths(rng, N, C), "weight": tenths(rng, C), "eps": eps}


def _true_dx(dy, x, weight, eps):
    return batch_norm_backward(dy, x, weight=weight, training=True, eps=eps)[0]


def _by_the_graph(power=3, sign=-1, two=2, shared=True, through_mean=-1):
    """The same through the nodes of the graph, x̂, v and μ one by one, with what people get wrong there."""
    def function(dy, x, weight, eps):
        m, centred, dxhat = len(x), x - x.mean(axis=0), dy * weight
        scale = 1 / np.sqrt(x.var(axis=0) + eps)
        dvar = sign * (dxhat * centred).sum(axis=0) * scale**power / 2
        dmean = through_mean * (dxhat * scale).sum(axis=0)
        return dxhat * scale + dvar * two * centred / (m if shared else 1) + dmean / m
    return function


BACKWARD = Exercise(
    "pathologies.batch_norm", "Batch normalization, backward", dx_by_hand, _true_dx, _dx_cases,
    mistakes=(
        Mistake("no mean term", "The path through the mean is missing. Every x changes the mean, which is "
                "subtracted from all: subtract the mean of dy.", "- dy.mean(axis=0) →"),
        Mistake("no variance term", "The path through the variance is missing. Every x changes the "
                "standard deviation, by which all are divided: subtract x̂ times the mean of dy·x̂.",
                "- xhat * (dy * xhat).mean(axis=0) →"),
        Mistake("constants", "The mean and the variance are treated as constants. That is right in "
                "evaluation. In training every x changes both, and two terms are missing.",
                "- dy.mean(axis=0) - xhat * (dy * xhat).mean(axis=0) →"),
        Mistake("m − 1", "The variance divides by m − 1. For normalizing it divides by m; only the running "
                "variance has m − 1.", "x.var(axis=0) → x.var(axis=0, ddof=1)"),
        Mistake("sums for means", "The sums of dy and of dy·x̂ are not divided by m. One x changes the mean "
                "by 1/m of itself.", ("dy.mean → dy.sum", "xhat).mean → xhat).sum")),
        Mistake("sum for the mean of dy", "The sum of dy is subtracted, not its mean: one x changes μ by 1/m "
                "of itself.", "dy.mean → dy.sum"),
        Mistake("ε missing outside", "ε is missing in the last factor, which is weight/√(v + ε); in x̂ it is "
                "there.", "weight * scale → weight / np.sqrt(var)"),
        Mistake("no weight", "The weight is missing: y = weight·x̂ + bias, so the local gradient of this "
                "step is weight.", "weight * →"),
        Mistake("weight twice", "The weight is in it twice.", "weight → weight**2"),
        Mistake("no scale", "The division by √(v + ε), v the variance, is missing in "
                "the last step: x̂ is x − μ times 1/√(v + ε).", "scale * rest → rest"),
        Mistake("no root", "You divided by v + ε, without the root.", "np.sqrt(var + eps) → (var + eps)"),
        Mistake("ε outside", "ε stands outside the root, √v + ε. It belongs inside, √(v + ε).",
                "np.sqrt(var + eps) → (np.sqrt(var) + eps)"),
        Mistake("ε left out", "ε is missing: forward divides by √(v + ε).", "var + eps → var"),
        Mistake("no x̂ outside", "The mean of dy·x̂ is subtracted as it is. It belongs times x̂: samples "
                "far from the mean change the variance most.", "xhat * (dy → (dy"),
        Mistake("x for x̂", "x stands in the place of x̂, twice. The weight multiplies x̂ in the forward "
                "pass.", "(x - mean) * scale → x"),
        Mistake("x − μ for x̂", "x − μ stands in the place of x̂. It must still be divided by √(v + ε).",
                "(x - mean) * scale → x - mean"),
        Mistake("weight in x̂", "x̂ has the weight in it. x̂ is (x − μ)/√(v + ε); the weight multiplies it "
                "afterwards.", "(x - mean) * scale → weight * (x - mean) * scale"),
        Mistake("not centred", "x̂ lacks the subtraction of the mean.", "(x - mean) → x"),
        Mistake("signs", "Both terms are added. The gradients through the mean and the variance have the "
                "opposite sign of the direct path: subtract them.",
                "dy - dy.mean(axis=0) - → dy + dy.mean(axis=0) +"),
        Mistake("power of the scale", "The gradient of v has the wrong power: the derivative of "
                "(v + ε)^(−½) is −½·(v + ε)^(−3/2), the third power of 1/√(v + ε).", _by_the_graph(power=2)),
        Mistake("sign of dv", "The gradient of v has the wrong sign: a larger variance brings every x̂ "
                "closer to 0.", _by_the_graph(sign=1)),
        Mistake("2 of the square", "v is the mean of (x − μ)²: its derivative with respect to x is "
                "2·(x − μ)/m, and the 2 is missing.", _by_the_graph(two=1)),
        Mistake("1/m of the variance", "v is the mean of (x − μ)²: its derivative with respect to x is "
                "2·(x − μ)/m, and the 1/m is missing.", _by_the_graph(shared=False)),
        Mistake("sign of dμ", "The gradient of μ has the wrong sign: μ is subtracted from every x.",
                _by_the_graph(through_mean=1)),
        Mistake("wrong axis", "Mean and variance run along a row, over the features of one sample. That is "
                "layer normalization. Here axis 0, the batch, is averaged.",
                "axis=0 → axis=1, keepdims=True"),
        Mistake("whole batch", "One mean and one variance for all units. Each unit has its own: `axis=0`.",
                "axis=0 →"),
    ),
    hints=("x reaches y on three paths: directly, through the mean μ and through the variance v. First the "
           "gradient of x̂, which is dy·weight. Then each path.",
           "dx = weight/√(v + ε) · (dy − mean of dy − x̂ · mean of dy·x̂), the means over the batch."))


# --- residual blocks --------------------------------------------------------------------------

def delta_by_hand(dz, V, W, z0):
    """The gradient of z0 through residual blocks z ← z + tanh(z Vᵀ) Wᵀ.

    dz (m, n), the gradient of the last z; V (L, k, n) and W (L, n, k), a pair
    for each block; z0 (m, n) → the gradient of z0 (m, n).
    """
    z, a = z0, []
    for l in range(len(V)):
        a.append(np.tanh(z @ V[l].T))
        z = z + a[l] @ W[l].T
    for l in reversed(range(len(V))):
        dz = dz + (dz @ W[l] * (1 - a[l]**2)) @ V[l]
    return dz


@scaled("dz")
def _residual_cases(rng):
    for L, m, n, k in ((2, 1, 1, 1), (1, 1, 2, 2), (2, 2, 2, 2), (2, 1, 3, 2), (3, 2, 3, 3), (2, 5, 4, 3),
                       (2, 5, 3, 4)):
        yield {"dz": whole(rng, m, n), "V": tenths(rng, L, k, n) / 2, "W": tenths(rng, L, n, k) / 2,
               "z0": tenths(rng, m, n)}


def _true_residual(dz, V, W, z0):
    """By the backward pass of each linear layer, last block first."""
    inputs = [z0]
    for V_l, W_l in zip(V, W, strict=True):
        inputs.append(inputs[-1] + linear(tanh(linear(inputs[-1], V_l)), W_l))
    for z, V_l, W_l in zip(inputs[-2::-1], V[::-1], W[::-1], strict=True):
        u = linear(z, V_l)
        da, *_ = linear_backward(dz, tanh(u), W_l)
        dz = dz + linear_backward(da * tanh_prime(u), z, V_l)[0]
    return dz


RESIDUAL = Exercise(
    "pathologies.residual", "Backward through residual blocks", delta_by_hand, _true_residual,
    _residual_cases,
    mistakes=(
        Mistake("no identity", "The identity is missing: this is the gradient through F alone. The local "
                "gradient of z + F(z) is 1 + ∂F: add dz.", "dz = dz + → dz ="),
        Mistake("identity alone", "Only the direct path is there, and dz is returned unchanged. z reaches "
                "the next z through F as well.", lambda dz, V, W, z0: dz.copy()),
        Mistake("identity once", "The identity is added once, at the end. Every block has its own: the "
                "factors are 1 + ∂F, and they are multiplied.",
                ("z, a = z0, [] → z, a, top = z0, [], dz", "dz = dz + → dz =",
                 "return dz → return top + dz")),
        Mistake("sum for product", "The blocks are added up, each with the gradient of the last z. The "
                "upstream gradient of a block is that of the block after it: update dz in the loop.",
                ("z, a = z0, [] → z, a, top = z0, [], dz", "dz @ W[l] → top @ W[l]")),
        Mistake("forward without identity", "Backward is right, but forward left out the identity "
                "of z + F(z). So the slopes are those of another network.", "z = z + → z ="),
        Mistake("wrong order", "The blocks are taken from first to last. The backward pass begins with the "
                "last.", "reversed(range(len(V))) → range(len(V))"),
        Mistake("slope of the output", "tanh′ is taken at the block's output. The block applied tanh at "
                "its input.", "z = z + a[l] @ W[l].T → z = z + a[l] @ W[l].T; a[l] = np.tanh(z @ V[l].T)"),
        Mistake("slope at z0", "Every block has the slopes at z0. Each needs those of its own input.",
                "a[l]**2 → np.tanh(z0 @ V[l].T)**2"),
        Mistake("no σ′", "tanh′ is missing between W and V.", "* (1 - a[l]**2) →"),
        Mistake("σ′ at a", "tanh′ is taken at a. From a = tanh(z Vᵀ) the slope is 1 − a².",
                "a[l]**2 → np.tanh(a[l])**2"),
        Mistake("1 − a", "The square is missing: tanh′ is 1 − a², here it is 1 − a.", "a[l]**2 → a[l]"),
        Mistake("last block", "Only the last block is there: the gradient must pass through all of them.",
                "reversed(range(len(V))) → [-1]"),
        Mistake("first block left out", "The gradient does not pass through the first block: it ends with "
                "index 0, so `range(len(V) - 1, -1, -1)` or `reversed(range(len(V)))`.",
                "reversed(range(len(V))) → reversed(range(1, len(V)))"),
        Mistake("halved", "Each block halves: this is the mean of the two paths. The gradients of two paths "
                "are added.", "dz = dz + → dz = dz / 2 + 0.5 *"),
    ),
    hints=("One block first: z′ = z + F(z). How does the cost depend on z? On two paths, and the chain rule "
           "adds their gradients.",
           "Forward, keep a = tanh(z Vᵀ) of every block. Backward, last block first: "
           "dz = dz + (dz @ W * (1 − a²)) @ V."))


# --- break it ---------------------------------------------------------------------------------

def wrong_dx(dy, x, weight, eps):
    """A wrong dx of batch normalization that the weak test accepts.

    dy (m, n), x (m, n), m samples of n units; weight (n,); eps a number
    → dx (m, n).
    """
    return weight * dy / np.sqrt(x.var(axis=0) + eps)   # μ and v as constants


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones."""
    yield {"dy": np.array([[1.0], [-1], [-1], [1]]), "x": np.array([[-3.0], [-1], [1], [3]]),
           "weight": np.ones(1), "eps": 1e-12}
    for N, C, eps in ((3, 1, 0.5), (2, 2, 0.1), (3, 3, 2.0), (5, 3, 0.5)):
        yield {"dy": whole(rng, N, C), "x": tenths(rng, N, C), "weight": tenths(rng, C), "eps": eps}


BALANCED = "A dy that adds up to 0 hides that"
HOLES = (
    Mistake("constants", "A dy that adds up to 0, and so does dy·x̂, hides that μ and v, the variance, are "
            "treated as constants.", wrong_dx),
    Mistake("no mean term", f"{BALANCED} the path through the mean is missing.", "- dy.mean(axis=0) →"),
    Mistake("no variance term", "A dy·x̂ that adds up to 0 hides that the path through the variance is "
            "missing.", "- xhat * (dy * xhat).mean(axis=0) →"),
    Mistake("signs", "Sums of 0 hide that both terms have the wrong sign.",
            "dy - dy.mean(axis=0) - → dy + dy.mean(axis=0) +"),
    Mistake("sums for means", "Sums of 0 hide that they are not divided by m.",
            ("dy.mean → dy.sum", "xhat).mean → xhat).sum")),
    Mistake("x for x̂", "A dy·x that adds up to 0 hides that x stands for x̂.", "(x - mean) * scale → x"),
    Mistake("not centred", "An x whose mean is 0 hides that the mean is not subtracted.", "(x - mean) → x"),
    Mistake("no x̂ outside", "A dy·x̂ that adds up to 0 hides that its mean is not multiplied by x̂.",
            "xhat * (dy → (dy"),
    Mistake("mean of squares", "An x whose mean is 0 hides that the mean of x² stands for the variance.",
            "x.var(axis=0) → (x**2).mean(axis=0)"),
    Mistake("no weight", "A weight of 1 hides that it is missing.", "weight * →"),
    Mistake("weight twice", "A weight of 1 hides that it is in twice.", "weight → weight**2"),
    Mistake("ε left out", "A tiny ε hides that it is missing.", "var + eps → var"),
    Mistake("ε outside", "A tiny ε hides that it stands outside the root.",
            "np.sqrt(var + eps) → (np.sqrt(var) + eps)"),
    Mistake("whole batch", "One unit hides that all units share one mean and one variance.", "axis=0 →"),
)


BREAK = break_it(
    "pathologies.break_it", "Break it: a wrong batch norm that a weak test accepts",
    wrong_dx, _true_dx, _weak_and_honest, HOLES, right=dx_by_hand,
    hints=("Add up dy. Add up dy·x. What may be left out of dx when both are 0?",
           "Which terms are the gradients through the mean μ and through the variance v? And what is hidden "
           "by a weight of 1, by an ε of almost 0 and by a single unit?"))


EXERCISES = (CHI, RUNNING, BACKWARD, RESIDUAL, BREAK)
