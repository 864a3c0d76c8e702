"""A network overfits a few digits while one watches: λ, dropout, train size, early stopping; notebook 05."""
from helpers.widgets.overfitting.explorer import overfitting_explorer
from helpers.widgets.overfitting.runs import overfit

__all__ = ["overfit", "overfitting_explorer"]
