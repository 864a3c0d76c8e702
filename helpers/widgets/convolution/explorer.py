"""Explore the forward pass of a convolution: the explorer of notebooks/01_convolution.ipynb."""
from fractions import Fraction

import numpy as np
from ipywidgets import Dropdown, IntSlider, Text
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from helpers.data import KERNELS, digit, kernel, photograph
from helpers.explore.explorer import Explore, explore
from helpers.functional.convolution import conv2d, output_size
from helpers.functional.windows import pad
from helpers.plotting import figures
from helpers.plotting.grids import grid
from helpers.plotting.marks import written

# In hundredths, as the window shows them: whoever adds up the products shown gets the sum shown.
IMAGES = {"photograph": lambda: photograph("china", shrink=12, gray=True)[0].round(2),
          "digit": lambda: digit(1).round(2)}
OWN = "your own"
SIZE = 700, 294                                        # pixels
LEAST = 12.6                                           # pixels: 9 points, the smallest letters
PANELS = (("", figures.INPUT, 0.0, 0.355),             # title (or none: it changes), color, left, width
          ("x · K under the window", figures.KERNEL, 0.365, 0.27),
          ("output y", figures.OUTPUT, 0.645, 0.355))


def convolution_explorer() -> Explore:
    """Explore a convolution: the products under one window and their sum, the whole output, its size."""
    images = {name: make() for name, make in IMAGES.items()}
    preset = Dropdown(options=[*KERNELS, OWN], value="Sobel →", description="kernel")
    entries = Text(_written(kernel("Sobel →")), description="entries", continuous_update=False)
    entries.settings = ["-1 1", "1 2; -1 0; 0 1/2"]     # what the sweep of the tests types in
    _link(preset, entries)
    return explore(
        lambda axes, **v: _draw_forward(axes, images[v["image"]], **v), _frame_forward,
        lambda **v: _say_forward(images[v["image"]], **v), size=SIZE, play=["across", "down"],
        image=Dropdown(options=list(images), description="image"), kernel=preset, entries=entries,
        stride=IntSlider(1, 1, 4, description="stride"), padding=IntSlider(0, 0, 4, description="padding"),
        dilation=IntSlider(1, 1, 3, description="dilation"),
        across=IntSlider(42, 0, 100, 2, description="across, %"),
        down=IntSlider(30, 0, 100, 2, description="down, %"))


def _link(preset: Dropdown, entries: Text) -> None:
    """Keep both controls in step: a preset fills in the entries; other entries set it to OWN."""
    def choose(change):
        if change["new"] != OWN:
            entries.value = _written(kernel(change["new"]))

    def name(change):
        preset.value = next((name for name in KERNELS if _written(kernel(name)) == change["new"]), OWN)

    preset.observe(choose, "value")
    entries.observe(name, "value")


def read_kernel(entries: str) -> np.ndarray:
    """Read a kernel from text, rows divided by semicolons, numbers by blanks: "1 2; -1 0" → (2, 2).

    At most 5 × 5. Raises ValueError when a row is missing, too long, or holds something that is no number.
    """
    rows = [row.replace(",", " ").split() for row in entries.split(";") if row.strip()]
    try:
        K = np.array([[_number(entry) for entry in row] for row in rows], dtype=float)
    except ValueError:
        raise ValueError(f"entries: got {entries!r}, expected rows of equal length, divided by semicolons, "
                         "such as 1 0 -1; 2 0 -2; 1 0 -1 (a fraction is written 1/9)") from None
    if K.ndim != 2 or max(K.shape) > 5 or not (np.abs(K) < 1000).all():
        raise ValueError(f"entries: got {entries!r}, expected from 1 × 1 to 5 × 5 numbers below 1000")
    return K


def _number(entry):
    top, _, bottom = entry.partition("/")
    if bottom and float(bottom) == 0:
        raise ValueError(entry)
    return float(top) / float(bottom or 1)


def _written(K):
    return "; ".join(" ".join(str(Fraction(entry).limit_denominator(16)) for entry in row) for row in K)


def _forward(pixels, entries, stride, padding, dilation, across, down, **_):
    """The padded image, the kernel, the output, and the place (p, q) that was chosen."""
    K = read_kernel(entries)
    y = conv2d(pixels[None], K[None, None], stride=stride, padding=padding, dilation=dilation)[0]
    p, q = round(down / 100 * (y.shape[0] - 1)), round(across / 100 * (y.shape[1] - 1))
    padded = pad(pixels[None, None], ((padding,) * 2,) * 2)[0, 0]
    return padded, K, y, (p, q)


def _frame_forward(figure):
    """Three square panels with their titles above, and a line below for the sum."""
    figure.set_layout_engine("none")
    axes = []
    for title, color, left, width in PANELS:
        ax = figure.add_axes((left, 0.02, width, 0.86))
        ax.set(xlim=(0, 1), ylim=(0.86 * SIZE[1] / (width * SIZE[0]), 0))     # square units
        ax.set_title(title, color=color, loc="center", fontsize=11)
        ax.axis("off")
        axes.append(ax)
    return axes


def _draw_forward(axes, pixels, stride, dilation, **values):
    padded, K, y, (p, q) = _forward(pixels, stride=stride, dilation=dilation, **values)
    rows, columns = stride * p + dilation * np.arange(len(K)), stride * q + dilation * np.arange(K.shape[1])
    axes[0].annotate(f"{_input(values['padding'])} x", (0.5, 1), (0, 6), xycoords="axes fraction",
                     textcoords="offset points", ha="center", fontsize=11, color=figures.INPUT)
    _image(axes[0], padded, (0, 1))
    _taps(axes[0], padded.shape, rows, columns)
    most = np.abs(y).max() or 1.0
    signed = K.sum() < 0.5      # a kernel of differences: colours with a sign; otherwise grey
    _image(axes[2], y, (-most, most) if signed else (0, K.sum()), figures.SIGNED if signed else "gray")
    _outline(axes[2], y.shape, p, q, p + 1, q + 1, figures.OUTPUT)
    _sum(axes[1], padded[np.ix_(rows, columns)], K, y[p, q])
    return y


def _image(ax, values, limits, cmap="gray"):
    """Draw an image in the unit square without stretching it, in the middle."""
    ax.imshow(values, cmap=cmap, vmin=limits[0], vmax=limits[1], extent=_box(values.shape), aspect="auto")


def _box(shape):
    """Left, right, bottom, top of an image of this shape, as large as fits, y running down."""
    H, W = shape
    w, h = 0.49 * W / max(H, W), 0.49 * H / max(H, W)
    return 0.5 - w, 0.5 + w, 0.5 + h, 0.5 - h


def _outline(ax, shape, top, left, bottom, right, color):
    x0, x1, y1, y0 = _box(shape)
    dx, dy = (x1 - x0) / shape[1], (y1 - y0) / shape[0]
    ax.add_patch(Rectangle((x0 + left * dx, y0 + top * dy), (right - left) * dx, (bottom - top) * dy,
                           fill=False, ec=color, lw=2.2))


def _taps(ax, shape, rows, columns):
    """Frame each pixel that an entry of the kernel meets: with dilation there are others between them."""
    x0, x1, y1, y0 = _box(shape)
    dx, dy = (x1 - x0) / shape[1], (y1 - y0) / shape[0]
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
    squares = [Path((corners + (j, i)) * (dx, dy) + (x0, y0), closed=True) for i in rows for j in columns]
    ax.add_artist(PathPatch(Path.make_compound_path(*squares), fill=False, ec=figures.KERNEL, lw=1.5))


def _sum(ax, window, K, total):
    """The products under the window, each in its cell, and their sum."""
    labels = np.array([[f"{x:.2f}\n·{_factor(k)}" for x, k in zip(*pair, strict=True)]
                       for pair in zip(window, K, strict=True)])
    cell = 0.98 / max(K.shape)
    size = max(0.22, LEAST / (cell * PANELS[1][3] * SIZE[0]))
    corner = (1 - cell * K.shape[1]) / 2, 0.06 + (1 - cell * K.shape[0]) / 2
    grid(ax, labels, corner, cell=cell, size=size, color=figures.KERNEL)
    ax.text(0.5, 1.22, f"sum {_equals(total)} {written(total, 2)}", ha="center", va="center", fontsize=12,
            color=figures.OUTPUT, weight="bold")


def _factor(k):
    """An entry as a decimal number, or as a fraction where that is shorter; below zero in brackets."""
    text, fraction = f"{k:.3g}", Fraction(k).limit_denominator(16)
    if abs(fraction - k) < 1e-9:
        text = min(text, str(fraction), key=len)
    return f"(−{text[1:]})" if text.startswith("-") else text


def _equals(total):
    """The sign before a sum of two decimals: "=", or "≈" where it has more."""
    return "=" if abs(total - round(float(total), 2)) < 1e-9 else "≈"


def _input(padding):
    """The name of what the window slides over."""
    return "padded input" if padding else "input"


def _say_forward(pixels, stride, padding, dilation, **values):
    _, K, y, (p, q) = _forward(pixels, stride=stride, padding=padding, dilation=dilation, **values)
    height, width = (
        f"⌊({n} + 2·{padding} − {dilation}·({k} − 1) − 1) / {stride}⌋ + 1 = "
        f"{output_size(n, k, stride, padding, dilation)}" for n, k in zip(pixels.shape, K.shape, strict=True))
    return (f"Height {height}, width {width}. The window of output pixel ({p}, {q}) begins at row "
            f"{stride * p}, column {stride * q} of the {_input(padding)}; the sum is {written(y[p, q], 2)}.")
