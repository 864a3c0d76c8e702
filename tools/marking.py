"""Run a submission again, and let the grader say what it thinks of each answer: the lines of marks.csv."""
import math
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import submissions
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from helpers.exercises import asked, find, marks

# Of several answers to one exercise the first of these is taken, and of equal ones the last.
BEST = ("right", "grade replaced", "not yet", "not attempted")
REPLACED = "The notebook puts something else in the place of `grade`. The grader itself says: "
NO_EXERCISE = "It grades nothing, and its name is that of no notebook with exercises."
EMPTY = "The function is empty."


class Row(NamedTuple):
    """A line of marks.csv."""

    who: str
    notebook: str
    exercise: str
    status: str
    mistake: str = ""
    sentence: str = ""


class Run(NotebookClient):
    """Runs a submission, and keeps of what it displays errors and answers to the grader's questions only."""

    def process_message(self, msg: dict, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Drop the rest: a loop that prints must not fill the memory of this program."""
        kept = {"status", "error", "display_data"} if "asked" in cell.metadata else {"status", "error"}
        return super().process_message(msg, cell, cell_index) if msg["msg_type"] in kept else None


def rows(who: str, notebook: str, path: Path, seconds: float) -> Iterator[Row]:
    """The lines of one submission; `notebook` is what it is called in them."""
    try:
        nb = with_questions(submissions.read(path))
    except ValueError as problem:
        yield Row(who, notebook, "", "not a notebook", "", str(problem))
        return
    exercises = dict.fromkeys([*submissions.expected(nb, path.stem), *submissions.asked_in(nb)])
    if not exercises:
        yield Row(who, notebook, "", "no exercise", "", NO_EXERCISE)
        return
    ended = run(nb, path.resolve().parent, seconds)
    for exercise in exercises:
        yield Row(who, notebook, exercise, *best(answers(nb, exercise, ended)))


def with_questions(nb: NotebookNode) -> NotebookNode:
    """The notebook with the grader's question after each cell that hands in an answer."""
    cells = []
    for cell in nb.cells:
        cells.append(cell)
        for call in submissions.calls(cell.source) if cell.cell_type == "code" else []:
            cells.append(new_code_cell(marks.question(*call), metadata={"asked": call.exercise}))
    return nbformat.v4.new_notebook(cells=cells)


def run(nb: NotebookNode, folder: Path, seconds: float) -> tuple[str, str]:
    """Run the cells in their order, also after one that raises, and leave the outputs in them.

    Returns why that came to no end: a status and a sentence; two empty strings when it did.
    """
    end, number = math.inf, 0
    client = Run(nb, kernel_name="python3", allow_errors=True, store_widget_state=False, record_timing=False,
                 shutdown_kernel="immediate", extra_arguments=["--log-level=CRITICAL"],
                 timeout_func=lambda cell: max(0.1, end - time.monotonic()))
    client.log.disabled = True      # what it would say is said in the rows
    backend = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    try:
        with client.setup_kernel(cwd=str(folder), env={**os.environ, **backend},
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            end = time.monotonic() + seconds
            for i, cell in enumerate(nb.cells):
                number += "asked" not in cell.metadata
                client.execute_cell(cell, i)
                cell.metadata["ran"] = True
    except CellTimeoutError:
        return "too long", f"After {seconds:g} seconds cell {number} was still running."
    except DeadKernelError:
        return "kernel died", f"The kernel died in cell {number}."
    except Exception as error:      # whatever a submission does is a row
        return "does not run", f"In cell {number} the run ended with {type(error).__name__}: {error}."
    return "", ""


def answers(nb: NotebookNode, exercise: str, ended: tuple[str, str]) -> list[tuple[str, str, str]]:
    """Status, mistake and sentence for each time that the exercise is handed in."""
    found, before = [], None
    for cell in nb.cells:
        if cell.metadata.get("asked") == exercise:
            found.append(answer(cell, exercise, before, nb) if "ran" in cell.metadata
                         else (ended[0], "", ended[1]))
        elif "asked" not in cell.metadata:
            before = cell
    return found or [("no grade cell", "", f'No cell calls `grade("{exercise}", …)`.')]


def answer(question: NotebookNode, exercise: str, before: NotebookNode,
           nb: NotebookNode) -> tuple[str, str, str]:
    """Status, mistake and sentence of one question; `before` is the cell that handed the answer in."""
    try:
        find(exercise)
    except ValueError as unknown:
        return "no such exercise", "", f"{unknown}."
    try:
        said, replaced = marks.feedback(exercise, sent_by(question))
    except marks.NoAnswer as why:
        if raised := error_of(before):
            return "error", "", f"Its cell raises {raised}.{_first_error(nb, before)}"
        return "no answer", "", f"There is nothing to grade: {why}."
    sentence = said.sentence or EMPTY * (said.status == "not attempted")
    if replaced:
        return "grade replaced", said.mistake or "", f"{REPLACED}{said.status}. {sentence}"
    return said.status, said.mistake or "", sentence


def sent_by(question: NotebookNode) -> object:
    """What a question brought out of the kernel. Raises NoAnswer when it brought nothing."""
    for output in question.outputs[::-1]:
        if output.output_type == "display_data" and asked.KIND in output.data:
            return output.data[asked.KIND]
    raise marks.NoAnswer(f"the grader's question raised {error_of(question) or 'nothing, and sent nothing'}")


def error_of(cell: NotebookNode) -> str:
    """The error that a cell raised, in a line; "" when it raised none."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            said = (output.evalue.strip().splitlines() or ["no message"])[0]
            said = re.sub(r" \(\S+, line (\d+)\)$", r" (line \1)", said)      # the file is a cell
            return f"{output.ename}: {said[:200].rstrip('.')}"
    return ""


def _first_error(nb, cell):
    """Say which cell was the first to raise, where that is another one."""
    own = [one for one in nb.cells if "asked" not in one.metadata]
    first = next(i for i, one in enumerate(own) if error_of(one))
    return "" if own[first] is cell else f" The first error is in cell {first + 1}: {error_of(own[first])}."


def best(found: list[tuple[str, str, str]]) -> tuple[str, str, str]:
    """The best of several answers to one exercise, and of equally good ones the last."""
    return min(reversed(found), key=lambda one: (*BEST, one[0]).index(one[0]))
