"""What controls of ipywidgets take, in order and in words; a wrong value is refused in plain words."""
from collections.abc import Sequence

import numpy as np
from ipywidgets import Widget
from traitlets import TraitError


def refuse_others(controls: dict[str, Widget], named: dict[str, Sequence[str]]) -> None:
    """Raise ValueError for a control that is none, and where something names a control that is not there."""
    for name, control in controls.items():
        if not (isinstance(control, Widget) and control.has_trait("value")):
            raise ValueError(f"{name}: a control of ipywidgets expected, such as IntSlider(3, 1, 9), "
                             f"got {control!r}")
    for name, those in named.items():
        if unknown := [one for one in those if one not in controls]:
            raise ValueError(f"{name}: no control has the name {unknown[0]!r}; there are "
                             f"{', '.join(controls)}")


def equal_values(these: dict, those: dict) -> bool:
    """Whether two dictionaries of the same names hold the same values, arrays among them."""
    return all(np.array_equal(value, those[name]) for name, value in these.items())


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


def _options(control):
    """The values to choose from, without their labels: ipywidgets takes values, (label, value) or a dict."""
    if isinstance(control.options, dict):
        return list(control.options.values())
    return [one[1] if isinstance(one, tuple) else one for one in control.options]
