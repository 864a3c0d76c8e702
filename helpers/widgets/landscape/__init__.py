"""The paths of update rules on landscapes of two weights: the explorer of notebook 05."""
from helpers.widgets.landscape.explorer import landscape_explorer
from helpers.widgets.landscape.races import COLORS, race

__all__ = ["COLORS", "landscape_explorer", "race"]
