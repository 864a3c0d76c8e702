"""Run all update rules on a landscape with one learning rate: what helpers.widgets.landscape.explorer shows.

A race is run as far as it is looked at, to the next full STRETCH, and cached: fewer steps, or rules, cost
nothing. A step takes about 0.01 ms, since the arguments are checked at the first one only.
"""
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from helpers.functional.optimizers import adagrad, adam, heavy_ball, rmsprop, sgd
from helpers.theory.landscapes import FAR, LANDSCAPES, Gradient

STEPS, STRETCH, SEED = 300, 100, 0
BENDABLE = "ravine", "noisy quadratic"            # the landscapes with a condition number to choose

# Each rule's own colour and marker, in every figure.
# Colours that colour-blind readers can tell apart (tests/plotting/test_contrast.py), and markers for a print
# without colour.
COLORS = {"SGD": "#4D4D4D", "momentum": "#0072B2", "Nesterov": "#A63289", "AdaGrad": "#808000",
          "RMSProp": "#F24949", "Adam": "#009E73"}
MARKERS, SIGNS = (dict(zip(COLORS, shapes, strict=True)) for shapes in ("osD^vP", "●■◆▲▼✚"))


class Run(NamedTuple):
    """One rule's path (steps + 1, 2), its cost at each point, and the step at which it left the map, or None.

    What has left the map, further than helpers.theory.landscapes.FAR from the origin, is not in the path.
    """

    path: np.ndarray
    losses: np.ndarray
    left: int | None

    def until(self, steps: int) -> "Run":
        """The run as it stands after so many steps."""
        left = self.left if self.left is not None and self.left <= steps else None
        return Run(self.path[:steps + 1], self.losses[:steps + 1], left)


def rule_of(name: str, momentum: float) -> tuple[Callable, dict[str, object]]:
    """The update rule and its options; γ is for momentum and Nesterov, the others have torch's defaults.

    With momentum 0 Nesterov is SGD, and torch refuses the flag.
    """
    return {"SGD": (sgd, {}), "momentum": (heavy_ball, {"momentum": momentum}),
            "Nesterov": (sgd, {"momentum": momentum, "nesterov": True} if momentum else {}),
            "AdaGrad": (adagrad, {}), "RMSProp": (rmsprop, {}), "Adam": (adam, {})}[name]


def cost(landscape: str, kappa: float, w: np.ndarray) -> np.ndarray:
    """The cost at points w (…, 2); kappa counts where the landscape is BENDABLE."""
    return LANDSCAPES[landscape].value(w, **_options(landscape, kappa))


def slope(landscape: str, kappa: float) -> Gradient:
    """The gradient function of a race, with the noise of the landscape, which is the same for all rules."""
    it, options = LANDSCAPES[landscape], _options(landscape, kappa)
    plain, rng = it.gradient.__wrapped__, np.random.default_rng(SEED)      # unchecked: w is always (2,)
    if not it.noise:
        return lambda w: plain(w, **options)
    return lambda w: plain(w, **options) + it.noise * rng.normal(size=2)


@lru_cache(maxsize=32)
def race(landscape: str, kappa: float, lr: float, momentum: float, start: tuple[float, float],
         steps: int = STEPS) -> dict[str, Run]:
    """Run every update rule from `start` for so many steps; the Run of each by its name."""
    runs = {}
    for name in COLORS:
        rule, options = rule_of(name, momentum)
        path = walk(rule, slope(landscape, kappa), np.array(start, float), steps, lr=lr, **options)
        left = len(path) if len(path) <= steps else None
        runs[name] = Run(path, cost(landscape, kappa, path), left)
    return runs


def walk(rule: Callable, gradient: Gradient, start: np.ndarray, steps: int, **options: float) -> np.ndarray:
    """The path of an update rule, as theory.landscapes.descend, 5 times as fast: checked once, cut at FAR."""
    path, state = [start], None
    with np.errstate(all="ignore"):
        while len(path) <= steps:
            w, state = rule(path[-1], gradient(path[-1]), state, **options)
            if not (np.abs(w) <= FAR).all():      # nor for a NaN
                break
            path.append(w)
            rule = getattr(rule, "__wrapped__", rule)
    return np.array(path)


def _options(landscape, kappa):
    return {"kappa": kappa} if landscape in BENDABLE else {}
