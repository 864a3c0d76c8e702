"""Whether a picture shows anything at all: how much of it is ink, and how much of that is coloured."""
import numpy as np
from PIL import Image

NARROWEST, LOWEST = 200, 80    # pixels; helpers.plotting.figures draws 160 an inch
# Axes without data cover 1 to 2 % of a figure with ink, none of it coloured; the thinnest curve
# that was tried added 0.4 % of colour.
INK, COLOURED = 0.025, 0.001
NEVER_INK = 0.005


def fault(picture: Image.Image) -> str:
    """Say why a picture shows nothing; nothing when it shows something."""
    if picture.width < NARROWEST or picture.height < LOWEST:
        return f"is smaller than {NARROWEST} x {LOWEST} pixels: {picture.width} x {picture.height}"
    planes = [np.asarray(plane, np.int16) for plane in picture.split()]     # quicker than (H, W, 3)
    ink = np.logical_or.reduce([np.abs(plane - np.median(plane)) > 16 for plane in planes])
    coloured = ink & (np.maximum.reduce(planes) - np.minimum.reduce(planes) > 30)
    if ink.mean() < NEVER_INK:
        return "is blank"
    if ink.mean() < INK and coloured.mean() < COLOURED:
        return "shows a frame and words, but no data"
    return ""
