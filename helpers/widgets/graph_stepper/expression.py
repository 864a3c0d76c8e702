"""An expression, read by Python's parser and never run: a short list of what it may hold, on the tape.

    z = W*x + b; (tanh(z) - t)**2

Names are x, W, b, t and those that it defines itself; numbers; + − * / and ** with a number; exp, log, tanh
and relu. All else is refused with a sentence.
"""
import ast
import math
from typing import NamedTuple

import numpy as np

from helpers.autograd import Variable, ordered
from helpers.nn import no_grad

LONGEST, STEEPEST = 100, 9            # signs of an expression; the largest exponent
FUNCTIONS = "exp", "log", "tanh", "relu"
SIGNS = {ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷"}
EXAMPLE = "expected a formula such as tanh(W*x + b)"


class Passed(NamedTuple):
    """One operation of the backward pass: (input, what it gets, its sum so far) for each with a gradient."""

    variable: Variable
    passed: list[tuple[Variable, float, float]]


class Tape(NamedTuple):
    """An expression on the tape.

    `labels` and `values` of all Variables; the operations in `forward` order; `backward`, the Passed, last
    operation first; `leaves`, by name, those of the expression.
    """

    labels: dict[Variable, str]
    forward: list[Variable]
    backward: list[Passed]
    leaves: dict[str, Variable]


def read(text: str, numbers: dict[str, float]) -> Tape:
    """The tape of an expression, with these numbers for its names. Raises ValueError for what is no such."""
    if len(text) > LONGEST:
        raise ValueError(f"expression: got {len(text)} signs, expected at most {LONGEST}")
    try:
        lines = ast.parse(text.strip()).body
    except (SyntaxError, ValueError):
        raise ValueError(f"expression: {text!r} cannot be read; {EXAMPLE}") from None
    leaves = {name: Variable(float(value), requires_grad=True) for name, value in numbers.items()}
    known, labels = dict(leaves), {leaf: name for name, leaf in leaves.items()}
    with np.errstate(all="ignore"):
        y = _last(lines, known, labels)
        return _passed(y, labels, {name: leaf for name, leaf in leaves.items() if leaf in ordered(y)})


def _last(lines, known, labels):
    """Carry out the definitions, and return the Variable of the last line."""
    if not lines or not isinstance(lines[-1], ast.Expr):
        raise ValueError(f"expression: got no formula at the end, {EXAMPLE}")
    for line in lines[:-1]:
        if not (isinstance(line, ast.Assign) and [*map(type, line.targets)] == [ast.Name]):
            raise ValueError(f"expression: got {ast.unparse(line)!r} before the last formula, expected a "
                             "definition such as z = W*x + b, and a semicolon behind it")
        name = line.targets[0].id
        if name in known:
            raise ValueError(f"expression: got a second definition of {name}, expected a new name")
        known[name] = _made(line.value, known, labels)
    y = _made(lines[-1].value, known, labels)
    if y.is_leaf:
        raise ValueError(f"expression: got {ast.unparse(lines[-1])!r}, in which no operation acts on x, W, b "
                         f"or t; {EXAMPLE}")
    return y


def _made(tree, known, labels):
    """The Variable of one formula; each operation is a method or a sign of the tape."""
    match tree:
        case ast.Name(id=name):
            if name not in known:
                raise ValueError(f"expression: got the name {name}, expected one of {', '.join(known)}")
            return known[name]
        case ast.Constant() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            value = Variable(_number(tree))
            return _labelled(value, "", labels)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _labelled(-_made(inner, known, labels), "−( )", labels)
        case ast.BinOp(op=ast.Pow(), left=base, right=exponent):
            return _power(_made(base, known, labels), _number(exponent), labels)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS:
            return _combined(_made(left, known, labels), op, _made(right, known, labels), labels)
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in FUNCTIONS:
            return _labelled(getattr(_made(inner, known, labels), name)(), name, labels)
    raise ValueError(_not_understood(tree))


def _combined(a, op, b, labels):
    sign = SIGNS[type(op)]
    y = {"+": a.__add__, "−": a.__sub__, "×": a.__mul__, "÷": a.__truediv__}[sign](b)
    return _labelled(y, sign, labels)


def _power(base, n, labels):
    if abs(n) > STEEPEST:
        raise ValueError(f"expression: got the exponent {n:g}, expected −{STEEPEST} to {STEEPEST}")
    return _labelled(base**n, f"power {n:g}".replace("-", "−"), labels)


def _number(tree):
    """A number that is written as one, perhaps with a minus."""
    sign, inner = (-1, tree.operand) if isinstance(tree, ast.UnaryOp) else (1, tree)
    value = getattr(inner, "value", None)
    if type(value) not in (int, float) or abs(value) > 1e6:
        raise ValueError(f"expression: got {ast.unparse(tree)}, expected a number of at most a million here")
    return sign * float(value)


def _labelled(variable, label, labels):
    """Give it its label; what is computed from constants alone is a constant."""
    value = float(variable.value)
    if not math.isfinite(value):
        parents = variable.node.parents if variable.node else ()
        inputs = " and ".join(f"{float(parent.value):.3g}" for parent in parents) or "constants"
        raise ValueError(f"expression: {label} of {inputs} is no finite number; expected other operations")
    labels[variable] = f"{value:.4g}".replace("-", "−") if variable.is_leaf else label
    return variable


def _not_understood(tree):
    words = ast.unparse(tree)
    match tree:
        case ast.BinOp(op=ast.BitXor()):
            return f"expression: got {words}, expected ** for a power: x**2"
        case ast.Call(func=ast.Name(id=name)):
            return (f"expression: got {words}, and not {name}({', '.join('…' * len(tree.args))}) but "
                    f"{', '.join(FUNCTIONS)} are known, each of one formula")
    return (f"expression: {words} is not understood; expected names, numbers, + − * / **, parentheses "
            f"and {', '.join(FUNCTIONS)}")


def _passed(y, labels, leaves):
    """Run the backward pass operation by operation, and note what each passes on."""
    forward, sums, steps = [v for v in ordered(y) if not v.is_leaf], {y: Variable(1.0)}, []
    with no_grad():
        for variable in reversed(forward):
            passed = []
            found = variable.node.vjp(sums[variable])
            for parent, gradient in zip(variable.node.parents, found, strict=True):
                if gradient is not None:
                    sums[parent] = sums[parent] + gradient if parent in sums else gradient
                    passed.append((parent, float(gradient.value), float(sums[parent].value)))
            steps.append(Passed(variable, passed))
    if not all(math.isfinite(gradient) for step in steps for _, *both in step.passed for gradient in both):
        raise ValueError("expression: a gradient is no finite number here; expected other operations")
    return Tape(labels, forward, steps, leaves)
