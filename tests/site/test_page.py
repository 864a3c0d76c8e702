"""The web page in a real browser: built anew, served from this machine, and nothing asked of another one."""
import html
import re
import urllib.parse

import pytest
import refresh

NAMES = [path.stem for path in refresh.notebooks()]
WIDTHS = {"wide": (1280, "light"), "phone": (360, "dark")}      # as `visit` names them
COUNTS = """() => ({width: document.documentElement.scrollWidth,
    formulas: document.querySelectorAll('mjx-container').length,
    wrong: document.querySelectorAll('mjx-merror, [data-mjx-error]').length,
    wordless: [...document.images].filter(one => !one.alt).length,
    broken: [...document.images].filter(one => !one.complete || !one.naturalWidth).length})"""
TYPESET = "() => !document.querySelector('.math') || document.querySelector('mjx-container')"


PAGES = [f"{where}notebooks/{name}" for where in ("", "zh/") for name in NAMES]
EVERY_DAY = "notebooks/01", "notebooks/05", "zh/notebooks/06"


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.long] * (not name.startswith(EVERY_DAY))) for name in PAGES])
def test_a_notebook_is_a_page_that_fits_with_its_words_and_its_mathematics(visit, name):
    page = visit(f"{name}.html")
    page.wait_for_function(TYPESET)
    for pixels, scheme in WIDTHS.values():
        page.set_viewport_size({"width": pixels, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(COUNTS)
        assert found["width"] <= pixels, "nothing pushes the page sideways"
        assert (found["wrong"], found["wordless"], found["broken"]) == (0, 0, 0)
        assert found["formulas"] > 20


@pytest.mark.parametrize("where, word, title", [
    ("", "vanish", "Gradient pathologies"), ("zh/", "梯度消失", "06 梯度消失与梯度爆炸"),
    ("zh/", "秩", "03 矩阵求导")])
def test_a_reader_finds_a_word(visit, where, word, title):
    page = visit(f"{where}search.html?q={word}")
    page.wait_for_selector(f"#search-results li a >> text={title}")


def test_a_reader_goes_on_with_the_keyboard_to_the_next_notebook_and_to_the_other_language(visit):
    page = visit(f"notebooks/{NAMES[0]}.html")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == f"{NAMES[1]}.html":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{NAMES[1]}.html")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{NAMES[0]}.html")
    for where, words in ("zh/notebooks", "中文"), ("notebooks", "English"):
        page.get_by_role("link", name=words, exact=True).press("Enter")
        page.wait_for_url(f"**/{where}/{NAMES[0]}.html")


def test_dark_and_light_are_two(visit):
    grounds = [visit("index.html", width).evaluate("getComputedStyle(document.body).backgroundColor")
               for width in WIDTHS]
    assert len(set(grounds)) == 2


def test_on_paper_a_dark_page_is_white_and_has_nothing_to_press(visit):
    page = visit(f"notebooks/{NAMES[6]}.html", "phone")
    page.wait_for_selector("text=Answer it here")
    page.evaluate("document.documentElement.classList.add('show-back-to-top')")     # as after scrolling up
    pressed = page.locator("button, summary, .skip-to-content, .back-to-top").locator("visible=true")
    assert pressed.count() > 10
    page.emulate_media(media="print")
    assert pressed.all_inner_texts() == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_link_to_a_section_leads_there(folder):
    pages = {path: path.read_text(encoding="utf-8")
             for pattern in ("*/*.html", "zh/*/*.html") for path in folder.glob(pattern)}
    links = [(path, html.unescape(link)) for path, text in pages.items()
             for link in re.findall(r'class="reference [^"]*internal" href="([^"]*#[^"]+)"', text)]
    lost = []
    for path, link in links:
        name, section = urllib.parse.unquote(link).split("#")
        if f' id="{html.escape(section)}"' not in pages[(path.parent / name).resolve() if name else path]:
            lost.append((path.name, link))
    assert not lost and len(links) > 100


def test_every_page_says_its_language_and_leads_to_the_same_one_in_the_other(folder):
    for name in [*(f"notebooks/{name}" for name in NAMES), "index", "search"]:
        both = folder / f"{name}.html", folder / f"zh/{name}.html"
        for path, other, language in zip(both, both[::-1], ("en", "zh-CN"), strict=True):
            text = path.read_text(encoding="utf-8")
            assert f'<html class="no-js" lang="{language}"' in text
            [link] = re.findall(r'<a class="language" [^>]*href="([^"]*)"', text)
            assert (path.parent / link).resolve() == other.resolve()


def test_a_wheel_that_is_not_the_pinned_one_is_refused_and_removed(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(refresh.ROOT / "site")
    import archives
    other = tmp_path / "one_package-1.0-py3-none-any.whl"
    other.write_bytes(b"other")
    assert archives.wheel("one-package==1.0", tmp_path) == other
    with pytest.raises(ValueError, match="one_package.*expected 12ab"):
        archives.wheel("one-package==1.0", tmp_path, "12ab")
    assert not other.exists()
