"""Figures of 06_gradient_pathologies.ipynb: theory with spread, edges of chaos, paths on a cliff."""
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plotting import figures
from helpers.theory import mean_field
from helpers.theory.random_networks import Case

__all__ = ["chi_at_fixed_point", "cost_and_speed", "paths_on_a_cliff", "theory_and_spread",
           "two_inputs_by_layer"]


def theory_and_spread(found: dict[Case, np.ndarray], forecast: dict[Case, np.ndarray]) -> Figure:
    """Draw for each activation the measured sizes (seeds, depth) and those of the theory (depth,).

    Layers run in the order of the backward pass, the last on the left. Above, dots are the root of the mean
    square; the theory is black, with σ_w written on it. Below, a strip for each σ_w has the same dots divided
    by the theory, between lines at ± 10 %; bands hold the middle four fifths of the networks. Each activation
    has as many σ_w as any other.
    """
    names = list(dict.fromkeys(name for name, _ in found))
    rows, depth = len(found) // len(names), len(next(iter(forecast.values())))
    figure, axes = plt.subplots(1 + rows, len(names), figsize=(6.4, 3.2 + 0.8 * rows), squeeze=False,
                                sharex=True, height_ratios=(4, *[1] * rows))
    for (above, *strips), name in zip(axes.T, names, strict=True):
        cases = [case for case in found if case[0] == name]
        for case, strip in zip(cases, strips, strict=True):
            _draw_case(above, strip, case[1], found[case], forecast[case])
        above.set(title=name, yscale="log")
        above.margins(y=0.12)
        strips[-1].set_xlabel("layer")
    axes[0, 0].set_ylabel("‖δ‖ / last ‖δ‖")
    axes[0, 0].invert_xaxis()
    axes[0, 0].set_xticks((1, depth // 2, depth))
    axes[1 + rows // 2, 0].set_ylabel("measured / theory")
    return figure


def chi_at_fixed_point(*activations: str) -> Figure:
    """χ of deep layers against σ_w on log axes, a dot where it is 1: the edge of chaos. Biases are 0."""
    scales = np.geomspace(0.25, 14, 60)
    lines = {name: [mean_field.chi(mean_field.fixed_point(s, 0.0, name), s, name) for s in scales]
             for name in activations}
    figure = figures.curves(lines, x=scales, log="xy", xlabel="σ_w", ylabel="χ at q*", xlim=(0.25, 26))
    ax = figure.axes[0]
    ax.axhline(1, color=figures.NEUTRAL, lw=1)
    for name, line in zip(activations, ax.lines[:-1], strict=True):
        ax.plot(mean_field.edge_of_chaos(name), 1, "o", color=line.get_color(), ms=7)
    return figure


def two_inputs_by_layer(pairs: dict[str, np.ndarray]) -> Figure:
    """The distance of two inputs in layers 1 … depth, log axis, by name: measured and theory (2, depth)."""
    depth = len(next(iter(pairs.values()))[0])
    figure = figures.curves(
        {name: measured for name, (measured, _) in pairs.items()}, x=np.arange(1, depth + 1), log=True,
        xlabel="layer l", ylabel="distance (rms)", xlim=(0.5, 1.4 * depth),
        xticks=[1, *range(5, depth + 1, 5)])
    ax = figure.axes[0]
    ax.spines["bottom"].set_bounds(0.5, depth)
    for line, (_, theory) in zip(list(ax.lines), pairs.values(), strict=True):
        line.set(ls="", marker="o")
        ax.plot(range(1, depth + 1), theory, color=figures.THEORY, lw=1)
    return figure


def cost_and_speed(by_step: dict[str, np.ndarray]) -> Figure:
    """The cost, and beside it the update-to-weight ratio on a log axis: (2, n) for each net, every ten steps.

    The dotted line is the rule of thumb, 10⁻³.
    """
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 2.8))
    colors = figures.INPUT, figures.KERNEL, figures.OUTPUT, figures.GRADIENT
    for (name, both), color in zip(by_step.items(), colors, strict=False):
        steps = 10 * np.arange(both.shape[1]) + 5
        for ax, values in zip(axes, both, strict=True):
            ax.plot(steps, values, color=color, label=name)
    axes[0].set(ylabel="cost, mean of 10", xlabel="step")
    axes[1].set(ylabel="‖ΔW‖ / ‖W‖, layer 1", xlabel="step", yscale="log")
    axes[1].axhline(1e-3, color=figures.NEUTRAL, lw=1, ls=":")
    axes[1].text(steps[-1], 0.8e-3, "10⁻³", color=figures.NEUTRAL, ha="right", va="top")
    axes[1].legend(frameon=False, fontsize=9, loc="center right")
    return figure


def paths_on_a_cliff(cost: Callable, paths: dict[str, np.ndarray]) -> Figure:
    """Two paths (steps + 1, 2) over a cost of two weights, from above, and their costs beside it.

    The first is drawn thick, so that it shows below the second where both are the same; where a path leaves
    the map, its name stands.
    """
    w, b = np.meshgrid(np.linspace(3.5, 6.5, 241), np.linspace(-3.5, -1.5, 161))
    figure, (above, beside) = plt.subplots(1, 2, figsize=(6.4, 3.0))
    above.contourf(w, b, cost((w, b)), 12, cmap="Greys", vmax=1.2 * cost((w, b)).max())
    above.set(xlabel="w", ylabel="b", xlim=(3.5, 6.5), ylim=(-3.5, -1.5))
    looks = (figures.KERNEL, 8, 3.6), (figures.OUTPUT, 4, 1.2)
    for (name, path), (color, size, width) in zip(paths.items(), looks, strict=True):
        costs = [cost(p) for p in path]
        above.plot(*path.T, ".-", color=color, ms=size, lw=width)
        beside.plot(costs, color=color, lw=width)
        beside.text(len(costs) + 1, costs[-1], name, color=color, va="center")
        above.annotate(name, _exit(path), xytext=(-9, 0), textcoords="offset points", color=color,
                       ha="right", va="top", fontsize=9)
    above.text(3.6, -3.42, "dark: high cost", va="bottom", fontsize=9, color="white")
    beside.set(xlabel="step", ylabel="cost C", xlim=(0, 1.3 * len(costs)), xticks=(0, 25, 50, 75, 100))
    beside.spines["bottom"].set_bounds(0, len(costs) - 1)
    return figure


def _exit(path):
    """Where a path crosses the upper edge of the map, b = −1.5; else its start."""
    for (w, b), (w_next, b_next) in zip(path, path[1:], strict=False):
        if b < -1.5 < b_next:
            return w + (w_next - w) * (-1.5 - b) / (b_next - b), -1.53
    return path[0]


def _draw_case(above, strip, sigma_w, sizes, line):
    layers, mean = np.arange(1, len(line) + 1), np.sqrt((sizes**2).mean(axis=0))
    above.plot(layers, mean, "o", color=figures.GRADIENT, ms=3.5)
    above.plot(layers, line, color=figures.THEORY, lw=1)
    at, falls = len(line) // 4, line[0] < line[-1] / 10
    above.annotate(f"{sigma_w:.3g}", (layers[at], line[at]), xytext=(3 if falls else -1, 6),
                   textcoords="offset points", ha="left" if falls else "right")
    strip.fill_between(layers, *np.quantile(sizes / line, (0.1, 0.9), axis=0),
                       color=figures.GRADIENT, alpha=0.3, lw=0)
    strip.plot(layers, mean / line, "o", color=figures.GRADIENT, ms=2.5)
    strip.hlines((0.9, 1.1), 1, len(line), color=figures.THEORY, lw=0.8, ls=(0, (4, 3)))
    strip.set(ylim=(0.5, 1.5), yticks=(0.5, 1, 1.5))
    strip.text(1, 1.46, f"σ_w = {sigma_w:.3g}", ha="right", va="top", fontsize=9)
