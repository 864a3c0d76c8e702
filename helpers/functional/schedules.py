"""Learning rates as functions of the step, with the numbers of torch.optim.lr_scheduler.

    for t in range(100):
        opt.lr = warmup_cosine(t, 0.1, total_iters=10, T_max=90)
        ...; opt.step()

lr is the rate that the schedule changes. The step counts from 0: the first step of an optimizer is made with
the rate of step 0. It may be an array of steps, for a figure. A bad argument is a ValueError.
Derived in notebooks/05_optimizers.ipynb.
"""
import numpy as np

from helpers import arguments as check

__all__ = ["cosine_annealing_lr", "linear_lr", "one_cycle_lr", "step_lr", "warmup_cosine"]

Steps = int | np.ndarray
Rates = float | np.ndarray


def step_lr(step: Steps, lr: float, step_size: int, gamma: float = 0.1) -> Rates:
    """Multiply by gamma after every step_size steps: lr·γ^⌊t/step_size⌋. As torch's StepLR."""
    t = _steps(step)
    lr, gamma = check.number("lr", lr, least=0), check.number("gamma", gamma, least=0)
    return _answer(lr * gamma ** (t // check.integer("step_size", step_size, least=1)))


def cosine_annealing_lr(step: Steps, lr: float, T_max: int, eta_min: float = 0.0) -> Rates:
    """From lr at 0 along half a wave to eta_min at T_max: η_min + (lr − η_min)·(1 + cos(π·t/T_max))/2.

    As torch's CosineAnnealingLR, which finds each rate from the one before and climbs again after T_max.
    Source: Loshchilov & Hutter, "SGDR" (2017), arXiv:1608.03983.
    """
    t, T = _steps(step), check.integer("T_max", T_max, least=1)
    lr, eta_min = check.number("lr", lr, least=0), check.number("eta_min", eta_min, least=0)
    return _answer(_half_wave(t, T, lr, eta_min))


def linear_lr(step: Steps, lr: float, start_factor: float = 1 / 3, end_factor: float = 1.0,
              total_iters: int = 5) -> Rates:
    """A straight line from start_factor·lr at 0 to end_factor·lr at total_iters, and no further: a warm-up.

    As torch's LinearLR. Source: Goyal et al., "Accurate, large minibatch SGD" (2017), arXiv:1706.02677.
    """
    t, T = _steps(step), check.integer("total_iters", total_iters, least=1)
    lr, end = check.number("lr", lr, least=0), check.number("end_factor", end_factor, least=0, most=1)
    start = check.number("start_factor", start_factor, above=0, most=1)   # torch multiplies its way up
    return _answer(lr * (start + (end - start) * np.minimum(t, T) / T))


def warmup_cosine(step: Steps, lr: float, total_iters: int, T_max: int, start_factor: float = 1 / 3,
                  eta_min: float = 0.0) -> Rates:
    """Warm up for total_iters steps, then go down the cosine in T_max more.

    As torch's SequentialLR of a LinearLR and a CosineAnnealingLR with milestones=[total_iters].
    """
    t = _steps(step)
    up = linear_lr(t, lr, start_factor, total_iters=total_iters)
    down = cosine_annealing_lr(np.maximum(t - total_iters, 0), lr, T_max, eta_min)
    return _answer(np.where(t < total_iters, up, down))


def one_cycle_lr(step: Steps, max_lr: float, total_steps: int, pct_start: float = 0.3,
                 div_factor: float = 25.0, final_div_factor: float = 1e4) -> Rates:
    """One cycle: from max_lr/div_factor up to max_lr, and down to max_lr/(div_factor·final_div_factor).

    Both ways are half a cosine wave. The top is at step pct_start·total_steps − 1, which need not be whole,
    the end at total_steps − 1; a later step is refused. As torch's OneCycleLR, except that the momentum stays
    (cycle_momentum=False). Source: Smith & Topin, "Super-convergence" (2018), arXiv:1708.07120.
    """
    t, T = _steps(step), check.integer("total_steps", total_steps, least=2)
    high, low = check.number("max_lr", max_lr, least=0), check.number("div_factor", div_factor, above=0)
    last = check.number("final_div_factor", final_div_factor, above=0)
    part = check.number("pct_start", pct_start, above=1 / T, below=1)
    if (t > T - 1).any():
        raise ValueError(f"step: got {step!r}, expected at most {T - 1}, the last of {T} steps")
    top = part * T - 1
    up = _half_wave(t, top, high / low, high)
    down = _half_wave(t - top, T - 1 - top, high, high / low / last)
    return _answer(np.where(t <= top, up, down))


def _half_wave(t, length, start, end):
    """Half a cosine wave from start, at t = 0, to end, at t = length."""
    return end + (start - end) * (1 + np.cos(np.pi * t / length)) / 2


def _steps(step):
    """The step, or the steps, as an array of integers."""
    t = np.asarray(step)
    if t.dtype.kind not in "iu" or (t < 0).any():
        raise ValueError(f"step: got {step!r}, expected an integer of at least 0, or an array of them")
    return t


def _answer(rates):
    """A plain number for one step: a float64 of NumPy's would make float64 of float32 parameters."""
    return float(rates) if np.ndim(rates) == 0 else rates
