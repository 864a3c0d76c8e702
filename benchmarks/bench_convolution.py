"""Forward and backward pass of helpers.functional.convolution against torch, side by side in one process.

Each row is a ratio of medians, so it travels between machines; the floor column says how far NumPy's
own matrix product could take us there: the three bare products of the same sizes, nothing around them.
"""
import json
import sys
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from common import both_ways, compared, medians, peak, publish

from helpers.functional.convolution import conv2d, conv2d_backward

SHAPES = [  # N, C, H, W, filters, kernel, padding
    (64, 1, 8, 8, 8, 3, 1),
    (64, 6, 14, 14, 16, 5, 0),
    (32, 16, 32, 32, 32, 3, 1),
    (16, 64, 32, 32, 64, 3, 1),
]


def by_hand(x, W, b, dy, padding):
    return conv2d(x, W, b, padding=padding), *conv2d_backward(dy, x, W, padding=padding)


def by_torch(x, W, b, dy, padding):
    y = F.conv2d(x, W, b, padding=padding)
    return y, *torch.autograd.grad(y, (x, W, b), dy)


def bare_products(x, W, dy):
    """The matrix products that no implementation by im2col can do without, of one image each."""
    O, K, P = len(W), W[0].size, dy[0, 0].size
    cols, flat, rows = np.zeros((K, P), x.dtype), np.ascontiguousarray(dy[0].reshape(O, P)), W.reshape(O, K)
    for _ in range(len(x)):
        rows @ cols, flat @ cols.T, rows.T @ flat


def row(shape, dtype):
    N, C, H, Wd, O, k, p = shape
    rng = np.random.default_rng(0)
    x, W, b = (rng.normal(size=s).astype(dtype) for s in ((N, C, H, Wd), (O, C, k, k), (O,)))
    dy = rng.normal(size=conv2d(x, W, b, padding=p).shape).astype(dtype)
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, W, b)] + [torch.tensor(dy)]
    time = medians({"ours": lambda: by_hand(x, W, b, dy, p), "torch": lambda: by_torch(*tensors, p),
                    "floor": lambda: bare_products(x, W, dy)})
    passes = partial(conv2d, x, W, b, padding=p), partial(conv2d_backward, dy, x, W, padding=p)
    results = zip(by_hand(x, W, b, dy, p), by_torch(*tensors, p), strict=True)
    return {"shape": f"({N}, {C}, {H}, {Wd}) → {O}, k{k} p{p}", "dtype": dtype,
            **compared(time, results, peak(x, *passes))}


def main():
    if "--rows" in sys.argv:
        json.dump([row(shape, dtype) for shape in SHAPES for dtype in ("float32", "float64")], sys.stdout)
        return
    publish("Convolution, forward + backward", *both_ways(__file__))


if __name__ == "__main__":
    main()
