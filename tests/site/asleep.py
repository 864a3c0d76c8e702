"""Wake every explorer as the page's worker does, with its stand-ins for packages; what each says, as JSON."""
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "site" / name) for name in ("python", "python_of_page", "")]

import page  # noqa: E402
import sources  # noqa: E402


def sentences(notebook):
    """What the explorers of a notebook say when they wake up."""
    told = sources.cells_of(json.loads(notebook.read_text(encoding="utf-8")))
    for place, cells in enumerate(told["explorers"]):
        key = f"{notebook.stem} {place}"
        for cell in cells[:-1]:
            page.run(key, cell)
        awake = page.wake(key, cells[-1])
        yield [json.loads(awake.news())["sentence"], len(awake.png)]


if __name__ == "__main__":
    out, sys.stdout = sys.stdout, sys.stderr          # cells may print
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    print(json.dumps({path.stem: list(sentences(path)) for path in notebooks}), file=out)
