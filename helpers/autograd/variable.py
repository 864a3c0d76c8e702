"""A Variable: an array that remembers how it was computed; operators and functions record themselves."""
from collections.abc import Callable

import numpy as np

from helpers import arguments as check
from helpers.autograd.rules import RULES, Node, sum_to
from helpers.autograd.sweep import sweep
from helpers.nn.memory import remembering
from helpers.nn.parameters import check_like, kind_of

__all__ = ["Variable", "apply", "record"]


class _Storage:
    """An array and how often it was changed; a Variable and those that detach() made of it have one."""

    def __init__(self, value):
        self.value, self.version = value, 0


class Variable:
    """An array, `value`, and `node`, how it was computed: None for a leaf.

    Operators (+ − * / @ **) and the methods below record themselves when an input requires a gradient, as in
    torch. y.backward() adds to `grad` of each leaf that requires one, an array or None. `value` may be
    replaced, or changed by W.value -= eta * W.grad; each change counts a `version`, and a backward pass that
    would read a changed value is refused. (W.value[0] = 1 is not seen, nor is torch's W.data[0] = 1.)
    """

    __array_ufunc__ = None      # array * variable is left to the variable

    def __init__(self, value: np.ndarray | float, *, requires_grad: bool = False) -> None:
        """Make a leaf of an array, itself and no copy, or a number. Raises ValueError for what is none."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = float(value)
        if np.asarray(value).dtype not in check.FLOATS:
            raise ValueError(f"value: got {kind_of(value)}, expected a number or an array of floats")
        self._storage = _Storage(np.asarray(value))
        self.requires_grad, self.grad, self.node = check.flag("requires_grad", requires_grad), None, None

    @property
    def value(self) -> np.ndarray:
        """The array."""
        return self._storage.value

    @value.setter
    def value(self, array: np.ndarray) -> None:
        """Put an array of the same shape and dtype in its place. Raises ValueError for another."""
        check_like("value", np.asarray(array), self.shape, self.value.dtype, "as the value is")
        self._storage.value, self._storage.version = np.asarray(array), self.version + 1

    @property
    def version(self) -> int:
        """How often the value was replaced or changed."""
        return self._storage.version

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.value.shape

    @property
    def is_leaf(self) -> bool:
        """Whether it was given and not computed, or computed without being recorded."""
        return self.node is None

    def detach(self) -> "Variable":
        """A leaf with the same array, that of no computation: no gradient flows through it."""
        leaf = Variable(self.value)
        leaf._storage = self._storage
        return leaf

    def backward(self, dy: np.ndarray | None = None, *, retain_graph: bool = False) -> None:
        """Add the gradient of Σ dy·value to `grad` of each leaf that requires one; dy is 1 for a number.

        What was recorded is released, unless `retain_graph`. Raises RuntimeError where there is nothing to
        differentiate, what was recorded is released, or a value that is needed was changed; ValueError for
        a dy of another shape.
        """
        for variable, gradient in sweep(self, dy, retain_graph=retain_graph).items():
            if variable.is_leaf:
                old = 0 if variable.grad is None else variable.grad
                variable.grad = old + gradient.value

    def zero_grad(self) -> None:
        """Forget the gradient: `grad` is None, as in torch."""
        self.grad = None

    def __pow__(self, n: float) -> "Variable":
        """Entry by entry, with a number for exponent."""
        return apply("power", self, n=check.number("n", n))

    def exp(self) -> "Variable":
        """e to each entry."""
        return apply("exp", self)

    def log(self) -> "Variable":
        """The natural logarithm of each entry."""
        return apply("log", self)

    def tanh(self) -> "Variable":
        """The hyperbolic tangent of each entry."""
        return apply("tanh", self)

    def relu(self) -> "Variable":
        """max(entry, 0)."""
        return apply("relu", self)

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Variable":
        """The sum over all axes, or over one or several, as NumPy has it."""
        return apply("sum", self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: int) -> "Variable":
        """The same entries in another shape, given as numbers or as one tuple."""
        return apply("reshape", self, shape=shape[0] if isinstance(shape[0], tuple) else shape)

    def broadcast_to(self, shape: tuple[int, ...]) -> "Variable":
        """Repeat along axes of length 1 and along new ones in front."""
        return apply("broadcast", self, shape=shape)

    @property
    def T(self) -> "Variable":
        """The axes in reverse."""
        return apply("transpose", self)

    def __repr__(self) -> str:
        """What it is: the shape, and the operation that made it."""
        made = f"from {self.node.name}" if self.node else "leaf"
        return f"Variable{self.shape}, {made}{', requires a gradient' * self.requires_grad}"


def apply(name: str, *inputs: object, **options: object) -> Variable:
    """Compute a row of RULES, and record it where an input requires a gradient.

    Inputs are Variables, arrays or numbers; those that are no Variables are constants of the dtype of those
    that are. Raises ValueError where NumPy cannot compute it.
    """
    forward, vjp, reads = RULES[name]
    like = next(v.value.dtype for v in inputs if isinstance(v, Variable))
    variables = tuple(v if isinstance(v, Variable) else Variable(np.asarray(v, dtype=like)) for v in inputs)
    try:
        y = Variable(np.asarray(forward(*(v.value for v in variables), **options)))
    except ValueError as error:
        shapes = " and ".join(str(v.shape) for v in variables)
        raise ValueError(f"{name}: got shapes {shapes}, {error}") from None

    def back(dy):
        found = vjp(dy, y, *variables, **options)
        return [sum_to(d, v.shape) if v.requires_grad else None
                for d, v in zip(found, variables, strict=True)]
    known = {"y": y, **dict(zip("ab", variables, strict=False))}
    return record(y, Node(name, variables, back, ()), [known[letter] for letter in reads])


def record(y: Variable, node: Node, reads: list[Variable]) -> Variable:
    """Give y its node, unless no input requires a gradient or nothing is recorded; the VJP needs `reads`."""
    if remembering() and any(v.requires_grad for v in node.parents):
        y.node, y.requires_grad = node._replace(saved=tuple((v, v.version) for v in reads)), True
    return y


_SIGNS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "matmul": "matmul"}


def _operator(name: str, reverse: bool) -> Callable:
    """The method behind a sign; reverse: behind `array + variable`."""
    return lambda self, other: apply(name, *((other, self) if reverse else (self, other)))


for _sign, _name in _SIGNS.items():
    setattr(Variable, f"__{_sign}__", _operator(_name, False))
    setattr(Variable, f"__r{_sign}__", _operator(_name, True))
Variable.__neg__ = lambda self: apply("negate", self)
