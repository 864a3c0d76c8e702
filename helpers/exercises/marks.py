"""Marks: what the grader says of a function that lives in the kernel of a submission.

`question` is a cell for that kernel; what the cell displays is given to `feedback`. The function is called
there and judged here, so that a notebook that changes the grader, or NumPy, changes its own answers at most.
Nothing of what a kernel sends is executed, or read as anything but text and numbers.
"""
import base64

import numpy as np

from helpers.exercises import asked
from helpers.exercises.exercise import Exercise
from helpers.exercises.feedback import Feedback
from helpers.exercises.grading import Answers, find, judged
from helpers.verify.settings import settings_of_a_new_kernel

KINDS = "iuf"       # of numbers: signed, unsigned, floating-point
CELL = """\
import runpy as _marks
_marks = _marks.run_path({file!r})["send"]
_marks({name!r}, lambda: {function}, lambda: {grade})
del _marks"""


class NoAnswer(Exception):
    """The kernel sent no answer that can be judged; the message says why, where that is known."""


def question(name: str, function: str, grade: str = "grade") -> str:
    """A cell that asks a notebook for the answers of its `function`, which it hands in by `grade`.

    Both are expressions as the notebook has them.
    """
    return CELL.format(file=asked.__file__, name=name, function=function, grade=grade)


@settings_of_a_new_kernel()
def feedback(name: str, sent: object) -> tuple[Feedback, bool]:
    """What the grader says of answers to the exercise `name`; and whether `grade` was replaced there.

    `sent` is what `asked.send` displayed. Raises NoAnswer when that is not an answer to the exercise.
    """
    exercise = find(name)
    try:
        answers, replaced = _answers(exercise, sent), sent["replaced"] is True
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NoAnswer("what came out of its kernel is not what the grader sends") from error
    return judged(exercise, answers), replaced


def _answers(exercise: Exercise, sent: dict) -> Answers:
    """The answers, if there are as many as there can be. Raises NoAnswer or ValueError otherwise."""
    if missing := sent.get("missing"):
        raise NoAnswer(str(missing))
    returned, stopped = tuple(map(_unpacked, sent["returned"])), str(sent["stopped"])
    attempted, asked_for = sent["attempted"] is True, len(exercise.inputs())
    if len(returned) > asked_for or attempted and not stopped and len(returned) < asked_for:
        raise ValueError(f"returned: got {len(returned)} answers, expected {asked_for}")
    return Answers(returned, stopped, attempted)


def _unpacked(packed: dict) -> np.ndarray:
    """The array that `asked` packed. Raises ValueError when it is not one of numbers."""
    dtype = np.dtype(str(packed["dtype"]))
    if dtype.kind not in KINDS:
        raise ValueError(f"dtype: got {dtype}, expected numbers")
    data = base64.b64decode(packed["data"], validate=True)
    return np.frombuffer(data, dtype).reshape([int(n) for n in packed["shape"]])
