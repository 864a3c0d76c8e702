"""Pool a digit forward and backward with any kernel: the explorer of notebooks/02_pooling.ipynb."""
import numpy as np
from ipywidgets import IntSlider, ToggleButtons
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle

from helpers.data import digit
from helpers.explore.explorer import Explore, explore
from helpers.functional.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from helpers.functional.windows import pad
from helpers.plotting import figures
from helpers.plotting.grids import SQUARE, grid
from helpers.plotting.marks import GridPlace, corners, framed, rings, written
from helpers.plotting.panes import sheet

DIGIT = 207            # a two whose outer two columns are empty on both sides: no shift loses ink
GRADIENT = np.random.default_rng(0).integers(1, 6, (9, 9)).astype(float)       # dy of the largest output
POOLS = {"max": (max_pool2d, max_pool2d_backward), "average": (avg_pool2d, avg_pool2d_backward)}
MARGIN = {"max": -np.inf, "average": 0.0}
SIZE = 700, 416        # pixels, and the units of the axes
PANELS = {"x": (8, 30, 300), "y": (324, 30, 176), "before": (516, 30, 176),     # left, top, side
          "dy": (324, 236, 176), "dx": (516, 236, 176)}
CELL, LETTER = 44, 13.5        # side of a cell at most, size of its number


def pooling_explorer() -> Explore:
    """Slide a pooling window over a digit: its output, its gradient, and what a shift of the digit changes.

    `result` is the pair (y, dx), of the digit as it was shifted and with `GRADIENT` for dy.
    """
    pixels = digit(DIGIT) * 16
    return explore(
        lambda axes, **v: _draw(axes, Pooled(pixels, **v)), lambda figure: sheet(figure, SIZE),
        lambda **v: _say(Pooled(pixels, **v)), size=SIZE, play=["shift", "across", "down"],
        kind=ToggleButtons(options=list(POOLS), description="kind"),
        kernel=IntSlider(3, 1, 4, description="kernel"), stride=IntSlider(2, 1, 4, description="stride"),
        padding=IntSlider(1, 0, 2, description="padding"),
        shift=IntSlider(1, -2, 2, description="shift right"),
        across=IntSlider(66, 0, 100, 2, description="across, %"),
        down=IntSlider(66, 0, 100, 2, description="down, %"))


def shifted(pixels: np.ndarray, shift: int) -> np.ndarray:
    """The image (H, W) moved `shift` pixels to the right; zeros fill in, and what is moved out is lost."""
    out, W = np.zeros_like(pixels), pixels.shape[1]
    out[:, max(0, shift):W + min(0, shift)] = pixels[:, max(0, -shift):W - max(0, shift)]
    return out


class Pooled:
    """One setting of the controls and what follows: x, y, dy, dx, the chosen place and its window.

    `before` is y without the shift. A padding of more than half of the kernel, which torch
    refuses, is cut down to that half, `padding`.
    """

    def __init__(self, pixels, kind, kernel, stride, padding, shift, across, down):
        """Pool the image `pixels` (H, W) forward and backward."""
        self.kind, self.k, self.s, self.padding = kind, kernel, stride, min(padding, kernel // 2)
        self.asked, self.shift, self.pixels, self.x = padding, shift, pixels, shifted(pixels, shift)
        (pool, backward), geometry = POOLS[kind], (kernel, stride, self.padding)
        self.y, self.before = (pool(image[None], *geometry)[0] for image in (self.x, pixels))
        H, W = self.y.shape
        self.dy = GRADIENT[:H, :W].copy()
        self.dx = backward(self.dy[None], self.x[None], *geometry)[0]
        self.place = p, q = round(down / 100 * (H - 1)), round(across / 100 * (W - 1))
        self.top, self.left = stride * p, stride * q
        self.padded = pad(self.x[None, None], ((self.padding,) * 2,) * 2, MARGIN[kind])[0, 0]
        self.window = self.padded[self.top:self.top + kernel, self.left:self.left + kernel]
        self.indices = max_pool2d(self.x[None], *geometry, return_indices=True)[1][0]

    @property
    def tied(self) -> np.ndarray:
        """Rows and columns of the padded input where the maximum of the window stands, (n, 2)."""
        return np.argwhere(self.window == self.window.max()) + (self.top, self.left)

    @property
    def receiving(self) -> tuple[int, int, int, int]:
        """The block of dx that receives the gradient of the chosen output: row, column, rows, columns."""
        if self.kind == "max":
            return (*map(int, np.unravel_index(self.indices[self.place], self.x.shape)), 1, 1)
        top, left = max(0, self.top - self.padding), max(0, self.left - self.padding)
        bottom, right = (min(n, start - self.padding + self.k)
                         for n, start in zip(self.x.shape, (self.top, self.left), strict=True))
        return top, left, bottom - top, right - left


def _draw(ax, one):
    _draw_input(ax, one)
    for n, (text, color) in enumerate(zip(_arithmetic(one), (figures.OUTPUT, figures.GRADIENT), strict=True)):
        ax.text(158, 360 + 26 * n, text, color=color, ha="center", va="center", fontsize=11)
    exact = np.array_equal(one.y, np.round(one.y)) and np.array_equal(one.before, np.round(one.before))
    digits = 0 if exact or len(one.y) > 5 else 1
    y = _panel(ax, "y", one.y, "output y" if exact else "output y, rounded", figures.OUTPUT, digits=digits)
    framed(ax, y, (*one.place, 1, 1), figures.OUTPUT)
    same = one.y == one.before
    corners(ax, _panel(ax, "before", one.before, "y unshifted, ◥ changed", figures.OUTPUT, digits=digits,
                       tinted=same), ~same)
    dy = _panel(ax, "dy", one.dy, "upstream gradient dy", figures.GRADIENT)
    framed(ax, dy, (*one.place, 1, 1), figures.GRADIENT)
    parts = one.k ** 2 if one.kind == "average" else 1       # dx in k²-ths: whole numbers
    dx = _panel(ax, "dx", one.dx * parts, f"{parts} · dx" if parts > 1 else "dx", figures.GRADIENT)
    framed(ax, dx, one.receiving, figures.GRADIENT)
    return one.y, one.dx


def _draw_input(ax, one):
    """The padded input over its picture in grey, the window framed, its maxima ringed."""
    title = "input x, padded" if one.padding else "input x"
    corner, cell = panel = _panel(ax, "x", one.padded, title, figures.INPUT)
    left, top, side = (value * cell for value in (one.padding, one.padding, len(one.x)))
    left, top = left + corner[0], top + corner[1]
    squares = np.argwhere(one.x)[:, None, ::-1] + SQUARE
    ink = [(0, 0, 0, 0.4 * value / one.x.max()) for value in one.x[one.x != 0]]     # numbers below stay black
    ax.add_artist(PolyCollection(squares * cell + (left, top), fc=ink, ec="none", zorder=2))
    if one.padding:
        ax.add_artist(Rectangle((left, top), side, side, fill=False, ec=figures.NEUTRAL, lw=2))
    framed(ax, panel, (one.top, one.left, one.k, one.k), figures.INPUT)
    if one.kind == "max":
        rings(ax, panel, one.tied[:1], one.tied[1:], figures.OUTPUT)


def _panel(ax, name, values, title, color, *, digits=0, tinted=None) -> GridPlace:
    """A grid as large as its place allows, in the middle below its title."""
    left, top, side = PANELS[name]
    cell = min(CELL, side / max(values.shape))
    corner = left + (side - cell * values.shape[1]) / 2, top
    labels = np.array([[written(value, digits) for value in row] for row in values])
    ax.text(left + side / 2, top - 14, title, color=color, ha="center", va="center", fontsize=10)
    grid(ax, labels, corner, cell=cell, size=min(LETTER / cell, 0.64), tinted=tinted)
    return corner, cell


def _arithmetic(one):
    """The output of the window, and what is added to dx for it, in a line each."""
    y, dy, n = one.y[one.place], one.dy[one.place], one.k ** 2
    if one.kind == "average":
        return (f"y = {_fraction(one.window.sum(), n)}" + f" {_decimal(y)}" * (n > 1),
                f"dx += {_fraction(dy, n)} in each cell of the frame")
    tied = len(one.tied)
    return (f"y = max = {written(y)}" + f", {tied} times" * (tied > 1),
            f"dx += {written(dy)} at the {'solid ' * (tied > 1)}ring")


def _fraction(top, bottom):
    return f"{written(top)}/{bottom}" if bottom > 1 else written(top)


def _decimal(value):
    """ "= 4.25", "≈ 6.78": two digits at most, and whether they are all."""
    digits = next((n for n in (0, 1) if value == round(value, n)), 2)
    return f"{'=' if value == round(value, digits) else '≈'} {written(value, digits)}"


def _say(one):
    rows = "; ".join(", ".join(written(value) for value in row) for row in one.window)
    return (f"{_say_size(one)} The window of output pixel {one.place} holds {rows}: "
            f"{_say_max(one) if one.kind == 'max' else _say_mean(one)}. {_say_shift(one)}")


def _say_size(one):
    refused = (f"torch refuses padding {one.asked}, more than half of the kernel, so it is {one.padding} "
               "here. " if one.padding < one.asked else "")
    return (f"{refused}Height and width ⌊({len(one.x)} + 2·{one.padding} − {one.k}) / {one.s}⌋ + 1 = "
            f"{len(one.y)}.")


def _say_max(one):
    most, tied, (row, column, *_) = written(one.window.max()), len(one.tied), one.receiving
    windows = int((one.indices == one.indices[one.place]).sum())
    argmax = (f"{most} is the maximum" if tied == 1 else
              f"the maximum {most} stands there {tied} times, and the first of them is the argmax")
    total = (f", and {written(one.dx[row, column])} in all from the {windows} windows whose argmax it is"
             * (windows > 1))
    return f"{argmax}; dx[{row}, {column}] receives {written(one.dy[one.place])}{total}"


def _say_mean(one):
    _, _, rows, columns = one.receiving
    lost = one.k ** 2 - rows * columns
    gone = f", and the parts of the {lost} zeros of the padding are cut off" * (lost > 0)
    more = ", and where windows overlap the gradients add up" * (one.k > one.s)
    sign, digits = _decimal(one.y[one.place]).split()
    mean = f"the average {digits}" if sign == "=" else f"the average about {digits}"
    return (f"the sum is {written(one.window.sum())}, {mean}; "
            f"each pixel receives {_fraction(one.dy[one.place], one.k ** 2)}{gone}{more}")


def _say_shift(one):
    if not one.shift:
        return "Shift the input, and see how many entries of y change."
    side, changed = "to the right" if one.shift > 0 else "to the left", one.x != one.pixels
    return (f"The shift by {abs(one.shift)} {side} changed {changed.sum()} of {changed.size} entries "
            f"of x and {(one.y != one.before).sum()} of {one.y.size} of y.")
