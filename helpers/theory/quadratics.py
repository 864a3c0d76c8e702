"""Convergence of gradient descent with momentum on a quadratic: stability, rate, noise floor.

Along an eigenvector of the Hessian H a quadratic is ½·λ·w², and one step is a 2×2 matrix, (w, v) ← M·(w, v):

    v ← γ·v + λ·w, w ← w − η·v      M = [[1 − ηλ, −ηγ], [λ, γ]];  Nesterov [[1 − ηλ(1 + γ), −ηγ²], [λ, γ]]

In the long run every step multiplies |w| by the larger |eigenvalue| of M, and the slowest λ decides. Here

    lr is η, momentum is γ (0: gradient descent), curvature is λ, an eigenvalue of H;

each may be an array, and they are broadcast. At a constant η all this holds for sgd and heavy_ball, whose v
differ by the factor η, and for averaged_momentum with η·(1 − γ) in the place of η. A bad argument is a
ValueError. Sources: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964); Goh,
"Why momentum really works" (2017), Distill, doi:10.23915/distill.00006; nesterov as sgd has it: Sutskever
et al. (2013). Derived in notebooks/05_optimizers.ipynb.
"""
import numpy as np

__all__ = ["REGIMES", "convergence_rate", "critical_momentum", "largest_stable_step", "measured_rate",
           "noise_floor", "optimal_step_and_momentum", "regime"]

Numbers = float | np.ndarray
REGIMES = ("monotone", "critical", "oscillating", "divergent")


def convergence_rate(lr: Numbers, momentum: Numbers, curvature: Numbers, *,
                     nesterov: bool = False) -> Numbers:
    """The rate of convergence: the factor of |w| at each step in the long run, the spectral radius of M.

    Above 1, w grows. Of several curvatures the slowest decides: convergence_rate(lr, momentum, [1,
    kappa]).max().
    """
    half, determinant, discriminant = _characteristic(lr, momentum, curvature, nesterov)
    real = np.abs(half) + np.sqrt(np.maximum(discriminant, 0))
    # |half ± √D|² is the determinant: √γ to the last digit, the same for every λ
    return _answer(np.where(discriminant < 0, np.sqrt(np.maximum(determinant, 0)), real))


def regime(lr: Numbers, momentum: Numbers, curvature: Numbers, *, nesterov: bool = False,
           tolerance: float = 1e-9) -> str | np.ndarray:
    """How w approaches the minimum, one of REGIMES, or an array of them.

    monotone: the eigenvalues of M are real, the larger one is positive. oscillating: they are complex, or the
    larger one is negative. critical: they coincide, their distance is √(4·tolerance) at most. divergent:
    the rate is 1 or more, and w does not approach it.
    """
    half, _, discriminant = _characteristic(lr, momentum, curvature, nesterov)
    rate = convergence_rate(lr, momentum, curvature, nesterov=nesterov)
    tests = [rate > 1 - 1e-12, np.abs(discriminant) <= tolerance, (discriminant > 0) & (half > 0)]
    names = np.select(tests, ["divergent", "critical", "monotone"], "oscillating")
    return names if names.ndim else str(names)


def largest_stable_step(curvature: Numbers, momentum: Numbers = 0.0, *, nesterov: bool = False) -> Numbers:
    """The largest stable lr: 2/λ, with momentum 2(1 + γ)/λ, with nesterov 2(1 + γ)/((1 + 2γ)·λ).

    Above it w grows. Of several curvatures the largest decides. The momentum has to be below 1.
    """
    curvature, momentum = _numbers(curvature=curvature, momentum=momentum)
    _need_convex(curvature, momentum)
    return _answer(2 * (1 + momentum) / (curvature * (1 + 2 * momentum if nesterov else 1)))


def critical_momentum(lr: Numbers, curvature: Numbers, *, nesterov: bool = False) -> Numbers:
    """Critical damping: the momentum with the best rate for one λ, between monotone and oscillating.

    It is (1 − √(ηλ))², with nesterov (1 − √(ηλ))/(1 + √(ηλ)). η·λ has to be 1 at most: above
    that no momentum is monotone, and where the roots meet, at (√(ηλ) − 1)² without nesterov, they are
    negative.
    """
    lr, curvature = _numbers(lr=lr, curvature=curvature)
    _need_convex(curvature)
    _refuse("lr", lr, lr * curvature > 1, "1/curvature at most")
    root = np.sqrt(lr * curvature)
    return _answer((1 - root) / (1 + root) if nesterov else (1 - root)**2)


def optimal_step_and_momentum(least: Numbers, largest: Numbers) -> tuple[Numbers, Numbers]:
    """The best (lr, momentum) for curvatures λ_min … λ_max: (2/(√λ_min + √λ_max))² and ((√κ − 1)/(√κ + 1))².

    It is critical at both ends, and the rate is √γ = (√κ − 1)/(√κ + 1), with κ = λ_max/λ_min.
    """
    low, high = (np.sqrt(end) for end in _ends(least, largest))
    return _answer((2 / (low + high))**2), _answer(((high - low) / (high + low))**2)


def noise_floor(lr: Numbers, momentum: Numbers, curvature: Numbers, noise: Numbers) -> Numbers:
    """The root mean square of w in the long run under noise: σ·√(η(1 + γ) / (λ(1 − γ)(2(1 + γ) − ηλ))).

    Every gradient is λ·w plus a number of standard deviation σ = noise, drawn anew; w is then an
    autoregression of order 2, whose variance this is. For a step that is stable, and not for nesterov.
    """
    lr, momentum, curvature, noise = _numbers(lr=lr, momentum=momentum, curvature=curvature, noise=noise)
    room = 2 * (1 + momentum) - lr * curvature
    _need_convex(curvature, momentum)
    _refuse("lr", lr, room <= 0, "less than largest_stable_step(curvature, momentum)")
    return _answer(noise * np.sqrt(lr * (1 + momentum) / (curvature * (1 - momentum) * room)))


def measured_rate(distances: np.ndarray) -> float:
    """Fit the rate of a run: e to the slope of a straight line through ln(distance), over its second half.

    distances (steps + 1,), at least 4, from the minimum, such as np.linalg.norm(path, axis=-1). A NaN, or a 0
    in the second half, is a ValueError: a run that has diverged, or is at the minimum exactly, has no rate.
    """
    distances, = _numbers(distances=distances)
    if distances.ndim != 1 or len(distances) < 4:
        raise ValueError(f"distances: got shape {distances.shape}, expected (steps + 1,), at least 4 of them")
    tail = distances[len(distances) // 2:]
    _refuse("distances", tail, tail == 0, "numbers above 0 in the second half of the run")
    return float(np.exp(np.polyfit(np.arange(len(tail)), np.log(tail), 1)[0]))


def _characteristic(lr, momentum, curvature, nesterov):
    """Half the trace of M, its determinant, and D such that the eigenvalues are half ± √D."""
    lr, momentum, curvature = _numbers(lr=lr, momentum=momentum, curvature=curvature)
    if nesterov:
        half, determinant = (1 + momentum) * (1 - lr * curvature) / 2, momentum * (1 - lr * curvature)
    else:
        half, determinant = (1 + momentum - lr * curvature) / 2, momentum
    return half, determinant, half**2 - determinant


def _answer(numbers):
    return numbers if np.ndim(numbers) else float(numbers)


def _numbers(**values):
    """Each value as an array of finite numbers, not below 0 but for a curvature: a saddle's may be."""
    arrays = []
    for name, value in values.items():
        array = np.asarray(value)
        if array.dtype.kind not in "iuf":
            raise ValueError(f"{name}: got {value!r}, expected a number, or an array of them")
        array = array.astype(float)
        _refuse(name, array, ~np.isfinite(array), "finite numbers")
        if name != "curvature":
            _refuse(name, array, array < 0, "numbers of at least 0")
        arrays.append(array)
    return arrays


def _need_convex(curvature, momentum=0.0):
    """Refuse a quadratic without a minimum, and a momentum of 1 or more."""
    _refuse("curvature", curvature, curvature <= 0, "numbers above 0")
    _refuse("momentum", momentum, np.asarray(momentum) >= 1, "numbers below 1")


def _ends(least, largest):
    least, largest = _numbers(least=least, largest=largest)
    _refuse("least", least, least <= 0, "numbers above 0")
    _refuse("least", least, least > largest, "no more than the largest")
    return least, largest


def _refuse(name, array, bad, wanted):
    if np.any(bad):
        first = np.broadcast_to(array, np.shape(bad))[bad].flat[0]
        raise ValueError(f"{name}: got {first:.6g}, expected {wanted}")
