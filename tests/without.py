"""What a test does that cannot run on this machine: it says so, and never passes."""
import os
import warnings

import pytest


def do_without(reason, *, optional=False, **options):
    """Skip, and say so loudly; where CI=true, fail, unless another server has to give it (`optional`)."""
    reason = f"NOTHING WAS TESTED IN A BROWSER: {reason}"
    if os.environ.get("CI") == "true" and not optional:
        pytest.fail(reason, pytrace=False)
    warnings.warn(reason, stacklevel=2)
    pytest.skip(reason, **options)
