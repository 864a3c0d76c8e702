"""Gradients in many random networks against autograd."""
import numpy as np
import pytest
import torch

from helpers.functional.initialization import orthogonal
from helpers.theory.random_networks import measured, unit

TORCH = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}
SETTINGS = [{}, {"batch_norm": True}, {"residual": True}, {"batch_norm": True, "residual": True}]
SIZES = {"depth": 5, "width": 6, "samples": 7}


def by_torch(activation, sigma_w, seed, draw=unit, batch_norm=False, residual=False):
    """‖∂C/∂zˡ‖ of all layers by autograd, from the same draws; no identity leads by the first layer."""
    rng = np.random.default_rng(seed)
    W = [sigma_w * torch.tensor(draw(rng, (6, 6))) for _ in range(5)]
    x, delta = (torch.tensor(a) for a in rng.normal(size=(2, 7, 6)))
    z = [(x @ W[0].T).requires_grad_()]
    for V in W[1:]:
        u = torch.nn.functional.batch_norm(z[-1], None, None, training=True) if batch_norm else z[-1]
        z.append(TORCH[activation](u) @ V.T + residual * z[-1])
    sizes = [g.norm().item() for g in torch.autograd.grad(z[-1], z, delta)]
    return np.array(sizes) / sizes[-1]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("activation", TORCH)
def test_sizes_are_those_of_autograd(activation, setting):
    found = measured([(activation, 1.7), (activation, 0.4)], seeds=2, **SIZES, **setting)
    for (name, sigma_w), sizes in found.items():
        wanted = [by_torch(name, sigma_w, seed, **setting) for seed in (0, 1)]
        np.testing.assert_allclose(sizes, wanted, rtol=1e-9)


def test_another_rule_draws_the_weights():
    found = measured([("tanh", 0.9)], draw=orthogonal, **SIZES)["tanh", 0.9]
    np.testing.assert_allclose(found[0], by_torch("tanh", 0.9, 0, draw=orthogonal), rtol=1e-9)


def test_each_seed_is_a_network_of_its_own():
    few, many = (measured([("relu", 1.0)], seeds=seeds, **SIZES)["relu", 1.0] for seeds in (1, 3))
    assert np.array_equal(few[0], many[0]) and len(np.unique(many[:, 0])) == 3


@pytest.mark.parametrize("bad", [{"cases": []}, {"seeds": 0}, {"depth": 0}, {"width": 0}, {"samples": 1.5}])
def test_bad_arguments_are_named(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))}: got .*expected"):
        measured(**{"cases": [("tanh", 1.0)], **bad})
