"""The training loop: mini-batches, steps of the optimizers, and the accuracy."""
from collections.abc import Iterator, Sequence

import numpy as np

from helpers import arguments as check
from helpers.functional.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from helpers.nn.layer import Layer
from helpers.nn.memory import no_grad
from helpers.nn.optim import Optimizer

__all__ = ["accuracy", "batches", "fit"]


def batches(n: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The mini-batches of an epoch: 0 … n − 1, shuffled, in parts of `size`; the last may be smaller."""
    order = rng.permutation(check.integer("n", n, least=1))
    return (order[k:k + size] for k in range(0, n, check.integer("size", size, least=1)))


def fit(net: Layer, optimizers: Sequence[Optimizer], X: np.ndarray, y: np.ndarray, *, epochs: int,
        rng: np.random.Generator, size: int | None = None,
        rates: Sequence[float] | None = None) -> list[float]:
    """Train with softmax and cross-entropy, and return the cost of each step, before it was made.

    X (m, …) samples, y (m,) classes. Each epoch goes through all of them in mini-batches of `size`, in a
    new random order; with size None all are one batch. A step of the net is one step of every
    optimizer: two of them may hold the weights and the biases. `rates`, one for each step, are the learning
    rates of all optimizers, such as a schedule gives them. Raises ValueError for bad numbers.
    """
    size, costs = len(X) if size is None else check.integer("size", size, least=1), []
    _check_rates(rates, check.integer("epochs", epochs, least=0) * -(-len(X) // size))
    for _ in range(epochs):
        for rows in batches(len(X), size, rng):
            z = net(X[rows])
            costs.append(float(softmax_cross_entropy(z, y[rows])))
            net.zero_grad()
            net.backward(softmax_cross_entropy_backward(z, y[rows]), needs_dx=False)
            for optimizer in optimizers:
                optimizer.lr = optimizer.lr if rates is None else float(rates[len(costs) - 1])
                optimizer.step()
    return costs


def _check_rates(rates, steps):
    if rates is not None and len(rates) != steps:
        raise ValueError(f"rates: got {len(rates)} of them, expected one for each of the {steps} steps")


def accuracy(net: Layer, X: np.ndarray, y: np.ndarray) -> float:
    """The fraction of the samples X (m, …) whose largest logit is that of y (m,), in eval mode."""
    was = net.training
    with no_grad():
        predicted = net.eval()(X).argmax(axis=1)
    net.train(was)
    return float((predicted == y).mean())
