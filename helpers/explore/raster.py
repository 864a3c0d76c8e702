"""A figure of which the fixed part is drawn once and kept as pixels, so that only what moves is redrawn."""
import inspect
import math
import struct
import zlib
from collections.abc import Callable

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from helpers.plotting import contrast
from helpers.plotting.lettering import Canvas, translate

try:
    from isal.isal_zlib import compress
except ImportError:      # it is not made for a browser
    from zlib import compress

PIXELS_AN_INCH = 100    # figure.dpi of notebook.mplstyle: letters are as large as in every other figure
KEPT = 8                # grounds of one figure, 4 MB each
TITLES = "left", "center", "right"


class Stage:
    """A figure of `size` CSS pixels: `frame` builds what stays, `perform` draws what moves.

    The figure is not pyplot's: nothing has to be closed. `density` is the number of drawn pixels for one CSS
    pixel. `ground(axes, **some)` draws what lies below all that moves: its pixels are kept for each
    combination of the values that it names.
    """

    def __init__(self, frame: Callable | None, size: tuple[int, int], density: float,
                 ground: Callable | None = None):
        """Build the figure and draw its fixed part, this once."""
        self.figure = Figure(figsize=[side / PIXELS_AN_INCH for side in size])
        self.canvas = Canvas(self.figure)
        self.axes = self.figure.subplots() if frame is None else frame(self.figure)
        if self.axes is None:
            raise ValueError("frame: it returned None; return the axes that draw(axes, …) draws in")
        translate(self.figure)
        contrast.darken(self.figure.findobj(Text))
        self.most = density
        self._scale(density)
        self.figure.set_layout_engine("none")     # the axes stay where the fixed part shows them
        self.ground, self.named = ground, named(ground)
        self.owners = [self.figure, *self.figure.axes]
        self.known = {id(artist) for owner in self.owners for artist in owner.get_children()}
        self.setting = [setting(axes) for axes in self.owners[1:]]
        for axes in self.owners[1:]:
            axes.autoscale(False)                 # nor do the limits follow what moves

    def fit(self, ratio: float) -> bool:
        """Draw for a screen with `ratio` pixels for one CSS pixel, from now on; whether that is a change.

        Whole pixels for each, or lines would be blurred, and as many at most as in the beginning.
        """
        density = min(self.most, max(1, math.ceil(ratio)))
        changed = density != self.density
        if changed:
            self._scale(density)
        return changed

    def _scale(self, density):
        self.density = density
        self.figure.set_dpi(PIXELS_AN_INCH * density)
        self.canvas.draw()
        self.kept = {None: self.canvas.copy_from_bbox(self.figure.bbox)}

    def perform(self, draw: Callable, values: dict) -> tuple[object, bytes]:
        """Let `draw(axes, **values)` add artists, picture them on the fixed part, and remove them.

        Returns what `draw` returned, and the picture as a PNG file. Raises what `draw` raises, and
        ValueError when it changed something of the fixed part.
        """
        result = self._paint(self._below(values), draw, values)
        return result, encode(np.asarray(self.canvas.buffer_rgba()))

    def _below(self, values: dict) -> tuple | None:
        """The key of the pixels below what moves, among those kept."""
        if self.ground is None:
            return None
        some = {name: values[name] for name in self.named}
        if (key := tuple(some.values())) not in self.kept:
            self._paint(None, self.ground, some)
            if len(self.kept) > KEPT:
                del self.kept[list(self.kept)[1]]                 # the oldest; None stays
            self.kept[key] = self.canvas.copy_from_bbox(self.figure.bbox)
        return key

    def _paint(self, below: tuple | None, draw: Callable, values: dict) -> object:
        """Let `draw` add artists, picture them on pixels that are kept, and remove them."""
        for axes in self.owners[1:]:
            axes.set_prop_cycle(None)             # the first curve has the first colour every time
        try:
            result = draw(self.axes, **values)
            self._refuse_new_setting()
            for one in self._moving():
                translate(one)
            contrast.darken(one for one in self._moving() if isinstance(one, Text))
            self.canvas.restore_region(self.kept[below])
            for artist in sorted(self._moving(), key=Artist.get_zorder):
                artist.draw(self.canvas.get_renderer())
            return result
        finally:
            for artist in self._moving():
                artist.remove()
            for axes, old in zip(self.owners[1:], self.setting, strict=True):
                restore(axes, old)

    def _moving(self) -> list[Artist]:
        return [artist for owner in self.owners for artist in owner.get_children()
                if id(artist) not in self.known]

    def _refuse_new_setting(self) -> None:
        """A new title would not be seen, and with new limits the fixed part would be wrong."""
        for axes, old in zip(self.owners[1:], self.setting, strict=True):
            for name, value in setting(axes).items():
                if name != "containers" and value != old[name]:
                    raise ValueError(f"draw: it changed {name} from {old[name]!r} to {value!r}; limits, "
                                     "labels and titles belong to frame, a text that changes to axes.text(…)")


def named(ground: Callable | None) -> list[str]:
    """The values that a ground is drawn for, by its arguments; the first of these are the axes."""
    return list(inspect.signature(ground).parameters)[1:] if ground else []


def setting(axes: Axes) -> dict:
    """What of these axes is in the fixed part and has no artist of its own."""
    names = {name: getattr(axes, f"get_{name}")() for name in ("xlim", "ylim", "xlabel", "ylabel")}
    titles = {f"{place} title": axes.get_title(place) for place in TITLES}
    return {**names, **titles, "position": axes.get_position(original=True).bounds,
            "containers": len(axes.containers)}


def restore(axes: Axes, old: dict) -> None:
    """Bring back the setting; bars and error bars leave an empty container behind."""
    if setting(axes) == old:
        return
    del axes.containers[old["containers"]:]
    axes.set(**{name: old[name] for name in ("xlim", "ylim", "xlabel", "ylabel", "position")})
    for place in TITLES:
        axes.set_title(old[f"{place} title"], loc=place)


def encode(rgba: np.ndarray) -> bytes:
    """A PNG file of the picture (H, W, 4), quick rather than small: rows as they are, deflated at level 1.

    ISA-L does that six times as fast as zlib. PNG specification, third edition, sections 9 and 11.
    """
    H, W, _ = rgba.shape
    rows = np.zeros((H, 1 + 4 * W), np.uint8)     # each begins with the number of its filter: 0, none
    rows[:, 1:] = rgba.reshape(H, 4 * W)
    header = struct.pack(">IIBBBBB", W, H, 8, 6, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", compress(rows, 1)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
