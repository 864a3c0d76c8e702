"""Every notebook in a real JupyterLab in a real browser: it runs, and its sliders move picture and words.

Without Playwright or a browser these tests are skipped with a warning; where CI=true they fail.
"""
import contextlib
import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pictures
import pytest
import refresh
import runs
import sample
from PIL import Image
from without import do_without

from helpers.exercises.grading import find
from helpers.order import SINCE

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

explore(draw, frame, describe, play=["height"], height=IntSlider(20, 0, 40),
        kind=Dropdown(options=["sine", "cosine"]))"""
SMALL, AGAIN = "wave.ipynb", "again.ipynb"
DARK = "00_start_here"      # the notebook that is opened in the dark theme
THERE_AND_BACK = [abs(1 - k / 15) * 0.9 + 0.05 for k in range(30)]
LETTERS = "one => getComputedStyle(one).color.match(/[0-9]+/g).slice(0, 3).map(Number)"
LOADED = "one => one.complete && one.naturalWidth"


# --- a browser, a server, a page -------------------------------------------------------------

@pytest.fixture(scope="module")
def chromium():
    """A browser whose pages share what they have loaded."""
    try:
        with browser.chromium() as started:
            yield started.new_context(viewport=browser.VIEW)
    except browser.NoBrowser as reason:
        do_without(str(reason))


@pytest.fixture(scope="module")
def course(chromium):
    with browser.Server(refresh.ROOT) as server:
        yield server


@pytest.fixture(scope="module", params=["lab", pytest.param("notebook", marks=pytest.mark.long)])
def small(course, request, tmp_path_factory):
    """The small notebook, with its outputs, in the JupyterLab of the course and in Notebook 7."""
    folder = tmp_path_factory.mktemp("small")
    path = sample.write(sample.notebook("# A wave", ("code", CELL)), folder / SMALL)
    refresh.refresh(path)
    lab = request.param == "lab"
    with contextlib.nullcontext(course) if lab else browser.Server(folder, request.param) as one:
        one.set("themes", {})
        for name in (SMALL, AGAIN):
            (one.root / name).write_bytes(path.read_bytes())
        yield one


@pytest.fixture
def opened(chromium):
    """Open a notebook of a server, and close its page after the test."""
    pages = []

    def opened(server, name):
        pages.append(browser.Notebook(chromium, server, name))
        return pages[-1]
    yield opened
    for page in pages:
        if not page.page.is_closed():
            page.close()


def eventually(true, what, seconds=browser.SECONDS):
    """Wait until `true()`; fail with the words `what` when it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def moves(live, act, what, seconds=browser.SECONDS):
    """Do something to the slider; assert that new pixels are painted, and that the words are others."""
    words, before, box = live.sentence(), np.asarray(live.picture(), int), live.box()
    act()
    eventually(lambda: live.sentence() != words, f"the sentence stays the same after {what}", seconds)
    eventually(lambda: np.abs(np.asarray(live.picture(), int) - before).max() > 60,
               f"the picture stays the same after {what}", seconds)
    eventually(lambda: live.box() == box, f"the widget changes its size after {what}", seconds)
    eventually(lambda: not pictures.fault(live.picture()), f"a faulty picture after {what}", seconds)


# --- the notebooks of the course -------------------------------------------------------------

@pytest.mark.long_but_for("00")
def test_notebook_in_the_browser(notebook, course, opened):
    """In one page: what is stored, a run, the sliders, and what only this notebook has."""
    nb = refresh.load(notebook)
    course.set("themes", {"theme": "JupyterLab Dark"} if notebook.stem == DARK else {})
    page = opened(course, notebook.relative_to(refresh.ROOT).as_posix())
    shows_what_is_stored(page, nb)
    page.run_all()
    assert page.faults() == []
    eventually(lambda: len(page.explorers()) == runs.promised(nb), "not as many explorers as promised")
    same = pictures.without_pictures(nb)
    with contextlib.suppress(AssertionError):      # the last output may come after the cell has ended
        eventually(lambda: pictures.without_pictures(page.content()) == same, "")
    assert pictures.without_pictures(page.content()) == same
    for cell in page.explorers():
        live = page.explorer(cell)
        assert live.slider.get_attribute("aria-label")
        eventually(lambda live=live: live.image.get_attribute("title") == live.sentence(), "two sentences")
        stops, key = away(live)
        moves(live, lambda live=live, stops=stops: live.drag(*stops), "a drag")
        moves(live, lambda live=live, key=key: live.press(key), "an arrow key")
    ALONE.get(notebook.stem, lambda page: None)(page)
    assert page.faults() == []


def shows_what_is_stored(page, nb):
    """Before it is run, picture and words of each explorer are seen."""
    stored = [i for i, cell in enumerate(nb.cells)
              if any('class="explore"' in output.get("data", {}).get("text/html", "")
                     for output in cell.get("outputs", []))]
    assert len(stored) == runs.promised(nb)
    for cell in stored:
        node = page.reveal(cell)
        image = node.wait_for_selector(".jp-OutputArea img.explore")
        assert len(image.get_attribute("alt").split()) > 3
        assert image.get_attribute("alt") in node.inner_text()
        assert not pictures.fault(painted(image))
        assert page.faults() == [] and "model not found" not in page.page.inner_text("body")


def painted(image):
    """What an image shows, once it is loaded."""
    eventually(lambda: image.evaluate(LOADED), "no image")
    return Image.open(io.BytesIO(image.screenshot())).convert("RGB")


def away(live):
    """Stops of a drag that ends far from where the slider stands, and the key that comes back a step."""
    now, low, high = (float(live.slider.get_attribute(f"aria-value{what}")) for what in ("now", "min", "max"))
    return ((0.1, 0.45, 0.8), "ArrowLeft") if now < (low + high) / 2 else ((0.9, 0.55, 0.2), "ArrowRight")


def letters_are_light(page):
    """In the dark theme."""
    assert page.page.get_attribute("body", "data-jp-theme-light") == "false"
    live = page.explorer(page.explorers()[0])
    letters = live.page.evaluate(LETTERS, live.cell.query_selector(".explore [aria-live=polite]"))
    assert min(letters) > 128, f"letters as dark as {letters} on dark paper"


def a_deeper_sigmoid_network_has_a_smaller_gradient(page):
    """Orders of magnitude, as the sentence has them, with the slider near 5 layers and near 50."""
    live, found = page.explorer(page.find("pathology_explorer()")), []
    live.reset()

    def depth():
        return int(re.match(r"(\d+) sigmoid layers", live.sentence())[1])
    for stops, there in ((0.3, 0.05), lambda: depth() <= 10), ((0.4, 0.83), lambda: depth() >= 40):
        live.drag(*stops)
        eventually(there, "the depth stays another")
        found.append(int(re.search(r"(\d+) orders? of magnitude less", live.sentence())[1]))
    assert found[1] >= found[0] + 15, found


ALONE = {DARK: letters_are_light,
         "06_gradient_pathologies": a_deeper_sigmoid_network_has_a_smaller_gradient}


def test_what_one_notebook_alone_has_is_asked():
    assert set(ALONE) <= {path.stem for path in refresh.notebooks()}


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
    live.reset()
    says(live, "A sine that is 2.0 units high.")
    return live


def says(live, sentence):
    """Wait for this sentence."""
    eventually(lambda: live.sentence() == sentence, f"expected {sentence!r}")


def test_mouse_and_keyboard_move_picture_and_words(live, ran):
    for what, act, sentence in (
            ("an arrow key", lambda: live.press("ArrowRight"), "A sine that is 2.1 units high."),
            ("a drag", lambda: live.drag(0.5, 0.9), "A sine that is 3.6 units high."),
            ("a choice", lambda: live.cell.query_selector("select").select_option("cosine"),
             "A cosine that is 3.6 units high."),
            ("the reset button", live.reset, "A sine that is 2.0 units high.")):
        moves(live, act, what)
        says(live, sentence)
    assert ran.faults() == []


def test_plain_keys_are_the_controls_and_others_are_jupyters(live, ran):
    cells, stored = len(ran.content().cells), ran.path.read_bytes()
    live.cell.query_selector("select").focus()
    for key in "ddxxb":                                  # delete, cut, insert a cell, were it Jupyter's
        ran.page.keyboard.press(key)
    assert len(ran.content().cells) == cells
    assert ran.path.read_bytes() == stored
    live.press("Control+s")
    eventually(lambda: ran.path.read_bytes() != stored, "nothing was saved")


def test_every_control_and_the_picture_have_names(live, ran):
    for role, name in (("slider", "height"), ("combobox", "kind"), ("button", "Reset"),
                       ("button", "Play or pause height"), ("button", "Back to the start of height"),
                       ("img", live.sentence())):
        assert ran.page.locator(".explore").get_by_role(role, name=name, exact=True).count() == 1
    assert live.cell.query_selector("[role=status][aria-live=polite]").inner_text() == live.sentence()


def test_the_picture_has_more_pixels_when_the_page_is_enlarged(live, ran):
    devtools, (width, height) = ran.page.context.new_cdp_session(ran.page), ran.page.viewport_size.values()

    def pixels_for_each():
        return live.image.evaluate("image => image.naturalWidth / image.getAttribute('width')")
    assert pixels_for_each() == 1
    try:
        devtools.send("Emulation.setDeviceMetricsOverride", {       # as Ctrl and + do
            "width": width // 2, "height": height // 2, "deviceScaleFactor": 2, "mobile": False})
        eventually(lambda: pixels_for_each() == 2, "the enlarged picture stays coarse")
    finally:
        devtools.send("Emulation.clearDeviceMetricsOverride")
    eventually(lambda: pixels_for_each() == 1, "the picture stays larger than it is seen")


def test_play_moves_the_picture_to_the_end_and_stops_there(live, ran):
    button = ran.page.locator(".explore").get_by_role("button", name="Play or pause height", exact=True)
    moves(live, button.click, "Play")
    eventually(lambda: "4.0 units high" in live.sentence(), "Play does not come to the end")
    eventually(lambda: button.locator(".fa-play").count() == 1, "Play does not stop at the end")
    live.reset()


def test_a_drag_storm_ends_with_the_right_picture_and_is_never_blank(live):
    """Where the machine pauses in a storm, few pictures are drawn in it; in one of three it does not."""
    moves(live, lambda: live.drag(0.75), "a drag")
    right, changes = np.asarray(live.picture()), 0
    for _ in range(3):
        live.reset()
        says(live, "A sine that is 2.0 units high.")
        seen = live.record(lambda: live.drag(*THERE_AND_BACK, 0.75, seconds=1))
        eventually(lambda: np.array_equal(np.asarray(live.picture()), right), "another picture")
        assert live.sentence() == "A sine that is 3.0 units high." and seen["blank"] == 0
        changes = max(changes, len(seen["changes"]))
        if changes > 5:
            return
    raise AssertionError(f"{changes} pictures in a storm")


def test_an_error_is_shown_to_the_learner_and_goes_away(live):
    picture = np.asarray(live.picture())
    live.press("Home")
    alert = live.cell.wait_for_selector("[role=alert]:visible")
    assert "AssertionError: a wave without height (line " in alert.inner_text()
    assert np.array_equal(np.asarray(live.picture()), picture)
    live.press("ArrowRight")
    eventually(lambda: not alert.is_visible(), "the error stays")


def test_a_notebook_that_was_saved_closed_and_opened_again_shows_the_last_picture(small, opened):
    """The kernel ends with the page, as it does overnight; the notebook is what the learner saved."""
    page = opened(small, AGAIN)
    shows_what_is_stored(page, refresh.load(page.path))
    assert page.page.get_by_text("A sine that is 2.0 units high.").count() == 1
    page.run_all()
    moves(live := page.explorer(page.explorers()[0]), lambda: live.press("ArrowRight"), "an arrow key")
    page.save()
    page.close()
    again = opened(small, AGAIN)
    image = again.page.wait_for_selector(".jp-OutputArea img")
    assert image.get_attribute("title") == "A sine that is 2.1 units high."
    assert not pictures.fault(painted(image))
    assert again.faults() == []


def test_cells_that_run_twice_and_out_of_order(small, opened):
    """Twice: the second widget moves as the first did. Out of order: an error says what to run first."""
    setup = "from helpers.order import watch_order\n\nwatch_order()"
    cells = [setup, "W = 1", "assert W == 1", CELL, "W = 2"]
    sample.write(sample.notebook("# Order", *(("code", cell) for cell in cells)), small.root / "order.ipynb")
    page = opened(small, "order.ipynb")
    page.run_all()
    [place] = page.explorers()
    page.run(place)
    eventually(lambda: page.count(place) == 6, "the cell does not run again")
    moves(live := page.explorer(place), lambda: live.press("ArrowRight"), "an arrow key")
    check = page.find("assert W == 1")
    page.run(check)
    eventually(lambda: page.count(check) == 7 and SINCE in page.errors(check), "no word of what to run")
    page.run(page.find("W = 1"))
    page.run(check)
    eventually(lambda: page.count(check) == 9 and not page.errors(check), "the advice is no help")
    assert page.faults() == []


def shows_the_worked_solution(page):
    """Whether `grade` has shown it, in a notebook that grades in one cell; hints are shown in any case."""
    said = str(page.content().cells[-1].outputs)
    assert "Hint 2" in said
    return "Worked solution" in said


@pytest.mark.long
def test_a_notebook_for_a_class_shows_no_worked_solution(small, opened):
    """Its metadata say so, those of a notebook beside it do not; and a new name makes no difference."""
    cell = 'from helpers.exercises import grade\ngrade("convolution.db", len)'
    nb = sample.notebook("# Grade", ("code", cell))
    sample.write(nb, small.root / "ours.ipynb")
    nb.metadata["gradients_by_hand"] = {"solutions": False}
    sample.write(nb, small.root / "theirs.ipynb")
    pages = {name: opened(small, f"{name}.ipynb") for name in ("ours", "theirs")}
    for name, page in pages.items():
        page.run_all()
        assert shows_the_worked_solution(page) == (name == "ours")
    pages["theirs"].page.evaluate(f"() => {browser.PANEL}.context.rename('mine.ipynb')")
    eventually((small.root / "mine.ipynb").exists, "the notebook keeps its name")
    pages["theirs"].run_all()
    assert not shows_the_worked_solution(pages["theirs"])


def test_an_exercise_is_solved_at_the_second_attempt(small, opened):
    setup, stub = "from helpers.exercises import grade", find("convolution.db").stub()
    sample.write(sample.notebook("# By hand", *(("code", cell) for cell in (setup, stub))),
                 small.root / "exercise.ipynb")
    page = opened(small, "exercise.ipynb")
    page.run_all()
    exercise = page.find('grade("convolution.db", db_by_hand)')
    assert page.verdict(exercise).startswith("○")
    for method, mark, words in ("mean", "✗", "mean"), ("sum", "✓", "Right"):
        page.write(exercise, stub.replace("...", f"return dy.{method}(axis=(0, 2, 3))"))
        page.run(exercise)
        eventually(lambda mark=mark: page.verdict(exercise).startswith(mark), f"{mark} for {method}")
        assert words in page.verdict(exercise)
    assert page.faults() == []


# --- these tests notice ----------------------------------------------------------------------

FAULTS = {     # a cell, and what must be said of it
    "Error displaying widget": "display({'application/vnd.jupyter.widget-view+json': {'version_major': 2, "
                               "'version_minor': 0, 'model_id': 'x'}}, raw=True)",
    "UserWarning: old": "import warnings; warnings.warn('old')",
    "the picture stays": CELL.replace("height * (", "2 * ("),
    "the sentence stays": CELL.replace("{height / 10}", "some"),
    "ZeroDivisionError": "1 / 0"}


def test_faults_are_noticed_in_the_browser(small, opened):
    """A dead widget, a warning, sliders that move no picture or no words, an error: all in one notebook."""
    path = small.root / "faulty.ipynb"
    sample.write(sample.notebook("# Faults", *(("code", cell) for cell in FAULTS.values())), path)
    page = opened(small, path.name)
    page.run_all()
    for words in list(FAULTS)[0], list(FAULTS)[1], list(FAULTS)[-1]:
        eventually(lambda words=words: words in str(page.faults()), f"not noticed: {words}")
    assert pictures.without_pictures(page.content()) != pictures.without_pictures(refresh.load(path))
    for cell, still in zip(page.explorers()[-2:], ("picture", "sentence"), strict=True):
        live = page.explorer(cell)
        with pytest.raises(AssertionError, match=f"the {still} stays the same"):
            moves(live, lambda live=live: live.press("ArrowRight"), "an arrow key", seconds=2)


PASSED = pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED      # all of it was skipped
LACKING = {    # a plugin of pytest that takes it away, and what must be said then
    "playwright": ("import sys; sys.modules['playwright'] = None", "playwright"),
    "a browser": ("import browser; browser.NAMES = browser.CHANNELS = ()", "no Chromium, Chrome or Edge"),
}


@pytest.mark.parametrize("thing, ci", [("playwright", ""), ("a browser", "true")])
def test_without_it_ci_fails_and_others_are_told(thing, ci, tmp_path):
    source, words = LACKING[thing]
    (tmp_path / "lacking.py").write_text(source)
    here = Path(__file__)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "lacking", "-p", "no:cacheprovider", here,
         "-k", "00_start_here"],
        env={**os.environ, "CI": ci, "PYTHONPATH": os.pathsep.join(
            [str(tmp_path), str(here.parents[1]), os.environ.get("PYTHONPATH", "")])},
        cwd=refresh.ROOT, capture_output=True, text=True, encoding="utf-8")
    assert words in run.stdout and "NOTHING WAS TESTED IN A BROWSER" in run.stdout
    assert (run.returncode in PASSED) == (ci == ""), run.stdout
    assert ci or "UserWarning" in run.stdout and "1 skipped" in run.stdout
