"""Step through the backward pass of a convolution: the stepper of notebooks/01_convolution.ipynb."""
from collections.abc import Callable

import numpy as np
from ipywidgets import IntSlider, ToggleButtons
from matplotlib.patches import Rectangle

from helpers.explore.explorer import Explore, explore
from helpers.functional.convolution import output_size, spread
from helpers.plotting import figures, panes
from helpers.plotting.grids import TINT, integers, matrix
from helpers.plotting.marks import written

X = np.array([[1, 0, 2, -1, 3], [2, -2, 1, 0, 1], [0, 3, -1, 2, -2], [1, 1, 0, -3, 2],
              [-1, 2, 1, 1, 0]], float)
KERNEL = np.array([[1, 2, 0], [-1, 3, 1], [0, -2, 4]], float)
GRADIENT = np.array([[2, -1, 3], [1, 4, -2], [-3, 1, 5]], float)
UNITS = 22, 15.4                                # the sides of the picture, in cells
LEGEND = "complete,\nequals ours"          # what a green cell of torch's is
SIZE = 700, 490                                 # in pixels: a cell of 32 holds "−10" at 9 points


def backward_stepper(by_torch: Callable) -> Explore:
    """Explore the backward pass of a convolution, one output or one input pixel a step, beside torch's.

    `by_torch(dy, x, K, s)` returns dx and dK as arrays. In the view `scatter` each step adds the
    contributions of one output pixel to dx and dK; in `gather` each step computes one entry of dx.
    """
    truths = {s: by_torch(_upstream(s), X, KERNEL, s) for s in (1, 2)}
    view = ToggleButtons(options=list(VIEWS), description="view")
    stride = IntSlider(1, 1, 2, description="stride")
    step = IntSlider(4, 1, GRADIENT.size, description="step")
    step.settings = [1, 3, 4]                     # what the sweep of the tests tries: there in every view

    def fit(_change):
        step.max = X.size if view.value == "gather" else _upstream(stride.value).size

    view.observe(fit, "value")
    stride.observe(fit, "value")
    return explore(
        lambda ax, view, stride, step: VIEWS[view][0](ax, truths[stride], stride, step), _frame_backward,
        lambda view, stride, step: VIEWS[view][1](truths[stride], stride, step), size=SIZE,
        play=["step"], view=view, stride=stride, step=step)


def _upstream(s):
    n = output_size(len(X), len(KERNEL), s)
    return GRADIENT[:n, :n]


def scattered(s: int, step: int) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """dx and dK from the first `step` output pixels, and the place of the last of them."""
    dy, dx, dK = _upstream(s), np.zeros_like(X), np.zeros_like(KERNEL)
    for p, q in list(np.ndindex(dy.shape))[:step]:
        window = np.s_[s * p:s * p + 3, s * q:s * q + 3]
        dx[window] += dy[p, q] * KERNEL
        dK += dy[p, q] * X[window]
    return dx, dK, (p, q)


def _complete(s, step):
    """Which entries of dx no later window changes."""
    complete = np.ones(X.shape, bool)
    for p, q in list(np.ndindex(_upstream(s).shape))[step:]:
        complete[s * p:s * p + 3, s * q:s * q + 3] = False
    return complete


def gathered(s: int, step: int) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """The spread dy with its margin, dx up to the pixel of this step (then nan), and that pixel's place."""
    margin = np.zeros((7, 7))
    wide = spread(_upstream(s), s)
    margin[2:2 + len(wide), 2:2 + len(wide)] = wide
    dx = np.full(X.shape, np.nan)
    for i, j in list(np.ndindex(X.shape))[:step]:
        dx[i, j] = np.sum(margin[i:i + 3, j:j + 3] * KERNEL[::-1, ::-1])
    return margin, dx, (i, j)


def _frame_backward(figure):
    ax = panes.sheet(figure, UNITS)
    ax.add_patch(Rectangle((18.7, 14.25), 0.7, 0.7, fc=TINT, ec=figures.NEUTRAL, lw=0.7))
    ax.text(19.6, 14.6, LEGEND, va="center", fontsize=9, color=figures.NEUTRAL)
    return ax


def _draw_scatter(ax, truth, s, step):
    dx, dK, (p, q) = scattered(s, step)
    dy, window = _upstream(s), (s * p, s * q, 3, 3)
    factor = written(dy[p, q])
    _grid(ax, (2.4, 3), dy, "upstream dy", figures.GRADIENT, (p, q, 1, 1))
    _grid(ax, (8.6, 3), KERNEL, "kernel K", figures.KERNEL)
    _grid(ax, (13, 2), dx, f"dx  += {factor} · K", figures.GRADIENT, window)
    _grid(ax, (1.4, 9.9), X, "input x", figures.INPUT, window)
    _grid(ax, (8.6, 10.9), dK, f"dK  += {factor} · window", figures.GRADIENT)
    complete = _complete(s, step)
    _grid(ax, (13, 9.9), truth[0], "torch's dx", figures.NEUTRAL, agree=complete & (dx == truth[0]))
    _grid(ax, (18.7, 10.9), truth[1], "torch's dK", figures.NEUTRAL,
          agree=complete.all() & (dK == truth[1]))
    return dx, dK


def _draw_gather(ax, truth, s, step):
    margin, dx, (i, j) = gathered(s, step)
    products = margin[i:i + 3, j:j + 3] * KERNEL[::-1, ::-1]
    total = written(products.sum())
    _grid(ax, (0.4, 1.2), margin, "dy, spread and padded", figures.GRADIENT, (i, j, 3, 3))
    _grid(ax, (8.6, 3), KERNEL[::-1, ::-1], "K, flipped", figures.KERNEL)
    _grid(ax, (13, 2), dx, f"dx  = {total} here", figures.GRADIENT, (i, j, 1, 1))
    _grid(ax, (2.4, 10.9), KERNEL, "kernel K", figures.KERNEL)
    _grid(ax, (8.6, 10.9), products, f"products, sum {total}", figures.GRADIENT)
    _grid(ax, (13, 9.9), truth[0], "torch's dx", figures.NEUTRAL, agree=dx == truth[0])
    return dx[np.isfinite(dx)], products


def _grid(ax, corner, values, title, color, lit=None, agree=None):
    """A matrix of integers; `lit` is a block (row, column, rows, columns), `agree` the cells to tint."""
    matrix(ax, corner, integers(values), title, color, lit=lit, tinted=agree, size=0.46)


def _say_scatter(truth, s, step):
    dx, dK, (p, q) = scattered(s, step)
    count, same = _upstream(s).size, np.array_equal(dx, truth[0]) and np.array_equal(dK, truth[1])
    end = "dx and dK are not complete yet" if step < count else "all are done, and dx and dK "
    if step >= count:
        end += "equal torch's" if same else "differ from torch's"
    return (f"Scatter, stride {s}, step {min(step, count)} of {count}: output pixel ({p}, {q}) with the "
            f"upstream gradient {written(_upstream(s)[p, q])} adds {written(_upstream(s)[p, q])} · K to rows "
            f"{s * p} to {s * p + 2}, columns {s * q} to {s * q + 2} of dx; {end}.")


def _say_gather(truth, s, step):
    _, dx, (i, j) = gathered(s, step)
    right = "as in torch" if np.array_equal(dx[i, j], truth[0][i, j]) else "which is not torch's"
    return (f"Gather, stride {s}, step {step} of {X.size}: the further right or down a window begins, the "
            f"smaller the index u or v of the entry of K that multiplies input pixel ({i}, {j}), so K lies "
            f"flipped on dy; the sum is {written(dx[i, j])}, {right}.")


VIEWS = {"scatter": (_draw_scatter, _say_scatter), "gather": (_draw_gather, _say_gather)}
