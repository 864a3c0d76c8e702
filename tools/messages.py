"""The messages of the program: every English text that a reader sees and that is not prose of a notebook.

They are found in the source: strings and f-strings of helpers/ and of the notebooks' code, without
docstrings, keys, and what goes to Python, NumPy or Matplotlib as a setting. A field of an f-string keeps the
name of what it holds: f"step {step + 1} of {self.steps:.0f}" is the message "step {step} of {steps}". Fields
side by side are one field, and each line is a message.
"""
import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.extract import extract

ROOT = Path(__file__).resolve().parents[1]
# Names of arguments whose strings are settings, and of functions that take nothing to be read.
SETTINGS = set("""
    color colors c ec fc mec mfc edgecolor facecolor ha va weight fontweight style fontstyle family fmt ls
    linestyle marker transform cmap aspect dtype mode order layout format textcoords xycoords arrowstyle
    connectionstyle which axis width height grid_template_columns grid_gap flex flex_flow overflow padding
    margin display grid_area xscale yscale interpolation norm where how kind loc zorder boxstyle capstyle
    readout_format indexing encoding usage errors name module file category tag reduction pad_mode casting
    subscripts""".split())
SILENT = set("""
    getattr setattr hasattr einsum import_module compile open replace removeprefix removesuffix split join
    strip startswith endswith encode decode sub match fullmatch findall finditer search tint mix add_class
    register events changed warns filterwarnings namedtuple TypeVar field astype partition tick_params grid
    spines axis set_xscale set_yscale compare_digest run_path has_trait find_spec observe Layout Unicode array
    fromstring ContextVar Path NewType print _wrong""".split())
WORD = re.compile(r"(?<![A-Za-z])(?!d(?:[a-z]|[A-Z][a-z]?)\d?\b)[A-Za-z]{2,}|^a $")   # dW is none
# Where a single word is a label; elsewhere it is a name.
LABELS = (
    "notebooks/", "helpers/widgets/", "helpers/theory/", "helpers/data.py", "helpers/installation.py",
    "helpers/verify/report.py", "helpers/explore/panel.py", "helpers/explore/explorer.py",
    *(f"helpers/exercises/{name}.py" for name in (
        "feedback", "diagnosis", "patterns", "recognisers", "break_it", "catch_it")))


@dataclass(frozen=True)
class Message:
    """A text, and where it stands: a file of the project and a line."""

    text: str
    file: str
    line: int


def messages() -> list[Message]:
    """All messages, in the order of files and lines; the same text may come more than once."""
    found = []
    for folder in ("helpers", "site/python", "site/python_of_page"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found += _of(path, path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code" and not _magic("".join(cell["source"])):
                found += _of(path, "".join(cell["source"]))
    return found


def of_the_page() -> list[Message]:
    """What the scripts of the web page say: the texts that they hand to `say`, `told` and `Error`."""
    found = []
    for path in sorted((ROOT / "site/static").glob("*.js")):
        with path.open("rb") as file:
            found += [Message(text, path.relative_to(ROOT).as_posix(), line) for line, text, *_ in extract(
                "javascript", file, dict.fromkeys(("say", "told", "Error")))]
    return found


def _magic(source):
    return re.search(r"(?m)^\s*[%!]", source)


def _of(path, source) -> list[Message]:
    file = path.relative_to(ROOT).as_posix()
    return [Message(text, file, line) for line, text in texts(ast.parse(source))
            if " " in text or file.startswith(LABELS)]


def texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the text of each message in a piece of source."""
    if isinstance(node, ast.JoinedStr):
        yield from ((node.lineno, line) for line in _lines(template(node)))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from texts(part.value)
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield from ((node.lineno, line) for line in _lines(node.value))
        return
    for child in _children(node):
        yield from texts(child)


def _lines(text):
    """The lines of a text that are messages."""
    if spoken(bare(text)):
        yield from filter(spoken, map(bare, text.split("\n")))


def _children(node):
    """What stands in a node and may be read; not docstrings, annotations, keys and settings."""
    if isinstance(node, ast.Subscript):
        return [node.value]
    if isinstance(node, ast.Compare | ast.Import | ast.ImportFrom | ast.Assert):
        return []
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return []                                                     # a docstring
    if isinstance(node, ast.AnnAssign):
        return [node.value] if node.value else []
    if isinstance(node, ast.FunctionDef):
        return [*node.args.defaults, *(d for d in node.args.kw_defaults if d), *node.body]
    return _arguments(node) if isinstance(node, ast.Call) else list(ast.iter_child_nodes(node))


def _arguments(call):
    """What is read of the arguments of a call."""
    called = getattr(call.func, "attr", getattr(call.func, "id", ""))
    named = [k.value for k in call.keywords if k.arg not in SETTINGS or isinstance(k.value, ast.Call)]
    if called == "Mistake":                            # its name is not shown, and a change is code
        return [call.args[1], *named]
    if called == "Exercise":
        return [call.args[1], *call.args[5:], *named]
    if called == "split" and isinstance(call.func.value, ast.Constant):
        return [_word(word, call) for word in call.func.value.value.split()]
    if called == "explore":                            # a control without a description has its name
        return [*call.args, *named, *(
            _word(k.arg.replace("_", " "), call) for k in call.keywords if isinstance(k.value, ast.Call)
            and "description" not in [one.arg for one in k.value.keywords])]
    if called in SILENT:
        taken = call.args if called in ("join", "replace", "sub") else []
        return [call.func, *(one for one in taken if not isinstance(one, ast.Constant))]
    return [call.func, *call.args, *named]


def _word(text, node):
    return ast.copy_location(ast.Constant(text), node)


def template(node: ast.JoinedStr) -> str:
    """An f-string with the names of its fields."""
    text, names, after = "", [], False
    for part in node.values:
        if isinstance(part, ast.Constant):
            text, after = text + part.value, False
        elif not after:
            names.append(_name(part.value, names))
            text, after = text + "{" + names[-1] + "}", True
    return text


def _name(expression, taken):
    words = [n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(expression)
             if isinstance(n, ast.Name | ast.Attribute) and "self" != getattr(n, "id", "")]
    name = next((word.strip("_") for word in words if word.strip("_").isidentifier()), "value")
    same = sum(re.sub(r"_\d+$", "", one) == name for one in taken)
    return f"{name}_{same + 1}" if same else name


def bare(text: str) -> str:
    """A text without the blanks and the punctuation at its ends."""
    return re.sub(r"\s+", " ", text).strip(" ,;:.")


def spoken(text: str) -> bool:
    """Whether there is a word of English in it, and no code."""
    return bool(WORD.search(re.sub(r"\{\w+\}", "", text))) and not re.search(
        r"</|\b_[a-z]|^\{\w+\}[a-z]+$|^[#%.(]|^\S*[_/.]\S*$", text)
