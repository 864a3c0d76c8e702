"""What a random or a quadratic model must do: mean field, quadratics, landscapes."""
from helpers.theory.deep_mean_field import predicted, spread
from helpers.theory.landscapes import descend, noisy, ravine, ravine_gradient
from helpers.theory.random_networks import CASES, measured

__all__ = ["CASES", "descend", "measured", "noisy", "predicted", "ravine", "ravine_gradient", "spread"]
