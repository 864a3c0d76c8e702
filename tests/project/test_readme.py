"""README.md: its links lead somewhere, its numbers are those of today, its film is the widget's."""
import importlib
import re
from urllib.parse import unquote

import chinese
import claims
import pictures
import prose
import pytest
import refresh
from PIL import Image, ImageSequence

from helpers.exercises.grading import grade
from helpers.verify.report import AUTOGRAD_LIMIT, DIFFERENCE_LIMIT

ROOT = refresh.ROOT
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")
# Tables, and the lines that lead to them.
COUNTED = r"(?s)\n[^\n]*\n[^\n]*\n<!-- (claims|speed).*?<!-- end of \1 -->"
FILM = ROOT / "images" / "pathologies.gif"


def lead_nowhere(text):
    """The links and pictures of a Markdown file that lead nowhere, and the pictures without words."""
    page = prose.read(text)
    own = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for _, heading in page.headings}
    found = []
    for address in [*page.links, *(source for source, _ in page.images)]:
        path, _, anchor = unquote(address).partition("#")
        if address.startswith("https://"):
            continue
        if path and not (ROOT / path).exists():
            found.append(address)
        elif anchor and not path and anchor not in own:
            found.append(address)
        elif anchor and path.endswith(".ipynb") and anchor not in anchors(ROOT / path):
            found.append(address)
    return found + [source for source, words in page.images if len(words) < 20]


def anchors(path):
    return {prose.anchor(heading) for cell in refresh.load(path).cells if cell.cell_type == "markdown"
            for _, heading in prose.read(cell.source).headings}


def test_links_lead_somewhere_and_pictures_have_words():
    assert lead_nowhere(TEXT) == lead_nowhere(CHINESE) == []


@pytest.mark.parametrize("fault", [
    "[gone](gone.md)", "[gone](notebooks/00_start_here.ipynb#Nowhere)", "[gone](#nowhere)",
    "![](images/pooling.svg)", "![a picture with words](images/gone.svg)"])
def test_a_link_that_leads_nowhere_is_noticed(fault):
    assert len(lead_nowhere(f"{TEXT}\n\n{fault}")) == 1


def test_readme_in_chinese_says_the_same():
    faults = chinese.differences(re.sub(COUNTED, "", TEXT), CHINESE)
    own = ("the code '`zh`'", "the code '`00_start_here.ipynb`'", "a link to", "it is in English",
           "the code '`torch`'", "the number '1'")      # the last two stand in what leads to a table
    assert [fault for fault in faults if not any(one in fault for one in own)] == []


def rows(text):
    """The rows of a table of notebooks: address, title, question, minutes."""
    link = r"\[([^\]]+)\]\((?:notebooks/)?((?:zh/)?\w+\.ipynb)\)"
    return re.findall(rf"(?m)^\| {link} \| (.+?) \| (\d+) \|$", text)


def told(path):
    """What a notebook says of itself: its title, its question, its minutes."""
    first = refresh.load(path).cells[0].source
    title = re.match(r"# (.+)", first)[1]
    minutes = re.search(r"[Aa]bout (\d+)\s+minutes|约 (\d+) 分钟", first)
    question = re.search(r"\*\*(.+?[?？])\*\*", first, re.DOTALL)
    return title, " ".join(question[1].split()), int(minutes[1] or minutes[2])


def test_the_table_of_notebooks_says_what_they_say_of_themselves():
    found, paths = rows(TEXT) + rows(CHINESE), refresh.notebooks() + refresh.find("zh")
    assert [ROOT / "notebooks" / name for _, name, *_ in found] == paths
    for title, name, question, minutes in found:
        assert (title, question, int(minutes)) == told(ROOT / "notebooks" / name)


def test_the_claims_are_those_of_today():
    assert claims.written(TEXT) == TEXT, "run `python tools/claims.py`"


def test_another_claim_is_noticed(monkeypatch):
    monkeypatch.setattr(claims, "calls", lambda *_: 7)
    assert claims.written(TEXT) != TEXT
    with pytest.raises(ValueError, match="README.md: one"):
        claims.written(TEXT.replace("<!-- end of speed -->", ""))


def test_the_hours_are_the_sum_of_the_minutes():
    """As the sum of the minutes, to half an hour; notebook 00 adds up the same."""
    total = sum(claims.minutes([refresh.load(path) for path in refresh.notebooks()]))
    [hours] = re.findall(r"about ([\d.]+) hours for all \w+ notebooks", TEXT)
    assert float(hours) == round(total / 30) / 2


def test_what_is_called_checked_is_what_the_witnesses_check():
    said = r"(?s)relative\s+error at most (\S+?)\).*?differences \(at most (\S+?)\)"
    limits = re.findall(said, TEXT)
    assert limits == 2 * [("1e-10", "1e-6")]
    assert (AUTOGRAD_LIMIT, DIFFERENCE_LIMIT) == (1e-10, 1e-6)
    assert not re.search(r"\bprove[ds]?\b", TEXT), "samples prove nothing"


def test_a_mistake_is_counted_once_and_placeholders_are_none():
    """tests/exercises makes each of them, and asks that `grade` names it and says these words."""
    exercises = [one for module in claims.modules() for one in module.EXERCISES]
    said = [mistake.sentence for one in exercises for mistake in one.mistakes]
    broken = [one for one in exercises if one.holes]
    assert len(broken) > 5 and len(claims.PLACEHOLDERS) == 4
    assert all(said.count(sentence) == len(broken) for sentence in claims.PLACEHOLDERS)
    named = [mistake.sentence for mistake in claims.mistakes()]
    assert sorted(named) == sorted(set(said) - claims.PLACEHOLDERS)
    assert len(named) < len(said) - 4 * len(broken)        # some words are said in two exercises
    assert f" {len(named)} mistakes known by name" in TEXT
    assert "right" not in {mistake.name for mistake in claims.mistakes()}


def test_holes_are_those_of_the_break_it_exercises():
    held = [module for module in claims.modules() if hasattr(module, "HOLES")]
    said = [hole.sentence for module in held for hole in module.HOLES]
    assert len(held) > 5 and sorted(set(said)) == sorted(hole.sentence for hole in claims.holes())
    assert not set(said) & {mistake.sentence for mistake in claims.mistakes()}
    for module in held:
        assert module.HOLES[0].sentence in grade(module.BREAK.name, module.HOLES[0].function).sentence


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


# --- the film --------------------------------------------------------------------------------

def test_the_film_is_what_the_widget_draws(monkeypatch):
    """The picture at the end of each scene; before it, no two frames are equal."""
    if reason := pictures.other_matplotlib():
        pytest.skip(reason)
    monkeypatch.syspath_prepend(FILM.parent)
    animate = importlib.import_module("animate_pathologies")
    stored = [frame.convert("RGB") for frame in ImageSequence.all_frames(Image.open(FILM))]
    one, last = animate.pathology_explorer(), -1
    for name, values in animate.SCENES:
        one.set(**{name: values[-1]})
        last += len(values)
        assert pictures.difference(stored[last], animate.frame(one, name)) == ""
    assert len(stored) == last + 1 == len({frame.tobytes() for frame in stored}) > 20


def test_the_film_is_small():
    assert FILM.stat().st_size < 500_000
