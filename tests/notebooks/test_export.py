"""Every notebook as a page of HTML, from nbconvert: each explorer is its still picture and its sentence."""
import copy
from html.parser import HTMLParser

import nbformat
import pytest
import refresh
import runs
import sample
from nbconvert import HTMLExporter

FEWEST_WORDS = 4        # of an alternative text
NO_WORDS = "No description has been provided"       # nbconvert gives these where there are none
BROKEN = "model not found", "Error displaying widget"
VIEW = {"version_major": 2, "version_minor": 0, "model_id": "1" * 32}


class Page(HTMLParser):
    """The images of a page, the words outside of scripts, and the kinds of its scripts."""

    def __init__(self, text: str):
        super().__init__()
        self.images, self.scripts, self.words, self._silent = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self._silent = tag in ("script", "style")
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag == "script":
            self.scripts.append(dict(attrs).get("type") or "")

    def handle_endtag(self, tag):
        self._silent = False

    def handle_data(self, data):
        if not self._silent:
            self.words.append(data)


def stills(nb):
    """Alternative text and picture of each explorer's still, in the notebook's own outputs."""
    pages = (Page("".join(output.get("data", {}).get("text/html", "")))
             for cell in nb.cells for output in cell.get("outputs", []))
    return [(image["alt"], image["src"]) for page in pages for image in page.images
            if image.get("class") == "explore"]


def export(nb):
    """The page that `jupyter nbconvert --to html` writes, without the code; `nb` is not changed."""
    return HTMLExporter(exclude_input=True).from_notebook_node(copy.deepcopy(nb))[0]


def faults(nb, text):
    """What is wrong with the page `text` of the notebook `nb`."""
    page, expected = Page(text), stills(nb)
    words = "".join(page.words)
    seen = [(image.get("alt"), image.get("src")) for image in page.images]
    found = [words for words in BROKEN if words in text]
    found += [f"a live widget: {kind}" for kind in page.scripts if "widget-view" in kind]
    found += [f"cell {i}: a widget without a picture" for i, cell in enumerate(nb.cells, start=1)
              for output in cell.get("outputs", []) if refresh.WIDGET_VIEW in output.get("data", {})
              and "<img " not in output.data.get("text/html", "")]
    found += [f"no still picture: {alt}" for alt, src in expected if (alt, src) not in seen]
    found += [f"no sentence: {alt}" for alt, _ in expected if alt not in words]
    found += [f"an image without words: {alt!r}" for alt, _ in seen
              if len((alt or "").split()) < FEWEST_WORDS or NO_WORDS in alt]
    if len(expected) < runs.promised(nb):
        found.append(f"{runs.promised(nb)} explorers, {len(expected)} still pictures")
    return found


def test_the_page_shows_each_explorer(notebook):
    """Also of a learner's own run: there JupyterLab saves the view of a widget beside its picture."""
    nb = refresh.load(notebook)
    assert stills(nb), f"{notebook.name}: no explorer has a picture"
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            if 'class="explore"' in output.get("data", {}).get("text/html", ""):
                output.data[refresh.WIDGET_VIEW] = VIEW
    assert faults(nb, export(nb)) == []


# --- these tests notice ----------------------------------------------------------------------

STILL = '<img class="explore" alt="A sine of two units." src="data:image/png;base64,AAAA">'
GOOD = STILL + "\n<p>A sine of two units.</p>"
FAULTY = {     # what is shown, and what must be said about it
    "no sentence": ({"text/html": STILL}, "no sentence: A sine"),
    "no picture": ({"text/plain": "A sine of two units."}, "1 explorers, 0 still pictures"),
    "nothing but a widget": ({refresh.WIDGET_VIEW: VIEW}, "cell 2: a widget without a picture"),
    "a dead widget": ({"text/html": GOOD + "<p>Error displaying widget: model not found</p>"},
                      "Error displaying widget"),
    "an image without words": ({"text/html": GOOD + '<img src="data:image/png;base64,BBBB">'},
                               "an image without words: 'No desc"),
    "an image with few words": ({"text/html": GOOD + '<img alt="A sine" src="x.png">'},
                                "an image without words: 'A sine'"),
    "a picture without words": ({"image/png": "AAAA"}, "an image without words"),
}


def exploring(data):
    """A notebook whose one explorer is stored like this."""
    nb = sample.notebook("# An explorer", ("code", "explore(draw)"))
    nb.cells[1].outputs = [sample.shown(data)]
    return nbformat.from_dict(nb)


def test_a_good_page_is_accepted():
    nb = exploring({"text/html": GOOD})
    assert faults(nb, export(nb)) == []


@pytest.mark.filterwarnings("ignore:Your element with mimetype")
@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_page_is_noticed(fault):
    data, words = FAULTY[fault]
    nb = exploring(data)
    found = faults(nb, export(nb))
    assert any(one.startswith(words) for one in found), found


def test_a_lost_picture_and_a_live_view_are_noticed():
    nb = exploring({"text/html": GOOD})
    text = export(nb)
    assert faults(nb, text.replace("base64,AAAA", "base64,CCCC"))[0].startswith("no still picture")
    view = f'<script type="{refresh.WIDGET_VIEW}">{{}}</script>'
    assert faults(nb, text.replace("</body>", view + "</body>")) == [f"a live widget: {refresh.WIDGET_VIEW}"]
