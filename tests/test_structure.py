"""The house: who may import whom, how long a function and a module may be, what a signature says.

Every rule is a function of source text, and a fault is planted for each.
"""
import ast
import fnmatch
import io
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "helpers").glob("*.py"))

TORCH_IS_IMPORTED_IN = {"witnesses"}
GROUND = {"arguments", "columns", "contests", "weaving", "windows"}
MATHEMATICS = GROUND | {"convolution", "differences", "pooling", "linear", "activations", "losses",
                        "normalization", "initialization", "optimizers", "schedules", "clipping",
                        "landscapes", "quadratics"}

LONGEST_FUNCTION = 20
LONGEST_MODULE = 200
# Lists of questions, named mistakes and worked solutions, as a learner writes them: many short things.
LISTS, LONGEST_LIST = "exercises_*", 500
BY_NAME = ("import_module", "__import__")


def source(path):
    return path.read_text(encoding="utf-8")


# --- rules: each returns what is wrong with a source text ------------------------------------

def imported(text):
    """Dotted names of all that is imported anywhere; `from a import b` counts as a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names |= {base} | {f"{base.rstrip('.')}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in BY_NAME:
            names |= {argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)}
    return names


def torch_imports(text):
    return {name for name in imported(text) if name.split(".")[0] in ("torch", "torchvision")}


def strange_to_mathematics(text):
    """What the mathematics floor imports beside NumPy, the standard library and the ground floor."""
    fine = {"helpers", *(f"helpers.{name}" for name in GROUND)}
    own = {name for name in imported(text) if name.split(".")[0] == "helpers"}
    strange = {name for name in own if name not in fine and name.rpartition(".")[0] not in fine - {"helpers"}}
    known = {"numpy", *sys.stdlib_module_names}
    return strange | {name for name in imported(text) - own if name.split(".")[0] not in known}


def definitions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def docstring_lines(tree):
    """The lines of every docstring."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node.body[0] for node in ast.walk(tree)
             if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None]
    return {line for node in found for line in range(node.lineno, node.end_lineno + 1)}


def code_lines(text):
    """The lines that hold code: no comment, no docstring, not blank."""
    empty = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
             tokenize.ENDMARKER)
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in empty:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - docstring_lines(ast.parse(text))


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


def without_docstring(text):
    tree = ast.parse(text)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
    return {getattr(node, "name", "the module") for node in (tree, *classes, *public(tree))
            if not ast.get_docstring(node)}


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


def bound(tree):
    """The names that a module's own lines give a meaning."""
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            stored = [n for n in ast.walk(node) if isinstance(getattr(n, "ctx", None), ast.Store)]
            names |= {n.id for n in stored if isinstance(n, ast.Name)}
    return names


def missing_exports(text):
    """Names in __all__ that the module does not have."""
    tree, found = ast.parse(text), set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            found = set(ast.literal_eval(node.value))
    return found - bound(tree)


def unexported(text):
    """With __all__, what a module defines in public and does not name there."""
    tree = ast.parse(text)
    own = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    listed = [ast.literal_eval(node.value) for node in tree.body
              if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    return {name for name in own if name[0] != "_"} - set(listed[0]) if listed else set()


def is_list(name):
    return fnmatch.fnmatch(name, LISTS)


# --- the house as it stands ------------------------------------------------------------------

@pytest.fixture(params=MODULES, ids=lambda path: path.stem)
def module(request):
    return request.param


def test_there_is_a_house():
    """The rules below are asked of something: these modules are there, and torch is used at all."""
    assert {*GROUND, "convolution", "differences", "witnesses"} <= {path.stem for path in MODULES}
    assert all(torch_imports(source(ROOT / f"helpers/{name}.py")) for name in TORCH_IS_IMPORTED_IN)


def test_torch_is_imported_in_one_place(module):
    if module.stem not in TORCH_IS_IMPORTED_IN:
        assert not torch_imports(source(module))


def test_mathematics_stands_on_numpy_alone(module):
    if module.stem in MATHEMATICS:
        assert not strange_to_mathematics(source(module))


def test_functions_are_short(module):
    assert not long_functions(source(module))


def test_the_functions_of_tasks_are_short():
    assert not long_functions(source(ROOT / "tasks.py"))


def test_modules_are_short(module):
    assert len(source(module).splitlines()) <= (LONGEST_LIST if is_list(module.stem) else LONGEST_MODULE)


def test_what_is_public_says_what_it_is(module):
    assert not without_docstring(source(module))
    assert is_list(module.stem) or not without_hints(source(module))


def test_exports_exist(module):
    assert not missing_exports(source(module))
    assert not unexported(source(module))


# --- faults are found ------------------------------------------------------------------------

@pytest.mark.parametrize("line, found", [
    ("import torch", {"torch"}), ("import torch.nn.functional as F", {"torch.nn.functional"}),
    ("from torch import nn", {"torch", "torch.nn"}), ("def f():\n    import torch", {"torch"}),
    ("if True:\n    from torch.nn import functional", {"torch.nn", "torch.nn.functional"}),
    ("t = importlib.import_module('torch')", {"torch"}), ("t = __import__('torch')", {"torch"}),
    ("import numpy as np", set()), ("torch = 'import torch'", set()), ("import torchlight", set()),
])
def test_an_import_of_torch_is_found(line, found):
    assert torch_imports(line) == found


@pytest.mark.parametrize("line, strange", [
    ("import numpy as np\nimport math\nfrom collections.abc import Callable", set()),
    ("from helpers import arguments as check", set()), ("from helpers.windows import pad, windows", set()),
    ("import helpers.windows", set()),
    ("from helpers import convolution", {"helpers.convolution"}),
    ("from helpers.network import Conv2d", {"helpers.network", "helpers.network.Conv2d"}),
    ("import helpers.figures", {"helpers.figures"}),
    ("from . import convolution", {".", ".convolution"}),
    ("from .windows import pad", {".windows", ".windows.pad"}),
    ("import scipy.signal", {"scipy.signal"}), ("import matplotlib.pyplot as plt", {"matplotlib.pyplot"}),
    ("def f():\n    import torch", {"torch"}),
])
def test_a_stranger_on_the_mathematics_floor_is_found(line, strange):
    assert strange_to_mathematics(line) == strange


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


def test_what_says_nothing_is_found():
    silent = "def f(x, *a, y: int, **k): ...\n" + inside("class A:", "def m(self, z) -> int: ...")
    assert without_hints(silent) == {"f(x)", "f(a)", "f(k)", "f ->", "m(z)"}
    assert without_docstring(silent) == {"the module", "A", "f", "m"}
    hidden = '"""Module."""\ndef _f(x):\n    return x\nclass _A:\n    def m(self, z):\n        return z\n'
    fine = hidden + 'def g(x: int, *a: int, **k: int) -> None:\n    """Do."""\n'
    assert not without_hints(fine) and not without_docstring(fine)


def test_an_export_of_nothing_is_found():
    text = "from a import b as c\nimport d.e\nX: int = 1\ndef f(): pass\nclass A: pass\nfor i in X: y = i\n"
    assert missing_exports(text + "__all__ = ['c', 'd', 'X', 'f', 'A', 'y', 'b', 'gone']") == {"b", "gone"}
    assert not missing_exports(text)
    assert unexported(text + "__all__ = ['A']") == {"f"} and not unexported(text)


def test_only_lists_of_exercises_may_be_long():
    assert is_list("exercises_convolution") and not is_list("exercises") and not is_list("convolution")
