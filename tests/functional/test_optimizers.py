"""Update rules and optimizers against torch.optim, step by step; what both refuse."""
import functools
import inspect
import textwrap
from functools import partial

import numpy as np
import pytest
import torch
from checks import refused
from source_lines import code_lines
from steps import (
    BAD,
    BOTH,
    CLOSE,
    SHAPES,
    apart,
    by_hand,
    case_name,
    constant,
    gradients,
    in_torch,
    rates,
    weights,
)

from helpers.functional.clipping import clip_grad_norm
from helpers.functional.optimizers import adagrad, adam, adamw, averaged_momentum, heavy_ball, rmsprop, sgd
from helpers.functional.schedules import warmup_cosine

torch.set_num_threads(1)
# SequentialLR of older torchs warns of a step that it takes itself.
pytestmark = pytest.mark.filterwarnings("error", "ignore:The epoch parameter in `scheduler.step")

T = torch.optim


# --- a rule follows its twin for 100 steps ---------------------------------------------------

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


# --- what is refused -------------------------------------------------------------------------

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


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_odd_options_are_refused(rule):
    W = np.ones(3)
    for name in list(inspect.signature(rule).parameters)[3:]:
        for value in BAD[name]:
            refused(partial(rule, W, W, None, **{name: value}), name)
