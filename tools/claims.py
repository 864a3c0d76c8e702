"""Count and look up what README.md claims, and write it between its marks.

    python tools/claims.py            write the tables
    python tools/claims.py --check    write nothing; exit 1 where a table is not what is counted now

What is counted is counted in the stored notebooks and in helpers/; what was measured is looked up in
benchmarks/results.md, which `python3 tasks.py bench` writes.
"""
import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterable
from types import ModuleType

import notebook_rules
import refresh
from nbformat import NotebookNode

from helpers.exercises import break_it, questions
from helpers.exercises.exercise import Exercise, Mistake

README = refresh.ROOT / "README.md"
RESULTS = refresh.ROOT / "benchmarks" / "results.md"
EXPLORER = '<img class="explore"'
# What a break-it exercise tells of every answer that is not wrong in the way it asks for: no usual mistakes.
PLACEHOLDERS = {break_it.RIGHT, break_it.SHAPE, break_it.NOT_FINITE, break_it.REJECTED}


# --- counting --------------------------------------------------------------------------------

def calls(notebooks: list[NotebookNode], name: str) -> int:
    """How often the notebooks call this function, as their source has it."""
    trees = [ast.parse(cell.source) for nb in notebooks for cell in nb.cells if cell.cell_type == "code"]
    return sum(isinstance(node, ast.Call) and getattr(node.func, "id", "") == name
               for tree in trees for node in ast.walk(tree))


def compared(notebooks: list[NotebookNode]) -> int:
    """How many code cells strict nbval compares."""
    return sum(cell.cell_type == "code" and not set(notebook_rules.tags(cell)) & notebook_rules.REASONS.keys()
               for nb in notebooks for cell in nb.cells)


def shown(notebooks: list[NotebookNode], mark: str) -> int:
    """How many outputs hold this piece of HTML."""
    return sum(mark in output.get("data", {}).get("text/html", "")
               for nb in notebooks for cell in nb.cells for output in cell.get("outputs", []))


def modules() -> list[ModuleType]:
    """The modules of exercises."""
    return [importlib.import_module(f"{questions.__name__}.{one.name}")
            for one in pkgutil.iter_modules(questions.__path__)]


def exercises() -> dict[str, Exercise]:
    """Every exercise of the series, by its name."""
    return {one.name: one for module in modules() for one in vars(module).values()
            if isinstance(one, Exercise)}


def mistakes() -> list[Mistake]:
    """The mistakes of which the grader has something of their own to say; each once, in whichever exercises.

    The placeholders of the break-it exercises are none.
    """
    return _each_once(mistake for one in exercises().values() for mistake in one.mistakes
                      if mistake.sentence not in PLACEHOLDERS)


def holes() -> list[Mistake]:
    """What weak tests do not check, as the break-it exercises know it by name; each once."""
    return _each_once(hole for one in exercises().values() for hole in one.holes)


def _each_once(named: Iterable[Mistake]) -> list[Mistake]:
    """One for each sentence: the same words in two exercises are one thing that a learner can be told."""
    return list({mistake.sentence: mistake for mistake in named}.values())


def minutes(notebooks: list[NotebookNode]) -> list[int]:
    """How long each notebook says that it takes."""
    return [int(re.search(r"[Aa]bout (\d+)\s+minutes", nb.cells[0].source)[1]) for nb in notebooks]


# --- looking up ------------------------------------------------------------------------------

def measured(section: str, *columns: str) -> list[list[str]]:
    """The rows of the first table in a section of results.md, these columns of it.

    Raises ValueError where the section or a column is not there.
    """
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    body = re.search(rf"(?ms)^## {re.escape(section)}$.*?^(\|.*?)(?:\n\n|\Z)", text)
    lines = [[entry.strip() for entry in line.strip().strip("|").split("|")]
             for line in (body[1] if body else "").splitlines()]
    if not lines or not set(columns) <= set(lines[0]):
        raise ValueError(f"benchmarks/results.md: columns {columns} expected in {section!r}; "
                         "write it with `python3 tasks.py bench`")
    return [[line[lines[0].index(column)] for column in columns] for line in lines[2:]]


def claims() -> str:
    """What the series claims, and what was counted or measured, as a Markdown table."""
    notebooks = [refresh.load(path) for path in refresh.notebooks()]
    drawn = sum(kind.startswith("image/") or text.count("data:image/") for nb in notebooks
                for _, _, kind, text in notebook_rules.outputs(nb))
    theirs = measured("Slider to pixels", "median, ms")[1][0]
    times = [int(time) for time, in measured("Key press to pixels, every explorer", "median, ms")]
    ready = measured("Key press to pixels, what Jupyter takes of it", "median, ms")[1][0]
    epoch, textbook = measured("One epoch on the digits", "ours ÷ torch", "textbook ÷ ours")[0]
    return markdown(["claim", "counted and measured"], [
        ["Gradients derived by hand are checked on samples",
         f"{calls(notebooks, 'three_witnesses')} comparisons with autograd and with differences; "
         f"{calls(notebooks, 'refuted')} wrong formulas, rejected by the same check"],
        ["What is printed was computed, and is computed again",
         f"{compared(notebooks)} code cells of {len(notebooks)} notebooks, compared by strict nbval; "
         f"{drawn} pictures, compared by a test of their own"],
        ["Exercises name your mistake",
         f"{len(exercises())} exercises, graded at once; {len(mistakes())} mistakes known by name, "
         f"each told in words of its own, and {len(holes())} holes in weak tests"],
        ["Sliders answer at once",
         f"{shown(notebooks, EXPLORER)} explorers; a key press moves the picture of the quickest in "
         f"{min(times)} ms and of the slowest in {max(times)} ms; of these Jupyter takes {ready} ms to show "
         f"a large picture that is ready. A small one with `interact` takes {theirs} ms"],
        ["The helpers are fast",
         f"an epoch of a LeNet takes {epoch} × as long as in torch on one thread, and with the usual im2col "
         f"{textbook} × as long as here"]])


def speed() -> str:
    """The convolution's times as a ratio to torch's, float32 and float64 side by side."""
    found = measured("Convolution, forward + backward", "shape", "dtype", "ours ÷ torch", "floor ÷ torch")
    shapes = list(dict.fromkeys(shape for shape, *_ in found))
    entry = {(shape, dtype): ratios for shape, dtype, *ratios in found}
    return markdown(["input → filters, kernel, padding", "float32, ours", "float32, bare", "float64, ours",
                     "float64, bare"],
                    [[shape, *entry[shape, "float32"], *entry[shape, "float64"]] for shape in shapes])


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows])


# --- writing ---------------------------------------------------------------------------------

TABLES = {"claims": claims, "speed": speed}


def written(text: str) -> str:
    """The README with today's tables between their marks. Raises ValueError where there are no marks."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: written by tools/claims.py -->", f"<!-- end of {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"README.md: one {begin!r} and one {end!r} expected")
        text = text[:text.index(begin) + len(begin)] + f"\n{table()}\n" + text[text.index(end):]
    return text


def main() -> int:
    """Write the tables, or say whether they are those that would be written."""
    old = README.read_text(encoding="utf-8")
    new = written(old)
    if new != old and "--check" in sys.argv:
        print("README.md claims what is no longer so; run `python tools/claims.py`", file=sys.stderr)
        return 1
    README.write_text(new, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
