"""Share the tests out to the workers of `pytest -n 2 --dist loadscope`, so that all end at the same time."""
import re
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

RUN = "test_pictures", "test_sliders"       # their tests of a notebook share one run of it


def share(nodeid: str) -> str:
    """What one worker does by itself: tests of a file; of a run of a notebook; of one in the browser."""
    file = Path(nodeid.split("::")[0]).stem
    kind = re.search(r"\[(\d\d_\w+|lab|notebook)\]$", nodeid)
    if file == "test_browser":
        return f"browser {kind[1] if kind else ''}"
    return f"run {kind[1]}" if file in RUN and kind else file


class Scheduling(LoadScopeScheduling):
    """Two streams that meet: the first worker takes shares from the front, the others from the end.

    In front are the tests in the browser, which wait a lot and share a JupyterLab; at the end the runs of
    notebooks; between them many short ones, with which the streams meet.
    """

    def _split_scope(self, nodeid):
        return share(nodeid)

    def _assign_work_unit(self, node):
        if node is not self.nodes[0]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Let `--dist loadscope` mean the shares above."""
    if config.option.dist == "loadscope":
        config.option.loadscopereorder = False
        return Scheduling(config, log)


def pytest_collection_modifyitems(items):
    """Put what takes long at both ends; within a share, the order stays."""
    shares = {item: share(item.nodeid) for item in items}
    items.sort(key=lambda item: (not shares[item].startswith("browser"), shares[item].startswith("run")))
