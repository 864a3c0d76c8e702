"""The deep net without checks: every gradient is torch's, and its theory holds."""
import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch_nets import SIGMA, deep_by_torch

from helpers.functional.activations import ACTIVATIONS
from helpers.theory import mean_field
from helpers.theory.deep_mean_field import factors, predicted
from helpers.theory.deep_network import Net, backward, first_layers, flat_and_dead, forward, gradients, norms

KINDS = list(itertools.product(ACTIVATIONS, (False, True), (False, True)))


def strays(activation, batch_norm, residual):
    """How far z, δ and the gradients are from torch's: the largest relative error of each.

    The net has widths 5, 7, 7, 7, 3, nothing symmetric, nothing 0 or 1. The gradient of a bias before batch
    norm is 0, and differs by rounding.
    """
    rng, sizes = np.random.default_rng(0), (5, 7, 7, 7, 3)
    weights = [rng.normal(0.3, 1, (out, into)) for into, out in itertools.pairwise(sizes)]
    gamma, beta = ([rng.normal(size=7) for _ in range(3 * batch_norm)] for _ in range(2))
    net = Net(weights, [rng.normal(size=size) for size in sizes[1:]], gamma, beta, activation, residual)
    x, delta = rng.normal(0.5, 2, (6, 5)), rng.normal(0.2, 1, (6, 3))
    passed = forward(net, x)
    passed_back = backward(net, passed, delta)
    ours = passed.z, passed_back.delta, [g for part in gradients(net, passed, passed_back) for g in part]
    return [max(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-3) for a, b in zip(mine, true, strict=True))
            for mine, true in zip(ours, deep_by_torch(net, x, delta), strict=True)]


@pytest.mark.parametrize("activation, with_norm, residual", KINDS)
def test_forward_and_backward_are_torchs(activation, with_norm, residual):
    assert max(strays(activation, with_norm, residual)) < 1e-10


@pytest.mark.parametrize("with_norm, residual", list(itertools.product((False, True), repeat=2)))
def test_a_pass_that_was_begun_goes_on_to_the_same_arrays(with_norm, residual):
    rng = np.random.default_rng(0)
    weights, gamma, beta = (list(rng.normal(size=(6, *shape))) for shape in ((7, 7), (7,), (7,)))
    x, depths = rng.normal(size=(5, 7)), (1, 4, 2, 6, 3)
    nets = {depth: Net(weights[:depth], [], *(rows[:depth - 1] * with_norm for rows in (gamma, beta)), "tanh",
                       residual) for depth in depths}
    begun = forward(nets[1], x)
    for depth in depths:
        found, whole = first_layers(forward(nets[depth], x, begun), depth), forward(nets[depth], x)
        assert [len(arrays) for arrays in found] == [len(arrays) for arrays in whole]
        assert all(np.array_equal(a, b) for mine, theirs in zip(found[1:], whole[1:], strict=True)
                   for a, b in zip(mine, theirs, strict=True))
    assert len(begun.z) == 6, "it went on in place"


@pytest.mark.parametrize("size", [0, 1e-300, 1e-160, 1, 1e160, 1e300])
def test_norms_neither_overflow_nor_underflow(size):
    arrays = [size * np.array([[3.0, 0], [0, -4.0]]), np.ones(4)]
    assert norms(arrays).tolist() == pytest.approx([5 * size, 2], rel=1e-14, abs=0)
    assert norms([np.zeros((0, 3))])[0] == 0


@pytest.mark.parametrize("activation, flat, dead", [
    # per sample 0, 2, −2, 5, −5, −20, 20: one of them in each unit, the same for both samples
    ("identity", 0, 0), ("sigmoid", 4 / 7, 2 / 7), ("tanh", 6 / 7, 4 / 7), ("relu", 4 / 7, 4 / 7),
    ("leaky_relu", 4 / 7, 0), ("elu", 2 / 7, 1 / 7)])
def test_flat_and_dead_by_hand(activation, flat, dead):
    u = np.array([[0.0, 2, -2, 5, -5, -20, 20]] * 2)
    prime = ACTIVATIONS[activation][1]
    found = flat_and_dead([prime(u), prime(np.concatenate([u, [[1.0] * 7]]))], activation)
    assert np.allclose([found[0][0], found[1][0]], [flat, dead])
    assert found[1][1] == 0, "one sample of three brings it to life"


@pytest.mark.parametrize("activation, sigma_w", list(itertools.product(ACTIVATIONS, (0.5, 1.0, 3.0))))
def test_plain_nets_are_those_of_the_theory(activation, sigma_w):
    along = mean_field.variances(sigma_w**2, 10, sigma_w, 0.0, activation)
    chis = mean_field.chi(along, sigma_w, activation) * np.ones(11)
    assert np.allclose(factors(12, sigma_w, activation), chis, rtol=1e-12)
    products = [math.prod(chis[l:]) for l in range(12)]
    assert np.allclose(predicted(12, sigma_w, activation)**2, products, rtol=1e-12)


def test_the_others_have_their_closed_forms():
    pi, both = math.pi, {"batch_norm": True, "residual": True}
    assert np.allclose(factors(5, 3, "relu", batch_norm=True)[1:], pi / (pi - 1), rtol=1e-6)
    assert np.allclose(factors(5, 3, "relu", batch_norm=True)[0], 1 / 2)
    assert np.allclose(factors(5, 3, "identity", batch_norm=True), 1)
    assert np.allclose(factors(5, 3, "relu", residual=True), 1 + 9 / 2)
    assert np.allclose(factors(5, 0.5, "identity", **both), 1 + 1 / np.arange(1, 5))
    assert np.allclose(predicted(4, 1, "identity", residual=True), [8**0.5, 2, 2**0.5, 1])
    for activation, residual in itertools.product(ACTIVATIONS, (False, True)):
        twice = [factors(9, s, activation, batch_norm=True, residual=residual) for s in (0.3, 2)]
        assert np.allclose(*twice, rtol=1e-9), "σ_w cancels"


@pytest.mark.parametrize("name, call", [
    ("depth", lambda: factors(0, 1.0, "tanh")), ("sigma_w", lambda: factors(3, -1.0, "tanh")),
    ("sigma_w", lambda: factors(3, 0.0, "tanh", batch_norm=True)),
    ("activation", lambda: predicted(3, 1.0, "softplus", batch_norm=True))])
def test_what_has_no_theory_is_refused(name, call):
    with pytest.raises(ValueError, match=f"{name}: got"):
        call()


def measured(activation, with_norm, residual, sigma_w, depth=12, width=128, seeds=6):
    """The root mean square over seeds of ‖δ‖ at layer 1, by torch's autograd: float32 will do."""
    found = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        z = torch.randn(width, width)
        W = [sigma_w * torch.randn(width, width) / width**0.5 for _ in range(depth)]
        z = first = (z @ W[0].T).requires_grad_()
        for l in range(1, depth):
            u = F.batch_norm(z, None, None, training=True) if with_norm else z
            z = SIGMA[activation](u) @ W[l].T + (z if residual else 0)
        delta = torch.randn(width, width)
        found.append(torch.autograd.grad((delta / delta.norm() * z).sum(), first)[0].norm().item())
    return float(np.mean(np.square(found))**0.5)


@pytest.mark.parametrize("activation, with_norm, residual", KINDS)
def test_random_nets_do_as_predicted(activation, with_norm, residual):
    for sigma_w in (0.7, 1.6):
        ratio = measured(activation, with_norm, residual, sigma_w) / predicted(
            12, sigma_w, activation, batch_norm=with_norm, residual=residual)[0]
        assert 0.85 < ratio < 1.18, ratio
