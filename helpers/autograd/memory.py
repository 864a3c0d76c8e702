"""How much memory a tape keeps: counted on the graph, and measured."""
import tracemalloc
from collections.abc import Callable

from helpers.autograd.sweep import ordered
from helpers.autograd.variable import Variable

__all__ = ["allocated_bytes", "kept_bytes"]


def kept_bytes(y: Variable) -> int:
    """How many bytes of arrays hang on the graph of y: all that was computed and recorded, y too, no leaves.

    Views of one memory count once.
    """
    owners = {id(owner): owner.nbytes for v in ordered(y) if not v.is_leaf for owner in [_owner(v.value)]}
    given = {id(_owner(v.value)) for v in ordered(y) if v.is_leaf}
    return sum(size for key, size in owners.items() if key not in given)


def allocated_bytes(make: Callable[[], object]) -> tuple[object, int, int]:
    """What make() returns, the bytes allocated by it that are still in use, and the most in use meanwhile.

    By Python's tracemalloc, which sees all memory of NumPy's arrays, and slows Python down.
    """
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    made = make()
    after, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return made, after - before, most - before


def _owner(array):
    while array.base is not None:
        array = array.base
    return array
