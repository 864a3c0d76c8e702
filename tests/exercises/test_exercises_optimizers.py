"""The exercises of notebook 05: right by torch, and right about what learners really write.

tests/exercises/test_exercises.py asks of these exercises what it asks of all; this is what it does not know.
"""
import math

import exercise_checks
import numpy as np
import pytest
import torch

from helpers.exercises import break_it
from helpers.exercises.grading import find, grade
from helpers.exercises.questions import optimizers as optimizers
from helpers.exercises.questions import steps as steps

ASKED = ["steps.clip", "optimizers.momentum", "steps.warmup_cosine", "optimizers.adamw",
         "optimizers.break_it"]


# --- what torch says --------------------------------------------------------------------------

def clip(dW, db, max_norm):
    parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in (dW, db)]
    for parameter, g in zip(parameters, (dW, db), strict=True):
        parameter.grad = g.clone()
    torch.nn.utils.clip_grad_norm_(parameters, max_norm)
    return torch.column_stack([parameter.grad for parameter in parameters])


def momentum(W, dC0, eta, gamma, lam):
    """torch's momentum at rate 1, of a cost that is multiplied by η: then its v is the note's."""
    W = torch.nn.Parameter(W.clone())
    optimizer = torch.optim.SGD([W], lr=1.0, momentum=gamma)
    for samples, rate in zip(dC0, eta, strict=True):
        optimizer.zero_grad()
        C0 = torch.stack([g @ W for g in samples]).mean()      # a cost of those gradients
        (rate * (C0 + lam / 2 * (W**2).sum())).backward()
        optimizer.step()
    return W.detach()


def rates(eta, warmup, T_max, start, eta_min):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=eta)
    up = torch.optim.lr_scheduler.LinearLR(optimizer, start, total_iters=warmup)
    down = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max, eta_min)
    schedule, found = torch.optim.lr_scheduler.SequentialLR(optimizer, [up, down], [warmup]), []
    for _ in range(warmup + T_max + 1):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return torch.tensor(found, dtype=torch.float64)


def adamw(W, dW, eta, betas, eps, lam):
    W = torch.nn.Parameter(W.clone())
    optimizer = torch.optim.AdamW([W], lr=eta, betas=betas, eps=eps, weight_decay=lam)
    for g in dW:
        W.grad = g.clone()
        optimizer.step()
    return W.detach()


IN_TORCH = {"steps.clip": clip, "steps.warmup_cosine": rates, "optimizers.momentum": momentum,
            "optimizers.adamw": adamw, "optimizers.break_it": momentum}


def test_torch_is_asked_about_every_exercise():
    assert list(IN_TORCH) == [e.name for module in (steps, optimizers) for e in module.EXERCISES]
    assert set(ASKED) == set(IN_TORCH)


@pytest.mark.parametrize("name", IN_TORCH)
def test_the_truth_is_that_of_torch_and_no_mistake_is(name):
    exercise_checks.check_truth(find(name), IN_TORCH)


def test_another_torch_is_noticed():
    """The comparison can fail: Adam for AdamW, torch's convention for the note's, a norm for each."""
    def adam(W, dW, eta, betas, eps, lam):
        return adamw(W, dW, eta, betas, eps, 0.0)

    def late(W, dC0, eta, gamma, lam):
        return momentum(W, dC0, eta.flip(0), gamma, lam)

    def each(dW, db, max_norm):
        return torch.column_stack([clip(dW, 0 * db, max_norm)[:, :-1], clip(0 * dW, db, max_norm)[:, -1]])
    for name, wrong in {"optimizers.adamw": adam, "optimizers.momentum": late, "steps.clip": each}.items():
        with pytest.raises(AssertionError, match="torch differs"):
            exercise_checks.check_truth(find(name), {name: wrong})


# --- the inputs -------------------------------------------------------------------------------

def test_clippings_inputs_are_too_long_together_and_short_apart():
    kinds = set()
    for case in steps.CLIP.inputs():
        dW, db, most = case.values()
        parts, together = [np.linalg.norm(dW), np.linalg.norm(db)], np.hypot(*map(np.linalg.norm, (dW, db)))
        kinds.add(("long" if together > most else "short", sum(part > most for part in parts)))
    assert {("short", 0), ("long", 2)} <= kinds and kinds & {("long", 0), ("long", 1)}


def test_rates_change_from_step_to_step_and_batches_are_larger_than_one():
    for case in optimizers.MOMENTUM.inputs()[2:]:
        assert len(set(case["eta"])) == len(case["eta"]) > 1
    assert sum(case["dC0"].shape[1] > 1 for case in optimizers.MOMENTUM.inputs()) >= 3
    for case in optimizers.BREAK.inputs()[1:]:
        assert case["lam"] and len(set(case["eta"])) > 1


def test_eps_counts_in_every_input_of_adamw():
    for case in optimizers.ADAM.inputs():
        other = optimizers.ADAM.truth(*{**case, "eps": 1e-8}.values())
        assert np.abs(other - optimizers.ADAM.truth(*case.values())).max() > 1e-3


def test_the_weak_test_is_what_the_notebook_says():
    W, dC0, eta, gamma, lam = optimizers.BREAK.inputs()[0].values()
    assert W.tolist() == [1, 3] and dC0.shape == (3, 1, 2) and (dC0 == 2).all()
    assert (eta == 0.1).all() and gamma == 0.5 and lam == 0 and len(optimizers.BREAK.inputs()) == 1 + 4


# --- break it ---------------------------------------------------------------------------------

@pytest.mark.parametrize("hole", optimizers.HOLES, ids=lambda hole: hole.name)
def test_every_hole_of_the_weak_test_is_recognised(hole):
    exercise_checks.check_hole(optimizers.BREAK, hole)


def test_no_two_holes_are_the_same():
    exercise_checks.check_holes_differ(optimizers.BREAK, optimizers.HOLES)


def run(step, W, dC0, eta, gamma, lam):
    """Momentum as people write it; step(W, v, g, η, γ, λ) → W, v is the line in its middle."""
    v = np.zeros(W.shape)
    for t in range(len(dC0)):
        W, v = step(W, v, dC0[t].mean(0), eta[t], gamma, lam)
    return W


def noted(W, v, g, η, γ, λ):
    v = γ * v + η * (g + λ * W)
    return W - v, v


@pytest.mark.parametrize("function, mistake", [
    (lambda *given: run(noted, *given), "right"),
    (lambda W, dC0, eta, gamma, lam: W - eta[0] * dC0[0].mean(0), "rejected"),
    (lambda W, *rest: run(noted, W, *rest)[:1] if len(W) < 2 else run(noted, W, *rest)[:, None], "rejected"),
    (lambda W, d, eta, γ, lam: run(noted, W, d, eta, γ, lam) / (np.nan if lam else 1), "not finite"),
    (lambda W, d, eta, γ, lam: run(noted, W, d, eta, γ, lam) * (np.ones((2, 1)) if lam else 1), "shape"),
])
def test_what_is_no_way_through_does_not_pass(function, mistake):
    verdict = grade("optimizers.break_it", function)
    assert verdict.mistake == mistake and not verdict.passed


def test_a_hole_that_has_no_name_passes():
    def only_two(W, dC0, eta, gamma, lam):
        return run(noted, W, dC0, eta, gamma, lam) + (len(eta) > 3)
    verdict = grade("optimizers.break_it", only_two)
    assert verdict.passed and verdict.sentence.endswith(break_it.OWN)


# --- the notebook -----------------------------------------------------------------------------

def test_the_notebook_asks_every_exercise_in_order():
    exercise_checks.check_asked("05", ASKED)


def test_the_notebook_says_how_many_holes_are_known_by_name():
    exercise_checks.check_counted("05", optimizers.HOLES)


# --- ways in which people come by a mistake, written as they write them ---------------------------

def in_a_run(step):
    return lambda *given: run(step, *given)


def torchs(W, v, g, η, γ, λ):
    v = γ * v + g + λ * W
    return W - η * v, v


def scaled_before(W, v, g, η, γ, λ):
    W = (1 - η * λ) * W
    v = γ * v + η * g
    return W - v, v


def averaged(W, v, g, η, γ, λ):
    v = γ * v + (1 - γ) * (g + λ * W)
    return W - η * v, v


def moved_first(W, v, g, η, γ, λ):
    return W - v, γ * v + η * (g + λ * W)


def added(W, v, g, η, γ, λ):
    v = γ * v - η * (g + λ * W)
    return W - v, v


def summed(W, dC0, eta, gamma, lam):
    v = np.zeros(W.shape)
    for t in range(len(dC0)):
        g = sum(dC0[t]) + lam * W
        v = gamma * v + eta[t] * g
        W = W - v
    return W


def per_sample(W, dC0, eta, gamma, lam):
    v = np.zeros(W.shape)
    for t in range(len(dC0)):
        g = (dC0[t].sum(0) + lam * W) / dC0.shape[1]
        v = gamma * v + eta[t] * g
        W = W - v
    return W


def adam_of(line, start=1, *, root_first=False):
    """AdamW as people write it; line(W, g, m, s, t, η, βs, ε, λ) → W, m, s."""
    def function(W, dW, eta, betas, eps, lam):
        m, s = np.zeros(W.shape), np.zeros(W.shape)
        with np.errstate(all="ignore"):
            for t in range(len(dW)):
                W, m, s = line(W, dW[t], m, s, t + start, eta, betas, eps, lam)
        return W
    return function


def means(m, s, g, βs):
    return m + (1 - βs[0]) * (g - m), s + (1 - βs[1]) * (g * g - s)


def as_adam(W, g, m, s, t, η, βs, ε, λ):
    m, s = means(m, s, g + λ * W, βs)
    return W - η * (m / (1 - βs[0]**t)) / (ε + (s / (1 - βs[1]**t))**0.5), m, s


def as_adamw(W, g, m, s, t, η, βs, ε, λ, *, power=0, inside=0.0, correct=1):
    m, s = means(m, s, g, βs)
    p = t + power
    m_hat, s_hat = (m / (1 - βs[0]**p), s / (1 - βs[1]**p)) if correct else (m, s)
    return (1 - η * λ) * W - η * m_hat / ((s_hat + inside * ε)**0.5 + (1 - inside) * ε), m, s


def varied(**how):
    return adam_of(lambda *given: as_adamw(*given, **how))


def corrected_in_place(W, g, m, s, t, η, βs, ε, λ):
    m, s = means(m, s, g, βs)
    m, s = m / (1 - βs[0]**t), s / (1 - βs[1]**t)
    return W - η * (m / (np.sqrt(s) + ε) + λ * W), m, s


def decayed_last(W, g, m, s, t, η, βs, ε, λ):
    W, m, s = as_adamw(W, g, m, s, t, η, βs, ε, 0)
    return W - η * λ * W, m, s


def rate_by_rate(up, down, more=1):
    """A warm-up and a cosine in a loop."""
    def function(eta, warmup, T_max, start, eta_min):
        return np.array([up(t, eta, warmup, start) if t < warmup else down(t, eta, warmup, T_max, eta_min)
                         for t in range(warmup + T_max + more)])
    return function


def climbs(t, eta, warmup, start):
    return start * eta + t / warmup * (eta - start * eta)


def falls(t, eta, warmup, T_max, eta_min):
    return eta_min + (eta - eta_min) / 2 * (1 + math.cos(math.pi * (t - warmup) / T_max))


def joined(eta, warmup, T_max, start, eta_min):
    """Two pieces by linspace, of which the first has its end as well."""
    angle = np.linspace(0, np.pi, T_max + 1)
    return np.concatenate([np.linspace(start * eta, eta, warmup),
                           eta_min + (eta - eta_min) * (1 + np.cos(angle)) / 2])


def both_of(dW, db):
    return np.hstack([dW, db[:, None]])


def cut(norm, *, at=lambda norm, most: norm > most):
    """Clipping with an if."""
    def function(dW, db, most):
        both = both_of(dW, db)
        length = norm(both)
        return both * most / (length + 1e-6) if at(length, most) else both
    return function


@pytest.mark.parametrize("name, function, mistake", [
    ("steps.clip", cut(lambda g: (g**2).sum()), "no root"),
    ("steps.clip", cut(lambda g: abs(g).max()), "largest entry"),
    ("steps.clip", cut(lambda g: np.linalg.norm(g, np.inf)), None),
    ("steps.clip", cut(lambda g: np.linalg.norm(g, 2)), "matrix norm"),
    ("steps.clip", cut(lambda g: abs(g).sum()), "sum of sizes"),
    ("steps.clip", cut(np.linalg.norm, at=lambda norm, most: True), "always max_norm"),
    ("steps.clip", lambda dW, db, most: both_of(*(g * min(1, most / (np.sqrt((g * g).sum()) + 1e-6))
                                                   for g in (dW, db))), "each by itself"),
    ("steps.clip", lambda dW, db, most: both_of(np.clip(dW, -most, most), np.clip(db, -most, most)),
     "by value"),
    ("steps.clip", lambda dW, db, most: both_of(dW, db) / max(1, np.linalg.norm(both_of(dW, db)) / most),
     "no 1e-6"),
    ("optimizers.momentum", in_a_run(torchs), "torch's convention"),
    ("optimizers.momentum", in_a_run(scaled_before), "decay after momentum"),
    ("optimizers.momentum", in_a_run(averaged), "moving average"),
    ("optimizers.momentum", in_a_run(moved_first), "one step late"),
    ("optimizers.momentum", in_a_run(added), "uphill"),
    ("optimizers.momentum", summed, "m forgotten"),
    ("optimizers.momentum", per_sample, "λ divided by m"),
    ("optimizers.momentum", lambda W, d, *rest: run(noted, W, d.mean(axis=2, keepdims=True), *rest),
     "mean over all"),
    ("optimizers.momentum", lambda W, d, eta, gamma, lam: run(noted, W, d, eta, gamma, 0), "λ forgotten"),
    ("steps.warmup_cosine", rate_by_rate(climbs, lambda t, eta, warmup, *rest: falls(t, eta, 0, *rest)),
     "cosine does not wait"),
    ("steps.warmup_cosine", rate_by_rate(climbs, lambda t, eta, warmup, T_max, low:
                                         falls(t, eta, warmup, T_max - 1, low)), "T_max − 1"),
    ("steps.warmup_cosine", rate_by_rate(lambda t, *rest: climbs(t + 1, *rest), falls),
     "warm-up one step early"),
    ("steps.warmup_cosine", rate_by_rate(climbs, falls, more=0), "one rate too few"),
    ("steps.warmup_cosine", rate_by_rate(climbs, lambda t, eta, warmup, T_max, low:
        low + (eta - low) / 2 * (1 + math.cos(180 * (t - warmup) / T_max))), "degrees"),
    ("steps.warmup_cosine", joined, "warm-up too steep"),
    ("optimizers.adamw", adam_of(as_adam), "L2"),
    ("optimizers.adamw", varied(correct=0), "no correction"),
    ("optimizers.adamw", varied(inside=1.0), "ε under the root"),
    ("optimizers.adamw", varied(power=1), "t one ahead"),
    ("optimizers.adamw", adam_of(as_adamw, start=0), "t from 0"),
    ("optimizers.adamw", adam_of(corrected_in_place), "correction kept"),
    ("optimizers.adamw", adam_of(decayed_last), "decay after the step"),
    ("optimizers.adamw", lambda W, dW, eta, betas, *rest:
        adam_of(as_adamw)(W, dW, eta, betas[::-1], *rest), "β₁ and β₂ exchanged"),
    ("optimizers.adamw", lambda W, dW, eta, betas, eps, lam:
        adam_of(as_adamw)(W, dW, eta, betas, eps, 0), "λ forgotten"),
    ("optimizers.adamw", lambda W, dW, eta, betas, eps, lam:
        adam_of(as_adamw)(W, dW, eta, betas, eps, lam / eta), "decay without η"),
])
def test_a_mistake_is_named_however_it_is_written(name, function, mistake):
    verdict = grade(name, function)
    assert verdict.mistake == mistake and not verdict.passed, verdict
    known = {m.name: m.sentence for m in find(name).mistakes}
    assert mistake is None or verdict.sentence == known[mistake]


def unpowered(*given):
    W, dW, *rest = given
    return adam_of(as_adamw)(W, dW, *rest) if len(dW) == 1 else np.full(W.shape, np.nan)


@pytest.mark.parametrize("name, function, said", [
    ("optimizers.momentum", lambda *given: -run(noted, *given), "It is right but for its sign."),
    ("optimizers.momentum", lambda W, *rest: run(noted, W, *rest)[None], "It is right but for its shape"),
    ("optimizers.adamw", unpowered, "Right on 1 of 6 inputs. Your answer holds NaN. No usual mistake"),
    ("optimizers.adamw", lambda *given: adam_of(as_adamw)(*given).astype("float32"),
     "It returned numbers of float32; expected float64."),
    ("optimizers.adamw", lambda *given: -varied(correct=0)(*given),
     "Two things are wrong. First, its sign. Second: The correction for the start at 0 is missing."),
    ("steps.warmup_cosine", lambda *given: list(rate_by_rate(climbs, falls)(*given)), "It returned a list;"),
    ("steps.clip", lambda dW, db, most: np.hstack([dW, db]), "ValueError in line"),
])
def test_what_else_is_wrong_is_said(name, function, said):
    verdict = grade(name, function)
    assert verdict.sentence.startswith(said) and not verdict.passed, verdict


# --- arguments that are changed -----------------------------------------------------------------

def moved_in_place(W, dC0, eta, gamma, lam):
    v = np.zeros(W.shape)
    for t in range(len(eta)):
        v = gamma * v + eta[t] * (dC0[t].mean(0) + lam * W)
        W -= v
    return W


def decayed_in_place(W, dW, eta, betas, eps, lam):
    W *= 1 - eta * lam
    return W


def clipped_in_place(dW, db, max_norm):
    norm = np.linalg.norm(both_of(dW, db))
    for g in (dW, db):
        g *= min(1, max_norm / (norm + 1e-6))
    return both_of(dW, db)


@pytest.mark.parametrize("name, function, argument", [
    ("optimizers.momentum", moved_in_place, "W"), ("optimizers.adamw", decayed_in_place, "W"),
    ("steps.clip", clipped_in_place, "dW"),
])
def test_an_argument_that_is_changed_in_place_is_named(name, function, argument):
    verdict = grade(name, function)
    said = f"It changes its argument `{argument}`, which its caller still needs. Work on a copy: "
    assert verdict.sentence.startswith(said) and not verdict.passed, verdict


# --- other right ways ---------------------------------------------------------------------------

def unrolled(W, dC0, eta, gamma, lam):
    """v is the difference of the last two W, and never kept."""
    before = W
    for t in range(len(eta)):
        W, before = W + gamma * (W - before) - eta[t] * (dC0[t].sum(0) / len(dC0[t]) + lam * W), W
    return W


def sum_of_powers(W, dW, eta, betas, eps, lam):
    """The two means by weights that add up to 1: then nothing is left to correct."""
    for t in range(1, len(dW) + 1):
        m, s = (np.average(of[:t], axis=0, weights=β ** np.arange(t)[::-1])
                for of, β in ((dW, betas[0]), (dW**2, betas[1])))
        W = W - eta * (lam * W + m / (np.sqrt(s) + eps))
    return W


@pytest.mark.parametrize("name, function", [
    ("steps.clip", cut(np.linalg.norm)), ("steps.warmup_cosine", rate_by_rate(climbs, falls)),
    ("optimizers.momentum", unrolled), ("optimizers.momentum", in_a_run(noted)),
    ("optimizers.adamw", sum_of_powers), ("optimizers.adamw", adam_of(as_adamw)),
])
def test_other_right_ways_pass(name, function):
    assert grade(name, function).passed
