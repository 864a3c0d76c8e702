"""Dropout as a layer, in the name of torch.nn.

The functions are in helpers/functional/dropout.py. Derived in notebooks/05_optimizers.ipynb.
"""
import numpy as np

from helpers import arguments as check
from helpers.functional.dropout import dropout, dropout_backward
from helpers.nn.layer import Layer
from helpers.nn.memory import remembering

__all__ = ["Dropout"]


class Dropout(Layer):
    """Dropout: in training each entry is 0 with probability p, else divided by 1 − p; after eval() y = x."""

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator) -> None:
        """Draw a new mask in each call from `rng`. Raises ValueError for a p outside 0 … 1."""
        self.options, self._rng = {"p": check.number("p", p, least=0, most=1)}, check.generator(rng)

    def _forward(self, x):
        if not self.training:
            return x
        y, kept = dropout(x, **self.options, rng=self._rng)
        if remembering():
            self._mask = kept
        return y

    def _backward(self, dy, x, needs_dx):
        if not self.training:
            return dy
        return dropout_backward(dy, self._mask, **self.options)
