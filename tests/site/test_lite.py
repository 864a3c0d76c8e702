"""Whole notebooks in the browser: how much of each runs without torch, and one in a real JupyterLite."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KNOWN = "building the font cache"
PANEL = "window.jupyterapp.shell.currentWidget"
IDLE = f"() => window.jupyterapp && {PANEL}?.sessionContext?.session?.kernel?.status === 'idle'"
RUN = """() => { window.ran = false;
    window.jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ran = true; }); }"""
CELLS = f"""() => {PANEL}.content.widgets.map(cell => cell.model.toJSON())
    .filter(one => one.cell_type === 'code')"""
EXPLORERS = ("_explorer(", "_stepper(", "_viewer(", "_digits(", "_bench(", "explore(", "gradient_over_steps(",
             "decision_boundary(", "phase_diagram(", "momentum_conventions(")


@pytest.mark.long
def test_four_cells_in_five_run_without_torch_and_the_others_say_what_is_missing():
    ran = subprocess.run([sys.executable, ROOT / "tests/site/without_torch.py"], capture_output=True,
                         text=True, env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"})
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    cells = sum(count for count, _ in found.values())
    failed = [one for _, some in found.values() for one in some]
    assert len(failed) <= 0.195 * cells, {name: (count, len(some)) for name, (count, some) in found.items()}
    count, some = found["07_pytorch_implementation"]
    assert len(some) <= 0.4 * count
    assert not [source for source, _ in failed if source.rpartition("\n")[2].startswith(EXPLORERS)]
    said = ("TorchMissing", "NameError", "KeyError", "only autograd, which is not here")
    assert all(any(one in error for one in said) for _, error in failed)
    assert sum("TorchMissing" in error for _, error in failed) > 0.6 * len(failed)


@pytest.mark.long
@pytest.mark.parametrize("where, missing, here", [
    ("notebooks", "which no browser has", "in your browser"),
    ("notebooks/zh", "浏览器里没有它", "在你的浏览器里")])
def test_a_notebook_runs_in_jupyterlite_and_its_slider_moves(pyodide, visit, where, missing, here):
    page = visit(f"lite/lab/index.html?path={where}/00_start_here.ipynb")
    page.set_default_timeout(120_000)
    page.wait_for_function(IDLE)
    page.evaluate(RUN)
    page.wait_for_function(f"() => window.ran && ({CELLS})().every(one => one.execution_count)")
    cells = page.evaluate(CELLS)
    failed = ["".join(output["text"]) for cell in cells for output in cell["outputs"]
              if output.get("name") == "stderr" and KNOWN not in "".join(output["text"])]
    assert len(failed) == 1 and failed[0].count("\n") == 1 and missing in failed[0]
    assert here in json.dumps(cells[1]["outputs"], ensure_ascii=False)
    [place] = [k for k, cell in enumerate(cells) if "explore(draw" in cell["source"]]
    page.evaluate(f"""async id => {{ const notebook = {PANEL}.content;
        const at = notebook.widgets.findIndex(cell => cell.model.id === id);
        await notebook.scrollToItem(at, 'center'); }}""", cells[place]["id"])
    slider = page.locator(".explore [role=slider]").first
    sentence = page.locator(".explore-sentence [role=status]").first
    before = sentence.inner_text()
    slider.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('.explore-sentence [role=status]')"
                           ".innerText !== before", arg=before)
    assert page.evaluate("() => [...document.images].every(one => one.naturalWidth)")
