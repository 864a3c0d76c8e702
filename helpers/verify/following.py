"""Whether a step rule goes where an optimizer of torch goes, step by step, on the same gradients.

    follows(adam, lambda p, lr: torch.optim.Adam(p, lr, eps=0.1), eps=0.1)

The way is 200 steps long and made to reveal differences: twelve weights whose gradients differ in size by a
factor of a million, of both signs, and 0 at every seventh step; half way the learning rate drops to a tenth.
"""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.verify.witnesses import torch_steps

LIMIT = 1e-12     # of the largest relative distance
_rng = np.random.default_rng(0)
START = _rng.normal(size=(3, 4))
SLOPES = _rng.normal(size=(200, 3, 4)) * 10.0 ** _rng.permutation(np.linspace(-5, 1, 12)).reshape(3, 4)
SLOPES[3::7] = 0
CONSTANT, DROPPING = np.full(200, 0.01), np.repeat([0.01, 0.001], 100)
for _array in (START, SLOPES, CONSTANT, DROPPING):
    _array.flags.writeable = False


class FollowingError(AssertionError):
    """A step rule that does not go where it was said to go."""


@dataclass(frozen=True)
class Following:
    """The largest distance of a weight from torch's, relative to its largest value, at any step."""

    name: str
    distance: float

    def __repr__(self) -> str:
        """The finding as a bound that no rounding moves."""
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
    """Show that a wrong rule does not follow torch; raise FollowingError when it does."""
    found = _compare(rule, make, rates, options)
    if found.distance <= LIMIT:
        raise FollowingError(f"{found}; expected a rule that goes elsewhere")
    return found


def _compare(rule, make, rates, options):
    W, state, places = START, None, []
    for slope, rate in zip(SLOPES, rates, strict=True):
        W, state = rule(W, slope, state, lr=float(rate), **options)
        places.append(W)
    theirs = torch_steps(make, START, SLOPES, rates)
    if np.shape(places) != theirs.shape:
        raise ValueError(f"rule: got a W of shape {np.shape(W)}, expected {START.shape}, as it was given")
    distance = np.max(np.abs(places - theirs) / np.abs(theirs).max(axis=0))
    return Following(getattr(rule, "__name__", "rule"), float(distance))


def scheduled_rates(scheduler: object, steps: int = 100) -> list[float]:
    """The learning rate of the optimizer at each of `steps` steps, as a scheduler of torch.optim sets it."""
    rates = []
    for _ in range(steps):
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return rates
