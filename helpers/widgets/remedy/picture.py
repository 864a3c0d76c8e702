"""The picture of the remedy bench: gradient by layer, cost by step, update-to-weight ratios, for two recipes.

Layers run in the order of the backward pass, from the output on the left; steps on a logarithmic axis. A band
reaches from the lowest to the highest of the seeds. The axes never change, but for the range of the costs.
"""
import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plotting import figures, panes
from helpers.plotting.lettering import wrapped, write
from helpers.plotting.panes import Pane, scientific
from helpers.widgets.remedy.runs import DEPTH, SEEDS, STATIONS
from helpers.widgets.remedy.words import (
    GUESSING,
    at_station,
    averaged,
    band,
    cost_text,
    how_many,
    recent,
    relative,
    states,
)

SIZE = 700, 500                                      # pixels
GRADIENT = Pane(62, 62, 270, 160, 0, DEPTH, -15, 6)
SPEED = Pane(62, 296, 270, 160, 0, DEPTH, -16, 4)
COST, COSTS = Pane(412, 62, 270, 184, 0, math.log10(1 + STATIONS[-1])), ((-2, 1.5), (-2, 8), (-2, 13))
TABLE, COLUMNS, LINE = (372, 314), (178, 274), 22   # its corner; the middles of two columns from there; a row
PLAIN = figures.NEUTRAL
MODIFIED = {"gradient": figures.GRADIENT, "speed": figures.KERNEL, "cost": figures.OUTPUT}
DASHES = (0, (2, 1))
RULE_OF_THUMB = 1e-3                                 # of the update-to-weight ratio


def remedy_frame(figure: Figure) -> Axes:
    """The edges of all panes, and what stands beside them."""
    ax = panes.sheet(figure, SIZE)
    panes.edges(ax, GRADIENT, COST, SPEED)
    panes.key(ax, 62, 16, "plain net", color=PLAIN, lw=2.2, ls=DASHES)
    for k, color in enumerate(MODIFIED.values()):
        ax.plot([164 + 8 * k, 172 + 8 * k], [16, 16], color=color, lw=3, solid_capstyle="butt")
    ax.text(194, 16, f"modified net; bands: {len(SEEDS)} seeds", va="center", fontsize=9.5)
    panes.title(ax, GRADIENT, "‖δˡ‖ at this step, output = 1", figures.GRADIENT, lift=18)
    panes.title(ax, COST, "cost, mean of 10 batches, each seed", figures.OUTPUT, lift=18)
    panes.title(ax, SPEED, "‖ΔW‖ / ‖W‖ of each layer, this step", figures.KERNEL, lift=18)
    line = SPEED.at([0, DEPTH], math.log10(RULE_OF_THUMB))
    panes.polyline(ax, [line], color=PLAIN, lw=0.9, ls=(0, (1, 2)), zorder=0.8)
    write(ax, _scales(ax) + _table_frame(ax))
    return ax


def _scales(ax):
    """Powers of ten beside the layers, what is left and right below them, and the steps."""
    below = COST.top + COST.height
    labels = [("step", COST.left + COST.width / 2, below + 27, 0.5)]
    labels += [(str(step), COST.at(math.log10(1 + step), 0)[0], below + 11, 0.5)
               for step in (0, 1, 10, 100, 1000)]
    for pane in (GRADIENT, SPEED):
        names = zip(("output", "backward pass →", "layer 1"), (0, 0.5, 1), strict=True)
        labels += panes.powers_up(ax, pane, 5)
        labels += [(name, pane.left + share * pane.width, pane.top + pane.height + 11, share)
                   for name, share in names]
    return labels


def _table_frame(ax):
    """The names of rows and columns; `_table` fills it."""
    left, top = TABLE
    ax.text(left, top + LINE, "seeds that learn", va="center", fontsize=10, weight="bold")
    for x, name, color in zip(COLUMNS, ("plain", "modified"), (PLAIN, "black"), strict=True):
        ax.text(left + x, top, name, ha="center", va="center", fontsize=10, color=color, weight="bold")
    names = "cost, median", "‖δ‖, layer 1", "‖ΔW‖/‖W‖, layer 1"
    return [(name, left, top + (2 + k) * LINE, 0) for k, name in enumerate(names)]


def draw_comparison(ax: Axes, one: object) -> None:
    """Draw a Comparison of helpers.widgets.remedy.bench."""
    both = (one.plain, PLAIN), (one.modified, None)
    for trainings, color in both:
        _by_layer(ax, GRADIENT, relative(trainings, one.step), color or MODIFIED["gradient"])
        _by_layer(ax, SPEED, at_station(trainings.ratios, max(1, one.step)), color or MODIFIED["speed"])
    write(ax, _costs(ax, one))
    _table(ax, one)


def _look(color):
    """A curve of the plain net is grey, dashed and above the other, which is broad."""
    return {"color": color, "capstyle": "butt",
            **({"lw": 2.2, "ls": DASHES, "zorder": 2} if color == PLAIN else {"lw": 3, "zorder": 1.5})}


def _band(ax, pane, x, low, high, color):
    edge = np.concatenate([pane.at(x, high), pane.at(x[::-1], low[::-1])])
    panes.polyline(ax, [edge], color, fill=True, alpha=0.25, zorder=1)


def _by_layer(ax, pane, rows, color):
    """The median of the seeds, and a band from the lowest to the highest; no curve where nothing arrives."""
    if rows is None:
        return
    low, middle, high = (values[::-1] for values in band(rows))
    there = np.flatnonzero(middle)
    _band(ax, pane, there, np.log10(low[there]), np.log10(high[there]), color)
    panes.polyline(ax, [pane.at(there, np.log10(middle[there]))], **_look(color))


def _costs(ax, one):
    """The curves of all seeds, as far as they go; a cross where one diverges; pale what is still to come."""
    nets = one.plain, one.modified
    curves = [averaged(net)[:one.step + 1] for net in nets]
    highest = max(curve[np.isfinite(curve)].max(initial=GUESSING) for curve in curves)
    pane, labels = _cost_scale(ax, highest)
    if one.done < one.step:
        ends = np.log10([1 + one.done, 1 + one.step])
        panes.area(ax, pane, ends, np.full(2, pane.ceiling), "#ECECEC", zorder=0.4)
    for curve, net, color in zip(curves, nets, (PLAIN, MODIFIED["cost"]), strict=True):
        at = np.unique(np.geomspace(1, len(curve), 150).astype(int)) - 1
        low, _, high = band(curve[at].T)
        there = np.flatnonzero(high)
        _band(ax, pane, np.log10(1 + at[there]), np.log10(low[there]), np.log10(high[there]), color)
        for costs, lost in zip(curve.T, net.diverged <= one.step, strict=True):
            seen = at[np.isfinite(costs[at])]
            _seed(ax, pane.at(np.log10(1 + seen), np.log10(costs[seen])), color, lost)
    return labels


def _seed(ax, points, color, lost):
    """The cost of one seed, with a dot at its end, or a cross."""
    panes.polyline(ax, [points], **{**_look(color), "lw": 1.6})
    if len(points):
        panes.curve(ax, *points[-1], marker="x" if lost else "o", ms=8 if lost else 5,
                    mec=color if lost else "white", mfc=color, mew=2.2 if lost else 0.6)


def _cost_scale(ax, highest):
    """The first of the ranges that holds all costs, its powers of ten, and the cost of guessing."""
    low, high = next(ends for ends in COSTS if math.log10(highest) <= ends[1] or ends is COSTS[-1])
    pane = COST._replace(floor=low, ceiling=high)
    labels = panes.powers_up(ax, pane, 5)
    line = pane.at([pane.low, pane.high], math.log10(GUESSING))
    panes.polyline(ax, [line], lw=1, ls=(0, (1, 2)), zorder=0.8)
    return pane, [*labels, ("guessing", line[1, 0], line[0, 1] - 9, 1.0)]


def _table(ax, one):
    """How many seeds learn, and what the curves have at layer 1 and at this step; the conditions."""
    (left, top), nets, recipe = TABLE, (one.plain, one.modified), one.modified.recipe
    when = f"after {one.step} steps" if one.done == one.step else f"{one.done} of {one.step} steps"
    ax.text(left, top, when, va="center", fontsize=10, weight="bold")
    on = f"on: {', '.join(one.remedies)}" if one.remedies else "no remedy is on"
    said = f"{recipe.optimizer}, learning rate {recipe.eta:g}; {on}"
    lines = wrapped(said, SIZE[0] - left - 8)
    labels = [(line, left, top + 116 + 18 * k, 0) for k, line in enumerate(lines)]
    for net, x, color in zip(nets, COLUMNS, (PLAIN, "black"), strict=True):
        ax.text(left + x, top + LINE, how_many(states(net, one.step)), va="center", ha="center", fontsize=10,
                color=color, weight="bold")
        words = (cost_text(recent(net, one.step)), _first(relative(net, one.step)),
                 _first(at_station(net.ratios, max(1, one.step))))
        write(ax, [(said, left + x, top + (2 + k) * LINE, 0.5) for k, said in enumerate(words)], color)
    write(ax, labels)


def _first(rows):
    return "–" if rows is None else scientific(band(rows)[1][0])
