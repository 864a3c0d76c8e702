"""The exercises of notebooks/05_optimizers.ipynb: questions, worked solutions, usual mistakes.

The gradients are given, as if they had come from a network: what is asked is where to go with them. Each
truth runs a rule of helpers/functional/optimizers.py, which has its own proof;
tests/exercises/test_exercises_optimizers.py compares it with torch.optim once more. Two more of the notebook
are in helpers/exercises/questions/steps.py.
"""
import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.grading import Exercise, Mistake, compare_nan
from helpers.functional.optimizers import adamw, heavy_ball


def _random(rng, *shape, most=29):
    """Whole numbers, easy to read; none is zero."""
    return rng.integers(1, most + 1, shape) * rng.choice([-1.0, 1.0], shape)


# --- momentum with weight decay ---------------------------------------------------------------

def momentum_by_hand(W, dC0, eta, gamma, lam):
    """Momentum in the note's form, on C = C0 + λ/2·‖W‖².

    W (n,), dC0 (steps, m, n): at each step every sample's gradient,
    eta (steps,): the learning rate of each step → W (n,) after the last step.
    """
    v = np.zeros_like(W)
    for t in range(len(eta)):
        g = dC0[t].mean(axis=0) + lam * W   # the gradient of all of C
        v = gamma * v + eta[t] * g
        W = W - v
    return W


def _momentum_cases(rng):
    """One step and one sample first, then rates that change."""
    for steps, m, n in ((1, 1, 1), (1, 2, 2), (2, 1, 1), (3, 2, 2), (4, 3, 2), (3, 2, 4)):
        yield {"W": _random(rng, n, most=9), "dC0": _random(rng, steps, m, n, most=20),
               "eta": rng.permutation(np.arange(1, steps + 1)) / 20, "gamma": 0.8, "lam": 0.3}


def _true_momentum(W, dC0, eta, gamma, lam):
    state = None
    for g, rate in zip(dC0.mean(axis=1), eta, strict=True):
        W, state = heavy_ball(W, g, state, lr=rate, momentum=gamma, weight_decay=lam)
    return W


def _stepping(velocity, move=lambda W, v, *_: W - v, mean=lambda d: d.mean(0)):
    """A mistake in one line of the loop; velocity and move see (W, v, g, η, γ, λ), move the new v."""
    def wrong(W, dC0, eta, gamma, lam):
        v = np.zeros_like(W)
        for d, rate in zip(dC0, eta, strict=True):
            rest = (mean(d), rate, gamma, lam)
            v = velocity(W, v, *rest)
            W = move(W, v, *rest)
        return W
    return wrong


def _note(W, v, g, η, γ, λ):
    return γ * v + η * (g + λ * W)


def _decayed(decay):
    """A mistake in λ·W, and nowhere else; decay sees (W, λ)."""
    return _stepping(lambda W, v, g, η, γ, λ: γ * v + η * (g + decay(W, λ)))


def _of_given(change):
    """The right rule with something else given."""
    return lambda *given: _true_momentum(*change(*given))


def _late(W, dC0, eta, gamma, lam):
    v = np.zeros_like(W)
    for d, rate in zip(dC0, eta, strict=True):
        W, v = W - v, _note(W, v, d.mean(0), rate, gamma, lam)
    return W


_IN_TORCH = _stepping(lambda W, v, g, η, γ, λ: γ * v + g + λ * W, lambda W, v, g, η, *_: W - η * v)
_NO_MEAN = _of_given(lambda W, d, *rest: (W, d.sum(1, keepdims=True), *rest))
_NO_DECAY = _of_given(lambda W, d, eta, gamma, lam: (W, d, eta, gamma, 0.0))
_DECOUPLED = _stepping(lambda W, v, g, η, γ, λ: γ * v + η * g, lambda W, v, g, η, γ, λ: W - v - η * λ * W)
_FIRST_RATE = _of_given(lambda W, d, eta, *rest: (W, d, np.full_like(eta, eta[0]), *rest))
_LAST_RATE = _of_given(lambda W, d, eta, *rest: (W, d, np.full_like(eta, eta[-1]), *rest))
_UNRATED = _stepping(lambda W, v, g, η, γ, λ: γ * v + η * g + λ * W)
_MEAN_OF_ALL = _stepping(_note, mean=np.mean)


def _decay_over_m(W, dC0, eta, gamma, lam):
    return _true_momentum(W, dC0, eta, gamma, lam / dC0.shape[1])


MOMENTUM = Exercise(
    "optimizers.momentum", "Momentum with weight decay", momentum_by_hand, _true_momentum, _momentum_cases,
    mistakes=(
        Mistake("m forgotten", "The samples' gradients are added up. C0 is a mean over the samples, so its "
                "gradient is one too: `dC0.mean(axis=1)`. As it is, a batch twice as large takes steps twice "
                "as long.",
                _NO_MEAN),
        Mistake("mean over all", "All weights are moved by one number: you averaged over the weights too. "
                "Only the samples, axis 1, are averaged; each weight keeps a gradient of its own.",
                _MEAN_OF_ALL),
        Mistake("last sample", "Only the last sample of each batch counts. The gradient is the mean over all "
                "m.",
                _of_given(lambda W, d, *rest: (W, d[:, -1:], *rest))),
        Mistake("λ forgotten", "λ is not in it: this goes down C0 alone. The gradient of λ/2·‖W‖² is λ·W, "
                "and it is added to the mean of the samples' gradients.",
                _NO_DECAY),
        Mistake("λ divided by m", "λ·W is divided by m. Only C0 is a mean over the samples; λ/2·‖W‖² stands "
                "beside it once, however many they are.",
                _decay_over_m),
        Mistake("2 kept", "The decay is twice what it should be: the ½ of λ/2·‖W‖² takes away the 2 of the "
                "square, and λ·W is left.",
                _decayed(lambda W, λ: 2 * λ * W)),
        Mistake("½ kept", "The decay is half of what it should be. The derivative of λ/2·W² is λ/2·2W = λ·W.",
                _decayed(lambda W, λ: λ / 2 * W)),
        Mistake("square kept", "λ·W² is added where λ·W belongs: of W² the derivative is wanted. A square is "
                "never negative, so it would push negative weights further out.",
                _decayed(lambda W, λ: λ * W**2)),
        Mistake("decay grows", "The sign of λ·W is wrong: here weights grow away from 0. It is added to the "
                "gradient, and the step goes against both.",
                _decayed(lambda W, λ: -λ * W)),
        Mistake("decay of the first W", "λ is multiplied by the W of the start in every step. W moves, and "
                "its decay with it.",
                lambda W, d, eta, gamma, lam: _true_momentum(W, d + lam * W, eta, gamma, 0.0)),
        Mistake("decay after momentum", "The decay passes by the momentum: W loses η·λ·W in each step, and v "
                "knows nothing of it. That is a decoupled decay, as in AdamW. Here λ·W is a part of the "
                "gradient of C, so it goes into v.",
                _DECOUPLED),
        Mistake("decay without η", "The decay is not multiplied by η. λ·W is a part of the gradient: it "
                "belongs inside the bracket, η·(g + λ·W).",
                _UNRATED),
        Mistake("decay after momentum, without η", "W loses λ·W in each step, beside the momentum and "
                "without η. λ·W is a part of the gradient: v ← γ·v + η·(g + λ·W).",
                _stepping(lambda W, v, g, η, γ, λ: γ * v + η * g, lambda W, v, g, η, γ, λ: W - v - λ * W)),
        Mistake("torch's convention", "This is momentum as torch has it, v ← γ·v + g and W ← W − η·v. In the "
                "note's form η counts when the gradient comes: v ← γ·v + η·g and W ← W − v. As long as η "
                "stays the same, nobody can tell; here it changes.",
                _IN_TORCH),
        Mistake("η twice", "η is counted twice, in v and in the step. In the note's form v has it: W ← W − "
                "v.",
                _stepping(_note, lambda W, v, g, η, *_: W - η * v)),
        Mistake("η forgotten", "η is not in it: this is right for η = 1 only. v ← γ·v + η·(g + λ·W).",
                _of_given(lambda W, d, eta, *rest: (W, d, np.ones_like(eta), *rest))),
        Mistake("first rate", "Every step is taken with the first η. Step t has its own, `eta[t]`.",
                _FIRST_RATE),
        Mistake("last rate", "Every step is taken with the last η. Step t has its own, `eta[t]`.",
                _LAST_RATE),
        Mistake("moving average", "v is a moving average, γ·v + (1 − γ)·g, as in Adam. The note's v adds up: "
                "γ·v + η·g, without 1 − γ.",
                _stepping(lambda W, v, g, η, γ, λ: γ * v + (1 - γ) * (g + λ * W),
                          lambda W, v, g, η, *_: W - η * v)),
        Mistake("moving average of steps", "The new gradient is multiplied by 1 − γ, as in a moving average. "
                "The note's v adds up: γ·v + η·g.",
                _stepping(lambda W, v, g, η, γ, λ: γ * v + (1 - γ) * η * (g + λ * W))),
        Mistake("γ on all", "γ is multiplied by the new gradient too. Only the old v is worn down by it: γ·v "
                "+ η·g, not γ·(v + η·g).",
                _stepping(lambda W, v, g, η, γ, λ: γ * (v + η * (g + λ * W)))),
        Mistake("v not kept", "There is no momentum: v begins at 0 in every step, or γ is not used. `v = 0` "
                "stands before the loop, once.",
                _of_given(lambda W, d, eta, gamma, lam: (W, d, eta, 0.0, lam))),
        Mistake("γ forgotten", "The old v is kept whole: γ is not in it. Without friction a ball never comes "
                "to rest. v ← γ·v + η·g.",
                _of_given(lambda W, d, eta, gamma, lam: (W, d, eta, 1.0, lam))),
        Mistake("v against itself", "The momentum brakes: γ·v is subtracted from the new step. It is added, "
                "so that steps in one direction grow longer.",
                _stepping(lambda W, v, g, η, γ, λ: η * (g + λ * W) - γ * v)),
        Mistake("uphill", "The sign of the step is wrong: W + v climbs. v holds +η·g, so it is subtracted.",
                _stepping(_note, lambda W, v, *_: W + v)),
        Mistake("one step late", "W moves by the v of the step before. First comes the new v, then the step.",
                _late),
        Mistake("Nesterov", "This is Nesterov's momentum, W ← W − (γ·v + η·g) with the new v. Plain momentum "
                "goes along v itself.",
                _stepping(_note, lambda W, v, g, η, γ, λ: W - γ * v - η * (g + λ * W))),
        Mistake("first step only", "Only the first step is taken. Is the `return` inside the loop?",
                _of_given(lambda W, d, eta, *rest: (W, d[:1], eta[:1], *rest))),
        Mistake("last step only", "Only the last step counts: W or v is set back in the loop.",
                _of_given(lambda W, d, eta, *rest: (W, d[-1:], eta[-1:], *rest))),
    ),
    hints=("What is the gradient of C with respect to W when C0 is a mean over the samples? Which part of it "
           "is given, and which must you add?",
           "g = mean of the samples' gradients + λ·W. In the note's form v collects steps, so today's η "
           "is in it: v ← γ·v + η·g, then W ← W − v."))


# --- AdamW ------------------------------------------------------------------------------------

def adamw_by_hand(W, dW, eta, betas, eps, lam):
    """AdamW: both means corrected for their start at 0, the decay decoupled.

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


def _adam_cases(rng):
    """ε is large, so that its place shows; one step first, where a mean holds one gradient."""
    for steps, n in ((1, 1), (2, 1), (2, 2), (3, 2), (5, 3), (4, 5)):
        yield {"W": _random(rng, n, most=9), "dW": _random(rng, steps, n) / 10, "eta": 0.5,
               "betas": (0.8, 0.95), "eps": 0.1, "lam": 0.2}


def _true_adamw(W, dW, eta, betas, eps, lam):
    state = None
    for g in dW:
        W, state = adamw(W, g, state, lr=eta, betas=betas, eps=eps, weight_decay=lam)
    return W


def _grow(mean, new, β):
    return β * mean + (1 - β) * new


def _adam(m_of=_grow, s_of=lambda s, g, β, m: _grow(s, g**2, β), power=lambda t: (t, t), keep=False,
          step=lambda m, s, ε: m / (np.sqrt(s) + ε), move=lambda W, d, η, λ: W - η * λ * W - η * d,
          coupled=lambda W, λ: 0):
    """A mistake in one place; power gives t for each correction, ∞ for none, keep keeps what is corrected."""
    def wrong(W, dW, eta, betas, eps, lam):
        m, s = np.zeros_like(W), np.zeros_like(W)
        for t, g in enumerate(dW, start=1):
            g = g + coupled(W, lam)
            m = m_of(m, g, betas[0])
            s = s_of(s, g, betas[1], m)
            with np.errstate(all="ignore"):
                powers = power(t)
                hats = [mean / (1 - np.float64(betas[i])**powers[i]) for i, mean in enumerate((m, s))]
                W = move(W, step(*hats, eps), eta, lam)
            m, s = hats if keep else (m, s)
        return W
    return wrong


def _given_adam(change):
    """The right rule with something else given."""
    return lambda *given: _true_adamw(*change(*given))


def _eps_before(W, dW, eta, betas, eps, lam):
    """(√s + ε) divided by √(1 − β₂ᵗ): ε divided too, in every step by another number."""
    m, s = np.zeros_like(W), np.zeros_like(W)
    for t, g in enumerate(dW, start=1):
        m, s = _grow(m, g, betas[0]), _grow(s, g**2, betas[1])
        rate = eta * np.sqrt(1 - betas[1]**t) / (1 - betas[0]**t)
        W = W - eta * lam * W - rate * m / (np.sqrt(s) + eps)
    return W


NONE = np.inf    # β^∞ is 0: nothing is corrected
ADAM = Exercise(
    "optimizers.adamw", "AdamW, derived and written", adamw_by_hand, _true_adamw, _adam_cases,
    judge=compare_nan,
    mistakes=(
        Mistake("no correction", "The correction for the start at 0 is missing. After t steps the weights in "
                "m add up to 1 − β₁ᵗ, not to 1: divide by that, and s by 1 − β₂ᵗ.",
                _adam(power=lambda t: (NONE, NONE))),
        Mistake("m not corrected", "s is corrected, m is not: the first steps are too short. m̂ = m/(1 − "
                "β₁ᵗ).",
                _adam(power=lambda t: (NONE, t))),
        Mistake("s not corrected", "m is corrected, s is not: √s is too small at first, and the steps too "
                "long. ŝ = s/(1 − β₂ᵗ).",
                _adam(power=lambda t: (t, NONE))),
        Mistake("t stands still", "The correction is 1 − β in every step. It is 1 − βᵗ, and t counts the "
                "steps: it comes to 1, and the correction fades.",
                _adam(power=lambda t: (1, 1))),
        Mistake("t from 0", "It is NaN from the first step on: t counts from 0, and 1 − β⁰ is 0. The first "
                "step is t = 1; `enumerate(dW, start=1)` counts so.",
                _adam(power=lambda t: (t - 1, t - 1))),
        Mistake("t one ahead", "t is one ahead: the first step is corrected with 1 − β². Has it been counted "
                "twice?",
                _adam(power=lambda t: (t + 1, t + 1))),
        Mistake("correction kept", "The corrected means are kept and grow on. m and s stay as they are; m̂ "
                "and ŝ are made anew from them in each step, and used once.",
                _adam(keep=True)),
        Mistake("ε under the root", "ε stands under the root: √(ŝ + ε). It is outside: √ŝ + ε. For a small ŝ "
                "the two are far apart.",
                _adam(step=lambda m, s, ε: m / np.sqrt(s + ε))),
        Mistake("ε before the correction", "ε is added to √s, before the correction, which then divides ε as "
                "well. First ŝ = s/(1 − β₂ᵗ), then √ŝ + ε.",
                _eps_before),
        Mistake("ε forgotten", "ε is missing in the denominator: √ŝ + ε. Without it, a gradient of 0 ends in "
                "0/0.",
                _adam(step=lambda m, s, ε: m / np.sqrt(s))),
        Mistake("β₁ and β₂ exchanged", "β₁ and β₂ are exchanged: β₁ belongs to m, the mean of the gradients, "
                "β₂ to s.",
                _given_adam(lambda W, d, eta, betas, *rest: (W, d, eta, betas[::-1], *rest))),
        Mistake("β and 1 − β exchanged", "β multiplies the new gradient and 1 − β the old mean. It is the "
                "other way round: β·m + (1 − β)·g, a long memory.",
                _adam(m_of=lambda m, g, β: _grow(m, g, 1 - β),
                      s_of=lambda s, g, β, m: _grow(s, g**2, 1 - β))),
        Mistake("sums", "m and s grow by g and g² whole: sums that fade, not means. The new one is "
                "multiplied by 1 − β.",
                _adam(m_of=lambda m, g, β: β * m + g, s_of=lambda s, g, β, m: β * s + g**2)),
        Mistake("g for g²", "s is a mean of g, not of g². It may be negative, and its root is NaN then.",
                _adam(s_of=lambda s, g, β, m: _grow(s, g, β))),
        Mistake("|g| for g²", "s is a mean of the sizes |g|. It is a mean of the squares g², of which the "
                "root is taken.",
                _adam(s_of=lambda s, g, β, m: _grow(s, np.abs(g), β))),
        Mistake("m² for g²", "s is a mean of m². It is one of g²: of the squares of the gradients, not of "
                "their mean.",
                _adam(s_of=lambda s, g, β, m: _grow(s, m**2, β))),
        Mistake("no root", "The root is missing: m̂ is divided by √ŝ + ε. Without it, the step has the unit "
                "of 1/gradient.",
                _adam(step=lambda m, s, ε: m / (s + ε))),
        Mistake("g for m̂", "The step goes along the newest gradient: that is RMSProp with a correction. "
                "Adam goes along m̂.",
                _adam(m_of=lambda m, g, β: g, power=lambda t: (NONE, t))),
        Mistake("not divided", "m̂ is not divided by √ŝ + ε: that is momentum. The division gives every "
                "weight a step of its own size.",
                _adam(step=lambda m, s, ε: m)),
        Mistake("L2", "λ·W is added to the gradient: that is L2 inside Adam. It is divided by √ŝ like all "
                "else, so that weights with large gradients hardly decay. AdamW lets every weight lose the "
                "same share: W − η·λ·W.",
                _adam(move=lambda W, d, η, λ: W - η * d, coupled=lambda W, λ: λ * W)),
        Mistake("decay divided", "λ·W is added to m̂ and divided by √ŝ + ε with it. The decay of AdamW is "
                "not divided: W − η·λ·W.",
                _adam(step=lambda m, s, ε: (m, np.sqrt(s) + ε),
                      move=lambda W, d, η, λ: W - η * (d[0] + λ * W) / d[1])),
        Mistake("decay without η", "The decay is not multiplied by η. In AdamW a schedule of η slows both: W "
                "− η·λ·W.",
                _adam(move=lambda W, d, η, λ: W - λ * W - η * d)),
        Mistake("decay after the step", "The decay comes after the step, and takes a share of it too. It is "
                "taken of the W from before the step.",
                _adam(move=lambda W, d, η, λ: (1 - η * λ) * (W - η * d))),
        Mistake("λ forgotten", "This is Adam; λ is not in it. AdamW subtracts η·λ·W as well.",
                _adam(move=lambda W, d, η, λ: W - η * d)),
        Mistake("decay grows", "The sign of the decay is wrong: here weights grow away from 0. W − η·λ·W.",
                _adam(move=lambda W, d, η, λ: W + η * λ * W - η * d)),
        Mistake("uphill", "The sign of the step is wrong: it climbs. W − η·m̂/(√ŝ + ε).",
                _adam(move=lambda W, d, η, λ: W - η * λ * W + η * d)),
        Mistake("memory lost", "m and s begin at 0 in every step: the two zeros stand before the loop, once.",
                _adam(m_of=lambda m, g, β: (1 - β) * g, s_of=lambda s, g, β, m: (1 - β) * g**2)),
        Mistake("first step only", "Only the first step is taken. Is the `return` inside the loop?",
                _given_adam(lambda W, d, *rest: (W, d[:1], *rest))),
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
        W = W - eta[t] * v      # torch's convention: η counts here
    return W


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones."""
    yield {"W": np.array([1.0, 3]), "dC0": np.full((3, 1, 2), 2.0), "eta": np.full(3, 0.1),
           "gamma": 0.5, "lam": 0.0}
    yield from list(_momentum_cases(rng))[2:]


HOLES = (
    Mistake("torch's convention", "An η that never changes hides in which line it is counted: this is "
            "torch's convention, v ← γ·v + g and W ← W − η·v.",
            wrong_momentum),
    Mistake("first rate", "An η that never changes hides that every step takes the first one.",
            _FIRST_RATE),
    Mistake("last rate", "An η that never changes hides that every step takes the last one.",
            _LAST_RATE),
    Mistake("no decay", "λ = 0 hides that there is no decay at all.",
            _NO_DECAY),
    Mistake("decay after momentum", "λ = 0 hides that the decay passes by the momentum, as in AdamW.",
            _DECOUPLED),
    Mistake("decay without η", "λ = 0 hides that the decay is not multiplied by η.",
            _UNRATED),
    Mistake("decay grows", "λ = 0 hides that the decay has the wrong sign.",
            _decayed(lambda W, λ: -λ * W)),
    Mistake("square kept", "λ = 0 hides that the decay is λ·W² and not λ·W.",
            _decayed(lambda W, λ: λ * W**2)),
    Mistake("λ divided by m", "λ = 0, and a batch of one, hide that λ·W is divided by the number of samples.",
            _decay_over_m),
    Mistake("m forgotten", "A batch of one hides that the samples' gradients are added up, and not averaged.",
            _NO_MEAN),
    Mistake("last sample", "A batch of one hides that only its last sample counts.",
            _of_given(lambda W, d, *rest: (W, d[:, -1:], *rest))),
    Mistake("mean over all", "Gradients that are all alike hide that they were averaged over the weights "
            "too.",
            _MEAN_OF_ALL),
    Mistake("first gradient", "Gradients that never change hide that every step takes the first one.",
            _of_given(lambda W, d, *rest: (W, np.broadcast_to(d[:1], d.shape), *rest))),
    Mistake("1 − γ", "γ = ½ hides that 1 − γ was taken for γ.",
            _of_given(lambda W, d, eta, gamma, lam: (W, d, eta, 1 - gamma, lam))),
)


BREAK = break_it(
    "optimizers.break_it", "Break it: a wrong momentum that a weak test accepts",
    wrong_momentum, _true_momentum, _weak_and_honest, HOLES,
    hints=("The weak test takes three steps with one η, one gradient, one sample, λ = 0 and γ = ½. Which "
           "line may you change without any effect there?",
           "Three conventions of momentum are equal as long as η stays the same. Which of them is not the "
           "note's?"))


EXERCISES = (MOMENTUM, ADAM, BREAK)
