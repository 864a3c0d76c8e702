"""Whatever a learner's function does is one sentence, and nothing of it is left behind."""
import _thread
import bdb
import io
import pdb
import re
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.exercises import sandbox
from helpers.exercises.grading import grade
from helpers.exercises.questions import convolution

ROOT = Path(__file__).resolve().parents[2]


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
    forgets_itself: "It calls itself too often in line 2, `return forgets_itself(dy)`.",
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
    (lambda dy: dy.sum((0, 2, 3))[..., None]): "It is right but for its shape: it is (1, 1), expected (1,).",
    (lambda dy: dy[:, 0, 0, 0]): "Right on 0 of 8 inputs. No usual mistake gives this.",
    (lambda dy: dy.sum((0, 2, 3)) * np.nan): "Right on 0 of 8 inputs. On every input your answer holds NaN.",
    (lambda dy: dy.sum((0, 2, 3)) + np.inf): "Right on 0 of 8 inputs. On every input your answer holds inf",
    (lambda dy: dy.sum((0, 2, 3)) * 0): "Right on 0 of 8 inputs. On every input your answer is all zeros.",
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
    assert verdict.sentence.endswith(
        " Is there a loop that never ends, or an `input()`? It was called with dy (1, 1, 1, 2).")
    assert time.monotonic() - start < sandbox.PATIENCE * 0.1 + 1
    assert settles(before)
    assert capfd.readouterr() == ("", "")
    assert grade("convolution.db", convolution.db_by_hand).passed


def test_an_import_is_not_cut_off(monkeypatch, tmp_path):
    """As that of torch._dynamo, which the first optimizer of torch imports: half of it would stay broken."""
    (tmp_path / "imported_slowly.py").write_text("import time\ntime.sleep(0.5)\nWHOLE = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sandbox, "SECONDS", 0.2)

    def imports(dy):
        import imported_slowly
        return dy.sum((0, 2, 3)) * imported_slowly.WHOLE
    assert grade("convolution.db", imports).passed


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
        except sandbox.LearnerError:
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


# --- a debugger, and a browser -------------------------------------------------------------------

def stops(dy):
    breakpoint()
    return dy.sum((0, 2, 3))


def leaves_the_debugger(dy):
    raise bdb.BdbQuit


def sets_a_trace(dy):
    pdb.set_trace()
    return dy.sum((0, 2, 3))


class NoInput:
    """As sys.stdin is where nobody can type: under a server, in a browser."""

    def readline(self):
        raise OSError("nobody can type here")


def lingers(dy):
    time.sleep(0.15)
    return dy.sum((0, 2, 3))


class Debugger:
    """As the module debugpy, which ipykernel brings, is while JupyterLab's debugger is on."""

    def __init__(self, connected):
        self.is_client_connected = lambda: connected


@pytest.mark.parametrize("function", [stops, leaves_the_debugger])
def test_a_breakpoint_is_not_a_loop(function, monkeypatch):
    met = []
    monkeypatch.setattr(sys, "breakpointhook", hook := lambda: met.append(1))
    said = grade("convolution.db", function).sentence
    assert said.startswith("It stops at a breakpoint in line ") and "debug it." in said
    assert sys.breakpointhook is hook and not met


@pytest.mark.parametrize("stdin", [None, io.StringIO(), NoInput()], ids=["none", "at its end", "refused"])
@pytest.mark.parametrize("threads", [True, False])
def test_a_debugger_that_nobody_can_answer_is_said_to_be_one(stdin, threads, monkeypatch):
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sandbox, "NO_THREADS", "" if threads else "No loop can be stopped here.")
    for function in sets_a_trace, stops:
        assert grade("convolution.db", function).sentence.startswith("It stops at a breakpoint in line ")
    assert grade("convolution.db", convolution.db_by_hand).passed


def test_under_a_debugger_a_function_may_wait(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 0.05)
    monkeypatch.setitem(sys.modules, "debugpy", Debugger(connected=False))
    assert grade("convolution.db", lingers).sentence.startswith("It did not return within")
    monkeypatch.setitem(sys.modules, "debugpy", Debugger(connected=True))
    met = []
    monkeypatch.setattr(sys, "breakpointhook", lambda: met.append(1))
    assert grade("convolution.db", lingers).passed and not met
    assert grade("convolution.db", stops).passed and met


def test_without_threads_it_grades_as_well_and_says_what_it_cannot_do(monkeypatch):
    monkeypatch.setattr(sandbox, "NO_THREADS", "No loop can be stopped here.")
    monkeypatch.setattr(_thread, "start_new_thread", None)
    assert grade("convolution.db", convolution.db_by_hand).passed
    assert grade("convolution.db", own_exception).sentence.startswith("Mine in line")
    assert grade("convolution.db", lambda dy: ...).sentence == "No loop can be stopped here."


def test_of_several_arrays_it_is_said_that_one_is_asked_for():
    said = grade("convolution.db", lambda dy: (dy.sum((0, 2, 3)), dy)).sentence
    assert "expected a NumPy array of float64. One array is asked for, not 2 parts." in said


def test_what_is_said_to_make_an_array_makes_one():
    right = convolution.db_by_hand
    for given, advice, cure in ((lambda dy: right(dy).tolist(), "`np.array(…)`", np.array),
                                (lambda dy: tuple(right(dy)), "`np.array(…)`", np.array),
                                (lambda dy: torch.tensor(right(dy)).requires_grad_(), "`.detach().numpy()`",
                                 lambda value: value.detach().numpy())):
        assert f"{advice} makes one of it." in grade("convolution.db", given).sentence
        assert grade("convolution.db", lambda dy, given=given, cure=cure: cure(given(dy))).passed
    assert "makes one" not in grade("convolution.db", lambda dy: [right(dy), [1.0, 2]]).sentence
