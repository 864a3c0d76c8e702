"""Make the page in build/site from the notebooks and this folder; build.py runs it in .venv-site."""
import argparse
import shutil
import subprocess
import sys
import urllib.error
from pathlib import Path

import archives
import lite
import sources

from build import UNREACHABLE

BUILD = sources.ROOT / "build"
PYODIDE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"


def main() -> int:
    """Make all, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", default=BUILD / "site", metavar="FOLDER", type=Path)
    parser.add_argument("--pyodide", default=PYODIDE, metavar="ADDRESS", help="where the page finds Pyodide")
    options = parser.parse_args()
    pages = BUILD / "pages"
    sources.gather(pages)
    try:
        archives.unpack(BUILD / "archives", pages / "static")
    except urllib.error.URLError as problem:
        print(f"An archive of site/archives.toml could not be fetched: {problem}.", file=sys.stderr)
        return UNREACHABLE
    sources.give_python(pages / "static", options.pyodide)
    shutil.rmtree(options.into, ignore_errors=True)
    if subprocess.call([sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
                        "-d", BUILD / "doctrees", pages, options.into]):
        return 1
    if lite.build(BUILD / "lite", options.into.resolve(), options.pyodide):
        return 1
    print(f"The page is in {options.into}: any web server can serve it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
