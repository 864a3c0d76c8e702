"""What is true of answers that no named mistake gives, told from the answers alone.

Each recogniser compares the answers with those to a changed question: the truth for inputs of which only
the first sample counts, in which two arguments are exchanged, a number is fixed … A sentence is returned
only when it holds on every input; what may be behind it is asked, not said.
"""
import re
from collections.abc import Callable, Iterator
from itertools import combinations, product

import numpy as np

from helpers.exercises import patterns
from helpers.exercises.diagnosis import all_same
from helpers.exercises.exercise import Exercise

Given = dict[str, object]
Change = Callable[[Given], Given]
_Arrays = list[np.ndarray]

LOST = {0: "does a loop end too early?", -1: "is there an `=` in the place of `+=`?"}


def recognised(exercise: Exercise, answers: _Arrays, truths: _Arrays) -> str:
    """A sentence that holds on all inputs, or ""."""
    if sentence := _changed_question(exercise.called(exercise.truth), exercise.inputs(), answers, truths):
        return sentence
    alike = all(a.shape == t.shape for a, t in zip(answers, truths, strict=True))
    found = (told(exercise, answers, truths) for told in (patterns.OF_ONE_SHAPE if alike else ()))
    return next(filter(None, found), "") or patterns.condition(exercise, answers, truths)


def cause(message: str) -> str:
    """What may stand behind an error of NumPy's about shapes, or ""."""
    if "matmul" in message or "not aligned" in message:
        return (" In `A @ B` the last axis of A is as long as the last but one of B: are columns taken for "
                "rows, or is a `.T` missing, or one too many?")
    if "could not broadcast input array" in message or "non-broadcastable output" in message:
        return (" What is written into an array, or added to it, must have the shape of that place: does a "
                "slice reach past the end, or is it too short?")
    shapes = re.findall(r"\((\d+),(\d+)\)", message)
    if len(shapes) == 2 and shapes[0] == shapes[1][::-1] and len(set(shapes[0])) == 2:
        return " One of them is as the transpose of the other should be: is a `.T` missing, or one too many?"
    if "broadcast" in message:
        return (" Shapes are lined up at their last axes, and an axis is repeated only where its length is "
                "1: is a `keepdims=True` or a `[:, None]` missing?")
    if re.search(r"index \d+ is out of bounds", message):
        return " Indices begin at 0: does a loop run too far, or are two axes exchanged?"
    return ""


# --- another question ---------------------------------------------------------------------------

def _changed_question(truth, cases, answers, truths):
    """The answer to another question: some argument was not read as it is."""
    for sentence, change in _changes(cases):
        found = _asked(truth, [change(case) for case in cases])
        if found and all_same(answers, found) and not all_same(found, truths):
            return sentence
    return ""


def _asked(truth, cases):
    """The truth for other inputs, or None where one of them is refused."""
    try:
        with np.errstate(all="ignore"):
            return [np.asarray(truth(*case.values())) for case in cases]
    except Exception:       # of any kind: what is asked need not make sense
        return None


def _changes(cases) -> Iterator[tuple[str, Change]]:
    """What can be read wrong in any question, and the sentence for it."""
    first, arrays = cases[0], patterns.arrays(cases[0])
    for name in arrays:
        for axis, index in product(range(first[name].ndim), LOST):
            place = f"the {patterns.WHERE[index]} index along axis {axis}"
            yield (f"It is what comes out when `{name}` is 0 but at {place}: {LOST[index]}",
                   _only(name, axis, index))
        if first[name].ndim > 1:
            yield (f"It is what comes out when the last two axes of `{name}` are exchanged: are rows taken "
                   "for columns?", _with(name, lambda a: np.swapaxes(a, -1, -2)))
        yield f"It is what comes out for −`{name}`: is there a sign too many, or one missing?", _with(
            name, np.negative)
        yield f"It is what comes out for |`{name}`|: signs are lost.", _with(name, np.abs)
    for name, value in _fixed(cases):
        shown = f"{value:g}" if isinstance(value, int | float) else value
        yield (f"It is what comes out when `{name}` is {shown} in every input: where is `{name}` used?",
               _with(name, lambda _, value=value: value))
    for one, other in combinations(first, 2):
        if (one in arrays) == (other in arrays):
            yield f"It is right with `{one}` and `{other}` exchanged.", _exchanged(one, other)


def _fixed(cases):
    """Each value of a number or a tuple among the arguments, and for a number 0 and 1."""
    for name, value in cases[0].items():
        if not isinstance(value, np.ndarray):
            more = [type(value)(0), type(value)(1)] if isinstance(value, int | float) else []
            yield from ((name, value) for value in dict.fromkeys([case[name] for case in cases] + more))


def _only(name, axis, index):
    def change(case):
        kept = np.zeros_like(case[name])
        place = (slice(None),) * axis + (index,)
        kept[place] = case[name][place]
        return {**case, name: kept}
    return change


def _with(name, function):
    return lambda case: {**case, name: function(case[name])}


def _exchanged(one, other):
    return lambda case: {**case, one: case[other], other: case[one]}
