"""A stack of residual blocks with the norm before, behind or nowhere: a widget of 09_networks_of_today.ipynb.

A random batch goes forward through blocks of random weights, a random gradient back; nothing is learned.
Measured and predicted are those of helpers.theory.residual_norms. The axes never change.
"""
from functools import lru_cache

import numpy as np
from ipywidgets import Dropdown, FloatSlider, IntSlider
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.explore.explorer import Explore, explore
from helpers.plotting import figures, panes
from helpers.plotting.lettering import write
from helpers.plotting.panes import Pane, scientific
from helpers.theory.residual_norms import NORM_KINDS, PHI, Stack, measured_stack, predicted_stack

SIZE, DEEPEST, WIDTH = (700, 400), 96, 64           # pixels; blocks; units
MOST, LARGEST = 6, 4                                # powers of ten: of the gradient, of the mean square of x
GRADIENT = Pane(62, 46, 560, 210, 0, DEEPEST, -MOST, MOST)
SQUARES = Pane(62, 300, 560, 60, 0, DEEPEST, 0, LARGEST)
NORM_PLACES = {"before F (pre-norm)": "pre", "after the sum (post-norm)": "post", "nowhere": "none"}
_START = {"place": "pre", "activation": "gelu", "sigma_w": 1.0, "alpha": 1.0, "depth": 24}
PRESETS = {
    "pre-norm": _START, "post-norm": {**_START, "place": "post"}, "no norm": {**_START, "place": "none"},
    "post-norm, sigmoid": {**_START, "place": "post", "activation": "sigmoid", "depth": DEEPEST},
    "pre-norm, sigmoid": {**_START, "activation": "sigmoid", "depth": DEEPEST},
    "small branches": {**_START, "place": "none", "alpha": 0.1, "depth": DEEPEST},
}


def residual_stack_explorer() -> Explore:
    """Watch ‖∂C/∂x‖ and the mean square of x block by block, measured and predicted.

    `result` is a pair of Stacks of helpers.theory.residual_norms: measured, predicted.
    """
    return explore(
        _draw, _frame, _describe, size=SIZE, presets=PRESETS, play=("depth", "alpha"),
        depth=IntSlider(24, 1, DEEPEST, description="blocks"),
        place=Dropdown(options=list(NORM_PLACES.items()), description="norm"),
        kind=Dropdown(options=list(NORM_KINDS), description="kind of norm"),
        activation=Dropdown(options=list(PHI)),
        sigma_w=FloatSlider(1.0, min=0.2, max=2.0, step=0.1, description="σ_w"),
        alpha=FloatSlider(1.0, min=0.0, max=1.0, step=0.05, description="residual scale α"),
        seed=IntSlider(0, 0, 9))


@lru_cache(maxsize=2)     # for the picture and for its sentence
def both_stacks(depth: int, place: str, kind: str, activation: str, sigma_w: float, alpha: float,
                seed: int) -> tuple[Stack, Stack]:
    """Measured and predicted; the arguments are the values of the controls."""
    given = depth, place, activation, sigma_w, alpha
    return measured_stack(*given, kind, seed=seed, width=WIDTH), predicted_stack(*given)


# --- the picture -----------------------------------------------------------------------------

def _frame(figure: Figure) -> Axes:
    ax = panes.sheet(figure, SIZE)
    panes.edges(ax, GRADIENT, SQUARES)
    panes.title(ax, GRADIENT, "‖∂C/∂x‖, output = 1", figures.GRADIENT)
    panes.key(ax, 300, 287, "measured", color=figures.GRADIENT, lw=3)
    panes.key(ax, 400, 287, "theory", color=figures.THEORY, lw=1.5, ls=(0, (4, 2)))
    panes.title(ax, SQUARES, "mean square of x", figures.INPUT)
    write(ax, panes.powers_up(ax, GRADIENT) + panes.powers_up(ax, SQUARES, 2)
          + panes.counts_along(SQUARES, 0, DEEPEST))
    ax.text(SQUARES.left + SQUARES.width / 2, SIZE[1] - 12, "blocks passed by the backward pass →",
            ha="center", va="center", fontsize=10)
    return ax


def _draw(ax, **values):
    both = both_stacks(**values)
    for pane, name, color in ((GRADIENT, "gradient", figures.GRADIENT), (SQUARES, "squares", figures.INPUT)):
        measured, theory = (_points(pane, getattr(stack, name)) for stack in both)
        panes.polyline(ax, [measured], color=color, lw=3)
        panes.polyline(ax, [theory], lw=1.5, ls=(0, (4, 2)), zorder=3)
    at_input, (x, y) = both[0].gradient[0], _points(GRADIENT, both[0].gradient)[-1]
    beside = x < GRADIENT.left + GRADIENT.width - 130       # there is room to the right of it
    ax.plot(x, y, "o", ms=8, color=figures.GRADIENT, mec="white", zorder=4, clip_on=False)
    place = (x + 12, max(y - 12, GRADIENT.top + 8)) if beside else (x, y + (18 if at_input < 1 else -14))
    ax.text(*place, f"input: {scientific(at_input)}", ha="left" if beside else "right", va="center",
            color=figures.GRADIENT, fontsize=11, weight="bold")
    return both


def _points(pane, values):
    """A curve from the output to the input, as the gradient goes; beyond the pane it lies on its edge."""
    return pane.at(np.arange(len(values)), np.log10(values[::-1]))


# --- the sentence ----------------------------------------------------------------------------

def _describe(**values):
    measured, theory = both_stacks(**values)
    name = {code: words for words, code in NORM_PLACES.items()}[values["place"]]
    kind = f"{values['kind']} {name}" if values["place"] != "none" else "no norm"
    first, last = measured.gradient[0], measured.squares[-1]
    finding = "vanishes" if first < 0.1 else "explodes" if first > 100 else "neither vanishes nor explodes"
    blocks = f"{values['depth']} block{'s' * (values['depth'] > 1)}"
    return (f"{blocks}, {kind}, {values['activation']}, σ_w = {values['sigma_w']:.1f}, "
            f"α = {values['alpha']:.2f}, seed {values['seed']}. The gradient {finding}: at the input it is "
            f"{scientific(first)} times that of the output (theory: {scientific(theory.gradient[0])}). The "
            f"mean square of x goes from 1 to {scientific(last)} (theory: {scientific(theory.squares[-1])}).")
