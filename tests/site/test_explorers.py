"""Explorers that wake up on the page: all of them without a browser, and in one some of each kind."""
import asyncio
import gzip
import importlib.util
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import refresh
import sklearn.datasets
import sklearn.model_selection
from matplotlib.ft2font import FT2Font

from helpers.plotting import lettering

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
STILL = '<img class="explore"'


def load(path):
    """A module of the page, which has no place among the others: it may have the name of a package."""
    spec = importlib.util.spec_from_file_location(f"page_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stored(notebook):
    """The sentence below each explorer of a notebook, as it is stored."""
    return ["".join(output["data"]["text/plain"]) for cell in refresh.load(notebook).cells
            for output in cell.get("outputs", []) if STILL in output.get("data", {}).get("text/html", "")]


# --- without a browser -----------------------------------------------------------------------

@pytest.fixture(scope="module")
def said():
    """By notebook: what its explorers say, and what becomes of the worked solutions of its exercises."""
    ran = subprocess.run([sys.executable, ROOT / "tests/site/asleep.py"], capture_output=True, text=True,
                         env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"})
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_every_explorer_wakes_up_without_torch_and_says_what_is_stored(said):
    assert {name: [sentence for sentence, _ in awake] for name, (awake, _) in said.items()} == {
        path.stem: stored(path) for path in refresh.notebooks()}
    sizes = [size for awake, _ in said.values() for _, size in awake]
    assert len(sizes) >= 18 and min(sizes) > 5000


def test_all_exercises_but_one_are_graded_without_torch_and_that_one_says_what_is_missing(said):
    answers = {name: words for _, right in said.values() for name, words in right.items()}
    others = {name: words for name, words in answers.items() if words != "right"}
    assert len(answers) >= 37 and list(others) == ["pytorch.swish"], others
    assert "no browser has" in others["pytorch.swish"]


def test_the_page_says_of_that_exercise_alone_that_it_cannot_check_it(monkeypatch):
    monkeypatch.syspath_prepend(SITE)
    import sources
    told = [one for path in refresh.notebooks()
            for one in sources.cells_of(json.loads(path.read_text(encoding="utf-8")))["exercises"]]
    assert [one["name"] for one in told if one["torch"]] == ["pytorch.swish"]


def test_the_data_of_the_page_are_those_of_scikit_learn():
    ours = load(SITE / "python/sklearn/datasets.py")
    theirs = sklearn.datasets.load_digits(return_X_y=True)
    assert all(map(np.array_equal, ours.load_digits(return_X_y=True), theirs))
    assert np.array_equal(ours.load_digits().images, sklearn.datasets.load_digits().images)
    china = sklearn.datasets.load_sample_image("china.jpg")
    assert np.array_equal(ours.load_sample_image("china.jpg"), china)
    with pytest.raises(ValueError, match="only 'china.jpg'"):
        ours.load_sample_image("flower.jpg")


@pytest.mark.parametrize("seed", range(4))
def test_the_split_of_the_page_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(2 + 2 * seed, size=60 + 97 * seed)
    given = {"test_size": (0.2, 0.25, 0.4, 0.77)[seed], "stratify": y, "random_state": seed}
    ours, theirs = (one(np.arange(len(y)), y, **given) for one in (
        load(SITE / "python/sklearn/model_selection.py").train_test_split,
        sklearn.model_selection.train_test_split))
    assert all(map(np.array_equal, ours, theirs))


CELLS = ["rng = make()", "x = rng.normal()", "x = 3\nprint(x)", "def f():\n    return x\nf()", "y = [0]",
         "y.append(2)\ny", "z = {}\nz['a'] = 1", "z", "def g():\n    return h()", "def h():\n    return rng",
         "g()"]


@pytest.mark.parametrize("last, places", [
    (1, [0, 1]), (3, [2, 3]), (5, [4, 5]), (7, [6, 7]), (10, [0, 1, 8, 9, 10])])
def test_a_cell_needs_those_that_make_or_change_what_it_uses(monkeypatch, last, places):
    monkeypatch.syspath_prepend(SITE)
    from needs import needed
    assert needed(CELLS, last) == places


SLOW = """\
from ipywidgets import IntSlider
from helpers.explore import explore
done = []
explore(lambda axes, n: len(done), describe=lambda n: f"{len(done)} of {n} steps are done",
        advance=lambda seconds, n: done.append(n) or len(done) >= n, n=IntSlider(0, 0, 4))"""


def test_a_slow_picture_fills_in_as_often_as_the_page_asks(monkeypatch):
    monkeypatch.setattr("helpers.exercises.sandbox.NO_THREADS", "")     # page.py says that it has none
    monkeypatch.setattr("helpers.explore.background.PATIENCE", 0)
    page, said = load(SITE / "python_of_page/page.py"), []

    async def reader():
        page.wake("slow", SLOW, 2)
        page.turn("slow", '[["n", 4]]', 2)
        while not (news := json.loads(page.go_on("slow").news()))["finished"]:
            said.append(news["sentence"])
        assert news["sentence"] == "4 of 4 steps are done"
    with ThreadPoolExecutor() as another:         # Playwright's loop runs in this thread
        another.submit(asyncio.run, reader()).result()
    assert said == ["3 of 4 steps are done"]


@pytest.mark.long
def test_what_was_recorded_is_what_torch_answers_today(monkeypatch):
    monkeypatch.syspath_prepend(SITE)
    monkeypatch.chdir(ROOT / "notebooks")
    import recording
    fresh = recording.records(ROOT / "notebooks")
    with np.load(SITE / "python/recorded.npz") as kept:
        assert set(kept) == set(fresh)
        for name in fresh:
            if fresh[name].dtype.kind == "U":
                assert np.array_equal(kept[name], fresh[name])
            else:               # of hooks only the first binary digits are kept
                assert np.allclose(kept[name], fresh[name], rtol=2**-6 if "hooks" in name else 1e-9), name


# --- in a browser ----------------------------------------------------------------------------

class Awake:
    """An explorer of a page, by its place, woken up."""

    def __init__(self, page, place):
        self.page, self.place = page, place
        self.image = page.locator("img.explore").nth(place)
        page.locator(".wake").nth(place).click()
        page.wait_for_selector(".controls", timeout=120_000)
        self.box = page.locator(".controls").first

    def sentence(self):
        return self.page.locator("p[role=status].sentence").first.inner_text()

    def control(self, name):
        return self.box.get_by_label(name, exact=True)

    def after(self, act):
        """Do something, wait for another picture, and return the sentence below it."""
        before = self.image.get_attribute("src")
        act()
        self.page.wait_for_function("([place, before]) => document.querySelectorAll('img.explore')[place].src"
                                    " !== before", arg=[self.place, before])
        assert self.image.get_attribute("alt") == self.sentence()
        return self.sentence()


@pytest.fixture
def awake(pyodide, visit):
    return lambda name, place, width: Awake(visit(f"notebooks/{name}.html", width), place)


def sent(path):
    """The bytes that a server sends: text and WebAssembly packed, as every host of pages and Pyodide's do."""
    content = Path(path).read_bytes()
    return len(gzip.compress(content)) if path.endswith((".wasm", ".js", ".json")) else len(content)


@pytest.mark.long
def test_waking_the_first_explorer_fetches_little(pyodide, visit, asked):
    page = visit("notebooks/00_start_here.html")
    page.wait_for_load_state("networkidle")
    asked.clear()
    Awake(page, 0)
    fetched = {Path(path).name: sent(path) for path in asked}
    assert len(fetched) == len(asked) > 15, "nothing is fetched twice"
    assert sum(fetched.values()) < 23e6, fetched
    assert "zh.zip" not in fetched
    assert not any(name.startswith(("scipy", "scikit_learn", "fonttools", "pytz")) for name in fetched)


def test_a_page_in_chinese_speaks_chinese_when_it_wakes_up_and_has_the_font(pyodide, visit, asked):
    page = visit("zh/notebooks/01_convolution.html")
    one = Awake(page, 0)
    assert one.sentence() == stored(ROOT / "notebooks/zh/01_convolution.ipynb")[0]
    page.get_by_role("button", name="播放 步").wait_for()
    step = one.box.get_by_role("slider", name="步", exact=True)
    assert "第 5 步（共 9 步）" in one.after(lambda: step.press("ArrowRight"))
    assert [path for path in asked if path.endswith("zh.zip")]
    page.get_by_role("button", name="在这里作答").nth(1).click()
    page.get_by_role("textbox", name="你对 convolution.db 的作答").press_sequentially("x = 1 +")
    page.get_by_role("button", name="检查").click()
    page.get_by_text("你的代码无法运行").wait_for()


def test_the_font_of_chinese_pictures_is_known_by_its_name_and_has_every_sign(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(SITE)
    import letters
    po = (ROOT / "helpers/language/locale/zh/LC_MESSAGES/helpers.po").read_text(encoding="utf-8")
    if not letters.cut(po, tmp_path / "chinese.otf"):
        pytest.skip("this machine has no free Chinese font, such as fonts-noto-cjk")
    font = FT2Font(tmp_path / "chinese.otf")
    assert font.family_name in lettering.CHINESE
    assert {ord(sign) for sign in po if sign >= lettering.FIRST_OF_CHINA} <= set(font.get_charmap())
    assert (tmp_path / "chinese.otf").stat().st_size < 400_000


def test_sliders_switches_and_presets_move_the_picture_and_its_sentence(awake):
    one = awake("06_gradient_pathologies", 0, "phone")
    start = one.sentence()
    assert start == stored(ROOT / "notebooks/06_gradient_pathologies.ipynb")[0]
    depth = one.box.get_by_role("slider", name="depth")
    picture, slider = one.image.bounding_box(), depth.bounding_box()
    assert 0 <= picture["y"] < picture["y"] + picture["height"] < slider["y"] < 900, "both are seen at once"
    assert "31 sigmoid" in one.after(lambda: one.page.keyboard.press("ArrowRight"))
    scale = one.box.get_by_role("slider", name="weights times")
    assert "1.07" in one.after(lambda: scale.press("ArrowRight"))
    norm = one.box.get_by_role("checkbox", name="batch norm")
    assert "batch norm" in one.after(norm.check)
    sigma = one.box.get_by_role("combobox", name="activation")
    assert "tanh" in one.after(lambda: sigma.select_option("tanh"))
    assert one.after(one.box.get_by_role("button", name="Reset").click) == start
    assert depth.input_value() == "30" and not norm.is_checked()
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.long
def test_an_error_is_told_in_words_and_a_text_fills_in_another_control(awake):
    one = awake("01_convolution", 1, "wide")
    entries = one.box.get_by_role("textbox", name="entries")
    one.after(lambda: entries.fill("-1 1"))
    entries.fill("-1 x")
    complaint = one.page.locator("[role=alert]")
    complaint.get_by_text("The picture is that of the last values that worked").wait_for()
    one.after(lambda: one.box.get_by_role("combobox", name="kernel").select_option("blur"))
    assert complaint.inner_text() == ""


def test_groups_and_play(awake):
    one = awake("05_optimizers", 2, "wide")
    group = one.box.get_by_role("group", name="optimizers")
    assert group.get_by_role("checkbox").count() == 6
    one.after(lambda: group.get_by_role("checkbox", name="momentum").uncheck())
    one.after(lambda: one.box.get_by_role("slider", name="start w₁").press("End"))
    steps = one.box.get_by_role("slider", name="steps")
    steps.press("End")
    for _ in range(3):
        steps.press("ArrowLeft")
    one.box.get_by_role("button", name="Play steps").click()
    one.page.wait_for_function("() => document.querySelector('.play').textContent === 'Play'")
    one.page.wait_for_function("() => document.querySelector('.sentence').textContent.includes('step 300')")


PIXELS = """([place, each]) => {
    const image = document.querySelectorAll('img.explore')[place];
    return image.naturalWidth === each * image.getAttribute('width');
}"""


def test_a_picture_has_the_pixels_of_the_screen_and_more_when_the_page_is_enlarged(awake):
    one = awake("03_matrix_derivatives", 0, "wide")
    one.page.wait_for_function(PIXELS, arg=[0, 1])
    devtools = one.page.context.new_cdp_session(one.page)
    devtools.send("Emulation.setDeviceMetricsOverride", {            # as Ctrl and + do
        "width": 640, "height": 450, "deviceScaleFactor": 2, "mobile": False})
    one.page.wait_for_function(PIXELS, arg=[0, 2])


@pytest.mark.long
@pytest.mark.parametrize("name", [path.stem for path in refresh.notebooks()])
def test_every_explorer_of_a_page_wakes_up(pyodide, visit, name):
    page, sentences = visit(f"notebooks/{name}.html"), stored(ROOT / "notebooks" / f"{name}.ipynb")
    for count in range(len(sentences)):
        page.locator(".wake").first.click()
        page.locator(".controls").nth(count).wait_for(timeout=120_000)
    assert page.locator("p[role=status].sentence").all_inner_texts() == sentences
