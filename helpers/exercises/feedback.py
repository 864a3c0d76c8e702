"""What the grader says, as text and as a few lines of HTML with the help folded below."""
import html
import re
from dataclasses import dataclass

from helpers.language import say

LOOK = {"right": ("✓", "#009E73"), "not yet": ("✗", "#D55E00"), "not attempted": ("○", "#6E6E6E")}
SHOWN = "The smallest input on which it is wrong"


@dataclass(frozen=True)
class Feedback:
    """A status, the sentence that explains it, and an input on which it shows.

    `mistake` is the name of the mistake that was recognised. `help` holds the hints and, last, the
    source of the worked solution, "" where it is withheld; each is folded inside the one before it.
    `shown` is the heading above the input.
    """

    title: str
    status: str
    sentence: str = ""
    evidence: str = ""
    mistake: str | None = None
    help: tuple[str, ...] = ()
    shown: str = SHOWN

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.status == "right"

    def __repr__(self) -> str:
        """The feedback as text, the same on every machine."""
        shown = f"{say(self.shown + ':')}\n{_lines(self.evidence)}" if self.evidence else ""
        return "\n".join(filter(None, (self._head(), say(self.sentence), shown)))

    def _repr_html_(self) -> str:
        colour = LOOK[self.status][1]
        head = f"<strong>{html.escape(self._head())}</strong>"
        said = f"<p>{_prose(self.sentence)}</p>" if self.sentence else ""
        shown = _folded(self.shown, _code(_lines(self.evidence)), is_open=not self.mistake)
        return (f'<div style="border-left: 4px solid {colour}; padding-left: 0.8em">'
                f'<div role="status">{head}{said}</div>{shown if self.evidence else ""}{self._help()}</div>')

    def _head(self) -> str:
        said = f"{LOOK[self.status][0]} {say(self.title + ':')} {say(self.status)}"
        return said.replace("： ", "：")         # beside a Chinese stop there is no blank

    def _help(self) -> str:
        """The folded help: hints and worked solution; after a right answer the worked solution only."""
        *hints, solution = self.help or ("",)
        below = _folded("Worked solution", _code(solution)) if solution else ""
        if self.passed:
            return below
        for i, hint in reversed(list(enumerate(hints, start=1))):
            below = _folded(f"Hint {i}", f"<p>{_prose(hint)}</p>{below}")
        return below


def _folded(title, body, *, is_open=False):
    return f"<details{' open' if is_open else ''}><summary>{say(title)}</summary>{body}</details>"


def _lines(text):
    """Several lines, each of which is said in the language of the reader."""
    return "\n".join(map(say, text.split("\n")))


def _code(text):
    return f'<pre style="font-family: monospace; line-height: 1.3">{html.escape(text)}</pre>'


def _prose(text):
    """HTML of a sentence; what stands between backticks is code."""
    return re.sub(r"`(.+?)`", r"<code>\1</code>", html.escape(say(text)))
