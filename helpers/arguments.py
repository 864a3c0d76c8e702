"""Arguments checked in the learner's words: every bad one is a ValueError that names it.

The ground floor of `helpers`: the mathematics stands on it, on `functional.windows` and on NumPy.
"""
import operator
from math import inf, isfinite, nan
from numbers import Real

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def integer(name: str, value: int, *, least: int) -> int:
    """`value` as an int that is at least `least`; booleans and fractions are refused."""
    try:
        found = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        found = None
    if found is None or found < least:
        raise ValueError(f"{name}: got {value!r}, expected an integer of at least {least}")
    return found


def number(name: str, value: float, *, least: float = -inf, above: float = -inf, most: float = inf,
           below: float = inf, infinite: bool = False) -> float:
    """`value` as a float inside its bounds; booleans, NaN and, unless `infinite`, ±∞ are refused."""
    try:
        real = type(value) is float or isinstance(value, Real) and not isinstance(value, bool)
        found = float(value) if real else nan
    except OverflowError:   # an integer of more than 308 digits
        found = nan
    inside = least <= found <= most and (above < found or above == -inf) and (found < below or below == inf)
    if not inside or not (infinite or isfinite(found)):
        bounds = {"of at least": least, "above": above, "at most": most, "below": below}
        words = " and ".join(f"{how} {bound:g}" for how, bound in bounds.items() if isfinite(bound))
        kind = f"a number {words}" if words else "a number" if infinite else "a finite number"
        raise ValueError(f"{name}: got {value!r}, expected {kind}")
    return found


def flag(name: str, value: bool) -> bool:
    """`value`, when it is True or False itself."""
    if value is not True and value is not False:
        raise ValueError(f"{name}: got {value!r}, expected True or False")
    return value


def generator(rng: np.random.Generator) -> np.random.Generator:
    """`rng`, when it is a generator of NumPy's random numbers."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng: got {rng!r}, expected a generator, such as np.random.default_rng(0)")
    return rng


def pair(name: str, value: int | tuple[int, int], *, least: int) -> tuple[int, int]:
    """An int, or one int for the height and one for the width, as torch takes them."""
    both = value if isinstance(value, (tuple, list)) else (value, value)
    try:
        height, width = (integer(name, n, least=least) for n in both)
    except ValueError:
        raise ValueError(f"{name}: got {value!r}, expected an integer of at least {least} "
                         f"or a pair (height, width) of them") from None
    return height, width


def floats(name: str, array: np.ndarray, *axes: str) -> np.ndarray:
    """`array`, when it is float32 or float64 and has one of the shapes named in `axes`.

    Each of `axes` names the axes of an allowed shape, such as "N, C, H, W".
    """
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        raise ValueError(f"{name}: got {_kind(name, array)}, expected a NumPy array {_wanted(axes)}")
    if array.dtype not in FLOATS:
        raise ValueError(f"{name}: got an array of {array.dtype}, expected float32 or float64; "
                         f"{name}.astype(float) makes one")
    if all(array.ndim != names.count(",") + 1 for names in axes):
        raise ValueError(f"{name}: got shape {array.shape}, expected {_wanted(axes)}")
    return array


def entries(name: str, value: np.ndarray | float) -> np.ndarray | np.floating:
    """`value` as it came, when it is an array of floats or a number of NumPy's; Python's as float64."""
    if isinstance(value, (int, float)) and not isinstance(value, (bool, np.floating)):
        return np.float64(value)
    if not isinstance(value, (np.ndarray, np.floating)) or isinstance(value, np.ma.MaskedArray):
        raise ValueError(f"{name}: got a {type(value).__name__}, expected a NumPy array of any shape, or a "
                         "number")
    if value.dtype not in FLOATS:
        raise ValueError(f"{name}: got {value.dtype}, expected float32 or float64; {name}.astype(float) "
                         "makes one")
    return value


def same_dtype(**arrays: np.ndarray | None) -> None:
    """Refuse a mixture of float32 and float64, as torch does; None is passed over."""
    found = {name: array.dtype for name, array in arrays.items() if array is not None}
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name} is {dtype}" for name, dtype in found.items())
        raise ValueError(f"{listed}: expected the same dtype for all of them")


def shape(name: str, array: np.ndarray, expected: tuple[int, ...], why: str) -> None:
    """Refuse an array of another shape than `expected`; `why` says where that comes from."""
    if array.shape != tuple(expected):
        raise ValueError(f"{name}: got shape {array.shape}, expected {tuple(expected)}, {why}")


def divisor(groups: int, W: np.ndarray, what: str = "filters") -> int:
    """`groups` as an int that divides the first axis of W, which counts `what`."""
    count = integer("groups", groups, least=1)
    if len(W) % count:
        raise ValueError(f"groups: got {count}, expected a divisor of the {len(W)} {what} in W {W.shape}")
    return count


def channels(W: np.ndarray, x: np.ndarray, groups: int, *, transposed: bool = False) -> int:
    """Check that the filters W fit the channels of x, and count the output's channels."""
    groups = divisor(groups, W, "channels" if transposed else "filters")
    C, (first, second) = x.shape[-3], W.shape[:2]
    takes, outputs = (first, second * groups) if transposed else (second * groups, first)
    if C != takes:
        layout = "channels, filters/groups" if transposed else "filters, channels/groups"
        raise ValueError(f"W: got shape {W.shape}, which with groups={groups} takes {takes} channels, but x "
                         f"has {C}; expected W of shape ({layout}, kh, kw)")
    return outputs


def _wanted(axes: tuple[str, ...]) -> str:
    return " or ".join(f"({names})" if "," in names else f"({names},)" for names in axes)


def _kind(name: str, value: object) -> str:
    kind = type(value).__name__
    if kind == "Tensor":
        return f"a torch Tensor ({name}.detach().numpy() makes an array)"
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
