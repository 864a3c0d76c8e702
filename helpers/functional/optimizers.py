"""Update rules: from a parameter, its gradient and a memory to the next parameter, as torch.optim steps.

    state = None
    W, state = adam(W, dW, state, lr=1e-3)   # and again with the next gradient

W and dW are arrays of the same shape, float32 or float64; every entry is stepped by itself, and no argument
is written into. In all rules g is the gradient with the L2 term λ·W, v a velocity, m a mean of gradients,
s a sum or a mean of their squares, d the direction to go, t the steps taken before; all start at 0.
A bad argument is a ValueError. The classes of torch.optim that call these rules are in helpers/nn/optim.py.
Derived in notebooks/05_optimizers.ipynb.
"""
import functools
import inspect
from collections.abc import Callable, Mapping
from numbers import Real

import numpy as np
from numpy import sqrt

from helpers import arguments as check

__all__ = ["adagrad", "adam", "adamw", "averaged_momentum", "checked_options", "heavy_ball", "rmsprop", "sgd"]

State = tuple | None
Step = tuple[np.ndarray, tuple]


def _remembers(*names: str) -> Callable:
    """Make an update rule of a function: check what it is given, and start its memory, `names`, at 0."""
    def step_rule(function):
        signature = inspect.signature(function)
        known = set(list(signature.parameters)[3:])

        @functools.wraps(function)
        def rule(*values, **options):
            if len(values) != 3 or not options.keys() <= known:    # else as usual, and binding takes time
                options = signature.bind(*values, **options).arguments
                values = [options.pop(name) for name in ("W", "dW", "state")]
            return step(*values, **checked_options(options))

        def step(W, dW, state, **options):
            _check(W, dW, state, names)
            start = (0,) * len(names) if state is None else state
            W, state = function(W, dW, start, **options)
            return np.asarray(W), state   # an array even without axes, where NumPy makes a number

        rule.step = step   # for a caller that has checked the options, once for many W
        return rule
    return step_rule


@_remembers("t", "v")
def sgd(W: np.ndarray, dW: np.ndarray, state: State, lr: float = 1e-3, momentum: float = 0.0,
        dampening: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False) -> Step:
    """v ← γ·v + (1 − τ)·g, W ← W − η·v: the rate η counts when the step is taken; the first v is g.

    dampening is τ. Nesterov goes along g + γ·v. Sources: Robbins & Monro (1951); Sutskever et al.,
    "On the importance of initialization and momentum in deep learning" (2013).
    """
    t, v = state
    g = dW + weight_decay * W if weight_decay else +dW
    v = momentum * v + (1 - dampening) * g if t and momentum else g
    d = g + momentum * v if nesterov else v
    return W - lr * d, (t + 1, v)


@_remembers("v")
def heavy_ball(W: np.ndarray, dW: np.ndarray, state: State, lr: float = 1e-3, momentum: float = 0.9,
               weight_decay: float = 0.0) -> Step:
    """v ← γ·v + η·g, W ← W − v, the note's form: η counts when the gradient comes, and v keeps it.

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964).
    """
    v, = state
    g = dW + weight_decay * W
    v = momentum * v + lr * g
    return W - v, (v,)


@_remembers("v")
def averaged_momentum(W: np.ndarray, dW: np.ndarray, state: State, lr: float = 1e-3, momentum: float = 0.9,
                      weight_decay: float = 0.0) -> Step:
    """v ← γ·v + (1 − γ)·g, W ← W − η·v: v is a moving average, the steps are 1 − γ times those of sgd."""
    v, = state
    g = dW + weight_decay * W
    v = momentum * v + (1 - momentum) * g
    return W - lr * v, (v,)


@_remembers("t", "s")
def adagrad(W: np.ndarray, dW: np.ndarray, state: State, lr: float = 1e-2, lr_decay: float = 0.0,
            weight_decay: float = 0.0, initial_accumulator_value: float = 0.0, eps: float = 1e-10) -> Step:
    """s ← s + g², W ← W − η·g/(√s + ε). Source: Duchi et al., "Adaptive subgradient methods …" (2011)."""
    t, s = state
    g = dW + weight_decay * W
    s = (s if t else initial_accumulator_value) + g**2
    d = g / (sqrt(s) + eps)
    return W - lr / (1 + t * lr_decay) * d, (t + 1, s)


@_remembers("s", "m", "v")
def rmsprop(W: np.ndarray, dW: np.ndarray, state: State, lr: float = 1e-2, alpha: float = 0.99,
            eps: float = 1e-8, weight_decay: float = 0.0, momentum: float = 0.0,
            centered: bool = False) -> Step:
    """s ← α·s + (1 − α)·g², W ← W − η·g/(√s + ε); centered takes the variance s − m² for s.

    A gradient that never changes has no variance: centered, the steps end in NaN, as torch's do.
    Sources: Tieleman & Hinton, lecture 6.5 (2012); centered: Graves (2013), arXiv:1308.0850.
    """
    s, m, v = state
    g = dW + weight_decay * W
    s = alpha * s + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g if centered else 0
    v = momentum * v + g / (sqrt(s - m**2) + eps)
    return W - lr * v, (s, m, v)


@_remembers("t", "m", "s")
def adam(W: np.ndarray, dW: np.ndarray, state: State, lr: float = 1e-3,
         betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0) -> Step:
    """m ← β₁·m + (1 − β₁)·g, s ← β₂·s + (1 − β₂)·g², W ← W − η·m̂/(√ŝ + ε) with m̂ = m/(1 − β₁ᵗ), ŝ likewise.

    Source: Kingma & Ba, "Adam" (2015), arXiv:1412.6980.
    """
    t, m, s = state
    t, g = t + 1, dW + weight_decay * W
    m = betas[0] * m + (1 - betas[0]) * g
    s = betas[1] * s + (1 - betas[1]) * g**2
    m_hat, s_hat = m / (1 - betas[0]**t), s / (1 - betas[1]**t)
    return W - lr * m_hat / (sqrt(s_hat) + eps), (t, m, s)


@_remembers("t", "m", "s")
def adamw(W: np.ndarray, dW: np.ndarray, state: State, lr: float = 1e-3,
          betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2) -> Step:
    """Adam with decoupled decay: W ← (1 − η·λ)·W before the step, and g is the gradient alone.

    Source: Loshchilov & Hutter, "Decoupled weight decay regularization" (2019), arXiv:1711.05101.
    """
    return adam(W - lr * weight_decay * W, dW, state, lr, betas, eps)


_POSITIVE_OR_0 = {"least": 0}
RANGES = {   # torch's, only that torch takes an alpha above 1, which makes a mean of squares negative
    "lr": _POSITIVE_OR_0, "lr_decay": _POSITIVE_OR_0, "weight_decay": _POSITIVE_OR_0,
    "momentum": _POSITIVE_OR_0, "eps": _POSITIVE_OR_0, "initial_accumulator_value": _POSITIVE_OR_0,
    "alpha": {"least": 0, "most": 1}, "betas": {"least": 0, "below": 1}, "dampening": {},
}


def checked_options(options: Mapping[str, object]) -> dict[str, object]:
    """The options of a rule, such as lr, with plain numbers. Raises ValueError for one out of its range."""
    checked = {name: _value(name, value) for name, value in options.items()}
    if checked.get("nesterov") and not (checked.get("momentum") and not checked.get("dampening")):
        raise ValueError(f"nesterov: got True with momentum={checked.get('momentum', 0)} and dampening="
                         f"{checked.get('dampening', 0)}, expected a momentum above 0 and no dampening")
    return checked


def _value(name, value):
    """One option: a flag, a pair of numbers, a number, or one that only the learner's own rule knows."""
    if name in ("nesterov", "centered"):
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{name}: got {value!r}, expected True or False")
        return bool(value)
    if name == "betas":
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise ValueError(f"betas: got {value!r}, expected a pair of numbers, such as (0.9, 0.999)")
        return tuple(check.number(f"betas[{i}]", beta, **RANGES[name]) for i, beta in enumerate(value))
    return check.number(name, value, **RANGES[name]) if name in RANGES else value


def _check(W, dW, state, names):
    """Refuse arrays that are not of one shape and dtype, which NumPy would stretch to fit."""
    for name, array in (("W", W), ("dW", dW)):
        if not isinstance(array, (np.ndarray, np.floating)) or isinstance(array, np.ma.MaskedArray):
            raise ValueError(f"{name}: got a {type(array).__name__}, expected a NumPy array of any shape")
        if array.dtype not in check.FLOATS:
            raise ValueError(f"{name}: got {array.dtype}, expected float32 or float64")
    check.shape("dW", dW, W.shape, "the shape of W")
    check.same_dtype(W=W, dW=dW)
    if state is None or isinstance(state, tuple) and len(state) == len(names) and all(
            isinstance(part, Real) or _kind(part) == _kind(W) for part in state):
        return
    raise ValueError("state: got what no step of this rule returned for this W, expected None first, then "
                     f"({', '.join(names)}) as the last step returned it, {W.dtype} of shape {W.shape}")


def _kind(array):
    return getattr(array, "shape", None), getattr(array, "dtype", None)
