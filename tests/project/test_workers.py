"""Tests that share what is slow to make run on one worker of pytest-xdist, and the slowest begin first."""
import os
import re
import shlex
import shutil
import subprocess
import sys

import check
import conftest
import refresh

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
        "browser", "browser", "run of 03_matrix_derivatives", "run of 02_pooling", "run of 02_pooling",
        "test_linear", "test_notebooks", "test_pictures"]


def test_pytest_itself_keeps_a_group_on_one_worker(tmp_path):
    """Two files in the browser: one worker has both, though there are two."""
    for name in "browser/test_one", "browser/test_two", "test_three", "test_four":
        path = tmp_path / f"tests/{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"def test_{k}(): pass\n" for k in range(4)))
    shutil.copy(refresh.ROOT / "tests/conftest.py", tmp_path / "tests")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    variables["PYTHONPATH"] = os.pathsep.join(str(refresh.ROOT / name) for name in ("", "tests", "tools"))
    variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"       # three processes begin: without nbval, at once
    command = [sys.executable, "-m", *shlex.split(check.CHECKS["tests"]), "-v", "-p", "xdist.plugin"]
    said = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True).stdout
    done = re.findall(r"\[(gw\d)\] .* PASSED tests/(\w+)", said)
    assert len(done) == 16 and len({worker for worker, where in done if where == "browser"}) == 1, said


def test_no_notebook_is_shared_by_two_workers(monkeypatch):
    monkeypatch.setattr(check, "runs_here", lambda name: True)
    for command, _ in check.checks(every=True).values():
        assert "--nbval" not in command or "-n 2 --dist loadscope" in command
