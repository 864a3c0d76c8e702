"""Three witnesses for one gradient: the hand, torch autograd, and central differences.

    three_witnesses(conv2d, F.conv2d, dy, x=(x, dx), W=(W, dW), b=(b, db))

The three are asked about the same inputs and the same upstream gradient dy. When any two
disagree, WitnessError says which and by how much. PyTorch is imported here and nowhere else in `helpers`.
"""
import html
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from helpers.differences import central_differences

AUTOGRAD_LIMIT = 1e-10   # largest relative error granted to the hand against autograd
DIFFERENCE_LIMIT = 1e-6  # … and against central differences


class WitnessError(AssertionError):
    """A gradient, or a value, on which the witnesses do not agree."""


@dataclass(frozen=True)
class Row:
    """What the witnesses say of one array: its name, its shape, the errors against each."""

    name: str
    shape: tuple[int, ...]
    autograd: float
    differences: float | None

    def words(self) -> tuple[str, str, str, str]:
        """The row as it is printed."""
        last = "" if self.differences is None else _bound(self.differences, (1e-8, DIFFERENCE_LIMIT))
        return (self.name, str(self.shape),
                _bound(self.autograd, (1e-12, AUTOGRAD_LIMIT)), last)


class Testimony(tuple):
    """The rows of a hearing; a small table in a notebook, the same text on every machine."""

    HEAD = ("", "shape", "autograd", "differences")

    def __repr__(self) -> str:
        """The table as aligned text."""
        lines = [self.HEAD, *(row.words() for row in self)]
        wide = [max(len(line[i]) for line in lines) for i in range(4)]
        return "\n".join("  ".join(t.ljust(w) for t, w in zip(line, wide, strict=True)).rstrip()
                         for line in lines)

    def _repr_html_(self) -> str:
        def cells(line, tag):
            return "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in line)
        body = "".join(f"<tr>{cells(row.words(), 'td')}</tr>" for row in self)
        return f"<table><tr>{cells(self.HEAD, 'th')}</tr>{body}</table>"


def three_witnesses(function: Callable, reference: Callable, dy: np.ndarray, *,
                    options: dict | None = None,
                    **inputs: tuple[np.ndarray, np.ndarray]) -> Testimony:
    """Compare gradients derived by hand with autograd and with central differences, or raise.

    `function` works on NumPy arrays, `reference` is the same function of torch; both are called with
    the inputs in the order given, and with `options`. Each of `inputs` is a pair, the array and the
    gradient claimed for it, both float64. dy has the shape of the function's value and must not be
    constant. Errors are ‖a − b‖ / ‖b‖, with a floor under ‖b‖ for gradients that vanish.

    Raises WitnessError when an error exceeds 1e-10 (autograd) or 1e-6 (differences), KinkError when
    an input lies on a kink, ValueError when the question itself is not a fair one.
    """
    rows = _hear(function, reference, dy, options or {}, inputs)
    wrong = [row for row in rows if _disagrees(row)]
    if wrong:
        raise WitnessError("; ".join(_complaint(row) for row in wrong))
    return rows


def refuted(function: Callable, reference: Callable, dy: np.ndarray, *, options: dict | None = None,
            **inputs: tuple[np.ndarray, np.ndarray]) -> Testimony:
    """Show that the witnesses reject a wrong gradient; raise WitnessError when they let it pass."""
    rows = _hear(function, reference, dy, options or {}, inputs)
    passed = [row.name for row in rows[1:] if not _disagrees(row)]
    if passed:
        raise WitnessError(f"{', '.join(passed)}: expected a wrong gradient, but every witness accepts it")
    return Testimony(rows[1:])


def _hear(function, reference, dy, options, inputs):
    _refuse_unfair(dy, inputs)
    arrays = [array for array, _ in inputs.values()]
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    y, y_torch = np.asarray(function(*arrays, **options)), reference(*tensors, **options)
    if y.shape != dy.shape or y.shape != tuple(y_torch.shape):
        raise ValueError(f"dy: got shape {dy.shape}; by hand the value has shape {y.shape}, "
                         f"in torch {tuple(y_torch.shape)}; expected all three alike")
    truths = torch.autograd.grad(y_torch, tensors, torch.tensor(dy), allow_unused=True)
    floor = 1e-5 * np.linalg.norm(dy)
    rows = [Row("value", y.shape, _error(y, y_torch.detach().numpy(), 1e-5 * math.sqrt(y.size)), None)]
    for i, (name, (array, claimed)) in enumerate(inputs.items()):
        truth = np.zeros_like(array) if truths[i] is None else truths[i].numpy()
        entries, quotients = central_differences(lambda *a: function(*a, **options), arrays, dy, i)
        noise = max(floor, 1e-4 * np.linalg.norm(dy * y))
        rows.append(Row(f"d{name}", array.shape, _error(claimed, truth, floor),
                        _error(claimed.reshape(-1)[entries], quotients, noise)))
    return Testimony(rows)


def _refuse_unfair(dy, inputs):
    """Refuse a question that a wrong gradient could answer."""
    if not inputs:
        raise ValueError("inputs: got none, expected at least one pair x=(x, dx)")
    for name, pair in {"dy": (dy, dy), **inputs}.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueError(f"{name}: expected a pair (array, its gradient by hand)")
        for what, array in zip((name, f"d{name}"), pair, strict=True):
            if not isinstance(array, np.ndarray) or array.dtype != np.float64:
                got = getattr(array, "dtype", type(array).__name__)
                raise ValueError(f"{what}: got {got}, expected a NumPy array of float64")
            if not np.isfinite(array).all() and what == name:
                raise ValueError(f"{what}: got a NaN or an infinity, expected finite numbers")
        if pair[0].shape != pair[1].shape:
            raise WitnessError(f"d{name}: got shape {pair[1].shape}; a gradient has the shape of "
                               f"{name}, which is {pair[0].shape}")
    if dy.size > 1 and np.ptp(dy) == 0:
        raise ValueError("dy: got the same number everywhere, which lets wrong gradients pass; "
                         "expected random numbers, such as rng.normal(size=y.shape)")


def _error(a, b, floor):
    error = np.linalg.norm(a - b) / max(np.linalg.norm(b), floor, 1e-300)
    return float(error) if np.isfinite(error) else math.inf


def _disagrees(row):
    return row.autograd > AUTOGRAD_LIMIT or (row.differences or 0.0) > DIFFERENCE_LIMIT


def _complaint(row):
    name, shape, autograd, differences = row.words()
    said = {"autograd": autograd, "central differences": differences}
    against = [f"{who} ({what})" for who, what in said.items() if what.startswith("error")]
    return f"{name} {shape} disagrees with " + " and ".join(against)


def _bound(error, limits):
    """An error as a bound that no rounding moves: ≤ the first of `limits` it stays below."""
    for limit in limits:
        if error <= limit:
            return f"≤ {limit:.0e}"
    return f"error {error:.1g}"
