"""Sliders that move a picture at once: write a pure `draw(axes, **values)`, and `explore` does the rest."""
import traceback
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ipywidgets import Widget

from helpers.explore.controls import assign, equal_values, refuse_others
from helpers.explore.panel import Panel, still
from helpers.explore.raster import Stage

FEWEST_WORDS = 4     # of a sentence that describes a picture, as tools/notebook_rules.py counts
_made: list[weakref.ref] = []


def explore(draw: Callable, frame: Callable | None = None, describe: Callable | None = None, *,
            size: tuple[int, int] = (640, 320), density: float = 2, presets: dict[str, dict] | None = None,
            play: Sequence[str] = (), **controls: Widget) -> "Explore":
    """Show controls and the picture that they move; end a cell with it.

    `draw(axes, **values)` adds to the axes what moves: it is called for each change, and what it
    added is removed after it was pictured. `frame(figure)` builds what never changes and returns
    the axes. `describe(**values)` says in one sentence what there is to see. `size` is in CSS
    pixels, 100 an inch; `density` is the number of drawn pixels for each of them.

        explore(draw, frame, describe, depth=IntSlider(3, 1, 9), rule=Dropdown(options=["max", "mean"]))

    Each of the `presets` becomes a button with this name, which sets its values: {"deep": {"depth": 9}}.
    Each slider in `play` gets a Play button, which takes it to its end, step by step.

    A control of one's own is any widget with a trait `value` and a list `settings`, of which the
    tests try each.

    Raises ValueError for a control that is none, for a preset or a Play button of a control that does
    not exist, and for a sentence that says nothing; an error
    in the first picture is raised, later ones are shown to the learner and kept in `errors`.
    """
    return Explore(draw, frame, describe, size, density, controls, presets or {}, play)


def explorers() -> list["Explore"]:
    """Every explorer of this process that is still alive, in the order of their making."""
    return [one for reference in _made if (one := reference()) is not None]


class Explore:
    """Live controls in Jupyter, a picture with words elsewhere, and without a browser an object to ask.

    `values` are those of the controls, and `start` those they began with; `result` is what `draw`
    returned, `sentence` what `describe` says; `errors` are the exceptions of both, oldest first.
    `presets` are settings by name; `stage` holds the figure, and `panel` the widgets.
    """

    def __init__(self, draw, frame, describe, size, density, controls, presets, play):
        """As `explore`, which says what is expected; draw the first picture."""
        refuse_others(controls, {**presets, "play": play})
        self.draw, self.describe, self.controls, self.size = draw, describe, controls, size
        self.presets = presets
        self.errors: list[Exception] = []
        self.start, self._shown, self._moving = self.values, self.values, False
        self.stage = Stage(frame, size, density)
        settings = {**presets, "Reset": self.start}
        self.panel = Panel(controls, size, {name: partial(self._move, to) for name, to in settings.items()},
                           play)
        self._show(*self._picture())
        for control in controls.values():
            control.observe(self._changed, "value")
        _made.append(weakref.ref(self))

    @property
    def values(self) -> dict:
        """The value of each control, by its name."""
        return {name: control.value for name, control in self.controls.items()}

    def png(self) -> bytes:
        """The picture as a PNG file of `density` times `size` pixels."""
        return self._png

    def set(self, **values: object) -> None:
        """Move the named controls and draw once, as a learner would in the browser.

        Raises ValueError, and moves nothing, when a name or a value is not allowed; raises also
        what `draw` raises.
        """
        failures = len(self.errors)
        self._move(values)
        if len(self.errors) > failures:
            raise self.errors[-1]

    def reset(self) -> None:
        """Bring every control back to where it was in the beginning."""
        self.set(**self.start)

    def _move(self, values: dict) -> None:
        old, self._moving = self.values, True     # several controls, one picture
        order = list(self.controls)               # a control may set the limits of a later one
        try:
            for name in sorted(values, key=lambda name: order.index(name) if name in order else -1):
                assign(self.controls, name, values[name])
        except ValueError:
            for name, value in old.items():
                self.controls[name].value = value
            raise
        finally:
            self._moving = False
        self._changed()

    def _changed(self, _change: object = None) -> None:
        """Draw anew; where that fails keep the picture, and tell and record why.

        Nothing is queued here: while Python is busy, the browser keeps only the newest value of
        a control, and sends it when the picture before has been answered. A control that moves
        another one comes by twice, and is drawn once.
        """
        if self._moving or equal_values(self.values, self._shown):
            return
        self._shown = self.values
        try:
            self._show(*self._picture())
        except Exception as error:
            self.errors.append(error)
            self.panel.complain(complaint(error, self.draw, self.describe))
            traceback.clear_frames(error.__traceback__)    # or arrays would live as long as the record

    def _picture(self) -> tuple[object, bytes, str]:
        values = self.values
        result, png = self.stage.perform(self.draw, values)
        words = ", ".join(f"{name} = {value}" for name, value in values.items())
        sentence = self.describe(**values) if self.describe else f"The picture for {words}."
        if not isinstance(sentence, str) or len(sentence.split()) < FEWEST_WORDS:
            raise ValueError(f"describe: a sentence expected, got {sentence!r}")
        return result, png, sentence

    def _show(self, result: object, png: bytes, sentence: str) -> None:
        self.result, self._png, self.sentence = result, png, sentence
        self.panel.show(png, sentence)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, object]:
        """The live widget; the picture and the sentence for where it cannot live; the sentence as text."""
        live = self.panel.root._repr_mimebundle_()
        return {**live, "text/html": still(self._png, self.sentence, self.size), "text/plain": self.sentence}


def complaint(error: Exception, *sources: Callable | None) -> str:
    """Say what went wrong in a callback and, where the learner can change it, in which line.

    A ValueError says by itself what is wrong with a value; a line of `helpers` would explain nothing.
    """
    files = {source.__code__.co_filename for source in sources if hasattr(source, "__code__")}
    ours = str(Path(__file__).parents[1])
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if frame.filename in files and not frame.filename.startswith(ours)]
    said = str(error) if isinstance(error, ValueError) and not frames else f"{type(error).__name__}: {error}"
    where = f" (line {frames[-1].lineno} of {frames[-1].name}: {frames[-1].line})" if frames else ""
    return f"{said}{where}. The picture is that of the last values that worked."
