"""From a key press to new pixels, for every explorer of the notebooks, in JupyterLab in a real browser.

Each notebook is run, and the arrow keys move the first slider of each of its explorers, right and left in
turn, from where it stands; then the mouse drags it there and back. A time runs to just after the frame with
the new picture was painted.
"""
import ast
import sys
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
from bench_sliders import MOVES, press, storm  # noqa: E402


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


def main():
    with_explorers = [path for path in refresh.notebooks()
                      if claims.shown([refresh.load(path)], claims.EXPLORER)]
    try:
        with browser.chromium() as chromium, browser.Server(refresh.ROOT / "notebooks") as server:
            found = [row for path in with_explorers for row in rows(chromium, server, path)]
    except browser.NoBrowser as reason:
        sys.exit(str(reason))
    found.sort(key=lambda row: -int(row["median, ms"]))
    publish("Key press to pixels, every explorer", f"Chromium {chromium.version}: {MOVES} moves each.",
            table(found))


if __name__ == "__main__":
    main()
