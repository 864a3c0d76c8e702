"""Windows that slide over an image: how many there are, where they stand, the margin around it.

Convolution and pooling share this. Lengths are in pixels. The arithmetic follows Dumoulin & Visin,
"A guide to convolution arithmetic for deep learning" (2016), arXiv:1603.07285.
"""
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from helpers import arguments as check

CHUNK = 2**20   # bytes of unfolded columns at a time: what a second-level cache holds

Pads = tuple[tuple[int, int], tuple[int, int]]


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int | str = 0,
                dilation: int = 1) -> int:
    """Count the places of a window along one axis: ⌊(n + 2p − d(k−1) − 1)/s⌋ + 1.

    Lengths are in pixels. Raises ValueError when a number is out of range or the
    kernel is larger than the padded input. Derived in notebooks/01_convolution.ipynb.
    """
    n, k = check.integer("size", size, least=1), check.integer("kernel_size", kernel_size, least=1)
    s, d = check.integer("stride", stride, least=1), check.integer("dilation", dilation, least=1)
    if not isinstance(padding, str):
        check.integer("padding", padding, least=0)
    return places("size", n, sum(margins(padding, (k, k), (s, s), (d, d))[0]), d * (k - 1) + 1, s)


def places(name: str, size: int, padding: int, reach: int, stride: int) -> int:
    """Places of a window that spans `reach` pixels; `padding` counts both sides."""
    if reach > size + padding:
        raise ValueError(f"{name}: got {size} pixels and {padding} of padding, but the kernel spans "
                         f"{reach}; expected a kernel no larger than the padded input")
    return (size + padding - reach) // stride + 1


def margins(padding: int | tuple[int, int] | str, kernel: tuple[int, int], stride: tuple[int, int],
            dilation: tuple[int, int]) -> Pads:
    """((top, bottom), (left, right)) of an int, a pair, "same" or "valid", as torch reads them."""
    if not isinstance(padding, str):
        return tuple((n, n) for n in check.pair("padding", padding, least=0))
    if padding not in ("same", "valid"):
        raise ValueError(f'padding: got {padding!r}, expected an integer, a pair, "same" or "valid"')
    if padding == "same" and stride != (1, 1):
        raise ValueError(f'stride: got {stride} with padding="same", expected stride 1')
    whole = [d * (k - 1) * (padding == "same") for k, d in zip(kernel, dilation, strict=True)]
    return tuple((n // 2, n - n // 2) for n in whole)


def windows(x: np.ndarray, k: int, stride: int, dilation: int, axis: int) -> np.ndarray:
    """All windows of k entries along `axis`, a view; a window's entries are the last axis."""
    view = sliding_window_view(x, dilation * (k - 1) + 1, axis=axis)[..., ::dilation]
    return view[(slice(None),) * axis + (slice(None, None, stride),)]


def pad(x: np.ndarray, pads: Pads, value: float = 0.0) -> np.ndarray:
    """Put a margin of `value` around the images x (N, C, H, W); a negative one takes pixels away."""
    if not any(map(any, pads)):
        return x
    (top, bottom), (left, right) = pads
    H, W = x.shape[2:]
    # What is taken away on one side may be more than there is, and reach into the other margin.
    rest = x[:, :, max(0, -top):max(0, H + min(0, bottom)), max(0, -left):max(0, W + min(0, right))]
    out = np.full((*x.shape[:2], top + H + bottom, left + W + right), value, x.dtype)
    top, left = max(0, top), max(0, left)
    out[:, :, top:top + rest.shape[2], left:left + rest.shape[3]] = rest
    return out


def chunks(N: int, bytes_each: int) -> Iterator[slice]:
    """Slices of a batch of N whose columns fit the cache."""
    step = max(1, CHUNK // max(1, bytes_each))
    return (slice(start, start + step) for start in range(0, N, step))
