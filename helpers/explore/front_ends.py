"""What shows an explorer to somebody, and what it is told when a callback fails."""
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from helpers.language import say

FEWEST_WORDS = 4     # of a sentence that describes a picture, as tools/notebook_rules.py counts


class FrontEnd(Protocol):
    """What shows an explorer to somebody: `Panel` in Jupyter, the worker of the web page, …"""

    def show(self, png: bytes, sentence: str) -> None:
        """Replace picture and sentence, and take back a complaint."""

    def complain(self, sentence: str) -> None:
        """Say what went wrong, and leave the picture."""


def complaint(error: Exception, *sources: Callable | None) -> str:
    """Say what went wrong in a callback and, where the learner can change it, in which line of it.

    A ValueError says by itself what is wrong with a value; a line of `helpers` would explain nothing.
    """
    files = {source.__code__.co_filename for source in sources if hasattr(source, "__code__")}
    ours = str(Path(__file__).parents[1])
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if frame.filename in files and not frame.filename.startswith(ours)]
    said = str(error) if isinstance(error, ValueError) and not frames else f"{type(error).__name__}: {error}"
    where = f" (line {frames[-1].lineno} of {frames[-1].name}: {frames[-1].line})" if frames else ""
    return say(f"{said}{where}. The picture is that of the last values that worked.")


def sentence(describe: Callable[..., str] | None, values: dict) -> str:
    """What there is to see, in the reader's language; without `describe` the values, by name.

    Raises ValueError for what is no sentence.
    """
    words = ", ".join(f"{name} = {value}" for name, value in values.items())
    said = describe(**values) if describe else f"The picture for {words}."
    if not isinstance(said, str) or len(said.split()) < FEWEST_WORDS:
        raise ValueError(f"describe: a sentence expected, got {said!r}")
    return say(said)
