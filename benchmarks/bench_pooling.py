"""Forward and backward pass of helpers.functional.pooling against torch, side by side in one process.

Each row is a ratio of medians, so it travels between machines. A copy of x, the least that any
backward pass must do, is timed too: the floor column.
"""
import json
import sys
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from common import both_ways, compared, medians, peak, publish

from helpers.functional.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward

SHAPES = [(64, 8, 8, 8), (64, 6, 24, 24), (32, 32, 32, 32), (16, 64, 56, 56)]   # N, C, H, W
MAX, AVG = (max_pool2d, max_pool2d_backward, F.max_pool2d), (avg_pool2d, avg_pool2d_backward, F.avg_pool2d)
POOLS = [
    ("max 2 × 2", MAX, {"kernel_size": 2}),
    ("max 3 × 3, stride 2", MAX, {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("average 2 × 2", AVG, {"kernel_size": 2}),
    ("average 3 × 3, stride 2", AVG, {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("average, global", AVG, {}),
]


def by_hand(pool, x, dy, options):
    forward, backward, _ = pool
    return forward(x, **options), backward(dy, x, **options)


def by_torch(pool, x, dy, options):
    y = pool[2](x, **options)
    return y, *torch.autograd.grad(y, x, dy)


def row(title, pool, options, shape, dtype):
    rng = np.random.default_rng(0)
    options = options or {"kernel_size": shape[-2:]}
    x = rng.normal(size=shape).astype(dtype)
    dy = rng.normal(size=pool[0](x, **options).shape).astype(dtype)
    tensors = torch.tensor(x, requires_grad=True), torch.tensor(dy)
    time = medians({"ours": lambda: by_hand(pool, x, dy, options), "floor": x.copy,
                    "torch": lambda: by_torch(pool, *tensors, options)}, seconds=0.3)
    passes = partial(pool[0], x, **options), partial(pool[1], dy, x, **options)
    results = zip(by_hand(pool, x, dy, options), by_torch(pool, *tensors, options), strict=True)
    return {"pooling": title, "shape": str(shape), "dtype": dtype,
            **compared(time, results, peak(x, *passes))}


def main():
    if "--rows" in sys.argv:
        json.dump([row(*pool, shape, dtype) for pool in POOLS for shape in SHAPES
                   for dtype in ("float32", "float64")[:2 if pool is POOLS[0] else 1]], sys.stdout)
        return
    publish("Pooling, forward + backward", *both_ways(__file__))


if __name__ == "__main__":
    main()
