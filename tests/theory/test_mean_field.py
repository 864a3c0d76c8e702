"""Mean-field theory against closed forms, dense numerical integration, random networks and known points."""
import itertools
import math

import numpy as np
import pytest
import torch
from checks import refused, search
from hypothesis import given
from hypothesis import strategies as st

from helpers.functional.activations import ACTIVATIONS
from helpers.theory import mean_field
from helpers.theory.mean_field import (
    chi,
    edge_of_chaos,
    fixed_point,
    mean_square,
    variance_map,
    variances,
)

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")

LENGTHS = [1e-6, 0.01, 0.3, 1.0, 4.0, 50.0, 1e4]
CURVED = ["sigmoid", "tanh", "elu"]


# --- the expectations ------------------------------------------------------------------------

def dense(function, q):
    """E[f(√q ξ)²] by the midpoint rule on either side of 0: no node on it, none of the helper's nodes."""
    width = 12 / 500_000
    z = (np.arange(500_000) + 0.5) * width
    both = function(math.sqrt(q) * z)**2 + function(-math.sqrt(q) * z)**2
    return float((both * np.exp(-z**2 / 2)).sum() * width / math.sqrt(2 * math.pi))


@pytest.mark.parametrize("q", [1e-6, 0.3, 4.0, 100.0])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_against_dense_integration(name, q):
    for slope in (False, True):
        found = dense(ACTIVATIONS[name][slope], q)
        assert mean_square(q, name, slope=slope) == pytest.approx(found, rel=2e-9)


def half_exponential(k, q):
    """E[e^{k√q ξ}; ξ < 0] = e^{k²q/2} Φ(−k√q)."""
    return math.exp(k * k * q / 2) * math.erfc(k * math.sqrt(q / 2)) / 2


@pytest.mark.parametrize("q", [1e-6, 0.01, 0.3, 1.0, 4.0, 50.0])
def test_elu_in_closed_form(q):
    right = q / 2 + half_exponential(2, q) - 2 * half_exponential(1, q) + 1 / 2
    assert mean_square(q, "elu") == pytest.approx(right, rel=1e-12, abs=1e-15)
    assert mean_square(q, "elu", slope=True) == pytest.approx(1 / 2 + half_exponential(2, q), rel=1e-13)


@pytest.mark.parametrize("q", LENGTHS)
def test_kinked_activations_in_closed_form(q):
    for name, average in [("identity", 1), ("relu", 1 / 2), ("leaky_relu", (1 + 0.01**2) / 2)]:
        assert mean_square(q, name) == pytest.approx(average * q, rel=1e-15)
        assert mean_square(q, name, slope=True) == pytest.approx(average, rel=1e-15)
        for slope, value in ((False, average * q), (True, average)):     # the rule itself finds them too
            function = ACTIVATIONS[name][slope]
            scaled = math.sqrt(q) * mean_field.NODES
            found = (function(scaled)**2 + function(-scaled)**2) @ mean_field.WEIGHTS
            assert found == pytest.approx(value, rel=1e-13)


def test_at_zero_and_at_infinity():
    """φ(0)², and φ′(0)² where that is one number; at a kink both sides count."""
    assert [mean_square(0.0, name) for name in ACTIVATIONS] == pytest.approx([0, 1 / 4, 0, 0, 0, 0])
    assert [mean_square(0.0, name, slope=True) for name in ACTIVATIONS] == pytest.approx(
        [1, 1 / 16, 1, 1 / 2, (1 + 1e-4) / 2, 1])
    assert [mean_square(math.inf, name) for name in ACTIVATIONS] == pytest.approx(
        [math.inf, 1 / 2, 1, math.inf, math.inf, math.inf])
    assert [mean_square(math.inf, name, slope=True) for name in ACTIVATIONS] == pytest.approx(
        [1, 0, 0, 1 / 2, (1 + 1e-4) / 2, 1 / 2])


# --- variance map and factor -------------------------------------------------------------------

@pytest.mark.parametrize("name", ACTIVATIONS)
def test_map_and_factor_are_the_expectations_scaled(name):
    for q, sigma_w, sigma_b in itertools.product((0.0, 0.3, 50.0), (0.0, 1.7), (0.0, 0.4)):
        squares, slopes = (sigma_w**2 * mean_square(q, name, slope=slope) for slope in (False, True))
        assert variance_map(q, sigma_w, sigma_b, name) == pytest.approx(squares + sigma_b**2, rel=1e-14)
        assert chi(q, sigma_w, name) == pytest.approx(slopes, rel=1e-14)


def test_an_array_is_many_numbers():
    q = np.array([[0.0, 0.3], [1.0, 50.0]])
    for name in ACTIVATIONS:
        for function in (lambda q, name=name: variance_map(q, 1.5, 0.2, name),
                         lambda q, name=name: chi(q, 1.5, name)):
            many = function(q)
            assert many.shape == q.shape and isinstance(function(0.3), float)
            np.testing.assert_allclose(many, [[function(float(v)) for v in row] for row in q], rtol=1e-13)


def test_defaults_are_tanh_and_no_bias():
    assert variance_map(0.7, 1.5) == variance_map(0.7, 1.5, 0.0, "tanh")
    assert chi(0.7, 1.5) == chi(0.7, 1.5, "tanh")
    np.testing.assert_array_equal(variances(0.7, 3, 1.5), variances(0.7, 3, 1.5, 0.0, "tanh"))
    assert fixed_point(1.5) == fixed_point(1.5, 0.0, "tanh") and edge_of_chaos() == edge_of_chaos("tanh", 0.0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_variances_are_the_map_repeated(name):
    along = variances(0.7, 5, 1.3, 0.4, name)
    assert along.shape == (6,) and along[0] == 0.7
    assert along[1:] == pytest.approx([variance_map(q, 1.3, 0.4, name) for q in along[:-1]])
    assert variances(0.7, 0, 1.5, 0.4, name).tolist() == [0.7]


# --- against random networks, values and gradients by torch ----------------------------------

SETTINGS = [("tanh", 1.0, 0.0), ("tanh", 1.5, 0.3), ("tanh", 3.0, 0.0), ("relu", 1.0, 0.2),
            ("relu", math.sqrt(2), 0.0), ("relu", 2.0, 0.0), ("sigmoid", 1.0, 0.0), ("sigmoid", 6.0, 0.5),
            ("leaky_relu", 1.3, 0.1), ("elu", 1.2, 0.1), ("identity", 1.1, 0.1)]


def by_torch(name, sigma_w, sigma_b, seed, depth=6, width=300):
    """mean(z²) and ‖∂C/∂z‖² in each layer of a network in torch, for a random gradient of the last z."""
    generator = torch.Generator().manual_seed(seed)
    double = {"dtype": torch.float64, "generator": generator}
    phi = getattr(torch.nn.functional, name, None) or {"identity": lambda z: z, "tanh": torch.tanh}[name]
    z = [torch.randn(20, width, **double).requires_grad_()]
    for _ in range(depth):
        W = sigma_w / math.sqrt(width) * torch.randn(width, width, **double)
        z.append(phi(z[-1]) @ W.T + sigma_b * torch.randn(width, **double))
        z[-1].retain_grad()
    z[-1].backward(torch.randn(20, width, **double))
    return np.array([[layer.detach().square().mean(), layer.grad.square().sum()] for layer in z]).T


@pytest.mark.parametrize("name, sigma_w, sigma_b", SETTINGS)
def test_theory_meets_random_networks(name, sigma_w, sigma_b):
    """12 seeds of width 300, lengths from 1 on: the means are within four of their errors of the theory.

    How far the seeds scatter is asked too: a test that allows everything proves nothing.
    """
    q, squares = np.swapaxes([by_torch(name, sigma_w, sigma_b, seed) for seed in range(12)], 0, 1)
    along = variances(1.0, 6, sigma_w, sigma_b, name)
    chis = np.append(chi(along[:-1], sigma_w, name) * np.ones(6), 1.0)
    for found, expected in ((q, along), (squares / squares[:, -1:], np.cumprod(chis[::-1])[::-1])):
        ratio = found / expected
        error = ratio.std(axis=0) / math.sqrt(len(ratio))
        assert error.max() < 0.08 and (abs(ratio.mean(axis=0) - 1) <= 4 * error + 0.01).all()


# --- fixed points and the edge ---------------------------------------------------------------

@search(max_examples=30)
@given(st.sampled_from(CURVED), st.floats(0, 6), st.floats(0, 2), st.sampled_from([1e-3, 1.0, 200.0]))
def test_a_fixed_point_stays_and_draws_near(name, sigma_w, sigma_b, q0):
    q = fixed_point(sigma_w, sigma_b, name)
    if math.isinf(q):
        assert name == "elu" and sigma_w**2 > 1.9
        return
    assert variance_map(q, sigma_w, sigma_b, name) == pytest.approx(q, rel=1e-12, abs=1e-300)
    before, after = variances(q0, 40, sigma_w, sigma_b, name)[[0, -1]]
    assert abs(after - q) <= abs(before - q) * (1 - 1e-9) + 1e-9
    assert fixed_point(sigma_w, sigma_b, name, q0=q0) == q


def test_known_fixed_points():
    assert fixed_point(0.5) == fixed_point(1.0) == 0
    assert 0 < fixed_point(1.0 + 1e-6) < 1e-5 and fixed_point(1.0 + 1e-3) == pytest.approx(1e-3, rel=0.01)
    assert fixed_point(0.0, 0.7) == fixed_point(0.0, 0.7, "relu") == pytest.approx(0.49)
    assert fixed_point(1.0, 0.5, "relu") == pytest.approx(0.25 / (1 - 1 / 2))
    assert fixed_point(0.5, 0.5, "identity") == pytest.approx(0.25 / 0.75)
    for q0 in (0.3, 1.0, 7.0):     # every length stays
        assert fixed_point(math.sqrt(2), 0.0, "relu", q0=q0) == fixed_point(1.0, 0.0, "identity", q0=q0) == q0
    assert fixed_point(1.0, 0.0, "relu") == fixed_point(0.9, 0.0, "identity") == 0
    assert fixed_point(math.sqrt(2), 0.1, "relu") == fixed_point(1.5, 0.0, "relu") == math.inf
    assert fixed_point(1.5, 0.0, "elu") == fixed_point(2.0, 0.3, "elu") == math.inf
    assert fixed_point(1.0, 0.0, "elu") == 0 and 0 < fixed_point(1.2, 0.0, "elu") < 1
    assert fixed_point(1e-7, 0.0, "sigmoid") == pytest.approx(1e-14 / 4)      # small is not zero
    assert fixed_point(0.0, 1.7e-95, "sigmoid") == pytest.approx(1.7e-95**2, rel=1e-12, abs=0)


@pytest.mark.parametrize("sign", [-1, 1])
def test_rounding_decides_nothing(monkeypatch, sign):
    """Other matrix products round the sum of all weights to the other side of 1; the fixed points stay."""
    monkeypatch.setattr(mean_field, "WEIGHTS", mean_field.WEIGHTS * (1 + sign * 2e-15))
    test_known_fixed_points()
    assert fixed_point(1.0, 0.0, "elu") == 0 and edge_of_chaos() == pytest.approx(1, rel=1e-14)


def test_known_edges():
    assert edge_of_chaos("relu") == pytest.approx(math.sqrt(2), rel=1e-15)
    assert edge_of_chaos("leaky_relu") == pytest.approx(math.sqrt(2 / (1 + 0.01**2)), rel=1e-15)
    assert edge_of_chaos("identity") == 1 and edge_of_chaos("tanh") == pytest.approx(1, rel=1e-15)
    assert edge_of_chaos("elu") == pytest.approx(1, rel=1e-15)
    assert edge_of_chaos("relu", 0.3) == edge_of_chaos("relu")


@pytest.mark.parametrize("sigma_b", [0.0, 0.05, 0.3, 1.0, 2.0])
@pytest.mark.parametrize("name", CURVED)
def test_on_the_edge_the_gradient_neither_grows_nor_fades(name, sigma_b):
    edge = edge_of_chaos(name, sigma_b)
    for scale, sign in ((1.0, 0), (0.98, -1), (1.02, 1)):
        found = chi(fixed_point(scale * edge, sigma_b, name), scale * edge, name)
        assert found == pytest.approx(1, abs=1e-9) if sign == 0 else sign * (found - 1) > 1e-4


@pytest.mark.parametrize("name", CURVED)
def test_why_there_is_one_fixed_point_and_one_edge(name):
    """What the searches rest on: the map rises and bends down, and the edge's σ_b² takes each value once."""
    q = np.geomspace(1e-3, 1e6, 3000)
    mean = mean_square(q, name)
    steepness = np.diff(mean) / np.diff(q)
    assert (steepness > 0).all() and (np.diff(steepness) < 1e-9 * steepness[0]).all()
    variance = q - mean / mean_square(q, name, slope=True)
    assert (np.diff(variance)[variance[1:] >= 0] > 0).all()


# --- what is refused -------------------------------------------------------------------------

@pytest.mark.parametrize("call, sentence", [
    (lambda: variance_map(-0.1, 1.0), "q: got -0.1, expected a variance, not negative"),
    (lambda: chi(math.nan, 1.0), "q: got nan, expected a variance"),
    (lambda: chi("1", 1.0), "q: got '1', expected"), (lambda: chi(True, 1.0), "q: got True, expected"),
    (lambda: variances([1.0, 2.0], 3, 1.0), "q0: got [1.0, 2.0], expected a number of at least 0"),
    (lambda: variance_map(1.0, -1.0), "sigma_w: got -1.0, expected a number of at least 0"),
    (lambda: variance_map(1.0, 1.0, math.inf), "sigma_b: got inf, expected a number of at least 0"),
    (lambda: chi(1.0, "1"), "sigma_w: got '1', expected a number of at least 0"),
    (lambda: chi(1.0, 1.0, "swish"), "activation: got 'swish', expected one of identity, sigmoid,"),
    (lambda: chi(1.0, 1.0, None), "activation: got None, expected one of"),
    (lambda: variances(1.0, -1, 1.0), "depth: got -1, expected an integer of at least 0"),
    (lambda: variances(1.0, 2.5, 1.0), "depth: got 2.5, expected an integer"),
    (lambda: variances(-1.0, 3, 1.0), "q0: got -1.0, expected a number of at least 0"),
    (lambda: variances(1.0, 0, -1.0), "sigma_w: got -1.0, expected a number of at least 0"),
    (lambda: variances(1.0, 0, 1.0, 0.0, "swish"), "activation: got 'swish', expected one of"),
    (lambda: fixed_point(1.0, -1.0), "sigma_b: got -1.0, expected a number of at least 0"),
    (lambda: fixed_point(1.0, q0=-1.0), "q0: got -1.0, expected a number above 0"),
    (lambda: edge_of_chaos("tanh", -1.0), "sigma_b: got -1.0, expected a number of at least 0"),
    (lambda: edge_of_chaos("swish"), "activation: got 'swish', expected one of"),
])
def test_sentences(call, sentence):
    assert refused(call, "").startswith(sentence)
