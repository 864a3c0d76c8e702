"""A rule that follows torch, and rules that do not."""
import numpy as np
import pytest
import torch

from helpers.functional import optimizers
from helpers.verify.following import (
    CONSTANT,
    DROPPING,
    GRADIENTS,
    START,
    FollowingError,
    follows,
    scheduled_rates,
    strays,
)

PAIRS = [
    (optimizers.sgd, lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9), {"momentum": 0.9}),
    (optimizers.adagrad, lambda p, lr: torch.optim.Adagrad(p, lr, eps=0.1), {"eps": 0.1}),
    (optimizers.adam, lambda p, lr: torch.optim.Adam(p, lr, eps=0.1), {"eps": 0.1}),
    (optimizers.adamw, lambda p, lr: torch.optim.AdamW(p, lr), {}),
]


@pytest.mark.parametrize("rule, make, options", PAIRS)
def test_a_right_rule_follows_and_does_not_stray(rule, make, options):
    assert repr(follows(rule, make, **options)) == f"{rule.__name__}: 200 steps, distance from torch ≤ 1e-12"
    with pytest.raises(FollowingError, match="expected a rule that differs from torch"):
        strays(rule, make, **options)


@pytest.mark.parametrize("rule, make, options", PAIRS)
def test_a_change_of_one_weight_in_one_step_is_seen(rule, make, options):
    count = []

    def nudged(W, dW, state, lr):
        count.append(0)
        W, state = rule(W, dW, state, lr, **options)
        return (W + 1e-10 * (np.arange(12).reshape(3, 4) == 5) if len(count) == 170 else W), state
    with pytest.raises(FollowingError, match="expected 1e-12 at most"):
        follows(nudged, make)


@pytest.mark.parametrize("wrong", [
    lambda W, dW, s, lr: (W - lr * dW * (1 + 1e-9), s), lambda W, dW, s, lr: (W * np.nan, s),
    lambda W, dW, s, lr: (W - 0.01 * dW, s), lambda W, dW, s, lr: (W - lr * dW * (dW > 0), s)])
def test_a_wrong_rule_is_rejected(wrong):
    assert not strays(wrong, torch.optim.SGD).distance <= 1e-12
    with pytest.raises(FollowingError):
        follows(wrong, torch.optim.SGD)


def test_the_conventions_differ_only_where_the_rate_drops():
    make = PAIRS[0][1]
    assert DROPPING.tolist() == [0.01] * 100 + [0.001] * 100
    follows(optimizers.heavy_ball, make, CONSTANT)
    strays(optimizers.heavy_ball, make, DROPPING)


def test_the_gradients_are_hostile_and_read_only():
    sizes = np.abs(GRADIENTS).mean(axis=0)
    assert sizes.max() / sizes.min() > 1e5 and (GRADIENTS < 0).any() and (GRADIENTS[3] == 0).all()
    for array in (START, GRADIENTS, CONSTANT, DROPPING):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_distance_is_relative_to_the_largest_value():
    assert strays(lambda W, dW, s, lr: (0 * W, s), torch.optim.SGD).distance == 1


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"rule: got a W of shape \(4,\), expected \(3, 4\)"):
        follows(lambda W, dW, s, lr: (np.ones(4), s), torch.optim.SGD)


def test_rates_of_a_scheduler_of_torch():
    def sgd(lr):
        return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr)

    S = torch.optim.lr_scheduler
    halved = scheduled_rates(S.StepLR(sgd(0.2), 2, 0.5), steps=5)
    assert halved == pytest.approx([0.2, 0.2, 0.1, 0.1, 0.05])
    assert scheduled_rates(S.ConstantLR(sgd(2.0), 0.5, 3), steps=4) == [1, 1, 1, 2]
    assert len(scheduled_rates(S.StepLR(sgd(0.2), 30))) == 100
