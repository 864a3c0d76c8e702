"""Two controls of the landscape explorer: which update rules run, and where they start."""
from ipywidgets import Checkbox, FloatSlider, HBox, Layout
from traitlets import TraitError, Tuple, Unicode, validate

from helpers.language import say

CHIP = '<span style="color:{color}; background-color:white; padding:0 3px; border-radius:3px">{sign}</span>'


class Switches(HBox):
    """A checkbox for each name, and its sign in its colour; `value` holds the names that are on, in order."""

    value, description = Tuple(), Unicode("")

    def __init__(self, colors: dict[str, str], signs: dict[str, str], on: tuple[str, ...]) -> None:
        """One checkbox for each of `colors`; those in `on` are checked. Signs stand on white in any theme."""
        self.names = tuple(colors)
        self.boxes = {name: Checkbox(
            name in on, description=f"{CHIP.format(color=color, sign=signs[name])} {say(name)}",
            indent=False, description_allow_html=True,
            layout=Layout(width="max-content", margin="0 14px 0 0")) for name, color in colors.items()}
        self.settings = [(), self.names, *((name,) for name in self.names)]     # what the sweep tries
        super().__init__(list(self.boxes.values()), layout=Layout(flex_flow="row wrap"))
        self.value = on
        for box in self.boxes.values():
            box.observe(self._clicked, "value")
        self.observe(self._told, "value")

    @validate("value")
    def _known(self, proposal):
        names = proposal["value"]
        if not set(names) <= set(self.names) or len(set(names)) < len(names):
            raise TraitError(f"some of {', '.join(self.names)} expected, got {names!r}")
        return tuple(name for name in self.names if name in names)

    def _clicked(self, _change):
        self.value = tuple(name for name, box in self.boxes.items() if box.value)

    def _told(self, _change):
        value = self.value                        # while the boxes follow one by one
        for box in self.boxes.values():
            box.unobserve(self._clicked, "value")
        for name, box in self.boxes.items():
            box.value = name in value
        for box in self.boxes.values():
            box.observe(self._clicked, "value")


class StartPoint(HBox):
    """Two sliders for a point (w₁, w₂) of a map, which `fit` may exchange for another map."""

    value, description = Tuple((0.0, 0.0)), Unicode("")

    def __init__(self, sides: tuple[float, float, float, float], value: tuple[float, float],
                 settings: list[tuple[float, float]], label_width: str) -> None:
        """`sides` are the ends of w₁, then of w₂; `settings` are points that every map has, for the sweep."""
        self.settings, self.sliders = settings, [FloatSlider(
            description=f"start {name}", step=0.01, readout_format=".2f",
            style={"description_width": label_width}, layout=Layout(width="50%")) for name in ("w₁", "w₂")]
        super().__init__(self.sliders)
        self.fit(sides, value)
        for slider in self.sliders:
            slider.observe(self._slid, "value")
        self.observe(self._told, "value")

    def fit(self, sides: tuple[float, float, float, float], value: tuple[float, float]) -> None:
        """Take another map, and a point of it."""
        self.sides, self._following = sides, True
        for slider, low, high, at in zip(self.sliders, sides[::2], sides[1::2], value, strict=True):
            with slider.hold_sync():              # one message, or the browser sends the old value back
                slider.min, slider.max = min(slider.min, low), max(slider.max, high)     # never crossed
                slider.value = at
                slider.min, slider.max = low, high
        self._following = False
        self.value = tuple(map(float, value))

    @validate("value")
    def _on_the_map(self, proposal):
        x0, x1, y0, y1 = self.sides
        point = proposal["value"]
        if len(point) != 2 or not (x0 <= point[0] <= x1 and y0 <= point[1] <= y1):
            raise TraitError(f"x from {x0:g} to {x1:g} and y from {y0:g} to {y1:g} expected, got {point!r}")
        return tuple(map(float, point))

    def _slid(self, _change):
        if not self._following:
            self.value = tuple(slider.value for slider in self.sliders)

    def _told(self, _change):
        self._following = True
        for slider, at in zip(self.sliders, self.value, strict=True):
            slider.value = at
        self._following = False
