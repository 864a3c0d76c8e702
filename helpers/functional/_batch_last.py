"""Where the pixels of a batch stand in memory: image by image, or the first pixel of all images, the second …

Equal in all numbers, only quicker: NumPy likes long rows, and the rows of small images are short. With the
batch last in memory, as (C, H, W, N) that is read as (N, C, H, W), a row has W · N numbers, and a matrix
product as many columns. Convolution, pooling and batch normalization answer in the order that x has; layers
of convolutions begin with it. torch can have the channels last.
"""
from collections.abc import Iterator

import numpy as np

from helpers.functional.windows import Pads, pad

FEW = 8         # images, too few for their batch to be put last
ROW = 4         # images at a time, at least: with fewer, rows are too short for the copy to pay
SMALL = 256     # pixels: larger images have rows of their own that are long enough

NO_MARGIN = ((0, 0), (0, 0))
CHUNK = 2**20   # bytes at a time, such as columns and their products: what a second-level cache holds


def batch_last(x: np.ndarray) -> bool:
    """Whether images x (N, C, H, W) have their batch last in memory."""
    return (x.ndim == 4 and len(x) >= FEW and not x.flags.c_contiguous
            and x.transpose(1, 2, 3, 0).flags.c_contiguous)


def arranged(x: np.ndarray, last: bool) -> np.ndarray:
    """x with its batch last in memory, or else in C order: itself where it is so already, or a copy."""
    if last:
        return np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)
    return np.ascontiguousarray(x)


def batch_last_if_small(x: np.ndarray) -> np.ndarray:
    """x with its batch last in memory, when its images are small and many; all else as it came."""
    if not isinstance(x, np.ndarray) or x.ndim != 4 or len(x) < FEW or x.shape[2] * x.shape[3] > SMALL:
        return x
    return arranged(x, True)


def room(x: np.ndarray, shape: tuple[int, ...], dtype: type | None = None) -> np.ndarray:
    """An empty array of that shape, the dtype of x unless given, which stands in memory as x does."""
    if batch_last(x):
        return np.empty((*shape[1:], shape[0]), dtype or x.dtype).transpose(3, 0, 1, 2)
    return np.empty(shape, dtype or x.dtype)


def pieces(x: np.ndarray, copies: int, pads: Pads = NO_MARGIN) -> Iterator[tuple[slice, np.ndarray]]:
    """Which images of x, and these with a margin of zeros and the batch last: (C, H, W, n).

    As many as fit the cache when each row of x becomes `copies` numbers; where these are few, one by one.
    """
    rows = x.shape[1] * (x.shape[2] + sum(pads[0]))
    for n in chunks(len(x), 2 * rows * copies * x.itemsize, ROW):
        yield n, np.ascontiguousarray(pad(x[n].transpose(1, 2, 3, 0), pads, axis=1))


def chunks(N: int, bytes_each: int, few: int = 1) -> Iterator[slice]:
    """Slices of a batch of N that fit the cache, as equal as can be; one by one where `few` do not fit."""
    step = min(N, CHUNK // max(1, bytes_each))
    count = -(-N // step) if step >= few else N
    return (slice(i * N // count, (i + 1) * N // count) for i in range(count))
