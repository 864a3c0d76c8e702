"""The digits that a network misclassified, one by one, and its confusion matrix."""
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
SURE, PLAIN = "most confident first", "in test order"


class Wrong(NamedTuple):
    """The predictions of a network, and the misclassified images, by their index in the test data."""

    p: np.ndarray            # (N, K) probabilities
    predicted: np.ndarray    # (N,) classes
    labels: np.ndarray       # (N,) classes
    counts: np.ndarray       # (K, K) how often row was predicted as column
    orders: dict[str, np.ndarray]


def confusion(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The confusion matrix: how often each class (row) was predicted as each class (column), counts (K, K).

    labels (N,) the right classes, scores (N, K) of which the largest is the prediction. Raises ValueError
    for other shapes.
    """
    labels, scores = _checked(labels, scores)
    counts = np.zeros((scores.shape[1],) * 2, int)
    np.add.at(counts, (labels, scores.argmax(axis=1)), 1)
    return counts


def wrong_digits(images: np.ndarray, labels: np.ndarray, scores: np.ndarray) -> Explore:
    """Look through the images that a network misclassified, with the class probabilities of each.

    images (N, H, W) or (N, C, H, W); labels (N,) the right classes; scores (N, K) the network's logits.
    Raises ValueError for other shapes, for probabilities in place of logits, and when all are right.

    `result` is a dict: index among the images, label, predicted, probabilities (K,), counts (K, K).
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
    """The samples whose largest logit (N, K) is not at the right class (N,), and all class probabilities.

    Raises ValueError as `wrong_digits` does.
    """
    labels, scores = _checked(labels, scores)
    if (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-4):
        raise ValueError("scores: got probabilities, whose rows add up to 1; expected the logits before them")
    p, predicted = softmax(scores), scores.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    if not len(wrong):
        raise ValueError(f"scores: all {len(labels)} are right; expected a wrong one to show")
    surest = wrong[np.argsort(-p[wrong, predicted[wrong]], kind="stable")]
    return Wrong(p, predicted, labels, confusion(labels, scores), {SURE: surest, PLAIN: wrong})


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
    """The sheet, with the confusion matrix, which is the same for every digit."""
    ax = panes.sheet(figure, SIZE)
    (x, y), K = MATRIX, len(counts)
    cell = CELL * 10 / max(10, K)
    words = np.where((counts > 0) | np.eye(K, dtype=bool), counts.astype(str), "")
    grid(ax, words.astype(object), MATRIX, cell=cell, size=0.5, tinted=np.eye(K, dtype=bool))
    ax.text(x, 16, "confusion matrix", color=figures.OUTPUT, va="center")
    ax.text(x, 36, "row: true class, column: predicted", color=figures.NEUTRAL, va="center", fontsize=9)
    for k in range(K):
        place = (k + 0.5) * cell
        ax.text(x + place, y - 10, str(k), ha="center", va="center", fontsize=9, color=figures.OUTPUT)
        ax.text(x - 10, y + place, str(k), ha="center", va="center", fontsize=9, color=figures.INPUT)
    return ax


def _draw(ax, found, pixels, index):
    label, predicted, p = int(found.labels[index]), int(found.predicted[index]), found.p[index]
    tiling = pictures.tiles((1, *pixels.shape[1:]), (SIDE, SIDE), most=SIDE)
    pictures.draw_maps(ax, pixels[index][None], IMAGE, tiling)
    ax.text(IMAGE[0], 16, f"is {pictures.digit_name(label)}", color=figures.INPUT, va="center", weight="bold")
    ax.text(IMAGE[0], 36, f"test digit {index}", color=figures.NEUTRAL, va="center", fontsize=9)
    ax.text(BARS[0] - 12, 16, f"predicted: {pictures.digit_name(predicted)}", color=figures.OUTPUT,
            va="center", weight="bold")
    ax.text(BARS[0] - 12, 36, "probability of each class", color=figures.NEUTRAL, va="center", fontsize=9)
    pictures.draw_bars(ax, BARS, 90, p, predicted, label)
    cell = CELL * 10 / max(10, len(p))
    ax.add_artist(Rectangle((MATRIX[0] + predicted * cell, MATRIX[1] + label * cell), cell, cell, fill=False,
                            ec=figures.KERNEL, lw=2.4, zorder=5))
    return {"index": int(index), "label": label, "predicted": predicted, "probabilities": p,
            "counts": found.counts}


def _describe(found, index, which, order):
    label, predicted, p = int(found.labels[index]), int(found.predicted[index]), found.p[index]
    one, other = map(pictures.digit_name, (label, predicted))
    rank = int((p > p[label]).sum()) + 1
    times = int(found.counts[label, predicted])
    total = len(found.orders[order])
    return (f"Wrong digit {which} of {total}, {order}: test digit {index} is {one} and was classified "
            f"as {other}, with probability {p[predicted]:.2f}. The right class has {p[label]:.2f}, place "
            f"{rank} of {len(p)}. Of {found.counts[label].sum()} digits {label}, {times} "
            f"{'was' if times == 1 else 'were'} classified as {other}.")
