"""Step through the backward pass of a pooling layer: the stepper of notebooks/02_pooling.ipynb."""
from collections.abc import Callable

import numpy as np
from ipywidgets import IntSlider, ToggleButtons

from helpers.explore.explorer import Explore, explore
from helpers.functional.windows import output_size
from helpers.plotting import figures
from helpers.plotting.grids import grid, integers, matrix
from helpers.plotting.marks import corners, framed, rings, written
from helpers.plotting.panes import sheet

X = np.array([[2, 5, 5, -1, 0, 0], [5, 1, 3, 0, -2, 0], [-3, -1, 4, 4, 2, 1], [-1, -3, 6, 4, 6, -2],
              [0, 0, -2, 1, 6, 3]], float)               # ties, zeros, a window of negative numbers
GRADIENT = np.array([[3, -1, 2, 1, -2], [1, 4, -2, 3, 2], [-3, 2, 5, -1, 1], [2, 1, -4, 2, 3]], float)
FIRST, MASK, OVERWRITE = "first index (torch)", "mask x == max (wrong)", "overwrite with = (wrong)"
AVERAGED = {FIRST: "equal parts (torch)", MASK: "equal parts, as an average has no maximum to mask"}
WORDS = "none one two three four five six seven eight nine".split()
LEFTS, TOPS = (0.3, 7.3), (1.3, 7.6)                     # of the grids, in cells


def pooling_stepper(by_torch: Callable) -> Explore:
    """Accumulate dx window by window: each step routes the gradient of one output pixel to x.

    `by_torch(dy, x, kind, k, s)` returns torch's dx as an array; `kind` is "max" or "average". Two wrong
    rules can be chosen as well: the entries in which their dx differs from torch's are marked.
    """
    truths = {(kind, k, s): by_torch(upstream(kind, k, s), X, kind, k, s)
              for kind in ("max", "average") for k in (2, 3) for s in (1, 2, 3)}
    kernel, stride = IntSlider(2, 2, 3, description="kernel"), IntSlider(1, 1, 3, description="stride")
    step = IntSlider(2, 1, GRADIENT.size, description="step")
    step.settings = [1, 2]                        # what the sweep of the tests tries: there in every view

    def fit(_change):
        step.max = upstream("max", kernel.value, stride.value).size

    kernel.observe(fit, "value")
    stride.observe(fit, "value")
    return explore(
        lambda axes, **v: _draw(axes, truths[v["kind"], v["kernel"], v["stride"]], **v), _frame,
        lambda **v: _say(truths[v["kind"], v["kernel"], v["stride"]], **v), size=(700, 426), play=["step"],
        kind=ToggleButtons(options=["max", "average"], description="kind"),
        rule=ToggleButtons(options=[FIRST, MASK, OVERWRITE], description="rule",
                           style={"button_width": "max-content"}),
        kernel=kernel, stride=stride, step=step)


def upstream(kind: str, k: int, s: int) -> np.ndarray:
    """The upstream gradient dy; k² times as large for an average, so that dy / k² is a whole number."""
    H, W = (output_size(n, k, s) for n in X.shape)
    return GRADIENT[:H, :W] * (k * k if kind == "average" else 1)


def receivers(window: np.ndarray, kind: str, rule: str) -> np.ndarray:
    """Which entries of a window (k, k) receive the gradient of its output, as booleans."""
    if kind == "average":
        return np.ones(window.shape, bool)
    if rule == MASK:
        return window == window.max()
    return np.arange(window.size).reshape(window.shape) == window.argmax()


def accumulated(kind: str, rule: str, kernel: int, stride: int, step: int) -> tuple[np.ndarray, ...]:
    """dx before and after this `step`, the pixels that receive its gradient, and its output pixel (p, q)."""
    dy, dx, k, s = upstream(kind, kernel, stride), np.zeros_like(X), kernel, stride
    for p, q in list(np.ndindex(dy.shape))[:step]:
        window, before, routed = np.s_[s * p:s * p + k, s * q:s * q + k], dx.copy(), np.zeros(X.shape, bool)
        routed[window] = receivers(X[window], kind, rule)
        part = dy[p, q] / (k * k if kind == "average" else 1)
        dx[routed] = part if rule == OVERWRITE else dx[routed] + part
    return before, dx, routed, (p, q)


def complete(kernel: int, stride: int, step: int) -> np.ndarray:
    """The input pixels that no window after this `step` touches, as booleans."""
    done, k, s = np.ones(X.shape, bool), kernel, stride
    for p, q in list(np.ndindex(upstream("max", k, s).shape))[step:]:
        done[s * p:s * p + k, s * q:s * q + k] = False
    return done


def _frame(figure):
    """One sheet whose unit is the side of a cell, and what the marks of torch's dx mean."""
    ax = sheet(figure, (21, 12.78))
    for differs, words in enumerate(("complete, as in torch", "complete, not as in torch")):
        corner, mark = (14.2, TOPS[1] + 1.2 + 1.4 * differs), np.array([[bool(differs)]])
        grid(ax, np.array([[""]]), corner, tinted=~mark)
        corners(ax, (corner, 1), mark)
        ax.text(corner[0] + 1.3, corner[1] + 0.5, words, color=figures.NEUTRAL, va="center", fontsize=9.5)
    return ax


def _draw(ax, truth, kind, kernel, stride, **values):
    _, dx, routed, (p, q) = accumulated(kind=kind, kernel=kernel, stride=stride, **values)
    block, (left, right), (top, low) = (stride * p, stride * q, kernel, kernel), LEFTS, TOPS
    matrix(ax, (left, top), integers(X), "input x", figures.INPUT, lit=block, tinted=routed)
    matrix(ax, (right, top), integers(upstream(kind, kernel, stride)), "upstream gradient dy",
           figures.GRADIENT, lit=(p, q, 1, 1))
    matrix(ax, (left, low), integers(dx), "dx so far", figures.GRADIENT,
           lit=block if kind == "average" else None)
    done, same = complete(kernel, stride, values["step"]), np.isclose(dx, truth)
    matrix(ax, (right, low), integers(truth), "torch's dx", figures.NEUTRAL, tinted=done & same)
    corners(ax, ((right, low), 1), done & ~same)
    if kind == "max":
        rings(ax, ((left, top), 1), np.argwhere(routed), np.argwhere(_tied(p, q, kernel, stride) & ~routed),
              figures.OUTPUT)
        for i, j in np.argwhere(routed):
            framed(ax, ((left, low), 1), (i, j, 1, 1), figures.GRADIENT)
    _write(ax, kind=kind, kernel=kernel, stride=stride, **values)
    return dx


def _tied(p, q, k, s):
    tied, window = np.zeros(X.shape, bool), np.s_[s * p:s * p + k, s * q:s * q + k]
    tied[window] = X[window] == X[window].max()
    return tied


def _write(ax, **values):
    """The update of dx in words, right of the grids."""
    for n, (words, size) in enumerate(zip(_update(**values), (13, 10, 10), strict=True)):
        ax.text(17.3, TOPS[0] + 1.5 + 0.9 * n, words, color=figures.GRADIENT, ha="center", va="center",
                fontsize=size)


def _update(kind, rule, kernel, stride, step):
    """What is added to dx, where, and what is lost: "dx += 3", "at the first of two maxima", ""."""
    before, _, routed, (p, q) = accumulated(kind, rule, kernel, stride, step)
    gradient, tied = upstream(kind, kernel, stride)[p, q], _tied(p, q, kernel, stride).sum()
    amount, where, count = written(gradient), "at the maximum", routed.sum()
    if kind == "average":
        amount, where = f"{amount}/{count} = {written(gradient / count)}", f"at each of {WORDS[count]} pixels"
    elif tied > 1:
        many = WORDS[tied]
        where = f"at each of {many} maxima" if rule == MASK else f"at the first of {many} maxima"
    if rule != OVERWRITE:
        return f"dx += {amount}", where, ""
    return f"dx = {amount}", where, "the old value is lost" if before[routed].any() else ""


def _say(truth, kind, kernel, stride, rule, step):
    _, dx, _, (p, q) = accumulated(kind, rule, kernel, stride, step)
    count, (head, tail, lost) = upstream(kind, kernel, stride).size, _update(kind, rule, kernel, stride, step)
    said = AVERAGED.get(rule, rule) if kind == "average" else rule
    return (f"{kind.capitalize()}, kernel {kernel}, stride {stride}, {said}, step {step} of {count}: "
            f"output pixel ({p}, {q}) has rows {stride * p} to {stride * p + kernel - 1}, columns "
            f"{stride * q} to {stride * q + kernel - 1} of x in its window; {head}, {tail}"
            f"{', ' * bool(lost)}{lost}; "
            f"{_compared(np.isclose(dx, truth), complete(kernel, stride, step), step == count)}.")


def _compared(same, done, last):
    differ = (done & ~same).sum()
    if last:
        return "the backward pass is complete, and dx " + (
            f"differs from torch's in {differ} of {done.size} entries" if differ else "equals torch's")
    if not done.any():
        return "no entry of dx is complete yet"
    if done.sum() == 1:
        return f"1 entry of dx is complete, {'not ' * bool(differ)}as in torch"
    return f"{done.sum()} entries of dx are complete, " + (
        f"{differ} of them not as in torch" if differ else "all of them as in torch")
