"""The digits that a network got wrong, one by one, and which classes it takes for which."""
from typing import NamedTuple

import numpy as np
from ipywidgets import IntSlider, ToggleButtons
from matplotlib.patches import Rectangle

from helpers.explore.explorer import Explore, explore
from helpers.functional.losses import softmax
from helpers.plotting import digit_pictures as pictures
from helpers.plotting import figures, panes
from helpers.plotting.grids import grid

SIZE = 720, 312
IMAGE, SIDE = (14, 54), 200          # corner of the digit, its side
BARS, MATRIX, CELL = (256, 56), (478, 78), 22
SURE, PLAIN = "surest first", "as they come"


class Wrong(NamedTuple):
    """What a network says of the images, and which it got wrong; places in the order of the test data."""

    p: np.ndarray            # (N, K) probabilities
    said: np.ndarray         # (N,) classes
    labels: np.ndarray       # (N,) classes
    counts: np.ndarray       # (K, K) how often row was taken for column
    orders: dict[str, np.ndarray]


def confusion(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """How often each class (row) was taken for each class (column): counts (K, K).

    labels (N,) the right classes, scores (N, K) of which the largest is what was said. Raises ValueError
    for other shapes.
    """
    labels, scores = _checked(labels, scores)
    counts = np.zeros((scores.shape[1],) * 2, int)
    np.add.at(counts, (labels, scores.argmax(axis=1)), 1)
    return counts


def wrong_digits(images: np.ndarray, labels: np.ndarray, scores: np.ndarray) -> Explore:
    """Leaf through the images that a network got wrong, with what it says of each.

    images (N, H, W) or (N, C, H, W); labels (N,) the right classes; scores (N, K) the network's logits.
    Raises ValueError for other shapes, for probabilities in place of logits, and when all are right.

    `result` is a dict: index among the images, label, said, probabilities (K,), counts (K, K).
    """
    pixels = np.asarray(images)
    if pixels.ndim not in (3, 4) or len(pixels) != len(np.atleast_1d(labels)):
        raise ValueError(f"images: got shape {pixels.shape}, expected (N, H, W) or (N, C, H, W) with an "
                         "image for each label")
    pixels = pixels if pixels.ndim == 3 else pixels.mean(axis=1)
    found = wrong_ones(labels, scores)
    count = len(found.orders[PLAIN])
    return explore(
        lambda ax, order, which: _draw(ax, found, pixels, found.orders[order][which - 1]),
        lambda figure: _frame(figure, found.counts),
        lambda order, which: _describe(found, found.orders[order][which - 1], which, order), size=SIZE,
        which=IntSlider(1, 1, count, description=f"wrong digit, of {count}"),
        order=ToggleButtons(options=[SURE, PLAIN], description="order"))


def wrong_ones(labels: np.ndarray, scores: np.ndarray) -> Wrong:
    """Which of the logits (N, K) name another class than labels (N,), and the probabilities of all.

    Raises ValueError as `wrong_digits` does.
    """
    labels, scores = _checked(labels, scores)
    if (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-4):
        raise ValueError("scores: got probabilities, whose rows add up to 1; expected the logits before them")
    p, said = softmax(scores), scores.argmax(axis=1)
    wrong = np.flatnonzero(said != labels)
    if not len(wrong):
        raise ValueError(f"scores: all {len(labels)} are right; expected a wrong one to show")
    surest = wrong[np.argsort(-p[wrong, said[wrong]], kind="stable")]
    return Wrong(p, said, labels, confusion(labels, scores), {SURE: surest, PLAIN: wrong})


def _checked(labels, scores):
    labels, scores = np.asarray(labels), np.asarray(scores)
    if scores.ndim != 2 or scores.dtype.kind != "f" or not scores.size or not np.isfinite(scores).all():
        raise ValueError(f"scores: got {scores.dtype} of shape {scores.shape}, expected finite logits (N, K)")
    if labels.shape != scores.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(f"labels: got {labels.dtype} of shape {labels.shape}, expected {len(scores)} "
                         "classes")
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise ValueError(f"labels: got {labels.min()} … {labels.max()}, expected 0 … {scores.shape[1] - 1}")
    return labels, scores


def _frame(figure, counts):
    """The sheet, with the table of all confusions, which is the same for every digit."""
    ax = panes.sheet(figure, SIZE)
    (x, y), K = MATRIX, len(counts)
    cell = CELL * 10 / max(10, K)
    words = np.where((counts > 0) | np.eye(K, dtype=bool), counts.astype(str), "")
    grid(ax, words.astype(object), MATRIX, cell=cell, size=0.5, tinted=np.eye(K, dtype=bool))
    ax.text(x, 16, "how often it took", color=figures.OUTPUT, va="center")
    ax.text(x, 36, "a class (row) for another (column)", color=figures.NEUTRAL, va="center", fontsize=9)
    for k in range(K):
        place = (k + 0.5) * cell
        ax.text(x + place, y - 10, str(k), ha="center", va="center", fontsize=9, color=figures.OUTPUT)
        ax.text(x - 10, y + place, str(k), ha="center", va="center", fontsize=9, color=figures.INPUT)
    return ax


def _draw(ax, found, pixels, index):
    label, said, p = int(found.labels[index]), int(found.said[index]), found.p[index]
    tiling = pictures.tiles((1, *pixels.shape[1:]), (SIDE, SIDE), most=SIDE)
    pictures.draw_maps(ax, pixels[index][None], IMAGE, tiling)
    ax.text(IMAGE[0], 16, f"is {pictures.digit_name(label)}", color=figures.INPUT, va="center", weight="bold")
    ax.text(IMAGE[0], 36, f"test digit {index}", color=figures.NEUTRAL, va="center", fontsize=9)
    ax.text(BARS[0] - 12, 16, f"taken for {pictures.digit_name(said)}", color=figures.OUTPUT, va="center",
            weight="bold")
    ax.text(BARS[0] - 12, 36, "probability of each class", color=figures.NEUTRAL, va="center", fontsize=9)
    pictures.draw_bars(ax, BARS, 100, p, said, label)
    cell = CELL * 10 / max(10, len(p))
    ax.add_artist(Rectangle((MATRIX[0] + said * cell, MATRIX[1] + label * cell), cell, cell, fill=False,
                            ec=figures.KERNEL, lw=2.4, zorder=5))
    return {"index": int(index), "label": label, "said": said, "probabilities": p, "counts": found.counts}


def _describe(found, index, which, order):
    label, said, p = int(found.labels[index]), int(found.said[index]), found.p[index]
    one, other = map(pictures.digit_name, (label, said))
    rank = int((p > p[label]).sum()) + 1
    times = int(found.counts[label, said])
    often = {1: "once", 2: "twice"}.get(times, f"{times} times")
    total = len(found.orders[order])
    return (f"Wrong digit {which} of {total}, {order}: test digit {index} is {one} and was taken for "
            f"{other}, with probability {p[said]:.2f}. The right class has {p[label]:.2f}, place {rank} of "
            f"{len(p)}. Of {found.counts[label].sum()} digits {label} it {often} took one for {other}.")
