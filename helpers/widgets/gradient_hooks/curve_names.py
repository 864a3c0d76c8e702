"""Names at the right ends of many curves, each beside its own: for diagrams that a legend would hide."""
import numpy as np
from matplotlib.axes import Axes

TOGETHER, APART = 0.03, 0.06    # of the height of the axes: ends on one line; the least between lines
LETTERS = 7                     # of a line, at most


def name_ends(ax: Axes, names: list[str], last: np.ndarray) -> None:
    """Write the first word of each name right of a logarithmic diagram, where its curve ends.

    last (n,) are the ends, of which those at 0 are left out. Ends that nearly coincide share a line; lines
    that would meet are moved apart. If they are too many, the lowest and the highest are named.
    """
    low, high = np.log(ax.get_ylim())
    order = [k for k in np.argsort(last, kind="stable") if last[k] > 0]
    lines: list[tuple[float, list[int]]] = []
    for k in order:
        place = (np.log(last[k]) - low) / (high - low)
        if not lines or place - lines[-1][0] > TOGETHER:
            lines.append((place, []))
        lines[-1][1].append(k)
    lines = lines if len(lines) * APART <= 1 else [lines[0], lines[-1]]
    for place, (_, members) in zip(separated([place for place, _ in lines]), lines, strict=True):
        words = ", ".join(names[k].split()[0] for k in sorted(members))
        words = words if len(words) <= LETTERS else words[:LETTERS - 1] + "…"
        ax.text(1.04, place, words, transform=ax.transAxes, va="center", fontsize=9)


def separated(places: list[float]) -> np.ndarray:
    """Move places (n,), which rise from 0 to 1, as little as it takes to stand APART from each other."""
    apart = APART * np.arange(len(places))
    free = np.asarray(places, float) - apart             # may rise, must not fall
    free = (np.maximum.accumulate(free) + np.minimum.accumulate(free[::-1])[::-1]) / 2
    return np.clip(free, 0, 1 - APART * max(1, len(places) - 1)) + apart
