"""What the tests of every set of exercises ask alike: torch agrees, holes are known, the notebook asks.

`in_torch` gives for the name of an exercise the function that answers its inputs by torch.
"""
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from helpers.exercises import diagnosis
from helpers.exercises.grading import Exercise, Mistake, grade

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
WORDS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
         "sixteen seventeen eighteen nineteen twenty").split()
InTorch = dict[str, Callable]


def by_torch(exercise: Exercise, in_torch: InTorch) -> list[np.ndarray]:
    """What torch answers to the inputs of an exercise; arrays reach it as tensors, all else as it is."""
    def tensor(value):
        return torch.tensor(value) if isinstance(value, np.ndarray) else value
    return [in_torch[exercise.name](*map(tensor, case.values())).numpy() for case in exercise.inputs()]


def check_truth(exercise: Exercise, in_torch: InTorch) -> None:
    """The truth is torch's, and not one of the mistakes is; of a weak test, only the one that is right."""
    truths, right = by_torch(exercise, in_torch), {"right"} if _turned_round(exercise) else set()
    assert diagnosis.all_same(exercise.answers(exercise.truth), truths), f"{exercise.name}: torch differs"
    accepted = {m.name for m in exercise.mistakes if diagnosis.all_same(exercise.answers(m.function), truths)}
    assert accepted == right, f"{exercise.name}: torch accepts {accepted - right}"


def check_hole(exercise: Exercise, hole: Mistake) -> None:
    """The weak test lets a hole's mistake through, the grader says its sentence, and honest inputs see it."""
    verdict, honest = grade(exercise.name, hole.function), len(exercise.inputs()) - 1
    assert verdict.passed and verdict.sentence.endswith(f" it. {hole.sentence}"), verdict
    said = re.search(rf"and (\d+) of {honest} honest inputs (rejects?) it\.", verdict.sentence)
    assert 1 <= int(said[1]) <= honest and (said[1] == "1") == (said[2] == "rejects")


def check_holes_differ(exercise: Exercise, holes: Iterable[Mistake]) -> None:
    """No two holes have the same answers, name or sentence; the sentences read well."""
    given = [exercise.answers(hole.function) for hole in holes]
    assert not [(i, j) for i in range(len(given)) for j in range(i) if diagnosis.all_same(given[i], given[j])]
    for said in ({hole.name for hole in holes}, {hole.sentence for hole in holes}):
        assert len(said) == len(given)
    for text in (hole.sentence for hole in holes):
        assert text[-1] == "." and "!" not in text and text.count("`") % 2 == 0


def cells(number: str, kind: str) -> list[str]:
    """The cells of notebook `number`; the test is skipped while nobody has written it."""
    paths = sorted(NOTEBOOKS.glob(f"{number}_*.ipynb"))
    if not paths:
        pytest.skip(f"notebooks/{number}_*.ipynb is not there")
    return [cell.source for cell in nbformat.read(paths[0], 4).cells if cell.cell_type == kind]


def check_asked(number: str, names: list[str]) -> None:
    """The notebook grades these exercises, in this order, and no others."""
    graded = re.findall(r'^grade\("(.*?)"', "\n".join(cells(number, "code")), re.MULTILINE)
    assert [name for name in graded if "." in name] == names


def check_counted(number: str, holes: Iterable[Mistake]) -> None:
    """The notebook says how many holes the grader knows."""
    text = " ".join(" ".join(cells(number, "markdown")).split())
    assert re.findall(r"The grader knows (\w+) by name", text) == [WORDS[len(holes)]]


def _turned_round(exercise):
    """Whether it asks for something wrong that a weak test accepts."""
    return "right" in {mistake.name for mistake in exercise.mistakes}
