"""An error in a cell that was run out of order is followed by what to run first; nothing else is said."""
import pytest
import refresh
import sample
from nbclient import NotebookClient

from helpers.order import MISSING, SINCE

CELLS = ["from helpers.order import watch_order\n\nwatch_order()", "W = 1", "assert W == 1", "W = 2", "V + W"]


@pytest.fixture(scope="module")
def kernel():
    """A kernel that runs any cell, as often as wanted, and says what it wrote to stderr."""
    client = NotebookClient(sample.notebook("# Order", *(("code", cell) for cell in CELLS)),
                            allow_errors=True, resources={"metadata": {"path": str(refresh.ROOT)}})
    places = [i for i, cell in enumerate(client.nb.cells) if cell.cell_type == "code"]

    def run(k):
        cell = client.execute_cell(client.nb.cells[places[k]], places[k])
        return "".join(output.text for output in cell.outputs if output.get("name") == "stderr").strip()
    with client.setup_kernel():
        yield run


def test_what_to_run_first_is_said_once_and_only_after_an_error(kernel):
    assert [kernel(k) for k in (0, 1, 2, 3)] == ["", "", "", ""]
    assert kernel(4) == MISSING.format(name="V")
    assert kernel(0) == ""                           # the setup cell again: not two sentences afterwards
    assert kernel(2) == SINCE
    assert [kernel(k) for k in (1, 2, 3)] == ["", "", ""]
    assert kernel(2) == SINCE


@pytest.mark.parametrize("path", refresh.notebooks(), ids=lambda path: path.stem)
def test_every_notebook_watches_the_order_of_its_cells(path):
    setup = next(cell for cell in refresh.load(path).cells if "figures.use_style()" in cell.source)
    assert "watch_order()" in setup.source.splitlines()
