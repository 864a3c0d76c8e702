"""Train a network 2–h–1 to separate two classes of points: what helpers.widgets.decision_boundary.explorer
shows.

Full-batch gradient descent on the cross-entropy, the same numbers in every run. The slider waits for up to
1000 steps: the network is that of helpers.theory.deep_network, with which a step takes about 0.07 ms, half of
what it takes in layers of helpers.nn. `solved` trains many such networks at once, on the table of XOR, with
the same steps as `learn`.
"""
import math
import time
from functools import lru_cache

import numpy as np

from helpers import arguments as check
from helpers.data import moons, xor
from helpers.functional.activations import ACTIVATIONS
from helpers.functional.losses import (
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_backward,
)
from helpers.theory.deep_network import Net, backward, forward, gradients

DATA = {"moons": (moons, 0.15), "XOR": (xor, 0.3)}      # and the noise
POINTS, MOST_UNITS, SEED = 100, 16, 1
STRIDE = 10                                             # steps from one set of parameters kept to the next
DIVERGED = 1e6                                          # a cost that no training here has come back from

Params = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]      # W1 (h, 2), b1 (h,), W2 (1, h), b2 (1,)


@lru_cache
def points(data: str) -> tuple[np.ndarray, np.ndarray]:
    """X (100, 2) with mean 0 and deviation 1 in each column, y (100, 1) of 0 and 1."""
    make, noise = DATA[data]
    X, y = make(np.random.default_rng(SEED), POINTS, noise)
    return (X - X.mean(axis=0)) / X.std(axis=0), y[:, None].astype(float)


def start(hidden: int) -> Params:
    """Initialize W1 (h, 2), b1 (h,), W2 (1, h), b2 (1,) as torch does; unit k is the same for every h."""
    rng = np.random.default_rng(SEED)
    most, (first, second) = MOST_UNITS, (2**-0.5, hidden**-0.5)      # 1/√fan_in of the two layers
    W1, b1, W2, b2 = (rng.uniform(-1, 1, shape) for shape in ((most, 2), most, (1, most), 1))
    return first * W1[:hidden], first * b1[:hidden], second * W2[:, :hidden], second * b2


def output(params: Params, X: np.ndarray, activation: str) -> np.ndarray:
    """The output (m, 1) before the sigmoid: the boundary is where it is 0."""
    return forward(_net(params, activation), X).z[-1]


def learn(params: Params, X: np.ndarray, y: np.ndarray, activation: str,
          eta: float) -> tuple[Params, float]:
    """One step of gradient descent on all points: the new parameters, and the cost of the old ones."""
    net = _net(params, activation)
    passed = forward(net, X)
    z = passed.z[-1]
    errors = backward(net, passed, binary_cross_entropy_with_logits_backward(z, y))
    dW, db, *_ = gradients(net, passed, errors)
    steps = dW[0], db[0], dW[1], db[1]
    new = tuple(value - eta * step for value, step in zip(params, steps, strict=True))
    return new, float(binary_cross_entropy_with_logits(z, y))


def _net(params, activation):
    W1, b1, W2, b2 = params
    return Net([W1, W2], [b1, b2], [], [], activation, False)


class Training:
    """Training at one setting; it continues from where it was, as far as it is asked to.

    `losses` has the cost at each step so far; `diverged` is the step at which it passed DIVERGED, or None.
    """

    def __init__(self, data: str, activation: str, hidden: int, eta: float):
        """Begin at step 0; the arguments are those of the controls."""
        self.X, self.y = points(data)
        self.activation, self.eta = activation, eta
        self.kept, self.losses, self.diverged = {}, [], None
        self._params = start(hidden)

    def advance(self, step: int, seconds: float = math.inf) -> bool:
        """Train to this step, but not for much longer than `seconds`; whether it is there."""
        until = time.perf_counter() + seconds
        with np.errstate(over="ignore", invalid="ignore"):
            while (there := self.reached(step)) < step and time.perf_counter() < until:
                self._go_on()
        return there == step

    def reached(self, step: int) -> int:
        """This step, or the last one before it whose parameters are there; below 0 where none is."""
        if self.diverged is not None or len(self.losses) > step:
            return step
        return (len(self.losses) - 1) // STRIDE * STRIDE

    def params(self, step: int) -> Params:
        """The parameters at this step, a multiple of STRIDE, or before the step at which it diverged."""
        self.advance(step)
        return self.kept[step if self.diverged is None or step < self.diverged else "last"]

    def _go_on(self):
        params, cost = learn(self._params, self.X, self.y, self.activation, self.eta)
        if not cost <= DIVERGED:                          # nor for a NaN
            self.diverged = len(self.losses)
            return
        if len(self.losses) % STRIDE == 0:
            self.kept[len(self.losses)] = self._params
        self.kept["last"] = self._params
        self.losses.append(cost)
        self._params = params


def solved(hidden: int, *, starts: int = 400, eta: float = 0.3, steps: int = 1000) -> np.ndarray:
    """From which random starts gradient descent learns XOR with ReLUs: (starts,) of True and False.

    Networks 2–h–1 with `hidden` ReLUs, initialized as in `start`, take `steps` steps of gradient descent on
    the cross-entropy of all four corners, (0, 0) to (1, 1); True where all four are classified rightly then.
    Raises ValueError for counts below 1 and a rate that is not positive.
    """
    for name, count in (("hidden", hidden), ("starts", starts), ("steps", steps)):
        check.integer(name, count, least=1)
    check.number("eta", eta, above=0)
    X, y = np.array([[0.0, 0, 1, 1], [0, 1, 0, 1]]), np.array([0.0, 1, 1, 0])       # a corner a column
    W1, b1, W2, b2 = _starts(hidden, starts)
    for _ in range(steps):
        z1 = W1 @ X + b1                                                            # (starts, h, 4)
        a1 = np.maximum(z1, 0)
        dz2 = (ACTIVATIONS["sigmoid"][0](W2 @ a1 + b2) - y) / 4
        dz1 = W2.swapaxes(1, 2) @ dz2 * (z1 > 0)
        W2, b2 = W2 - eta * dz2 @ a1.swapaxes(1, 2), b2 - eta * dz2.sum(axis=2, keepdims=True)
        W1, b1 = W1 - eta * dz1 @ X.T, b1 - eta * dz1.sum(axis=2, keepdims=True)
    return ((W2 @ np.maximum(W1 @ X + b1, 0) + b2 > 0) == (y > 0)).all(axis=(1, 2))


def _starts(hidden, count):
    """Many starts at once: W1 (count, h, 2), b1 (count, h, 1), W2 (count, 1, h), b2 (count, 1, 1)."""
    rng = np.random.default_rng(SEED)
    first, second = 2**-0.5, hidden**-0.5
    return (rng.uniform(-first, first, (count, hidden, 2)), rng.uniform(-first, first, (count, hidden, 1)),
            rng.uniform(-second, second, (count, 1, hidden)), rng.uniform(-second, second, (count, 1, 1)))
