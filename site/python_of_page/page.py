"""What runs in the worker of a page: cells, then an explorer that the page moves."""
import ast
import html
import json
import linecache
import traceback

from helpers.explore import background
from helpers.explore.album import Album
from helpers.explore.explorer import Explore
from helpers.language import say
from helpers.order import translate_error

KEPT = 16                                     # pictures of each explorer, 50 to 150 kB each
background.PATIENCE = background.GLANCE       # the stored picture stands there; a slow one fills in


class Awake:
    """An explorer that is awake, and what the page has to show of it."""

    def __init__(self, explorer: Explore, ratio: float) -> None:
        """Show it from now on, on a screen with so many pixels for a CSS pixel."""
        self.explorer, self.png, self.sentence, self.complaint = explorer, b"", "", ""
        explorer.album = Album(KEPT)
        explorer.fit(ratio)
        explorer.show_in(self)

    def show(self, png: bytes, sentence: str) -> None:
        """A new picture."""
        self.png, self.sentence, self.complaint = png, sentence, ""

    def complain(self, sentence: str) -> None:
        """What went wrong; the picture stays."""
        self.complaint = sentence

    def news(self) -> str:
        """All but the picture, as JSON."""
        return json.dumps({"controls": self.explorer.described(),
                           "buttons": {name: say(name) for name in self.explorer.buttons},
                           "sentence": self.sentence, "complaint": self.complaint,
                           "finished": self.explorer.finished})


awake: dict[str, Awake] = {}
spaces: dict[str, dict] = {}


def run(key: str, source: str) -> str:
    """Run a cell among the names of `key`; the error in a line, or "" when there is none."""
    names = spaces.setdefault(key, {"__name__": "__main__"})
    try:
        exec(compile(source, "cell", "exec"), names)
    except Exception as error:
        return traceback.format_exception_only(error)[-1].strip()
    return ""


def wake(key: str, source: str, ratio: float) -> Awake:
    """Run the cell that ends with an explorer; the explorer is awake. `ratio` is window.devicePixelRatio."""
    *before, last = ast.parse(source).body
    run_all = compile(ast.Module(before, []), "cell", "exec")
    names = spaces.setdefault(key, {"__name__": "__main__"})
    exec(run_all, names)
    awake[key] = Awake(eval(compile(ast.Expression(last.value), "cell", "eval"), names), ratio)
    return awake[key]


def turn(key: str, values: str, ratio: float) -> Awake:
    """Move controls: `values` is JSON, a list of pairs (name, value)."""
    awake[key].explorer.fit(ratio)
    for name, value in json.loads(values):
        awake[key].explorer.turn(name, value)
    return awake[key]


def press(key: str, button: str) -> Awake:
    """Press a button."""
    awake[key].explorer.press(button)
    return awake[key]


def go_on(key: str) -> Awake:
    """Fill in a picture that is not finished, for a moment."""
    awake[key].explorer.go_on(background.SLICE)
    return awake[key]


def grade(key: str, source: str, question: str) -> str:
    """What the grader says of an answer, in HTML: `question` is the line that grades it."""
    from helpers.exercises import sandbox
    sandbox.NO_THREADS = "A loop that never ends is stopped after ten seconds."     # by the page
    file = f"<{say(f'your answer to {key}')}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        exec(compile(source, file, "exec"), spaces[key])
        return eval(question, spaces[key])._repr_html_()
    except Exception as error:
        translate_error(error)
        said = "".join(traceback.format_exception_only(error)).strip()
        head = say("Your answer does not run:")
        return f'<p role="alert">{head}</p><pre>{html.escape(said)}</pre>'
