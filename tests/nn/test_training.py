"""The training loop: against torch, once through all samples in an epoch, each optimizer stepped."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import rng
from torch_nets import twin_of

from helpers.functional.losses import softmax_cross_entropy
from helpers.nn.modules import BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from helpers.nn.optim import SGD
from helpers.nn.trained_cnn import digit_images, small_cnn, trained_cnn
from helpers.nn.training import accuracy, batches, fit

X, X_TEST, Y, Y_TEST = digit_images(np.random.default_rng(0))


def test_an_epoch_is_torchs_with_one_optimizer_for_weights_and_one_for_biases():
    net = small_cnn(rng())
    twin, costs = twin_of(net), []
    rates = {"weight": 0.05, "bias": 0.02}
    ours, theirs = (
        [make([p for name, p in model.named_parameters() if name.endswith(kind)], lr=lr, momentum=0.9)
         for kind, lr in rates.items()] for make, model in ((SGD, net), (torch.optim.SGD, twin)))
    order = rng(5).permutation(len(X))
    for k in range(0, len(X), 64):
        at = order[k:k + 64]
        twin.zero_grad()
        cost = F.cross_entropy(twin(torch.tensor(X[at])), torch.tensor(Y[at]))
        cost.backward()
        for optimizer in theirs:
            optimizer.step()
        costs.append(cost.item())
    np.testing.assert_allclose(fit(net, ours, X, Y, rng=rng(5), epochs=1, size=64), costs, rtol=1e-9)
    for name, value in twin.state_dict().items():
        np.testing.assert_allclose(net.state_dict()[name], value.numpy(), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("size, parts", [(None, [1437]), (500, [500, 500, 437]), (1437, [1437])])
def test_an_epoch_goes_through_all_samples_once(size, parts):
    seen = []

    class Watched(Sequential):
        def __call__(self, x):
            seen.append(x)
            return super().__call__(x)
    net = Watched(Flatten(), Linear(64, 10, rng=rng()))
    costs = fit(net, [SGD(net.parameters(), lr=0.0)], X, Y, epochs=2, rng=rng(), size=size)
    assert [len(x) for x in seen] == 2 * parts
    epochs = np.split(np.concatenate(seen), 2)
    assert not np.array_equal(*epochs)          # in another order
    for epoch in epochs:
        assert np.array_equal(np.sort(epoch, axis=0), np.sort(X, axis=0))
    mean = np.average(costs[:len(parts)], weights=parts)
    assert np.isclose(mean, float(softmax_cross_entropy(net(X), Y)), rtol=1e-12)   # nothing was learned


def test_a_batch_may_be_one_sample():
    assert [rows.tolist() for rows in batches(1, 1, rng())] == [[0]]
    net = Sequential(Linear(3, 2, rng=rng()))
    costs = fit(net, [SGD(net.parameters(), lr=0.1)], np.eye(3), np.ones(3, int), epochs=1, rng=rng(), size=1)
    assert len(costs) == 3


def test_the_trained_cnn_is_the_same_every_time_and_each_call_has_its_own():
    one, again = trained_cnn(), trained_cnn()
    assert all(map(np.array_equal, one.net.state_dict().values(), again.net.state_dict().values()))
    next(one.net.parameters()).value += 1
    assert not np.array_equal(next(one.net.parameters()).value, next(trained_cnn().net.parameters()).value)
    assert accuracy(again.net, again.images, again.labels) >= 0.97 and again.losses[-1] < 0.1
    assert again.images.shape == (360, 1, 8, 8) and len(again.losses) == 8 * 23      # eight epochs


@pytest.mark.parametrize("options, says", [({"epochs": -1}, "epochs: got -1"), ({"size": 0}, "size: got 0")])
def test_bad_numbers_are_refused(options, says):
    net = Sequential(Linear(3, 2, rng=rng()))
    with pytest.raises(ValueError, match=says):
        fit(net, [SGD(net.parameters(), lr=0.1)], np.ones((4, 3)), np.zeros(4, int),
            **{"epochs": 1, "rng": rng(), **options})


def test_rates_are_those_of_the_steps_for_every_optimizer():
    """As torch's scheduler sets them: the first step with the first rate, all groups alike."""
    net, rates = small_cnn(rng()), np.linspace(0.2, 0.01, 6)
    twin, costs = twin_of(net), []
    ours, theirs = ([make([p for name, p in model.named_parameters() if name.endswith(kind)], lr=9.0)
                     for kind in ("weight", "bias")] for make, model in ((SGD, net), (torch.optim.SGD, twin)))
    orders = rng(5)
    parts = [part for _ in range(2) for part in np.split(orders.permutation(300), [128, 256])]
    for at, rate in zip(parts, rates, strict=True):
        twin.zero_grad()
        cost = F.cross_entropy(twin(torch.tensor(X[at])), torch.tensor(Y[at]))
        cost.backward()
        for optimizer in theirs:
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
        costs.append(cost.item())
    found = fit(net, ours, X[:300], Y[:300], rng=rng(5), epochs=2, size=128, rates=rates)
    np.testing.assert_allclose(found, costs, rtol=1e-9)
    assert [optimizer.lr for optimizer in ours] == [rates[-1]] * 2
    for odd in (rates[:5], [], np.ones(7)):
        with pytest.raises(ValueError, match=f"rates: got {len(odd)} of them, expected one for each of the"):
            fit(net, ours, X[:300], Y[:300], rng=rng(), epochs=2, size=128, rates=odd)


def test_accuracy_leaves_the_network_as_it_was():
    net = Sequential(Conv2d(1, 4, 3, rng=rng()), BatchNorm2d(4), ReLU(), MaxPool2d(2), Flatten(),
                     Linear(36, 10, rng=rng()))
    y = net(X[:3])
    before = net.state_dict()
    found = accuracy(net, X_TEST, Y_TEST)
    assert net.training
    net.backward(np.ones_like(y))      # the call before is still remembered
    assert all(np.array_equal(before[name], value) for name, value in net.state_dict().items())
    right = net.eval()(X_TEST).argmax(axis=1) == Y_TEST
    assert found == right.sum() / 360 == accuracy(net, X_TEST, Y_TEST) and not net.training
