"""A usual mistake as a change of the worked solution: "eta[t] → eta[0]"."""
import ast
import inspect
from collections.abc import Callable


def changed(solution: Callable, *changes: str) -> Callable:
    """The function that `solution` becomes when it is changed, its head and its docstring apart.

    "a → b" puts b in the place of every a of its source; b may be empty. One change follows the other.
    Raises ValueError when there is no a.
    """
    source = inspect.getsource(solution)
    lines, body = source.splitlines(keepends=True), ast.parse(source).body[0].body
    said = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    head = body[0].end_lineno if said else body[0].lineno - 1
    code = "".join(lines[head:])
    for change in changes:
        old, new = (part.strip() for part in change.split("→"))
        if old not in code:
            raise ValueError(f"change: {old!r} expected in {solution.__name__}, got\n{code}")
        code = code.replace(old, new)
    names = dict(solution.__globals__)
    exec("".join(lines[:head]) + code, names)
    return names[solution.__name__]
