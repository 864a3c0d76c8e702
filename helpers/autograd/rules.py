"""The elementary operations of the tape: forward, VJP, and what the VJP reads.

A row of RULES is one operation. The VJP (vector–Jacobian product) takes the upstream gradient dy, the output
y and the inputs, and returns one gradient for each input. It is made of operations of the tape itself, so
that it can be recorded and differentiated in its turn. Where an input was broadcast, apply() in variable.py
sums its gradient. Derived in notebooks/08_autograd_by_hand.ipynb, the rules themselves in 03 and 04.
"""
from typing import NamedTuple

import numpy as np

RULES = {   # o: the options, such as the axis of a sum; the last column names what the VJP reads
    #             forward                          VJP                                            reads
    "add":       (lambda a, b: a + b,              lambda dy, y, a, b: (dy, dy),                  ""),
    "subtract":  (lambda a, b: a - b,              lambda dy, y, a, b: (dy, -dy),                 ""),
    "multiply":  (lambda a, b: a * b,              lambda dy, y, a, b: (dy * b, dy * a),          "ab"),
    "divide":    (lambda a, b: a / b,              lambda dy, y, a, b: (dy / b, -dy * y / b),     "by"),
    "matmul":    (lambda a, b: _product(a, b),     lambda dy, y, a, b: (dy @ b.T, a.T @ dy),      "ab"),
    "negate":    (lambda a: -a,                    lambda dy, y, a: (-dy,),                       ""),
    "power":     (lambda a, n: a**n,               lambda dy, y, a, n: (dy * (n * a**(n - 1)),),  "a"),
    "exp":       (lambda a: np.exp(a),             lambda dy, y, a: (dy * y,),                    "y"),
    "log":       (lambda a: np.log(a),             lambda dy, y, a: (dy / a,),                    "a"),
    "tanh":      (lambda a: np.tanh(a),            lambda dy, y, a: (dy * (1 - y * y),),          "y"),
    "relu":      (lambda a: np.maximum(a, 0),      lambda dy, y, a: (dy * ~(y.value <= 0),),      "y"),
    "sum":       (lambda a, **o: a.sum(**o),       lambda dy, y, a, **o: (_spread(dy, a, **o),),  ""),
    "reshape":   (lambda a, shape: a.reshape(shape), lambda dy, y, a, **o: (dy.reshape(a.shape),), ""),
    "transpose": (lambda a: a.T,                   lambda dy, y, a: (dy.T,),                      ""),
    "broadcast": (lambda a, shape: np.broadcast_to(a, shape), lambda dy, y, a, **o: (dy,),        ""),
}


class Node(NamedTuple):
    """How a Variable was computed: the name of the operation, its inputs, its VJP, and what that reads.

    vjp(dy) returns one gradient, or None, for each of the parents. `saved` holds pairs of a Variable and the
    version that it had.
    """

    name: str
    parents: tuple
    vjp: object
    saved: tuple


def sum_to(dy: "Variable", shape: tuple[int, ...]) -> "Variable":   # noqa: F821
    """Sum over the axes along which an array of this shape was broadcast to that of dy."""
    added = len(dy.shape) - len(shape)
    axes = tuple(i for i in range(len(dy.shape)) if i < added or shape[i - added] != dy.shape[i])
    return dy.sum(axis=axes).reshape(shape) if axes else dy


def _product(a, b):
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError("expected two matrices; x.reshape(1, -1) makes a row of a vector")
    return a @ b


def _spread(dy, a, axis=None, keepdims=False):
    """The gradient of a sum: each entry that was added gets the dy of its sum."""
    axes = range(len(a.shape)) if axis is None else np.atleast_1d(axis) % len(a.shape)
    kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    return dy.reshape(kept).broadcast_to(a.shape)
