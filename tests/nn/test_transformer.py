"""The layers of a transformer and a block of them: values, gradients, names and starts as torch's."""
import numpy as np
import pytest
import torch
from checks import agree, frozen, refused, rng
from torch import nn

from helpers.nn.modules import Linear, Residual, Sequential
from helpers.nn.transformer import GELU, Embedding, LayerNorm, Position, SelfAttention

torch.set_num_threads(1)
BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])
IN_TORCH = {np.float32: torch.float32, np.float64: torch.float64}


class Itself(nn.MultiheadAttention):
    """Attention of a sequence to itself, with a causal mask or none."""

    def __init__(self, E, H, causal, **options):
        super().__init__(E, H, batch_first=True, **options)
        self.causal = causal

    def forward(self, x):
        hidden = torch.ones(*2 * x.shape[1:2], dtype=bool).triu(1) if self.causal else None
        return super().forward(x, x, x, attn_mask=hidden, need_weights=False)[0]


LAYERS = {
    "GELU": (lambda **o: GELU(), lambda **o: nn.GELU()),
    "GELU by tanh": (lambda **o: GELU("tanh"), lambda **o: nn.GELU("tanh")),
    "LayerNorm": (lambda dtype: LayerNorm(6, 1e-3, dtype=dtype), lambda **o: nn.LayerNorm(6, 1e-3, **o)),
    "attention": (lambda dtype: SelfAttention(6, 2, rng=rng(), dtype=dtype),
                  lambda **o: Itself(6, 2, False, **o)),
    "causal": (lambda dtype: SelfAttention(6, 3, True, rng=rng(), dtype=dtype),
               lambda **o: Itself(6, 3, True, **o)),
}


@BOTH
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_torch_s(name, dtype):
    """State dictionaries load both ways; then value, dx and the gradient of each parameter."""
    make, twin = LAYERS[name]
    layer, twin = make(dtype=dtype), twin(dtype=IN_TORCH[dtype])
    layer.load_state_dict({key: frozen(rng(i), value.shape, dtype)
                           for i, (key, value) in enumerate(layer.state_dict().items())})
    twin.load_state_dict({key: torch.tensor(value) for key, value in layer.state_dict().items()})
    x, dy = frozen(rng(8), (3, 5, 6), dtype), frozen(rng(9), (3, 5, 6), dtype)
    leaf = torch.tensor(x, requires_grad=True)
    y = twin(leaf)
    agree(layer(x), y, dtype)
    y.backward(torch.tensor(dy))
    agree(layer.backward(dy), leaf.grad, dtype)
    theirs = dict(twin.named_parameters())
    assert [*theirs] == [name for name, _ in layer.named_parameters()]
    for name, parameter in layer.named_parameters():
        agree(np.ascontiguousarray(parameter.grad), theirs[name].grad, dtype)


@BOTH
def test_rows_of_tables(dtype):
    """Embedding and Position together, with a sequence shorter than the table of places."""
    net = Sequential(Embedding(7, 4, rng=rng(), dtype=dtype), Position(6, 4, rng=rng(1), dtype=dtype))
    words, places = (torch.tensor(p.value, requires_grad=True) for p in net.parameters())
    x, dy = rng(2).integers(7, size=(3, 5)), frozen(rng(3), (3, 5, 4), dtype)
    y = nn.functional.embedding(torch.tensor(x), words) + places[:5]
    agree(net(x), y, dtype)
    y.backward(torch.tensor(dy))
    assert net.backward(dy, needs_dx=False) is None
    for parameter, theirs in zip(net.parameters(), (words, places), strict=True):
        agree(parameter.grad, theirs.grad, dtype)


def test_a_block_is_torch_s_encoder_layer():
    """Pre-norm; and it is not the one with the norm after the sum."""
    E, H, r = 6, 2, rng()
    net = Sequential(Residual(LayerNorm(E), SelfAttention(E, H, rng=r)),
                     Residual(LayerNorm(E), Linear(E, 5, rng=r), GELU(), Linear(5, E, rng=r)))
    ours = [name.split(".", 2) for name, _ in net.named_parameters()]
    names = {("0", "0"): "norm1", ("0", "1"): "self_attn", ("1", "0"): "norm2", ("1", "1"): "linear1",
             ("1", "3"): "linear2"}
    x, found = frozen(rng(4), (2, 5, E)), []
    for first in (True, False):
        twin = nn.TransformerEncoderLayer(E, H, 5, 0.0, "gelu", batch_first=True, norm_first=first).double()
        values = zip(ours, net.state_dict().values(), strict=True)
        twin.load_state_dict({f"{names[a, b]}.{rest}": torch.tensor(v) for (a, b, rest), v in values})
        found.append(np.abs(net(x) - twin(torch.tensor(x)).detach().numpy()).max())
    assert found[0] < 1e-13 and found[1] > 0.1


def test_weights_are_those_of_torch():
    layer, twin = SelfAttention(6, 2, rng=rng()), nn.MultiheadAttention(6, 2, batch_first=True).double()
    twin.load_state_dict({key: torch.tensor(value) for key, value in layer.state_dict().items()})
    x = frozen(rng(5), (3, 4, 6))
    _, theirs = twin(*[torch.tensor(x)] * 3, average_attn_weights=False)
    agree(layer.weights(x), theirs, np.float64)


def test_the_start_is_drawn_as_torch_draws():
    """Xavier's bound for (3E, E), Linear's for out_proj, normal rows, biases 0."""
    layer = SelfAttention(100, 4, rng=rng())
    drawn = layer.state_dict()
    for name, bound in (("in_proj_weight", (6 / 400)**0.5), ("out_proj.weight", 0.1)):
        assert 0.99 * bound < np.abs(drawn[name]).max() <= bound
        assert drawn[name].std() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not drawn["in_proj_bias"].any() and not drawn["out_proj.bias"].any()
    for table in (Embedding(500, 40, rng=rng()), Position(500, 40, rng=rng())):
        assert table.weight.value.std() == pytest.approx(1, rel=0.02)


X = np.ones((2, 3, 4))


@pytest.mark.parametrize("call, name", [
    (lambda: SelfAttention(6, 4, rng=rng()), "num_heads"),
    (lambda: SelfAttention(0, 1, rng=rng()), "embed_dim"),
    (lambda: SelfAttention(6, 2, 1, rng=rng()), "is_causal"), (lambda: SelfAttention(6, 2, rng=0), "rng"),
    (lambda: SelfAttention(4, 2, rng=rng())(X[0]), "x"), (lambda: SelfAttention(6, 2, rng=rng())(X), "W"),
    (lambda: LayerNorm(0), "normalized_shape"), (lambda: LayerNorm(5)(X), "normalized_shape"),
    (lambda: Embedding(0, 2, rng=rng()), "num_embeddings"),
    (lambda: Embedding(2, 0, rng=rng()), "embedding_dim"),
    (lambda: Embedding(3, 2, rng=None), "rng"), (lambda: Embedding(3, 2, rng=rng())(X), "x"),
    (lambda: Position(0, 4, rng=rng()), "length"), (lambda: Position(2, 4, rng=rng())(X), "x"),
    (lambda: Position(3, 5, rng=rng())(X), "x"), (lambda: GELU("erf")(X), "approximate"),
])
def test_odd_arguments_are_refused(call, name):
    refused(call, name)
