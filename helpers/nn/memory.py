"""The input that a layer keeps for backward, and no_grad, under which nothing is kept.

    with no_grad():
        accuracy = (net(x_test).argmax(axis=1) == y_test).mean()

torch keeps what backward needs with each output, so that calls do not disturb each other. A layer here keeps
the last call only; a call between a forward and its backward would combine dy with the wrong input. Where
the shapes do not give that away, backward refuses (Memory.doubtful).
"""
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np

__all__ = ["Memory", "enable_grad", "forgetting", "no_grad", "remembering"]

_REMEMBERING = ContextVar("remembering", default=True)


@contextmanager
def no_grad() -> Iterator[None]:
    """Inside `with no_grad():` layers compute and keep nothing for backward, as in torch."""
    with _set(False):
        yield


@contextmanager
def enable_grad() -> Iterator[None]:
    """Inside `with enable_grad():` they keep it again, even inside no_grad(), as in torch."""
    with _set(True):
        yield


@contextmanager
def _set(keep):
    token = _REMEMBERING.set(keep)
    try:
        yield
    finally:
        _REMEMBERING.reset(token)


@contextmanager
def forgetting(layer: "Module", after: type[Exception]) -> Iterator[None]:   # noqa: F821
    """Let `layer` forget all kept inputs when an error of the class `after` is raised."""
    try:
        yield
    except after:
        layer.forget()
        raise


def remembering() -> bool:
    """Whether a call keeps its input for backward: not inside no_grad()."""
    return _REMEMBERING.get()


class Memory(NamedTuple):
    """The last call of a layer: its input, the output's shape, and whether dy may belong to another call."""

    x: np.ndarray
    shape: tuple[int, ...]
    dtype: np.dtype
    seen: frozenset     # the shapes and dtypes of all outputs since the last backward
    doubtful: bool      # the last of them came before too, and not from this same x

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, earlier: "Memory | None") -> "Memory":
        """Remember that x gave y, after `earlier`, which no backward has used.

        The same x once more, as when a cell is run twice, leaves no doubt.
        """
        like = y.shape, y.dtype
        if earlier is None:
            return cls(x, *like, frozenset([like]), False)
        again = (earlier.shape, earlier.dtype) == like and (
            earlier.x is x or np.array_equal(earlier.x, x, equal_nan=True))
        return cls(x, *like, earlier.seen | {like}, earlier.doubtful if again else like in earlier.seen)
