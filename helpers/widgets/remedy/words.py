"""What the trainings of the remedy bench have come to: in numbers, in words, and in a sentence."""
import math

import numpy as np

from helpers.plotting.panes import scientific
from helpers.widgets.remedy.runs import Trainings

GUESSING = math.log(10)          # the cost of ten equally likely classes
LEARNS, WORSE, NEAR = 0.9, 1.1, 0.03      # of that cost; the last, of the limit, is near it
LAST = 10                        # batches, whose costs are averaged: a single one varies by a tenth
VERBS = {"learns": "learns", "guesses": "only guesses", "worse": "is worse than guessing",
         "diverged": "has diverged", "untrained": "is untrained"}


def states(trainings: Trainings, step: int) -> list[str]:
    """The state of the net of each seed at this step, one of VERBS."""
    ratios, gone = recent(trainings, step) / GUESSING, trainings.diverged <= step
    return ["diverged" if lost else "untrained" if step == 0
            else "learns" if ratio < LEARNS else "guesses" if ratio < WORSE else "worse"
            for ratio, lost in zip(ratios, gone, strict=True)]


def conclusion(trainings: Trainings, steps: int) -> str:
    """What so many steps have come to, for all seeds together.

    "learns" when the mean cost of ten batches fell below 0.9 ln 10, ln 10 being that of guessing, within
    these steps and for every seed; for one or two: "learns from some seeds"; for none: "does not learn", or
    "diverges" if all do. A mean within 3 % of the limit decides nothing: "is near the limit".
    """
    means = averaged(trainings)[LAST - 1:steps + 1]
    lowest = np.where(np.isnan(means), math.inf, means).min(axis=0, initial=math.inf) / (LEARNS * GUESSING)
    yes, no = lowest < 1 - NEAR, lowest > 1 + NEAR
    if yes.all():
        return "learns"
    if no.all():
        return "diverges" if (trainings.diverged <= steps).all() else "does not learn"
    return "learns from some seeds" if yes.any() else "is near the limit"


def averaged(trainings: Trainings) -> np.ndarray:
    """The mean cost of the last ten batches up to each step, (steps, seeds); NaN once a net has diverged."""
    sums = np.cumsum(trainings.losses, axis=0)
    sums[LAST:] -= sums[:-LAST].copy()
    return sums / np.minimum(np.arange(1, len(sums) + 1), LAST)[:, None]


def recent(trainings: Trainings, step: int) -> np.ndarray:
    """The mean cost of the last ten batches up to this step of each net, (seeds,); NaN for a diverged one."""
    return np.mean(trainings.losses[:step + 1][-LAST:], axis=0)


def relative(trainings: Trainings, step: int) -> np.ndarray | None:
    """‖δ‖ of each layer at the last station up to this step, that of the output 1: as `at_station`."""
    return at_station({s: rows / rows[:, -1:] for s, rows in trainings.delta.items()}, step)


def at_station(found: dict[int, np.ndarray], step: int) -> np.ndarray | None:
    """What was recorded last, up to this step, of the nets that were there: (1 … seeds, layers), or None."""
    for station in sorted((s for s in found if s <= step), reverse=True):
        if len(rows := found[station][np.isfinite(found[station]).all(axis=1)]):
            return rows
    return None


def band(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lowest, the median and the highest of the positive entries of each column; 0 where none is."""
    positive, columns = rows > 0, np.arange(rows.shape[1])
    many, ordered = positive.sum(axis=0), np.sort(np.where(positive, rows, math.inf), axis=0)
    low, left, right, high = (np.where(many, ordered[np.maximum(k, 0), columns], 0.0)
                              for k in (0 * many, (many - 1) // 2, many // 2, many - 1))
    return low, (left + right) / 2, high


def cost_text(costs: np.ndarray) -> str:
    """The median of the costs as text: two decimals, or powers of ten for a large one; "–" for none."""
    if np.isnan(costs).all():
        return "–"
    value = float(np.nanmedian(costs))
    return f"{value:.2f}" if value < 100 else scientific(value)


def how_many(found: list[str]) -> str:
    """How many learn: "2 of 3"; or what all do that do not: "diverged"."""
    alike = found[0] in ("diverged", "untrained") and len(set(found)) == 1
    return found[0] if alike else f"{found.count('learns')} of {len(found)}"


def counted(found: list[str]) -> str:
    """The same in full: "learns in 2 of 3 seeds, has diverged in 1 of them"."""
    counts = [(VERBS[state], found.count(state)) for state in VERBS if state in found]
    (first, count), *others = counts
    said = [f"{first} in {count} of {len(found)} seeds"]
    return ", ".join([*said, *(f"{verb} in {n} of them" for verb, n in others)])


def describe_comparison(one: object, net: str, steps: int, **_others: object) -> str:
    """The finding of a Comparison of helpers.widgets.remedy.bench in words and numbers."""
    recipe = one.modified.recipe
    on = f"with {', '.join(one.remedies)}" if one.remedies else "no remedy is on"
    what = (f"{len(one.modified.net.weights) - 1} layers, {net}, {on}; {recipe.optimizer}, learning rate "
            f"{recipe.eta:g}.")
    if one.done < steps:
        return f"{what} The training of {steps} steps is running."
    after = f"After {steps} step{'s' * (steps > 1)}" if steps else "Before any step"
    plain, modified = (_became(each, steps) for each in (one.plain, one.modified))
    found = f"the net {plain}"
    if one.remedies:
        found = "; ".join([f"the modified net {modified}", f"the plain one {plain}"])
    return f"{what} {after}, {found}. {_gradients(one)}"


def _became(trainings, step):
    costs = recent(trainings, step)
    said = counted(states(trainings, step))
    return said if np.isnan(costs).all() else f"{said}, with a median cost of {cost_text(costs)}"


def _gradients(one):
    """What arrives at layer 1, and how often clipping acts."""
    parts = [(trainings, relative(trainings, one.step)) for trainings in (one.modified, one.plain)]
    sizes = [scientific(band(rows)[1][0]) for _, rows in parts if rows is not None]
    said = "No gradient is finite"
    if sizes:
        said = f"The gradient of layer 1 is {sizes[0]} times that of the output"
    if one.remedies and len(sizes) == 2:
        said += f", in the plain net {sizes[1]} times"
    if one.modified.recipe.clip and one.step:
        said += f"; {np.mean(one.modified.clipped[:one.step]):.0%} of the gradients were clipped"
    return said + "."
