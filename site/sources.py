"""What Sphinx reads: the notebooks and their pictures beside the pages of this folder."""
import ast
import importlib.util
import json
import re
import shutil
import zipfile
from pathlib import Path

from needs import needed
from recorded_explorers import RECORDED

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LEFT_OUT = {"tests", "locale"}


def anchor(title: str) -> str:
    """The address of a heading, as Jupyter makes it: links between notebooks lead there."""
    return title.replace(" ", "-")


def gather(folder: Path) -> None:
    """Bring everything that Sphinx reads into this folder, as it stands in the repository."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("conf.py", "index.md"):
        shutil.copy(HERE / name, folder)
    for name in ("static", "templates", "locale", "zh"):
        shutil.copytree(HERE / name, folder / name)
    for name, pattern in {"notebooks": "*.ipynb", "images": "*.*", "benchmarks": "results.md"}.items():
        (folder / name).mkdir()
        for path in sorted((ROOT / name).glob(pattern)):
            shutil.copy(path, folder / name)


def cells_of(notebook: dict) -> dict:
    """What a page's Python runs: for each explorer the cells that it needs; it is the value of the last.

    For each exercise its name, the cells before it that it needs, the stub and the line that grades it.
    """
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in code]
    sources = [without_torch(source, sources[0]) for source in sources]
    explorers = [[sources[place] for place in needed(sources, last)] for last, cell in enumerate(code)
                 if any('<img class="explore"' in "".join(output.get("data", {}).get("text/html", ""))
                        for output in cell["outputs"])]
    exercises = [exercise(sources, place) for place, cell in enumerate(code)
                 if "exercise" in cell["metadata"].get("tags", [])]
    return {"explorers": explorers, "exercises": exercises}


def exercise(sources: list[str], place: int) -> dict:
    """An exercise as a page takes it: the stub alone is the reader's."""
    stub, _, ask = sources[place].rpartition("\n\n\n")
    name = ast.parse(ask).body[0].value.args[0].value
    return {"name": name, "stub": stub + "\n", "ask": ask, "torch": "torch.autograd" in stub,
            "cells": [sources[one] for one in needed(sources, place)[:-1]]}


def without_torch(source: str, setup: str) -> str:
    """A cell whose explorer needs PyTorch, with what was recorded; another as it is. `setup` imports."""
    call = source.rpartition("\n")[2]
    if call not in RECORDED:
        return source
    explorer = call.partition("(")[0]
    own = [f"from {node.module} import {explorer}" for node in ast.walk(ast.parse(setup))
           if isinstance(node, ast.ImportFrom) and explorer in [alias.name for alias in node.names]]
    stored = re.search(r"answers|hooks|stored_training|stored_scores", RECORDED[call])[0]
    return "\n".join([*own, f"from recorded import {stored}", RECORDED[call]])


def give_python(static: Path, pyodide: str) -> None:
    """What wakes the pages up: where Pyodide is, the cells to run, our own Python files in one archive."""
    (static / "where.js").write_text(f"const where = {json.dumps({'pyodide': pyodide})};\n")
    (static / "cells").mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        told = cells_of(json.loads(path.read_text(encoding="utf-8")))
        (static / "cells" / f"{path.stem}.json").write_text(json.dumps(told), encoding="utf-8")
    installed = [(Path(importlib.util.find_spec(name).origin).parents[1], name)
                 for name in ("ipywidgets", "comm")]
    ours = [(ROOT, "helpers"), (HERE / "python", "."), *installed]
    pack(static / "python.zip", [*ours, (HERE / "python_of_page", ".")])
    pack(static / "lite.zip", ours)


def pack(archive: Path, packages: list[tuple[Path, str]]) -> None:
    """Put packages into an archive, each a folder below another; their tests and languages stay behind."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for root, name in packages:
            for path in sorted((root / name).rglob("*")):
                parts = path.relative_to(root / name).parts
                if path.is_file() and path.suffix not in (".pyc", ".po") and not LEFT_OUT & set(parts):
                    packed.write(path, path.relative_to(root))
