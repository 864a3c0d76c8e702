"""Data sets that ship inside packages, random point clouds in two classes, and well-known kernels."""
import numpy as np
from sklearn.datasets import load_digits, load_sample_image
from sklearn.model_selection import train_test_split

from helpers import arguments as check

KERNELS = {   # well-known 3 × 3 kernels of one channel, for cross-correlation
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
    """Return one of KERNELS as an array (3, 3); ValueError names those that exist."""
    if name not in KERNELS:
        raise ValueError(f"name: got {name!r}, expected one of {', '.join(KERNELS)}")
    return np.array(KERNELS[name], dtype=float)


def photograph(name: str = "china", *, shrink: int = 2, gray: bool = False) -> np.ndarray:
    """Load a photograph as (C, H, W) numbers from 0 to 1, downsampled by averages of shrink × shrink pixels.

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
    """Load one of the 1797 handwritten digits of scikit-learn, (8, 8) numbers from 0 to 1.

    Raises ValueError for an index that is none of 0 … 1796.
    """
    images = load_digits().images
    if not isinstance(index, int) or not 0 <= index < len(images):
        raise ValueError(f"index: got {index!r}, expected an integer from 0 to {len(images) - 1}")
    return images[index] / 16


def digits(rng: np.random.Generator, test_size: float = 0.2) -> tuple[np.ndarray, ...]:
    """Split the 1797 handwritten digits at random into a training set and a test set.

    Returns X_train, X_test, y_train, y_test, the order of scikit-learn: X (n, 64) numbers from 0 to 1,
    of which X.reshape(-1, 1, 8, 8) makes images; y (n,) the classes 0 … 9. `test_size` is the fraction of
    each class in the test set. Raises ValueError unless it is from 0.01 to 0.99, or for an rng that is none.
    """
    check.generator(rng)
    check.number("test_size", test_size, least=0.01, most=0.99)
    X, y = load_digits(return_X_y=True)
    return tuple(train_test_split(X / 16, y, test_size=float(test_size), stratify=y,
                                  random_state=int(rng.integers(2**31))))


def moons(rng: np.random.Generator, n: int = 200, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Draw two interleaving half circles: X (n, 2) points, y (n,) classes 0 and 1.

    `noise` is the standard deviation of the noise added to each coordinate. Raises ValueError for n below
    2, for a noise below 0, or an rng that is none.
    """
    y = _shuffled_classes(rng, n, 2, noise)
    t = np.pi * rng.random(n)
    X = np.where(y == 0, [np.cos(t), np.sin(t)], [1 - np.cos(t), 0.5 - np.sin(t)]).T
    return X + noise * rng.normal(size=(n, 2)), y


def xor(rng: np.random.Generator, n: int = 200, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Draw four clouds around (±1, ±1), class 1 where the signs differ: X (n, 2) points, y (n,) classes.

    No straight line separates the classes. `noise` is the standard deviation of each cloud; with n=4 and
    noise=0 it is the table of XOR. Raises ValueError for n below 4, for a noise below 0, or an rng
    that is none.
    """
    corner = _shuffled_classes(rng, n, 4, noise)
    X = np.stack([2 * (corner // 2) - 1, 2 * (corner % 2) - 1], axis=1)
    return X + noise * rng.normal(size=(n, 2)), (X[:, 0] != X[:, 1]).astype(int)


def _shuffled_classes(rng, n, count, noise):
    """n class labels 0 … count − 1 in random order; the classes differ in size by at most one."""
    check.generator(rng)
    check.integer("n", n, least=count)
    check.number("noise", noise, least=0)
    return rng.permutation(np.arange(n) % count)


def randn(rng: np.random.Generator, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Draw standard normal numbers, positive and negative: one float64 array for each shape."""
    check.generator(rng)
    return [np.asarray(rng.normal(size=shape)) for shape in shapes]
