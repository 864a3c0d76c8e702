"""Batch normalisation as a layer: BatchNorm1d, BatchNorm2d, in the names of torch.nn.

The functions are in helpers/functional/normalization.py. Derived in notebooks/06_gradient_pathologies.ipynb.
"""
import numpy as np

from helpers import arguments as check
from helpers.functional.normalization import batch_norm, batch_norm_backward, running_statistics
from helpers.nn.layer import Buffer, Layer, Parameter
from helpers.nn.memory import remembering

__all__ = ["BatchNorm1d", "BatchNorm2d"]


class _BatchNorm(Layer):
    """Batch normalization: in training by the batch, which updates the running statistics; else by these."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
                 affine: bool = True, track_running_stats: bool = True, *, dtype: type = np.float64) -> None:
        """Begin with weight 1, bias 0, running mean 0 and variance 1.

        momentum is the weight of the new batch; None takes the mean of all batches. Without affine there is
        no weight and no bias; without track_running_stats batch statistics are used after eval() too. Raises
        ValueError for less than one feature and another dtype; eps and momentum are checked in the call.
        """
        C = check.integer("num_features", num_features, least=1)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype: got {dtype!r}, expected np.float32 or np.float64")
        self.num_features, self.momentum, self.options = C, momentum, {"eps": eps}
        self.weight = Parameter(np.ones(C, dtype)) if affine else None
        self.bias = Parameter(np.zeros(C, dtype)) if affine else None
        self.running_mean = Buffer(np.zeros(C, dtype)) if track_running_stats else None
        self.running_var = Buffer(np.ones(C, dtype)) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.array(0)) if track_running_stats else None

    def _forward(self, x):
        check.floats("x", x, *self.axes)
        if x.shape[1] != self.num_features:
            raise ValueError(f"x: got shape {x.shape}, expected {self.num_features} channels, the "
                             "num_features")
        y = batch_norm(x, *self._running(), _value(self.weight), _value(self.bias), **self._how())
        if self.training and self.running_mean is not None:
            self._update_running(x)
        elif remembering():
            self._in_use = self._running()    # a training call before the backward would change them
        return y

    def _backward(self, dy, x, needs_dx):
        running = (None, None) if self.training else self._in_use
        dx, dweight, dbias = batch_norm_backward(dy, x, *running, _value(self.weight), **self._how(),
                                                 needs_dx=needs_dx)
        if self.weight is not None:
            self.weight.add_grad(dweight)
            self.bias.add_grad(dbias)
        return dx

    def _update_running(self, x):
        """Update the running statistics with the batch x."""
        count = self.num_batches_tracked.value + 1
        weight = 1 / count if self.momentum is None else self.momentum
        mean, var = running_statistics(x, *self._running(), momentum=weight)
        self.running_mean.value, self.running_var.value = mean, var
        self.num_batches_tracked.value = np.array(count)

    def _running(self):
        return _value(self.running_mean), _value(self.running_var)

    def _how(self):
        return {"training": self.training or self.running_mean is None, **self.options}


class BatchNorm1d(_BatchNorm):
    """Each feature over the batch, or each channel over batch and length: x and y (N, C) or (N, C, L)."""

    axes = "N, C", "N, C, L"


class BatchNorm2d(_BatchNorm):
    """Each channel over the batch and all pixels: x (N, C, H, W), y likewise."""

    axes = ("N, C, H, W",)


def _value(held):
    return None if held is None else held.value
