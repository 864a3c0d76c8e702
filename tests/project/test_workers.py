"""Tests that share what is slow to make run on one worker of pytest-xdist, and the slowest begin first."""
from pathlib import Path
from types import SimpleNamespace

import conftest


def item(file, notebook=None, *fixtures):
    marks = []
    return SimpleNamespace(path=Path(file), fixturenames=fixtures, marks=marks, add_marker=marks.append,
                           callspec=SimpleNamespace(params={"notebook": Path(notebook)} if notebook else {}))


def test_what_belongs_together_is_done_by_one_worker_and_the_slowest_first():
    pictures, sliders = "tests/notebooks/test_pictures.py", "tests/notebooks/test_sliders.py"
    items = [item("tests/functional/test_linear.py"), item(sliders, "02.ipynb", "executed"),
             item("tests/notebooks/test_rules.py", "02.ipynb"), item("tests/browser/test_lab.py", "02.ipynb"),
             item(pictures, "02.ipynb", "fresh", "executed"), item(pictures, "03.ipynb", "executed"),
             item("tests/browser/test_drag.py")]
    conftest.pytest_collection_modifyitems(items)
    assert [mark.args[0] for one in items for mark in one.marks] == [
        "browser", "browser", "run of 02", "run of 02", "run of 03", "test_linear", "test_rules"]
