"""The notebooks as a class gets them: `grade` shows no worked solution in them, and no output holds one."""
import re
import shutil
from pathlib import Path

import refresh
from nbformat import NotebookNode

from helpers.exercises.withheld import KEY, SETTING

EXERCISE = "exercise"       # the tag of a cell that is graded
LINK = re.compile(r"\]\(\.\./([^)#\s]+)")       # to a file of this project that is no notebook
SAID = re.compile(r"(Two\s+hints)\s+and\s+a\s+worked\s+solution")


def release(folder: Path) -> list[Path]:
    """Write all notebooks, and the files to which they link, into a folder, and return the notebooks.

    Raises ValueError, and writes nothing, when one of these files is there already.
    """
    stored = {path.name: refresh.load(path) for path in refresh.notebooks()}
    files = sorted({name for nb in stored.values() for name in linked(nb)})
    if there := [name for name in (*stored, *files) if (folder / name).exists()]:
        raise ValueError(f"{folder} holds {there[0]} already: name a folder that is new or empty")
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(refresh.ROOT / name, folder / name)
    for name, nb in stored.items():
        refresh.save(refresh.dumps(without_solutions(nb)), folder / name)
    return [folder / name for name in stored]


def linked(nb: NotebookNode) -> list[str]:
    """The files beside the folder of notebooks to which the prose links."""
    return [name for cell in nb.cells if cell.cell_type == "markdown" for name in LINK.findall(cell.source)]


def without_solutions(nb: NotebookNode) -> NotebookNode:
    """The notebook for a class: the setting is made, the grader's stored outputs are gone."""
    nb = refresh.canonical(nb)
    nb.metadata = {**nb.metadata, KEY: {SETTING: False}}
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = SAID.sub(r"\1", LINK.sub(r"](\1", cell.source))
        elif EXERCISE in cell.metadata.get("tags", []):
            cell.outputs, cell.execution_count = [], None
    return nb
