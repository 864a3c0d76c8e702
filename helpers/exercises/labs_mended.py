"""The three suspects of labs.py without their bugs; and the recording of a training, step by step."""
import copy
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from helpers.functional.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from helpers.nn.layer import Layer, Sequential
from helpers.nn.modules import BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Residual
from helpers.nn.training import batches


def mended_one(rng: np.random.Generator) -> Sequential:
    """The CNN of suspect_one, each channel normalized over the batch and all pixels: the layer of torch."""
    return Sequential(Conv2d(1, 8, 3, padding=1, rng=rng), BatchNorm2d(8), ReLU(), MaxPool2d(2),
                      Conv2d(8, 16, 3, padding=1, rng=rng), BatchNorm2d(16), ReLU(), MaxPool2d(2),
                      Flatten(), Linear(64, 10, rng=rng))


def mended_two(rng: np.random.Generator) -> Sequential:
    """The CNN of suspect_two, in which both paths of a block get the whole upstream gradient."""
    return Sequential(Conv2d(1, 8, 3, padding=1, rng=rng),
                      *(Residual(Conv2d(8, 8, 3, padding=1, rng=rng), ReLU()) for _ in range(2)),
                      MaxPool2d(2), Flatten(), Linear(128, 10, rng=rng))


def mended_three(net: Layer, X: np.ndarray, y: np.ndarray, *, rng: np.random.Generator, epochs: int = 4,
                 size: int = 64, lr: float = 0.05) -> Iterator[tuple[np.ndarray, float]]:
    """The loop of suspect_three, in which each step sets the gradients to zero first."""
    for _ in range(epochs):
        for batch in batches(len(X), size, rng):
            net.zero_grad()
            z = net(X[batch])
            net.backward(softmax_cross_entropy_backward(z, y[batch]), needs_dx=False)
            for parameter in net.parameters():
                parameter.value = parameter.value - lr * parameter.grad
            yield batch, float(softmax_cross_entropy(z, y[batch]))


def flat(net: Layer) -> np.ndarray:
    """All parameters of a net in one array (n,), in the order of net.parameters()."""
    return np.concatenate([parameter.value.ravel() for parameter in net.parameters()])


def recorded(steps: Iterable[tuple[np.ndarray, float]], net: Layer, X: np.ndarray,
             y: np.ndarray) -> tuple[np.ndarray, Callable[[int, np.ndarray], np.ndarray]]:
    """Run the `steps` of a loop that trains `net`, such as suspect_three(net, X, y, …), and record W.

    Returns W (T + 1, n), W[k] all parameters before step k, and gradient(k, w) → (n,), the gradient of the
    cost of batch k at the parameters w, computed by a copy of the net.
    """
    W, seen = [flat(net)], []
    for batch, _ in steps:
        W.append(flat(net))
        seen.append(batch)
    twin = copy.deepcopy(net)
    twin.forget()

    def gradient(k: int, w: np.ndarray) -> np.ndarray:
        parameters, used = list(twin.parameters()), 0
        for parameter in parameters:
            size = parameter.value.size
            parameter.value, used = w[used:used + size].reshape(parameter.value.shape).copy(), used + size
        twin.zero_grad()
        z = twin(X[seen[k]])
        twin.backward(softmax_cross_entropy_backward(z, y[seen[k]]), needs_dx=False)
        return np.concatenate([parameter.grad.ravel() for parameter in parameters])
    return np.array(W), gradient
