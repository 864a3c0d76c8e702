"""What a random or a quadratic model must do: mean field, quadratics, landscapes."""
from helpers.theory.deep_mean_field import output_variance, predicted
from helpers.theory.landscapes import descend, noisy, ravine, ravine_gradient
from helpers.theory.random_networks import CASES, measured, measured_distances

__all__ = [
    "CASES", "output_variance", "descend", "measured", "measured_distances", "noisy", "predicted", "ravine",
    "ravine_gradient",
]
