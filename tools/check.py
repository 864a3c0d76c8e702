"""Check everything, as `python3 tasks.py test` does, or run pytest with the options given.

    python tools/check.py            style, tests, every notebook; the numbers as an old processor rounds them
    python tools/check.py --all      and what is long: all in the browser, and under each of NumPy's kernels
    python tools/check.py OPTION...  only `pytest OPTION...`

Every command is shown before it runs, and can be run alone.
"""
import os
import platform
import shlex
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUICK = str(ROOT / "tools" / "quick")       # first on the path: what a dozen processes need not import
# Two workers and a browser fill two cores; more threads in each would only wait for one another.
ONE_THREAD = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"
# What is long: most notebooks in the browser, all in Notebook 7, a second run of cells that take half a
# second, most settings of several controls at once.
CHECKS = {"style": "ruff check", "tests": "pytest tests -m 'not long' -n 2 --dist loadscope"}
LONG_TOO = "pytest tests -n 2 --dist loadscope"
# The tests run every notebook in English and compare each output as nbval does; it runs one in both
# languages, and with --all each.
NBVAL = "pytest --nbval notebooks -n 2 --dist loadscope"
# A processor rounds sums in its own way: NumPy's kernels, each with one of torch's.
KERNELS = {"Nehalem": "default", "Sandybridge": "avx2", "Haswell": "default", "Zen": "avx2",
           "SkylakeX": "avx2"}
# In half a minute: what decides by a sum, and one notebook, also in Chinese; the other tests of the
# mathematics are in EVERY.
OLDER = ("pytest tests/theory tests/functional/test_losses.py tests/functional/test_normalization.py "
         "--nbval notebooks/03_matrix_derivatives.ipynb notebooks/zh/03_matrix_derivatives.ipynb "
         "-n 2 --dist loadscope")
EVERY = ("pytest tests/functional tests/nn tests/theory tests/verify --nbval notebooks "
         "--ignore notebooks/zh -n 2 --dist loadscope")
PRODUCT = "import numpy; numpy.ones((200, 200)) @ numpy.ones((200, 200))"


def kernels(name: str) -> dict[str, str]:
    """The variables that choose a kernel of NumPy's, and one of torch's."""
    return {"OPENBLAS_CORETYPE": name, "ATEN_CPU_CAPABILITY": KERNELS[name]}


def run(*command: str, **variables: str) -> int:
    """Run a module of this Python in the project's folder until it ends, and return its exit code."""
    path = os.pathsep.join([QUICK, *filter(None, [os.environ.get("PYTHONPATH")])])
    variables = os.environ | {"PYTHONPATH": path} | variables
    with subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=variables) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:   # the program has had Ctrl-C too, and knows how to end
            process.wait()
            raise
        except SystemExit:          # only we were told to end
            process.terminate()
            raise


def runs_here(name: str) -> bool:
    """Whether this processor has what a kernel of NumPy's is made of; else Python dies of it."""
    return not subprocess.run([sys.executable, "-c", PRODUCT], env=os.environ | kernels(name),
                              stderr=subprocess.DEVNULL).returncode


def _kernels_can_be_chosen() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")


def checks(every: bool) -> dict[str, tuple[str, dict[str, str]]]:
    """The commands by their names, each with its variables."""
    found, chosen = {name: (command, {}) for name, command in CHECKS.items()}, _kernels_can_be_chosen()
    if every:
        found["tests"] = LONG_TOO, {}
    if every or not chosen:
        found["notebooks"] = NBVAL, {}
    if chosen:
        found["older"] = OLDER, kernels("Nehalem")
        found |= {name: (EVERY, kernels(name)) for name in KERNELS if every and runs_here(name)}
    return found


def main(options: list[str]) -> int:
    """Run pytest with these options; without any, or with `--all`, every check whichever fails."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)     # or some twenty processes compile helpers, each anew
    if options not in ([], ["--all"]):
        return run("pytest", *options)
    results = {}
    for name, (command, variables) in checks(every=bool(options)).items():
        settings = "".join(f"{key}={value} " for key, value in variables.items())
        print(f"\n$ {settings}{os.path.relpath(sys.executable, ROOT)} -m {command}", flush=True)
        results[name] = run(*shlex.split(command), **variables)
    print(*(f"\n{name:12} {'FAILED' if code else 'passed'}" for name, code in results.items()))
    return int(any(results.values()))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
