"""An explorer without a browser: what it draws, says, refuses, records, and leaves behind (nothing)."""
import asyncio
import base64
import gc
import io
import math
import re

import matplotlib.pyplot as plt
import numpy as np
import psutil
import pytest
from ipywidgets import (
    Checkbox,
    Dropdown,
    FloatLogSlider,
    FloatSlider,
    IntSlider,
    SelectionSlider,
    SelectMultiple,
    Text,
    ToggleButtons,
)
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure
from PIL import Image

from helpers.explore import panel, raster
from helpers.explore.album import Album
from helpers.explore.alive import explorers
from helpers.explore.explorer import explore
from helpers.plotting.lettering import Canvas

VIEW = "application/vnd.jupyter.widget-view+json"
SIZE = 320, 200


def frame(figure):
    axes = figure.subplots()
    axes.set(xlim=(0, 6), ylim=(-3, 3), title="A wave")
    return axes


def draw(axes, height=1, kind="sine", filled=False):
    x = np.linspace(0, 6, 40)
    y = height * (np.sin(x) if kind == "sine" else np.cos(x))
    axes.plot(x, y)
    axes.text(1, 2, f"{height} high")
    if filled:
        axes.fill_between(x, 0, y)
    if height == 3:
        raise ZeroDivisionError("three is too high")
    return height * 10


def describe(height=1, kind="sine", filled=False):
    return f"A {kind} <of> height {height}, {'filled' if filled else 'a line'}."


def wave(**changes):
    usual = {"draw": draw, "frame": frame, "describe": describe, "size": SIZE, "height": IntSlider(1, 0, 3),
             "kind": Dropdown(options=["sine", "cosine"]), "filled": Checkbox(False)}
    return explore(**{**usual, **changes})


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


# --- what it draws and says ------------------------------------------------------------------

def test_values_result_and_sentence_follow_the_controls():
    one = wave()
    assert (one.values, one.result) == ({"height": 1, "kind": "sine", "filled": False}, 10)
    before = one.png()
    one.controls["height"].value = 2                 # as the browser does
    assert (one.result, one.sentence) == (20, "A sine <of> height 2, a line.")
    assert not np.array_equal(pixels(before), pixels(one.png()))


@pytest.mark.parametrize("density", [1, 2])
def test_the_picture_is_as_sharp_as_asked_and_always_of_one_size(density):
    one = wave(density=density)
    assert (one.panel.picture.width, one.panel.picture.height) == ("320", "200")
    for values in ({}, {"height": 2}, {"kind": "cosine", "filled": True}):
        one.set(**values)
        assert pixels(one.png()).shape == (200 * density, 320 * density, 4)
        assert (pixels(one.png())[..., 3] == 255).all()
        assert bytes(one.panel.picture.value) == one.png()


@pytest.mark.parametrize("ratio, density", [(0.8, 1), (1, 1), (1.25, 2), (2, 2), (3.5, 2)])
def test_the_picture_has_the_pixels_of_the_screen_and_two_for_each_at_most(ratio, density):
    one, same = wave(), wave(density=density)
    one.panel.root.children[-2].value = ratio            # as the browser does
    assert pixels(one.png()).shape == (200 * density, 320 * density, 4)
    assert bytes(one.panel.picture.value) == one.png()
    for values in ({"height": 2}, {"kind": "cosine", "filled": True}):
        one.set(**values)
        same.set(**values)
        assert pixels(one.png()).shape == (200 * density, 320 * density, 4)
        assert np.abs(pixels(one.png()).astype(int) - pixels(same.png())).mean() < 2
    one.fit(2)
    same = wave()
    same.set(**one.values)
    assert one.png() == same.png(), "nothing is left of the other screen"


def test_a_picture_is_kept_where_a_front_end_gives_it_room_and_nowhere_else():
    def draw_and_count(axes, height, kind, filled):
        drawn.append(height)
        return height, len(drawn)
    drawn = []
    one = wave(draw=draw_and_count)
    for height in 2, 0, 2:
        one.set(height=height)
    assert drawn == [1, 2, 0, 2], "in Jupyter what draw uses may have changed meanwhile"
    one.album, drawn[:] = Album(2), []
    for height in 1, 2, 1, 0, 1, 2:
        one.set(height=height)
        assert one.result[0] == height and one.sentence.startswith(f"A sine <of> height {height}")
    assert drawn == [1, 2, 0, 1, 2], "of two settings the older one gives way"
    one.fit(1)
    assert drawn == [1, 2, 0, 1, 2, 2] and pixels(one.png()).shape == (200, 320, 4)


def test_what_is_not_finished_or_fails_is_not_kept():
    def advance(seconds, n):
        calls.append(n)
        return len(calls) % 3 == 0

    calls = [1, 1]
    one = explore(lambda axes, n: 1 / n + len(calls), size=SIZE, advance=advance, n=IntSlider(1, 0, 3))
    one.album = Album(9)
    one.turn("n", 2)                                     # without a loop it fills in at once
    one.turn("n", 0)
    one.turn("n", 2)
    assert calls == [1] * 3 + [2] * 3 + [0], "the picture of 2 was kept, when it was finished"
    assert one.result == one.album.find({"n": 2})[0] == 6.5 and one.album.find({"n": 0}) is None


def test_a_ground_is_drawn_anew_for_another_screen():
    def ground(axes, kind):
        drawn.append(kind)
        axes.axhspan(-2, 2)
    drawn = []
    one = wave(ground=ground)
    one.fit(1)
    one.set(height=2)
    assert drawn == ["sine", "sine"] and pixels(one.png()).shape == (200, 320, 4)


def test_the_picture_is_the_one_that_a_whole_figure_would_be():
    whole = Figure(figsize=(3.2, 2), dpi=200)
    Canvas(whole)
    draw(frame(whole), 2, "cosine", True)
    wanted = io.BytesIO()
    whole.savefig(wanted, format="png", dpi=200)
    one = wave()
    one.set(height=2, kind="cosine", filled=True)
    # The moving part lies above the spines, which a whole figure draws last.
    different = (np.abs(pixels(one.png()).astype(int) - pixels(wanted.getvalue())).max(axis=2) > 40).mean()
    assert different < 0.005


def test_letters_and_the_rest_of_the_png_survive_the_encoding():
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=np.uint8)
    assert np.array_equal(pixels(raster.encode(picture)), picture)


def test_without_a_frame_and_without_a_description():
    one = explore(lambda axes, height: axes.plot([0, height]), size=SIZE, height=IntSlider(1, 0, 3))
    assert one.sentence == "The picture for height = 1."


def test_a_frame_of_several_axes_bars_a_legend_and_an_image():
    def build(figure):
        left, right = figure.subplots(1, 2)
        right.set(xlim=(0, 4), ylim=(0, 4))
        figure.colorbar(left.imshow(np.eye(3)), ax=left)
        return left, right

    def both(axes, n):
        axes[0].imshow(np.full((3, 3), n), vmin=0, vmax=4)
        axes[1].bar([1, 2], [n, 1], label="bars")
        axes[1].errorbar([1], [n], yerr=[0.5])
        axes[1].legend()
        axes[1].inset_axes([0.5, 0.5, 0.4, 0.4]).plot([n, 1])
    one = explore(both, build, size=SIZE, n=IntSlider(1, 0, 4))
    before, first = one.stage.figure.findobj(), one.png()
    one.set(n=3)
    one.reset()
    assert one.png() == first and len(one.stage.figure.findobj()) == len(before)
    assert one.stage.axes[1].containers == []


@pytest.mark.parametrize("change", [lambda axes: axes.set_title("another"), lambda axes: axes.set_xlim(0, 9),
                                    lambda axes: axes.set_xlabel("x")])
def test_a_draw_that_changes_the_fixed_part_is_told_so(change):
    def meddle(axes, height):
        axes.plot([0, height])
        if height == 2:
            change(axes)
    one = explore(meddle, frame, size=SIZE, height=IntSlider(1, 0, 3))
    with pytest.raises(ValueError, match="belong to frame"):
        one.set(height=2)
    one.set(height=3)                                # and harms no later picture


@pytest.mark.parametrize("settings", [3, 2 * raster.KEPT])
def test_a_ground_lies_below_all_that_moves_and_is_kept_for_a_few_settings(settings):
    drawn = []

    def ground(axes, height):
        drawn.append(height)
        axes.axvspan(0, 6, color=f"C{height % 10}", zorder=99)

    def whole(axes, height, **others):
        axes.axvspan(0, 6, color=f"C{height % 10}", zorder=-1)
        draw(axes, **others)
    slider = IntSlider(0, 0, settings)
    one = wave(ground=ground, draw=lambda axes, height, **others: draw(axes, **others), height=slider)
    other = wave(draw=whole, height=IntSlider(0, 0, settings))
    for height in [*range(settings)] * 2:
        for each in (one, other):
            each.set(height=height, kind=("sine", "cosine")[height % 2])
        assert one.png() == other.png()
    assert drawn == [*range(settings)] * (1 if settings <= raster.KEPT else 2)
    assert len(one.stage.kept) <= 1 + raster.KEPT


# --- what it refuses -------------------------------------------------------------------------

@pytest.mark.parametrize(("values", "words"), [
    ({"depth": 2}, "depth: no control has this name; there are height, kind, filled"),
    ({"height": 4}, "height: a whole number from 0 to 3 expected, got 4"),
    ({"height": "two"}, "height: a whole number from 0 to 3 expected, got 'two'"),
    ({"kind": "tangent"}, "kind: one of 'sine', 'cosine' expected, got 'tangent'"),
    ({"filled": "yes"}, "filled: True or False expected, got 'yes'"),
    ({"height": 2, "kind": "tangent"}, "kind: one of"),
])
def test_set_refuses_in_plain_words_and_moves_nothing(values, words):
    one = wave()
    before, picture = one.values, one.png()
    with pytest.raises(ValueError, match=re.escape(words)):
        one.set(**values)
    assert (one.values, one.png(), one.errors) == (before, picture, [])


def test_labels_are_not_values():
    numbers = ToggleButtons(options=[("one", 1), ("two", 2)])
    one = explore(lambda axes, n: axes.plot([0, n]), size=SIZE, n=numbers)
    with pytest.raises(ValueError, match="n: one of 1, 2 expected, got 'two'"):
        one.set(n="two")


@pytest.mark.parametrize(("changes", "words"), [
    ({"height": 3}, "height: a control of ipywidgets expected"),
    ({"describe": lambda **_: ""}, "describe: a sentence expected, got ''"),
    ({"describe": lambda **_: None}, "describe: a sentence expected, got None"),
    ({"frame": lambda figure: None}, "frame: it returned None"),
    ({"presets": {"deep": {"depth": 3}}}, "deep: no control has the name 'depth'; there are height, kind"),
    ({"play": ["width"]}, "play: no control has the name 'width'"),
    ({"ground": lambda axes, width: None}, "ground: no control has the name 'width'"),
])
def test_a_wrong_construction_is_refused(changes, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        wave(**changes)


def test_an_error_in_the_first_picture_is_raised():
    with pytest.raises(ZeroDivisionError):
        wave(height=IntSlider(3, 0, 3))


# --- errors later ----------------------------------------------------------------------------

def test_an_error_is_shown_and_recorded_and_the_last_good_picture_stays():
    one = wave()
    good, sentence = one.png(), one.sentence
    one.controls["height"].value = 3
    assert [str(error) for error in one.errors] == ["three is too high"]
    assert one.panel.error.layout.display == "" and 'role="alert"' in one.panel.error.value
    shown = one.panel.error.value
    assert "ZeroDivisionError: three is too high" in shown and "of draw: raise ZeroDivisionError(" in shown
    assert (one.png(), one.sentence, one.result) == (good, sentence, 10)
    one.controls["height"].value = 2
    assert one.panel.error.layout.display == "none" and one.result == 20
    with pytest.raises(ZeroDivisionError):
        one.set(height=3)


def test_an_error_in_describe_is_one_as_well():
    one = wave(describe=lambda height, **_: f"A wave of one over {1 / (2 - height)} metres")
    one.controls["height"].value = 2
    assert len(one.errors) == 1 and "ZeroDivisionError" in one.panel.error.value


# --- a picture that takes long ---------------------------------------------------------------

def slowly(fails_at=None, first=1):
    """An explorer whose picture of n needs n steps, each of them a whole slice; what was drawn: (n, done)."""
    done, drawn = {}, []

    def advance(seconds, n):
        done[n] = n if seconds == math.inf else min(n, done.get(n, 0) + 1)
        if done[n] == fails_at:
            raise ZeroDivisionError("no such step")
        return done[n] == n

    def count(axes, n):
        drawn.append((n, done[n]))
        return done[n]
    one = explore(count, size=SIZE, advance=advance, n=IntSlider(first, 1, 9))
    drawn.clear()
    return one, drawn


def test_a_slow_picture_is_finished_at_first_by_set_and_where_no_loop_runs():
    one, drawn = slowly(first=5)
    assert one.result == 5 and one.finished, "what a cell shows, and stores"
    one.set(n=4)
    assert one.result == 4 and one.finished
    one.controls["n"].value = 6                      # as the browser does
    assert drawn[-1] == (6, 6) and one.finished
    before = len(drawn)
    assert one.go_on(1) and len(drawn) == before, "nothing is left to do"


def test_in_a_running_loop_it_fills_in_while_controls_move():
    one, drawn = slowly()

    async def learner():
        one.controls["n"].value = 5
        assert drawn == [(5, 1)] and not one.finished, "at once, as far as it is"
        while drawn[-1] != (5, 3):
            await asyncio.sleep(0)
        first = one._task
        one.controls["n"].value = 3                  # another one, before that is finished
        assert one._task is first
        await first
        assert drawn[3:] == [(3, 1), (3, 2), (3, 3)] and one.finished, "no step of the other"
        one.controls["n"].value = 5
        await one._task
        assert drawn[6:] == [(5, 4), (5, 5)], "it goes on where it was"
        one.controls["n"].value = 7
        one.set(n=8)
        await one._task
        assert drawn[8:] == [(7, 1), (8, 1), (8, 8)], "set waits for the end"
    asyncio.run(learner())


def test_an_error_between_two_messages_is_shown_and_recorded():
    one, drawn = slowly(fails_at=3)

    async def learner():
        one.controls["n"].value = 5
        await one._task
    asyncio.run(learner())
    assert [str(error) for error in one.errors] == ["no such step"] and drawn == [(5, 1), (5, 2)]
    assert "ZeroDivisionError: no such step" in one.panel.error.value and one.finished


# --- reset, and one picture for many changes -------------------------------------------------

def counted(**changes):
    calls = []
    one = wave(draw=lambda axes, **values: (calls.append(values), draw(axes, **values)), **changes)
    calls.clear()
    return one, calls


def test_many_controls_are_one_picture_and_the_start_is_the_same_again():
    one, calls = counted()
    first = one.png()
    one.set(height=2, kind="cosine", filled=True)
    one.reset()
    assert [call["height"] for call in calls] == [2, 1] and one.png() == first
    start, widgets = one.values, one.panel.root.children[0].children
    one.set(height=2, filled=True)
    next(widget for widget in widgets if widget.description == "Reset").click()
    assert (one.values, one.png()) == (start, first)


def test_a_control_that_moves_another_one_is_one_picture():
    kind = Dropdown(options=["sine", "cosine"])
    height = IntSlider(1, 0, 3)
    kind.observe(lambda change: setattr(height, "value", 2), "value")
    one, calls = counted(kind=kind, height=height)
    kind.value = "cosine"
    assert calls == [{"height": 2, "kind": "cosine", "filled": False}]


# --- what a cell shows -----------------------------------------------------------------------

def test_one_output_lives_shows_and_says():
    one = wave()
    one.set(height=2)
    bundle = one._repr_mimebundle_()
    assert set(bundle) == {VIEW, "text/html", "text/plain"}
    assert bundle[VIEW]["model_id"] == one.panel.root.model_id
    assert bundle["text/plain"] == one.sentence
    page = bundle["text/html"]
    assert 'alt="A sine &lt;of&gt; height 2, a line." width="320" height="200"' in page
    assert page.endswith("<p>A sine &lt;of&gt; height 2, a line.</p>")


def test_the_still_picture_keeps_colours_in_few_bytes():
    def red_line(axes, height):
        rng = np.random.default_rng(0)
        axes.imshow(rng.random((50, 50)), extent=(0, 6, -3, 3), cmap="gray", aspect="auto")
        axes.plot([1, 5], [height, height], color="red", lw=2)
    one = explore(red_line, frame, size=SIZE, height=IntSlider(1, 0, 3))
    small = base64.b64decode(re.search("base64,([^\"]+)", one._repr_mimebundle_()["text/html"])[1])
    still = np.asarray(Image.open(io.BytesIO(small)).convert("RGB")).astype(int)
    assert len(small) < len(one.png()) and still.shape == (400, 640, 3)
    assert np.abs(still - pixels(one.png())[..., :3]).max() < 40


def test_every_control_has_a_name_of_the_same_width_but_for_checkboxes():
    one = wave(kind=ToggleButtons(options=["sine", "cosine"], description="kind of wave"),
               filled=Checkbox(False, description="fill the room between the wave and the axis"))
    assert one.panel, "labels get their width there"
    names = [control.description for control in one.controls.values()]
    assert names == ["height", "kind of wave", "fill the room between the wave and the axis"]
    assert {control.style.description_width for control in one.controls.values()} == {"13ch"}


@pytest.mark.parametrize("label, width", [("seed", "5ch"), ("随机种子", "9ch"), ("步长 η·λ", "9ch")])
def test_a_chinese_sign_has_the_room_of_two_letters(label, width):
    controls = {"one": IntSlider(description=label)}
    panel.align(controls)
    assert controls["one"].style.description_width == width


def buttons(one):
    """The buttons below the controls, by name."""
    grid = one.panel.root.children[0]
    row = grid.children[-1]
    return {each.description: each for each in getattr(row, "children", [row])}


def test_a_preset_is_a_button_and_reset_the_last_of_them():
    one = wave(presets={"tall": {"height": 2, "kind": "cosine"}, "full": {"filled": True}})
    assert list(buttons(one)) == ["tall", "full", "Reset"] and list(buttons(wave())) == ["Reset"]
    buttons(one)["tall"].click()
    assert one.values == {"height": 2, "kind": "cosine", "filled": False} and one.result == 20
    buttons(one)["full"].click()
    assert one.values == {"height": 2, "kind": "cosine", "filled": True}
    buttons(one)["Reset"].click()
    assert one.values == one.start


def player(one, name):
    """The Play button beside a control."""
    row, = (part for part in one.panel.root.children[0].children
            if one.controls[name] in getattr(part, "children", ()))
    return row.children[1]


@pytest.mark.parametrize("control, values", [
    (IntSlider(4, 2, 6, 2), [2, 4, 6]), (FloatSlider(0.5, min=0, max=1, step=0.25), [0, 0.25, 0.5, 0.75, 1]),
    (FloatLogSlider(1, base=2, min=-1, max=2, step=1), [0.5, 1, 2, 4]),
    (SelectionSlider(options=[("one", 1), ("three", 3), ("nine", 9)], value=3), [1, 3, 9]),
    (SelectionSlider(options={"one": 1, "three": 3, "nine": 9}, value=3), [1, 3, 9])])
def test_play_goes_through_the_steps_of_its_slider(control, values):
    one = explore(lambda axes, x: x, size=SIZE, play=["x"], x=control)
    button, seen = player(one, "x"), []
    for tick in range(button.max + 1):                # as the browser does
        button.value = tick
        seen.append(one.result)
    assert seen == values
    one.set(x=values[1])
    assert button.value == 1, "it goes on from where the slider is"
    between = values[0] + 0.9 * (values[1] - values[0])
    if isinstance(control.value, float):
        one.set(x=between)
        assert one.values["x"] == one.result == between, "a value between two steps stays"
    assert not button.show_repeat and button.interval == 125


def test_play_follows_new_limits_of_its_slider():
    step = IntSlider(9, 1, 9)
    one = explore(lambda axes, step: step, size=SIZE, play=["step"], step=step)
    step.max = 4
    assert player(one, "step").max == player(one, "step").value == 3 and one.result == 4


@pytest.mark.parametrize("sign, lines", [("a", 5), ("图", 9)])
def test_the_room_of_a_sentence_has_a_line_to_spare_and_never_shrinks(sign, lines):
    one = explore(lambda axes, n: n, describe=lambda n: f"It has these signs: {n * sign}", size=SIZE,
                  n=IntSlider(1, 1, 200))
    room = one.panel.sentence.layout
    assert room.min_height == "2.8em"
    one.set(n=200)
    assert room.min_height == f"{1.4 * lines:.1f}em"
    one.set(n=1)
    assert room.min_height == f"{1.4 * lines:.1f}em"


def test_words_reach_the_picture_and_the_live_sentence():
    one = wave()
    one.set(height=2)
    assert one.panel.picture.tooltip == one.sentence
    assert "A sine &lt;of&gt; height 2" in one.panel.sentence.value
    assert "aria-live" in panel.ACCESSIBLE and "aria-label" in panel.ACCESSIBLE


# --- nothing is left behind ------------------------------------------------------------------

def test_pictures_leave_nothing_behind():
    """Neither figures of pyplot, nor artists or widgets, nor memory."""
    opened = plt.get_fignums()
    one = wave(density=1, height=FloatSlider(1, min=0, max=2, step=0.001))

    def census():
        gc.collect()
        figures = sum(type(thing) is Figure for thing in gc.get_objects())
        return figures, len(_instances), len(one.stage.figure.findobj()), len(one.stage.figure._localaxes)
    for k in range(100):                             # caches of fonts and paths are full by then
        one.controls["height"].value = k / 50
    before, memory = census(), psutil.Process().memory_info().rss
    for k in range(100):                             # of 256 kB each
        one.controls["height"].value = k / 50 + 0.001
    assert census() == before and plt.get_fignums() == opened
    assert psutil.Process().memory_info().rss - memory < 10e6


def test_the_first_explorer_takes_what_is_there_out_of_garbage_collections_and_no_later_one_does():
    wave()
    frozen = gc.get_freeze_count()
    wave()
    assert 10_000 < gc.get_freeze_count() <= frozen


def test_explorers_are_found_while_they_live():
    one, two = wave(), wave()
    assert explorers()[-2:] == [one, two]


def test_other_controls_can_be_set():
    one = explore(lambda axes, words, some: axes.text(0.5, 0.5, f"{words} {some}"), size=SIZE,
                  words=Text("a"), some=SelectMultiple(options=[1, 2, 3], value=(1,)))
    one.set(words="b", some=(2, 3))
    assert one.values == {"words": "b", "some": (2, 3)}
    with pytest.raises(ValueError, match="some: one of 1, 2, 3 expected, got \\(4,\\)"):
        one.set(some=(4,))
