"""Costs against torch: values, gradients, extremes, the relation to MSELoss, what is refused."""
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import CLOSE, frozen, refused, search
from hypothesis import given
from hypothesis import strategies as st

from helpers.functional.losses import (
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_backward,
    log_softmax,
    softmax,
    softmax_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
    squared_error,
    squared_error_backward,
)
from helpers.verify.witnesses import three_witnesses

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")
LOUD = {"over": "raise", "divide": "raise", "invalid": "raise"}
BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def note_cost(a, y):
    """C = 1/m Σ ½‖a − y‖², in torch."""
    return ((a - y)**2).sum() / 2 / (len(a) if a.ndim == 2 else 1)


def last(function):
    return partial(function, dim=-1)


@st.composite
def rows(draw):
    """(m, K) or (K,), small and large numbers, and a generator."""
    m, K = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    rng, dtype = np.random.default_rng(draw(st.integers(0, 99))), draw(st.sampled_from(list(CLOSE)))
    z = rng.normal(size=(K,) if draw(st.booleans()) else (m, K)) * draw(st.sampled_from([1, 10, 1000]))
    z = z.astype(dtype)
    z.flags.writeable = False
    return z, rng


def agree(ours, theirs, dtype):
    """Same numbers, shape and dtype."""
    theirs = theirs.detach().numpy()
    assert ours.dtype == dtype and ours.shape == theirs.shape
    tolerance = CLOSE[np.dtype(dtype)]
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def compare(pair, reference, x, y):
    """A cost and its gradient with torch's, with no warning."""
    leaf, target = torch.tensor(x, requires_grad=True), torch.tensor(y)
    cost = reference(leaf, target)
    with np.errstate(**LOUD):
        agree(pair[0](x, y), cost, x.dtype)
        agree(pair[1](x, y), torch.autograd.grad(cost, leaf)[0], x.dtype)


SQUARED = squared_error, squared_error_backward
ENTROPY = softmax_cross_entropy, softmax_cross_entropy_backward
BINARY = binary_cross_entropy_with_logits, binary_cross_entropy_with_logits_backward


# --- against torch ---------------------------------------------------------------------------

@search(max_examples=100)
@given(rows())
def test_squared_error(case):
    a, rng = case
    y = frozen(rng, a.shape, a.dtype)
    compare(SQUARED, note_cost, a, y)
    d = a.shape[-1]
    in_torch = d / 2 * torch.nn.MSELoss()(torch.tensor(a), torch.tensor(y)).item()
    np.testing.assert_allclose(squared_error(a, y), in_torch, rtol=CLOSE[a.dtype])


def test_squared_error_by_hand():
    a, y = np.array([[1.0, 2.0, 5.0], [0.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 4.0], [1.0, 1.0, -2.0]])
    assert squared_error(a, y) == (4 + 1 + 1 + 4) / 2 / 2
    assert squared_error_backward(a, y).tolist() == [[0, 1, 0.5], [-0.5, 0, 1]]
    assert squared_error(a[0], y[0]) == 2.5 and squared_error_backward(a[0], y[0]).tolist() == [0, 2, 1]


@search(max_examples=150)
@given(rows(), st.booleans())
def test_cross_entropy(case, as_classes):
    z, rng = case
    K = z.shape[-1]
    y = rng.integers(K, size=z.shape[:-1]) if as_classes else rng.dirichlet(np.ones(K), z.shape[:-1])
    compare(ENTROPY, F.cross_entropy, z, np.asarray(y) if as_classes else y.astype(z.dtype))


@search(max_examples=80)
@given(rows())
def test_binary_cross_entropy(case):
    z, rng = case
    y = rng.choice([0.0, 1.0, 0.25], z.shape).astype(z.dtype)
    compare(BINARY, F.binary_cross_entropy_with_logits, z, y)


@search(max_examples=100)
@given(rows(), st.integers(1, 3))
def test_softmax(case, front):
    z, rng = case
    z = np.stack([z] * front)
    leaf = torch.tensor(z, requires_grad=True)
    with np.errstate(**LOUD):
        a, log_a = softmax(z), log_softmax(z)
    truth = last(F.softmax)(leaf)
    agree(a, truth, z.dtype)
    agree(log_a, last(F.log_softmax)(leaf), z.dtype)
    np.testing.assert_allclose(a.sum(axis=-1), 1, rtol=1e-6)
    da = frozen(rng, z.shape, z.dtype)
    agree(softmax_backward(da, a), torch.autograd.grad(truth, leaf, torch.tensor(da))[0], z.dtype)


@BOTH
def test_extremes(dtype):
    """±1000 and a class that is out of the question: finite costs, no warning."""
    z = np.array([[1000, -1000, 0], [-1000, 1000, 999], [0, 0, -np.inf], [-1000, -1000, -1000]], dtype)
    for target in ([0, 1, 1, 2], [1, 0, 0, 0], [2, 2, 0, 1]):
        compare(ENTROPY, F.cross_entropy, z, np.array(target))
    with np.errstate(**LOUD):
        assert softmax(z)[0].tolist() == [1, 0, 0] and log_softmax(z)[0].tolist() == [0, -2000, -1000]
        assert softmax_cross_entropy(z[0], 1) == 2000
        assert softmax_cross_entropy(z[2], 2) == np.inf
    compare(BINARY, F.binary_cross_entropy_with_logits, z[:2], np.array([[0, 0, 1], [1, 1, 0]], dtype))


def test_nothing_asked_of_a_class_costs_nothing():
    """0·ln 0 = 0; torch says NaN when the target is given as probabilities, 0 when as classes."""
    z, y = np.array([[0.0, -np.inf]]), np.array([[1.0, 0.0]])
    assert F.cross_entropy(torch.tensor(z), torch.tensor(y)).isnan()
    assert softmax_cross_entropy(z, y) == softmax_cross_entropy(z, np.array([0])) == 0
    assert softmax_cross_entropy_backward(z, y).tolist() == [[0, 0]]


@BOTH
def test_nan_stays_nan(dtype):
    z = np.array([[1, np.nan], [2, 3]], dtype)
    assert np.isnan(softmax_cross_entropy(z, np.array([0, 1])))
    assert np.isnan(softmax(z)).tolist() == [[True, True], [False, False]]
    assert np.isnan(squared_error(z, np.ones_like(z)))


def test_why_the_largest_is_taken_away():
    """The formula as it stands overflows, and log(softmax) is −∞ where log_softmax is not."""
    z = np.array([1000.0, 0.0])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        assert np.isnan(np.exp(z) / np.exp(z).sum()).any()
        assert np.log(softmax(z))[1] == -np.inf and log_softmax(z)[1] == -1000


def test_classes_are_probabilities_of_one():
    rng = np.random.default_rng(0)
    z, target = rng.normal(size=(5, 4)), np.array([3, 0, 1, 1, 2])
    for function in ENTROPY:
        np.testing.assert_array_equal(function(z, target), function(z, np.eye(4)[target]))
        for kind in (np.uint8, np.int16, np.int32, np.uint64):
            np.testing.assert_array_equal(function(z, target), function(z, target.astype(kind)))
        for one in (3, np.int64(3), np.array(3)):
            assert function(z[0], one).tolist() == np.squeeze(function(z[:1], target[:1])).tolist()


def test_a_batch_is_the_mean_of_its_rows():
    rng = np.random.default_rng(0)
    z, y, target = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), np.array([3, 0, 1, 1, 2])
    for cost, right in (squared_error, y), (softmax_cross_entropy, target):
        assert np.isclose(cost(z, right), np.mean([cost(*pair) for pair in zip(z, right, strict=True)]))


# --- three witnesses -------------------------------------------------------------------------

RNG = np.random.default_rng(0)
Z, Y, DA = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4))
CLASSES, P, HALVES = np.array([3, 0, 1, 1, 2]), RNG.dirichlet(np.ones(4), 5), RNG.random((5, 4))
DC = np.float64(-1.7)   # the upstream gradient of the cost, where one is asked for: not 1
COSTS = {
    "squared error": (SQUARED, note_cost, Y),
    "classes": (ENTROPY, F.cross_entropy, CLASSES),
    "probabilities": (ENTROPY, F.cross_entropy, P),
    "binary": (BINARY, F.binary_cross_entropy_with_logits, HALVES),
}


@pytest.mark.parametrize("name", COSTS)
def test_three_witnesses(name):
    (cost, backward), reference, y = COSTS[name]
    ours, theirs = (lambda z: cost(z, y)), (lambda z: reference(z, torch.tensor(y)))
    three_witnesses(ours, theirs, DC, z=(Z, DC * backward(Z, y)))


def test_three_witnesses_of_softmax():
    a = softmax(Z)
    three_witnesses(softmax, last(F.softmax), DA, z=(Z, softmax_backward(DA, a)))


def test_softmax_then_cross_entropy_by_the_chain_rule():
    """The short gradient is what the long way gives: −y/a back through softmax."""
    long = softmax_backward(-P / softmax(Z) / 5, softmax(Z))
    np.testing.assert_allclose(softmax_cross_entropy_backward(Z, P), long, rtol=1e-12, atol=1e-15)


# --- nothing is changed ----------------------------------------------------------------------

@pytest.mark.parametrize("function, arrays", [
    (squared_error, (Z, Y)), (squared_error_backward, (Z, Y)), (softmax, (Z,)), (log_softmax, (Z,)),
    (softmax_backward, (DA, Z)), (softmax_cross_entropy, (Z, CLASSES)), (softmax_cross_entropy, (Z, P)),
    (softmax_cross_entropy_backward, (Z, CLASSES)), (softmax_cross_entropy_backward, (Z, P)),
    (binary_cross_entropy_with_logits, (Z, HALVES)), (binary_cross_entropy_with_logits_backward, (Z, HALVES)),
])
def test_arguments_stay_as_they_are(function, arrays):
    copies = [array.copy() for array in arrays]
    for copy in copies:
        copy.flags.writeable = False
    result = function(*copies)
    assert not any(np.may_share_memory(result, copy) for copy in copies)
    turned = function(*(np.asfortranarray(array) for array in arrays))
    np.testing.assert_allclose(turned, result, rtol=1e-14)


# --- what is refused -------------------------------------------------------------------------

ONE_COLUMN = np.ones((5, 1))
ODD_Y = {"a list": Y.tolist(), "None": None, "a number": 1.0, "integers": Y.astype(int), "turned": Y.T,
         "a row": Y[0], "float32": Y.astype(np.float32), "one column": ONE_COLUMN,
         "a tensor": torch.ones(5, 4)}


@pytest.mark.parametrize("what", ODD_Y)
def test_odd_targets_of_the_squared_error(what):
    """Those of another shape, which NumPy and torch would stretch, are the usual silent mistake."""
    for function in SQUARED:
        refused(lambda function=function: function(Z, ODD_Y[what]), "y", "a is float64, y is float32")
        if what != "float32":
            refused(lambda function=function: function(ODD_Y[what], Z), "a", "y")
    for function in BINARY:
        refused(lambda function=function: function(Z, ODD_Y[what]), "y", "z is float64, y is float32")


ODD_TARGETS = {
    "a list": CLASSES.tolist(), "None": None, "a number": 1.0, "one class": 1,
    "floats for classes": CLASSES + 0.0,
    "too few": CLASSES[:4], "a column": CLASSES[:, None], "booleans": CLASSES > 1, "True": True,
    "class 4": CLASSES + 1, "class −1": CLASSES - 1, "one hot, integers": np.eye(4, dtype=int)[CLASSES],
    "turned": P.T, "float32": P.astype(np.float32), "twice": 2 * P,
    "below 0": np.array([[2.0, -1, 0, 0]] * 5),
    "logits": Z, "NaN": P * np.nan, "a tensor": torch.ones(5, dtype=torch.long), "no axis": np.array(1),
    "masked": np.ma.array(CLASSES, mask=CLASSES > 1), "one column": ONE_COLUMN,
    "a column too few": P[:, :3] / P[:, :3].sum(axis=1, keepdims=True),
}


@pytest.mark.parametrize("what", ODD_TARGETS)
def test_odd_targets_of_the_cross_entropy(what):
    for function in ENTROPY:
        refused(lambda function=function: function(Z, ODD_TARGETS[what]), "target")


@pytest.mark.parametrize("target", [True, 1.0, 4, -1, CLASSES[:1], CLASSES[:4], Z[0], np.array(2.0),
                                    [0, 1, 0, 0]], ids=str)
def test_odd_targets_of_one_sample(target):
    for function in ENTROPY:
        refused(lambda function=function: function(Z[0], target), "target")


ODD_Z = {"a list": Z.tolist(), "None": None, "integers": Z.astype(int), "three axes": Z[None],
         "no axis": np.array(1.0), "no rows": Z[:0], "no columns": Z[:, :0], "nothing": Z[0, :0]}


@pytest.mark.parametrize("what", ODD_Z)
def test_odd_outputs(what):
    z = ODD_Z[what]
    y = np.ones(np.shape(z))
    for function in (*SQUARED, *BINARY):
        refused(lambda function=function: function(z, y), "a", "z")
    for function in ENTROPY:
        refused(lambda function=function: function(z, np.zeros(np.shape(z)[:-1], int)), "z")


@pytest.mark.parametrize("what", ["a list", "None", "integers", "no axis", "no columns"])
def test_softmax_refuses_too(what):
    for function in (softmax, log_softmax):
        refused(lambda function=function: function(ODD_Z[what]), "z")


@pytest.mark.parametrize("value", [2.0, -0.5, np.nan, np.inf])
def test_binary_targets_are_shares(value):
    y = HALVES.copy()
    y[1, 2] = value
    for function in BINARY:
        assert "expected 0 to 1" in refused(lambda function=function: function(Z, y), "y: got numbers from")


@pytest.mark.parametrize("call, sentence", [
    (lambda: squared_error(Z, CLASSES + 0.0), "y: got shape (5,), expected (5, 4), the shape of a"),
    (lambda: squared_error(Z[:0], Y[:0]), "a: got shape (0, 4), expected at least one entry on every axis"),
    (lambda: softmax(Z[:, :0]), "z: got shape (5, 0), expected at least one class"),
    (lambda: softmax_backward(DA[0], Z), "da: got shape (4,), expected (…, K)"),
    (lambda: softmax_backward(DA[:2], Z), "da: got shape (2, 4), expected (5, 4), the shape of a"),
    (lambda: softmax_backward(DA.astype(np.float32), Z),
     "da is float32, a is float64: expected the same dtype for all of them"),
    (lambda: softmax_cross_entropy(Z, CLASSES + 0.0),
     "target: got float64 of shape (5,), expected integers, the classes 0 … 3, or probabilities of the shape "
     "of z, (5, 4)"),
    (lambda: softmax_cross_entropy(Z, CLASSES[:4]),
     "target: got shape (4,), expected (5,), one class for each row of z"),
    (lambda: softmax_cross_entropy(Z, CLASSES[:, None]),
     "target: got shape (5, 1), expected (5,), one class for each row of z"),
    (lambda: softmax_cross_entropy(Z, CLASSES + 2),
     "target: got class 5, expected 0 … 3, for z has 4 columns"),
    (lambda: softmax_cross_entropy(Z, 2 * HALVES / HALVES.sum(axis=1, keepdims=True) / 4),
     "target: got rows that add up to 0.5 … 0.5, expected probabilities, which add up to 1"),
    (lambda: softmax_cross_entropy(Z, np.eye(4, dtype=int)[CLASSES]),
     "target: got an array of int64, expected float32 or float64; target.astype(float) makes one"),
    (lambda: softmax_cross_entropy(Z, CLASSES.tolist()),
     "target: got a list, expected a NumPy array (m,) or (m, K)"),
    (lambda: softmax_cross_entropy(Z[:0], CLASSES[:0]),
     "z: got shape (0, 4), expected at least one entry on every axis"),
])
def test_sentences(call, sentence):
    assert refused(call, "") == sentence


def test_where_torch_is_kinder():
    """An average of nothing is NaN there, targets are stretched, and a target of −100 is left out."""
    assert F.cross_entropy(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)).isnan()
    with pytest.warns(UserWarning, match="broadcast"):
        F.mse_loss(torch.ones(5), torch.ones(5, 1))
    assert F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, -100])).isfinite()
    refused(lambda: softmax_cross_entropy(np.zeros((2, 3)), np.array([0, -100])), "target")
    refused(lambda: squared_error(np.ones(5), ONE_COLUMN), "y")
