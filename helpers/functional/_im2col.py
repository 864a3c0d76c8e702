"""Windows as the columns of a matrix: the three products that a convolution and its gradients are made of.

    y = W · columns,    dW = dy · columnsᵀ,    columns' blame = Wᵀ · dy, added where the columns came from

Only the entries across a window are copied; those down it are seen in the copy, row by row. Arguments were
checked in helpers/functional/convolution.py, pads are ((top, bottom), (left, right)). Derived in
notebooks/01_convolution.ipynb.
"""
import numpy as np

from helpers.functional._batch_last import batch_last, room, unweave, weave
from helpers.functional.windows import Pads, chunks, windows

__all__ = ["correlate", "fold", "kernel_gradient"]

TINY = 16   # pixels of a blame that is woven though it has to be turned over for that
Pair = tuple[int, int]


def correlate(x: np.ndarray, W: np.ndarray, pads: Pads, stride: Pair, dilation: Pair,
              groups: int) -> np.ndarray:
    """y of x and its margin. Where the whole batch is woven, y has its batch last in memory."""
    (N, C, *size), (O, Cg, kh, kw) = x.shape, W.shape
    H, Wd = (size[a] + sum(pads[a]) for a in (0, 1))
    Ho, Wo = ((n - dilation[a] * (W.shape[a + 2] - 1) - 1) // stride[a] + 1 for a, n in enumerate((H, Wd)))
    y = np.empty((N, O, Ho, Wo), x.dtype)
    rows = W.reshape(groups, O // groups, Cg, kh, kw).swapaxes(2, 3).reshape(groups, O // groups, -1)
    for n in chunks(N, 2 * C * kw * H * Wo * x.itemsize):
        images, many = weave(x[n], stride, pads)
        wide = y[n] if many == 1 else np.empty((1, O, Ho, Wo * many), x.dtype)
        np.matmul(rows, _columns(images, W, stride, dilation, groups, many), out=_rows(wide, groups))
        if many == N > 1:
            return unweave(wide, many)
        if many > 1:
            y[n] = unweave(wide, many)
    return y


def _columns(x, W, stride, dilation, groups, many):
    """Every window as a column, a row of windows at a time: (n, Ho, groups, kh·Cg·kw, Wo·many).

    A window's columns are copied, its rows are views of the copy.
    """
    (_, Cg, kh, kw), H = W.shape, x.shape[2]
    across = windows(x, kw, stride[1], dilation[1] * many, axis=3)                    # (n, C, H, Wo·many, kw)
    cols = across.transpose(0, 2, 1, 4, 3).reshape(-1, H, groups, Cg * kw, across.shape[3])
    down = windows(cols, kh, stride[0], dilation[0], axis=1).transpose(0, 1, 2, 5, 3, 4)   # overlapping views
    return down.reshape(*down.shape[:3], kh * Cg * kw, down.shape[5])


def _rows(y, groups):
    """Rows of y one by one, for all filters of a group: (n, Ho, groups, O/groups, Wo), a view."""
    n, O, Ho, Wo = y.shape
    return y.reshape(n, groups, O // groups, Ho, Wo).transpose(0, 3, 1, 2, 4)


def kernel_gradient(dy: np.ndarray, x: np.ndarray, W: np.ndarray, pads: Pads, stride: Pair, dilation: Pair,
                    groups: int) -> np.ndarray:
    """dW: columns of x times dyᵀ, summed over all windows and the batch."""
    (N, C, H, _), (O, Cg, kh, kw) = x.shape, W.shape
    dW = np.zeros((groups, kh, Cg * kw, O // groups), x.dtype)
    for n in chunks(N, 2 * C * kw * (H + sum(pads[0])) * dy.shape[3] * x.itemsize):
        images, many = weave(x[n], stride, pads, _worth_weaving(dy))
        blame, _ = weave(dy[n], stride, wanted=many > 1)
        if many > 1:
            columns = _columns(images, W, stride, dilation, groups, many)
            dW += (columns @ _rows(blame, groups).swapaxes(3, 4)).sum(axis=(0, 1)).reshape(dW.shape)
        else:
            _add_products(dW, blame, images, kw, stride, dilation)
    dW = dW.reshape(groups, kh, Cg, kw, O // groups).transpose(0, 4, 2, 1, 3)
    return np.ascontiguousarray(dW).reshape(W.shape)


def _add_products(dW, dy, x, kw, stride, dilation):
    """Add, for each kernel row, columns @ dyᵀ of whole images: such long sums are quickest when few."""
    (groups, kh, rows, filters), (Ho, Wo) = dW.shape, dy.shape[2:]
    across = windows(x, kw, stride[1], dilation[1], axis=3)                           # (n, C, H, Wo, kw)
    cols = np.ascontiguousarray(across.transpose(0, 1, 4, 2, 3))                      # (n, C, kw, H, Wo)
    dyT = dy.reshape(-1, groups, filters, Ho * Wo).swapaxes(2, 3)
    for u in range(kh):
        part = cols[:, :, :, _every(u * dilation[0], stride[0], Ho)]
        dW[:, u] += (part.reshape(-1, groups, rows, Ho * Wo) @ dyT).sum(axis=0)


def fold(dy: np.ndarray, W: np.ndarray, size: Pair, pads: Pads, stride: Pair, dilation: Pair,
         groups: int) -> np.ndarray:
    """dx: the columns' blame Wᵀ·dy, a kernel row at a time, added where the columns came from."""
    (N, O, Ho, Wo), (_, Cg, kh, kw) = dy.shape, W.shape
    height, width = (size[a] + sum(pads[a]) for a in (0, 1))
    dx = room(dy, (N, groups * Cg, *size))
    rows = W.reshape(groups, O // groups, Cg, kh, kw).transpose(3, 0, 2, 4, 1)
    rows = rows.reshape(kh, groups, Cg * kw, O // groups)
    for n in chunks(N, 4 * groups * Cg * kw * height * Wo * dy.itemsize):
        blame, many = weave(dy[n], stride, wanted=_worth_weaving(dy))
        cols = np.zeros((len(blame), groups, Cg * kw, height, Wo * many), dy.dtype)
        for u in range(kh):
            product = rows[u] @ blame.reshape(-1, groups, O // groups, Ho * Wo * many)
            cols[:, :, :, _every(u * dilation[0], stride[0], Ho)] += product.reshape(*cols.shape[:3], Ho, -1)
        wide = np.zeros((len(blame), groups * Cg, height, width * many), dy.dtype)
        for v, column in enumerate(np.moveaxis(cols.reshape(-1, groups * Cg, kw, height, Wo * many), 2, 0)):
            wide[..., _every(v * dilation[1] * many, stride[1], Wo * many)] += column
        (top, _), (left, _) = pads
        wide = unweave(wide, many) if many > 1 else wide
        dx[n] = wide[:, :, top:top + size[0], left:left + size[1]]
    return dx


def _worth_weaving(dy):
    return batch_last(dy) or dy[0, 0].size <= TINY


def _every(start, step, count):
    return slice(start, start + step * (count - 1) + 1, step)
