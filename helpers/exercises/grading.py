"""Exercises graded at once, by a grader that knows the usual mistakes by name.

    def db_by_hand(dy):
        ...

    grade("convolution.db", db_by_hand)

The part before the dot names the module that holds the exercise: helpers/exercises/questions/ has it.
"""
import ast
import dis
import importlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from helpers.exercises import diagnosis, questions, sandbox
from helpers.exercises.feedback import Verdict


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give: its name, what to tell them, and the wrong answer itself."""

    name: str
    sentence: str
    function: Callable


@dataclass(frozen=True)
class Exercise:
    """A question: the worked solution, inputs that tell right from wrong, and the usual mistakes.

    `truth` is a helper that has its own proof: answers are compared with it, those of the worked
    solution too. `cases` makes the inputs from a random generator, the smallest first; each is a dict
    of arguments in their order. `judge` stands in for `compare` where the answer is not the truth;
    `through` makes the function that is called out of what is handed in, where that is something else.
    """

    name: str
    title: str
    solution: Callable
    truth: Callable
    cases: Callable[[np.random.Generator], Iterable[dict[str, object]]]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    judge: "Callable[[Exercise, list[np.ndarray]], Verdict] | None" = None
    through: Callable[[Callable], Callable] | None = None

    def inputs(self) -> list[dict[str, object]]:
        """The inputs, the same ones every time."""
        return list(self.cases(np.random.default_rng(0)))

    def answers(self, function: Callable) -> list[np.ndarray]:
        """What a function of ours answers to the inputs."""
        called = self.called(function)
        return [np.asarray(called(*case.values())) for case in self.inputs()]

    def called(self, function: Callable) -> Callable:
        """What is called with the arguments when `function` is handed in."""
        return self.through(function) if self.through else function

    def source(self) -> str:
        """The worked solution, as its module has it."""
        return inspect.getsource(self.solution).rstrip()

    def stub(self) -> str:
        """The notebook's cell: the solution down to its docstring, and the line that grades it."""
        head = self.source().splitlines()[:ast.parse(self.source()).body[0].body[0].end_lineno]
        return "\n".join([*head, "    ...", "", "", f'grade("{self.name}", {self.solution.__name__})'])

    def verdict(self, status: str, *said: str | None) -> Verdict:
        """A verdict on this exercise: its status, then sentence, evidence and mistake, as far as given."""
        said += ("", "", None)[len(said):]
        return Verdict(self.title, status, *said, help=(*self.hints, self.source()))


def grade(name: str, function: Callable) -> Verdict:
    """Say whether the learner's function is right, or what is wrong with it.

    `name` is the exercise's. Whatever the function does is a sentence in the verdict, never an
    exception here. Raises ValueError when there is no such exercise.
    """
    exercise = find(name)
    if not callable(function):
        return exercise.verdict("not yet", f"`grade` takes the function itself, by its name and without "
                                           f"parentheses; it got {sandbox.named(function)}.")
    if _is_stub(function):
        return exercise.verdict("not attempted")
    answers, called = [], exercise.called(function)
    for case, truth in zip(exercise.inputs(), exercise.answers(exercise.truth), strict=True):
        try:
            answers.append(sandbox.numbers(sandbox.call(called, case), truth))
        except sandbox.Misfortune as told:
            said = f"{told} It was called with {diagnosis.in_short(case)}."
            return exercise.verdict("not yet", said + _before(exercise, answers))
    with np.errstate(all="ignore"):     # an answer may hold NaN and infinity
        return (exercise.judge or compare)(exercise, answers)


def compare(exercise: Exercise, answers: list[np.ndarray]) -> Verdict:
    """Judge the answers by the truth and by every mistake."""
    truths = exercise.answers(exercise.truth)
    kind = next(filter(None, map(diagnosis.wrong_dtype, answers, truths)), "")
    wrong = [i for i in range(len(truths)) if not diagnosis.same(answers[i], truths[i])]
    if not wrong and not kind:
        return exercise.verdict("right", f"Right on all {len(truths)} inputs.")
    mistake, sentence = _recognised(exercise, answers, truths, kind)
    first = (wrong or [0])[0]
    shown = diagnosis.evidence(exercise.inputs()[first], answers[first], truths[first])
    return exercise.verdict("not yet", sentence, shown, mistake)


def compare_nan(exercise: Exercise, answers: list[np.ndarray]) -> Verdict:
    """`compare`, and what ends in NaN by name: NaN equals nothing, so `compare` cannot tell whose it is."""
    verdict = compare(exercise, answers)
    if verdict.passed or verdict.mistake or any(a.dtype != float for a in answers):
        return verdict
    for mistake in exercise.mistakes:
        if all(map(diagnosis.alike, answers, exercise.answers(mistake.function))):
            return replace(verdict, sentence=mistake.sentence, mistake=mistake.name)
    return verdict


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
    wrong = [(mistake, exercise.answers(mistake.function)) for mistake in exercise.mistakes]
    for mistake, given in wrong:
        if diagnosis.all_same(answers, given):
            return mistake.name, mistake.sentence
    if kind:
        return None, kind
    if off := diagnosis.relation(answers, truths):
        return None, f"It is right but for {off}."
    for mistake, given in wrong:
        if off := diagnosis.relation(answers, given):
            return mistake.name, f"Two things are wrong. First, {off}. Second: {mistake.sentence}"
    said = (f"Right on {sum(map(diagnosis.same, answers, truths))} of {len(truths)} inputs.",
            diagnosis.wrong_numbers(answers, truths), "No usual mistake gives this.")
    return None, (diagnosis.wrong_factors(answers, truths) or diagnosis.wrong_shape(answers, truths)
                  or " ".join(filter(None, said)))


def _before(exercise, answers):
    """The mistake that fits the answers given before an error, for a wrong transpose runs on squares only."""
    early = replace(exercise, cases=lambda rng: list(exercise.cases(rng))[:len(answers)])
    if exercise.judge or not answers:
        return ""
    with np.errstate(all="ignore"):
        found = compare(early, answers)
    return f" On the inputs before it: {found.sentence}" if found.mistake else ""


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
