"""The decision boundary of a network that is trained live: a widget of 04_fully_connected_backprop.ipynb.

The network (net.py) is trained while the sliders move, no further than to the step asked for: some 0.1 ms a
step. A new setting is shown at once, as far as it is trained, and then fills in. The latest KEPT settings are
cached with their parameters, one set every ten steps: to return to a setting, or to an earlier step, costs
only the picture.
"""
from collections import namedtuple
from functools import lru_cache

import numpy as np
from contourpy import contour_generator
from ipywidgets import Dropdown, IntSlider, SelectionSlider, ToggleButtons
from matplotlib import colormaps
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from helpers.explore.explorer import Explore, explore
from helpers.functional.activations import ACTIVATIONS
from helpers.plotting import figures
from helpers.widgets.decision_boundary.net import DATA, MOST_UNITS, STRIDE, Params, Training, output
from helpers.widgets.decision_boundary.words import describe, remarks

STEPS, KEPT = 1000, 32
RATES = 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100
LIMIT, CELLS = 2.5, 121                                 # of the picture: |x₁|, |x₂|; places along a side
SIZE = 700, 372                                         # pixels

LEVELS = [-3.0, -1.5, -0.5, 0, 0.5, 1.5, 3.0]           # of z, where a band of another tint begins
BANDS = colormaps[figures.SIGNED]([0.26, 0.33, 0.40, 0.46, 0.54, 0.60, 0.67, 0.74])
POINT = {which: {"marker": marker, "mfc": colormaps[figures.SIGNED](shade), "mec": "white", "mew": 0.7,
                 "ms": 7} for which, marker, shade in ((0, "o", 0.05), (1, "^", 0.93))}
UNIT, BOUNDARY = {"color": figures.NEUTRAL, "lw": 0.8, "ls": (0, (4, 3))}, {"color": "black", "lw": 2.4}
RING = {"marker": "o", "mfc": "none", "mec": "black", "mew": 1.3, "ms": 11}

SIDE = np.linspace(-LIMIT, LIMIT, CELLS)
GRID = np.stack(np.meshgrid(SIDE, SIDE), axis=-1).reshape(-1, 2)
AFFINE = np.column_stack([GRID, np.ones(len(GRID))])    # what an affine map of x is made of
FIT = np.linalg.pinv(AFFINE)

# One setting at one step: z (CELLS, CELLS) the output before the sigmoid, `wrong` which points are
# misclassified, `lines` the parts of the boundary, `stray` their largest distance from the straight line that
# fits best, or None, `nonaffine` the largest distance of z from the affine map of x that fits best, as a
# fraction of its range.
Boundary = namedtuple("Boundary", "X y params step losses diverged z wrong lines stray nonaffine")

cached_training = lru_cache(maxsize=KEPT)(Training)


def keep_training(seconds: float, data: str, activation: str, hidden: int, eta: float, steps: int) -> bool:
    """Go on with the training of a setting for about so many seconds; whether it is there."""
    return cached_training(data, activation, hidden, eta).advance(steps, seconds)


def by_now(data: str, activation: str, hidden: int, eta: float, steps: int) -> Boundary:
    """The decision boundary at this step, or at the last one before it that the training has reached."""
    reached = cached_training(data, activation, hidden, eta).reached(steps)
    return boundary(data, activation, hidden, eta, max(0, reached))


@lru_cache(maxsize=2)     # for the picture and for its sentence
def boundary(data: str, activation: str, hidden: int, eta: float, steps: int) -> Boundary:
    """Train to this step, and compute the decision boundary and how straight it is."""
    one = cached_training(data, activation, hidden, eta)
    params = one.params(steps)
    step = steps if one.diverged is None else min(steps, one.diverged - 1)
    z = output(params, GRID, activation)[:, 0]
    wrong = ((output(params, one.X, activation) > 0) != (one.y > 0))[:, 0]
    lines = [sharpened(line, params, activation)
             for line in contour_generator(SIDE, SIDE, z.reshape(CELLS, CELLS)).lines(0)]
    nonaffine = np.abs(z - AFFINE @ (FIT @ z)).max() / (np.ptp(z) or 1)
    return Boundary(one.X, one.y, params, step, one.losses[:step + 1], step < steps, z.reshape(CELLS, CELLS),
                wrong, lines, stray(lines), nonaffine)


def sharpened(line: np.ndarray, params: Params, activation: str) -> np.ndarray:
    """Move the points (n, 2) along the lines of the grid to where z is 0, by bisection.

    Contours interpolate between two neighbours of the grid, as if z were affine there; it need not be.
    """
    place = (line + LIMIT) / (SIDE[1] - SIDE[0])
    place = np.where(abs(place - place.round()) < 1e-9, place.round(), place)
    ends = [SIDE[bound(place).astype(int)] for bound in (np.floor, np.ceil)]
    positive = output(params, ends[0], activation) > 0
    for _ in range(30):
        middle = (ends[0] + ends[1]) / 2
        same = (output(params, middle, activation) > 0) == positive
        ends = [np.where(same, middle, ends[0]), np.where(same, ends[1], middle)]
    return middle


def stray(lines: list[np.ndarray]) -> float | None:
    """The largest distance of points (n, 2), in parts, from the straight line that fits best, or None."""
    if not lines:
        return None
    around = np.concatenate(lines) - np.concatenate(lines).mean(axis=0)
    return float(np.abs(around @ np.linalg.svd(around, full_matrices=False)[2][1]).max())


def decision_boundary() -> Explore:
    """Train a small network at each move; see its decision boundary, and whether it is a straight line.

    `result` is the Boundary of this moment.
    """
    return explore(
        _draw, _frame, lambda **values: describe(by_now(**values), **values), size=SIZE, play=["steps"],
        advance=keep_training, data=ToggleButtons(options=list(DATA)),
        activation=Dropdown(options=list(ACTIVATIONS), value="tanh"),
        hidden=IntSlider(4, 1, MOST_UNITS, description="hidden units"),
        eta=SelectionSlider(options=RATES, value=1, description="learning rate η"),
        steps=IntSlider(600, 0, STEPS, STRIDE))


def _frame(figure):
    """The plane of the two features, the cost beside it, and room for words below that."""
    figure.set_layout_engine("none")
    left = figure.add_axes((0.057, 0.12, 0.455, 0.86))
    left.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), xticks=range(-2, 3), yticks=range(-2, 3))
    left.set_xlabel("$x_1$", labelpad=0)
    left.set_ylabel("$x_2$", labelpad=-6)
    left.spines[["top", "right"]].set_visible(True)
    right = figure.add_axes((0.605, 0.57, 0.365, 0.36))
    right.set(xlim=(0, STEPS), ylim=(1e-4, 1e2), yscale="log", yticks=10.0 ** np.arange(-4, 3, 2))
    right.set_title("cost", color=figures.OUTPUT)
    right.set_xlabel("steps", labelpad=0)
    right.grid(axis="y")
    _legend(figure)
    return left, right


def _legend(figure):
    for x, y, name, style in ((0.565, 0.095, "class 0", {"ls": "", **POINT[0]}),
                              (0.675, 0.095, "class 1", {"ls": "", **POINT[1]}),
                              (0.785, 0.095, "misclassified", {"ls": "", **RING}),
                              (0.565, 0.035, "boundary", BOUNDARY),
                              (0.716, 0.035, "z¹ = 0 of a hidden unit", UNIT)):
        half = 0.01 if "lw" in style else 0
        figure.add_artist(Line2D([x - half, x + half], [y, y], **style))
        figure.text(x + 0.018, y, name, va="center", fontsize=9.5)


def _draw(axes, **values):
    left, right = axes
    one = by_now(**values)
    left.contourf(SIDE, SIDE, one.z, LEVELS, colors=BANDS, extend="both")
    left.add_artist(LineCollection(_unit_lines(*one.params[:2]), **UNIT))
    left.add_artist(LineCollection(one.lines, **BOUNDARY))
    for which, style in POINT.items():
        left.plot(*one.X[one.y[:, 0] == which].T, ls="", **style)
    left.plot(*one.X[one.wrong].T, ls="", **RING)
    right.plot(one.losses, color=figures.OUTPUT)
    bottom, top = right.get_ylim()                        # what is beyond them is marked at the edge
    right.plot(one.step, np.clip(one.losses[-1], bottom, top), "o", color="black", ms=6, clip_on=False)
    for k, (words, weight) in enumerate(remarks(one, values["steps"])):
        right.text(-0.135, -0.40 - 0.165 * k, words, transform=right.transAxes, va="center", weight=weight)
    return one


def _unit_lines(W1, b1):
    """The two ends of the line W1[k]·x + b1[k] = 0 of each hidden unit k, as long as the picture."""
    length = np.linalg.norm(W1, axis=1, keepdims=True)
    foot, along = -b1[:, None] * W1 / length**2, np.column_stack([-W1[:, 1], W1[:, 0]]) / length
    return np.stack([foot - 3 * LIMIT * along, foot + 3 * LIMIT * along], axis=1)
