"""Whole notebooks in the browser: a JupyterLite whose notebooks first fetch what the series needs."""
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import archives
import below
import sources

KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
APPS = "--apps", "lab", "--apps", "notebooks"
FIRST = """\
# Only in the browser: fetch what the series needs.
import io, sys, zipfile

import js, pyodide_js
from pyodide.http import pyfetch

await pyodide_js.loadPackage(["numpy", "matplotlib", "pillow"])
page = str(js.location).split("/lite/")[0]
archive = await (await pyfetch(f"{page}/_static/lite.zip")).bytes()
zipfile.ZipFile(io.BytesIO(archive)).extractall("/series")
sys.path.insert(0, "/series")

import browser

browser.go_on()"""
CHINESE = """

import os

import chinese_font

archive = await (await pyfetch(f"{page}/_static/zh.zip")).bytes()
zipfile.ZipFile(io.BytesIO(archive)).extractall("/series")
os.environ["GRADIENTS_LANGUAGE"] = "zh"
chinese_font.add()"""


def adapted(notebook: dict, first: str = FIRST) -> dict:
    """The notebook with such a first cell, without outputs, its explorers made without PyTorch."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    setup = "".join(code[0]["source"])
    for cell in code:
        source = "".join(cell["source"])
        *before, _ = source.rpartition("\n")
        stored = sources.without_torch(source, setup)
        cell["source"] = source if stored == source else "".join(before) + stored
        cell.update(outputs=[], execution_count=None)
    cells = [notebook["cells"][0], code_cell("browser", first)]
    for cell in notebook["cells"][1:]:
        made = [code for line, code in below.BELOW.items() if line in "".join(cell["source"])]
        cells += [cell, *(code_cell(f"below-{cell['id']}", below.SAID + code) for code in made)]
    spec = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    return {**notebook, "cells": cells, "metadata": {**notebook["metadata"], "kernelspec": spec}}


def code_cell(name: str, source: str) -> dict:
    """A cell of our own."""
    return {"cell_type": "code", "id": name, "metadata": {}, "source": source, "outputs": [],
            "execution_count": None}


def build(folder: Path, page: Path, pyodide: str) -> int:
    """Build it in page/lite; `folder` is for what is made on the way. Returns the exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files/notebooks/zh").mkdir(parents=True)
    shutil.copytree(sources.ROOT / "images", folder / "files/images", ignore=shutil.ignore_patterns("*.py"))
    for where, first in ("notebooks", FIRST), ("notebooks/zh", FIRST + CHINESE):
        for path in sorted((sources.ROOT / where).glob("*.ipynb")):
            told = json.dumps(adapted(json.loads(path.read_text(encoding="utf-8")), first))
            (folder / "files" / where / path.name).write_text(told, encoding="utf-8")
    settings = {"pyodideUrl": f"{pyodide}pyodide.js", "disablePyPIFallback": True}
    config = {"appName": "Gradients by Hand", "exposeAppInBrowser": True,
              "litePluginSettings": {KERNEL: settings}}
    (folder / "jupyter-lite.json").write_text(json.dumps(
        {"jupyter-lite-schema-version": 0, "jupyter-config-data": config}))
    # By this package controls talk to the kernel; Pyodide lacks it.
    comm = archives.wheel(f"comm=={importlib.metadata.version('comm')}", folder.parent / "archives")
    code = subprocess.call([sys.executable, "-m", "jupyter", "lite", "build", "--lite-dir", folder,
                            "--contents", folder / "files", "--output-dir", page / "lite", *APPS,
                            "--piplite-wheels", comm,
                            "--no-unused-shared-packages", "--no-sourcemaps", "--log-level=ERROR"],
                           stdout=subprocess.DEVNULL, cwd=folder,
                           env={**os.environ, "PYTHONWARNINGS": "ignore"})     # of what is not needed
    for where in "lite/images", "images":       # where JupyterLab asks, from notebooks and notebooks/zh
        shutil.copytree(folder / "files/images", page / where)
    return code
