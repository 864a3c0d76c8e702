"""From a key press to new pixels, for every explorer of the notebooks, in JupyterLab in a real browser.

Each notebook is run, and the arrow keys move the first slider of each of its explorers, right and left in
turn, from where it stands; then the mouse drags it there and back. A time runs to just after the frame with
the new picture was painted. What of it is Jupyter's own is measured first, in the same way: a label that says
the value of a slider beside a picture of one pixel, and a picture of an explorer that nobody draws anew.
"""
import ast
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import publish, table
from playwright.sync_api import TimeoutError as NothingMoved

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests"))
import browser  # noqa: E402
import claims  # noqa: E402
import refresh  # noqa: E402
import sample  # noqa: E402
from bench_sliders import MOVES, OURS, SETUP, press, storm  # noqa: E402

FLOOR = ("IntSlider → HTML label", "IntSlider → Image, two pictures of 1400 × 1060 kept",
         "`explore`, two panels of 1280 × 800")
KEPT = """\
import base64
from ipywidgets import HTML, Image, VBox
from helpers.explore.raster import encode
from helpers.widgets.pathology import pathology_explorer

def answers(widget, values):
    slider = IntSlider(4, 0, 9)
    slider.observe(lambda change: widget.set_trait("value", values[change["new"] % 2]), "value")
    return VBox([slider, widget])

def html_label():
    pixels = [base64.b64encode(encode(np.full((1, 1, 4), shade, np.uint8))).decode() for shade in (0, 255)]
    said = [f"{k} <img src='data:image/png;base64,{one}'>" for k, one in enumerate(pixels)]
    return answers(HTML(said[0]), said)

def kept_picture():
    one = pathology_explorer()
    pictures = [one.set(depth=depth) or one.png() for depth in (30, 31)]
    return answers(Image(value=pictures[0], width="700", height="530"), pictures)"""


def times(page, cell):
    """Milliseconds of each key press that changed the picture, and of one drag."""
    found = []
    for k in range(MOVES):
        try:
            found.append(press(page, cell, "ArrowLeft" if k % 2 else "ArrowRight"))
        except NothingMoved:         # a step that changes nothing to be seen
            continue
    return found, storm(page, cell)


def rows(chromium, server, path):
    """A row for each explorer of a notebook."""
    page = browser.Notebook(chromium, server, path.name)
    page.page.set_default_timeout(5_000)
    page.run_all()
    found = []
    for cell in page.explorers():
        moves, settled = times(page, cell)
        made = ast.unparse(ast.parse(page.source(cell)).body[-1])
        found.append({"notebook": path.stem[:2], "explorer": made.partition("(")[0], "moves": len(moves),
                      "median, ms": f"{np.median(moves):.0f}", "95 %, ms": f"{np.quantile(moves, 0.95):.0f}",
                      "drag settles, ms": f"{settled:.0f}"})
        print(found[-1], flush=True)
    page.close()
    return found


def floor(chromium):
    """The same of what draws nothing, and of the small explorer of bench_sliders.py."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "floor.ipynb"
        cells = SETUP.format(density=2), KEPT, "html_label()", "kept_picture()", OURS.format(density=2)
        sample.write(sample.notebook("# Floor", *(("code", cell) for cell in cells)), path)
        with browser.Server(Path(folder)) as server:
            return [{key: row[key] for key in row if key != "notebook"} | {"explorer": name}
                    for row, name in zip(rows(chromium, server, path), FLOOR, strict=True)]


def main():
    with_explorers = [path for path in refresh.notebooks()
                      if claims.shown([refresh.load(path)], claims.EXPLORER)]
    try:
        with browser.chromium() as chromium:
            least = floor(chromium)
            with browser.Server(refresh.ROOT / "notebooks") as server:
                found = [row for path in with_explorers for row in rows(chromium, server, path)]
    except browser.NoBrowser as reason:
        sys.exit(str(reason))
    found.sort(key=lambda row: -int(row["median, ms"]))
    setting = f"Chromium {chromium.version}: {MOVES} moves each."
    publish("Key press to pixels, every explorer", setting, table(found))
    publish("Key press to pixels, what Jupyter takes of it", setting, table(least))


if __name__ == "__main__":
    main()
