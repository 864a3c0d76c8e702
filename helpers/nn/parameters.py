"""Parameters, buffers and modules with their names: the arrays that state_dict() copies and loads.

Layers themselves are in helpers/nn/layer.py.
"""
from collections.abc import Iterator, Mapping

import numpy as np

from helpers.arguments import FLOATS

__all__ = ["Buffer", "Module", "Parameter", "check_like", "kind_of"]


class Parameter:
    """A learned array, `value`, and `grad`, its gradients accumulated since zero_grad()."""

    def __init__(self, value: np.ndarray) -> None:
        """Hold `value`, the array itself and no copy. Raises ValueError when it holds no floats."""
        if not isinstance(value, np.ndarray) or value.dtype not in FLOATS:
            raise ValueError(f"value: got {kind_of(value)}, expected an array of float32 or float64")
        self.value = value
        self.zero_grad()

    def zero_grad(self) -> None:
        """Set `grad` to zero."""
        self.grad = np.zeros_like(self.value)

    def add_grad(self, gradient: np.ndarray) -> None:
        """Add to `grad`, which becomes a new array; a kept reference to the old one does not change."""
        check_like("gradient", gradient, self.value.shape, self.value.dtype, "as the value is")
        self.grad = self.grad + gradient


class Buffer:
    """An array that belongs to a layer and is not learned, `value`, such as a running mean."""

    def __init__(self, value: np.ndarray) -> None:
        """Keep `value`, of any dtype, the array itself and no copy. Raises ValueError for no array."""
        if not isinstance(value, np.ndarray):
            raise ValueError(f"value: got {kind_of(value)}, expected an array")
        self.value = value


class Module:
    """A container of Parameters, Buffers and other Modules, in its attributes, with torch's names."""

    def modules(self) -> Iterator["Module"]:
        """This module and all modules inside it, at any depth."""
        yield self
        for _, part in self._parts():
            if isinstance(part, Module):
                yield from part.modules()

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Pairs (name, Parameter) with torch's names, such as "0.weight"."""
        return self._named(Parameter, prefix)

    def parameters(self) -> Iterator[Parameter]:
        """The Parameters without names, for an update rule: p.value -= eta * p.grad."""
        for _, part in self._parts():
            if isinstance(part, Parameter):
                yield part
            elif isinstance(part, Module):
                yield from part.parameters()

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and buffers, by name."""
        return {name: held.value.copy() for name, held in self._named((Parameter, Buffer))}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Copy values by name, from another network's state_dict() or from that of its twin in torch.

        Raises ValueError, and changes nothing, when a name is missing or strange, or a shape or a dtype
        is another: the twin's may have to be made with .double() first.
        """
        held = dict(self._named((Parameter, Buffer)))
        if held.keys() != state.keys():
            raise ValueError(f"state: got {', '.join(state) or 'nothing'}; expected {', '.join(held)}")
        arrays = {name: np.asarray(value).copy() for name, value in state.items()}
        for name, array in arrays.items():
            value = held[name].value
            check_like(f"state[{name!r}]", array, value.shape, value.dtype, "as this network has it")
        for name, array in arrays.items():
            held[name].value = array

    def _named(self, kind, prefix=""):
        for name, part in self._parts():
            if isinstance(part, kind):
                yield prefix + name, part
            elif isinstance(part, Module):
                yield from part._named(kind, f"{prefix}{name}.")

    def _parts(self):
        return vars(self).items()


def check_like(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype, why: str) -> None:
    """Refuse an array of another shape or dtype; `why` says where these come from."""
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name}: got {kind_of(array)}, expected {dtype} of shape {shape}, {why}")


def kind_of(value: object) -> str:
    """What a value is, in an error's words."""
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
