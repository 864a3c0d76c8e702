"""Plant small faults in a room of helpers, one at a time, and list those that its tests do not notice.

    python tools/mutate.py functional              every fault in helpers/functional
    python tools/mutate.py functional --sample 80  80 of them, the same each time

A fault changes one operator, comparison, constant or sign. The tests of the room, tests/functional, must go
red. A fault that they survive wants a new test, or changes nothing that a caller can see. Needs a system that
forks.
"""
import argparse
import ast
import copy
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 300                                           # tests that need longer than this have noticed
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info")
HEAVY = "hypothesis", "matplotlib.pyplot", "pytest", "torch"   # imported once, not for each fault
PAIRS = ((ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.And, ast.Or), (ast.Lt, ast.LtE), (ast.Gt, ast.GtE),
         (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn))
OPERATORS = {ast.FloorDiv: ast.Div, ast.Pow: ast.Mult, ast.Mod: ast.FloorDiv,
             **dict(PAIRS), **{two: one for one, two in PAIRS}}


# --- faults ----------------------------------------------------------------------------------

def computing(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module that compute: no annotation, no text, no message of an error."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns") or isinstance(tree, (ast.Raise, ast.JoinedStr)):
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST):
                yield node
                yield from computing(node)


def changed(node: ast.AST) -> ast.AST | None:
    """A copy of this node with one fault in it; None where there is nothing to change."""
    node = copy.copy(node)
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in OPERATORS:
        node.op = OPERATORS[type(node.op)]()
    elif isinstance(node, ast.AugAssign):
        return ast.Assign([node.target], node.value)
    elif isinstance(node, ast.Compare):
        node.ops = [OPERATORS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.UnaryOp):
        return node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float)):
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1
    else:
        return None
    return node


class Exchange(ast.NodeTransformer):
    """Put another node in the place of one."""

    def __init__(self, old: ast.AST, new: ast.AST):     # noqa: D107
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """Look at a node, and below it."""
        return ast.copy_location(self.new, node) if node is self.old else self.generic_visit(node)


def faults(path: Path) -> Iterator[tuple[Path, str, str]]:
    """The module, what is changed in it and where, and its text with that fault."""
    text = path.read_text(encoding="utf-8")
    for k in range(len(list(computing(ast.parse(text))))):
        tree = ast.parse(text)
        old = list(computing(tree))[k]
        if new := changed(old):
            words = f"{ast.unparse(old)} → {ast.unparse(ast.fix_missing_locations(new))}"
            tree = ast.fix_missing_locations(Exchange(old, new).visit(tree))
            yield path, f"{path.relative_to(ROOT).as_posix()}:{old.lineno}: {words}", ast.unparse(tree)


# --- tests -----------------------------------------------------------------------------------

def tests(folder: Path, room: str, module: Path | None = None) -> list[list[str]]:
    """The tests of a room; those of the module come first, and alone: they notice most of its faults."""
    files = sorted(str(file.relative_to(folder)) for file in (folder / "tests" / room).rglob("test_*.py"))
    own = [name for name in files if module and module.stem.strip("_") in name]
    return [own, [name for name in files if name not in own]]


def run(folder: Path, files: list[str]) -> None:
    """Become pytest, in this copy of the project and without a word, until its first failure."""
    os.setsid()
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)
    sys.path.insert(0, str(folder))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os._exit(int(sys.modules["pytest"].main(["-x", "-q", "-p", "no:cacheprovider", *files])))


def noticed(folder: Path, groups: list[list[str]]) -> bool:
    """Whether a group of tests goes red, or does not end in time, in this copy of the project."""
    return any(files and red(folder, files) for files in groups)


def red(folder: Path, files: list[str]) -> bool:
    """Whether these tests go red, or do not end in time."""
    child = os.fork()
    if child == 0:
        run(folder, files)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status != 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def survivors(room: str, planted: list[tuple[Path, str, str]]) -> Iterator[str]:
    """The faults that the tests of a room do not notice, as they are found."""
    for name in HEAVY:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        if noticed(folder, tests(folder, room)):
            sys.exit(f"The tests of {room} are red, or take more than {SECONDS} s, without any fault.")
        for path, label, text in planted:
            place = folder / path.relative_to(ROOT)
            place.write_text(text, encoding="utf-8")
            if not noticed(folder, tests(folder, room, path)):
                yield label
            shutil.copy(path, place)


def main() -> None:
    """Plant the faults of the room that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("room")
    parser.add_argument("--sample", type=int, metavar="N", help="plant only N faults")
    options = parser.parse_args()
    modules = sorted((ROOT / "helpers" / options.room).rglob("*.py"))
    found = [fault for module in modules for fault in faults(module)]
    if not found:
        parser.error(f"helpers/{options.room} holds nothing to change")
    if options.sample and options.sample < len(found):
        found = sorted(random.Random(0).sample(found, options.sample))
    missed = 0
    for label in survivors(options.room, found):
        missed += 1
        print(label, flush=True)
    print(f"{options.room}: {len(found) - missed} of {len(found)} faults noticed")


if __name__ == "__main__":
    main()
