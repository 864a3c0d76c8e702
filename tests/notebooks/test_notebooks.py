"""Every notebook keeps every rule; every rule notices its fault; nbval notices what is left to it."""
import os
import re
import subprocess
import sys

import notebook_rules as rules
import prose
import pytest
import refresh
import sample
from nbformat import v4


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_rule(notebook, rule):
    """The rule's docstring says what is expected."""
    complaints = rule(refresh.load(notebook), notebook)
    assert not complaints, "\n".join(complaints)


# --- each rule notices its fault -------------------------------------------------------------
# Places in the sample: 0 title, 1 setup, 2 prose, 3 function and print, 4 prose, 5 a value,
# 6 prose with a drawing, 7 figure, 8 prose, 9 assertion.

def source(i, text):
    """Replace the source of a cell."""
    return lambda nb: nb.cells[i].update(source=text)


def added(i, text):
    """Append to the source of a cell."""
    return lambda nb: nb.cells[i].update(source=nb.cells[i].source + text)


def output(i, made):
    """Replace the outputs of a cell by one."""
    return lambda nb: nb.cells[i].update(outputs=[made])


def printed(text, name="stdout"):
    return output(3, v4.new_output("stream", name=name, text=text))


def value(text, kind="text/plain", **metadata):
    return output(9, v4.new_output("display_data", data={kind: text}, metadata=metadata))


def tagged(i, *tags, says=""):
    def change(nb):
        nb.cells[i].metadata["tags"] = list(tags)
        nb.cells[i].source += says
    return change


def without_run(nb):
    nb.cells[5].update(outputs=[], execution_count=None)


def out_of_order(nb):
    nb.cells[3].execution_count, nb.cells[9].execution_count = 5, 2


def counted_otherwise(nb):
    nb.cells[5].outputs[0].execution_count = 7


def new_cells(nb, *cells):
    """Append cells, executed in order."""
    for cell in sample.notebook(*cells).cells:
        cell["id"] = f"new-{len(nb.cells)}"
        if cell.cell_type == "code":
            cell.execution_count = 1 + sum(old.cell_type == "code" for old in nb.cells)
        nb.cells.append(cell)


def appended(*cells):
    return lambda nb: new_cells(nb, *cells)


def long_cells(nb):
    for i in (3, 5, 7):
        nb.cells[i].source = "a = 1\n" * 5


LINES = "\n".join(f"a{k} = {k}" for k in range(13))
FAULTS = {
    rules.is_executed_in_order: [without_run, out_of_order, counted_otherwise],
    rules.cells_say_something: [
        source(4, "  \n "), lambda nb: nb.cells.append(v4.new_raw_cell("raw", id="raw"))],
    rules.has_no_errors: [
        output(3, v4.new_output("error", ename="ValueError", evalue="no", traceback=[])),
        printed("UserWarning: deprecated", name="stderr")],
    rules.is_small: [
        printed("many numbers\n" * 40_000), appended(*["Some prose."] * (rules.MAX_CELLS - 9))],
    rules.code_cells_are_short: [
        long_cells, appended("One:", ("code", "\n".join(f"a = {k}" for k in range(26)))),
        appended("One:", ("code", LINES), "Two:", ("code", LINES))],
    rules.code_lines_fit: [added(9, f"\n# {78 * '-'}"), added(9, f"\nx = {76 * '1'}")],
    rules.code_is_introduced: [
        appended(("code", "a = 1"), "Prose.", ("code", "a = 1"), ("code", "a = 1")),
        appended("Prose.", *[("code", "a = 1")] * 3, *["Prose.", ("code", "a = 1")] * 30)],
    rules.code_is_plain_python: [
        source(9, "%pip install numpy"), source(9, "!ls"), source(9, "%%time\nx = 1"), source(9, "np.array?"),
        added(9, ";")],
    rules.imports_are_by_name: [source(9, "from numpy import *")],
    rules.nothing_is_downloaded: [
        source(9, "import urllib.request"), source(9, "from requests import get"),
        source(9, "from sklearn.datasets import fetch_openml"), source(9, "import subprocess"),
        source(9, "datasets.fetch_california_housing()"), source(9, "MNIST('.', download=True)"),
        source(9, "model = torch.hub.load('a', 'b')")],
    rules.functions_are_not_pasted: [
        appended("Again:", ("code", "def double(x):\n    # twice\n    return 2 * x"))],
    rules.prose_is_short: [added(4, " word" * 140), source(4, "$x$ `y` " * 76)],
    rules.prose_is_plain: [
        added(4, " Done!"), added(4, " A rocket \U0001F680."), added(4, " That is, of course, three."),
        added(4, " It is just a sum."), added(4, " Clearly, it is."),
        added(4, "\n\n| a |\n|---|\n| simply |"), added(4, "\n\n<b>It is important to note</b> this.")],
    rules.headings_form_a_tree: [
        added(4, "\n\n# A second title"), source(2, "### By hand"), source(0, "## No title"),
        lambda nb: nb.cells.insert(0, v4.new_markdown_cell("Prose before the title.", id="before"))],
    rules.links_lead_somewhere: [
        added(4, " [gone](gone.ipynb)"), added(4, " [gone](#By-foot)"), added(4, " [case](#by-hand)"),
        added(4, " [gone](01_neighbour.ipynb#Two-headings)"), added(4, " [plain](http://numpy.org)"),
        added(4, " [bad](https://numpy)"), added(4, " [bad](https://[numpy)"), added(4, " [none]()"),
        added(4, " [root](/etc/hosts)"), added(4, " [mail](mailto:someone@example.org)"),
        added(4, " [line](../images/drawing.svg#L3)"), added(4, '\n\n<a href="gone.html">gone</a>'),
        added(4, "\n\n![A drawing that is not there](../images/gone.svg)"),
        added(4, "\n\n![A picture inside the text itself](data:image/png;base64,AAAA)"),
        added(4, '\n\n<img src="gone.png" alt="A drawing that is not there">'),
        added(4, "\n\n## Größe\n\n[found nowhere](#Größe)")],
    rules.pictures_have_words: [
        added(4, "\n\n![](../images/drawing.svg)"), added(4, "\n\n![a b c](../images/drawing.svg)"),
        added(4, '\n\n<img src="../images/drawing.svg">'),
        value('<p>See <img src="data:image/png;base64,AAAA"></p>', "text/html"),
        value("AAAA", "image/png"), value("AAAA", "image/png", **{"image/png": {"alt": "a plot"}}),
        value("<svg/>", "image/svg+xml"), value("![](data:image/png;base64,AAAA)", "text/markdown")],
    rules.values_are_meant_to_be_seen: [
        value("<Axes: title={'left': 'x'}>"), value("[<matplotlib.lines.Line2D at somewhere>]"),
        value("<Figure size 640x480 with 1 Axes>"), value("Text(0, 0.5, 'y')"),
        value("<a list of 3 Patch objects>"), value("<function double(x)>"),
        value("<helpers.nn.modules.Linear object>"), value("array([<Axes: >, <Axes: >])")],
    rules.outputs_are_the_same_everywhere: [
        printed("at 0x7f3a2b10"), printed("12.5 ms a run"), printed("took 3s"), printed("2 µs ± 30 ns"),
        printed("1.3x faster"), printed("/home/someone/notebooks"),
        value("<td>1.25 seconds</td>", "text/html")],
    rules.tags_are_known_and_explained: [
        tagged(9, "raises-exception"), tagged(9, "hide"), tagged(9, "nbval-ignore-output"),
        tagged(9, "nbval-skip"),
        tagged(9, "nbval-skip", says="\n# not run: slow"), added(9, "\n# NBVAL_IGNORE_OUTPUT"),
        tagged(9, "nbval-skip", says="\n# not compared: it is another reason")],
}
BYTE_FAULTS = {   # what the canonical form would repair: faults of the file, not of the notebook
    "metadata of a cell": lambda text: text.replace('"metadata": {}', '"metadata": {"collapsed": true}', 1),
    "metadata of the notebook": lambda text: text.replace('"name": "python"\n', '"name": "python", "n": 3\n'),
    "indent": lambda text: text.replace("\n ", "\n  "),
    "no last line end": lambda text: text.rstrip("\n"),
    "escapes": lambda text: text.replace("≤", "\\u2264"),
    "nbformat 4.4": lambda text: text.replace('"nbformat_minor": 5', '"nbformat_minor": 4'),
    "the same id twice": lambda text: text.replace('"cell-5"', '"cell-4"'),
    "transient": lambda text: text.replace('"output_type": "disp', '"transient": {}, "output_type": "disp'),
}
HARMLESS = [
    lambda nb: None,
    tagged(9, "nbval-ignore-output", says="\n# not compared: times differ from machine to machine"),
    lambda nb: (tagged(3, "nbval-ignore-output", says="\n# not compared: a time is never the same")(nb),
                printed("12.5 ms")(nb)),
    tagged(9, "exercise"),
    tagged(9, "nbval-ignore-output", says="\n# Output not compared: it is a time."),
    tagged(9, "nbval-skip", says="\n# Not run: it would take an hour."),
    appended("One:", ("code", LINES)),
    appended(("code", "a = 1")),
    appended("A class:", ("code", "def double(x):\n    return x + x")),
    added(4, " It stops just before the end, and says clearly why; $n!$ is a number and `!` a sign."),
    added(4, "\n\n```\ntwo lines! simply [x](gone.md)\n```\n\n$$" + "x + " * 200 + "y$$"),
    added(4, "\n\n| table |\n|---|\n" + "| word and word |\n" * 60),
    added(4, " See [it](https://arxiv.org/abs/1603.07285?a=b#c), [below](#What-to-see)."),
    value("A seed 0 gives 3 steps, 12 samples, s = 2, ratio 1.5, 2 s_out"),
    value('<img alt="A picture with four words" src="data:image/png;base64,AAAA0x12345">', "text/html"),
    value("AAAA", "image/png", **{"image/png": {"alt": "A picture with four words"}}),
]


def complaining(path):
    """Name the rules that complain of the file, and what they say."""
    nb = refresh.load(path)
    said = {rule: rule(nb, path) for rule in rules.RULES}
    return {rule.__name__: found for rule, found in said.items() if found}


def cases(table):
    return [pytest.param(rule, change, id=f"{rule.__name__}-{k}")
            for rule, changes in table.items() for k, change in enumerate(changes)]


@pytest.mark.parametrize("rule, change", cases(FAULTS))
def test_the_rule_alone_notices_a_planted_fault(good, rule, change):
    nb = refresh.load(good)
    change(nb)
    sample.write(refresh.canonical(nb), good)
    said = complaining(good)
    assert list(said) == [rule.__name__], said
    assert all(sentence.startswith(good.name) and "expected" in sentence for sentence in said[rule.__name__])


@pytest.mark.parametrize("change", BYTE_FAULTS.values(), ids=BYTE_FAULTS)
def test_only_the_canonical_form_notices_other_bytes(good, change):
    text = good.read_text(encoding="utf-8")
    assert change(text) != text
    good.write_text(change(text), encoding="utf-8", newline="\n")
    assert list(complaining(good)) == ["is_canonical"]


def test_line_ends_of_windows_are_noticed(good):
    good.write_bytes(good.read_bytes().replace(b"\n", b"\r\n"))
    assert list(complaining(good)) == ["is_canonical"]


@pytest.mark.parametrize("change", HARMLESS, ids=range(len(HARMLESS)))
def test_no_rule_complains_of_what_is_good(good, change):
    nb = refresh.load(good)
    change(nb)
    sample.write(refresh.canonical(nb), good)
    assert complaining(good) == {}


def test_a_function_pasted_from_an_earlier_notebook_is_noticed_in_the_later_one(good):
    later = good.with_name("02_later.ipynb")
    later.write_bytes(good.read_bytes())
    assert list(complaining(later)) == ["functions_are_not_pasted"]
    assert complaining(good) == {}


def test_every_rule_has_a_planted_fault():
    assert {rules.is_canonical, *FAULTS} == set(rules.RULES)


@pytest.mark.parametrize("text, words", [
    ("", 0), ("one two", 2), ("# A heading\n\nand - four", 4), ("[a link](http://x.y/z) of five words", 5),
    ("$a + b$ is one, `c + d` too", 5), ("$$a\n+ b$$ none", 1), ("```\nno words\n```\nbut two", 2),
    ("![not these words](x.svg) these two", 2), ("| a | table |\n|---|---|\n\nfour more words here", 4),
    ("<b>bold</b> counts", 2), ("\\begin{align}x\\end{align}\nnone", 1), ("costs \\$5 or `$HOME` and $x$", 6),
])
def test_words_are_counted_as_said(text, words):
    assert prose.read(text).words == words


# --- what is left to nbval -------------------------------------------------------------------

BLANK = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
VARIANTS = {
    "picture": lambda text: re.sub(r"(?<=base64,)[A-Za-z0-9+/=]+", BLANK, text),
    "faulty": lambda text: text.replace('"3.0\\n"', '"3.1\\n"')     # a digit
        .replace(' "A sine that', ' "A cosine that')                  # words of the output, not of the source
        .replace("assert double(2) == 4", "assert double(2) == 5"),   # raises
}


@pytest.fixture(scope="module")
def nbval(sample_built, tmp_path_factory):
    """One strict run of nbval, with the project's settings, over a good and a faulty notebook."""
    folder = tmp_path_factory.mktemp("nbval")
    text = sample_built.read_text(encoding="utf-8")
    for name, change in VARIANTS.items():
        assert change(text) != text
        (folder / f"{name}.ipynb").write_text(change(text), encoding="utf-8", newline="\n")
    clean = {key: text for key, text in os.environ.items() if not key.startswith("PYTEST_")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-c", refresh.ROOT / "pyproject.toml", "--color=no",
         "-rA", "-p", "no:cacheprovider", folder],
        cwd=refresh.ROOT, env=clean | {"PYTHONUTF8": "1"}, capture_output=True, text=True, encoding="utf-8",
        timeout=300)
    return ran.stdout


@pytest.mark.parametrize("name, cells", [("picture", []), ("faulty", ["1", "3", "4"])])
def test_nbval_notices_all_but_pictures(nbval, name, cells):
    """`cells` counts code cells from 0, as nbval does: a number, words, and an assertion that fails."""
    failed, passed = (re.findall(rf"^{word} \S*{name}\.ipynb::Cell (\d+)", nbval, re.MULTILINE)
                      for word in ("FAILED", "PASSED"))
    assert failed == cells, nbval
    assert len(passed) + len(failed) == 5, nbval
