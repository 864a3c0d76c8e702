"""Weight initialization: normal, Xavier, He, LeCun, orthogonal, and torch's default.

Each rule draws an array of a given shape, such as (out, in) or (out, in, kh, kw), from the generator rng.
A rule for wide layers fixes the variance of one weight: with fan_in inputs meeting in one output,
Var z = fan_in · Var W · E[a²], and going back it is fan_out that counts.

    rule              Var W                        holds steady
    xavier_…          gain² · 2/(fan_in + fan_out) forward and backward, halfway; for tanh near 0
    kaiming_…         gain² / fan_in               forward, for ReLU with gain √2
    lecun_normal      1 / fan_in                   forward, where φ(z) ≈ z, such as tanh near 0
    torch_default     1 / (3·fan_in)               nothing: a third of what a linear layer needs

Names and arguments are those of torch.nn.init, without the underscore. Sources: Glorot & Bengio,
"Understanding the difficulty of training deep feedforward neural networks" (2010); He et al., "Delving deep
into rectifiers" (2015), arXiv:1502.01852; Saxe et al., "Exact solutions to the nonlinear dynamics of
learning in deep linear neural networks" (2014), arXiv:1312.6120. Derived in
notebooks/06_gradient_pathologies.ipynb.
"""
import math
from collections.abc import Callable
from functools import partial

import numpy as np

from helpers import arguments as check

Shape = tuple[int, ...]

GAINS = {"linear": 1.0, "identity": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}


def fans(shape: Shape) -> tuple[int, int]:
    """Count (fan_in, fan_out): the inputs of one output, and the outputs that depend on one input.

    (out, in) → (in, out); (out, in, kh, kw) → (in·kh·kw, out·kh·kw), as torch counts, groups or not.
    Raises ValueError for less than two axes.
    """
    outputs, inputs, *kernel = _sizes(shape, least=2)
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights make up for what the activation takes from the root mean square.

    ReLU halves the square: √2. LeakyReLU with slope s = param, 0.01 when not given: √(2/(1 + s²)). tanh: 5/3,
    a number of torch's that nobody derives. Raises ValueError for what torch.nn.init has no gain for; only
    "identity", here another name of "linear", is added.
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + check.number("param", 0.01 if param is None else param)**2))
    if not isinstance(nonlinearity, str) or nonlinearity not in GAINS:
        raise ValueError(f"nonlinearity: got {nonlinearity!r}, expected one of leaky_relu, "
                         f"{', '.join(GAINS)}")
    return GAINS[nonlinearity]


def normal(rng: np.random.Generator, shape: Shape, std: float = 1.0, *,
           dtype: type = np.float64) -> np.ndarray:
    """Draw from the normal distribution with mean 0 and standard deviation std."""
    sizes = _checked(rng, shape, dtype, least=1)
    return (check.number("std", std, least=0) * rng.normal(size=sizes)).astype(dtype)


def uniform(rng: np.random.Generator, shape: Shape, bound: float = 1.0, *,
            dtype: type = np.float64) -> np.ndarray:
    """Draw evenly from −bound … bound: the variance is bound²/3."""
    sizes = _checked(rng, shape, dtype, least=1)
    return (check.number("bound", bound, least=0) * rng.uniform(-1, 1, sizes)).astype(dtype)


def xavier_uniform(rng: np.random.Generator, shape: Shape, gain: float = 1.0, *,
                   dtype: type = np.float64) -> np.ndarray:
    """Draw evenly from ±gain·√(6/(fan_in + fan_out)). Source: Glorot & Bengio (2010), equation 16."""
    return uniform(rng, shape, math.sqrt(3) * _xavier(shape, gain), dtype=dtype)


def xavier_normal(rng: np.random.Generator, shape: Shape, gain: float = 1.0, *,
                  dtype: type = np.float64) -> np.ndarray:
    """Draw with variance gain²·2/(fan_in + fan_out). Source: Glorot & Bengio (2010), equation 12."""
    return normal(rng, shape, _xavier(shape, gain), dtype=dtype)


def kaiming_uniform(rng: np.random.Generator, shape: Shape, *, a: float = 0.0, mode: str = "fan_in",
                    nonlinearity: str = "leaky_relu", dtype: type = np.float64) -> np.ndarray:
    """Draw evenly with the variance of kaiming_normal: from ±gain·√(3/fan)."""
    return uniform(rng, shape, math.sqrt(3) * _kaiming(shape, a, mode, nonlinearity), dtype=dtype)


def kaiming_normal(rng: np.random.Generator, shape: Shape, *, a: float = 0.0, mode: str = "fan_in",
                   nonlinearity: str = "leaky_relu", dtype: type = np.float64) -> np.ndarray:
    """Draw with variance gain²/fan: 2/fan_in for ReLU, which is LeakyReLU with slope a = 0.

    mode "fan_in" keeps the size of what goes forward, "fan_out" that of the gradient in the backward pass.
    Source: He et al. (2015), equations 10 and 14. Raises ValueError for another mode or nonlinearity.
    """
    return normal(rng, shape, _kaiming(shape, a, mode, nonlinearity), dtype=dtype)


def lecun_normal(rng: np.random.Generator, shape: Shape, *, dtype: type = np.float64) -> np.ndarray:
    """Draw with variance 1/fan_in; torch has no name for it. Source: LeCun et al. (1998)."""
    return kaiming_normal(rng, shape, nonlinearity="linear", dtype=dtype)


def orthogonal(rng: np.random.Generator, shape: Shape, gain: float = 1.0, *,
               dtype: type = np.float64) -> np.ndarray:
    """Draw W with W·Wᵀ = gain²·I, or Wᵀ·W = gain²·I when it is tall; all axes but the first count as one.

    Q of a normal matrix A = Q·R; each column of Q takes the sign of its entry on R's diagonal. Without that
    the QR routine's choice of signs would show: not all directions were equally likely. Source: Saxe et al.
    (2014).
    """
    rows, *rest = _checked(rng, shape, dtype, least=2)
    columns = math.prod(rest)
    Q, R = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    Q = check.number("gain", gain) * Q * np.sign(np.diag(R))
    return (Q if rows >= columns else Q.T).reshape(shape).astype(dtype)


def torch_default(rng: np.random.Generator, shape: Shape, *, dtype: type = np.float64) -> np.ndarray:
    """Draw evenly from ±1/√fan_in, as nn.Linear and nn.Conv2d begin: variance 1/(3·fan_in), a sixth of He's.

    torch writes it as kaiming_uniform with a = √5, whose gain is √(1/3).
    """
    return kaiming_uniform(rng, shape, a=math.sqrt(5), dtype=dtype)


INITIALIZATIONS: dict[str, Callable[..., np.ndarray]] = {   # name: rule(rng, shape, dtype=…)
    "normal 0.01":     partial(normal, std=0.01),
    "xavier_uniform":  xavier_uniform,
    "xavier_normal":   xavier_normal,
    "kaiming_uniform": kaiming_uniform,
    "kaiming_normal":  kaiming_normal,
    "lecun_normal":    lecun_normal,
    "orthogonal":      orthogonal,
    "torch_default":   torch_default,
}


def _xavier(shape, gain):
    return check.number("gain", gain, least=0) * math.sqrt(2 / sum(fans(shape)))


def _kaiming(shape, a, mode, nonlinearity):
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode: got {mode!r}, expected 'fan_in' or 'fan_out'")
    fan = fans(shape)[mode == "fan_out"]
    return gain(nonlinearity, check.number("a", a)) / math.sqrt(fan)


def _checked(rng, shape, dtype, *, least):
    check.generator(rng)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype: got {dtype!r}, expected np.float32 or np.float64")
    return _sizes(shape, least=least)


def _sizes(shape, *, least):
    """The sizes as ints, each at least 1, of at least so many axes."""
    try:
        sizes = tuple(check.integer("shape", n, least=1) for n in shape)
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) < least:
        raise ValueError(f"shape: got {shape!r}, expected a tuple of at least {least} integers from 1 on, "
                         "such as (out, in)")
    return sizes
