"""Step through the forward and backward pass of a network: the stepper of notebook 04."""
from helpers.widgets.backprop.stepper import backprop_stepper

__all__ = ["backprop_stepper"]
