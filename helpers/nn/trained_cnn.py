"""A small CNN trained on the digits, for widgets and labs."""
import copy
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from helpers.data import digits
from helpers.nn.modules import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from helpers.nn.optim import SGD
from helpers.nn.training import fit


class Trained(NamedTuple):
    """A trained network and its test data: images (n, 1, 8, 8), labels (n,); `losses` of each step."""

    net: Sequential
    images: np.ndarray
    labels: np.ndarray
    losses: list[float]


def small_cnn(rng: np.random.Generator, dtype: type = np.float64) -> Sequential:
    """Conv, ReLU, pool, conv, ReLU, pool, fully connected: x (N, 1, 8, 8) → logits (N, 10)."""
    with_rng = {"rng": rng, "dtype": dtype}
    return Sequential(Conv2d(1, 8, 3, padding=1, **with_rng), ReLU(), MaxPool2d(2),
                      Conv2d(8, 16, 3, padding=1, **with_rng), ReLU(), MaxPool2d(2),
                      Flatten(), Linear(64, 10, **with_rng))


def digit_images(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """The digits as `data.digits` splits them, X_train, X_test, y_train, y_test; X is (n, 1, 8, 8)."""
    X_train, X_test, y_train, y_test = digits(rng)
    return X_train.reshape(-1, 1, 8, 8), X_test.reshape(-1, 1, 8, 8), y_train, y_test


def trained_cnn() -> Trained:
    """The small CNN after eight epochs on the digits, the same numbers every time; the test digits with it.

    Trained at the first call; each call gets a copy of its own.
    """
    return copy.deepcopy(_trained())


@lru_cache(maxsize=1)
def _trained():
    rng = np.random.default_rng(0)
    X_train, X_test, y_train, y_test = digit_images(rng)
    net = small_cnn(rng)
    optimizer = SGD(net.parameters(), lr=0.05, momentum=0.9)
    losses = fit(net, [optimizer], X_train, y_train, epochs=8, size=64, rng=rng)
    return Trained(net, X_test, y_test, losses)
