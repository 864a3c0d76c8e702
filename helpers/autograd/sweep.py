"""The backward pass over a tape: from an output through all that it was computed from, last to first."""
from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np

from helpers import arguments as check
from helpers.nn.memory import no_grad

__all__ = ["grad", "ordered", "sweep"]

RELEASED = "released"       # in the place of a VJP that has been used
AGAIN = ("backward: got a graph that was released by the backward pass before; expected retain_graph=True in "
         "that one, or a new forward pass")


def ordered(y: "Variable") -> list["Variable"]:   # noqa: F821
    """All that y was computed from and that requires a gradient, and y: each behind its own inputs."""
    order, seen, stack = [], set(), [(y, False)]
    while stack:
        variable, inputs_done = stack.pop()
        if inputs_done:
            order.append(variable)
        elif variable.requires_grad and variable not in seen:
            seen.add(variable)
            stack += [(variable, True), *((parent, False) for parent in _parents(variable))]
    return order


def sweep(y: "Variable", dy: np.ndarray | None = None, *, wrt: Sequence["Variable"] = (),   # noqa: F821
          create_graph: bool = False, retain_graph: bool = False) -> dict:
    """The gradients of Σ dy·y for all leaves that require one, and those of `wrt`; of two uses they add up.

    Other gradients are dropped as soon as they have been passed on. With create_graph the gradients are
    recorded themselves, else the nodes are released as they are passed, unless retain_graph. Raises what
    Variable.backward says.
    """
    if not y.requires_grad:
        raise RuntimeError("backward: got a value to differentiate of which no input requires a gradient, or "
                           "that was computed inside no_grad(); expected a leaf with requires_grad=True")
    found, order = {y: _start(y, dy)}, ordered(y)
    with nullcontext() if create_graph else no_grad():
        while order:
            variable = order.pop()
            if variable.node is not None and variable in found:
                _step(variable, found[variable] if variable in wrt else found.pop(variable), found)
                if not (create_graph or retain_graph):
                    variable.node = variable.node._replace(parents=(), vjp=RELEASED, saved=())
    return found


def grad(y: "Variable", wrt: Sequence["Variable"], dy: np.ndarray | None = None, *,   # noqa: F821
              create_graph: bool = False, retain_graph: bool = False) -> list["Variable"]:   # noqa: F821
    """The gradients of Σ dy·y with respect to each of `wrt`, leaves or not; no `grad` changes.

    With create_graph=True they can be differentiated again: then the tape stays, and grows. Raises ValueError
    for one that y does not depend on, and what backward raises.
    """
    found = sweep(y, dy, wrt=wrt, create_graph=create_graph, retain_graph=retain_graph)
    for i, variable in enumerate(wrt):
        if variable not in found:
            raise ValueError(f"wrt: got at place {i} a Variable {variable.shape} that the output does not "
                             "depend on; expected one that it was computed from")
    return [found[variable] for variable in wrt]


def _parents(variable):
    return variable.node.parents if variable.node else ()


def _start(y, dy):
    """The upstream gradient as a Variable."""
    if dy is None and y.shape:
        raise ValueError(f"dy: got none for an output of shape {y.shape}, expected one of that shape; only a "
                         "single number has the gradient 1")
    dy = np.ones_like(y.value) if dy is None else np.asarray(dy, y.value.dtype)
    check.shape("dy", dy, y.shape, "that of the output")
    return type(y)(dy)


def _step(variable, dy, found):
    """One node of the backward pass: its VJP, and the sums at its inputs."""
    if variable.node.vjp is RELEASED:
        raise RuntimeError(AGAIN)
    for saved, version in variable.node.saved:
        if saved.version != version:
            raise RuntimeError(f"{variable.node.name}: its VJP reads a value of shape {saved.shape} that has "
                               f"been changed since, from version {version} to {saved.version}; expected the "
                               "change after the backward pass, or in a copy")
    for parent, gradient in zip(variable.node.parents, variable.node.vjp(dy), strict=True):
        if gradient is not None and parent.requires_grad:
            found[parent] = found[parent] + gradient if parent in found else gradient
