"""Every exercise: its worked solution passes, each named mistake is caught and named, each hole is told.

Every exercise of every module of helpers/exercises/questions/ is found here. A new one needs no test of its
own but its answer by torch, in test_in_torch.py.
"""
import importlib
import inspect
import re
from dataclasses import replace
from pathlib import Path

import exercise_report
import nbformat
import numpy as np
import prose
import pytest

from helpers.exercises import diagnosis
from helpers.exercises import grading as engine
from helpers.exercises.changes import changed
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.feedback import Feedback
from helpers.exercises.grading import grade
from helpers.exercises.questions import convolution

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for path in ROOT.glob("helpers/exercises/questions/*.py") if path.stem != "__init__")
SETS = [importlib.import_module(f"helpers.exercises.questions.{path.stem}") for path in FILES]
EXERCISES = [exercise for module in SETS for exercise in module.EXERCISES]
WORDS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
         "sixteen seventeen eighteen").split()


def each(exercises):
    return pytest.mark.parametrize("exercise", exercises, ids=[exercise.name for exercise in exercises])


# --- what must hold of an exercise; each is turned red by a planted fault below -----------------

def check_solution(exercise: Exercise) -> None:
    verdict = judged(exercise, exercise.solution)
    assert verdict.passed, f"{exercise.name}: the worked solution fails\n{verdict}"
    assert verdict.mistake is None


def check_mistake(exercise: Exercise, mistake: Mistake) -> None:
    verdict = judged(exercise, mistake.function)
    assert not verdict.passed, f"{exercise.name}: {mistake.name!r} is not caught"
    taken = f"{exercise.name}: {mistake.name!r} is taken for {verdict.mistake!r}"
    assert verdict.mistake == mistake.name, taken
    assert mistake.sentence == verdict.sentence


def check_hole(exercise: Exercise, hole: Mistake) -> None:
    """The weak test lets a hole's mistake through, the grader says its sentence, and honest inputs see it."""
    verdict, honest = judged(exercise, hole.function), len(exercise.inputs()) - 1
    assert verdict.passed and verdict.sentence.endswith(f" it. {hole.sentence}"), verdict
    said = re.search(rf"and (\d+) of {honest} honest inputs (rejects?) it\.", verdict.sentence)
    assert 1 <= int(said[1]) <= honest and (said[1] == "1") == (said[2] == "rejects")


def check_distinct(exercise: Exercise, mistakes: tuple[Mistake, ...]) -> None:
    """No two of them have one name, one sentence or the same answers."""
    given = {mistake.name: exercise.answers(mistake.function) for mistake in mistakes}
    assert len(given) == len(mistakes), f"{exercise.name}: two mistakes have one name"
    assert len({mistake.sentence for mistake in mistakes}) == len(mistakes)
    names = list(given)
    twins = [(a, b) for i, a in enumerate(names) for b in names[:i] if diagnosis.all_same(given[a], given[b])]
    assert not twins, f"{exercise.name}: no input tells apart {twins}"


def judged(exercise: Exercise, function) -> Feedback:
    """What grade says, of an exercise that need not be registered."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):     # a mistake may divide by 0
        patch.setattr(engine, "find", lambda name: exercise)
        return grade(exercise.name, function)


# --- every exercise -----------------------------------------------------------------------------

@each(EXERCISES)
def test_the_worked_solution_passes(exercise):
    check_solution(exercise)
    assert engine.find(exercise.name) is exercise


@each(EXERCISES)
def test_every_mistake_is_caught_and_named(exercise, record_property):
    check_distinct(exercise, exercise.mistakes)
    for mistake in exercise.mistakes:
        check_mistake(exercise, mistake)
    record_property(exercise_report.PROPERTY, exercise_report.table(exercise))


@each([exercise for exercise in EXERCISES if exercise.holes])
def test_every_hole_of_a_weak_test_is_recognised(exercise):
    check_distinct(exercise, exercise.holes)
    for hole in exercise.holes:
        check_hole(exercise, hole)


@each(EXERCISES)
def test_inputs_are_the_same_every_time_and_the_first_is_small(exercise):
    once, again = exercise.inputs(), exercise.inputs()
    assert repr(once) == repr(again) and len(once) >= 3

    def entries(case):
        return sum(np.size(value) for value in case.values())
    assert exercise.judge or entries(once[0]) == min(map(entries, once))
    asked = inspect.signature(exercise.called(exercise.solution), follow_wrapped=False)
    assert all(list(case) == list(asked.parameters) for case in once)
    hostile = [value for value in once[-1].values() if isinstance(value, np.ndarray)]
    assert all(len(set(array.shape)) == array.ndim and array.all() for array in hostile)


@each(EXERCISES)
def test_the_untouched_stub_is_harmless(exercise):
    names = {"grade": lambda name, function: judged(exercise, function)}
    *definition, last = exercise.stub().splitlines()
    exec("\n".join(definition), names)
    verdict = eval(last, names)
    assert verdict.status == "not attempted" and not verdict.passed
    assert repr(verdict) == f"○ {exercise.title}: not attempted"
    assert max(map(len, exercise.stub().splitlines())) <= 79


@each(EXERCISES)
def test_hints_and_solution_are_folded_below_and_read_well(exercise):
    for verdict, folds in ((judged(exercise, lambda: ...), len(exercise.hints) + 1),
                           (judged(exercise, exercise.solution), 1)):
        page = verdict._repr_html_()
        assert page.count("<details>") == page.count("</details>") == folds
        assert " open" not in page and f"def {exercise.solution.__name__}" in page
    assert max(map(len, exercise.source().splitlines())) <= 79
    for text in (*exercise.hints, *(known.sentence for known in (*exercise.mistakes, *exercise.holes))):
        assert text[-1] in ".?" and "!" not in text and text.count("`") % 2 == 0
        assert not re.search(r"[<>&]", prose.Html(text).text)


# --- the notebooks ------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def notebooks():
    """The cells of every notebook, by its file's name."""
    return {path.name: nbformat.read(path, 4).cells for path in sorted(ROOT.glob("notebooks/*.ipynb"))}


def test_notebooks_hold_the_stubs_as_they_are_defined_each_once(notebooks):
    """In the notebook that the first line of the questions' module names."""
    wanted = sorted((re.search(r"notebooks/(\w+\.ipynb)", module.__doc__)[1], exercise.stub())
                    for module in SETS for exercise in module.EXERCISES)
    sources = [(name, cell.source) for name, cells in notebooks.items() for cell in cells
               if cell.cell_type == "code" and re.search(r"^grade\(", cell.source, re.MULTILINE)]
    found = sorted((name, stub) for name, source in sources for _, stub in wanted if stub in source)
    assert len(found) == len(sources), "a cell is graded that holds no stub of helpers/exercises/questions/"
    assert found == wanted


def test_the_notebooks_say_how_many_holes_are_known_by_name(notebooks):
    for module in SETS:
        cells = notebooks[re.search(r"notebooks/(\w+\.ipynb)", module.__doc__)[1]]
        text = " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())
        known = [WORDS[len(exercise.holes)] for exercise in module.EXERCISES if exercise.holes]
        assert not known or re.findall(r"The grader knows (\w+) by name", text) == known


# --- planted faults: each check above can fail --------------------------------------------------

def test_a_wrong_worked_solution_turns_it_red():
    for exercise in EXERCISES:
        with pytest.raises(AssertionError, match="worked solution fails"):
            wrong = exercise.mistakes[0].function
            check_solution(replace(exercise, solution=lambda *given, wrong=wrong: wrong(*given)))


def test_a_mistake_that_is_no_mistake_turns_it_red():
    harmless = Mistake("harmless", "This is right.", lambda dy: np.einsum("nopq->o", dy))
    with pytest.raises(AssertionError, match="not caught"):
        check_mistake(replace(convolution.DB, mistakes=(harmless,)), harmless)


def test_a_mistake_given_twice_turns_it_red():
    twin = Mistake("twin", "The same again.", lambda dy: dy.sum((0, 2, 3)) / dy[:, 0].size)
    doubled = replace(convolution.DB, mistakes=(*convolution.DB.mistakes, twin))
    with pytest.raises(AssertionError, match="taken for 'mean of all'"):
        check_mistake(doubled, twin)
    with pytest.raises(AssertionError, match="no input tells apart"):
        check_distinct(doubled, doubled.mistakes)


def test_a_mistake_that_only_large_inputs_expose_needs_them():
    small = replace(convolution.DX, cases=lambda rng: list(convolution.DX.cases(rng))[:2])
    with pytest.raises(AssertionError, match="not caught"):
        check_mistake(small, next(m for m in small.mistakes if m.name == "first filter"))


def test_a_hole_that_the_weak_test_sees_turns_it_red():
    seen = Mistake("seen", "A factor of 2 is hidden.", lambda dy, W: 2 * convolution.wrong_dx(dy, W))
    with pytest.raises(AssertionError):
        check_hole(convolution.BREAK, seen)


def test_a_change_that_changes_nothing_is_refused():
    for change in ("no such words → 0", "The gradient of the biases → 0"):     # the docstring stays as it is
        with pytest.raises(ValueError, match="^change: .* expected in db_by_hand, got\n"):
            changed(convolution.db_by_hand, change)
    assert changed(convolution.db_by_hand, "+= → -=")(np.ones((1, 2, 2, 1))).tolist() == [-2, -2]


def test_the_report_counts():
    text = exercise_report.table(convolution.DB)
    assert re.search(r"mean over the batch +· × · × × × × ×  6/8\n", text)
    assert text.startswith(f"convolution.db: {len(convolution.DB.mistakes)} mistakes caught and named\n")
