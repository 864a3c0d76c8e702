"""The forward and the backward pass of a convolution, to explore: notebook 01."""
from helpers.widgets.convolution.explorer import convolution_explorer
from helpers.widgets.convolution.stepper import backward_stepper

__all__ = ["backward_stepper", "convolution_explorer"]
