"""Run a notebook in a kernel of its own: its outputs, a second run of each cell, a sweep of its explorers."""
import ast
import json
import math
from dataclasses import dataclass
from pathlib import Path

import refresh
from nbformat import NotebookNode

MARK = "explorers swept: "
FEWEST_WORDS = 5
COMBINATIONS = 12      # of settings of all controls together; chosen ones, as good as 20 random ones


def last_cell(combinations: int) -> str:
    """The cell that sweeps every explorer of a kernel."""
    return f"""\
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import sweep
print({MARK!r} + sweep.report({combinations}))"""


def promised(nb: NotebookNode) -> int:
    """How many explorers a notebook has, as far as its source and its stored outputs tell."""
    code = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    written = sum(isinstance(node, ast.Call) and getattr(node.func, "id", "") == "explore"
                  for source in code for node in ast.walk(ast.parse(source)))
    shown = sum('<img class="explore"' in output.get("data", {}).get("text/html", "")
                for cell in nb.cells for output in cell.get("outputs", []))
    return max(written, shown)


@dataclass
class Run:
    """A notebook with its outputs; the faults of each explorer; what a second run of a cell changes."""

    nb: NotebookNode
    explorers: list[list[str]]
    second: list[str]


def run(path: Path, patience: float = math.inf, combinations: int = COMBINATIONS) -> Run:
    """Run each cell of a notebook twice, but for those that take more than `patience` seconds; sweep."""
    nb = refresh.execute(path, last_cell(combinations), twice=True, patience=patience)
    printed = "".join(output.text for output in nb.cells.pop().outputs if output.get("name") == "stdout")
    nb, pairs = refresh.apart(nb)
    return Run(nb, json.loads(printed.split(MARK)[1]),
               [sentence for first, second in pairs if refresh.SKIPPED not in second.metadata.tags
                for sentence in changed(first, second)])


def changed(first: NotebookNode, second: NotebookNode) -> list[str]:
    """Say what a second run of a cell changes: nothing may change, or it says what to run before."""
    raised = [output for output in second.outputs if output.output_type == "error"]
    if any(one.ename == "AssertionError" or len(one.evalue.split()) < FEWEST_WORDS for one in raised):
        return [f"cell {first.id} run twice: {raised[0].ename}: {raised[0].evalue or 'not a word'}"]
    if raised or not {"nbval-ignore-output", "nbval-skip"}.isdisjoint(first.metadata.get("tags", [])):
        return []
    one, other = ("".join(map(told, cell.outputs)) for cell in (first, second))     # streams come in pieces
    return [] if one == other else [f"cell {first.id} run twice: {one!r}\nbecomes {other!r}"]


def told(output: NotebookNode) -> str:
    """What an output tells in words."""
    return output.text if output.output_type == "stream" else output.data.get("text/plain", "")
