"""The font of Chinese pictures in a browser, where it was fetched."""
from pathlib import Path

from matplotlib.font_manager import fontManager


def add() -> None:
    """Let Matplotlib know of it."""
    for font in Path(__file__).parent.glob("chinese.*tf"):
        fontManager.addfont(font)
