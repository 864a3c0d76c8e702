"""Update rules and optimizers against torch.optim, step by step; plausible wrong rules do not follow it."""
import copy
import functools
import inspect
import math
import textwrap
from functools import partial

import numpy as np
import pytest
import torch
from checks import refused
from numpy import sqrt
from source_lines import code_lines

from helpers.functional import optimizers
from helpers.functional.clipping import clip_grad_norm
from helpers.functional.optimizers import adagrad, adam, adamw, averaged_momentum, heavy_ball, rmsprop, sgd
from helpers.functional.schedules import warmup_cosine
from helpers.nn import optim
from helpers.nn.layer import Parameter
from helpers.nn.modules import Linear, Sequential, Tanh

torch.set_num_threads(1)
# SequentialLR of older torchs warns of a step that it takes itself.
pytestmark = pytest.mark.filterwarnings("error", "ignore:The epoch parameter in `scheduler.step")

STEPS = 100
SHAPES = (4, 3), (3,), (), (2, 3, 1, 2)
CLOSE = {np.float64: 1e-12, np.float32: 1e-4}
BOTH = pytest.mark.parametrize("dtype", CLOSE)
T = torch.optim


# --- the comparison: a rule follows its twin for 100 steps -----------------------------------

def frozen(array, dtype):
    """An array that raises an error when somebody writes into it."""
    array = np.array(array, dtype)
    array.flags.writeable = False
    return array


@functools.cache
def weights(dtype):
    rng = np.random.default_rng(0)
    return tuple(frozen(rng.normal(size=shape), dtype) for shape in SHAPES)


@functools.cache
def gradients(dtype):
    """100 × one gradient for each weight: large and small, now and then none at all, one that is always 0."""
    rng = np.random.default_rng(1)
    scales = [10.0 ** rng.integers(-4, 2) * (t % 7 != 3) for t in range(STEPS)]
    return [[frozen(scale * rng.normal(size=shape) * (shape != SHAPES[1]), dtype) for shape in SHAPES]
            for scale in scales]


def rates(lr):
    """The learning rate at every step: it rises, falls, drops and is 0 for a while."""
    return [lr * abs(math.cos(t / 9)) * (1 if t < 60 else 0.1) * (not 30 < t < 35) for t in range(STEPS)]


def constant(lr):
    """One learning rate at every step."""
    return [lr] * STEPS


def in_torch(make, dtype, lrs):
    """All weights after each step, as torch goes."""
    parameters = [torch.nn.Parameter(torch.tensor(W)) for W in weights(dtype)]
    optimizer = make(parameters)
    for lr, grads in zip(lrs, gradients(dtype), strict=True):
        optimizer.param_groups[0]["lr"] = lr
        for parameter, g in zip(parameters, grads, strict=True):
            parameter.grad = torch.tensor(g)
        optimizer.step()
        yield [parameter.detach().numpy().copy() for parameter in parameters]


def by_hand(rule, dtype, lrs, options):
    """All weights after each step of a bare rule, on arrays that cannot be written into."""
    Ws, states = weights(dtype), [None] * len(SHAPES)
    for lr, grads in zip(lrs, gradients(dtype), strict=True):
        steps = [rule(W, g, s, lr=lr, **options) for W, g, s in zip(Ws, grads, states, strict=True)]
        Ws, states = [W for W, _ in steps], [s for _, s in steps]
        for array in [*Ws, *(part for s in states for part in s if isinstance(part, np.ndarray))]:
            array.flags.writeable = False
        yield Ws


def apart(ours, theirs, dtype):
    """The largest ‖a − b‖/‖b‖ of any weight at any step; a NaN is infinitely far.

    On its way through 0 a weight has no more digits than it had before: ‖b‖ is the largest so far.
    """
    worst, sizes, count = 0.0, [0.0] * len(SHAPES), 0
    for pair in zip(ours, theirs, strict=True):
        for i, (a, b) in enumerate(zip(*pair, strict=True)):
            assert a.shape == b.shape and a.dtype == b.dtype == dtype, (a.dtype, b.dtype, a.shape, b.shape)
            with np.errstate(all="ignore"):
                sizes[i] = max(sizes[i], np.linalg.norm(b))
                error = np.linalg.norm(a - b) / sizes[i]
            worst, count = max(worst, error if np.isfinite(error) else np.inf), count + 1
    assert count == STEPS * len(SHAPES)
    return worst


SMALL = {"weight_decay": 0.03}
CASES = [   # a rule, its class in torch, η, options: those of both
    (sgd, T.SGD, 0.1, {}),
    (sgd, T.SGD, 0.1, SMALL),
    (sgd, T.SGD, 0.1, {"momentum": 0.9}),
    (sgd, T.SGD, 0.1, {"momentum": 0.9, **SMALL}),
    (sgd, T.SGD, 0.1, {"momentum": 0.8, "dampening": 0.3, **SMALL}),
    (sgd, T.SGD, 0.1, {"dampening": 0.5}),
    (sgd, T.SGD, 0.1, {"momentum": 0.9, "nesterov": True, **SMALL}),
    (adagrad, T.Adagrad, 0.1, {}),
    (adagrad, T.Adagrad, 0.1, {"eps": 0.1, "lr_decay": 0.02, "initial_accumulator_value": 0.3, **SMALL}),
    (rmsprop, T.RMSprop, 0.01, {}),
    (rmsprop, T.RMSprop, 0.01, {"eps": 0.1, "alpha": 0.7, **SMALL}),
    (rmsprop, T.RMSprop, 0.01, {"eps": 0.1, "momentum": 0.9, "alpha": 0.9}),
    (rmsprop, T.RMSprop, 0.01, {"centered": True, "alpha": 0.9, "momentum": 0.5}),
    (rmsprop, T.RMSprop, 0.01, {"centered": True, "eps": 0.1, **SMALL}),
    (adam, T.Adam, 0.01, {}),
    (adam, T.Adam, 0.01, {"eps": 0.1, "betas": (0.8, 0.95), **SMALL}),
    (adam, T.Adam, 0.01, SMALL),
    (adamw, T.AdamW, 0.01, {}),
    (adamw, T.AdamW, 0.01, {"eps": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.3}),
]
RULES = {rule.__name__: rule for rule in (sgd, heavy_ball, averaged_momentum, adagrad, rmsprop, adam, adamw)}


def case_name(case):
    return case.__name__ if callable(case) else str(case)


def follows(rule, twin, lr, options, dtype=np.float64, rates=rates):
    """How far a rule is from torch's optimizer of the same options."""
    ours = by_hand(rule, dtype, rates(lr), options)
    return apart(ours, reference(twin, lr, tuple(options.items()), dtype, rates), dtype)


@functools.cache
def reference(twin, lr, options, dtype, rates):
    """torch's way, which right and wrong rules are compared with."""
    return list(in_torch(lambda ps: twin(ps, lr=lr, **dict(options)), dtype, rates(lr)))


@BOTH
@pytest.mark.parametrize("rule, twin, lr, options", CASES, ids=case_name)
def test_rules_follow_torch(rule, twin, lr, options, dtype):
    assert follows(rule, twin, lr, options, dtype) <= CLOSE[dtype]


def test_gradients_are_hostile():
    """What the comparison feeds the rules: zeros everywhere, a weight without gradient, seven decades."""
    steps = list(gradients(np.float64))
    assert sum(not any(g.any() for g in grads) for grads in steps) > 10
    assert not any(grads[1].any() for grads in steps) and all(W.all() for W in weights(np.float64))
    sizes = np.abs(np.concatenate([grads[0].ravel() for grads in steps if grads[0].any()]))
    assert sizes.max() / np.quantile(sizes, 0.01) > 1e5


def preset(make):
    """torch's SGD with a momentum buffer that begins at zero instead of the first gradient."""
    def made(parameters):
        optimizer = make(parameters)
        for parameter in parameters:
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return optimizer
    return made


@BOTH
def test_a_moving_average_is_torch_with_a_dampening_that_starts_at_zero(dtype):
    options, lrs = {"momentum": 0.8, **SMALL}, rates(0.1)
    make = preset(lambda parameters: T.SGD(parameters, lr=0.1, dampening=0.8, **options))
    ours = by_hand(averaged_momentum, dtype, lrs, options)
    assert apart(ours, in_torch(make, dtype, lrs), dtype) <= CLOSE[dtype]


class NoteInTorch(T.SGD):
    """v = γv + η∂C/∂W, W −= v: torch's momentum at rate 1, of gradients that are multiplied by η before."""

    def step(self):
        group = self.param_groups[0]
        η, group["lr"] = group["lr"], 1.0
        for parameter in group["params"]:
            parameter.grad = η * (parameter.grad + 0.03 * parameter.detach())
        super().step()


@BOTH
def test_the_note(dtype):
    lrs = rates(0.1)
    theirs = in_torch(lambda parameters: NoteInTorch(parameters, momentum=0.8), dtype, lrs)
    assert apart(by_hand(heavy_ball, dtype, lrs, {"momentum": 0.8, **SMALL}), theirs, dtype) <= CLOSE[dtype]


def test_three_conventions_of_momentum():
    """Equal at a constant rate, the average after a division by 1 − γ; apart as soon as the rate drops."""
    def run(rule, lrs, **options):
        return by_hand(rule, np.float64, lrs, {"momentum": 0.9, **options})

    even, larger = constant(0.1), constant(0.1 / (1 - 0.9))
    assert apart(run(heavy_ball, even), run(sgd, even), np.float64) < 1e-12
    assert apart(run(averaged_momentum, larger), run(sgd, even), np.float64) < 1e-12
    drop = [0.1] * 60 + [0.01] * 40
    note, torchs = list(run(heavy_ball, drop)), list(run(sgd, drop))
    np.testing.assert_allclose(note[59][0], torchs[59][0], rtol=1e-12)
    assert np.abs(note[61][0] - torchs[61][0]).max() > 1e-3


# --- wrong rules, written as somebody might, through the same comparison ---------------------

def written(text, **defaults):
    """A rule from the lines of its body, with the names of the right ones."""
    body = "\n".join(f"    {line.strip()}" for line in text.strip().splitlines())
    space = {"sqrt": sqrt, "abs": abs, "maximum": np.maximum}
    arguments = ", ".join(f"{name}={value!r}" for name, value in defaults.items())
    exec(f"def rule(W, dW, state, lr, {arguments}):\n{body}\n", space)

    def rule(W, dW, state, **options):
        with np.errstate(all="ignore"):
            W, state = space["rule"](W, dW, state or (0, 0, 0), **options)
        return np.asarray(W), state
    return rule


def sgd_of(text):
    return written(text, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False), sgd, T.SGD


def adagrad_of(text):
    options = {"weight_decay": 0.0, "lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10}
    return written(text, **options), adagrad, T.Adagrad


def rmsprop_of(text):
    options = {"alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0, "centered": False}
    return written(text, **options), rmsprop, T.RMSprop


def adam_of(text, right=adam, twin=T.Adam, weight_decay=0.0):
    return written(text, betas=(0.9, 0.999), eps=1e-8, weight_decay=weight_decay), right, twin


def adamw_of(text):
    return adam_of(text, adamw, T.AdamW, 0.01)


ADAM = """t, m, s = state
          t, g = t + 1, dW + weight_decay * W
          m, s = betas[0] * m + (1 - betas[0]) * g, betas[1] * s + (1 - betas[1]) * g**2
          m_hat, s_hat = m / (1 - betas[0]**t), s / (1 - betas[1]**t)
          return W - lr * m_hat / (sqrt(s_hat) + eps), (t, m, s)"""
ADAMW = ADAM.replace("dW + weight_decay * W", "dW").replace(
    "return W - lr", "return W - lr * weight_decay * W - lr")
SGD = """t, v, _ = state
         g = dW + weight_decay * W
         v = momentum * v + (1 - dampening) * g if t and momentum else g
         d = g + momentum * v if nesterov else v
         return W - lr * d, (t + 1, v, 0)"""
ADAGRAD = """t, s, _ = state
             g = dW + weight_decay * W
             s = (s if t else initial_accumulator_value) + g**2
             return W - lr / (1 + t * lr_decay) * g / (sqrt(s) + eps), (t + 1, s, 0)"""
RMSPROP = """s, m, v = state
             g = dW + weight_decay * W
             s, m = alpha * s + (1 - alpha) * g**2, alpha * m + (1 - alpha) * g
             v = momentum * v + g / (sqrt(s - m**2 * centered) + eps)
             return W - lr * v, (s, m, v)"""

NO_DECAY = SGD.replace("dW + weight_decay * W", "dW")
COUNTED = RMSPROP.replace("s, m, v = state", "s, t, v = state; m = 0").replace("(s, m, v)", "(s, t + 1, v)")
UNDIVIDED = RMSPROP.replace(" / (sqrt(s - m**2 * centered) + eps)", "")

HEAVY, DAMPED = {"momentum": 0.9, **SMALL}, {"momentum": 0.8, "dampening": 0.3}
NESTEROV = {"momentum": 0.9, "nesterov": True}
CENTERED = {"centered": True, "alpha": 0.9, "momentum": 0.5}
EPS = {"eps": 0.1}
MISTAKES = {   # the right text, what stands in it, what somebody writes instead, options that show it
    "sgd: the decay has another sign": (sgd_of, SGD, "dW + weight", "dW - weight", SMALL),
    "sgd: the decay comes after the momentum":
        (sgd_of, NO_DECAY, "lr * d,", "lr * (d + weight_decay * W),", HEAVY),
    "sgd: the decay is not multiplied by the rate":
        (sgd_of, NO_DECAY, "lr * d,", "lr * d - weight_decay * W,", SMALL),
    "sgd: the momentum is a moving average": (sgd_of, SGD, "(1 - dampening)", "(1 - momentum)", HEAVY),
    "sgd: the dampening damps the first step too": (sgd_of, SGD, " if t and momentum else g", "", DAMPED),
    "sgd: the dampening damps without a momentum": (sgd_of, SGD, "t and momentum", "t", {"dampening": 0.5}),
    "sgd: the dampening is forgotten": (sgd_of, SGD, "(1 - dampening) * ", "", DAMPED),
    "sgd: Nesterov goes along v + γ·v": (sgd_of, SGD, "g + momentum * v", "v + momentum * v", NESTEROV),
    "sgd: Nesterov takes the v of the step before":
        (sgd_of, SGD.replace("_ = state", "_ = state; u = v"), "g + momentum * v", "g + momentum * u",
         NESTEROV),
    "sgd: Nesterov looks back": (sgd_of, SGD, "g + momentum * v", "g - momentum * v", NESTEROV),
    "sgd: Nesterov is forgotten": (sgd_of, SGD, "if nesterov", "if False", NESTEROV),
    "adagrad: ε under the root": (adagrad_of, ADAGRAD, "(sqrt(s) + eps)", "sqrt(s + eps)", EPS),
    "adagrad: ε forgotten": (adagrad_of, ADAGRAD, " + eps", "", EPS),
    "adagrad: without the root": (adagrad_of, ADAGRAD, "sqrt(s)", "s", {}),
    "adagrad: the newest square comes too late":
        (adagrad_of, ADAGRAD.replace("_ = state", "_ = state; old = s"), "sqrt(s)", "sqrt(old)", EPS),
    "adagrad: the rate decays one step early":
        (adagrad_of, ADAGRAD, "t * lr_decay", "(t + 1) * lr_decay", {"lr_decay": 0.02}),
    "adagrad: a square without the decay": (adagrad_of, ADAGRAD, "+ g**2", "+ dW**2", SMALL),
    "adagrad: the sum starts at 0":
        (adagrad_of, ADAGRAD, "(s if t else initial_accumulator_value)", "s",
         {"initial_accumulator_value": 0.3}),
    "rmsprop: ε under the root": (rmsprop_of, RMSPROP, "centered) + eps", "centered + eps)", EPS),
    "rmsprop: α and 1 − α exchanged":
        (rmsprop_of, RMSPROP, "alpha * s + (1 - alpha) * g**2", "(1 - alpha) * s + alpha * g**2", {}),
    "rmsprop: a sum and no mean": (rmsprop_of, RMSPROP, "alpha * s +", "s +", {}),
    "rmsprop: corrected as in Adam":
        (rmsprop_of, COUNTED, "sqrt(s - m**2 * centered)", "sqrt(s / (1 - alpha**(t + 1)))", {}),
    "rmsprop: the mean is not squared": (rmsprop_of, RMSPROP, "m**2 * cent", "abs(m) * cent", CENTERED),
    "rmsprop: not centered": (rmsprop_of, RMSPROP, "m**2 * centered", "0", CENTERED),
    "rmsprop: the momentum comes before the division":
        (rmsprop_of, UNDIVIDED, "lr * v,", "lr * v / (sqrt(s) + eps),", {"momentum": 0.9}),
    "rmsprop: the momentum holds the rate":
        (rmsprop_of, RMSPROP.replace("+ g / (", "+ lr * g / ("), "W - lr * v", "W - v", {"momentum": 0.9}),
    "adam: no bias correction": (adam_of, ADAM, "m / (1 - betas[0]**t), s / (1 - betas[1]**t)", "m, s", {}),
    "adam: the first is not corrected": (adam_of, ADAM, "m / (1 - betas[0]**t)", "m", {}),
    "adam: the second is not corrected": (adam_of, ADAM, "s / (1 - betas[1]**t)", "s", {}),
    "adam: t counts from 0": (adam_of, ADAM, "t, g = t + 1,", "t, g = t + 1e-9 * (t == 0) + (t != 0),", {}),
    "adam: t is one ahead": (adam_of, ADAM, "**t), s", "**(t + 1)), s", {}),
    "adam: ε under the root": (adam_of, ADAM, "(sqrt(s_hat) + eps)", "sqrt(s_hat + eps)", EPS),
    "adam: ε before the correction":
        (adam_of, ADAM, "(sqrt(s_hat) + eps)", "((sqrt(s) + eps) / sqrt(1 - betas[1]**t))", EPS),
    "adam: ε forgotten": (adam_of, ADAM, " + eps", "", EPS),
    "adam: β₁ and β₂ exchanged": (adam_of, ADAM, "s = state", "s = state; betas = betas[::-1]", {}),
    "adam: the gradient is not squared": (adam_of, ADAM, "g**2", "abs(g)", {}),
    "adam: without the root": (adam_of, ADAM, "sqrt(s_hat)", "s_hat", EPS),
    "adam: the decay is decoupled, as in AdamW": (adam_of, ADAMW, "", "", SMALL),
    "adam: the square is without the decay": (adam_of, ADAM, "g**2", "dW**2", SMALL),
    "adamw: the decay is coupled, as in Adam": (adamw_of, ADAM, "", "", SMALL),
    "adamw: the decay is not multiplied by the rate":
        (adamw_of, ADAMW, "lr * weight_decay * W", "weight_decay * W", SMALL),
    "adamw: the decay comes after the step":
        (adamw_of, ADAMW, "W - lr * weight_decay * W - lr * m_hat / (sqrt(s_hat) + eps)",
         "(W - lr * m_hat / (sqrt(s_hat) + eps)) * (1 - lr * weight_decay)", {"weight_decay": 0.3}),
    "adamw: no decay": (adamw_of, ADAMW, "lr * weight_decay * W - ", "", {}),
}
RIGHT = {"sgd": (sgd_of, SGD), "adagrad": (adagrad_of, ADAGRAD), "rmsprop": (rmsprop_of, RMSPROP),
         "adam": (adam_of, ADAM), "adamw": (adamw_of, ADAMW)}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_rule_does_not_follow(name):
    of, text, right_words, wrong_words, options = MISTAKES[name]
    assert right_words in text
    wrong, right, twin = of(text.replace(right_words, wrong_words))
    assert follows(right, twin, 0.1, options) <= 1e-12
    assert follows(wrong, twin, 0.1, options) > 1e-6


@pytest.mark.parametrize("rule, twin, lr, options", CASES, ids=case_name)
def test_the_text_that_the_mistakes_are_made_in_is_right(rule, twin, lr, options):
    """Else a wrong rule might be found for another reason than its mistake."""
    of, text = RIGHT[rule.__name__]
    assert follows(of(text)[0], twin, lr, options) <= 1e-12


def test_the_note_is_not_torch_when_the_rate_changes():
    assert follows(heavy_ball, T.SGD, 0.1, {"momentum": 0.9}, rates=constant) <= 1e-12
    assert follows(heavy_ball, T.SGD, 0.1, {"momentum": 0.9}) > 1e-3


@pytest.mark.parametrize("rule", RULES.values(), ids=case_name)
def test_no_memory_is_the_gradient_itself(rule):
    """Who clips a gradient in place after the step does not change what the rule remembers."""
    W, dW = np.ones(3), np.full(3, 0.5)
    for options in {}, {"weight_decay": 0.0}, {"weight_decay": 0.1}:
        W_new, state = rule(W, dW, None, **options)
        assert not any(np.may_share_memory(a, b) for a in (W_new, *filter(np.ndim, state)) for b in (W, dW))


def test_a_rule_is_ten_lines_at_most():
    """Its head and its body, without the docstring: so that the rules can be laid side by side."""
    for rule in RULES.values():
        text = textwrap.dedent(inspect.getsource(rule.__wrapped__))
        assert len(code_lines(text)) <= 10, text


@pytest.mark.parametrize("rule, twin, options", [
    (sgd, T.SGD, {"momentum": 0.9, "nesterov": True, **SMALL}),
    (adamw, T.AdamW, {"eps": 0.1, "weight_decay": 0.3}),
], ids=case_name)
def test_clipped_and_on_a_schedule_it_is_torch_too(rule, twin, options):
    """All that one step of training does, 100 times: clip, step, and the next rate."""
    parameters = [torch.nn.Parameter(torch.tensor(W)) for W in weights(np.float64)]
    optimizer = twin(parameters, lr=0.1, **options)
    schedule = T.lr_scheduler.SequentialLR(optimizer, [
        T.lr_scheduler.LinearLR(optimizer, 0.2, total_iters=20),
        T.lr_scheduler.CosineAnnealingLR(optimizer, T_max=70, eta_min=0.01)], milestones=[20])
    ours, theirs, clipped = [], [], 0
    Ws, states = weights(np.float64), [None] * len(SHAPES)
    for t, grads in enumerate(gradients(np.float64)):
        for parameter, g in zip(parameters, grads, strict=True):
            parameter.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        grads, norm = clip_grad_norm(grads, 1.0)
        lr = warmup_cosine(t, 0.1, 20, 70, 0.2, 0.01)
        steps = [rule(W, g, s, lr=lr, **options) for W, g, s in zip(Ws, grads, states, strict=True)]
        Ws, states, clipped = [W for W, _ in steps], [s for _, s in steps], clipped + (norm > 1)
        ours.append(Ws)
        theirs.append([parameter.detach().numpy().copy() for parameter in parameters])
    assert apart(ours, theirs, np.float64) <= 1e-12 and 20 < clipped < 80


# --- the classes -----------------------------------------------------------------------------

class HeavyBall(optim.Optimizer, rule=heavy_ball):
    """A rule of one's own becomes an optimizer in one line."""


class AveragedMomentum(optim.Optimizer, rule=averaged_momentum):
    """Another."""


OURS = [optim.SGD, HeavyBall, AveragedMomentum, optim.Adagrad, optim.RMSprop, optim.Adam, optim.AdamW]
IN_TORCH = [cls for cls in OURS if hasattr(T, cls.__name__)]


def parameters(dtype=np.float64):
    return [Parameter(W.copy()) for W in weights(dtype)]


def run(optimizer, lrs, dtype):
    """All weights after each step of one of our optimizers."""
    for lr, grads in zip(lrs, gradients(dtype), strict=True):
        optimizer.lr = np.float64(lr)   # as a schedule in NumPy may hand it over
        optimizer.zero_grad()
        for parameter, g in zip(optimizer.parameters, grads, strict=True):
            parameter.add_grad(g)
        optimizer.step()
        yield [parameter.value for parameter in optimizer.parameters]


@BOTH
@pytest.mark.parametrize("cls", OURS, ids=case_name)
def test_an_optimizer_steps_by_its_rule(cls, dtype):
    lrs = rates(0.01)
    ours = list(run(cls(parameters(dtype), lr=1.0), lrs, dtype))
    by_rule = by_hand(cls.rule, dtype, lrs, {})
    assert cls.rule is RULES[{"HeavyBall": "heavy_ball", "AveragedMomentum": "averaged_momentum"}.get(
        cls.__name__, cls.__name__.lower())]
    assert apart(ours, by_rule, dtype) == 0.0     # and every array that was seen kept its numbers


def test_every_rule_has_a_class():
    assert {cls.rule for cls in OURS} == set(RULES.values()) and len(OURS) == len(RULES) == len(IN_TORCH) + 2
    assert {*RULES, "checked_options"} == set(optimizers.__all__)
    assert {cls.__name__ for cls in IN_TORCH} | {"Optimizer"} == set(optim.__all__)


@pytest.mark.parametrize("cls", IN_TORCH, ids=case_name)
def test_names_order_and_defaults_are_torchs(cls):
    ours = list(inspect.signature(cls).parameters.values())[1:]
    theirs = inspect.signature(getattr(T, cls.__name__)).parameters
    positional = [name for name, p in theirs.items() if p.kind is p.POSITIONAL_OR_KEYWORD and name in
                  [o.name for o in ours]]
    assert [o.name for o in ours] == positional
    assert all(o.default == theirs[o.name].default for o in ours)
    opt = cls(parameters())
    assert opt.options == {o.name: o.default for o in ours} and opt.lr == ours[0].default
    assert {"capturable", "foreach", "maximize", "differentiable", "amsgrad", "fused"} >= set(theirs) - {
        "params", "decoupled_weight_decay", *opt.options}


@pytest.mark.parametrize("cls", IN_TORCH, ids=case_name)
def test_a_network_learns_as_its_twin(cls):
    """Gradients that depend on the weights: what a step does wrong, the next ones see."""
    rng = np.random.default_rng(3)
    net = Sequential(Linear(5, 7, rng=rng, dtype=np.float64), Tanh(), Linear(7, 2, rng=rng, dtype=np.float64))
    twin = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 2)).double()
    twin.load_state_dict({name: torch.tensor(value) for name, value in net.state_dict().items()})
    x, y = rng.normal(size=(20, 5)), rng.normal(size=(20, 2))
    options = {"lr": 0.02, "weight_decay": 0.01}
    opt, theirs = cls(net.parameters(), **options), getattr(T, cls.__name__)(twin.parameters(), **options)
    for _ in range(100):
        opt.zero_grad()
        net.backward((net(x) - y) / 20, needs_dx=False)
        opt.step()
        theirs.zero_grad()
        (((twin(torch.tensor(x)) - torch.tensor(y))**2).sum() / 40).backward()
        theirs.step()
    for name, value in twin.state_dict().items():
        np.testing.assert_allclose(net.state_dict()[name], value.numpy(), rtol=1e-10, atol=1e-12)


def test_two_optimizers_decay_weights_and_not_biases():
    """What param_groups are for in torch."""
    ps = parameters()
    decayed, free = optim.AdamW(ps[::2], weight_decay=0.3), optim.AdamW(ps[1::2], weight_decay=0.0)
    decayed.step()
    free.step()
    twins = [torch.nn.Parameter(torch.tensor(W)) for W in weights(np.float64)]
    groups = [{"params": twins[::2], "weight_decay": 0.3}, {"params": twins[1::2], "weight_decay": 0.0}]
    for twin in twins:
        twin.grad = torch.zeros_like(twin)
    T.AdamW(groups).step()
    for ours, theirs in zip(ps, twins, strict=True):
        np.testing.assert_allclose(ours.value, theirs.detach().numpy(), rtol=1e-15)


def test_a_rule_of_ones_own():
    def signs(W, dW, state, lr=0.5, strength="full"):
        return W - lr * np.sign(dW), (state or 0) + 1

    class Signs(optim.Optimizer, rule=signs):
        pass

    p = Parameter(np.array([1.0, -2.0]))
    opt = Signs([p], strength="half")
    p.add_grad(np.array([3.0, -0.1]))
    opt.step()
    opt.lr = 0.25
    opt.step()
    assert p.value.tolist() == [0.25, -1.25] and opt.states == [2] and opt.options["strength"] == "half"


def test_repr_is_short():
    assert repr(optim.SGD(parameters(), 0.1, 0.9)) == (
        "SGD(lr=0.1, momentum=0.9, dampening=0.0, weight_decay=0.0, nesterov=False) of 28 numbers")


# --- what is refused -------------------------------------------------------------------------

BAD = {
    "lr": [-0.1, math.nan, math.inf, "0.1", None, True], "momentum": [-0.1, math.nan, "0.9"],
    "weight_decay": [-1e-4, math.nan, None], "eps": [-1e-8, math.inf, "small"], "lr_decay": [-0.1],
    "initial_accumulator_value": [-0.1, None], "alpha": [-0.1, 1.01, math.nan], "dampening": [math.nan, "no"],
    "betas": [(1.0, 0.999), (0.9, 1.0), (-0.1, 0.9), (0.9, -0.1), 0.9, (0.9,), (0.9, 0.99, 0.999), "ab",
              (0.9, math.nan), (True, 0.9)],
    "nesterov": [1, "yes", None], "centered": [1, 0.5],
}
LENIENT = {   # what torch takes, some of it to make nonsense later
    "lr": (math.nan, math.inf, True), "momentum": (math.nan,), "weight_decay": (math.nan,),
    "eps": (math.inf,), "alpha": (1.01,), "betas": ((0.9, 0.99, 0.999), (True, 0.9)),
    "dampening": (math.nan, "no"), "nesterov": (1, "yes", None), "centered": (1, 0.5),
}


def is_lenient(name, value):
    return any(value is allowed or value == allowed for allowed in LENIENT.get(name, ()))


@pytest.mark.parametrize("cls", OURS, ids=case_name)
def test_odd_options_are_refused(cls):
    """By the class, by the rule, and when the rate is changed; torch refuses them too, or makes nonsense."""
    W, tried = weights(np.float64)[0], 0
    for name in list(inspect.signature(cls).parameters)[1:]:
        for value in BAD[name]:
            said = refused(partial(cls, parameters(), **{name: value}), name)
            assert refused(partial(cls.rule, W, W, None, **{name: value}), name) == said
            tried += 1
    assert tried > 5
    opt = cls(parameters(), lr=0.5)
    with pytest.raises(ValueError, match="lr: got -1, expected a number of at least 0"):
        opt.lr = -1
    assert opt.lr == 0.5
    opt.options["lr"] = -1      # past the check, but not past the next step
    refused(opt.step, "lr")
    with pytest.raises(AttributeError):
        opt.learning_rate = 0.1


@pytest.mark.parametrize("cls", IN_TORCH, ids=case_name)
def test_torch_refuses_them_too(cls):
    twin = [torch.nn.Parameter(torch.ones(2))]
    for name in list(inspect.signature(cls).parameters)[1:]:
        for value in BAD[name]:
            if not is_lenient(name, value):
                with pytest.raises((ValueError, TypeError, IndexError)):
                    getattr(T, cls.__name__)(twin, **{name: value})


@pytest.mark.parametrize("options", [{"momentum": 0.0}, {"momentum": 0.9, "dampening": 0.1}], ids=str)
def test_nesterov_needs_a_momentum_and_no_dampening(options):
    refused(lambda: optim.SGD(parameters(), nesterov=True, **options), "nesterov")
    refused(lambda: sgd(np.ones(2), np.ones(2), None, nesterov=True, **options), "nesterov")
    with pytest.raises(ValueError):
        T.SGD([torch.nn.Parameter(torch.ones(2))], nesterov=True, **options)


@pytest.mark.parametrize("name", ["amsgrad", "maximize", "foreach", "learning_rate"])
def test_options_that_are_not_here_are_refused(name):
    said = refused(lambda: optim.Adam(parameters(), **{name: True}), name)
    assert "lr, betas, eps, weight_decay" in said
    with pytest.raises(TypeError, match=name):
        adam(np.ones(2), np.ones(2), None, **{name: True})


def test_what_is_no_list_of_parameters_is_refused():
    ps = parameters()
    net = Sequential(Linear(2, 2, rng=np.random.default_rng(0)))
    for odd in (ps[0], ps[0].value, [p.value for p in ps], net, net[0], [*ps, None], "W", 3):
        refused(lambda odd=odd: optim.SGD(odd), "parameters")
    assert "none" in refused(lambda: optim.SGD(iter([])), "parameters")
    assert "twice" in refused(lambda: optim.SGD([*ps, ps[0]]), "parameters")


ODD_ARRAYS = ([1.0, 2.0], 1.0, np.ones(3, int), np.ones(3, np.float16), np.ma.masked_array(np.ones(3)), None,
              torch.ones(3))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_odd_arrays_are_refused(rule):
    W = np.ones(3)
    for odd in ODD_ARRAYS:
        refused(lambda odd=odd: rule(odd, W, None), "W")
        refused(lambda odd=odd: rule(W, odd, None), "dW")
    refused(lambda: rule(W, np.ones((1, 3)), None), "dW")
    refused(lambda: rule(W, np.ones(()), None), "dW")
    refused(lambda: rule(W, W.astype(np.float32), None), "W is float64, dW is float32")
    _, state = rule(W, W, None)
    *_, other = rule(np.ones((2, 3)), np.ones((2, 3)), None)
    *_, single = rule(W.astype(np.float32), W.astype(np.float32), None)
    for odd in (other, single, state + (0,), state[1:], list(state), 0, "v", (None,) * len(state)):
        refused(lambda odd=odd: rule(W, W, odd), "state")


def test_a_step_that_fails_steps_nothing():
    ps = parameters()
    opt, before = optim.Adam(ps), [p.value for p in ps]
    opt.step()
    kept, states = [p.value for p in ps], copy.deepcopy(opt.states)
    ps[-1].grad = np.ones(5)
    refused(opt.step, "dW")
    assert all(p.value is k for p, k in zip(ps, kept, strict=True)) and str(opt.states) == str(states)
    assert all(p.value is not b for p, b in zip(ps, before, strict=True))
