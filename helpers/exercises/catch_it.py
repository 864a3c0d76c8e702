"""Exercises whose answer is a check: it is called with right and wrong functions, and has to tell them apart.

A check returns one number, an error: next to 0 for what is right, well above for what is wrong. The grader
recognises the usual weak checks by the functions that they accept and reject.
"""
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import default_rng  # as it is now: a learner may put another in its place

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.feedback import Feedback

LIMIT = 1e-3     # up to it a check accepts: above rounding, differences and an ε, below any fault
SHOWN = "What it returned for them"


@dataclass(frozen=True)
class Candidate:
    """A function to be checked: what it does, in words, whether that is right, and the check's arguments."""

    does: str
    right: bool
    given: dict[str, object]


def catch_it(name: str, title: str, solution: Callable,
             candidates: Callable[[np.random.Generator], Iterable[Candidate]], weak: tuple[Mistake, ...],
             hints: tuple[str, ...]) -> Exercise:
    """Make an exercise whose answer is a check; `weak` are checks that are wrong about some candidates."""
    def cases(rng):
        return [candidate.given for candidate in candidates(rng)]

    def judge(exercise, answers):
        return _judge(exercise, answers, list(candidates(default_rng(0))))

    return Exercise(name, title, solution, solution, cases, weak, hints, judge)


def rejected(answers: list[np.ndarray]) -> list[bool]:
    """Tell which of the numbers are above the limit."""
    return [bool(abs(float(answer.item())) > LIMIT) for answer in answers]


def _judge(exercise: Exercise, answers: list[np.ndarray], candidates: list[Candidate]) -> Feedback:
    """Passed means: all that is right is accepted, all that is wrong is rejected."""
    for answer, candidate in zip(answers, candidates, strict=True):
        if answer.size != 1 or not np.isfinite(answer).all():
            got = f"an array of shape {answer.shape}" if answer.size != 1 else str(answer.item())
            return exercise.feedback("not yet", f"It returned {got} for one that {candidate.does}; expected "
                                                "one finite number.")
    said = rejected(answers)
    errors = [(s, a) for s, a, no in zip(candidates, answers, said, strict=True) if no == s.right]
    wrong = sum(not candidate.right for candidate in candidates)
    if not errors:
        return exercise.feedback("right", f"It accepts all {len(candidates) - wrong} that are right, and "
                                         f"catches all {wrong} that are wrong.")
    mistake, sentence = _recognised(exercise, said) or (None, _unnamed(errors, wrong))
    lines = "\n".join(f"{answer.item():9.2g} {'rejected' if candidate.right else 'accepted'}, though it "
                      f"{candidate.does}" for candidate, answer in errors)
    return replace(exercise.feedback("not yet", sentence, lines, mistake), shown=SHOWN)


def _recognised(exercise, said):
    """Name and sentence of the weak check that rejects the same functions."""
    for mistake in exercise.mistakes:
        if rejected(exercise.answers(mistake.function)) == said:
            return mistake.name, mistake.sentence
    return None


def _unnamed(errors, wrong):
    passed = sum(not candidate.right for candidate, _ in errors)
    right = next((candidate.does for candidate, _ in errors if candidate.right), None)
    if right:
        return f"It rejects what is right: one that {right}. That has to give less than {LIMIT:g}."
    return (f"It catches {wrong - passed} of {wrong} that are wrong. It accepts one that "
            f"{next(candidate.does for candidate, _ in errors)}.")
