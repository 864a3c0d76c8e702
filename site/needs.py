"""Which cells of a notebook one of its cells needs: read from the code, nothing runs."""
import ast
import symtable
from typing import NamedTuple

# What a cell calls for its words or its picture alone leaves its arguments as they are.
HARMLESS = {"print", "show", "grade", "three_witnesses", "refuted"}
DRAWN_FROM = {"rng"}            # a generator of random numbers is another one after each draw
AT_ONCE = {"listcomp", "setcomp", "dictcomp", "genexpr"}


class Facts(NamedTuple):
    """Names that a cell defines; whose objects it changes; that it uses at once; that its functions use."""

    defines: set[str]
    changes: set[str]
    uses: set[str]
    later: set[str]


def needed(cells: list[str], last: int) -> list[int]:
    """The places of the cells to run, in order and with the last one, so that cell `last` finds what it uses.

    A function looks its names up when it is called: those of its body are asked for from the end on.
    """
    facts, modules = [_facts(cell) for cell in cells[:last + 1]], set().union(*map(_imported, cells))
    later: set[str] = set()
    while True:
        chosen, found = [last], facts[last].later | later
        wanted = facts[last].uses | found
        for place in range(last - 1, -1, -1):
            fact = facts[place]
            if wanted & (fact.defines | fact.changes - modules):
                chosen.append(place)
                wanted = wanted - fact.defines | fact.uses | fact.later
                found |= fact.later
        if found == later:
            return chosen[::-1]
        later = found


def _facts(source: str) -> Facts:
    """Statement by statement: what a cell has defined itself, it does not take from another."""
    facts = Facts(set(), set(), set(), set())
    for statement in ast.parse(source).body:
        table = symtable.symtable(ast.unparse(statement), "cell", "exec")
        uses, later = _globals(table)
        changes = set().union(*map(_changed, ast.walk(statement)))
        facts.uses.update((uses | changes) - facts.defines)
        facts.later.update(later - facts.defines)
        facts.changes.update(changes | (uses | later) & DRAWN_FROM)
        facts.defines.update(one.get_name() for one in table.get_symbols()
                             if one.is_assigned() or one.is_imported())
    return facts


def _globals(table: symtable.SymbolTable) -> tuple[set[str], set[str]]:
    """The global names that a scope reads at once, and those that the functions in it will read."""
    top = table.get_type() == "module"
    now = {one.get_name() for one in table.get_symbols() if one.is_referenced() and (top or one.is_global())}
    later: set[str] = set()
    for child in table.get_children():
        uses, deferred = _globals(child)
        if child.get_type() == "class" or child.get_name() in AT_ONCE:
            now |= uses
            later |= deferred
        else:
            later |= uses | deferred
    return now, later


def _changed(node: ast.AST) -> set[str]:
    """The names whose objects a statement may change: filled in place, or handed to a call for its effect."""
    if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        return _names(node.value)
    if isinstance(node, ast.AugAssign):
        return _names(node.target)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return set() if _names(node.value.func) & HARMLESS else _names(node.value)
    return set()


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _imported(source: str) -> set[str]:
    return {alias.asname or alias.name.partition(".")[0] for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
