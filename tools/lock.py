"""Pin, for every system at once, what pyproject.toml asks for; keep the pins that serve.

    python tools/lock.py [--upgrade]     other options go to `uv pip compile` too
"""
import shutil
import subprocess
import sys
from pathlib import Path

COMMAND = ("pip compile pyproject.toml --output-file requirements.txt --universal --python-version 3.11 "
           "--extra test --annotation-style line --quiet").split()


def main(options: list[str]) -> int:
    """Write requirements.txt; say what is needed where uv is missing."""
    uv = shutil.which("uv")
    if not uv:
        print("uv writes the lock: install it first, with `python3 -m pip install uv`.", file=sys.stderr)
        return 1
    named = ["--custom-compile-command", "python3 tasks.py lock"]
    return subprocess.call([uv, *COMMAND, *named, *options], cwd=Path(__file__).resolve().parents[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
