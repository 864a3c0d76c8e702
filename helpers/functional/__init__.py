"""A layer's mathematics, forward and backward side by side, named as in torch.nn.functional; update rules."""
from helpers.functional.activations import (
    ACTIVATIONS,
    relu,
    relu_prime,
    sigmoid,
    sigmoid_prime,
    tanh,
    tanh_prime,
)
from helpers.functional.clipping import clip_grad_norm, clip_grad_value
from helpers.functional.convolution import conv2d, conv2d_backward, conv_transpose2d, output_size
from helpers.functional.dropout import dropout, dropout_backward
from helpers.functional.initialization import kaiming_normal, torch_default
from helpers.functional.linear import linear, linear_backward
from helpers.functional.losses import softmax, softmax_backward, softmax_cross_entropy
from helpers.functional.pooling import max_pool2d, max_pool2d_backward
from helpers.functional.schedules import cosine_annealing_lr

__all__ = [
    "ACTIVATIONS", "clip_grad_norm", "clip_grad_value", "conv2d", "conv2d_backward", "conv_transpose2d",
    "cosine_annealing_lr", "dropout", "dropout_backward", "kaiming_normal", "linear", "linear_backward",
    "max_pool2d", "max_pool2d_backward", "output_size", "relu", "relu_prime", "sigmoid", "sigmoid_prime",
    "softmax", "softmax_backward", "softmax_cross_entropy", "tanh", "tanh_prime", "torch_default",
]
