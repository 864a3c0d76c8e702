"""What any front end is told of an explorer, and how it moves it: the page draws it from this alone."""
import json

import pytest
from ipywidgets import (
    Checkbox,
    DatePicker,
    Dropdown,
    FloatLogSlider,
    FloatSlider,
    HBox,
    IntSlider,
    SelectionSlider,
    Text,
    ToggleButtons,
)
from traitlets import Tuple, Unicode

from helpers.explore.explorer import explore


class Pair(HBox):
    """A control of one's own, as the landscape's starting point is."""

    value, description, settings = Tuple(), Unicode(""), [(0, 0), (1, 1)]

    def __init__(self):
        super().__init__([IntSlider(0, 0, 1, description="left"), Checkbox(False, description="<b>right</b>",
                                                                          description_allow_html=True)])
        for child in self.children:
            child.observe(self.follow, "value")
        self.follow()

    def follow(self, _change=None):
        self.value = tuple(child.value for child in self.children)


class Shown:
    """A front end that keeps what it is told."""

    def __init__(self):
        self.told = []

    def show(self, png, sentence):
        self.told.append((png, sentence))

    def complain(self, sentence):
        self.told.append(sentence)


def draw(axes, x=1):
    return 1 / x


def say(x=1):
    return f"The number is {x} now."


def made(control, **more):
    return explore(draw, describe=say, size=(100, 80), x=control, **more)


@pytest.mark.parametrize("control, told, given, value", [
    (IntSlider(2, 1, 9, 2), {"kind": "range", "min": 1, "max": 9, "step": 2, "value": 2, "text": "2"}, 5, 5),
    (FloatSlider(0.5, min=0.1, max=1, step=0.1), {"kind": "range", "value": 0.5, "text": "0.50"}, 1, 1.0),
    (FloatLogSlider(4, base=2, min=-1, max=3, step=1, readout_format=".1f"),
     {"kind": "range", "min": -1, "max": 3, "step": 1, "value": 2.0, "text": "4.0"}, -1, 0.5),
    (SelectionSlider(options=[("one", 1), ("five", 5)]),
     {"kind": "range", "min": 0, "max": 1, "step": 1, "value": 0, "text": "one"}, 1, 5),
    (Dropdown(options={"one": 1, "five": 5}), {"kind": "choice", "options": ["one", "five"]}, 1, 5),
    (ToggleButtons(options=[1, 5]), {"kind": "choice", "options": ["1", "5"], "value": 0}, 1, 5),
    (Checkbox(True), {"kind": "switch", "value": True, "disabled": False}, True, True)])
def test_a_control_is_told_as_data_and_moved_by_what_was_told(control, told, given, value):
    one = made(control, play=["x"])
    [first] = json.loads(json.dumps(one.described()))
    assert first == {**first, "name": "x", "label": "x", "html": False, "play": True, **told}
    one.turn("x", given)
    assert one.values == {"x": value} and one.described()[0]["value"] == given and one.result == 1 / value


def test_a_group_tells_its_parts_and_each_is_moved_by_its_place():
    one = explore(lambda axes, pair: pair, size=(100, 80), pair=Pair())
    [told] = one.described()
    assert told["kind"] == "group"
    assert [(each["name"], each["kind"], each["label"], each["html"]) for each in told["parts"]] == [
        ("pair.0", "range", "left", False), ("pair.1", "switch", "<b>right</b>", True)]
    one.turn("pair.0", 1)
    assert one.values == {"pair": (1, False)} and one.result == (1, False)


def test_a_text_is_a_text_and_what_no_front_end_can_draw_is_refused():
    one = explore(lambda axes, word: word, size=(100, 80), word=Text("a", disabled=True))
    assert one.described()[0] == {**one.described()[0], "kind": "text", "value": "a", "disabled": True}
    one.turn("word", "b")
    assert one.result == "b"
    with pytest.raises(ValueError, match="x: got DatePicker; expected a slider"):
        explore(lambda axes, x: x, size=(100, 80), x=DatePicker()).described()


def test_every_front_end_hears_of_each_picture_and_of_each_error():
    one, early, late = made(IntSlider(1, 0, 3), presets={"high": {"x": 3}}), Shown(), Shown()
    one.show_in(early)
    one.turn("x", 2)
    one.turn("x", 0)
    assert [type(told) for told in early.told] == [tuple, tuple, str]
    assert early.told[1] == (one.png(), "The number is 2 now.") and "division by zero" in early.told[2]
    one.show_in(late)
    assert late.told == early.told[1:], "one that comes late hears what the others see"
    one.press("high")
    assert one.values == {"x": 3} and early.told[-1] == late.told[-1] == (one.png(), one.sentence)
    assert list(one.buttons) == ["high", "Reset"]
    one.press("Reset")
    assert one.values == {"x": 1}


def test_old_widgets_are_refused_with_what_helps(monkeypatch):
    monkeypatch.setattr("ipywidgets.__version__", "7.7.1")
    with pytest.raises(ImportError, match=r"ipywidgets 8, and this is 7\.7\.1: run `%pip install"):
        made(IntSlider(1, 1, 3))
