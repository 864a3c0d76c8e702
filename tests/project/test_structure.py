"""The house: who may import whom, how long a function and a module may be, what a signature says.

What import-linter and ruff judge stands in pyproject.toml: who may import whom, docstrings, exports that
exist. Every other rule is a function of source text; a fault is planted for each.
"""
import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from source_lines import code_lines

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "helpers").rglob("*.py"))

LONGEST_FUNCTION = 20
LONGEST_MODULE = 200
# Lists of questions, named mistakes and worked solutions, as a learner writes them: many short things.
LISTS, LONGEST_LIST = ROOT / "helpers/exercises/questions", 500


def source(path):
    return path.read_text(encoding="utf-8")


# --- rules: each returns what is wrong with a source text ------------------------------------

def definitions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def long_functions(text, most=LONGEST_FUNCTION):
    lines, found = code_lines(text), {}
    for node in definitions(ast.parse(text)):
        length = len([line for line in range(node.lineno, node.end_lineno + 1) if line in lines])
        if length > most:
            found[node.name] = length
    return found


def public(tree):
    """Functions of the module and methods of its classes whose names have no underscore in front."""
    owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    return [node for owner in owners for node in owner.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name[0] != "_"]


def without_hints(text):
    """Each public function, and each of its arguments, that says no type."""
    found = set()
    for node in public(ast.parse(text)):
        a = node.args
        arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        bare = {argument.arg for argument in arguments if argument.annotation is None} - {"self", "cls"}
        found |= {f"{node.name}({name})" for name in bare}
        found |= {f"{node.name} ->"} if node.returns is None else set()
    return found


def unexported(text):
    """With __all__, what a module defines in public and does not name there."""
    tree = ast.parse(text)
    own = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    listed = [ast.literal_eval(node.value) for node in tree.body
              if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    return {name for name in own if name[0] != "_"} - set(listed[0]) if listed else set()


def defined_twice(sources):
    """Public functions and classes that two modules define, and constants, once another folder imports one.

    What one picture alone needs, such as its SIZE, may have any name.
    """
    matters, modules = set(), {}
    for path, text in sources.items():
        for node in ast.parse(text).body:
            names = []
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names = [node.name]
                matters.add(node.name)
            elif isinstance(node, ast.ImportFrom):
                near = Path(node.module.replace(".", "/")).parent == path.parent
                matters |= {alias.name for alias in node.names if not near or path.stem == "__init__"}
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                names = {n.id for n in ast.walk(node) if isinstance(getattr(n, "ctx", None), ast.Store)
                         and isinstance(n, ast.Name)}
            for name in names:
                modules.setdefault(name, set()).add(path.as_posix())
    return {name: sorted(modules[name]) for name in matters & set(modules)
            if name[0] != "_" and len(modules[name]) > 1}


# --- the house as it stands ------------------------------------------------------------------

def wrong(rule, paths=MODULES):
    """The modules that break a rule, and how."""
    return {path.relative_to(ROOT).as_posix(): found for path in paths if (found := rule(source(path)))}


def linted(folder):
    """What import-linter says of the contracts in pyproject.toml, for the helpers of a folder."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)},
                          capture_output=True, text=True, encoding="utf-8")


def test_imports_go_one_way():
    ran = linted(ROOT)
    assert ran.returncode == 0, ran.stdout


def test_each_room_says_in_a_sentence_what_lives_there():
    """Its first lines; what else it holds is imports of the names that notebooks use."""
    for path in MODULES:
        if path.stem == "__init__" and path.parent != ROOT / "helpers":
            tree = ast.parse(source(path))
            assert ast.get_docstring(tree)
            assert all(isinstance(node, ast.ImportFrom) or ast.unparse(node).startswith("__all__")
                       for node in tree.body[1:]), path


def test_functions_are_short():
    assert not wrong(long_functions, [*MODULES, ROOT / "tasks.py"])


def test_modules_are_short():
    for path in MODULES:
        most = LONGEST_LIST if path.parent == LISTS else LONGEST_MODULE
        assert len(source(path).splitlines()) <= most, path


def test_what_is_public_says_its_types():
    assert not wrong(without_hints, [path for path in MODULES if path.parent != LISTS])


def test_what_is_public_is_exported():
    assert not wrong(unexported)


def test_a_name_has_one_meaning():
    """The functions of exercises have the names that their learners write, each for its own notebook."""
    sources = {path.relative_to(ROOT): source(path) for path in MODULES if path.parent != LISTS}
    assert not defined_twice(sources)


# --- faults are found ------------------------------------------------------------------------

UPWARDS = {    # a contract, a room, and an import that breaks it
    "Imports point down; rooms beside one another do not know each other":
        ("theory/quadratics", "from helpers.nn import optim"),
    "Mathematics draws nothing": ("nn/optim", "import matplotlib.pyplot"),
    "Sliders and figures know no mathematics": ("plotting/grids", "from helpers import data"),
    "Only the witnesses import torch": ("functional/linear", "from torch.nn import functional"),
    "The mathematics stands on NumPy alone": ("functional/pooling", "def f():\n    import scipy.signal"),
    "Explorers do not know one another": ("widgets/layer_viewer", "from helpers.widgets import wrong_digits"),
    "Exercises need no theory": ("exercises/questions/matrices", "from helpers.theory import mean_field"),
}


def test_imports_that_break_a_contract_and_a_room_without_one_are_found(tmp_path):
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "helpers/attic.py").touch()
    for module, line in UPWARDS.values():
        with (tmp_path / f"helpers/{module}.py").open("a") as file:
            file.write(f"\n{line}\n")
    said = linted(tmp_path).stdout
    assert "helpers.attic" in said and set(re.findall(r"(?m)^(\w.*) BROKEN", said)) == set(UPWARDS), said


@pytest.mark.parametrize(("rule", "text"), [
    ("D100", "x = 1"), ("D101", '"""M."""\nclass A:\n    x = 1'), ("D103", '"""M."""\ndef f(): ...'),
    ("D102", '"""M."""\nclass A:\n    """A."""\n\n    def m(self) -> int: ...'),
    ("F822", '"""M."""\n__all__ = ["gone"]')])
def test_ruff_finds_what_says_nothing_and_an_export_of_nothing(rule, text):
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "helpers/nn/a.py", "-"]
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True)
    assert rule in done.stdout


def body(lines, *, extra=""):
    return f"def f(x):\n{extra}" + "".join(f"    x = {n}\n" for n in range(lines))


def inside(head, text):
    return f"{head}\n" + "".join(f"    {line}\n" for line in text.splitlines())


def test_a_long_function_is_found():
    docstring = '    """One line.\n\n    ' + "And more.\n    " * 30 + '"""\n'
    assert not long_functions(body(19))
    assert long_functions(body(20)) == {"f": 21}
    assert not long_functions(body(19, extra=docstring + "\n    # a comment\n\n" * 9))
    assert long_functions(inside("class A:", body(20))) == {"f": 21}
    text = '    s = """' + "no docstring\n" * 25 + '"""\n'
    assert long_functions(body(1, extra=text)) == {"f": 28}
    wide = "def f(\n" + "".join(f"    x{n},\n" for n in range(25)) + "):\n    return x0\n"
    assert long_functions(wide) == {"f": 28}
    assert long_functions(inside("def outer():", body(20))) == {"outer": 22, "f": 21}


def test_what_says_no_type_is_found():
    silent = "def f(x, *a, y: int, **k): ...\n" + inside("class A:", "def m(self, z) -> int: ...")
    assert without_hints(silent) == {"f(x)", "f(a)", "f(k)", "f ->", "m(z)"}
    hidden = "def _f(x):\n    return x\nclass _A:\n    def m(self, z):\n        return z\n"
    assert not without_hints(hidden + "def g(x: int, *a: int, **k: int) -> None: ...\n")


def test_what_is_not_exported_is_found():
    text = "def f(): ...\nclass A: ...\ndef _g(): ...\n"
    assert unexported(text + "__all__ = ['A']") == {"f"} and not unexported(text)


def test_a_name_of_two_meanings_is_found():
    def twice(*texts):
        return defined_twice({Path(f"helpers/{place}"): text for place, text in texts})
    assert twice(("a/x.py", "def fit(): pass"), ("b/y.py", "class fit: pass")) == {
        "fit": ["helpers/a/x.py", "helpers/b/y.py"]}
    assert not twice(("a/x.py", "def _fit(): pass"), ("b/y.py", "def _fit(): pass"))
    constants = ("a/x.py", "SIZE = 1"), ("b/y.py", "A, SIZE = 1, 2")
    assert not twice(*constants, ("a/z.py", "from helpers.a.x import SIZE"))
    assert set(twice(*constants, ("b/z.py", "from helpers.a.x import SIZE"))) == {"SIZE"}
    assert set(twice(*constants, ("a/__init__.py", "from helpers.a.x import SIZE"))) == {"SIZE"}
