"""Dense layer and batch normalization, forward and backward, against torch, side by side in one process."""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from common import both_ways, medians, publish, relative_error

from helpers.functional.linear import linear, linear_backward
from helpers.functional.normalization import batch_norm, batch_norm_backward

DENSE = [(64, 64, 120), (256, 784, 256), (256, 1024, 1024)]                      # rows, in, out
NORM = [(64, 8, 8, 8), (64, 6, 14, 14), (32, 32, 32, 32), (256, 128)]            # N, C, H, W, or N, C


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


def row(title, shapes, ours, theirs, dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    tensors = [torch.tensor(a, requires_grad=i < 3) for i, a in enumerate(arrays)]
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


def main():
    if "--rows" in sys.argv:
        json.dump(list(rows()), sys.stdout)
        return
    publish("Dense layer and batch normalization, forward + backward", *both_ways(__file__))


if __name__ == "__main__":
    main()
