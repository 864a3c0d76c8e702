"""Pre-norm, post-norm, none: the theory against random stacks, the stacks against torch, what is refused."""
import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import refused

from helpers.theory import residual_norms
from helpers.theory.residual_norms import PHI, PLACES, branch_gains, measured_stack, predicted_stack

torch.set_num_threads(1)
IN_TORCH = {"gelu": F.gelu, "silu": F.silu, "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}
NORM = {"LayerNorm": F.layer_norm, "RMSNorm": F.rms_norm}


def by_torch(depth, place, activation, sigma_w, alpha, kind, *, seed, width, samples):
    """The numbers of measured_stack, drawn in its order, with autograd for the backward pass."""
    rng = np.random.default_rng(seed)
    x, delta = (torch.tensor(one) for one in rng.normal(size=(2, samples, width)))
    x /= x.pow(2).mean().sqrt()
    W = torch.tensor(sigma_w * rng.normal(size=(depth, 2, width, width)) / width**0.5)
    xs = [x.requires_grad_()]
    for first, second in W:
        u = NORM[kind](xs[-1], [width]) if place == "pre" else xs[-1]
        total = xs[-1] + alpha * IN_TORCH[activation](u @ first.T) @ second.T
        xs.append(NORM[kind](total, [width]) if place == "post" else total)
    sizes = [one.norm().item() for one in torch.autograd.grad(xs[-1], xs, delta)]
    return np.array(sizes) / sizes[-1], [one.pow(2).mean().item() for one in xs]


@pytest.mark.parametrize("place, kind, activation", list(itertools.product(PLACES, NORM, PHI)))
def test_a_stack_is_torch_s(place, kind, activation):
    given = (3, place, activation, 1.3, 0.7, kind)
    sizes = {"seed": 1, "width": 6, "samples": 4}
    found = measured_stack(*given, **sizes)
    for ours, theirs in zip(found, by_torch(*given, **sizes), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


CASES = [("gelu", 1, 1), ("relu", 2**0.5, 1), ("relu", 2, 0.25), ("tanh", 2, 0.5), ("sigmoid", 2, 1)]


def off(depth, place, case, kind):
    """How far measured is from predicted, of the gradient and of x, as a factor, over all blocks."""
    runs = [measured_stack(depth, place, *case, kind, seed=seed, width=256, samples=4) for seed in range(4)]
    means = [np.sqrt(np.mean([run.gradient**2 for run in runs], axis=0)),
             np.mean([run.squares for run in runs], axis=0)]
    return [np.exp(np.abs(np.log(mean / line)).max())
            for mean, line in zip(means, predicted_stack(depth, place, *case), strict=True)]


@pytest.mark.parametrize("case, kind", [*zip(CASES, itertools.cycle(NORM), strict=False)], ids=str)
def test_theory_predicts_random_stacks(case, kind):
    """24 blocks, 256 wide, four of each: within 15 % for pre-norm, else 2 % of each factor."""
    for place in PLACES:
        gradient, squares = off(24, place, case, kind)
        assert gradient < (1.15 if place == "pre" else 1.02**24), (place, gradient)
        assert squares < {"pre": 1.15, "post": 1.001, "none": 1.02**24}[place], (place, squares)


def test_wrong_factors_would_be_seen(monkeypatch):
    """f and g exchanged, and a slope that is not squared."""
    def gains(activation, sigma_w, q=1.0):
        return branch_gains(activation, sigma_w, q)[::-1]
    monkeypatch.setattr(residual_norms, "branch_gains", gains)
    assert max(off(24, "post", ("sigmoid", 2, 1), "LayerNorm")) > 10
    monkeypatch.setattr(residual_norms, "branch_gains", lambda *a: [x**0.5 for x in branch_gains(*a)])
    assert max(off(24, "pre", ("relu", 2**0.5, 1), "LayerNorm")) > 1.3


def test_gains_in_closed_form():
    """ReLU halves the square; a dense sum gives those of tanh."""
    assert branch_gains("relu", 1.5, 3.0) == pytest.approx((1.5**4 * 3 / 2, 1.5**4 / 2))
    xi = np.linspace(-12, 12, 200001)
    weight = np.exp(-xi**2 / 2) / math.sqrt(2 * math.pi) * (xi[1] - xi[0])
    z = 1.5 * math.sqrt(3) * xi
    truth = 1.5**2 * (np.tanh(z)**2 @ weight), 1.5**4 * ((1 - np.tanh(z)**2)**2 @ weight)
    assert branch_gains("tanh", 1.5, 3.0) == pytest.approx(truth, rel=1e-8)


def test_how_the_gradient_grows():
    """ReLU: pre-norm like the root mean square of x, post-norm not at all; else post-norm exponentially."""
    pre = predicted_stack(96, "pre", "relu", 2**0.5)
    np.testing.assert_allclose(pre.gradient, np.sqrt(pre.squares[-1] / pre.squares))
    np.testing.assert_allclose(predicted_stack(96, "post", "relu", 2**0.5).gradient, 1)
    post = predicted_stack(96, "post", "sigmoid").gradient
    np.testing.assert_allclose(post[0], post[-2]**96)
    for activation in PHI:
        assert (np.diff(predicted_stack(96, "pre", activation).gradient) < 0).all()


@pytest.mark.parametrize("call, name", [
    (lambda: predicted_stack(0, "pre"), "depth"), (lambda: predicted_stack(3, "before"), "place"),
    (lambda: predicted_stack(3, "pre", "swish"), "activation"),
    (lambda: measured_stack(3, "pre", "elu"), "activation"),
    (lambda: predicted_stack(3, "pre", sigma_w=-1), "sigma_w"),
    (lambda: predicted_stack(3, "pre", alpha=-1), "alpha"),
    (lambda: measured_stack(0, "pre"), "depth"), (lambda: measured_stack(3, "pre", width=0), "width"),
    (lambda: measured_stack(3, "pre", alpha=None), "alpha"),
    (lambda: measured_stack(3, "pre", kind="BatchNorm"), "kind"), (lambda: measured_stack(3, None), "place"),
    (lambda: branch_gains("gelu", 1, -1.0), "q"),
])
def test_refusals(call, name):
    refused(call, name)
