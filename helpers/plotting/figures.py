"""Figures of one style: the colours of the series, and `show`, which gives a picture its words."""
import base64
import html
import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image

from helpers.language import say
from helpers.plotting import contrast
from helpers.plotting.lettering import families, translate
from helpers.plotting.marks import written

STYLE = Path(__file__).with_name("notebook.mplstyle")

# The same colour for the same thing, in every figure and in every drawing of images/.
INPUT   = "#0072B2"   # blue: what goes in, x
KERNEL  = "#D55E00"   # vermillion: what is learned, W
OUTPUT  = "#009E73"   # green: what comes out, y
GRADIENT   = "#CC79A7"   # reddish purple: every gradient, dx, dW, dy
THEORY  = "#000000"   # black: a prediction
NEUTRAL = "#6E6E6E"   # grey: frames and remarks
SIGNED  = "PuOr_r"    # colour map of signed numbers, centred on zero


def use_style() -> None:
    """Set the look of every later figure in this notebook."""
    plt.style.use(STYLE)
    plt.rcParams["font.family"] = list(families())


def show(figure: Figure, alt: str, *, colors: int = 96) -> None:
    """Display `figure` once, with `alt` as its alternative text, and close it.

    `alt` says the finding in a sentence or two: a screen reader speaks it, and
    the test run compares it. `colors` is the size of the picture's palette,
    at most 256. Letters that are too pale for white paper are darkened. Raises ValueError when `alt`
    is empty or too short to say anything, and when letters are too small or too pale to be read.
    """
    from IPython.display import display

    if len(alt.split()) < 4:
        raise ValueError(f"alt: {alt!r} does not describe the figure; write a sentence")
    alt = say(alt)
    translate(figure)
    contrast.darken(figure.findobj(Text))
    if found := contrast.unreadable(figure):
        raise ValueError(f"figure: {found[0]}")
    width, height = (round(side * 100) for side in figure.get_size_inches())
    source = base64.b64encode(png(figure, colors=colors)).decode()
    picture = (f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" '
               f'src="data:image/png;base64,{source}">')
    plt.close(figure)
    display({"text/html": picture, "text/plain": alt}, raw=True)


def numbers(axes: Axes, values: np.ndarray, title: str, color: str = INPUT, *, digits: int = 0,
            marked: np.ndarray | None = None) -> None:
    """Draw a small matrix as a grid of numbers; the cells where `marked` is true are tinted."""
    H, W = values.shape
    tint = np.zeros((H, W), bool) if marked is None else marked
    for i, j in np.ndindex(H, W):
        face = color if tint[i, j] else "white"
        axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fc=to_rgba(face, 0.25), ec=color, lw=1))
        axes.text(j, i, written(values[i, j], digits if values[i, j] else 0), ha="center", va="center")
    axes.set(xlim=(-0.6, W - 0.4), ylim=(H - 0.4, -0.6), aspect="equal")
    axes.set_title(title, color=color, loc="center")
    axes.axis("off")


def picture(axes: Axes, image: np.ndarray, title: str, *, signed: bool = False) -> None:
    """Draw an image (H, W) or (C, H, W): 0 to 1 in grey or colour, or signed with zero in the middle."""
    image = image.transpose(1, 2, 0).squeeze() if image.ndim == 3 else image
    most = float(np.quantile(np.abs(image), 0.99)) or 1.0      # a few extremes would pale the rest
    limits = {"cmap": SIGNED, "vmin": -most, "vmax": most} if signed else {"vmin": 0, "vmax": 1}
    axes.imshow(image if signed else np.clip(image, 0, 1), **limits)
    axes.set_title(title, loc="center")
    axes.axis("off")


def matrices(*panels: tuple, digits: int = 0) -> Figure:
    """Small matrices side by side, each (title, values, color) or with `marked` as a fourth."""
    widths = [values.shape[1] + 0.2 for _, values, *_ in panels]
    tall = max(values.shape[0] for _, values, *_ in panels)
    cell = min(0.42, 6.2 / (sum(widths) + 0.6 * len(panels)))
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, round(cell * tall + 0.7, 1)),
                                width_ratios=widths)
    for ax, (title, values, color, *marked) in zip(np.atleast_1d(axes), panels, strict=True):
        numbers(ax, values, title, color, digits=digits, marked=marked[0] if marked else None)
        ax.set_ylim(tall - 0.4, -0.6)          # all cells equally large: a stamp is as large as its kernel
    return figure


def pictures(images: dict[str, np.ndarray], *, signed: tuple[str, ...] = (), rows: int = 1) -> Figure:
    """Images in a grid under their names; the `signed` ones with zero in the middle of the colours."""
    columns = -(-len(images) // rows)
    H, W = next(iter(images.values())).shape[-2:]
    figure, axes = plt.subplots(rows, columns, squeeze=False,
                                figsize=(6.4, round(rows * (6.3 / columns * H / W + 0.3), 1)))
    for ax, (name, image) in zip(axes.flat, images.items(), strict=False):
        picture(ax, image, name, signed=name in signed)
    return figure


def heatmap(values: np.ndarray, *, blocks: tuple[int, int], **labels: str) -> Figure:
    """A signed matrix in colour, with a line after every block; `labels` go to `Axes.set`."""
    figure, ax = plt.subplots(figsize=(6.4, 3.4))
    most, (rows, columns) = np.abs(values).max(), values.shape
    ax.imshow(values, cmap=SIGNED, vmin=-most, vmax=most, aspect="auto")
    ax.hlines(np.arange(blocks[0], rows, blocks[0]) - 0.5, -0.5, columns - 0.5, color="gray", lw=0.8)
    ax.vlines(np.arange(blocks[1], columns, blocks[1]) - 0.5, -0.5, rows - 0.5, color="gray", lw=0.8)
    ax.set(xticks=range(0, columns, blocks[1]), yticks=range(0, rows, blocks[0]), **labels)
    return figure


def curves(lines: dict[str, np.ndarray], colors: tuple[str, ...] = (INPUT, KERNEL, OUTPUT, GRADIENT), *,
           x: np.ndarray | None = None, log: bool | str = False, marker: str = "",
           **labels: object) -> Figure:
    """Curves against `x`, or against their index, each labelled at its end.

    `log` is True for a logarithmic y axis, "x" for the other and "xy" for both; a `marker` shows where the
    values are; `labels` go to `Axes.set`.
    """
    figure, ax = plt.subplots(figsize=(6.4, 2.8))
    for (name, values), color in zip(lines.items(), colors, strict=False):
        at = np.arange(len(values)) if x is None else x
        ax.plot(at, values, color=color, marker=marker)
        ax.annotate(name, (at[-1], values[-1]), xytext=(5, 0), textcoords="offset points",
                    color=color, va="center")
    ax.set(xscale="log" if log in ("x", "xy") else "linear",
           yscale="log" if log in (True, "xy") else "linear", **labels)
    _keep_apart([text for text in ax.texts if text.get_text().strip()])
    return figure


def _keep_apart(texts: list, least: float = 11) -> None:
    """Lift each label that stands less than `least` points above the one below it."""
    def height(text):
        return text.axes.transData.transform(text.xy)[1] * 72 / text.figure.dpi

    floor = -np.inf
    for text in sorted(texts, key=height):
        lift = max(0.0, floor - height(text))
        text.set_position((5, lift))
        floor = height(text) + lift + least


def png(figure: Figure, *, dpi: int = 160, colors: int = 96) -> bytes:
    """The figure as a PNG file with a palette, a quarter of the size of a plain one."""
    buffer, small = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    picture = Image.open(buffer).convert("RGB")
    # maximum coverage: the rarest colour keeps its own, so that no pale background takes a tint
    picture = picture.quantize(colors, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()
