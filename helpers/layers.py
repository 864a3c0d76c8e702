"""What every layer can do: keep its input, pass the blame back, add up gradients; and layers in a row.

The layers by name, Linear, Conv2d, ReLU and the others, are in helpers/network.py.
"""
import textwrap
from collections.abc import Iterator, Mapping

import numpy as np

from helpers.arguments import FLOATS

__all__ = ["Layer", "Parameter", "Sequential"]


class Parameter:
    """An array that is learned, `value`, and `grad`, its gradients added up since zero_grad()."""

    def __init__(self, value: np.ndarray) -> None:
        """Learn `value`, the array itself and no copy. Raises ValueError when it holds no floats."""
        if not isinstance(value, np.ndarray) or value.dtype not in FLOATS:
            raise ValueError(f"value: got {_described(value)}, expected an array of float32 or float64")
        self.value = value
        self.zero_grad()

    def zero_grad(self) -> None:
        """Forget the gradients added so far."""
        self.grad = np.zeros_like(self.value)

    def add_grad(self, gradient: np.ndarray) -> None:
        """Add to `grad`, which becomes a new array: who kept the old one keeps its numbers."""
        _check_like("gradient", gradient, self.value.shape, self.value.dtype, "as the value is")
        self.grad = self.grad + gradient


class Layer:
    """A function with a memory: `layer(x)` keeps x, `layer.backward(dy)` returns dx and adds gradients.

    Only the last call is remembered, for one backward. To write a layer of your own, put what it learns,
    and the layers inside it, into attributes, and give it two methods:

        class Scale(Layer):                                  # y = g · x
            def __init__(self):
                self.g = Parameter(np.ones(1))

            def _forward(self, x):
                return self.g.value * x

            def _backward(self, dy, x, needs_dx):            # dx may be None, unless needs_dx
                self.g.add_grad(np.array([(dy * x).sum()]))
                return self.g.value * dy

    A residual block calls the layer inside it: x + self.inner(x), and back dy + self.inner.backward(dy).
    """

    options: Mapping[str, object] = {}   # what is given and not learned, such as a stride; repr shows it
    _kept = None

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Forward: y. The x is kept for backward, the x itself and no copy."""
        y = self._forward(x)
        self._kept = x, y.shape, y.dtype
        return y

    def backward(self, dy: np.ndarray, *, needs_dx: bool = True) -> np.ndarray | None:
        """Send the blame dy of the last y back: dx; each parameter's `grad` grows by its gradient.

        With needs_dx=False, for the first layer of a network, dx is None. Raises RuntimeError when the
        layer was not called since the last backward, ValueError when dy is not like y.
        """
        name = type(self).__name__
        if self._kept is None:
            raise RuntimeError(f"{name}.backward: called before the layer itself, or a second time; "
                               "expected layer(x) first, once for each backward")
        x, shape, dtype = self._kept
        _check_like("dy", dy, shape, dtype, f"as this {name} returned")
        self._kept = None
        dx = self._backward(dy, x, needs_dx)
        return dx if needs_dx else None

    def modules(self) -> Iterator["Layer"]:
        """This layer, and those inside it, and those inside them."""
        yield self
        for _, part in self._parts():
            if isinstance(part, Layer):
                yield from part.modules()

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Pairs (name, Parameter) with torch's names, such as "0.weight"."""
        for name, part in self._parts():
            if isinstance(part, Parameter):
                yield prefix + name, part
            elif isinstance(part, Layer):
                yield from part.named_parameters(f"{prefix}{name}.")

    def parameters(self) -> Iterator[Parameter]:
        """The Parameters alone, for a step rule: p.value -= eta * p.grad."""
        return (parameter for _, parameter in self.named_parameters())

    def zero_grad(self) -> None:
        """Forget all gradients added so far."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all values by name."""
        return {name: parameter.value.copy() for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Copy values by name, from another network's state_dict() or from that of its twin in torch.

        Raises ValueError, and changes nothing, when a name is missing or strange, or a shape or a dtype
        is another: the twin's may have to be made with .double() first.
        """
        parameters = dict(self.named_parameters())
        if parameters.keys() != state.keys():
            raise ValueError(f"state: got {', '.join(state) or 'nothing'}; expected {', '.join(parameters)}")
        arrays = {name: np.asarray(value).copy() for name, value in state.items()}
        for name, array in arrays.items():
            value = parameters[name].value
            _check_like(f"state[{name!r}]", array, value.shape, value.dtype, "as this network has it")
        for name, array in arrays.items():
            parameters[name].value = array

    def _parts(self):
        return vars(self).items()

    def __repr__(self) -> str:
        """Name, shapes and options: the same text on every machine."""
        said = [f"{name} {parameter.value.shape}" for name, parameter in self.named_parameters()]
        return f"{type(self).__name__}({', '.join([*said, *(f'{k}={v}' for k, v in self.options.items())])})"


class Sequential(Layer):
    """Layers in a row, each fed with what the one before returns. net[2] is a layer, net[:2] a network.

    To watch what happens between them, call them one by one: for layer in net: x = layer(x), and
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
        """Forward through all layers: y of the last."""
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, dy: np.ndarray, *, needs_dx: bool = True) -> np.ndarray | None:
        """Send the blame back through all layers, last to first: dx of the first.

        With needs_dx=False dx is None, and no layer works for it. Raises what a layer raises.
        """
        learning = (i for i, layer in enumerate(self.layers) if any(layer.parameters()))
        first = 0 if needs_dx else next(learning, len(self.layers))
        for i in reversed(range(first, len(self.layers))):
            dy = self.layers[i].backward(dy, needs_dx=needs_dx or i > first)
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
        return f"Sequential(\n{textwrap.indent(rows, '  ')})"


def _check_like(name, array, shape, dtype, why):
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name}: got {_described(array)}, expected {dtype} of shape {shape}, {why}")


def _described(value):
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
