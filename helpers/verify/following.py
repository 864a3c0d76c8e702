"""Compare an update rule with an optimizer of torch.optim, step by step, on the same gradients.

    follows(adam, lambda p, lr: torch.optim.Adam(p, lr, eps=0.1), eps=0.1)

The 200 gradients are made to reveal differences: twelve weights whose gradients differ in size by a factor of
a million, of both signs, and 0 at every seventh step; after 100 steps the learning rate drops to a tenth.
"""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.verify.in_torch import torch_steps

LIMIT = 1e-12     # of the largest relative distance
_rng = np.random.default_rng(0)
START = _rng.normal(size=(3, 4))
GRADIENTS = _rng.normal(size=(200, 3, 4)) * 10.0 ** _rng.permutation(np.linspace(-5, 1, 12)).reshape(3, 4)
GRADIENTS[3::7] = 0
CONSTANT, DROPPING = np.full(200, 0.01), np.repeat([0.01, 0.001], 100)
for _array in (START, GRADIENTS, CONSTANT, DROPPING):
    _array.flags.writeable = False


class FollowingError(AssertionError):
    """An update rule that differs from torch where it should be equal, or is equal where it should differ."""


@dataclass(frozen=True)
class Following:
    """The largest distance of a weight from torch's, relative to its largest value, at any step."""

    name: str
    distance: float

    def __repr__(self) -> str:
        """The distance, or a bound where it is a matter of rounding."""
        far = f"≤ {LIMIT:.0e}" if self.distance <= LIMIT else f"{self.distance:.1g}"
        return f"{self.name}: 200 steps, distance from torch {far}"


def follows(rule: Callable, make: Callable, rates: np.ndarray = DROPPING, **options: object) -> Following:
    """Compare a rule with an optimizer of torch over 200 steps, or raise FollowingError.

    rule(W, dW, state, lr=…, **options) -> (W, state), state None at first, as in
    helpers/functional/optimizers.py; make([parameter], lr=…) builds the optimizer of torch; rates (200,) are
    the learning rates of both.
    """
    found = _compare(rule, make, rates, options)
    if not found.distance <= LIMIT:   # nor for a NaN
        raise FollowingError(f"{found}; expected {LIMIT:.0e} at most")
    return found


def strays(rule: Callable, make: Callable, rates: np.ndarray = DROPPING, **options: object) -> Following:
    """Check that a wrong rule differs from torch; raise FollowingError when it does not."""
    found = _compare(rule, make, rates, options)
    if found.distance <= LIMIT:
        raise FollowingError(f"{found}; expected a rule that differs from torch")
    return found


def _compare(rule, make, rates, options):
    W, state, places = START, None, []
    for gradient, rate in zip(GRADIENTS, rates, strict=True):
        W, state = rule(W, gradient, state, lr=float(rate), **options)
        places.append(W)
    theirs = torch_steps(make, START, GRADIENTS, rates)
    if np.shape(places) != theirs.shape:
        raise ValueError(f"rule: got a W of shape {np.shape(W)}, expected {START.shape}, as it was given")
    distance = np.max(np.abs(places - theirs) / np.abs(theirs).max(axis=0))
    return Following(getattr(rule, "__name__", "rule"), float(distance))


def scheduled_rates(scheduler: object, steps: int = 100) -> list[float]:
    """The learning rates that a scheduler of torch.optim sets, at each of `steps` steps."""
    rates = []
    for _ in range(steps):
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return rates
