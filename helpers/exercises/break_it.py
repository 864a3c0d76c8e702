"""Exercises that ask for a wrong function which a weak test accepts.

The first input is the weak test's, the others are honest ones, which show the mistake. What the weak test
does not check is called a hole; the feedback says which hole the answer uses.
"""
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.random import default_rng  # as it is now: a learner may put another in its place

from helpers.exercises.diagnosis import evidence, same
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.feedback import Feedback

RIGHT = "It is right, on the honest inputs too. Make it wrong in something that the weak test does not check."
REJECTED = "The weak test rejects it already: on its one input the answer is not the right one."
SHAPE = ("The weak test accepts it, but on another input it has the wrong shape. That is noticed at once: "
         "return an array of the right shape.")
NOT_FINITE = ("The weak test accepts it, but on another input it holds NaN or infinity. That is noticed at "
              "once: return finite numbers.")
WEAK = "The weak test's input"
OWN = "No hole in the list gives this: what does the weak test not check?"


def break_it(name: str, title: str, solution: Callable, truth: Callable,
             cases: Callable[[np.random.Generator], Iterable[dict[str, object]]],
             holes: tuple[Mistake, ...], hints: tuple[str, ...], *,
             right: Callable | None = None) -> Exercise:
    """Make an exercise whose worked solution is wrong on purpose; each hole is a wrong answer that passes.

    Holes that are given by changes are changes of `right`, or else of `truth`.
    """
    def spoilt(spoil):
        def function(*given):
            weak = next(iter(cases(default_rng(0)))).values()
            answer = truth(*given)
            return answer if all(map(np.array_equal, given, weak)) else spoil(answer)
        return function

    mistakes = (Mistake("right", RIGHT, truth), Mistake("shape", SHAPE, spoilt(lambda a: a[None])),
                Mistake("not finite", NOT_FINITE, spoilt(lambda a: a * np.nan)),
                Mistake("rejected", REJECTED, lambda *given: 2 * truth(*given)))
    return Exercise(name, title, solution, truth, cases, mistakes, hints, _judge,
                    holes=tuple(hole.made_of(right or truth) for hole in holes))


def _judge(exercise: Exercise, answers: list[np.ndarray]) -> Feedback:
    """Passed means: the weak test accepts it, and an honest input does not."""
    truths = exercise.answers(exercise.truth)
    caught = [i for i in range(1, len(truths)) if not same(answers[i], truths[i])]
    misshapen = [i for i in caught if answers[i].shape != truths[i].shape]
    not_finite = [i for i in caught if not np.isfinite(answers[i]).all()]
    if not same(answers[0], truths[0]):
        name, sentence, i = "rejected", REJECTED, 0
    elif misshapen:
        name, sentence, i = "shape", SHAPE, misshapen[0]
    elif not_finite:
        name, sentence, i = "not finite", NOT_FINITE, not_finite[0]
    elif not caught:
        return exercise.feedback("not yet", RIGHT, "", "right")
    else:
        return exercise.feedback("right", _accepted(exercise, answers, len(caught)))
    shown = evidence(exercise.inputs()[i], answers[i], truths[i])
    feedback = exercise.feedback("not yet", sentence, shown, name)
    return feedback if i else replace(feedback, shown=WEAK)


def _accepted(exercise, answers, caught):
    """Say how many honest inputs reject what the weak test accepts, and which hole it uses."""
    hole = next((h.sentence for h in exercise.holes if exercise.gives(h.function, answers)), OWN)
    return (f"The weak test accepts it, and {caught} of {len(answers) - 1} honest inputs "
            f"reject{'s' * (caught == 1)} it. {hole}")
