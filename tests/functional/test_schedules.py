"""Schedules against torch.optim.lr_scheduler, step by step; what is refused."""
import math
from functools import partial

import numpy as np
import pytest
import torch
from checks import refused

from helpers.functional import schedules
from helpers.functional.schedules import cosine_annealing_lr, linear_lr, one_cycle_lr, step_lr, warmup_cosine

torch.set_num_threads(1)
# SequentialLR of older torchs warns of a step that it takes itself.
pytestmark = pytest.mark.filterwarnings("error", "ignore:The epoch parameter in `scheduler.step")

L = torch.optim.lr_scheduler


def warm(optimizer):
    up = L.LinearLR(optimizer, start_factor=0.2, total_iters=20)
    down = L.CosineAnnealingLR(optimizer, T_max=70, eta_min=0.01)
    return L.SequentialLR(optimizer, [up, down], milestones=[20])


def one_cycle(**options):
    return partial(L.OneCycleLR, max_lr=0.3, cycle_momentum=False, **options)


SCHEDULES = {   # ours, torch's
    "step": (lambda t: step_lr(t, 0.3, 30), lambda o: L.StepLR(o, 30)),
    "step, slower": (lambda t: step_lr(t, 0.3, 7, gamma=0.9), lambda o: L.StepLR(o, 7, gamma=0.9)),
    "cosine": (lambda t: cosine_annealing_lr(t, 0.3, 150), lambda o: L.CosineAnnealingLR(o, 150)),
    "cosine, and up again": (lambda t: cosine_annealing_lr(t, 0.3, 40, 0.02),
                             lambda o: L.CosineAnnealingLR(o, 40, 0.02)),
    "linear": (lambda t: linear_lr(t, 0.3), lambda o: L.LinearLR(o)),
    "linear, down": (lambda t: linear_lr(t, 0.3, 1.0, 0.1, 50), lambda o: L.LinearLR(o, 1.0, 0.1, 50)),
    "warm-up": (lambda t: warmup_cosine(t, 0.3, 20, 70, 0.2, 0.01), warm),
    "one cycle": (lambda t: one_cycle_lr(t, 0.3, 150), one_cycle(total_steps=150)),
    "one cycle, a top between steps": (lambda t: one_cycle_lr(t, 0.3, 151, 0.45, 0.5, 0.8), one_cycle(
        total_steps=151, pct_start=0.45, div_factor=0.5, final_div_factor=0.8)),
    "one cycle, nearly all up": (lambda t: one_cycle_lr(t, 0.3, 150, 0.99), one_cycle(
        total_steps=150, pct_start=0.99)),
}
def off(ours, theirs, steps=150):
    """The largest distance between a schedule and torch's, as a part of the rate 0.3."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.3)
    scheduler, worst = theirs(optimizer), 0.0
    for t in range(steps):
        worst = np.maximum(worst, abs(ours(t) - optimizer.param_groups[0]["lr"]) / 0.3)
        optimizer.step()
        scheduler.step()
    return worst


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_torchs(name):
    ours, theirs = SCHEDULES[name]
    assert off(ours, theirs) <= 1e-12


def test_a_cycle_may_have_two_steps():
    theirs = one_cycle(total_steps=2, pct_start=0.6)
    assert off(lambda t: one_cycle_lr(t, 0.3, 2, 0.6), theirs, steps=2) <= 1e-12


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_takes_many_steps_and_gives_plain_numbers(name):
    ours, _ = SCHEDULES[name]
    many = ours(np.arange(100))
    assert many.shape == (100,)
    np.testing.assert_allclose(many, [ours(t) for t in range(100)], rtol=1e-14)
    assert type(ours(3)) is type(ours(np.int64(3))) is float


SCHEDULE_CALLS = {   # what is right, and odd values by name
    step_lr: ({"step": 1, "lr": 0.1, "step_size": 3}, {"step_size": [0, -1, 2.5], "gamma": [-0.1, math.nan]}),
    cosine_annealing_lr: ({"step": 1, "lr": 0.1, "T_max": 3}, {"T_max": [0, 2.5], "eta_min": [-1, math.inf]}),
    linear_lr: ({"step": 1, "lr": 0.1}, {"start_factor": [0, -0.1, 1.1], "end_factor": [-0.1, 1.1, None],
                                         "total_iters": [0, 1.5]}),
    warmup_cosine: ({"step": 1, "lr": 0.1, "total_iters": 2, "T_max": 3},
                    {"total_iters": [0], "T_max": [0], "start_factor": [0], "eta_min": [-1]}),
    one_cycle_lr: ({"step": 1, "max_lr": 0.1, "total_steps": 9},
                   {"max_lr": [-0.1, math.nan, "0.1"], "total_steps": [1, 2.5], "step": [9, np.array([1, 9])],
                    "pct_start": [0, 0.1, 1, None], "div_factor": [0, -1], "final_div_factor": [0]}),
}


@pytest.mark.parametrize("schedule", SCHEDULE_CALLS, ids=lambda schedule: schedule.__name__)
def test_odd_schedules_are_refused(schedule):
    right, odd = SCHEDULE_CALLS[schedule]
    schedule(**right)
    odd["step"] = [*odd.get("step", []), -1, 0.5, "1", None, True, np.array([1, -1])]
    odd |= {"lr": [-0.1, math.nan, "0.1", True]} if "lr" in right else {}
    for name, values in odd.items():
        for value in values:
            refused(partial(schedule, **{**right, name: value}), name)
    assert set(schedules.__all__) == {s.__name__ for s in SCHEDULE_CALLS}
