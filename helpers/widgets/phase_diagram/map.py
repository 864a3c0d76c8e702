"""Draw the predicted rate of convergence over η·λ and γ, with the lines where the regimes meet."""
from functools import lru_cache

import numpy as np
from contourpy import FillType, contour_generator
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from helpers.plotting import figures
from helpers.theory.quadratics import (
    convergence_rate,
    critical_momentum,
    largest_stable_step,
    optimal_step_and_momentum,
)

WIDEST = 4                                        # of η·λ
LEVELS = (*np.arange(10) / 10, 0.95, 0.98, 1)
TINTS = colormaps["YlGnBu"](np.linspace(0.03, 0.66, len(LEVELS) - 1))
BEYOND = "#DDDDDD"
CURVE = np.linspace(0, 1, 201)
LINE = {"color": figures.THEORY, "lw": 1.8, "zorder": 2}


@lru_cache
def rate_bands(kappa: float, nesterov: bool) -> list[Path]:
    """The filled contours of the predicted rate over (η·λ, γ), from the fastest."""
    eta, gamma = np.linspace(0, WIDEST, 321), np.linspace(0, 1, 201)
    rates = np.maximum(*(convergence_rate(eta, gamma[:, None], curvature, nesterov=nesterov)
                         for curvature in (1, 1 / kappa)))
    maker = contour_generator(eta, gamma, rates, fill_type=FillType.ChunkCombinedCode)
    areas = [maker.filled(*ends) for ends in zip(LEVELS[:-1], LEVELS[1:], strict=True)]
    return [Path(points[0], kinds[0]) if points[0] is not None else Path(np.zeros((0, 2)))
            for points, kinds in areas]


def frame_map(chart: Axes, bar: Axes) -> None:
    """Draw what never changes: the axes, and below them the colours of the rates."""
    chart.set(xlim=(0, WIDEST), ylim=(0, 1), facecolor=BEYOND, yticks=np.arange(6) / 5)
    chart.set_xlabel("step η·λ", labelpad=0)
    chart.set_ylabel("momentum γ", labelpad=1)
    chart.tick_params(axis="y", pad=1.5)          # room for the label, which is wider in Chinese
    chart.spines[:].set_visible(True)
    chart.set_title("rate of convergence", fontsize=10.5)
    bar.set(xlim=(0, len(TINTS)), ylim=(0, 1), yticks=[], xticks=[0, 5, 9, len(TINTS)])
    bar.set_xticklabels(["0", ".5", ".9", "1"])
    bar.tick_params(length=0, pad=2)
    bar.text(-0.3, 0.4, "each step × ", ha="right", va="center", fontsize=9.5)
    for k, tint in enumerate(TINTS):
        bar.add_patch(Rectangle((k, 0), 1, 1, fc=tint, ec="none"))


def draw_phases(chart: Axes, kappa: float, nesterov: bool) -> None:
    """Draw the bands for curvatures 1 and 1/kappa, the critical line of each, and the largest stable step."""
    for area, tint in zip(rate_bands(kappa, nesterov), TINTS, strict=True):
        chart.add_artist(PathPatch(area, fc=tint, ec=tint, lw=0.3, zorder=0))
    chart.plot(largest_stable_step(1, CURVE[:-1], nesterov=nesterov), CURVE[:-1], **LINE)
    chart.text(*((2.35, 0.80) if nesterov else (3.02, 0.13)), "divergent", fontsize=10)
    if kappa == 1:
        _draw_critical(chart, 1, "critical", 0.45, nesterov)
        chart.text(0.12, 0.05, "monotone", rotation=90, ha="center", fontsize=9.5)
        chart.text(*((0.7, 0.6) if nesterov else (1.35, 0.62)), "oscillating", ha="center", fontsize=10)
    else:
        _draw_critical(chart, 1, "critical, steep", 0.45, nesterov)
        _draw_critical(chart, 1 / kappa, "critical, flat", 0.35 if nesterov else 1.25, nesterov, ls="--")
    if not nesterov:
        _draw_best(chart, kappa)


def _draw_critical(chart, curvature, name, at, nesterov, **style):
    """Draw the line between monotone and oscillating, as far as it is stable; its name stands above `at`."""
    eta = CURVE**2 / curvature
    critical = critical_momentum(eta, curvature, nesterov=nesterov)
    stable = eta < largest_stable_step(1, np.minimum(critical, CURVE[-2]), nesterov=nesterov)
    chart.plot(eta[stable], critical[stable], **LINE, **style)
    chart.text(at, np.interp(at, eta, critical) + 0.035, name, fontsize=9.5)


def _draw_best(chart, kappa):
    eta, gamma = optimal_step_and_momentum(1 / kappa, 1)
    chart.plot(eta, gamma, "*", color="black", mec="white", mew=0.9, ms=14, zorder=4, clip_on=False)
    side, x, y = ("left", 0.09, 0.03) if kappa == 1 else ("right", -0.1, -0.065)
    chart.text(eta + x, gamma + y, "best", ha=side, fontsize=9.5)
