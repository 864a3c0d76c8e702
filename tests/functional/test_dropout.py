"""Dropout against torch, which is asked for its own mask, and by its mean."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from checks import agree, frozen, own_memory, refused, rng

from helpers.functional.dropout import dropout, dropout_backward
from helpers.verify.witnesses import WitnessError, three_witnesses

torch.set_num_threads(1)


class Masks(np.random.Generator):
    """A generator whose uniform numbers keep what `mask` keeps, at any p below 1 and above 0."""

    def __init__(self, mask):
        super().__init__(np.random.PCG64(0))
        self.mask = mask

    def random(self, shape):
        assert shape == self.mask.shape
        return np.where(self.mask, 1 - 1e-9, 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("shape", [(7,), (5, 4), (2, 3, 4, 5)])
def test_with_torchs_own_mask_dropout_is_torchs(shape, p, dtype):
    x, dy = frozen(rng(1), shape, dtype), frozen(rng(2), shape, dtype)
    leaf = torch.tensor(x, requires_grad=True)
    torch.manual_seed(3)
    theirs = F.dropout(leaf, p)
    theirs.backward(torch.tensor(dy))
    y, kept = dropout(x, p, rng=Masks((theirs != 0).numpy()))
    dx = dropout_backward(dy, kept, p)
    agree(y, theirs, dtype)
    agree(dx, leaf.grad, dtype)
    own_memory([y, dx], [x, dy])


def test_three_witnesses_with_one_mask():
    x, p = frozen(rng(1), (5, 4)), 0.3
    y, kept = dropout(x, p, rng=rng(3))
    dy = frozen(rng(2), x.shape)

    def ours(x):
        return dropout(x, p, rng=rng(3))[0]

    def by_torch(x):
        return x * torch.tensor(kept) / (1 - p)
    assert 0 < kept.sum() < kept.size
    three_witnesses(ours, by_torch, dy, x=(x, dropout_backward(dy, kept, p)))
    for wrong in (dy * kept, dy / (1 - p), dy * kept * (1 - p), dy * ~kept / (1 - p)):
        with pytest.raises(WitnessError):
            three_witnesses(ours, by_torch, dy, x=(x, wrong))


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9])
def test_p_is_the_probability_to_be_dropped_and_the_mean_stays(p):
    x = np.full(200_000, 3.0)
    y, kept = dropout(x, p, rng=rng())
    assert 1 - kept.mean() == pytest.approx(p, abs=0.005)
    assert y.mean() == pytest.approx(3, rel=0.02)
    assert set(np.round(y, 9)) <= {0.0, round(3 / (1 - p), 9)}


def test_the_ends_and_use_after_training_are_torchs():
    x = frozen(rng(), (3, 4))
    for p, training in ((0.0, True), (1.0, True), (0.7, False)):
        leaf = torch.tensor(x, requires_grad=True)
        theirs = F.dropout(leaf, p, training)
        theirs.backward(torch.ones(3, 4, dtype=torch.float64))
        y, kept = dropout(x, p, training, rng=rng())
        np.testing.assert_array_equal(y, theirs.detach())
        np.testing.assert_array_equal(dropout_backward(np.ones((3, 4)), kept, p, training), leaf.grad)


def test_odd_arguments_are_refused():
    x = np.ones((2, 3))
    for p in (-0.1, 1.1, None, "half", np.nan, True):
        refused(lambda p=p: dropout(x, p, rng=rng()), "p")
        refused(lambda p=p: dropout_backward(x, x > 0, p), "p")
    refused(lambda: dropout([1.0], rng=rng()), "x")
    refused(lambda: dropout(np.arange(3), rng=rng()), "x")
    refused(lambda: dropout(x, 0.5, 1, rng=rng()), "training")
    refused(lambda: dropout(x, rng=0), "rng")
    refused(lambda: dropout_backward(x, x), "kept")
    refused(lambda: dropout_backward(x, np.ones((3, 2), bool)), "dy")
