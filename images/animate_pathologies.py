"""Make pathologies.gif: the explorer of notebook 06 under moving sliders, one scene after the other.

Every frame is the picture of the real widget; above it stand the settings, which a page cannot take
from the widget's controls. The numbers are drawn from a seed, so that a second run shows the same.
"""
import io
import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from helpers.plotting import figures  # noqa: E402
from helpers.plotting.contrast import ink  # noqa: E402
from helpers.widgets.pathology.explorer import pathology_explorer  # noqa: E402
from helpers.widgets.pathology.words import finding  # noqa: E402

WIDTH, STRIP = 700, 80             # CSS pixels
COLORS = 48
SHORT = {"initialization": "weights", "residual": "residual", "scale": "times"}      # leave room for values
SILENT = {"apart", "seed"}         # controls that the film leaves alone
MOVING, RESTING = 160, 1800        # milliseconds: in a drag, and to look at what became of it
# Scenes: which control moves, and through which values.
SCENES = [
    ("depth", [2, 5, 10, 15, 20, 30, 40, 50, 60]), ("activation", ["tanh"]), ("activation", ["relu"]),
    ("initialization", ["He"]), ("scale", [1.07, 1.15, 1.23, 1.32, 1.52]), ("batch_norm", [True]),
    ("activation", ["sigmoid"]), ("batch_norm", [False]), ("scale", [2, 3, 4, 6, 8, 11.3]),
    ("residual", [True]), ("scale", [8, 4, 2, 1]),
]


def scenes(one):
    """Move the explorer through all scenes; yield the control that moved, and how long to look."""
    one.reset()
    for name, values in SCENES:
        for value in values:
            one.set(**{name: value})
            yield name, RESTING if value == values[-1] else MOVING


def strip(one, moved):
    """What the sliders say, the one that moved in bold, and the finding: a picture (2·STRIP, 2·WIDTH)."""
    figure = Figure((WIDTH / 100, STRIP / 100), dpi=200)
    canvas = FigureCanvasAgg(figure)
    spoken = [pair for pair in one.controls.items() if pair[0] not in SILENT]
    for k, (name, control) in enumerate(spoken):
        x, y = 0.02 + 0.25 * (k % 4), 0.83 - 0.27 * (k // 4)
        value = ("off", "on")[control.value] if isinstance(control.value, bool) else control.value
        look = {"color": ink(figures.KERNEL), "weight": "bold"} if name == moved else {"color": "black"}
        said = f"{SHORT.get(name, control.description)}: {value}"
        figure.text(x, y, said, va="center", fontsize=9.5, **look)
    figure.text(0.02, 0.17, f"{finding(one.result.norms[0])}.", va="center", fontsize=13, weight="bold")
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def frame(one, moved):
    """One frame: the strip, and the widget's picture below it, WIDTH pixels wide."""
    parts = strip(one, moved), Image.open(io.BytesIO(one.png())).convert("RGB")
    sheet = Image.new("RGB", (2 * WIDTH, sum(part.height for part in parts)), "white")
    sheet.paste(parts[0], (0, 0))
    sheet.paste(parts[1], (0, parts[0].height))
    return sheet.reduce(2)


def film():
    """All frames and their durations in milliseconds."""
    one = pathology_explorer()
    shots = [(frame(one, moved), pause) for moved, pause in scenes(one)]
    return [shot for shot, _ in shots], [pause for _, pause in shots]


def save(target):
    """Write the film, in the colours of all its frames together."""
    shots, pauses = film()
    tall = Image.new("RGB", (WIDTH, sum(shot.height for shot in shots)))
    for k, shot in enumerate(shots):
        tall.paste(shot, (0, k * shot.height))
    palette = tall.quantize(COLORS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    flat = [shot.quantize(palette=palette, dither=Image.Dither.NONE) for shot in shots]
    flat[0].save(target, save_all=True, append_images=flat[1:], duration=pauses, loop=0, optimize=True,
                 disposal=1)


if __name__ == "__main__":
    save((Path(sys.argv[1]) if len(sys.argv) > 1 else HERE) / "pathologies.gif")
