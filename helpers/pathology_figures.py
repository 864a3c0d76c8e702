"""Figures of 06_gradient_pathologies.ipynb: theory with spread, edges of chaos, paths on a cliff."""
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers import figures, theory
from helpers.random_networks import Case

__all__ = ["chi_at_fixed_point", "paths_on_a_cliff", "theory_and_spread"]


def theory_and_spread(found: dict[Case, np.ndarray], forecast: dict[Case, np.ndarray]) -> Figure:
    """Draw for each activation the measured sizes (seeds, depth) and those of the theory (depth,).

    Above, dots are the root of the mean square; the theory is black, with σ_w written on it. Below, the same
    dots divided by the theory, between lines at ± 10 %; bands hold the middle four fifths of the networks.
    """
    names = list(dict.fromkeys(name for name, _ in found))
    figure, axes = plt.subplots(2, len(names), figsize=(6.4, 4.8), squeeze=False, sharex=True,
                                height_ratios=(3, 2))
    for (above, below), name in zip(axes.T, names, strict=True):
        for case in (case for case in found if case[0] == name):
            _draw_case(above, below, case[1], found[case], forecast[case])
        above.set(title=name, yscale="log")
        above.margins(y=0.12)
        below.set(xlabel="layer", ylim=(0.4, 1.6), yticks=(0.5, 1, 1.5))
        below.hlines((0.9, 1.1), 1, len(forecast[case]), color=figures.THEORY, lw=0.8, ls=(0, (4, 3)))
    axes[0, 0].set_ylabel("‖δ‖ / last ‖δ‖")
    axes[1, 0].set_ylabel("measured / theory")
    return figure


def chi_at_fixed_point(*activations: str) -> Figure:
    """χ of deep layers against σ_w on log axes, a dot where it is 1: the edge of chaos. Biases are 0."""
    scales = np.geomspace(0.25, 14, 60)
    lines = {name: [theory.chi(theory.fixed_point(s, 0.0, name), s, name) for s in scales]
             for name in activations}
    figure = figures.curves(lines, x=scales, log="xy", xlabel="σ_w", ylabel="χ at q*", xlim=(0.25, 26))
    ax = figure.axes[0]
    ax.axhline(1, color=figures.NEUTRAL, lw=1)
    for name, line in zip(activations, ax.lines[:-1], strict=True):
        ax.plot(theory.edge_of_chaos(name), 1, "o", color=line.get_color(), ms=7)
    return figure


def paths_on_a_cliff(cost: Callable, paths: dict[str, np.ndarray]) -> Figure:
    """Two paths (steps + 1, 2) over a cost of two weights, from above, and their costs beside it."""
    w, b = np.meshgrid(np.linspace(3.5, 6.5, 241), np.linspace(-3.5, -1.5, 161))
    figure, (above, beside) = plt.subplots(1, 2, figsize=(6.4, 3.0))
    above.contourf(w, b, cost((w, b)), 12, cmap="Greys", vmax=1.2 * cost((w, b)).max())
    above.set(xlabel="w", ylabel="b", xlim=(3.5, 6.5), ylim=(-3.5, -1.5))
    for (name, path), color in zip(paths.items(), (figures.KERNEL, figures.OUTPUT), strict=True):
        costs = [cost(p) for p in path]
        above.plot(*path.T, ".-", color=color, ms=4, lw=1)
        beside.plot(costs, color=color)
        beside.text(len(costs) + 1, costs[-1], name, color=color, va="center")
    above.text(6.4, -1.6, "dark: high cost", ha="right", va="top", fontsize=9)
    beside.set(xlabel="step", ylabel="cost C", xlim=(0, 1.4 * len(costs)), xticks=(0, 25, 50, 75, 100))
    return figure


def _draw_case(above, below, sigma_w, sizes, line):
    layers, mean = np.arange(1, len(line) + 1), np.sqrt((sizes**2).mean(axis=0))
    above.plot(layers, mean, "o", color=figures.BLAME, ms=3.5)
    above.plot(layers, line, color=figures.THEORY, lw=1)
    at, rises = len(line) // 4, line[0] < line[-1] / 10
    above.annotate(f"{sigma_w:.3g}", (layers[at], line[at]), xytext=(-3 if rises else 1, 6),
                   textcoords="offset points", ha="right" if rises else "left")
    below.fill_between(layers, *np.quantile(sizes / line, (0.1, 0.9), axis=0), color=figures.BLAME, alpha=0.2,
                       lw=0)
    below.plot(layers, mean / line, "o", color=figures.BLAME, ms=2.5)
