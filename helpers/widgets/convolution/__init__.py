"""Look through the window of a convolution, and follow its gradient back: notebook 01."""
from helpers.widgets.convolution.explorer import convolution_explorer
from helpers.widgets.convolution.stepper import backward_stepper

__all__ = ["backward_stepper", "convolution_explorer"]
