"""Exercises of notebooks/05_optimizers.ipynb on the size of a step: gradient clipping and schedules.

Each truth is a helper that has its own tests.
"""
import numpy as np

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.hostile import scaled, whole
from helpers.functional.clipping import clip_grad_norm
from helpers.functional.schedules import warmup_cosine

# --- clipping ---------------------------------------------------------------------------------

def clip_by_hand(dW, db, max_norm):
    """Clip dW and db together: scaled to the common norm max_norm at most.

    dW (n, n_prev), db (n,) → [dW | db] (n, n_prev + 1), side by side;
    torch divides by norm + 1e-6, and so do we.
    """
    both = np.column_stack([dW, db])
    norm = np.sqrt((both**2).sum())     # one norm for all numbers
    return both * min(1, max_norm / (norm + 1e-6))


@scaled("dW", "db", "max_norm")
def _clip_cases(rng):
    """Norms above the limit, below it, and one gradient below it where both together are above."""
    sizes = (1, 1, 5.0), (1, 2, 100.0), (2, 1, 5.0), (2, 2, 60.0), (2, 3, 30.0), (3, 4, 12.0)
    for n, n_prev, most in sizes:
        yield {"dW": whole(rng, n, n_prev), "db": whole(rng, n), "max_norm": most}


def _true_clip(dW, db, max_norm):
    (dW, db), _ = clip_grad_norm([dW, db], max_norm)
    return np.column_stack([dW, db])


def _each(dW, db, max_norm):
    return np.column_stack([clip_grad_norm([g], max_norm)[0][0] for g in (dW, db)])


CLIP = Exercise(
    "steps.clip", "Clipping by one norm", clip_by_hand, _true_clip, _clip_cases,
    parts=lambda both: {"dW": both[:, :-1], "db": both[:, -1]},
    mistakes=(
        Mistake("each by itself", "dW and db are clipped each by its own norm, which changes the direction "
                "of the step. All gradients have one norm together, and all are scaled by one factor.",
                _each),
        Mistake("each row by itself", "Every row has a norm of its own here. One norm for all numbers: no "
                "`axis`.", ("(both**2).sum() → (both**2).sum(axis=1, keepdims=True)", "min → np.minimum")),
        Mistake("norm of dW", "The norm is that of dW alone. It includes the numbers of db as well.",
                "both**2 → dW**2"),
        Mistake("norm of db", "The norm is that of db alone. It includes the numbers of dW as well.",
                "both**2 → db**2"),
        Mistake("db as it was", "dW is right, but db was not scaled. The same factor scales both.",
                lambda dW, db, most: np.column_stack([_true_clip(dW, db, most)[:, :-1], db])),
        Mistake("always max_norm", "A gradient below the limit was made larger. Clipping never enlarges: the "
                "factor is 1 at most, `min(1, …)`.", "min(1, max_norm → (max_norm"),
        Mistake("max for min", "`max` stands where `min` should: gradients below the limit are enlarged, and "
                "those above it stay.", "min → max"),
        Mistake("upside down", "The factor is inverted. max_norm / norm is less than 1 for a norm above the "
                "limit.", "max_norm / (norm + 1e-6) → norm / max_norm"),
        Mistake("length 1", "A gradient above the limit gets the norm 1. Its norm should be max_norm: you "
                "only divided by the norm.",
                "min(1, max_norm / (norm + 1e-6)) → (1 if norm <= max_norm else 1 / (norm + 1e-6))"),
        Mistake("dropped", "A gradient above the limit becomes 0. Scale it down: the direction stays.",
                "min(1, max_norm / (norm + 1e-6)) → (norm <= max_norm)"),
        Mistake("no root", "The root of the norm is missing: this is the sum of the squares.", "np.sqrt →"),
        Mistake("square compared", "The square of the norm is compared with max_norm, not the norm: some "
                "gradients are scaled that should not be, or the other way round.",
                "min(1, max_norm / (norm + 1e-6)) → (max_norm / (norm + 1e-6) if norm**2 > max_norm else 1)"),
        Mistake("by value", "Every entry is limited to ±max_norm: that is clipping by value, and it changes "
                "the direction. Multiply all by one factor.",
                "both * min(1, max_norm / (norm + 1e-6)) → np.clip(both, -max_norm, max_norm)"),
        Mistake("largest entry", "You took the largest entry for the norm. The norm is √(sum of all "
                "squares).", "np.sqrt((both**2).sum()) → np.abs(both).max()"),
        Mistake("sum of sizes", "You took the sum of all |g| for the norm. The norm is √(sum of all "
                "squares).", "np.sqrt((both**2).sum()) → np.abs(both).sum()"),
        Mistake("sum of two norms", "You added the norms of dW and db. Their squares add up: √(‖dW‖² + "
                "‖db‖²).", "np.sqrt((both**2).sum()) → np.linalg.norm(dW) + np.linalg.norm(db)"),
        Mistake("mean of squares", "The squares are averaged, so that a large network is hardly ever "
                "clipped. They add up: `sum`, not `mean`.", "sum() → mean()"),
        Mistake("matrix norm", "Did you write `np.linalg.norm(matrix, 2)`? For a matrix that is the largest "
                "singular value. Without the 2 all squares are added up.",
                "np.sqrt((both**2).sum()) → np.linalg.norm(both, 2)"),
        Mistake("no 1e-6", "Only the 1e-6 is missing: torch adds it to the norm, outside the root, so that a "
                "norm of 0 does not divide by 0.", "(norm + 1e-6) → norm"),
        Mistake("db first", "The numbers are right, but db stands in the first column, not in the last.",
                "dW, db → db, dW"),
    ),
    hints=("What is the norm of the one vector that holds every number of dW and every number of db?",
           "norm = √(‖dW‖² + ‖db‖²). If it is above the limit, every number is multiplied by max_norm / "
           "(norm + 1e-6), otherwise by 1: which function of two numbers gives that?"))


# --- warm-up and cosine -----------------------------------------------------------------------

def rates_by_hand(eta, warmup, T_max, start, eta_min):
    """The learning rates: a linear warm-up, then half a cosine wave.

    At step 0 start·eta, at step warmup eta, at step warmup + T_max
    eta_min → (warmup + T_max + 1,).
    """
    t = np.arange(warmup + T_max + 1)
    up = eta * (start + (1 - start) * t / warmup)
    wave = (1 + np.cos(np.pi * (t - warmup) / T_max)) / 2   # from 1 to 0
    return np.where(t < warmup, up, eta_min + (eta - eta_min) * wave)


def _rate_cases(rng):
    for warmup, T_max in ((2, 2), (2, 3), (3, 2), (3, 4), (2, 5), (5, 3), (4, 8)):
        eta, start, low = (int(rng.integers(*ends)) / 20 for ends in ((6, 20), (2, 8), (1, 5)))
        yield {"eta": eta, "warmup": warmup, "T_max": T_max, "start": start, "eta_min": low}


def _true_rates(eta, warmup, T_max, start, eta_min):
    return warmup_cosine(np.arange(warmup + T_max + 1), eta, warmup, T_max, start, eta_min)


RATES = Exercise(
    "steps.warmup_cosine", "Warm-up and cosine", rates_by_hand, _true_rates, _rate_cases,
    mistakes=(
        Mistake("off by one", "Every learning rate comes one step early: this is that of step t + 1. Steps "
                "count from 0, and step 0 has start·eta.", "T_max + 1) → T_max + 1) + 1"),
        Mistake("warm-up one step early", "The warm-up is one step ahead: step 0 has start·eta, so t / "
                "warmup is 0 there, not (t + 1) / warmup.", "t / warmup → (t + 1) / warmup"),
        Mistake("step 0 above the start", "The warm-up is divided into warmup + 1 steps, and step 0 has gone "
                "the first of them. From step 0, with start·eta, to step warmup there are warmup steps.",
                "t / warmup → (t + 1) / (warmup + 1)"),
        Mistake("warm-up too steep", "The warm-up ends one step early: from step 0 to step warmup there are "
                "warmup steps, not warmup − 1. `np.linspace(…, warmup)` counts the points, and has one step "
                "fewer.", "/ warmup → / (warmup - 1)"),
        Mistake("cosine one step early", "The cosine is one step ahead. It begins at step warmup with eta: "
                "there t − warmup is 0.", "t - warmup → t - warmup + 1"),
        Mistake("T_max − 1", "The cosine is at eta_min one step early: it takes T_max steps, not T_max − 1.",
                "/ T_max → / (T_max - 1)"),
        Mistake("T_max + 1", "The cosine does not reach eta_min: it takes T_max steps, not T_max + 1.",
                "/ T_max → / (T_max + 1)"),
        Mistake("cosine does not wait", "The cosine begins at step 0, during the warm-up. It begins at step "
                "warmup: its argument is t − warmup.", "(t - warmup) → t"),
        Mistake("over all steps", "The cosine is stretched over all warmup + T_max steps. It has T_max of "
                "them, and begins after the warm-up.", "(t - warmup) / T_max → t / (warmup + T_max)"),
        Mistake("both at once", "Warm-up and cosine are multiplied. One comes after the other: the cosine "
                "begins when the warm-up is over.",
                ("(t - warmup) → t", "* wave) → * wave))",
                 "np.where(t < warmup, up, → (np.minimum(up / eta, 1) * (")),
        Mistake("no warm-up", "The warm-up is flat: every step before warmup has the full eta.",
                "warmup, up → warmup, eta"),
        Mistake("from 0", "The warm-up begins at 0, a step of length 0. It begins at start·eta.",
                "start + (1 - start) * t → t"),
        Mistake("geometric", "The warm-up grows by a factor in each step. A linear one grows by the same "
                "amount: eta·(start + (1 − start)·t/warmup).",
                "eta * (start + (1 - start) * t / warmup) → eta * start**(1 - t / warmup)"),
        Mistake("start as a rate", "`start` is used as a learning rate. It is a fraction of eta: the first "
                "learning rate is start·eta.",
                "eta * (start + (1 - start) * t / warmup) → start + (eta - start) * t / warmup"),
        Mistake("over the top", "The warm-up rises by eta, from start·eta to above it. It rises by (1 − "
                "start)·eta.", "(1 - start) * t → t"),
        Mistake("degrees", "The angle is in degrees. `np.cos` takes radians: half a turn is π, not 180.",
                "np.pi → 180"),
        Mistake("no π", "π is missing: at T_max the angle is 1, and half a turn is π.", "np.pi * →"),
        Mistake("whole wave", "The angle runs through a whole turn, 2π, so that η comes back up to eta. It "
                "is half a turn, π.", "np.pi → 2 * np.pi"),
        Mistake("quarter of a wave", "This is a quarter of a wave, cos(π/2·…), which is steep at the end. "
                "Half a wave, raised and halved, is flat at both ends: (1 + cos(π·…))/2.",
                "(1 + np.cos(np.pi * (t - warmup) / T_max)) / 2 → np.cos(np.pi / 2 * (t - warmup) / T_max)"),
        Mistake("cosine not lifted", "The cosine runs from 1 to −1, and η falls below eta_min. (1 + cos)/2 "
                "runs from 1 to 0.",
                "(1 + np.cos(np.pi * (t - warmup) / T_max)) / 2 → np.cos(np.pi * (t - warmup) / T_max)"),
        Mistake("½ forgotten", "The ½ is missing: 1 + cos runs from 2 to 0, and η jumps up when the warm-up "
                "ends.", "T_max)) / 2 → T_max))"),
        Mistake("upside down", "The wave is inverted: 1 − cos begins at 0 and rises. It is 1 + cos.",
                "1 + np.cos → 1 - np.cos"),
        Mistake("straight down", "It goes down in a straight line. The cosine is flat at both ends and steep "
                "between.", "(1 + np.cos(np.pi * (t - warmup) / T_max)) / 2 → 1 - (t - warmup) / T_max"),
        Mistake("eta_min forgotten", "It ends at 0. The lowest η is eta_min: the wave multiplies eta − "
                "eta_min, and eta_min is added.", "eta_min + (eta - eta_min) → eta"),
        Mistake("eta_min on top", "eta_min is added to a wave of height eta, so that it begins above eta. "
                "The height of the wave is eta − eta_min.", "(eta - eta_min) → eta"),
        Mistake("eta_min as a floor", "The wave goes down to 0 and is cut off at eta_min. It comes down to "
                "eta_min by itself when its height is eta − eta_min.",
                "eta_min + (eta - eta_min) * wave → np.maximum(eta_min, eta * wave)"),
        Mistake("one rate too few", "The last one is missing: from 0 to warmup + T_max there are warmup + "
                "T_max + 1 steps. `np.arange(n)` ends at n − 1.", "T_max + 1 → T_max"),
    ),
    hints=("Three points first: what is η at step 0, at step warmup, at the last step? Then a line between "
           "the first two, and a wave between the last two.",
           "The line: eta·(start + (1 − start)·t/warmup). The wave: (1 + cos(π·u))/2 runs from 1 to 0 while "
           "u = (t − warmup)/T_max runs from 0 to 1; it multiplies eta − eta_min."))


EXERCISES = (CLIP, RATES)
