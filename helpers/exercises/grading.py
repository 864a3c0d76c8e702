"""Exercises graded at once, by a grader that knows the usual mistakes by name.

    def db_by_hand(dy):
        ...

    grade("convolution.db", db_by_hand)

The part before the dot names the module that holds the exercise: helpers/exercises/questions/ has it.
"""
import dis
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from helpers.exercises import diagnosis, questions, recognisers, sandbox
from helpers.exercises.exercise import Exercise
from helpers.exercises.feedback import Feedback
from helpers.verify.settings import settings_of_a_new_kernel

ROUGH = 1e-4    # of the largest number: what another type may round


@dataclass(frozen=True)
class Answers:
    """What a function returned for the inputs in their order, and why no more of them, in a sentence."""

    returned: tuple[np.ndarray, ...] = ()
    stopped: str = ""
    attempted: bool = True


@settings_of_a_new_kernel()
def grade(name: str, function: Callable) -> Feedback:
    """Say whether the learner's function is right, or what is wrong with it.

    `name` is the exercise's. Whatever the function does is a sentence in the feedback, never an
    exception here; what was set in the kernel (np.seterr, torch.no_grad, …) makes no difference, and stays
    set. Raises ValueError when there is no such exercise.
    """
    exercise = find(name)
    return judged(exercise, ask(exercise, function))


def ask(exercise: Exercise, function: Callable) -> Answers:
    """What the function returns for each input, until it raises or returns no number; nothing is judged."""
    if not callable(function):
        return Answers(stopped="`grade` takes the function itself, by its name and without parentheses; "
                               f"it got {sandbox.type_name(function)}.")
    if _is_stub(function):
        return Answers(attempted=False)
    returned, called = [], exercise.called(function)
    for case, truth in zip(exercise.inputs(), exercise.answers(exercise.truth), strict=True):
        try:
            returned.append(sandbox.as_numbers(sandbox.call(called, case), truth))
        except sandbox.LearnerError as told:
            said = f"{told}{recognisers.cause(told.said)}", f"It was called with {diagnosis.in_short(case)}."
            return Answers(tuple(returned), " ".join(said))
    return Answers(tuple(returned))


def judged(exercise: Exercise, answers: Answers) -> Feedback:
    """The feedback on what `ask` brought back."""
    if not answers.attempted:
        return exercise.feedback("not attempted", sandbox.NO_THREADS)
    if answers.stopped:
        return exercise.feedback("not yet", answers.stopped + _before(exercise, answers.returned))
    with np.errstate(all="ignore"):     # an answer may hold NaN and infinity
        return (exercise.judge or compare)(exercise, list(answers.returned))


def compare(exercise: Exercise, answers: list[np.ndarray]) -> Feedback:
    """Judge the answers by the truth and by every mistake."""
    truths = exercise.answers(exercise.truth)
    kind = next(filter(None, map(diagnosis.wrong_dtype, answers, truths)), "")
    wrong = [i for i in range(len(truths)) if not diagnosis.same(answers[i], truths[i])]
    if not wrong and not kind:
        return exercise.feedback("right", f"Right on all {len(truths)} inputs.")
    mistake, sentence = _recognised(exercise, answers, truths, kind)
    return exercise.feedback("not yet", sentence, _evidence(exercise, answers, truths, wrong), mistake)


def _evidence(exercise, answers, truths, wrong):
    """The smallest input on which it is wrong; "" where only the type is, which is not to be seen."""
    cases = exercise.inputs()
    i = min(wrong, key=lambda i: sum(map(np.size, cases[i].values())), default=None)
    return "" if i is None else diagnosis.evidence(cases[i], answers[i], truths[i])


def compare_nan(exercise: Exercise, answers: list[np.ndarray]) -> Feedback:
    """`compare`, and what ends in NaN by name: NaN equals nothing, so `compare` cannot tell whose it is."""
    feedback = compare(exercise, answers)
    if feedback.passed or feedback.mistake or any(a.dtype != float for a in answers):
        return feedback
    for mistake in exercise.mistakes:
        if all(map(diagnosis.alike, answers, exercise.answers(mistake.function))):
            return replace(feedback, sentence=mistake.sentence, mistake=mistake.name)
    return feedback


def find(name: str) -> Exercise:
    """The exercise of that name. Raises ValueError when there is none."""
    try:
        module = importlib.import_module(f"{questions.__name__}.{str(name).partition('.')[0]}")
    except ModuleNotFoundError:
        raise ValueError(f"name: got {name!r}, expected a name such as 'convolution.db'") from None
    known = {exercise.name: exercise for exercise in module.EXERCISES}
    if name not in known:
        raise ValueError(f"name: got {name!r}, expected one of {', '.join(known)}")
    return known[name]


def _recognised(exercise, answers, truths, kind):
    """Name and sentence: of a mistake, of a wrong dtype, of one thing that is off, of both together."""
    for mistake in exercise.mistakes:
        if exercise.gives(mistake.function, answers):
            return mistake.name, mistake.sentence
    if kind:
        near = all(diagnosis.alike(a, t, ROUGH * np.abs(t).max(initial=0))
                   for a, t in zip(answers, truths, strict=True))
        return None, kind + ("" if near else " Its numbers are not right either.")
    if off := diagnosis.relation(answers, truths):
        return None, f"It is right but for {off}."
    for mistake in exercise.mistakes:
        if off := diagnosis.relation(answers, exercise.answers(mistake.function)):
            return mistake.name, (f"But for {off.partition(':')[0]}, it is what a known mistake gives: "
                                  f"{mistake.sentence}")
    if said := recognisers.recognised(exercise, answers, truths):
        return None, said
    said = (f"Right on {sum(map(diagnosis.same, answers, truths))} of {len(truths)} inputs.",
            diagnosis.wrong_numbers(answers, truths), "No usual mistake gives this.")
    return None, (diagnosis.wrong_factors(answers, truths) or diagnosis.wrong_shape(answers, truths)
                  or " ".join(filter(None, said)))


def _before(exercise, answers):
    """What fits the answers given before an error, for a wrong transpose runs on squares only.

    One input alone fits by chance: it takes two, and one mistake or two that fit them.
    """
    if exercise.judge or len(answers) < 2:
        return ""
    early = replace(exercise, cases=lambda rng: list(exercise.cases(rng))[:len(answers)])
    with np.errstate(all="ignore"):
        if compare(early, answers).passed:
            return f" It is right on the {len(answers)} inputs before it."
        found = [mistake.sentence for mistake in early.mistakes if early.gives(mistake.function, answers)]
    return f" On the inputs before it, this fits: {' Or this: '.join(found)}" if 0 < len(found) < 3 else ""


def _is_stub(function):
    """Whether the function does nothing, told by its bytecode: that of functions that do nothing."""
    def dots():
        ...

    def said():
        """Nothing."""
        ...

    def back():
        """Nothing."""
        return ...

    def done(f):
        return [(i.opname, i.argval) for i in dis.get_instructions(f)]
    return hasattr(function, "__code__") and done(function) in [done(blank) for blank in (dots, said, back)]
