"""The axes of curves."""
import numpy as np
import pytest

from helpers.plotting.figures import curves


@pytest.mark.parametrize("log, scales", [(False, ("linear", "linear")), (True, ("linear", "log")),
                                         ("x", ("log", "linear")), ("xy", ("log", "log"))])
def test_curves_have_the_axes_that_were_asked_for(log, scales):
    ax, = curves({"a": np.ones(3)}, x=np.array([1, 2, 3]), log=log).axes
    assert (ax.get_xscale(), ax.get_yscale()) == scales
