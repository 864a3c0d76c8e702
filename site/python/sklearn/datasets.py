"""The digits and the photograph of scikit-learn, from data.npz beside this file."""
import io
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image


@cache
def _data():
    with np.load(Path(__file__).with_name("data.npz")) as data:
        return dict(data)


def load_digits(*, return_X_y: bool = False) -> object:
    """The 1797 digits as sklearn.datasets.load_digits returns them: data, images and target, or (X, y)."""
    X, y = _data()["digits"].astype(float), _data()["classes"].astype(int)
    return (X, y) if return_X_y else SimpleNamespace(data=X, images=X.reshape(-1, 8, 8), target=y)


def load_sample_image(name: str) -> np.ndarray:
    """The photograph china.jpg, (427, 640, 3) bytes. ValueError for another: a page has only this one."""
    if name != "china.jpg":
        raise ValueError(f"name: got {name!r}; in a browser there is only 'china.jpg'")
    return np.asarray(Image.open(io.BytesIO(_data()["china"].tobytes())))
