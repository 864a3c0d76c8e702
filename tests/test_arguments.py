"""Arguments that are let through, those that are refused, and in which words: one sample of each kind."""
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from checks import ODD_NUMBERS, refused

from helpers import arguments as check

EDGES = [   # the bounds, what is inside, what is outside, the words
    ({"least": 0}, [0, 1e300, 0.1], [-1e-300], "a number of at least 0"),
    ({"above": 0, "most": 1}, [1e-300, 1], [0, 1.0001], "a number above 0 and at most 1"),
    ({"least": 0, "below": 1}, [0, 0.9999], [1, -1], "a number of at least 0 and below 1"),
    ({"least": -2.5, "most": 0.5}, [-2.5, 0.5], [-2.6, 0.6], "a number of at least -2.5 and at most 0.5"),
    ({}, [-1e300, 0], [], "a finite number"),
]


@pytest.mark.parametrize("bounds, inside, outside, words", EDGES, ids=[edge[-1] for edge in EDGES])
def test_a_number_is_in_its_range(bounds, inside, outside, words):
    for value in inside:
        assert check.number("eta", value, **bounds) == value
    odd = [math.nan, math.inf, -math.inf, 10**400, "1", None, True, np.True_, 1j, [1.0], np.ones(1)]
    for value in [*outside, *odd]:
        said = refused(lambda value=value: check.number("eta", value, **bounds), "eta")
        assert said == f"eta: got {value!r}, expected {words}"


def test_infinity_is_a_number_where_it_may_be():
    assert check.number("eta", math.inf, least=0, infinite=True) == math.inf
    assert check.number("eta", -math.inf, infinite=True) == -math.inf
    for value in (-math.inf, math.nan):
        said = refused(lambda value=value: check.number("eta", value, least=0, infinite=True), "eta")
        assert said.endswith("expected a number of at least 0")


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int64(3), np.float64(2), Fraction(1, 4)])
def test_a_number_comes_back_as_a_float_of_python(value):
    """One of NumPy's would make float64 of what float32 it meets."""
    assert type(check.number("eta", value)) is float and check.number("eta", value) == value


@pytest.mark.filterwarnings("error")     # before 2.3, NumPy warns where its booleans are asked for an index
@pytest.mark.parametrize("value", [True, np.True_, 0, 1.0, np.float64(1), "1", None, np.arange(2)], ids=str)
def test_an_integer_is_no_boolean_and_no_fraction(value):
    assert check.integer("k", 1, least=1) == check.integer("k", np.int64(1), least=1) == 1
    said = refused(lambda: check.integer("k", value, least=1), "k")
    assert said == f"k: got {value!r}, expected an integer of at least 1"


@pytest.mark.parametrize("value", [1, 0, None, "True", np.True_, np.array(True)])
def test_a_flag_is_true_or_false_itself(value):
    assert check.flag("training", True) is True and check.flag("training", False) is False
    refused(lambda: check.flag("training", value), "training: got ")


@pytest.mark.parametrize("rng", [None, 0, np.random, np.random.RandomState(0), np.random.default_rng])
def test_a_generator_is_numpys(rng):
    good = np.random.default_rng(0)
    assert check.generator(good) is good
    refused(lambda: check.generator(rng), "rng: got ")


@pytest.mark.parametrize("value, both", [(np.int64(2), (2, 2)), ((1, 3), (1, 3)), ([1, 3], (1, 3))])
def test_a_pair_is_two_integers_or_one_for_both(value, both):
    assert check.pair("stride", value, least=1) == both


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [*ODD_NUMBERS, 0, (1, 0), None, (), "same"], ids=str)
def test_what_is_no_pair_is_refused(value):
    assert refused(lambda: check.pair("stride", value, least=1), "") == (
        f"stride: got {value!r}, expected an integer of at least 1 or a pair (height, width) of them")


X = np.ones((2, 3, 4))


@pytest.mark.parametrize("call, sentence", [
    (lambda: check.floats("x", X.tolist(), "N, C, L"), "x: got a list, expected a NumPy array (N, C, L)"),
    (lambda: check.floats("b", 0, "O"), "b: got an int, expected a NumPy array (O,)"),
    (lambda: check.floats("x", np.ma.array(X, mask=X > 0), "N"),
     "x: got a MaskedArray, expected a NumPy array (N,)"),
    (lambda: check.floats("x", torch.ones(2), "N", "N, C"),
     "x: got a torch Tensor (x.detach().numpy() makes an array), expected a NumPy array (N,) or (N, C)"),
    (lambda: check.floats("x", X.astype(int), "N, C, L"),
     "x: got an array of int64, expected float32 or float64; x.astype(float) makes one"),
    (lambda: check.floats("x", X, "N", "N, C"), "x: got shape (2, 3, 4), expected (N,) or (N, C)"),
    (lambda: check.same_dtype(x=X, b=None, W=X.astype(np.float32)),
     "x is float64, W is float32: expected the same dtype for all of them"),
    (lambda: check.shape("dy", X, (2, 4), "the shape of y"),
     "dy: got shape (2, 3, 4), expected (2, 4), the shape of y"),
])
def test_sentences_about_arrays(call, sentence):
    assert refused(call, "") == sentence
