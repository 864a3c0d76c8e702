"""What several tests share: the notebooks of the course, their run, and a small good notebook.

With `-n 2` the first process only hands out the tests: what is slow to import is imported where it is used.
"""
import functools
import math
import re
import shutil
from pathlib import Path

import pytest
from exercise_report import pytest_terminal_summary  # noqa: F401
from xdist.scheduler import LoadScopeScheduling

RUN = "test_pictures", "test_sliders"       # their tests of a notebook share one run of it
PATIENCE = 2.0      # seconds


def pytest_generate_tests(metafunc):
    """Run a test that takes `notebook` on each. Without notebooks it fails on the first of the course."""
    if "notebook" in metafunc.fixturenames:
        import refresh
        paths = refresh.notebooks() or [refresh.FOLDER / "00_start_here.ipynb"]
        often = metafunc.definition.get_closest_marker("long_but_for")
        metafunc.parametrize("notebook", [pytest.param(path, id=path.stem, marks=[pytest.mark.long] * bool(
            often and path.stem[:2] not in often.args)) for path in paths])


def together(nodeid):
    """What one worker does by itself: all in the browser, all that needs one run of a notebook, or a file."""
    file = Path(nodeid.split("::")[0])
    notebook = re.search(r"\[(\d\d_\w+)\]$", nodeid)
    if file.parent.name == "browser":
        return "browser"
    return f"run of {notebook[1]}" if notebook and file.stem in RUN else file.stem


class Together(LoadScopeScheduling):
    """What belongs together runs on one worker, in the order in which it was collected."""

    def _split_scope(self, nodeid):
        return together(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """For `pytest -n 2 --dist loadscope`. Marks of pytest-xdist would do, but version 3.8 loses them."""
    if config.option.dist == "loadscope":
        config.option.loadscopereorder = False
        return Together(config, log)


def pytest_collection_modifyitems(items):
    """What takes longest is given out first."""
    groups = {item: together(item.nodeid) for item in items}
    items.sort(key=lambda item: (groups[item] != "browser", not groups[item].startswith("run of ")))


@pytest.fixture(scope="session")
def executed(request):
    """Execute a notebook and sweep its explorers, once in a session: runs are what one waits for.

    Without the long tests a cell that takes seconds is not run a second time.
    """
    import refresh
    import runs
    patience = PATIENCE if request.config.option.markexpr == "not long" else math.inf

    @functools.cache
    def run(path):
        try:
            return runs.run(path, patience)
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
    import sample
    return sample.build(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def good(sample_built, tmp_path):
    """A copy of the good notebook, with its neighbour and its drawing, to plant a fault in."""
    shutil.copytree(sample_built.parents[1], tmp_path / "course")
    return tmp_path / "course" / "notebooks" / sample_built.name
