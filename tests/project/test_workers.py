"""Tests that share what is slow to make run on one worker of pytest-xdist, and the slowest begin first."""
import conftest

TESTS = {
    "tests/functional/test_linear.py::test_forward[02_pooling]": "test_linear",
    "tests/notebooks/test_sliders.py::test_every_setting_draws[02_pooling]": "run of 02_pooling",
    "tests/notebooks/test_notebooks.py::test_rule[02_pooling-is_small]": "test_notebooks",
    "tests/browser/test_browser.py::test_notebook_in_the_browser[02_pooling]": "browser",
    "tests/notebooks/test_pictures.py::test_a_run[02_pooling]": "run of 02_pooling",
    "tests/notebooks/test_pictures.py::test_another_figure[a number]": "test_pictures",
    "tests/notebooks/test_pictures.py::test_a_run[03_matrix_derivatives]": "run of 03_matrix_derivatives",
    "tests/browser/test_browser.py::test_a_drag[lab]": "browser",
}


def test_what_belongs_together_is_done_by_one_worker_and_the_slowest_first():
    assert {nodeid: conftest.together(nodeid) for nodeid in TESTS} == TESTS
    items = [type("Item", (), {"nodeid": nodeid})() for nodeid in TESTS]
    conftest.pytest_collection_modifyitems(items)
    assert [TESTS[item.nodeid] for item in items] == [
        "browser", "browser", "run of 02_pooling", "run of 02_pooling", "run of 03_matrix_derivatives",
        "test_linear", "test_notebooks", "test_pictures"]
