"""Many short labels, drawn as one path.

A text of its own for each number costs Matplotlib half a millisecond, and each text not seen before more. So
the outline of a sign is made once, and a path is put together from the signs of all labels.
"""
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from helpers.plotting.grids import CAP

EM = 12.8       # pixels, 100 an inch: 9.2 points


def write(ax: Axes, labels: list[tuple[str, float, float, float]], color: str = "black") -> None:
    """Draw labels (words, x, y, anchor); y is their middle, anchor 0.5 where x is, too, 1 for the right end.

    The axes have a unit of one CSS pixel, y running down; the size of the letters is 9.2 points.
    """
    points, codes = [], []
    for words, x, y, anchor in labels:
        pen = x - anchor * width_of(words)
        for sign in words:
            outline, strokes, advance = _outline(sign)
            points.append(outline * EM + [pen, y + CAP / 2 * EM])
            codes.append(strokes)
            pen += advance * EM
    if labels:
        path = Path(np.concatenate(points), np.concatenate(codes))
        ax.add_artist(PathPatch(path, fc=color, ec="none", zorder=4))


def width_of(words: str) -> float:
    """How wide `write` makes these words, in pixels."""
    return EM * sum(_outline(sign)[2] for sign in words)


@cache
def _outline(sign):
    """A sign of height 1, y running down, as points and codes, and how far it moves the pen."""
    font = FontProperties(family="DejaVu Sans")
    with_bar, bar = (TextPath((0, 0), text, size=1, prop=font) for text in (sign + "|", "|"))
    own = slice(len(with_bar) - len(bar))         # a blank has no outline, and a TextPath of it is refused
    advance = with_bar.get_extents().x1 - bar.get_extents().x1
    return with_bar.vertices[own] * [1, -1], with_bar.codes[own], advance
