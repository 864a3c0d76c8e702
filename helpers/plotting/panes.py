"""Panes: several diagrams in one figure, whose scales may change from picture to picture.

The limits of Matplotlib's axes belong to what an explorer draws once. Here the axes have a unit of one CSS
pixel, y running down, and a pane is a rectangle in them with a scale of its own, whose lines and numbers
are drawn with what moves. All curves of one style are one artist, all words one path: that is quick.
"""
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path

from helpers.plotting import figures
from helpers.plotting.strokes import Stroke

GRID, LINE = "#DDDDDD", "#9A9A9A"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
STEPS = 1, 2, 5, 10, 20, 50, 100
ROUND = 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 60, 80, 120

Label = tuple[str, float, float, float]     # words, x, y, anchor: as helpers.plotting.lettering takes them


class Pane(NamedTuple):
    """A rectangle in pixels, and the numbers at its left, right, bottom and top edge."""

    left: float
    top: float
    width: float
    height: float
    low: float = 0.0
    high: float = 1.0
    floor: float = 0.0
    ceiling: float = 1.0

    def scaled(self, low: float, high: float, floor: float, ceiling: float) -> "Pane":
        """The same rectangle with other numbers at its edges."""
        return self._replace(low=low, high=high, floor=floor, ceiling=ceiling)

    def at(self, x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray:
        """Where these numbers are, (…, 2) pixels; what is beyond an edge is put on it."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        across = np.clip((x - self.low) / (self.high - self.low), 0, 1)
        up = np.clip((y - self.floor) / (self.ceiling - self.floor), 0, 1)
        return np.stack([self.left + across * self.width, self.top + (1 - up) * self.height], axis=-1)


def sheet(figure: Figure, size: tuple[float, float]) -> Axes:
    """Axes over the whole figure, so many units wide and high, y running down, and nothing in them."""
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, size[0]), ylim=(size[1], 0))
    ax.axis("off")
    return ax


def axes_at(figure: Figure, *places: tuple[float, float, float, float]) -> list[Axes]:
    """Axes at these rectangles (left, top, width, height) of pixels, 100 an inch, y running down."""
    figure.set_layout_engine("none")
    W, H = (100 * side for side in figure.get_size_inches())
    return [figure.add_axes((x / W, 1 - (y + height) / H, width / W, height / H))
            for x, y, width, height in places]


def edges(ax: Axes, *panes: Pane) -> None:
    """The left and the lower edge of each pane: part of a frame."""
    corners = [[(p.left, p.top), (p.left, p.top + p.height), (p.left + p.width, p.top + p.height)]
               for p in panes]
    polyline(ax, corners, LINE, lw=0.9, capstyle="projecting")


def title(ax: Axes, pane: Pane, words: str, color: str = "black", *, lift: float = 13) -> None:
    """Words above a pane, from its left edge: part of a frame."""
    ax.text(pane.left, pane.top - lift, words, color=color, va="center", fontsize=10)


def key(ax: Axes, x: float, y: float, words: str, **line: object) -> None:
    """A short line as a curve has it, and its name to the right of it: part of a frame."""
    ax.plot([x, x + 20], [y, y], **{"solid_capstyle": "butt", **line, "marker": ""})
    ax.text(x + 25, y, words, va="center", fontsize=9.5)


def decades(least: float, most: float) -> tuple[int, int]:
    """A range of exponents that holds both and 0, out of a few, so that a slider changes it seldom."""
    down = next(n for n in (*ROUND, math.inf) if n >= -least)
    up = next(n for n in (*ROUND, math.inf) if n >= most)
    if math.inf in (down, up):
        raise ValueError(f"least, most: got {least} and {most}, expected exponents within ±{ROUND[-1]}")
    return -down, up


def steps(span: float, most: int) -> int:
    """The distance between marks, so that no more than `most` + 1 stand on `span`."""
    return next(step for step in (*STEPS, math.ceil(span)) if span <= most * step)


def power(exponent: int) -> str:
    """"10⁻³"; 0 is "1"."""
    return "10" + str(exponent).translate(SUPERSCRIPTS) if exponent else "1"


def scientific(value: float, digits: int = 2) -> str:
    """So many digits to read: "0.25", "−1", "340", "2.1·10⁻¹⁹"; only zero is 0."""
    if value == 0:
        return "0"
    first, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    if -3 <= int(exponent) < 4:
        words = f"{float(f'{first}e{exponent}'):.{max(0, digits - 1 - int(exponent))}f}"
    else:
        words = first
    words = words.rstrip("0").rstrip(".") if "." in words else words
    return "−" * bool(value < 0) + words + f"·{power(int(exponent))}" * (not -3 <= int(exponent) < 4)


def lines_across(ax: Axes, pane: Pane, heights: Sequence[float], names: Sequence[str]) -> list[Label]:
    """Thin lines at these heights; their names, for `write`, at the left of the pane."""
    ends = np.stack([pane.at(pane.low, heights), pane.at(pane.high, heights)], axis=1)
    polyline(ax, ends, GRID, lw=0.7, capstyle="butt", zorder=0.5)
    return [(name, pane.left - 6, y, 1.0) for name, y in zip(names, ends[:, 0, 1], strict=True)]


def powers_up(ax: Axes, pane: Pane, most: int = 6) -> list[Label]:
    """The powers of ten along a pane whose y is an exponent; 1 itself, that is 10⁰, has a darker line."""
    step = steps(pane.ceiling - pane.floor, most)
    marks = np.arange(math.ceil(pane.floor / step), math.floor(pane.ceiling / step) + 1) * step
    if pane.floor < 0 < pane.ceiling:
        polyline(ax, [pane.at([pane.low, pane.high], 0)], color=LINE, lw=0.9, zorder=0.6)
    return lines_across(ax, pane, marks, [power(int(mark)) for mark in marks])


def counts_along(pane: Pane, first: int, last: int, most: int = 8) -> list[Label]:
    """Whole numbers below a pane: the first, the last, and round ones between, not too near to them."""
    step = steps(last - first, most)
    inner = [n for n in range(step, last, step) if n - first >= 0.6 * step and last - n >= 0.6 * step]
    marks = list(dict.fromkeys([first, *inner, last]))
    return [(str(n), x, pane.top + pane.height + 11, 0.5) for n, x in
            zip(marks, pane.at(marks, pane.floor)[:, 0], strict=True)]


def polyline(ax: Axes, lines: Sequence[np.ndarray], color: str = figures.THEORY, **style: object) -> None:
    """Curves (n, 2) in pixels, of one style, as Stroke takes it; areas if `fill`."""
    path = Path.make_compound_path(*map(Path, lines))
    ax.add_artist(Stroke(path, color, **{"capstyle": "round", **style}))


def curve(ax: Axes, x: np.ndarray | float, y: np.ndarray | float, **style: object) -> None:
    """Lines and markers in any axes, as `ax.plot` draws them; their limits stay, which is twice as quick."""
    ax.add_artist(Line2D(np.atleast_1d(x), np.atleast_1d(y), **style))


def area(ax: Axes, pane: Pane, x: np.ndarray, y: np.ndarray, color: str, **style: object) -> None:
    """Fill between y and the lower edge: x (n,) with y (n,), or steps with x (n + 1,). Below curves."""
    if len(x) == len(y) + 1:
        x, y = np.repeat(x, 2)[1:-1], np.repeat(y, 2)
    top = pane.at(x, y)
    bottom = pane.at(x[[-1, 0]], [pane.floor] * 2)
    polyline(ax, [np.concatenate([top, bottom])], color, fill=True, **{"zorder": 1, **style})
