"""An expression drawn as a graph, values forward and gradients backward: the stepper of notebook 08."""
from helpers.widgets.graph_stepper.explorer import graph_stepper

__all__ = ["graph_stepper"]
