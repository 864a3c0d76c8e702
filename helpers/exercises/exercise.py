"""An exercise: a question, its worked solution, inputs that tell right from wrong, and the usual mistakes."""
import ast
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import default_rng  # as it is now: a learner may put another in its place

from helpers.exercises import diagnosis
from helpers.exercises.changes import changed
from helpers.exercises.feedback import Feedback
from helpers.exercises.withheld import solutions_are_shown


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give: its name, what to tell them, and the wrong answer itself.

    The answer is a function, or a change of the right one, "a → b", or several: see changes.py.
    """

    name: str
    sentence: str
    function: Callable | str | tuple[str, ...]

    def made_of(self, right: Callable) -> "Mistake":
        """The mistake with its function, when it was given by changes of `right`."""
        if callable(self.function):
            return self
        given = (self.function,) if isinstance(self.function, str) else self.function
        return replace(self, function=changed(right, *given))


@dataclass(frozen=True)
class Exercise:
    """A question: the worked solution, inputs that tell right from wrong, and the usual mistakes.

    `truth` is a helper that has its own proof: answers are compared with it, those of the worked
    solution too. `cases` makes the inputs from a random generator, the smallest first; each is a dict
    of arguments in their order. `judge` stands in for `compare` where the answer is not the truth;
    `through` makes the function that is called out of what is handed in, where that is something else.
    `parts` finds the arrays, by name, that an answer holds side by side; `holes` are wrong answers that
    pass: break_it.py.
    """

    name: str
    title: str
    solution: Callable
    truth: Callable
    cases: Callable[[np.random.Generator], Iterable[dict[str, object]]]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    judge: "Callable[[Exercise, list[np.ndarray]], Feedback] | None" = None
    through: Callable[[Callable], Callable] | None = None
    parts: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None
    holes: tuple[Mistake, ...] = ()

    def __post_init__(self) -> None:
        """Make the mistakes that are changes of the solution."""
        made = tuple(mistake.made_of(self.solution) for mistake in self.mistakes)
        object.__setattr__(self, "mistakes", made)

    def inputs(self) -> list[dict[str, object]]:
        """The inputs, the same ones every time."""
        return list(self.cases(default_rng(0)))

    def answers(self, function: Callable) -> list[np.ndarray]:
        """What a function of ours answers to the inputs."""
        called = self.called(function)
        with np.errstate(all="ignore"):     # a mistake may divide by zero
            return [np.asarray(called(*case.values())) for case in self.inputs()]

    def gives(self, function: Callable, answers: list[np.ndarray]) -> bool:
        """Whether a function of ours answers the same; asked input by input, until it does not."""
        called = self.called(function)
        with np.errstate(all="ignore"):
            return all(diagnosis.same(answer, np.asarray(called(*case.values())))
                       for answer, case in zip(answers, self.inputs(), strict=True))

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

    def feedback(self, status: str, *said: str | None) -> Feedback:
        """Feedback on this exercise: its status, then sentence, evidence and mistake, as far as given."""
        said += ("", "", None)[len(said):]
        solution = self.source() if solutions_are_shown() else ""
        return Feedback(self.title, status, *said, help=(*self.hints, solution))
