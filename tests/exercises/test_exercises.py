"""The grader is right about the right answer, about every usual mistake, and about hostile code.

Every exercise of every module of helpers/exercises/questions/ is found and tested here.
"""
import _thread
import importlib
import inspect
import re
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import exercise_report
import nbformat
import numpy as np
import prose
import pytest

from helpers.exercises import break_it, diagnosis, sandbox
from helpers.exercises import grading as engine
from helpers.exercises.feedback import Verdict
from helpers.exercises.grading import Exercise, Mistake, grade
from helpers.exercises.questions import convolution as convolution
from helpers.functional.convolution import conv2d, flip, spread

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for path in ROOT.glob("helpers/exercises/questions/*.py") if path.stem != "__init__")
SETS = [importlib.import_module(f"helpers.exercises.questions.{path.stem}") for path in FILES]
EXERCISES = [exercise for module in SETS for exercise in module.EXERCISES]
MISTAKES = [pytest.param(exercise, mistake, id=f"{exercise.name}: {mistake.name}")
            for exercise in EXERCISES for mistake in exercise.mistakes]
each = pytest.mark.parametrize("exercise", EXERCISES, ids=[exercise.name for exercise in EXERCISES])


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


def check_distinct(exercise: Exercise) -> None:
    given = {mistake.name: exercise.answers(mistake.function) for mistake in exercise.mistakes}
    assert len(given) == len(exercise.mistakes), f"{exercise.name}: two mistakes have one name"
    names = list(given)
    twins = [(a, b) for i, a in enumerate(names) for b in names[:i] if diagnosis.all_same(given[a], given[b])]
    assert not twins, f"{exercise.name}: no input tells apart {twins}"


def judged(exercise: Exercise, function) -> Verdict:
    """What grade says, of an exercise that need not be registered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "find", lambda name: exercise)
        return grade(exercise.name, function)


# --- every exercise -----------------------------------------------------------------------------

@each
def test_the_worked_solution_passes(exercise):
    check_solution(exercise)
    assert engine.find(exercise.name) is exercise


@pytest.mark.parametrize("exercise, mistake", MISTAKES)
def test_every_mistake_is_caught_and_named(exercise, mistake):
    check_mistake(exercise, mistake)


@each
def test_no_two_mistakes_give_the_same_answers(exercise):
    check_distinct(exercise)


@each
def test_the_kill_score_is_reported(exercise, record_property):
    named = {mistake.name for mistake in exercise.mistakes
             if judged(exercise, mistake.function).mistake == mistake.name}
    record_property(exercise_report.PROPERTY, exercise_report.table(exercise, named))
    assert len(named) == len(exercise.mistakes)
    if exercise.judge is None:
        assert all(map(any, exercise_report.kills(exercise).values()))


@each
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


@each
def test_the_untouched_stub_is_harmless(exercise):
    names = {"grade": lambda name, function: judged(exercise, function)}
    *definition, last = exercise.stub().splitlines()
    exec("\n".join(definition), names)
    verdict = eval(last, names)
    assert verdict.status == "not attempted" and not verdict.passed
    assert repr(verdict) == f"○ {exercise.title}: not attempted"
    assert max(map(len, exercise.stub().splitlines())) <= 79


@each
def test_hints_and_solution_are_folded_below_and_read_well(exercise):
    for verdict, folds in ((judged(exercise, lambda: ...), len(exercise.hints) + 1),
                           (judged(exercise, exercise.solution), 1)):
        page = verdict._repr_html_()
        assert page.count("<details>") == page.count("</details>") == folds
        assert " open" not in page and f"def {exercise.solution.__name__}" in page
    assert max(map(len, exercise.source().splitlines())) <= 79
    for text in (*exercise.hints, *(mistake.sentence for mistake in exercise.mistakes)):
        assert text[-1] in ".?" and "!" not in text and text.count("`") % 2 == 0
        assert not re.search(r"[<>&]", prose.Html(text).text)


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda path: path.name)
def test_notebooks_hold_the_stubs_as_they_are_defined(path):
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    graded = [source for source in cells if re.search(r"^grade\(", source, re.MULTILINE)]
    strangers = [source for source in graded if not any(e.stub() in source for e in EXERCISES)]
    assert not strangers, f"{path.name}: a stub of helpers/exercises/questions/ expected, got\n{strangers[0]}"


def test_every_exercise_stands_in_one_notebook():
    cells = [cell.source for path in ROOT.glob("notebooks/*.ipynb")
             for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    found = {e.name: sum(e.stub() in source for source in cells) for e in EXERCISES}
    assert set(found.values()) == {1}, f"each exercise once in all notebooks expected, got {found}"


# --- planted faults: each check above can fail --------------------------------------------------

def test_a_wrong_worked_solution_turns_it_red():
    for exercise in EXERCISES:
        with pytest.raises(AssertionError, match="worked solution fails"):
            check_solution(replace(exercise, solution=exercise.mistakes[0].function))


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
        check_distinct(doubled)


def test_a_mistake_that_only_large_inputs_expose_needs_them():
    small = replace(convolution.DX, cases=lambda rng: list(convolution.DX.cases(rng))[:2])
    with pytest.raises(AssertionError, match="not caught"):
        check_mistake(small, next(m for m in small.mistakes if m.name == "first filter"))


def test_the_kill_table_counts(record_property):
    text = exercise_report.table(convolution.DB, {"mean of all"})
    assert re.search(r"mean over the batch +· × · × ×  3/5  NOT NAMED", text)
    assert f"1 of {len(convolution.DB.mistakes)} mistakes" in text


# --- what a learner may hand in -----------------------------------------------------------------

def not_a_number(dy):
    return "six"


def wrong_line(dy):
    total = dy.sum(axis=(0, 2))
    return total.sum(axis=7)


def own_exception(dy):
    class Mine(BaseException):
        pass
    raise Mine("of my own\nand a second line")


def no_message(dy):
    raise ValueError


def leaves(dy):
    sys.exit(3)


def interrupts(dy):
    raise KeyboardInterrupt


def forgets_itself(dy):
    return forgets_itself(dy)


def overwrites(dy):
    dy *= 2
    return dy.sum((0, 2, 3)) / 2


def reshapes(dy):
    db = dy.sum((0, 2, 3))
    dy.shape = (-1,)
    return db


def deletes(dy):
    del dy
    return dy  # noqa: F821


def prints_much(dy):
    for _ in range(2000):
        print("so far so good", file=sys.stderr)
        print("so far so good")


def imports_nothing(dy):
    return nump.sum(dy)  # noqa: F821


def lets_go(dy):
    yield dy.sum((0, 2, 3))


SAID = {
    not_a_number: "It returned a str; expected a NumPy array of float64.",
    wrong_line: "AxisError in line 3, `return total.sum(axis=7)`: axis 7 is out of bounds",
    own_exception: "Mine in line 4, `raise Mine(\"of my own\\nand a second line\")`: of my own.",
    no_message: "ValueError in line 2, `raise ValueError`: no message.",
    leaves: "SystemExit in line 2, `sys.exit(3)`: 3.",
    interrupts: "KeyboardInterrupt in line 2, `raise KeyboardInterrupt`: no message.",
    forgets_itself: "It calls itself without end in line 2, `return forgets_itself(dy)`.",
    overwrites: "It changes its argument `dy`, which its caller still needs.",
    reshapes: "It changes its argument `dy`, which its caller still needs.",
    deletes: "UnboundLocalError in line 3, `return dy  # noqa: F821`: ",
    prints_much: "It returned None. Is the `return` missing?",
    imports_nothing: "NameError in line 2, `return nump.sum(dy)  # noqa: F821`: name 'nump' is not defined.",
    lets_go: "It returned a generator; expected a NumPy array of float64.",
    (lambda dy: None if dy.any() else dy): "It returned None. Is the `return` missing?",
    (lambda dy: [... for _ in dy][0]): "It returned the three dots of the stub.",
    (lambda dy: list(dy.sum((0, 2, 3)))):
        "It returned a list; expected a NumPy array of float64. `np.array(…)` makes one of it. It was called",
    (lambda dy: OSError()): "It returned an OSError; expected a NumPy array of float64. It was called",
    (lambda dy: dy.sum((0, 2, 3)).astype(object)): "It returned an array of object; expected",
    (lambda dy: dy.sum((0, 2, 3)) + 0j): "It returned an array of complex128; expected",
    (lambda dy: dy.sum((0, 2, 3)).astype("float32")): "It returned numbers of float32; expected float64.",
    (lambda dy: dy.sum((0, 2))): "Its shape is (1, 2); expected (1,).",
    (lambda dy: dy.sum((0, 2, 3))[..., None]): "It is right but for its shape, which is (1, 1) where (1,) is",
    (lambda dy: dy[:, 0, 0, 0]): "Right on 0 of 5 inputs. No usual mistake gives this.",
    (lambda dy: dy.sum((0, 2, 3)) * np.nan): "Right on 0 of 5 inputs. Your answer holds NaN. No usual",
    (lambda dy: dy.sum((0, 2, 3)) + np.inf): "Right on 0 of 5 inputs. Your answer holds infinity. No usual",
    (lambda dy: dy.sum((0, 2, 3)) * 0): "Right on 0 of 5 inputs. Your answer is all zeros. No usual",
    (lambda: 0): "TypeError: ",
    np.sum: "You summed over everything, the filters too",
    print: "It returned None.",
    int: "TypeError: only ",
    "db_by_hand": "`grade` takes the function itself, by its name and without parentheses; it got a str.",
}


def line_in(function):
    """A cell's first line is its line 1; a test file's is not."""
    first = function.__code__.co_firstlineno if hasattr(function, "__code__") else 1
    return lambda found: f" in line {int(found[1]) - first + 1}"


@pytest.mark.parametrize("function", SAID, ids=lambda f: getattr(f, "__name__", str(f)))
def test_whatever_it_does_is_one_clear_sentence(function, capfd):
    verdict = grade("convolution.db", function)
    said = re.sub(r" in line (\d+)", line_in(function), verdict.sentence)
    assert said.startswith(SAID[function]), said
    assert not verdict.passed and verdict.mistake in (None, "all in one")
    out, err = capfd.readouterr()
    assert "Traceback" not in repr(verdict) + verdict._repr_html_() + out + err
    assert out.count("so far so good") == (2000 if function is prints_much else 0)
    assert str(ROOT) not in repr(verdict)


# --- a loop that never ends ---------------------------------------------------------------------

def turns_forever(dy):
    while True:
        pass


def turns_and_swallows(dy):
    while True:
        try:
            dy = dy + 1
        except:  # noqa: E722
            pass


def turns_in_a_helper(dy):
    return sum(1 for _ in iter(int, 1))


def comes_late(dy):
    try:
        turns_forever(dy)
    except BaseException:
        return dy.sum((0, 2, 3))


def settles(threads):
    """Whether the number of threads comes back to what it was: the last steps of one take a moment."""
    deadline = time.monotonic() + 2
    while _thread._count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    return _thread._count() <= threads


@pytest.mark.parametrize("function", [turns_forever, turns_and_swallows, turns_in_a_helper, comes_late])
def test_an_endless_loop_is_stopped_and_leaves_no_thread(function, monkeypatch, capfd):
    monkeypatch.setattr(sandbox, "SECONDS", 0.2)
    before, start = _thread._count(), time.monotonic()
    verdict = grade("convolution.db", function)
    assert verdict.sentence.startswith("It did not return within 0.2 seconds")
    assert verdict.sentence.endswith(" Is there a loop that never ends? It was called with dy (1, 1, 1, 2).")
    assert time.monotonic() - start < sandbox.PATIENCE * 0.1 + 1
    assert settles(before)
    assert capfd.readouterr() == ("", "")
    assert grade("convolution.db", convolution.db_by_hand).passed


def test_the_line_of_an_endless_loop_is_said(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 0.2)
    said = grade("convolution.db", turns_forever).sentence
    assert re.search(r"; time ran out in line \d+, `(while True:|pass)`\.", said)


def test_a_call_that_cannot_be_interrupted_does_not_hang_the_grader(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 0.1)
    monkeypatch.setattr(sandbox, "PATIENCE", 2)
    start = time.monotonic()
    verdict = grade("convolution.db", lambda dy: time.sleep(1.5))
    assert verdict.sentence.startswith("It did not return within 0.1 seconds")
    assert "It is still busy: restart the kernel" in verdict.sentence
    assert time.monotonic() - start < 1


@pytest.fixture
def interruptible():
    """Python's own answer to SIGINT: a job in the background of a shell starts with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_stop_button_stops_the_learners_function_too(interruptible):
    """SIGINT, which is what Jupyter's stop button sends, while the main thread waits."""
    before = _thread._count()
    if hasattr(signal, "pthread_kill"):
        threading.Timer(0.1, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
    else:       # Windows, where a waiting thread hears of it when the time is up
        threading.Timer(0.1, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        grade("convolution.db", turns_forever)
    assert settles(before)


def test_a_deadline_that_meets_the_return_leaves_no_word(monkeypatch, capfd):
    """Functions that return just before, at and just after the deadline."""
    monkeypatch.setattr(sandbox, "SECONDS", 0.0005)
    before, interval = _thread._count(), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    outcomes = set()
    for i in range(1000):
        try:
            outcomes.add(sandbox.call(waits, {"end": time.perf_counter() + 2e-4 + 3e-6 * (i % 250)}))
        except sandbox.Misfortune:
            outcomes.add("late")
    sys.setswitchinterval(interval)
    assert outcomes == {"late", 1.0} and settles(before)
    assert capfd.readouterr() == ("", "")


def waits(end):
    while time.perf_counter() < end:
        pass
    return 1.0


def test_the_learner_cannot_spoil_later_inputs():
    seen = []
    grade("convolution.db", lambda dy: seen.append(dy.copy()) or dy.fill(0) or dy[0, :, 0, 0])
    assert len(seen) == 1 and (convolution.DB.inputs()[0]["dy"] == seen[0]).all()


def test_a_view_of_the_input_is_judged_by_its_numbers():
    identity = Exercise("convolution.db", "Identity", np.copy, np.copy, convolution.DB.cases, (), ())
    assert judged(identity, lambda dy: dy).passed
    said = judged(identity, lambda dy: dy[::-1]).sentence
    assert said == "It is right but for its direction: it is reversed along axis 0."


# --- what the grader says beyond the table ------------------------------------------------------

right_dW, right_dx = convolution.dW_by_hand, convolution.dx_by_hand


@pytest.mark.parametrize("name, function, mistake, sentence", [
    ("db", lambda dy: -dy.sum((0, 2, 3)), None, "It is right but for its sign."),
    ("db", lambda dy: dy.sum((0, 2, 3)) / 2, None, "It is right but for a factor of 1/2."),
    ("db", lambda dy: dy.sum((0, 2, 3)) * (1 + 1e-6), None, "It is right but for a factor of 1.000001."),
    ("size", lambda n, k, s, p, d: 0, None, "Right on 0 of 9 inputs. Your answer is 0. No usual mistake"),
    ("size", lambda n, k, s, p, d: np.nan, None, "It returned a float"),
    ("dW", lambda dy, x, d: right_dW(dy, x, d) * dy.size, None,
     "It is right but for a factor that changes with the input: 2, 4, 2, 4, 4, 36, 144."),
    ("dW", lambda dy, x, d: right_dW(dy, x, d).transpose(2, 3, 0, 1), None,
     "It is right but for the order of its axes: yours is the right one after `transpose(2, 3, 0, 1)`."),
    ("dW", lambda dy, x, d: right_dW(dy, x, d)[..., ::-1], None,
     "It is right but for its direction: it is reversed along axis 3."),
    ("dx", lambda *given: right_dx(*given).ravel(), None,
     "It is right but for its shape, which is (3,) where (1, 1, 1, 3) is expected."),
    ("dW", lambda dy, x, d: -right_dW(dy, x, d)[..., ::-1, ::-1], "flipped",
     "Two things are wrong. First, its sign. Second: The kernel's gradient is turned by 180°"),
    ("size", lambda n, k, s, p, d: 2 * ((n + 2 * p - d * (k - 1) - 1) // s), "no + 1",
     "Two things are wrong. First, a factor of 2. Second: One place is missing"),
    ("size", lambda n, k, s, p, d: np.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1, None,
     "It returned a float; a number of things is an int."),
    ("size", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1, "not rounded",
     "You divided and did not round"),
    ("size", lambda n, k, s, p, d: (n + p - k) // s + 1, None, "Right on 5 of 9 inputs. No usual mistake"),
])
def test_what_is_wrong_is_said(name, function, mistake, sentence):
    verdict = grade(f"convolution.{name}", function)
    assert verdict.sentence.startswith(sentence), verdict
    assert verdict.mistake == mistake and verdict.evidence and not verdict.passed


def test_an_unnamed_mistake_is_shown_on_the_smallest_failing_input():
    verdict = grade("convolution.db", lambda dy: np.abs(dy).sum((0, 2, 3)))
    assert verdict.mistake is None
    assert repr(verdict) == """\
✗ The blame of the bias: not yet
Right on 0 of 5 inputs. No usual mistake gives this.
The smallest input on which it is wrong:
dy (1, 1, 1, 2) =
[ 25. -19.]
expected (1,) =
[6.]
yours (1,) =
[44.]"""


def test_answers_that_print_alike_are_told_by_their_largest_difference():
    verdict = grade("convolution.db", lambda dy: dy.sum((0, 2, 3)) + 1e-6)
    assert verdict.evidence.splitlines()[2:] == [
        "expected (1,) =", "[6.]", "yours prints alike; the largest difference is 1e-06"]
    verdict = grade("convolution.dx", lambda *given: right_dx(*given) + 1e-5 * (len(given[0]) == 3))
    assert re.search(r"yours (\S+); the largest difference is 1e-05$", verdict.evidence), verdict


@pytest.mark.parametrize("name", ["size", "db", "dW", "dx", "weak_test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, 1e308])
def test_no_number_makes_the_grader_warn(name, value, recwarn):
    exercise = engine.find(f"convolution.{name}")
    for function in (lambda *given: np.full(np.shape(exercise.truth(*given)), value),
                     lambda *given: exercise.truth(*given) + value):
        verdict = grade(exercise.name, function)
        assert value == 0 or not verdict.passed
        assert not [str(warning.message) for warning in recwarn]


def test_a_stray_value_is_named_with_its_article():
    said = [grade("convolution.db", value).sentence for value in (3, None, "db", np.zeros(1))]
    assert [text.partition("; it got ")[2] for text in said] == ["an int.", "None.", "a str.", "an ndarray."]
    assert grade("convolution.size", lambda n, k, s, p, d: [n]).sentence.startswith(
        "It returned a list; expected a number. It was called with n = 3")


# Ways in which people come by a mistake, written as they write them.

def slid_with_a_stride(dy, x, dilation):
    kh, kw = ((n - m) // dilation + 1 for n, m in zip(x.shape[2:], dy.shape[2:], strict=True))
    dW = np.zeros((dy.shape[1], x.shape[1], kh, kw))
    for n, o, c, u, v, p, q in np.ndindex(*dy.shape[:2], x.shape[1], kh, kw, *dy.shape[2:]):
        i, j = dilation * p + u, dilation * q + v
        if i < x.shape[2] and j < x.shape[3]:
            dW[o, c, u, v] += dy[n, o, p, q] * x[n, c, i, j]
    return dW


def summed_apart(dy, x, dilation):
    seen = np.lib.stride_tricks.sliding_window_view(x, dy.shape[2:], axis=(2, 3))
    return np.einsum("nopq,mcuvpq->ocuv", dy, seen[:, :, ::dilation, ::dilation])


def correlated(dy, W, x_shape, stride, padding, *, zeros=0, margin=0, axis=None):
    (H, Wd), (kh, kw) = x_shape[2:], W.shape[2:]
    a, b = kh - 1 + margin, kw - 1 + margin
    wide = np.pad(spread(dy, stride + zeros), ((0, 0), (0, 0), (a, a), (b, b)))
    if axis is not None:
        wide, W = wide.sum(1, keepdims=True), W.sum(0, keepdims=True)
    near = np.pad(conv2d(wide, flip(W)), ((0, 0), (0, 0), (0, stride), (0, stride)))
    return near[:, :, padding:padding + H, padding:padding + Wd]


def without_padding(dy, W, x_shape, stride, padding):
    dx = np.zeros(x_shape)
    for n, o, c, p, q, u, v in np.ndindex(*dy.shape[:2], W.shape[1], *dy.shape[2:], *W.shape[2:]):
        i, j = p * stride + u, q * stride + v
        if i < x_shape[2] and j < x_shape[3]:
            dx[n, c, i, j] += dy[n, o, p, q] * W[o, c, u, v]
    return dx


@pytest.mark.parametrize("name, function, mistake", [
    ("size", lambda n, k, s, p, d: (n + 2 * p - d * k + 1) // s + 1, "dilation times k, less 1"),
    ("db", lambda dy: dy.reshape(dy.shape[1], -1).sum(axis=1), "reshape for swap"),
    ("dW", slid_with_a_stride, "dilation at the place"),
    ("dW", summed_apart, "batch crossed"),
    ("dx", lambda *given: correlated(*given, zeros=1), "spread too far"),
    ("dx", lambda *given: correlated(*given, margin=1), "margin too wide"),
    ("dx", lambda *given: correlated(*given, axis=1), "filters crossed"),
    ("dx", without_padding, "cut at one end"),
])
def test_a_mistake_is_named_however_it_is_written(name, function, mistake):
    verdict = grade(f"convolution.{name}", function)
    assert verdict.mistake == mistake, verdict


@pytest.mark.parametrize("name", ["channels swapped", "channels added", "filters added"])
def test_the_smallest_failing_input_of_dW_is_small(name):
    function = next(m.function for m in convolution.DW.mistakes if m.name == name)
    assert len(grade("convolution.dW", function).evidence.splitlines()) <= 20


def test_a_large_failing_input_is_shown_by_its_first_wrong_entry():
    def late(*given):
        dx = right_dx(*given)
        dx[2:, :, :1, -1] += 5
        return dx
    verdict = grade("convolution.dx", late)
    assert verdict.sentence == "Right on 5 of 6 inputs. No usual mistake gives this."
    *lines, last = verdict.evidence.splitlines()
    assert lines == ["dy (3, 2, 5, 4)", "W (2, 4, 3, 5)", "x_shape = (3, 4, 7, 8), stride = 2, padding = 2",
                     "expected (3, 4, 7, 8)", "yours (3, 4, 7, 8)"]
    assert re.match(r"4 of 672 entries differ, first \[2, 0, 0, 7\]: expected ", last)


def test_other_right_ways_pass():
    """The grader asks for the right numbers, not for the worked solution's way to them."""
    def by_correlation(dy, W, x_shape, stride, padding):
        (H, Wd), (kh, kw) = x_shape[2:], W.shape[2:]
        wide = np.pad(spread(dy, stride), ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
        near = np.pad(conv2d(wide, flip(W)), ((0, 0), (0, 0), (0, stride), (0, stride)))
        return near[:, :, padding:padding + H, padding:padding + Wd]

    def by_windows(dy, x, dilation):
        seen = np.lib.stride_tricks.sliding_window_view(x, dy.shape[2:], axis=(2, 3))
        return np.einsum("nopq,ncuvpq->ocuv", dy, seen[:, :, ::dilation, ::dilation])
    assert grade("convolution.dx", by_correlation).passed
    assert grade("convolution.dW", by_windows).passed
    assert grade("convolution.db", lambda dy: np.einsum("nopq->o", dy)).passed
    for function in (len, np.size):
        assert grade("convolution.size", lambda n, k, s, p, d, count=function:
                     count(range(0, n + 2 * p - d * (k - 1), s))).passed


@pytest.mark.parametrize("hole", convolution.HOLES, ids=lambda hole: hole.name)
def test_every_hole_of_the_weak_test_is_recognised(hole):
    verdict = grade("convolution.weak_test", hole.function)
    assert verdict.passed and verdict.sentence.endswith(f" it. {hole.sentence}")
    said = re.search(r"and (\d) of 3 honest inputs (rejects?) it\.", verdict.sentence)
    assert (said[1] == "1") == (said[2] == "rejects")


def test_the_notebook_says_how_many_holes_are_known_by_name():
    cells = nbformat.read(ROOT / "notebooks/01_convolution.ipynb", 4).cells
    text = " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())
    words = "zero one two three four five six seven eight nine ten eleven twelve".split()
    known = [hole for hole in convolution.HOLES
             if hole.sentence in grade("convolution.weak_test", hole.function).sentence]
    assert re.findall(r"The grader knows (\w+) by name", text) == [words[len(known)]]
    assert len({hole.sentence for hole in known}) == len(convolution.HOLES)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_on_an_honest_input_takes_nobody_in(value):
    def spoilt(dy, W):
        return convolution.wrong_dx(dy, W) if (dy == 1).all() else convolution.wrong_dx(dy, W) + value
    verdict = grade("convolution.weak_test", spoilt)
    assert not verdict.passed and verdict.sentence == break_it.NOT_FINITE
    assert "The smallest input on which it is wrong:\n" in repr(verdict)


def test_the_weak_tests_own_input_is_called_that():
    verdict = grade("convolution.weak_test", lambda dy, W: 2 * convolution.wrong_dx(dy, W))
    assert verdict.sentence == break_it.REJECTED
    for text in (repr(verdict), verdict._repr_html_()):
        assert "The weak test's input" in text and "smallest" not in text


def test_an_unknown_hole_passes_too():
    verdict = grade("convolution.weak_test", lambda dy, W: convolution.wrong_dx(dy, W) * len(dy))
    assert verdict.passed and verdict.sentence.endswith(break_it.OWN)


@pytest.mark.parametrize("name", ["db", "convolution.bias", "nowhere.db", "", "../convolution.db", len])
def test_an_unknown_exercise_is_refused(name):
    with pytest.raises(ValueError, match="^name: got .*, expected "):
        grade(name, len)


# --- how it looks -------------------------------------------------------------------------------

def test_what_the_learner_wrote_cannot_become_markup():
    def stray(dy):
        raise ValueError("<script>alert(1)</script> & `x < y`")
    page = grade("convolution.db", stray)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; <code>x &lt; y</code>" in page


def test_the_status_is_a_word_and_a_sign_not_only_a_colour():
    for function, words in ((convolution.db_by_hand, "✓ The blame of the bias: right"),
                            (lambda dy: dy.sum(), "✗ The blame of the bias: not yet")):
        verdict = grade("convolution.db", function)
        assert repr(verdict).startswith(words)
        assert f"<strong>{words}</strong>" in verdict._repr_html_()


def test_the_input_is_open_when_it_is_all_there_is_to_say():
    page = grade("convolution.db", lambda dy: dy.sum((0, 2, 3)) + 1)._repr_html_()
    assert "<details open><summary>The smallest input" in page
    page = grade("convolution.db", lambda dy: dy.sum())._repr_html_()
    assert "<details><summary>The smallest input" in page


def test_the_stub_is_told_from_code_that_returns_nothing():
    def only_passes(dy):
        pass

    def returns_dots(dy):
        """Dots."""
        return ...

    def began(dy):
        """Dots follow a first try."""
        dy.sum()
        ...
    assert grade("convolution.db", only_passes).status == grade("convolution.db", returns_dots).status
    assert grade("convolution.db", returns_dots).status == "not attempted"
    assert grade("convolution.db", began).sentence.startswith("It returned None.")
