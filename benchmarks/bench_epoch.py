"""One epoch of a small LeNet on scikit-learn's digits: ours, torch's, and a textbook's im2col, turn by turn.

Same weights, same batches of 64, float32, gradient descent with momentum; all three must agree in every cost.
"""
import json
import sys

import numpy as np
import textbook
import torch
import torch.nn.functional as F
from common import in_process, medians, publish, table
from torch import nn

from helpers.data import digits
from helpers.functional.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from helpers.nn import modules
from helpers.nn.optim import SGD

LR, MOMENTUM, BATCH = 0.05, 0.9, 64
NETWORKS = {     # filters, kernel, padding of each convolution; outputs of each hidden dense layer
    "6 and 16 filters 5 × 5, dense 120, 84, 10": ([(6, 5, 2), (16, 5, 2)], [120, 84]),
    "8 and 16 filters 3 × 3, dense 10": ([(8, 3, 1), (16, 3, 1)], []),
}


def build(library, convolutions, hidden, **options):
    """The network of helpers.nn.modules or of torch.nn, which have the same names."""
    layers, channels = [], 1
    for filters, k, p in convolutions:
        layers += [library.Conv2d(channels, filters, k, padding=p, **options), library.ReLU(),
                   library.MaxPool2d(2)]
        channels = filters
    layers, sizes = [*layers, library.Flatten()], [channels * 4, *hidden]
    for n, m in zip(sizes, hidden, strict=False):
        layers += [library.Linear(n, m, **options), library.ReLU()]
    return library.Sequential(*layers, library.Linear(sizes[-1], 10, **options))


def plain(state, convolutions, hidden):
    """The same network in the textbook's layers."""
    values = iter([value.copy() for value in state.values()])
    pairs, layers = zip(values, values, strict=True), []
    for _, _, p in convolutions:
        layers += [textbook.Conv2d(*next(pairs), p), textbook.ReLU(), textbook.MaxPool2d()]
    layers.append(textbook.Flatten())
    for _ in hidden:
        layers += [textbook.Linear(*next(pairs)), textbook.ReLU()]
    return [*layers, textbook.Linear(*next(pairs))]


def by_hand(net, state, X, y, batches):
    net.load_state_dict(state)
    optimizer, costs = SGD(net.parameters(), lr=LR, momentum=MOMENTUM), []
    for batch in batches:
        z = net(X[batch])
        costs.append(float(softmax_cross_entropy(z, y[batch])))
        optimizer.zero_grad()
        net.backward(softmax_cross_entropy_backward(z, y[batch]), needs_dx=False)
        optimizer.step()
    return costs


def by_torch(net, state, X, y, batches):
    net.load_state_dict(state)
    optimizer, costs = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM), []
    for batch in batches:
        cost = F.cross_entropy(net(X[batch]), y[batch])
        costs.append(cost.item())
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
    return costs


def by_textbook(state, shape, X, y, batches):
    layers, speeds = plain(state, *shape), {}
    return [float(textbook.step(layers, speeds, X[batch], y[batch], LR, MOMENTUM)) for batch in batches]


def row(title):
    rng = np.random.default_rng(0)
    X, _, y, _ = digits(rng)
    X = X.reshape(-1, 1, 8, 8).astype(np.float32)
    batches = np.array_split(rng.permutation(len(X)), range(BATCH, len(X), BATCH))
    ours, theirs = build(modules, *NETWORKS[title], rng=rng, dtype=np.float32), build(nn, *NETWORKS[title])
    state = ours.state_dict()
    tensors = [{name: torch.tensor(value) for name, value in state.items()}, torch.tensor(X), torch.tensor(y),
               [torch.tensor(batch) for batch in batches]]
    calls = {"ours": lambda: by_hand(ours, state, X, y, batches), "torch": lambda: by_torch(theirs, *tensors),
             "textbook": lambda: by_textbook(state, NETWORKS[title], X, y, batches)}
    costs = {name: call() for name, call in calls.items()}
    apart = max(np.abs(np.subtract(costs[name], costs["torch"])).max() for name in ("ours", "textbook"))
    assert apart < 1e-3, apart
    time = medians(calls, seconds=4)
    return {"network": title, **{f"{name}, ms": f"{time[name] * 1e3:.0f}" for name in time},
            "ours ÷ torch": f"{time['ours'] / time['torch']:.2f}",
            "textbook ÷ ours": f"{time['textbook'] / time['ours']:.1f}", "costs differ by": f"{apart:.0e}"}


def main():
    if "--rows" in sys.argv:
        json.dump([row(title) for title in NETWORKS], sys.stdout)
        return
    publish("One epoch on the digits", f"23 batches of {BATCH}, float32, one thread.",
            table(in_process(__file__, 1)))


if __name__ == "__main__":
    main()
