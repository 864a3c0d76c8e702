"""Convolution in two dimensions: forward, backward and transposed, as torch.nn.functional has them.

    y[n, o, p, q] = b[o] + Σ_c Σ_u Σ_v  W[o, c, u, v] · x[n, c, s·p + d·u − pad, s·q + d·v − pad]

Torch calls this a convolution; it is a cross-correlation, the kernel is not flipped.
Derived in notebooks/01_convolution.ipynb.
"""
import numpy as np

from helpers import arguments as check
from helpers.functional._batch_last import arranged, batch_last
from helpers.functional._im2col import correlate, fold, kernel_gradient
from helpers.functional.windows import margins, output_size, places

__all__ = ["conv2d", "conv2d_backward", "conv_transpose2d", "flip", "output_size", "spread"]

IMAGES = ("N, C, H, W", "C, H, W")
Pair = int | tuple[int, int]


def conv2d(x: np.ndarray, W: np.ndarray, b: np.ndarray | None = None, *, stride: Pair = 1,
           padding: Pair | str = 0, dilation: Pair = 1, groups: int = 1) -> np.ndarray:
    """Slide each filter over the image and write down the sum under the window.

    x (N, C, H, W) or (C, H, W); W (O, C/groups, kh, kw); b (O,); y (N, O, Ho, Wo) or
    (O, Ho, Wo). `padding` is an int, a pair, "same" or "valid". float32 or float64, as x. In memory y stands
    in C order, or with its batch last as x does (helpers/functional/_batch_last.py).
    Raises ValueError for every argument that does not fit.
    """
    stride, pads, dilation, _ = _checked(x, W, b, stride, padding, dilation, groups)
    y = correlate(_batch(x), W, pads, stride, dilation, groups)
    return arranged(_with_bias(y, b, x.ndim), batch_last(x))


def conv2d_backward(dy: np.ndarray, x: np.ndarray, W: np.ndarray, *, stride: Pair = 1,
                    padding: Pair | str = 0, dilation: Pair = 1, groups: int = 1,
                    needs_dx: bool = True) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Send the blame dy back: (dx, dW, db), each of the shape of what it blames.

    dx is the full correlation of the spread dy with the flipped kernel, dW the correlation
    of x with dy, db the sum of dy. dy has the shape of y; with needs_dx=False (the first layer of
    a network) dx is None. Raises ValueError for every argument that does not fit.
    """
    stride, pads, dilation, Ho_Wo = _checked(x, W, None, stride, padding, dilation, groups)
    check.floats("dy", dy, ("N, O, Ho, Wo", "O, Ho, Wo")[x.ndim == 3])
    check.same_dtype(dy=dy, x=x)
    check.shape("dy", dy, (*x.shape[:-3], len(W), *Ho_Wo), "the shape of conv2d(x, W)")
    blame, images = _batch(dy), _batch(x)
    dW = kernel_gradient(blame, images, W, pads, stride, dilation, groups)
    db = blame.sum(axis=(0, 2, 3))
    if not needs_dx:
        return None, dW, db
    dx = _transposed(blame, W, x.shape[-2:], pads, stride, dilation, groups)
    return arranged(dx.reshape(x.shape), batch_last(x)), dW, db


def conv_transpose2d(x: np.ndarray, W: np.ndarray, b: np.ndarray | None = None, *,
                     stride: Pair = 1, padding: Pair = 0, output_padding: Pair = 0,
                     groups: int = 1, dilation: Pair = 1) -> np.ndarray:
    """Let every pixel of x stamp the kernel, scaled by it, into y: conv2d's dx as a forward pass.

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
    return arranged(_with_bias(y, b, x.ndim), batch_last(x))


def spread(x: np.ndarray, stride: Pair) -> np.ndarray:
    """Put stride − 1 zeros between neighbouring pixels: (…, H, W) → (…, (H−1)·s + 1, …)."""
    sh, sw = check.pair("stride", stride, least=1)
    *batch, H, W = check.floats("x", x, *IMAGES, "H, W").shape
    wide = np.zeros((*batch, max(0, (H - 1) * sh + 1), max(0, (W - 1) * sw + 1)), x.dtype)
    wide[..., ::sh, ::sw] = x
    return wide


def flip(W: np.ndarray, groups: int = 1) -> np.ndarray:
    """Turn each kernel by 180°, exchange its channels: (O, C/g, kh, kw) → (C, O/g, kh, kw)."""
    O, C, kh, kw = check.floats("W", W, "O, C/groups, kh, kw").shape
    groups = check.divisor(groups, W)
    turned = W.reshape(groups, O // groups, C, kh, kw)[..., ::-1, ::-1].swapaxes(1, 2)
    return turned.reshape(groups * C, O // groups, kh, kw).copy()


def _transposed(dy, W, size, pads, stride, dilation, groups):
    """dx, in the way that copies fewer columns: those of dy, or those of x."""
    # The zeros around dy do no harm to a finite kernel, but 0 · ∞ is a NaN, which torch does not have.
    if stride == (1, 1) and W.shape[0] <= 4 * groups * W.shape[1] and np.isfinite(W).all():
        return _full_correlation(dy, W, size, pads, dilation, groups)
    return fold(dy, W, size, pads, stride, dilation, groups)


def _full_correlation(dy, W, size, pads, dilation, groups):
    """dx at stride 1: surround dy with zeros, correlate it with the flipped kernel."""
    around = []
    for a in (0, 1):
        reach = dilation[a] * (W.shape[a + 2] - 1)
        before = reach - pads[a][0]
        around.append((before, size[a] + reach - dy.shape[a + 2] - before))
    return correlate(dy, flip(W, groups), around, (1, 1), dilation, groups)


def _checked(x, W, b, stride, padding, dilation, groups):
    """Stride, margins and dilation as pairs, and the output's height and width."""
    _check_arrays(x, W, b, groups)
    stride, dilation = check.pair("stride", stride, least=1), check.pair("dilation", dilation, least=1)
    pads = margins(padding, W.shape[2:], stride, dilation)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, W.shape[2:], strict=True)]
    Ho_Wo = tuple(places(f"{name} of x", x.shape[a - 2], sum(pads[a]), reach[a], stride[a])
                  for a, name in enumerate(("height", "width")))
    return stride, pads, dilation, Ho_Wo


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
