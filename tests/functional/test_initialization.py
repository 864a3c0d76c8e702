"""Initialisation against torch.nn.init: gains and fans exactly, the draws by their statistics."""
import inspect
import math
from functools import partial

import numpy as np
import pytest
import torch
from checks import refused, rng, search
from hypothesis import given
from hypothesis import strategies as st

from helpers.functional import initialization as ours
from helpers.functional.initialization import INITIALIZATIONS, fans, gain, orthogonal

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")
init = torch.nn.init

DENSE, KERNELS = (300, 170), (60, 20, 3, 5)     # no two axes alike, more rows than columns and fewer


# --- numbers that must be torch's ------------------------------------------------------------

@search(max_examples=50)
@given(st.lists(st.integers(1, 7), min_size=2, max_size=5))
def test_fans_are_torch_s(shape):
    assert fans(tuple(shape)) == init._calculate_fan_in_and_fan_out(torch.empty(shape))


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu"])
def test_gains_are_torch_s(name):
    assert gain(name) == pytest.approx(init.calculate_gain(name), rel=1e-15)


@pytest.mark.parametrize("slope", [0, 0.01, 0.2, 1, -0.5, math.sqrt(5)])
def test_the_gain_of_a_slope_is_torch_s(slope):
    assert gain("leaky_relu", slope) == pytest.approx(init.calculate_gain("leaky_relu", slope), rel=1e-15)


def test_the_identity_is_linear():
    assert gain("identity") == gain("linear") == 1


# --- draws -----------------------------------------------------------------------------------

RULES = {   # ours, torch's, and what the variance must be at fan_in, fan_out
    "normal": (partial(ours.normal, std=0.3), partial(init.normal_, std=0.3), lambda i, o: 0.09),
    "uniform": (partial(ours.uniform, bound=0.3), partial(init.uniform_, a=-0.3, b=0.3), lambda i, o: 0.03),
    "xavier_uniform": (partial(ours.xavier_uniform, gain=1.5), partial(init.xavier_uniform_, gain=1.5),
                       lambda i, o: 1.5**2 * 2 / (i + o)),
    "xavier_normal": (partial(ours.xavier_normal, gain=1.5), partial(init.xavier_normal_, gain=1.5),
                      lambda i, o: 1.5**2 * 2 / (i + o)),
    "kaiming_uniform": (ours.kaiming_uniform, init.kaiming_uniform_, lambda i, o: 2 / i),
    "kaiming_normal": (ours.kaiming_normal, init.kaiming_normal_, lambda i, o: 2 / i),
    "kaiming_normal, out": (partial(ours.kaiming_normal, mode="fan_out"),
                            partial(init.kaiming_normal_, mode="fan_out"), lambda i, o: 2 / o),
    "kaiming_uniform, slope": (partial(ours.kaiming_uniform, a=0.7), partial(init.kaiming_uniform_, a=0.7),
                               lambda i, o: 2 / 1.49 / i),
    "kaiming_normal, tanh": (partial(ours.kaiming_normal, nonlinearity="tanh"),
                             partial(init.kaiming_normal_, nonlinearity="tanh"), lambda i, o: 25 / 9 / i),
    "torch_default": (ours.torch_default, partial(init.kaiming_uniform_, a=math.sqrt(5)),
                      lambda i, o: 1 / (3 * i)),
}
BOUNDED = [name for name in RULES if "uniform" in name or name == "torch_default"]


def drawn(name, shape, dtype=np.float64):
    """The same rule drawn here and in torch."""
    torch.manual_seed(0)
    tensor = torch.empty(shape, dtype=torch.float64)
    RULES[name][1](tensor)
    return RULES[name][0](rng(), shape, dtype=dtype), tensor.numpy()


@pytest.mark.parametrize("shape", [DENSE, KERNELS])
@pytest.mark.parametrize("name", RULES)
def test_mean_and_variance(name, shape):
    """18,000 draws or more: the variance of a variance is below 2/18000, so 5 % are more than four sigma."""
    variance = RULES[name][2](*fans(shape))
    for array in drawn(name, shape):
        assert array.shape == shape and abs(array.mean()) < 5 * math.sqrt(variance / array.size)
        assert array.var() == pytest.approx(variance, rel=0.05)
        kurtosis = (array**4).mean() / variance**2
        assert kurtosis == pytest.approx(9 / 5 if name in BOUNDED else 3, rel=0.1)   # uniform, or normal


@pytest.mark.parametrize("name", BOUNDED)
def test_bounds(name):
    bound = math.sqrt(3 * RULES[name][2](*fans(DENSE)))
    for array in drawn(name, DENSE):
        assert 0.999 * bound < np.abs(array).max() <= bound * (1 + 1e-12)


@pytest.mark.parametrize("name", INITIALIZATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_rule_by_name(name, dtype):
    rule = INITIALIZATIONS[name]
    for shape in (DENSE, KERNELS, (1, 1)):
        one, again, other = (rule(rng(seed), shape, dtype=dtype) for seed in (1, 1, 2))
        assert one.dtype == dtype and one.shape == shape
        assert np.array_equal(one, again) and not np.array_equal(one, other) or shape == (1, 1)
    assert rule(rng(), DENSE).dtype == np.float64


def test_the_table_says_what_its_names_say():
    for name, rule in INITIALIZATIONS.items():
        if name != "normal 0.01":
            assert rule is getattr(ours, name)
    assert INITIALIZATIONS["normal 0.01"](rng(), DENSE).std() == pytest.approx(0.01, rel=0.02)
    assert "normal 0.01" in INITIALIZATIONS


@pytest.mark.parametrize("name", ["xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal",
                                  "orthogonal", "normal", "calculate_gain"])
def test_arguments_have_torch_s_names_and_defaults(name):
    mine = inspect.signature(getattr(ours, name.replace("calculate_", ""))).parameters
    torch_s = inspect.signature(getattr(init, name if "calc" in name else f"{name}_")).parameters
    shared = set(mine) - {"rng", "shape", "dtype"}
    assert shared == set(torch_s) - {"tensor", "generator", "mean"}
    for argument in shared:
        assert mine[argument].default == torch_s[argument].default


# --- orthogonal ------------------------------------------------------------------------------

@pytest.mark.parametrize("dtype, limit", [(np.float64, 1e-13), (np.float32, 2e-6)])
@pytest.mark.parametrize("shape", [(5, 5), (40, 13), (13, 40), (6, 4, 3, 2), (50, 4, 3, 2), (1, 7), (7, 1)])
def test_orthogonal(shape, dtype, limit):
    W = orthogonal(rng(), shape, 1.7, dtype=dtype)
    assert W.shape == shape and W.dtype == dtype
    W = W.reshape(shape[0], -1)
    square = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(square, 1.7**2 * np.eye(len(square)), atol=5 * limit)
    tensor = init.orthogonal_(torch.empty(shape, dtype=torch.float64), 1.7).reshape(shape[0], -1)
    square = tensor @ tensor.T if W.shape[0] <= W.shape[1] else tensor.T @ tensor
    np.testing.assert_allclose(square, 1.7**2 * np.eye(len(square)), atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_rotations_and_reflections_are_equally_likely(n):
    """400 draws: the share of positive determinants is ½ ± 0.1, four times its standard deviation."""
    draws = [orthogonal(generator, (n, n)) for generator in [rng()] for _ in range(400)]
    assert abs(np.mean([np.linalg.det(W) > 0 for W in draws]) - 0.5) < 0.1
    assert np.abs(np.mean(draws, axis=0)).max() < 4 / math.sqrt(400 * n)     # no direction is preferred
    np.testing.assert_allclose(np.mean(np.square(draws), axis=0), 1 / n, atol=0.1)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (4, 4)])
def test_no_direction_is_preferred(shape):
    """LAPACK's Q alone, without the signs of R, has a diagonal that is mostly negative."""
    generator = rng()
    ours = [orthogonal(generator, shape) for _ in range(400)]
    assert np.abs(np.mean(ours, axis=0)).max() < 4 / math.sqrt(400 * max(shape))


# --- what is refused -------------------------------------------------------------------------

@pytest.mark.parametrize("call, sentence", [
    (lambda: fans((3,)),
     "shape: got (3,), expected a tuple of at least 2 integers from 1 on, such as (out, in)"),
    (lambda: fans(3), "shape: got 3, expected a tuple"),
    (lambda: fans((3, 0)), "shape: got (3, 0), expected"),
    (lambda: fans((3, 2.0)), "shape: got (3, 2.0), expected"), (lambda: fans("ab"), "shape: got 'ab'"),
    (lambda: gain("elu"), "nonlinearity: got 'elu', expected one of leaky_relu, linear, identity,"),
    (lambda: gain(None), "nonlinearity: got None, expected"), (lambda: gain(["relu"]), "nonlinearity: got ["),
    (lambda: gain("leaky_relu", "steep"), "param: got 'steep', expected a finite number"),
    (lambda: gain("leaky_relu", math.nan), "param: got nan, expected a finite number"),
    (lambda: ours.normal(rng(), (3,), -1.0), "std: got -1.0, expected a number of at least 0"),
    (lambda: ours.normal(0, (3,)), "rng: got 0, expected a generator, such as np.random.default_rng(0)"),
    (lambda: ours.normal(rng(), ()), "shape: got (), expected a tuple of at least 1 integers"),
    (lambda: ours.normal(rng(), (3,), dtype=int), "dtype: got <class 'int'>, expected np.float32 or"),
    (lambda: ours.uniform(rng(), (3,), math.inf), "bound: got inf, expected a number of at least 0"),
    (lambda: ours.xavier_normal(rng(), (3,)), "shape: got (3,), expected a tuple of at least 2"),
    (lambda: ours.xavier_uniform(rng(), (3, 2), -1), "gain: got -1, expected a number of at least 0"),
    (lambda: ours.kaiming_normal(rng(), (3, 2), mode="fan"), "mode: got 'fan', expected 'fan_in' or"),
    (lambda: ours.kaiming_normal(rng(), (3, 2), nonlinearity="swish"), "nonlinearity: got 'swish', expected"),
    (lambda: ours.kaiming_uniform(rng(), (3, 2), a=None), "a: got None, expected a finite number"),
    (lambda: orthogonal(rng(), (3,)), "shape: got (3,), expected a tuple of at least 2"),
    (lambda: orthogonal(rng(), (3, 2), "much"), "gain: got 'much', expected a finite number"),
])
def test_sentences(call, sentence):
    assert refused(call, "").startswith(sentence)
