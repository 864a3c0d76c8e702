"""The report of a gradient check: relative errors, judged by fixed limits, in a small table.

The table is the same text on every machine: errors are shown as bounds that no rounding moves.
"""
import html
import math
from dataclasses import dataclass

from helpers.language import say

AUTOGRAD_LIMIT = 1e-10   # largest relative error granted to the hand against autograd
DIFFERENCE_LIMIT = 1e-6  # … and against central differences
ENTRY_LIMIT = 1e-2       # … and to each entry, relative to itself: a norm overlooks the small ones

TWO_WITNESSES = "Autograd is not heard: PyTorch is not here. The hand and central differences are compared."


@dataclass(frozen=True)
class Row:
    """One array of a gradient check: its name, its shape, its relative errors against the two references."""

    name: str
    shape: tuple[int, ...]
    autograd: float | None      # None: torch is not here
    differences: float | None   # None: not asked; NaN: too small for them to see

    def words(self) -> tuple[str, str, str, str]:
        """The row as it is printed."""
        last = "" if self.differences is None else _bound(self.differences, (1e-8, DIFFERENCE_LIMIT))
        first = "not here" if self.autograd is None else _bound(self.autograd, (1e-12, AUTOGRAD_LIMIT))
        return self.name, str(self.shape), first, last

    @property
    def disagrees(self) -> bool:
        """Whether an error exceeds its limit."""
        return (self.autograd or 0.0) > AUTOGRAD_LIMIT or (self.differences or 0.0) > DIFFERENCE_LIMIT

    def complaint(self) -> str:
        """The witnesses that disagree, and by how much."""
        name, shape, autograd, differences = self.words()
        said = {"autograd": autograd, "central differences": differences}
        against = [f"{who} ({what})" for who, what in said.items() if what.startswith("error")]
        return f"{name} {shape} disagrees with {' and '.join(against)}"


class Report(tuple):
    """The report of a gradient check: a small table in a notebook, the same text on every machine."""

    HEAD = ("", "shape", "autograd", "differences")

    def __repr__(self) -> str:
        """The table as aligned text."""
        lines = [tuple(map(say, line)) for line in (self.HEAD, *(row.words() for row in self))]
        wide = [max(len(line[i]) for line in lines) for i in range(4)]
        return "\n".join(["  ".join(t.ljust(w) for t, w in zip(line, wide, strict=True)).rstrip()
                          for line in lines] + self._missing())

    def _repr_html_(self) -> str:
        def cells(line, tag):
            return "".join(f"<{tag}>{html.escape(say(text))}</{tag}>" for text in line)
        body = "".join(f"<tr>{cells(row.words(), 'td')}</tr>" for row in self)
        missing = "".join(f"<p>{sentence}</p>" for sentence in self._missing())
        return f"<table><tr>{cells(self.HEAD, 'th')}</tr>{body}</table>{missing}"

    def _missing(self) -> list[str]:
        """Who is not heard where there is no torch, in a sentence."""
        return [say(TWO_WITNESSES)] if any(row.autograd is None for row in self) else []


def _bound(error, limits):
    """An error as a bound that no rounding moves: ≤ the first of `limits` it stays below."""
    if math.isnan(error):
        return "too small"
    for limit in limits:
        if error <= limit:
            return f"≤ {limit:.0e}"
    return f"error {error:.1g}"
