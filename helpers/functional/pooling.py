"""Pooling in two dimensions: forward and backward, as torch.nn.functional has them.

    largest:  y[n, c, p, q] = max_u max_v  x[n, c, s·p + d·u − pad, s·q + d·v − pad]
    average:  y[n, c, p, q] =   Σ_u Σ_v    x[n, c, s·p + u − pad, s·q + v − pad]  /  pixels counted

Entry (u, v) of all windows at once is x sliced in steps of s: no window is cut out by itself.
Derived in notebooks/02_pooling.ipynb.
"""
from functools import reduce

import numpy as np

from helpers import arguments as check
from helpers.functional._argmax import accumulate, argmax_indices, maximum, route
from helpers.functional._batch_last import arranged, batch_last, chunks, room
from helpers.functional.windows import pad, span

__all__ = ["avg_pool2d", "avg_pool2d_backward", "max_pool2d", "max_pool2d_backward"]

Pair = int | tuple[int, int]


def max_pool2d(x: np.ndarray, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0,
               dilation: Pair = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Keep the largest pixel under each window. The margin is −∞; a NaN counts as the largest.

    x (N, C, H, W) or (C, H, W); y (N, C, Ho, Wo) or (C, Ho, Wo), float32 or float64 as x. The stride is
    kernel_size unless given. With return_indices the result is (y, indices): where each y stood, counted
    row by row through the H · W pixels. Raises ValueError for every argument that does not fit.
    """
    axes, shape = _checked(x, kernel_size, stride, padding, dilation, ceil_mode,
                           return_indices=return_indices)
    y = room(x, shape)
    if not return_indices:
        for image, value in _planes(x, y):
            value[:] = _combined(np.maximum, -np.inf, image, *axes)
        return y
    indices = room(x, shape, np.int64)
    for image, value, index in _planes(x, y, indices):
        value[:], *masks = maximum(image, *axes)
        index[:] = argmax_indices(value, *masks, *axes)
    return y, indices


def max_pool2d_backward(dy: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: Pair | None = None,
                        padding: Pair = 0, dilation: Pair = 1, ceil_mode: bool = False) -> np.ndarray:
    """Route the upstream gradient of each window to its argmax: dx, of the shape of x.

    Ties go to the first index, row by row; of NaNs the last is taken, as in torch. Where windows overlap,
    gradients add up. dy has the shape of y. Raises ValueError as max_pool2d does.
    """
    axes, shape = _checked(x, kernel_size, stride, padding, dilation, ceil_mode)
    _check_dy(dy, x, shape, "max_pool2d(x, …)")
    canvas, inside = _canvas(x, *axes)
    for part, image, dx in _planes(arranged(dy, batch_last(x)), x, canvas):
        dx[:] = 0
        _, larger_across, larger_down = maximum(image, *axes)
        rows = np.zeros_like(part, shape=(*part.shape[:2], axes[0].padded, part.shape[3]))
        route(part, larger_down, [rows[..., i, :] for i in axes[0].entries], axes[0])
        route(rows, larger_across, [dx[..., j] for j in axes[1].entries], axes[1])
    return arranged(inside, batch_last(x))


def avg_pool2d(x: np.ndarray, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0,
               ceil_mode: bool = False, count_include_pad: bool = True,
               divisor_override: int | None = None) -> np.ndarray:
    """Keep the mean of the pixels under each window.

    x (N, C, H, W) or (C, H, W); y (N, C, Ho, Wo) or (C, Ho, Wo), float32 or float64 as x. The margin's
    zeros count unless count_include_pad is False; what lies beyond the margin, where ceil_mode lets a
    window reach, never does. divisor_override replaces the count. Raises ValueError as max_pool2d does.
    """
    axes, shape = _checked(x, kernel_size, stride, padding, 1, ceil_mode, count_include_pad=count_include_pad)
    divisor = _divisor(axes, count_include_pad, divisor_override, x.dtype)
    y = room(x, shape)
    for image, value in _planes(x, y):
        np.divide(_combined(np.add, 0.0, image, *axes), divisor, out=value)
    return y


def avg_pool2d_backward(dy: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: Pair | None = None,
                        padding: Pair = 0, ceil_mode: bool = False, count_include_pad: bool = True,
                        divisor_override: int | None = None) -> np.ndarray:
    """Divide the upstream gradient dy, of the shape of y, equally among each window's pixels: dx.

    A pixel receives dy / divisor from every window over it. Raises ValueError as max_pool2d does.
    """
    axes, shape = _checked(x, kernel_size, stride, padding, 1, ceil_mode, count_include_pad=count_include_pad)
    divisor = _divisor(axes, count_include_pad, divisor_override, x.dtype)
    _check_dy(dy, x, shape, "avg_pool2d(x, …)")
    canvas, inside = _canvas(x, *axes)
    for part, dx in _planes(arranged(dy, batch_last(x)), canvas):
        dx[:] = 0
        _spread_out(part / divisor, dx, *axes)
    return arranged(inside, batch_last(x))


def _combined(combine, margin, image, down, across):
    """The largest or the sum of every window: down its columns, then across, in kh + kw steps."""
    image = pad(image, [down.margin, across.margin], margin)
    if down.places == across.places == 1:   # as in global pooling
        return combine.reduce(image[..., down.window, across.window], axis=(2, 3), keepdims=True)
    rows = reduce(combine, [image[..., i, :] for i in down.entries])
    return reduce(combine, [rows[..., j] for j in across.entries])


def _spread_out(part, dx, down, across):
    """Add each window's part of the gradient to all of its pixels: across, then down."""
    if down.places == across.places == 1:
        dx[..., down.window, across.window] = part
        return
    rows = np.zeros_like(part, shape=(*part.shape[:3], dx.shape[3]))
    for j in across.entries:
        accumulate(part, rows[..., j], across)
    for i in down.entries:
        accumulate(rows, dx[..., i, :], down)


def _divisor(axes, count_include_pad, divisor_override, dtype):
    """What the sum under each window is divided by: one number, or one for each place."""
    n = divisor_override
    if n is None:
        return np.multiply.outer(*(axis.counted(count_include_pad) for axis in axes)).astype(dtype)
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or not 0 < abs(n) < 2**63:
        raise ValueError(f"divisor_override: got {n!r}, expected None or an integer other than 0")
    return float(n)


def _planes(*arrays):
    """The planes (n, 1, height, width) of the arrays, as many at a time as fit the cache.

    Of arrays whose batch is last in memory, (c, N, height, width): so each piece lies in one place.
    """
    planes = [a.swapaxes(0, 1) if batch_last(arrays[-1]) else a.reshape(-1, 1, *a.shape[-2:]) for a in arrays]
    return ([p[n] for p in planes] for n in chunks(len(planes[0]), max(p[:1].nbytes for p in planes) // 2))


def _canvas(x, down, across):
    """Room for the gradient of x and its margin, and the part of it inside the margin."""
    canvas = room(x, (*x.shape[:-2], down.padded, across.padded))
    return canvas, canvas[..., down.inside, across.inside]


def _checked(x, kernel_size, stride, padding, dilation, ceil_mode, **flags):
    """How the windows stand down the height of x and across its width, and the shape of y."""
    check.floats("x", x, "N, C, H, W", "C, H, W")
    if 0 in x.shape[-3:]:
        raise ValueError(f"x: got shape {x.shape}, expected no axis of length 0 but N")
    for name, flag in {"ceil_mode": ceil_mode, **flags}.items():
        check.flag(name, flag)
    k = check.pair("kernel_size", kernel_size, least=1)
    s = k if stride is None else check.pair("stride", stride, least=1)
    p, d = check.pair("padding", padding, least=0), check.pair("dilation", dilation, least=1)
    if any(2 * p[a] > k[a] for a in (0, 1)):
        raise ValueError(f"padding: got {padding!r}, expected at most half of kernel_size {kernel_size!r}")
    axes = [span(f"{name} of x", x.shape[a - 2], k[a], s[a], p[a], d[a], ceil_mode)
             for a, name in enumerate(("height", "width"))]
    return axes, (*x.shape[:-2], *(axis.places for axis in axes))


def _check_dy(dy, x, shape, call):
    check.floats("dy", dy, ("N, C, Ho, Wo", "C, Ho, Wo")[x.ndim == 3])
    check.same_dtype(dy=dy, x=x)
    check.shape("dy", dy, shape, f"the shape of {call}")
