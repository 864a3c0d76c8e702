"""Make the page in build/site from the notebooks and this folder; build.py runs it in .venv-site."""
import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import archives
import in_chinese
import lite
import sources

from build import UNREACHABLE

BUILD = sources.ROOT / "build"
PYODIDE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/pyc/"       # compiled: from full/ it starts in 2 s more


def make(into: Path, pyodide: str) -> int:
    """Make all in the folder `into`; the exit code."""
    pages = BUILD / "pages"
    sources.gather(pages)
    archives.unpack(BUILD / "archives", pages / "static")
    sources.give_python(pages / "static", pyodide)
    in_chinese.gather(pages)
    in_chinese.give_python(pages / "static", pages / "letters")
    shutil.rmtree(into, ignore_errors=True)
    both = [sphinx(pages, pages, into), sphinx(pages, pages / "zh", into / "zh", "-t", "zh")]
    code = max(one.wait() for one in both)
    in_chinese.share(into)
    return code or lite.build(BUILD / "lite", into.resolve(), pyodide)


def sphinx(configuration: Path, pages: Path, into: Path, *options: str) -> subprocess.Popen:
    """Begin to make HTML of these pages."""
    kept = BUILD / f"doctrees-{into.name}"
    return subprocess.Popen([sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
                             "-c", configuration, "-d", kept, *options, pages, into])


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
