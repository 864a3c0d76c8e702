"""From a slider to new pixels in a real JupyterLab in a real browser: `explore` beside `interact`.

Both draw the same picture of 640 × 400 CSS pixels, and take turns in one page. A time runs from the
key press to just after the frame with the new picture was painted; "settles" is the time from the
last of 30 mouse moves in a second to the last new picture.
"""
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from common import publish, table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests"))
import browser  # noqa: E402
import sample  # noqa: E402

MOVES, STORMS = 20, 3
THERE_AND_BACK = [abs(1 - k / 15) * 0.9 + 0.05 for k in range(30)]
SETUP = """\
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import IntSlider, interact
from matplotlib_inline.backend_inline import set_matplotlib_formats
from sklearn.datasets import load_sample_image

from helpers.explore import explore
from helpers.plotting.figures import use_style

use_style()
set_matplotlib_formats("retina" if {density} == 2 else "png")
photo = load_sample_image("china.jpg")[::2, ::2].mean(axis=2)[:160, :160]

def frame(figure):
    left, right = figure.subplots(1, 2)
    left.imshow(photo)
    right.set(xlim=(0, 160), ylim=(0, 255), title="one row", xlabel="column", ylabel="brightness")
    left.set(title="a photograph")
    return left, right

def draw(axes, row):
    axes[0].axhline(row, color="C1")
    axes[1].plot(photo[row])
    axes[1].text(5, 10, f"row {{row}}")"""
OURS = "explore(draw, frame, size=(640, 400), density={density}, row=IntSlider(80, 0, 159))"
PEER = """\
def whole(row):
    figure = plt.figure(figsize=(6.4, 4))
    draw(frame(figure), row)
    plt.show()

interact(whole, row=IntSlider(80, 0, 159))
None"""


def write(density, folder):
    cells = [cell.format(density=density) for cell in (SETUP, OURS)] + [PEER]
    sample.write(sample.notebook("# Sliders", *(("code", cell) for cell in cells)), folder / "sliders.ipynb")


def press(page, cell, key):
    """One key press: milliseconds to the first new picture."""
    live = page.explorer(cell)
    seen = live.record(partial(live.press, key))
    return seen["changes"][0] - seen["inputs"][0]


def storm(page, cell):
    """One drag: milliseconds from the last mouse move to the last new picture."""
    live = page.explorer(cell)
    seen = live.record(lambda: live.drag(*THERE_AND_BACK, 0.7, seconds=1), quiet=800)
    return max(0, seen["changes"][-1] - max(seen["inputs"]))


def measure(chromium, density):
    """Times of both, taken turn by turn so that noise hits both alike."""
    with tempfile.TemporaryDirectory() as folder:
        write(density, Path(folder))
        with browser.Server(Path(folder)) as server:
            page = browser.Notebook(chromium, server, "sliders.ipynb", scale=density)
            page.run_all()
            assert page.faults() == []
            cells = dict(zip(("explore", "interact"), page.explorers(), strict=True))
            moves = {name: [] for name in cells}
            for k in range(MOVES):
                for name, cell in cells.items():
                    moves[name].append(press(page, cell, "ArrowRight" if k % 2 else "ArrowLeft"))
            storms = {name: [storm(page, cell) for _ in range(STORMS)] for name, cell in cells.items()}
            page.close()
    return moves, storms


def rows(density, moves, storms):
    median = {name: np.median(times) for name, times in moves.items()}
    return [{"drawn pixels a CSS pixel": density, "with": name,
             "median, ms": f"{median[name]:.0f}", "95 %, ms": f"{np.quantile(moves[name], 0.95):.0f}",
             "÷ interact": f"{median[name] / median['interact']:.2f}",
             "drag settles, ms": f"{np.median(storms[name]):.0f}"} for name in moves]


def main():
    try:
        with browser.chromium() as chromium:
            found = [row for density in (1, 2) for row in rows(density, *measure(chromium, density))]
            publish("Slider to pixels", f"Chromium {chromium.version}: {MOVES} moves, {STORMS} drags each.",
                    table(found))
    except browser.NoBrowser as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
