"""Real data that ships inside packages, nothing is downloaded, and the kernels everyone knows."""
import numpy as np
from sklearn.datasets import load_digits, load_sample_image

KERNELS = {   # 3 × 3 filters of one channel that everyone knows, as a correlation uses them
    "identity":  [[ 0,  0,  0], [ 0,  1,  0], [ 0,  0,  0]],
    "blur":      [[1/9, 1/9, 1/9], [1/9, 1/9, 1/9], [1/9, 1/9, 1/9]],
    "Gaussian":  [[1/16, 1/8, 1/16], [1/8, 1/4, 1/8], [1/16, 1/8, 1/16]],
    "sharpen":   [[ 0, -1,  0], [-1,  5, -1], [ 0, -1,  0]],
    "Sobel →":   [[-1,  0,  1], [-2,  0,  2], [-1,  0,  1]],
    "Sobel ↓":   [[-1, -2, -1], [ 0,  0,  0], [ 1,  2,  1]],
    "Laplacian": [[ 0,  1,  0], [ 1, -4,  1], [ 0,  1,  0]],
    "emboss":    [[-2, -1,  0], [-1,  1,  1], [ 0,  1,  2]],
}


def kernel(name: str) -> np.ndarray:
    """One of KERNELS as an array (3, 3); ValueError names those that exist."""
    if name not in KERNELS:
        raise ValueError(f"name: got {name!r}, expected one of {', '.join(KERNELS)}")
    return np.array(KERNELS[name], dtype=float)


def photograph(name: str = "china", *, shrink: int = 2, gray: bool = False) -> np.ndarray:
    """A photograph as (C, H, W) numbers from 0 to 1, every shrink × shrink pixels averaged to one.

    `name` is "china" (a temple) or "flower", the sample images of scikit-learn, 427 × 640 pixels.
    C is 3, or 1 when gray. Raises ValueError for another name and for a shrink that is no size.
    """
    if name not in ("china", "flower"):
        raise ValueError(f'name: got {name!r}, expected "china" or "flower"')
    if not isinstance(shrink, int) or not 1 <= shrink <= 200:
        raise ValueError(f"shrink: got {shrink!r}, expected an integer from 1 to 200")
    image = load_sample_image(f"{name}.jpg").transpose(2, 0, 1) / 255
    C, H, W = image.shape
    H, W = H // shrink, W // shrink
    image = image[:, :H * shrink, :W * shrink].reshape(C, H, shrink, W, shrink).mean(axis=(2, 4))
    return image.mean(axis=0, keepdims=True) if gray else image


def digit(index: int) -> np.ndarray:
    """One of the 1797 handwritten digits of scikit-learn, (8, 8) numbers from 0 to 1.

    Raises ValueError for an index that is none of 0 … 1796.
    """
    images = load_digits().images
    if not isinstance(index, int) or not 0 <= index < len(images):
        raise ValueError(f"index: got {index!r}, expected an integer from 0 to {len(images) - 1}")
    return images[index] / 16
