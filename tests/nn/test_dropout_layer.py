"""The layer of dropout: a mask for each call, the same one for its backward, none in use."""
import numpy as np
import pytest
from checks import CLOSE, frozen, refused, rng
from torch import nn

from helpers.nn.dropout import Dropout
from helpers.nn.memory import no_grad


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_layer_draws_a_mask_for_each_call_and_sends_back_through_it(dtype):
    layer, x, dy = Dropout(0.4, rng=rng()), frozen(rng(1), (6, 5), dtype), frozen(rng(2), (6, 5), dtype)
    first = layer(x)
    dx = layer.backward(dy)
    np.testing.assert_allclose(dx, dy * (first != 0) / 0.6, rtol=CLOSE[np.dtype(dtype)])
    assert dx.dtype == dtype
    assert not np.array_equal(first, layer(x))
    layer.forget()
    np.testing.assert_array_equal(layer.eval()(x), x)
    np.testing.assert_array_equal(layer.backward(dy), dy)
    assert list(layer.state_dict()) == list(nn.Dropout(0.4).state_dict()) == []
    assert repr(layer) == "Dropout(p=0.4)"


def test_a_look_with_other_data_does_not_change_the_mask_of_backward():
    layer, x, dy = Dropout(0.5, rng=rng()), frozen(rng(1), (6, 5)), frozen(rng(2), (6, 5))
    y = layer(x)
    with no_grad():
        layer(x + 1)
    layer.eval()(x + 2)
    np.testing.assert_array_equal(layer.train().backward(dy), 2 * dy * (y != 0))


def test_odd_arguments_are_refused():
    for p in (-0.1, 1.1, None, "half", np.nan, True):
        refused(lambda p=p: Dropout(p, rng=rng()), "p")
    refused(lambda: Dropout(rng=None), "rng")
