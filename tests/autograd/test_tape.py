"""The tape: values, gradients and second derivatives are torch's; what would be wrong is refused in words."""
import numpy as np
import pytest
import torch

from helpers.autograd import Variable, grad, ordered
from helpers.autograd.rules import RULES
from helpers.autograd.sweep import sweep
from helpers.nn import no_grad
from helpers.nn.memory import enable_grad

CLOSE = {"rtol": 1e-12, "atol": 1e-13}
RNG = np.random.default_rng(0)
A, B, ROW, COLUMN, TENSOR = (RNG.normal(size=shape) for shape in ((3, 4), (3, 4), (4,), (3, 1), (2, 3, 4)))
SQUARE, POSITIVE = RNG.normal(size=(4, 5)), np.abs(RNG.normal(size=(3, 4))) + 0.5

# Each works on Variables and on tensors; what it is called with.
FORMULAS = {
    "add": (lambda a, b: a + b, A, ROW), "add, both broadcast": (lambda a, b: a + b, COLUMN, ROW),
    "add a constant": (lambda a: 2 + a, A), "subtract": (lambda a, b: a - b, ROW, TENSOR),
    "constant minus": (lambda a: 2 - a, A), "multiply": (lambda a, b: a * b, COLUMN, A),
    "the same twice": (lambda a: a * a + a, A), "divide": (lambda a, b: a / b, A, POSITIVE),
    "divide a constant": (lambda a: 3 / a, POSITIVE), "divide by a column": (lambda a, b: a / b, A, COLUMN),
    "negate": (lambda a: -a, A), "power": (lambda a: a**3, A), "root": (lambda a: a**-0.5, POSITIVE),
    "matmul": (lambda a, b: a @ b, A, SQUARE), "transpose": (lambda a, b: a.T @ b, A, B),
    "exp": (lambda a: a.exp(), A), "log": (lambda a: a.log(), POSITIVE), "tanh": (lambda a: a.tanh(), A),
    "relu": (lambda a: (a * a.relu()), A), "sum": (lambda a: a.sum() * a, A),
    "sum of an axis": (lambda a: a.sum(1) * a.sum(-2), TENSOR[:, :, :2].repeat(2, 2)[:, :, :2][:, :2]),
    "sum of two axes": (lambda a: a.sum((0, 2)) * 2, TENSOR),
    "sum kept": (lambda a: a / (a**2).sum(1, True), A), "reshape": (lambda a: a.reshape(2, 6) ** 2, A),
    "reshape to a tuple": (lambda a: a.reshape((6, 2)).T ** 2, A),
    "broadcast_to": (lambda a: a.broadcast_to((2, 3, 4)) ** 2, COLUMN),
    "a net": (lambda a, b: ((a @ b).tanh() * (a.sum() + b.relu().sum()).exp().log())**2, A, SQUARE),
}


def both(name, dtype=np.float64):
    """The formula, the same arrays as leaves of our tape and of torch's."""
    formula, *arrays = FORMULAS[name]
    arrays = [array.astype(dtype) for array in arrays]
    return (formula, [Variable(array, requires_grad=True) for array in arrays],
            [torch.tensor(array, requires_grad=True) for array in arrays])


def upstream(y):
    return np.random.default_rng(1).normal(size=y.shape).astype(y.value.dtype)


@pytest.mark.parametrize("name", FORMULAS)
def test_values_gradients_and_second_derivatives_are_torchs(name):
    formula, ours, theirs = both(name)
    y, ty = formula(*ours), formula(*theirs)
    dy = upstream(y)
    assert np.allclose(y.value, ty.detach(), **CLOSE)
    g = grad(y, ours, dy, create_graph=True)
    tg = torch.autograd.grad(ty, theirs, torch.tensor(dy), create_graph=True)
    for one, other in zip(g, tg, strict=True):
        assert np.allclose(one.value, other.detach(), **CLOSE) and one.shape == tuple(other.shape)
    dot, tdot = (sum((one * one * (k + 2)).sum() for k, one in enumerate(those)) for those in (g, tg))
    if dot.requires_grad:
        second = sweep(dot, wrt=ours)
        known = torch.autograd.grad(tdot, theirs, allow_unused=True)
        for leaf, other in zip(ours, known, strict=True):
            mine = second[leaf].value if leaf in second else 0
            assert np.allclose(mine, 0 if other is None else other, rtol=1e-11, atol=1e-11)


def test_every_rule_has_a_formula():
    seen = set()
    for name in FORMULAS:
        formula, ours, _ = both(name)
        seen |= {v.node.name for v in ordered(formula(*ours)) if v.node}
    assert seen == set(RULES)


@pytest.mark.parametrize("name", ["a net", "add a constant", "relu", "sum kept"])
def test_single_precision_stays(name):
    formula, ours, _ = both(name, np.float32)
    y = formula(*ours)
    dtypes = [y.value.dtype, *(g.value.dtype for g in grad(y, ours, upstream(y)))]
    assert set(dtypes) == {np.dtype(np.float32)}


def test_relu_is_torchs_at_the_kink_and_at_nan():
    values = np.array([-1.0, 0.0, -0.0, 2.0, np.nan])
    x, t = Variable(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    x.relu().backward(np.ones(5))
    t.relu().backward(torch.ones(5, dtype=t.dtype))
    assert np.array_equal(x.grad, t.grad.numpy())


@pytest.mark.parametrize("reads, formula, survives", [
    ("first", lambda a, b: a * b, False), ("second", lambda a, b: b * a, False),
    ("divisor", lambda a, b: b / a, False),
    ("sum", lambda a, b: a + b, True), ("difference", lambda a, b: b - a, True),
    ("minus", lambda a, b: -a + b, True), ("power", lambda a, b: a**2 + b, False),
    ("product", lambda a, b: a @ b.T, False), ("right", lambda a, b: b.T @ a, False),
    ("log", lambda a, b: a.log() + b, False), ("input of exp", lambda a, b: a.exp() + b, True),
    ("input of tanh", lambda a, b: a.tanh() + b, True), ("input of relu", lambda a, b: a.relu() + b, True),
    ("sums", lambda a, b: a.sum(0) + b.T.sum() + a.reshape(2, 2).broadcast_to((3, 2, 2)), True)])
def test_a_change_of_what_a_vjp_reads_is_noticed_and_no_other(reads, formula, survives):
    """As torch judges the same change."""
    start = [np.array([[1.0, 2], [3, 4]]), np.array([[2.0, 1], [1, 5]])]
    a, b = (Variable(array.copy(), requires_grad=True) for array in start)
    ta, tb = (torch.tensor(array, requires_grad=True) for array in start)
    y, ty = formula(a, b), formula(ta, tb)
    a.value += 1.0
    with torch.no_grad():
        ta.add_(1.0)
    assert a.version == 1 == ta._version
    if survives:
        y.backward(np.ones(y.shape))
        ty.backward(torch.ones_like(ty))
        assert np.allclose(a.grad, ta.grad)
    else:
        with pytest.raises(RuntimeError, match=r"has been changed since, from version 0 to 1"):
            y.backward(np.ones(y.shape))
        with pytest.raises(RuntimeError, match="inplace"):
            ty.backward(torch.ones_like(ty))


@pytest.mark.parametrize("formula", [
    lambda a: a.exp(), lambda a: a.tanh(), lambda a: a.relu(), lambda a: 2 / a])
def test_an_output_that_its_vjp_reads_is_guarded_too(formula):
    a = Variable(1.0, requires_grad=True)
    y = formula(a)
    y.value = y.value + 1
    with pytest.raises(RuntimeError, match="changed since"):
        (y + 1).backward()


def test_gradients_accumulate_in_leaves_until_zero_grad_and_a_kept_one_stays():
    a, b = Variable(2.0, requires_grad=True), Variable(3.0)
    y = a * b
    (y + y).backward()
    once = a.grad
    assert (once, b.grad, y.grad) == (6, None, None) and not b.requires_grad
    (a * b).backward()
    assert (once, a.grad) == (6, 9)
    a.zero_grad()
    assert a.grad is None


def test_a_graph_is_released_unless_it_is_retained():
    a = Variable(2.0, requires_grad=True)
    shared = a * a
    y, z = shared * 1.0, shared * 2.0
    y.backward(retain_graph=True)
    y.backward()
    assert a.grad == 8 and y.node.parents == () == shared.node.saved
    for again in (y, z):
        with pytest.raises(RuntimeError, match="released .*retain_graph=True"):
            again.backward()
    w = a * 3.0
    grad(w, [a], create_graph=True)
    w.backward()                # what create_graph used is not released


def test_no_grad_records_nothing_and_enable_grad_does():
    a = Variable(2.0, requires_grad=True)
    with no_grad():
        inside = a * 2.0
        with enable_grad():
            again = a * 2.0
        assert (a * 2.0).is_leaf
    assert inside.is_leaf and not inside.requires_grad and again.requires_grad and not again.is_leaf
    assert (a * 2.0).requires_grad and not (Variable(1.0) * 2.0).requires_grad
    with pytest.raises(RuntimeError, match="no input requires a gradient"):
        inside.backward()


def test_the_gradients_of_one_pass_are_not_on_the_tape_and_those_of_two_are():
    a = Variable(2.0, requires_grad=True)
    [once] = grad(a**3, [a])
    [twice] = grad(a**3, [a], create_graph=True)
    assert once.is_leaf and not once.requires_grad and twice.requires_grad
    assert grad(twice, [a])[0].value == 12 and a.grad is None


def test_detach_shares_array_and_version_and_nothing_else():
    a = Variable(3.0, requires_grad=True)
    y = a * a
    apart = y.detach()
    assert apart.value is y.value and apart.is_leaf and not apart.requires_grad
    (a * apart).backward()
    assert a.grad == 9
    z = a * y
    apart.value = apart.value + 1
    assert y.value == 10 and y.version == 1
    with pytest.raises(RuntimeError, match="multiply.*changed since"):
        z.backward()


def test_the_order_holds_each_behind_its_inputs_once_and_is_deep():
    a = Variable(1.0, requires_grad=True)
    u = a * a
    z = u + a
    y = u * z
    assert ordered(y) in ([a, u, z, y],) and ordered(Variable(1.0)) == []
    x = a
    for _ in range(5000):
        x = x + x * 1e-9
    x.backward()
    assert np.isclose(a.grad, (1 + 1e-9)**5000)


def test_gradients_of_values_in_between_and_of_leaves_alone():
    a = Variable(2.0, requires_grad=True)
    u = a * a
    y = u * 3.0
    found = sweep(y, retain_graph=True)
    assert set(found) == {a}
    du, da, dy = grad(y, [u, a, y], 2.0)
    assert (du.value, da.value, dy.value) == (6, 24, 2)
    y = a * 3.0
    sweep(y)
    with pytest.raises(RuntimeError, match="released"):
        sweep(y)


@pytest.mark.parametrize("act, said", [
    (lambda a: Variable([1, 2]), "value: got list, expected a number or an array of floats"),
    (lambda a: Variable(np.arange(3)), "value: got int64 of shape"),
    (lambda a: Variable(True), "value: got bool"),
    (lambda a: Variable(1.0, requires_grad=1), "requires_grad: got 1, expected True or False"),
    (lambda a: a + np.ones(3), r"add: got shapes \(2, 2\) and \(3,\)"),
    (lambda a: a @ np.ones(2), "matmul: .*expected two matrices"), (lambda a: a**a, "n: got Variable"),
    (lambda a: a.reshape(3), r"reshape: got shapes \(2, 2\)"),
    (lambda a: a.backward(), r"dy: got none for an output of shape \(2, 2\)"),
    (lambda a: (a * 1.0).backward(np.ones(2)), r"dy: got shape \(2,\), expected \(2, 2\)"),
    (lambda a: grad(a.sum(), [a, Variable(1.0)]), r"wrt: got at place 1 a Variable \(\)"),
    (lambda a: setattr(a, "value", np.ones(3)), "value: got float64 of shape")])
def test_what_is_no_question_is_refused(act, said):
    with pytest.raises(ValueError, match=said):
        act(Variable(np.ones((2, 2)), requires_grad=True))


def test_a_variable_says_what_it_is():
    a = Variable(np.ones((2, 3)), requires_grad=True)
    assert repr(a) == "Variable(2, 3), leaf, requires a gradient"
    assert repr(a.tanh()) == "Variable(2, 3), from tanh, requires a gradient" and repr(Variable(1.0)) == (
        "Variable(), leaf")
