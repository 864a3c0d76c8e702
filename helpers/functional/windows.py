"""Windows that slide over an image: how many there are, where they stand, the margin around it.

Convolution and pooling share this. Lengths are in pixels. The arithmetic follows Dumoulin & Visin,
"A guide to convolution arithmetic for deep learning" (2016), arXiv:1603.07285.
"""
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided

from helpers import arguments as check

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


def places(name: str, size: int, padding: int, reach: int, stride: int, ceil_mode: bool = False) -> int:
    """Places of a window that spans `reach` pixels; `padding` counts both sides.

    In ceil_mode, which only pooling has, a last window may reach beyond the padded input, if it starts
    on a pixel or in the margin before them.
    """
    beyond = stride - 1 if ceil_mode else 0
    if reach > size + padding + beyond:
        raise ValueError(f"{name}: got {size} pixels and {padding} of padding, but the kernel spans "
                         f"{reach}; expected a kernel no larger than the padded input")
    count = (size + padding + beyond - reach) // stride + 1
    return count - (ceil_mode and (count - 1) * stride >= size + padding // 2)


@dataclass(frozen=True)
class Span:
    """How the windows of a pooling layer stand along one axis; lengths in pixels."""

    size: int       # of the input
    kernel: int
    stride: int
    padding: int
    dilation: int
    places: int

    @cached_property
    def reach(self) -> int:
        """Entries of a window that can meet a pixel; in ceil_mode a kernel may be larger than its input."""
        return min(self.kernel, -(-(self.size + self.padding) // self.dilation))

    @cached_property
    def entries(self) -> tuple[slice, ...]:
        """Where in the padded input entry u of all windows is, for each u."""
        d, length = self.dilation, self.stride * (self.places - 1) + 1
        return tuple(slice(d * u, d * u + length, self.stride) for u in range(self.reach))

    @cached_property
    def window(self) -> slice:
        """Where in the padded input the first window is."""
        return slice(0, self.dilation * (self.reach - 1) + 1, self.dilation)

    @cached_property
    def margin(self) -> tuple[int, int]:
        """What the windows need before and after the input."""
        return self.padding, max(0, self.entries[-1].stop - self.size - self.padding)

    @cached_property
    def padded(self) -> int:
        """The length of the input and its margin."""
        return self.size + sum(self.margin)

    @cached_property
    def inside(self) -> slice:
        """Where in the padded input the input is."""
        return slice(self.padding, self.padding + self.size)

    @cached_property
    def overlap(self) -> bool:
        """Whether two windows may share a pixel."""
        return self.places > 1 and self.stride <= self.dilation * (self.reach - 1)

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each window begins; in the margin, that is below 0."""
        return self.stride * np.arange(self.places) - self.padding

    @cached_property
    def first(self) -> np.ndarray:
        """The first entry of each window that lies on the input."""
        return np.maximum(0, -(self.starts // self.dilation))

    def counted(self, with_padding: bool) -> np.ndarray:
        """How many pixels each window (dilation 1) covers; those of the padding count only if asked for."""
        padding = self.padding if with_padding else 0
        return np.minimum(self.starts + self.kernel, self.size + padding) - np.maximum(self.starts, -padding)


@lru_cache(256)
def span(name: str, size: int, kernel: int, stride: int, padding: int, dilation: int,
         ceil_mode: bool) -> Span:
    """The windows along one axis of `size` pixels; ValueError, which says `name`, where one is empty."""
    if max(kernel, stride, dilation) >= 2**31:
        raise ValueError(f"{name}: got kernel {kernel}, stride {stride}, dilation {dilation}; "
                         "expected less than 2³¹")
    count = places(name, size, 2 * padding, dilation * (kernel - 1) + 1, stride, ceil_mode)
    if any(start % dilation >= size for start in range(-padding, 0, stride)[:count]):
        raise ValueError(f"dilation: got {dilation}, with which a window steps over all {size} pixels of the "
                         f"{name}; expected a pixel under every window")
    return Span(size, kernel, stride, padding, dilation, count)


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
    """All windows of k entries along `axis`, a view; a window's entries are the last axis.

    Equal to NumPy's sliding_window_view, sliced by stride and dilation, at a fifth of its overhead.
    """
    shape, steps, step = [*x.shape, k], list(x.strides), x.strides[axis]
    shape[axis] = (x.shape[axis] - dilation * (k - 1) - 1) // stride + 1
    steps[axis] = stride * step
    return as_strided(x, shape, [*steps, dilation * step], writeable=False)


def pad(x: np.ndarray, pads: Pads, value: float = 0.0, axis: int = 2) -> np.ndarray:
    """Put a margin of `value` around x along `axis` and the next one; a negative one takes pixels away."""
    if not any(map(any, pads)):
        return x
    shape, kept, inside = list(x.shape), [slice(None)] * x.ndim, [slice(None)] * x.ndim
    for i, (before, after) in enumerate(pads, start=axis):
        # What is taken away on one side may be more than there is, and reach into the other margin.
        first, last = max(0, -before), x.shape[i] + min(0, after)
        kept[i] = slice(first, max(first, last))
        inside[i] = slice(max(0, before), max(0, before) + max(0, last - first))
        shape[i] += before + after
    out = np.full(shape, value, x.dtype)
    out[tuple(inside)] = x[tuple(kept)]
    return out
