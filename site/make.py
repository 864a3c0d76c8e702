"""Make the page in build/site from the notebooks and this folder; build.py runs it in .venv-site."""
import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import archives
import lite
import sources

from build import UNREACHABLE

BUILD = sources.ROOT / "build"
PYODIDE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"


def make(into: Path, pyodide: str) -> int:
    """Make all in the folder `into`; the exit code."""
    pages = BUILD / "pages"
    sources.gather(pages)
    archives.unpack(BUILD / "archives", pages / "static")
    sources.give_python(pages / "static", pyodide)
    shutil.rmtree(into, ignore_errors=True)
    code = subprocess.call([sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
                            "-d", BUILD / "doctrees", pages, into])
    return code or lite.build(BUILD / "lite", into.resolve(), pyodide)


def main() -> int:
    """Make all, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", default=BUILD / "site", metavar="FOLDER", type=Path)
    parser.add_argument("--pyodide", default=PYODIDE, metavar="ADDRESS", help="where the page finds Pyodide")
    options = parser.parse_args()
    try:
        if code := make(options.into, options.pyodide):
            return code
    except archives.Unreachable as problem:
        print(problem, file=sys.stderr)
        return UNREACHABLE
    print(f"The page is in {options.into}: any web server can serve it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
