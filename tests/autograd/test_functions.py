"""Layers on the tape, checkpoints, Hessians and memory: as the layers, torch and tracemalloc have them."""
import tracemalloc

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from helpers.autograd import (
    Variable,
    allocated_bytes,
    checkpoint,
    curvature,
    curvature_in_training,
    grad,
    hessian_vector_product,
    kept_bytes,
    largest_eigenvalue,
    with_vjp,
)
from helpers.functional.convolution import conv2d, conv2d_backward
from helpers.functional.linear import linear, linear_backward
from helpers.functional.pooling import max_pool2d, max_pool2d_backward
from helpers.nn import no_grad

CONV, POOL = with_vjp(conv2d, conv2d_backward), with_vjp(max_pool2d, max_pool2d_backward)


def leaves(*arrays):
    return [Variable(array, requires_grad=True) for array in arrays]


def drawn(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


# --- pairs of functions ---------------------------------------------------------------------------

def test_convolution_and_pooling_on_the_tape_are_torchs():
    arrays = drawn((2, 3, 7, 8), (4, 3, 2, 3), (4,))
    ours, theirs = leaves(*arrays), [torch.tensor(array, requires_grad=True) for array in arrays]
    y = POOL(CONV(*ours, stride=1, padding=(1, 0)).relu(), kernel_size=2)
    ty = F.max_pool2d(F.conv2d(*theirs, padding=(1, 0)).relu(), 2)
    [dy] = drawn(y.shape, seed=1)
    assert y.node.name == "max_pool2d"
    y.backward(dy)
    ty.backward(torch.tensor(dy))
    for one, other in zip(ours, theirs, strict=True):
        assert np.allclose(one.grad, other.grad, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("needed", [True, False])
def test_the_gradient_of_data_is_computed_where_it_is_asked_for_only(needed):
    asked = []

    def vjp(dy, x, W, *, needs_dx=True):
        asked.append(needs_dx)
        return linear_backward(dy, x, W, needs_dx=needs_dx)
    x, W = drawn((2, 3), (4, 3))
    x, W = Variable(x, requires_grad=needed), Variable(W, requires_grad=True)
    with_vjp(linear, vjp)(x, W).sum().backward()
    assert asked == [needed] and (x.grad is not None) is needed and W.grad is not None
    x.zero_grad()
    with_vjp(linear, lambda dy, x, W: linear_backward(dy, x, W))(x, W).sum().backward()
    assert (x.grad is not None) is needed                   # computed all the same, and not kept


def test_a_vjp_that_returns_too_little_is_noticed():
    with pytest.raises(ValueError, match="zip"):
        with_vjp(linear, lambda dy, x, W: dy)(*leaves(*drawn((2, 3), (4, 3)))).sum().backward()


def test_a_pair_notices_a_change_and_refuses_a_second_pass():
    x, W = leaves(*drawn((1, 1, 3, 3), (1, 1, 2, 2)))
    y = CONV(x, W).sum()
    [g] = grad(y, [W], create_graph=True)
    with pytest.raises(RuntimeError, match="conv2d: its VJP works on arrays"):
        (g * g).sum().backward()
    y = CONV(x, W).sum()
    W.value += 1.0
    with pytest.raises(RuntimeError, match="conv2d: its VJP reads"):
        y.backward()
    b = Variable(np.zeros(1), requires_grad=True)       # conv2d_backward does not read b
    y = CONV(x, W, b).sum()
    b.value += 1.0
    y.backward()
    assert b.grad == 4


# --- checkpoints and memory -----------------------------------------------------------------------

def chain(x, *weights):
    for W in weights:
        x = (x @ W).tanh()
    return x


def test_a_checkpoint_changes_no_gradient_keeps_its_inputs_and_computes_twice():
    x, *weights = leaves(*drawn((5, 3), (3, 3), (3, 3), (3, 3)))
    calls = []

    def counted(*given):
        calls.append(len(given))
        return chain(*given)
    plain = grad((chain(x, *weights)**2).sum(), [x, *weights])
    y = checkpoint(counted, x, *weights)
    assert calls == [4] and kept_bytes(y) == 5 * 3 * 8 and kept_bytes(chain(x, *weights)) == 6 * 5 * 3 * 8
    for one, other in zip(plain, grad((y**2).sum(), [x, *weights]), strict=True):
        assert np.array_equal(one.value, other.value)
    assert calls == [4, 4]


def test_a_checkpoint_serves_data_notices_changes_and_refuses_a_second_pass():
    x, W = drawn((5, 3), (3, 3))
    data, x, W = x, Variable(x), Variable(W, requires_grad=True)
    y = checkpoint(chain, x, W).sum()
    assert checkpoint(chain, data, W).sum().value == y.value
    y.backward()
    assert x.grad is None and np.allclose(W.grad, grad(chain(x, W).sum(), [W])[0].value)
    y = checkpoint(chain, x, W).sum()
    [g] = grad(y, [W], create_graph=True)
    with pytest.raises(RuntimeError, match="checkpoint: .*not two"):
        g.sum().backward()
    y = checkpoint(chain, x, W).sum()
    W.value *= 2.0
    with pytest.raises(RuntimeError, match="checkpoint: its VJP reads"):
        y.backward()


def test_bytes_that_are_counted_are_allocated_and_freed():
    x, W = drawn((2000, 10), (10, 10))
    W = Variable(W, requires_grad=True)
    y, after, most = allocated_bytes(lambda: chain(x, W, W, W))
    assert kept_bytes(y) == 6 * 160000 <= after <= most < 1.02 * kept_bytes(y)
    assert kept_bytes(y.reshape(100, 200)) == kept_bytes(y)             # a view of the same memory
    assert kept_bytes(W) == 0 and kept_bytes(W.T) == 0
    with no_grad():
        y, after, most = allocated_bytes(lambda: chain(x, W, W, W))
    assert kept_bytes(y) == 0 and 160000 <= after < 165000 and most < 3.1 * 160000
    _, after, _ = allocated_bytes(lambda: chain(x, W, W, W).sum().backward())
    assert after < 30000                                                # without waiting for gc


def test_what_was_allocated_before_does_not_count():
    tracemalloc.start()
    held = np.ones(100000)
    _, after, most = allocated_bytes(lambda: None)
    assert max(after, most) < 10000 < held.nbytes


def test_torch_keeps_half_of_it_for_it_drops_what_no_vjp_reads():
    x, *weights = drawn((5, 3), *[(3, 3)] * 4)
    saved = {}
    tx, tW = torch.tensor(x), [torch.tensor(W, requires_grad=True) for W in weights]
    with torch.autograd.graph.saved_tensors_hooks(
            lambda a: saved.update({a.data_ptr(): a.numel() * 8}) or a, lambda a: a):
        ty = chain(tx, *tW)
    kept = sum(size for place, size in saved.items() if place not in {a.data_ptr() for a in (tx, *tW)})
    assert 2 * kept == kept_bytes(chain(x, *leaves(*weights))) and ty.requires_grad


# --- second derivatives ---------------------------------------------------------------------------

def cost(W1, W2):
    X, T = drawn((6, 3), (6, 2), seed=3)
    return (((X @ W1).tanh() @ W2 - T)**2).sum()


def whole_hessian(arrays):
    sizes = np.cumsum([array.size for array in arrays])[:-1]

    def flat(w):
        parts = torch.tensor_split(w, sizes.tolist())
        X, T = map(torch.tensor, drawn((6, 3), (6, 2), seed=3))
        W1, W2 = (part.reshape(array.shape) for part, array in zip(parts, arrays, strict=True))
        return (((X @ W1).tanh() @ W2 - T)**2).sum()
    return torch.func.hessian(flat)(torch.tensor(np.concatenate([a.ravel() for a in arrays]))).numpy()


def test_the_hessian_times_a_vector_and_its_largest_eigenvalue_are_torchs():
    arrays = drawn((3, 4), (4, 2))
    p, v, H = leaves(*arrays), drawn((3, 4), (4, 2), seed=5), whole_hessian(arrays)
    g = grad(cost(*p), p, create_graph=True)
    Hv = np.concatenate([part.ravel() for part in hessian_vector_product(g, p, v)])
    assert np.allclose(Hv, H @ np.concatenate([part.ravel() for part in v]), rtol=1e-11)
    lam, _ = largest_eigenvalue(g, p, v, 300)
    assert np.isclose(lam, np.linalg.eigvalsh(H)[-1], rtol=1e-9)
    early, further = largest_eigenvalue(g, p, v, 3)
    assert early < lam
    assert np.isclose(largest_eigenvalue(g, p, further, 4)[0], largest_eigenvalue(g, p, v, 7)[0], rtol=1e-12)
    with pytest.raises(ValueError, match=r"v\[1\]: got shape"):
        hessian_vector_product(g, p, [v[0], v[0]])
    with pytest.raises(ValueError, match="zip"):
        hessian_vector_product(g, p, v[:1])
    with pytest.raises(ValueError, match="steps: got 0"):
        largest_eigenvalue(g, p, v, 0)


def descended(weights, steps):
    """Where gradient descent goes from these weights."""
    for _ in range(steps):
        p = leaves(*weights)
        weights = [W - 0.002 * g.value for W, g in zip(weights, grad(cost(*p), p), strict=True)]
    return weights


def test_curvature_in_training_is_that_of_descent():
    arrays = drawn((3, 4), (4, 2))
    lam, costs = curvature_in_training(cost, arrays, 0.002, steps=5, rng=np.random.default_rng(0), every=2)
    assert len(lam) == 3 and (np.diff(costs) < 0).all()
    assert np.allclose(costs, [cost(*leaves(*descended(arrays, k))).value for k in range(5)], rtol=1e-12)
    known = [np.linalg.eigvalsh(whole_hessian(descended(arrays, k)))[-1] for k in (0, 2, 4)]
    assert np.allclose(lam, known, rtol=2e-2)


def test_curvature_in_training_goes_on_from_where_it_was(monkeypatch):
    arrays, rng, asked = drawn((3, 4), (4, 2)), np.random.default_rng(0), []
    with monkeypatch.context() as patch:
        patch.setattr(curvature, "largest_eigenvalue", lambda g, p, v, steps: (asked.append(steps), v))
        curvature_in_training(cost, arrays, 0.002, steps=41, rng=np.random.default_rng(0))
    assert asked == [30, 8, 8]
    lam, _ = curvature_in_training(cost, arrays, 0.002, steps=21, rng=np.random.default_rng(0))
    v, found = [rng.normal(size=W.shape) for W in arrays], []
    for products, weights in (30, arrays), (8, descended(arrays, 20)):
        p = leaves(*weights)
        one, v = largest_eigenvalue(grad(cost(*p), p, create_graph=True), p, v, products)
        found.append(one)
    assert len(lam) == 2 and np.allclose(lam, found, rtol=1e-10)
    assert len(curvature_in_training(cost, arrays, 0.002, steps=1, rng=rng)[0]) == 1
    for wrong in ({"steps": 0, "rng": rng}, {"steps": 1, "rng": 1}):
        with pytest.raises(ValueError, match="steps: got 0|rng: got 1"):
            curvature_in_training(cost, arrays, 0.1, **wrong)
