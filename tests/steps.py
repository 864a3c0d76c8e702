"""Weights after each of 100 steps, by a rule of ours and by torch's optimizer, and how far they are apart."""
import functools
import math

import numpy as np
import pytest
import torch

STEPS = 100
SHAPES = (4, 3), (3,), (), (2, 3, 1, 2)
CLOSE = {np.float64: 1e-12, np.float32: 1e-4}
BOTH = pytest.mark.parametrize("dtype", CLOSE)


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


def case_name(case):
    return case.__name__ if callable(case) else str(case)


BAD = {   # values of options that no rule takes
    "lr": [-0.1, math.nan, math.inf, "0.1", None, True], "momentum": [-0.1, math.nan, "0.9"],
    "weight_decay": [-1e-4, math.nan, None], "eps": [-1e-8, math.inf, "small"], "lr_decay": [-0.1],
    "initial_accumulator_value": [-0.1, None], "alpha": [-0.1, 1.01, math.nan], "dampening": [math.nan, "no"],
    "betas": [(1.0, 0.999), (0.9, 1.0), (-0.1, 0.9), (0.9, -0.1), 0.9, (0.9,), (0.9, 0.99, 0.999), "ab",
              (0.9, math.nan), (True, 0.9)],
    "nesterov": [1, "yes", None], "centered": [1, 0.5],
}
