"""The style of the series: colours, figures, grids, contrast, letters."""
from helpers.plotting.figures import curves, show

__all__ = ["curves", "show"]
