"""The lines of a source text that hold code."""
import ast
import io
import tokenize


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
