"""Layers with the names of torch.nn: they hold parameters, call the functions, accumulate gradients.

    net = Sequential(Linear(64, 32, rng=rng), ReLU(), Linear(32, 10, rng=rng))
    z = net(x)                                                    # each layer keeps its input
    net.zero_grad()
    net.backward(softmax_cross_entropy_backward(z, y), needs_dx=False)
    for p in net.parameters():
        p.value -= eta * p.grad

Gradients accumulate until zero_grad(), as in torch. net.eval() and net.train() set the mode of BatchNorm;
calls without a backward stand inside `with no_grad():`. The parameters of an nn.Sequential of the same layers
are copied by net.load_state_dict(twin.state_dict()), and in the other direction by
twin.load_state_dict({name: torch.tensor(value) for name, value in net.state_dict().items()}).
"""
import math

import numpy as np

from helpers import arguments as check
from helpers.functional._batch_last import batch_last_if_small
from helpers.functional.activations import ACTIVATIONS
from helpers.functional.convolution import conv2d, conv2d_backward
from helpers.functional.linear import linear, linear_backward
from helpers.functional.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from helpers.nn.initialize import initialize
from helpers.nn.layer import Buffer, Layer, Parameter, Residual, Sequential
from helpers.nn.memory import no_grad
from helpers.nn.normalization import BatchNorm1d, BatchNorm2d

__all__ = ["AvgPool2d", "BatchNorm1d", "BatchNorm2d", "Buffer", "Conv2d", "ELU", "Flatten",
           "Layer", "LeakyReLU", "Linear", "MaxPool2d", "Parameter", "ReLU", "Residual", "Sequential",
           "Sigmoid", "Tanh", "initialize", "no_grad"]

Pair = int | tuple[int, int]


class _Weighted(Layer):
    """A layer with weight and bias: `functions` are forward and backward."""

    def __init__(self, shape, bias, rng, dtype):
        """Draw all uniformly from −1/√fan_in … 1/√fan_in, as torch does; fan_in: inputs of one output."""
        check.generator(rng)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype: got {dtype!r}, expected np.float32 or np.float64")
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(rng.uniform(-bound, bound, shape).astype(dtype))
        self.bias = Parameter(rng.uniform(-bound, bound, shape[0]).astype(dtype)) if bias else None

    def _forward(self, x):
        b = None if self.bias is None else self.bias.value
        return self.functions[0](x, self.weight.value, b, **self.options)

    def _backward(self, dy, x, needs_dx):
        dx, dW, db = self.functions[1](dy, x, self.weight.value, needs_dx=needs_dx, **self.options)
        self.weight.add_grad(dW)
        if self.bias is not None:
            self.bias.add_grad(db)
        return dx


class Linear(_Weighted):
    """Fully connected: x (…, in_features) → y (…, out_features); weight (out, in), bias (out,)."""

    functions = linear, linear_backward

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *,
                 rng: np.random.Generator, dtype: type = np.float64) -> None:
        """Draw weight and bias as torch does. Raises ValueError for sizes below 1."""
        shape = (check.integer("out_features", out_features, least=1),
                 check.integer("in_features", in_features, least=1))
        super().__init__(shape, bias, rng, dtype)


class Conv2d(_Weighted):
    """Convolution: x (N, C, H, W) → y (N, O, Ho, Wo); weight (O, C/groups, kh, kw), bias (O,)."""

    functions = conv2d, conv2d_backward

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Pair, stride: Pair = 1,
                 padding: Pair | str = 0, dilation: Pair = 1, groups: int = 1, bias: bool = True, *,
                 rng: np.random.Generator, dtype: type = np.float64) -> None:
        """Draw weight and bias as torch does. Raises ValueError for sizes below 1 and odd groups."""
        C, O = (check.integer(name, n, least=1) for name, n in
                (("in_channels", in_channels), ("out_channels", out_channels)))
        if C % check.integer("groups", groups, least=1) or O % groups:
            raise ValueError(f"groups: got {groups}, expected a divisor of {C} channels and of {O} filters")
        shape = (O, C // groups, *check.pair("kernel_size", kernel_size, least=1))
        super().__init__(shape, bias, rng, dtype)
        self.options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}

    def _forward(self, x):
        return super()._forward(batch_last_if_small(x))

    def _backward(self, dy, x, needs_dx):
        return super()._backward(dy, batch_last_if_small(x), needs_dx)


class _Pool(Layer):
    """A pooling layer: `functions` are forward and backward, which refuse odd options."""

    def _forward(self, x):
        return self.functions[0](x, **self.options)

    def _backward(self, dy, x, needs_dx):
        return self.functions[1](dy, x, **self.options)


class MaxPool2d(_Pool):
    """Max pooling, the largest of each window: x (N, C, H, W) → y (N, C, Ho, Wo)."""

    functions = max_pool2d, max_pool2d_backward

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0,
                 dilation: Pair = 1, *, ceil_mode: bool = False) -> None:
        """Keep the options for max_pool2d."""
        self.options = {"kernel_size": kernel_size, "stride": stride, "padding": padding,
                        "dilation": dilation, "ceil_mode": ceil_mode}


class AvgPool2d(_Pool):
    """Average pooling, the mean of each window: x (N, C, H, W) → y (N, C, Ho, Wo)."""

    functions = avg_pool2d, avg_pool2d_backward

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0,
                 ceil_mode: bool = False, count_include_pad: bool = True) -> None:
        """Keep the options for avg_pool2d."""
        self.options = {"kernel_size": kernel_size, "stride": stride, "padding": padding,
                        "ceil_mode": ceil_mode, "count_include_pad": count_include_pad}


class Flatten(Layer):
    """All axes but the first as one: x (N, C, H, W) → y (N, C·H·W)."""

    def _forward(self, x):
        if not isinstance(x, np.ndarray) or x.ndim < 2:
            raise ValueError(f"x: got {getattr(x, 'shape', type(x).__name__)}, expected an array (N, …)")
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def _backward(self, dy, x, needs_dx):
        return dy.reshape(x.shape)


class _Entrywise(Layer):
    """a = σ(z); backward, dz = da ⊙ σ′(z): `activation` names the pair."""

    def _forward(self, z):
        return ACTIVATIONS[self.activation][0](z, **self.options)

    def _backward(self, da, z, needs_dx):
        return da * ACTIVATIONS[self.activation][1](z, **self.options)


class Sigmoid(_Entrywise):
    """a = 1/(1 + e⁻ᶻ)."""

    activation = "sigmoid"


class Tanh(_Entrywise):
    """a = tanh z."""

    activation = "tanh"


class ReLU(_Entrywise):
    """a = max(z, 0)."""

    activation = "relu"


class LeakyReLU(_Entrywise):
    """a = z where z > 0, else negative_slope·z."""

    activation = "leaky_relu"

    def __init__(self, negative_slope: float = 0.01) -> None:
        """Keep the slope left of zero."""
        self.options = {"negative_slope": negative_slope}


class ELU(_Entrywise):
    """a = z where z > 0, else α·(eᶻ − 1)."""

    activation = "elu"

    def __init__(self, alpha: float = 1.0) -> None:
        """Keep α: the answer does not go below −α."""
        self.options = {"alpha": alpha}
