"""Landscapes: gradients by three witnesses, what each is known for, far out, the paths of update rules."""
import math
from functools import partial

import numpy as np
import pytest
import torch
from checks import refused
from torch_landscapes import beale_torch, ravine_torch, rosenbrock_torch, saddle_torch

from helpers.functional.optimizers import adagrad, adam, adamw, averaged_momentum, heavy_ball, rmsprop, sgd
from helpers.functional.schedules import step_lr
from helpers.theory import landscapes
from helpers.theory.landscapes import (
    FAR,
    LANDSCAPES,
    beale,
    beale_gradient,
    descend,
    noisy,
    ravine,
    ravine_gradient,
    ravine_hessian,
    rosenbrock,
    rosenbrock_gradient,
    saddle,
    saddle_gradient,
)
from helpers.verify.witnesses import refuted, three_witnesses

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")

RULES = (sgd, heavy_ball, averaged_momentum, adagrad, rmsprop, adam, adamw)
TURNED = {"kappa": 7.0, "angle": 0.4}


def points(shape=(6,), scale=1.0, dtype=np.float64):
    w = (scale * np.random.default_rng(0).normal(size=(*shape, 2))).astype(dtype)
    w.flags.writeable = False
    return w


# --- value and gradient ----------------------------------------------------------------------

def xy(f):
    """A wrong gradient from the two formulas of it."""
    return lambda w, **_: np.stack(f(*np.moveaxis(w, -1, 0)), axis=-1)


COSTS = {   # value, gradient, the value in torch, options, wrong gradients
    "ravine": (ravine, ravine_gradient, ravine_torch, TURNED, {
        "turned the other way": lambda w, kappa, angle: ravine_gradient(w, kappa, -angle),
        "not turned": lambda w, kappa, angle: ravine_gradient(w, kappa),
        "twice": lambda w, kappa, angle: 2 * ravine_gradient(w, kappa, angle)}),
    "Rosenbrock": (rosenbrock, rosenbrock_gradient, rosenbrock_torch, {}, {
        "200 for 400": xy(lambda x, y: (-2 * (1 - x) - 200 * x * (y - x**2), 200 * (y - x**2))),
        "without the inner derivative": xy(lambda x, y: (-2 * (1 - x) + 200 * (y - x**2), 200 * (y - x**2))),
        "a sign": xy(lambda x, y: (2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)))}),
    "Beale": (beale, beale_gradient, beale_torch, {}, {
        "exchanged": lambda w: beale_gradient(w)[..., ::-1], "half": lambda w: beale_gradient(w) / 2}),
    "saddle": (saddle, saddle_gradient, saddle_torch, {}, {
        "a sign": xy(lambda x, y: (x, y**3 + y)), "a factor": xy(lambda x, y: (x, 4 * y**3 - y))}),
}


def batches(gradient):
    """The gradient of many points: each value depends on its own point alone."""
    return lambda dy, w, **options: dy[..., None] * gradient(w, **options)


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("shape", [(6,), (2, 3)], ids=str)
def test_gradients_by_three_witnesses(name, shape):
    value, gradient, reference, options, wrong = COSTS[name]
    w, dy = points(shape), np.random.default_rng(1).normal(size=shape)
    three_witnesses(value, reference, dy, options=options, w=(w, batches(gradient)(dy, w, **options)))
    for mistake in wrong.values():
        refuted(value, reference, dy, options=options, w=(w, batches(mistake)(dy, w, **options)))


@pytest.mark.parametrize("name", COSTS)
def test_one_point_many_points_and_float32(name):
    value, gradient, _, options, _ = COSTS[name]
    w = points((3, 4))
    values, gradients = value(w, **options), gradient(w, **options)
    assert values.shape == (3, 4) and gradients.shape == (3, 4, 2)
    np.testing.assert_allclose(value(w[1, 2], **options), values[1, 2], rtol=1e-14)
    np.testing.assert_allclose(gradient(w[1, 2], **options), gradients[1, 2], rtol=1e-13)
    single = w.astype(np.float32)
    assert value(single, **options).dtype == gradient(single, **options).dtype == np.float32
    np.testing.assert_allclose(gradient(single, **options), gradients, rtol=1e-3, atol=1e-3)


def test_the_hessian_of_the_ravine():
    for kappa, angle in ((1, 0), (10, 0), (7, 0.4), (100, -2)):
        H = ravine_hessian(kappa, angle)
        λ, Q = np.linalg.eigh(H)
        np.testing.assert_allclose(λ, [1, kappa], rtol=1e-12)
        assert np.array_equal(H, H.T) and np.linalg.cond(H) == pytest.approx(kappa)
        along = np.array([math.cos(angle), math.sin(angle)])
        np.testing.assert_allclose(H @ along, along, atol=1e-12)
        assert kappa == 1 or abs(Q[:, 0] @ along) == pytest.approx(1)
    assert np.array_equal(ravine_hessian(10), np.diag([1.0, 10.0]))
    assert ravine(np.array([3.0, 2.0]), kappa=10) == 9 / 2 + 10 * 4 / 2


def hessian(gradient, w, h=1e-5):
    w = np.array(w, float)
    return np.stack([(gradient(w + h * e) - gradient(w - h * e)) / (2 * h) for e in np.eye(2)])


@pytest.mark.parametrize("name", LANDSCAPES)
def test_where_a_landscape_is_least(name):
    it = LANDSCAPES[name]
    x0, x1, y0, y1 = it.view
    assert it.minima
    for x, y in (*it.minima, it.start):
        assert x0 < x < x1 and y0 < y < y1
    for minimum in it.minima:
        w = np.array(minimum, float)
        assert it.value(w) == 0 and not it.gradient(w).any()
        assert np.linalg.eigvalsh(hessian(it.gradient, w)).min() > 0
    assert it.value(np.array(it.start, float)) > 0.2
    sides = np.stack(np.meshgrid(np.linspace(x0, x1, 91), np.linspace(y0, y1, 81)), axis=-1)
    assert np.isfinite(it.value(sides)).all() and it.value(sides).min() >= 0
    assert it.value.__name__ + "_gradient" == it.gradient.__name__
    assert (it.noise > 0) == name.startswith("noisy")


def test_the_saddle_is_one():
    centre = np.zeros(2)
    assert saddle(centre) == 0.25 and not saddle_gradient(centre).any()
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian(saddle_gradient, centre)), [-1, 1], atol=1e-9)
    assert not saddle_gradient(np.array([[0.7, 0.0], [-2.0, 0.0]]))[:, 1].any()


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("far", [1e100, 1e200, math.inf, math.nan])
def test_far_out_no_warning_is_given(name, far):
    value, gradient, *_ = COSTS[name]
    w = np.array([[far, -far], [0.5, 0.25]])
    values, gradients = value(w), gradient(w)
    assert not np.isfinite(values[0]) or values[0] > 1e100
    assert np.isfinite(values[1]) and np.isfinite(gradients[1]).all()


# --- noise -----------------------------------------------------------------------------------

def test_noise_is_added_to_the_gradient():
    gradient = noisy(ravine_gradient, 0.5, np.random.default_rng(2))
    w = points((20000,))
    drawn = gradient(w) - ravine_gradient(w)
    assert abs(drawn.mean()) < 0.01 and drawn.std() == pytest.approx(0.5, rel=0.02)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.03 and not np.array_equal(gradient(w), gradient(w))
    again = noisy(ravine_gradient, 0.5, np.random.default_rng(2))
    np.testing.assert_array_equal(again(w) - ravine_gradient(w), drawn)
    assert gradient(w.astype(np.float32)).dtype == np.float32
    silent = noisy(rosenbrock_gradient, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(silent(w), rosenbrock_gradient(w))


# --- paths -----------------------------------------------------------------------------------

@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_path_is_the_rule_repeated(rule):
    start = points((3,))
    path = descend(rule, ravine_gradient, start, 5, lr=lambda t: step_lr(t, 0.01, 2))
    w, state = start, None
    assert path.shape == (6, 3, 2) and np.array_equal(path[0], start)
    for t in range(5):
        w, state = rule(w, ravine_gradient(w), state, lr=[0.01, 0.01, 1e-3, 1e-3, 1e-4][t])
        np.testing.assert_allclose(path[t + 1], w, rtol=1e-13)
    alone = descend(rule, ravine_gradient, start[1], 5, lr=lambda t: step_lr(t, 0.01, 2))
    np.testing.assert_allclose(alone, path[:, 1], rtol=1e-12)
    assert descend(rule, ravine_gradient, start, 0, lr=0.1).tolist() == [start.tolist()]


def test_a_path_in_torch():
    """Rosenbrock's valley with Adam, gradients by autograd."""
    w = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer, seen = torch.optim.Adam([w], lr=0.05), []
    for _ in range(200):
        seen.append(w.detach().numpy().copy())
        optimizer.zero_grad()
        rosenbrock_torch(w).backward()
        optimizer.step()
    ours = descend(adam, rosenbrock_gradient, np.array([-1.2, 1.0]), 199, lr=0.05)
    np.testing.assert_allclose(ours, np.array(seen), rtol=1e-9)


REACHED = {   # landscape: rule, rate, options, and how near it comes to a minimum
    "ravine": (sgd, 0.15, {"momentum": 0.5}, 1e-10),
    "Rosenbrock": (adam, 0.05, {}, 0.01),
    "Beale": (rmsprop, 0.01, {}, 0.05),
    "saddle": (heavy_ball, 0.1, {"momentum": 0.8}, 1e-10),
    "noisy quadratic": (sgd, 0.01, {}, 0.5),
}


@pytest.mark.parametrize("name", LANDSCAPES)
def test_a_minimum_can_be_reached_from_the_start(name):
    it, (rule, lr, options, near) = LANDSCAPES[name], REACHED[name]
    gradient = noisy(it.gradient, it.noise, np.random.default_rng(0))
    path = descend(rule, gradient, np.array(it.start, float), 2000, lr=lr, **options)
    assert min(np.linalg.norm(path[-1] - minimum) for minimum in it.minima) <= near
    assert np.isfinite(path).all()


@pytest.mark.parametrize("name", LANDSCAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_path_that_leaves_the_map_ends_without_a_warning(name, rule, dtype):
    """Far too long a step: the path is finite and on the map, then NaN to the end."""
    it = LANDSCAPES[name]
    start = np.array([it.start, it.minima[0]], dtype)
    path = descend(rule, it.gradient, start, 60, lr=1e5)
    assert path.dtype == dtype
    lost = np.isnan(path).any(axis=-1)
    assert path.shape == (61, 2, 2) and (np.abs(path[~lost]) <= FAR).all()
    assert (lost[1:] >= lost[:-1]).all() and np.isnan(path).all(axis=-1)[lost].all()
    if rule not in (adagrad, rmsprop, adam):   # whose first step is lr long, wherever it goes
        assert lost[-1, 0]
    if rule is not adamw:                      # whose decay alone grows by 1 − lr·λ
        assert not lost[:, 1].any()            # and another point goes on


# --- what is refused -------------------------------------------------------------------------

@pytest.mark.parametrize("name", COSTS)
def test_odd_points_are_refused(name):
    for function in COSTS[name][:2]:
        for odd in ([0.0, 1.0], 1.0, None, np.zeros(2, int), np.zeros(3), np.zeros((2, 1)), np.float64(1),
                    np.zeros(()), torch.zeros(2), np.ma.masked_array(np.zeros(2))):
            refused(partial(function, odd), "w")


def test_odd_numbers_are_refused():
    w, rng = points(), np.random.default_rng(0)
    for odd in (0.5, -1, math.nan, math.inf, "10", True, None):
        refused(partial(ravine, w, odd), "kappa")
        refused(partial(ravine_gradient, w, odd), "kappa")
        refused(partial(ravine_hessian, odd), "kappa")
    for odd in (math.nan, math.inf, "left", True):
        refused(partial(ravine, w, 2.0, odd), "angle")
    for odd in (-0.1, math.nan, "1", True):
        refused(partial(noisy, ravine_gradient, odd, rng), "noise")
    refused(partial(noisy, ravine_gradient, 1.0, 0), "rng")
    walk = partial(descend, sgd, ravine_gradient, lr=0.1)
    for odd in (-1, 2.5, None, True):
        refused(partial(walk, w, odd), "steps")
    for odd in ([1.0, 2.0], np.zeros(2, int), np.zeros(()), None):
        refused(partial(walk, odd, 3), "start")
    refused(partial(descend, sgd, ravine_gradient, w, 3, lr=-1), "lr")
    refused(partial(descend, sgd, ravine_gradient, w, 3, lr=0.1, momentum=-1), "momentum")
    assert {f.__name__ for cost in COSTS.values() for f in cost[:2]} < set(landscapes.__all__)
