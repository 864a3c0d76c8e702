"""What the widgets around a trained network share: many small maps as one picture, bars of probabilities.

The axes have a unit of one CSS pixel, y running down.
"""
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from helpers.plotting import figures
from helpers.plotting.lettering import write

GAP = 4      # pixels between two maps
ROW = 20     # pixels from one bar to the next


class Tiles(NamedTuple):
    """How n maps are laid out: `shown` of them in `columns`, `scale` pixels for each of their numbers."""

    shown: int
    columns: int
    scale: int


def digit_name(number: int) -> str:
    """A digit, or any class, with its article: "a 3", "an 8"."""
    return f"an {number}" if number in (11, 18) or str(number)[0] == "8" else f"a {number}"


def tiles(maps: tuple[int, int, int], room: tuple[int, int], most: int = 40) -> Tiles:
    """The layout of maps (n, h, w) in a room (width, height) that makes them largest, `most` at most.

    Where not all have room, the first ones are shown.
    """
    n, h, w = maps
    best = max((Tiles(n, columns, min(_most(room[0], columns, w), _most(room[1], -(-n // columns), h), most))
                for columns in range(1, n + 1)), key=lambda tiling: tiling.scale)
    return best if best.scale >= 1 or n == 1 else tiles((n // 2, h, w), room, most)


def _most(room, count, side):
    """The scale at which `count` maps and the gaps between them still have room."""
    return ((room + GAP) // count - GAP) // side


def place(tiling: Tiles, shape: tuple[int, int], index: int) -> tuple[int, int]:
    """Left and top of map `index`, in pixels from the corner of the first."""
    (h, w), scale = shape, tiling.scale
    return index % tiling.columns * (w * scale + GAP), index // tiling.columns * (h * scale + GAP)


def draw_maps(ax: Axes, maps: np.ndarray, corner: tuple[float, float], tiling: Tiles, *,
              signed: bool = False) -> None:
    """Draw maps (n, h, w), all on one scale: grey from the least to the largest, or signed around zero."""
    (_, h, w), columns = maps.shape, min(tiling.columns, tiling.shown)
    cells = np.full((-(-tiling.shown // columns) * (h + 1), columns * (w + 1), 3), 255, np.uint8)
    for k, one in enumerate(colored(maps, signed=signed)[:tiling.shown]):     # gaps are white cells
        i, j = k // columns * (h + 1), k % columns * (w + 1)
        cells[i:i + h, j:j + w] = one
    edges = [at + np.add.outer(np.arange(count) * (side * tiling.scale + GAP),
                               np.arange(side + 1) * tiling.scale).ravel()
             for at, side, count in zip(corner, (w, h), (columns, len(cells) // (h + 1)), strict=True)]
    ax.pcolormesh(*edges, cells[:-1, :-1])


def colored(values: np.ndarray, *, signed: bool = False) -> np.ndarray:
    """Red, green and blue of each number, 0 … 255: signed with zero in the middle, else grey, 0 black."""
    low, high = value_range(values, signed=signed)
    shade = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5 if signed else 0.0)
    return (255 * colormaps[figures.SIGNED if signed else "gray"](shade)[..., :3]).round().astype(np.uint8)


def value_range(values: np.ndarray, *, signed: bool = False) -> tuple[float, float]:
    """The numbers at the two ends of the colours; grey begins at 0 where nothing is negative."""
    most = float(np.abs(values).max())
    return (-most, most) if signed else (min(0.0, float(values.min())), max(0.0, float(values.max())))


def draw_bars(ax: Axes, corner: tuple[float, float], width: float, p: np.ndarray, predicted: int,
              right: int) -> None:
    """Ten probabilities (or K) as bars below each other: green the predicted class, blue the label."""
    (x, y), labels = corner, []
    for k, value in enumerate(p):
        top, color = y + ROW * k, {right: figures.INPUT, predicted: figures.OUTPUT}.get(k, "#BBBBBB")
        ax.add_artist(Rectangle((x, top + 2), max(1.0, width * value), ROW - 5, fc=color, ec="none"))
        note = " right" * (k == right) or " predicted" * (k == predicted)
        labels.append((str(k), x - 6, top + ROW / 2, 1))
        labels.append((f"{value:.2f}{note}", x + max(1.0, width * value) + 5, top + ROW / 2, 0))
    write(ax, labels)


def short(value: float) -> str:
    """Two digits of a number, with a real minus sign: 0.12, −3.4, 5e−06."""
    text = f"{value:.2g}" if value else "0"
    mantissa, _, exponent = text.partition("e")
    return (mantissa + (f"e{int(exponent)}" if exponent else "")).replace("-", "−")
