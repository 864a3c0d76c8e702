"""Operations with a VJP of their own: a pair of functions of `functional`, and a checkpoint."""
import inspect
from collections.abc import Callable

import numpy as np

from helpers.autograd.rules import Node
from helpers.autograd.sweep import sweep
from helpers.autograd.variable import Variable, record
from helpers.nn.memory import enable_grad, no_grad

__all__ = ["checkpoint", "with_vjp"]


def with_vjp(forward: Callable, vjp: Callable) -> Callable:
    """An operation of the tape: operation(*inputs, **options) → y.

    forward(*arrays, **options) → y, and vjp(dy, *arrays, **options) → the gradient of each array, such as
    conv2d and conv2d_backward. The vjp may take fewer arrays, the first ones, and return more
    gradients: conv2d_backward reads no b, and returns a db that is dropped where there is no b. If it has an
    option needs_dx, it is told where the first gradient is not needed. A vjp of arrays cannot be
    differentiated: a second pass through it is a RuntimeError. (torch: once_differentiable.)
    """
    known = inspect.signature(vjp).parameters
    taken = sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in known.values()) - 1

    def operation(*inputs: object, **options: object) -> Variable:
        variables = tuple(v if isinstance(v, Variable) else Variable(v) for v in inputs)

        def back(dy):
            less = {"needs_dx": False} if "needs_dx" in known and not variables[0].requires_grad else {}
            found = vjp(dy.value, *(v.value for v in variables[:taken]), **options, **less)
            found = found if isinstance(found, tuple) else (found,)
            return [d if d is None else _once(name, d, dy, variables) for d in found[:len(variables)]]
        name = getattr(forward, "__name__", "operation")
        y = Variable(np.asarray(forward(*(v.value for v in variables), **options)))
        return record(y, Node(name, variables, back, ()), list(variables[:taken]))
    return operation


def _once(name, gradient, dy, variables):
    """A gradient that was computed on arrays: to differentiate it is refused."""
    def refuse(_):
        raise RuntimeError(f"{name}: its VJP works on arrays, and is not on the tape; expected one backward "
                           "pass through it, not two")
    return record(Variable(np.asarray(gradient)), Node(f"{name}, VJP", (dy, *variables), refuse, ()), [])


def checkpoint(function: Callable, *inputs: object) -> Variable:
    """function(*inputs), of which the tape keeps the inputs only; the backward pass computes it once more.

    Less memory for one more forward pass. `inputs` are arrays and Variables, among them all that need
    gradients, such as parameters. A second pass through it is refused. Source: Chen et al. (2016),
    arXiv:1604.06174.
    """
    inputs = tuple(v if isinstance(v, Variable) else Variable(v) for v in inputs)
    with no_grad():
        y = Variable(function(*inputs).value)

    def back(dy):
        copies = [v.detach() for v in inputs]
        for copy, v in zip(copies, inputs, strict=True):
            copy.requires_grad = v.requires_grad
        with enable_grad():
            again = function(*copies)
        found = sweep(again, dy.value)
        return [_once("checkpoint", found[c].value, dy, inputs) if c in found else None for c in copies]
    return record(y, Node("checkpoint", inputs, back, ()), list(inputs))
