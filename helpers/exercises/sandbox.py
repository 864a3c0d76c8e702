"""Run a learner's function so that whatever it does comes back as a value or as one sentence.

The function works on copies, in a thread of its own. When its time is up, an exception is raised
inside that thread, which ends even `while True: pass`, and in the same way on Linux, macOS and
Windows; an alarm signal exists on Unix only, and only in the main thread. One long call of NumPy
gets the exception when it returns: the learner gets the sentence without waiting for that. A browser
has no threads: there the function is called directly, and an endless loop is not ended.
"""
import _thread
import bdb
import contextvars
import copy
import ctypes
import inspect
import linecache
import sys
import traceback
from collections.abc import Callable

import numpy as np

SECONDS = 3.0    # the inputs are tiny: seven nested loops need a hundredth of it
PATIENCE = 20    # how often a thread is asked to end, every tenth of a second; an import has 20 SECONDS
NO_THREADS = ("In a browser a loop that never ends cannot be stopped. If the page stands still, reload it."
              if sys.platform == "emscripten" else "")
WAITS = ("It stops at a breakpoint{where}, and a graded call cannot wait for you. Take the breakpoint out, "
         "or call the function in a cell of its own to debug it.")


class LearnerError(Exception):
    """What happened in a learner's function, as a sentence; `said` is NumPy's own about shapes, or ""."""

    said = ""


class Waits(BaseException):
    """Raised at `breakpoint()`, in the place of a debugger that would wait until the time is up."""


class TimeUp(SystemExit):
    """Raised inside the learner's function, where `except Exception` does not swallow it.

    It is a SystemExit since Python ends a thread on one without a word: it may come when the function
    has returned a moment ago.
    """


def call(function: Callable, arguments: dict[str, object]) -> object:
    """Return what function(*arguments) returns, as a copy.

    Raises LearnerError, with a sentence that names the learner's own line, when the function raises
    anything at all, does not return in time, or changes one of its arguments.
    """
    given, before_us = copy.deepcopy(arguments), sys.breakpointhook
    sys.breakpointhook = before_us if _debugged() else _waits
    try:
        value, error = _within_time(function, given.values())
    finally:
        sys.breakpointhook = before_us
    if error is not None:
        told = LearnerError(_sentence(error, function))
        told.said = str(error) if isinstance(error, ValueError | IndexError) else ""
        raise told from None
    for name, before in arguments.items():
        if not _untouched(before, given[name]):
            raise LearnerError(f"It changes its argument `{name}`, which its caller still needs. "
                             f"Work on a copy: `{name}.copy()` makes one.")
    return copy.deepcopy(value) if isinstance(value, np.ndarray) else value


def as_numbers(value: object, like: np.ndarray) -> np.ndarray:
    """`value` as an array of numbers; a LearnerError when it is nothing of the kind of `like`."""
    if isinstance(value, (np.ndarray, np.number, int, float)) and np.asarray(value).dtype.kind in "iuf":
        return np.asarray(value)
    if value is None:
        raise LearnerError("It returned None. Is the `return` missing?")
    if value is ...:
        raise LearnerError("It returned the three dots of the stub.")
    wanted = f"a NumPy array of {like.dtype}" if like.ndim else "a number"
    kind = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type_name(value)
    raise LearnerError(f"It returned {kind}; expected {wanted}." + _cure(value, like))


def _cure(value, like):
    """What makes an array of a list, a tuple or a tensor, where something does."""
    if hasattr(value, "detach"):
        return " `.detach().numpy()` makes one of it."
    if not like.ndim or not isinstance(value, list | tuple):
        return ""
    try:
        whole = np.array(value)
        if whole.ndim == like.ndim and whole.dtype.kind in "iuf":
            return " `np.array(…)` makes one of it."
    except ValueError:      # parts of several shapes
        pass
    return f" One array is asked for, not {len(value)} parts."


def type_name(value: object) -> str:
    """What a value is, with its article: "an int", "a str"; None is "None"."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"an {name}" if name.startswith((*"aeioAEIO", "nd")) else f"a {name}"


def _within_time(function, arguments):
    """The value and None, or None and the exception."""
    outcome, busy, ended = [], _thread.allocate_lock(), False
    work = contextvars.copy_context().run, (_work, function, arguments, outcome, busy)
    busy.acquire()
    if NO_THREADS:
        work[0](*work[1])
        return outcome[0]
    thread = _thread.start_new_thread(*work)
    try:
        if ended := _in_time(busy, thread):
            return outcome[0]
    finally:                                # also when the learner presses the stop button
        ended = ended or _end(thread, busy)
    stopped = [error for _, error in outcome if isinstance(error, TimeUp)]
    return None, (stopped or [TimeUp()])[0] if ended else TimeUp("still busy")


def _in_time(busy, thread):
    """Whether it returned in time. An import has more of it: one that is cut off is broken in this kernel."""
    if _debugged():
        return busy.acquire()
    for _ in range(PATIENCE):
        if busy.acquire(timeout=SECONDS):
            return True
        frames = traceback.walk_stack(sys._current_frames().get(thread))
        if not any(frame.f_code.co_filename.startswith("<frozen importlib") for frame, _ in frames):
            return False
    return False


def _work(function, arguments, outcome, busy):
    try:
        outcome.append((function(*arguments), None))
    except BaseException as error:          # sys.exit() too: the kernel must survive it
        outcome.append((None, error))
    finally:
        busy.release()


def _waits(*_, **__):
    raise Waits


def _debugged():
    """Whether a debugger watches: then a function may wait for a human being."""
    debugger = sys.modules.get("debugpy")
    return bool(debugger and debugger.is_client_connected())


def _end(thread, busy):
    """Ask again and again, for a bare `except:` in a loop swallows some of it; whether it ended."""
    for _ in range(PATIENCE):
        asked = ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeUp))
        if not asked or busy.acquire(timeout=0.1):
            return True
    return False


def _untouched(before, after):
    if not isinstance(before, np.ndarray):
        return before == after
    return before.dtype == after.dtype and np.array_equal(before, after)


def _sentence(error, function):
    place = _own_line(error, function)
    where = place and f" in {place}"
    if isinstance(error, Waits | bdb.BdbQuit) or _in_debugger(error):
        return WAITS.format(where=where)
    if isinstance(error, TimeUp):
        late = f"It did not return within {SECONDS:g} seconds" + (place and f"; time ran out in {place}")
        busy = ["It is still busy: restart the kernel to be rid of it."] if error.args else []
        return " ".join([f"{late}.", "Is there a loop that never ends, or an `input()`?", *busy])
    if isinstance(error, RecursionError):
        return f"It calls itself too often{where}. Which call is the last one?"
    said = (str(error).strip().splitlines() or ["no message"])[0]
    name, said = type(error).__name__, said.rstrip(".")
    return (f"{name} in {place}" if place else name) + f": {said}."


def _in_debugger(error):
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == bdb.__name__ for frame, _ in frames)


def _own_line(error, function):
    """The innermost line of the file, or cell, in which the learner wrote the function."""
    file = getattr(getattr(inspect.unwrap(function), "__code__", None), "co_filename", None)
    lines = [n for frame, n in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    if not lines:
        return ""
    source = linecache.getline(file, lines[-1]).strip()
    return f"line {lines[-1]}, `{source}`" if source else f"line {lines[-1]}"
