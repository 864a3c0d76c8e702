"""The layers of a transformer: Embedding, Position, LayerNorm, SelfAttention, GELU, named as in torch.nn.

    def block(E, H, rng):                                                        # pre-norm
        return (Residual(LayerNorm(E), SelfAttention(E, H, rng=rng)),
                Residual(LayerNorm(E), Linear(E, 4 * E, rng=rng), GELU(), Linear(4 * E, E, rng=rng)))

It is torch.nn.TransformerEncoderLayer with norm_first=True, activation="gelu" and no dropout. The
functions are in helpers/functional. Derived in notebooks/09_networks_of_today.ipynb.
"""
import numpy as np

from helpers import arguments as check
from helpers.functional.attention import (
    attention_weights,
    scaled_dot_product_attention,
    scaled_dot_product_attention_backward,
)
from helpers.functional.embedding import embedding, embedding_backward
from helpers.functional.gated_activations import gelu, gelu_prime
from helpers.functional.initialization import xavier_uniform
from helpers.functional.layer_normalization import layer_norm, layer_norm_backward
from helpers.functional.linear import linear, linear_backward
from helpers.nn.layer import Layer, Parameter
from helpers.nn.modules import Linear

__all__ = ["Embedding", "GELU", "LayerNorm", "Position", "SelfAttention"]


class GELU(Layer):
    """a = z·Φ(z), or its approximation with tanh."""

    def __init__(self, approximate: str = "none") -> None:
        """Keep the option for gelu, which refuses what it does not know."""
        self.options = {"approximate": approximate}

    def _forward(self, z):
        return gelu(z, **self.options)

    def _backward(self, da, z, needs_dx):
        return da * gelu_prime(z, **self.options)


class LayerNorm(Layer):
    """Each sample with mean 0 and variance 1 over its last axis, then weight and bias: x and y (…, n)."""

    def __init__(self, normalized_shape: int, eps: float = 1e-5, *, dtype: type = np.float64) -> None:
        """Begin with weight 1 and bias 0. Raises ValueError for a size below 1; the call checks eps."""
        n = check.integer("normalized_shape", normalized_shape, least=1)
        self.options = {"eps": eps}
        self.weight, self.bias = Parameter(np.ones(n, dtype)), Parameter(np.zeros(n, dtype))

    def _forward(self, x):
        return layer_norm(x, self.weight.value.shape, self.weight.value, self.bias.value, **self.options)

    def _backward(self, dy, x, needs_dx):
        w = self.weight.value
        dx, dweight, dbias = layer_norm_backward(dy, x, w.shape, w, **self.options)
        self.weight.add_grad(dweight)
        self.bias.add_grad(dbias)
        return dx


class Embedding(Layer):
    """A row of the weight (V, E) for each index: integers x (…) → y (…, E). dx is None: x has no gradient."""

    def __init__(self, num_embeddings: int, embedding_dim: int, *, rng: np.random.Generator,
                 dtype: type = np.float64) -> None:
        """Draw the weight from the standard normal distribution, as torch does."""
        shape = (check.integer("num_embeddings", num_embeddings, least=1),
                 check.integer("embedding_dim", embedding_dim, least=1))
        self.weight = Parameter(check.generator(rng).normal(size=shape).astype(dtype))

    def _forward(self, x):
        return embedding(x, self.weight.value)

    def _backward(self, dy, x, needs_dx):
        self.weight.add_grad(embedding_backward(dy, x, self.weight.value))


class Position(Layer):
    """A learned vector for each place in the sequence, added to it: x and y (N, T, E), weight (T, E)."""

    def __init__(self, length: int, embedding_dim: int, *, rng: np.random.Generator,
                 dtype: type = np.float64) -> None:
        """Draw the weight (length, embedding_dim) as Embedding does. Shorter sequences use its first rows."""
        shape = (check.integer("length", length, least=1),
                 check.integer("embedding_dim", embedding_dim, least=1))
        self.weight = Parameter(check.generator(rng).normal(size=shape).astype(dtype))

    def _forward(self, x):
        check.floats("x", x, "N, T, E")
        T, E = self.weight.value.shape
        if x.shape[1] > T or x.shape[2] != E:
            raise ValueError(f"x: got shape {x.shape}, expected (N, at most {T}, {E})")
        return x + self.weight.value[:x.shape[1]]

    def _backward(self, dy, x, needs_dx):
        gradient = np.zeros_like(self.weight.value)
        gradient[:x.shape[1]] = dy.sum(axis=0)
        self.weight.add_grad(gradient)
        return dy


class SelfAttention(Layer):
    """Attention of H heads of a sequence to itself: x (N, T, E), y likewise.

    torch.nn.MultiheadAttention(E, H, batch_first=True), called with x three times: one product gives queries,
    keys and values of all heads, E/H entries each; out_proj mixes the heads. With is_causal place t sees
    the places 0 … t.
    """

    def __init__(self, embed_dim: int, num_heads: int, is_causal: bool = False, *,
                 rng: np.random.Generator, dtype: type = np.float64) -> None:
        """Draw as torch does: in_proj_weight (3E, E) by Xavier's rule, out_proj as Linear, biases 0.

        Raises ValueError unless num_heads divides embed_dim.
        """
        E = check.integer("embed_dim", embed_dim, least=1)
        H = check.integer("num_heads", num_heads, least=1)
        if E % H:
            raise ValueError(f"num_heads: got {H}, expected a divisor of the embed_dim, {E}")
        self.heads, self.is_causal = H, check.flag("is_causal", is_causal)
        self.in_proj_weight = Parameter(xavier_uniform(rng, (3 * E, E), dtype=dtype))
        self.in_proj_bias = Parameter(np.zeros(3 * E, dtype))
        self.out_proj = Linear(E, E, rng=rng, dtype=dtype)
        self.out_proj.bias.value = np.zeros(E, dtype)

    def weights(self, x: np.ndarray) -> np.ndarray:
        """How much each place takes of each other, A (N, H, T, T), for an input x (N, T, E)."""
        query, key, _ = self._split(x)
        return attention_weights(query, key, is_causal=self.is_causal)

    def _forward(self, x):
        y = scaled_dot_product_attention(*self._split(x), is_causal=self.is_causal)
        return self.out_proj(y.swapaxes(1, 2).reshape(x.shape))

    def _backward(self, dy, x, needs_dx):
        query, key, value = self._split(x)                   # computed again: a layer keeps its x alone
        dy = self.out_proj.backward(dy).reshape(*x.shape[:2], self.heads, -1).swapaxes(1, 2)
        parts = scaled_dot_product_attention_backward(dy, query, key, value, is_causal=self.is_causal)
        joined = np.stack([part.swapaxes(1, 2) for part in parts], axis=2)       # (N, T, 3, H, E/H)
        dx, dW, db = linear_backward(joined.reshape(*x.shape[:2], -1), x, self.in_proj_weight.value,
                                     needs_dx=needs_dx)
        self.in_proj_weight.add_grad(dW)
        self.in_proj_bias.add_grad(db)
        return dx

    def _split(self, x):
        """Queries, keys and values (N, H, T, E/H)."""
        check.floats("x", x, "N, T, E")
        joined = linear(x, self.in_proj_weight.value, self.in_proj_bias.value)
        return joined.reshape(*x.shape[:2], 3, self.heads, -1).transpose(2, 0, 3, 1, 4)
