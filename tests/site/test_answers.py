"""An exercise that is answered on the page: wrongly, rightly, in no Python, without an end."""
import pytest

from helpers.exercises.grading import find

NAME = "convolution.db"
BEGIN = "Answer it here"


@pytest.fixture
def answer(pyodide, visit):
    """Open the second exercise of notebook 01 in its editor; a function that writes, checks and reads."""
    page = visit("notebooks/01_convolution.html", "phone")
    page.set_default_timeout(120_000)
    page.get_by_role("button", name=BEGIN).nth(1).click()
    editor = page.get_by_role("textbox", name=f"Your answer to {NAME}")
    editor.wait_for()

    def check(text, expected):
        editor.click()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text(text)
        page.get_by_role("button", name="Check").click()
        return page.locator(".cell.tag_exercise").nth(1).get_by_text(expected).first.wait_for()
    check.page, check.editor = page, editor
    return check


def test_an_answer_is_graded_and_kept(answer):
    page, exercise = answer.page, find(NAME)
    answer("def db_by_hand(dy):\n    return 'b'\n", "It returned a str")
    answer("def db_by_hand(dy:\n", "does not run")
    answer("def db_by_hand(dy):\n    return dy.sum()\n", "not yet")
    assert page.locator(".cell.tag_exercise details").count()
    answer(exercise.source(), ": right")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.reload()
    page.get_by_role("button", name=BEGIN).nth(1).click()
    answer.editor.wait_for()
    assert answer.editor.inner_text().split() == exercise.source().split()
    page.get_by_role("button", name="Start again").click()
    assert "..." in answer.editor.inner_text()
    with page.expect_download() as file:
        page.get_by_role("button", name="Download").click()
    assert file.value.suggested_filename == f"{NAME}.py"


@pytest.mark.long
def test_a_loop_without_end_is_ended_and_explorers_stand_where_they_stood(answer):
    def sentence(words):
        page.locator(".sentence", has_text=words).wait_for()
    page = answer.page
    page.get_by_role("button", name="Move it").first.click()
    page.locator(".controls").first.wait_for()
    slider = page.get_by_role("slider", name="step")
    slider.press("ArrowRight")
    sentence("step 5 of 9")
    answer("def db_by_hand(dy):\n    while True:\n        pass\n", "a loop that never ends")
    slider.press("ArrowRight")
    sentence("step 6 of 9")
    answer("def db_by_hand(dy):\n    return dy.sum()\n", "not yet")
