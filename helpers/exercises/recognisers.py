"""What is wrong with answers that no named mistake gives, told from the answers alone.

Each recogniser compares the answers with those of a changed question: the truth for inputs of which only
the first sample counts, in which two arguments are exchanged, a number is fixed … A sentence is returned
only when it holds on every input.
"""
import re
from collections.abc import Callable, Iterator
from itertools import combinations, product

import numpy as np

from helpers.exercises.diagnosis import all_same, same

Given = dict[str, object]
Change = Callable[[Given], Given]

LOST = {0: "is the `return` inside the loop?", -1: "is there an `=` in the place of `+=`?"}
WHERE = {0: "first", -1: "last"}
SINGLE = 1e-5      # of float32, after a few operations


def recognised(truth: Callable, cases: list[Given], answers: list[np.ndarray],
               truths: list[np.ndarray]) -> str:
    """A sentence that holds on all inputs, or ""."""
    for told in _changed_question, _by_place, _by_term, _by_precision, _by_constant, _by_condition:
        if sentence := told(truth, cases, answers, truths):
            return sentence
    return ""


def cause(message: str) -> str:
    """What usually stands behind an error of NumPy's about shapes, or ""."""
    if "matmul" in message or "not aligned" in message:
        return (" In `A @ B` the last axis of A is as long as the last but one of B: are columns taken for "
                "rows, or is a `.T` missing?")
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
        changed = [change(case) for case in cases]
        found = _asked(truth, changed)
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
            yield (f"It is what comes out when of `{name}` only the {WHERE[index]} entry along axis {axis} "
                   f"counts: {LOST[index]}"), _only(name, axis, index)
        if first[name].ndim > 1:
            yield (f"It is what comes out when the last two axes of `{name}` are exchanged: are rows taken "
                   "for columns?", _with(name, lambda a: np.swapaxes(a, -1, -2)))
        yield f"It is what comes out for −`{name}`: a sign is lost.", _with(name, np.negative)
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


def _numbers(case):
    return [name for name, value in case.items() if isinstance(value, int | float)]


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


# --- the answers themselves ---------------------------------------------------------------------

def _by_place(truth, cases, answers, truths):
    """Right at the first or the last index of an axis only, or everywhere but there."""
    if any(a.shape != t.shape or not t.ndim for a, t in zip(answers, truths, strict=True)):
        return ""
    right = [np.abs(a - t) <= 1e-9 * max(np.abs(t).max(initial=0), 1e-300)
             for a, t in zip(answers, truths, strict=True)]
    for axis in range(truths[0].ndim):
        if max(t.shape[axis] for t in truths) < 2:
            continue
        for index, word in WHERE.items():
            there = [np.take(r, [index], axis) for r in right]
            others = [np.delete(r, index, axis) for r in right]
            if all(r.all() for r in there) and all(not r.any() for r in others):
                return f"Right at the {word} index along axis {axis}, and nowhere else: {LOST[index]}"
            if all(not r.any() for r in there) and all(r.all() for r in others):
                return f"Right everywhere but at the {word} index along axis {axis}."
    return ""


def _by_term(truth, cases, answers, truths):
    """A term that is one of the inputs is missing, or too much."""
    if any(a.shape != t.shape for a, t in zip(answers, truths, strict=True)):
        return ""
    for name in cases[0]:
        terms = [np.asarray(case[name]) for case in cases]
        if any(term.shape != t.shape for term, t in zip(terms, truths, strict=True)):
            continue
        for factor, said in ((1, "added once too often"), (-1, "missing, or subtracted")):
            if all_same(answers, [t + factor * term for t, term in zip(truths, terms, strict=True)]):
                return f"It differs from the right one by `{name}`, which is {said}."
    return ""


def _by_precision(truth, cases, answers, truths):
    """Right to the digits of float32."""
    if all(a.shape == t.shape and np.linalg.norm(a - t) <= SINGLE * np.linalg.norm(t)
           for a, t in zip(answers, truths, strict=True)):
        return "Right to five digits, and not to nine: is a number rounded, or in float32 on its way?"
    return ""


def _by_constant(truth, cases, answers, truths):
    """Wherever it is wrong, the same number stands there, which is no right entry of any other place."""
    if any(a.shape != t.shape for a, t in zip(answers, truths, strict=True)):
        return ""
    off = [np.abs(a - t) > 1e-9 * np.abs(t).max(initial=0) for a, t in zip(answers, truths, strict=True)]
    found = np.concatenate([a[wrong] for a, wrong in zip(answers, off, strict=True)])
    if found.size > 1 and found[0] and np.isfinite(found).all() and not np.ptp(found):
        return f"Wherever it is wrong, your answer is {found[0]:g}: where does this number come from?"
    return ""


def _by_condition(truth, cases, answers, truths):
    """Right exactly on the inputs that have one simple thing in common; one alone might do so by chance."""
    right = [same(a, t) for a, t in zip(answers, truths, strict=True)]
    if min(sum(right), len(right) - sum(right)) < 2:
        return ""
    for words, holds in _conditions(cases):
        if [holds(case) for case in cases] == right:
            return f"Right on {sum(right)} of {len(right)} inputs, those in which {words}."
    return ""


def _conditions(cases):
    """Simple things that some inputs have in common and others have not."""
    first = cases[0]
    for name in _numbers(first):
        for value in sorted({case[name] for case in cases}):
            yield f"`{name}` is {value:g}", lambda case, name=name, value=value: case[name] == value
    for name in _arrays(first):
        for axis in range(first[name].ndim):
            yield (f"`{name}` has a single entry along axis {axis}",
                   lambda case, name=name, axis=axis: case[name].shape[axis] == 1)
        for i, k in combinations(range(first[name].ndim), 2):
            yield (f"axes {i} and {k} of `{name}` are equally long",
                   lambda case, name=name, i=i, k=k: case[name].shape[i] == case[name].shape[k])
        yield f"`{name}` holds no negative number", lambda case, name=name: bool((case[name] >= 0).all())
