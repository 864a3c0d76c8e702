"""The split that helpers.data asks for, with scikit-learn's own random numbers."""
import numpy as np


def train_test_split(X: np.ndarray, y: np.ndarray, *, test_size: float, stratify: np.ndarray,
                     random_state: int) -> list[np.ndarray]:
    """Split as sklearn.model_selection.train_test_split does when it stratifies: X, X, y, y."""
    rng, n = np.random.RandomState(random_state), len(y)
    n_test = int(np.ceil(test_size * n))
    counts = np.bincount(stratify)
    places = np.split(np.argsort(stratify, kind="mergesort"), np.cumsum(counts)[:-1])
    train_counts = _shares(counts, n - n_test, rng)
    test_counts = _shares(counts - train_counts, n_test, rng)
    train, test = [], []
    for where, count, a, b in zip(places, counts, train_counts, test_counts, strict=True):
        where = where.take(rng.permutation(count), mode="clip")
        train.extend(where[:a])
        test.extend(where[a:a + b])
    train, test = rng.permutation(train), rng.permutation(test)
    return [X[train], X[test], y[train], y[test]]


def _shares(counts, draws, rng):
    """How many of each class: rounded down; what is left goes to the largest remainders, ties at random."""
    exact = counts / counts.sum() * draws
    floored = np.floor(exact)
    missing = int(draws - floored.sum())
    remainder = exact - floored
    for value in np.sort(np.unique(remainder))[::-1]:
        if missing <= 0:
            break
        [ties] = np.nonzero(remainder == value)
        chosen = rng.choice(ties, size=min(len(ties), missing), replace=False)
        floored[chosen] += 1
        missing -= len(chosen)
    return floored.astype(int)
