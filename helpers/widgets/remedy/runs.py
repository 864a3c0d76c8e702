"""Short trainings of a deep net on the digits, with and without remedies for its gradients.

All nets have the same depth and width, the same batches, the same learning rate and, as far as they draw from
the same distribution, the same random numbers. A training records what notebook 06 asks about: the cost, the
norm of δ in each layer, and the update-to-weight ratio of each weight matrix. A net whose gradients
explode is chaotic: within a few steps rounding errors grow so large that its later costs differ from machine
to machine. Whether it learns does not, unless the cost is near the limit.

    record = train(Recipe("sigmoid"), 100)
    record.ratios[0]                               # ‖ΔW‖/‖W‖ of layers 1, 2, …, the output, at first
"""
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from helpers import arguments as check
from helpers.data import digits
from helpers.functional.activations import ACTIVATIONS
from helpers.functional.clipping import clip_grad_norm
from helpers.functional.initialization import INITIALIZATIONS
from helpers.functional.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from helpers.theory.deep_network import Arrays, Net, backward, forward, gradients, norms
from helpers.theory.random_networks import WEIGHT_RULES

DEPTH, WIDTH, BATCH, PIXELS, CLASSES = 20, 32, 64, 64, 10
ETA, SEED = 0.1, 0
DIVERGED = 1e12         # a cost; a norm that is no finite number counts, too
PLAIN = "σ_w/√n normal"


class Recipe(NamedTuple):
    """What makes a net: an activation, an initialization and `scale` times its weights, and the remedies.

    `clip` is the largest norm of all gradients together, None for no clipping; weight_decay is the λ of the
    L2 term ½λ‖W‖² of every matrix, which is added after clipping, as torch.optim.SGD does.
    """

    activation: str
    initialization: str = PLAIN
    scale: float = 1.0
    batch_norm: bool = False
    residual: bool = False
    clip: float | None = None
    weight_decay: float = 0.0


class Record(NamedTuple):
    """The record of a training; the layers are those with a matrix: depth hidden ones and the output.

    losses (steps + 1,): the cost on the batch of each step, before it is taken. delta (steps + 1, layers):
    ‖δ‖. ratios (steps, layers): ‖ΔW‖/‖W‖. clipped: how many of the steps were. diverged: None, or the step
    at which the cost or a gradient was beyond all bounds; what is recorded ends before it.
    """

    losses: np.ndarray
    delta: np.ndarray
    ratios: np.ndarray
    clipped: int
    diverged: int | None


@lru_cache(maxsize=1)
def images() -> tuple[np.ndarray, np.ndarray]:
    """X (1437, 64), all pixels together of mean 0 and mean square 1, and their classes y (1437,)."""
    X, _, y, _ = digits(np.random.default_rng(SEED))
    return (X - X.mean()) / X.std(), y


@lru_cache(maxsize=512)
def digit_batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """The images (64, 64) and classes (64,) of a step, the same for every net."""
    X, y = images()
    chosen = np.random.default_rng([SEED, step]).choice(len(X), BATCH, replace=False)
    return X[chosen], y[chosen]


def build(recipe: Recipe, *, depth: int = DEPTH, width: int = WIDTH, seed: int = SEED) -> Net:
    """The net of a recipe before training: 64 pixels, `depth` hidden layers, 10 outputs; biases 0, γ 1, β 0.

    Raises ValueError for an unknown activation or initialization and for sizes below 1.
    """
    check.integer("depth", depth, least=1)
    check.integer("width", width, least=1)
    for name, table in (("activation", ACTIVATIONS), ("initialization", WEIGHT_RULES)):
        if (given := getattr(recipe, name)) not in table:
            raise ValueError(f"{name}: got {given!r}, expected one of {', '.join(table)}")
    draw = INITIALIZATIONS[WEIGHT_RULES[recipe.initialization][0]]
    shapes = [(width, PIXELS), *[(width, width)] * (depth - 1), (CLASSES, width)]
    weights = [recipe.scale * draw(np.random.default_rng([seed, l]), shape) for l, shape in enumerate(shapes)]
    gamma, beta = ([np.full(width, value) for _ in range(depth * recipe.batch_norm)] for value in (1.0, 0.0))
    return Net(weights, [np.zeros(shape[0]) for shape in shapes], gamma, beta, recipe.activation,
               recipe.residual)


def train(recipe: Recipe, steps: int, *, eta: float = ETA, depth: int = DEPTH, width: int = WIDTH,
          seed: int = SEED) -> Record:
    """Train the net of a recipe on the digits: so many steps of gradient descent, each on a batch of 64.

    Raises ValueError for steps below 0 and for what `build` refuses.
    """
    net, found, clipped = build(recipe, depth=depth, width=width, seed=seed), ([], [], []), 0
    for step in range(check.integer("steps", steps, least=0) + 1):
        with np.errstate(all="ignore"):              # a net may explode: the next lines see to that
            loss, delta, grads = cost_and_gradients(net, *digit_batch(step))
            total = norms(grads).sum()
        if not (loss <= DIVERGED and total < np.inf):
            return Record(*_arrays(net, *found), clipped, step)
        found[0].append(loss)
        found[1].append(norms(delta))
        if step < steps:
            ratios, cut = gradient_step(net, grads, recipe, eta)
            found[2].append(ratios)
            clipped += cut
    return Record(*_arrays(net, *found), clipped, None)


def cost_and_gradients(net: Net, x: np.ndarray, y: np.ndarray) -> tuple[float, Arrays, Arrays]:
    """The cost of a batch, δ of each layer, and the gradients: of weights, biases, γ and β, in a row."""
    passed = forward(net, x)
    found = backward(net, passed, softmax_cross_entropy_backward(passed.z[-1], y))
    grads = [g for part in gradients(net, passed, found) for g in part]
    return float(softmax_cross_entropy(passed.z[-1], y)), found.delta, grads


def gradient_step(net: Net, grads: Arrays, recipe: Recipe, eta: float) -> tuple[np.ndarray, bool]:
    """Step all parameters of the net, in place; ‖ΔW‖/‖W‖ of each matrix, and whether grads were clipped."""
    layers, cut = len(net.weights), False
    if recipe.clip is not None:
        grads, norm = clip_grad_norm(grads, recipe.clip)
        cut = bool(norm > recipe.clip)
    if recipe.weight_decay:
        decay = [g + recipe.weight_decay * W for g, W in zip(grads[:layers], net.weights, strict=True)]
        grads = decay + grads[layers:]
    ratios = eta * norms(grads[:layers]) / norms(net.weights)
    for value, grad in zip([*net.weights, *net.biases, *net.gamma, *net.beta], grads, strict=True):
        value -= eta * grad
    return ratios, cut


def _arrays(net, losses, delta, ratios):
    """As arrays, with a column for each layer even where there are no rows."""
    layers = len(net.weights)
    return np.array(losses), np.array(delta).reshape(-1, layers), np.array(ratios).reshape(-1, layers)
