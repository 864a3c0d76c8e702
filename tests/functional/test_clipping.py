"""Clipping against torch.nn.utils: by the norm and by value, and what is refused."""
import math

import numpy as np
import pytest
import torch
from checks import refused

from helpers.functional import clipping
from helpers.functional.clipping import clip_grad_norm, clip_grad_value

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")
SHAPES = (4, 3), (3,), (), (2, 3, 1, 2), (2, 0)
BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def clipped_in_torch(grads, clip, *values, **options):
    """The gradients afterwards, and what torch returned."""
    parameters = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.tensor(g).dtype)) for g in grads]
    for parameter, g in zip(parameters, grads, strict=True):
        parameter.grad = torch.tensor(g)
    returned = clip(parameters, *values, **options)
    return [parameter.grad.numpy() for parameter in parameters], returned


def some_gradients(scale, dtype=np.float64):
    rng = np.random.default_rng(5)
    grads = [np.asarray(scale * rng.normal(size=shape), dtype) for shape in SHAPES]
    for g in grads:
        g.flags.writeable = False
    return grads


def same(ours, theirs, dtype):
    """The largest ‖a − b‖/‖b‖; an empty gradient agrees when it has the right shape."""
    assert len(ours) == len(theirs) and all(isinstance(a, np.ndarray) for a in ours)
    assert all(a.shape == b.shape and a.dtype == b.dtype == dtype for a, b in zip(ours, theirs, strict=True))
    return np.max([np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-30)   # a NaN stays a NaN
                   for a, b in zip(ours, theirs, strict=True)])


MAXIMA = (0.0, 1e-6, 0.5, 1.0, 3.0, 1e3, math.inf)
SCALES = (0.0, 1e-7, 1e-6, 0.1, 1.0, 50.0)


def norm_apart(ours, dtype=np.float64, norm_types=(2.0,)):
    """How far a way to clip is from clip_grad_norm_, on gradients of all sizes."""
    worst = 0.0
    for norm_type in norm_types:
        for max_norm in MAXIMA:
            for scale in SCALES:
                grads = [g for g in some_gradients(scale, dtype) if g.size]
                theirs, before = clipped_in_torch(grads, torch.nn.utils.clip_grad_norm_, max_norm, norm_type)
                clipped, norm = ours(grads, max_norm, norm_type)
                error = abs(norm - before.item()) / max(before.item(), 1e-30)
                worst = np.max([worst, same(clipped, theirs, dtype), error])
    return worst


@BOTH
def test_clipping_by_the_norm_is_torchs(dtype):
    limit = {np.float64: 1e-14, np.float32: 1e-6}[dtype]
    assert norm_apart(clip_grad_norm, dtype, (1, 2, 2.5, math.inf)) <= limit
    grads = some_gradients(2.0, dtype)
    clipped, norm = clip_grad_norm(grads, 1.0)
    theirs, _ = clipped_in_torch(grads, torch.nn.utils.clip_grad_norm_, 1.0)
    assert same(clipped, theirs, dtype) <= limit and norm.dtype == dtype
    filled = [g for g in grads if g.size]    # torch has no largest entry of none
    assert clip_grad_norm(grads, 1.0, math.inf)[1] == clip_grad_norm(filled, 1.0, math.inf)[1]
    assert not any(np.may_share_memory(a, b) for a, b in zip(clipped, grads, strict=True))


def total(grads):
    return math.sqrt(sum((g**2).sum() for g in grads))


def test_clipping_keeps_the_direction_and_one_norm_for_all():
    grads = some_gradients(10.0)
    clipped, before = clip_grad_norm(grads, 2.0)
    assert before == pytest.approx(total(grads)) and total(clipped) == pytest.approx(2.0, rel=1e-6)
    for g, c in zip(grads, clipped, strict=True):
        np.testing.assert_allclose(c, g * 2 / (before + 1e-6), rtol=1e-12)
    assert total(clip_grad_norm(grads, 2.0, eps=0)[0]) == pytest.approx(2.0, rel=1e-12)


@BOTH
@pytest.mark.parametrize("clip_value", [0, 0.1, 1, 100, math.inf])
def test_clipping_by_value_is_torchs(clip_value, dtype):
    for scale in SCALES:
        grads = some_gradients(scale, dtype)
        theirs, _ = clipped_in_torch(grads, torch.nn.utils.clip_grad_value_, clip_value)
        ours = clip_grad_value(grads, clip_value)
        assert same(ours, theirs, dtype) == 0
        assert not any(np.may_share_memory(a, b) for a, b in zip(ours, grads, strict=True))


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_gradients_that_are_not_finite_become_what_torch_makes_of_them(odd):
    """With no warning: one gradient of ∞ ends in NaN, all others in 0; of NaN all end in NaN."""
    grads = [np.array([1.0, odd]), np.ones((2, 3))]
    theirs, before = clipped_in_torch(grads, torch.nn.utils.clip_grad_norm_, 1.0)
    clipped, norm = clip_grad_norm(grads, 1.0)
    for a, b in zip([*clipped, norm], [*theirs, before.numpy()], strict=True):
        np.testing.assert_array_equal(a, b)
    by_value, _ = clipped_in_torch(grads, torch.nn.utils.clip_grad_value_, 1.0)
    np.testing.assert_array_equal(clip_grad_value(grads, 1.0)[0], by_value[0])
    refused(lambda: clip_grad_norm(grads, 1.0, error_if_nonfinite=True), "grads")
    with pytest.raises(RuntimeError):
        clipped_in_torch(grads, torch.nn.utils.clip_grad_norm_, 1.0, error_if_nonfinite=True)


def test_what_cannot_be_clipped_is_refused():
    g = np.ones(3)
    for clip in (clip_grad_norm, clip_grad_value):
        for odd in (g, [], None, "g", (a for a in [g]), {0: g}):
            refused(lambda clip=clip, odd=odd: clip(odd, 1.0), "grads")
        for odd in ([1.0], 1.0, np.ones(3, int), np.ma.masked_array(g), None, torch.ones(3)):
            refused(lambda clip=clip, odd=odd: clip([g, odd], 1.0), "grads[1]")
        refused(lambda clip=clip: clip([g, g.astype(np.float32)], 1.0), "grads[0] is float64, grads[1] is")
    for odd in (-1.0, math.nan, "1", None, True):
        refused(lambda odd=odd: clip_grad_norm([g], odd), "max_norm")
        refused(lambda odd=odd: clip_grad_value([g], odd), "clip_value")
        refused(lambda odd=odd: clip_grad_norm([g], 1.0, eps=odd), "eps")
        refused(lambda odd=odd: clip_grad_norm([g], 1.0, odd), "norm_type")
    refused(lambda: clip_grad_norm([g], 1.0, 0.5), "norm_type")
    assert set(clipping.__all__) == {"clip_grad_norm", "clip_grad_value"}
