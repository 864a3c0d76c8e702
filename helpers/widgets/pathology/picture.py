"""The picture of the pathology explorer: ‖δ‖, its two factors, flat and dead units by layer, and histograms.

All curves run in the order of the backward pass, from the last layer on the left. The horizontal axis never
changes; the vertical one has four ranges, and the lines of a factor of 2 and of ½ in each layer show which.
"""
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plotting import figures, panes
from helpers.plotting.lettering import write
from helpers.plotting.panes import Pane, scientific
from helpers.widgets.pathology import histograms

SIZE, DEEPEST = (700, 530), 60                      # pixels; layers
ENDS = -0.5, DEEPEST - 0.5                          # of the horizontal axis: layers passed going back
NORMS = Pane(62, 46, 400, 232, *ENDS)
FACTORS = Pane(62, 324, 400, 72, *ENDS, -1.5, 1.5)
FRACTIONS = Pane(62, 436, 400, 48, *ENDS, 0, 1)
KEYS = 136, 252, 366                                # of the factors: where they begin
FLAT, DEAD = "#7CC7AE", "#3D3D3D"                   # figures.OUTPUT, thinned; almost black
FLAT_NAMES = {"relu": "inactive", "leaky_relu": "inactive"}            # of ReLU's flat half; else saturated
CLEAR = dict(facecolor="white", edgecolor="none", pad=1)             # no line runs through the numbers
RANGES = {5: 1, 20: 5, 50: 10, 100: 20}             # ± so many powers of ten, and the steps of their labels
FORMATS = {"smallest float16": 2**-24, "largest float16": 65504,
           "smallest float32": 2**-149, "largest float32": 3.4e38}


def pathology_frame(figure: Figure) -> Axes:
    """The edges of all panes, and what stands beside them."""
    ax = panes.sheet(figure, SIZE)
    panes.edges(ax, NORMS, FACTORS, FRACTIONS)
    panes.title(ax, NORMS, "‖δˡ‖ = ‖∂C/∂zˡ‖, last = 1", figures.GRADIENT, lift=28)
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
    histograms.head(ax)
    return ax


def draw_propagation(ax: Axes, one: object, activation: str) -> None:
    """Draw a Propagation of helpers.widgets.pathology.explorer."""
    most = exponent(one)
    pane = NORMS._replace(floor=-most, ceiling=most)
    labels = _scale(ax, pane)
    _gradient(ax, pane, one)
    _two_inputs(ax, pane, one)
    labels += _factors(ax, one) + _fractions(ax, one, activation)
    labels += histograms.draw(ax, one, activation, most)
    write(ax, labels)


def exponent(one: object) -> int:
    """The smallest of RANGES that holds all but zeros; what is beyond the largest is put on its edge."""
    every = np.concatenate([one.norms, one.theory, one.distances, one.distances_theory])
    largest = np.abs(np.log10(every[every > 0])).max()
    return next((most for most in RANGES if largest <= most), max(RANGES))


def _scale(ax, pane):
    """Powers of ten, lines of a factor of 2 and of ½ in each layer, the ends of the number formats."""
    step = RANGES[int(pane.ceiling)]
    panes.polyline(ax, [pane.at([pane.low, pane.high], 0)], color=panes.LINE, lw=0.9, zorder=0.6)
    marks = np.arange(-pane.ceiling, pane.ceiling + 1, step)
    labels = panes.lines_across(ax, pane, marks, [panes.power(int(mark)) for mark in marks])
    for factor, name in ((2, "× 2"), (0.5, "× ½")):
        last = min(DEEPEST - 1, pane.ceiling / abs(np.log10(factor)))
        line = pane.at([0, last], [0, last * np.log10(factor)])
        panes.polyline(ax, [line], color="#B5B5B5", lw=1.2, zorder=0.7)
        x, y = line[0] + (0.86 if last < DEEPEST / 2 else 0.55) * (line[1] - line[0])
        labels += [(name, x + 6, y + (8 if factor > 1 else -8), 0.0)]
    for name, value in FORMATS.items():
        if abs(np.log10(value)) < pane.ceiling:
            left, right = line = pane.at([pane.low, pane.high], np.log10(value))
            panes.polyline(ax, [line], color=figures.NEUTRAL, lw=0.9, ls=(0, (1, 3)), zorder=1)
            below = value < 1 or left[1] < pane.top + 16       # away from 1, where there is room
            inner = abs(np.log10(value)) < 0.6 * pane.ceiling   # in the corners at the right are numbers
            x, anchor = (right[0] - 2, 1.0) if inner else (left[0] + 2, 0.0)
            labels += [(name, x, left[1] + (9 if below else -9), anchor)]
    return labels


def _backward(values):
    """How many layers the backward pass has passed, and values of the layers 1 … n in that order."""
    return np.arange(len(values)), values[::-1]


def _gradient(ax, pane, one):
    """Measured and predicted; where nothing arrives, no curve."""
    passed, found = _backward(one.norms)
    points = pane.at(passed[found > 0], np.log10(found[found > 0]))
    level = pane.at(passed[found > 0][[-1, 0]], 0)
    edge = np.concatenate([points, level])
    panes.polyline(ax, [edge], figures.GRADIENT, fill=True, alpha=0.18, zorder=1)
    panes.polyline(ax, [points], color=figures.GRADIENT, lw=3)
    panes.curve(ax, *points.T, ls="", marker="o", ms=4.5, mfc=figures.GRADIENT, mec="white", mew=0.5)
    _predicted(ax, pane, one.theory)
    words = ((f"layer 1: {scientific(one.norms[0])}", figures.GRADIENT),
             (f"theory: {scientific(one.theory[0])}", figures.THEORY))
    first = pane.top + (18 if one.norms[0] < 1 else pane.height - 34)       # on the side that is free
    for k, (said, color) in enumerate(words):
        ax.text(pane.left + pane.width - 8, first + 18 * k, said, color=color, ha="right", va="center",
                fontsize=11, weight="bold", bbox=CLEAR)


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
    rows = ((one.weights, "weights", figures.KERNEL, 1.8), (one.slopes, "slopes", figures.OUTPUT, 1.8),
            (layer, "total", figures.GRADIENT, 5))
    labels = []
    for x, (values, name, color, width) in zip(KEYS, rows, strict=True):
        passed, found = _backward(values)
        there, order = found > 0, 2 - width / 10                # the total lies below its parts
        points = FACTORS.at(1 + passed[there], np.log10(found[there]))
        panes.polyline(ax, [points], color=color, lw=width, zorder=order)
        panes.curve(ax, *points[:1].T, marker="o", ms=width + 2, mec="none", color=color, zorder=order)
        labels += [(f"{name} {scientific(mean_factor(values))}", x + 25, FACTORS.top - 14, 0.0)]
    return labels


def mean_factor(factors: np.ndarray) -> float:
    """The geometric mean, 0 where one of the factors is."""
    return float(np.exp(np.log(factors).mean())) if (factors > 0).all() else 0.0


def _fractions(ax, one, activation):
    sides = np.arange(len(one.flat) + 1) - 0.5
    panes.area(ax, FRACTIONS, sides, _backward(one.flat)[1], FLAT)
    panes.area(ax, FRACTIONS, sides, _backward(one.dead)[1], DEAD)
    name = FLAT_NAMES.get(activation, "saturated")
    labels = [(f"{name} activations", 167, FRACTIONS.top - 14, 0.0)]
    if max(one.flat.max(), one.dead.max()) < 0.005:
        labels += [("none, or below 0.5 %", FRACTIONS.left + FRACTIONS.width / 2, FRACTIONS.top + 36, 0.5)]
    return labels
