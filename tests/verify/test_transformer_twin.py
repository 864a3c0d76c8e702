"""The twin in torch of a causal transformer: the same logits, the same gradients, what is refused."""
import numpy as np
import pytest
import torch
from checks import refused

from helpers.nn.modules import Linear, Residual, Sequential
from helpers.nn.transformer import GELU, Embedding, LayerNorm, Position, SelfAttention
from helpers.verify.transformer_twin import transformer_twin


def ours(depth, E=6, heads=3):
    rng = np.random.default_rng(0)
    blocks = [part for _ in range(depth) for part in (
        Residual(LayerNorm(E), SelfAttention(E, heads, True, rng=rng)),
        Residual(LayerNorm(E), Linear(E, 5, rng=rng), GELU(), Linear(5, E, rng=rng)))]
    return Sequential(Embedding(7, E, rng=rng), Position(9, E, rng=rng), *blocks, LayerNorm(E),
                      Linear(E, 4, rng=rng))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_twin_has_the_same_logits_and_gradients(depth):
    """With a sequence shorter than the table of places."""
    net, rng = ours(depth), np.random.default_rng(1)
    twin = transformer_twin(net.state_dict(), heads=3)
    x, dy = rng.integers(7, size=(3, 8)), rng.normal(size=(3, 8, 4))
    y = twin(torch.tensor(x))
    np.testing.assert_allclose(net(x), y.detach(), rtol=1e-10)
    y.backward(torch.tensor(dy))
    net.backward(dy, needs_dx=False)
    theirs = sorted(float(p.grad.norm()) for p in twin.parameters())
    np.testing.assert_allclose(sorted(np.linalg.norm(p.grad) for p in net.parameters()), theirs, rtol=1e-9)
    wrong = transformer_twin(net.state_dict(), heads=2)
    assert np.abs(wrong(torch.tensor(x)).detach().numpy() - net(x)).max() > 1e-3


def test_other_networks_are_refused():
    net = ours(1)
    state = net.state_dict()
    for given, heads in (({}, 3), (net[:4].state_dict(), 3), ({**state, "9.weight": state["0.weight"]}, 3),
                         ({"words": state["0.weight"]}, 3), (state, 4)):
        refused(lambda given=given, heads=heads: transformer_twin(given, heads), "state")
