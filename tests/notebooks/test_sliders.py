"""Every setting of every control of every explorer in the notebooks draws; each fault turns this red."""
import pytest
import refresh
import runs
import sample

IMPORTS = """\
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import Checkbox, Dropdown, IntSlider, Text
from helpers.explore import explore

def frame(figure):
    axes = figure.subplots()
    axes.set(xlim=(0, 6), ylim=(-4, 4))
    return axes"""
GOOD = """\
def draw(axes, height, kind, upside_down):
    x = np.linspace(0, 6, 50)
    y = height * (np.sin(x) if kind == "sine" else np.cos(x))
    axes.fill_between(x, 0, -y if upside_down and kind == "cosine" else y)
    return y

explore(draw, frame, height=IntSlider(2, 1, 3),
        kind=Dropdown(options=["sine", "cosine"]),
        upside_down=Checkbox(False))"""
BLANK = """\
def draw(axes, height):
    if height < 3:
        axes.fill_between([0, 6], 0, height)

def empty(figure):
    axes = frame(figure)
    axes.axis("off")
    return axes

explore(draw, empty, height=IntSlider(2, 1, 3))"""
NO_NUMBER = """\
def draw(axes, height):
    image = np.full((2, 2), 1 / height if height else np.nan)
    axes.imshow(image, extent=(0, 5, -height, 3), vmin=0, vmax=3)

explore(draw, frame, height=IntSlider(2, 0, 3))"""
MEMORY = """\
past = []

def draw(axes, height):
    past.append(height)
    axes.fill_between([0, 6], 0, height + len(past) / 20)

explore(draw, frame, height=IntSlider(2, 0, 3))"""


def good_but(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


FAULTY = {   # the fault: a cell that has it, and what the sweep must say about it
    "raises at one end": (
        good_but("return y", "assert height < 3\n    return y"), "height=3: AssertionError"),
    "raises at one option": (
        good_but("return y", "assert kind == 'sine'\n    return y"), "kind='cosine': AssertionError"),
    "raises for two controls together": (
        good_but("return y", "assert height < 3 or kind == 'sine'"), "height=3, kind='cosine', upside_down="),
    "describe raises": (
        good_but("draw, frame", "draw, frame, lambda height, **_: f'{1 / (3 - height)} as they say'"),
        "height=3: ZeroDivisionError"),
    "a control without effect": (good_but("height * (", "2 * ("), "height: no setting changes the picture"),
    "a control of unknown settings": (
        good_but("Checkbox(False)", "Text('yes')"), "upside_down: more than one"),
    "a blank picture": (BLANK, "height=3: the picture is blank"),
    "a result that is no number": (
        good_but("return y", "return y / (height - 1)"), "height=1: ValueError: finite"),
    "a pixel that is no number": (NO_NUMBER, "height=0: ValueError: finite"),
    "letters too small": (
        good_but("return y", "axes.text(0, 0, 'tiny', size=8)"), "ValueError: 'tiny' has letters"),
    "letters too pale": (
        good_but("return y", "axes.text(0, 0, 'pale', alpha=0.2)"), "ValueError: 'pale' is written in"),
    "a draw that remembers": (MEMORY, "draw must not remember"),
}


def test_every_setting_draws(notebook, executed):
    nb = refresh.load(notebook)
    found = executed(notebook).explorers
    assert len(found) >= runs.promised(nb), f"{notebook.name}: explorers expected, {len(found)} found"
    assert not any(found), "\n".join(fault for faults in found for fault in faults)


def test_a_cell_run_twice_says_the_same(notebook, executed):
    found = executed(notebook).second
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Good explorers and one of each fault, swept in one run; the warnings of a fault are not of interest."""
    path = tmp_path_factory.mktemp("swept") / "faulty.ipynb"
    cells = [IMPORTS + "\n\nnp.seterr(all='ignore')", GOOD, *(cell for cell, _ in FAULTY.values())]
    sample.write(sample.notebook("# Faults", *(("code", cell) for cell in cells)), path)
    return runs.run(path).explorers


def test_sweep_finds_every_explorer(swept):
    assert len(swept) == 1 + len(FAULTY)


def test_sweep_accepts_a_good_explorer(swept):
    assert swept[0] == []


@pytest.mark.parametrize("fault", FAULTY)
def test_sweep_notices(swept, fault):
    found = swept[1 + list(FAULTY).index(fault)]
    assert any(FAULTY[fault][1] in complaint for complaint in found), found


@pytest.mark.parametrize("output", [None, '<img class="explore" alt="a b c d" src="">\n<p>a b c d</p>'])
def test_a_notebook_that_promises_an_explorer_is_swept(output):
    nb = sample.notebook("# Title", ("code", "explore(draw)" if output is None else "helper()"))
    if output:
        nb.cells[1].outputs = [sample.shown({"text/html": output})]
    assert runs.promised(nb) == 1
    assert runs.promised(sample.notebook("# explore(", ("code", "# explore(draw)\nprint('explore(')"))) == 0


TWICE = [    # a cell, and what is said of its second run
    ("n = k = m = j = 0", ""), ("print('fine')", ""),
    ("n += 1\nprint(n)", "'1\\n'\nbecomes '2\\n'"),
    ("assert k == 0\nk = 1", "AssertionError: not a word"),
    ("if m: raise ValueError('Run the cell above first, then this.')\nm = 1", ""),
    ("if j: raise KeyError('j')\nj = 1", "KeyError: 'j'")]


def test_a_cell_that_cannot_be_run_twice_is_noticed(tmp_path):
    path = tmp_path / "twice.ipynb"
    sample.write(sample.notebook("# Twice", *(("code", source) for source, _ in TWICE)), path)
    ran, wanted = runs.run(path), [words for _, words in TWICE if words]
    assert [words in said for words, said in zip(wanted, ran.second, strict=True)] == [True] * 3, ran.second
    counts = [cell.execution_count for cell in ran.nb.cells if cell.cell_type == "code"]
    assert counts == list(range(1, 1 + len(TWICE)))


@pytest.mark.parametrize("patience, printed", [(0.3, "1"), (60, "2")])
def test_a_cell_for_which_one_would_wait_runs_once(tmp_path, patience, printed):
    cells = "import time\n\nn = 0", "n += 1\ntime.sleep(0.5)\nprint(n)", "print(n)"
    sample.write(sample.notebook("# Slow", *(("code", cell) for cell in cells)), tmp_path / "slow.ipynb")
    ran = runs.run(tmp_path / "slow.ipynb", patience)
    assert ran.nb.cells[-1].outputs[0].text == f"{printed}\n" and len(ran.second) == (printed == "2")
    assert [cell.execution_count for cell in ran.nb.cells[1:]] == [1, 2, 3]
