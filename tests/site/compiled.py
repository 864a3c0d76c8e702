"""Pyodide's files with byte code in the place of sources, as its CDN serves them below pyc/.

Only Python 3.12 makes byte code that Pyodide 0.27 reads: it runs this file, with two folders as arguments.
"""
import hashlib
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "3.12"
NEVER_ASKED_FOR = "pandas", "pyarrow", "scikit-learn", "scipy"


def compile_all(folder, into):
    """Make `into` of `folder`; where no Python 3.12 is found, with the sources as they are."""
    python = compiler()
    if python is None:
        print("Pyodide's files stay uncompiled, for want of a Python 3.12: it starts in 2 s more.")
        shutil.copytree(folder, into)
    else:
        subprocess.run([python, __file__, folder, into], check=True)


def compiler():
    """A Python of that version: ours, one that can be called, or one of pyenv's; None where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for python in sys.executable, f"python{VERSION}", *pyenv.glob(f"{VERSION}.*/bin/python"):
        found = shutil.which(python) and subprocess.run([python, "--version"], capture_output=True, text=True)
        if found and found.stdout.startswith(f"Python {VERSION}."):
            return python
    return None


def compile_members(archive, into, scratch):
    """Write the archive again, each source as byte code that nothing compares with it."""
    with zipfile.ZipFile(archive) as found, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as made:
        for name in found.namelist():
            content = found.read(name)
            if name.endswith(".py"):
                scratch.write_bytes(content)
                content = Path(py_compile.compile(
                    scratch, scratch.with_suffix(".pyc"), name, doraise=True,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)).read_bytes()
                name += "c"
            made.writestr(name, content)


def main(folder, into):
    """All files of `folder`, the archives among them compiled and their sums told."""
    shutil.copytree(folder, into)
    lock = json.loads((folder / "pyodide-lock.json").read_text())
    packages = [one for one in lock["packages"].values() if not one["name"].startswith(NEVER_ASKED_FOR)]
    with tempfile.TemporaryDirectory() as scratch:
        for name in "python_stdlib.zip", *(one["file_name"] for one in packages):
            compile_members(folder / name, into / name, Path(scratch) / "member.py")
    for package in packages:
        package["sha256"] = hashlib.sha256((into / package["file_name"]).read_bytes()).hexdigest()
    (into / "pyodide-lock.json").write_text(json.dumps(lock))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
