"""Two inputs in a random net: their distance is the measured one, in closed form where there is one."""
import math

import numpy as np
import pytest
import torch
from torch_nets import deep

from helpers.functional.activations import ACTIVATIONS
from helpers.theory import mean_field, two_inputs
from helpers.theory.random_networks import measured_distances, unit
from helpers.theory.two_inputs import distances, second_input, squared_difference

NETS = [("tanh", 3.0, False, False), ("sigmoid", 1.0, False, False), ("sigmoid", 12.0, False, False),
        ("elu", 1.2, False, False), ("leaky_relu", 1.4, False, False), ("relu", 1.0, True, False),
        ("tanh", 1.5, False, True), ("relu", 1.0, True, True)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("q, square", [(1.0, 0.01), (200.0, 100.0), (2.0, 8.0), (1.0, 2e-8), (1.0, 1e-12)])
def test_the_integral_is_that_of_random_numbers(activation, q, square):
    s, t = np.random.default_rng(0).normal(size=(2, 400_000))
    s, t = math.sqrt(q - square / 4) * s, math.sqrt(square / 4) * t / t.std()
    phi = ACTIVATIONS[activation][0]
    sampled = np.mean((phi(s + t) - phi(s - t))**2)
    assert np.isclose(squared_difference(square, q, activation), sampled, rtol=0.02)


def test_closed_forms():
    """For ReLU E[φ(u)φ(v)] = q/(2π)·(√(1 − c²) + c·(π − arccos c)), Cho and Saul (2009)."""
    for c in (-1.0, -0.3, 0.0, 0.9):
        both = 3.0 / (2 * math.pi) * (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c)))
        assert np.isclose(squared_difference(6.0 * (1 - c), 3.0, "relu"), 3.0 - 2 * both, rtol=1e-12)
    assert squared_difference(0.7, 2.0, "identity") == pytest.approx(0.7, rel=1e-14)
    assert squared_difference(0.0, 2.0, "tanh") == 0
    for activation in ACTIVATIONS:
        independent = 2 * (mean_field.mean_square(2.0, activation) - np.mean(
            ACTIVATIONS[activation][0](math.sqrt(2) * normal_nodes()))**2)
        assert np.isclose(squared_difference(4.0, 2.0, activation), independent, rtol=1e-3)


def normal_nodes(n=200_000):
    """Equally probable normal numbers."""
    return math.sqrt(2) * torch.erfinv((2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1).numpy()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_small_distance_grows_by_chi(activation):
    q = 1.7
    for square in (two_inputs.SMALL * q * 0.99, two_inputs.SMALL * q * 1.01):
        assert np.isclose(squared_difference(square, q, activation) / square,
                          mean_field.chi(q, 1.0, activation), rtol=1e-3)


@pytest.mark.parametrize("activation, sigma_w, batch_norm, residual", NETS)
@pytest.mark.parametrize("apart", [0.03, 2**0.5])
def test_distances_are_those_of_random_nets(activation, sigma_w, batch_norm, residual, apart):
    squares, depth, width = [], 8, 192
    for seed in range(6):
        rng = np.random.default_rng(seed)
        weights = [torch.tensor(sigma_w * unit(rng, (width, width))) for _ in range(depth)]
        one, zero = torch.ones(width, dtype=torch.float64), torch.zeros(width, dtype=torch.float64)
        gamma, beta = ([of] * (depth - 1) * batch_norm for of in (one, zero))
        x, other = rng.normal(size=(2, 96, width))
        starts = (torch.tensor(start) for start in (x, second_input(x, other, apart)))
        one, two = (deep(start, weights, [], gamma, beta, activation, residual) for start in starts)
        squares.append([float(((u - v)**2).mean()) for u, v in zip(one, two, strict=True)])
    theory = distances(depth, sigma_w, activation, apart=apart, batch_norm=batch_norm, residual=residual)
    assert np.allclose(np.sqrt(np.mean(squares, axis=0)), theory, rtol=0.12)
    if not (batch_norm or residual):
        found = measured_distances(activation, sigma_w, apart, seeds=6, depth=depth, width=width)
        assert np.allclose(found, theory, rtol=0.12)


def test_a_second_input_has_its_distance_and_the_mean_square_of_the_first():
    x, other = np.random.default_rng(1).normal(size=(2, 4, 100_000))
    for apart in (1e-6, 0.5, 2**0.5, 2.0):
        y = second_input(x, other, apart)
        assert np.isclose(np.sqrt(np.mean((x - y)**2)), apart, rtol=0.02)
        assert np.isclose(np.mean(y**2), 1, rtol=0.02)


@pytest.mark.parametrize("name, call", [
    ("square", lambda: squared_difference(-1.0, 1.0)), ("square", lambda: squared_difference(4.1, 1.0)),
    ("q", lambda: squared_difference(1.0, -1.0)), ("depth", lambda: distances(0, 1.0)),
    ("apart", lambda: distances(2, 1.0, apart=-1)), ("apart", lambda: distances(1, 1.0, apart=2.1)),
    ("apart", lambda: second_input(np.ones(2), np.ones(2), 2.1)),
    ("apart", lambda: measured_distances("tanh", 1.0, 2.1, depth=2, width=4)),
    ("sigma_w", lambda: distances(2, 0.0, batch_norm=True)),
    ("seeds", lambda: measured_distances("tanh", 1.0, 0.1, seeds=0)),
    ("activation", lambda: squared_difference(0.1, 1.0, "softplus"))])
def test_what_makes_no_sense_is_refused(name, call):
    with pytest.raises(ValueError, match=f"{name}: "):
        call()
