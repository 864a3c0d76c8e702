"""Letters drawn as outlines, each of which is made once.

Matplotlib lays out and renders each text anew, a millisecond or two for a few words. Here a text is put
together from the outlines of its signs: `write` makes one path of many labels, and on a `Canvas` every text
is drawn so.
"""
import re
from functools import cache, lru_cache

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedFormatter
from matplotlib.transforms import Affine2D

from helpers.language import language, say
from helpers.plotting.strokes import Stroke

CAP = 0.73      # height of a digit of DejaVu Sans, in units of the font size
EM = 12.8       # pixels, 100 an inch: 9.2 points
FONT = FontProperties(family="DejaVu Sans", size=1)
# Fonts that have Chinese: of Linux, macOS and Windows.
CHINESE = (
    "Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Noto Sans CJK JP", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei")
# Where a line may end.
BREAKS = re.compile(r"(?<=\s)|(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])|(?<=[，；：、])")
FIRST_OF_CHINA = "\u2e80"     # from here on signs are Chinese, punctuation among them; DejaVu has none


@cache
def families() -> tuple[str, ...]:
    """The fonts of pictures: DejaVu Sans and, for Chinese, one that has its signs, where one is here."""
    known = {font.name for font in fontManager.ttflist} if language() == "zh" else ()
    return "DejaVu Sans", *[name for name in CHINESE if name in known][:1]


def lettered(words: str) -> str:
    """Words of a picture in the language of the reader; English where no font has its signs."""
    return say(words) if families()[1:] else words


def translate(artist: Artist) -> None:
    """Say all words of a figure, or of another artist, in the language of the reader; formulas stay."""
    if not families()[1:]:
        return
    for axis in artist.findobj(Axis):
        for formatter in (axis.get_major_formatter(), axis.get_minor_formatter()):
            if isinstance(formatter, FixedFormatter):
                formatter.seq = list(map(say, formatter.seq))
    for text in artist.findobj(Text):
        if "$" not in text.get_text():
            text.set_text(say(text.get_text()))


def write(ax: Axes, labels: list[tuple[str, float, float, float]], color: str = "black") -> None:
    """Draw labels (words, x, y, anchor); y is their middle, anchor 0.5 where x is, too, 1 for the right end.

    The axes have a unit of one CSS pixel, y running down; the size of the letters is 9.2 points.
    """
    if labels:
        lines = [outlined(lettered(words)) for words, *_ in labels]
        points = [outline * [EM, -EM] + [x - anchor * EM * width, y + CAP / 2 * EM]
                  for (outline, _, width), (_, x, y, anchor) in zip(lines, labels, strict=True)]
        path = Path(np.concatenate(points), np.concatenate([strokes for _, strokes, _ in lines]))
        ax.add_artist(Stroke(path, color, fill=True, zorder=4))


def width_of(words: str) -> float:
    """How wide `write` makes these words, in pixels."""
    return EM * outlined(lettered(words))[2]


def wrapped(words: str, width: float) -> list[str]:
    """Words in the language of the reader, in lines that `write` makes no wider than so many pixels."""
    lines = [""]
    for piece in BREAKS.split(lettered(words)):
        if lines[-1] and width_of(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


class Outlines(RendererAgg):
    """Matplotlib's renderer of pixels, with letters drawn as outlines; formulas between $ are its own."""

    def draw_text(self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties,
                  angle: float, ismath: bool | str = False, mtext: Text | None = None) -> None:
        """Draw one line of text from (x, y) in pixels, y running down, as Matplotlib asks for it."""
        if ismath:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        outline, strokes, _ = outlined(s, _of_size_1(prop))
        size = self.points_to_pixels(prop.get_size_in_points())
        gc.set_linewidth(0)
        self.draw_path(gc, Path(outline, strokes),
                       Affine2D().scale(size).rotate_deg(angle).translate(x, self.height - y), gc.get_rgb())

    def get_text_width_height_descent(self, s: str, prop: FontProperties,
                                      ismath: bool | str) -> tuple[float, float, float]:
        """How wide and high a line of text is, and how far it reaches below, in pixels."""
        if ismath or not s.strip():
            return super().get_text_width_height_descent(s, prop, ismath)
        outline, _, width = outlined(s, _of_size_1(prop))
        size, low, high = self.points_to_pixels(prop.get_size_in_points()), *np.sort(outline[:, 1])[[0, -1]]
        return width * size, (high - low) * size, -low * size


class Canvas(FigureCanvasAgg):
    """A canvas of pixels that draws letters as outlines."""

    def get_renderer(self) -> Outlines:
        """The renderer, the same one as long as the figure keeps its size."""
        needed = *self.figure.bbox.size, self.figure.dpi
        if vars(self).get("made") != needed:
            self.made, self.renderer = needed, Outlines(*needed)
        return self.renderer


@lru_cache(1000)
def outlined(words: str, font: FontProperties = FONT) -> tuple[np.ndarray, np.ndarray, float]:
    """A line of words of height 1: its outline (n, 2), y running up; Matplotlib's codes (n,); its width."""
    points, codes, pen = [np.empty((0, 2))], [np.empty(0, Path.code_type)], 0.0
    for sign in words:
        outline, strokes, advance = _outline(sign, font)
        points.append(outline + [pen, 0])
        codes.append(strokes)
        pen += advance
    return np.concatenate(points), np.concatenate(codes), pen


def _of_size_1(prop):
    font = prop.copy()
    font.set_size(1)
    return font


@cache
def _outline(sign, font):
    """A sign of height 1, y running up, as points and codes, and how far it moves the pen."""
    if sign >= FIRST_OF_CHINA and families()[1:]:
        font = font.copy()
        font.set_family(families()[1])
    with_bar, bar = (TextPath((0, 0), text, size=1, prop=font) for text in (sign + "|", "|"))
    own = slice(len(with_bar) - len(bar))         # a blank has no outline, and a TextPath of it is refused
    advance = with_bar.get_extents().x1 - bar.get_extents().x1
    return with_bar.vertices[own], with_bar.codes[own], advance
