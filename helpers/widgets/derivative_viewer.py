"""Show the whole derivative of a matrix expression: the viewer of notebooks/03_matrix_derivatives.ipynb."""
import re
from collections import namedtuple
from collections.abc import Callable

import numpy as np
from ipywidgets import Dropdown, IntSlider, ToggleButtons
from matplotlib.patches import Rectangle
from matplotlib.transforms import Affine2D

from helpers.explore.explorer import Explore, explore
from helpers.functional.losses import softmax
from helpers.plotting import figures
from helpers.plotting.grids import grid, squares
from helpers.plotting.panes import polyline, sheet
from helpers.plotting.strokes import Stroke

W = np.array([[5, 3, -1], [1, -3, 4]], float)
X = np.array([[-4, 2, 4, 3], [6, -1, -6, -2], [5, 1, -5, -3]], float)
# The numbers of each expression, the function that computes it, and the sign before its output.
EXPRESSIONS = {
    "y = W x":        ({"W": W, "x": X[:, 0]},         lambda W, x: W @ x,                        "="),
    "y = x W":        ({"x": X[:, 0], "W": W.T},       lambda x, W: x @ W,                        "="),
    "Y = W X":        ({"W": W, "X": X},               lambda W, X: W @ X,                        "="),
    "Y = X W":        ({"X": X.T, "W": W.T},           lambda X, W: X @ W,                        "="),
    "y = σ(z)":       ({"z": np.array([3.0, -2, 1])},  lambda z: z ** 2,               "σ(z) = z²  →"),
    "y = softmax(z)": ({"z": np.array([0.0, -1, 1])},  softmax,                         "softmax  →"),
}
# Each derivative in index notation, and its matrix in numerator and in denominator layout.
RULES = {
    ("y = W x", "W"):        ("∂y[i]/∂W[k,j] = δ[i,k]·x[j]",            "I ⊗ xᵀ",        "I ⊗ x"),
    ("y = W x", "x"):        ("∂y[i]/∂x[j] = W[i,j]",                   "W",             "Wᵀ"),
    ("y = x W", "W"):        ("∂y[i]/∂W[j,k] = x[j]·δ[i,k]",            "x ⊗ I",         "xᵀ ⊗ I"),
    ("y = x W", "x"):        ("∂y[i]/∂x[j] = W[j,i]",                   "Wᵀ",            "W"),
    ("Y = W X", "W"):        ("∂Y[i,k]/∂W[l,j] = δ[i,l]·X[j,k]",        "I ⊗ Xᵀ",        "I ⊗ X"),
    ("Y = W X", "X"):        ("∂Y[i,k]/∂X[j,l] = W[i,j]·δ[k,l]",        "W ⊗ I",         "Wᵀ ⊗ I"),
    ("Y = X W", "W"):        ("∂Y[i,k]/∂W[j,l] = X[i,j]·δ[k,l]",        "X ⊗ I",         "Xᵀ ⊗ I"),
    ("Y = X W", "X"):        ("∂Y[i,k]/∂X[l,j] = δ[i,l]·W[j,k]",        "I ⊗ Wᵀ",        "I ⊗ W"),
    ("y = σ(z)", "z"):       ("∂y[i]/∂z[j] = δ[i,j]·2z[j]",             "diag(2z)",      "diag(2z)"),
    ("y = softmax(z)", "z"): ("∂y[i]/∂z[j] = δ[i,j]·y[i] − y[i]·y[j]",  "diag(y) − yyᵀ", "diag(y) − yyᵀ"),
}
UNITS = 29, 16.57             # the sides of the picture; one is 24 pixels, the side of the smallest cell
MIDDLE = {"ha": "center", "va": "center"}
ENTRY = re.compile(r"(\w+)\[([^]]+)\]")               # x[j]: a name and its indices
_COLORS = {"W": figures.KERNEL, **dict.fromkeys("xXz", figures.INPUT), **dict.fromkeys("yY", figures.OUTPUT)}
Choice = namedtuple("Choice", "expression wrt operands y D output_entry input_entry")


def derivative(expression: str, wrt: str, operands: dict[str, np.ndarray]) -> np.ndarray:
    """The derivative of each output entry with respect to each entry of operands[wrt].

    Its shape is output.shape + input.shape, numerator layout. The formula δ[i,k]·x[j], for all
    [i,k,j] at once, is einsum("ik,j->ikj", δ, x) with the identity matrix for δ. Raises ValueError for an
    expression and an operand that RULES does not have.
    """
    if (expression, wrt) not in RULES:
        raise ValueError(f"expression, wrt: got {(expression, wrt)}, expected one of {list(RULES)}")
    left, *products = re.split(" [=−] ", RULES[expression, wrt][0].replace(",", ""))
    places, arrays = "".join(at for _, at in ENTRY.findall(left)), named_arrays(expression, operands)
    size = dict(zip(places, arrays["y"].shape + operands[wrt].shape, strict=True))
    terms = []
    for factors in map(ENTRY.findall, products):
        given = [np.eye(size[at[0]]) if name == "δ" else arrays[name] for name, at in factors]
        terms.append(np.einsum(",".join(at for _, at in factors) + "->" + places, *given))
    return terms[0] - sum(terms[1:])


def named_arrays(expression: str, operands: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays by the names that they have in RULES; the output is always y."""
    return {**operands, "y": EXPRESSIONS[expression][1](**operands), "2z": 2 * operands.get("z", 0)}


def chosen(expression: str, wrt: str, output_entry: int, input_entry: int) -> Choice:
    """What the controls choose; entries are counted row by row. Without weights it is the input."""
    operands = EXPRESSIONS[expression][0]
    name = next((name for name in operands if (name == "W") == (wrt == "weights")), "z")
    y, D = named_arrays(expression, operands)["y"], derivative(expression, name, operands)
    return Choice(expression, name, operands, y, D,       # a slider may be beyond the end until `fit` runs
                min(output_entry, y.size - 1), min(input_entry, operands[name].size - 1))


def formula_lines(view: Choice) -> list[str]:
    """The formula in letters, with the chosen indices, counted from 0, and with numbers."""
    formula, arrays = RULES[view.expression, view.wrt][0], named_arrays(view.expression, view.operands)
    arrays["δ"] = np.eye(max(view.D.shape))
    number = view.output_entry * view.operands[view.wrt].size + view.input_entry        # in D, row by row
    letters, at = re.findall("[ijkl]", formula.split("=")[0]), np.unravel_index(number, view.D.shape)
    placed = formula.translate({ord(letter): str(index) for letter, index in zip(letters, at, strict=True)})
    terms = ENTRY.sub(lambda found: _number(arrays[found[1]][tuple(map(int, found[2].split(",")))], "({})"),
                      placed.split(" = ")[1])
    total, equals = _number(view.D.flat[number]), "≈" if "." in terms else "="
    return [formula, placed, f"{equals} {terms} {equals} {total}" if "·" in terms else f"= {total}"]


def derivative_viewer(by_torch: Callable) -> Explore:
    """Choose an expression and an entry, see which entries of the derivative are not 0, compare with torch.

    `by_torch(expression, wrt, operands)` returns the derivative with respect to operands[wrt], of shape
    output.shape + input.shape. The operands have the order of the expression, and σ(z) is z².
    """
    truths = {row: np.asarray(by_torch(*row, EXPRESSIONS[row[0]][0])) for row in RULES}
    expression = Dropdown(options=list(EXPRESSIONS), value="Y = W X")
    wrt = Dropdown(options=["weights", "input"], description="with respect to")
    output_entry = IntSlider(6, 0, 7, description="output entry")
    input_entry = IntSlider(3, 0, 5, description="input entry")
    output_entry.settings, input_entry.settings = [0, 1], [0, 1, 2]    # for the sweep: there in every view

    def fit(_change):
        view = chosen(expression.value, wrt.value, 0, 0)
        output_entry.max, input_entry.max = view.y.size - 1, view.operands[view.wrt].size - 1
        wrt.disabled = len(view.operands) == 1

    expression.observe(fit, "value")
    wrt.observe(fit, "value")
    return explore(_draw, lambda figure: sheet(figure, UNITS), lambda **v: _say(truths, **v), size=(700, 400),
                   expression=expression, wrt=wrt, output_entry=output_entry, input_entry=input_entry,
                   layout=ToggleButtons(options=["numerator", "denominator"]))


def _number(value, negative="{}"):
    text = f"{value + 0:.{0 if value == round(value) else 2}f}".replace("-", "−")
    return negative.format(text) if value < 0 else text


def _draw(ax, layout, **values):
    view = chosen(**values)
    left, cell, sign = 0.5, 1 if view.y.ndim == 2 else 1.4, EXPRESSIONS[view.expression][2]
    framed = [view.input_entry], _COLORS[view.wrt]
    for name, array in view.operands.items():
        left = 1 + _panel(ax, view, (left, 3.6), cell, array, _part(view, name) != 0, f"{name} {array.shape}",
                          _COLORS[name], *[framed] * (name == view.wrt))
    ax.text(left - 0.7, 3.6, sign, va="center")
    _panel(ax, view, (left + 0.33 * (len(sign) - 1), 3.6), cell, view.y, np.zeros(view.y.shape),
           f"{view.expression[0]} {view.y.shape}", figures.OUTPUT, ([view.output_entry], figures.OUTPUT))
    part, (letters, placed, numbers) = _part(view, view.wrt), formula_lines(view)
    _panel(ax, view, (0.5, 9.8), 1.9 if "." in _number(part.min()) else 1.4, part, part != 0,
           f"{placed[:placed.index('/')]}/∂{view.wrt} {part.shape}", figures.GRADIENT, framed)
    ax.text(0.5, 14.7, f"{letters}\n{placed}\n{numbers}", va="center", linespacing=1.5)
    return _draw_whole(ax, view, layout)


def _part(view, name):
    """The derivative of the chosen output entry with respect to the operand of this name."""
    D = derivative(view.expression, name, view.operands)
    return D.reshape(view.y.size, *view.operands[name].shape)[view.output_entry]


def _panel(ax, view, start, cell, values, lit, title, color, *frames):
    """A grid from its left end, around its middle; `lit` is tinted. A frame is entries and a colour."""
    shape = (1, -1) if view.expression == "y = x W" and values.ndim == 1 else (len(values), -1)
    labels = np.vectorize(_number, otypes=[object])(values).reshape(shape)     # a vector is a row or a column
    rows, columns = labels.shape
    left, top = start[0], start[1] - rows * cell / 2
    ax.text(left, top - 0.65, title, color=color, va="center")
    grid(ax, labels, (left, top), cell=cell, size=0.52 / cell if cell == 1 or "." in labels[0, 0] else 0.42)
    place = Affine2D().scale(cell).translate(left, top) + ax.transData
    ax.add_artist(Stroke(squares(lit.reshape(shape)), color, fill=True, alpha=0.25, zorder=1, place=place))
    for entries, edge in frames:
        (i, m), (j, n) = np.divmod([entries[0], entries[-1]], columns)
        ax.add_artist(Rectangle((left + j * cell, top + i * cell), (n - j + 1) * cell, (m - i + 1) * cell,
                                fill=False, ec=edge, lw=2.4, zorder=3))
    return left + columns * cell


def _draw_whole(ax, view, layout):
    """The flattened derivative with the places beside it; row and column of the chosen entries framed."""
    M, sides = view.D.reshape(view.y.size, -1), [(view.expression[0], view.y.shape, view.output_entry),
                                                 (view.wrt, view.operands[view.wrt].shape, view.input_entry)]
    M, ((of, down, i), (by, across, j)) = (M, sides) if layout == "numerator" else (M.T, sides[::-1])
    (rows, columns), cell = M.shape, min(1.9, 12 / max(M.shape))
    left, top, right = 22.2 - columns * cell / 2, 10 - rows * cell / 2, 22.2 + columns * cell / 2
    for shape, x, y in ((down, left - 0.7 - cell / 2, top), (across, left, top - 0.6 - cell / 2)):
        places = np.array([[",".join(map(str, place)) for place in np.ndindex(shape)]])
        grid(ax, places.T if y == top else places, (x, y), cell=cell, size=0.52 / cell, color="none")
    _panel(ax, view, (left, 10), cell, M, M != 0, "", figures.GRADIENT,
           (i * columns + np.arange(columns), _COLORS[of]), (j + columns * np.arange(rows), _COLORS[by]))
    lines = [[(left, y), (right, y)] for y in top + cell * np.arange(down[-1], rows, down[-1])]
    lines += [[(x, top), (x, 20 - top)] for x in left + cell * np.arange(across[-1], columns, across[-1])]
    polyline(ax, lines, figures.NEUTRAL, lw=2, capstyle="butt")
    ax.text(left - 1.6, 10, of, color=_COLORS[of], **MIDDLE)
    ax.text(22.2, top - 1.5, by, color=_COLORS[by], **MIDDLE)
    name, shape = RULES[view.expression, view.wrt][1 + (layout == "denominator")], down + across
    ax.text(22.2, top - 2.7, f"∂{view.expression[0]}/∂{view.wrt} = {name} in {layout} layout\nshape {shape}"
            + (f" → {rows} × {columns}" + ", row by row") * bool(shape[2:]), color=figures.GRADIENT, **MIDDLE)
    return M.reshape(shape)


def _say(truths, layout, **values):
    view = chosen(**values)
    (_, placed, numbers), part = formula_lines(view), _part(view, view.wrt)
    truth = truths[view.expression, view.wrt]
    first, last = (view.y, part) if layout == "numerator" else (part, view.y)
    same = truth.shape == view.D.shape and np.allclose(truth, view.D, rtol=1e-10, atol=1e-12)
    lacks = f"{view.expression[4:-3]} has no weights, so this is with respect to its input. "
    flattened = f", flattened row by row, as NumPy's ravel does, to {first.size} × {last.size}"
    return (f"{lacks * (view.wrt == 'z' and values['wrt'] == 'weights')}Counting from 0, {placed} {numbers}. "
            f"{placed[1:placed.index('/')]} depends on {np.count_nonzero(part)} of the {part.size} entries "
            f"of {view.wrt}. In {layout} layout the whole derivative has shape {first.shape + last.shape}"
            f"{flattened * (view.D.ndim > 2)}; {np.count_nonzero(view.D)} of its {view.D.size} entries are "
            f"not zero, and it {'equals' if same else 'differs from'} torch's jacobian.")
