"""The notebooks in Chinese: their prose is a translator's, all else is copied from the English.

A Markdown cell in Chinese has the id of the English cell that it translates, and in its metadata a digest of
what that said then. Links lead to cells by their ids: JupyterLab finds no heading that is not ASCII.
"""
import copy
import hashlib
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import nbformat
import prose
import refresh
from nbformat import NotebookNode

FOLDER = refresh.FOLDER / "zh"
KEY = "translates"                          # in the metadata: the digest of the English
HAN = re.compile("[\u4e00-\u9fff]")
MARK = re.compile(r"^%% (\S+)\n", re.MULTILINE)     # begins a cell in the text that a translator edits
LINK = re.compile(r"\]\((?P<file>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
TITLE = re.compile(r"\[[^]]*\]\([^)]*\)|\*[A-Z][^*]*\*")           # of a paper or a book: it stays
SENTENCE = re.compile(r"(?:[A-Za-z]{2,}[ ,]+){4,}[A-Za-z]{2,}")


def digest(source: str) -> str:
    """What stands for an English cell in the metadata of its translation."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def in_step(english: Path) -> tuple[NotebookNode, list[str]]:
    """The Chinese notebook as it should be, and what is wrong with the one that is there.

    A cell without a translation, or with one of an older English, has the English or the old one for now.
    """
    nb, path = refresh.load(english), FOLDER / english.name
    old = {cell.id: cell for cell in refresh.load(path).cells} if path.exists() else {}
    ids = [cell.id for cell in nb.cells]
    faults = [f"{one}: no English cell has this id" for one in old if one not in ids]
    if [one for one in old if one in ids] != [one for one in ids if one in old]:
        faults.append("its cells stand in another order")
    known, cells = anchors(), []
    for cell in nb.cells:
        made, wrong = _cell(cell, old.get(cell.id), lambda source: relinked(source, english.name, known))
        cells.append(made)
        faults += [f"{cell.id}: {fault}" for fault in wrong]
    nb.cells = cells
    return nb, [f"zh/{english.name}, {fault}" for fault in faults]


def _cell(english, chinese, link):
    if english.cell_type == "code":
        new = copy.deepcopy(english)
        if chinese and chinese.source == english.source:
            new.update(outputs=chinese.outputs, execution_count=chinese.execution_count)
        return new, []
    if chinese is None or KEY not in chinese.metadata:
        return english, ["there is no translation"]
    stale = [] if chinese.metadata[KEY] == digest(english.source) else ["the English has changed since"]
    chinese.source = link(chinese.source)
    return chinese, stale + differences(link(english.source), chinese.source)


def differences(english: str, chinese: str) -> list[str]:
    """What a translation has more or less than the English: formulas, code, links, headings, numbers, rows.

    Words in formulas may be Chinese.
    """
    found = []
    pairs = zip(_parts(english).items(), _parts(chinese).values(), strict=True)
    for (kind, ours), theirs in pairs:
        for word, some in ("lacks", ours - theirs), ("adds", theirs - ours):
            found += [f"it {word} {kind} {one!r}" for one in some.elements()]
    plain = prose.read(TITLE.sub("", chinese)).text
    if not HAN.search(chinese) or SENTENCE.search(plain):
        found.append("it is in English")
    return found


def _parts(source):
    """What must be the same in both languages, by kind."""
    found = [match for match in prose.CODE_OR_FORMULA.finditer(source)]
    page, rest = prose.read(source), prose.CODE_OR_FORMULA.sub(" ", source)
    return {
        "the code": Counter(re.sub(r"\s+", " ", one["code"]) for one in found if one["code"]),
        "the formula": Counter(_formula(one[0]) for one in found if not one["code"]),
        "a link to": Counter(page.links + [where for where, _ in page.images]),
        "a heading of level": Counter((level, *re.findall(r"^\d+", text)) for level, text in page.headings),
        "the number": Counter(re.findall(r"\d+(?:[.,]\d+)*", re.sub(r"\]\([^)]*\)|<[^>]*>", "", rest))),
        "a row": Counter(re.findall(r"^ *(\||[-*] |\d+\. )", source, re.MULTILINE)),
    }


def _formula(text):
    return re.sub(r"\\text(?:rm|bf)?\{[^}]*\}|\s", "", text)


# --- links -----------------------------------------------------------------------------------

def anchors() -> dict[str, dict[str, str]]:
    """For each notebook: the id of the cell that has this heading, in English or in Chinese."""
    return {path.name: {**_anchors(path), **_anchors(FOLDER / path.name)} for path in refresh.notebooks()}


def _anchors(path):
    return {prose.anchor(text): cell.id for cell in (refresh.load(path).cells if path.exists() else ())
            if cell.cell_type == "markdown" for _, text in prose.read(cell.source).headings}


def relinked(source: str, name: str, known: dict[str, dict[str, str]]) -> str:
    """The Markdown of a notebook, with links to the cells of headings, and to pictures one folder up."""
    def link(match):
        file, anchor = match["file"], match["anchor"]
        if file.startswith("../") and not file.startswith("../../"):
            file = "../" + file
        at = known.get(file or name, {}).get(unquote(anchor or ""))
        return f"]({file}{f'#cell-id={at}' if at else f'#{anchor}' if anchor else ''})"
    return LINK.sub(link, source)


# --- a text to translate ---------------------------------------------------------------------

def draft(english: Path) -> str:
    """The English of the cells that have no translation or an old one, each after its mark, as text."""
    _, faults = in_step(english)
    wanted = set(re.findall(r"^[^,]*, ([\w-]+):", "\n".join(faults), re.MULTILINE))
    return "\n".join(f"%% {cell.id}\n{cell.source}\n" for cell in refresh.load(english).cells
                     if cell.cell_type == "markdown" and cell.id in wanted)


def take(english: Path, text: str) -> NotebookNode:
    """The Chinese notebook with the translations of such a text in it.

    Raises ValueError for a cell that the English notebook does not have.
    """
    nb, _ = in_step(english)
    sources = {cell.id: cell.source for cell in refresh.load(english).cells if cell.cell_type == "markdown"}
    parts = MARK.split(text)
    given = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
    if unknown := given.keys() - sources.keys():
        raise ValueError(f"{english.name}: got {min(unknown)!r}, expected the id of a Markdown cell")
    for cell in nb.cells:
        if cell.id in given:
            cell.source = given[cell.id]
            cell.metadata = nbformat.from_dict({KEY: digest(sources[cell.id])})
    return nb
