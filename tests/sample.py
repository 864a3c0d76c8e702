"""A small good notebook, with a drawing and a neighbour, for tests that plant faults in it."""
from pathlib import Path

import refresh
from nbformat import NotebookNode, v4

NAME = "00_sample.ipynb"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg"><rect width="20" height="20"/></svg>'
SETUP = """\
import matplotlib.pyplot as plt
import numpy as np
from helpers.plotting.figures import INPUT, show, use_style

use_style()"""
FIGURE = """\
x = np.linspace(0, 6, 50)
figure, axes = plt.subplots()
axes.plot(x, np.sin(x), color=INPUT)
show(figure, "A sine that falls after a quarter of its period")"""
DEFINITION = '''\
def double(x):
    """Twice `x`."""
    return 2 * x

print(double(1.5))
print("≤ 1e-12")'''
CELLS = [
    "# A small notebook\n\nSee [the picture](#The-picture), [its neighbour](01_neighbour.ipynb#One-heading), "
    "the [drawing](../images/drawing.svg) and [NumPy](https://numpy.org/doc/stable/).",
    ("code", SETUP),
    "## By hand\n\nThe sum of $f[1](x)$ and 2 is three; neither $3!$ nor `a != b` shouts.\n\n"
    "| symbol | meaning |\n|---|---|\n| $x$ | the input |\n\n$$y = 2x$$",
    ("code", DEFINITION),
    "Twice one and a half is three. Before you run this: how large is the last number?",
    ("code", "np.arange(3) + 0.5"),
    "## The picture\n\n![A drawing of one black square](../images/drawing.svg)\n\nThe same for a curve:",
    ("code", FIGURE),
    "### What to see\n\nIt falls just after the first quarter.",
    ("code", "assert double(2) == 4"),
]


def notebook(*cells: str | tuple[str, str]) -> NotebookNode:
    """Make a notebook of Markdown cells (strings) and code cells (pairs)."""
    made = [v4.new_markdown_cell(cell) if isinstance(cell, str) else v4.new_code_cell(cell[1])
            for cell in cells]
    for k, cell in enumerate(made):
        cell["id"] = f"cell-{k}"
    return refresh.canonical(v4.new_notebook(cells=made))


def shown(data: dict[str, str]) -> NotebookNode:
    """Make an output that shows `data`."""
    return v4.new_output("display_data", data=data)


def write(nb: NotebookNode, path: Path) -> Path:
    """Write a notebook as it is, in the form of the canonical ones."""
    refresh.save(refresh.dumps(nb), path)
    return path


def build(folder: Path) -> Path:
    """Write the sample, its drawing and its neighbour into `folder`, executed; return its path."""
    for name in ("notebooks", "images"):
        (folder / name).mkdir()
    (folder / "images" / "drawing.svg").write_text(DRAWING, encoding="utf-8")
    neighbour = notebook("# A neighbour\n\n## One heading\n\nNo more.")
    write(neighbour, folder / "notebooks" / "01_neighbour.ipynb")
    path = write(notebook(*CELLS), folder / "notebooks" / NAME)
    refresh.refresh(path)
    return path
