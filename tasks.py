"""Set up and run Gradients by Hand.   python3 tasks.py [--verbose] [--newest] VERB [...]

  lab [OPTION...]        open JupyterLab on the first notebook; options go to JupyterLab
  test [OPTION...]       check everything; with --all, also what takes long, such as other kernels;
                         with other options, run only `pytest OPTION...`
  refresh [NOTEBOOK...]  run notebooks from cleared outputs and store what they print
  bench [NAME...]        time our functions against others, side by side
  marks FOLDER           grade what a class handed in; with --release, write the notebooks for it
  site [OPTION...]       build the web page in build/site; its programs go to .venv-site
  translate [OPTION...]  copy into notebooks/zh what changed, and name what is to be translated
  setup                  only make or repair .venv; the verbs above do so where they need it
  lock [OPTION...]       write the requirements.txt files anew (needs uv; --upgrade takes newer releases)

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
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OLDEST = (3, 11)
VERSION = "{}.{}".format(*sys.version_info)

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "tasks.json"   # says that .venv is ours and, once it is finished, what it holds
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# What a verb hands on to; `lab` and `setup` are done here.
SCRIPTS = {"test": "tools/check.py", "refresh": "tools/refresh.py", "bench": "benchmarks",
           "marks": "tools/marks.py", "lock": "tools/lock.py", "site": "site/build.py",
           "translate": "tools/translate.py"}

# Variables that would lead the Python in .venv, or the pictures of a notebook, astray.
STRAY = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "MPLBACKEND")
NEEDED = "pip numpy torch matplotlib PIL ipywidgets sklearn jupyterlab nbval pytest helpers".split()
PROBE = f"from importlib.util import find_spec; assert all(map(find_spec, {NEEDED}))"


class Stop(Exception):
    """A sentence for the person at the keyboard: what is wrong, and what helps."""


# --- running programs ------------------------------------------------------------------------

def environment() -> dict:
    """The variables of an activated .venv, without the stray ones."""
    variables = {name: value for name, value in os.environ.items() if name not in STRAY}
    path = str(PYTHON.parent) + os.pathsep + variables.get("PATH", "")
    return dict(variables, VIRTUAL_ENV=str(VENV), PATH=path, PYTHONUTF8="1",
                PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")


def run(*command: object) -> int:
    """Run a program until it ends, and return its exit code."""
    before = signal.signal(signal.SIGINT, lambda *_: None)   # it has Ctrl-C too, and knows how to end
    # The program inherits the lock of `alone`, and so keeps it should it outlive us.
    with subprocess.Popen(list(map(str, command)), env=environment(), close_fds=False) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())    # only we are told to end
        code = process.wait()
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return code if code >= 0 else 128 - code


# --- making .venv ----------------------------------------------------------------------------

def wanted(newest: bool) -> dict:
    """The stamp of a finished .venv: where, with which Python and from what it was made."""
    source = b"".join((ROOT / name).read_bytes() for name in ("requirements.txt", "pyproject.toml"))
    return {"folder": str(ROOT), "python": VERSION, "newest": newest,
            "lock": hashlib.sha256(source).hexdigest()}


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
    if VENV.is_symlink() or VENV.exists() and not STAMP.exists():
        aside = ROOT / time.strftime(".venv-%Y%m%d-%H%M%S")
        print(f"This .venv was made by someone else: it is kept as {aside.name}.")
        VENV.rename(aside)
    elif VENV.exists():
        print(f"Removing the old .venv: {reason}.")
        try:
            VENV.rename(trash)
            shutil.rmtree(str(trash))
        except OSError as problem:
            raise Stop(f"The old .venv cannot be removed ({problem}): "
                       "close what still runs in it, then start again.") from None


def make() -> None:
    """Make an empty .venv that is marked as ours from its first moment."""
    print("Making .venv: some minutes and up to 2 GB, this once.", flush=True)
    VENV.mkdir()
    STAMP.write_text("{}", encoding="utf-8")
    # With .venv activated, the running Python is the one just removed: take the one below it.
    python = getattr(sys, "_base_executable", None) or sys.executable
    if run(python, "-m", "venv", VENV):
        raise Stop(f"The .venv for Python {VERSION} could not be made; the reason stands above.")


def setup(newest: bool, verbose: bool, repair: bool) -> int:
    """Make .venv what requirements.txt says; without `repair`, trust a sound one that says it is."""
    goal = wanted(newest)
    if not repair and stamp() == goal and sound():
        return 0
    with alone():
        found = stamp()
        reason = why_anew(found, goal)
        if reason:
            make_room(reason)
            make()
        else:
            print("Bringing .venv up to date with requirements.txt and pyproject.toml.", flush=True)
        STAMP.write_text("{}", encoding="utf-8")
        flags = ["--newest"] * newest + ["--verbose"] * verbose
        code = run(PYTHON, ROOT / "tools" / "install.py", *flags)
        if code and reason or code > 1:
            found = {}          # else pip gave up in good order: what stood before still stands
        STAMP.write_text(json.dumps(found if code else goal), encoding="utf-8")
    return code


# --- verbs -----------------------------------------------------------------------------------

def lab(*options: str) -> int:
    """Open JupyterLab on the first notebook, with the project's folder as its root."""
    extra = []
    if getattr(os, "geteuid", lambda: 1)() == 0:
        extra.append("--allow-root")    # as in a container; Jupyter refuses otherwise
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        extra.append("--no-browser")    # no screen: it prints its address instead
    # As an address and not as a file, so that the address printed leads there too.
    return run(PYTHON, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}",
               "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb", *extra, *options)


def perform(arguments: list) -> int:
    """Read the command line, set up, and do what the verb says."""
    flags = list(itertools.takewhile(lambda word: word.startswith("-"), arguments))
    verb, *rest = arguments[len(flags):] or ["help"]
    if verb == "setup":
        flags, rest = flags + rest, []
    unknown = set(flags) - {"--verbose", "--newest", "--help", "-h"}
    if unknown or verb not in {"help", "lab", "setup", *SCRIPTS}:
        print(f"{__doc__}\nThere is no {min(unknown, default=verb)!r}.")
        return 2
    if verb == "help" or {"--help", "-h"} & set(flags):
        print(__doc__, end="")
        return 0
    check_python()
    if verb in {"lock", "site"}:    # a lock that cannot be installed is written anew; the page needs no .venv
        return run(sys.executable, ROOT / SCRIPTS[verb], *rest)
    code = setup("--newest" in flags, "--verbose" in flags, repair=verb == "setup")
    if verb == "setup" or code:
        print(*["Ready."] * (not code))
        return code
    return lab(*rest) if verb == "lab" else run(PYTHON, ROOT / SCRIPTS[verb], *rest)


def main(arguments: list) -> int:
    """Do what the command line says; end with a sentence where that cannot be done."""
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
