"""What the remedy bench says: the sentence below its picture, and whether a net learns."""
import math

from helpers.plotting.panes import scientific

GUESSING = math.log(10)          # the cost of ten equally likely classes
LEARNS, LOST = 0.9, 1.1          # of that cost
LAST = 10                        # batches, whose costs are averaged: a single one varies by a tenth
VERBS = {"untrained": "is untrained", "learns": "learns", "guesses": "only guesses",
         "worse": "is worse than guessing", "diverged": "has diverged"}


def state(record: object, step: int) -> str:
    """What has become of a net by this step, one of VERBS."""
    if record.diverged is not None and record.diverged <= step:
        return "diverged"
    if step == 0:
        return "untrained"
    share = recent(record, step) / GUESSING
    return "learns" if share < LEARNS else "guesses" if share < LOST else "worse"


def recent(record: object, step: int) -> float:
    """The mean cost of the last batches up to this step, or to the last one before it diverged."""
    losses = record.losses[:step + 1][-LAST:]
    return float(losses.mean())


def first(record: object) -> float:
    """‖δ‖ of layer 1 before training, where that of the output is 1."""
    return float(record.delta[0, 0] / record.delta[0, -1])


def money(value: float) -> str:
    """A cost as a number to read: two decimals, or less of a large one."""
    return f"{value:.2f}" if value < 100 else scientific(value)


def describe_comparison(one: object, net: str, steps: int, **_remedies: object) -> str:
    """The finding of a Comparison of helpers.widgets.remedy.bench in words and numbers."""
    depth = one.plain.delta.shape[1] - 1
    after = f"After {steps} step{'s' * (steps > 1)}" if steps else "Before any step"
    if not one.remedies:
        return (f"{depth} layers, {net}, no remedy is on. Before training layer 1 gets "
                f"{scientific(first(one.plain))} times the blame of the output. {after} the net "
                f"{_became(one.plain, steps)}.")
    return (f"{depth} layers, {net}, treated with {', '.join(one.remedies)}. Before training layer 1 gets "
            f"{scientific(first(one.treated))} times the blame of the output; in the plain net "
            f"{scientific(first(one.plain))}. {after} the treated net {_became(one.treated, steps)}; the "
            f"plain one {_became(one.plain, steps)}.{_clipped(one)}")


def _became(record, step):
    said = state(record, step)
    if said == "diverged":
        return f"{VERBS[said]} at step {record.diverged}"
    return f"{VERBS[said]}, with a cost of {money(recent(record, step))}"


def _clipped(one):
    """How often clipping has cut; it may be on and never do so."""
    if "clipping" not in one.remedies:
        return ""
    return f" Of all {len(one.treated.ratios)} gradients of the training {one.treated.clipped} were clipped."
