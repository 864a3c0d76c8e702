"""The glossary of notebook 00: each term stands in the section it links to, and has all its columns."""
import functools
import re
from urllib.parse import unquote

import prose
import pytest
import refresh
import test_series

HEADS = "symbol | in code | Chinese | section"
TABLE = re.compile(rf"(?m)^\| .+? \| {re.escape(HEADS)} \|\n\|[-| ]+\|\n((?:^\|.*\n?)+)")
LINK = re.compile(r"\[(.+?)\]\((\w+\.ipynb)?#(.+)\)")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@functools.cache
def cells(name):
    return refresh.load(refresh.FOLDER / name).cells


def rows(source):
    """The rows of all tables of the glossary: term, symbol, names in code, Chinese, link."""
    return [[entry.strip() for entry in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
            for table in TABLE.findall(source) for line in table.splitlines()]


def glossary():
    return "\n\n".join(cell.source for cell in cells(test_series.FIRST.name) if cell.cell_type == "markdown")


def section(name, anchor):
    """The text and the code under a heading, up to the next one that is not below it; None without it."""
    found, depth = None, 0
    for cell in cells(name):
        parts = [cell.source] if cell.cell_type == "code" else re.split(r"(?m)^(?=#+ )", cell.source)
        for part in parts:
            heading = cell.cell_type == "markdown" and re.match(r"(#+) (.+)", part)
            if heading and found is not None and len(heading[1]) <= depth:
                return "\n".join(found)
            if heading and found is None and prose.anchor(heading[2]) == anchor:
                found, depth = [], len(heading[1])
            if found is not None:
                found.append(part)
    return found and "\n".join(found)


def plain(text):
    """A text in small letters, in which formulas, hyphens and line ends are spaces."""
    return re.sub(r"[-–*`\s]+", " ", re.sub(r"\$[^$]*\$", " ", text).lower())


def stands(term, text):
    """Whether a term stands in a text, in the singular or the plural."""
    wanted = r"(?:s|es)?\s".join(map(re.escape, plain(term).split()))
    return re.search(rf"\b{wanted}(?:s|es)?\b", plain(text)) is not None


def faults(row):
    """What is wrong with a row, in words."""
    term, symbol, names, chinese, target = row
    link = LINK.fullmatch(target)
    if not link:
        return [f"{term}: no link to a section"]
    name = link[2] or test_series.FIRST.name
    text = section(name, unquote(link[3]))
    if text is None:
        return [f"{term}: {name} has no such heading"]
    whole = "\n".join(cell.source for cell in cells(name) if not TABLE.search(cell.source))
    found = [f"{one}: not in its section" for one in term.split(", ") if not stands(one, text)]
    used = test_series.symbols(whole)
    found += [f"{term}: {one} in no formula of {name}" for one in test_series.symbols(symbol) - used]
    found += [f"{term}: {one} in no code" for one in re.findall(r"`(.+?)`", names)
              if not in_code(one, name)]
    found += [] if CHINESE.search(chinese) else [f"{term}: no Chinese"]
    return found + ([] if name[:2] == link[1][:2] else [f"{term}: the link says {link[1]}"])


def in_code(name, notebook):
    """Whether a name is used in the notebook's code, or defined in helpers."""
    code = "\n".join(cell.source for cell in cells(notebook) if cell.cell_type == "code")
    return re.search(rf"\b{re.escape(name)}\b", code) or name in defined()


@functools.cache
def defined():
    """The functions, classes and arguments of helpers."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (refresh.ROOT / "helpers").rglob("*.py"))
    return {*re.findall(r"\b(?:def|class) (\w+)", text)}


@pytest.mark.parametrize("row", rows(glossary()), ids=lambda row: f"{row[4][1:3]}-{row[0]}")
def test_a_term_stands_where_the_glossary_says(row):
    assert faults(row) == []


def test_the_glossary_is_as_long_as_a_reader_can_use():
    """Every term once; each notebook that introduces terms has some."""
    terms = [one for row in rows(glossary()) for one in row[0].split(", ")]
    assert 50 <= len(terms) <= 110 and len(terms) == len(set(terms))
    notebooks = [row[4][1:3] for row in rows(glossary())]
    assert min(notebooks.count(number) for number in ("00", "01", "02", "03", "04", "05", "06", "09")) >= 4


RIGHT = ["padding", "$p$", "`padding`", "填充", "[01 §3](01_convolution.ipynb#3-How-large-is-the-output?)"]


@pytest.mark.parametrize("column, fault, said", [
    (0, "paddle", "not in its section"), (0, "padding, feature map", "feature map: not in its section"),
    (1, r"$\omega$", "in no formula"), (2, "`padded_twice`", "in no code"),
    (2, "`padding`, `nowhere`", "nowhere"), (3, "", "no Chinese"), (3, "padding", "no Chinese"),
    (4, "01 §3", "no link"),
    (4, "[01 §3](01_convolution.ipynb#3-Padding)", "no such heading"),
    (4, "[02 §2](01_convolution.ipynb#3-How-large-is-the-output?)", "the link says 02")])
def test_a_fault_in_a_row_is_noticed(column, fault, said):
    assert faults(RIGHT) == []
    row = [*RIGHT[:column], fault, *RIGHT[column + 1:]]
    assert said in " ".join(faults(row))


@pytest.mark.parametrize("term, text, found", [
    ("feature map", "two feature\nmaps", True), ("one-hot", "a *one-hot* vector", True),
    ("bias", "the biases", True), ("stride", "astride", False), ("error", "errors $x$", True),
    ("feature map", "a feature, mapped", False)])
def test_a_term_is_found_in_the_plural_and_across_lines(term, text, found):
    assert stands(term, text) == found
