"""Compare answers with the truth on several inputs, and say in words how they differ.

What is said holds on all the inputs: one on which it fails is enough to drop it.
"""
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np

from helpers.language import say

TOLERANCE = 1e-9   # of the norm: far above rounding, far below any mistake
SHOWN = 40         # the largest array that is printed entry by entry

_Arrays = Sequence[np.ndarray]


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether a is b up to rounding, shape included. NaN and infinity are never the same."""
    return a.shape == b.shape and bool(np.linalg.norm(a - b) <= TOLERANCE * np.linalg.norm(b) < np.inf)


def alike(a: np.ndarray, b: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Whether a is b entry by entry up to the tolerance, shape, NaN and infinity included."""
    return a.shape == b.shape and np.allclose(a, b, tolerance, tolerance, equal_nan=True)


def all_same(answers: _Arrays, truths: _Arrays) -> bool:
    """Whether every answer is the same as its truth."""
    return all(map(same, answers, truths))


def relation(answers: _Arrays, truths: _Arrays) -> str:
    """Name the one thing in which the answers differ from the truths; "" when it is not one thing.

    A factor, the shape, the order of the axes or the direction along them; what follows a colon is in detail.
    """
    if all_same(answers, truths):
        return ""
    found = [_fraction(c) for c in ratios_of(answers, truths)]
    if len(set(found)) == 1:
        return "its sign" if found[0] == "-1" else f"a factor of {found[0]}"
    return _shape(answers, truths) or _order(answers, truths) or _direction(answers, truths)


def ratios_of(answers: _Arrays, truths: _Arrays) -> list[float]:
    """By which factor each answer is a multiple of its truth; [] when one is not, or is zero."""
    if any(a.shape != t.shape for a, t in zip(answers, truths, strict=True)):
        return []
    found = [np.vdot(t, a) / max(np.vdot(t, t), 1e-300) for a, t in zip(answers, truths, strict=True)]
    if not all(found) or not all_same(answers, [c * t for c, t in zip(found, truths, strict=True)]):
        return []
    return [float(c) for c in found]


def _fraction(c):
    """A fraction of small numbers where c is one, otherwise as many digits as tell it from one."""
    near = Fraction(c).limit_denominator(1000)
    simple = abs(near - c) <= TOLERANCE * abs(c) and abs(near.numerator) <= 1000
    return str(near) if simple else f"{c:.10g}"


def _shape(answers, truths):
    if not all(a.size == t.size and same(a.ravel(), t.ravel()) for a, t in zip(answers, truths, strict=True)):
        return ""
    a, t = next((a, t) for a, t in zip(answers, truths, strict=True) if a.shape != t.shape)
    return "its shape: " + f"it is {a.shape}, expected {t.shape}"


def _order(answers, truths):
    for order in list(permutations(range(truths[0].ndim)))[1:]:
        if all_same(answers, [t.transpose(order) for t in truths]):
            return "the order of its axes: " + f"yours is the right one after `transpose{order}`"
    return ""


def _direction(answers, truths):
    axes = range(truths[0].ndim)
    for turned in (some for n in axes for some in combinations(axes, n + 1)):
        if all_same(answers, [np.flip(t, turned) for t in truths]):
            along = " and ".join(map(str, turned))
            place = f"axes {along}" if len(turned) > 1 else f"axis {along}"
            return "its direction: " + f"it is reversed along {place}"
    return ""


def wrong_dtype(answer: np.ndarray, truth: np.ndarray) -> str:
    """Say that the numbers are of the wrong kind; "" when they are not."""
    kinds = answer.dtype.kind + truth.dtype.kind
    if answer.dtype == truth.dtype or kinds in ("ii", "ui"):
        return ""
    if kinds == "fi":
        return "It returned a float; a number of things is an int."
    return f"It returned numbers of {answer.dtype}; expected {truth.dtype}."


def wrong_shape(answers: _Arrays, truths: _Arrays) -> str:
    """Say that the first wrong answer has the wrong shape; "" when it has not."""
    a, t = next((a, t) for a, t in zip(answers, truths, strict=True) if not same(a, t))
    return "" if a.shape == t.shape else f"Its shape is {a.shape}; expected {t.shape}."


def wrong_numbers(answers: _Arrays, truths: _Arrays) -> str:
    """Say that every answer, or the first wrong one, holds NaN or infinity, or zeros only; or ""."""
    wrong = [a for a, t in zip(answers, truths, strict=True) if not same(a, t)]
    kinds = [_odd(a) for a in wrong]
    every = len(wrong) == len(answers) and len(set(kinds)) == 1
    where = "On every input" if every else "On the first of the others"
    return kinds[0] and f"{where} your answer {kinds[0]}."


def _odd(a):
    """What is odd about an answer, whatever the truth is; "" for ordinary numbers."""
    if not np.isfinite(a).all():
        return f"{'holds' if a.ndim else 'is'} {'NaN' if np.isnan(a).any() else 'infinity'}"
    return "" if a.any() or not a.size else f"is {'all zeros' if a.ndim else '0'}"


def wrong_factors(answers: _Arrays, truths: _Arrays) -> str:
    """Say by which factors the answers are wrong when each input has its own; "" when that is not all."""
    found = [_fraction(c) for c in ratios_of(answers, truths)]
    if not found or max(truth.size for truth in truths) == 1:   # of two numbers one is always a multiple
        return ""
    return f"It is right but for a factor that changes with the input: {', '.join(found)}."


def evidence(case: dict[str, object], answer: np.ndarray, truth: np.ndarray) -> str:
    """One input, what is right there and what came, printed entry by entry where they are small."""
    arrays = {name: value for name, value in case.items() if isinstance(value, np.ndarray)}
    rest = {name: value for name, value in case.items() if name not in arrays}
    lines = [_written(name, value) for name, value in arrays.items()] + [in_short(rest)] * bool(rest)
    lines.append(_written(say("expected"), truth))
    if truth.size <= SHOWN and _written(say("expected"), answer) == lines[-1] and not same(answer, truth):
        lines.append(f"yours prints alike; {_largest(answer, truth)}")
    else:
        lines.append(_written(say("yours"), answer))
    return "\n".join(lines + _entries(answer, truth))


def _entries(answer, truth):
    """How many entries differ and, of an array that is not printed, the first that does: a line or none."""
    if answer.shape != truth.shape or truth.size < 2:
        return []
    limit = TOLERANCE * np.linalg.norm(truth) / np.sqrt(truth.size)
    wrong = np.argwhere(~(np.abs(answer - truth) <= limit)).tolist()
    line = f"{len(wrong)} of {truth.size} entries differ"
    if wrong and truth.size > SHOWN:
        i = tuple(wrong[0])
        right, yours = f"{truth[i]:.4g}", f"{answer[i]:.4g}"
        line += f", first {wrong[0]}: expected {right}, yours {yours}"
        line += f"; {_largest(answer, truth)}" if right == yours else ""
    return [line]


def _largest(answer, truth):
    return f"the largest difference is {np.abs(answer - truth).max():.2g}"


def in_short(case: dict[str, object]) -> str:
    """The arguments of one input on a line: arrays by their shape, functions by name, numbers by value."""
    return ", ".join(f"{name} {value.shape}" if isinstance(value, np.ndarray) else
                     f"{name} = {getattr(value, '__name__', value)}" for name, value in case.items())


def _written(name, value):
    if value.ndim == 0:
        return f"{name} = {np.array2string(value, precision=4)}"
    if value.size > SHOWN:
        return f"{name} {value.shape}"
    first = next((i for i, n in enumerate(value.shape) if n != 1), value.ndim - 1)
    inner = value.reshape(value.shape[first:])   # brackets around a single thing say nothing
    text = np.array2string(inner, precision=4, suppress_small=True, max_line_width=76, floatmode="maxprec")
    return f"{name} {value.shape} =\n{text}"
