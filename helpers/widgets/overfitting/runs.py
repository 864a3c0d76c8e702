"""Short trainings of a large net on few digits: what helpers.widgets.overfitting.explorer shows.

The net has one hidden layer of ReLUs, and dropout after it. Every fifth training label is drawn at random. A
training takes about a tenth of a second and is kept; the same seed draws the same digits, labels and weights
for every λ and every dropout rate, and a larger set of digits holds the smaller ones.

    curves = overfit(100, lam=0.01, p=0.0, seed=0)
    curves.cost["test"][curves.stop()]              # the test cost where early stopping takes the weights
"""
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from helpers import arguments as check
from helpers.data import digits
from helpers.functional.losses import softmax_cross_entropy
from helpers.nn.dropout import Dropout
from helpers.nn.layer import Layer, Sequential
from helpers.nn.memory import no_grad
from helpers.nn.modules import Linear, ReLU
from helpers.nn.optim import SGD
from helpers.nn.training import fit

HIDDEN, ETA, GAMMA = 100, 0.2, 0.9
STEPS, EVERY = 100, 2                               # of a training; steps from one look to the next
LARGEST, VALIDATION, WRONG = 300, 200, 5            # training digits; those looked at; one label of so many

Samples = dict[str, tuple[np.ndarray, np.ndarray]]


class Curves(NamedTuple):
    """A training, looked at every EVERY steps: `steps` (n,), and by the names train, validation, test the
    cost and the accuracy (n,) there, without dropout."""

    steps: np.ndarray
    cost: dict[str, np.ndarray]
    accuracy: dict[str, np.ndarray]

    def stop(self, steps: int = STEPS) -> int:
        """Early stopping after so many steps: the place of the lowest validation cost up to there."""
        return int(np.argmin(self.cost["validation"][self.steps <= steps]))


_digits = lru_cache(lambda: digits(np.random.default_rng(0)))


def samples(size: int, seed: int) -> Samples:
    """`size` training digits with a fifth of their labels drawn at random, validation digits, test digits."""
    X, X_test, y, y_test = _digits()
    rng = np.random.default_rng([seed, 0])
    order = rng.permutation(len(X))
    few, others = order[:size], order[LARGEST:LARGEST + VALIDATION]
    drawn = rng.integers(10, size=LARGEST)[:size]
    labels = np.where(np.arange(size) % WRONG == 0, drawn, y[few])
    return {"train": (X[few], labels), "validation": (X[others], y[others]), "test": (X_test, y_test)}


@lru_cache(maxsize=256)
def overfit(size: int, lam: float, p: float, seed: int) -> Curves:
    """Train on `size` digits with L2 of strength lam on the weights and dropout rate p, all as one batch.

    Raises ValueError for a size that is not 5 to 300, a p that is not 0 to 1 and a negative lam.
    """
    if check.integer("size", size, least=WRONG) > LARGEST:
        raise ValueError(f"size: got {size}, expected {WRONG} to {LARGEST} digits")
    data, net, optimizers = samples(size, seed), *_net(lam, p, seed)
    everything = np.concatenate([X for X, _ in data.values()])
    rng, looks = np.random.default_rng(seed), []
    for step in range(0, STEPS + 1, EVERY):
        if step:
            fit(net, optimizers, *data["train"], epochs=EVERY, rng=rng)
        looks.append(_look(net, everything, [y for _, y in data.values()]))
    cost, accuracy = np.array(looks).transpose(2, 1, 0)
    return Curves(np.arange(0, STEPS + 1, EVERY), dict(zip(data, cost, strict=True)),
                  dict(zip(data, accuracy, strict=True)))


def _net(lam, p, seed):
    """The net, and its two optimizers: biases are not decayed."""
    rng = np.random.default_rng([seed, 1])
    first, second = (Linear(*shape, rng=rng) for shape in ((64, HIDDEN), (HIDDEN, 10)))
    net = Sequential(first, ReLU(), Dropout(p, rng=rng), second)
    return net, [SGD([layer.weight for layer in (first, second)], ETA, momentum=GAMMA, weight_decay=lam),
                 SGD([layer.bias for layer in (first, second)], ETA, momentum=GAMMA)]


def _look(net: Layer, X: np.ndarray, targets: list[np.ndarray]) -> list[tuple[float, float]]:
    """Cost and accuracy of each set of samples, without dropout; X holds all of them, one after the other."""
    with no_grad():
        z = net.eval()(X)
    net.train()
    parts = np.split(z, np.cumsum([len(y) for y in targets])[:-1])
    return [(float(softmax_cross_entropy(part, y)), float(np.mean(part.argmax(axis=1) == y)))
            for part, y in zip(parts, targets, strict=True)]
