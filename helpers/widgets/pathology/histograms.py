"""Histograms of the pathology explorer: activations and gradients of the last, a middle, the first layer."""
import numpy as np
from matplotlib.axes import Axes

from helpers.plotting import figures, panes
from helpers.plotting.lettering import width_of
from helpers.plotting.panes import Label, Pane, scientific

ROWS, COLUMNS, WIDTH, HEIGHT = (68, 220, 372), (492, 602), 90, 100
BINS, SPREAD = 32, 3                                # SPREAD: powers of ten that entries lie below their norm
BOUNDS = {"sigmoid": (0, 1), "tanh": (-1, 1)}       # of an activation, where it has any


def head(ax: Axes) -> None:
    """What the two columns show: part of a frame."""
    for x, words, color in zip(COLUMNS, ("activations a", "|δ| of entries"),
                               (figures.OUTPUT, figures.GRADIENT), strict=True):
        ax.text(x - 6, 18, words, color=color, va="center", fontsize=10)


def draw(ax: Axes, one: object, activation: str, most: int) -> list[Label]:
    """Draw those of a Propagation, in the order of the backward pass; ‖δ‖ from 10^−most to 10^most."""
    labels, rows = [], [[Pane(x, top, WIDTH, HEIGHT) for x in COLUMNS] for top in ROWS[:len(one.layers)]]
    panes.edges(ax, *sum(rows, []))
    for (left, right), layer, a, delta in zip(
            rows, one.layers[::-1], one.a[::-1], one.delta[::-1], strict=True):
        labels += [(f"layer {layer}", left.left - 6, left.top - 16, 0.0)]
        labels += _of_a(ax, left, a, activation) + _of_delta(ax, right, delta, most)
    return labels


def _of_a(ax, pane, a, activation):
    low, high = BOUNDS.get(activation, (min(0.0, a.min()), max(0.0, a.max())))
    if low == high:                                  # all of them are 0
        low, high = -1, 1
    _bars(ax, pane, a, low, high, figures.OUTPUT)
    return _ends(pane, scientific(low), scientific(high))


def _of_delta(ax, pane, delta, most):
    """Entries by their power of ten, where a root mean square of 1 is that of the last layer."""
    size = np.abs(delta[delta != 0]) * delta.size**0.5
    low = -most - SPREAD
    _bars(ax, pane, np.log10(size), low, most, figures.GRADIENT)
    zeros = 1 - size.size / delta.size
    share = f"{100 * zeros:.0f} % are 0" if zeros >= 0.005 else "some are 0"
    said = [(share, pane.left - 6, pane.top - 16, 0.0)] * bool(zeros)
    return said + _ends(pane, panes.power(low), panes.power(most))


def _ends(pane, low, high):
    """What the ends of a pane mean, below it; where there is no room for both, the upper one."""
    y = pane.top + pane.height + 11
    both = [(high, pane.left + pane.width, y, 1.0), (low, pane.left, y, 0.0)]
    return both[:1 + (width_of(low) + width_of(high) < pane.width - 8)]


def _bars(ax, pane, values, low, high, color):
    counts, sides = np.histogram(values, BINS, (low, high))
    if counts.any():
        panes.area(ax, pane.scaled(low, high, 0, counts.max()), sides, counts, color)
