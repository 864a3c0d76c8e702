"""The decision boundary in words: what stands beside the picture, and the sentence below it."""
from collections.abc import Iterator

from helpers.widgets.decision_boundary.net import DIVERGED

STRAIGHT = 1e-6                                         # a stray of the order of rounding
AFFINE_WITHIN = 1e-10                                   # of the range of z²; rounding leaves less than 1e-13


def remarks(one: object, steps: int) -> Iterator[tuple[str, str]]:
    """What there is to read beside the picture: (words, weight)."""
    yield f"accuracy {(~one.wrong).mean():.0%}, cost {_number(one.losses[-1])}", "normal"
    straight = "a straight line" if (one.stray or 0) < STRAIGHT else f"no straight line, {one.stray:.2f} off"
    yield f"boundary: {'none in the picture' if one.stray is None else straight}", "normal"
    yield "z²: " + ("an affine map of x" if one.nonaffine < AFFINE_WITHIN else
                    f"no affine map of x, {one.nonaffine:.0%} off"), "normal"
    if one.diverged:
        yield f"diverged at step {one.step + 1}", "bold"
    elif one.step < steps:
        yield f"{one.step} of {steps} steps", "bold"


def _number(value):
    """Three decimals; one digit of what is smaller, none after the point of what is large."""
    return f"{value:.0e}".replace("e-0", "e−") if value < 0.0005 else f"{value:,.{3 if value < 10 else 0}f}"


def describe(one: object, data: str, activation: str, hidden: int, eta: float, steps: int) -> str:
    """What there is to see of a Boundary, for these values of the controls."""
    step = steps if one.diverged else one.step
    said = (f"{data[0].upper()}{data[1:]}, {activation}, {hidden} hidden unit{'s' * (hidden > 1)}, learning "
            f"rate {eta:g}, step {step}: accuracy {(~one.wrong).mean():.0%}, {_loss(one)}.")
    ended = (f"It diverged at step {one.step + 1}, where the cost passed {DIVERGED:,.0f}; shown is step "
             f"{one.step}.")
    return " ".join([said, *[ended] * one.diverged, f"{_boundary(one)}, and z² {_affine(one)}."])


def _loss(one):
    first, last = one.losses[0], one.losses[-1]
    if not one.step:
        return f"cost {_number(last)}"
    change = "above" if last > first else "down from"
    return f"cost {_number(last)}, {change} {_number(first)} at step 0"


def _boundary(one):
    if one.stray is None:
        return f"There is no boundary, all of the picture is class {int(one.z.flat[0] > 0)}"
    if one.stray < STRAIGHT:
        return f"The boundary is a straight line, within {STRAIGHT:g}"
    return f"The boundary is no straight line, up to {one.stray:.2f} away from the one that fits best"


def _affine(one):
    if one.nonaffine < AFFINE_WITHIN:
        return f"is an affine map of x, within {AFFINE_WITHIN:g} of its range"
    return f"is no affine map of x: from the best fit it deviates by {one.nonaffine:.0%} of its range"
