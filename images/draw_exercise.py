"""Draw exercise.svg: a wrong answer with the feedback of the grader, and then the right answer."""
import numpy as np
from drawing import FRAME, INK, KERNEL, NEUTRAL, OUTPUT, card, ink, rect, save, tag, words

# drawing.py has put the project's folder on the path
from helpers.exercises import grading

NAME  = "network.delta_hidden"
WRONG = "return (delta_next @ W_next) * (1 - z**2)"
RIGHT = "return (delta_next @ W_next) * (1 - np.tanh(z)**2)"
MONO  = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, monospace"
LINE, LEFT, SECOND = 19, 44, 400

DESCRIPTION = (
    "A code cell of a notebook and the feedback under it. The stub of an exercise, in grey, is filled in "
    "with one line, in black, whose slope of tanh is wrong. The grader marks it with a cross, names the "
    "mistake in a sentence and shows the smallest input on which the answer is wrong, beside what was "
    "expected and what came; a hint is folded below. With the line corrected, the grader marks it with "
    "a tick.")


def code(x, y, text, color=INK, bold=False):
    """A line of code or of a printed array; no blank of it is lost."""
    return words(x, y, text.replace(" ", "\u00a0"), 13, color, bold=bold, font_family=MONO)


def filled(line):
    """The exercise's cell with the learner's line in place of the three dots."""
    return grading.find(NAME).stub().replace("    ...\n", f"    {line}").splitlines()


def judged(line):
    """What the grader says of the function in that cell."""
    space, source = {"np": np}, "\n".join(filled(line)[:-1])
    exec(source, space)     # the cell, as a notebook runs it
    return grading.grade(NAME, space[grading.find(NAME).solution.__name__])


def cell(y, line):
    """The code cell: grey what was given, black what the learner wrote."""
    lines = filled(line)
    rows = [code(LEFT, y + 26 + k * LINE, text, INK if line in text else NEUTRAL, line in text)
            for k, text in enumerate(lines) if text]
    return tag("g", rect(24, y, 672, 22 + LINE * len(lines), "#F7F7F7", FRAME, corner=4), *rows, id="code")


def bar(y, height, color):
    """The coloured line to the left of what the grader says."""
    return rect(24, y, 5, height, color)


def evidence(y, text):
    """The printed input to the left; what was expected and what came to the right."""
    given, _, answers = text.partition("expected")
    blocks = ((LEFT, given.splitlines()), (SECOND, f"expected{answers}".splitlines()))
    return [code(x, y + k * LINE, line) for x, lines in blocks for k, line in enumerate(lines)]


def refused(y):
    """The feedback on the wrong line."""
    feedback = judged(WRONG)
    height = 110 + LINE * max(part.count("\n") for part in feedback.evidence.split("expected"))
    return tag("g", bar(y, height, KERNEL),
               words(LEFT, y + 18, f"✗ {feedback.title}: {feedback.status}", 14, ink(KERNEL), bold=True),
               words(LEFT, y + 43, feedback.sentence),
               words(LEFT, y + 70, f"▾ {feedback.shown}", 14, NEUTRAL),
               *evidence(y + 94, feedback.evidence), words(LEFT, y + height - 6, "▸ Hint 1", 14, NEUTRAL),
               id="refused")


def accepted(y):
    """The right line, and the feedback on it."""
    feedback = judged(RIGHT)
    return tag("g", rect(24, y, 672, 36, "#F7F7F7", FRAME, corner=4),
               code(LEFT, y + 23, f"    {RIGHT}", bold=True), bar(y + 46, 52, OUTPUT),
               words(LEFT, y + 64, f"✓ {feedback.title}: {feedback.status}", 14, ink(OUTPUT), bold=True),
               words(LEFT, y + 88, feedback.sentence), id="accepted")


def main():
    """Write the drawing."""
    feedback = 24 + 22 + LINE * len(filled(WRONG)) + 12
    second = feedback + 258
    save("exercise", card("exercise", "An exercise that names a mistake", DESCRIPTION, second + 122,
                          cell(24, WRONG), refused(feedback), accepted(second)))


if __name__ == "__main__":
    main()
