"""Letters that can be read: how two colours stand apart, and the darker shade that letters need.

A line of a colour is seen where letters of it are not: thin strokes need more contrast. So what a colour
means is said by lines and areas in the colour itself, and by letters in a shade of it that is dark enough.
"""
from collections.abc import Iterable
from functools import cache

from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

LETTERS, LINES = 4.5, 3.0   # Web Content Accessibility Guidelines 2.2: 1.4.3 for text, 1.4.11 for all else
SMALLEST = 9                # points, where 100 pixels are an inch
PAPER, TINTED = "#FFFFFF", 0.3
BRIGHT = 0.95              # letters brighter than this, white ones, stand on something dark


def luminance(color: str) -> float:
    """The relative luminance of a colour, 0 for black and 1 for white."""
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgba(color)[:3])
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: str, second: str = PAPER) -> float:
    """The contrast ratio of two colours (Web Content Accessibility Guidelines 2.2), 1 to 21."""
    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def mix(base: str, other: str, share: float) -> str:
    """The colour "#RRGGBB" that is `share` of `other` and the rest `base`."""
    pairs = zip(to_rgba(base)[:3], to_rgba(other)[:3], strict=True)
    return "#" + "".join(f"{round(255 * (b + share * (o - b))):02X}" for b, o in pairs)


def tint(color: str, share: float = 0.16) -> str:
    """`color` thinned with white, to lie behind text."""
    return mix(PAPER, color, share)


@cache
def ink(color: str) -> str:
    """`color` darkened just as far as text needs to be read on its own tint."""
    shades = (mix(color, "#000000", step / 50) for step in range(51))
    return next(shade for shade in shades if contrast(shade, tint(color, TINTED)) >= LETTERS)


def darken(texts: Iterable[Text]) -> None:
    """Give letters that are too pale for white paper their ink; those on something dark stay white."""
    for text in texts:
        color = to_hex(text.get_color())
        if _pale(color):
            text.set_color(ink(color))


def unreadable(figure: Figure) -> list[str]:
    """What of a figure's letters is too small or too pale, each as a sentence; nothing when all is well."""
    found = []
    for text in figure.findobj(Text):
        if not (text.get_visible() and text.get_text().strip()):
            continue
        color = mix(PAPER, text.get_color(), text.get_alpha() or to_rgba(text.get_color())[3])
        if text.get_fontsize() < SMALLEST:
            found.append(f"{text.get_text()!r} has letters of {text.get_fontsize():.3g} points; "
                         f"at least {SMALLEST} expected")
        if _pale(color):
            found.append(f"{text.get_text()!r} is written in {color}, {contrast(color):.1f} : 1 on white; "
                         f"at least {LETTERS} expected")
    return found


def _pale(color: str) -> bool:
    return luminance(color) < BRIGHT and contrast(color) < LETTERS
