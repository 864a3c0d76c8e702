"""Three witnesses for one gradient: the hand, torch autograd, and central differences.

    three_witnesses(conv2d, F.conv2d, dy, x=(x, dx), W=(W, dW), b=(b, db))

The three get the same inputs and the same upstream gradient dy. When any two disagree, WitnessError says
which and by how much. PyTorch is imported here and nowhere else in `helpers`.
"""
import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.random import default_rng  # as it is now: a learner may put another in its place

from helpers.verify.differences import STEP, KinkError, central_differences, evaluate
from helpers.verify.in_torch import value_and_gradients
from helpers.verify.report import AUTOGRAD_LIMIT, DIFFERENCE_LIMIT, ENTRY_LIMIT, Report, Row
from helpers.verify.settings import settings_of_a_new_kernel, torch_is_here

ROUNDING = 1e-14   # what the rounding of float64 may amount to in numbers around 1


class WitnessError(AssertionError):
    """A gradient, or a value, on which the witnesses do not agree."""


def three_witnesses(function: Callable, reference: Callable, dy: np.ndarray, *,
                    options: dict | None = None,
                    **inputs: tuple[np.ndarray, np.ndarray]) -> Report:
    """Compare gradients derived by hand with autograd and with central differences, or raise.

    `function` works on NumPy arrays, `reference` is the same function of torch; both are called with the
    inputs in the order given, and with `options`, which are held fixed. Each of `inputs` is a pair, the array
    and the gradient claimed for it, both float64. dy has the shape of the function's value and must not be
    constant. Errors are ‖a − b‖ / ‖b‖, less what rounding explains; "too small" is a gradient that
    differences cannot tell from rounding, while autograd can.

    Raises WitnessError when an error exceeds 1e-10 (autograd) or 1e-6 (differences), or one entry is off
    by a hundredth of itself; KinkError when an input lies on a kink; ValueError when the question itself
    is not a fair one. Where torch is not to be had, two witnesses are heard, and the report says so.
    """
    rows = _checked(function, reference, dy, options or {}, inputs)
    wrong = [row for row in rows if row.disagrees]
    if wrong:
        raise WitnessError("; ".join(row.complaint() for row in wrong))
    return rows


def refuted(function: Callable, reference: Callable, dy: np.ndarray, *, options: dict | None = None,
            **inputs: tuple[np.ndarray, np.ndarray]) -> Report:
    """Show that the witnesses reject a wrong gradient; raise WitnessError when they let it pass."""
    rows = _checked(function, reference, dy, options or {}, inputs)
    passed = ", ".join(row.name for row in rows if not row.disagrees and row.name != "value")
    if passed and not torch_is_here():
        raise WitnessError(f"{passed}: differences accept it; only autograd, which is not here, could tell")
    if passed:
        raise WitnessError(f"{passed}: expected a wrong gradient, but every witness accepts it")
    return Report(row for row in rows if row.name != "value")


@settings_of_a_new_kernel()
def _checked(function, reference, dy, options, inputs):
    _refuse_unfair(dy, inputs)
    arrays = [np.asarray(array) for array, _ in inputs.values()]
    by_hand = functools.partial(function, **options)
    y = evaluate(by_hand, arrays)
    if not np.isfinite(y).all():
        raise ValueError("function: its value holds a NaN or an infinity, expected finite numbers")
    if not torch_is_here():
        measured = (_differences(name, by_hand, arrays, dy, i) for i, name in enumerate(inputs))
        return Report(_without_torch(name, np.asarray(claimed), found, dy, y)
                      for (name, (_, claimed)), found in zip(inputs.items(), measured, strict=True))
    truths, noises = _autograd(reference, arrays, dy, options, y)
    rows = [Row("value", y.shape, _error(y, truths[0], ROUNDING * math.sqrt(y.size), noises[0]), None)]
    if rows[0].disagrees:   # of another function, a right gradient would be wrong
        raise WitnessError(rows[0].complaint())
    for i, (name, (_, claimed)) in enumerate(inputs.items()):
        measured = _differences(name, by_hand, arrays, dy, i)
        rows.append(_row(name, np.asarray(claimed), truths[i + 1], noises[i + 1], measured, dy, y))
    return Report(rows)


def _without_torch(name, claimed, measured, dy, y):
    """Judge one gradient by differences alone."""
    entries, quotients = measured
    blur = _blur(entries, dy, y)
    seen = blur <= ENTRY_LIMIT * _norm(quotients)
    return Row(f"d{name}", claimed.shape, None,
               _error(claimed.flat[entries], quotients, blur) if seen else math.nan)


def _blur(entries, dy, y):
    """What rounding of y leaves in quotients: it is divided, in every output, by the step."""
    return ROUNDING / 5 / STEP * max(_norm(dy), _norm(dy * y)) * math.sqrt(entries.size)


def _row(name, claimed, truth, noise, measured, dy, y):
    """Judge one gradient."""
    entries, quotients = measured
    blur = _blur(entries, dy, y)
    apart = _error(truth.flat[entries], quotients, blur)
    if apart > DIFFERENCE_LIMIT:
        raise WitnessError(f"{name}: autograd and central differences disagree (error {apart:.1g}); expected "
                           "`function` and `reference` to be the same, and not too steep, at the inputs")
    genuine = 100 * noise < _rms(truth)
    unseen = genuine and blur > ENTRY_LIMIT * _norm(truth)
    return Row(f"d{name}", truth.shape, _error(claimed, truth, ROUNDING * _norm(dy), noise),
               math.nan if unseen else _error(claimed.flat[entries], quotients, blur))


def _autograd(reference, arrays, dy, options, y):
    """The value and the gradients in torch, and how far rounding moves each of them.

    A gradient is linear in dy: what another dy, added and taken away again, does not leave as it was is
    rounding. So is what goes when the last digits of the inputs are shaken.
    """
    truths, rng = value_and_gradients(reference, arrays, dy, options, y), default_rng(0)
    noises = [0.0] * len(truths)
    for _ in range(4):
        shaken = [array * (1 + 1e-13 * rng.normal(size=array.shape)) for array in arrays]
        more = _rms(dy) * rng.normal(size=dy.shape)
        added, taken = (value_and_gradients(reference, shaken, d, options, y) for d in (dy + more, more))
        taken[0] = 0.0   # the value does not depend on dy
        noises = [max(n, _rms(a - t - b)) for n, a, t, b in zip(noises, added, taken, truths, strict=True)]
    return truths, noises


def _differences(name, function, arrays, dy, which):
    try:
        return central_differences(function, arrays, dy, which)
    except KinkError as kink:
        raise KinkError(f"{name}: {kink}") from None


def _refuse_unfair(dy, inputs):
    """Refuse a question that a wrong gradient could answer."""
    if not inputs:
        raise ValueError("inputs: got none, expected at least one pair x=(x, dx)")
    for name, pair in {"dy": (dy, dy), **inputs}.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueError(f"{name}: expected a pair (array, its gradient by hand)")
        for what, array in zip((name, f"d{name}"), pair, strict=True):
            _refuse_array(what, array, finite=what == name)
        if pair[0].shape != pair[1].shape:
            raise WitnessError(f"d{name}: got shape {pair[1].shape}; a gradient has the shape of "
                               f"{name}, which is {pair[0].shape}")
    alike = np.unique(dy, return_counts=True)[1].max() > dy.size / 2 or np.ptp(dy) < 1e-2 * np.abs(dy).max()
    if not dy.any() or dy.size > 1 and alike:
        raise ValueError("dy: got the same number everywhere or nearly so, which lets wrong gradients pass; "
                         "expected random numbers, such as rng.normal(size=y.shape)")


def _refuse_array(name, array, *, finite):
    if not isinstance(array, (np.ndarray, np.float64)) or array.dtype != np.float64:
        got = getattr(array, "dtype", type(array).__name__)
        raise ValueError(f"{name}: got {got}, expected a NumPy array of float64")
    if not array.size:
        raise ValueError(f"{name}: got shape {array.shape}, expected at least one entry")
    if finite and not np.isfinite(array).all():
        raise ValueError(f"{name}: got a NaN or an infinity, expected finite numbers")


def _error(a, b, slack, noise=None):
    """‖a − b‖ / ‖b‖, less the slack that rounding is given; with `noise`, the worst entry is asked too."""
    apart = np.abs(a - b)
    error = np.maximum(0.0, _norm(apart) - slack) / max(_norm(b), slack, 1e-300)
    if error <= AUTOGRAD_LIMIT and noise is not None and _rms(b) > 0:
        worst = np.max(apart / (np.abs(b) + (1e-12 * _rms(b) + 100 * noise) / ENTRY_LIMIT))
        error = worst if worst > ENTRY_LIMIT else error
    return float(error) if np.isfinite(error) else math.inf


def _norm(array):
    return float(np.linalg.norm(array))


def _rms(array):
    return _norm(array) / math.sqrt(array.size)
