"""The submissions of a class: whose they are, and which exercises they hold.

A folder holds one folder for each student, with that student's notebooks anywhere in it; or it holds one
notebook for each student, named after the student.
"""
import ast
import functools
import re
import warnings
from pathlib import Path
from typing import NamedTuple

import nbformat
import refresh
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

GRADED = re.compile(r"""\bgrade\(\s*["']([\w.]+)["']\s*,\s*(\w+)""")    # where Python cannot read the cell
RULE = "one folder for each student expected, or one notebook for each student"


class Call(NamedTuple):
    """A call of `grade`: the exercise, and the function and `grade` itself as the notebook writes them."""

    exercise: str
    function: str
    grade: str = "grade"


# --- whose notebooks ---------------------------------------------------------------------------

def submissions(folder: Path) -> dict[str, list[Path]]:
    """The notebooks of each student, students and notebooks in the order of their names.

    Raises ValueError when `folder` is no folder of submissions.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder: {RULE}.")
    inside = sorted(path for path in folder.iterdir() if _is_visible(path, folder))
    folders = [path for path in inside if path.is_dir()]
    files = [path for path in inside if path.suffix == ".ipynb" and path not in folders]
    if folders and files:
        raise ValueError(f"{folder} holds folders ({folders[0].name}) and notebooks ({files[0].name}): "
                         f"{RULE}.")
    if not folders and not files:
        zipped = [f"{path.name}, which must be unpacked first" for path in inside if path.suffix == ".zip"]
        raise ValueError(f"{folder} holds {(zipped or ['no notebooks'])[0]}: {RULE}.")
    return {path.stem: [path] for path in files} or {path.name: notebooks_in(path) for path in folders}


def notebooks_in(folder: Path) -> list[Path]:
    """The notebooks anywhere in a student's folder, without checkpoints and what else is hidden."""
    return sorted(path for path in folder.rglob("*.ipynb") if path.is_file() and _is_visible(path, folder))


def _is_visible(path, folder):
    """Whether no part of the path below the folder is hidden, or left by a Mac that packed it."""
    return not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)


def read(path: Path) -> NotebookNode:
    """The cells of a notebook as somebody handed it in. Raises ValueError when it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # nbformat's, of cells without an id
            cells = nbformat.read(path, 4).cells
        return nbformat.v4.new_notebook(cells=[_plain(cell) for cell in cells])
    except (OSError, ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"It cannot be read as a notebook: {said[:120].rstrip('.')}.") from None


def _plain(cell):
    """What is run of a cell; its metadata, which could ask to skip it, are left out."""
    return new_code_cell(str(cell.source)) if cell.cell_type == "code" else new_markdown_cell()


# --- which exercises ---------------------------------------------------------------------------

def calls(source: str) -> list[Call]:
    """The calls of `grade` in the source of a cell, which need not be Python."""
    try:
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError):
        return [Call(*found) for found in GRADED.findall(source)]
    return [call for node in nodes if (call := _call(node))]


def _call(node):
    """The call of `grade` that a node is; None when it is another call."""
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    given = [*node.args[:2], *(named[name] for name in ("name", "function") if name in named)]
    called = ast.unparse(node.func)
    if called.split(".")[-1] != "grade" or len(given) != 2 or not isinstance(given[0], ast.Constant):
        return None
    return Call(str(given[0].value), ast.unparse(given[1]), called)


def asked_in(nb: NotebookNode) -> list[str]:
    """The exercises of a notebook, each once, in their order."""
    return list(dict.fromkeys(call.exercise for cell in nb.cells if cell.cell_type == "code"
                              for call in calls(cell.source)))


@functools.cache
def series() -> dict[str, list[str]]:
    """The exercises of each notebook of the series that has any, by the notebook's name."""
    found = {path.stem: asked_in(refresh.load(path)) for path in refresh.notebooks()}
    return {name: exercises for name, exercises in found.items() if exercises}


def expected(nb: NotebookNode, stem: str) -> list[str]:
    """The exercises that a submission should hold: those of the notebook with which it shares most.

    Where it shares none with any, the name of its file (`stem`) says which notebook it is; [] if it does not.
    """
    asked = set(asked_in(nb))
    name = max(series(), key=lambda name: (len(asked.intersection(series()[name])), name in stem))
    return series()[name] if asked.intersection(series()[name]) or name in stem else []
