"""Draw a graph with its numbers, and the rules of its operations below. One unit is a CSS pixel."""
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import Rectangle

from helpers.autograd import Variable
from helpers.plotting import figures
from helpers.plotting.contrast import ink
from helpers.plotting.lettering import write
from helpers.plotting.panes import scientific
from helpers.widgets.graph_stepper.expression import Tape
from helpers.widgets.graph_stepper.layout import COLUMNS, ROOM, Layout, Slot

SIZE = 700, 448                       # of the picture
TOP, TALL, BOX = 26, 262, (66, 46)    # where the graph begins, how high it is; the size of a box
EDGE, BELOW, LINE = 44, 318, 19       # the middle of the first column; the first rule; a line of text
INK = {color: ink(color) for color in (figures.INPUT, figures.KERNEL, figures.OUTPUT, figures.GRADIENT)}
RULES = {   # operation: forward, and what each input gets
    "add": ("y = u + v", "du = dy,  dv = dy"), "subtract": ("y = u − v", "du = dy,  dv = −dy"),
    "multiply": ("y = u·v", "du = dy·v,  dv = dy·u"), "divide": ("y = u/v", "du = dy/v,  dv = −dy·y/v"),
    "negate": ("y = −u", "du = −dy"), "power": ("y = uⁿ", "du = dy·n·uⁿ⁻¹"),
    "exp": ("y = exp u", "du = dy·y"), "log": ("y = ln u", "du = dy/u"),
    "tanh": ("y = tanh u", "du = dy·(1 − y²)"), "relu": ("y = max(u, 0)", "du = dy where u > 0, else 0"),
}


def centre(slot: Slot, layout: Layout) -> np.ndarray:
    """The middle of a slot, in pixels."""
    pitch = (SIZE[0] - 2 * EDGE) / (COLUMNS - 1)
    columns = max(layout.column.values())
    start = EDGE + (COLUMNS - 1 - columns) * pitch / 2
    return np.array([start + slot[1] * pitch, TOP + layout.height[slot] * TALL / ROOM])


def draw_lines(ax: Axes, layout: Layout, lit: set[tuple[Variable, Variable]], color: str) -> None:
    """All lines; those of `lit` pairs (input, operation) in colour."""
    shown = {True: [], False: []}
    for (start, end), goals in layout.lines.items():
        left, right = centre(start, layout), centre(end, layout)
        passes = layout.column[end[0]] != end[1]
        points = [left + [BOX[0] / 2, 0], right - [BOX[0] / 2, 0], *[right + [BOX[0] / 2, 0]] * passes]
        shown[any((start[0], goal) in lit for goal in goals)].append(points)
    ax.add_artist(LineCollection(shown[False], colors="#BBBBBB", lw=1.1))
    ax.add_artist(LineCollection(shown[True], colors=color, lw=2.2))


def draw_boxes(ax: Axes, tape: Tape, layout: Layout, focus: Variable | None, color: str) -> None:
    """A box for each Variable, that in focus in colour, with its label."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * BOX / 2
    for chosen, edge, width in (False, figures.NEUTRAL, 0.9), (True, color, 2.4):
        at = [centre((v, c), layout) + corners for v, c in layout.column.items() if (v is focus) is chosen]
        ax.add_artist(PolyCollection(at, fc="white", ec=edge, lw=width))
    for kind in figures.INPUT, figures.KERNEL, figures.OUTPUT:
        write(ax, [(tape.labels[v], *(centre((v, c), layout) - [0, 14]), 0.5)
                   for v, c in layout.column.items() if color_of(v, tape) == kind], INK[kind])


def color_of(variable: Variable, tape: Tape) -> str:
    """An operation is an output; W and b are weights; x, t and numbers are inputs."""
    if not variable.is_leaf:
        return figures.OUTPUT
    return figures.KERNEL if tape.labels[variable] in ("W", "b") else figures.INPUT


def draw_numbers(ax: Axes, layout: Layout, values: dict[Variable, float],
                 gradients: dict[Variable, float]) -> None:
    """Below the label the value, below that the gradient."""
    for numbers, color, lower in (values, figures.OUTPUT, 1), (gradients, figures.GRADIENT, 15):
        write(ax, [(scientific(number, 3), *(centre((v, layout.column[v]), layout) + [0, lower]), 0.5)
                   for v, number in numbers.items() if v in layout.column], INK[color])


def draw_rules(ax: Axes, names: list[str], lit: str | None, backward: bool, line: str) -> None:
    """The rules of these operations in two columns, the one in use in colour; the line with numbers."""
    color = figures.GRADIENT if backward else figures.OUTPUT
    for x, word in ((16, "forward"), (120, "VJP")):
        ax.text(x, BELOW - 21, word, fontsize=9, color=figures.NEUTRAL, va="center")
    for i, name in enumerate(names):
        x, y = 16 + 342 * (i % 2), BELOW + LINE * (i // 2)
        words = [(RULES[name][0], x, y, 0), (RULES[name][1], x + 104, y, 0)]
        if name == lit:
            ax.add_artist(Rectangle((x - 8, y - 9), 334, 18, fc=color, ec="none", alpha=0.18))
            write(ax, words[:1], INK[figures.OUTPUT])
            write(ax, words[1:], INK[figures.GRADIENT] if backward else "black")
        else:
            write(ax, words, figures.NEUTRAL)
    ax.text(SIZE[0] / 2, SIZE[1] - 18, line, ha="center", va="center", color=INK[color], fontsize=10.5)
