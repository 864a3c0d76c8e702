"""Advice after an error in a cell that was run out of order: what to run first.

The cells of a notebook reuse the names of the mathematics: a learner who runs an early cell again may find
another W there. Without an error nothing is printed.
"""
from __future__ import annotations

import sys
from typing import Any

from IPython import get_ipython

from helpers.language import language, say

SINCE = ("Other cells have run since this one first did, and may have changed names that it uses. "
         "Choose Run > Run All Above Selected Cell, then run this cell again.")
MISSING = ("If a cell above makes {name}: choose Run > Run All Above Selected Cell, "
           "then run this cell again.")


class Order:
    """The order in which the cells of a notebook ran for the first time."""

    def __init__(self):  # noqa: D107
        self.places: dict[str, int] = {}

    def advice(self, result: Any) -> str:
        """What to run before the cell of this `ExecutionResult` of IPython; empty if it ended well."""
        cell = result.info.cell_id or result.info.raw_cell
        place = self.places.setdefault(cell, len(self.places))
        error = result.error_in_exec
        if isinstance(error, NameError) and error.name:
            return MISSING.format(name=error.name)
        return SINCE if error is not None and place < len(self.places) - 1 else ""

    def tell(self, result: Any) -> None:
        """Write the advice below the traceback."""
        if advice := self.advice(result):
            print(say(advice), file=sys.stderr)


def watch_order() -> None:
    """From now on, an error in a cell that was run out of order is followed by what to run first.

    Outside IPython, and when called again, nothing changes.
    """
    shell = get_ipython()
    if shell is not None and not hasattr(shell, "_order_of_cells"):
        shell._order_of_cells = Order()
        shell.events.register("post_run_cell", shell._order_of_cells.tell)
        if language() != "en" and not shell.custom_exceptions:      # JupyterLite has its own way
            shell.set_custom_exc((Exception,), _show_translated)


def _show_translated(shell: Any, kind: type, error: Exception, trace: Any, tb_offset: int | None = None):
    """Show the traceback of an error whose message is said in the language of the reader."""
    translate_error(error)
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def translate_error(error: Exception) -> None:
    """Say the message of an error in the language of the reader."""
    if len(error.args) == 1 and isinstance(error.args[0], str):
        error.args = (say(error.args[0]),)
