"""Set up and run Gradients by Hand.   python3 tasks.py [--verbose] [--newest] VERB [...]

  lab [OPTION...]        open JupyterLab on the first notebook; options go to JupyterLab
  test [OPTION...]       check everything; with options, run only `pytest OPTION...`
  refresh [NOTEBOOK...]  run notebooks from cleared outputs and store what they print
  bench [NAME...]        time our functions against others, side by side
  setup                  only make or repair .venv; the verbs above do so where they need it
  lock [OPTION...]       write requirements.txt anew (needs uv; --upgrade takes newer releases)

  --verbose              show what pip says while it installs
  --newest               install the newest releases instead of those in requirements.txt
"""
# The standard library only, and no syntax newer than Python 3.6's, so that a Python that is
# too old ends with a sentence and not with a SyntaxError.
import contextlib
import hashlib
import importlib.util
import itertools
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OLDEST = (3, 11)
VERSION = "{}.{}".format(*sys.version_info)
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "tasks.json"   # says that .venv is ours and, once it is finished, what it holds
LOG = VENV / "setup.log"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

# Variables that would lead the Python in .venv, or the pictures of a notebook, astray.
STRAY = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "MPLBACKEND")
# JupyterLab's settings: no question about news; and a notebook keeps the state of its widgets, so that one
# that was saved, closed and opened again shows the picture of each slider, not "model not found".
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
            "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}}
NEEDED = "pip numpy torch matplotlib PIL ipywidgets sklearn jupyterlab nbval pytest helpers".split()
PROBE = f"from importlib.util import find_spec; assert all(map(find_spec, {NEEDED}))"
# Two workers and a browser fill two cores; more threads in each would only wait for one another.
ONE_THREAD = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"
CHECKS = {"style": "ruff check", "tests": "pytest tests -n 2 --dist loadscope",
          "notebooks": "pytest --nbval notebooks -n 2 --dist loadscope"}
# Then the numbers once more, as an old processor rounds them: with other kernels of NumPy's and torch's.
OLDER = {"OPENBLAS_CORETYPE": "Nehalem", "ATEN_CPU_CAPABILITY": "default"}
if platform.machine().lower() in ("x86_64", "amd64"):
    CHECKS["older"] = ("pytest tests/functional tests/theory "
                       "--nbval notebooks/03_matrix_derivatives.ipynb -n 2")


class Stop(Exception):
    """A sentence for the person at the keyboard: what is wrong, and what helps."""


# --- running programs ------------------------------------------------------------------------

def environment() -> dict:
    """The variables of an activated .venv, without the stray ones."""
    variables = {name: value for name, value in os.environ.items() if name not in STRAY}
    path = str(PYTHON.parent) + os.pathsep + variables.get("PATH", "")
    return dict(variables, VIRTUAL_ENV=str(VENV), PATH=path, PYTHONUTF8="1",
                PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")


def run(*command: object, **variables: str) -> int:
    """Run a program in the project's folder until it ends, and return its exit code."""
    interrupted = False
    with subprocess.Popen(list(map(str, command)), cwd=str(ROOT), env=environment() | variables) as process:
        while process.poll() is None:
            try:
                process.wait()
            except KeyboardInterrupt:   # the program has had Ctrl-C too, and knows how to end
                interrupted = True
            except SystemExit:          # only we were told to end
                process.terminate()
                raise
    if interrupted:
        raise KeyboardInterrupt
    return process.returncode


def logged(command: list, verbose: bool) -> tuple:
    """Run a program with its output in the log; return its exit code and what it said."""
    said = []
    # The program inherits the lock of `alone`, and so keeps it should it outlive us.
    with LOG.open("a", encoding="utf-8") as log, subprocess.Popen(
            command, cwd=str(ROOT), env=environment(), close_fds=False, encoding="utf-8",
            errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        log.write(f"$ {' '.join(command)}\n")
        try:
            for line in process.stdout:
                log.write(line)
                said.append(line)
                print(line if verbose else "." * (len(said) % 20 == 0), end="", flush=True)
        except BaseException:
            process.terminate()
            raise
    return process.returncode, "".join(said)


def step(title: str, *command: object, verbose: bool, needed: bool = True) -> tuple:
    """Take one step of the set-up; stop if it fails and is needed."""
    print(f"  {title} ", end="\n" if verbose else "", flush=True)
    start = time.monotonic()
    code, said = logged(list(map(str, command)), verbose)
    print(f" {time.monotonic() - start:.0f} s" if code == 0 else " no", flush=True)
    if code and needed:
        raise Stop(diagnosis(said))
    return code, said


def diagnosis(said: str) -> str:
    """One sentence for a failed step or, where none is known, the last lines of what it said."""
    if re.search(r"No space left on device|Errno 28", said):
        sentence = "The disk is full: .venv takes about 2 GB."
    elif re.search(r"connection broken|Could not fetch URL|Max retries|TimeoutError|Protocol", said):
        sentence = ("The package index cannot be reached: look at the network, and at pip's proxy "
                    "settings if it has any, then start again.")
    elif "No matching distribution found for" in said:
        name = re.search(r"No matching distribution found for (\S+)", said).group(1)
        sentence = (f"There is no {name} for Python {VERSION} on {platform.system()} "
                    f"{platform.machine()}: try another Python, for example 3.13.")
    else:
        last = [line for line in said.splitlines() if line.strip()][-5:]
        sentence = "\n    ".join(["The set-up failed:", *last]) + "\n"
    return f"{sentence} What pip said is in {LOG}"


# --- is .venv sound? -------------------------------------------------------------------------

def wanted(newest: bool) -> dict:
    """The stamp of a finished .venv: where, with which Python and from what it was made."""
    source = [(ROOT / name).read_bytes() for name in ("requirements.txt", "pyproject.toml")]
    return {"folder": str(ROOT), "python": VERSION, "newest": newest,
            "lock": hashlib.sha256(b"".join(source)).hexdigest()}


def stamp() -> dict:
    """The stamp as it stands; nothing when there is none, or none that can be read."""
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def sound() -> bool:
    """Whether the Python in .venv starts and finds the main packages (it imports none)."""
    try:
        return not subprocess.call([str(PYTHON), "-I", "-c", PROBE], stderr=subprocess.DEVNULL)
    except OSError:
        return False


def why_anew(found: dict, goal: dict) -> str:
    """Why .venv must be made anew; an empty string when it need not."""
    if "lock" not in found:
        return "an earlier set-up did not come to its end"
    if not (os.path.exists(found["folder"]) and os.path.samefile(found["folder"], str(ROOT))):
        return f"it was made in {found['folder']}"
    if found["python"] != goal["python"]:
        return f"it was made with Python {found['python']}"
    if found["newest"] != goal["newest"]:
        return f"it holds the {'newest' if found['newest'] else 'pinned'} releases"
    return "" if sound() else "something in it is broken or missing"


# --- making .venv ----------------------------------------------------------------------------

def check_python() -> None:
    """Stop if this Python cannot make the .venv."""
    if sys.version_info < OLDEST:
        raise Stop("This is Python {}, and Gradients by Hand needs {}.{} or newer: install one from "
                   "python.org, then start with it, as in `python3.13 tasks.py lab`."
                   .format(VERSION, *OLDEST))
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise Stop("This Python lacks the modules that make a .venv: on Debian or Ubuntu, "
                   f"`sudo apt install python{VERSION}-venv`; elsewhere, take Python from python.org.")


@contextlib.contextmanager
def alone():
    """Let one set-up at a time work on .venv; the system takes the lock back from the dead."""
    name = hashlib.sha256((str(ROOT) + os.path.expanduser("~")).encode()).hexdigest()[:16]
    with open(os.path.join(tempfile.gettempdir(), f"gradients-by-hand-{name}"), "w") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            if os.name == "nt":
                import msvcrt
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stop("Another set-up of this folder is running: wait for its end, "
                       "then start again.") from None
        yield


def make_room(reason: str) -> None:
    """Remove a .venv of ours that is of no more use; move any other aside."""
    trash = ROOT / ".venv-trash"        # a removal that is cut short is ended by the next
    shutil.rmtree(str(trash), ignore_errors=True)
    if not os.path.lexists(str(VENV)):
        return
    if VENV.is_symlink() or not STAMP.exists():
        aside = ROOT / time.strftime(".venv-%Y%m%d-%H%M%S")
        print(f"This .venv was made by someone else: it is kept as {aside.name}.")
        VENV.rename(aside)
        return
    print(f"Removing the old .venv: {reason}.")
    try:
        VENV.rename(trash)
        shutil.rmtree(str(trash))
    except OSError as problem:
        raise Stop(f"The old .venv cannot be removed ({problem}): "
                   "close what still runs in it, then start again.") from None


def make(verbose: bool) -> None:
    """Make an empty .venv that is marked as ours from its first moment."""
    VENV.mkdir()
    STAMP.write_text("{}", encoding="utf-8")
    # With .venv activated, the running Python is the one just removed: take the one below it.
    python = getattr(sys, "_base_executable", None) or sys.executable
    step(f".venv for Python {VERSION}", python, "-m", "venv", VENV, verbose=verbose)


def install_torch(newest: bool, verbose: bool) -> None:
    """Install PyTorch's CPU build if there is one, so that nobody downloads CUDA by accident.

    Its full name, version+cpu, may come from PyTorch's own index or from whatever index or
    folder pip is configured with. One short try: the plain pin is a way out.
    """
    file, pattern = ("pyproject.toml", r'"(torch[^"]+)"') if newest else (
        "requirements.txt", r"(?m)^(torch==[^\s;]+)")
    torch = re.search(pattern, (ROOT / file).read_text(encoding="utf-8")).group(1)
    source = ["--no-index", "--find-links", CPU_INDEX + "/torch/", torch] if newest else [
        "--extra-index-url", CPU_INDEX, torch + "+cpu"]
    code, said = step("PyTorch, its CPU build", *pip("--no-deps", "--retries", "0", "--timeout", "10"),
                      *source, verbose=verbose, needed=False)
    if code and re.search(r"torch-\S+(\+|%2B)cpu\S*\.whl", said):
        raise Stop(diagnosis(said))   # it is there and did not arrive: CUDA is no way out
    if code:
        print("    (none to be had here; the build that follows takes several GB on Linux)")


def pip(*options: str) -> tuple:
    """The command that installs into .venv what is named after it."""
    return (PYTHON, "-m", "pip", "install", "--progress-bar", "off", *options)


def install(newest: bool, verbose: bool) -> None:
    """Install PyTorch, every other package, and `helpers` so that edits take effect at once."""
    if sys.platform == "linux":       # elsewhere, the plain build is the CPU build
        install_torch(newest, verbose)
    if newest:
        step("the newest releases, and helpers", *pip("--editable", ".[test]"), verbose=verbose)
        return
    # Wheels only: a learner's machine has no compiler. What builds `helpers` is in the lock.
    step("the packages in requirements.txt",
         *pip("--only-binary", ":all:", "-r", "requirements.txt"), verbose=verbose)
    step("helpers", *pip("--no-deps", "--no-build-isolation", "--editable", "."), verbose=verbose)


def finish(goal: dict) -> None:
    """Tell JupyterLab its settings, and sign the finished .venv."""
    settings = VENV / "share/jupyter/lab/settings/overrides.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(SETTINGS))
    STAMP.write_text(json.dumps(goal), encoding="utf-8")


def setup(newest: bool, verbose: bool, repair: bool) -> None:
    """Make .venv what requirements.txt says; without `repair`, trust a sound one that says it is."""
    check_python()
    goal = wanted(newest)
    if repair or stamp() != goal or not sound():
        with alone():
            fill(goal, stamp(), verbose)


def fill(goal: dict, found: dict, verbose: bool) -> None:
    """Bring .venv from the stamp that was found to the one that is the goal."""
    reason = why_anew(found, goal)
    if reason:
        make_room(reason)
        print("Making .venv: some minutes and up to 2 GB, this once.")
        make(verbose)
    else:
        print("Bringing .venv up to date with requirements.txt and pyproject.toml.")
    STAMP.write_text("{}", encoding="utf-8")
    try:
        install(goal["newest"], verbose)
    except Stop:
        if not reason:      # pip gave up in good order: what stood before still stands
            STAMP.write_text(json.dumps(found), encoding="utf-8")
        raise
    finish(goal)


# --- verbs -----------------------------------------------------------------------------------

def lab(*options: str) -> int:
    """Open JupyterLab on the first notebook, with the project's folder as its root."""
    extra = []
    if getattr(os, "geteuid", lambda: 1)() == 0:
        extra.append("--allow-root")    # as in a container; Jupyter refuses otherwise
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        extra.append("--no-browser")    # no screen: it prints its address instead
    with contextlib.suppress(KeyboardInterrupt):    # that is how one leaves JupyterLab
        # As an address and not as a file, so that the address printed leads there too.
        return run(PYTHON, "-m", "jupyterlab", "--ServerApp.root_dir=.",
                   "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb", *extra, *options)
    return 0


def test(*options: str) -> int:
    """Check everything, or run pytest with the given options; each command can be run alone."""
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    if options:
        return run(PYTHON, "-m", "pytest", *options)
    results = {}
    for name, command in CHECKS.items():
        print(f"\n$ {PYTHON.relative_to(ROOT)} -m {command}", flush=True)
        results[name] = run(PYTHON, "-m", *command.split(), **(OLDER if name == "older" else {}))
    print(*(f"\n{name:10} {'FAILED' if code else 'passed'}" for name, code in results.items()))
    return int(any(results.values()))


def refresh(*notebooks: str) -> int:
    """Run notebooks from cleared outputs and store what they print, in one canonical form."""
    paths = [os.path.abspath(name) if os.path.exists(name) else name for name in notebooks]
    return run(PYTHON, "tools/refresh.py", *paths)


def bench(*names: str) -> int:
    """Run the named benchmarks, or all of them, one after the other."""
    scripts = {path.stem[6:]: path for path in sorted(ROOT.glob("benchmarks/bench_*.py"))}
    for name in names:
        if name not in scripts:
            raise Stop(f"There is no benchmark {name!r}; there are: {', '.join(scripts)}.")
    return max([run(PYTHON, scripts[name]) for name in names or scripts], default=0)


def lock(*options: str) -> int:
    """Pin, for every system at once, what pyproject.toml asks for; keep the pins that serve."""
    uv = shutil.which("uv")
    if not uv:
        raise Stop("uv writes the lock: install it first, with `python3 -m pip install uv`.")
    return run(uv, "pip", "compile", "pyproject.toml", "--output-file", "requirements.txt",
               "--universal", "--python-version", "3.11", "--extra", "test",
               "--custom-compile-command", "python3 tasks.py lock",
               "--annotation-style", "line", "--quiet", *options)


VERBS = {"lab": lab, "test": test, "refresh": refresh, "bench": bench,
         "setup": lambda: print("Ready."), "lock": lock}


def perform(arguments: list) -> int:
    """Read the command line, set up, and do what the verb says."""
    flags = list(itertools.takewhile(lambda word: word.startswith("-"), arguments))
    verb, *rest = arguments[len(flags):] or ["help"]
    if verb == "setup":
        flags, rest = flags + rest, []
    unknown = set(flags) - {"--verbose", "--newest", "--help", "-h"}
    if unknown or verb not in {"help", *VERBS}:
        print(f"{__doc__}\nThere is no {min(unknown, default=verb)!r}.")
        return 2
    if verb == "help" or {"--help", "-h"} & set(flags):
        print(__doc__, end="")
        return 0
    if verb != "lock":
        setup("--newest" in flags, "--verbose" in flags, repair=verb == "setup")
    return VERBS[verb](*rest) or 0


def main(arguments: list) -> int:
    """Do what the command line says; end with a sentence where that cannot be done."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if hasattr(sys.stdout, "reconfigure"):      # a path may hold letters that the console lacks
        sys.stdout.reconfigure(errors="replace")
    try:
        return perform(arguments)
    except Stop as sentence:
        print(sentence, file=sys.stderr)
    except OSError as problem:          # a full disk, a folder that cannot be written
        print(f"The system refuses: {problem}.", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
