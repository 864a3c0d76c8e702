"""Draw a 3–4–3–2 network with its numbers, and below it an equation of matrices, for the stepper.

One unit is a CSS pixel. The numbers are not drawn here but returned as labels, for helpers.plotting.lettering
to draw all at once.
"""
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from helpers.plotting import figures
from helpers.plotting.contrast import ink
from helpers.plotting.grids import TINT
from helpers.plotting.lettering import width_of, write
from helpers.plotting.panes import sheet
from helpers.widgets.backprop.equations import DOWN, UP, Block, two_decimals

SIZES, SIZE = (3, 4, 3, 2), (700, 424)                  # neurons of layers 0 … 3; of the picture
CENTRE, PITCH = 138, (72, 57, 72, 104)                  # of a column of neurons
COLUMNS = ((42, 66), (199, 92), (369, 92), (539, 92))   # of each layer: its middle, the width of its boxes
COST, ROW, CELL = (659, 66), 16, (50, 16)               # the last column; a line of a box; a cell below
REMARKS = 260                                           # the height of what is said about torch
# The lines of a neuron's box: figures.OUTPUT and figures.GRADIENT, as dark as small letters need.
ROWS = {"z": ink(figures.OUTPUT), "a": ink(figures.OUTPUT), "δ": ink(figures.GRADIENT)}


def heights(layer: int) -> np.ndarray:
    """The heights at which the boxes of a layer are centred, from its first neuron down."""
    return CENTRE + (np.arange(SIZES[layer]) - (SIZES[layer] - 1) / 2) * PITCH[layer]


def network_frame(figure: Figure, x: np.ndarray, y: np.ndarray) -> Axes:
    """Draw what no step changes: boxes, their names, thin lines between them, the input x, the target y."""
    ax = sheet(figure, SIZE)
    for layer, (middle, width) in enumerate(COLUMNS):
        name = {0: "layer 0: a⁰ = x", 3: "layer 3 = L"}.get(layer, f"layer {layer}")
        ax.text(max(middle, 54), 12, name, ha="center", va="center", fontsize=9.5, color=figures.NEUTRAL)
        for i, height in enumerate(heights(layer)):
            _box(ax, middle, width, height, [f"{s}{UP[layer]}{DOWN[i]} =" for s in ROWS] if layer else [])
            if layer == 0:
                _say(ax, middle, height, f"x{DOWN[i]} = {two_decimals(x[i, 0])}")
    _frame_of_cost(ax, y)
    for layer in (1, 2, 3, 4):
        ax.add_collection(LineCollection(_edges(layer).reshape(-1, 2, 2), color="#CCCCCC", lw=0.8))
    return ax


def _frame_of_cost(ax, y):
    """The last column, and below it what the marks of the cells mean."""
    ax.text(COST[0], 12, "cost", ha="center", va="center", fontsize=9.5, color=figures.NEUTRAL)
    _box(ax, *COST, CENTRE, ["C ="])
    for i, height in enumerate(heights(3)):
        _say(ax, COST[0], height, f"y{DOWN[i]} = {two_decimals(y[i, 0])}")
        ends = np.sign(CENTRE - height) * np.array([10, 43])
        ax.plot([COST[0]] * 2, height + ends, color="#BBBBBB", lw=1)
    for x, words, right in ((530, "as in torch", True), (638, "differs", False)):
        _mark(ax, (x, REMARKS - 7), (14, 14), right)
        ax.add_artist(Rectangle((x, REMARKS - 7), 14, 14, fill=False, ec=figures.NEUTRAL, lw=0.7))
        ax.text(x + 19, REMARKS, words, va="center", fontsize=9, color=figures.NEUTRAL)


def _box(ax, middle, width, height, names):
    """A box with a line for each name, or with one line."""
    rows = max(1, len(names))
    top = height - rows * ROW / 2
    ax.add_artist(Rectangle((middle - width / 2, top), width, rows * ROW, fc="white", ec=figures.NEUTRAL,
                            lw=0.9))
    for k, name in enumerate(names):
        ax.text(middle - width / 2 + 4, top + (k + 0.5) * ROW, name, va="center_baseline", fontsize=9,
                color=figures.NEUTRAL)


def _say(ax, middle, height, words):
    ax.text(middle, height, words, ha="center", va="center_baseline", fontsize=9, color=figures.INPUT)


def _edges(layer):
    """The ends of the lines into a layer, [neuron, source, end, (x, y)]; layer 4 is the cost."""
    (x0, w0), (x1, w1) = (*COLUMNS, COST)[layer - 1:layer + 1]
    ends = np.empty(((1 if layer == 4 else SIZES[layer]), SIZES[layer - 1], 2, 2))
    ends[..., 0, 0], ends[..., 1, 0] = x0 + w0 / 2, x1 - w1 / 2
    ends[..., 0, 1] = heights(layer - 1)
    ends[..., 1, 1] = CENTRE if layer == 4 else heights(layer)[:, None]
    return ends


def draw_values(ax: Axes, values: dict[tuple[str, int], np.ndarray], cost: float | None) -> None:
    """Write numbers into the boxes; `values` maps (symbol, layer), such as ("z", 1), to a column."""
    labels = {color: [] for color in ROWS.values()}
    for (symbol, layer), column in values.items():
        (middle, width), row = COLUMNS[layer], list(ROWS).index(symbol) - 1
        labels[ROWS[symbol]] += [(two_decimals(value), middle + width / 2 - 4, height + row * ROW, 1)
                                 for height, value in zip(heights(layer), column[:, 0], strict=True)]
    if cost is not None:
        labels[ROWS["z"]].append((two_decimals(cost), COST[0] + COST[1] / 2 - 4, CENTRE, 1))
    for color, words in labels.items():
        write(ax, words, color)


def draw_edges(ax: Axes, layer: int, chosen: np.ndarray, weights: np.ndarray, color: str,
               near: float) -> list[tuple]:
    """Highlight the lines into a layer, the `chosen` ones (neuron, source) strongly, with their weights.

    `near` is where on its line a weight stands, 0 at the source. Returns labels for `write`.
    """
    ends = _edges(layer)
    ax.add_artist(LineCollection(ends.reshape(-1, 2, 2), color=color, alpha=0.35, lw=1))
    ax.add_artist(LineCollection(ends[chosen], color=color, lw=2))
    labels = []
    for (start, end), weight in zip(ends[chosen], weights, strict=False):
        x, y = start + near * (end - start)
        half = width_of(two_decimals(weight)) / 2 + 2
        ax.add_artist(Rectangle((x - half, y - 7), 2 * half, 14, fc="white", ec="none", zorder=2.5))
        labels.append((two_decimals(weight), x, y, 0.5))
    return labels


def draw_focus(ax: Axes, layer: int, neuron: int | None, color: str) -> None:
    """Shade the column of a layer, 4 for the cost, and frame the box of one neuron, counted from 0."""
    middle, width = (*COLUMNS, COST)[layer]
    ax.add_artist(Rectangle((middle - width / 2 - 5, 22), width + 10, 2 * (CENTRE - 22), fc="black",
                            ec="none", alpha=0.05))      # drawn over boxes, which must show through
    if neuron is not None:
        ax.add_artist(Rectangle((middle - width / 2, heights(layer)[neuron] - 1.5 * ROW), width, 3 * ROW,
                                fill=False, ec=color, lw=2.4, zorder=3))


def write_below(ax: Axes, layer: int, right: bool) -> None:
    """Write below the lines into a layer whether the gradients of their weights are torch's."""
    x = np.mean([column[0] for column in COLUMNS[layer - 1:layer + 1]])
    ax.text(x, REMARKS, "gradients ✓ as in torch" if right else "gradients ✗ differ", ha="center",
            va="center", fontsize=9, color=figures.OUTPUT if right else "black",
            weight="normal" if right else "bold")


def draw_equation(ax: Axes, parts: list[Block | str], top: float) -> list[tuple]:
    """Draw matrices in cells, and the signs between them, side by side. Returns labels for `write`."""
    widths = [CELL[0] * part.values.shape[1] + 8 if isinstance(part, Block) else width_of(part) + 8
              for part in parts]
    left, labels, lines = (SIZE[0] - sum(widths)) / 2 + 4, [], []
    for part, width in zip(parts, widths, strict=True):
        if isinstance(part, Block):
            labels += _matrix(ax, part, (left, top + (4 - len(part.values)) / 2 * CELL[1]), lines)
        else:
            labels.append((part, left + width / 2 - 4, top + 2 * CELL[1], 0.5))
        left += width
    ax.add_artist(LineCollection(lines, color="#9A9A9A", lw=0.7))
    return labels


def _matrix(ax, block, corner, lines):
    """One matrix with its name above; its lines are added to `lines`, its labels returned."""
    (rows, columns), (left, top), (w, h) = block.values.shape, corner, CELL
    ax.text(left + columns * w / 2, top - 9, block.symbol, ha="center", va="center", fontsize=10.5,
            color=block.color)
    for i, j in np.ndindex(rows, columns) if block.agree is not None else ():
        _mark(ax, (left + j * w, top + i * h), CELL, block.agree[i, j])
    lines += [[(left, top + i * h), (left + columns * w, top + i * h)] for i in range(rows + 1)]
    lines += [[(left + j * w, top), (left + j * w, top + rows * h)] for j in range(columns + 1)]
    if block.lit:
        i, j, m, n = block.lit
        ax.add_artist(Rectangle((left + j * w, top + i * h), n * w, m * h, fill=False, zorder=3,
                                ec=block.color, lw=2.2))
    return [(two_decimals(value), left + (j + 0.5) * w, top + (i + 0.5) * h, 0.5)
            for (i, j), value in np.ndenumerate(block.values)]


def _mark(ax, corner, cell, right):
    """Tint a cell whose number equals torch's; blacken the upper right corner of one that differs."""
    (x, y), (w, h) = corner, cell
    ax.add_artist(Rectangle(corner, w, h, fc=TINT, ec="none") if right else
                  Polygon([(x + w - 8, y), (x + w, y), (x + w, y + 8)], fc="black", ec="none", zorder=3.5))
