"""One epoch of a LeNet-like network on the digits: ours, torch's, and im2col as the textbooks have it.

The same numbers to begin with, the same mini-batches of 64, SGD with momentum, float32. Before anything is
timed the three must have the same cost at every step.
"""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from common import in_process, medians, table
from textbook import Textbook
from torch import nn

from helpers.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from helpers.network import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from helpers.optim import SGD
from helpers.trained_cnn import digit_images

ETA, GAMMA, BATCH = 0.05, 0.9, 64


def networks(rng, dtype):
    """LeNet-5's layers for 8 × 8 images, with ReLU and max-pooling: ours and torch's."""
    given = {"rng": rng, "dtype": np.dtype(dtype).type}
    ours = Sequential(Conv2d(1, 6, 5, padding=2, **given), ReLU(), MaxPool2d(2),
                      Conv2d(6, 16, 5, padding=2, **given), ReLU(), MaxPool2d(2), Flatten(),
                      Linear(64, 120, **given), ReLU(), Linear(120, 84, **given), ReLU(),
                      Linear(84, 10, **given))
    twin = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(6, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(64, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    return ours, twin.to(getattr(torch, np.dtype(dtype).name))


def our_epoch(net, start, batches):
    net.load_state_dict(start)
    optimizer, costs = SGD(net.parameters(), lr=ETA, momentum=GAMMA), []
    for x, y in batches:
        optimizer.zero_grad()
        z = net(x)
        net.backward(softmax_cross_entropy_backward(z, y), needs_dx=False)
        optimizer.step()
        costs.append(float(softmax_cross_entropy(z, y)))
    return costs


def torch_epoch(twin, start, batches):
    twin.load_state_dict(start)
    optimizer, costs = torch.optim.SGD(twin.parameters(), lr=ETA, momentum=GAMMA), []
    for x, y in batches:
        optimizer.zero_grad()
        cost = F.cross_entropy(twin(x), y)
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    return costs


def textbook_epoch(start, batches):
    net = Textbook(start, padding=2)
    return [net.step(x, y, ETA, GAMMA) for x, y in batches]


def row(dtype):
    rng = np.random.default_rng(0)
    X, _, y, _ = digit_images(rng)
    net, twin = networks(rng, dtype)
    start, order = net.state_dict(), rng.permutation(len(X))
    batches = [(X[k].astype(dtype), y[k]) for k in np.split(order, range(BATCH, len(X), BATCH))]
    tensors = [(torch.tensor(x), torch.tensor(t)) for x, t in batches]
    torch_start = {name: torch.tensor(value) for name, value in start.items()}
    candidates = {"ours": lambda: our_epoch(net, start, batches),
                  "torch": lambda: torch_epoch(twin, torch_start, tensors),
                  "textbook": lambda: textbook_epoch(start, batches)}
    costs = {name: np.array(epoch()) for name, epoch in candidates.items()}
    apart = max(np.max(np.abs(costs[name] / costs["torch"] - 1)) for name in costs)
    assert apart < (1e-3 if dtype == "float32" else 1e-9), f"the costs are {apart:.0e} apart"
    time = medians(candidates, rounds=11, seconds=1.5)
    return {"epoch": f"{len(batches)} steps of {BATCH}", "dtype": dtype,
            "torch, ms": f"{time['torch'] * 1e3:.0f}",
            "ours ÷ torch": f"{time['ours'] / time['torch']:.2f}",
            "textbook ÷ ours": f"{time['textbook'] / time['ours']:.1f}",
            "costs apart": f"{apart:.0e}"}


def main():
    if "--rows" in sys.argv:
        json.dump([row(dtype) for dtype in ("float32", "float64")], sys.stdout)
        return
    print(f"NumPy {np.__version__}, torch {torch.__version__}: one epoch, training")
    for threads in (1, None):
        print(f"\n{'one thread' if threads else 'default threads'}\n")
        print(table(in_process(__file__, threads)))


if __name__ == "__main__":
    main()
