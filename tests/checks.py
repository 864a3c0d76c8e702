"""What tests of the helpers share: hostile arrays, comparisons with torch, and what a refusal says."""
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st

# The same examples on every machine and in every run: a failure can be repeated.
search = partial(settings, deadline=None, database=None, derandomize=True)
CLOSE = {np.dtype(np.float64): 1e-11, np.dtype(np.float32): 1e-4}
ODD_NUMBERS = (True, np.True_, -1, 2.5, np.float64(2), "2", (1, 2, 3), (1, -1), (2, 1.5), (True, 1),
               ((1, 2), 1), {1: 2}, range(1, 3), np.array([2.0]), np.array([1, 2]), float("nan"), 2j)
VIEWS = {
    "axes exchanged": lambda a: np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2),
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[..., ::-1, ::-1].copy()[..., ::-1, ::-1],
    "Fortran order": np.asfortranarray,
    "channels last": lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, -3, -1)), -1, -3),
}


def axis_pairs(least, most):
    """An int, or two: torch reads both."""
    one = st.integers(least, most)
    return st.one_of(one, st.tuples(one, one))


def both(value):
    """A pair as it is, an int twice."""
    return value if isinstance(value, tuple | list) else (value, value)


def batch_last(a):
    """The same numbers, with the batch last in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0)


def rng(seed=0):
    return np.random.default_rng(seed)


def frozen(rng, shape, dtype=np.float64):
    """Random numbers that raise an error when somebody writes into them."""
    array = rng.normal(size=shape).astype(dtype)
    array.flags.writeable = False
    return array


def tensors(*arrays):
    return [None if a is None else torch.tensor(a, requires_grad=True) for a in arrays]


def agree(ours, theirs, dtype, close=None):
    """Same numbers, shape and dtype, in C order, as torch would hand them on. A NaN equals a NaN."""
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert ours.dtype == dtype and ours.shape == theirs.shape and ours.flags.c_contiguous
    tolerance = CLOSE[np.dtype(dtype)] if close is None else close
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=10 * tolerance)


def own_memory(results, inputs):
    """No result is a view of an argument: who writes into the one does not change the other."""
    assert not any(np.may_share_memory(r, a) for r in results for a in inputs if a is not None)


def refused(call, *names):
    """The message of the ValueError; a sentence that names the argument, what came, what was expected."""
    with pytest.raises(ValueError) as caught:
        call()
    said = str(caught.value)
    assert type(caught.value) is ValueError and "\n" not in said
    assert said.startswith(names), said
    assert "expected" in said and ("got" in said or " is float" in said), said
    return said


def refused_by_torch(call, *arrays, **options):
    arrays = [torch.from_numpy(a.copy()) if isinstance(a, np.ndarray) and a.dtype.isnative
              and a.dtype not in (object, np.longdouble) else a for a in arrays]
    with warnings.catch_warnings(), pytest.raises((RuntimeError, TypeError, ValueError, IndexError)):
        # Before 2.3, NumPy only warns where np.True_ is taken for an index; PyTorch goes on and may crash.
        warnings.filterwarnings("error", message=".*scalars to be interpreted as an index")
        call(*arrays, **options)
