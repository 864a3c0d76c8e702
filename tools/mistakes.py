"""Which mistakes a class makes most: in words, as a table, and as a picture."""
import re
import textwrap
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import claims
import matplotlib
from marking import Row
from matplotlib.figure import Figure

from helpers.exercises import find
from helpers.plotting import figures

DRAWN = 10      # so many of the mistakes are drawn and printed
STATUSES, OTHER = ("right", "not yet", "not attempted"), "other"
HEADING = "What the class gets wrong most"
NONE = "The grader found no mistake."


class Made(NamedTuple):
    """A mistake that somebody made: the exercise's title, what is wrong, and how many students did it."""

    title: str
    said: str
    students: int


def made(rows: list[Row]) -> list[Made]:
    """The mistakes of a class, the most frequent first."""
    who = defaultdict(set)
    for row in rows:
        if row.mistake or row.status == "not yet":
            who[row.exercise, what_is_wrong(row)].add(row.who)
    found = [Made(find(name).title, said, len(students)) for (name, said), students in who.items()]
    return sorted(found, key=lambda one: (-one.students, one.title, one.said))


def what_is_wrong(row: Row) -> str:
    """The sentence of the mistake; of one without a name, the first sentence that the grader said."""
    named = [one.sentence for one in find(row.exercise).mistakes if one.name == row.mistake]
    return (named or [first_sentence(row.sentence)])[0]


def first_sentence(text: str) -> str:
    """A text up to its first full stop or question mark that ends a sentence outside of `code`."""
    return re.match(r"(?:`[^`]*`|[^`])*?(?:[.?](?=\s|$)|$)", text, re.DOTALL)[0]


def statuses(rows: list[Row]) -> list[list[str]]:
    """For each exercise its title, and how many of the answers have which status."""
    counts = defaultdict(Counter)
    for row in rows:
        if row.exercise in claims.exercises():
            counts[row.exercise][row.status if row.status in STATUSES else OTHER] += 1
    return [[find(name).title, *(str(counted[one]) for one in (*STATUSES, OTHER))]
            for name, counted in counts.items()]


# --- in words ----------------------------------------------------------------------------------

def in_words(found: list[Made], number: int) -> str:
    """The most frequent mistakes for a terminal; `number` is how many students there are."""
    lines = [textwrap.fill(f"{one.title}: {one.said}", 100, initial_indent=f"{one.students:5} of {number}  ",
                           subsequent_indent=" " * (11 + len(str(number)))) for one in found[:DRAWN]]
    return "\n".join([f"{HEADING}, and how many students do:", *lines] if found else [NONE])


def markdown(rows: list[Row], found: list[Made], number: int) -> str:
    """All that is in `mistakes.md`."""
    listed = claims.markdown(["students", "exercise", "what is wrong"],
                             [[str(one.students), *map(cell, (one.title, one.said))] for one in found])
    counted = claims.markdown(["exercise", *STATUSES, OTHER],
                              [[cell(title), *rest] for title, *rest in statuses(rows)])
    mistakes = f"![{described(found, number)}](mistakes.png)\n\n{listed}" if found else NONE
    return (f"# {HEADING}\n\nStudents: {number}\n\n{mistakes}\n\n"
            f"## How many answers are right\n\n{counted}\n")


def cell(text: str) -> str:
    """A text that may stand in a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())


def described(found: list[Made], number: int) -> str:
    """The picture in a sentence or two: its alternative text."""
    first = "; ".join(f"{one.students} of {number} in “{one.title}”: {first_sentence(one.said)[:-1]}"
                      for one in found[:3])
    return (f"Bars: how many of {number} students make each mistake, the most frequent first. {first}."
            .translate(str.maketrans("[]\n", "() ")))


# --- as a picture ------------------------------------------------------------------------------

def picture(found: list[Made], number: int) -> Figure:
    """A bar for each of the most frequent mistakes, with its words above it."""
    shown = found[:DRAWN]
    with matplotlib.style.context(figures.STYLE):
        figure = Figure(figsize=(6.4, 0.7 + 0.8 * len(shown)))
        axes = figure.subplots()
        axes.barh(range(len(shown)), [one.students for one in shown], height=0.2, color=figures.KERNEL)
        for y, one in enumerate(shown):
            axes.text(one.students, y, f" {one.students}", va="center")
            lines = textwrap.wrap(one.said.replace("`", ""), 84, max_lines=2, placeholder=" …")
            for height, line in enumerate([*lines[::-1], one.title]):      # what students wrote is no formula
                axes.annotate(line, (0, y - 0.1), (0, 2 + 12 * height), textcoords="offset points",
                              va="bottom", fontsize=9, weight="bold" if line == one.title else None,
                              parse_math=False)
        axes.set(xlim=(0, number), ylim=(len(shown) - 0.7, -1), yticks=[], title=HEADING,
                 xlabel=f"number of students, of {number}")
        axes.spines["left"].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure


def write(rows: list[Row], to: Path) -> str:
    """Write mistakes.md and mistakes.png into a folder, and return what is printed."""
    found, number = made(rows), len({row.who for row in rows})
    (to / "mistakes.md").write_text(markdown(rows, found, number), encoding="utf-8", newline="\n")
    if found:
        picture(found, number).savefig(to / "mistakes.png", dpi=160,
                                       metadata={"Description": described(found, number)})
    return in_words(found, number)
