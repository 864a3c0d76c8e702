"""Trainings of a deep net on the digits, with and without remedies for its gradients.

All nets have the same depth and width. Each of three seeds has its own batches and, as far as nets draw from
the same distribution, its own random numbers. A training records what notebook 06 asks about: the cost, the
norm of δ in each layer, and the update-to-weight ratio of each weight matrix. A net whose gradients explode
is chaotic: within a few steps rounding errors grow so large that its later costs differ from machine to
machine.

    three = Trainings(Recipe("sigmoid"))
    three.advance(100)                             # and again, to go on: advance(1000)
    three.ratios[100][0]                           # seed 0: ‖ΔW‖/‖W‖ of layers 1, 2, …, the output, step 100
"""
import math
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from helpers import arguments as check
from helpers.data import digits
from helpers.functional.activations import ACTIVATIONS
from helpers.functional.clipping import clip_grad_norm
from helpers.functional.initialization import INITIALIZATIONS
from helpers.functional.losses import log_softmax, softmax
from helpers.functional.optimizers import adam, sgd
from helpers.theory.deep_network import Arrays, Net, backward, forward, gradients, norms
from helpers.theory.random_networks import WEIGHT_RULES

DEPTH, WIDTH, BATCH, PIXELS, CLASSES = 20, 32, 64, 64, 10
SEEDS = 0, 1, 2
DTYPE = np.float32      # as nets are trained; float64 takes twice the time
DIVERGED = 1e12         # a cost; a gradient that is no finite number counts, too
PLAIN = "σ_w/√n normal"
OPTIMIZERS = {"SGD": (sgd, {}), "momentum": (sgd, {"momentum": 0.9}), "Adam": (adam, {}),
              "Adam, ε = 10⁻³⁰": (adam, {"eps": 1e-30})}
STATIONS = (*range(7), 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600,
            800, 1000)  # the steps at which a training is looked at, evenly on a logarithmic axis


class Recipe(NamedTuple):
    """What makes a training: an activation, an initialization and `scale` times its weights, and the rest.

    `clip` is the largest norm of all gradients together, None for no clipping; weight_decay is the λ of the
    L2 term ½λ‖W‖² of every matrix, which is added after clipping, as torch.optim does. `optimizer` is one
    of OPTIMIZERS, eta its learning rate.
    """

    activation: str
    initialization: str = PLAIN
    scale: float = 1.0
    batch_norm: bool = False
    residual: bool = False
    clip: float | None = None
    weight_decay: float = 0.0
    optimizer: str = "SGD"
    eta: float = 0.1


@lru_cache(maxsize=1)
def images() -> tuple[np.ndarray, np.ndarray]:
    """X (1437, 64), all pixels together of mean 0 and mean square 1; their classes (1437, 10), one-hot."""
    X, _, y, _ = digits(np.random.default_rng(0))
    return ((X - X.mean()) / X.std()).astype(DTYPE), np.eye(CLASSES, dtype=DTYPE)[y]


@lru_cache(maxsize=4096)
def digit_batch(step: int, seeds: tuple[int, ...]) -> np.ndarray:
    """The rows of the images (seeds, 64) that a step takes, the same for every net."""
    return np.array([np.random.default_rng([seed, step, 1]).choice(len(images()[1]), BATCH, replace=False)
                     for seed in seeds])


def build(recipe: Recipe, *, depth: int = DEPTH, width: int = WIDTH, seed: int = 0) -> Net:
    """The net of a recipe before training: 64 pixels, `depth` hidden layers, 10 outputs; biases 0, γ 1, β 0.

    Raises ValueError for an unknown activation, initialization or optimizer and for sizes below 1.
    """
    check.integer("depth", depth, least=1)
    check.integer("width", width, least=1)
    for name, table in (("activation", ACTIVATIONS), ("initialization", WEIGHT_RULES),
                        ("optimizer", OPTIMIZERS)):
        if (given := getattr(recipe, name)) not in table:
            raise ValueError(f"{name}: got {given!r}, expected one of {', '.join(table)}")
    draw = INITIALIZATIONS[WEIGHT_RULES[recipe.initialization][0]]
    shapes = [(width, PIXELS), *[(width, width)] * (depth - 1), (CLASSES, width)]
    weights = [recipe.scale * draw(np.random.default_rng([seed, l]), shape) for l, shape in enumerate(shapes)]
    gamma, beta = ([np.full(width, value) for _ in range(depth * recipe.batch_norm)] for value in (1.0, 0.0))
    return Net(weights, [np.zeros(shape[0]) for shape in shapes], gamma, beta, recipe.activation,
               recipe.residual)


class Trainings:
    """The nets of a recipe, one for each seed, trained side by side; it goes on from where it was.

    losses: by step, the cost (seeds,) on its batch before the step is taken; NaN once a net has diverged.
    delta: ‖δ‖ (seeds, layers) before the steps in STATIONS; the layers are those with a matrix: the hidden
    ones and the output. ratios: ‖ΔW‖/‖W‖ (seeds, layers) of the step that led there. clipped: by step,
    whether the gradients (seeds,) were. diverged (seeds,): the step at which the cost or a gradient was
    beyond all bounds, or ∞.
    """

    def __init__(self, recipe: Recipe, *, seeds: Sequence[int] = SEEDS, depth: int = DEPTH,
                 width: int = WIDTH):
        """Begin before step 0. Raises ValueError for what `build` refuses."""
        self.recipe, self.seeds = recipe, tuple(seeds)
        nets = [build(recipe, depth=depth, width=width, seed=seed) for seed in seeds]
        self.net, self._values = stacked(nets)
        self.losses, self.clipped, self.delta, self.ratios = [], [], {}, {}
        self.diverged = np.full(len(seeds), math.inf)
        self._ends = np.cumsum([W[0].size for W in self.net.weights])     # in a row of values
        self._zero, self._grads, self._state = np.zeros_like(self._values), None, None

    def advance(self, steps: int, seconds: float = math.inf) -> bool:
        """Go on to so many steps, but not for much longer than `seconds`; whether it is there.

        Raises ValueError for steps below 0, and for a learning rate below 0.
        """
        until = time.perf_counter() + seconds
        check.integer("steps", steps, least=0)
        while not (there := self.reached(steps)) and time.perf_counter() < until:
            with np.errstate(all="ignore"):              # a net may explode: it is seen to below
                self._go_on()
        return there

    def reached(self, steps: int) -> bool:
        """Whether so many steps are done, or all nets have diverged."""
        return len(self.losses) > steps or bool(self.diverged.max() < math.inf)

    def _go_on(self) -> None:
        """Take the step that is due, and find the cost and the gradients of the next."""
        if self._grads is not None:
            self._step()
        step = len(self.losses)
        rows = digit_batch(step, self.seeds)
        loss, delta, self._grads = cost_and_gradients(self.net, *(part[rows] for part in images()))
        wrong = ~(loss <= DIVERGED) | ~np.isfinite(self._grads).all(axis=1)
        self.diverged[wrong] = np.minimum(self.diverged[wrong], step)
        self.losses.append(np.where(self.diverged <= step, math.nan, loss.astype(float)))
        if step in STATIONS:
            self.delta[step] = np.where(self.diverged[:, None] <= step, math.nan, by_seed(delta))

    def _step(self) -> None:
        """One step of the optimizer for all parameters: clip, then L2, then the rule."""
        grads, step, recipe = self._grads, len(self.losses), self.recipe
        if recipe.clip is not None:
            pairs = [clip_grad_norm([row], recipe.clip) for row in grads]
            grads = np.array([row for (row,), _ in pairs])
            self.clipped.append([norm > recipe.clip for _, norm in pairs])
        if recipe.weight_decay:
            grads[:, :self._ends[-1]] += recipe.weight_decay * self._values[:, :self._ends[-1]]
        rule, options = OPTIMIZERS[recipe.optimizer]
        # These rules do not look at W: from 0 they give ΔW itself, not rounded to the size of W.
        change, self._state = rule(self._zero, grads, self._state, lr=recipe.eta, **options)
        if step in STATIONS:
            each = np.split(change, self._ends, axis=1)[:-1]
            self.ratios[step] = by_seed(each) / by_seed(self.net.weights)
        self._values += change


def stacked(nets: Sequence[Net]) -> tuple[Net, np.ndarray]:
    """Nets of one shape as one, its arrays with a leading axis, all of them views of one array (nets, …)."""
    rows = [np.concatenate([array.ravel() for part in net[:4] for array in part]) for net in nets]
    values, parts, at = np.array(rows, DTYPE), ([], [], [], []), 0
    for arrays, found in zip(nets[0][:4], parts, strict=True):
        for array in arrays:
            found.append(values[:, at:at + array.size].reshape(len(nets), *array.shape))
            at += array.size
    return Net(*parts, nets[0].activation, nets[0].residual), values


def cost_and_gradients(net: Net, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Arrays, np.ndarray]:
    """The cost of the batch of each net, δ of each layer, and all gradients, a row for each net."""
    passed = forward(net, x)
    z, m = passed.z[-1], y.shape[-2]
    loss = -(y * log_softmax(z)).sum(axis=(-2, -1)) / m
    found = backward(net, passed, (softmax(z) - y) / m)
    grads = [g.reshape(len(x), -1) for part in gradients(net, passed, found) for g in part]
    return loss, found.delta, np.concatenate(grads, axis=1)


def by_seed(arrays: Arrays) -> np.ndarray:
    """The norm of each array for each net: (seeds, arrays)."""
    return np.array([norms(list(array.astype(float))) for array in arrays]).T
