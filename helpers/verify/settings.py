"""Settings that somebody left behind in the kernel, set aside while a check runs.

    np.seterr(all="raise"); torch.set_grad_enabled(False); torch.set_default_dtype(torch.float64)
    with settings_of_a_new_kernel():
        ...                           # as if none of these had been called
"""
import contextlib
import sys
from collections.abc import Iterator

import numpy as np

FLOATING_POINT = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
PRINTING = {"precision": 8, "threshold": 1000, "edgeitems": 3, "linewidth": 75, "suppress": False,
            "nanstr": "nan", "infstr": "inf", "formatter": None, "sign": "-", "floatmode": "maxprec",
            "legacy": False}


def torch_is_here() -> bool:
    """Whether torch was imported, and is torch: a browser has only a module of its names."""
    return hasattr(sys.modules.get("torch"), "get_default_dtype")


@contextlib.contextmanager
def settings_of_a_new_kernel() -> Iterator[None]:
    """Run a block with NumPy's and torch's settings as they are at the start; afterwards all is as before.

    NumPy's answer to floating-point errors and its print options; torch's gradient mode, inference mode,
    default type and default device. torch is not imported here: before somebody does, it has no settings.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(np.errstate(**FLOATING_POINT))
        stack.enter_context(np.printoptions(**PRINTING))
        if torch_is_here():
            torch = sys.modules["torch"]
            stack.callback(torch.set_default_dtype, torch.get_default_dtype())
            torch.set_default_dtype(torch.float32)
            for mode in torch.inference_mode(False), torch.device("cpu"):    # the first: gradients on, too
                stack.enter_context(mode)
        yield
