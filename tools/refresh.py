"""Run notebooks from cleared outputs and write them in one canonical form.

    python tools/refresh.py                      every notebook of notebooks/
    python tools/refresh.py 01 x.ipynb           the one whose name begins so; and this file
    python tools/refresh.py zh zh/01             all of those in Chinese; one of them
    python tools/refresh.py --check              write nothing; name what would change

Notebooks are committed only through this program: two runs give the same bytes, so that a
change in a notebook's history is a change that somebody made. A notebook that raises is
reported and left as it was. Bytes of pictures depend on the versions in requirements.txt, so
run it in the locked environment; what must hold everywhere is in tests/notebooks/test_pictures.py.
"""
import argparse
import copy
import hashlib
import math
import os
import re
import sys
import textwrap
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, reads, writes

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
SECONDS_A_CELL = 120
COPY, SKIPPED = "-again", "skip-execution"     # how the id of a copy ends; the tag of one that is not run

# JupyterLab completes language_info with the running Python's version and shows the notebook
# as modified, whatever is stored short of exactly that version. So the least is stored.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
VALID_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)  # as nbval does before it compares


class ExecutionFailed(Exception):
    """A notebook raised, timed out or lost its kernel; the message says where."""


# --- from bytes and back ---------------------------------------------------------------------

def load(path: Path) -> NotebookNode:
    """Read a notebook as it stands, with no repair: nbformat.read would invent random cell ids."""
    nb = reads(path.read_text(encoding="utf-8"))
    if nb.get("nbformat") != 4:
        raise ValueError(f"{path.name}: nbformat 4 expected, got {nb.get('nbformat')}")
    return nb


def dumps(nb: NotebookNode) -> str:
    """Serialise as nbformat does (sorted keys, indent 1, UTF-8), with a final newline."""
    nbformat.validate(nb)
    return writes(nb) + "\n"


def save(text: str, path: Path) -> None:
    """Replace the file at once: whoever reads it sees the old notebook or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


# --- canonical form --------------------------------------------------------------------------

def canonical(nb: NotebookNode) -> NotebookNode:
    """Return the one form in which this notebook is stored; `nb` is not changed."""
    nb = copy.deepcopy(nb)
    views: dict[str, str] = {}
    cells = [_cell(cell, name, views) for cell, name in zip(nb.cells, _cell_ids(nb.cells), strict=True)]
    return nbformat.from_dict(
        {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def _cell_ids(cells: list) -> list[str]:
    """Keep the first use of each valid id; make the others from the source, not from chance."""
    taken, names = {cell.get("id") for cell in cells}, []
    for cell in cells:
        name = cell.get("id")
        if not (isinstance(name, str) and VALID_ID.fullmatch(name)) or name in names:
            name = _new_id(cell.source, taken)
            taken.add(name)
        names.append(name)
    return names


def _new_id(source: str, taken: set) -> str:
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    return next(name for name in (digest, *(f"{digest}-{k}" for k in range(2, len(taken) + 3)))
                if name not in taken)


def _cell(cell: NotebookNode, name: str, views: dict[str, str]) -> dict:
    tags = list(dict.fromkeys(cell.get("metadata", {}).get("tags", [])))
    kept = {"tags": tags, "translates": cell.get("metadata", {}).get("translates")}
    new = {"cell_type": cell.cell_type, "id": name, "metadata": {k: v for k, v in kept.items() if v},
           "source": cell.source.replace("\r\n", "\n").strip("\n")}
    if cell.get("attachments"):
        new["attachments"] = cell.attachments
    if cell.cell_type == "code":
        new["execution_count"] = cell.get("execution_count")
        new["outputs"] = _outputs(cell.get("outputs", []), views)
    return new


def _outputs(outputs: list, views: dict[str, str]) -> list[dict]:
    """Join what one `print` after another gave: the kernel cuts a stream where it likes."""
    joined: list[dict] = []
    for output in outputs:
        same = joined and output.output_type == "stream" and joined[-1].get("name") == output.name
        if same:
            joined[-1]["text"] += output.text
        else:
            joined.append(_output(output, views))
    for output in joined:
        if output["output_type"] == "stream":
            output["text"] = OVERWRITTEN.sub("", output["text"])
    return [output for output in joined if output.get("text") != ""]


def _output(output: NotebookNode, views: dict[str, str]) -> dict:
    new = {key: value for key, value in output.items() if key != "transient"}
    if "data" in new:
        new["data"] = _bundle(new["data"], views)
    return new


def _bundle(data: dict, views: dict[str, str]) -> dict:
    """Settle the id of a widget, which is random and dies with its kernel.

    Where a picture or HTML stands beside it the view is dropped: JupyterLab prefers a view to
    a picture, and in a trusted notebook a view without a kernel reads "Error displaying widget:
    model not found". A view that stands alone gets a number.
    """
    data = dict(data)
    if WIDGET_VIEW in data and {"image/png", "text/html"} & set(data):
        del data[WIDGET_VIEW]
    elif WIDGET_VIEW in data:
        view = dict(data[WIDGET_VIEW])
        view["model_id"] = views.setdefault(view.get("model_id", ""), f"{len(views) + 1:032x}")
        data[WIDGET_VIEW] = view
    return data


# --- execution -------------------------------------------------------------------------------

def execute(path: Path, *more: str, twice: bool = False, patience: float = math.inf) -> NotebookNode:
    """Run a notebook from cleared outputs, in its own folder, and return it with its outputs.

    `more` are the sources of cells to run after its own. With `twice` each of its code cells is followed by
    a copy, which is allowed to raise: as if the learner pressed Ctrl + Enter twice. After a cell that took
    more than `patience` seconds the copy is not run.
    """
    nb = canonical(load(path))
    if twice:
        nb.cells = [one for cell in nb.cells for one in [cell, again(cell)][:1 + (cell.cell_type == "code")]]
    nb.cells += map(new_code_cell, more)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    reached = [(0, 0.0)]     # the cells that were started, and when

    def started(cell, cell_index):
        reached.append((cell_index, time.monotonic()))

    def ended(cell, cell_index, execute_reply):
        if time.monotonic() - reached[-1][1] > patience:
            for copied in filter(is_copy, nb.cells[cell_index + 1:cell_index + 2]):
                copied.metadata.tags.append(SKIPPED)

    client = NotebookClient(nb, kernel_name="python3", timeout=SECONDS_A_CELL, force_raise_errors=not twice,
                            store_widget_state=False, record_timing=False, shutdown_kernel="immediate",
                            extra_arguments=["--log-level=ERROR"],
                            on_cell_start=started, on_cell_executed=ended, skip_cells_with_tag=SKIPPED,
                            resources={"metadata": {"path": str(path.resolve().parent)}})
    # Jupyter's own backend, even where MPLBACKEND=Agg is set for other tests.
    backend = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    try:
        client.execute(env={**os.environ, **backend})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise ExecutionFailed(f"{path.name}, {_explain(nb, reached[-1][0], error)}") from None
    return nb


def again(cell: NotebookNode) -> NotebookNode:
    """Copy a cell, to be run a second time; it may raise."""
    return nbformat.from_dict({**cell, "id": f"{cell.id}{COPY}", "metadata": {"tags": ["raises-exception"]}})


def is_copy(cell: NotebookNode) -> bool:
    """Whether a cell is such a copy."""
    return cell.id.endswith(COPY)


def apart(nb: NotebookNode) -> tuple[NotebookNode, list[tuple[NotebookNode, NotebookNode]]]:
    """Take a notebook that was run twice apart: as if run once, and each code cell beside its second run."""
    nb, pairs = copy.deepcopy(nb), []
    cells, nb.cells = nb.cells, []
    for cell in cells:
        if is_copy(cell):
            pairs.append((nb.cells[-1], cell))
            continue
        nb.cells.append(cell)
        if cell.cell_type == "code":
            count = cell.execution_count = len(pairs) + 1
            for output in cell.outputs:
                output.update({"execution_count": count} if "execution_count" in output else {})
    return nb, pairs


def _explain(nb: NotebookNode, at: int, error: Exception) -> str:
    """Say cell, source line and error, in that order; all of the cell where no line is known."""
    cell, where = nb.cells[at], ""
    source, outputs = cell.source, cell.get("outputs", [])
    what = str(error)
    if not isinstance(error, CellExecutionError):
        outputs = []
        what = ("The kernel died." if isinstance(error, DeadKernelError)
                else f"The cell did not end within {SECONDS_A_CELL} s.")
    for output in outputs:
        if output.output_type == "error":
            what = f"{output.ename}: {output.evalue}"
            line = _line_of_error("\n".join(output.traceback), cell.execution_count)
            where, source = f", line {line}", "\n".join(source.splitlines()[line - 1:line])
    return f"cell {at + 1}{where}:\n{textwrap.indent(source, '    ')}\n{what}"


def _line_of_error(traceback: str, count: int) -> int:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", traceback)
    found = re.search(rf"Cell In\[{count}\], line (\d+)", plain)
    return int(found.group(1)) if found else 1


# --- command ---------------------------------------------------------------------------------

def notebooks() -> list[Path]:
    """Every notebook of the course, in reading order."""
    return sorted(FOLDER.glob("*.ipynb"))


def find(name: str) -> list[Path]:
    """The file of this name, or else the notebooks of the course whose names begin with it.

    Those in Chinese are "zh", all of them, or "zh/03".
    """
    path = Path(name)
    if (FOLDER / path).is_dir():
        return sorted((FOLDER / path).glob("*.ipynb"))
    begun = [] if path.is_file() else sorted((FOLDER / path.parent).glob(f"{path.name}*.ipynb"))
    return begun or [path]


def keep_unstable(fresh: NotebookNode, stored: NotebookNode) -> NotebookNode:
    """Keep the stored outputs that are not compared, such as times: or every run would write another file.

    jupytext drops the outputs of a cell that was edited, so what is stored belongs to the cell.
    """
    before = {cell.get("id"): cell for cell in stored.cells if cell.get("outputs")}
    for cell in fresh.cells:
        old = before.get(cell.id)
        if "nbval-ignore-output" in cell.metadata.get("tags", []) and old:
            cell.outputs = canonical(stored).cells[stored.cells.index(old)].outputs
    return fresh


def refresh(path: Path, *, check: bool = False) -> bool:
    """Execute one notebook and write it unless `check`; return whether its bytes change."""
    text = dumps(keep_unstable(canonical(execute(path)), load(path)))
    changed = text.encode() != path.read_bytes()
    if changed and not check:
        save(text, path)
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Refresh or check the notebooks named, one after the other, and return the exit status."""
    parser = argparse.ArgumentParser(description="Run notebooks and write them in canonical form.")
    parser.add_argument("notebooks", nargs="*", help="a file, or how its name begins; default: all")
    parser.add_argument("--check", action="store_true",
                        help="write nothing; exit 1 and name the notebooks that would change")
    options = parser.parse_args(arguments)
    paths = [path for name in options.notebooks for path in find(name)] or notebooks()
    if not paths:
        print(f"No notebooks found in {FOLDER.name}/.", file=sys.stderr)
        return 1
    return max(_report(path, options.check) for path in paths)


def _report(path: Path, check: bool) -> int:
    """Refresh or check one notebook, say what came of it, and return its exit status."""
    try:
        changed = refresh(path, check=check)
    except (ExecutionFailed, OSError, ValueError, nbformat.ValidationError) as error:
        print(f"{error}\n{path.name} is left as it was.", file=sys.stderr)
        return 1
    word = ("would change" if check else "written") if changed else "unchanged"
    print(f"{path.name}: {word}", flush=True)
    return int(check and changed)


if __name__ == "__main__":
    sys.exit(main())
