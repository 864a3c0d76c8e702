"""Places for the boxes of a graph: in columns, so that no line passes behind a box or a number.

A line that leads over several columns has a place of its own in each of them (Sugiyama, Tagawa and Toda,
"Methods for visual understanding of hierarchical system structures", 1981). Lines from one box share it.
"""
from typing import NamedTuple

import numpy as np

from helpers.autograd import Variable

COLUMNS, ROOM = 8, 5.0        # at most so many columns; the height of a column in boxes
WIDE, NARROW = 1.0, 0.36      # the heights of a box, and of the place of a line that passes
LOOSEST = 1.35                # so many times as much, where there is room
ROUNDS = 8                    # of ordering each column by its neighbours

Slot = tuple[Variable, int]   # a Variable in a column: its box in its own, its line in later ones


class Layout(NamedTuple):
    """The column of each box; the height of each slot, in boxes from the top; lines, and where they lead."""

    column: dict[Variable, int]
    height: dict[Slot, float]
    lines: dict[tuple[Slot, Slot], set[Variable]]


def laid_out(operations: list[Variable]) -> Layout:
    """Place operations, each behind its inputs, and the leaves. Raises ValueError where there is no room."""
    column = _columns(operations)
    last = max(column.values())
    if last >= COLUMNS:
        raise ValueError(f"expression: got {last} operations one after the other, expected at most "
                         f"{COLUMNS - 1}, for which there is room")
    lines = _lines(operations, column)
    slots = [sorted({slot for line in lines for slot in line if slot[1] == c}, key=_order(column))
             for c in range(last + 1)]
    _sort(slots, lines)
    fullest = max(sum(_size(slot, column) for slot in group) for group in slots)
    if fullest > ROOM:
        raise ValueError("expression: too many operations side by side; expected a smaller one")
    return Layout(column, _heights(slots, lines, column, min(LOOSEST, ROOM / fullest)), lines)


def _columns(operations):
    """An operation stands behind all its inputs, a leaf just before the first operation that reads it."""
    column = {}
    for v in operations:
        column[v] = 1 + max((column.get(parent, 0) for parent in v.node.parents), default=0)
    for v in reversed(operations):
        for parent in v.node.parents:
            if parent.is_leaf:
                column[parent] = min(column.get(parent, COLUMNS), column[v] - 1)
    return column


def _lines(operations, column):
    """From column to column, each once, with the operations that it leads to."""
    lines = {}
    for v in operations:
        for parent in v.node.parents:
            for c in range(column[parent], column[v]):
                end = (v, c + 1) if c + 1 == column[v] else (parent, c + 1)
                lines.setdefault(((parent, c), end), set()).add(v)
    return lines


def _order(column):
    names = list(column)
    return lambda slot: names.index(slot[0])


def _sort(slots, lines):
    """Order each column by the middle of its neighbours, from either side in turn: few lines cross."""
    for k in range(ROUNDS):
        way = range(1, len(slots)) if k % 2 == 0 else reversed(range(len(slots) - 1))
        for c in way:
            beside = slots[c - 1 if k % 2 == 0 else c + 1]
            slots[c].sort(key=lambda slot, beside=beside: _middle(slot, beside, lines))


def _middle(slot, beside, lines):
    at = [beside.index(other) for line in lines if slot in line for other in line if other in beside]
    return np.mean(at) if at else len(beside) / 2


def _size(slot, column):
    return WIDE if column[slot[0]] == slot[1] else NARROW


def _heights(slots, lines, column, loose):
    """Each slot near the mean height of its neighbours, with room for its size."""
    height = {slot: ROOM * (i + 0.5) / len(group) for group in slots for i, slot in enumerate(group)}
    for _ in range(ROUNDS):
        for group in slots:
            wanted = [np.mean([height[other] for line in lines if slot in line for other in line])
                      for slot in group]
            sizes = loose * np.array([_size(slot, column) for slot in group])
            at = _apart(np.array(wanted), (sizes[1:] + sizes[:-1]) / 2, sizes)
            height.update(zip(group, at.tolist(), strict=True))
    return height


def _apart(wanted, gaps, sizes):
    """Heights in this order, so far apart, near the wanted ones and within the room."""
    at = wanted.copy()
    for i, gap in enumerate(gaps):
        at[i + 1] = max(at[i + 1], at[i] + gap)
    at += np.mean(wanted - at)
    low, high = at[0] - sizes[0] / 2, at[-1] + sizes[-1] / 2
    return at + (-low if low < 0 else min(0.0, ROOM - high))
