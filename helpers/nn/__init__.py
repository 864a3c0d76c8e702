"""Layers that keep parameters, optimizers that step them, training: the names of torch.nn and torch.optim."""
from helpers.nn.dropout import Dropout
from helpers.nn.modules import (
    ELU,
    BatchNorm1d,
    Conv2d,
    Flatten,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Tanh,
    no_grad,
)
from helpers.nn.optim import SGD

__all__ = [
    "BatchNorm1d", "Conv2d", "Dropout", "ELU", "Flatten", "LeakyReLU", "Linear", "MaxPool2d", "ReLU",
    "Residual", "SGD", "Sequential", "Sigmoid", "Tanh", "no_grad",
]
