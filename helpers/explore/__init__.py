"""Sliders that move a picture at once: `explore` and what it is made of."""
from helpers.explore.explorer import explore

__all__ = ["explore"]
