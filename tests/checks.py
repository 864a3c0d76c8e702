"""What tests of the helpers share: hostile arrays, comparisons with torch, and what a refusal says."""
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import settings

# The same examples on every machine and in every run: a failure can be repeated.
search = partial(settings, deadline=None, database=None, derandomize=True)
CLOSE = {np.dtype(np.float64): 1e-11, np.dtype(np.float32): 1e-4}


def frozen(rng, shape, dtype=np.float64):
    """Random numbers that raise an error when somebody writes into them."""
    array = rng.normal(size=shape).astype(dtype)
    array.flags.writeable = False
    return array


def tensors(*arrays):
    return [None if a is None else torch.tensor(a, requires_grad=True) for a in arrays]


def agree(ours, theirs, dtype):
    """Same numbers, shape and dtype, in C order, as torch would hand them on."""
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert ours.dtype == dtype and ours.shape == theirs.shape and ours.flags.c_contiguous
    tolerance = CLOSE[np.dtype(dtype)]
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
