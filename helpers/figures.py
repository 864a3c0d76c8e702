"""Figures of one style: the colours of the series, and `show`, which gives a picture its words."""
import base64
import html
import io
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

STYLE = Path(__file__).with_name("notebook.mplstyle")

# The same colour for the same thing, in every figure and in every drawing of images/.
INPUT   = "#0072B2"   # blue: what goes in, x
KERNEL  = "#D55E00"   # vermillion: what is learned, W
OUTPUT  = "#009E73"   # green: what comes out, y
BLAME   = "#CC79A7"   # reddish purple: every gradient, dx, dW, dy
THEORY  = "#000000"   # black: a prediction
NEUTRAL = "#6E6E6E"   # grey: frames and remarks
SIGNED  = "PuOr_r"    # colour map of signed numbers, centred on zero


def use_style() -> None:
    """Set the look of every later figure in this notebook."""
    plt.style.use(STYLE)


def show(figure: Figure, alt: str, *, colors: int = 64) -> None:
    """Display `figure` once, with `alt` as its alternative text, and close it.

    `alt` says the finding in a sentence or two: a screen reader speaks it, and
    the test run compares it. `colors` is the size of the picture's palette,
    at most 256. Raises ValueError when `alt` is empty or too short to say anything.
    """
    from IPython.display import display

    if len(alt.split()) < 4:
        raise ValueError(f"alt: {alt!r} does not describe the figure; write a sentence")
    width, height = (round(side * 100) for side in figure.get_size_inches())
    source = base64.b64encode(png(figure, colors=colors)).decode()
    picture = (f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" '
               f'src="data:image/png;base64,{source}">')
    plt.close(figure)
    display({"text/html": picture, "text/plain": alt}, raw=True)


def png(figure: Figure, *, dpi: int = 160, colors: int = 64) -> bytes:
    """The figure as a PNG file with a palette, a quarter of the size of a plain one."""
    buffer, small = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    picture = Image.open(buffer).convert("RGB")
    picture.quantize(colors, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()
