"""Run every notebook of the JupyterLite as far as it goes without torch; what fails and where, as JSON."""
import contextlib
import io
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "site" / name) for name in ("python", "python_of_page", "")]

import below  # noqa: E402
import lite  # noqa: E402
import page  # noqa: E402


def failures(notebook):
    """How many cells of code the notebook has, and those that fail in the browser, each with its error."""
    told = json.loads(notebook.read_text(encoding="utf-8"))
    _, *cells = [cell["source"] for cell in lite.adapted(told)["cells"] if cell["cell_type"] == "code"]
    with contextlib.redirect_stdout(io.StringIO()):
        ran = [(cell, page.run(notebook.stem, cell)) for cell in cells]
    of_the_notebook = [cell for cell in cells if not cell.startswith(below.SAID)]
    return len(of_the_notebook), [one for one in ran if one[1]]


if __name__ == "__main__":
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    print(json.dumps({path.stem: failures(path) for path in notebooks}))
