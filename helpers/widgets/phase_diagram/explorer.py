"""Rate of convergence over learning rate and momentum: a widget of notebooks/05_optimizers.ipynb.

The map is theory, helpers.theory.quadratics; the run beside it is one of sgd, from w = 1, and does not use
the theory. The largest curvature is 1, so that η is η·λ; with a condition number κ above 1 there is a second
one, 1/κ.
"""
from collections import namedtuple
from functools import lru_cache

import numpy as np
from ipywidgets import Checkbox, FloatSlider, SelectionSlider

from helpers.explore.explorer import Explore, explore
from helpers.functional.optimizers import sgd
from helpers.plotting import figures
from helpers.plotting.panes import axes_at, curve
from helpers.theory.landscapes import descend
from helpers.theory.quadratics import (
    convergence_rate,
    critical_momentum,
    largest_stable_step,
    measured_rate,
    regime,
)
from helpers.widgets.phase_diagram.map import WIDEST, draw_phases, frame_map

SIZE = 700, 412                                   # pixels
MAP, BAR = (46, 28, 326, 300), (136, 376, 236, 11)           # left, top, width, height
TOP, BOTTOM = (448, 28, 238, 118), (448, 192, 238, 136)
STEPS = 100                                       # of the run
KAPPAS = 1, 5, 10, 20, 50, 100
SETTLED, SAME = 0.002, 1e-9                       # how near a measured rate comes to the predicted; a tie
NAMES = {1: ("",), 2: ("steep", "flat")}
_COLORS = figures.KERNEL, figures.INPUT            # of the steep and of the flat direction

# A run and its prediction: `path` (steps + 1, directions) as far as it is on the map, `regimes` and `rates`
# of each direction, `rate` the largest of these, `measured` the rate fitted to the run, or None when it is at
# 0 exactly.
QuadraticRun = namedtuple("QuadraticRun", "curvatures path regimes rates rate measured")


def phase_diagram() -> Explore:
    """Choose η·λ and γ; see the regime, the predicted rate of convergence, and the rate of a run.

    `result` is the QuadraticRun of this moment.
    """
    return explore(
        _draw, _frame, _describe, size=SIZE, ground=_ground,
        eta=FloatSlider(0.1, min=0.01, max=WIDEST, step=0.01, description="step η·λ"),
        gamma=FloatSlider(0.8, min=0, max=0.99, step=0.01, description="momentum γ"),
        kappa=SelectionSlider(options=KAPPAS, description="condition number κ"),
        nesterov=Checkbox(False, description="Nesterov"))


@lru_cache(maxsize=2)     # for the picture and for its sentence
def quadratic_run(eta: float, gamma: float, kappa: float, nesterov: bool) -> QuadraticRun:
    """Predict the rate, run gradient descent, and measure the rate."""
    curvatures = np.array([1.0, 1 / kappa])[:1 if kappa == 1 else 2]
    more = {"nesterov": True} if nesterov and gamma else {}       # without momentum it is the same
    path = descend(sgd, lambda w: curvatures * w, np.ones_like(curvatures), STEPS,
                   lr=eta, momentum=gamma, **more)
    path = path[np.isfinite(path).all(axis=1)]
    rates = convergence_rate(eta, gamma, curvatures, nesterov=nesterov)
    return QuadraticRun(curvatures, path, tuple(regime(eta, gamma, curvatures, nesterov=nesterov)), rates,
                        float(rates.max()), rate_of_run(path))


def rate_of_run(path: np.ndarray) -> float | None:
    """The rate of a run (steps + 1, n) by helpers.theory.quadratics.measured_rate; None when it is at 0
    exactly.

    An oscillating run passes 0, where its distance is small for one step: the fit takes two points in a row,
    √(‖wₜ‖² + ‖wₜ₋₁‖²).
    """
    distances = np.hypot.reduce(np.hstack([path[1:], path[:-1]]), axis=1)     # a norm's squares may be 0
    return measured_rate(distances) if distances.all() else None


# --- the picture -----------------------------------------------------------------------------

def _frame(figure):
    chart, bar, top, bottom = axes_at(figure, MAP, BAR, TOP, BOTTOM)
    frame_map(chart, bar)
    top.set(xlim=(0, STEPS), ylim=(-2, 2), yticks=(-2, -1, 0, 1, 2), xticks=range(0, STEPS + 1, 25))
    top.set_title("w after each step", fontsize=10.5)
    bottom.set(xlim=(0, STEPS), ylim=(1e-8, 1e2), yscale="log", yticks=10.0 ** np.arange(-8, 3, 2),
               xticks=range(0, STEPS + 1, 25))
    bottom.set_title("its distance from the minimum", fontsize=10.5)
    bottom.set_xlabel("step", labelpad=0)
    bottom.minorticks_off()
    for axes in (top, bottom):
        axes.grid(axis="y")
    return chart, top, bottom


def _ground(axes, kappa, nesterov):
    draw_phases(axes[0], kappa, nesterov)


def _draw(axes, eta, gamma, kappa, nesterov):
    chart, top, bottom = axes
    one = quadratic_run(eta, gamma, kappa, nesterov)
    curve(chart, eta, gamma, marker="o", mfc="white", mec="black", mew=2, ms=10, zorder=5, clip_on=False)
    _draw_run(top, bottom, one)
    return one


def _draw_run(top, bottom, one):
    steps, theory = np.arange(STEPS + 1), {"color": figures.THEORY, "lw": 1.2, "zorder": 3}
    with np.errstate(over="ignore", under="ignore"):
        envelope = one.rate ** steps
    for sign in (1, -1):
        curve(top, steps, sign * envelope, **theory)
    curve(bottom, steps, envelope, **theory)
    names = NAMES[len(one.curvatures)]
    for name, at, color, w in zip(names, (0.8, 0.99), _COLORS[-len(names):], one.path.T, strict=False):
        curve(top, steps[:len(w)], w, color=color, lw=1.2, marker=".", ms=4)
        top.text(at, 0.86, name, color=color, ha="right", transform=top.transAxes)
    curve(bottom, steps[:len(one.path)], np.linalg.norm(one.path, axis=1), color=figures.OUTPUT, lw=1.2,
          marker=".", ms=4)
    _write_below(bottom, one)


def _write_below(bottom, one):
    """Write the regime, and the two rates in the colours of their curves."""
    pairs = zip(NAMES[len(one.regimes)], one.regimes, strict=True)
    named = ", ".join(f"{name} {which}".strip() for name, which in pairs)
    if len(one.regimes) > len(set(one.regimes)):
        named = f"both {one.regimes[0]}"
    measured = "0 exactly" if one.measured is None else f"measured {one.measured:.3f}"
    for x, y, words, style in ((-0.08, -0.38, named, {"weight": "bold"}),
                               (-0.08, -0.54, f"predicted {one.rate:.3f}", {"color": figures.THEORY}),
                               (0.42, -0.54, measured, {"color": figures.OUTPUT})):
        bottom.text(x, y, words, transform=bottom.transAxes, fontsize=10, **style)


# --- the sentence ----------------------------------------------------------------------------

def _describe(eta, gamma, kappa, nesterov):
    one = quadratic_run(eta, gamma, kappa, nesterov)
    return (f"η·λ = {eta:.2f}, γ = {gamma:.2f}{f', κ = {kappa}' * (kappa > 1)}{', Nesterov' * nesterov}: "
            f"{_regimes(one, eta, gamma, nesterov)}. Predicted rate {one.rate:.3f}, {_measured(one)}.")


def _regimes(one, eta, gamma, nesterov):
    if one.regimes[0] == "divergent":
        return _beyond(eta, largest_stable_step(1, gamma, nesterov=nesterov))
    if len(one.regimes) == 1:
        return _one_regime(one.regimes[0], eta, gamma, nesterov)
    (steep, flat), slow = one.regimes, ("steep", "flat")[int(one.rates.argmax())]
    if abs(one.rates[0] - one.rates[1]) < SAME:
        return f"{steep} in the steep direction, {flat} in the flat one, at the same rate"
    return f"{steep} in the steep direction, {flat} in the flat one; the {slow} one is slower"


def _beyond(eta, limit):
    """In words: at the largest stable step, or above it."""
    if abs(eta - limit) < SAME:
        return f"divergent at its border: at η·λ = {limit:.2f} it goes from side to side without end"
    return f"divergent, since the largest stable step is η·λ = {_unlike(limit, eta)}"


def _one_regime(regime, eta, gamma, nesterov):
    """The regime of the only direction, and where the critical momentum is, if there is one.

    The roots meet at γ = (1 − √(ηλ))², on either side of η·λ = 1: below it they are positive there, above it
    negative. With Nesterov and η·λ above 1 they have different signs, and never meet.
    """
    turned = " from side to side" * (eta > 1)
    if eta > 1 and nesterov:
        return f"{regime}{turned}, as with every stable γ where η·λ is above 1"
    if regime == "critical":
        return regime + f": both roots are {-np.sqrt(gamma):.2f}".replace("-", "−") * (eta > 1)
    critical = (1 - np.sqrt(eta))**2 if eta > 1 else critical_momentum(eta, 1, nesterov=nesterov)
    return f"{regime}{turned * bool(gamma < critical)}, and critical is γ = {_unlike(critical, gamma)}"


def _unlike(value, other):
    """A number with two digits, or with as many as it takes to tell it from another."""
    digits = next(n for n in range(2, 12) if n > 10 or f"{value:.{n}f}" != f"{other:.{n}f}")
    return f"{value:.{digits}f}"


def _measured(one):
    if one.measured is None:
        return "and the run is at 0 exactly"
    words = f"measured {one.measured:.3f} in the second half of {len(one.path) - 1} steps"
    if abs(one.measured / one.rate - 1) <= SETTLED:
        return words
    if one.regimes[int(one.rates.argmax())] == "critical":
        return f"{words}, where it falls as t·rateᵗ"
    return f"{words}, which has not settled yet"
