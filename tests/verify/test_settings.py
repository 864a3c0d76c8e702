"""Whatever was set in the kernel: checks say the same, and what was set stays set."""
import contextlib
import os

import numpy as np
import pytest
import torch

from helpers.exercises.grading import find, grade
from helpers.verify.settings import settings_of_a_new_kernel
from helpers.verify.witnesses import WitnessError, refuted, three_witnesses

torch.set_num_threads(1)
NAMES = "network.cross_entropy", "pytorch.swish", "optimizers.adamw", "convolution.dx"


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(before)


@contextlib.contextmanager
def default_device(device):
    torch.set_default_device(device)
    yield
    torch.set_default_device(None)


@contextlib.contextmanager
def another_folder():
    before = os.getcwd()
    os.chdir(os.path.sep)
    yield
    os.chdir(before)


@contextlib.contextmanager
def another_generator():
    before = np.random.default_rng
    np.random.default_rng = None
    yield
    np.random.default_rng = before


LEFT_BEHIND = {
    "seterr": lambda: np.errstate(all="raise"),
    "print options": lambda: np.printoptions(precision=1, threshold=2, formatter={"all": lambda _: "?"}),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "float16": lambda: default_dtype(torch.float16),
    "float64": lambda: default_dtype(torch.float64),
    "meta": lambda: default_device("meta"),
    "device context": lambda: torch.device("meta"),
    "folder": another_folder,
    "generator": another_generator,
}


def state():
    """What the kernel is set to."""
    return (np.geterr(), np.get_printoptions(), torch.is_grad_enabled(), torch.is_inference_mode_enabled(),
            torch.get_default_dtype(), torch.zeros(1).device, os.getcwd(), np.random.default_rng)


def check():
    """A function with an ordinary tensor of torch's inside, of the default type and on the default device."""
    x, dy = np.random.RandomState(0).normal(size=(2, 2, 3))
    both = (lambda x: x**2, lambda x: x**2 + torch.zeros(3, dtype=torch.float64) * torch.ones(1))
    with pytest.raises(WitnessError, match="dx"):
        three_witnesses(*both, dy, x=(x, x * dy))
    return repr(three_witnesses(*both, dy, x=(x, 2 * x * dy))) + repr(refuted(*both, dy, x=(x, x * dy)))


def feedback():
    """What the grader says of a wrong answer to most exercises of NAMES."""
    def wrong(*given):
        return given[0] * 0.1234567
    return [repr(grade(name, wrong)) for name in NAMES if name != "pytorch.swish"]


@pytest.fixture(scope="module")
def before():
    """What is said in a new kernel."""
    return check(), feedback()


@pytest.mark.parametrize("what", LEFT_BEHIND)
def test_the_witnesses_and_the_grader_do_not_depend_on_it(what, before):
    with LEFT_BEHIND[what]():
        now = state()
        assert (check(), feedback()) == before
        assert all(grade(name, find(name).solution).passed for name in NAMES)
        assert state() == now


def test_what_a_learners_function_sets_is_gone_afterwards():
    def sets(dy):
        np.seterr(all="raise")
        np.set_printoptions(precision=1)
        torch.set_default_dtype(torch.float16)
        return dy.sum((0, 2, 3))
    before = state()
    assert grade("convolution.db", sets).passed and state() == before


@pytest.mark.parametrize("what", [what for what in LEFT_BEHIND if what not in ("folder", "generator")])
def test_inside_all_is_as_in_a_new_kernel(what):
    new = state()
    with LEFT_BEHIND[what]():
        assert str(state()) != str(new)
        with settings_of_a_new_kernel():
            assert str(state()) == str(new)
