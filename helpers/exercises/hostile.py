"""Numbers for inputs that tell right from wrong: of both signs, none zero, few sums alike by chance."""
from collections.abc import Callable, Iterator
from functools import wraps

import numpy as np

FACTORS = 1e5, 1e-5


def whole(rng: np.random.Generator, *shape: int, most: int = 29, negative: float | None = None) -> np.ndarray:
    """Whole numbers up to `most`, easy to read. With a small `most` many are alike.

    `negative` is the probability of a minus, ½ unless given.
    """
    signs = None if negative is None else [negative, 1 - negative]
    return rng.integers(1, most + 1, shape) * rng.choice([-1.0, 1.0], shape, p=signs)


def tenths(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Tenths up to 2, so small that no activation is saturated."""
    return whole(rng, *shape, most=20) / 10


def mixed(array: np.ndarray, axis: int) -> np.ndarray:
    """The sum over an axis, in place of each of its entries: as if what lies along it were mixed up."""
    return np.broadcast_to(array.sum(axis, keepdims=True), array.shape)


def scaled(*names: str) -> Callable:
    """A decorator: the last input comes twice more, these arguments 1e5 times as large, and as small."""
    def decorator(cases):
        @wraps(cases)
        def more(rng: np.random.Generator) -> Iterator[dict[str, object]]:
            for case in cases(rng):
                yield case
            for factor in FACTORS:
                yield case | {name: factor * case[name] for name in names}
        return more
    return decorator
