"""Three conventions of momentum under a learning rate that drops: a widget of notebooks/05_optimizers.ipynb.

    the note        v ← γ·v + η·g            w ← w − v
    torch           v ← γ·v + g              w ← w − η·v
    moving average  v ← γ·v + (1 − γ)·g      w ← w − η/(1 − γ)·v

on the cost ½·w², from w = 1. The moving average gets a rate 1/(1 − γ) times as large, so that its first step
is as long. At a constant rate the three are one method; when the rate drops, the note's v keeps the old one.
"""
from collections import namedtuple
from functools import lru_cache

import numpy as np
from ipywidgets import IntSlider, SelectionSlider

from helpers.explore.explorer import Explore, explore
from helpers.functional.optimizers import averaged_momentum, heavy_ball, sgd
from helpers.plotting import figures
from helpers.plotting.panes import axes_at
from helpers.theory.landscapes import descend

SIZE = 700, 400                                   # pixels
TOP, BOTTOM = (58, 44, 500, 196), (58, 286, 500, 74)         # left, top, width, height
STEPS, DIGITS = 100, 10                           # of a run; that have to be equal
LARGEST, LOWEST = 1.5, 1e-18                      # of |w|, and of the distances, in the picture
_RATES = 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1
MOMENTA = 0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99
FACTORS = 1, 0.5, 0.3, 0.1, 0.03, 0.01, 0
# The widest is drawn first, so that all three are seen where they are equal.
STYLES = {"torch": {"color": "#9CC9E6", "lw": 7, "solid_capstyle": "round"},
          "moving average": {"color": "#0B3C5D", "lw": 2.6, "ls": (0, (2.2, 2.2))},
          "note": {"color": figures.KERNEL, "lw": 1.5}}
LETTERS = {"torch": "#2B6186", "moving average": "#0B3C5D", "note": figures.KERNEL}
LETTER_GAP = 16                                     # pixels from label to label

# `paths` has the w (STEPS + 1,) of each convention, `gaps` how far the note and the moving average are from
# torch, `rates` (STEPS,) η as it was at each step, `first_difference` the first step at which the note's w
# differs from torch's, or None.
ThreeRuns = namedtuple("ThreeRuns", "paths gaps rates first_difference")


def momentum_conventions() -> Explore:
    """Let the learning rate drop, and see which of three conventions of momentum give other weights.

    `result` is the ThreeRuns of this moment.
    """
    return explore(
        _draw, _frame, _describe, size=SIZE, play=["drop"],
        drop=IntSlider(14, 0, STEPS, description="drop after step"),
        factor=SelectionSlider(options=FACTORS, value=0.1, description="η then times"),
        gamma=SelectionSlider(options=MOMENTA, value=0.9, description="momentum γ"),
        eta=SelectionSlider(options=_RATES, value=0.1, description="learning rate η"))


@lru_cache(maxsize=2)     # for the picture and for its sentence
def three_runs(drop: int, factor: float, gamma: float, eta: float) -> ThreeRuns:
    """Run the three conventions with the learning rate η for `drop` steps, and η·factor from there on."""
    def rate(t):
        return eta if t < drop else eta * factor

    rules = {"torch": (sgd, rate), "moving average": (averaged_momentum, lambda t: rate(t) / (1 - gamma)),
             "note": (heavy_ball, rate)}
    paths = {name: descend(rule, lambda w: w, np.ones(1), STEPS, lr=lr, momentum=gamma)[:, 0]
             for name, (rule, lr) in rules.items()}
    gaps = {name: np.abs(paths[name] - paths["torch"]) for name in ("note", "moving average")}
    different = np.flatnonzero(differs(paths["note"], paths["torch"]))
    rates = np.array([rate(t) for t in range(STEPS)])
    return ThreeRuns(paths, gaps, rates, int(different[0]) if len(different) else None)


def differs(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """At which steps two paths (steps + 1,) differ in their first DIGITS digits.

    Where a path passes 0, digits mean nothing: the difference is taken relative to two points in a row.
    """
    size = np.hypot(those, np.append(those[0], those[:-1]))
    return np.abs(these - those) > 10.0**-DIGITS * size


# --- the picture -----------------------------------------------------------------------------

def _frame(figure):
    top, bottom = axes_at(figure, TOP, BOTTOM)
    top.set(xlim=(0, STEPS), ylim=(-LARGEST, LARGEST), xticks=range(0, STEPS + 1, 20), yticks=(-1, 0, 1))
    bottom.set(xlim=(0, STEPS), ylim=(LOWEST, 10), yscale="log", xticks=range(0, STEPS + 1, 20),
               yticks=(1e-18, 1e-12, 1e-6, 1))
    top.text(0, 1.14, "w after each step", transform=top.transAxes, fontsize=10.5)
    bottom.set_title("how far from torch's w", fontsize=10.5)
    bottom.set_xlabel("step", labelpad=0)
    bottom.minorticks_off()
    for axes in (top, bottom):
        axes.grid(axis="y")
    return top, bottom


def _draw(axes, drop, factor, gamma, eta):
    top, bottom = axes
    one = three_runs(drop, factor, gamma, eta)
    for name, style in STYLES.items():
        top.plot(one.paths[name], **style)
    for name, gap in one.gaps.items():
        bottom.plot(np.maximum(gap, LOWEST), **STYLES[name], clip_on=False)
    for each in axes:
        each.axvline(drop, color=figures.NEUTRAL, lw=1, ls=(0, (4, 3)), zorder=1)
    words = f"η = {eta:g} → {eta * factor:g}" if factor < 1 else f"η = {eta:g} stays"
    top.text(np.clip(drop, 12, 88), 1.06 * LARGEST, words, color=figures.NEUTRAL, ha="center", fontsize=10)
    _label(top, {name: np.clip(path[-1] / LARGEST / 2 + 0.5, 0, 1) for name, path in one.paths.items()})
    depth = np.log(10 / LOWEST)
    _label(bottom, {name: np.log(max(gap[-1], LOWEST) / LOWEST) / depth for name, gap in one.gaps.items()})
    _point_outside(top, one.paths["note"])
    return one


def _point_outside(top, path):
    """Where a path is outside the picture, say how far it goes."""
    far = np.abs(path).argmax()
    if abs(path[far]) > LARGEST:
        up = path[far] > 0
        words = f"{'↑' if up else '↓'} the note goes to {path[far]:.3g}".replace("-", "−")
        top.text(0.985, 0.93 if up else 0.07, words, color=figures.KERNEL, ha="right", va="center",
                 transform=top.transAxes)


def _label(ax, ends):
    """The names beside the ends of their curves, heights (0 to 1), kept apart evenly."""
    gap = LETTER_GAP / (ax.bbox.height / ax.figure.dpi * 100)
    order = sorted(ends, key=lambda name: (round(ends[name], 6), -list(STYLES).index(name)))
    at = np.array([ends[name] for name in order])
    for _ in range(20):                           # neighbours push each other away
        for k in range(len(at) - 1):
            push = max(0, gap - (at[k + 1] - at[k])) / 2
            at[k:k + 2] += -push, push
    at += max(0, -at[0]) - max(0, at[-1] - 1)
    for name, height in zip(order, at, strict=True):
        ax.text(1.02, height, name, color=LETTERS[name], va="center", transform=ax.transAxes)


# --- the sentence ----------------------------------------------------------------------------

def _describe(drop, factor, gamma, eta):
    one = three_runs(drop, factor, gamma, eta)
    falls = f"η = {eta:g}, {eta * factor:g} after step {drop}" if factor < 1 else f"η = {eta:g} throughout"
    return f"γ = {gamma:g}, {falls}: {_comparison(one, drop, factor, gamma)}"


def _comparison(one, drop, factor, gamma):
    equal = f"the three are equal to {DIGITS} digits"
    if one.first_difference is not None:
        gap, first = one.gaps["note"], one.first_difference
        return (f"{equal} up to step {first - 1}. From step {first} on the note differs, because its v "
                f"contains the old η: by up to {two_digits(gap.max())}, at step {gap.argmax()}, and by "
                f"{two_digits(gap[-1])} at the end. Torch and the moving average {_others(one)}.")
    why = ("because η never drops" if factor == 1 or drop == STEPS else
           "because no step was made with the old η" if drop == 0 else
           "because without momentum no v contains the old η" if gamma == 0 else
           "because w was at the minimum before η dropped")
    return f"{equal} in all {STEPS} steps, {why}."


def _others(one):
    return "differ too" if differs(one.paths["moving average"], one.paths["torch"]).any() else "stay equal"


def two_digits(value: float) -> str:
    """Two digits: 0.31, 0.0045, 2.1e−7."""
    return f"{value:.2g}" if value >= 1e-3 else f"{value:.1e}".replace("e-0", "e−").replace("e-", "e−")
