"""A whole network drawn anew by one rule: which layers, in which order, and what an odd rule changes."""
import numpy as np
import pytest
from checks import refused, rng

from helpers.functional.initialization import INITIALIZATIONS
from helpers.nn.initialize import initialize
from helpers.nn.modules import BatchNorm1d, Conv2d, Flatten, Linear, ReLU, Residual, Sequential


def a_network(dtype=np.float64):
    given = {"rng": rng(), "dtype": dtype}
    return Sequential(Conv2d(2, 6, 3, groups=2, **given), Flatten(), Linear(24, 30, **given),
                      BatchNorm1d(30, dtype=dtype), Residual(Linear(30, 30, bias=False, **given), ReLU()))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", INITIALIZATIONS)
def test_a_network_by_one_rule(name, dtype):
    net, generator = a_network(dtype), rng(5)
    net[3].weight.value = net[3].weight.value * 2
    next(net.parameters()).add_grad(np.ones((6, 1, 3, 3), dtype))
    net(np.ones((2, 2, 4, 4), dtype))
    initialize(net, name, rng(5))
    for layer in (net[0], net[2], net[4][0]):
        expected = INITIALIZATIONS[name](generator, layer.weight.value.shape)
        np.testing.assert_array_equal(layer.weight.value, expected.astype(dtype))
        assert layer.weight.value.dtype == dtype and (layer.bias is None or not layer.bias.value.any())
    np.testing.assert_array_equal(net[3].weight.value, np.full(30, 2, dtype))
    assert not any(parameter.grad.any() for parameter in net.parameters())
    with pytest.raises(RuntimeError, match="called before"):
        net.backward(np.ones((2, 30), dtype))


def test_a_network_by_a_rule_of_one_s_own():
    net, asked = a_network(), []

    def rule(generator, shape):
        asked.append((generator, shape))
        return np.full(shape, len(asked), np.float32)
    generator = rng()
    initialize(net, rule, generator)
    assert asked == [(generator, (6, 1, 3, 3)), (generator, (30, 24)), (generator, (30, 30))]
    assert [layer.weight.value.flat[0] for layer in (net[0], net[2], net[4][0])] == [1, 2, 3]
    assert net[2].weight.value.dtype == np.float64


@pytest.mark.parametrize("rule, said", [
    ("he", "rule: got 'he', expected a function rule(rng, shape) or one of normal 0.01, xavier_uniform"),
    (None, "rule: got None, expected a function"), (["orthogonal"], "rule: got ['orthogonal'], expected"),
    (lambda rng, shape: 0.5, "rule: got 0.5 from it, expected an array of shape (6, 1, 3, 3)"),
    (lambda rng, shape: np.ones(shape[:2]), "rule: got shape (6, 1), expected (6, 1, 3, 3), the shape of"),
    (lambda rng, shape: np.ones(shape) if len(shape) > 2 else np.ones(3), "rule: got shape (3,), expected"),
])
def test_an_odd_rule_changes_nothing(rule, said):
    net = a_network()
    before = net.state_dict()
    assert refused(lambda: initialize(net, rule, rng()), "").startswith(said)
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())
