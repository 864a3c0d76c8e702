"""Where the pixels of a batch stand in memory: image by image, or the first pixel of all images, the second …

NumPy is quick along long rows, and the rows of small images are short. With the batch last in memory, as
(C, H, W, N) that is read as (N, C, H, W), many small images are one wide image, in which a step of a pixel is
a step of N numbers. Convolution, pooling and batch normalisation answer in the order that x has; layers of
convolutions begin with it. torch has an order of this kind too, with the channels last.
"""
import numpy as np

from helpers.functional.windows import Pads, pad

FEW = 8         # images, too few to be woven into one
SMALL = 256     # pixels: larger images have rows of their own that are long enough

NO_MARGIN = ((0, 0), (0, 0))


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


def weave(x: np.ndarray, stride: tuple[int, int], pads: Pads = NO_MARGIN,
          wanted: bool = True) -> tuple[np.ndarray, int]:
    """Many small images, with a margin of zeros, as one wide image (1, C, H, W · N).

    Long rows are quick to copy, and their matrix products are large. With the images comes how many of them
    are woven into one: 1 where they are few, where the windows stride across, or not `wanted`.
    """
    N, C, H, W = x.shape
    if N < FEW or stride[1] > 1 or not wanted:
        return pad(x, pads), 1
    wide = x.transpose(1, 2, 3, 0).reshape(1, C, H, W * N)
    down, (left, right) = pads
    return pad(wide, (down, (left * N, right * N))), N


def unweave(x: np.ndarray, many: int) -> np.ndarray:
    """The images (N, C, H, W) of a wide one: a view, with its batch last in memory."""
    _, C, H, W = x.shape
    return x.reshape(C, H, W // many, many).transpose(3, 0, 1, 2)
