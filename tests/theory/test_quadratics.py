"""The theory of the quadratic against real runs of the update rules: limits, rates, regimes, noise."""
import math
from functools import partial

import numpy as np
import pytest
from checks import refused

from helpers.functional.optimizers import averaged_momentum, heavy_ball, sgd
from helpers.theory.landscapes import descend, noisy, ravine_gradient
from helpers.theory.quadratics import (
    REGIMES,
    convergence_rate,
    critical_momentum,
    largest_stable_step,
    measured_rate,
    noise_floor,
    optimal_step_and_momentum,
    regime,
)

pytestmark = pytest.mark.filterwarnings("error")
NESTEROV = pytest.mark.parametrize("nesterov", [False, True], ids=["momentum", "nesterov"])

# The same method three times: at a constant rate the conventions coincide.
CONVENTIONS = {"sgd": (sgd, lambda lr, momentum: lr), "heavy ball": (heavy_ball, lambda lr, momentum: lr),
               "average": (averaged_momentum, lambda lr, momentum: lr / (1 - momentum))}


def slope(curvature):
    return lambda w: curvature * w


def run(lr, momentum, curvature, steps, *, nesterov=False, start=1.0):
    """The path along one eigenvector, w at every step."""
    more = {"nesterov": True} if nesterov and momentum else {}
    return descend(sgd, slope(curvature), np.array([start]), steps, lr=lr, momentum=momentum, **more)[:, 0]


def some_settings(count):
    """Rates, momenta and curvatures of every regime."""
    rng = np.random.default_rng(0)
    curvature = rng.uniform(0.3, 5, count)
    lr, momentum = rng.uniform(0.02, 4.5, count) / curvature, rng.uniform(0.01, 0.98, count)
    return np.stack([lr, momentum, curvature], axis=-1)


# --- one step, and its eigenvalues -----------------------------------------------------------

def matrix(lr, momentum, curvature, nesterov):
    """A step of sgd, with the columns of the identity as two pairs (w, v)."""
    w, v = np.eye(2)
    w, (_, v) = sgd(w, curvature * w, (1, v), lr=lr, momentum=momentum, nesterov=nesterov)
    return np.stack([w, v])


@NESTEROV
def test_the_rate_is_the_spectral_radius_of_a_step(nesterov):
    for setting in (*some_settings(200), [0.1, 0.01, 2], [0.5, 1.2, 1], [0.3, 0.5, -1]):
        truth = np.abs(np.linalg.eigvals(matrix(*setting, nesterov))).max()
        assert convergence_rate(*setting, nesterov=nesterov) == pytest.approx(truth, rel=1e-7)


def test_arrays_are_broadcast():
    lr, momentum = np.array([[0.1], [0.2], [0.3]]), np.array([0.5, 0.9])
    rates = convergence_rate(lr, momentum, 2.0)
    assert rates.shape == regime(lr, momentum, 2.0).shape == (3, 2)
    assert rates[2, 1] == convergence_rate(0.3, 0.9, 2.0) != rates[2, 0]
    assert convergence_rate(0.3, 0.9, [1, 2, 3]).shape == (3,)
    assert type(convergence_rate(0.3, 0.9, 2.0)) is float and type(regime(0.3, 0.9, 2.0)) is str


def test_swings_of_all_curvatures_have_one_rate():
    """To the last digit, or rounding would decide which of two directions is the slower one."""
    rates = convergence_rate(0.19, np.array([[0.5], [0.83]]), [1, 2, 5.5])
    assert np.array_equal(rates, np.sqrt([[0.5] * 3, [0.83] * 3]))
    assert convergence_rate(0.2, 0.9, 1, nesterov=True) == math.sqrt(0.9 * (1 - 0.2))


def test_the_rate_of_gradient_descent():
    lr = np.linspace(0, 3, 31)
    np.testing.assert_allclose(convergence_rate(lr, 0, 0.9), np.abs(1 - 0.9 * lr), atol=1e-15)
    np.testing.assert_allclose(convergence_rate(lr, 0, 0.9, nesterov=True), np.abs(1 - 0.9 * lr), atol=1e-15)


# --- rates of runs ---------------------------------------------------------------------------

@NESTEROV
def test_rates_are_those_of_runs(nesterov):
    """Fitted to the last half of 400 steps; the wobble of an oscillation leaves 1 %."""
    tried = 0
    for lr, momentum, curvature in some_settings(200 if nesterov else 60):
        rate = convergence_rate(lr, momentum, curvature, nesterov=nesterov)
        if 0.6 < rate < 1.02:
            fitted = measured_rate(np.abs(run(lr, momentum, curvature, 400, nesterov=nesterov)))
            assert fitted == pytest.approx(rate, rel=0.01)
            tried += 1
    assert tried > 15


@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_three_conventions_have_one_rate(name):
    rule, lr_of = CONVENTIONS[name]
    for lr, momentum, kappa in ((0.05, 0.5, 20), (0.02, 0.9, 20), (0.15, 0.7, 20)):
        path = descend(rule, partial(ravine_gradient, kappa=kappa, angle=0.5), np.array([3.0, 1.0]), 300,
                       lr=lr_of(lr, momentum), momentum=momentum)
        rate = convergence_rate(lr, momentum, [1, kappa]).max()
        assert measured_rate(np.linalg.norm(path, axis=-1)) == pytest.approx(rate, rel=0.01)


# --- the largest stable step -----------------------------------------------------------------

def bisected(grows, low, high):
    """The lr between low and high above which a run grows."""
    assert not grows(low) and grows(high)
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (low, middle) if grows(middle) else (middle, high)
    return low


@NESTEROV
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_the_largest_stable_step_of_runs(momentum, nesterov, curvature=3.0):
    """Found by bisection of real runs, which know nothing of the theory."""
    def grows(lr):
        w = np.abs(run(lr, momentum, curvature, 600, nesterov=nesterov))
        return not w[500:].max() <= w[300:400].max()   # a NaN has diverged
    limit = largest_stable_step(curvature, momentum, nesterov=nesterov)
    assert largest_stable_step(curvature) == 2 / curvature
    assert nesterov or largest_stable_step(curvature, momentum) == limit
    assert bisected(grows, 0.5 / curvature, 5 / curvature) == pytest.approx(limit, rel=1e-6)
    assert convergence_rate(0.999 * limit, momentum, curvature, nesterov=nesterov) < 1
    assert convergence_rate(1.001 * limit, momentum, curvature, nesterov=nesterov) > 1
    assert convergence_rate(limit, momentum, curvature, nesterov=nesterov) == pytest.approx(1, abs=1e-9)


# --- what is best ----------------------------------------------------------------------------

@NESTEROV
@pytest.mark.parametrize("reach", [0.01, 0.2, 0.9])
def test_the_critical_momentum_is_the_best_for_one_curvature(reach, nesterov, curvature=2.5):
    lr = reach / curvature
    best = critical_momentum(lr, curvature, nesterov=nesterov)
    many = np.linspace(0, 1, 2001)
    rates = convergence_rate(lr, many, curvature, nesterov=nesterov)
    assert many[rates.argmin()] == pytest.approx(best, abs=1e-3)
    assert regime(lr, best, curvature, nesterov=nesterov) == "critical"
    assert regime(lr, best * 0.99, curvature, nesterov=nesterov) == "monotone"
    assert regime(lr, best + 0.001, curvature, nesterov=nesterov) == "oscillating"


@pytest.mark.parametrize("kappa", [1.0, 2.0, 10.0, 100.0])
def test_the_best_step_and_momentum(kappa, least=0.5):
    """No (η, γ) of a fine net is better; the formulas of κ; a run gets what is promised."""
    ends = np.array([least, kappa * least])
    lr, momentum = optimal_step_and_momentum(*ends)
    root = (math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)
    assert momentum == pytest.approx(root**2, abs=1e-15)
    promised = convergence_rate(lr, momentum, ends).max()
    assert promised == pytest.approx(root, abs=1e-6)      # at a double root rounding is felt as its root
    rates, momenta = np.linspace(0.01, 4 / ends[1], 301)[:, None, None], np.linspace(0, 0.99, 199)[:, None]
    net = convergence_rate(rates, momenta, np.linspace(*ends, 7))
    assert promised - 1e-6 <= net.max(axis=-1).min() < promised + 0.05
    if kappa > 1:
        assert [regime(lr, momentum, λ, tolerance=1e-7) for λ in ends] == ["critical", "critical"]
        path = descend(heavy_ball, lambda w: ends * w, np.ones(2), 150, lr=lr, momentum=momentum)
        distances = np.linalg.norm(path, axis=-1) / np.arange(1, 152)    # t·ρᵗ, for the root is a double one
        assert measured_rate(distances) == pytest.approx(root, rel=0.01)


# --- regimes ---------------------------------------------------------------------------------

def turns(w):
    """How often a run crosses the minimum, before rounding is all that is left of it."""
    w = w[np.abs(w) > 1e-200]
    return int((np.sign(w[1:]) != np.sign(w[:-1])).sum())


@NESTEROV
def test_regimes_are_those_of_runs(nesterov):
    seen = set()
    for lr, momentum, curvature in some_settings(50):
        named = regime(lr, momentum, curvature, nesterov=nesterov)
        w = run(lr, momentum, curvature, 400, nesterov=nesterov)
        if named == "divergent":
            assert not np.abs(w[-20:]).max() < np.abs(w[:20]).max()
        else:
            assert np.abs(w[-20:]).max() < np.abs(w[:20]).max()
            assert (turns(w) == 0) == (named == "monotone"), (lr, momentum, curvature)
        seen.add(named)
    assert seen == {"monotone", "oscillating", "divergent"}


def test_regimes_by_hand():
    assert [regime(lr, 0, 1.0) for lr in (0.5, 1.0, 1.5, 2.5)] == list(REGIMES)
    assert regime(2.0, 0, 1.0) == regime(0, 0.5, 1.0) == regime(0.1, 1.0, 1.0) == "divergent"
    assert regime(0.1, 0.3, -1.0) == "divergent"      # off a saddle
    assert regime(0.25, 0.25, 1.0) == regime(2.25, 0.25, 1.0) == "critical"     # (1 ∓ √γ)²
    assert regime(0.25, 0.26, 1.0) == "oscillating" and regime(0.25, 0.26, 1.0, tolerance=0.1) == "critical"
    assert regime([0.5, 2.5], [[0.0], [0.9]], 1.0).tolist() == [["monotone", "divergent"],
                                                              ["oscillating", "oscillating"]]


# --- noise -----------------------------------------------------------------------------------

def scatter(name, lr, momentum, curvature, noise):
    """Of 2000 runs side by side, after the start is forgotten."""
    rule, lr_of = CONVENTIONS[name]
    gradient = noisy(slope(curvature), noise, np.random.default_rng(4))
    path = descend(rule, gradient, np.zeros((2000, 1)), 300, lr=lr_of(lr, momentum), momentum=momentum)
    return math.sqrt((path[150:]**2).mean())


NOISY = (0.1, 0.0, 1.0, 0.7), (0.1, 0.9, 1.0, 0.7), (0.5, 0.5, 3.0, 0.2)


@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize("setting", NOISY, ids=str)
def test_the_noise_floor_of_runs(name, setting):
    assert scatter(name, *setting) == pytest.approx(noise_floor(*setting), rel=0.02)


def test_momentum_is_paid_for_in_noise():
    """At the same η the floor is about 1/√(1 − γ) times as high; at the same η/(1 − γ) about as high."""
    plain = noise_floor(1e-4, 0.0, 1.0, 1.0)
    assert noise_floor(1e-4, 0.9, 1.0, 1.0) / plain == pytest.approx(math.sqrt(10), rel=1e-3)
    assert noise_floor(1e-5, 0.9, 1.0, 1.0) / plain == pytest.approx(1, rel=1e-3)
    assert noise_floor(0.3, 0.0, 2.0, 0.5) == pytest.approx(0.5 * math.sqrt(0.3 / (2 * (2 - 0.6))))


# --- the ruler, and what is refused ----------------------------------------------------------

def test_the_measured_rate():
    t = np.arange(101)
    assert measured_rate(3 * 0.9**t) == pytest.approx(0.9, rel=1e-12)
    assert measured_rate(np.append(np.ones(40), 0.8 ** t[:60])) == pytest.approx(0.8)   # the second half
    assert measured_rate(1.05**t) == pytest.approx(1.05)
    assert type(measured_rate([8, 4, 2, 1])) is float
    for odd in ([], [1, 2, 3], np.ones((4, 2)), [1, 1, 0, 1], [1, math.nan, 1, 1], [1, 1, -1, 1], "4", None):
        refused(partial(measured_rate, odd), "distances")
    assert measured_rate([0, 1, 0.5, 0.25]) == pytest.approx(0.5)


def test_odd_numbers_are_refused():
    for function in (convergence_rate, regime):
        for odd in (-0.1, math.nan, math.inf, "0.1", None, True, [0.1, -0.1]):
            refused(partial(function, odd, 0.5, 1.0), "lr")
            refused(partial(function, 0.1, odd, 1.0), "momentum")
        for odd in (math.nan, "1", [1.0, math.inf]):
            refused(partial(function, 0.1, 0.5, odd), "curvature")
    for odd in (0, -1, math.nan, [1, 0]):
        refused(partial(largest_stable_step, odd), "curvature")
        refused(partial(critical_momentum, 0.1, odd), "curvature")
        refused(partial(noise_floor, 0.1, 0.5, odd, 1.0), "curvature")
        refused(partial(optimal_step_and_momentum, odd, 2), "least")
    for odd in (1.0, 1.5, -0.1):
        refused(partial(largest_stable_step, 1.0, odd), "momentum")
        refused(partial(noise_floor, 0.1, odd, 1.0, 1.0), "momentum")
    refused(partial(critical_momentum, 1.01, 1.0), "lr")
    refused(partial(noise_floor, 3.0, 0.5, 1.0, 1.0), "lr")
    refused(partial(noise_floor, 0.1, 0.5, 1.0, -1.0), "noise")
    refused(partial(optimal_step_and_momentum, 2, 1), "least")
    refused(partial(optimal_step_and_momentum, 1, math.inf), "largest")
