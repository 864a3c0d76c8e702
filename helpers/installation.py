"""The self-check of notebook 00: are Python and all packages here, and new enough?"""
import re
import sys
from importlib import metadata

from helpers.language import say

PROJECT = "gradients-by-hand"


def check_installation() -> str:
    """Check Python and each required package, a line each: fine, too old, or missing; then what to do.

    A browser has its own releases, and no PyTorch: there it says so.
    """
    if sys.platform == "emscripten":
        return _in_browser()
    states = {"python": _state(">=3.11", ".".join(map(str, sys.version_info[:3])))}
    for requirement in metadata.requires(PROJECT) or []:
        if "extra ==" not in requirement:
            name, least = re.match(r"([A-Za-z0-9_.-]+)\s*(.*)", requirement).groups()
            states[name] = _state(least, _version(name))
    lines = [f"{name:<14}{say(state)}" for name, state in states.items()]
    if any(state != "fine" for state in states.values()):
        lines.append(say("\nTo repair it, run in the project's folder: python3 tasks.py setup"))
    return "\n".join(lines)


def _in_browser() -> str:
    lines = [f"{'python':<14}{'.'.join(map(str, sys.version_info[:3]))}{say(', in your browser')}",
             *(f"{name:<14}{_version(name)}" for name in ("numpy", "matplotlib"))]
    return "\n".join([*lines, say("\nPyTorch is not here: a cell that needs it says so in a sentence, and "
                                  "the others run. Nothing has to be repaired.")])


def _state(least: str, found: str | None) -> str:
    wanted = least.removeprefix(">=")
    if found is None:
        return f"missing; version {wanted} or newer is needed"
    if _numbers(found) < _numbers(wanted):
        return f"too old: {found} is here, {wanted} or newer is needed"
    return "fine"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.match(r"\d+(?:\.\d+)*", version)[0].split(".")))
