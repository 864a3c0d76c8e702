"""GELU and SiLU against torch: values, derivatives, extremes, numbers, what is refused."""
import math
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import refused, search
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from helpers.functional import gated_activations
from helpers.functional.gated_activations import gelu, gelu_prime, silu, silu_prime
from helpers.verify.witnesses import refuted, three_witnesses

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")
EVERY = [(gelu, gelu_prime, F.gelu, {}), (gelu, gelu_prime, F.gelu, {"approximate": "tanh"}),
         (silu, silu_prime, F.silu, {})]
CASES = pytest.mark.parametrize("function, prime, in_torch, options", EVERY, ids=["gelu", "tanh", "silu"])


def compare(case, z):
    """The value and the derivative, without a warning and in memory of their own."""
    function, prime, in_torch, options = case
    leaf = torch.tensor(z, requires_grad=True)
    truth = in_torch(leaf, **options)
    truths = truth.detach().numpy(), torch.autograd.grad(truth, leaf, torch.ones_like(truth))[0].numpy()
    eps = np.finfo(z.dtype).eps
    with np.errstate(all="raise"):
        ours = function(z, **options), prime(z, **options)
    for mine, theirs in zip(ours, truths, strict=True):
        assert mine.dtype == z.dtype and mine.shape == z.shape and not np.may_share_memory(mine, z)
        np.testing.assert_allclose(mine, theirs, rtol=8 * eps, atol=100 * eps)    # torch cancels in 1 − tanh²


@search(max_examples=150)
@given(st.sampled_from(EVERY), st.data())
def test_value_and_derivative(case, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
    sizes = st.floats(-60, 60, width=32, allow_subnormal=False)
    z = data.draw(arrays.arrays(dtype, shapes, elements=sizes))
    z.flags.writeable = False
    compare(case, z)


@pytest.mark.parametrize("case", EVERY, ids=["gelu", "tanh", "silu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_are_torch_s_and_without_a_warning(case, dtype):
    """But for ±∞, where torch's answer, a number or NaN, depends on what stands beside it."""
    compare(case, np.array([1000, -1000, np.nan, 0.0, -0.0, 9, -9, 9.001, -9.001, 40, -40, 1e-30], dtype))


def test_the_distribution_of_the_normal_is_exact_to_rounding():
    """At its nodes, halfway between them, where the series is longest, and beyond the last."""
    z = np.concatenate([np.linspace(-9.5, 9.5, 19 * 512 + 1), [-38.0, 38.0]])
    truth = [math.erfc(-one / math.sqrt(2)) / 2 for one in z]
    np.testing.assert_allclose(gated_activations._distribution(z), truth, rtol=0, atol=5e-16)


@CASES
def test_three_witnesses(function, prime, in_torch, options):
    rng = np.random.default_rng(0)
    z, dy = 2 * rng.normal(size=(2, 3, 4, 2))
    three_witnesses(function, in_torch, dy, options=options, z=(z, dy * prime(z, **options)))
    wrong = [z / function(z, **options), prime(function(z, **options), **options),
             function(z, **options) / z]              # the gate upside down, σ′ at a, the gate alone
    for slope in wrong:
        refuted(function, in_torch, dy, options=options, z=(z, dy * slope))


@CASES
def test_a_number_is_as_good_as_an_array(function, prime, in_torch, options):
    for one in (function, prime):
        truth = one(np.array([0.5, -2.0]), **options)
        assert one(0.5, **options) == truth[0] and type(one(-2, **options)) is np.float64
        assert type(one(np.float32(-2), **options)) is np.float32
        assert one(np.array(-2.0), **options).shape == ()


def test_what_the_docstrings_say():
    z = np.linspace(-12, 12, 24001)
    assert 4e-4 < np.abs(gelu(z) - gelu(z, "tanh")).max() < 5e-4
    for function, prime, least, most in ((gelu, gelu_prime, -0.13, 1.13), (silu, silu_prime, -0.10, 1.10)):
        slopes = prime(z)
        assert np.round(slopes.min(), 2) == least and np.round(slopes.max(), 2) == most
        assert function(z).min() < -0.16 and np.abs(function(z)[z > 10] - z[z > 10]).max() < 1e-3


Z = np.ones((2, 3))


@pytest.mark.parametrize("call, sentence", [
    (lambda f: f([1.0]), "z: got a list, expected a NumPy array of any shape, or a number"),
    (lambda f: f(np.arange(3)), "z: got int64, expected float32 or float64; z.astype(float) makes one"),
    (lambda f: f(torch.ones(2)), "z: got a Tensor, expected a NumPy array"),
])
@pytest.mark.parametrize("function", [gelu, gelu_prime, silu, silu_prime])
def test_sentences(function, call, sentence):
    assert refused(partial(call, function), "").startswith(sentence)


@pytest.mark.parametrize("odd", [None, True, "erf", 1])
def test_another_approximation_is_refused(odd):
    for function in (gelu, gelu_prime):
        said = refused(partial(function, Z, odd), "approximate")
        assert said == f"approximate: got {odd!r}, expected 'none' or 'tanh'"
