"""Central differences: the gradient measured by nudging every entry of an input.

The error of the quotient falls as h² until rounding, which grows as 1/h, takes over; in float64
the best h is near 1e-5 for numbers around 1. A kink between x − h and x + h spoils the quotient
and is refused.
"""
from collections.abc import Callable

import numpy as np

STEP = 1e-5
MOST_ENTRIES = 4000   # a larger input is nudged at a seeded sample of its entries


class KinkError(ValueError):
    """An input so close to a kink that a difference quotient straddles it."""


def central_differences(function: Callable, arrays: list[np.ndarray], dy: np.ndarray, which: int, *,
                        step: float = STEP) -> tuple[np.ndarray, np.ndarray]:
    """Nudge entries of arrays[which] by ±step: the gradient of Σ dy·function(*arrays), entry by entry.

    Returns the flat indices of the entries nudged (all, up to 4000) and the quotients there. The
    difference is taken before the sum, so that untouched outputs cancel exactly.
    Raises KinkError when the two one-sided quotients say that a kink is nearby.
    """
    arrays = [array.copy() for array in arrays]
    flat, center = arrays[which].reshape(-1), np.asarray(function(*arrays)).copy()
    entries = np.arange(flat.size)
    if flat.size > MOST_ENTRIES:
        entries = np.sort(np.random.default_rng(0).choice(flat.size, MOST_ENTRIES, replace=False))
    slopes, bends = np.empty(len(entries)), np.empty(len(entries))
    for i, entry in enumerate(entries):
        slopes[i], bends[i] = _slope_and_bend(function, arrays, flat, entry, dy, center, step)
    _refuse_kinks(function, arrays, flat, entries, dy, center, step, slopes, bends)
    return entries, slopes


def _slope_and_bend(function, arrays, flat, entry, dy, center, step):
    """Central quotient of entry, and how far the right-hand quotient is from the left-hand one."""
    old = flat[entry]
    flat[entry] = old + step
    right = np.asarray(function(*arrays)) - center
    flat[entry] = old - step
    left = center - np.asarray(function(*arrays))
    flat[entry] = old
    return float(np.sum(dy * (right + left))) / (2 * step), float(np.sum(np.abs(dy * (right - left)))) / step


def _refuse_kinks(function, arrays, flat, entries, dy, center, step, slopes, bends):
    """A smooth bend halves with the step; the bend of a kink stays, or goes at once."""
    scale = np.abs(slopes).max(initial=0.0)
    noise = 1e-4 * scale + 64 * np.finfo(float).eps * np.abs(dy * center).max(initial=0.0) / step
    for i in np.flatnonzero(bends > noise):
        half = _slope_and_bend(function, arrays, flat, entries[i], dy, center, step / 2)[1]
        if not 1.6 < bends[i] / max(half, 1e-300) < 2.5:
            raise KinkError(f"entry {int(entries[i])} of an input of {flat.size} entries lies within "
                            f"{step:g} of a kink, where no derivative exists; move it away")
