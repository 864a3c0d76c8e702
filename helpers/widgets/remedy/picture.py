"""The picture of the remedy bench: gradient by layer, cost by step, update-to-weight ratios, for two nets."""
import math
import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plotting import figures, panes
from helpers.plotting.lettering import write
from helpers.plotting.panes import Pane, scientific
from helpers.widgets.remedy.words import GUESSING, WORSE, cost_text, first, recent, state

SIZE, STEPS = (700, 486), 100                        # pixels; of a training
GRADIENT, COST = Pane(62, 62, 270, 160), Pane(412, 62, 270, 160)
SPEED, TABLE = Pane(62, 290, 270, 150), (372, 276)
PLAIN = {"color": figures.NEUTRAL, "lw": 2.2, "ls": (0, (2, 1))}
MODIFIED = {"gradient": figures.GRADIENT, "speed": figures.KERNEL, "cost": figures.OUTPUT}
COSTS = 0.001, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13
COLUMNS = 172, 268                                   # of the table: their middles, from its left edge


def remedy_frame(figure: Figure) -> Axes:
    """The edges of all panes, and what stands beside them."""
    ax = panes.sheet(figure, SIZE)
    panes.edges(ax, GRADIENT, COST, SPEED)
    panes.key(ax, 62, 16, "plain net", **PLAIN)
    for k, color in enumerate(MODIFIED.values()):
        ax.plot([164 + 8 * k, 172 + 8 * k], [16, 16], color=color, lw=3, solid_capstyle="butt")
    ax.text(194, 16, "modified net", va="center", fontsize=9.5)
    panes.title(ax, GRADIENT, "‖δˡ‖ before training, output = 1", figures.GRADIENT, lift=18)
    panes.title(ax, COST, "cost of the batch of each step", figures.OUTPUT, lift=18)
    panes.title(ax, SPEED, "‖ΔW‖ / ‖W‖ of each layer, this step", figures.KERNEL, lift=18)
    for pane, words, below in ((GRADIENT, "layer", 27), (SPEED, "layer", 27), (COST, "step", 27)):
        ax.text(pane.left + pane.width / 2, pane.top + pane.height + below, words, ha="center", va="center",
                fontsize=10)
    return ax


def draw_comparison(ax: Axes, one: object) -> None:
    """Draw a Comparison of helpers.widgets.remedy.bench."""
    labels = _by_layer(ax, GRADIENT, [_relative(r.delta[0]) for r in (one.plain, one.modified)], "gradient")
    labels += _costs(ax, one)
    labels += _by_layer(ax, SPEED, [_at(r.ratios, one.step) for r in (one.plain, one.modified)], "speed")
    write(ax, labels)
    _table(ax, one)


def _relative(delta):
    return delta / delta[-1]


def _at(ratios, step):
    """The row of the step that led here; of the first one before any; None where there was no step."""
    return ratios[min(max(step - 1, 0), len(ratios) - 1)] if len(ratios) else None


def _by_layer(ax, pane, curves, kind):
    """Both curves on a common logarithmic scale; where an entry is 0, no curve."""
    logs = np.concatenate([np.log10(y[y > 0]) for y in curves if y is not None])
    low, high = panes.decades(logs.min(initial=0), logs.max(initial=0))
    layers = max(len(y) for y in curves if y is not None)
    pane = pane.scaled(1, layers, low, high)
    labels = panes.powers_up(ax, pane, 5)
    for y, style in zip(curves, (PLAIN, {"color": MODIFIED[kind], "lw": 3, "zorder": 0.9}), strict=True):
        if y is not None:
            at = np.arange(1, layers + 1)[y > 0]
            panes.polyline(ax, [pane.at(at, np.log10(y[y > 0]))], **{"capstyle": "butt", **style})
    return labels + panes.counts_along(pane, 1, layers, 6)[:-1] + [
        ("output", pane.left + pane.width + 6, pane.top + pane.height + 11, 1.0)]


def _costs(ax, one):
    """Both curves, as far as they go, with a dot where the slider stands and a cross where they diverge."""
    pane, marks = _cost_scale(one)
    names = [f"{mark:g}" if mark < 1e4 else panes.power(round(math.log10(mark))) for mark in marks]
    labels = panes.lines_across(ax, pane, np.log10(marks), names)
    labels += _guessing(ax, pane, one.modified) + panes.counts_along(pane, 0, STEPS, 5)
    modified = {"color": MODIFIED["cost"], "lw": 2.4, "zorder": 0.9}
    for record, style in ((one.modified, modified), (one.plain, PLAIN)):
        points = pane.at(np.arange(len(record.losses)), np.log10(record.losses))
        panes.polyline(ax, [points], **{"capstyle": "butt", **style})
        ax.plot(*points[min(one.step, len(points) - 1)], "o", ms=7, mfc=style["color"], mec="white")
        if record.diverged is not None:
            ax.plot(*points[-1], "x", ms=9, mec=style["color"], mew=2.5)
    return labels


def _cost_scale(one):
    """A pane in which all costs lie, that of guessing too, and the marks on its axis."""
    both = np.concatenate([one.plain.losses, one.modified.losses, [GUESSING]])
    marks = COSTS[_last(COSTS, 0.95 * both.min()):_last(COSTS, 1.05 * both.max()) + 2]
    if len(marks) > 6:
        marks = [mark for mark in marks if mark in (marks[0], marks[-1]) or str(mark)[-1] != "3"]
    return COST.scaled(0, STEPS, math.log10(marks[0]), math.log10(marks[-1])), marks


def _guessing(ax, pane, record):
    """A dotted line, and its name on the side where the curve of the modified net is not."""
    line = pane.at([0, STEPS], math.log10(GUESSING))
    panes.polyline(ax, [line], lw=1, ls=(0, (1, 2)), zorder=0.8)
    room = pane.top + pane.height - line[0, 1] > 16
    below = room and record.diverged is None and recent(record, STEPS) > WORSE * GUESSING
    return [("guessing", pane.left + pane.width, line[0, 1] + (9 if below else -9), 1.0)]


def _last(marks, value):
    """The index of the largest mark that is not above the value, or 0."""
    return max(0, sum(mark <= value for mark in marks) - 1)


def _table(ax, one):
    """What the curves have at layer 1 and at this step, in numbers, and the remedies."""
    (left, top), nets = TABLE, (one.plain, one.modified)
    rows = [("", "plain", "modified"),
            ("‖δ‖, layer 1", *(scientific(first(net)) for net in nets)),
            ("‖ΔW‖/‖W‖, layer 1", *(_speed(net, one.step) for net in nets)),
            ("cost, last batches", *(cost_text(recent(net, one.step)) for net in nets)),
            (f"after {one.step} steps", *(state(net, one.step) for net in nets))]
    for k, (name, *words) in enumerate(rows):
        ax.text(left, top + 21 * k, name, va="center", fontsize=10)
        for x, said, color in zip(COLUMNS, words, (figures.NEUTRAL, "black"), strict=True):
            ax.text(left + x, top + 21 * k, said, va="center", ha="center", fontsize=10, color=color,
                    weight="bold" if k in (0, 4) else "normal")
    said = textwrap.fill("on: " + (", ".join(one.remedies) or "no remedy"), 46, subsequent_indent="      ")
    ax.text(left, top + 122, said, va="top", fontsize=10, linespacing=1.4)


def _speed(record, step):
    row = _at(record.ratios, step)
    return "–" if row is None else scientific(row[0])
