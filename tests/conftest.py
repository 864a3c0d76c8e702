"""What several tests share: the notebooks of the course, their run, and a small good notebook."""
import functools
import shutil

import pytest
import refresh
import sample
from exercise_report import pytest_terminal_summary  # noqa: F401


def pytest_generate_tests(metafunc):
    """Run a test that takes `notebook` on each. Without notebooks it fails on the first of the course."""
    if "notebook" in metafunc.fixturenames:
        paths = refresh.notebooks() or [refresh.FOLDER / "00_start_here.ipynb"]
        metafunc.parametrize("notebook", paths, ids=lambda path: path.stem)


@pytest.fixture(scope="session")
def fresh():
    """Execute a notebook, once in a session, and fail where it failed: runs are what one waits for."""
    @functools.cache
    def run(path):
        try:
            return refresh.execute(path)
        except refresh.ExecutionFailed as error:
            return str(error)

    def executed(path):
        nb = run(path)
        if isinstance(nb, str):
            pytest.fail(nb, pytrace=False)
        return nb
    return executed


@pytest.fixture(scope="session")
def sample_built(tmp_path_factory):
    """The good notebook in a folder of its own; not to be changed."""
    return sample.build(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def good(sample_built, tmp_path):
    """A copy of the good notebook, with its neighbour and its drawing, to plant a fault in."""
    shutil.copytree(sample_built.parents[1], tmp_path / "course")
    return tmp_path / "course" / "notebooks" / sample.NAME
