"""Exercises that hand in a check: it is shown right and wrong things, and has to tell them apart.

A check returns one number, how far something is from right: next to 0, or well above. The grader knows the
usual blind checks by whom they let pass and whom they accuse.
"""
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.feedback import Feedback

LIMIT = 1e-3     # up to it a check has no complaint: above rounding, differences and an ε, below any fault
SHOWN = "What it said of them"


@dataclass(frozen=True)
class Suspect:
    """Something to be checked: what it does, in words, whether that is right, and the arguments."""

    does: str
    right: bool
    given: dict[str, object]


def catch_it(name: str, title: str, solution: Callable,
             suspects: Callable[[np.random.Generator], Iterable[Suspect]], blind: tuple[Mistake, ...],
             hints: tuple[str, ...]) -> Exercise:
    """An exercise whose answer is a check; `blind` are checks that are wrong about some."""
    def cases(rng):
        return [suspect.given for suspect in suspects(rng)]

    def judge(exercise, answers):
        return _judge(exercise, answers, list(suspects(np.random.default_rng(0))))

    return Exercise(name, title, solution, solution, cases, blind, hints, judge)


def accused(answers: list[np.ndarray]) -> list[bool]:
    """Whether each number is a complaint."""
    return [bool(abs(float(answer.item())) > LIMIT) for answer in answers]


def _judge(exercise: Exercise, answers: list[np.ndarray], suspects: list[Suspect]) -> Feedback:
    """Passed means: no complaint about what is right, one about all that is wrong."""
    for answer, suspect in zip(answers, suspects, strict=True):
        if answer.size != 1 or not np.isfinite(answer).all():
            got = f"an array of shape {answer.shape}" if answer.size != 1 else str(answer.item())
            return exercise.feedback("not yet", f"It returned {got} for one that {suspect.does}; expected "
                                                "one finite number.")
    said = accused(answers)
    errors = [(s, a) for s, a, claim in zip(suspects, answers, said, strict=True) if claim == s.right]
    wrong = sum(not suspect.right for suspect in suspects)
    if not errors:
        return exercise.feedback("right", f"It accepts all {len(suspects) - wrong} that are right, and "
                                         f"catches all {wrong} that are wrong.")
    mistake, sentence = _recognised(exercise, said) or (None, _unnamed(errors, wrong))
    lines = "\n".join(f"{answer.item():9.2g} {'accused' if suspect.right else 'let pass'}, though it "
                      f"{suspect.does}" for suspect, answer in errors)
    return replace(exercise.feedback("not yet", sentence, lines, mistake), shown=SHOWN)


def _recognised(exercise, said):
    """Name and sentence of the blind check that accuses the same."""
    for mistake in exercise.mistakes:
        if accused(exercise.answers(mistake.function)) == said:
            return mistake.name, mistake.sentence
    return None


def _unnamed(errors, wrong):
    passed = sum(not suspect.right for suspect, _ in errors)
    innocent = next((suspect.does for suspect, _ in errors if suspect.right), None)
    if innocent:
        return f"It accuses what is right: one that {innocent}. That has to give less than {LIMIT:g}."
    return (f"It catches {wrong - passed} of {wrong} that are wrong. It lets pass one that "
            f"{next(suspect.does for suspect, _ in errors)}.")
