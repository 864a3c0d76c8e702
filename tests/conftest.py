"""What several tests share: the notebooks of the course, their run, and a small good notebook."""
import functools
import shutil

import pytest
import refresh
import sample
import sweep
from exercise_report import pytest_terminal_summary  # noqa: F401


def pytest_generate_tests(metafunc):
    """Run a test that takes `notebook` on each. Without notebooks it fails on the first of the course."""
    if "notebook" in metafunc.fixturenames:
        paths = refresh.notebooks() or [refresh.FOLDER / "00_start_here.ipynb"]
        metafunc.parametrize("notebook", paths, ids=lambda path: path.stem)


def together(item):
    """What one worker does by itself: all in the browser, all that needs a run of a notebook, or a file."""
    if item.path.parent.name == "browser":
        return "browser"
    params = item.callspec.params if hasattr(item, "callspec") else {}
    needs_run = "notebook" in params and "executed" in item.fixturenames
    return f"run of {params['notebook'].stem}" if needs_run else item.path.stem


@pytest.hookimpl(tryfirst=True)     # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    """For `pytest -n 2 --dist loadgroup --no-loadscope-reorder`: what takes longest is given out first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(together(item)))
    items.sort(key=lambda item: (together(item) != "browser", not together(item).startswith("run of ")))


@pytest.fixture(scope="session")
def executed():
    """Execute a notebook and sweep its explorers, once in a session: runs are what one waits for."""
    @functools.cache
    def run(path):
        try:
            return sweep.run(path)
        except refresh.ExecutionFailed as error:
            return str(error)

    def executed(path):
        """The notebook with its outputs, and what is wrong with its explorers and a second run of cells."""
        found = run(path)
        if isinstance(found, str):
            pytest.fail(found, pytrace=False)
        return found
    return executed


@pytest.fixture(scope="session")
def fresh(executed):
    """The notebook as a run from cleared outputs leaves it; a test fails where the run failed."""
    return lambda path: executed(path).nb


@pytest.fixture(scope="session")
def sample_built(tmp_path_factory):
    """The good notebook in a folder of its own; not to be changed."""
    return sample.build(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def good(sample_built, tmp_path):
    """A copy of the good notebook, with its neighbour and its drawing, to plant a fault in."""
    shutil.copytree(sample_built.parents[1], tmp_path / "course")
    return tmp_path / "course" / "notebooks" / sample.NAME
