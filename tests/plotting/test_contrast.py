"""Colours and letters: told apart by everyone, readable on white paper.

How a colour looks to someone who lacks one kind of cone: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes,
"A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), as colorspacious has it.
"""
import itertools
import re
from pathlib import Path

import colorspacious
import numpy as np
import pytest
import refresh
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from helpers.explore.explorer import explore
from helpers.plotting import contrast, figures
from helpers.widgets.landscape import races as landscape_races

ROOT = Path(__file__).resolve().parents[2]
MEANINGS = {name: getattr(figures, name) for name in "INPUT KERNEL OUTPUT GRADIENT THEORY NEUTRAL".split()}
PALETTES = {"meanings": MEANINGS, "races": landscape_races.COLORS}
DEFICIENCIES = ("protanomaly", "deuteranomaly", "tritanomaly")
APART = {"meanings": 10, "races": 9}    # CAM02-UCS; 1 is a difference that can barely be seen


def seen(color, deficiency=None):
    """The colour as sRGB, 0 to 1, to someone without this kind of cone."""
    rgb = np.array(to_rgb(color))
    if deficiency is None:
        return rgb
    space = {"name": "sRGB1+CVD", "cvd_type": deficiency, "severity": 100}
    return np.clip(colorspacious.cspace_convert(rgb, space, "sRGB1"), 0, 1)


def closest(palette, deficiency=None):
    """The least difference of two colours of the palette, and which they are."""
    pairs = itertools.combinations(palette, 2)
    return min((float(colorspacious.deltaE(*(seen(palette[name], deficiency) for name in pair),
                                           input_space="sRGB1")), pair) for pair in pairs)


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
@pytest.mark.parametrize("name", PALETTES)
def test_colours_are_told_apart(name, deficiency):
    apart, pair = closest(PALETTES[name], deficiency)
    assert apart >= APART[name], pair


def test_red_and_green_are_not_told_apart():
    """The simulation sees what it must: this pair is the classic one."""
    pair = {"red": "#B02020", "green": "#5C6B00"}
    assert closest(pair)[0] > 20 and closest(pair, "deuteranomaly")[0] < 10
    grey = [seen("#777777", deficiency) for deficiency in DEFICIENCIES]
    np.testing.assert_allclose(grey, np.full((3, 3), to_rgb("#777777")[0]), atol=0.01)


@pytest.mark.parametrize("color", sorted({color for one in PALETTES.values() for color in one.values()}))
def test_lines_and_letters_of_a_colour_are_seen_on_paper(color):
    assert contrast.contrast(color) >= contrast.LINES
    assert contrast.contrast(contrast.ink(color)) >= contrast.LETTERS
    assert contrast.contrast(contrast.ink(color), contrast.tint(color, contrast.TINTED)) >= contrast.LETTERS


@pytest.mark.parametrize("first, second, ratio", [
    ("#000000", "#FFFFFF", 21), ("#777777", "#FFFFFF", 4.48), ("white", "#FF0000", 4.0), ("0.5", "0.5", 1)])
def test_contrast_is_that_of_the_guidelines(first, second, ratio):
    assert contrast.contrast(first, second) == contrast.contrast(second, first)
    assert round(contrast.contrast(first, second), 2) == ratio


def test_a_mixture_lies_between():
    assert contrast.mix("#000000", "#FFFFFF", 0.2) == "#333333"
    assert contrast.tint("#0000FF", 0.5) == "#8080FF"
    assert contrast.ink("#003300") == "#003300", "dark enough as it is"


# --- every colour that is written down is one of these ---------------------------------------

KNOWN = {to_hex(color).lower() for palette in PALETTES.values() for color in palette.values()}
WRITTEN = re.compile(r"#[0-9A-Fa-f]{6}\b|[\"'](?:C\d|tab:\w+|xkcd:[\w ]+)[\"']")


def strange_colours(text):
    """The colours in a source text that are neither a colour of the series nor grey."""
    found = {color.strip("\"'").lower() for color in WRITTEN.findall(text)}
    return {color for color in found - KNOWN if not color.startswith("#") or len({*to_rgb(color)}) > 1}


def test_notebooks_use_the_colours_of_the_series(notebook):
    code = "\n".join(cell.source for cell in refresh.load(notebook).cells if cell.cell_type == "code")
    assert not strange_colours(code)


def test_other_colours_are_noticed():
    code = 'plot(x, color="C3")\nplot(y, color="#12AB00")\nplot(z, color="#0072b2", mec="#999999")'
    assert strange_colours(code) == {"c3", "#12ab00"}


# --- letters ----------------------------------------------------------------------------------

def written(**look):
    figure = Figure()
    figure.subplots().text(0.5, 0.5, "seven words", **look)
    return figure


@pytest.mark.parametrize("look, said", [
    ({"fontsize": 8.9}, "letters of 8.9 points"), ({"color": figures.OUTPUT}, "3.4 : 1 on white"),
    ({"color": "black", "alpha": 0.3}, "on white"), ({"color": (0, 0, 0, 0.3)}, "on white"),
    ({"color": "#BBBBBB"}, "1.9 : 1")])
def test_letters_too_small_or_too_pale_are_noticed(look, said):
    [sentence] = contrast.unreadable(written(**look))
    assert "'seven words'" in sentence and said in sentence


@pytest.mark.parametrize("look", [
    {"fontsize": 9}, {"color": "white"}, {"color": figures.INPUT}, {"fontsize": 5, "visible": False}])
def test_letters_that_can_be_read_pass(look):
    assert contrast.unreadable(written(**look)) == []


@pytest.mark.parametrize("color, became", [
    (figures.KERNEL, contrast.ink(figures.KERNEL)), ("white", "white"), ("black", "black"),
    (figures.INPUT, figures.INPUT)])
def test_pale_letters_are_given_their_ink(color, became):
    figure = written(color=color)
    contrast.darken(figure.axes[0].texts)
    assert to_hex(figure.axes[0].texts[0].get_color()) == to_hex(became).lower()


def test_a_figure_is_shown_with_letters_in_their_ink_or_not_at_all(monkeypatch):
    shown, figure = [], written(color=figures.GRADIENT)
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    with pytest.raises(ValueError, match="letters of 7 points"):
        figures.show(written(fontsize=7), "Four words or more.")
    assert not shown
    figures.show(figure, "Four words or more.")
    assert shown and contrast.unreadable(figure) == []


def test_letters_of_an_explorer_are_given_their_ink():
    """Those of the frame and those that move."""
    def frame(figure):
        axes = figure.subplots()
        axes.set_title("fixed", color=figures.OUTPUT)
        return axes

    one = explore(lambda axes: axes.text(0, 0, "moving", color=figures.KERNEL), frame)
    assert to_hex(one.result.get_color()) == contrast.ink(figures.KERNEL).lower()
    assert one.stage.figure.axes[0].title.get_color() == contrast.ink(figures.OUTPUT)
