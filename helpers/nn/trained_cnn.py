"""A small CNN that has learned the digits, and the loop that taught it: for widgets and labs to look into."""
import copy
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from helpers import arguments as check
from helpers.data import digits
from helpers.functional.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from helpers.nn.memory import no_grad
from helpers.nn.modules import Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU, Sequential
from helpers.nn.optim import SGD

EPOCHS, SIZE, RATE, MOMENTUM = 8, 64, 0.05, 0.9


class Trained(NamedTuple):
    """A network and what it was not shown: images (n, 1, 8, 8), labels (n,); `losses` of each step."""

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


def batches(n: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """One epoch: the numbers 0 … n − 1, shuffled, in parts of `size`; the last part may be smaller."""
    order = rng.permutation(check.integer("n", n, least=1))
    return (order[k:k + size] for k in range(0, n, check.integer("size", size, least=1)))


def fit(net: Layer, X: np.ndarray, y: np.ndarray, *, rng: np.random.Generator, epochs: int = EPOCHS,
        size: int = SIZE, lr: float = RATE, momentum: float = MOMENTUM) -> list[float]:
    """Train `net` on images X (n, C, H, W) and classes y (n,): the cost of each step, before it was made."""
    optimizer, losses = SGD(net.parameters(), lr=lr, momentum=momentum), []
    for _ in range(check.integer("epochs", epochs, least=1)):
        for batch in batches(len(X), size, rng):
            optimizer.zero_grad()
            z = net(X[batch])
            losses.append(float(softmax_cross_entropy(z, y[batch])))
            net.backward(softmax_cross_entropy_backward(z, y[batch]), needs_dx=False)
            optimizer.step()
    return losses


def accuracy(net: Layer, X: np.ndarray, y: np.ndarray) -> float:
    """The share of the images X (n, C, H, W) of which the largest logit is that of y (n,), in eval mode."""
    was = net.training
    with no_grad():
        said = net.eval()(X).argmax(axis=1)
    net.train(was)
    return float((said == y).mean())


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
    losses = fit(net, X_train, y_train, rng=rng)
    return Trained(net, X_test, y_test, losses)
