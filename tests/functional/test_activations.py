"""Activations against torch: values, derivatives, kinks, extremes, layouts, what is refused."""
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import refused, search
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from helpers.functional import activations
from helpers.functional.activations import ACTIVATIONS, RULES, elu, elu_prime, leaky_relu, leaky_relu_prime
from helpers.verify.witnesses import three_witnesses

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")
TORCH = {"identity": lambda z: z.clone(), "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu,
         "leaky_relu": F.leaky_relu, "elu": F.elu}
ALL = [(name, {}) for name in TORCH]
ALL += [("leaky_relu", {"negative_slope": slope}) for slope in (0.2, 0.0, 1.0, -0.5)]
ALL += [("elu", {"alpha": alpha}) for alpha in (0.3, 2.5, 0.0, -1.0)]
BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])
EVERY = pytest.mark.parametrize("name, options", ALL, ids=str)
LOUD = {"over": "raise", "divide": "raise", "invalid": "raise", "under": "raise"}


def in_torch(name, z, options):
    """The value and the derivative."""
    leaf = torch.tensor(z, requires_grad=True)
    a = TORCH[name](leaf, **options)
    return a.detach().numpy(), torch.autograd.grad(a, leaf, torch.ones_like(a))[0].numpy().copy()


def compare(name, options, z):
    """σ and σ′ with torch's, to a few roundings, without a warning, and z as it was."""
    before = z.copy()
    with np.errstate(**LOUD):
        ours = [function(z, **options) for function in ACTIVATIONS[name]]
    np.testing.assert_array_equal(z, before)
    eps = np.finfo(z.dtype).eps
    truths = in_torch(name, z, options)
    if name == "elu":   # torch's slope at NaN is NaN or 1, according to what stands beside it
        assert np.isnan(ours[1][np.isnan(z)]).all()
        truths[1][np.isnan(z)] = np.nan
    for value, truth in zip(ours, truths, strict=True):
        assert value.dtype == z.dtype and value.shape == z.shape and isinstance(value, np.ndarray)
        assert not np.may_share_memory(value, z)
        # torch's 1 − tanh² and σ·(1 − σ) cancel, so small slopes are right to a rounding of 1 only.
        np.testing.assert_allclose(value, truth, rtol=8 * eps, atol=4 * eps)


@search(max_examples=150)
@given(st.sampled_from(ALL), st.data())
def test_value_and_derivative(case, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
    z = data.draw(arrays.arrays(dtype, shapes, elements=st.floats(width=32, allow_subnormal=False)))
    z.flags.writeable = False
    compare(*case, z)


@EVERY
@BOTH
def test_extremes_are_torch_s_and_without_a_warning(name, options, dtype):
    z = np.array([1000, -1000, np.inf, -np.inf, np.nan, 0.0, -0.0, 88, -88, -104, 710, -746, 1e30, -1e30,
                  1e-30, 40], dtype)
    compare(name, options, z)
    compare(name, options, np.tile(z, 5))        # torch takes another way where it can take many at once


@pytest.mark.parametrize("name, options, at_zero", [
    ("relu", {}, 0), ("leaky_relu", {}, 0.01), ("leaky_relu", {"negative_slope": 0.2}, 0.2),
    ("elu", {}, 1), ("elu", {"alpha": 2.5}, 2.5), ("sigmoid", {}, 0.25), ("tanh", {}, 1), ("identity", {}, 1),
], ids=str)
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_the_derivative_at_zero(name, options, at_zero, zero):
    assert ACTIVATIONS[name][1](np.array([zero]), **options).tolist() == [at_zero]
    assert in_torch(name, np.array([zero]), options)[1].tolist() == [at_zero]


def test_the_slope_of_nothing_known():
    """At NaN: the rules disagree, ours do as torch's."""
    slopes = {name: ACTIVATIONS[name][1](np.array([np.nan]))[0] for name in TORCH}
    assert slopes["relu"] == slopes["identity"] == 1 and slopes["leaky_relu"] == 0.01
    assert all(np.isnan(slopes[name]) for name in ("sigmoid", "tanh", "elu"))


def test_a_small_slope_of_the_sigmoid_is_right_on_both_sides():
    """σ·(1 − σ) is 0 in float64 from z = 37 on; e⁻ᶻ is not."""
    z = np.array([30.0, 40, 100, -30, -40, -100])
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"][1](z), np.exp(-np.abs(z)), rtol=1e-12)


# --- three witnesses -------------------------------------------------------------------------

def smooth(name):
    """Numbers of both signs, none close to the kink, and an upstream gradient for each."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3, 4, 2)) * 2
    return np.where(np.abs(z) < 0.1, 0.5, z), rng.normal(size=z.shape)


@EVERY
def test_three_witnesses(name, options):
    z, dy = smooth(name)
    sigma, prime = ACTIVATIONS[name]
    three_witnesses(sigma, TORCH[name], dy, options=options, z=(z, dy * prime(z, **options)))


# --- shapes, layouts, names ------------------------------------------------------------------

@EVERY
@BOTH
def test_order_in_memory_is_torch_s(name, options, dtype):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2, 3, 4)).astype(dtype)
    for view in (z, z.T, z.transpose(1, 0, 2), np.asfortranarray(z)):
        tensor = torch.from_numpy(z).permute(*np.argsort(view.strides)[::-1])
        for function in ACTIVATIONS[name]:
            y = function(view, **options)
            assert y.strides == view.strides and y.dtype == dtype
            np.testing.assert_array_equal(y, function(view.copy(order="C"), **options))
        assert TORCH[name](tensor, **options).stride() == tensor.stride()
    for view in (z[::-1], z[..., ::2], np.broadcast_to(z[:1], z.shape)):
        for function in ACTIVATIONS[name]:
            y = function(view, **options)
            assert y.shape == view.shape and not np.may_share_memory(y, z)
            np.testing.assert_array_equal(y, function(view.copy(order="C"), **options))


@EVERY
def test_a_number_is_as_good_as_an_array(name, options):
    for function in ACTIVATIONS[name]:
        truth = function(np.array([0.5, -2.0, 1.0]), **options)
        assert function(0.5, **options) == truth[0] and function(1, **options) == truth[2]
        assert type(function(-2.0, **options)) is np.float64
        assert type(function(np.float32(-2), **options)) is np.float32
        alone = function(np.array(-2.0, np.float32), **options)
        assert isinstance(alone, np.ndarray) and alone.shape == () and alone.dtype == np.float32


def test_the_names():
    assert list(ACTIVATIONS) == list(RULES) == list(TORCH)
    for name, pair in ACTIVATIONS.items():
        assert pair == (getattr(activations, name), getattr(activations, f"{name}_prime"))
        assert [function.__name__ for function in pair] == [name, f"{name}_prime"]


def test_options_may_stand_second():
    z = np.array([-2.0, 3.0])
    assert leaky_relu(z, 0.5).tolist() == [-1, 3]
    assert leaky_relu_prime(z, np.float32(0.5)).tolist() == [0.5, 1]
    assert leaky_relu(z, Fraction(1, 2)).tolist() == [-1, 3]
    assert elu(z, 2).tolist() == [2 * np.expm1(-2), 3] and elu_prime(z, 2).tolist() == [2 * np.exp(-2), 1]
    z = np.random.default_rng(0).normal(size=99).astype(np.float32)    # the option is rounded to z's dtype
    np.testing.assert_array_equal(leaky_relu(z, np.float64(0.1)), leaky_relu(z, 0.1))


# --- what is refused -------------------------------------------------------------------------

Z = np.ones((2, 3))
ODD = {"a list": Z.tolist(), "None": None, "integers": Z.astype(int), "booleans": Z > 0,
       "float16": Z.astype(np.float16), "complex": Z + 0j, "objects": Z.astype(object), "a string": "z",
       "True": True, "a tensor": torch.ones(2), "masked": np.ma.array(Z, mask=Z > 0), "a half": np.float16(1),
       "an integer of NumPy": np.int64(1)}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("name", TORCH)
def test_odd_inputs_are_refused(name, what):
    for function in ACTIVATIONS[name]:
        refused(lambda function=function: function(ODD[what]), "z")


@pytest.mark.parametrize("value", [None, "1", True, np.nan, np.inf, np.ones(1), 1j], ids=str)
def test_odd_options_are_refused(value):
    for function in (leaky_relu, leaky_relu_prime):
        refused(partial(function, Z, negative_slope=value), "negative_slope")
    for function in (elu, elu_prime):
        refused(partial(function, Z, alpha=value), "alpha")


@pytest.mark.parametrize("call, sentence", [
    (lambda: elu([1.0]), "z: got a list, expected a NumPy array of any shape, or a number"),
    (lambda: elu(np.arange(3)), "z: got int64, expected float32 or float64; z.astype(float) makes one"),
    (lambda: elu(Z, "deep"), "alpha: got 'deep', expected a finite number"),
])
def test_sentences(call, sentence):
    assert refused(call, "") == sentence
