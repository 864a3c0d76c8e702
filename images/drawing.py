"""Plain SVG for the drawings of this folder: cells, arrows, mathematics, and the card they lie on.

Nothing here measures a font or reads a clock, so that every machine writes the same bytes.
Text stays text: it can be searched and copied, and it is set in fonts of the same widths
everywhere (Times and Arial, or the Liberation and Nimbus fonts made to their measure).
"""
import math
import re
import sys
from html import escape
from itertools import groupby
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # a drawing needs no installed package

from helpers.plotting.contrast import contrast, ink, tint  # noqa: E402
from helpers.plotting.figures import GRADIENT, INPUT, KERNEL, NEUTRAL, OUTPUT  # noqa: E402

__all__ = ["GRADIENT", "INPUT", "KERNEL", "NEUTRAL", "OUTPUT", "contrast", "ink", "tint"]

WIDTH = 720
CARD  = "#FFFFFF"   # opaque: a picture cannot know whether the page around it is dark
INK   = "#222222"
FRAME = "#B4B4B4"
SERIF = "Times New Roman, Liberation Serif, Nimbus Roman, Tinos, Times, serif"
SANS  = "Arial, Helvetica, Liberation Sans, Nimbus Sans, Arimo, sans-serif"

# Widths of the signs that stand in an index, in thousandths of the font's size (Times).
ADVANCE = {"l": 278, "i": 278, "j": 278, "u": 500, "v": 444, "k": 444, "L": 556, "T": 611, ",": 250}


# ---------------------------------------------------------------------- elements

def tag(name: str, *body: str, **attributes) -> str:
    """One SVG element; `stroke_width=2` becomes stroke-width="2", and None is left out."""
    named = "".join(f' {key.rstrip("_").replace("_", "-")}="{value(item)}"'
                    for key, item in attributes.items() if item is not None)
    if not body:
        return f"<{name}{named}/>"
    end = "\n" if name in ("svg", "g") else ""
    return f"<{name}{named}>{end}{end.join(body)}{end}</{name}>"


def value(item) -> str:
    """An attribute as text: numbers with at most two decimals, so that no rounding shows."""
    return escape(item) if isinstance(item, str) else f"{round(item, 2) + 0:g}"


def rect(x, y, width, height, fill="none", stroke="none", weight=1.0, corner=0, **more) -> str:
    """A rectangle with its corner at (x, y)."""
    return tag("rect", x=x, y=y, width=width, height=height, rx=corner or None,
               fill=fill, stroke=stroke, stroke_width=None if stroke == "none" else weight, **more)


def line(*points, color=INK, weight=1.0, **more) -> str:
    """A line through `points`."""
    route = " L".join(f"{value(x)} {value(y)}" for x, y in points)
    return tag("path", d="M" + route, fill="none", stroke=color, stroke_width=weight, **more)


def arrow(start, end, color, weight=2.5) -> str:
    """A straight arrow whose tip is exactly at `end`."""
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0)
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    deep, half = 3.6 * weight, 1.7 * weight
    bx, by = x1 - deep * ux, y1 - deep * uy
    head = [(x1, y1), (bx - half * uy, by + half * ux), (bx + half * uy, by - half * ux)]
    points = " ".join(f"{value(x)},{value(y)}" for x, y in head)
    return (line(start, (bx + ux, by + uy), color=color, weight=weight) + "\n"
            + tag("polygon", points=points, fill=color))


def words(x, y, content, size=14, color=INK, anchor="start", bold=False, **more) -> str:
    """A line of prose or a number."""
    return tag("text", escape(content, quote=False), x=x, y=y, font_size=size, fill=color,
               text_anchor=None if anchor == "start" else anchor,
               font_weight="bold" if bold else None, **more)


def number(entry) -> str:
    """A number with a real minus sign, no trailing zeros and no minus before zero."""
    return f"{float(entry) + 0:g}".replace("-", "\u2212")


def factor(entry) -> str:
    """A number as it stands in a product: a negative one in parentheses."""
    return f"({number(entry)})" if entry < 0 else number(entry)


# ---------------------------------------------------------------------- mathematics

def formula(x, y, *pieces, size=19, color=INK, anchor="start", bold=False, **more) -> str:
    """A line of mathematics: letters slanted, `^{l}` raised, `_{ij}` lowered, both stacked.

    Each piece is a string, or a pair (string, colour); words between bars, |so|, stay prose.
    """
    pairs = [(piece, None) if isinstance(piece, str) else piece for piece in pieces]
    runs = [(*run, shade) for source, shade in pairs for run in scripts(source)]
    return tag("text", "".join(set_runs(runs, size)), x=x, y=y, font_family=SERIF, font_size=size,
               fill=color, text_anchor=None if anchor == "start" else anchor,
               font_weight="bold" if bold else None, **more)


def scripts(source: str):
    """Split `|if | a^{l}_{1} = 0` into pairs (level, signs): raised, lowered, prose or plain."""
    for found in re.finditer(r"\^\{(?P<raised>.*?)\}|_\{(?P<lowered>.*?)\}|\|(?P<prose>.*?)\||"
                             r"(?P<plain>[^\^_|]+)", source):
        yield found.lastgroup, found[found.lastgroup]


def set_runs(runs, size):
    """The spans of a line: each knows how far it moves from the one before it."""
    height, before, owed, small = 0.0, ("plain", ""), 0.0, max(12.0, 0.66 * size)
    for level, signs, shade in runs:
        shift = {"raised": -0.42 * size, "lowered": 0.24 * size}.get(level, 0.0)
        move, owed = owed, 0.0
        if level == "lowered" and before[0] == "raised":
            back = advance(before[1], small)
            move, owed = move - back, max(0.0, back - advance(signs, small))
        elif shift:
            move += (0.09 if level == "raised" and before[1].endswith("W") else 0.04) * size
        look = {"font_size": small} if shift else {}
        if level == "prose":
            look = {"font_family": SANS, "font_size": 14}
        yield from spans(signs, level != "prose", dx=move, dy=shift - height, fill=shade, **look)
        height, before = shift, (level, signs)


def spans(signs, mathematics, dx, dy, **look):
    """Variables slanted, everything else upright; only the first span moves."""
    parts = groupby(signs.replace("-", "\u2212"), key=is_slanted) if mathematics else [(0, signs)]
    for slanted, part in parts:
        yield tag("tspan", escape("".join(part), quote=False), dx=dx or None, dy=dy or None,
                  font_style="italic" if slanted else None, **look)
        dx = dy = 0.0


def is_slanted(sign: str) -> bool:
    """Variables are slanted; digits, operators, the sum sign and the transpose are not."""
    return sign.isalpha() and sign not in "\u03a3T"


def advance(signs: str, size: float) -> float:
    """How far `signs` move the pen, for the few signs that stand in an index."""
    return sum(ADVANCE.get(sign, 564 if sign in "+-=" else 500) for sign in signs) * size / 1000


# ---------------------------------------------------------------------- grids

def grid(name, x, y, entries, cell, color, *, gap=0, size=17, fills=None, inks=None,
         nudge=None) -> str:
    """A matrix of numbers in cells, named so that its numbers can be read back.

    `fills` and `inks` are matrices of colours; `gap` parts it into blocks of 2 × 2;
    `nudge` moves numbers up and left by so many pixels, to leave room in a corner.
    """
    parts, nudge = [], np.zeros(np.shape(entries)) if nudge is None else nudge
    for (row, column), entry in np.ndenumerate(entries):
        left, top = x + column * cell + column // 2 * gap, y + row * cell + row // 2 * gap
        fill = CARD if fills is None else fills[row][column]
        shade = ink(color) if inks is None else inks[row][column]
        parts += [rect(left, top, cell, cell, fill=fill, stroke=FRAME),
                  words(left + cell / 2 - nudge[row, column],
                        top + cell / 2 + 0.36 * size - nudge[row, column],
                        number(entry), size, shade, anchor="middle")]
    return tag("g", *parts, id=name)


def heading(x, y, symbol, content, color) -> str:
    """The name of a thing: its letter in its colour, then its words."""
    letter = tag("tspan", symbol, font_family=SERIF, font_size=23, font_style="italic",
                 fill=ink(color))
    return tag("text", letter, tag("tspan", content, dx=9), x=x, y=y, font_size=14, fill=INK)


def star(x, y, radius=9, color=INK) -> str:
    """The sign of cross-correlation, centred on (x, y); few fonts have it."""
    corners = []
    for k in range(10):
        reach, turn = radius * (0.39 if k % 2 else 1), math.pi * k / 5
        corners.append(f"{value(x + reach * math.sin(turn))},{value(y - reach * math.cos(turn))}")
    return tag("polygon", points=" ".join(corners), fill=color)


# ---------------------------------------------------------------------- the file

def card(name, title, description, height, *parts) -> str:
    """A whole SVG file: an opaque card, its name, and a description for those who cannot see it."""
    body = (tag("title", escape(title, quote=False), id=f"{name}-title"),
            tag("desc", escape(description, quote=False), id=f"{name}-desc"),
            rect(0.5, 0.5, WIDTH - 1, height - 1, fill=CARD, stroke="#D6D6D6", corner=14))
    return tag("svg", *body, *parts, xmlns="http://www.w3.org/2000/svg", width=WIDTH, height=height,
               viewBox=f"0 0 {WIDTH} {height}", role="img", aria_labelledby=f"{name}-title",
               aria_describedby=f"{name}-desc", font_family=SANS) + "\n"


def save(name: str, source: str) -> Path:
    """Write `name`.svg into the folder given on the command line, or beside the scripts."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    target = folder / f"{name}.svg"
    target.write_bytes(source.encode())
    return target
