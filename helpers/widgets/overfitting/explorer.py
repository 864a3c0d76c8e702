"""Cost and accuracy on training and on test digits, step by step, under λ, dropout and the number of digits.

A widget of notebooks/05_optimizers.ipynb. The trainings are those of helpers.widgets.overfitting.runs; behind
the curves, pale, are those of the same net without λ and without dropout.
"""
from typing import NamedTuple

from ipywidgets import IntSlider, SelectionSlider

from helpers.explore.explorer import Explore, explore
from helpers.plotting import figures
from helpers.plotting.panes import axes_at
from helpers.widgets.overfitting.runs import EVERY, STEPS, WRONG, Curves, overfit

SIZE = 700, 330                                     # pixels
COST, ACCURACY = (40, 34, 262, 246), (384, 34, 262, 246)     # left, top, width, height
HIGHEST = 3.0                                       # of the costs in the picture
SIZES, LAMBDAS = (30, 60, 100, 150, 200, 300), (0, 0.001, 0.003, 0.01, 0.03, 0.1)
DROPOUT_RATES = 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8
SIDES = {"train": figures.INPUT, "test": figures.KERNEL}
PLAIN = {"digits": 100, "lam": 0, "p": 0, "steps": STEPS}
PRESETS = {"overfit": PLAIN, "L2": {**PLAIN, "lam": 0.01}, "dropout": {**PLAIN, "p": 0.5},
           "both": {**PLAIN, "lam": 0.01, "p": 0.5}, "underfit": {**PLAIN, "lam": 0.1},
           "more digits": {**PLAIN, "digits": 300}}


class Watched(NamedTuple):
    """The Curves of this setting and of the plain net, how many looks are shown, and the one to stop at."""

    curves: Curves
    plain: Curves
    shown: int
    stop: int


def overfitting_explorer() -> Explore:
    """Watch training and test cost of a large net on few digits; early stopping is marked.

    `result` is the Watched of this moment.
    """
    digits = SelectionSlider(options=SIZES, value=100, description="training digits")
    lam = SelectionSlider(options=LAMBDAS, description="L2, λ")
    p = SelectionSlider(options=DROPOUT_RATES, description="dropout rate p")
    digits.settings, lam.settings, p.settings = [30, 300], [0.01, 0.1], [0.5, 0.8]     # for the sweep
    return explore(
        _draw, _frame, _describe, size=SIZE, presets=PRESETS, play=("steps",),
        steps=IntSlider(STEPS, 0, STEPS, EVERY),
        digits=digits, lam=lam, p=p, seed=IntSlider(0, 0, 9))


def watched(steps: int, digits: int, lam: float, p: float, seed: int) -> Watched:
    """The training up to this step, and early stopping by what has been seen up to there."""
    curves = overfit(digits, lam, p, seed)
    return Watched(curves, overfit(digits, 0, 0, seed), steps // EVERY + 1, curves.stop(steps))


# --- the picture -----------------------------------------------------------------------------

def _frame(figure):
    left, right = axes_at(figure, COST, ACCURACY)
    left.set(xlim=(0, STEPS), ylim=(0, HIGHEST), xlabel="step")
    right.set(xlim=(0, STEPS), ylim=(0, 1), xlabel="step")
    left.set_title("cost", fontsize=10.5)
    right.set_title("accuracy", fontsize=10.5)
    for ax in (left, right):
        ax.grid(axis="y")
    return left, right


def _draw(axes, **values):
    one = watched(**values)
    regularized = values["lam"] or values["p"]
    for ax, kind in zip(axes, ("cost", "accuracy"), strict=True):
        if regularized:
            _curves(ax, one.plain, kind, len(one.plain.steps), lw=1.2, alpha=0.35)
        _curves(ax, one.curves, kind, one.shown, lw=2.2)
        _stop(ax, one, kind)
        _names(ax, one, kind)
    if regularized:
        axes[0].text(STEPS, HIGHEST * 1.02, "pale: λ = 0, p = 0", ha="right", va="bottom", fontsize=9.5,
                     color=figures.NEUTRAL)
    return one


def _curves(ax, curves, kind, shown, **style):
    if shown == 1:                                # no line yet: a dot
        style |= {"marker": "o", "clip_on": False}
    for name, color in SIDES.items():
        ax.plot(curves.steps[:shown], getattr(curves, kind)[name][:shown], color=color, **style)


def _stop(ax, one, kind):
    """A line at the lowest validation cost, when later ones are seen, and a dot on each curve there."""
    if one.stop == one.shown - 1:
        return
    at = one.curves.steps[one.stop]
    ax.axvline(at, color="black", lw=1, ls=(0, (4, 2)), zorder=1.5)
    for name, color in SIDES.items():
        y = min(getattr(one.curves, kind)[name][one.stop], ax.get_ylim()[1])
        ax.plot(at, y, "o", color=color, mec="white", ms=8, zorder=4, clip_on=False)
    if kind == "accuracy":
        side = "right" if at > STEPS / 2 else "left"
        ax.text(at + (2 if side == "left" else -2), 0.03, "early stopping", ha=side, fontsize=9.5)


def _names(ax, one, kind):
    """The names at the ends of the curves, kept apart."""
    top = ax.get_ylim()[1]
    ends = sorted((min(getattr(one.curves, kind)[name][one.shown - 1], top), name) for name in SIDES)
    (low, under), (high, over) = ends
    lift = max(0, 0.07 * top - (high - low)) / 2
    for y, name in ((low - lift, under), (high + lift, over)):
        ax.text(one.curves.steps[one.shown - 1] + 2, y, name, color=SIDES[name], va="center", clip_on=False)


# --- the sentence ----------------------------------------------------------------------------

def _describe(**values):
    one = watched(**values)
    last = one.shown - 1
    said = (f"{values['digits']} digits, {values['digits'] // WRONG} of them with random labels, "
            f"λ = {values['lam']:g}, p = {values['p']:g}, seed {values['seed']}, step {values['steps']}: "
            f"train {_at(one.curves, 'train', last)}; test {_at(one.curves, 'test', last)}")
    if values["lam"] or values["p"]:
        said += f"; without λ and dropout {_at(one.plain, 'test', last)}"
    return f"{said}. {_stopping(one, last)}"


def _at(curves, name, k):
    return f"cost {curves.cost[name][k]:.2f}, accuracy {curves.accuracy[name][k]:.0%}"


def _stopping(one, last):
    """Where early stopping takes the weights, and what the test digits say of it."""
    step = one.curves.steps[one.stop]
    if one.stop == last:
        return "The cost on validation digits is at its lowest: no reason to stop before."
    return (f"Early stopping takes the weights of step {step}, where the cost on other, validation digits is "
            f"lowest: test {_at(one.curves, 'test', one.stop)}.")
