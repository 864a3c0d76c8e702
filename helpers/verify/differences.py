"""Central differences: the gradient measured by nudging every entry of an input.

The error of the quotient falls as h² until rounding, which grows as 1/h, takes over; in float64
the best h is near 1e-5 for numbers around 1. A kink between x − h and x + h spoils the quotient
and is refused.
"""
from collections.abc import Callable

import numpy as np
from numpy.random import default_rng  # as it is now: a learner may put another in its place

STEP = 1e-5
MOST_ENTRIES = 4000   # a larger input is nudged at a seeded sample of its entries


class KinkError(ValueError):
    """An input so close to a kink that a difference quotient straddles it."""


def central_differences(function: Callable, arrays: list[np.ndarray], dy: np.ndarray, which: int, *,
                        step: float = STEP) -> tuple[np.ndarray, np.ndarray]:
    """Nudge entries of arrays[which] by ±step: the gradient of Σ dy·function(*arrays), entry by entry.

    Returns the flat indices of the entries nudged (all, up to 4000) and the quotients there. The
    difference is taken before the sum, so that untouched outputs cancel exactly.
    Raises KinkError when the one-sided quotients say that a kink is nearby, ValueError when the
    function changes its arguments or when the step is lost in an entry that is too large for it.
    """
    center, arrays = evaluate(function, arrays), [np.array(array, order="C") for array in arrays]
    flat = arrays[which].reshape(-1)
    if flat.size and np.spacing(np.abs(flat).max()) > step / 1e4:
        raise ValueError(f"an entry of {np.abs(flat).max():.0e} is too large to be nudged by {step:g}")
    entries = np.arange(flat.size)
    if flat.size > MOST_ENTRIES:
        entries = np.sort(default_rng(0).choice(flat.size, MOST_ENTRIES, replace=False))
    return entries, np.array([_slope(function, arrays, flat, i, dy, center, step) for i in entries])


def evaluate(function: Callable, arrays: list[np.ndarray]) -> np.ndarray:
    """Call the function on copies; ValueError when it changes them or returns more than one array."""
    given = [np.array(array) for array in arrays]
    value = function(*given)
    for place, (array, copy) in enumerate(zip(arrays, given, strict=True), start=1):
        if not np.array_equal(array, copy):
            raise ValueError(f"function: it changes its argument number {place}; expected one that works "
                             f"on copies, such as x.copy()")
    if isinstance(value, (tuple, list, dict)):
        raise ValueError(f"function: it returns a {type(value).__name__}, expected one array")
    return np.array(value)


def _slope(function, arrays, flat, entry, dy, center, step):
    right, left = _quotients(function, arrays, flat, entry, center, step)
    bend = np.abs(right - left)
    # `not ≤` and not `>`, so that a NaN is suspect too.
    suspect = ~(bend <= 1e-4 * (np.abs(right) + np.abs(left)) + 1e-8 * np.maximum(1, np.abs(center)))
    if np.any(suspect & (dy != 0)) and not _smooth(function, arrays, flat, entry, center, step, suspect):
        raise KinkError(f"entry {int(entry)} of an input of {flat.size} entries lies within {step:g} "
                        f"of a kink, where no derivative exists; move it away")
    return float(np.sum(dy * (right + left))) / 2


def _quotients(function, arrays, flat, entry, center, step):
    """The right-hand and the left-hand difference quotient of every output."""
    old = flat[entry]
    flat[entry] = up = old + step
    right = np.asarray(function(*arrays)) - center
    flat[entry] = down = old - step
    left = center - np.asarray(function(*arrays))
    flat[entry] = old
    return right / (up - old), left / (old - down)   # up − old is the step that was really taken


def _smooth(function, arrays, flat, entry, center, step, suspect):
    """Whether the bend halves with the step, as a smooth one does; that of a kink stays, or goes at once.

    Halved twice: a kink at a third of the step passes for smooth the first time.
    """
    bends = []
    for part in (1, 2, 4):
        right, left = _quotients(function, arrays, flat, entry, center, step / part)
        bends.append(np.abs(right - left)[suspect] + 1e-200)
    ratios = np.array([bends[0] / bends[1], bends[1] / bends[2]])
    return bool(np.all((ratios > 1.8) & (ratios < 2.25)))
