"""Contour map of a landscape: a square with bands between equal costs, in coordinates from 0 to 1."""
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from contourpy import FillType, LineType, contour_generator
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from helpers.theory.landscapes import LANDSCAPES
from helpers.widgets.landscape.races import cost

CELLS = 161                                       # places along a side
# Of the map, the fraction that lies below each line: close together where the cost is low.
QUANTILES = 0.002, 0.01, 0.03, 0.06, 0.1, 0.16, 0.23, 0.32, 0.42, 0.53, 0.64, 0.75, 0.86, 0.96
TINTS = colormaps["bone_r"](np.linspace(0.0, 0.31, len(QUANTILES) + 1))
LINE = "#97A1AA"


@lru_cache
def sides(landscape: str) -> tuple[float, float, float, float]:
    """The limits x0, x1, y0, y1 of the map: a square, so that gradients look perpendicular to contours."""
    x0, x1, y0, y1 = LANDSCAPES[landscape].view
    half = max(x1 - x0, y1 - y0) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return x - half, x + half, y - half, y + half


def placed(landscape: str, w: np.ndarray) -> np.ndarray:
    """Points w (…, 2) in the coordinates of the map."""
    x0, x1, y0, _ = sides(landscape)
    return (np.asarray(w) - [x0, y0]) / (x1 - x0)


@lru_cache(maxsize=32)
def cost_bands(landscape: str, kappa: float) -> tuple[list[Path], Path]:
    """The filled contours, from the lowest band, and all contour lines between them."""
    x0, x1, y0, y1 = sides(landscape)
    u = np.linspace(0, 1, CELLS)
    values = cost(landscape, kappa, np.stack(np.meshgrid(x0 + u * (x1 - x0), y0 + u * (y1 - y0)), axis=-1))
    levels = [0, *np.quantile(values, QUANTILES), np.inf]
    maker = contour_generator(u, u, values, fill_type=FillType.ChunkCombinedCode,
                              line_type=LineType.ChunkCombinedCode)
    areas = [maker.filled(*ends) for ends in zip(levels[:-1], levels[1:], strict=True)]
    lines = [maker.lines(level) for level in levels[1:-1]]          # each of one chunk
    return ([Path(area[0], kinds[0]) for area, kinds in areas],
            Path.make_compound_path(*(Path(line[0], kinds[0]) for line, kinds in lines)))


def draw_landscape(ax: Axes, landscape: str, kappa: float) -> None:
    """Draw the bands in axes from 0 to 1."""
    areas, lines = cost_bands(landscape, kappa)
    for area, tint in zip(areas, TINTS, strict=True):
        ax.add_artist(PathPatch(area, fc=tint, ec="none", zorder=0))
    ax.add_artist(PathPatch(lines, fill=False, ec=LINE, lw=0.5, zorder=0.1))


def ticks(landscape: str) -> tuple[list[tuple[float, str]], list[tuple[float, str]]]:
    """Along x and along y: where on the map a whole number stands, and the number."""
    x0, x1, y0, y1 = sides(landscape)
    step = 1 if x1 - x0 < 6 else 2

    def between(low, high):
        numbers = [n for n in range(int(np.ceil(low)), int(high) + 1) if n % step == 0]
        return [((n - low) / (high - low), f"{n}".replace("-", "−")) for n in numbers]
    return between(x0, x1), between(y0, y1)


def leaves(path: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Where a path (n, 2) crosses the edge of the map for the last time; `inside` (n,) marks points on it.

    A path whose next step is not recorded, since it went too far, leaves at its last point on the map.
    """
    last = np.flatnonzero(inside)[-1]             # there is one, the start
    here, step = path[last], path[min(last + 1, len(path) - 1)] - path[last]
    if not step.any():
        return here
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(step > 0, (1 - here) / step, np.where(step < 0, -here / step, np.inf))
    return np.clip(here + step * parts.min(), 0, 1)


def side_by_side(places: Iterable[np.ndarray], gap: float) -> list[np.ndarray]:
    """Move points (2,) of the map along the edge until any two are `gap` apart, in x or in y.

    The first stays; each later one goes to the nearest free place: up or down the left or the right edge,
    along the others, and sideways where it is on none.
    """
    moved = []
    for place in places:
        shift = np.array([0, gap] if place[0] in (0, 1) else [gap, 0])
        free = (place + k * shift for k in sorted(range(-9, 10), key=abs))
        moved.append(next((at for at in free if (0 <= at).all() and (at <= 1).all() and all(
            np.abs(at - other).max() > 0.99 * gap for other in moved)), place))
    return moved
