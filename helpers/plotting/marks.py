"""Marks on grids of numbers: frames, rings, black corners."""
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

GridPlace = tuple[tuple[float, float], float]   # the corner (x, y) of a grid, the side of a cell


def framed(ax: Axes, panel: GridPlace, block: tuple[int, int, int, int], color: str) -> None:
    """Frame a block (row, column, rows, columns) of the cells of a grid."""
    (x, y), cell = panel
    row, column, rows, columns = block
    ax.add_artist(Rectangle((x + column * cell, y + row * cell), columns * cell, rows * cell, fill=False,
                            ec=color, lw=2.4, zorder=3))


def rings(ax: Axes, panel: GridPlace, solid: np.ndarray, dashed: np.ndarray, color: str) -> None:
    """Put a ring around the numbers at the places (n, 2) of `solid`, a dashed one at those of `dashed`."""
    (x, y), cell = panel
    for places, style in ((solid, "-"), (dashed, (0, (1.5, 1)))):
        for i, j in places:
            ax.add_artist(Circle((x + (j + 0.5) * cell, y + (i + 0.5) * cell), 0.42 * cell, fill=False,
                                 ec=color, lw=1.6, ls=style, zorder=3))


def corners(ax: Axes, panel: GridPlace, marked: np.ndarray) -> None:
    """Blacken the upper right corner of each marked cell of a grid."""
    (x, y), cell = panel
    parts = [Path([(j + 0.72, i), (j + 1, i), (j + 1, i + 0.28), (j + 0.72, i)], closed=True)
             for i, j in np.argwhere(marked)]
    if parts:
        ax.add_artist(PathPatch(Path.make_compound_path(*parts), fc="black", ec="none", zorder=3,
                                transform=Affine2D().scale(cell).translate(x, y) + ax.transData))


def written(value: float, digits: int = 0) -> str:
    """A number with a real minus sign, and no minus before a zero; −∞ for minus infinity."""
    if value == -np.inf:
        return "−∞"
    return f"{round(float(value), digits) + 0:.{digits}f}".replace("-", "−")
