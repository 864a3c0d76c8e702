"""Embedding against torch: rows, gradients of repeated indices, padding, what is refused."""
import inspect

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import agree, frozen, own_memory, refused, search
from hypothesis import given
from hypothesis import strategies as st

from helpers.functional.embedding import embedding, embedding_backward
from helpers.functional.linear import linear_backward
from helpers.verify.witnesses import refuted, three_witnesses

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")


@search(max_examples=150)
@given(st.data())
def test_forward_and_backward(data):
    """Indices of every kind of integer and any number of axes, most of them repeated."""
    shape = tuple(data.draw(st.lists(st.integers(0, 4), max_size=3)))
    V, E = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.integers(V, size=shape).astype(data.draw(st.sampled_from([np.int64, np.int32, np.uint8])))
    options = {"padding_idx": data.draw(st.one_of(st.none(), st.integers(-V, V - 1))),
               "scale_grad_by_freq": data.draw(st.booleans())}
    W, dy = frozen(rng, (V, E), dtype), frozen(rng, (*shape, E), dtype)
    leaf = torch.tensor(W, requires_grad=True)
    truth = F.embedding(torch.tensor(x.astype(np.int64)), leaf, **options)
    results = [embedding(x, W, **options), embedding_backward(dy, x, W, **options)]
    truths = truth, torch.autograd.grad(truth, leaf, torch.tensor(dy))[0]
    for ours, theirs in zip(results, truths, strict=True):
        agree(ours, theirs, dtype)
    own_memory(results, [W, dy])


def test_it_is_a_product_with_one_hot_rows():
    rng = np.random.default_rng(0)
    x, W, dy = rng.integers(5, size=(3, 4)), rng.normal(size=(5, 2)), rng.normal(size=(3, 4, 2))
    O = np.eye(5)[x].reshape(12, 5)
    np.testing.assert_allclose(embedding(x, W).reshape(12, 2), O @ W)
    dW = embedding_backward(dy, x, W)
    np.testing.assert_allclose(dW, linear_backward(dy.reshape(12, 2), O, W.T)[1].T)
    three_witnesses(lambda W: embedding(x, W), lambda W: F.embedding(torch.tensor(x), W), dy, W=(W, dW))
    overwritten = np.zeros_like(W)
    overwritten[x] = dy                                      # = for +=: the last of equal indices stays
    refuted(lambda W: embedding(x, W), lambda W: F.embedding(torch.tensor(x), W), dy, W=(W, overwritten))


X, W, DY = np.array([[0, 1], [4, 4]]), np.ones((5, 3)), np.ones((2, 2, 3))


@pytest.mark.parametrize("call, sentence", [
    (lambda: embedding(X + 1, W), "x: got index 5, expected 0 … 4, for weight has 5 rows"),
    (lambda: embedding(X - 1, W), "x: got index -1, expected 0 … 4"),
    (lambda: embedding(X * 1.0, W), "x: got float64, expected an array of integers, indices 0 … 4"),
    (lambda: embedding(X.tolist(), W), "x: got list, expected an array of integers"),
    (lambda: embedding(X > 0, W), "x: got bool, expected an array of integers"),
    (lambda: embedding(X, W[0]), "weight: got shape (3,), expected (V, E)"),
    (lambda: embedding(X, W, 5), "padding_idx: got 5, expected a row of weight, -5 … 4"),
    (lambda: embedding(X, W, -6), "padding_idx: got -6, expected an integer of at least -5"),
    (lambda: embedding(X, W, max_norm=1.0), "max_norm: got 1.0, expected None: it would write into the"),
    (lambda: embedding(X, W, norm_type=None), "norm_type: got None, expected a finite number"),
    (lambda: embedding(X, W, scale_grad_by_freq=1), "scale_grad_by_freq: got 1, expected True or False"),
    (lambda: embedding(X, W, sparse=True), "sparse: got True, expected False"),
    (lambda: embedding_backward(DY[0], X, W), "dy: got shape (2, 3), expected (…, …, E)"),
    (lambda: embedding_backward(DY[..., :2], X, W), "dy: got shape (2, 2, 2), expected (2, 2, 3), a row for"),
    (lambda: embedding_backward(DY.astype(np.float32), X, W), "dy is float32, weight is float64: expected"),
])
def test_sentences(call, sentence):
    assert refused(call, "").startswith(sentence)


def test_names_and_order_are_torch_s():
    ours, theirs = (list(inspect.signature(function).parameters) for function in (embedding, F.embedding))
    assert ours[1:] == theirs[1:]
