"""What the series quotes of the student's note stands there: tests/note.toml has its lines as they are.

A quotation in a notebook is a block quote that starts with `**The note:**`; notebook 00 has a table with a
row for each line. Formulas are the note's LaTeX, spaces aside; sentences are its English translation, in “ ”.
"""
import re
import tomllib
from pathlib import Path

import prose
import pytest
import refresh

LINES = {line["id"]: line for line in
         tomllib.loads((Path(__file__).parents[1] / "note.toml").read_text(encoding="utf-8"))["line"]}
NOTEBOOKS = sorted(refresh.FOLDER.glob("0*.ipynb"))
QUOTE = re.compile(r"(?m)^> \*\*The note:\*\*(?:.*\n?)(?:^>.*\n?)*")
TABLE_HEAD = re.compile(r"(?m)^\| *(?:the note|[^|]*\bthe note\b[^|]*) *\|.*\n\|[-| :]+\|\n((?:^\|.*\n?)+)")
VERDICT = re.compile(r"\b(right|corrected|wrong)\b")


def same(text):
    r"""A text without spaces; in a table `\Vert ` stands for the two strokes that would end its cell."""
    return re.sub(r"\s+", "", re.sub(r"\\Vert\b", "||", text))


def sides(latex):
    """The sides of an equation: W of y = W is no part of y = W^T."""
    return re.split(r"(=|\\quad)", same(latex))


def parts(latex):
    """All that may be quoted of a line: one or more whole sides of it."""
    whole = sides(latex)
    return {"".join(whole[i:k]) for i in range(0, len(whole), 2) for k in range(i + 1, len(whole) + 1, 2)}


def misquoted(text):
    """The formulas and sentences of a quotation that stand in no line of the note."""
    latex = [parts(line["latex"]) for line in LINES.values() if "latex" in line]
    words = [same(line["english"]) for line in LINES.values() if "english" in line]
    formulas = [found[0].strip("$") for found in prose.CODE_OR_FORMULA.finditer(text) if not found["code"]]
    sentences = re.findall(r"“([^”]+)”", text)
    return ([one for one in formulas if not any(same(one) in line for line in latex)]
            + [one for one in sentences if not any(same(one.rstrip(".")) in line for line in words)])


def quotations(path):
    """The quotations of a notebook, as they stand after the words "The note:"."""
    return [re.sub(r"(?m)^> ?", "", found).removeprefix("**The note:**")
            for cell in refresh.load(path).cells if cell.cell_type == "markdown"
            for found in QUOTE.findall(cell.source)]


def rows():
    """The rows of the table of the note in notebook 00: what it says, where it is derived, the verdict."""
    tables = [table for cell in refresh.load(NOTEBOOKS[0]).cells if cell.cell_type == "markdown"
              for table in TABLE_HEAD.findall(cell.source)]
    assert len(tables) == 1, "notebook 00 has one table of the note; its first heading says 'the note'"
    return [[entry.strip() for entry in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
            for line in tables[0].splitlines()]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_quoted_stands_in_the_note(path):
    found = [wrong for text in quotations(path) for wrong in misquoted(text)]
    assert not found, f"{path.name} quotes what the note does not say: {found}"


@pytest.mark.parametrize("number", [3, 4, 5, 6, 7])
def test_the_notebooks_quote_the_note(number):
    assert quotations(NOTEBOOKS[number]), "no block quote starts with **The note:**"


def test_the_table_quotes_nothing_else():
    found = [(row[0], wrong) for row in rows() for wrong in misquoted(row[0])]
    assert not found


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_each_line_of_the_note_has_its_row(line):
    wanted = same(line.get("latex") or line["english"])
    found = [row for row in rows() if wanted in same(row[0])]
    assert found, "no row quotes the whole line"
    for row in found:
        assert VERDICT.search(row[-1]), f"no verdict: {row[-1]}"
        assert re.search(r"\]\(0\d_\w+\.ipynb(#[^)]+)?\)", " ".join(row[1:])), "no link to a section"


# --- faults, planted --------------------------------------------------------------------------

@pytest.mark.parametrize("text, wrong", [
    (r"$$Y=WX \quad \frac{d\vec{Y_{i,:}}}{d\vec{X_{i,:}}}=W^{T}$$", 0), (r"$y = Wx$", 0),
    (r"$$Y=WX \quad \frac{d\vec{Y_{i,:}}}{d\vec{X_{i,:}}}=W$$", 1),            # cut short: W for W^T
    (r"$$y=xW \quad \frac{d\vec{y}}{d\vec{x}}=W$$", 1),
    (r"$$Y=XW \quad \frac{d\vec{Y_{i,:}}}{d\vec{X_{i,:}}}=W^{T}$$", 1), (r"$v_{t}=\gamma v_{t}$", 1),
    ("“regularization prevents overfitting.”", 0), ("“regularization cures overfitting”", 1)])
def test_one_changed_symbol_is_noticed(text, wrong):
    assert len(misquoted(text)) == wrong


@pytest.mark.parametrize("line", [line["latex"] for line in LINES.values() if "latex" in line])
def test_no_formula_may_lose_or_change_a_symbol(line):
    bare = same(line)
    for k, symbol in enumerate(bare):
        assert misquoted(f"${bare[:k]}¿{bare[k + 1:]}$"), symbol
        assert misquoted(f"${bare[:k]}{bare[k + 1:]}$"), symbol
