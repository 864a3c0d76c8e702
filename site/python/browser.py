"""A notebook in JupyterLite: an error is shown below its cell, and Run All goes on with the next one."""
import sys

from IPython import get_ipython
from torch import TorchMissing

from helpers.order import translate_error


def go_on() -> None:
    """From now on no error stops Run All; of PyTorch's absence only the sentence is shown."""
    get_ipython().set_custom_exc((Exception,), _tell)


def _tell(shell, kind, error, trace, tb_offset=None):
    translate_error(error)
    lines = [str(error)] if kind is TorchMissing else shell.InteractiveTB.structured_traceback(
        kind, error, trace, tb_offset=tb_offset)
    print(*lines, sep="\n", file=sys.stderr)
