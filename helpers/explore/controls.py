"""What controls of ipywidgets are and take, as data and in words; a wrong value is refused in plain words."""
import math
from collections.abc import Sequence

import ipywidgets
import numpy as np
from ipywidgets import Box, Widget
from traitlets import TraitError

from helpers.language import say


def refuse_others(controls: dict[str, Widget], named: dict[str, Sequence[str]]) -> None:
    """Raise ValueError for a control that is none, and where something names a control that is not there.

    Raises ImportError where ipywidgets is older than version 8.
    """
    _refuse_old_widgets()
    for name, control in controls.items():
        if not (isinstance(control, Widget) and control.has_trait("value")):
            raise ValueError(f"{name}: a control of ipywidgets expected, such as IntSlider(3, 1, 9), "
                             f"got {control!r}")
    for name, those in named.items():
        if unknown := [one for one in those if one not in controls]:
            raise ValueError(f"{name}: no control has the name {unknown[0]!r}; there are "
                             f"{', '.join(controls)}")


def label(controls: dict[str, Widget]) -> None:
    """Name controls, their parts and their options in the language of the reader; by key what has no name."""
    for name, control in controls.items():
        control.description = say(control.description or name.replace("_", " "))
        parts = [child for child in getattr(control, "children", ()) if child.has_trait("description")]
        label({str(k): part for k, part in enumerate(parts) if part.description})
        if control.has_trait("options") and (new := list(map(say, _labels(control)))) != _labels(control):
            value = control.value
            control.options = list(zip(new, _options(control), strict=True))
            control.value = value


def _refuse_old_widgets():
    """As in Colab; it says what helps."""
    if int(ipywidgets.__version__.partition(".")[0]) < 8:
        raise ImportError(f"Sliders need ipywidgets 8, and this is {ipywidgets.__version__}: run "
                          "`%pip install ipywidgets==8.1.7` in a cell, then restart the kernel.")


def equal_values(these: dict, those: dict) -> bool:
    """Whether two dictionaries of the same names hold the same values, arrays among them."""
    return all(np.array_equal(value, those[name]) for name, value in these.items())


def assign_all(controls: dict[str, Widget], values: dict) -> None:
    """Give controls values, by name; where one is not allowed raise ValueError, and leave all as it was."""
    old = {name: control.value for name, control in controls.items()}
    order = list(controls)                        # a control may set the limits of a later one
    try:
        for name in sorted(values, key=lambda name: order.index(name) if name in order else -1):
            assign(controls, name, values[name])
    except ValueError:
        for name, value in old.items():
            controls[name].value = value
        raise


def assign(controls: dict[str, Widget], name: str, value: object) -> None:
    """Give a control a value; raise ValueError in plain words when there is no such control or value."""
    if name not in controls:
        raise ValueError(f"{name}: no control has this name; there are {', '.join(controls)}")
    control = controls[name]
    try:
        control.value = value
        taken = np.array_equal(control.value, value)       # sliders cut off, silently, what is too large
    except TraitError:
        taken = False
    if not taken:
        raise ValueError(f"{name}: {allowed(control)} expected, got {value!r}")


def allowed(control: Widget) -> str:
    """Say which values a control takes."""
    if control.has_trait("options"):
        return "one of " + ", ".join(map(repr, _options(control)))
    if control.has_trait("min") and control.has_trait("max"):
        kind = "a whole number" if isinstance(control.value, int) else "a number"
        ends = [control.base**end if control.has_trait("base") else end for end in (control.min, control.max)]
        return f"{kind} from {ends[0]} to {ends[1]}"
    if isinstance(control.value, bool):
        return "True or False"
    return f"a value like {control.value!r}"


def stations(control: Widget) -> list:
    """The values of a slider in order: its options, or min, min + step, …; if it has a base, its powers."""
    if control.has_trait("options"):
        return _options(control)
    steps = range(round((control.max - control.min) / control.step) + 1)
    values = [control.min + k * control.step for k in steps]
    return [control.base**value for value in values] if control.has_trait("base") else values


def described(name: str, control: Widget) -> dict:
    """What a control is, as plain data, from which any front end can draw it.

    `name`, `label`, `disabled`, and `kind`: "range" with min, max, step, value, and its value in words as
    `text`; "choice" with its options and the place of the chosen one as `value`; "switch" and "text" with
    their value; "group", a control of one's own, with its `parts`. `html` says that the label is HTML.

    Raises ValueError for a control of another kind.
    """
    told = {"name": name, "label": control.description,
            "disabled": getattr(control, "disabled", False),
            "html": getattr(control, "description_allow_html", False)}
    if isinstance(control, Box):
        return {**told, "kind": "group",
                "parts": [described(f"{name}.{k}", child) for k, child in enumerate(control.children)]}
    if control.has_trait("options"):
        return {**told, **_choice(control)}
    if control.has_trait("readout_format"):
        return {**told, **_range(control)}
    if isinstance(control.value, bool | str):
        return {**told, "kind": "switch" if isinstance(control.value, bool) else "text",
                "value": control.value}
    raise ValueError(f"{name}: got {type(control).__name__}; expected a slider, a choice, a checkbox, "
                     "a text, or a box of them")


def part(controls: dict[str, Widget], path: str) -> Widget:
    """The control of this name, or the part of a group: "start.1" is the second of `start`."""
    name, *places = path.split(".")
    found = controls[name]
    for place in places:
        found = found.children[int(place)]
    return found


def understood(control: Widget, value: object) -> object:
    """The value that a control takes for one that a front end gives as `described` does."""
    if control.has_trait("options"):
        return _options(control)[int(value)]
    if control.has_trait("base"):
        return control.base**value
    return type(control.value)(value)


def _choice(control):
    labels = _labels(control)
    if control.has_trait("readout"):              # a slider whose places have names
        return {"kind": "range", "min": 0, "max": len(labels) - 1, "step": 1, "value": control.index,
                "text": labels[control.index]}
    return {"kind": "choice", "options": labels, "value": control.index}


def _range(control):
    value = math.log(control.value, control.base) if control.has_trait("base") else control.value
    return {"kind": "range", "min": control.min, "max": control.max, "step": control.step, "value": value,
            "text": format(control.value, control.readout_format)}


def _labels(control):
    """What is read of the values to choose from."""
    return [str(one[0] if isinstance(one, tuple) else one) for one in control.options]


def _options(control):
    """The values to choose from, without their labels: ipywidgets takes values, (label, value) or a dict."""
    if isinstance(control.options, dict):
        return list(control.options.values())
    return [one[1] if isinstance(one, tuple) else one for one in control.options]
