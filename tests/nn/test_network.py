"""Layers with memory against torch.nn: twins in loss and gradients, order of calls, names, refusals."""
import copy
import inspect
import textwrap

import numpy as np
import pytest
import torch
from checks import CLOSE, frozen, refused, rng, search
from hypothesis import given
from hypothesis import strategies as st

from helpers.functional._batch_last import batch_last
from helpers.functional.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from helpers.nn import modules
from helpers.nn.layer import Layer, Parameter, Sequential
from helpers.nn.modules import (
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Buffer,
    Conv2d,
    Flatten,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Tanh,
    no_grad,
)

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")
nn = torch.nn
KINDS = {np.float32: torch.float32, np.float64: torch.float64}


@pytest.fixture(autouse=True)
def a_seed_for_torch():
    torch.manual_seed(0)


def learning(dtype=np.float64):
    """What Linear and Conv2d must be told."""
    return {"rng": rng(), "dtype": dtype}


def relative(ours, theirs):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    return np.linalg.norm(ours - theirs) / max(np.linalg.norm(theirs), 1e-300)


def gradients(net):
    return {name: parameter.grad for name, parameter in net.named_parameters()}


# --- each layer with its twin ----------------------------------------------------------------

class TorchResidual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def both(name, *args, dtype=np.float64, **options):
    """Our layer, and torch's, of the same name and the same arguments."""
    if name in ("Sequential", "Residual"):
        ours, theirs = zip(*(both(*layer, dtype=dtype) for layer in args), strict=True)
        return getattr(modules, name)(*ours), {"Residual": TorchResidual}.get(name, nn.Sequential)(*theirs)
    known = inspect.signature(getattr(modules, name)).parameters
    more = {key: value for key, value in {"rng": rng(), "dtype": dtype}.items() if key in known}
    twin = getattr(nn, name)(*args, **options).to(KINDS[dtype])
    return getattr(modules, name)(*args, **options, **more), twin


PAIRS = {   # name and arguments, options, the shape of x
    "Linear": (("Linear", 4, 3), {}, (5, 4)),
    "Linear, more axes": (("Linear", 4, 3), {}, (2, 5, 4)),
    "Linear, no bias": (("Linear", 4, 3, False), {}, (5, 4)),
    "Conv2d": (("Conv2d", 2, 3, (3, 2)), {}, (2, 2, 6, 5)),
    "Conv2d, options": (("Conv2d", 4, 6, 3, 2, (1, 2), 2, 2), {}, (2, 4, 9, 8)),
    "Conv2d, same": (("Conv2d", 2, 3, 3), {"padding": "same", "bias": False}, (2, 2, 6, 5)),
    "MaxPool2d": (("MaxPool2d", 2), {}, (2, 3, 7, 6)),
    "MaxPool2d, options": (("MaxPool2d", (3, 2), 2, 1, (1, 2)), {"ceil_mode": True}, (2, 3, 8, 7)),
    "AvgPool2d": (("AvgPool2d", 2, None, 1), {}, (2, 3, 7, 6)),
    "AvgPool2d, options": (("AvgPool2d", 3, 2, 1, True, False), {}, (2, 3, 8, 7)),
    "BatchNorm1d": (("BatchNorm1d", 4), {}, (5, 4)),
    "BatchNorm1d, options": (("BatchNorm1d", 4, 0.1, 0.3, False), {}, (3, 4, 5)),
    "BatchNorm2d": (("BatchNorm2d", 3), {}, (2, 3, 5, 4)),
    "BatchNorm2d, options": (("BatchNorm2d", 3, 0.1), {"track_running_stats": False}, (2, 3, 5, 4)),
    "Flatten": (("Flatten",), {}, (2, 3, 4, 5)),
    "Flatten, flat": (("Flatten",), {}, (2, 3)),
    "Sigmoid": (("Sigmoid",), {}, (5, 4)),
    "Tanh": (("Tanh",), {}, (2, 3, 4)),
    "ReLU": (("ReLU",), {}, (5, 4)),
    "LeakyReLU": (("LeakyReLU",), {}, (5, 4)),
    "LeakyReLU, option": (("LeakyReLU", 0.3), {}, (5, 4)),
    "ELU": (("ELU",), {}, (5, 4)),
    "ELU, option": (("ELU",), {"alpha": 2.5}, (5, 4)),
}


def pair(name, dtype=np.float64):
    """Our layer, torch's with the same numbers, and an x."""
    layer, options, shape = PAIRS[name]
    ours, theirs = both(*layer, dtype=dtype, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, frozen(rng(), shape, dtype)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", PAIRS)
def test_a_layer_is_its_twin(name, dtype):
    layer, twin, x = pair(name, dtype)
    assert list(layer.state_dict()) == list(twin.state_dict())
    for seed in range(2):     # the second time: gradients have been added to
        x = frozen(rng(seed), x.shape, dtype)
        leaf = torch.tensor(x, requires_grad=True)
        y, truth = layer(x), twin(leaf)
        dy = frozen(rng(seed + 9), y.shape, dtype)
        truth.backward(torch.tensor(dy))
        limit = CLOSE[np.dtype(dtype)]
        assert relative(y, truth) < limit and relative(layer.backward(dy), leaf.grad) < limit
        for parameter, tensor in zip(layer.parameters(), twin.parameters(), strict=True):
            assert relative(parameter.grad, tensor.grad) < limit


@pytest.mark.parametrize("name", PAIRS)
def test_without_dx(name):
    (one, _, x), (other, *_) = pair(name), pair(name)
    other.load_state_dict(one.state_dict())
    dy = frozen(rng(1), one(x).shape)
    other(x)
    assert one.backward(dy, needs_dx=False) is None and other.backward(dy) is not None
    for key, gradient in gradients(one).items():
        np.testing.assert_array_equal(gradient, gradients(other)[key])


# --- a network with its twin -----------------------------------------------------------------

NETS = {   # the layers, the shape of a sample
    "small": ([("Conv2d", 1, 4, 3, 1, 1), ("ReLU",), ("MaxPool2d", 2), ("Flatten",), ("Linear", 48, 5)],
              (1, 8, 7)),
    "deep": ([("Conv2d", 2, 4, 3, 2, 1), ("Tanh",),
              ("Sequential", ("Conv2d", 4, 6, 2, 1, 0, 1, 2), ("ELU", 0.5)), ("AvgPool2d", 2), ("Flatten",),
              ("Linear", 12, 7), ("Sigmoid",), ("Linear", 7, 6, False), ("LeakyReLU", 0.1),
              ("Linear", 6, 5)], (2, 11, 6)),
    "normed": ([("Conv2d", 2, 4, 3, 1, 1), ("BatchNorm2d", 4, 0.1), ("ReLU",),
                ("Residual", ("Conv2d", 4, 4, 3, 1, 1, 1, 1, False), ("BatchNorm2d", 4), ("Tanh",),
                 ("Residual", ("Conv2d", 4, 4, 1))),
                ("AvgPool2d", 3), ("Flatten",), ("Linear", 16, 7), ("BatchNorm1d", 7, 1e-3, None),
                ("LeakyReLU", 0.1), ("Residual", ("Linear", 7, 7), ("BatchNorm1d", 7, 1e-5, 0.1, False)),
                ("Linear", 7, 5)], (2, 6, 6)),
}


def nets(name):
    return both("Sequential", *NETS[name][0])


def net_of(name):
    return nets(name)[0]


def steps(net, x, classes, eta, count=1):
    """The loss and all gradients of some steps of gradient descent."""
    for n in range(count):
        z = net(x[n])
        loss = softmax_cross_entropy(z, classes[n])
        net.zero_grad()
        net.backward(softmax_cross_entropy_backward(z, classes[n]), needs_dx=False)
        for parameter in net.parameters():
            parameter.value -= eta * parameter.grad
        yield loss, gradients(net)


def twin_steps(twin, x, classes, eta, count=1):
    step = torch.optim.SGD(twin.parameters(), lr=eta)
    for n in range(count):
        loss = nn.functional.cross_entropy(twin(torch.tensor(x[n])), torch.tensor(classes[n]))
        step.zero_grad()
        loss.backward()
        step.step()
        yield loss, {name: tensor.grad.clone() for name, tensor in twin.named_parameters()}


def same_state(net, twin, limit):
    ours, theirs = net.state_dict(), twin.state_dict()
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        assert value.dtype == theirs[name].numpy().dtype and value.shape == tuple(theirs[name].shape)
        np.testing.assert_allclose(value, theirs[name].numpy(), rtol=limit, atol=limit, err_msg=name)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("towards", ["ours", "theirs"])
def test_a_network_is_its_twin(name, towards):
    """Five steps of training, then one backward pass in use; the state goes over in both directions."""
    net, twin = nets(name)
    if towards == "ours":
        net.load_state_dict(twin.state_dict())
    else:
        twin.load_state_dict({name: torch.tensor(value) for name, value in net.state_dict().items()})
    same_state(net, twin, 0)
    x, classes = 1 + 2 * frozen(rng(), (5, 6, *NETS[name][1])), rng().integers(5, size=(5, 6))
    losses = []
    for (loss, ours), (true_loss, theirs) in zip(steps(net, x, classes, 0.2, 5),
                                                 twin_steps(twin, x, classes, 0.2, 5), strict=True):
        losses.append(loss)
        assert abs(loss - true_loss.item()) <= 1e-10 * abs(true_loss.item())
        for key in theirs:     # the bias before a batch norm is dead: its gradient is rounding
            np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-9, atol=1e-12)
    assert len(set(losses)) == 5
    same_state(net, twin, 1e-9)
    net.eval(), twin.eval()
    for values in x[:2]:
        leaf = torch.tensor(values, requires_grad=True)
        y, truth, dy = net(values), twin(leaf), frozen(rng(3), (6, 5))
        truth.backward(torch.tensor(dy))
        assert relative(y, truth) < 1e-9 and relative(net.backward(dy), leaf.grad) < 1e-9
    same_state(net, twin, 1e-9)      # use changes nothing


@search(max_examples=40)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.data())
def test_any_fully_connected_network(sizes, data):
    names = data.draw(st.lists(st.sampled_from(["Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU"]),
                               min_size=len(sizes), max_size=len(sizes)))
    dtype = data.draw(st.sampled_from(list(KINDS)))
    layers = [layer for i, o, name in zip(sizes, sizes[1:], names, strict=False)
              for layer in (("Linear", i, o), (name,))]
    net, twin = both("Sequential", *layers, dtype=dtype)
    twin.load_state_dict({name: torch.tensor(value) for name, value in net.state_dict().items()})
    x = frozen(rng(), (data.draw(st.integers(1, 4)), sizes[0]), dtype)
    leaf = torch.tensor(x, requires_grad=True)
    y, truth = net(x), twin(leaf)
    dy = frozen(rng(1), y.shape, dtype)
    truth.backward(torch.tensor(dy))
    dx, limit = net.backward(dy), CLOSE[np.dtype(dtype)]
    for ours, theirs in zip([y, dx, *gradients(net).values()],
                            [truth, leaf.grad, *(tensor.grad for tensor in twin.parameters())], strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=limit, atol=limit)


def test_small_images_go_through_with_their_batch_last_in_memory(monkeypatch):
    """From the first convolution to Flatten, and the gradient back; few or large images stay as they are."""
    def orders(shape):
        net = Sequential(Conv2d(2, 3, 3, padding=1, **learning()), ReLU(), MaxPool2d(2),
                         Conv2d(3, 4, 3, **learning()), BatchNorm2d(4), ReLU(), AvgPool2d(2))
        x, seen = frozen(rng(), shape), []
        for layer in net:
            x = layer(x)
            seen.append(x)
        dy = frozen(rng(1), x.shape)
        for layer in reversed(net):
            dy = layer.backward(dy)
            seen.append(dy)
        return [batch_last(a) for a in seen], [np.linalg.norm(a) for a in seen]

    assert all(orders((8, 2, 12, 16))[0][:-1])
    assert not any(orders((7, 2, 12, 16))[0])
    assert orders((8, 2, 16, 17))[0][:4] == [False, False, False, True]
    _, norms = orders((8, 2, 12, 16))
    monkeypatch.setattr("helpers.functional._batch_last.FEW", 9)
    order, others = orders((8, 2, 12, 16))
    assert not any(order)
    np.testing.assert_allclose(norms, others, rtol=1e-12)


# --- gradients add up, and nothing is overwritten --------------------------------------------

def test_gradients_add_up_until_they_are_forgotten():
    net, x, dy = net_of("small"), frozen(rng(), (3, 1, 8, 7)), frozen(rng(1), (3, 5))
    assert all(not gradient.any() for gradient in gradients(net).values())
    net(x)
    net.backward(dy)
    once = gradients(net)
    kept = {name: gradient.copy() for name, gradient in once.items()}
    net(x)
    net.backward(dy)
    for name, gradient in gradients(net).items():
        np.testing.assert_allclose(gradient, 2 * kept[name])
        np.testing.assert_array_equal(once[name], kept[name])     # who kept them still has the old ones
    net.zero_grad()
    for name, gradient in gradients(net).items():
        assert not gradient.any() and gradient.dtype == np.float64
        np.testing.assert_array_equal(once[name], kept[name])


def test_arrays_of_others_are_left_alone():
    """x, dy and what lies between cannot be written into, and nobody tries."""
    for name, (_, shape) in NETS.items():
        net, x = net_of(name), frozen(rng(), (3, *shape))
        for layer in net:
            x = layer(x)
            x.flags.writeable = False
        dy = frozen(rng(1), x.shape)
        for layer in reversed(net):
            dy = layer.backward(dy)
            dy.flags.writeable = False
        assert all(gradient.any() for gradient in gradients(net).values())


def test_layer_by_layer_is_the_same_as_at_once():
    net, x, dy = net_of("deep"), frozen(rng(), (3, 2, 11, 6)), frozen(rng(1), (3, 5))
    y = net(x)
    dx, whole = net.backward(dy), gradients(net)
    net.zero_grad()
    for layer in net:
        x = layer(x)
    for layer in reversed(net):
        dy = layer.backward(dy)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(dx, dy)
    for name, gradient in gradients(net).items():
        np.testing.assert_array_equal(gradient, whole[name])


class Watched(Layer):
    """Passes on what comes, and remembers what it was asked for."""

    def __init__(self, learns):
        self.asked, self.weight = [], Parameter(np.ones(2)) if learns else None

    def _forward(self, x):
        return x

    def _backward(self, dy, x, needs_dx):
        self.asked.append(needs_dx)
        return dy


@pytest.mark.parametrize("learns, asked, needed", [
    ([0, 0, 1, 0, 1], [[], [], [False], [True], [True]], False),     # nothing before the first that learns
    ([1, 0, 1], [[False], [True], [True]], False),
    ([0, 0], [[], []], False),
    ([0, 1, 0], [[True]] * 3, True),
])
def test_no_layer_works_for_a_dx_that_nobody_needs(learns, asked, needed):
    net, x = Sequential(*map(Watched, learns)), np.ones((3, 2))
    net(x)
    dx = net.backward(x, needs_dx=needed)
    assert [layer.asked for layer in net] == asked
    assert dx is x if needed else dx is None


def test_the_first_convolution_computes_no_dx(monkeypatch):
    asked = []

    def heard(*arrays, needs_dx, **options):
        asked.append(needs_dx)
        return modules.conv2d_backward(*arrays, needs_dx=needs_dx, **options)
    monkeypatch.setattr(Conv2d, "functions", (modules.conv2d, heard))
    net, x = net_of("small"), frozen(rng(), (3, 1, 8, 7))
    for needed in (False, True):
        net(x)
        net.backward(np.ones((3, 5)), needs_dx=needed)
    assert asked == [False, True]


# --- initialisation --------------------------------------------------------------------------

@pytest.mark.parametrize("ours, theirs, fan_in", [
    (lambda **k: Linear(50, 400, **k), lambda: nn.Linear(50, 400), 50),
    (lambda **k: Conv2d(4, 300, (3, 5), groups=2, **k), lambda: nn.Conv2d(4, 300, (3, 5), groups=2), 30),
])
@pytest.mark.parametrize("dtype", KINDS)
def test_weights_are_drawn_as_torch_draws_them(ours, theirs, fan_in, dtype):
    torch.manual_seed(0)
    layer, twin, bound = ours(**learning(dtype)), theirs(), 1 / np.sqrt(fan_in)
    for mine, yours in zip(layer.parameters(), (t.detach().numpy() for t in twin.parameters()), strict=True):
        mine = mine.value
        assert mine.dtype == dtype and mine.shape == yours.shape
        for drawn in (mine, yours):     # uniform: its bounds, its mean and its variance
            assert 0.97 * bound < np.abs(drawn).max() <= bound * (1 + 1e-6)
            assert abs(drawn.mean()) < 0.1 * bound and abs(drawn.var() * 3 / bound**2 - 1) < 0.15


def test_the_same_seed_gives_the_same_network():
    one, other, third = (
        Sequential(Conv2d(1, 4, 3, rng=generator), Linear(48, 5, rng=generator)).state_dict()
        for generator in map(rng, (1, 1, 2)))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert not any(np.array_equal(one[name], third[name]) for name in one)
    assert len({value.ravel()[0] for value in one.values()}) == len(one)     # no two of them begin alike


# --- names, copies, slices -------------------------------------------------------------------

def test_names_are_torch_s():
    names = [name for name, _ in net_of("small").named_parameters()]
    assert names == ["0.weight", "0.bias", "4.weight", "4.bias"]


def test_a_state_is_a_copy():
    net = net_of("small")
    state = net.state_dict()
    before = {name: value.copy() for name, value in state.items()}
    for parameter in net.parameters():
        parameter.value += 1
    assert all(np.array_equal(state[name], before[name]) for name in state)
    net.load_state_dict(state)
    for parameter in net.parameters():
        parameter.value -= 5
    assert all(np.array_equal(state[name], before[name]) for name in state)


def test_a_deep_copy_goes_its_own_way():
    net, x = net_of("small"), frozen(rng(), (3, 1, 8, 7))
    twin = copy.deepcopy(net)
    y = twin(x)
    next(net.parameters()).value += 1
    np.testing.assert_array_equal(twin(x), y)
    with pytest.raises(RuntimeError):
        net.backward(y)
    twin.backward(y)


def test_a_sequential_is_a_sequence():
    net, x = net_of("small"), frozen(rng(), (3, 1, 8, 7))
    assert len(net) == 5 and isinstance(net[1], ReLU) and net[-1] is net[4]
    assert list(net) == [net[i] for i in range(5)]
    assert isinstance(net[:3], Sequential) and net[:3][0] is net[0]
    np.testing.assert_array_equal(net[3:](net[:3](x)), net(x))
    assert len(Sequential()) == 0 and Sequential()(x) is x and list(Sequential().parameters()) == []
    assert [type(module).__name__ for module in Sequential(ReLU(), Sequential(Tanh())).modules()] == [
        "Sequential", "ReLU", "Sequential", "Tanh"]


def test_what_is_printed():
    text = repr(Sequential(Conv2d(1, 4, 3, padding=1, **learning()), ReLU(),
                           Sequential(Linear(4, 2, **learning()))))
    assert text == textwrap.dedent("""\
        Sequential(
          (0) Conv2d(weight (4, 1, 3, 3), bias (4,), stride=1, padding=1, dilation=1, groups=1)
          (1) ReLU()
          (2) Sequential(
            (0) Linear(weight (2, 4), bias (2,))
          )
        )""")


# --- layers of one's own ---------------------------------------------------------------------

class Added(Layer):
    def __init__(self, inner):
        self.inner = inner

    def _forward(self, x):
        return x + self.inner(x)

    def _backward(self, dy, x, needs_dx):
        return dy + self.inner.backward(dy)


def test_a_residual_block_as_the_docstring_says():
    own, block = (make(Linear(4, 4, **learning()), Tanh())
                  for make in (lambda *layers: Added(Sequential(*layers)), Residual))
    x, dy = frozen(rng(), (5, 4)), frozen(rng(1), (5, 4))
    np.testing.assert_array_equal(own(x), block(x))
    np.testing.assert_array_equal(own.backward(dy), block.backward(dy))
    assert list(gradients(own)) == ["inner.0.weight", "inner.0.bias"]
    for one, other in zip(own.parameters(), block.parameters(), strict=True):
        np.testing.assert_array_equal(one.grad, other.grad)


def test_the_layer_in_the_docstring_works():
    words = inspect.cleandoc(Layer.__doc__)          # from Python 3.13 on it has no indentation of its own
    lines = textwrap.dedent(words.split("two methods:\n\n")[1].split("\n\nA residual")[0])
    space = {"Layer": Layer, "Parameter": Parameter, "np": np}
    exec(lines, space)
    net = Sequential(space["Scale"](), Linear(3, 2, **learning()))
    x, dy = frozen(rng(), (5, 3)), frozen(rng(1), (5, 2))
    net[0].g.value = np.array([2.5])
    y = net(x)
    dx = net.backward(dy)
    W = net[1].weight.value
    np.testing.assert_allclose(y, 2.5 * x @ W.T + net[1].bias.value)
    np.testing.assert_allclose(dx, 2.5 * dy @ W)
    np.testing.assert_allclose(gradients(net)["0.g"], [(dy @ W * x).sum()])


# --- batch norm, residual blocks, train and eval ----------------------------------------------

def test_train_and_eval_reach_every_layer():
    net = net_of("normed")
    assert all(module.training for module in net.modules())
    assert net.eval() is net and not any(module.training for module in net.modules())
    assert net.train() is net and all(module.training for module in net.modules())
    net[3].train(False)
    assert [module.training for module in net[3].modules()] == [False] * 6 and net[1].training
    assert refused(lambda: net.train(1), "").startswith("mode: got 1, expected True or False")


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
def test_running_statistics_of_a_layer(momentum):
    layer, twin = BatchNorm1d(3, momentum=momentum), nn.BatchNorm1d(3, momentum=momentum).double()
    for k in range(5):
        x = k + frozen(rng(k), (4, 3, 2))
        layer(x), twin(torch.tensor(x))
        same_state(layer, twin, 1e-13)
    with no_grad(), torch.no_grad():      # as in torch, training statistics are gathered there too
        layer(x), twin(torch.tensor(x))
    same_state(layer, twin, 1e-13)


def test_without_running_statistics_the_batch_is_used_after_eval():
    layer, x = BatchNorm1d(3, track_running_stats=False).eval(), frozen(rng(), (4, 3))
    twin = nn.BatchNorm1d(3, track_running_stats=False).double().eval()
    assert relative(layer(x), twin(torch.tensor(x))) < 1e-12
    assert list(layer.state_dict()) == ["weight", "bias"] == list(twin.state_dict())


def test_a_part_of_a_residual_block_has_no_identity():
    block, x = Residual(Linear(4, 4, **learning()), Tanh()), frozen(rng(), (5, 4))
    np.testing.assert_array_equal(block(x), x + block[:](x))
    assert type(block[:]) is Sequential and list(block.state_dict()) == ["0.weight", "0.bias"]
    block.forget()
    block(x)
    assert block.backward(x, needs_dx=False) is None


@pytest.mark.parametrize("layers, made", [
    ((Linear(4, 3, rng=rng()),), "float64 of shape (5, 3)"),
    ((Linear(4, 1, rng=rng()),), "float64 of shape (5, 1)")])
def test_a_block_that_changes_the_shape_is_refused(layers, made):
    """Also a shape that NumPy would broadcast."""
    block, x = Residual(*layers), frozen(rng(), (5, 4))
    said = refused(lambda: block(x), "x: got float64 of shape (5, 4), of which the layers in Residual make ")
    assert f"{made}; expected the same" in said
    with pytest.raises(RuntimeError, match="called before"):
        block.backward(x)


@pytest.mark.parametrize("call, start", [
    (lambda: BatchNorm1d(0), "num_features: got 0, expected an integer of at least 1"),
    (lambda: BatchNorm1d(3, dtype=int), "dtype: got <class 'int'>, expected np.float32 or np.float64"),
    (lambda: BatchNorm1d(3)(np.ones((5, 4))), "x: got shape (5, 4), expected 3 channels, the num_features"),
    (lambda: BatchNorm1d(3)(np.ones((5, 3, 2, 2))), "x: got shape (5, 3, 2, 2), expected (N, C) or (N, C"),
    (lambda: BatchNorm2d(3)(np.ones((5, 3))), "x: got shape (5, 3), expected (N, C, H, W)"),
    (lambda: BatchNorm1d(3)(np.ones((1, 3))), "x: got shape (1, 3), expected more than one value in each"),
    (lambda: BatchNorm1d(3, eps=0)(np.ones((5, 3))), "eps: got 0, expected a number above 0"),
    (lambda: BatchNorm1d(3, momentum=2)(np.ones((5, 3))), "momentum: got 2, expected a number of at least 0"),
    (lambda: BatchNorm1d(3)(np.ones((5, 3), np.float32)), "x is float32, running_mean is float64"),
    (lambda: Buffer([0.0]), "value: got list, expected an array"),
])
def test_sentences_of_the_norm_layers(call, start):
    assert refused(call, "").startswith(start)


# --- to which input a gradient belongs -------------------------------------------------------

def gradients_of(net, x, dy):
    """What torch-like code expects: dx, and the gradients of x alone."""
    fresh = copy.deepcopy(net)
    fresh.forget(), fresh.zero_grad()
    fresh(x)
    return [fresh.backward(dy), *gradients(fresh).values()]


def look_in_eval(net, x):
    net.eval()
    net(x)
    net.train()


def look_in_no_grad(net, x):
    with no_grad():
        net(x)


@pytest.mark.parametrize("look", [look_in_eval, look_in_no_grad])
@pytest.mark.parametrize("rows", [6, 9])
def test_a_look_between_forward_and_backward_does_no_harm(look, rows):
    """The same shape or another; BatchNorm in no_grad() gathers, in eval() it does not, both as in torch."""
    net, dy = net_of("normed"), frozen(rng(2), (6, 5))
    x, other = frozen(rng(), (6, 2, 6, 6)), frozen(rng(1), (rows, 2, 6, 6))
    truth = gradients_of(net, x, dy)
    net(x)
    look(net, other)
    for ours, right in zip([net.backward(dy), *gradients(net).values()], truth, strict=True):
        np.testing.assert_array_equal(ours, right)


def test_a_call_of_the_same_shape_between_is_refused():
    """Before this check the second input met the first upstream gradient, silently."""
    net, dy = net_of("deep"), frozen(rng(2), (3, 5))
    x, other = frozen(rng(), (3, 2, 11, 6)), frozen(rng(1), (3, 2, 11, 6))
    for between in ([other], [frozen(rng(3), (4, 2, 11, 6)), other], [other, other]):
        net(x)
        for values in between:
            net(values)
        with pytest.raises(RuntimeError, match=r"^Linear\.backward: the layer was called with different"):
            net.backward(dy)
        assert not any(gradient.any() for gradient in gradients(net).values())
        net(x)                      # a fresh start is enough
        ours = [net.backward(dy), *gradients(net).values()]
        for our, right in zip(ours, gradients_of(net, x, dy), strict=True):
            np.testing.assert_array_equal(our, right)
        net.zero_grad()


def test_a_layer_of_one_s_own_starts_afresh_too():
    """Its doubt is heard before that of the layers inside, which must forget with it."""
    net, dy = Added(Sequential(Linear(4, 4, **learning()), Tanh())), frozen(rng(2), (5, 4))
    x, other = frozen(rng(), (5, 4)), frozen(rng(1), (5, 4))
    net(x), net(other)
    with pytest.raises(RuntimeError, match=r"^Added\.backward: the layer was called with different"):
        net.backward(dy)
    net(x)
    np.testing.assert_array_equal(net.backward(dy), gradients_of(net, x, dy)[0])


def test_what_leaves_no_doubt_is_allowed():
    """The same x again, as when a cell is run twice, also with NaN; a test set of another size before."""
    net, dy = net_of("deep"), frozen(rng(2), (3, 5))
    x, others = frozen(rng(), (3, 2, 11, 6)), frozen(rng(1), (8, 2, 11, 6))
    net(others), net(x), net(x), net(x.copy())
    np.testing.assert_array_equal(net.backward(dy), gradients_of(net, x, dy)[0])
    net(x), net(others)
    with pytest.raises(ValueError, match="dy: got float64 of shape"):
        net.backward(dy)
    lost = x.copy()
    lost[0, 0, 0, 0] = np.nan
    net.forget(), net(lost), net(lost.copy()), net.backward(dy)


def test_each_mode_remembers_its_own():
    net, dy = net_of("normed"), frozen(rng(2), (6, 5))
    x, other, third = (frozen(rng(seed), (6, 2, 6, 6)) for seed in range(3))
    in_training = gradients_of(net, x, dy)[0]
    net(x)
    net.eval()
    in_use = gradients_of(net, other, dy)[0]
    net(other)
    np.testing.assert_array_equal(net.train().backward(dy), in_training)
    net(third)                                                          # changes the running statistics
    look_in_no_grad(net.eval(), third)                                  # of which that call knew nothing,
    np.testing.assert_array_equal(net.backward(dy), in_use)             # nor its backward
    with pytest.raises(RuntimeError, match="called before"):
        net.backward(dy)
    net.train().forget()
    with pytest.raises(RuntimeError, match="called before"):
        net.backward(dy)


def test_layers_that_the_gradient_did_not_reach_do_not_doubt_later():
    """With needs_dx=False the first layers are passed over; steps later somebody asks for dx."""
    net, dy = Sequential(Tanh(), Linear(3, 2, **learning()), Tanh()), frozen(rng(2), (5, 2))
    for seed in range(3):
        net(frozen(rng(seed), (5, 3)))
        net.backward(dy, needs_dx=False)
    x = frozen(rng(9), (5, 3))
    net(x)
    np.testing.assert_array_equal(net.backward(dy), gradients_of(net, x, dy)[0])


def test_an_error_on_the_way_leaves_no_memory():
    net, x = Sequential(Linear(3, 2, **learning()), Linear(3, 2, **learning())), frozen(rng(), (5, 3))
    refused(lambda: net(x), "W: got shape (2, 3)")
    with pytest.raises(RuntimeError, match="called before"):
        net[0].backward(frozen(rng(), (5, 2)))


def test_no_grad_ends_with_its_block_also_after_an_error():
    layer, x = Tanh(), frozen(rng(), (5, 3))
    with pytest.raises(ZeroDivisionError), no_grad():
        with no_grad():
            layer(x)
        layer(x)
        raise ZeroDivisionError
    with pytest.raises(RuntimeError, match="called before"):
        layer.backward(x)
    layer(x)
    layer.backward(x)


# --- what is refused, and how ----------------------------------------------------------------

@pytest.mark.parametrize("name", PAIRS)
def test_backward_comes_once_after_forward(name):
    (layer, _, x), (other, *_) = pair(name), pair(name)
    y = other(x)
    said = (f"{type(layer).__name__}.backward: called before the layer itself, or a second time; "
            "expected layer(x) first, once for each backward")
    with pytest.raises(RuntimeError) as before:
        layer.backward(y)
    layer(x)
    layer.backward(y)
    with pytest.raises(RuntimeError) as again:
        layer.backward(y)
    assert str(before.value) == str(again.value) == said
    layer(x)
    layer.backward(y)


@pytest.mark.parametrize("name", PAIRS)
def test_an_upstream_gradient_of_another_kind_is_refused(name):
    layer, _, x = pair(name)
    y = layer(x)
    before = {name: gradient.copy() for name, gradient in gradients(layer).items()}
    for odd in (y[:1], y[..., :1], y[None], y.astype(np.float32), y.tolist(), None, 1.0, torch.tensor(y)):
        said = refused(lambda odd=odd: layer.backward(odd), "dy: got")
        assert f"expected float64 of shape {y.shape}, as this {type(layer).__name__} returned" in said
    assert all(np.array_equal(gradient, before[name]) for name, gradient in gradients(layer).items())
    layer.backward(y)       # a refused gradient uses nothing up


def test_a_network_says_which_layer_was_not_called():
    net = net_of("small")
    with pytest.raises(RuntimeError, match=r"^Linear\.backward: called before"):
        net.backward(np.ones((3, 5)))


@pytest.mark.parametrize("call, start", [
    (lambda: Linear(0, 3, rng=rng()), "in_features: got 0, expected an integer of at least 1"),
    (lambda: Linear(3, 2.5, rng=rng()), "out_features: got 2.5, expected an integer of at least 1"),
    (lambda: Linear(3, 2, rng=0), "rng: got 0, expected a generator, such as np.random.default_rng(0)"),
    (lambda: Linear(3, 2, rng=rng(), dtype=int),
     "dtype: got <class 'int'>, expected np.float32 or np.float64"),
    (lambda: Conv2d(0, 2, 3, rng=rng()), "in_channels: got 0, expected an integer of at least 1"),
    (lambda: Conv2d(2, True, 3, rng=rng()), "out_channels: got True, expected an integer of at least 1"),
    (lambda: Conv2d(4, 6, 3, groups=4, rng=rng()),
     "groups: got 4, expected a divisor of 4 channels and of 6 filters"),
    (lambda: Conv2d(4, 6, 3, groups=0, rng=rng()), "groups: got 0, expected an integer of at least 1"),
    (lambda: Conv2d(4, 6, (3, 0), rng=rng()),
     "kernel_size: got (3, 0), expected an integer of at least 1 or a pair"),
    (lambda: Conv2d(4, 6, 3, stride=0, rng=rng())(np.ones((1, 4, 5, 5))), "stride: got 0, expected"),
    (lambda: MaxPool2d(0)(np.ones((1, 4, 5, 5))), "kernel_size: got 0, expected"),
    (lambda: LeakyReLU("steep")(np.ones(3)), "negative_slope: got 'steep', expected a finite number"),
    (lambda: Flatten()(np.ones(3)), "x: got (3,), expected an array (N, …)"),
    (lambda: Flatten()([[1.0]]), "x: got list, expected an array (N, …)"),
    (lambda: ReLU()([1.0]), "z: got a list, expected"),
    (lambda: Linear(3, 2, rng=rng())(np.ones((5, 4))), "W: got shape (2, 3), which takes 3 features, but x"),
    (lambda: Linear(3, 2, rng=rng(), dtype=np.float32)(np.ones((5, 3))),
     "x is float64, W is float32, b is float32"),
    (lambda: Sequential(ReLU),
     "layer 0: got <class 'helpers.nn.modules.ReLU'>, expected a layer such as ReLU()"),
    (lambda: Sequential(ReLU(), [Tanh()]), "layer 1: got [Tanh()], expected a layer such as ReLU()"),
    (lambda: Parameter([1.0]), "value: got list, expected an array of float32 or float64"),
    (lambda: Parameter(np.arange(3)),
     "value: got int64 of shape (3,), expected an array of float32 or float64"),
    (lambda: Parameter(np.ones(3)).add_grad(np.ones(2)),
     "gradient: got float64 of shape (2,), expected float64 of shape (3,), as the value is"),
], ids=lambda value: value if isinstance(value, str) else "call")
def test_sentences(call, start):
    assert refused(call, "").startswith(start)


def test_a_layer_has_one_place():
    """Called twice it would remember the second input only: the first gradient would be wrong, silently."""
    relu = ReLU()
    for layers in ([relu, Tanh(), relu], [relu, Sequential(relu)], [Added(relu), relu]):
        refused(lambda layers=layers: Sequential(*layers), "layers: got the same one twice")


def test_odd_states_are_refused_and_change_nothing():
    net = Sequential(Linear(3, 2, **learning()))
    state = net.state_dict()
    before = net.state_dict()
    W, b = state.values()
    for odd, said in [({"0.weight": W}, "state: got 0.weight; expected 0.weight, 0.bias"),
                      ({}, "state: got nothing; expected 0.weight, 0.bias"),
                      (state | {"1.bias": b}, "state: got 0.weight, 0.bias, 1.bias; expected"),
                      (state | {"0.bias": b[:1]},
                       "state['0.bias']: got float64 of shape (1,), expected float64 of shape (2,), as"),
                      ({"0.weight": W + 1, "0.bias": b.astype(np.float32)},
                       "state['0.bias']: got float32 of shape (2,), expected float64 of shape (2,), as"),
                      (state | {"0.weight": None}, "state['0.weight']: got object of shape ()")]:
        refused(lambda odd=odd: net.load_state_dict(odd), said)
        assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())
    with pytest.raises(ValueError, match="got float32"):
        net.load_state_dict(nn.Sequential(nn.Linear(3, 2)).state_dict())


def test_every_name_has_its_twin_in_torch():
    own = {"Layer", "Residual", "initialize", "no_grad"}
    assert all(hasattr(nn, name) for name in set(modules.__all__) - own) and hasattr(torch, "no_grad")
    tested = {layer[0] for layer, *_ in PAIRS.values()}
    assert tested == set(modules.__all__) - own - {"Buffer", "Parameter", "Sequential"}
