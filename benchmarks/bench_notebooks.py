"""How long each notebook takes under strict nbval, in seconds, one after the other."""
import subprocess
import sys
import time
from pathlib import Path

from common import publish, table

ROOT = Path(__file__).resolve().parents[1]


def seconds(notebook):
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", notebook],
                          cwd=ROOT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, done.returncode


def main():
    rows = []
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        took, code = seconds(notebook)
        rows.append({"notebook": notebook.stem, "seconds": f"{took:.0f}", "passes": "no" if code else "yes"})
    publish("Notebooks under nbval", table(rows))


if __name__ == "__main__":
    main()
