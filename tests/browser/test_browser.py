"""Every notebook in a real JupyterLab in a real browser: it runs, and its sliders move picture and words.

Without Playwright or a browser these tests are skipped with a warning; where CI=true they fail.
"""
import io
import os
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pictures
import pytest
import refresh
import sample
import sweep
from PIL import Image


def do_without(reason, **options):
    """Skip, and say so loudly; where CI=true, fail."""
    reason = f"NOTHING WAS TESTED IN A BROWSER: {reason}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    warnings.warn(reason, stacklevel=2)
    pytest.skip(reason, **options)


try:
    import browser
except ImportError as missing:
    do_without(f"{missing}: install the packages of `test` in pyproject.toml", allow_module_level=True)

CELL = """\
import numpy as np
from ipywidgets import Dropdown, IntSlider
from helpers.explore import explore
from helpers.plotting.figures import use_style

use_style()

def frame(figure):
    axes = figure.subplots()
    axes.set(xlim=(0, 6), ylim=(-4, 4), title="A wave")
    return axes

def draw(axes, height, kind):
    assert height > 0, "a wave without height"
    x = np.linspace(0, 6, 99)
    axes.fill_between(x, 0, height * (np.sin(x) if kind == "sine" else np.cos(x)))

def describe(height, kind):
    return f"A {kind} that is {height / 10} units high."

explore(draw, frame, describe, height=IntSlider(20, 0, 40),
        kind=Dropdown(options=["sine", "cosine"]))"""
SMALL = "wave.ipynb"
SECONDS = 60
LETTERS = "one => getComputedStyle(one).color.match(/[0-9]+/g).slice(0, 3).map(Number)"


# --- a browser, a server, a page -------------------------------------------------------------

@pytest.fixture(scope="module")
def chromium():
    try:
        with browser.chromium() as started:
            yield started
    except browser.NoBrowser as reason:
        do_without(str(reason))


@pytest.fixture(scope="module")
def course(chromium):
    with browser.Server(refresh.ROOT) as server:
        yield server


@pytest.fixture(scope="module", params=["lab", "notebook"])
def small(chromium, request, tmp_path_factory):
    """The small notebook, not run yet, in JupyterLab and in Notebook 7."""
    folder = tmp_path_factory.mktemp("small")
    sample.write(sample.notebook("# A wave", ("code", CELL)), folder / SMALL)
    with browser.Server(folder, request.param) as server:
        yield server


@pytest.fixture(scope="module")
def deep(chromium, tmp_path_factory):
    """A notebook with nothing in it but the explorer of deep networks."""
    folder = tmp_path_factory.mktemp("deep")
    cell = "from helpers.widgets.pathology.explorer import pathology_explorer\n\npathology_explorer()"
    sample.write(sample.notebook("# Depth", ("code", cell)), folder / "deep.ipynb")
    with browser.Server(folder) as server:
        yield server


@pytest.fixture
def opened(chromium):
    """Open a notebook of a server, and close its page after the test."""
    pages = []

    def opened(server, name, **options):
        pages.append(browser.Notebook(chromium, server, name, **options))
        return pages[-1]
    yield opened
    for page in pages:
        if not page.page.is_closed():
            page.close()


def eventually(true, what, seconds=10):
    """Wait until `true()`; fail with the words `what` when it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def moves(live, act, what, seconds=10):
    """Do something to the slider; assert that new pixels are painted, and that the words are others."""
    words, before, box = live.sentence(), np.asarray(live.picture(), int), live.box()
    act()
    eventually(lambda: live.sentence() != words, f"the sentence stays the same after {what}", seconds)
    eventually(lambda: np.abs(np.asarray(live.picture(), int) - before).max() > 60,
               f"the picture stays the same after {what}", seconds)
    assert live.box() == box, f"the widget changes its size after {what}"
    assert not pictures.fault(live.picture())


# --- the notebooks of the course -------------------------------------------------------------

def test_notebook_in_the_browser(notebook, course, opened):
    page = opened(course, notebook.relative_to(refresh.ROOT).as_posix())
    page.run_all()
    assert page.faults() == []
    assert len(page.explorers()) == sweep.promised(refresh.load(notebook))
    for cell in page.explorers():
        live = page.explorer(cell)
        assert live.slider.get_attribute("aria-label")
        assert live.image.get_attribute("title") == live.sentence()
        stops, key = away(live)
        moves(live, lambda live=live, stops=stops: live.drag(*stops), "a drag")
        moves(live, lambda live=live, key=key: live.press(key), "an arrow key")
    assert page.faults() == []


def away(live):
    """Stops of a drag that ends far from where the slider stands, and the key that comes back a step."""
    now, low, high = (float(live.slider.get_attribute(f"aria-value{what}")) for what in ("now", "min", "max"))
    return ((0.1, 0.45, 0.8), "ArrowLeft") if now < (low + high) / 2 else ((0.9, 0.55, 0.2), "ArrowRight")


def test_a_deeper_sigmoid_network_has_a_smaller_gradient(deep, opened):
    """Orders of magnitude, as the sentence has them, with the slider near 5 layers and near 50."""
    page = opened(deep, "deep.ipynb")
    page.run_all()
    live, found = page.explorer(page.explorers()[0]), []

    def depth():
        return int(re.match(r"(\d+) sigmoid layers", live.sentence())[1])
    for stops, there in ((0.3, 0.05), lambda: depth() <= 10), ((0.4, 0.83), lambda: depth() >= 40):
        moves(live, lambda stops=stops: live.drag(*stops), "a drag")
        eventually(there, f"it stays at {depth()} layers")
        found.append(int(re.search(r"(\d+) orders? of magnitude less", live.sentence())[1]))
    assert found[1] >= found[0] + 15, found
    assert page.faults() == []


def test_an_exercise_is_solved_at_the_second_attempt(course, opened):
    page = opened(course, "notebooks/01_convolution.ipynb")
    page.run(page.find("import numpy as np"))            # the other cells are not needed
    exercise = page.find('grade("convolution.db", db_by_hand)')
    stub = page.source(exercise)
    for method, mark, words in ("mean", "✗", "mean"), ("sum", "✓", "Right"):
        page.write(exercise, stub.replace("...", f"return dy.{method}(axis=(0, 2, 3))"))
        page.run(exercise)
        eventually(lambda mark=mark: page.verdict(exercise).startswith(mark), f"{mark} for {method}", SECONDS)
        assert words in page.verdict(exercise)
    assert page.faults() == []


def test_the_first_notebook_in_the_dark_theme(course, opened):
    course.set("themes", {"theme": "JupyterLab Dark"})
    try:
        page = opened(course, "notebooks/00_start_here.ipynb")
        page.page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
        page.run_all()
    finally:
        course.set("themes", {})
    assert page.faults() == [] and page.explorers()
    live = page.explorer(page.explorers()[0])
    letters = live.page.evaluate(LETTERS, live.cell.query_selector(".explore [aria-live=polite]"))
    assert min(letters) > 128, f"letters as dark as {letters} on dark paper"


def test_a_saved_notebook_shows_each_explorer_before_it_is_run(course, opened):
    name = "notebooks/01_convolution.ipynb"
    stored = [i for i, cell in enumerate(refresh.load(course.root / name).cells)
              if any('class="explore"' in output.get("data", {}).get("text/html", "")
                     for output in cell.get("outputs", []))]
    page = opened(course, name)
    assert len(stored) == sweep.promised(refresh.load(course.root / name)) > 0
    for cell in stored:
        node = page.reveal(cell)
        image = node.wait_for_selector(".jp-OutputArea img")
        assert len(image.get_attribute("alt").split()) > 3
        assert image.get_attribute("alt") in node.inner_text()
        eventually(lambda image=image: image.evaluate("one => one.complete && one.naturalWidth"), "no image")
        assert not pictures.fault(Image.open(io.BytesIO(image.screenshot())).convert("RGB"))
        assert page.faults() == []
        assert "model not found" not in page.page.inner_text("body")


# --- an explorer, closely --------------------------------------------------------------------

@pytest.fixture(scope="module")
def ran(chromium, small):
    page = browser.Notebook(chromium, small, SMALL)
    page.run_all()
    yield page
    page.close()


@pytest.fixture
def live(ran):
    """The explorer of the small notebook, reset."""
    assert ran.faults() == [] and len(ran.explorers()) == 1
    live = ran.explorer(ran.explorers()[0])
    live.cell.query_selector("button:has-text('Reset')").click()
    eventually(lambda: live.sentence() == "A sine that is 2.0 units high.", "the reset changes nothing")
    return live


def test_mouse_and_keyboard_move_picture_and_words(live, ran):
    moves(live, lambda: live.press("ArrowRight"), "an arrow key")
    assert live.sentence() == "A sine that is 2.1 units high."
    moves(live, lambda: live.drag(0.5, 0.9), "a drag")
    assert live.sentence() == "A sine that is 3.6 units high."
    moves(live, lambda: live.cell.query_selector("select").select_option("cosine"), "a choice")
    moves(live, lambda: live.cell.query_selector("button:has-text('Reset')").click(), "the reset button")
    assert live.sentence() == "A sine that is 2.0 units high."
    assert ran.faults() == []


def test_plain_keys_are_the_controls_and_others_are_jupyters(live, ran):
    cells = len(ran.page.evaluate(browser.CELLS))
    live.cell.query_selector("select").focus()
    for key in "ddxxb":                                  # delete, cut, insert a cell, were it Jupyter's
        ran.page.keyboard.press(key)
    assert len(ran.page.evaluate(browser.CELLS)) == cells
    assert '"execution_count": 1' not in ran.path.read_text()
    live.press("Control+s")
    eventually(lambda: '"execution_count": 1' in ran.path.read_text(), "nothing was saved")


def test_every_control_and_the_picture_have_names(live, ran):
    for role, name in (("slider", "height"), ("combobox", "kind"), ("button", "Reset"),
                       ("img", live.sentence())):
        assert ran.page.locator(".explore").get_by_role(role, name=name, exact=True).count() == 1
    assert live.cell.query_selector("[role=status][aria-live=polite]").inner_text() == live.sentence()


def test_a_drag_storm_ends_with_the_right_picture_and_is_never_blank(live):
    there_and_back = [abs(1 - k / 15) * 0.9 + 0.05 for k in range(30)]
    seen = live.record(lambda: live.drag(*there_and_back, 0.75, seconds=1))
    assert len(seen["changes"]) > 5 and seen["blank"] == 0
    last = live.picture()
    assert live.sentence() == "A sine that is 3.0 units high."
    moves(live, lambda: live.press("ArrowRight"), "an arrow key")
    moves(live, lambda: live.press("ArrowLeft"), "an arrow key")
    assert np.array_equal(np.asarray(live.picture()), np.asarray(last))


def test_an_error_is_shown_to_the_learner_and_goes_away(live):
    picture = np.asarray(live.picture())
    live.press("Home")
    alert = live.cell.wait_for_selector("[role=alert]:visible")
    assert "AssertionError: a wave without height (line " in alert.inner_text()
    assert np.array_equal(np.asarray(live.picture()), picture)
    live.press("ArrowRight")
    eventually(lambda: not alert.is_visible(), "the error stays")


def test_a_stored_notebook_shows_picture_and_words_before_it_is_run(small, opened):
    path = small.root / "stored.ipynb"
    path.write_bytes((small.root / SMALL).read_bytes())
    refresh.refresh(path)
    page = opened(small, path.name)
    image = page.page.wait_for_selector(".jp-OutputArea img")
    assert image.get_attribute("alt") == "A sine that is 2.0 units high."
    assert page.page.get_by_text("A sine that is 2.0 units high.").count() == 1
    assert page.faults() == []


def test_a_notebook_that_was_saved_closed_and_opened_again_shows_the_last_picture(small, opened):
    """The kernel ends with the page, as it does overnight; the notebook is what the learner saved."""
    path = small.root / "again.ipynb"
    path.write_bytes((small.root / SMALL).read_bytes())
    page = opened(small, path.name)
    page.run_all()
    live = page.explorer(page.explorers()[0])
    moves(live, lambda: live.press("ArrowRight"), "an arrow key")
    page.save()
    page.close()
    again = opened(small, path.name)
    image = again.page.wait_for_selector(".jp-OutputArea img")
    assert image.get_attribute("title") == "A sine that is 2.1 units high."
    eventually(lambda: image.evaluate("one => one.complete && one.naturalWidth"), "no picture")
    assert not pictures.fault(Image.open(io.BytesIO(image.screenshot())).convert("RGB"))
    assert again.faults() == []


# --- these tests notice ----------------------------------------------------------------------

FAULTS = {
    "an error": ("1 / 0", "ZeroDivisionError"),
    "a warning": ("import warnings; warnings.warn('old')", "old"),
    "a dead widget": ("display({'application/vnd.jupyter.widget-view+json': {'version_major': 2, "
                      "'version_minor': 0, 'model_id': 'x'}}, raw=True)", "Error displaying widget"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_notebook_is_noticed(fault, course, opened):
    source, words = FAULTS[fault]
    sample.write(sample.notebook("# A fault", ("code", source)), course.root / "faulty.ipynb")
    page = opened(course, "faulty.ipynb")
    page.run_all()
    eventually(lambda: any(words in found for found in page.faults()), "the fault is not noticed")


@pytest.mark.parametrize("cell", [CELL.replace("height * (", "2 * ("), CELL.replace("{height / 10}", "some")])
def test_a_slider_without_effect_is_noticed(cell, course, opened):
    sample.write(sample.notebook("# A fault", ("code", cell)), course.root / "faulty.ipynb")
    page = opened(course, "faulty.ipynb")
    page.run_all()
    live = page.explorer(page.explorers()[0])
    with pytest.raises(AssertionError, match="stays the same"):
        moves(live, lambda: live.press("ArrowRight"), "an arrow key", seconds=2)


PASSED = pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED      # all of it was skipped
LACKING = {    # a plugin of pytest that takes it away, and what must be said then
    "playwright": ("import sys; sys.modules['playwright'] = None", "playwright"),
    "a browser": ("import browser; browser.NAMES = browser.CHANNELS = ()", "no Chromium, Chrome or Edge"),
}


@pytest.mark.parametrize("ci", ["true", ""])
@pytest.mark.parametrize("thing", LACKING)
def test_without_it_ci_fails_and_others_are_told(thing, ci, tmp_path):
    source, words = LACKING[thing]
    (tmp_path / "lacking.py").write_text(source)
    here = Path(__file__)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "lacking", "-p", "no:cacheprovider", here,
         "-k", "first_notebook"],
        env={**os.environ, "CI": ci, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(here.parents[1])])},
        cwd=refresh.ROOT, capture_output=True, text=True, encoding="utf-8")
    assert words in run.stdout and "NOTHING WAS TESTED IN A BROWSER" in run.stdout
    assert (run.returncode in PASSED) == (ci == ""), run.stdout
    assert ci or "UserWarning" in run.stdout and "1 skipped" in run.stdout
