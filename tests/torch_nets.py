"""Activations, a deep net and other networks in torch, with autograd: the truth for those of our own."""
import torch
import torch.nn.functional as F
from torch import nn

SIGMA = {"identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu,
         "leaky_relu": F.leaky_relu, "elu": F.elu}
TWINS = {
    "Conv2d": lambda layer: nn.Conv2d(*layer.weight.value.shape[1::-1], 3, padding=1),
    "Linear": lambda layer: nn.Linear(*layer.weight.value.shape[::-1]),
    "BatchNorm2d": lambda layer: nn.BatchNorm2d(len(layer.weight.value)),
    "SuspectNorm": lambda layer: nn.BatchNorm2d(len(layer.weight.value)),
    "ReLU": lambda _: nn.ReLU(), "MaxPool2d": lambda _: nn.MaxPool2d(2), "Flatten": lambda _: nn.Flatten()}


def leaves(arrays):
    """Tensors that torch can differentiate by."""
    return [torch.tensor(array, requires_grad=True) for array in arrays]


def deep(x, W, b, gamma, beta, activation, residual):
    """z of each layer of a helpers.theory.deep_network.Net whose parameters are tensors."""
    z = [F.linear(x, W[0], b[0] if b else None)]
    for l in range(1, len(W)):
        u = F.batch_norm(z[-1], None, None, gamma[l - 1], beta[l - 1], training=True) if gamma else z[-1]
        new = F.linear(SIGMA[activation](u), W[l], b[l] if b else None)
        z.append(z[-1] + new if residual and z[-1].shape == new.shape else new)
    return z


def deep_by_torch(net, x, delta):
    """z of each layer, and the gradients of Σ delta·z of the last: of each z, and of all parameters."""
    W, b, gamma, beta = parts = [leaves(part) for part in net[:4]]
    z = deep(torch.tensor(x), *parts, net.activation, net.residual)
    used = [*W, *b, *gamma[:len(W) - 1], *beta[:len(W) - 1]]
    found = torch.autograd.grad((torch.tensor(delta) * z[-1]).sum(), [*z, *used])
    arrays = [t.numpy() for t in found]
    return [t.detach().numpy() for t in z], arrays[:len(z)], arrays[len(z):]


def twin_of(net, strict=True):
    """The network of these layers in torch, in float64 and with the same numbers."""
    made = nn.Sequential(*(TWINS[type(layer).__name__](layer) for layer in net)).double()
    made.load_state_dict({name: torch.tensor(value) for name, value in net.state_dict().items()}, strict)
    return made
