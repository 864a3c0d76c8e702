"""Marks for a class: the notebooks it gets, whose submissions come back, what each answer gets, and what
cannot be faked.

A class of several students is marked once, with real kernels; what needs no kernel is asked of functions.
"""
import base64
import contextlib
import csv
import io
import itertools
import json
import time

import claims
import marking
import marks as command
import mistakes
import nbformat
import numpy as np
import pytest
import submissions
from marking import Row
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from helpers.exercises import asked, marks
from helpers.exercises.grading import find, grade
from helpers.plotting import contrast

SETUP = "import numpy as np\nfrom helpers.exercises import grade"
RIGHT = 'def db_by_hand(dy):\n    return dy.sum((0, 2, 3))\n\n\ngrade("convolution.db", db_by_hand)'
WRONG = RIGHT.replace("((0, 2, 3))", "((0, 2, 3)) / len(dy)")
NAMED = "mean over the batch"
SENTENCE = next(one.sentence for one in find("convolution.db").mistakes if one.name == NAMED)
SIZE = 'grade("convolution.size", lambda n, k, s, p, d: (n + 2*p - d*(k - 1) - 1) // s + 1)'
FAKES = """\
import io, sys
import helpers.exercises.grading as grading
from helpers.exercises import diagnosis, feedback, sandbox

def grade(name, function):
    return feedback.Feedback(name, "right", "Right on all inputs.")

grading.grade = grading.judged = grading.compare = grade
grading.ask = sandbox.call = lambda *given: 0
diagnosis.same = diagnosis.all_same = lambda *given: True
np.linalg.norm = lambda *given, **named: 0.0
np.allclose = lambda *given, **named: True
print = json = display = base64 = list = str = None
sys.modules["json"] = sys.modules["base64"]
sys.stdout = io.StringIO()"""
STUB = find("convolution.dW").stub()
OLDER = 'grade("convolution.db", lambda dy: dy.sum())'
UNREAD = "def dx_by_hand(dy, W):\n    return (\n\n\ngrade('convolution.dx', dx_by_hand)"
LOOP = "while True:\n    print('x' * 99)"
DIES = "import os\nos._exit(1)"


def written(path, *cells):
    """A notebook of these cells, in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(new_notebook(cells=list(map(new_code_cell, cells)))), encoding="utf-8")


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """A class, marked once: its rows by student and exercise, what was printed, and where all is."""
    folder = tmp_path_factory.mktemp("of a school") / "a class, été"
    first = "01_convolution.ipynb"
    written(folder / "anna_7_assignsubmission_file" / "deep" / first, SETUP, OLDER, RIGHT, SIZE, STUB, UNREAD,
            'grade("convolution.nothing", len)')
    written(folder / "anna_7_assignsubmission_file" / ".ipynb_checkpoints" / first, SETUP, WRONG)
    written(folder / "bob" / first, SETUP, FAKES, WRONG, SIZE)
    written(folder / "carla" / first, SETUP, WRONG, DIES, SIZE)
    (folder / "dan").mkdir()
    (folder / "dan" / "essay.pdf").touch()
    (folder / "eve").mkdir()
    (folder / "eve" / first).write_text("<<<<<<< HEAD")
    written(folder / "fay" / "diary.ipynb", "1 + 1")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert command.main([str(folder), "--seconds", "90"]) == 0
    out = folder.with_name("a class, été-marks")
    with (out / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [Row(**line) for line in csv.DictReader(file)]
    return rows, said.getvalue(), out


def of(marked, who, exercise=""):
    """The one row of a student and an exercise."""
    [row] = [row for row in marked[0] if row.who.startswith(who) and row.exercise == exercise]
    return row


# --- what each answer gets ---------------------------------------------------------------------

def test_answers_are_marked_as_grade_marks_them(marked):
    assert of(marked, "anna", "convolution.db")[3:] == ("right", "", "Right on all 8 inputs.")
    assert of(marked, "anna", "convolution.size").status == "right"
    assert of(marked, "anna", "convolution.dW")[3:] == ("not attempted", "", marking.EMPTY)
    row = of(marked, "carla", "convolution.db")
    assert row[3:] == ("not yet", NAMED, SENTENCE)


def test_what_cannot_be_graded_is_a_row_with_its_own_status(marked):
    row = of(marked, "anna", "convolution.dx")
    assert row.status == "error" and row.sentence.startswith("Its cell raises SyntaxError: ")
    assert of(marked, "anna", "convolution.weak_test").status == "no grade cell"
    row = of(marked, "anna", "convolution.nothing")
    assert row.status == "no such exercise" and "convolution.db" in row.sentence
    assert of(marked, "carla", "convolution.size")[3:] == ("kernel died", "", "The kernel died in cell 3.")
    assert of(marked, "dan")[3:] == ("no notebook", "", "The folder holds no notebook; it holds essay.pdf.")
    row = of(marked, "eve")
    assert row.status == "not a notebook" and row.sentence.startswith("It cannot be read as a notebook: ")
    assert of(marked, "fay").status == "no exercise"


def test_a_notebook_that_changes_the_grader_and_numpy_fakes_nothing(marked):
    row = of(marked, "bob", "convolution.db")
    assert (row.status, row.mistake) == ("grade replaced", NAMED)
    assert row.sentence == f"{marking.REPLACED}not yet. {SENTENCE}"
    row = of(marked, "bob", "convolution.size")
    assert row[3:] == ("grade replaced", "", f"{marking.REPLACED}right. Right on all 9 inputs.")


def test_rows_are_in_the_order_of_names_and_of_the_notebook(marked):
    names = [row.who for row in marked[0]]
    assert names == sorted(names) and len(set(names)) == 6
    assert {row.notebook for row in marked[0]} == {"deep/01_convolution.ipynb", "01_convolution.ipynb",
                                                   "diary.ipynb", ""}
    asked_for = [row.exercise for row in marked[0] if row.who == "bob"]
    assert asked_for == submissions.series()["01_convolution"]
    assert (marked[2] / "marks.csv").read_bytes().startswith(b"\xef\xbb\xbfwho,notebook,exercise,status,")


def test_it_warns_before_it_runs_anything_and_shows_how_far_it_is(marked):
    printed = marked[1]
    assert printed.startswith(command.WARNING) and "container" in command.WARNING
    assert [f"{k}/6  " in printed for k in range(8)] == [False] + 6 * [True] + [False]
    assert "1/6  anna_7_assignsubmission_file  deep/01_convolution.ipynb … 2 right, " in printed


def test_what_the_class_gets_wrong_is_said_and_drawn(marked):
    text = (marked[2] / "mistakes.md").read_text(encoding="utf-8")
    assert f"| 2 | The gradient of the bias | {SENTENCE} |" in text
    assert "| The size of the output | 1 | 0 | 0 | 2 |" in text
    assert NAMED not in text and "    2 of 6  The gradient of the bias: This is" in marked[1]
    with Image.open(marked[2] / "mistakes.png") as picture:
        words = picture.info["Description"]
    assert f"![{words}](mistakes.png)" in text
    assert "2 of 6 in “The gradient of the bias”: This is the right gradient divided by N" in words


@pytest.mark.parametrize("name", [
    "convolution.db", "labs.second", "network.break_it", "pytorch.swish",
    *(pytest.param(name, marks=pytest.mark.long) for name in claims.exercises())])
def test_asked_from_outside_the_grader_says_the_same(name, monkeypatch):
    sent = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: sent.append(json.dumps(data)))
    exercise = find(name)
    functions = exercise.solution, exercise.mistakes[0].function, lambda: ..., lambda *given: 1 / 0, 3
    for function in functions:
        asked.send(name, lambda function=function: function, lambda: grade)
        said, replaced = marks.feedback(name, json.loads(sent.pop())[asked.KIND])
        assert said == grade(name, function) and not replaced


# --- how long, and what a kernel may send ------------------------------------------------------

def test_a_submission_that_does_not_end_is_stopped(tmp_path):
    nb, began = new_notebook(cells=[new_code_cell(source) for source in ("1", LOOP, "2")]), time.monotonic()
    assert marking.run(nb, tmp_path, 2) == ("too long", "After 2 seconds cell 2 was still running.")
    assert time.monotonic() - began < 40 and not nb.cells[1].outputs
    assert ["ran" in cell.metadata for cell in nb.cells] == [True, False, False]


def packed(*arrays, **others):
    """What the kernel sends of these arrays."""
    return {"returned": [{"dtype": a.dtype.str, "shape": list(a.shape),
                          "data": base64.b64encode(a.tobytes()).decode()} for a in map(np.asarray, arrays)],
            "stopped": "", "attempted": True, "replaced": False} | others


ONE = packed(np.ones(2))["returned"][0]


@pytest.mark.parametrize("sent", [
    None, "right", {}, {"status": "right"}, {"missing": "NameError: name 'f' is not defined"}, packed(),
    packed(*7 * [np.ones(1)]), packed(*9 * [np.ones(1)], stopped="It raised."), packed(returned=8 * [{}]),
    *(packed(returned=8 * [ONE | wrong]) for wrong in (
        {"dtype": "|O"}, {"dtype": "U4", "shape": [1]}, {"dtype": "c16", "shape": [1]}, {"dtype": "no"},
        {"shape": [3]}, {"shape": ["2"], "data": "?"}, {"data": 5})),
    packed() | {"stopped": None, "returned": None}])
def test_what_is_no_answer_is_none(sent):
    with pytest.raises(marks.NoAnswer):
        marks.feedback("convolution.db", sent)


def test_an_error_of_the_grader_itself_is_no_answer_of_the_student(monkeypatch):
    def broken(*_):
        raise ValueError("a fault in the grader")
    monkeypatch.setattr(marks, "judged", broken)
    with pytest.raises(ValueError, match="a fault in the grader"):
        marks.feedback("convolution.db", packed(*8 * [np.ones(1)]))


def test_numbers_are_judged_here_whatever_else_is_sent():
    right = find("convolution.db").answers(find("convolution.db").truth)
    assert marks.feedback("convolution.db", packed(*right))[0].passed
    forged = packed(*(2 * array for array in right), status="right", passed=True)
    assert marks.feedback("convolution.db", forged)[0].sentence == "It is right but for a factor of 2."


# --- whose, and which exercises ----------------------------------------------------------------

def test_one_notebook_for_each_student_is_a_class_too(tmp_path):
    for name in ("zoe", "abe"):
        written(tmp_path / f"{name}.ipynb", "1")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "list.txt").touch()
    found = submissions.submissions(tmp_path)
    assert list(found) == ["abe", "zoe"] and found["abe"] == [tmp_path / "abe.ipynb"]
    assert command.name_of(tmp_path / "abe.ipynb", tmp_path / "abe") == "abe.ipynb"


@pytest.mark.parametrize("make, said", [
    (lambda folder: None, "holds no notebooks: one folder for each student expected, or one notebook"),
    (lambda folder: (folder / "all.zip").touch(), "holds all.zip, which must be unpacked first"),
    (lambda folder: [(folder / "amy").mkdir(), written(folder / "bo.ipynb", "1")],
     r"holds folders \(amy\) and notebooks \(bo.ipynb\): one folder for each"),
    (lambda folder: folder.rmdir(), "is not a folder: one folder for each")])
def test_another_folder_is_refused_in_a_sentence_and_nothing_runs(tmp_path, capsys, make, said):
    folder = tmp_path / "class"
    folder.mkdir()
    make(folder)
    with pytest.raises(ValueError, match=said):
        submissions.submissions(folder)
    assert command.main([str(folder)]) == 1 and not folder.with_name("class-marks").exists()
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nbformat": 4, "nbformat_minor": 5, "cells": [1]}',
                                  '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}',
                                  '{"nbformat": 99, "cells": []}', "\x00\ud7ff"])
def test_what_is_no_notebook_is_said_to_be_none(tmp_path, text):
    path = tmp_path / "a.ipynb"
    path.write_bytes(text.encode("utf-16") if "\x00" in text else text.encode())
    [row] = marking.rows("amy", "a.ipynb", path, 1)
    assert row.status == "not a notebook" and row.sentence.startswith("It cannot be read as a notebook: ")
    assert row.sentence.endswith(".") and "\n" not in row.sentence


@pytest.mark.parametrize("source, found", [
    ('grade("a.b", f)', [("a.b", "f", "grade")]), ("x = he.grade('a.b', g.f)", [("a.b", "g.f", "he.grade")]),
    ('grade(function=f, name="a.b")', [("a.b", "f", "grade")]), ('# grade("a.b", f)', []),
    ("grade(a, f)", []),
    ('"grade(\'a.b\', f)"', []), ('%%time\ngrade("a.b", f)', [("a.b", "f", "grade")]), ("grade()", []),
    ('def f(:\n\ngrade("a.b",\n      f)', [("a.b", "f", "grade")]), ('upgrade("a.b", f)', []),
    ('grade("a.b", lambda x: x + 1)', [("a.b", "lambda x: x + 1", "grade")])])
def test_calls_of_grade_are_found(source, found):
    assert submissions.calls(source) == found


@pytest.mark.parametrize("stem, cells, name", [
    ("mine", ['grade("matrices.trace", f)'], "03_matrix_derivatives"),
    ("02_pooling (1)", ["1"], "02_pooling"),
    ("01_convolution", ['grade("pooling.max", f)', 'grade("pooling.avg", f)', 'grade("convolution.db", f)'],
     "02_pooling"), ("mine", ['grade("my.own", f)'], None), ("00_start_here", ["1"], None)])
def test_the_notebook_of_the_series_is_recognised(stem, cells, name):
    nb = new_notebook(cells=[new_code_cell(source) for source in cells])
    assert submissions.expected(nb, stem) == (submissions.series()[name] if name else [])


def test_of_several_answers_the_best_counts_and_then_the_last():
    def of(*found):
        return marking.best([(status, "", sentence) for status, sentence in found])[2]
    assert of(("not yet", "a"), ("right", "b"), ("not attempted", "c")) == "b"
    assert of(("not yet", "a"), ("not yet", "b"), ("error", "c")) == "b"
    assert of(("error", "a"), ("no answer", "b")) == "b"
    ordered = [(status, status) for status in ("error", *marking.BEST[::-1])]
    assert [of(*pair) for pair in itertools.pairwise(ordered)] == [
        "not attempted", "not yet", "grade replaced", "right"]


# --- files and pictures ------------------------------------------------------------------------

def test_what_was_marked_before_a_stop_is_kept(tmp_path, monkeypatch, capsys):
    def rows(who, notebook, path, seconds):
        if who == "bo":
            raise KeyboardInterrupt
        return [Row(who, notebook, "convolution.db", "right")]
    monkeypatch.setattr(marking, "rows", rows)
    for who in ("amy", "bo", "cy"):
        written(tmp_path / "class" / f"{who}.ipynb", "1")
    assert command.main([str(tmp_path / "class"), "--to", str(tmp_path / "to")]) == 130
    assert "Stopped. " in capsys.readouterr().err
    lines = (tmp_path / "to" / "marks.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines == [",".join(Row._fields), "amy,amy.ipynb,convolution.db,right,,"]


def test_earlier_marks_are_kept(tmp_path, capsys):
    for text in ("first", "second"):
        command.keep_earlier(tmp_path / "to")
        for name in command.FILES:
            (tmp_path / "to" / name).write_text(text)
    command.keep_earlier(tmp_path / "to")
    kept = sorted((path.parent.name, path.read_text()) for path in tmp_path.rglob("marks.csv"))
    said = capsys.readouterr().out
    assert sorted(text for _, text in kept) == ["first", "second"]
    assert not (tmp_path / "to" / "marks.csv").exists()
    assert all(folder.startswith("until-") and f"are kept in {folder}." in said for folder, _ in kept)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_computes_what_a_student_wrote(text):
    assert command.harmless(text) == f"'{text}" and command.harmless(f"a{text}") == f"a{text}"


@pytest.mark.parametrize("limit", ["0", "-1", "soon", "nan", "inf"])
def test_a_limit_is_a_number_of_seconds(limit, capsys):
    with pytest.raises(SystemExit):
        command.main(["class", "--seconds", limit])
    assert "expected a number of seconds above 0" in capsys.readouterr().err


def test_mistakes_are_counted_by_students_and_told_in_words(tmp_path):
    raises = "TypeError in line 2, `x. y = 3`: no | \\. It was called with dy (1, 2)."
    rows = [Row("amy", notebook, "convolution.db", "not yet", NAMED, "…") for notebook in ("a", "b")]
    rows += [Row(who, "a", "convolution.size", "not yet", "", raises) for who in ("bo", "cy")]
    rows += [Row("cy", "a", "convolution.db", "right", "", "Right."), Row("di", "", "", "no notebook")]
    said = mistakes.write(rows, tmp_path)
    assert [one.students for one in mistakes.made(rows)] == [2, 1]
    assert mistakes.made(rows)[0].said == "TypeError in line 2, `x. y = 3`: no | \\."
    assert "    2 of 4  The size of the output: TypeError in line 2" in said and "1 of 4" in said
    assert "`x. y = 3`: no \\| " in (tmp_path / "mistakes.md").read_text(encoding="utf-8")
    assert mistakes.write([], tmp_path) == mistakes.NONE


def test_the_picture_can_be_read_and_takes_no_formula_from_students():
    said = 40 * "The gradient $x^{$ of the input "
    long = mistakes.Made("A title that is as long as those of exercises are", said, 3)
    figure = mistakes.picture(12 * [long], 24)
    figure.canvas.draw()
    assert not contrast.unreadable(figure) and len(figure.axes[0].patches) == mistakes.DRAWN
    width = figure.bbox.width
    assert all(text.get_window_extent().x1 <= width for text in figure.axes[0].texts)
