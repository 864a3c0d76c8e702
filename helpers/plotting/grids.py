"""Grids of numbers, drawn quickly: one path for all lines, one for all numbers.

A text of its own for each cell costs Matplotlib about half a millisecond; the outlines of a digit are
therefore made once, and moved to where they are needed.
"""
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from helpers.plotting.lettering import CAP, outlined
from helpers.plotting.strokes import Stroke

WIDEST = 0.84       # of a cell, for a text
SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])     # the corners of a cell
TINT = "#DCEFE8"    # figures.OUTPUT, thinned


def grid(ax: Axes, labels: np.ndarray, corner: tuple[float, float], *, cell: float = 1.0,
         size: float = 0.42, color: str = "#6E6E6E", tinted: np.ndarray | None = None) -> None:
    """Draw `labels` (rows, columns) of text in square cells from `corner` (x, y), y running down.

    `cell` is the side of a cell in data units, `size` the font size in cells; a label may have
    several lines. The cells where `tinted` is true are green.
    """
    rows, columns = labels.shape
    place = Affine2D().scale(cell).translate(*corner) + ax.transData
    if tinted is not None:
        ax.add_artist(Stroke(squares(tinted), TINT, fill=True, zorder=1, place=place))
    ax.add_artist(Stroke(_lines(rows, columns), color, lw=0.7, zorder=1, place=place))
    words = [_moved(line, size, j + 0.5, i + 0.5 + 1.35 * size * (k - label.count("\n") / 2))
             for (i, j), label in np.ndenumerate(labels) for k, line in enumerate(label.split("\n")) if line]
    if words:
        path = Path(*map(np.concatenate, zip(*words, strict=True)))
        ax.add_artist(Stroke(path, "black", fill=True, zorder=1, place=place))


def squares(lit: np.ndarray) -> Path:
    """The cells of a grid of side 1 where `lit` (rows, columns) is true, as one path."""
    return Path.make_compound_path(*map(Path, np.argwhere(lit)[:, None, ::-1] + SQUARE))


def matrix(ax: Axes, corner: tuple[float, float], labels: np.ndarray, title: str, color: str, *,
           lit: tuple[int, int, int, int] | None = None, tinted: np.ndarray | None = None,
           size: float = 0.5) -> None:
    """A grid of cells of side 1 under its title; `lit` frames a block (row, column, rows, columns)."""
    left, top = corner
    ax.text(left + labels.shape[1] / 2, top - 0.65, title, color=color, ha="center", va="center", fontsize=10)
    grid(ax, labels, corner, size=size, tinted=tinted)
    if lit:
        ax.add_patch(Rectangle((left + lit[1], top + lit[0]), lit[3], lit[2], fill=False, ec=color, lw=2.4))


def integers(values: np.ndarray) -> np.ndarray:
    """Labels of whole numbers, with a real minus sign; nothing for NaN."""
    return np.array([["" if np.isnan(n) else f"{n + 0:.0f}".replace("-", "−") for n in row]
                     for row in values])


@cache
def _glyphs(text):
    """The outline of a text of height 1, its middle at the origin, y running down; its codes, its width."""
    outline, codes, _ = outlined(text)
    box = Path(outline, codes).get_extents()
    return (outline - [(box.x0 + box.x1) / 2, CAP / 2]) * [1, -1], codes, box.width


def _moved(text, size, x, y):
    """The outline with its middle at (x, y), and its codes; a text too wide for its cell is made smaller."""
    outline, codes, width = _glyphs(text)
    return outline * min(size, WIDEST / width) + [x, y], codes


@cache
def _lines(rows: int, columns: int) -> Path:
    across = [[(0, i), (columns, i)] for i in range(rows + 1)]
    down = [[(j, 0), (j, rows)] for j in range(columns + 1)]
    ends = np.array(across + down, dtype=float).reshape(-1, 2)
    return Path(ends, [Path.MOVETO, Path.LINETO] * (len(ends) // 2))
