"""Real data that ships inside packages, clouds of points, and the kernels that everyone knows."""
import numpy as np
from sklearn.datasets import load_digits, load_sample_image
from sklearn.model_selection import train_test_split

from helpers import arguments as check

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


def digits(rng: np.random.Generator, test_share: float = 0.2) -> tuple[np.ndarray, ...]:
    """Split the 1797 digits, shuffled, into those to learn from and those to be asked about.

    Returns X_train, X_test, y_train, y_test, the order of scikit-learn: X (n, 64) numbers from 0 to 1,
    of which X.reshape(-1, 1, 8, 8) makes images; y (n,) the classes 0 … 9. `test_share` of each class is
    for the test. Raises ValueError for a share that is not from 0.01 to 0.99, or an rng that is none.
    """
    check.generator(rng)
    check.number("test_share", test_share, least=0.01, most=0.99)
    X, y = load_digits(return_X_y=True)
    return tuple(train_test_split(X / 16, y, test_size=float(test_share), stratify=y,
                                  random_state=int(rng.integers(2**31))))


def moons(rng: np.random.Generator, n: int = 200, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles, each reaching into the other: X (n, 2) points, y (n,) classes 0 and 1.

    `noise` is the standard deviation of what is added to each coordinate. Raises ValueError for n below
    2, for a noise below 0, or an rng that is none.
    """
    y = _shuffled_classes(rng, n, 2, noise)
    t = np.pi * rng.random(n)
    X = np.where(y == 0, [np.cos(t), np.sin(t)], [1 - np.cos(t), 0.5 - np.sin(t)]).T
    return X + noise * rng.normal(size=(n, 2)), y


def xor(rng: np.random.Generator, n: int = 200, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Four clouds around (±1, ±1), class 1 where the signs differ: X (n, 2) points, y (n,) classes 0 and 1.

    No straight line parts the classes. `noise` is the standard deviation of each cloud; with n=4 and
    noise=0 it is the table of XOR. Raises ValueError for n below 4, for a noise below 0, or an rng
    that is none.
    """
    corner = _shuffled_classes(rng, n, 4, noise)
    X = np.stack([2 * (corner // 2) - 1, 2 * (corner % 2) - 1], axis=1)
    return X + noise * rng.normal(size=(n, 2)), (X[:, 0] != X[:, 1]).astype(int)


def _shuffled_classes(rng, n, count, noise):
    """n classes 0 … count − 1, as many of each, or one more, in random order."""
    check.generator(rng)
    check.integer("n", n, least=count)
    check.number("noise", noise, least=0)
    return rng.permutation(np.arange(n) % count)


def randn(rng: np.random.Generator, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Draw standard normal numbers, positive and negative: one float64 array for each shape."""
    check.generator(rng)
    return [np.asarray(rng.normal(size=shape)) for shape in shapes]
