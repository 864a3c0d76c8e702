"""Layers without windows, forward and backward, against torch, side by side in one process."""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from common import both_ways, medians, publish, relative_error

from helpers.functional.attention import scaled_dot_product_attention, scaled_dot_product_attention_backward
from helpers.functional.embedding import embedding, embedding_backward
from helpers.functional.gated_activations import gelu, gelu_prime, silu, silu_prime
from helpers.functional.layer_normalization import (
    layer_norm,
    layer_norm_backward,
    rms_norm,
    rms_norm_backward,
)
from helpers.functional.linear import linear, linear_backward
from helpers.functional.normalization import batch_norm, batch_norm_backward

DENSE = [(64, 64, 120), (256, 784, 256), (256, 1024, 1024)]                      # rows, in, out
NORM = [(64, 8, 8, 8), (64, 6, 14, 14), (32, 32, 32, 32), (256, 128)]            # N, C, H, W, or N, C
TOKENS = [(2048, 64), (4096, 768)]                                               # tokens, features
ATTENTION = [(32, 4, 16, 16), (8, 4, 128, 32)]                                   # batch, heads, tokens, E
TABLE, INDICES = (1000, 64), np.random.default_rng(1).integers(1000, size=4096)
GATED = {"GELU": (gelu, gelu_prime, F.gelu, {}), "SiLU": (silu, silu_prime, F.silu, {}),
         "GELU by tanh": (gelu, gelu_prime, F.gelu, {"approximate": "tanh"})}


def dense(x, W, b, dy):
    return linear(x, W, b), *linear_backward(dy, x, W)


def dense_torch(x, W, b, dy):
    y = F.linear(x, W, b)
    return y, *torch.autograd.grad(y, (x, W, b), dy)


def norm(x, W, b, dy):
    y = batch_norm(x, None, None, W, b, training=True, eps=1e-5)
    return y, *batch_norm_backward(dy, x, None, None, W, training=True, eps=1e-5)


def norm_torch(x, W, b, dy):
    y = F.batch_norm(x, None, None, W, b, training=True, eps=1e-5)
    return y, *torch.autograd.grad(y, (x, W, b), dy)


def layer(x, W, b, dy):
    return layer_norm(x, W.shape, W, b), *layer_norm_backward(dy, x, W.shape, W)


def layer_torch(x, W, b, dy):
    y = F.layer_norm(x, W.shape, W, b)
    return y, *torch.autograd.grad(y, (x, W, b), dy)


def rms(x, W, dy):
    return rms_norm(x, W.shape, W), *rms_norm_backward(dy, x, W.shape, W)


def rms_torch(x, W, dy):
    y = F.rms_norm(x, W.shape, W)
    return y, *torch.autograd.grad(y, (x, W), dy)


def attend(q, k, v, dy):
    return (scaled_dot_product_attention(q, k, v, is_causal=True),
            *scaled_dot_product_attention_backward(dy, q, k, v, is_causal=True))


def attend_torch(q, k, v, dy):
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return y, *torch.autograd.grad(y, (q, k, v), dy)


def embed(W, dy):
    return embedding(INDICES, W), embedding_backward(dy, INDICES, W)


def embed_torch(W, dy):
    y = F.embedding(torch.from_numpy(INDICES), W)
    return y, *torch.autograd.grad(y, W, dy)


def activation(function, prime, in_torch, options):
    """Ours and torch's, both ways."""
    def theirs(z, dy):
        a = in_torch(z, **options)
        return a, *torch.autograd.grad(a, z, dy)
    return lambda z, dy: (function(z, **options), dy * prime(z, **options)), theirs


def row(title, shapes, ours, theirs, dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    tensors = [torch.tensor(a, requires_grad=i < len(arrays) - 1) for i, a in enumerate(arrays)]
    apart = max(relative_error(*pair) for pair in zip(ours(*arrays), theirs(*tensors), strict=True))
    time = medians({"ours": lambda: ours(*arrays), "torch": lambda: theirs(*tensors)}, seconds=0.4)
    return {"layer": title, "dtype": dtype, "torch, ms": f"{time['torch'] * 1e3:.3f}",
            "ours ÷ torch": f"{time['ours'] / time['torch']:.2f}", "largest error": f"{apart:.0e}"}


def rows():
    for dtype in ("float32", "float64"):
        for N, n, m in DENSE:
            yield row(f"dense ({N}, {n}) → {m}", [(N, n), (m, n), (m,), (N, m)], dense, dense_torch, dtype)
        for shape in NORM:
            yield row(f"batch norm {shape}", [shape, shape[1:2], shape[1:2], shape], norm, norm_torch, dtype)
        for shape in TOKENS:
            w = shape[1:]
            yield row(f"layer norm {shape}", [shape, w, w, shape], layer, layer_torch, dtype)
            yield row(f"RMS norm {shape}", [shape, w, shape], rms, rms_torch, dtype)
        for shape in ATTENTION:
            yield row(f"causal attention {shape}", [shape] * 4, attend, attend_torch, dtype)
        yield row(f"embedding {TABLE}, {len(INDICES)} indices", [TABLE, (len(INDICES), TABLE[1])], embed,
                  embed_torch, dtype)
        for name, one in GATED.items():
            yield row(f"{name} {TOKENS[0]}", [TOKENS[0]] * 2, *activation(*one), dtype)


def main():
    if "--rows" in sys.argv:
        json.dump(list(rows()), sys.stdout)
        return
    publish("Layers without windows, forward + backward", *both_ways(__file__))


if __name__ == "__main__":
    main()
