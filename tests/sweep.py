"""Move every control of every explorer of this process: to its ends, its middle, and each option.

nbval runs the cells, but no callback of a widget. tests/runs.py runs a notebook with one cell more at its
end, which calls `report`; the explorers are found by themselves. Each kernel imports what is imported here.
"""
import itertools
import json
from collections.abc import Callable

import ink
import numpy as np
from ipywidgets import Widget
from matplotlib.text import Text
from PIL import Image

from helpers.explore.alive import explorers
from helpers.explore.explorer import Explore
from helpers.plotting import contrast

FAILED = b""
TRIED = 100            # random ones, of which that with the most new pairs is chosen


def report(combinations: int) -> str:
    """Sweep every explorer of this process; the faults of each, as JSON.

    So many settings of all controls together are tried, after each control alone. A cell that ran twice made
    its explorers twice: with the same code, picture and words.
    """
    once = {(getattr(one.draw, "__code__", None), one.sentence, one.png()): one for one in explorers()}
    return json.dumps([faults(one, combinations) for one in once.values()])


def faults(explorer: Explore, combinations: int) -> list[str]:
    """Sweep one explorer and say what is wrong; nothing when all is well."""
    found, first, draw, seen = [], explorer.png(), explorer.draw, {}
    explorer.draw = strict(explorer, draw)
    if explorer.stage.ground:
        explorer.stage.ground = strict(explorer, explorer.stage.ground)
    choices = {name: settings(control) for name, control in explorer.controls.items()}

    def picture(**values):       # the settings of the start stand in the list of each control
        key = repr({**explorer.start, **values})
        if key not in seen:
            seen[key] = look(explorer, found, **values)
        return seen[key]
    for name, values in choices.items():
        if len(values) < 2:
            found.append(f"{name}: more than one setting expected; give the control a list `settings`")
        elif not any(len({picture(**others, **{name: value}) for value in values}) > 1
                     for others in [{}, *one_by_one(name, choices)]):
            found.append(f"{name}: no setting changes the picture")
    for values in [*explorer.presets.values(), *together(choices, combinations)]:
        picture(**values)
    if explorer.stage.perform(draw, explorer.start)[1] != first:
        found.append("the same picture expected for the same values; draw must not remember")
    return list(dict.fromkeys(found))


def settings(control: Widget) -> list:
    """The values to try: those that the control itself names, each option, or both ends and the middle."""
    if hasattr(control, "settings"):
        return list(control.settings)
    if isinstance(control.value, bool):
        return [False, True]
    if control.has_trait("options"):
        options = control.options.items() if isinstance(control.options, dict) else control.options
        values = [one[1] if isinstance(one, tuple) else one for one in options]
        return [(value,) for value in values] if isinstance(control.index, tuple) else values
    if control.has_trait("min") and control.has_trait("max"):
        low, high, step = control.min, control.max, getattr(control, "step", None) or 1
        values = [low, low + (high - low) // (2 * step) * step, high]
        values = [control.base ** value for value in values] if control.has_trait("base") else values
        return [(low, low), (low, high), (high, high)] if isinstance(control.value, tuple) else values
    return [-1, 0, 1] if isinstance(control.value, int | float) else [control.value]


def one_by_one(name: str, choices: dict[str, list]) -> list[dict]:
    """Each setting of each other control, for a control that acts only beside one of them."""
    return [{other: value} for other, values in choices.items() if other != name for value in values]


def together(choices: dict[str, list], most: int) -> list[dict]:
    """Settings of all controls at once, so that each two settings of two controls meet, as far as may be."""
    sizes, rng, chosen = [len(values) for values in choices.values()], np.random.default_rng(0), []
    missing = {((i, a), (k, b)) for i, k in itertools.combinations(range(len(sizes)), 2)
               for a in range(sizes[i]) for b in range(sizes[k])}
    while missing and len(chosen) < most:
        rows = rng.integers(sizes, size=(TRIED, len(sizes))).tolist()
        new = [missing.intersection(itertools.combinations(enumerate(row), 2)) for row in rows]
        best = max(range(TRIED), key=lambda k: len(new[k]))
        missing -= new[best]
        chosen.append({name: choices[name][at] for name, at in zip(choices, rows[best], strict=True)})
    return chosen


def look(explorer: Explore, found: list[str], **values) -> bytes:
    """Move these controls, and the others to their start; note what is wrong; return the picture."""
    where = ", ".join(f"{name}={value!r}" for name, value in values.items())
    failures = len(explorer.errors)
    try:
        move(explorer, values)
        picture = Image.fromarray(np.asarray(explorer.stage.canvas.buffer_rgba())).convert("RGB")
        fault = ink.fault(picture.reduce(max(1, picture.width // explorer.size[0])))
    except Exception as error:   # of any kind: it is reported, and the sweep goes on
        found.append(f"{where}: {type(error).__name__}: {error}")
        return FAILED
    if len(explorer.errors) > failures:
        found.append(f"{where}: {explorer.errors[-1]!r} was recorded")
    if fault:
        found.append(f"{where}: the picture {fault}")
    return explorer.png()


def move(explorer: Explore, values: dict) -> None:
    """Bring these controls to their values and all others to their start, in one picture where it can be."""
    try:
        explorer.set(**{**explorer.start, **values})
        moved = all(np.array_equal(explorer.values[name], value) for name, value in values.items())
    except ValueError:
        moved = False
    if not moved:                # a control may move others, which are not to be held back
        explorer.reset()
        explorer.set(**values)


def strict(explorer: Explore, draw: Callable) -> Callable:
    """Its `draw` or ground, which now raises for numbers that are not finite, and letters too small, too."""
    def watched(axes, **values):
        result = draw(axes, **values)
        images = [image.get_array() for each in explorer.stage.figure.axes for image in each.images]
        if not finite(result) or not finite(images):
            raise ValueError("finite numbers expected in images and in what draw returns")
        contrast.darken(explorer.stage.figure.findobj(Text))
        if found := contrast.unreadable(explorer.stage.figure):
            raise ValueError(found[0])
        return result
    return watched


def finite(result: object) -> bool:
    """Whether there is no infinity and no NaN, as far as these are numbers.

    Matplotlib masks the NaN of an image; here a masked number must be finite as well.
    """
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, tuple | list):
        return all(map(finite, result))
    numbers = np.asarray(result)
    return numbers.dtype.kind not in "fc" or bool(np.isfinite(numbers).all())
