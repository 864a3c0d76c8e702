"""The numbers in the derivative viewer of notebook 03 are torch's; the tinted entries are those not 0."""
import functools
import re

import numpy as np
import pytest
import torch
from ipywidgets import Dropdown
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from shown import watched

from helpers.plotting import figures
from helpers.plotting.grids import WIDEST, _glyphs
from helpers.plotting.strokes import Stroke
from helpers.widgets import derivative_viewer
from helpers.widgets.derivative_viewer import EXPRESSIONS, RULES, derivative

FORWARD = {"y = W x": lambda W, x: W @ x, "y = x W": lambda x, W: x @ W, "Y = W X": lambda W, X: W @ X,
           "Y = X W": lambda X, W: X @ W, "y = σ(z)": torch.square, "y = softmax(z)": lambda z: z.softmax(0)}
HOSTILE = {"y = W x": {"W": (3, 5), "x": (5,)}, "y = x W": {"x": (5,), "W": (5, 3)},
           "Y = W X": {"W": (4, 2), "X": (2, 3)}, "Y = X W": {"X": (4, 2), "W": (2, 3)},
           "y = σ(z)": {"z": (4,)}, "y = softmax(z)": {"z": (4,)}}
LAYOUTS = "numerator", "denominator"
WRT = {name: "weights" if name == "W" else "input" for name in "WxXz"}
CELLS = [(*row, layout) for row in RULES for layout in LAYOUTS]
COLOR = {name: figures.KERNEL if name == "W" else figures.INPUT for name in "WxXz"}


def by_torch(expression, wrt, operands):
    """The whole derivative by autograd, of shape output.shape + input.shape."""
    tensors = [torch.tensor(array) for array in operands.values()]
    return torch.func.jacrev(FORWARD[expression], list(operands).index(wrt))(*tensors).numpy()


@pytest.fixture(scope="module")
def viewer():
    return derivative_viewer.derivative_viewer(by_torch)


@functools.cache
def truth_of(expression, wrt):
    """What is shown for a row of RULES: the operands, the output, and torch's derivative."""
    operands = EXPRESSIONS[expression][0]
    y = FORWARD[expression](*map(torch.tensor, operands.values())).numpy()
    return operands, y, by_torch(expression, wrt, operands)


def settings(expression, wrt):
    """Every pair of entries that can be chosen: their numbers and their places."""
    operands, y, _ = truth_of(expression, wrt)
    for i, place in enumerate(np.ndindex(y.shape)):
        for j, spot in enumerate(np.ndindex(operands[wrt].shape)):
            yield dict(expression=expression, wrt=WRT[wrt], output_entry=i, input_entry=j), place + spot


@pytest.fixture(scope="module")
def picture(viewer):
    """For these values the axes with the picture, the labels of each grid in it, the result, the sentence."""
    @functools.cache
    def picture(expression, wrt, layout, output_entry, input_entry):
        ax = Figure(figsize=(7, 4), dpi=100).add_axes((0, 0, 1, 1))
        ax.set(xlim=viewer.stage.axes.get_xlim(), ylim=viewer.stage.axes.get_ylim())
        values = dict(expression=expression, wrt=WRT.get(wrt, wrt), layout=layout, output_entry=output_entry,
                      input_entry=input_entry)
        with pytest.MonkeyPatch.context() as patch:
            grids = watched(patch, derivative_viewer, "grid")
            result = viewer.draw(ax, **values)
        return ax, [(labels, look) for labels, *_, look in grids], result, viewer.describe(**values)
    return picture


def grids(ax, shapes):
    """Of each grid with numbers, in the order of drawing: the tinted cells, and the cells in each frame."""
    tints, frames, paper = [], [], None
    for one in ax.get_children():
        if isinstance(one, Stroke):
            path = one.path.transformed(one.get_transform() - ax.transData)
        if isinstance(one, Stroke) and one.lw == 0.7:
            paper = path.get_extents()                                                  # of the next grid
        elif isinstance(one, Stroke) and one.color[3] == 0.25:
            corners = path.vertices.reshape(-1, 4, 2)
            tints.append(sum((covered(paper, shapes[len(tints)], Path(square).get_extents())
                              for square in corners), np.zeros(shapes[len(tints)], bool)))
            frames.append([])
        elif isinstance(one, Rectangle) and tints and one is not ax.patch:
            frames[-1].append((covered(paper, tints[-1].shape, one.get_bbox()), to_hex(one.get_edgecolor())))
    return tints, frames


def covered(paper, shape, box):
    """The cells whose middle lies in the box, of a grid of this shape that fills the paper."""
    rows, columns = np.indices(shape) + 0.5
    x = paper.x0 + columns * paper.width / shape[1]
    y = min(paper.intervaly) + rows * abs(paper.height) / shape[0]
    return (box.xmin < x) & (x < box.xmax) & (box.ymin < y) & (y < box.ymax)


@pytest.mark.parametrize("expression, wrt", RULES)
def test_every_derivative_is_torchs_for_any_shape(expression, wrt):
    rng = np.random.default_rng(0)
    operands = {name: rng.normal(size=shape) for name, shape in HOSTILE[expression].items()}
    ours, theirs = derivative(expression, wrt, operands), by_torch(expression, wrt, operands)
    assert ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("expression, wrt, layout", CELLS)
def test_the_result_is_torchs_in_both_layouts_and_has_the_name_it_is_given(picture, expression, wrt, layout):
    operands, y, truth = truth_of(expression, wrt)
    M = truth.reshape(y.size, -1)
    *_, result, sentence = picture(expression, wrt, layout, 1, 0)
    if layout == "denominator":
        truth, M = np.moveaxis(truth, range(y.ndim), range(-y.ndim, 0)), M.T
        assert truth.shape == operands[wrt].shape + y.shape
    assert result.shape == truth.shape and np.allclose(result, truth, rtol=1e-12, atol=1e-14)
    assert f"{layout} layout the whole derivative has shape {truth.shape}" in sentence
    assert f"{np.count_nonzero(truth)} of its {truth.size} entries are not zero" in sentence
    flattened = f"flattened row by row, as NumPy's ravel does, to {M.shape[0]} × {M.shape[1]};"
    assert (flattened if truth.ndim > 2 else f"{truth.shape};") in sentence
    claimed = named_matrix(RULES[expression, wrt][1 + LAYOUTS.index(layout)], expression, operands, y)
    claimed = claimed if isinstance(claimed, list) else [claimed]
    assert any(one.shape == M.shape and np.allclose(one, M) for one in claimed)


def named_matrix(name, expression, operands, y):
    """The matrix that a name such as "I ⊗ Xᵀ" stands for; a vector is a column, in y = x W a row."""
    column = {key: a if a.ndim == 2 else a[None] if expression == "y = x W" else a[:, None]
              for key, a in {**operands, "y": y}.items()}

    def one(factor):
        return column[factor[0]].T if factor.endswith("ᵀ") else column[factor]
    if name == "diag(2z)":
        return np.diag(2 * operands["z"])
    if name == "diag(y) − yyᵀ":
        return np.diag(y) - np.outer(y, y)
    if " ⊗ " not in name:
        return one(name)
    left, right = name.split(" ⊗ ")
    return [np.kron(np.eye(n), one(right)) if left == "I" else np.kron(one(left), np.eye(n))
            for n in range(1, 6)]


def value(text, arrays=None):
    """What a text such as (−3)·1 − 2·2 or δ[0,1]·x[2] amounts to."""
    return eval(text.replace("·", "*").replace("−", "-"), arrays)


@pytest.mark.parametrize("expression, wrt", RULES)
def test_the_numbers_in_the_sentence_are_true(viewer, expression, wrt):
    operands, y, truth = truth_of(expression, wrt)
    arrays = {**operands, expression[0]: y, "two_z": 2 * operands.get("z", 0), "δ": np.eye(12)}
    for values, place in settings(expression, wrt):
        sentence = viewer.describe(**values, layout="numerator")
        out, of = (",".join(map(str, part)) for part in (place[:y.ndim], place[y.ndim:]))
        found = re.search(r"Counting from 0, ∂(\w)\[(.+?)\]/∂(\w)\[(.+?)\] = (.+?) ([=≈] .+?)\. (\w.+)",
                          sentence)
        assert found.groups()[:4] == (expression[0], out, wrt, of)
        formula, numbers, rest = found.groups()[4:]
        *terms, total = re.split(" [=≈] ", numbers[2:])
        slack = 0.005 if "≈" in numbers else 0      # of a rounded number, and twice that of their products
        assert np.isclose(value(formula.replace("2z", "two_z"), arrays), truth[place])
        assert np.isclose(value(total), truth[place], atol=slack)
        assert all(np.isclose(value(term), truth[place], atol=2 * slack) for term in terms)
        moved = np.count_nonzero(truth[place[:y.ndim]])
        assert rest.startswith(f"{expression[0]}[{out}] depends on {moved} of the {operands[wrt].size} ")
        assert "equals torch's jacobian" in rest and not re.search("[·−] ?−", numbers)


def nudged(expression, name, place):
    """The entries of an operand of which a nudge moves the output entry at this place."""
    operands = {key: torch.tensor(array) for key, array in EXPRESSIONS[expression][0].items()}
    y, moved = FORWARD[expression](*operands.values()), np.zeros(operands[name].shape, bool)
    for spot in np.ndindex(moved.shape):
        other = {key: array.clone() for key, array in operands.items()}
        other[name][spot] += 0.25
        moved[spot] = FORWARD[expression](*other.values())[place] != y[place]
    return moved


def flat(expression, array):
    """A vector as it stands in the expression."""
    return array if array.ndim == 2 else array[None] if expression == "y = x W" else array[:, None]


def only(shape, *place):
    """True at this place, which may hold slices, and nowhere else."""
    mask = np.zeros(shape, bool)
    mask[place] = True
    return mask


def expected(expression, wrt, layout, i, j):
    """The masks of what must be tinted, and of what must be framed in which colour, grid by grid."""
    operands, y, truth = truth_of(expression, wrt)
    place, spot = np.unravel_index(i, y.shape), np.unravel_index(j, operands[wrt].shape)
    entry = flat(expression, only(operands[wrt].shape, *spot)), COLOR[wrt]
    whole, turn = truth.reshape(y.size, -1), 1 if layout == "numerator" else -1
    row, column = only(whole.shape, i), only(whole.shape, slice(None), j)
    row, column, whole = (mask if turn == 1 else mask.T for mask in (row, column, whole != 0))
    tints = [nudged(expression, name, place) for name in operands]
    tints += [only(y.shape, slice(0)), truth[place] != 0]          # nothing of the output; the slice
    frames = [*([entry] if name == wrt else [] for name in operands),
              [(flat(expression, only(y.shape, *place)), figures.OUTPUT)], [entry],
              [(row, figures.OUTPUT), (column, COLOR[wrt])][::turn]]
    return [*(flat(expression, tint) for tint in tints), whole], frames


@pytest.mark.parametrize("expression, wrt, layout", CELLS)
def test_what_counts_is_lit_and_what_is_chosen_is_framed(picture, expression, wrt, layout):
    pairs = [(v["output_entry"], v["input_entry"]) for v, _ in settings(expression, wrt)]
    for pair in [(1, 2), *pairs[::len(pairs) // 2]]:
        lit, framed = expected(expression, wrt, layout, *pair)
        tints, frames = grids(picture(expression, wrt, layout, *pair)[0], [mask.shape for mask in lit])
        assert all(np.array_equal(*pair) for pair in zip(tints, lit, strict=True))
        for these, those in zip(frames, framed, strict=True):
            assert all(np.array_equal(mask, other) and color == name.lower()
                       for (mask, color), (other, name) in zip(these, those, strict=True))


@pytest.mark.parametrize("expression, wrt, layout", CELLS)
def test_the_drawn_numbers_are_torchs_and_legible(picture, expression, wrt, layout):
    _, seen, *_ = picture(expression, wrt, layout, 1, 0)
    operands, y, truth = truth_of(expression, wrt)
    part, whole = truth.reshape(y.size, -1)[1].reshape(operands[wrt].shape), truth.reshape(y.size, -1)
    numbers = [*(flat(expression, array) for array in (*operands.values(), y, part)), whole]
    places = [[",".join(map(str, place)) for place in np.ndindex(shape)] for shape in (y.shape, part.shape)]
    if layout == "denominator":
        numbers[-1], places = whole.T, places[::-1]
    *small, rows, columns, large = [labels for labels, _ in seen]
    assert rows.tolist() == [[place] for place in places[0]] and columns.tolist() == [places[1]]
    for labels, values in zip([*small, large], numbers, strict=True):
        assert labels.shape == values.shape
        assert np.allclose(np.vectorize(value)(labels), values, atol=0.005, rtol=0)
    for labels, look in seen:
        widest = max(_glyphs(label)[2] for label in labels.flat)
        points = min(look["size"], WIDEST / widest) * look["cell"] * 700 / 29 * 0.72
        assert points > 8.95 and look["size"] * look["cell"] <= 1


@pytest.mark.parametrize("expression, wrt, layout", [*CELLS, ("y = σ(z)", "weights", "numerator")])
def test_no_text_is_cut_off_or_lies_on_another(picture, expression, wrt, layout):
    ax, *_ = picture(expression, wrt, layout, 1, 2)
    words = [text for text in ax.texts if text.get_text()]
    boxes = [text.get_window_extent(FigureCanvasAgg(ax.figure).get_renderer()) for text in words]
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 700 and box.y1 <= 400 for box in boxes)
    assert all(text.get_fontsize() >= 9 for text in words)
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:k]), words[k].get_text()


LIES = {"one entry": lambda D: D + (np.arange(D.size) == D.size - 1).reshape(D.shape), "axes": np.transpose,
        "flattened": np.ravel, "an axis more": lambda D: D[None]}
UNTOUCHED = {("y = σ(z)", "z"), ("y = softmax(z)", "z"), ("y = x W", "W")}      # by turning all axes round


@pytest.mark.parametrize("lie", LIES)
def test_a_liar_is_exposed(lie):
    liar = derivative_viewer.derivative_viewer(lambda *row: LIES[lie](by_torch(*row)))
    for expression, wrt in RULES:
        said = liar.describe(expression=expression, wrt=WRT[wrt], output_entry=0, input_entry=0,
                             layout="numerator")
        true = lie == "axes" and (expression, wrt) in UNTOUCHED
        assert said.endswith(("equals" if true else "differs from") + " torch's jacobian.")


def test_torch_is_asked_for_each_row_once_and_gets_the_operands_in_order():
    asked = []
    derivative_viewer.derivative_viewer(lambda *row: asked.append(row) or by_torch(*row))
    assert [row[:2] for row in asked] == list(RULES)
    assert all(list(row[2]) == re.findall("[WXxz]", row[0].split("= ")[1].replace("softmax", ""))
               for row in asked)


@pytest.mark.parametrize("expression, name", [("y = σ(z)", "σ"), ("y = softmax(z)", "softmax")])
def test_without_weights_it_is_the_input_and_says_so(viewer, expression, name):
    viewer.reset()
    viewer.set(expression=expression)
    control = viewer.controls["wrt"]
    assert isinstance(control, Dropdown) and control.value == "weights" and control.disabled
    assert viewer.sentence.startswith(f"{name} has no weights, so this is with respect to its input.")
    picture = viewer.png()
    viewer.set(wrt="input")
    assert "has no weights" not in viewer.sentence and viewer.png() == picture
    viewer.reset()
    assert not control.disabled and "has no weights" not in viewer.sentence


def test_the_sliders_reach_every_entry_and_no_other(viewer):
    for expression, wrt in RULES:
        viewer.reset()
        viewer.set(expression=expression, wrt=WRT[wrt])
        operands, y, _ = truth_of(expression, wrt)
        ends = {"output_entry": y.size - 1, "input_entry": operands[wrt].size - 1}
        assert {name: viewer.controls[name].max for name in ends} == ends


def test_one_control_may_move_while_the_others_stand_at_their_ends(viewer):
    """As in a browser, where a slider is moved back by the choice of a smaller expression."""
    for expression in ("y = W x", "Y = X W", "y = σ(z)"):
        viewer.reset()
        viewer.set(expression="Y = W X", wrt="input")
        viewer.set(output_entry=7, input_entry=11)
        viewer.controls["expression"].value = expression
        for wrt in ("weights", "input"):
            viewer.controls["wrt"].value = wrt
            name = next((key for key, kind in WRT.items() if (expression, key) in RULES and kind == wrt), "z")
            assert np.allclose(viewer.result, truth_of(expression, name)[2])
    assert viewer.errors == []


@pytest.mark.parametrize("expression, wrt", [("y = W x", "X"), ("y = σ(z)", "W"), ("y = x", "x")])
def test_what_is_not_there_is_refused_in_words(expression, wrt):
    with pytest.raises(ValueError, match="expression, wrt: got .* expected one of"):
        derivative(expression, wrt, {"W": np.ones((2, 3)), "x": np.ones(3)})
