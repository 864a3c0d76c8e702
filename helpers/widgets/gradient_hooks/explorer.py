"""Gradients by layer, as hooks of a network collect them: how large they are, in each layer and at each step.

    collected = []
    for name, module in model.named_modules():           # the innermost ones; float64: NumPy has no bfloat16
        if not any(module.children()):
            module.register_full_backward_hook(lambda module, dx, dy, name=name: collected.append(
                (name, dy[0].cpu().to(torch.float64, copy=True).numpy())))

Backward hooks are called from the last layer to the first; the pictures have the first layer on top.
"""
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import Dropdown, SelectionSlider
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from helpers.explore.explorer import Explore, explore
from helpers.plotting import figures
from helpers.plotting.digit_pictures import short
from helpers.widgets.gradient_hooks.curve_names import name_ends

SIZE = 720, 350
BINS, TALL = 48, 0.82         # of the logarithm of the sizes; part of a row for its histogram
COLUMNS = 8, 70               # points from the end of the rows to the words beside them
LETTERS = 13                  # of a layer's name, at most

Collected = Sequence[tuple[str, np.ndarray]]


class Summary(NamedTuple):
    """A layer's gradient: root mean square of all entries, part that is 0, log₁₀ of the other sizes."""

    rms: float
    zeros: float
    sizes: np.ndarray


def summaries(collected: Collected) -> dict[str, Summary]:
    """Summarise each (name, gradient); a name that comes several times is numbered from the second on.

    Raises ValueError for an empty list, for pairs that are none, and for NaN or infinity, naming the layer.
    """
    if isinstance(collected, Mapping):
        collected = list(collected.items())
    if not isinstance(collected, Sequence) or not collected:
        raise ValueError(f"collected: got {collected!r}, expected a list of pairs (name, gradient)")
    found: dict[str, Summary] = {}
    for pair in collected:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            raise ValueError(f"collected: got {type(pair).__name__}, expected pairs (name, gradient)")
        again = sum(name == pair[0] or name.startswith(f"{pair[0]} #") for name in found)
        found[pair[0] + f" #{again + 1}" * (again > 0)] = _summary(*pair)
    return found


def _summary(name, gradient):
    gradient = np.asarray(gradient)
    if gradient.dtype.kind != "f" or not gradient.size:
        raise ValueError(f"{name}: got {gradient.dtype} of shape {gradient.shape}, expected floats")
    if not np.isfinite(gradient).all():
        raise ValueError(f"{name}: got a gradient that holds NaN or infinity, expected finite numbers")
    sizes = np.abs(gradient[gradient != 0].astype(float))
    return Summary(float(np.sqrt(np.square(gradient, dtype=float).mean())), float((gradient == 0).mean()),
                   np.log10(sizes))


def gradient_by_layer(collected: Collected, *, backward_order: bool = True) -> Figure:
    """Draw the sizes of the gradients that hooks collected in one backward pass; for figures.show.

    `collected` is a list of (name, array of any shape), last layer first unless backward_order is False.
    Each row is a layer, the first on top: the histogram of log₁₀|gradient| of the entries that are not 0,
    and a line at the root mean square of all. Raises ValueError as `summaries` does.
    """
    found = _in_order(summaries(collected), backward_order)
    height = 1.0 + 0.42 * len(found)
    figure = plt.figure(figsize=(6.4, height), layout="none")
    ax = figure.add_axes((0.22, 0.56 / height, 0.53, 1 - 0.6 / height))
    _rows(ax, list(found), _span([found]))
    _histograms(ax, found)
    return figure


def gradient_over_steps(records: Mapping[int, Collected] | Sequence[Collected], *,
                        backward_order: bool = True) -> Explore:
    """Move through training: the gradients of each layer at a step, and their sizes at all steps.

    `records` are lists as `gradient_by_layer` takes them, one for each step, or a dict of them by step;
    all of the same layers. Raises ValueError for less than two, and for layers that differ.
    `result` is a dict: rms (layers,) and zeros (layers,), the first layer first.
    """
    by_step = dict(records) if isinstance(records, Mapping) else dict(enumerate(records))
    if len(by_step) < 2:
        raise ValueError(f"records: got {len(by_step)}, expected two steps or more")
    found = {step: _in_order(summaries(one), backward_order) for step, one in by_step.items()}
    names = list(next(iter(found.values())))
    for step, one in found.items():
        if list(one) != names:
            raise ValueError(f"records: got the layers {', '.join(one)} at step {step}, expected those of "
                             f"the first step, {', '.join(names)}")
    return explore(
        lambda axes, step, mark: _draw(axes, found, names, step, mark),
        lambda figure: _frame(figure, found, names),
        lambda step, mark: _describe(found[step], step, mark), size=SIZE, play=["step"],
        step=SelectionSlider(options=list(found), value=list(found)[0], description="step"),
        mark=Dropdown(options=names, value=names[0], description="layer"))


def _in_order(found, backward_order):
    return dict(reversed(found.items())) if backward_order else found


def _span(all_found):
    """The decades in which all sizes are, but for the smallest hundredth of each layer."""
    sizes = [np.quantile(one.sizes, (0.01, 1)) for found in all_found for one in found.values()
             if one.sizes.size]
    low, high = (np.min(sizes), np.max(sizes)) if sizes else (-1, 0)
    return np.floor(max(low, high - 12)), np.ceil(high + 0.05)


def _rows(ax, names, span):
    """An axis of decades with a row for each layer, the first at the top, and room for words on the right."""
    ax.set(xlim=span, ylim=(len(names) - 0.5, -1.15), xlabel="|gradient| of entries that are not 0")
    decades = np.arange(span[0], span[1] + 0.5, max(1, np.ceil((span[1] - span[0]) / 5)))
    ax.set_xticks(decades, [f"$10^{{{d:.0f}}}$" for d in decades])
    ax.set_yticks(np.arange(len(names)), [n if len(n) <= LETTERS else n[:LETTERS - 1] + "…" for n in names])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.hlines(np.arange(len(names)) + TALL / 2, *span, color="#BBBBBB", lw=0.6)
    _write_beside(ax, -0.75, ("| rms of all", "exact 0"), color=figures.NEUTRAL)


def _write_beside(ax, row, words, **style):
    """Words in the two columns right of a row."""
    for points, word in zip(COLUMNS, words, strict=True):
        ax.annotate(word, (1, row), xycoords=ax.get_yaxis_transform(), xytext=(points, 0),
                    textcoords="offset points", va="center", fontsize=9, **style)


def _histograms(ax, found, mark=None):
    """Each layer's sizes, its root mean square as a line and in numbers, its fraction of exact zeros."""
    edges = np.linspace(*ax.get_xlim(), BINS + 1)
    bars, faces, lines = [], [], []
    for row, (name, one) in enumerate(found.items()):
        counts, base = np.histogram(one.sizes, edges)[0], row + TALL / 2
        if counts.any():
            heights = TALL * np.repeat(counts / counts.max(), 2)
            bars.append([(edges[0], base), *zip(np.repeat(edges, 2)[1:-1], base - heights, strict=True),
                         (edges[-1], base)])
            faces.append(to_rgba(figures.GRADIENT, 0.95 if mark in (None, name) else 0.45))
        if one.rms:
            lines.append([(np.log10(one.rms), base), (np.log10(one.rms), base - TALL)])
        _write_beside(ax, row + 0.1, (short(one.rms), f"{one.zeros:.0%}"),
                      weight="bold" if name == mark else "normal")
    ax.add_artist(PolyCollection(bars, fc=faces, lw=0))
    ax.add_artist(LineCollection(lines, color=figures.THEORY, lw=1.8, capstyle="projecting"))


def _frame(figure, found, names):
    """On the left the rows, on the right the root mean square of each layer at each step."""
    figure.set_layout_engine("none")
    left = figure.add_axes((0.155, 0.135, 0.31, 0.855))
    _rows(left, names, _span(found.values()))
    right = figure.add_axes((0.75, 0.135, 0.185, 0.74))
    rms = np.array([[one.rms for one in at.values()] for at in found.values()])
    some = rms[rms > 0] if rms.any() else np.ones(1)
    right.set(xlim=(min(found), max(found)), yscale="log", ylim=(some.min() / 1.5, some.max() * 1.5),
              xlabel="step")
    right.set_title("rms of each layer", color=figures.GRADIENT, fontsize=10)
    for values in rms.T:
        right.plot(list(found), np.where(values > 0, values, np.nan), color="#BBBBBB", lw=1)
    name_ends(right, names, rms[-1])
    return left, right


def _draw(axes, found, names, step, mark):
    left, right = axes
    _histograms(left, found[step], mark)
    values = np.array([at[mark].rms for at in found.values()])
    right.plot(list(found), np.where(values > 0, values, np.nan), color=figures.GRADIENT, lw=2)
    if found[step][mark].rms:
        right.plot(step, found[step][mark].rms, "o", color=figures.THEORY, ms=6, clip_on=False)
    right.axvline(step, color=figures.NEUTRAL, lw=0.8)
    return {name: np.array([getattr(one, name) for one in found[step].values()]) for name in ("rms", "zeros")}


def _describe(found, step, mark):
    rms = {name: one.rms for name, one in found.items()}
    small, large, one = min(rms, key=rms.get), max(rms, key=rms.get), found[mark]
    apart = f", {short(rms[large] / rms[small])} times as large" if rms[small] else ""
    return (f"Step {step}: the gradient of {mark} has the root mean square {short(one.rms)}, and "
            f"{one.zeros:.0%} of its entries are exactly 0. Smallest is that of {small}, "
            f"{short(rms[small])}, largest that of {large}, {short(rms[large])}{apart}.")
