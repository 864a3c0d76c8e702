"""Install into the .venv that runs this program: PyTorch, the packages of requirements.txt, and helpers.

    python tasks.py setup        makes the .venv and hands on to this program

A step that fails ends in one sentence; what pip said is in .venv/setup.log.
"""
import json
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(sys.prefix)
LOG = VENV / "setup.log"
PIP = (sys.executable, "-m", "pip", "install", "--progress-bar", "off")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# JupyterLab's settings: no question about news; and a notebook keeps the state of its widgets, so that one
# that was saved, closed and opened again shows the picture of each slider, not "model not found".
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
            "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}}
# What pip says when it fails, and the sentence for it.
TOLD = {r"No space left on device|Errno 28": "The disk is full: .venv takes about 2 GB.",
        r"connection broken|Could not fetch URL|Max retries|TimeoutError|Protocol":
        "The package index cannot be reached: look at the network, and at pip's proxy settings "
        "if it has any, then start again.",
        r"No matching distribution found for (\S+)":
        f"There is no {{}} for Python {platform.python_version()} on {platform.system()} {platform.machine()}"
        ": try another Python, for example 3.13."}


class Stop(Exception):
    """A sentence for the person at the keyboard: what is wrong, and what helps."""


def logged(command: list, verbose: bool) -> tuple:
    """Run a program with its output in the log; return its exit code and what it said."""
    said = []
    # pip inherits the lock that tasks.py holds, and so keeps it should it outlive us.
    with LOG.open("a", encoding="utf-8") as log, subprocess.Popen(
            command, cwd=ROOT, close_fds=False, encoding="utf-8", errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
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
    code, said = logged(list(map(str, command)), verbose)
    print(" no" if code else " done", flush=True)
    if code and needed:
        raise Stop(diagnosis(said))
    return code, said


def diagnosis(said: str) -> str:
    """One sentence for a failed step or, where none is known, the last lines of what it said."""
    for pattern, sentence in TOLD.items():
        if found := re.search(pattern, said):
            return f"{sentence.format(*found.groups())} What pip said is in {LOG}"
    last = [line for line in said.splitlines() if line.strip()][-5:]
    return "\n    ".join(["The set-up failed:", *last]) + f"\nWhat pip said is in {LOG}"


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
    code, said = step("PyTorch, its CPU build", *PIP, "--no-deps", "--retries", "0", "--timeout", "10",
                      *source, verbose=verbose, needed=False)
    if code and re.search(r"torch-\S+(\+|%2B)cpu\S*\.whl", said):
        raise Stop(diagnosis(said))   # it is there and did not arrive: CUDA is no way out
    if code:
        print("    (none to be had here; the build that follows takes several GB on Linux)")


def install(newest: bool, verbose: bool) -> None:
    """Install PyTorch, every other package, and `helpers` so that edits take effect at once."""
    if sys.platform == "linux":       # elsewhere, the plain build is the CPU build
        install_torch(newest, verbose)
    if newest:
        step("the newest releases, and helpers", *PIP, "--editable", ".[test]", verbose=verbose)
        return
    # Wheels only: a learner's machine has no compiler. What builds `helpers` is in the lock.
    step("the packages in requirements.txt", *PIP, "--only-binary", ":all:", "-r", "requirements.txt",
         verbose=verbose)
    step("helpers", *PIP, "--no-deps", "--no-build-isolation", "--editable", ".", verbose=verbose)


def main(arguments: list[str]) -> int:
    """Install all, and tell JupyterLab its settings; 1 and a sentence where pip gave up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.stdout.reconfigure(errors="replace")      # a path may hold letters that the console lacks
    try:
        install("--newest" in arguments, "--verbose" in arguments)
    except Stop as sentence:
        print(sentence, file=sys.stderr)
        return 1
    except OSError as problem:          # a full disk, a folder that cannot be written
        print(f"The system refuses: {problem}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    settings = VENV / "share/jupyter/lab/settings/overrides.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(SETTINGS))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
