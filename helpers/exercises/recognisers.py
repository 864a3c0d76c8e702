"""What is true of answers that no named mistake gives, told from the answers alone.

Each recogniser compares the answers with those to a changed question: the truth for inputs of which only
the first sample counts, in which two arguments are exchanged, a number is fixed … A sentence is returned
only when it holds on every input; what may be behind it is asked, not said.
"""
import re
from collections.abc import Callable, Iterator
from itertools import combinations, product

import numpy as np

from helpers.exercises.diagnosis import all_same, relation, same
from helpers.exercises.exercise import Exercise

Given = dict[str, object]
Change = Callable[[Given], Given]
Arrays = list[np.ndarray]

WHERE = {0: "first", -1: "last"}
LOST = {0: "does a loop end too early?", -1: "is there an `=` in the place of `+=`?"}
SINGLE = 1e-5      # of float32, after a few operations


def recognised(exercise: Exercise, answers: Arrays, truths: Arrays) -> str:
    """A sentence that holds on all inputs, or ""."""
    if sentence := _changed_question(exercise.called(exercise.truth), exercise.inputs(), answers, truths):
        return sentence
    if any(a.shape != t.shape for a, t in zip(answers, truths, strict=True)):
        return _by_condition(exercise, answers, truths)
    found = (told(exercise, answers, truths) for told in (
        _by_part, _by_place, _by_term, _by_precision, _by_constant, _by_condition))
    return next(filter(None, found), "")


def cause(message: str) -> str:
    """What may stand behind an error of NumPy's about shapes, or ""."""
    if "matmul" in message or "not aligned" in message:
        return (" In `A @ B` the last axis of A is as long as the last but one of B: are columns taken for "
                "rows, or is a `.T` missing?")
    if "could not broadcast input array" in message or "non-broadcastable output" in message:
        return (" What is written into an array, or added to it, must have the shape of that place: does a "
                "slice reach past the end, or is it too short?")
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
    first, arrays = cases[0], _arrays(cases[0])
    for name in arrays:
        for axis, index in product(range(first[name].ndim), WHERE):
            yield (f"It is what comes out when `{name}` is 0 but at the {WHERE[index]} index along axis "
                   f"{axis}: {LOST[index]}"), _only(name, axis, index)
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


def _arrays(case):
    return [name for name, value in case.items() if isinstance(value, np.ndarray) and value.ndim]


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


# --- the answers themselves, each of the shape of its truth ---------------------------------------

def _by_part(exercise, answers, truths):
    """Of several arrays side by side, which are right, and what is known of the others."""
    if not exercise.parts:
        return ""
    of, found = exercise.parts, [(m.sentence, exercise.answers(m.function)) for m in exercise.mistakes]
    said = []
    for part in of(truths[0]):
        a, t = ([of(array)[part] for array in arrays] for arrays in (answers, truths))
        known = (sentence for sentence, arrays in found if all_same(a, [of(array)[part] for array in arrays]))
        off = relation(a, t) and f"{part} is right but for {relation(a, t)}."
        wrong = off or f"{part}: {next(known, 'this is wrong.')}"
        said.append(f"{part} is right." if all_same(a, t) else wrong)
    return "" if all(one.endswith(": this is wrong.") for one in said) else " ".join(said)


def _by_place(exercise, answers, truths):
    """Right at the first or the last index of an axis only, or everywhere but there."""
    right = [np.abs(a - t) <= 1e-9 * max(np.abs(t).max(initial=0), 1e-300)
             for a, t in zip(answers, truths, strict=True)]
    for axis, (index, word) in product(range(truths[0].ndim), WHERE.items()):
        there = [np.take(r, [index], axis) for r in right]
        others = [np.delete(r, index, axis) for r in right]
        if not any(r.size for r in others):
            continue
        if all(r.all() for r in there) and not any(r.any() for r in others):
            early = f": {LOST[0]}" if index == 0 else "."
            return f"Right at the {word} index along axis {axis}, and nowhere else{early}"
        if not any(r.any() for r in there) and all(r.all() for r in others):
            return f"Right everywhere but at the {word} index along axis {axis}."
    return ""


def _by_term(exercise, answers, truths):
    """The truth and one of the inputs, added or subtracted."""
    for name in exercise.inputs()[0]:
        terms = [np.asarray(case[name]) for case in exercise.inputs()]
        if any(term.shape != t.shape for term, t in zip(terms, truths, strict=True)):
            continue
        for sign, said in ((1, f"plus `{name}`: is it added once too often?"),
                           (-1, f"minus `{name}`: is it left out, or subtracted?")):
            if all_same(answers, [t + sign * term for t, term in zip(truths, terms, strict=True)]):
                return f"It is the right one {said}"
    return ""


def _by_precision(exercise, answers, truths):
    """Right to the digits of float32."""
    if all(np.linalg.norm(a - t) <= SINGLE * np.linalg.norm(t) for a, t in zip(answers, truths, strict=True)):
        return ("Right to five digits, and not to nine: is a number rounded, in float32 on its way, or added "
                "where none belongs, or is a difference taken for a derivative?")
    return ""


def _by_constant(exercise, answers, truths):
    """Wherever it is wrong, the same number stands there."""
    off = [np.abs(a - t) > 1e-9 * np.abs(t).max(initial=0) for a, t in zip(answers, truths, strict=True)]
    found = np.concatenate([a[wrong] for a, wrong in zip(answers, off, strict=True)])
    if found.size > 2 and found[0] and np.isfinite(found).all() and not np.ptp(found):
        return f"Wherever it is wrong, your answer is {found[0]:g}: where does this number come from?"
    return ""


def _by_condition(exercise, answers, truths):
    """Right exactly on the inputs that have one simple thing in common; one alone might do so by chance."""
    right, cases = [same(a, t) for a, t in zip(answers, truths, strict=True)], exercise.inputs()
    if min(sum(right), len(right) - sum(right)) < 2:
        return ""
    common = [words for words, holds in _conditions(cases[0]) if [holds(case) for case in cases] == right]
    said = f"Right on {sum(right)} of {len(right)} inputs, those in which {' and '.join(common)}."
    return said if 0 < len(common) < 4 else ""


def _conditions(first):
    """Simple things that some inputs may have in common: a number 0 or 1, a single sample, a square."""
    for name, value in first.items():
        if isinstance(value, int | float):
            for n in 0, 1:
                yield f"`{name}` is {n}", lambda case, name=name, n=n: case[name] == n
    for name in _arrays(first):
        for axis in range(min(2, first[name].ndim)):
            yield (f"`{name}` has a single entry along axis {axis}",
                   lambda case, name=name, axis=axis: case[name].shape[axis] == 1)
        if first[name].ndim > 1:
            yield (f"the last two axes of `{name}` are equally long",
                   lambda case, name=name: case[name].shape[-2] == case[name].shape[-1])
