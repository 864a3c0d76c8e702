"""What the tests of several widgets share: pictures and sentences, read back."""
import re

from matplotlib.figure import Figure
from matplotlib.textpath import text_to_path

POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def number(words):
    """What a printed number means: "−0.25", "1,200", "3.4e−7", "2·10⁻¹⁹"."""
    digits, _, power = words.replace("−", "-").replace(",", "").partition("·10")
    return float(digits) * 10.0**int((power or "0").translate(POWERS))


def number_in(sentence, pattern):
    """The number that a sentence has at the place of the group."""
    return number(re.search(pattern, sentence)[1])


def stage(frame, size):
    """The axes of a picture of this size in pixels, in which what is drawn stays."""
    figure = Figure(figsize=[side / 100 for side in size], dpi=100)
    axes = frame(figure)
    for each in figure.axes:
        each.autoscale(False)
    return axes


def watched(monkeypatch, where, name):
    """The calls of a function that draws from now on: what it got, but for the axes, by name last."""
    calls, draws = [], getattr(where, name)

    def draw(ax, *values, **more):
        calls.append((*values, more))
        return draws(ax, *values, **more)
    monkeypatch.setattr(where, name, draw)
    return calls


def asked(explorer, **values):
    """What an explorer says when these controls are moved, and all others stand at their start."""
    explorer.reset()
    explorer.set(**values)
    return explorer.sentence


def text_width(words, font):
    """How wide these words are in pixels, 100 an inch."""
    return text_to_path.get_text_width_height_descent(words, font, False)[0] * 100 / 72
