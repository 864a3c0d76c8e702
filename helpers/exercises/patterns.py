"""What is true of wrong answers as they stand: which part, place or input is right, and what differs.

Each takes an exercise, its answers and their truths, and returns a sentence that holds on all inputs, or "".
"""
from collections.abc import Sequence
from itertools import product

import numpy as np

from helpers.exercises.diagnosis import all_same, ratios_of, relation, same
from helpers.exercises.exercise import Exercise

_Arrays = Sequence[np.ndarray]

WHERE = {0: "first", -1: "last"}
SINGLE = 1e-5      # of float32, after a few operations
SMALL, LARGE = 1e-2, 1e4     # between them are the numbers of all inputs but those scaled by hostile.py


def _part(exercise, answers, truths):
    """Of several arrays side by side, which are right, and what is known of the others."""
    if not exercise.parts:
        return ""
    of, found = exercise.parts, [(m.sentence, exercise.answers(m.function)) for m in exercise.mistakes]
    said = []
    for part in of(truths[0]):
        a, t = ([of(array)[part] for array in arrays] for arrays in (answers, truths))
        known = (sentence for sentence, arrays in found if all_same(a, [of(array)[part] for array in arrays]))
        off = relation(a, t) and f"{part} is right but for {relation(a, t)}."
        named = next((f"{part}: {sentence}" for sentence in known), f"{part} is wrong.")
        said.append(f"{part} is right." if all_same(a, t) else off or named)
    return "" if all(one.endswith(" is wrong.") for one in said) else " ".join(said)


def _place(exercise, answers, truths):
    """Right at the first or the last index of an axis only, or everywhere but there."""
    right = [np.abs(a - t) <= 1e-9 * max(np.abs(t).max(initial=0), 1e-300)
             for a, t in zip(answers, truths, strict=True)]
    for axis, (index, word) in product(range(truths[0].ndim), WHERE.items()):
        there = [np.take(r, [index], axis) for r in right]
        others = [np.delete(r, index, axis) for r in right]
        if not any(r.size for r in others):
            continue
        if all(r.all() for r in there) and not any(r.any() for r in others):
            early = ": does a loop end too early?" if index == 0 else "."
            return f"Right at the {word} index along axis {axis}, and nowhere else{early}"
        if not any(r.any() for r in there) and all(r.all() for r in others):
            return f"Right everywhere but at the {word} index along axis {axis}."
    return ""


def _term(exercise, answers, truths):
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


def _precision(exercise, answers, truths):
    """Right to the digits of float32."""
    if all(np.linalg.norm(a - t) <= SINGLE * np.linalg.norm(t) for a, t in zip(answers, truths, strict=True)):
        return ("Right to five digits, and not to nine: is a number rounded, in float32 on its way, or added "
                "where none belongs, or is a difference taken for a derivative?")
    return ""


def _constant(exercise, answers, truths):
    """Wherever it is wrong, the same number stands there."""
    off = [np.abs(a - t) > 1e-9 * np.abs(t).max(initial=0) for a, t in zip(answers, truths, strict=True)]
    found = np.concatenate([a[wrong] for a, wrong in zip(answers, off, strict=True)])
    if found.size > 2 and found[0] and np.isfinite(found).all() and not np.ptp(found):
        return f"Wherever it is wrong, your answer is {found[0]:g}: where does this number come from?"
    return ""


def _factor(exercise, answers, truths):
    """The truth times the length of an axis, times a number of the input, or divided by it."""
    found, cases = ratios_of(answers, truths), exercise.inputs()
    for words, value in _sizes(cases[0]):
        values = [value(case) for case in cases]
        inverse = [1 / n if n else 0 for n in values]
        for said, wanted in ((f"It is the right one times {words}.", values),
                             (f"It is the right one divided by {words}.", inverse)):
            if found and np.ptp(values) and np.allclose(found, wanted, 1e-9, 0):
                return said
    return ""


def _sizes(first):
    """Numbers that come with an input: each in words, and how it is found."""
    for name in arrays(first):
        for axis in range(first[name].ndim):
            yield f"the length of `{name}` along axis {axis}", lambda c, n=name, a=axis: c[n].shape[a]
        yield f"the number of entries of `{name}`", lambda c, n=name: c[n].size
    for name, number in first.items():
        if isinstance(number, int | float):
            yield f"`{name}`", lambda c, n=name: c[n]


def condition(exercise: Exercise, answers: _Arrays, truths: _Arrays) -> str:
    """Right exactly on the inputs that have one simple thing in common; one alone might do so by chance.

    Some answer is wrong: with all of them right, nothing would be asked here.
    """
    right, cases = [same(a, t) for a, t in zip(answers, truths, strict=True)], exercise.inputs()
    sizes = [max(np.abs(case[name]).max(initial=0) for name in arrays(cases[0])) if arrays(cases[0]) else 1
             for case in cases]
    if right == [size > SMALL for size in sizes]:
        return "Wrong only where all numbers are tiny: is a number rounded, added, or compared with?"
    if right == [size < LARGE for size in sizes]:
        return "Wrong only where numbers are large: does something overflow, or is a number compared with?"
    if min(sum(right), len(right) - sum(right)) < 2:
        return ""
    common = [words for words, holds in _conditions(cases[0]) if [holds(case) for case in cases] == right]
    said = f"Right on {sum(right)} of {len(right)} inputs, those in which {' and '.join(common)}."
    return said if 0 < len(common) < 4 else ""


def arrays(case: dict) -> list[str]:
    """The names of an input's arrays."""
    return [name for name, value in case.items() if isinstance(value, np.ndarray) and value.ndim]


def _conditions(first):
    """Simple things that some inputs may have in common: a number 0 or 1, a single sample, a square."""
    for name, value in first.items():
        if isinstance(value, int | float):
            for n in 0, 1:
                yield f"`{name}` is {n}", lambda case, name=name, n=n: case[name] == n
        if isinstance(value, tuple) and len(value) == 2:
            yield f"both numbers of `{name}` are equal", lambda case, name=name: len(set(case[name])) == 1
    for name in arrays(first):
        for axis in range(min(2, first[name].ndim)):
            yield (f"`{name}` has a single entry along axis {axis}",
                   lambda case, name=name, axis=axis: case[name].shape[axis] == 1)
        if first[name].ndim > 1:
            for said, holds in ((f"`{name}` has as many rows as columns", int.__eq__),
                                (f"`{name}` has at least as many rows as columns", int.__ge__),
                                (f"`{name}` has at most as many rows as columns", int.__le__)):
                yield said, lambda case, name=name, holds=holds: holds(*case[name].shape[-2:])


OF_ONE_SHAPE = _part, _place, _term, _factor, _precision, _constant
