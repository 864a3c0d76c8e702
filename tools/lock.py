"""Pin, for every system at once, what pyproject.toml and site/requirements.in ask for; keep what serves.

    python tools/lock.py [--upgrade]     other options go to `uv pip compile` too
"""
import shutil
import subprocess
import sys
from pathlib import Path

LOCKS = {"requirements.txt": "pyproject.toml --extra test", "site/requirements.txt": "site/requirements.in"}
COMMAND = ("pip compile --universal --python-version 3.11 --annotation-style line --quiet "
           "--output-file").split()


def main(options: list[str]) -> int:
    """Write both locks; say what is needed where uv is missing."""
    uv = shutil.which("uv")
    if not uv:
        print("uv writes the lock: install it first, with `python3 -m pip install uv`.", file=sys.stderr)
        return 1
    named = ["--custom-compile-command", "python3 tasks.py lock"]
    root = Path(__file__).resolve().parents[1]
    return max(subprocess.call([uv, *COMMAND, lock, *source.split(), *named, *options], cwd=root)
               for lock, source in LOCKS.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
