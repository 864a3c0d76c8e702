"""A path of one style as an artist: a patch does more, takes twice as long, and a collection three times."""
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_rgba
from matplotlib.path import Path
from matplotlib.transforms import Transform


class Stroke(Artist):
    """A path in axes with linear scales: a line of `lw` points, or if `fill` an area without an edge.

    `ls` is (0, dashes) with the lengths of dashes and gaps in line widths, as Matplotlib has it; `place` is
    the transform to pixels, that of the axes' data where it is None.
    """

    def __init__(self, path: Path, color: str, *, fill: bool = False, alpha: float = 1, lw: float = 0,
                 ls: tuple = (0, ()), capstyle: str = "butt", zorder: float = 2,
                 place: Transform | None = None):
        """As the class says."""
        super().__init__()
        self.path, self.color, self.fill, self.zorder = path, to_rgba(color, alpha), fill, zorder
        self.lw, self.dashes, self.capstyle = lw, [lw * length for length in ls[1]], capstyle
        if place is not None:
            self.set_transform(place)

    def set_clip_path(self, *_: object) -> None:
        """Nothing is cut off: that would take a third of the time."""

    def draw(self, renderer: RendererBase) -> None:
        """As Matplotlib asks for it."""
        gc = renderer.new_gc()
        gc.set_foreground(self.color, isRGBA=True)
        gc.set_linewidth(self.lw)
        gc.set_dashes(0, self.dashes or None)
        gc.set_capstyle(self.capstyle)
        renderer.draw_path(gc, self.path, self.get_transform(), self.color if self.fill else None)
        gc.restore()
