"""Build the web page in build/site, as `python3 tasks.py site` does, and say where it is.

    python site/build.py [--into FOLDER] [--pyodide ADDRESS]     as site/make.py says

The programs that make the page are pinned in site/requirements.txt. They are installed into .venv-site, this
once and when the pins change; .venv is not touched.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE.parent / ".venv-site"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "site.json"
LOCK = HERE / "requirements.txt"
UNREACHABLE = 3     # the exit code when something could not be fetched


class Stop(Exception):
    """A sentence for the person at the keyboard: what is wrong, and what helps."""


def wanted() -> dict[str, str]:
    """The stamp of a finished .venv-site."""
    return {"lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(), "python": sys.version, "folder": str(VENV)}


def prepare() -> None:
    """Make .venv-site what the lock says; raise Stop where that cannot be done."""
    if STAMP.exists() and json.loads(STAMP.read_text(encoding="utf-8")) == wanted():
        return
    print("Making .venv-site, which builds the page: a minute and 300 MB, this once.", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    venv.create(VENV, with_pip=True)
    if subprocess.call([PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check",
                        "--only-binary", ":all:", "-r", LOCK]):
        raise Stop("The packages of site/requirements.txt could not be installed; the reason stands above.")
    STAMP.write_text(json.dumps(wanted()), encoding="utf-8")


def main(options: list[str]) -> int:
    """Prepare, and hand on to make.py."""
    try:
        prepare()
    except (Stop, OSError) as problem:
        print(problem, file=sys.stderr)
        return UNREACHABLE
    return subprocess.call([PYTHON, HERE / "make.py", *options])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
