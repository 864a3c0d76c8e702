"""The exercises of notebooks/05_optimizers.ipynb: questions, worked solutions, usual mistakes.

The gradients are given, as if they had come from a network: the exercises ask for the updates. Each truth
runs a rule of helpers/functional/optimizers.py, which has its own tests. Two more exercises of the notebook
are in helpers/exercises/questions/steps.py.
"""
import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.grading import compare_nan
from helpers.exercises.hostile import scaled, whole
from helpers.functional.optimizers import adamw, heavy_ball

# --- momentum with weight decay ---------------------------------------------------------------

def momentum_by_hand(W, dC0, eta, gamma, lam):
    """Gradient descent with the note's momentum, on C = C0 + λ/2·‖W‖².

    W (n,), dC0 (steps, m, n): at each step every sample's gradient,
    eta (steps,): the learning rate of each step → W (n,) after the last step.
    """
    v = np.zeros_like(W)
    for t in range(len(eta)):
        g = dC0[t].mean(axis=0) + lam * W   # the gradient of all of C
        v = gamma * v + eta[t] * g
        W = W - v
    return W


@scaled("W", "dC0")
def _momentum_cases(rng):
    """One step and one sample first, then rates that change."""
    for (steps, m, n), gamma, lam in (
            ((1, 1, 1), 0.8, 0.3), ((1, 2, 2), 0.5, 0.2), ((2, 1, 1), 0.8, 0.1), ((3, 2, 2), 0.9, 0.3),
            ((4, 3, 2), 0.6, 0.5), ((3, 2, 4), 0.7, 0.4), ((2, 4, 3), 0.4, 0.6)):
        yield {"W": whole(rng, n, most=9), "dC0": whole(rng, steps, m, n, most=20),
               "eta": rng.permutation(np.arange(1, steps + 1)) / 20, "gamma": gamma, "lam": lam}


def _true_momentum(W, dC0, eta, gamma, lam):
    state = None
    for g, rate in zip(dC0.mean(axis=1), eta, strict=True):
        W, state = heavy_ball(W, g, state, lr=rate, momentum=gamma, weight_decay=lam)
    return W


MOMENTUM = Exercise(
    "optimizers.momentum", "Momentum with weight decay", momentum_by_hand, _true_momentum, _momentum_cases,
    mistakes=(
        Mistake("m forgotten", "The samples' gradients are added up. C0 is a mean over the samples, so its "
                "gradient is one too: `dC0.mean(axis=1)`. As it is, a batch twice as large takes steps twice "
                "as long.", "mean(axis=0) → sum(axis=0)"),
        Mistake("mean over all", "All weights are moved by one number: you averaged over the weights too. "
                "Only the samples, axis 1, are averaged; each weight keeps a gradient of its own.",
                "mean(axis=0) → mean()"),
        Mistake("last sample", "Only the last sample of each batch counts. The gradient is the mean over all "
                "m.", "dC0[t].mean(axis=0) → dC0[t][-1]"),
        Mistake("λ forgotten", "λ is not used: this minimises C0 alone. The gradient of λ/2·‖W‖² is λ·W, and "
                "it is added to the mean of the samples' gradients.", "+ lam * W →"),
        Mistake("λ divided by m", "λ·W is divided by m. Only C0 is a mean over the samples; λ/2·‖W‖² is "
                "added to it once, whatever m is.", "lam * W → lam * W / dC0.shape[1]"),
        Mistake("2 kept", "The decay is twice what it should be: the ½ of λ/2·‖W‖² cancels the 2 from the "
                "square, and λ·W is left.", "lam * W → 2 * lam * W"),
        Mistake("½ kept", "The decay is half of what it should be. The derivative of λ/2·W² is λ/2·2W = λ·W.",
                "lam * W → lam / 2 * W"),
        Mistake("square kept", "λ·W² is added where λ·W belongs: the derivative of λ/2·W² is λ·W. A square "
                "is never negative, so it would push negative weights further out.", "lam * W → lam * W**2"),
        Mistake("decay grows", "The sign of λ·W is wrong: here weights grow away from 0. λ·W is added to the "
                "gradient, and the step is subtracted.", "+ lam * W → - lam * W"),
        Mistake("decay of the first W", "λ is multiplied by the first W in every step. The decay uses the "
                "current W.", ("np.zeros_like(W) → np.zeros_like(W); first = W", "lam * W → lam * first")),
        Mistake("decay after momentum", "The decay is not in v: W loses η·λ·W in each step, beside the "
                "momentum. That is a decoupled decay, as in AdamW. Here λ·W is a part of the gradient of C, "
                "so it goes into v.", ("+ lam * W →", "W - v → W - v - eta[t] * lam * W")),
        Mistake("decay after the step", "The decay is not in v: after its step W loses a fraction η·λ of the "
                "new W. Here λ·W is a part of the gradient of C, taken at the old W.",
                ("+ lam * W →", "W - v → (1 - eta[t] * lam) * (W - v)")),
        Mistake("decay without η", "The decay is not multiplied by η. λ·W is a part of the gradient: it "
                "belongs inside the bracket, η·(g + λ·W).",
                ("+ lam * W →", "gamma * v + eta[t] * g → gamma * v + eta[t] * g + lam * W")),
        Mistake("decay after momentum, without η", "W loses λ·W in each step, beside the momentum and "
                "without η. λ·W is a part of the gradient: v ← γ·v + η·(g + λ·W).",
                ("+ lam * W →", "W - v → W - v - lam * W")),
        Mistake("torch's convention", "This is torch's momentum, v ← γ·v + g and W ← W − η·v. In the note's "
                "form η multiplies the gradient: v ← γ·v + η·g and W ← W − v. As long as η stays the same, "
                "both give the same W; here η changes.", ("eta[t] * g → g", "W - v → W - eta[t] * v")),
        Mistake("η twice", "η is used twice, in v and in the step. In the note's form v contains η: W ← W − "
                "v.", "W - v → W - eta[t] * v"),
        Mistake("η forgotten", "η is not used: this is right for η = 1 only. v ← γ·v + η·(g + λ·W).",
                "eta[t] * g → g"),
        Mistake("first rate", "Every step is taken with the first η. Step t has its own, `eta[t]`.",
                "eta[t] → eta[0]"),
        Mistake("last rate", "Every step is taken with the last η. Step t has its own, `eta[t]`.",
                "eta[t] → eta[-1]"),
        Mistake("moving average", "v is a moving average, γ·v + (1 − γ)·g, as in Adam. The note's v adds up: "
                "γ·v + η·g, without 1 − γ.", ("eta[t] * g → (1 - gamma) * g", "W - v → W - eta[t] * v")),
        Mistake("moving average of steps", "The new gradient is multiplied by 1 − γ, as in a moving average. "
                "The note's v adds up: γ·v + η·g.", "eta[t] * g → (1 - gamma) * eta[t] * g"),
        Mistake("γ on all", "γ is multiplied by the new gradient too. It multiplies the old v alone: γ·v + "
                "η·g, not γ·(v + η·g).", "gamma * v + eta[t] * g → gamma * (v + eta[t] * g)"),
        Mistake("v not kept", "There is no momentum: v begins at 0 in every step, or γ is not used. `v = 0` "
                "stands before the loop, once.", "gamma * v + →"),
        Mistake("γ forgotten", "γ is not used: all of the old v is kept, like a ball without friction. v ← "
                "γ·v + η·g.", "gamma * v → v"),
        Mistake("v against itself", "The sign of γ·v is wrong: it is subtracted from the new step. It is "
                "added, so that steps in one direction grow longer.",
                "gamma * v + eta[t] * g → eta[t] * g - gamma * v"),
        Mistake("uphill", "The sign of the step is wrong: W + v goes uphill. v holds +η·g, so subtract it.",
                "W - v → W + v"),
        Mistake("one step late", "W moves by the v of the step before. First compute the new v, then step.",
                ("v = gamma * v + eta[t] * g → old, v = v, gamma * v + eta[t] * g", "W - v → W - old")),
        Mistake("Nesterov", "This is Nesterov's momentum, W ← W − (γ·v + η·g) with the new v. Plain momentum "
                "subtracts v itself.", "W - v → W - gamma * v - eta[t] * g"),
        Mistake("first step only", "Only the first step is taken. Is the `return` inside the loop?",
                "range(len(eta)) → range(1)"),
        Mistake("last step only", "Only the last step counts: is W or v reset in the loop?",
                "range(len(eta)) → [-1]"),
    ),
    hints=("What is the gradient of C with respect to W when C0 is a mean over the samples? Which part of it "
           "is given, and which must you add?",
           "g = mean of the samples' gradients + λ·W. In the note's form v contains the η of its step: "
           "v ← γ·v + η·g, then W ← W − v."))


# --- AdamW ------------------------------------------------------------------------------------

def adamw_by_hand(W, dW, eta, betas, eps, lam):
    """AdamW: bias-corrected moving averages, decoupled weight decay.

    W (n,), dW (steps, n): one gradient for each step, betas (β₁, β₂),
    eps outside the root, lam is λ → W (n,) after the last step.
    """
    m, s = np.zeros_like(W), np.zeros_like(W)
    for t, g in enumerate(dW, start=1):
        m = betas[0] * m + (1 - betas[0]) * g
        s = betas[1] * s + (1 - betas[1]) * g**2
        m_hat = m / (1 - betas[0]**t)       # at step t, the weights in m
        s_hat = s / (1 - betas[1]**t)       # add up to 1 − β₁ᵗ only
        W = W - eta * lam * W - eta * m_hat / (np.sqrt(s_hat) + eps)
    return W


@scaled("W")
def _adam_cases(rng):
    """ε is large, so that a misplaced ε shows; first a single step, where a mean holds one gradient."""
    for (steps, n), eta, betas, eps, lam in (
            ((1, 1), 0.5, (0.8, 0.95), 0.1, 0.2), ((2, 1), 0.3, (0.8, 0.95), 0.2, 0.1),
            ((2, 2), 0.5, (0.7, 0.9), 0.3, 0.4), ((3, 2), 0.2, (0.6, 0.95), 0.1, 0.3),
            ((5, 3), 0.4, (0.9, 0.8), 0.2, 0.2), ((4, 5), 0.1, (0.5, 0.7), 0.4, 0.5)):
        yield {"W": whole(rng, n, most=9), "dW": whole(rng, steps, n) / 10, "eta": eta,
               "betas": betas, "eps": eps, "lam": lam}


def _true_adamw(W, dW, eta, betas, eps, lam):
    state = None
    for g in dW:
        W, state = adamw(W, g, state, lr=eta, betas=betas, eps=eps, weight_decay=lam)
    return W


ADAM = Exercise(
    "optimizers.adamw", "AdamW, derived and written", adamw_by_hand, _true_adamw, _adam_cases,
    judge=compare_nan,
    mistakes=(
        Mistake("no correction", "The bias correction is missing. After t steps the weights in m add up to "
                "1 − β₁ᵗ, not to 1: divide m by that, and s by 1 − β₂ᵗ.",
                ("m / (1 - betas[0]**t) → m", "s / (1 - betas[1]**t) → s")),
        Mistake("m not corrected", "s is corrected, m is not: the first steps are too short. m̂ = m/(1 − "
                "β₁ᵗ).", "m / (1 - betas[0]**t) → m"),
        Mistake("s not corrected", "m is corrected, s is not: √s is too small at first, and the steps too "
                "long. ŝ = s/(1 − β₂ᵗ).", "s / (1 - betas[1]**t) → s"),
        Mistake("t stands still", "You divide by 1 − β in every step. The divisor is 1 − βᵗ, and t counts "
                "the steps: it approaches 1.", "**t →"),
        Mistake("t from 0", "Every number is NaN: does t count from 0? 1 − β⁰ is 0. The first step is "
                "t = 1, as in `enumerate(dW, start=1)`.", "start=1 → start=0"),
        Mistake("t one ahead", "t is one ahead: the first step is corrected with 1 − β². Has it been counted "
                "twice?", "start=1 → start=2"),
        Mistake("correction kept", "The corrected means replace m and s. m and s stay as they are; m̂ and ŝ "
                "are computed from them anew in each step, and used once.",
                ("m_hat = → m = m_hat =", "s_hat = → s = s_hat =")),
        Mistake("ε under the root", "ε stands under the root: √(ŝ + ε). It is outside: √ŝ + ε. For a small ŝ "
                "the two are far apart.", "np.sqrt(s_hat) + eps → np.sqrt(s_hat + eps)"),
        Mistake("ε before the correction", "ε is added to √s, before the bias correction, which then divides "
                "ε as well. First ŝ = s/(1 − β₂ᵗ), then √ŝ + ε.",
                "(np.sqrt(s_hat) + eps) → (np.sqrt(s) + eps) * np.sqrt(1 - betas[1]**t)"),
        Mistake("ε forgotten", "ε is missing in the denominator: √ŝ + ε. Without it, a gradient of 0 ends in "
                "0/0.", "+ eps →"),
        Mistake("β₁ and β₂ exchanged", "β₁ and β₂ are exchanged: β₁ belongs to m, the mean of the gradients, "
                "β₂ to s.", "m, s = → betas = betas[::-1]; m, s ="),
        Mistake("β and 1 − β exchanged", "β multiplies the new gradient and 1 − β the old mean. It is the "
                "other way round: β·m + (1 − β)·g.",
                ("betas[0] * m + (1 - betas[0]) → (1 - betas[0]) * m + betas[0]",
                 "betas[1] * s + (1 - betas[1]) → (1 - betas[1]) * s + betas[1]")),
        Mistake("1 − β for β", "β₁ and β₂ are read as the weights of the new gradient, in the correction "
                "too. They are the weights of the old means: β·m + (1 − β)·g.",
                "m, s = → betas = 1 - betas[0], 1 - betas[1]; m, s ="),
        Mistake("sums", "The factor 1 − β is missing: m and s are decaying sums, not means. It multiplies g "
                "and g².", ("(1 - betas[0]) * g → g", "(1 - betas[1]) * g → g")),
        Mistake("g for g²", "s is a mean of g, not of g². It may be negative, and its root is NaN then.",
                "g**2 → g"),
        Mistake("|g| for g²", "s is a mean of |g|. It should be a mean of the squares g², whose root is "
                "taken.", "g**2 → np.abs(g)"),
        Mistake("m² for g²", "s is a mean of m². It should be a mean of g², the squares of the gradients, "
                "not of their mean.", "g**2 → m**2"),
        Mistake("AMSGrad", "ŝ never falls: this is AMSGrad, which divides by the largest ŝ so far. Adam "
                "divides by the ŝ of this step.",
                ("m, s = → top = 0; m, s =",
                 "s_hat = s / (1 - betas[1]**t) → s_hat = top = np.maximum(top, s / (1 - betas[1]**t))")),
        Mistake("no root", "The root is missing: m̂ is divided by √ŝ + ε. Without it, the step has the unit "
                "of 1/gradient.", "np.sqrt(s_hat) → s_hat"),
        Mistake("g for m̂", "The step uses the newest gradient: that is RMSProp with a bias correction. Adam "
                "uses m̂.", "m / (1 - betas[0]**t) → g"),
        Mistake("not divided", "m̂ is not divided by √ŝ + ε: that is momentum. The division gives every "
                "weight a learning rate of its own.", "/ (np.sqrt(s_hat) + eps) →"),
        Mistake("L2", "λ·W is added to the gradient: that is L2 inside Adam. λ·W is then divided by √ŝ too, "
                "so that weights with large gradients hardly decay. In AdamW every weight loses the same "
                "fraction: W − η·λ·W.", ("eta * lam * W - →", "m = betas → g = g + lam * W; m = betas")),
        Mistake("decay divided", "λ·W is added to m̂ and divided by √ŝ + ε with it. The decay of AdamW is "
                "not divided: W − η·λ·W.", ("eta * lam * W - →", "m_hat / (np → (m_hat + lam * W) / (np")),
        Mistake("decay divided, without η", "λ·W is divided by √ŝ + ε and not multiplied by η. The decay of "
                "AdamW is the other way round: W − η·λ·W.",
                "W - eta * lam * W - eta * m_hat / → W - (eta * m_hat + lam * W) /"),
        Mistake("decay without η", "The decay is not multiplied by η. In AdamW a schedule of η scales both: "
                "W − η·λ·W.", "eta * lam → lam"),
        Mistake("decay after the step", "The decay comes after the step, and takes a fraction of the new W. "
                "It takes a fraction of the W before the step.",
                ("W - eta * lam * W - → (1 - eta * lam) * (W -", "+ eps) → + eps))")),
        Mistake("λ forgotten", "This is Adam; λ is not used. AdamW subtracts η·λ·W as well.",
                "eta * lam * W - →"),
        Mistake("decay grows", "The sign of the decay is wrong: here weights grow away from 0. W − η·λ·W.",
                "W - eta * lam → W + eta * lam"),
        Mistake("uphill", "The sign of the step is wrong: it goes uphill. W − η·m̂/(√ŝ + ε).",
                "- eta * m_hat → + eta * m_hat"),
        Mistake("memory lost", "m and s are set to 0 in every step. Set them to 0 once, before the loop.",
                ("betas[0] * m + →", "betas[1] * s + →")),
        Mistake("first step only", "Only the first step is taken. Is the `return` inside the loop?",
                "enumerate(dW → enumerate(dW[:1]"),
    ),
    hints=("Let all gradients be the same g. What is m after one step, after two, after t? By what do you "
           "divide to get g back? And s?",
           "m is (1 − β₁ᵗ)·g then, so m̂ = m/(1 − β₁ᵗ); s likewise. The step is η·m̂/(√ŝ + ε). Where would "
           "λ·W go so that it is divided by nothing?"))


# --- break it ---------------------------------------------------------------------------------

def wrong_momentum(W, dC0, eta, gamma, lam):
    """A wrong momentum in the note's form that the weak test accepts.

    W (n,), dC0 (steps, m, n), eta (steps,) → W (n,) after the last step.
    """
    v = np.zeros_like(W)
    for t in range(len(eta)):
        v = gamma * v + dC0[t].mean(axis=0) + lam * W
        W = W - eta[t] * v      # torch's convention: η multiplies v
    return W


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones."""
    yield {"W": np.array([1.0, 3]), "dC0": np.full((3, 1, 2), 2.0), "eta": np.full(3, 0.1),
           "gamma": 0.5, "lam": 0.0}
    yield from list(_momentum_cases(rng))[2:6]


HOLES = (
    Mistake("torch's convention", "A constant η hides in which line it is used: this is torch's convention, "
            "v ← γ·v + g and W ← W − η·v.", wrong_momentum),
    Mistake("first rate", "A constant η hides that every step uses the first one.", "eta[t] → eta[0]"),
    Mistake("last rate", "A constant η hides that every step uses the last one.", "eta[t] → eta[-1]"),
    Mistake("no decay", "λ = 0 hides that there is no decay at all.", "+ lam * W →"),
    Mistake("decay after momentum", "λ = 0 hides that the decay is not in v, as in AdamW.",
            ("+ lam * W →", "W - v → W - v - eta[t] * lam * W")),
    Mistake("decay without η", "λ = 0 hides that the decay is not multiplied by η.",
            ("+ lam * W →", "gamma * v + eta[t] * g → gamma * v + eta[t] * g + lam * W")),
    Mistake("decay grows", "λ = 0 hides that the decay has the wrong sign.", "+ lam * W → - lam * W"),
    Mistake("square kept", "λ = 0 hides that the decay is λ·W² and not λ·W.", "lam * W → lam * W**2"),
    Mistake("λ divided by m", "λ = 0, and a batch of one, hide that λ·W is divided by the number of samples.",
            "lam * W → lam * W / dC0.shape[1]"),
    Mistake("m forgotten", "A batch of one hides that the samples' gradients are added up, and not averaged.",
            "mean(axis=0) → sum(axis=0)"),
    Mistake("last sample", "A batch of one hides that only its last sample counts.",
            "dC0[t].mean(axis=0) → dC0[t][-1]"),
    Mistake("mean over all", "Equal gradients hide that they are averaged over the weights too.",
            "mean(axis=0) → mean()"),
    Mistake("first gradient", "Gradients that never change hide that every step uses the first one.",
            "dC0[t] → dC0[0]"),
    Mistake("1 − γ", "γ = ½ hides that 1 − γ is used instead of γ.", "gamma * v → (1 - gamma) * v"),
)


BREAK = break_it(
    "optimizers.break_it", "Break it: a wrong momentum that a weak test accepts",
    wrong_momentum, _true_momentum, _weak_and_honest, HOLES, right=momentum_by_hand,
    hints=("The weak test takes three steps with a constant η and gradient, one sample, λ = 0 and γ = ½. "
           "Which line can you change without any effect there?",
           "Three conventions of momentum are equal as long as η stays the same. Which two of them are "
           "not the note's?"))


EXERCISES = (MOMENTUM, ADAM, BREAK)
