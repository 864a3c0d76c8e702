"""Training in a few lines: a network of helpers/nn/modules.py learns classes, by one or more optimizers."""
from collections.abc import Sequence

import numpy as np

from helpers import arguments as check
from helpers.functional.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from helpers.nn.layer import Layer
from helpers.nn.optim import Optimizer

__all__ = ["fit"]


def fit(net: Layer, optimizers: Sequence[Optimizer], X: np.ndarray, y: np.ndarray, *, epochs: int,
        rng: np.random.Generator, size: int | None = None) -> list[float]:
    """Train with softmax and cross-entropy, and return the mean cost of each epoch.

    X (m, …) samples, y (m,) classes. Each epoch goes through all of them in mini-batches of `size`, in a
    new random order; with size None all are one batch. A step of the net is one step of every
    optimizer: two of them may hold the weights and the biases. Raises ValueError for bad numbers.
    """
    m, costs = len(X), []
    size = m if size is None else check.integer("size", size, least=1)
    for _ in range(check.integer("epochs", epochs, least=0)):
        total = 0.0
        for rows in np.split(rng.permutation(m), range(size, m, size)):
            z = net(X[rows])
            total += float(softmax_cross_entropy(z, y[rows])) * len(rows)
            net.zero_grad()
            net.backward(softmax_cross_entropy_backward(z, y[rows]), needs_dx=False)
            for optimizer in optimizers:
                optimizer.step()
        costs.append(total / m)
    return costs
