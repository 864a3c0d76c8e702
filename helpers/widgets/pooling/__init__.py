"""Look through the window of a pooling layer, and follow its gradient back: notebook 02."""
from helpers.widgets.pooling.explorer import DIGIT, pooling_explorer, shifted
from helpers.widgets.pooling.stepper import pooling_stepper

__all__ = ["DIGIT", "pooling_explorer", "pooling_stepper", "shifted"]
