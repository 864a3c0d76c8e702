"""Workers take shares of the tests: what belongs together stays together, and nothing is left out."""
from collections import OrderedDict

import shares

TESTS = {
    "tests/browser/test_browser.py::test_notebook_in_the_browser[02_pooling]": "browser 02_pooling",
    "tests/browser/test_browser.py::test_a_drag[lab]": "browser lab",
    "tests/browser/test_browser.py::test_a_fault[an error]": "browser ",
    "tests/functional/test_convolution.py::test_forward[lab]": "test_convolution",
    "tests/notebooks/test_notebooks.py::test_rule[02_pooling-is_small]": "test_notebooks",
    "tests/notebooks/test_pictures.py::test_another_figure[a number]": "test_pictures",
    "tests/notebooks/test_pictures.py::test_a_run[02_pooling]": "run 02_pooling",
    "tests/notebooks/test_sliders.py::test_every_setting_draws[02_pooling]": "run 02_pooling",
    "tests/notebooks/test_sliders.py::test_every_setting_draws[03_matrix]": "run 03_matrix",
}


class Item:
    def __init__(self, nodeid):
        self.nodeid = nodeid


class Worker:
    """In the place of xdist's: it keeps what it is sent."""

    def __init__(self):
        self.sent = []

    def send_runtest_some(self, places):
        self.sent += places


def test_what_belongs_together_is_one_share():
    assert {nodeid: shares.share(nodeid) for nodeid in TESTS} == TESTS


def test_the_browser_comes_first_and_the_runs_last():
    items = [Item(nodeid) for nodeid in reversed(TESTS)]
    shares.pytest_collection_modifyitems(items)
    kinds = [TESTS[item.nodeid].split()[0] for item in items]
    assert kinds == ["browser"] * 3 + ["test_pictures", "test_notebooks", "test_convolution"] + ["run"] * 3


def test_two_workers_begin_at_the_two_ends_and_all_is_done_once():
    first, second = Worker(), Worker()
    scheduling = object.__new__(shares.Scheduling)
    units = {share: {nodeid: False for nodeid in TESTS if TESTS[nodeid] == share} for share in TESTS.values()}
    scheduling.workqueue = OrderedDict(units)
    scheduling.assigned_work = {first: {}, second: {}}
    scheduling.registered_collections = {worker: list(TESTS) for worker in (first, second)}
    for worker in [first, second] * 4:
        scheduling._assign_work_unit(worker)
    assert first.sent == [0, 1, 2, 3] and second.sent == [8, 6, 7, 5, 4]
