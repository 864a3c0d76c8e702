"""Convolution in two dimensions: forward, backward and transposed, as torch.nn.functional has them.

    y[n, o, p, q] = b[o] + Σ_c Σ_u Σ_v  W[o, c, u, v] · x[n, c, s·p + d·u − pad, s·q + d·v − pad]

Torch calls this a convolution; it is a cross-correlation, the kernel is not flipped. Arguments are checked,
windows laid out as columns, columns multiplied: y = W · columns, dW = dy · columnsᵀ, dcolumns = Wᵀ · dy.
Only windows along a row are copied. Derived in notebooks/01_convolution.ipynb, step by step in section 5.
"""
import numpy as np

from helpers import arguments as check
from helpers.functional._batch_last import arranged, batch_last, batch_last_if_small, pieces, room
from helpers.functional.windows import margins, output_size, places, windows

__all__ = ["conv2d", "conv2d_backward", "conv_transpose2d", "flip", "output_size", "spread"]

IMAGES = ("N, C, H, W", "C, H, W")
Pair = int | tuple[int, int]


def conv2d(x: np.ndarray, W: np.ndarray, b: np.ndarray | None = None, *, stride: Pair = 1,
           padding: Pair | str = 0, dilation: Pair = 1, groups: int = 1) -> np.ndarray:
    """2D convolution (cross-correlation) of images with filters: sums of products under each window, plus b.

    x (N, C, H, W) or (C, H, W); W (O, C/groups, kh, kw); b (O,); y (N, O, Ho, Wo) or
    (O, Ho, Wo). `padding` is an int, a pair, "same" or "valid". float32 or float64, as x. In memory y stands
    in C order, or with its batch last as x does (helpers/functional/_batch_last.py).
    Raises ValueError for every argument that does not fit.
    """
    Ho_Wo, *how = _checked(x, W, b, stride, padding, dilation, groups)
    return _with_bias(_correlate(_batch(x), W, Ho_Wo, *how), b, x.ndim)


def conv2d_backward(dy: np.ndarray, x: np.ndarray, W: np.ndarray, *, stride: Pair = 1,
                    padding: Pair | str = 0, dilation: Pair = 1, groups: int = 1,
                    needs_dx: bool = True) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """The gradients (dx, dW, db) of conv2d for the upstream gradient dy; each has the shape of x, W or b.

    dx is the full correlation of the spread dy with the flipped kernel, dW the correlation
    of x with dy, db the sum of dy. dy has the shape of y; with needs_dx=False (the first layer of
    a network) dx is None. Raises ValueError for every argument that does not fit.
    """
    Ho_Wo, *how = _checked(x, W, None, stride, padding, dilation, groups)
    check.floats("dy", dy, ("N, O, Ho, Wo", "O, Ho, Wo")[x.ndim == 3])
    check.same_dtype(dy=dy, x=x)
    check.shape("dy", dy, (*x.shape[:-3], len(W), *Ho_Wo), "the shape of conv2d(x, W)")
    dy = batch_last_if_small(_batch(dy))     # once, since dW and dx both read it so
    dW, db = _kernel_gradient(dy, _batch(x), W, *how), dy.sum(axis=(0, 2, 3))
    if not needs_dx:
        return None, dW, db
    dx = _transposed(dy, W, x.shape[-2:], *how)
    return arranged(dx.reshape(x.shape), batch_last(x)), dW, db


def conv_transpose2d(x: np.ndarray, W: np.ndarray, b: np.ndarray | None = None, *,
                     stride: Pair = 1, padding: Pair = 0, output_padding: Pair = 0,
                     groups: int = 1, dilation: Pair = 1) -> np.ndarray:
    """Transposed 2D convolution: each pixel of x adds the kernel, scaled, to a window of y, as conv2d's dx.

    x (N, C, H, W) or (C, H, W); W (C, O/groups, kh, kw); b (O,); y (N, O, Ho, Wo) with
    Ho = (H−1)·stride − 2·padding + dilation·(kh−1) + output_padding + 1.
    Raises ValueError for every argument that does not fit.
    """
    _check_arrays(x, W, b, groups, transposed=True)
    s, d = check.pair("stride", stride, least=1), check.pair("dilation", dilation, least=1)
    p, more = check.pair("padding", padding, least=0), check.pair("output_padding", output_padding, least=0)
    size = tuple((x.shape[a - 2] - 1) * s[a] - 2 * p[a] + d[a] * (W.shape[a + 2] - 1) + more[a] + 1
                 for a in (0, 1))
    if min(size) < 1:
        raise ValueError(f"padding: got {p}, which leaves an output of {size}; expected less")
    if any(more[a] >= max(s[a], d[a]) for a in (0, 1)):
        raise ValueError(f"output_padding: got {more}, expected less than stride {s} or dilation {d}")
    y = _transposed(_batch(x), W, size, tuple((n, n) for n in p), s, d, groups)
    return _with_bias(y, b, x.ndim)


def spread(x: np.ndarray, stride: Pair) -> np.ndarray:
    """Put stride − 1 zeros between neighbouring pixels: (…, H, W) → (…, (H−1)·s + 1, …)."""
    sh, sw = check.pair("stride", stride, least=1)
    *batch, H, W = check.floats("x", x, *IMAGES, "H, W").shape
    wide = np.zeros((*batch, max(0, (H - 1) * sh + 1), max(0, (W - 1) * sw + 1)), x.dtype)
    wide[..., ::sh, ::sw] = x
    return wide


def flip(W: np.ndarray, groups: int = 1) -> np.ndarray:
    """Flip each kernel by 180°, exchange input and output channels: (O, C/g, kh, kw) → (C, O/g, kh, kw)."""
    O, C, kh, kw = check.floats("W", W, "O, C/groups, kh, kw").shape
    groups = check.divisor(groups, W)
    turned = W.reshape(groups, O // groups, C, kh, kw)[..., ::-1, ::-1].swapaxes(1, 2)
    return turned.reshape(groups * C, O // groups, kh, kw).copy()


def _correlate(x, W, size, pads, stride, dilation, groups):
    """y, of height and width `size`: for each row of windows one product, rows · columns."""
    (O, Cg, kh, kw), (Ho, Wo) = W.shape, size
    rows = W.reshape(groups, O // groups, Cg, kh, kw).swapaxes(2, 3).reshape(groups, O // groups, -1)
    y = room(x, (len(x), O, Ho, Wo))
    for n, images in pieces(x, kw * Wo, pads):
        along = windows(images, kw, stride[1], dilation[1], axis=2)            # (C, H, Wo, n, kw), a view
        cols = along.transpose(1, 0, 4, 2, 3).reshape(len(images[0]), groups, Cg * kw, -1)       # a copy
        down = windows(cols, kh, stride[0], dilation[0], axis=0)               # (Ho, …, kh), a view of it
        cols = down.transpose(0, 1, 4, 2, 3).reshape(Ho, groups, kh * Cg * kw, -1)
        if images.shape[3] == 1:    # written where it belongs, without a copy
            np.matmul(rows, cols, out=y[n].reshape(groups, -1, Ho, Wo).transpose(2, 0, 1, 3))
        else:
            y[n] = (rows @ cols).reshape(Ho, O, Wo, -1).transpose(3, 1, 0, 2)
    return y


def _kernel_gradient(dy, x, W, pads, stride, dilation, groups):
    """dW, a row of the kernel at a time: columns · dyᵀ, summed over all windows and the batch."""
    (O, Cg, kh, kw), (Ho, Wo) = W.shape, dy.shape[2:]
    dW = np.zeros((kh, groups, Cg * kw, O // groups), x.dtype)
    for n, images in pieces(x, kw * Wo, pads):
        along = windows(images, kw, stride[1], dilation[1], axis=2).transpose(0, 4, 1, 2, 3)
        cols = along.reshape(groups, Cg * kw, len(images[0]), -1)               # (…, H, Wo·n), a copy
        dyT = dy[n].transpose(1, 2, 3, 0).reshape(groups, O // groups, -1).swapaxes(1, 2)
        for u in range(kh):
            under = cols[:, :, _every(u * dilation[0], stride[0], Ho)]
            dW[u] += under.reshape(groups, Cg * kw, -1) @ dyT
    dW = dW.reshape(kh, groups, Cg, kw, -1).transpose(1, 4, 2, 0, 3)
    return np.ascontiguousarray(dW).reshape(W.shape)


def _transposed(dy, W, size, pads, stride, dilation, groups):
    """dx by the method that copies fewer columns: those of dy, or those of x."""
    # The zeros around dy do no harm to a finite kernel, but 0 · ∞ is a NaN, which torch does not have.
    few = len(W) * size[0] * size[1] <= 4 * groups * W.shape[1] * dy.shape[2] * dy.shape[3]
    if stride == (1, 1) and few and np.isfinite(W).all():
        return _full_correlation(dy, W, size, pads, dilation, groups)
    return _fold(dy, W, size, pads, stride, dilation, groups)


def _full_correlation(dy, W, size, pads, dilation, groups):
    """dx at stride 1 by full correlation: pad dy with zeros, correlate it with the flipped kernel."""
    reach = [d * (k - 1) for d, k in zip(dilation, W.shape[2:], strict=True)]
    around = [(reach[a] - pads[a][0], size[a] - dy.shape[a + 2] + pads[a][0]) for a in (0, 1)]
    return _correlate(dy, flip(W, groups), size, around, (1, 1), dilation, groups)


def _fold(dy, W, size, pads, stride, dilation, groups):
    """dx by col2im: the columns' gradient Wᵀ · dy, a kernel row at a time, added where columns came from."""
    (N, O, Ho, Wo), (_, Cg, kh, kw), C = dy.shape, W.shape, groups * W.shape[1]
    H, Wd = (size[a] + sum(pads[a]) for a in (0, 1))
    rows = W.reshape(groups, O // groups, Cg, kh, kw).transpose(3, 0, 2, 4, 1).reshape(
        kh, groups, Cg * kw, O // groups)
    dx = room(dy, (N, C, *size))
    for n, images in pieces(dy, 2 * C * kw * H * Wo // (O * Ho)):
        cols, many = np.zeros((C, kw, H, Wo, images.shape[3]), dy.dtype), images.shape[3]
        for u in range(kh):
            part = rows[u] @ images.reshape(groups, O // groups, -1)
            cols[:, :, _every(u * dilation[0], stride[0], Ho)] += part.reshape(C, kw, Ho, Wo, many)
        wide = np.zeros((C, H, Wd, many), dy.dtype)
        for v in range(kw):
            wide[:, :, _every(v * dilation[1], stride[1], Wo)] += cols[:, v]
        (top, _), (left, _) = pads
        dx[n] = wide[:, top:top + size[0], left:left + size[1]].transpose(3, 0, 1, 2)
    return dx


def _every(start, step, count):
    return slice(start, start + step * (count - 1) + 1, step)


def _checked(x, W, b, stride, padding, dilation, groups):
    """The output's height and width; margins, stride and dilation as pairs; groups."""
    _check_arrays(x, W, b, groups)
    stride, dilation = check.pair("stride", stride, least=1), check.pair("dilation", dilation, least=1)
    pads = margins(padding, W.shape[2:], stride, dilation)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, W.shape[2:], strict=True)]
    Ho_Wo = tuple(places(f"{name} of x", x.shape[a - 2], sum(pads[a]), reach[a], stride[a])
                  for a, name in enumerate(("height", "width")))
    return Ho_Wo, pads, stride, dilation, groups


def _check_arrays(x, W, b, groups, *, transposed=False):
    check.floats("x", x, *IMAGES)
    check.floats("W", W, "C, O/groups, kh, kw" if transposed else "O, C/groups, kh, kw")
    if b is not None:
        check.floats("b", b, "O")
    check.same_dtype(x=x, W=W, b=b)
    if 0 in (*x.shape[-3:], *W.shape):
        raise ValueError(f"x, W: got shapes {x.shape}, {W.shape}; expected no axis of length 0 but N")
    outputs = check.channels(W, x, groups, transposed=transposed)
    if b is not None:
        check.shape("b", b, (outputs,), "one number for each output channel")


def _batch(x):
    return x if x.ndim == 4 else x[None]


def _with_bias(y, b, ndim):
    if b is not None:
        y += b[:, None, None]
    return y if ndim == 4 else y[0]
