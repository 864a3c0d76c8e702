"""The fully connected layer against torch: values, gradients, views, what is refused."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import CLOSE, agree, frozen, own_memory, refused, refused_by_torch, search, tensors
from hypothesis import given
from hypothesis import strategies as st

from helpers.functional.linear import linear, linear_backward
from helpers.verify.witnesses import three_witnesses

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")


@st.composite
def cases(draw):
    """x with any number of axes in front, W never square, with a bias or without."""
    front = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    inputs = draw(st.integers(0, 6))
    outputs = draw(st.integers(1, 6).filter(lambda n: n != inputs))
    rng, dtype = np.random.default_rng(draw(st.integers(0, 99))), draw(st.sampled_from(list(CLOSE)))
    b = frozen(rng, outputs, dtype) if draw(st.booleans()) else None
    return frozen(rng, (*front, inputs), dtype), frozen(rng, (outputs, inputs), dtype), b, rng


def compare(x, W, b, rng):
    y = linear(x, W, b)
    leaves = tensors(x, W, np.zeros(len(W), x.dtype) if b is None else b)
    truth = F.linear(*leaves)
    agree(y, truth, x.dtype)
    dy = frozen(rng, y.shape, x.dtype)
    gradients = linear_backward(dy, x, W)
    for ours, theirs in zip(gradients, torch.autograd.grad(truth, leaves, torch.tensor(dy)), strict=True):
        agree(ours, theirs, x.dtype)
    own_memory([y, *gradients], [x, W, b, dy])


@search(max_examples=125)
@given(cases())
def test_forward_and_backward(case):
    compare(*case)


@pytest.mark.parametrize("front", [(), (1,), (5,), (0,), (2, 3), (2, 0, 3), (2, 1, 3, 2)], ids=str)
def test_any_number_of_axes_in_front(front):
    rng = np.random.default_rng(0)
    compare(frozen(rng, (*front, 4)), frozen(rng, (3, 4)), frozen(rng, 3), rng)


def test_small_numbers_by_hand():
    """7 = 1·1 + 3·2 + 0, and back 5 = 1·1 + 0·(−1) + 2·2."""
    x, b = np.array([[1.0, 2.0]]), np.array([0.0, 1.0, -1.0])
    W = np.array([[1.0, 3.0], [0.0, -1.0], [2.0, 1.0]])
    assert linear(x, W, b).tolist() == [[7, -1, 3]]
    dx, dW, db = linear_backward(np.array([[1.0, -1.0, 2.0]]), x, W)
    assert dx.tolist() == [[5, 6]] and dW.tolist() == [[1, 2], [-1, -2], [2, 4]] and db.tolist() == [1, -1, 2]


VIEWS = {
    "axes exchanged": lambda a: np.ascontiguousarray(a.T).T,
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[..., ::-1].copy()[..., ::-1],
    "Fortran order": np.asfortranarray,
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("front", [(5,), (2, 3)], ids=str)
def test_views_are_as_good_as_copies(view, front):
    rng = np.random.default_rng(0)
    x, W, dy = frozen(rng, (*front, 4)), frozen(rng, (3, 4)), frozen(rng, (*front, 3))
    assert not view(x).flags.c_contiguous
    agree(linear(view(x), view(W)), linear(x, W), x.dtype)
    truths = linear_backward(dy, x, W)
    for ours, theirs in zip(linear_backward(view(dy), view(x), view(W)), truths, strict=True):
        agree(ours, theirs, x.dtype)


def test_the_first_layer_needs_no_dx():
    rng = np.random.default_rng(0)
    x, W, dy = frozen(rng, (5, 4)), frozen(rng, (3, 4)), frozen(rng, (5, 3))
    nothing, dW, db = linear_backward(dy, x, W, needs_dx=False)
    assert nothing is None
    for ours, theirs in zip((dW, db), linear_backward(dy, x, W)[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


# --- three witnesses -------------------------------------------------------------------------

def hostile(front=(5,)):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in ((*front, 3), (*front, 4), (3, 4), (3,))]


@pytest.mark.parametrize("front", [(5,), (2, 3)], ids=str)
def test_three_witnesses(front):
    dy, x, W, b = hostile(front)
    dx, dW, db = linear_backward(dy, x, W)
    three_witnesses(linear, F.linear, dy, x=(x, dx), W=(W, dW), b=(b, db))


# --- what is refused, and how ----------------------------------------------------------------

X, K, B, DY = np.ones((5, 4)), np.ones((3, 4)), np.ones(3), np.ones((5, 3))
ODD_X = {"a list": X.tolist(), "None": None, "a number": 1.0, "integers": X.astype(int),
         "no axis": np.array(1.0), "float32": X.astype(np.float32), "features": X[:, :3], "turned": X.T,
         "complex": X + 0j}
ODD_W = {"a list": K.tolist(), "None": None, "integers": K.astype(int), "three axes": K[None], "turned": K.T,
         "float32": K.astype(np.float32), "features": K[:, :3]}
ODD_B = {"a list": B.tolist(), "a number": 1.0, "short": B[:2], "a column": B[:, None],
         "float32": B.astype(np.float32), "False": False, "no axis": np.array(1.0)}
ODD_DY = {"a list": DY.tolist(), "None": None, "integers": DY.astype(int), "turned": DY.T, "rows": DY[:4],
          "outputs": DY[:, :2], "no batch": DY[0], "float32": DY.astype(np.float32)}


@pytest.mark.parametrize("what", ODD_X)
def test_odd_inputs_are_refused_where_torch_refuses(what):
    refused(lambda: linear(ODD_X[what], K, B), "x", "W: got shape")
    refused(lambda: linear_backward(DY, ODD_X[what], K), "x", "W: got shape")
    refused_by_torch(F.linear, ODD_X[what], K, B)


@pytest.mark.parametrize("what", ODD_W)
def test_odd_weights_are_refused_where_torch_refuses(what):
    refused(lambda: linear(X, ODD_W[what], None), "W", "x is float64")
    refused(lambda: linear_backward(DY, X, ODD_W[what]), "W", "x is float64")
    refused_by_torch(F.linear, X, ODD_W[what])


@pytest.mark.parametrize("what", ODD_B)
def test_odd_biases_are_refused(what):
    refused(lambda: linear(X, K, ODD_B[what]), "b", "x is float64")


@pytest.mark.parametrize("what", ODD_DY)
def test_an_odd_upstream_gradient_is_refused(what):
    refused(lambda: linear_backward(ODD_DY[what], X, K), "dy")


@pytest.mark.parametrize("b", [B[:1], np.ones((5, 3)), np.array(1.0)], ids=lambda b: str(b.shape))
def test_where_torch_is_kinder(b):
    """torch broadcasts a bias of some other shapes; a learner is told."""
    refused(lambda: linear(X, K, b), "b")


@pytest.mark.parametrize("call, sentence", [
    (lambda: linear(X, K.T),
     "W: got shape (4, 3), which takes 3 features, but x (5, 4) has 4; expected W of shape (out, 4)"),
    (lambda: linear(X, K, B[:2]), "b: got shape (2,), expected (3,), one number for each output"),
    (lambda: linear_backward(DY.T, X, K), "dy: got shape (3, 5), expected (5, 3), the shape of linear(x, W)"),
])
def test_sentences(call, sentence):
    assert refused(call, "") == sentence
