"""Scaled dot-product attention against torch: values, gradients, masks, invariants, refusals."""
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import agree, frozen, own_memory, refused, refused_by_torch, search, tensors
from hypothesis import given
from hypothesis import strategies as st

from helpers.functional import attention
from helpers.functional.attention import (
    attention_weights,
    scaled_dot_product_attention,
    scaled_dot_product_attention_backward,
)
from helpers.verify.witnesses import refuted, three_witnesses

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")


def arrays(rng, front, L, S, E, Ev, dtype=np.float64):
    """dy, query, key, value."""
    return [frozen(rng, (*front, *last), dtype) for last in ((L, Ev), (L, E), (S, E), (S, Ev))]


def a_mask(rng, kind, front, L, S, dtype):
    """Of bool, or of numbers with some −∞; each query may look somewhere. Some are broadcast."""
    shape = (*front[len(front) // 2:], L, S) if rng.random() < 0.5 else (L, S)
    allowed = (rng.random(shape) < 0.6) | (np.arange(S) == rng.integers(S))
    return allowed if kind == "bool" else np.where(allowed, rng.normal(size=shape), -np.inf).astype(dtype)


@search(max_examples=200)
@given(st.data())
def test_forward_and_backward(data):
    front = tuple(data.draw(st.lists(st.integers(1, 3), max_size=2)))
    L, S, E, Ev = (data.draw(st.integers(1, n)) for n in (5, 6, 4, 3))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    dy, *given = arrays(rng, front, L, S, E, Ev, dtype)
    kind = data.draw(st.sampled_from(["none", "causal", "bool", "numbers"]))
    mask = a_mask(rng, kind, front, L, S, dtype) if kind in ("bool", "numbers") else None
    options = {"is_causal": kind == "causal", "scale": data.draw(st.sampled_from([None, 0.3, -2.0, 0.0]))}
    results = [scaled_dot_product_attention(*given, mask, **options),
               *scaled_dot_product_attention_backward(dy, *given, mask, **options)]
    q, k, v = tensors(*given)
    y = F.scaled_dot_product_attention(q, k, v, None if mask is None else torch.tensor(mask), **options)
    for ours, theirs in zip(results, [y, *torch.autograd.grad(y, (q, k, v), torch.tensor(dy))], strict=True):
        agree(np.ascontiguousarray(ours), theirs, dtype)
    own_memory(results, [dy, *given])


def test_small_numbers_by_hand():
    """Scores 0 and ln 3: a quarter of the first value, three quarters of the second."""
    q, k, v = np.array([[2.0, 0.0]]), np.array([[0.0, 5], [np.log(3), 7]]), np.array([[4.0], [8.0]])
    assert attention_weights(q, k, scale=0.5) == pytest.approx(np.array([[0.25, 0.75]]))
    assert scaled_dot_product_attention(q, k, v, scale=0.5) == pytest.approx(np.array([[7.0]]))


def test_invariants():
    """Rows of A add up to 1; a vector added to all keys changes nothing, so that Σ dK = 0 over the keys."""
    rng = np.random.default_rng(0)
    dy, q, k, v = arrays(rng, (2, 3), 4, 5, 6, 7)
    A = attention_weights(q, k)
    np.testing.assert_allclose(A.sum(axis=-1), 1)
    np.testing.assert_allclose(attention_weights(q, k + rng.normal(size=6)), A, rtol=1e-10)
    dq, dk, dv = scaled_dot_product_attention_backward(dy, q, k, v)
    assert np.abs(dk.sum(axis=-2)).max() < 1e-13 and np.abs(dk).max() > 0.01
    np.testing.assert_allclose(dv.sum(axis=-2), dy.sum(axis=-2))


def test_what_a_causal_mask_promises():
    """Output i does not change with what comes later, nor does it send a gradient there."""
    rng = np.random.default_rng(0)
    dy, q, k, v = (one.copy() for one in arrays(rng, (2,), 5, 5, 3, 4))
    y = scaled_dot_product_attention(q, k, v, is_causal=True)
    later = [np.where(np.arange(5)[:, None] > 2, one + 1, one) for one in (k, v)]
    changed = scaled_dot_product_attention(q, *later, is_causal=True)
    assert np.array_equal(y[:, :3], changed[:, :3]) and not np.allclose(y[:, 3:], changed[:, 3:])
    dy[:, 3:] = 0
    _, dk, dv = scaled_dot_product_attention_backward(dy, q, k, v, is_causal=True)
    assert not dk[:, 3:].any() and not dv[:, 3:].any() and np.abs(dv[:, :3]).min() > 0
    assert np.array_equal(y, scaled_dot_product_attention(q, k, v, np.tri(5, dtype=bool)))


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.7}], ids=str)
def test_three_witnesses(options):
    """And wrong versions: without s, or one or both terms of the softmax's Jacobian; the wrong sign."""
    dy, q, k, v = arrays(np.random.default_rng(0), (2,), 4, 5, 3, 6)
    dq, dk, dv = scaled_dot_product_attention_backward(dy, q, k, v, **options)
    call = scaled_dot_product_attention, F.scaled_dot_product_attention, dy
    three_witnesses(*call, options=options, query=(q, dq), key=(k, dk), value=(v, dv))
    A, s = attention_weights(q, k, **options), options.get("scale", 3**-0.5)
    dA, fixed = dy @ v.swapaxes(1, 2), {"key": k, "value": v}
    for wrong in (dq / s, s * (A * dA) @ k, s * dA @ k, -dq):
        refuted(lambda query, **fixed: scaled_dot_product_attention(query, **fixed),
                lambda query, **fixed: F.scaled_dot_product_attention(query, **fixed),
                dy, options={**fixed, **options}, query=(q, wrong))


def test_extreme_scores():
    """±1000: one weight is 1, the others 0, and nothing overflows."""
    q, k, v = np.array([[1000.0], [-1000.0]]), np.array([[1.0], [-1.0]]), np.array([[3.0], [5.0]])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert scaled_dot_product_attention(q, k, v).tolist() == [[3], [5]]
        dq, dk, dv = scaled_dot_product_attention_backward(np.array([[1.0], [2.0]]), q, k, v)
    assert not dq.any() and not dk.any() and dv.tolist() == [[1], [2]]


Q, K, V = np.ones((2, 4, 3)), np.ones((2, 5, 3)), np.ones((2, 5, 6))
DY, MASK = np.ones((2, 4, 6)), np.ones((4, 5), bool)


def forward(q=Q, k=K, v=V, *rest, **options):
    return scaled_dot_product_attention(q, k, v, *rest, **options)


@pytest.mark.parametrize("call, sentence", [
    (lambda: forward(Q[0, 0]), "query: got shape (3,), expected (L, E)"),
    (lambda: forward(Q.tolist()), "query: got a list, expected a NumPy array (L, E)"),
    (lambda: forward(Q[:1]), "key: got shape (2, 5, 3), expected (1, 5, 3), which fits query (1, 4, 3)"),
    (lambda: forward(Q[..., :2]), "key: got shape (2, 5, 3), expected (2, 5, 2), which fits query"),
    (lambda: forward(Q, K, V[:, :4]), "value: got shape (2, 4, 6), expected (2, 5, 6), a value for each key"),
    (lambda: forward(Q, K[:, :0], V[:, :0]), "key: got shape (2, 0, 3), expected at least one key"),
    (lambda: forward(Q.astype(np.float32)), "query is float32, key is float64: expected the same dtype"),
    (lambda: forward(Q, K, V.astype(np.float32)), "key is float64, value is float32: expected the same"),
    (lambda: forward(Q, K, V, MASK, is_causal=True), "attn_mask: got a mask and is_causal=True, expected"),
    (lambda: forward(Q, K, V, MASK[:3]), "attn_mask: got shape (3, 5), expected one that is broadcast to"),
    (lambda: forward(Q, K, V, MASK.astype(int)), "attn_mask: got int64, expected an array of bool, True"),
    (lambda: forward(Q, K, V, 1.0), "attn_mask: got float, expected an array of bool"),
    (lambda: forward(Q, K, V, ~MASK), "attn_mask: got a query that may look at no key, expected at least"),
    (lambda: forward(Q, K, V, np.where(MASK, -np.inf, 0)), "attn_mask: got a query that may look at no key"),
    (lambda: forward(Q, K, V, None, 0.1), "dropout_p: got 0.1, expected 0; dropout("),
    (lambda: forward(Q, K, V, enable_gqa=True), "enable_gqa: got True, expected False; np.repeat("),
    (lambda: forward(is_causal=1), "is_causal: got 1, expected True or False"),
    (lambda: forward(scale="1"), "scale: got '1', expected a finite number"),
    (lambda: scaled_dot_product_attention_backward(V, Q, K, V), "dy: got shape (2, 5, 6), expected (2, 4,"),
    (lambda: scaled_dot_product_attention_backward(DY.astype("f4"), Q, K, V), "dy is float32, query is"),
])
def test_sentences(call, sentence):
    assert refused(call, "").startswith(sentence)


def test_torch_refuses_a_mask_beside_is_causal_too():
    refused_by_torch(F.scaled_dot_product_attention, Q, K, V, MASK, is_causal=True)


def test_names_and_order_are_torch_s():
    """torch's signature stands in its docstring."""
    head = F.scaled_dot_product_attention.__doc__.split("->")[0]
    theirs = re.findall(r"(\w+)(?=[,=)])", head.split("(")[1])
    names = scaled_dot_product_attention.__code__.co_varnames[:8]
    assert [name for name in theirs if name.isidentifier() and name not in ("None", "False")] == [*names]
    assert set(attention.__all__) >= {scaled_dot_product_attention.__name__}
