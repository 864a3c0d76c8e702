"""Sliders that move a picture at once: write a pure `draw(axes, **values)`, and `explore` does the rest."""
import math
import traceback
from collections.abc import Callable, Sequence
from functools import cached_property, partial

from ipywidgets import Widget

from helpers.explore import alive, background
from helpers.explore import controls as kinds
from helpers.explore.album import Album
from helpers.explore.front_ends import FrontEnd, complaint, sentence
from helpers.explore.panel import Panel, still
from helpers.explore.raster import Stage, named


def explore(draw: Callable, frame: Callable | None = None, describe: Callable | None = None, *,
            size: tuple[int, int] = (640, 320), density: float = 2, presets: dict[str, dict] | None = None,
            play: Sequence[str] = (), advance: Callable[..., bool] | None = None,
            ground: Callable | None = None, **controls: Widget) -> "Explore":
    """Show controls and the picture that they move; end a cell with it.

    `draw(axes, **values)` adds to the axes what moves: it is called for each change, and what it added is
    removed after it was pictured. `frame(figure)` builds what never changes and returns the axes. What lies
    below all that moves and depends on few controls is for `ground(axes, rule)`: it is called once for each
    `rule`. `describe(**values)` says in one sentence what there is to see. `size` is in CSS pixels, 100 an
    inch; `density` is the largest number of drawn pixels for each of them: no more than the screen has.

        explore(draw, frame, describe, depth=IntSlider(3, 1, 9), rule=Dropdown(options=["max", "mean"]))

    Each of the `presets` becomes a button with this name, which sets its values: {"deep": {"depth": 9}}.
    Each slider in `play` gets a Play button, which takes it to its end, step by step.

    A picture that takes long has an `advance(seconds, **values)`, which goes on with what it needs, for about
    so many seconds, and returns whether all of it is there; `draw` shows as much as is there. A cell shows
    the finished picture; when a control moves, the picture fills in, and the controls stay alive.

    A control of one's own is any box with traits `value` and `description`, and a list `settings` for tests.

    Raises ValueError for a control that is none, for a preset, Play button or ground of one that does not
    exist, and for a sentence that says nothing; an error in the first picture is raised, later ones shown.
    """
    return Explore(draw, frame, describe, size, density, controls, presets or {}, play, advance, ground)


class Explore:
    """Live controls in Jupyter, a picture with words elsewhere, and without a browser an object to ask.

    `values` are those of the controls, and `start` those they began with; `result` is what `draw` returned,
    `sentence` what `describe` says; `errors` are the exceptions of both, oldest first. `buttons` are settings
    by name, the presets and Reset; `stage` holds the figure, `album` pictures where a front end keeps some.

    It draws no control itself: `described` says what the controls are, `turn` and `press` move them, and each
    of the `front_ends` hears of every new picture. That of Jupyter is `panel`. While the picture is not
    `finished`, `go_on(seconds)` fills it in: where an event loop runs, a task of it; else the front end.
    """

    def __init__(self, draw, frame, describe, size, density, controls, presets, play, advance, ground):
        """As `explore`, which says what is expected; draw the first picture."""
        kinds.refuse_others(controls, {**presets, "play": play, "ground": named(ground)})
        kinds.label(controls)
        self.draw, self.describe, self.controls, self.size = draw, describe, controls, size
        self.presets, self.play, self.advance = presets, play, advance
        self.finished, self._task = True, None
        self.errors, self.front_ends, self.album = [], [], Album()
        self.start, self._shown, self._moving = self.values, self.values, False
        background.shorten_collections()
        self.stage = Stage(frame, size, density, ground)
        self.buttons = {**presets, "Reset": self.start}
        self._show(*self._picture(background.PATIENCE))
        for control in controls.values():
            control.observe(self._changed, "value")
        alive.enter(self)

    @cached_property
    def panel(self) -> Panel:
        """Its widgets, made when they are first asked for."""
        buttons = {name: partial(self.press, name) for name in self.buttons}
        panel = Panel(self.controls, self.size, buttons, self.play, self.fit)
        self.show_in(panel)
        return panel

    def show_in(self, front_end: FrontEnd) -> None:
        """Let a front end show the explorer, as it is now and after each change."""
        self.front_ends.append(front_end)
        front_end.show(self._png, self.sentence)
        if self._complaint:
            front_end.complain(self._complaint)

    def fit(self, ratio: float) -> None:
        """Draw anew for a screen that has `ratio` pixels for a CSS pixel, its window.devicePixelRatio.

        The stored picture has `density` of them: what is live has no more than can be seen, and is quicker.
        """
        if self.stage.fit(ratio):
            self.album.clear()
            self._draw_anew()

    def described(self) -> list[dict]:
        """Each control as helpers.explore.controls.described says, and whether it has a Play button."""
        return [{**kinds.described(name, control), "play": name in self.play}
                for name, control in self.controls.items()]

    @property
    def values(self) -> dict:
        """The value of each control, by its name."""
        return {name: control.value for name, control in self.controls.items()}

    def png(self) -> bytes:
        """The picture as a PNG file."""
        return self._png

    def set(self, **values: object) -> None:
        """Move the named controls and draw once, as a learner would in the browser; finish the picture.

        Raises ValueError, and moves nothing, when a value is not allowed; raises also what `draw` raises.
        """
        failures = len(self.errors)
        self._move(values)
        self.go_on(math.inf)
        if len(self.errors) > failures:
            raise self.errors[-1]

    def reset(self) -> None:
        """Bring every control back to where it was in the beginning."""
        self.set(**self.start)

    def turn(self, path: str, value: object) -> None:
        """Move one control as in a front end: its `name` and `value` are those that `described` gives.

        An error is told to the front ends, and kept in `errors`.
        """
        control = kinds.part(self.controls, path)
        control.value = kinds.understood(control, value)

    def press(self, button: str) -> None:
        """Bring the controls to the settings of one of the `buttons`, as in a front end."""
        self._move(self.buttons[button])

    def _move(self, values: dict) -> None:
        self._moving = True                       # several controls, one picture
        try:
            kinds.assign_all(self.controls, values)
        finally:
            self._moving = False
        self._changed()

    def _changed(self, _change: object = None) -> None:
        """Draw anew; where that fails keep the picture, and tell and record why.

        Nothing is queued here: while Python is busy, the browser keeps only the newest value of a control and
        sends it when the picture before is answered. A control that moves another is drawn once for both.
        """
        if self._moving or kinds.equal_values(self.values, self._shown):
            return
        self._shown = self.values
        self._draw_anew()

    def _draw_anew(self) -> None:
        self.finished = False
        if not self.go_on(background.GLANCE) and (self._task is None or self._task.done()):
            self._task = background.in_background(self.go_on)      # of the values that are set then

    def go_on(self, seconds: float) -> bool:
        """Fill in a picture that is not finished, for about so many seconds; whether it is finished."""
        if self.finished:
            return True
        try:
            self._show(*self._picture(seconds))
        except Exception as error:
            self.finished = True
            self.errors.append(error)
            self._complaint = complaint(error, self.draw, self.describe, self.advance)
            for front_end in self.front_ends:
                front_end.complain(self._complaint)
            traceback.clear_frames(error.__traceback__)    # or arrays would live as long as the record
        return self.finished

    def _picture(self, seconds: float) -> tuple[object, bytes, str]:
        values = self.values
        if picture := self.album.find(values):
            self.finished = True
            return picture
        self.finished = not self.advance or self.advance(seconds, **values)
        result, png = self.stage.perform(self.draw, values)
        picture = result, png, sentence(self.describe, values)
        if self.finished:
            self.album.keep(values, picture)
        return picture

    def _show(self, result: object, png: bytes, sentence: str) -> None:
        self.result, self._png, self.sentence, self._complaint = result, png, sentence, ""
        for front_end in self.front_ends:
            front_end.show(png, sentence)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, object]:
        """The live widget; the picture and the sentence for where it cannot live; the sentence as text."""
        live = self.panel.root._repr_mimebundle_()
        return {**live, "text/html": still(self._png, self.sentence, self.size), "text/plain": self.sentence}
