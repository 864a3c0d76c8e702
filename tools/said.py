"""What the prose of a notebook says beside its code: displayed equations, and numbers.

    python tools/said.py 01     equations without an entry in tests/said/, numbers without a source

tests/said/NN_name.toml is made once by reading. An `[[equation]]` holds the literal LaTeX of a displayed
equation and the lines of code that say the same under the same names; a `[[number]]` a number of the prose
that no code, output or formula of its section has, and where it comes from. A change in the notebook that
the table does not know turns tests/notebooks/test_said.py red: a sign flipped in a formula or in its twin, a
number changed in a sentence.
"""
import math
import re
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import prose
import refresh

TABLES = refresh.ROOT / "tests" / "said"
DIGITS = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\d])")
POWER = re.compile(r"(?:(\d+(?:\.\d+)?)\s*(?:·|\\cdot|\\times|×)\s*)?10\s*"
                   r"(?:\^\{?\s*([-−]?\d+)\}?|([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))")
SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
LETTER = re.compile(r"[A-Za-zα-ωΑ-Ω]")
COMMAND = re.compile(r"\\(?:cdot|times|le|ge|approx|dots|ldots|quad|,|;|pm|text\{[^}]*\}|tfrac|frac)")
# Numbers of notebooks, sections, headings; a notebook's minutes, which tests/notebooks/test_series.py
# compares.
PLACE = re.compile(r"\b0\d\b(?!\.\d)|§\s*\d+|[Ss]ections?\s+\d+(?:\s*(?:,|and|to|–)\s*\d+\b)*|(?m:^#+ \d+)|"
                   r"[Aa]bout\s+\d+\s+minutes")
NOT_READ = {"Further reading"}   # years, pages and numbers in titles: the sources themselves


@dataclass
class Section:
    """A level-2 section: its Markdown cells, and all that its numbers may come from."""

    title: str = ""
    cells: list = field(default_factory=list)
    sources: list = field(default_factory=list)


def table(stem: str) -> dict:
    """Read the table of a notebook; one that is not there is empty."""
    path = TABLES / f"{stem}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def displayed(source: str) -> list[str]:
    """List the displayed equations of a Markdown cell, but for those in a block quote (others' words)."""
    own = "\n".join(line for line in source.splitlines() if not line.startswith(">"))
    return [found["display"].strip("$").strip() for found in prose.CODE_OR_FORMULA.finditer(own)
            if found["display"]]


def sections(nb) -> list[Section]:
    """Cut a notebook at its level-2 headings, within cells too."""
    found = [Section()]
    for cell in nb.cells:
        if cell.cell_type == "code":
            found[-1].sources += [cell.source, *texts(cell)]
            continue
        for part in re.split(r"(?m)^(?=## )", cell.source):
            if part.startswith("## "):
                found.append(Section(part.splitlines()[0][3:].strip()))
            if part.strip():
                found[-1].cells.append((cell.id, part))
                found[-1].sources += formulas(part)
    return found


def texts(cell) -> list[str]:
    """List what a cell has printed, as text."""
    return [output.text if output.output_type == "stream" else output.get("data", {}).get("text/plain", "")
            for output in cell.outputs]


def formulas(source: str) -> list[str]:
    """List the formulas and the code of a Markdown text, but for those that are nothing but a number."""
    return [found[0] for found in prose.CODE_OR_FORMULA.finditer(source) if not bare(found)]


def bare(found: re.Match) -> bool:
    """Whether an inline formula is nothing but numbers: then it is prose."""
    return bool(found["inline"]) and not LETTER.search(COMMAND.sub("", found["inline"]))


def said(source: str) -> str:
    """Take the prose of a Markdown text: no code, no addresses, no formulas but bare numbers."""
    text = prose.CODE_OR_FORMULA.sub(lambda found: found["inline"].strip("$") if bare(found) else " ", source)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return PLACE.sub(" ", text)


def numbers(text: str) -> list[tuple[str, float, float]]:
    """List the numbers of a text as (as written, value, half a unit of its last digit)."""
    found = []

    def power(hit: re.Match) -> str:
        exponent = int((hit[2] or hit[3]).translate(SUPERSCRIPT))
        factor = hit[1] or "1"
        value, unit = float(factor) * 10.0**exponent, 10.0**(exponent - len(factor.partition(".")[2]))
        found.append((hit[0], value, unit / 2 if hit[1] else 0.5 * value))
        return " "

    text = re.sub(r"\{,\}|(?<=\d)[\u202f\u00a0](?=\d{3})|\\,(?=\d{3})", ",", text)
    for hit in DIGITS.finditer(POWER.sub(power, text)):
        plain = hit[0].replace(",", "")
        mantissa, _, exponent = plain.partition("e")
        unit = 10.0**(int(exponent or 0) - len(mantissa.partition(".")[2]))
        found.append((hit[0].rstrip(","), float(plain), unit / 2))
    return found


def counts(written: str) -> bool:
    """Whether a number has two digits or more."""
    return len(re.sub(r"\D", "", written.translate(SUPERSCRIPT))) > 1


def strangers(section: Section) -> list[tuple[str, str]]:
    """List (id of the cell, number) for each number in prose that its section does not compute or state."""
    known = [value for source in section.sources for _, value, _ in numbers(source)]
    found = []
    for cell, part in section.cells:
        for written, value, half in numbers(said(part)):
            near = any(abs(value - scale * one) <= half * 1.0001 and math.isfinite(one)
                       for one in known for scale in (1, 100))
            if counts(written) and not near:
                found.append((cell, written))
    return found


def unexplained(nb, entries: list[dict]) -> list[str]:
    """Complain of each number that has no source, and of each entry that no sentence needs."""
    listed = [(entry["cell"], entry["number"]) for entry in entries]
    open_, complaints = list(listed), []
    for section in sections(nb):
        if section.title in NOT_READ:
            continue
        for one in strangers(section):
            if one in open_:
                open_.remove(one)
            elif one not in listed:
                complaints.append(f"cell {one[0]} ({section.title}): {one[1]} stands in no code, output or "
                                  "formula of its section")
    complaints += [f"cell {cell}: {number} is listed, and is no number that needs a source"
                   for cell, number in open_]
    return complaints + [f"cell {entry['cell']}: {entry['number']} has no source in words"
                         for entry in entries if len(entry.get("source", "").split()) < 2]


def same(text: str) -> str:
    """Take a text without its spaces."""
    return "".join(text.split())


def untwinned(nb, entries: list[dict]) -> list[str]:
    """Complain of each displayed equation without an entry, and of each entry that is no longer true."""
    code = {cell.id: cell.source for cell in nb.cells if cell.cell_type == "code"}
    there = [(cell.id, same(latex)) for cell in nb.cells if cell.cell_type == "markdown"
             for latex in displayed(cell.source)]
    listed = [(entry["cell"], same(entry["latex"])) for entry in entries]
    complaints = [f"cell {cell}: no entry for the equation {latex[:70]}" for cell, latex in there
                  if (cell, latex) not in listed]
    complaints += [f"cell {cell}: an entry for an equation that is not there: {latex[:70]}"
                   for cell, latex in listed if (cell, latex) not in there]
    return complaints + [sentence for entry in entries for sentence in _twin(entry, code)]


def _twin(entry: dict, code: dict) -> list[str]:
    """Complain of what an entry says of its twin and is not so."""
    if "no_twin" in entry:
        short = len(entry["no_twin"].split()) < 5
        return [f"cell {entry['cell']}: no_twin needs a reason in words"] if short else []
    twins = [entry["twin"]] if isinstance(entry["twin"], str) else entry["twin"]
    complaints = [f"cell {entry['cell']}: its twin {one} is no code cell" for one in twins if one not in code]
    sources = [same(code.get(one, "")) for one in twins]
    lines = entry["code"] or [None]
    return complaints + [f"cell {entry['cell']}: {line!r} stands in no cell of {', '.join(twins)}"
                         for line in lines if not line or not any(same(line) in source for source in sources)]


def complaints(path: Path) -> list[str]:
    """List what the table of a notebook does not account for."""
    nb, entries = refresh.load(path), table(path.stem)
    return untwinned(nb, entries.get("equation", [])) + unexplained(nb, entries.get("number", []))


if __name__ == "__main__":
    for path in [path for name in sys.argv[1:] or [""] for path in refresh.find(name)]:
        for sentence in complaints(path):
            print(f"{path.name}, {sentence}")
