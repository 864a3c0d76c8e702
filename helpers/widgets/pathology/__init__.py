"""A deep net whose gradients vanish and explode under the sliders: the explorer of notebook 06."""
from helpers.widgets.pathology.explorer import pathology_explorer, propagate
from helpers.widgets.pathology.figures import (
    chi_at_fixed_point,
    cost_and_speed,
    paths_on_a_cliff,
    theory_and_spread,
    two_inputs_by_layer,
)

__all__ = ["chi_at_fixed_point", "cost_and_speed", "pathology_explorer", "paths_on_a_cliff", "propagate",
           "theory_and_spread", "two_inputs_by_layer"]
