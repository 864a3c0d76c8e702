"""What several tests share: the notebooks of the course, their run, and a small good notebook.

With `-n 2` the first process only hands out the tests: what is slow to import is imported where it is used.
"""
import functools
import re
import shutil
from pathlib import Path

import pytest
from exercise_report import pytest_terminal_summary  # noqa: F401
from xdist.scheduler import LoadScopeScheduling

RUN = "test_pictures", "test_sliders"       # their tests of a notebook share one run of it
PATIENCE, COMBINATIONS = 0.5, 4      # seconds; of settings of an explorer: the quick test has no more


def pytest_generate_tests(metafunc):
    """Run a test that takes `notebook` on each. Without notebooks it fails on the first of the course."""
    if "notebook" in metafunc.fixturenames:
        import refresh
        paths = refresh.notebooks() or [refresh.FOLDER / "00_start_here.ipynb"]
        often = metafunc.definition.get_closest_marker("long_but_for")
        metafunc.parametrize("notebook", [pytest.param(path, id=path.stem, marks=[pytest.mark.long] * bool(
            often and path.stem[:2] not in often.args)) for path in paths])


def together(nodeid):
    """What one worker does by itself: all in the browser, all of the page, a run of a notebook, a file."""
    file = Path(nodeid.split("::")[0])
    notebook = re.search(r"\[(\d\d_\w+)\]$", nodeid)
    if file.parent.name in ("browser", "site"):
        return file.parent.name
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


def turn(group):
    """What takes longest is given out first: the browser, then notebooks; the late ones compute most."""
    number = re.match(r"run of (\d+)", group)
    return (1, -int(number[1])) if number else (0, 0) if group in ("browser", "site") else (2, 0)


def pytest_collection_modifyitems(items):
    """In the order of `turn`; the tests of one group, and files, stay as they are."""
    items.sort(key=lambda item: turn(together(item.nodeid)))


@pytest.fixture(scope="session")
def executed(request):
    """Execute a notebook and sweep its explorers, once in a session: runs are what one waits for.

    Without the long tests a cell that takes half a second is not run a second time, and the controls of an
    explorer are moved alone, but a few times together.
    """
    import refresh
    import runs
    quick = request.config.option.markexpr == "not long"

    @functools.cache
    def run(path):
        try:
            return runs.run(path, PATIENCE, COMBINATIONS) if quick else runs.run(path)
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
