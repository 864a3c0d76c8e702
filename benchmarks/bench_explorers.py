"""From a key press to new pixels, for every explorer of the notebooks, in JupyterLab in a real browser.

Each notebook is run, and the arrow keys move the first slider of each of its explorers, right and left in
turn, from where it stands; then the mouse drags it there and back. A time runs to just after the frame with
the new picture was painted. What of it is Jupyter's own is measured in the same way: a label that says the
value of a slider beside a picture of one pixel, and a picture of an explorer that nobody draws anew. All of
it is done three times, one after the other, since a machine can be slower for some minutes: the moves of all
rounds count alike. The screen has one pixel for a CSS pixel, and so have the pictures.
"""
import ast
import sys
import tempfile
from collections import defaultdict
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

ROUNDS = 3
FLOOR = ("IntSlider → HTML label", "IntSlider → Image, two pictures of 700 × 530 kept",
         "`explore`, two panels of 640 × 400")
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
    one.fit(1)
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


def measured(chromium, server, path):
    """For each explorer of a notebook (notebook, explorer), its moves and its drag."""
    page = browser.Notebook(chromium, server, path.name)
    page.page.set_default_timeout(5_000)
    page.run_all()
    for cell in page.explorers():
        made = ast.unparse(ast.parse(page.source(cell)).body[-1]).partition("(")[0]
        moves, settled = times(page, cell)
        print(path.stem[:2], made, f"{np.median(moves):.0f} ms", flush=True)
        yield (path.stem[:2], made), moves, settled
    page.close()


def floor(chromium):
    """The same of what draws nothing, and of the small explorer of bench_sliders.py."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "floor.ipynb"
        cells = SETUP.format(density=2), KEPT, "html_label()", "kept_picture()", OURS.format(density=2)
        sample.write(sample.notebook("# Floor", *(("code", cell) for cell in cells)), path)
        with browser.Server(Path(folder)) as server:
            for name, (_, *times) in zip(FLOOR, measured(chromium, server, path), strict=True):
                yield ("", name), *times


def rows(found):
    """A row for each explorer, of all (explorer, moves, drag)."""
    moves, drags = defaultdict(list), defaultdict(list)
    for key, times, settled in found:
        moves[key] += times
        drags[key].append(settled)
    return [{**({"notebook": key[0]} if key[0] else {}), "explorer": key[1], "moves": len(moves[key]),
             "median, ms": f"{np.median(moves[key]):.0f}", "95 %, ms": f"{np.quantile(moves[key], 0.95):.0f}",
             "drag settles, ms": f"{np.median(drags[key]):.0f}"}
            for key in moves]


def main():
    with_explorers = [path for path in refresh.notebooks()
                      if claims.shown([refresh.load(path)], claims.EXPLORER)]
    least, found = [], []
    try:
        with browser.chromium() as chromium, browser.Server(refresh.ROOT / "notebooks") as server:
            for _ in range(ROUNDS):
                least += floor(chromium)
                found += [one for path in with_explorers for one in measured(chromium, server, path)]
    except browser.NoBrowser as reason:
        sys.exit(str(reason))
    setting = f"Chromium {chromium.version}: {ROUNDS} rounds of {MOVES} moves each."
    slowest_first = sorted(rows(found), key=lambda row: -int(row["median, ms"]))
    publish("Key press to pixels, every explorer", setting, table(slowest_first))
    publish("Key press to pixels, what Jupyter takes of it", setting, table(rows(least)))


if __name__ == "__main__":
    main()
