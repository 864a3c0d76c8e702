"""How long each notebook takes under strict nbval, and how much memory its kernel needs."""
import subprocess
import sys
import time
from pathlib import Path

from common import publish, table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import refresh  # noqa: E402

# The most that the kernel's process held at any time, by the units of getrusage: KiB, on macOS bytes.
PEAK = """\
import resource, sys
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))"""


def seconds(notebook):
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", notebook],
                          cwd=ROOT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, done.returncode


def megabytes(notebook):
    """The peak memory of a kernel that ran this notebook, in MB."""
    [output] = refresh.execute(notebook, PEAK).cells[-1].outputs
    return int(output.text) / 1e6


def main():
    rows = []
    for notebook in refresh.notebooks():
        took, code = seconds(notebook)
        rows.append({"notebook": notebook.stem, "nbval, s": f"{took:.0f}", "passes": "no" if code else "yes",
                     "kernel, MB": f"{megabytes(notebook):.0f}"})
    publish("Notebooks under nbval", "One after the other: seconds, with the start of pytest and of "
            "the kernel, and the most memory that the kernel held at any time.", table(rows))


if __name__ == "__main__":
    main()
