"""The residual block: what a stack of layers makes of x is added to x, and the blame has a way past them.

Source: He et al., "Deep residual learning for image recognition" (2016), arXiv:1512.03385. Derived in
notebooks/06_gradient_pathologies.ipynb.
"""
import numpy as np

from helpers.nn.layer import Sequential

__all__ = ["Residual"]


class Residual(Sequential):
    """A residual block: y = x + F(x), F the layers in a row, and back dx = dy + (what F makes of dy).

    Parameters have the names of a Sequential's, "0.weight"; the twin in torch is an nn.Sequential whose
    forward is x + super().forward(x). A slice is a Sequential, without the x.
    """

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Forward: x + F(x). Raises ValueError when F changes the shape or the dtype."""
        change = super().__call__(x)
        if change.shape != x.shape or change.dtype != x.dtype:
            self.forget()
            raise ValueError(f"x: got {x.dtype} of shape {x.shape}, of which the layers in Residual make "
                             f"{change.dtype} of shape {change.shape}; expected the same, to add x to it")
        return x + change

    def backward(self, dy: np.ndarray, *, needs_dx: bool = True) -> np.ndarray | None:
        """Send the blame back both ways, and add up what arrives. Raises what a layer raises."""
        dx = super().backward(dy, needs_dx=needs_dx)
        return dy + dx if needs_dx else None
