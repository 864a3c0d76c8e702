"""Who is the largest under a window, and how the blame finds it: a contest in each row, then of the rows.

For kh × kw entries that takes kh + kw steps, all windows at once. Of equals the first wins, row by row: the
first in its row, and its row as the first of equal rows. Arguments were checked in
helpers/functional/pooling.py; images are planes (n, 1, height, width), `down` and `across` are how windows
stand along the two axes. Derived in notebooks/02_pooling.ipynb.
"""
from functools import reduce

import numpy as np

from helpers.functional.windows import Span, pad

__all__ = ["add_blame", "award", "contests", "places_of_winners"]

Wins = list[np.ndarray]   # for the second, third … rival: where it beats all before it


def contests(image: np.ndarray, down: Span, across: Span) -> tuple[np.ndarray, Wins, Wins]:
    """The largest under every window, and who beat all before it: across each row, then down the rows."""
    image = pad(image, [down.margin, across.margin], -np.inf)
    any_nan = np.isnan(image.max())   # seldom, and else nobody has to be asked
    columns = (np.copy(image[..., j]) for j in across.entries)   # read more than once: worth a copy
    rows, better_across = _contest(columns, any_nan, across.padding, across.first)
    rivals = (rows[..., i, :] for i in down.entries)
    best, better_down = _contest(rivals, any_nan, down.padding, down.first[:, None])
    return best, better_across, better_down


def _contest(rivals, any_nan, padding, first):
    """The largest of the rivals, place by place, and where the second, the third … beat all before it.

    The last of these wins: the first of equals, the last NaN; of none but −∞, the first on x.
    """
    best, better = next(rivals), []
    for n, rival in enumerate(rivals, start=1):
        better.append(rival > best)
        if any_nan:
            better[-1] |= np.isnan(rival)
        if padding:
            better[-1] |= first == n
        best = np.maximum(best, rival)
    return best, better


def award(blame: np.ndarray, better: Wins, pixels: Wins, axis: Span) -> None:
    """Send the blame of each place to the winner's pixel, and 0 to the others: as bits times 1 or 0.

    np.where is slower, and a blame of ∞ times 0 would be a NaN.
    """
    bits = blame.view(f"i{blame.itemsize}")
    for won, pixel in zip(reversed(better), reversed(pixels[1:]), strict=True):
        taken = bits * won
        bits = bits ^ taken    # what is left
        add_blame(taken.view(blame.dtype), pixel, axis)
    add_blame(bits.view(blame.dtype), pixels[0], axis)


def places_of_winners(best: np.ndarray, better_across: Wins, better_down: Wins, down: Span,
                      across: Span) -> np.ndarray:
    """The winners as torch's indices: row · W + column in x, without the margin."""
    v, u = (reduce(np.maximum, [n * won for n, won in enumerate(better, start=1)], 0)
            for better in (better_across, better_down))
    rows = np.broadcast_to(down.starts[:, None] + down.dilation * u, best.shape)
    columns = across.starts + across.dilation * v      # of the winner in each row
    columns = np.broadcast_to(columns, (*best.shape[:2], down.padded, across.places))
    return rows * across.size + np.take_along_axis(columns, rows + down.padding, axis=2)


def add_blame(share: np.ndarray, pixels: np.ndarray, axis: Span) -> None:
    """Add a share to pixels, which are 0 before; where no windows overlap, by writing, which is quicker."""
    if axis.overlap:
        pixels += share
    else:
        pixels[:] = share
