"""The picture of the pathology explorer: ‖δ‖, saturated and dead units by layer, histograms of three layers.

All but the words beside the panes is drawn anew for each setting, on scales that fit it.
"""
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plotting import figures, panes
from helpers.plotting.lettering import width_of, write
from helpers.plotting.panes import Pane, scientific

SIZE = 700, 470                                     # pixels
NORMS, FRACTIONS = Pane(62, 44, 372, 232), Pane(62, 332, 372, 92)
ROWS, COLUMNS, WIDTH, HEIGHT = (66, 202, 338), (480, 596), 94, 86
BINS = 32
SATURATED, DEAD = "#7CC7AE", "#3D3D3D"              # figures.OUTPUT, thinned; almost black
BOUNDS = {"sigmoid": (0, 1), "tanh": (-1, 1)}       # of an activation, where it has any


def pathology_frame(figure: Figure) -> Axes:
    """The edges of all panes, and what stands beside them."""
    ax = panes.sheet(figure, SIZE)
    panes.edges(ax, NORMS, FRACTIONS)
    panes.title(ax, NORMS, "‖δˡ‖, last layer = 1", figures.GRADIENT, lift=26)
    panes.key(ax, 264, 18, "measured", color=figures.GRADIENT, lw=3)
    panes.key(ax, 366, 18, "theory", color=figures.THEORY, lw=1.5, ls=(0, (4, 2)))
    panes.title(ax, FRACTIONS, "fraction of")
    panes.key(ax, 142, 319, "saturated activations", color=SATURATED, lw=8)
    panes.key(ax, 318, 319, "dead units", color=DEAD, lw=8)
    ax.text(NORMS.left + NORMS.width / 2, SIZE[1] - 12, "layer l, from the input to the last",
            ha="center", va="center", fontsize=10)
    for x, words, color in zip(COLUMNS, ("activations a", "|δ| of entries"),
                               (figures.OUTPUT, figures.GRADIENT), strict=True):
        ax.text(x - 6, 18, words, color=color, va="center", fontsize=10)
        panes.edges(ax, *(Pane(x, y, WIDTH, HEIGHT) for y in ROWS))
    return ax


def draw_propagation(ax: Axes, one: object, activation: str) -> None:
    """Draw a Propagation of helpers.widgets.pathology.explorer."""
    low, high = exponents(one)
    depth = len(one.norms)
    gradient = NORMS.scaled(0.5, depth + 0.5, low, high)     # as wide as the bars below
    labels = panes.powers_up(ax, gradient)
    _gradient(ax, gradient, one)
    labels += _fractions(ax, one, depth)
    for top, layer, a, delta in zip(ROWS, one.layers, one.a, one.delta, strict=True):
        labels += [(f"layer {layer}", COLUMNS[0] - 6, top - 16, 0.0)]
        labels += _histogram_of_a(ax, Pane(COLUMNS[0], top, WIDTH, HEIGHT), a, activation)
        labels += _histogram_of_delta(ax, Pane(COLUMNS[1], top, WIDTH, HEIGHT), delta, low, high)
    write(ax, labels)


def exponents(one: object) -> tuple[int, int]:
    """The powers of ten between which all norms but zeros lie, measured or predicted."""
    both = np.concatenate([one.norms, one.theory])
    logs = np.log10(both[both > 0])
    return panes.decades(logs.min(), logs.max())


def _gradient(ax, pane, one):
    """Measured and predicted; where nothing arrives, no curve."""
    layers, alive = np.arange(1, len(one.norms) + 1), one.norms > 0
    points = pane.at(layers[alive], np.log10(one.norms[alive]))
    panes.polyline(ax, [points], color=figures.GRADIENT, lw=3)
    ax.plot(*points.T, ls="", marker="o", ms=4.5, mfc=figures.GRADIENT, mec="white", mew=0.5)
    line = pane.at(layers, np.log10(one.theory))
    panes.polyline(ax, [line], lw=1.5, ls=(0, (4, 2)), zorder=3)
    words = ((f"layer 1: {scientific(one.norms[0])}", figures.GRADIENT),
             (f"theory: {scientific(one.theory[0])}", figures.THEORY))
    first = pane.top + (pane.height - 32 if one.norms[0] < 1 else 12)       # on the side that is free
    for k, (said, color) in enumerate(words):
        ax.text(pane.left + pane.width - 8, first + 18 * k, said, color=color, ha="right", va="center",
                fontsize=11, weight="bold")


def _fractions(ax, one, depth):
    pane = FRACTIONS.scaled(0.5, depth + 0.5, 0, 1)
    labels = panes.lines_across(ax, pane, [0, 0.5, 1], ["0 %", "50 %", "100 %"])
    sides = np.arange(depth + 1) + 0.5
    panes.area(ax, pane, sides, one.saturated, SATURATED)
    panes.area(ax, pane, sides, one.dead, DEAD)
    if max(one.saturated.max(), one.dead.max()) < 0.005:
        labels += [("none, or below 0.5 %", pane.left + pane.width / 2, pane.top + 0.75 * pane.height, 0.5)]
    return labels + panes.counts_along(pane, 1, depth)


def _histogram_of_a(ax, pane, a, activation):
    low, high = BOUNDS.get(activation, (min(0.0, a.min()), max(0.0, a.max())))
    if low == high:                                  # all of them are 0
        low, high = -1, 1
    _bars(ax, pane, a, low, high, figures.OUTPUT)
    return _ends(pane, scientific(low), scientific(high))


def _histogram_of_delta(ax, pane, delta, low, high):
    """Entries by their power of ten, where a root mean square of 1 is that of the last layer."""
    size = np.abs(delta[delta != 0]) * delta.size**0.5
    low -= 3
    _bars(ax, pane, np.log10(size), low, high, figures.GRADIENT)
    zeros = 1 - size.size / delta.size
    share = f"{100 * zeros:.0f} % are 0" if zeros >= 0.005 else "some are 0"
    said = [(share, pane.left - 6, pane.top - 16, 0.0)] * bool(zeros)
    return said + _ends(pane, panes.power(low), panes.power(high))


def _ends(pane, low, high):
    """What the ends of a pane mean, below it; where there is no room for both, the upper one."""
    y, width = pane.top + pane.height + 11, pane.width + 10
    both = [(high, pane.left + pane.width + 4, y, 1.0), (low, pane.left - 6, y, 0.0)]
    return both[:1 + (width_of(low) + width_of(high) < width - 8)]


def _bars(ax, pane, values, low, high, color):
    counts, sides = np.histogram(values, BINS, (low, high))
    if counts.any():
        panes.area(ax, pane.scaled(low, high, 0, counts.max()), sides, counts, color)
