"""What a learner sees of an explorer: controls, a picture, the sentence below it, a place for errors."""
import base64
import html
import io
import json
import math
from collections.abc import Callable, Sequence
from unicodedata import east_asian_width

from ipywidgets import (
    HTML,
    Box,
    Button,
    FloatText,
    GridBox,
    HBox,
    Image,
    Layout,
    Play,
    ToggleButtons,
    VBox,
    Widget,
)
from PIL import Image as Pillow
from traitlets import Unicode

from helpers.explore.controls import stations
from helpers.language import say

# ipywidgets 8.1 leaves handles of sliders and Play buttons without a name, and no widget can be made a live
# region that stays. Parts of a panel may come late, so each new one is looked at. Jupyter takes plain keys
# for its own, arrows among them in Notebook 7; within a panel they are the control's. How many pixels the
# screen has, Python hears of a hidden number.
ACCESSIBLE = """<style onload="
  const panel = this.closest('.explore');
  const mend = () => {
    for (const handle of panel.querySelectorAll('[role=slider]:not([aria-label])'))
      handle.setAttribute('aria-label',
        handle.closest('.widget-inline-hbox').querySelector('.widget-label').textContent);
    for (const bar of panel.querySelectorAll('.widget-play'))
      bar.querySelectorAll('button:not([aria-label])').forEach((button, k) =>
        button.setAttribute('aria-label', NAMES[k] +
          bar.parentElement.querySelector('.widget-label').textContent));
    for (const line of panel.querySelectorAll('.explore-sentence > .widget-html-content:not([role])')) {
      line.setAttribute('role', 'status'); line.setAttribute('aria-live', 'polite'); }
    const told = panel.querySelector('.explore-ratio input');
    if (told && panel.ratio !== devicePixelRatio) {
      panel.ratio = told.value = devicePixelRatio; told.dispatchEvent(new Event('change', {bubbles: true})); }
  };
  const keys = event => { if (event.target.closest?.('.explore'))
    event.target.toggleAttribute('data-lm-suppress-shortcuts',
      !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey)); };
  if (!panel.mend) new MutationObserver(mend).observe(panel, {childList: true, subtree: true});
  if (!window.exploreKeys) { window.addEventListener('keydown', keys, true); window.addEventListener('resize',
    () => document.querySelectorAll('.explore').forEach(each => each.mend?.())); }
  panel.mend = mend; window.exploreKeys = true;
  mend();"></style>"""
PLAYERS = "Play or pause", "Back to the start of", "Repeat"
LINE = '<div style="line-height: 1.4">{}</div>'
LETTER = 6.6   # CSS pixels that a letter of a sentence takes, rather more than less; a Chinese sign two
ERROR = '<div role="alert" style="line-height: 1.4; color: var(--jp-error-color1, #b00020)">{}</div>'


class LivePicture(Image):
    """An image with words: its tooltip becomes the <img>'s title, but only where a description exists."""

    description = Unicode("").tag(sync=True)


class Panel:
    """The widgets of one explorer, arranged; `root` is what is displayed."""

    def __init__(self, controls: dict[str, Widget], size: tuple[int, int],
                 buttons: dict[str, Callable[[], None]], play: Sequence[str], fit: Callable[[float], None]):
        """Arrange `controls`, those named in `play` with a Play button; `buttons` by name, Reset last."""
        for control in controls.values():
            dress(control)
        align(controls)
        width, height = size
        self.picture = LivePicture(format="png", width=str(width), height=str(height),
                                   layout=Layout(max_width="100%", height="auto"))
        self.sentence, self.width, self.lines = HTML().add_class("explore-sentence"), width, 2
        self.error = HTML(layout=Layout(display="none"))
        parts = [playing(control) if name in play else control for name, control in controls.items()]
        row = [button(name, press) for name, press in buttons.items()]
        parts += [HBox(row, layout=Layout(flex_flow="row wrap", grid_area="auto / 1 / auto / -1"))
                  if len(row) > 1 else row[0]]
        grid = GridBox(parts, layout=Layout(
            grid_template_columns="repeat(auto-fit, minmax(min(280px, 100%), 1fr))", grid_gap="2px 16px"))
        names = HTML(accessible(), layout=Layout(height="0", margin="0"))
        self.root = VBox([grid, self.picture, self.sentence, self.error, ratio(fit), names],
                         layout=Layout(width=f"{width}px", max_width="100%", overflow="hidden"))
        self.root.add_class("explore")

    def show(self, png: bytes, sentence: str) -> None:
        """Replace the picture, its alternative text and the sentence, and take back a complaint."""
        with self.picture.hold_sync():            # one message for both
            self.picture.value = png
            self.picture.tooltip = sentence
        # At first room for a line more, and never for less than before, or the page below would jump.
        needed = (not self.sentence.value) + math.ceil(breadth(sentence) * LETTER / self.width)
        self.lines = max(self.lines, needed)
        self.sentence.layout.min_height = f"{1.4 * self.lines:.1f}em"
        self.sentence.value = LINE.format(html.escape(sentence))
        self.error.layout.display = "none"

    def complain(self, sentence: str) -> None:
        """Show below the picture, which stays, what went wrong."""
        self.error.value = ERROR.format(html.escape(sentence))
        self.error.layout.display = ""


def accessible() -> str:
    """What names the parts of a panel for a screen reader, in the language of the reader."""
    return ACCESSIBLE.replace("NAMES", html.escape(json.dumps([say(name) + " " for name in PLAYERS])))


def button(name: str, press: Callable[[], None]) -> Button:
    """A button of this name that calls `press`."""
    tip = "Bring every control back to where it was" if name == "Reset" else f"Set the controls for: {name}"
    layout = Layout(width="max-content", padding="0 8px")
    one = Button(description=say(name), layout=layout, tooltip=say(tip))
    one.on_click(lambda _: press())
    return one


def ratio(fit: Callable[[float], None]) -> FloatText:
    """A hidden number that `fit` hears: window.devicePixelRatio, and what it is when the page is enlarged."""
    number = FloatText(layout=Layout(display="none")).add_class("explore-ratio")
    number.observe(lambda change: fit(change["new"]), "value")
    return number


def playing(control: Widget) -> HBox:
    """A slider, and beside it a Play button that takes it to its end, 8 steps in a second.

    The player counts the slider's steps. The browser keeps the pace; where Python is slower, it gets the
    newest step only. At the end it stops, and begins anew when it is pressed again.
    """
    def place(value):
        values = stations(control)
        return values.index(value) if value in values else min(
            range(len(values)), key=lambda k: abs(values[k] - value))

    def follow(change):
        if change["new"] != place(control.value):     # or a value between two steps would be moved to one
            control.value = stations(control)[change["new"]]

    def keep(_change=None):
        player.max = len(stations(control)) - 1       # another control may set the limits of this one
        player.value = place(control.value)
    player = Play(interval=125, show_repeat=False, layout=Layout(width="max-content", flex="0 0 auto"))
    keep()
    player.observe(follow, "value")
    control.observe(keep, [name for name in ("min", "max", "value") if control.has_trait(name)])
    control.layout.flex = "1 1 auto"
    return HBox([control, player], layout=Layout(grid_area="auto / 1 / auto / -1"))   # a row: a long slider


def dress(control: Widget) -> None:
    """Give a control the room it needs, where its author has not."""
    if control.layout.width is None:
        control.layout.width = "auto"
    if isinstance(control, Box | ToggleButtons) and control.layout.grid_area is None:
        control.layout.grid_area = "auto / 1 / auto / -1"     # a row of its own
    if isinstance(control, ToggleButtons):
        control.layout.display = "flex"           # the buttons beside their name, not below it
    if control.tooltip is None:
        control.tooltip = ""                      # or the name's tooltip reads "null"
    if control.has_trait("indent"):
        control.indent = False                    # a checkbox stands at the left edge


def align(controls: dict[str, Widget]) -> None:
    """Give all labels one width, that of the longest, so that none is cut off; checkboxes have none."""
    before = [control for control in controls.values() if not control.has_trait("indent")]
    longest = max((breadth(control.description) for control in before), default=0)
    for control in controls.values():
        if control.has_trait("style") and control.style.has_trait("description_width"):
            control.style.description_width = f"{longest + 1}ch"


def breadth(label: str) -> int:
    """How wide a label is, in digits: a Chinese sign takes two."""
    return sum(1 + (east_asian_width(sign) in "WF") for sign in label)


def still(png: bytes, sentence: str, size: tuple[int, int], *, colors: int = 256) -> str:
    """The picture and the sentence in HTML, for where no slider can be; the file is small, not fast.

    HTML, because neither JupyterLab nor nbconvert gives a picture of type image/png its alternative text.
    """
    small = io.BytesIO()
    picture = Pillow.open(io.BytesIO(png)).convert("RGB")
    # Maximum coverage keeps the colour of a thin line, which the median cut gives up for a photograph.
    picture.quantize(colors, Pillow.Quantize.MAXCOVERAGE, kmeans=1, dither=Pillow.Dither.NONE).save(
        small, format="png", optimize=True)
    source, words = base64.b64encode(small.getvalue()).decode(), html.escape(sentence)
    return (f'<img class="explore" alt="{words}" width="{size[0]}" height="{size[1]}" '
            f'src="data:image/png;base64,{source}">\n<p>{words}</p>')
