"""The equation of each step of back-propagation, in letters, with its numbers, and as matrices.

What helpers.widgets.backprop.stepper shows. Numbers are rounded for reading; "=" stands where the two sides,
as they are printed, are equal, and "≈" where they differ by rounding.
"""
from collections import namedtuple
from itertools import pairwise

import numpy as np

from helpers.functional.activations import ACTIVATIONS
from helpers.functional.losses import squared_error
from helpers.plotting import figures

UP, DOWN = "⁰¹²³", "₁₂₃₄"                               # layers, and neurons counted from 1
LONGEST = 88                                            # signs of a line

# The forward and backward pass of one sample, each but y a dictionary by layer; names are those of
# ACTIVATIONS, and truth holds the ∂C/∂W and ∂C/∂b of torch.
Sample = namedtuple("Sample", "names W b y z a delta dW db truth")
# A matrix (rows, columns) in an equation: `lit` is a block (row, column, rows, columns), `agree` says
# for each entry whether torch has it too, or is None.
Block = namedtuple("Block", "symbol values color lit agree", defaults=(None, None))
# The equation of a step: its name, in letters, with numbers for one neuron, and in Blocks and signs.
Equation = namedtuple("Equation", "name letters lines parts")


def two_decimals(value: float) -> str:
    """Format with two decimals, three below 0.1, one digit below 0.0005; fewer where exact. Only 0 is "0"."""
    size, sign = abs(float(value)), "−" if value < 0 else ""
    if abs(size - round(size, 2)) < 1e-12:
        return f"{sign if size > 0.005 else ''}{round(size, 2):g}"
    if size >= 0.0005:
        return f"{sign}{size:.{2 if size >= 0.0995 else 3}f}"
    return sign + f"{size:.0e}".replace("e-0", "e−").replace("e-", "e−")


def shown(values: np.ndarray | float) -> np.ndarray:
    """Round each number as `two_decimals` prints it."""
    return np.vectorize(lambda value: float(two_decimals(value).replace("−", "-")), otypes=[float])(values)


def chain(*terms: tuple[str, object]) -> str:
    """Join terms (words, value) by "=" where their values are equal, by "≈" where they are not.

    A row too long for the picture is broken before its third term.
    """
    signs = ["=" if np.allclose(before, value, rtol=0, atol=1e-9) else "≈"
             for (_, before), (_, value) in pairwise(terms)]
    parts = [terms[0][0], *(f"{sign} {words}" for sign, (words, _) in zip(signs, terms[1:], strict=True))]
    if len(" ".join(parts)) > LONGEST:
        parts[1:3] = ["\n".join(parts[1:3])]
    return " ".join(parts)


def agrees(ours: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Compare two gradients entry by entry, up to rounding."""
    return np.isclose(ours, truth, rtol=1e-9, atol=1e-12)


def equation(one: Sample, kind: str, l: int, i: int) -> Equation:
    """The equation of step z, a, C, δ or ∂ of layer l, spelled out for neuron i, which counts from 0."""
    last = l == max(one.W)
    make = {"z": _pre_activation, "a": _activation, "C": _cost, "δ": _hidden_error, "∂": _gradients}
    return (_output_error if kind == "δ" and last else make[kind])(one, l, i)


def _pre_activation(one, l, i):
    W, a, b, z = one.W[l], one.a[l - 1], one.b[l], one.z[l]
    value = (shown(W) @ shown(a) + shown(b))[i]
    u, v, words = UP[l], UP[l - 1], f"{_products(W[i], a)} + {_factor(b[i])}"
    line = chain((_name("z", l, i), z[i]), (words, value), _result(z[i]))
    return Equation("forward", f"z{u} = W{u} a{v} + b{u}", [line], [
        Block(f"z{u}", z, figures.OUTPUT, _row(z, i)), "=", Block(f"W{u}", W, figures.KERNEL, _row(W, i)),
        Block(f"a{v}", a, _color(l - 1), _all(a)), "+",
        Block(f"b{u}", b, figures.KERNEL, _row(b, i))])


def _activation(one, l, i):
    z, a, u, name = one.z[l], one.a[l], UP[l], one.names[l]
    line = chain((_name("a", l, i), a[i]), _applied(name, 0, z[i]), _result(a[i]))
    return Equation("forward", f"a{u} = σ(z{u}),  σ = {name}", [line], [
        Block(f"a{u}", a, figures.OUTPUT, _row(a, i)), f"=  {name} of",
        Block(f"z{u}", z, figures.OUTPUT, _row(z, i))])


def _cost(one, l, _):
    a, y, u = one.a[l], one.y, UP[l]
    C = squared_error(a.T, y.T)     # columns: one sample
    squares = " + ".join(f"({_difference(*pair)})²" for pair in zip(a, y, strict=True))
    line = chain(("C", C), (f"½·({squares})", squared_error(shown(a).T, shown(y).T)), _result(C))
    return Equation("cost", f"C = ½‖a{u} − y‖²", [line], [
        Block("C", np.array([[C]]), figures.NEUTRAL), "=  ½ ‖",
        Block(f"a{u}", a, figures.OUTPUT, _all(a)), "−",
        Block("y", y, figures.INPUT, _all(y)), "‖²"])


def _output_error(one, l, i):
    a, y, z, u, name = one.a[l], one.y, one.z[l], UP[l], one.names[l]
    words, slope = _applied(name, 1, z[i])
    line = chain((_name("δ", l, i), one.delta[l][i]),
                 (f"({_difference(a[i], y[i])}) · {words}", (shown(a[i]) - shown(y[i])) * slope),
                 *_product_and_result(one, l, i, a[i] - y[i]))
    return Equation("BP1", f"δ{u} = (a{u} − y) ⊙ σ′(z{u})", [line], [
        _delta(one, l, _row(a, i), True), "=  (", Block(f"a{u}", a, figures.OUTPUT, _row(a, i)), "−",
        Block("y", y, figures.INPUT, _row(y, i)), ")  ⊙", _slopes(one, l, i)])


def _hidden_error(one, l, i):
    W, delta, u, v = one.W[l + 1], one.delta[l + 1], UP[l], UP[l + 1]
    words, slope = _applied(one.names[l], 1, one.z[l][i])
    line = chain((_name("δ", l, i), one.delta[l][i]),
                 (f"({_products(W.T[i], delta)}) · {words}", (shown(W.T) @ shown(delta))[i] * slope),
                 *_product_and_result(one, l, i, (W.T @ delta)[i]))
    return Equation("BP2", f"δ{u} = (W{v})ᵀ δ{v} ⊙ σ′(z{u})", [line], [
        _delta(one, l, _row(W.T, i, 1), True), "=", Block(f"(W{v})ᵀ", W.T, figures.KERNEL, _row(W.T, i)),
        _delta(one, l + 1, _all(delta)), "⊙", _slopes(one, l, i)])


def _gradients(one, l, i):
    delta, a, dW, db, u, v = one.delta[l], one.a[l - 1], one.dW[l], one.db[l], UP[l], UP[l - 1]
    truth = [part[l] for part in one.truth]
    row = chain((f"row {i + 1} of ∂C/∂W{u}", dW[i]),
                (f"{_factor(delta[i])}·({_list(a[:, 0])})", shown(delta[i]) * shown(a[:, 0])),
                (f"({_list(dW[i])})", shown(dW[i])))
    bias = chain((f"{_name('∂C/∂b', l, i)} = {_name('δ', l, i)}", db[i]), _result(db[i]))
    return Equation("BP3 and BP4", f"∂C/∂b{u} = δ{u},  ∂C/∂W{u} = δ{u} (a{v})ᵀ", [row, bias], [
        Block(f"∂C/∂W{u}", dW, figures.GRADIENT, _row(dW, i), agrees(dW, truth[0])), "=",
        _delta(one, l, _row(delta, i)), Block(f"(a{v})ᵀ", a.T, _color(l - 1), _all(a.T)), "   ",
        Block(f"∂C/∂b{u}", db, figures.GRADIENT, _row(db, i), agrees(db, truth[1])), "=  δ" + u])


def _product_and_result(one, l, i, da):
    """The last two terms of a δ: the upstream gradient ∂C/∂a times the slope σ′(z), and their product."""
    slope, delta = ACTIVATIONS[one.names[l]][1](one.z[l][i]), one.delta[l][i]
    return (f"{_factor(da)}·{_factor(slope)}", shown(da) * shown(slope)), _result(delta)


def _applied(name, which, z):
    """σ or σ′ of a number, by name."""
    return f"{name}{'′' * which}({two_decimals(z[0])})", ACTIVATIONS[name][which](shown(z))


def _delta(one, l, lit, compared=False):
    agree = agrees(one.delta[l], one.truth[1][l]) if compared else None
    return Block(f"δ{UP[l]}", one.delta[l], figures.GRADIENT, lit, agree)


def _slopes(one, l, i):
    z = one.z[l]
    return Block(f"σ′(z{UP[l]})", ACTIVATIONS[one.names[l]][1](z), figures.OUTPUT, _row(z, i))


def _color(l):
    return figures.OUTPUT if l else figures.INPUT


def _name(symbol, l, i):
    return f"{symbol}{UP[l]}{DOWN[i]}"


def _row(matrix, i, columns=None):
    return i, 0, 1, columns or matrix.shape[1]


def _all(matrix):
    return 0, 0, *matrix.shape


def _factor(value):
    text = two_decimals(np.asarray(value).item())
    return f"({text})" if text[0] == "−" else text


def _products(weights, column):
    return " + ".join(f"{_factor(w)}·{_factor(a)}" for w, a in zip(weights, column, strict=True))


def _difference(a, y):
    return f"{two_decimals(a[0])} − {_factor(y)}"


def _list(values):
    return ", ".join(map(two_decimals, values))


def _result(value):
    return two_decimals(np.asarray(value).item()), shown(value)
