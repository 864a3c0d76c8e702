"""What torch answers: a value and its gradients, the steps of an optimizer, an autograd.Function."""
from collections.abc import Callable, Sequence

import numpy as np
import torch

from helpers.verify.settings import settings_of_a_new_kernel


def value_and_gradients(reference: Callable, arrays: Sequence[np.ndarray], dy: np.ndarray, options: dict,
                        y: np.ndarray) -> list[np.ndarray]:
    """The value of a function of torch, and its gradients with respect to `arrays`, for this upstream dy.

    Raises ValueError where the value is no tensor of float64, or has not the shape of y, the value by hand.
    """
    tensors = [tensor(array).requires_grad_() for array in arrays]
    value = reference(*tensors, **_in_torch(options))
    if not isinstance(value, torch.Tensor) or value.dtype != torch.float64:
        got = getattr(value, "dtype", type(value).__name__)
        raise ValueError(f"reference: its value is of {got}, expected one tensor of torch.float64")
    if not y.shape == dy.shape == tuple(value.shape):
        raise ValueError(f"dy: got shape {dy.shape}; by hand the value has shape {y.shape}, in torch "
                         f"{tuple(value.shape)}; expected all three alike")
    gradients = [None] * len(tensors)
    if value.requires_grad:
        gradients = torch.autograd.grad(value, tensors, tensor(dy), allow_unused=True)
    return [value.detach().numpy(), *(np.zeros(array.shape) if gradient is None else gradient.numpy()
                                      for array, gradient in zip(arrays, gradients, strict=True))]


@settings_of_a_new_kernel()
def function_answers(make: Callable, dy: np.ndarray, *inputs: np.ndarray) -> np.ndarray:
    """In one row, value and gradients of the autograd.Function that make(torch.autograd.Function) returns."""
    asked = value_and_gradients(make(torch.autograd.Function).apply, inputs, dy, {}, dy)
    return np.concatenate([answer.ravel() for answer in asked])


@settings_of_a_new_kernel()
def torch_steps(make: Callable, start: np.ndarray, slopes: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Where an optimizer of torch goes from `start`: (steps, *start.shape), its place after each step.

    make([parameter], lr=…) builds it; slopes (steps, *start.shape) are the gradients, rates (steps,) the lr.
    """
    p, places = tensor(start).requires_grad_(), []
    optimizer = make([p], lr=float(rates[0]))
    for slope, rate in zip(slopes, rates, strict=True):
        optimizer.param_groups[0]["lr"], p.grad = float(rate), tensor(slope)
        optimizer.step()
        places.append(p.detach().numpy().copy())
    return np.array(places)


def tensor(array: np.ndarray) -> torch.Tensor:
    """A tensor of its own with the numbers of an array."""
    return torch.tensor(np.array(array, order="C"))   # torch takes no array that runs backwards


def _in_torch(options):
    """The options for torch: arrays that are held fixed become tensors."""
    return {name: tensor(v) if isinstance(v, np.ndarray) else v for name, v in options.items()}
