"""The base class of layers: keep the input, forward, backward, accumulate gradients; and layers in a row.

The layers by name, Linear, Conv2d, ReLU and the others, are in helpers/nn/modules.py.
"""
import textwrap
from collections.abc import Iterator, Mapping

import numpy as np

from helpers import arguments as check
from helpers.nn.memory import Memory, forgetting, remembering
from helpers.nn.parameters import Buffer, Module, Parameter, check_like

__all__ = ["Buffer", "Layer", "Parameter", "Residual", "Sequential"]


class Layer(Module):
    """Forward layer(x) → y, which keeps x; backward layer.backward(dy) → dx, which accumulates gradients.

    Only the last call is kept, for one backward; calls in eval() mode are kept separately, so that
    net.eval(), net(x_test), net.train() may stand between a forward and its backward. To write a layer of
    your own, put its parameters, and the layers inside it, into attributes, and give it two methods:

        class Scale(Layer):                                  # y = g · x
            def __init__(self):
                self.g = Parameter(np.ones(1))

            def _forward(self, x):
                return self.g.value * x

            def _backward(self, dy, x, needs_dx):            # dx may be None, unless needs_dx
                self.g.add_grad(np.array([(dy * x).sum()]))
                return self.g.value * dy

    A residual block calls the layer inside it: x + self.inner(x); backward, dy + self.inner.backward(dy).
    """

    options: Mapping[str, object] = {}   # what is given and not learned, such as a stride; repr shows it
    training = True                      # False after eval(): BatchNorm then uses its running statistics
    _kept = None                         # the Memory of each mode

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Forward: y. The x is kept for backward, the x itself and no copy, unless inside no_grad()."""
        y = self._forward(x)
        if remembering():
            memories = self._kept or {}
            self._kept = {**memories, self.training: Memory.of(x, y, memories.get(self.training))}
        return y

    def backward(self, dy: np.ndarray, *, needs_dx: bool = True) -> np.ndarray | None:
        """Backward pass for the upstream gradient dy of the last y: dx; adds to each parameter's `grad`.

        With needs_dx=False, for the first layer of a network, dx is None. Raises RuntimeError when the
        layer was not called since the last backward, or when dy may belong to either of two calls;
        ValueError when dy is not like y.
        """
        name = type(self).__name__
        memory = (self._kept or {}).get(self.training)
        if memory is None:
            raise RuntimeError(f"{name}.backward: called before the layer itself, or a second time; "
                               "expected layer(x) first, once for each backward")
        check_like("dy", dy, memory.shape, memory.dtype, f"as this {name} returned")
        self._kept = {mode: other for mode, other in self._kept.items() if mode != self.training}
        if memory.doubtful:
            self.forget()
            raise RuntimeError(f"{name}.backward: the layer was called with different inputs since the last "
                               "backward, and dy may belong to either; expected calls that only look "
                               "inside `with no_grad():`, or between net.eval() and net.train()")
        dx = self._backward(dy, memory.x, needs_dx)
        return dx if needs_dx else None

    def train(self, mode: bool = True) -> "Layer":
        """Set `training`, here and in all layers inside; returns the layer itself."""
        check.flag("mode", mode)
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> "Layer":
        """The other mode, train(False), for a network in use."""
        return self.train(False)

    def forget(self) -> None:
        """Forget the inputs kept, here and in all layers inside: the next backward needs a new call."""
        for module in self.modules():
            module._kept = None

    def __repr__(self) -> str:
        """Name, shapes and options: the same text on every machine."""
        said = [f"{name} {parameter.value.shape}" for name, parameter in self.named_parameters()]
        return f"{type(self).__name__}({', '.join([*said, *(f'{k}={v}' for k, v in self.options.items())])})"


class Sequential(Layer):
    """Layers applied one after the other. net[2] is a layer, net[:2] a network.

    To see what happens between them, call them one by one: for layer in net: x = layer(x), and
    for layer in reversed(net): dy = layer.backward(dy).
    """

    def __init__(self, *layers: Layer) -> None:
        """Put the layers in a row. Raises ValueError for what is no layer, or stands there twice."""
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise ValueError(f"layer {i}: got {layer!r}, expected a layer such as ReLU()")
        known = [id(module) for layer in layers for module in layer.modules()]
        if len(set(known)) < len(known):
            raise ValueError("layers: got the same one twice, which remembers one input; expected a new one "
                             "for each place")
        self.layers = layers

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Forward through all layers: y of the last. After an error no layer remembers anything."""
        with forgetting(self, after=Exception):
            for layer in self.layers:
                x = layer(x)
        return x

    def backward(self, dy: np.ndarray, *, needs_dx: bool = True) -> np.ndarray | None:
        """Backward pass through all layers, last to first: dx of the first.

        With needs_dx=False dx is None and is not computed. Raises what a layer raises.
        """
        learning = (i for i, layer in enumerate(self.layers) if any(layer.parameters()))
        first = 0 if needs_dx else next(learning, len(self.layers))
        with forgetting(self, after=RuntimeError):
            for i in reversed(range(first, len(self.layers))):
                dy = self.layers[i].backward(dy, needs_dx=needs_dx or i > first)
        for layer in self.layers[:first]:
            layer.forget()
        return dy if needs_dx else None

    def __getitem__(self, place: int | slice) -> Layer:
        """One layer, or a shorter row of the same layers."""
        return Sequential(*self.layers[place]) if isinstance(place, slice) else self.layers[place]

    def __iter__(self) -> Iterator[Layer]:
        """First to last."""
        return iter(self.layers)

    def __len__(self) -> int:
        """How many layers."""
        return len(self.layers)

    def _parts(self):
        return ((str(i), layer) for i, layer in enumerate(self.layers))

    def __repr__(self) -> str:
        """One line for each layer."""
        rows = "".join(f"({i}) {layer!r}\n" for i, layer in self._parts())
        return f"{type(self).__name__}(\n{textwrap.indent(rows, '  ')})"


class Residual(Sequential):
    """A residual block: y = x + F(x), F the layers in a row; backward, dx = dy + the dx of F.

    Source: He et al. (2016), arXiv:1512.03385. Derived in notebooks/06_gradient_pathologies.ipynb.
    Parameters have the names of a Sequential's, "0.weight"; the twin in torch is an nn.Sequential whose
    forward is x + super().forward(x). A slice is a Sequential, without the x.
    """

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Forward: x + F(x). Raises ValueError when F changes the shape or the dtype."""
        change = super().__call__(x)
        if change.shape != x.shape or change.dtype != x.dtype:
            self.forget()
            raise ValueError(f"x: got {x.dtype} of shape {x.shape}, of which the layers in Residual make "
                             f"{change.dtype} of shape {change.shape}; expected the same, to add x to it")
        return x + change

    def backward(self, dy: np.ndarray, *, needs_dx: bool = True) -> np.ndarray | None:
        """Backward pass: dy plus the dx of F. Raises what a layer raises."""
        dx = super().backward(dy, needs_dx=needs_dx)
        return dy + dx if needs_dx else None
