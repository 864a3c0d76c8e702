"""What the page's worker says with its stand-ins for packages, as JSON: explorers, and right answers."""
import json
import math
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "site" / name) for name in ("python", "python_of_page", "")]

import page  # noqa: E402
import sources  # noqa: E402

from helpers.exercises.grading import find  # noqa: E402


def prepared(key, cells):
    for cell in cells:
        page.run(key, cell)


def said(notebook):
    """What the explorers of a notebook say when they wake up, and which worked solutions are right."""
    told = sources.cells_of(json.loads(notebook.read_text(encoding="utf-8")))
    awake, right = [], {}
    for place, (*before, last) in enumerate(told["explorers"]):
        key = f"{notebook.stem} {place}"
        prepared(key, before)
        one = page.wake(key, last, ratio=2)
        one.explorer.go_on(math.inf)
        awake.append([one.sentence, len(one.png)])
    for one in told["exercises"]:
        prepared(one["name"], one["cells"])
        words = page.grade(one["name"], find(one["name"]).source(), one["ask"])
        right[one["name"]] = re.sub("<[^>]*>", " ", words) if ": right" not in words else "right"
    return awake, right


if __name__ == "__main__":
    out, sys.stdout = sys.stdout, sys.stderr          # cells may print
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    print(json.dumps({path.stem: said(path) for path in notebooks}), file=out)
