"""Activations σ and their derivatives σ′, entry by entry, with torch's values where there is a kink.

A row of RULES is one activation: σ on the left, σ′ on the right. The functions below it are the same rules
by name; they take arrays of any shape, float32 or float64, or a number, and refuse all else with a
ValueError. The answer has the shape, the dtype and the order in memory of z, and a memory of its own.
Derived in notebooks/04_fully_connected_backprop.ipynb.
"""
from collections.abc import Callable

import numpy as np
from numpy import exp, expm1, maximum, ones_like, where

from helpers import arguments as check

RULES = {   # s is the slope left of zero, α how deep the ELU goes
    #              σ(z)                                        σ′(z)
    "identity":   (lambda z:    +z,                            lambda z:    ones_like(z)),
    "sigmoid":    (lambda z:    1 / (1 + exp(-z)),             lambda z:    (e := exp(-abs(z))) / (1 + e)**2),
    "tanh":       (lambda z:    np.tanh(z),                    lambda z:    1 - np.tanh(z)**2),
    "relu":       (lambda z:    maximum(z, 0),                 lambda z:    ~(z <= 0)),   # NaN: 1, as torch
    "leaky_relu": (lambda z, s: where(z > 0, z, s * z),        lambda z, s: where(z > 0, 1, s)),
    "elu":        (lambda z, α: where(z > 0, z, α * expm1(z)), lambda z, α: where(z > 0, 1, α * exp(z))),
}


def identity(z: np.ndarray) -> np.ndarray:
    """z itself: layers with this activation, however many, are together one matrix."""
    return _by_rule("identity", 0, z)


def identity_prime(z: np.ndarray) -> np.ndarray:
    """1 everywhere."""
    return _by_rule("identity", 1, z)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1/(1 + e⁻ᶻ), between 0 and 1. At z = −1000, e⁻ᶻ overflows to ∞, and 1/(1 + ∞) = 0 is right."""
    return _by_rule("sigmoid", 0, z)


def sigmoid_prime(z: np.ndarray) -> np.ndarray:
    """e⁻ᶻ/(1 + e⁻ᶻ)², which is σ·(1 − σ) without its rounding, of |z|: σ′ is even; at most ¼, at z = 0."""
    return _by_rule("sigmoid", 1, z)


def tanh(z: np.ndarray) -> np.ndarray:
    """(eᶻ − e⁻ᶻ)/(eᶻ + e⁻ᶻ), between −1 and 1."""
    return _by_rule("tanh", 0, z)


def tanh_prime(z: np.ndarray) -> np.ndarray:
    """1 − tanh²(z): at most 1, at z = 0."""
    return _by_rule("tanh", 1, z)


def relu(z: np.ndarray) -> np.ndarray:
    """max(z, 0). Source: Nair & Hinton, "Rectified linear units …" (2010)."""
    return _by_rule("relu", 0, z)


def relu_prime(z: np.ndarray) -> np.ndarray:
    """1 where z > 0, else 0. At the kink torch chooses 0 out of 0 … 1."""
    return _by_rule("relu", 1, z)


def leaky_relu(z: np.ndarray, negative_slope: float = 0.01) -> np.ndarray:
    """z where z > 0, else negative_slope·z. Source: Maas et al., "Rectifier nonlinearities …" (2013)."""
    return _by_rule("leaky_relu", 0, z, negative_slope=negative_slope)


def leaky_relu_prime(z: np.ndarray, negative_slope: float = 0.01) -> np.ndarray:
    """1 where z > 0, else negative_slope. At the kink torch chooses negative_slope."""
    return _by_rule("leaky_relu", 1, z, negative_slope=negative_slope)


def elu(z: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """z where z > 0, else α·(eᶻ − 1), not below −α. Source: Clevert et al. (2016), arXiv:1511.07289."""
    return _by_rule("elu", 0, z, alpha=alpha)


def elu_prime(z: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """1 where z > 0, else α·eᶻ. At z = 0 that is α: a kink unless α = 1, where torch chooses α."""
    return _by_rule("elu", 1, z, alpha=alpha)


ACTIVATIONS: dict[str, tuple[Callable, Callable]] = {   # name: (σ, σ′)
    "identity":   (identity,   identity_prime),
    "sigmoid":    (sigmoid,    sigmoid_prime),
    "tanh":       (tanh,       tanh_prime),
    "relu":       (relu,       relu_prime),
    "leaky_relu": (leaky_relu, leaky_relu_prime),
    "elu":        (elu,        elu_prime),
}


def _by_rule(name, column, z, **options):
    """Evaluate one rule of the table; an ∞ on the way is either not chosen or leads to the right value."""
    given = [check.number(option, value) for option, value in options.items()]
    z = check.entries("z", z)
    with np.errstate(all="ignore"):
        answer = np.asarray(RULES[name][column](z, *given), z.dtype)
    return answer if isinstance(z, np.ndarray) else answer[()]
