"""Whether worked solutions are shown: a setting in the metadata of the notebook, made for a class.

    "metadata": {"gradients_by_hand": {"solutions": false}, …}

No kernel is told what stands in its notebook, but many are told where it lies: by JupyterLab and Notebook in
JPY_SESSION_NAME, by VS Code in a variable. Where nobody says so, or the file has another name by now, all
notebooks in the folder in which the kernel started are asked, and one that withholds speaks for all. Where
there are none, as in Colab, solutions are shown.
"""
import json
import os
import sys
from pathlib import Path

FOLDER = Path.cwd()     # as the kernel started: a learner may go elsewhere
KEY, SETTING = "gradients_by_hand", "solutions"


def solutions_are_shown() -> bool:
    """Whether no notebook that may be the learner's own withholds them."""
    return not any(map(withholds, _notebooks()))


def withholds(path: Path) -> bool:
    """Whether a notebook's metadata say that worked solutions are not shown."""
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        return metadata.get(KEY, {}).get(SETTING) is False
    except (OSError, ValueError, LookupError, TypeError, AttributeError):   # no notebook: it says nothing
        return False


def _notebooks():
    """The learner's notebook where it is known, or else all of its folder."""
    shell = "IPython" in sys.modules and sys.modules["IPython"].get_ipython()
    told = (shell.user_ns.get("__vsc_ipynb_file__") if shell else None) or os.environ.get("JPY_SESSION_NAME")
    own = Path(str(told))
    return [own] if own.suffix == ".ipynb" and own.is_file() else sorted(FOLDER.glob("*.ipynb"))
