"""The sentence below the picture of the remedy bench, and whether a net learns."""
import math

from helpers.plotting.panes import scientific

GUESSING = math.log(10)          # the cost of ten equally likely classes
LEARNS, WORSE = 0.9, 1.1         # of that cost
LAST = 10                        # batches, whose costs are averaged: a single one varies by a tenth
VERBS = {"untrained": "is untrained", "learns": "learns", "guesses": "only guesses",
         "worse": "is worse than guessing", "diverged": "has diverged"}


def state(record: object, step: int) -> str:
    """The state of a training at this step, one of VERBS."""
    if record.diverged is not None and record.diverged <= step:
        return "diverged"
    if step == 0:
        return "untrained"
    ratio = recent(record, step) / GUESSING
    return "learns" if ratio < LEARNS else "guesses" if ratio < WORSE else "worse"


def recent(record: object, step: int) -> float:
    """The mean cost of the last batches up to this step, or to the last one before it diverged."""
    losses = record.losses[:step + 1][-LAST:]
    return float(losses.mean())


def first(record: object) -> float:
    """‖δ‖ of layer 1 before training, where that of the output is 1."""
    return float(record.delta[0, 0] / record.delta[0, -1])


def cost_text(value: float) -> str:
    """A cost as text: two decimals, or powers of ten for a large one."""
    return f"{value:.2f}" if value < 100 else scientific(value)


def describe_comparison(one: object, net: str, steps: int, **_remedies: object) -> str:
    """The finding of a Comparison of helpers.widgets.remedy.bench in words and numbers."""
    depth = one.plain.delta.shape[1] - 1
    after = f"After {steps} step{'s' * (steps > 1)}" if steps else "Before any step"
    if not one.remedies:
        return (f"{depth} layers, {net}, no remedy is on. Before training the gradient of layer 1 is "
                f"{scientific(first(one.plain))} times that of the output. {after} the net "
                f"{_became(one.plain, steps)}.")
    return (f"{depth} layers, {net}, with {', '.join(one.remedies)}. Before training the gradient of layer 1 "
            f"is {scientific(first(one.modified))} times that of the output; in the plain net "
            f"{scientific(first(one.plain))}. {after} the modified net {_became(one.modified, steps)}; the "
            f"plain one {_became(one.plain, steps)}.{_clipped(one)}")


def _became(record, step):
    said = state(record, step)
    if said == "diverged":
        return f"{VERBS[said]} at step {record.diverged}"
    return f"{VERBS[said]}, with a cost of {cost_text(recent(record, step))}"


def _clipped(one):
    """How many gradients were clipped, where clipping is on."""
    if "clipping" not in one.remedies:
        return ""
    return f" Of all {len(one.modified.ratios)} gradients {one.modified.clipped} were clipped."
