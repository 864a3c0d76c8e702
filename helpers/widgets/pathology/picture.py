"""The picture of the pathology explorer: ‖δ‖, its two factors, flat and dead units by layer, and histograms.

All curves run in the order of the backward pass, from the last layer on the left. The horizontal axis never
changes; the vertical one has four ranges, and each shows the smaller ones as brighter bands inside it.
"""
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.plotting import figures, panes
from helpers.plotting.lettering import width_of, write
from helpers.plotting.panes import Pane, scientific

SIZE, DEEPEST = (700, 530), 60                      # pixels; layers
ENDS = -0.5, DEEPEST - 0.5                          # of the horizontal axis: layers passed going back
NORMS = Pane(62, 46, 400, 232, *ENDS)
FACTORS = Pane(62, 324, 400, 72, *ENDS, -1.5, 1.5)
FRACTIONS = Pane(62, 436, 400, 48, *ENDS, 0, 1)
KEYS = 136, 252, 366                                # of the factors: where they begin
ROWS, COLUMNS, WIDTH, HEIGHT = (68, 220, 372), (492, 602), 90, 100
BINS = 32
FLAT, DEAD = "#7CC7AE", "#3D3D3D"                   # figures.OUTPUT, thinned; almost black
FLAT_NAMES = {"relu": "inactive", "leaky_relu": "inactive"}            # of ReLU's flat half; else saturated
BOUNDS = {"sigmoid": (0, 1), "tanh": (-1, 1)}       # of an activation, where it has any
RANGES = {5: 1, 20: 5, 50: 10, 100: 20}             # ± so many powers of ten, and the steps of their labels
BANDS = "white", "#F4F4F4", "#EBEBEB", "#E2E2E2"
FORMATS = {"float16 min": 2**-24, "float16 max": 65504, "float32 min": 2**-149, "float32 max": 3.4e38}


def pathology_frame(figure: Figure) -> Axes:
    """The edges of all panes, and what stands beside them."""
    ax = panes.sheet(figure, SIZE)
    panes.edges(ax, NORMS, FACTORS, FRACTIONS)
    panes.title(ax, NORMS, "‖δˡ‖, last layer = 1", figures.GRADIENT, lift=28)
    panes.key(ax, 264, 18, "measured", color=figures.GRADIENT, lw=3)
    panes.key(ax, 366, 18, "theory", color=figures.THEORY, lw=1.5, ls=(0, (4, 2)))
    panes.title(ax, FACTORS, "factor of")
    for x, color in zip(KEYS, (figures.KERNEL, figures.OUTPUT, figures.GRADIENT), strict=True):
        panes.key(ax, x, FACTORS.top - 13, "", color=color, lw=2.5)
    panes.title(ax, FRACTIONS, "fraction of")
    panes.key(ax, 142, FRACTIONS.top - 13, "", color=FLAT, lw=8)
    panes.key(ax, 318, FRACTIONS.top - 13, "dead units", color=DEAD, lw=8)
    write(ax, panes.lines_across(ax, FACTORS, [-1, 0, 1], ["0.1", "1", "10"])
          + panes.lines_across(ax, FRACTIONS, [0, 0.5, 1], ["0 %", "50 %", "100 %"])
          + panes.counts_along(FRACTIONS, 0, DEEPEST - 1))
    ax.text(NORMS.left + NORMS.width / 2, SIZE[1] - 14, "layers passed in the backward pass →",
            ha="center", va="center", fontsize=10)
    for x, words, color in zip(COLUMNS, ("activations a", "|δ| of entries"),
                               (figures.OUTPUT, figures.GRADIENT), strict=True):
        ax.text(x - 6, 18, words, color=color, va="center", fontsize=10)
    return ax


def draw_propagation(ax: Axes, one: object, activation: str) -> None:
    """Draw a Propagation of helpers.widgets.pathology.explorer."""
    most = exponent(one)
    pane = NORMS._replace(floor=-most, ceiling=most)
    labels = _scale(ax, pane)
    _gradient(ax, pane, one)
    _two_inputs(ax, pane, one)
    _factors(ax, one)
    labels += _fractions(ax, one, activation)
    for top, layer, a, delta in zip(ROWS, one.layers[::-1], one.a[::-1], one.delta[::-1], strict=False):
        left, right = (Pane(x, top, WIDTH, HEIGHT) for x in COLUMNS)
        panes.edges(ax, left, right)
        labels += [(f"layer {layer}", left.left - 6, top - 16, 0.0)]
        labels += _histogram_of_a(ax, left, a, activation) + _histogram_of_delta(ax, right, delta, most)
    write(ax, labels)


def exponent(one: object) -> int:
    """The smallest of RANGES that holds all but zeros; what is beyond the largest is put on its edge."""
    every = np.concatenate([one.norms, one.theory, one.distances, one.distances_theory])
    largest = np.abs(np.log10(every[every > 0])).max()
    return next((most for most in RANGES if largest <= most), max(RANGES))


def _scale(ax, pane):
    """The range: smaller ranges as bands inside it, powers of ten, the ends of the number formats."""
    for most, color in reversed(list(zip(RANGES, BANDS, strict=True))):
        if most <= pane.ceiling:
            low, high = pane.at(pane.low, [-most, most])[:, 1]
            ax.add_artist(Rectangle((pane.left, high), pane.width, low - high, fc=color, ec="none", zorder=0))
    step = RANGES[int(pane.ceiling)]
    panes.polyline(ax, [pane.at([pane.low, pane.high], 0)], color=panes.LINE, lw=0.9, zorder=0.6)
    marks = np.arange(-pane.ceiling, pane.ceiling + 1, step)
    labels = panes.lines_across(ax, pane, marks, [panes.power(int(mark)) for mark in marks])
    for name, value in FORMATS.items():
        if abs(np.log10(value)) < pane.ceiling:
            left, right = pane.at([pane.low, pane.high], np.log10(value))
            line = np.array([left, right])
            panes.polyline(ax, [line], color=figures.NEUTRAL, lw=0.9, ls=(0, (1, 3)), zorder=1)
            below = value < 1 or left[1] < pane.top + 16       # away from 1, where there is room
            labels += [(name, left[0] + 4, left[1] + (9 if below else -9), 0.0)]
    return labels


def _backward(values):
    """How many layers the backward pass has passed, and values of the layers 1 … n in that order."""
    return np.arange(len(values)), values[::-1]


def _gradient(ax, pane, one):
    """Measured and predicted; where nothing arrives, no curve."""
    passed, found = _backward(one.norms)
    points = pane.at(passed[found > 0], np.log10(found[found > 0]))
    level = pane.at(passed[found > 0][[-1, 0]], 0)
    shade = PolyCollection([np.concatenate([points, level])], fc=figures.GRADIENT, alpha=0.18, ec="none")
    ax.add_artist(shade)
    panes.polyline(ax, [points], color=figures.GRADIENT, lw=3)
    ax.plot(*points.T, ls="", marker="o", ms=4.5, mfc=figures.GRADIENT, mec="white", mew=0.5)
    _predicted(ax, pane, one.theory)
    words = ((f"layer 1: {scientific(one.norms[0])}", figures.GRADIENT),
             (f"theory: {scientific(one.theory[0])}", figures.THEORY))
    first = pane.top + (18 if one.norms[0] < 1 else pane.height - 34)       # on the side that is free
    for k, (said, color) in enumerate(words):
        ax.text(pane.left + pane.width - 8, first + 18 * k, said, color=color, ha="right", va="center",
                fontsize=11, weight="bold")


def _predicted(ax, pane, values):
    passed, found = _backward(values)
    line = pane.at(passed[found > 0], np.log10(found[found > 0]))
    panes.polyline(ax, [line], lw=1.5, ls=(0, (4, 2)), zorder=3)


def _two_inputs(ax, pane, one):
    """Their distance, from layer 1 on the right to the last; it ends where rounding errors begin."""
    if not len(one.distances):
        return
    passed, found = _backward(one.distances)
    points = pane.at(passed[found > 0], np.log10(found[found > 0]))
    panes.polyline(ax, [points], color=figures.INPUT, lw=3, zorder=2.5)
    _predicted(ax, pane, one.distances_theory)
    ax.text(pane.left, pane.top - 10, "← distance of two inputs, layer 1 = 1", color=figures.INPUT,
            va="center", fontsize=10)


def _factors(ax, one):
    """What weights, slopes and the whole layer multiply ‖δ‖ by, on the way to each layer but the last."""
    layer = np.divide(one.norms[:-1], one.norms[1:], out=np.zeros_like(one.weights), where=one.norms[1:] > 0)
    rows = ((one.weights, "weights", figures.KERNEL), (one.slopes, "slopes", figures.OUTPUT),
            (layer, "layer", figures.GRADIENT))
    for x, (values, name, color) in zip(KEYS, rows, strict=True):
        passed, found = _backward(values)
        there = found > 0
        panes.polyline(ax, [FACTORS.at(1 + passed[there], np.log10(found[there]))], color=color, lw=2.5)
        said = f"{name} {scientific(mean_factor(values))}"
        ax.text(x + 25, FACTORS.top - 13, said, va="center", fontsize=9.5)


def mean_factor(factors: np.ndarray) -> float:
    """The geometric mean, 0 where one of the factors is."""
    return float(np.exp(np.log(factors).mean())) if (factors > 0).all() else 0.0


def _fractions(ax, one, activation):
    sides = np.arange(len(one.flat) + 1) - 0.5
    panes.area(ax, FRACTIONS, sides, _backward(one.flat)[1], FLAT)
    panes.area(ax, FRACTIONS, sides, _backward(one.dead)[1], DEAD)
    name = FLAT_NAMES.get(activation, "saturated")
    ax.text(167, FRACTIONS.top - 13, f"{name} activations", va="center", fontsize=9.5)
    if max(one.flat.max(), one.dead.max()) < 0.005:
        return [("none, or below 0.5 %", FRACTIONS.left + FRACTIONS.width / 2, FRACTIONS.top + 36, 0.5)]
    return []


def _histogram_of_a(ax, pane, a, activation):
    low, high = BOUNDS.get(activation, (min(0.0, a.min()), max(0.0, a.max())))
    if low == high:                                  # all of them are 0
        low, high = -1, 1
    _bars(ax, pane, a, low, high, figures.OUTPUT)
    return _ends(pane, scientific(low), scientific(high))


def _histogram_of_delta(ax, pane, delta, most):
    """Entries by their power of ten, where a root mean square of 1 is that of the last layer."""
    size = np.abs(delta[delta != 0]) * delta.size**0.5
    _bars(ax, pane, np.log10(size), -most, most, figures.GRADIENT)
    zeros = 1 - size.size / delta.size
    share = f"{100 * zeros:.0f} % are 0" if zeros >= 0.005 else "some are 0"
    said = [(share, pane.left - 6, pane.top - 16, 0.0)] * bool(zeros)
    return said + _ends(pane, panes.power(-most), panes.power(most))


def _ends(pane, low, high):
    """What the ends of a pane mean, below it; where there is no room for both, the upper one."""
    y, width = pane.top + pane.height + 11, pane.width + 10
    both = [(high, pane.left + pane.width + 4, y, 1.0), (low, pane.left - 6, y, 0.0)]
    return both[:1 + (width_of(low) + width_of(high) < width - 8)]


def _bars(ax, pane, values, low, high, color):
    counts, sides = np.histogram(values, BINS, (low, high))
    if counts.any():
        panes.area(ax, pane.scaled(low, high, 0, counts.max()), sides, counts, color)
