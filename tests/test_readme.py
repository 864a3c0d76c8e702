"""README.md: its links lead somewhere, its numbers are those of today, its film is the widget's."""
import re
import subprocess
import sys

import claims
import notebook_rules
import pictures
import prose
import pytest
import refresh
from PIL import Image, ImageSequence

ROOT = refresh.ROOT
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FILM = ROOT / "images" / "pathologies.gif"
# What the note's page had; each must have a row of its own in notebook 00.
NOTE = ("convolution", "pooling", "fully connected", "$y = Wx", "$y = xW", r"\partial y_i/\partial W_{ij}",
        r"\partial Y", "$z^l = W^l a^{l-1} + b^l", r"$C = \tfrac12", r"$\delta^L", r"$\delta^l",
        r"\partial C/\partial W^l", r"$W = W - \eta", r"\frac{\eta}{m}", r"$v = \gamma v", r"\frac\lambda2",
        "vanishing", "exploding", "clipping", "ReLU family", "batch normalization", "residual", "PyTorch")
VERDICT = re.compile(r"\bright\b|\*\*corrected\*\*|derived here|shown equal")


def lead_nowhere(text):
    """The links and pictures of a Markdown file that lead nowhere, and the pictures without words."""
    page = prose.read(text)
    own = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for _, heading in page.headings}
    found = []
    for address in [*page.links, *(source for source, _ in page.images)]:
        path, _, anchor = address.partition("#")
        if address.startswith("https://"):
            continue
        if path and not (ROOT / path).exists():
            found.append(address)
        elif anchor and not path and anchor not in own:
            found.append(address)
        elif anchor and path.endswith(".ipynb") and anchor not in anchors(ROOT / path):
            found.append(address)
    return found + [source for source, words in page.images if len(words.split()) < 4]


def anchors(path):
    return {prose.anchor(heading) for cell in refresh.load(path).cells if cell.cell_type == "markdown"
            for _, heading in prose.read(cell.source).headings}


def test_links_lead_somewhere_and_pictures_have_words():
    assert lead_nowhere(TEXT) == []


@pytest.mark.parametrize("fault", [
    "[gone](gone.md)", "[gone](notebooks/00_start_here.ipynb#Nowhere)", "[gone](#nowhere)",
    "![](images/pooling.svg)", "![a picture with words](images/gone.svg)"])
def test_a_link_that_leads_nowhere_is_noticed(fault):
    assert len(lead_nowhere(f"{TEXT}\n\n{fault}")) == 1


def rows(text):
    """The rows of a table of notebooks: address, title, question, minutes."""
    return re.findall(r"(?m)^\| \[([^\]]+)\]\((?:notebooks/)?(\w+\.ipynb)\) \| (.+?) \| (\d+) \|$", text)


def told(path):
    """What a notebook says of itself: its title, its question, its minutes."""
    first = refresh.load(path).cells[0].source
    title = re.match(r"# (.+)", first)[1]
    minutes = re.search(r"[Aa]bout (\d+)\s+minutes", first)
    return title, " ".join(re.search(r"\*\*(.+?\?)\*\*", first, re.DOTALL)[1].split()), int(minutes[1])


def test_the_table_of_notebooks_says_what_they_say_of_themselves():
    found = rows(TEXT)
    assert [name for _, name, *_ in found] == [path.name for path in refresh.notebooks()]
    for title, name, question, minutes in found:
        assert (title, question, int(minutes)) == told(ROOT / "notebooks" / name)


def test_the_claims_are_those_of_today():
    assert claims.written(TEXT) == TEXT, "run `python tests/claims.py`"


def test_another_claim_is_noticed(monkeypatch):
    monkeypatch.setattr(claims, "calls", lambda *_: 7)
    assert claims.written(TEXT) != TEXT
    with pytest.raises(ValueError, match="README.md: one"):
        claims.written(TEXT.replace("<!-- end of speed -->", ""))


def test_counting():
    notebooks = [refresh.load(path) for path in refresh.notebooks()]
    source = "\n".join(cell.source for nb in notebooks for cell in nb.cells if cell.cell_type == "code")
    assert claims.calls(notebooks, "refuted") == len(re.findall(r"(?<![\w.])refuted\(", source)) > 10


@pytest.mark.parametrize("section, column", [("Slider to pixels", "gone"), ("Gone", "with")])
def test_what_was_not_measured_is_not_claimed(section, column):
    with pytest.raises(ValueError, match="write it with"):
        claims.measured(section, column)


def test_a_table_of_results_is_read(tmp_path, monkeypatch):
    text = ("## One\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n| b |\n|---|\n| 9 |\n\n"
            "## Two\n\n| c |\n|---|\n| 5 |\n")
    monkeypatch.setattr(claims, "RESULTS", tmp_path / "results.md")
    claims.RESULTS.write_text(text, encoding="utf-8")
    assert claims.measured("One", "b", "a") == [["2", "1"], ["4", "3"]]
    assert claims.measured("Two", "c") == [["5"]]


# --- the note, in notebook 00 ----------------------------------------------------------------

def note():
    """The rows of the table of the note: formula, places, verdict."""
    [cell] = [cell for cell in refresh.load(refresh.FOLDER / "00_start_here.ipynb").cells
              if "| formula of the note |" in cell.source]
    lines = re.findall(r"(?m)^\|(.+)\|$", cell.source)
    return [[entry.strip() for entry in re.split(r"(?<!\\)\|", line)] for line in lines[2:]]


@pytest.mark.parametrize("formula", NOTE)
def test_each_formula_of_the_note_has_its_row(formula):
    """Where it is derived, and whether it is right; that the anchors exist is a rule for all notebooks."""
    found = [row for row in note() if formula in row[0]]
    assert found, formula
    for _, places, verdict in found:
        assert re.search(r"\]\(0\d_\w+\.ipynb#[^)]+\)", places) and VERDICT.search(verdict)


def misquoted(rows):
    """What the verdicts quote and no notebook of the same row says; line breaks do not count."""
    found = []
    for _, places, verdict in rows:
        cells = [cell for name in set(re.findall(r"0\d_\w+\.ipynb", places))
                 for cell in refresh.load(refresh.FOLDER / name).cells if cell.cell_type == "markdown"]
        said = "\n".join(cell.source for cell in cells)
        said = " ".join(re.sub(r"(?m)^> ?", "", said).replace("**", "").replace("*", "").split())
        for quote in re.findall(r'"([^"]+)"', verdict.replace("*", "")):
            found += [part for part in quote.split(" … ") if part.strip(" .") not in said]
    return found


def test_what_the_table_quotes_is_what_the_notebooks_say():
    assert misquoted(note()) == []


def test_a_wrong_quotation_is_noticed():
    [row] = [row for row in note() if "vanishing" in row[0]]
    assert len(misquoted([[*row[:2], 'corrected: "The first is wrong."']])) == 1


def test_links_of_the_note_are_looked_after():
    assert notebook_rules.links_lead_somewhere in notebook_rules.RULES


# --- the film --------------------------------------------------------------------------------

def test_the_film_is_what_the_widget_draws(tmp_path):
    if reason := pictures.other_matplotlib():
        pytest.skip(reason)
    script = ROOT / "images" / "animate_pathologies.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, timeout=120)
    stored, fresh = (list(ImageSequence.all_frames(Image.open(path)))
                     for path in (FILM, tmp_path / FILM.name))
    assert len(stored) == len(fresh) > 20
    for old, new in zip(stored, fresh, strict=True):
        assert pictures.difference(old.convert("RGB"), new.convert("RGB")) == ""
    assert len({frame.convert("RGB").tobytes() for frame in stored}) == len(stored), "each frame is another"


def test_the_film_is_small():
    assert FILM.stat().st_size < 500_000
