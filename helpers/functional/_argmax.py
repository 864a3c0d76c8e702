"""The argmax of every window, and the gradient routed to it: along each row first, then down the rows.

Equal to argmax over each window, as notebooks/02_pooling.ipynb derives it, but in kh + kw steps instead of
kh · kw, each for all windows at once. Ties go to the first index, row by row: the first entry of a row, and
the first of equal rows. Arguments were checked in pooling.py; images are planes (n, 1, height, width);
`down` and `across` say how windows stand along the two axes.
"""
from functools import reduce

import numpy as np

from helpers.functional.windows import Span, pad

__all__ = ["accumulate", "argmax_indices", "maximum", "route"]

Masks = list[np.ndarray]   # for the second, third … entry: where it is larger than all before it


def maximum(image: np.ndarray, down: Span, across: Span) -> tuple[np.ndarray, Masks, Masks]:
    """The largest entry under every window, and the masks that find it: across each row, then down."""
    image = pad(image, [down.margin, across.margin], -np.inf)
    any_nan = np.isnan(image.max())   # seldom; without one no entry needs to be asked
    columns = (np.copy(image[..., j]) for j in across.entries)   # read more than once: worth a copy
    rows, larger_across = _maximum(columns, any_nan, across.padding, across.first)
    entries = (rows[..., i, :] for i in down.entries)
    largest, larger_down = _maximum(entries, any_nan, down.padding, down.first[:, None])
    return largest, larger_across, larger_down


def _maximum(entries, any_nan, padding, first):
    """The largest of the entries, place by place, and where the second, third … is larger than all before.

    The last of these is the argmax: the first of equals, the last NaN; of nothing but −∞, the first on x.
    """
    largest, larger = next(entries), []
    for n, entry in enumerate(entries, start=1):
        larger.append(entry > largest)
        if any_nan:
            larger[-1] |= np.isnan(entry)
        if padding:
            larger[-1] |= first == n
        largest = np.maximum(largest, entry)
    return largest, larger


def route(dy: np.ndarray, larger: Masks, pixels: Masks, axis: Span) -> None:
    """Add the gradient of each place to the pixel of its argmax, and 0 to the others: as bits times 1 or 0.

    np.where is slower, and a gradient of ∞ times 0 would be a NaN.
    """
    bits = dy.view(f"i{dy.itemsize}")
    for mask, pixel in zip(reversed(larger), reversed(pixels[1:]), strict=True):
        taken = bits * mask
        bits = bits ^ taken    # what is left
        accumulate(taken.view(dy.dtype), pixel, axis)
    accumulate(bits.view(dy.dtype), pixels[0], axis)


def argmax_indices(largest: np.ndarray, larger_across: Masks, larger_down: Masks, down: Span,
                   across: Span) -> np.ndarray:
    """The argmax as torch's indices: row · W + column in x, without the margin."""
    v, u = (reduce(np.maximum, [n * mask for n, mask in enumerate(larger, start=1)], 0)
            for larger in (larger_across, larger_down))
    rows = np.broadcast_to(down.starts[:, None] + down.dilation * u, largest.shape)
    columns = across.starts + across.dilation * v      # of the largest entry in each row
    columns = np.broadcast_to(columns, (*largest.shape[:2], down.padded, across.places))
    return rows * across.size + np.take_along_axis(columns, rows + down.padding, axis=2)


def accumulate(gradient: np.ndarray, pixels: np.ndarray, axis: Span) -> None:
    """Add a gradient to pixels, which are 0 before; where no windows overlap, by writing: quicker."""
    if axis.overlap:
        pixels += gradient
    else:
        pixels[:] = gradient
