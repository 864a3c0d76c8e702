"""Three suspects for the labs of notebook 07: each trains with decent accuracy, and each has one bug.

Find it with what the series has taught: three witnesses, a twin in torch step by step, hostile data,
invariants. None of them raises, warns or diverges. The right versions: helpers/exercises/labs_mended.py.
"""
from collections.abc import Callable, Iterator

import numpy as np

from helpers.functional.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from helpers.nn.layer import Layer, Parameter, Sequential
from helpers.nn.memory import no_grad
from helpers.nn.modules import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from helpers.nn.optim import SGD
from helpers.nn.training import batches, fit


class SuspectNorm(Layer):
    """Batch normalization with the statistics of each batch, y = weight · x̂ + bias: x, y (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        """Begin with weight 1 and bias 0."""
        self.weight, self.bias = Parameter(np.ones(channels)), Parameter(np.zeros(channels))

    def _forward(self, x):
        self.std = np.sqrt(x.var(axis=0) + 1e-5)
        self.x_hat = (x - x.mean(axis=0)) / self.std
        return self.weight.value[:, None, None] * self.x_hat + self.bias.value[:, None, None]

    def _backward(self, dy, x, needs_dx):
        self.weight.add_grad((dy * self.x_hat).sum(axis=(0, 2, 3)))
        self.bias.add_grad(dy.sum(axis=(0, 2, 3)))
        d = self.weight.value[:, None, None] * dy
        return (d - d.mean(axis=0) - self.x_hat * (d * self.x_hat).mean(axis=0)) / self.std


def suspect_one(rng: np.random.Generator) -> Sequential:
    """A CNN with batch normalization: x (N, 1, 8, 8) → logits (N, 10)."""
    return Sequential(Conv2d(1, 8, 3, padding=1, rng=rng), SuspectNorm(8), ReLU(), MaxPool2d(2),
                      Conv2d(8, 16, 3, padding=1, rng=rng), SuspectNorm(16), ReLU(), MaxPool2d(2),
                      Flatten(), Linear(64, 10, rng=rng))


class SuspectBlock(Layer):
    """A residual block, y = x + ReLU(conv(x)): x, y (N, C, H, W)."""

    def __init__(self, channels: int, *, rng: np.random.Generator) -> None:
        """A 3 × 3 convolution that keeps the size."""
        self.conv = Conv2d(channels, channels, 3, padding=1, rng=rng)

    def _forward(self, x):
        self.z = self.conv(x)
        return x + np.maximum(self.z, 0)

    def _backward(self, dy, x, needs_dx):
        dy *= self.z > 0
        return dy + self.conv.backward(dy)


def suspect_two(rng: np.random.Generator) -> Sequential:
    """A CNN with residual blocks: x (N, 1, 8, 8) → logits (N, 10)."""
    return Sequential(Conv2d(1, 8, 3, padding=1, rng=rng), SuspectBlock(8, rng=rng), SuspectBlock(8, rng=rng),
                      MaxPool2d(2), Flatten(), Linear(128, 10, rng=rng))


def with_momentum(net: Layer, X: np.ndarray, y: np.ndarray, *, rng: np.random.Generator, epochs: int = 4,
                  lr: float = 0.05) -> list[float]:
    """The training loop of the first two suspects, which is right: the cost of each step."""
    optimizer = SGD(net.parameters(), lr, momentum=0.9)
    return fit(net, [optimizer], X, y, epochs=epochs, size=64, rng=rng)


def suspect_three(net: Layer, X: np.ndarray, y: np.ndarray, *, rng: np.random.Generator, epochs: int = 4,
                  size: int = 64, lr: float = 0.05) -> Iterator[tuple[np.ndarray, float]]:
    """Train `net` by gradient descent, step by step: yields (batch, its cost before the step) after each.

    X (n, C, H, W) images, y (n,) classes; `batch` holds indices of samples.
    """
    for _ in range(epochs):
        net.zero_grad()
        for batch in batches(len(X), size, rng):
            z = net(X[batch])
            net.backward(softmax_cross_entropy_backward(z, y[batch]), needs_dx=False)
            for parameter in net.parameters():
                parameter.value = parameter.value - lr * parameter.grad
            yield batch, float(softmax_cross_entropy(z, y[batch]))


def backward_of(layer: Layer) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The backward pass of a layer as a function: backward(dy, x) → dx, which may be called many times."""
    def backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        layer.forget()      # an earlier input
        layer(x)
        return layer.backward(dy)
    return backward


def in_rows(layer: Layer, shape: tuple[int, int, int]) -> tuple[Callable, Callable]:
    """A layer of images of shape (C, H, W) as functions of rows (m, C·H·W): block(x) and backward(dy, x).

    The layer gets dy itself, not a copy: if it changes dy, the caller sees that.
    """
    images = backward_of(layer)

    def block(x: np.ndarray) -> np.ndarray:
        with no_grad():
            return layer(x.reshape(-1, *shape)).reshape(x.shape)

    def backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return images(dy.reshape(-1, *shape), x.reshape(-1, *shape)).reshape(x.shape)
    return block, backward
