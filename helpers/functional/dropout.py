"""Dropout: set entries to zero at random in training, and scale the others, so that the mean stays.

    y, kept = dropout(x, 0.5, rng=rng)
    dx = dropout_backward(dy, kept, 0.5)

In use, after training, nothing is dropped and nothing has to be scaled ("inverted" dropout, torch's form).
Source: Srivastava et al., "Dropout" (2014), JMLR 15. Derived in notebooks/05_optimizers.ipynb.
"""
import numpy as np

from helpers import arguments as check

__all__ = ["dropout", "dropout_backward"]


def dropout(x: np.ndarray, p: float = 0.5, training: bool = True, *,
            rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each entry is 0 with probability p, else x/(1 − p); returns y and `kept`, True where it is not dropped.

    x of any shape, float32 or float64; y and the boolean `kept` have its shape. Without `training` y = x and
    all are kept; with p = 1 all are dropped. As torch.native_dropout, which returns the mask too. Raises
    ValueError for a p outside 0 … 1 and whatever is no array of floats.
    """
    p = check.number("p", p, least=0, most=1)
    check.floats("x", x, _any_axes(x))
    check.generator(rng)
    if not check.flag("training", training):
        return x.copy(), np.ones(x.shape, bool)
    kept = rng.random(x.shape) >= p
    return _scaled(x, kept, p), kept


def dropout_backward(dy: np.ndarray, kept: np.ndarray, p: float = 0.5, training: bool = True) -> np.ndarray:
    """The gradient of the input: dx = dy·kept/(1 − p), the mask and the factor of the forward pass."""
    p = check.number("p", p, least=0, most=1)
    check.floats("dy", dy, _any_axes(dy))
    if not isinstance(kept, np.ndarray) or kept.dtype != bool:
        kind = getattr(kept, "dtype", type(kept).__name__)
        raise ValueError(f"kept: got {kind}, expected an array of bool, which dropout returned")
    check.shape("dy", dy, kept.shape, "the shape of kept")
    return _scaled(dy, kept, p) if check.flag("training", training) else dy.copy()


def _scaled(x, kept, p):
    """kept·x/(1 − p) in the dtype of x, which is no 0/0 at p = 1."""
    return x * (kept * x.dtype.type(1 / (1 - p) if p < 1 else 0))


def _any_axes(x):
    return "…, " * (getattr(x, "ndim", 1) - 1) + "n" if getattr(x, "ndim", 1) else ""
