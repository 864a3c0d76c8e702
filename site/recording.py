"""Make the two data files of site/python anew, in the .venv that has PyTorch and scikit-learn:

    .venv/bin/python site/recording.py
"""
import json
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from needs import needed
from recorded_explorers import RECORDED

HERE = Path(__file__).resolve().parent
DIGITS = 7      # binary ones that are kept of a gradient of the hooks: the picture bins them


def code_cells(notebook: Path) -> list[str]:
    """The sources of the code cells."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run(cells: list[str], last: int) -> dict:
    """The names after cell `last`, without its last line, and the cells that it needs."""
    names: dict = {"__name__": "__main__"}
    for place in needed(cells, last):
        source = cells[place] if place < last else cells[place].rpartition("\n")[0]
        exec(compile(source, f"cell {place}", "exec"), names)
    return names


def flat(key: str, value: object) -> dict[str, np.ndarray]:
    """Arrays by names that say where in nested lists they were."""
    if isinstance(value, list | tuple):
        return {name: array for k, one in enumerate(value) for name, array in flat(f"{key}/{k}", one).items()}
    return {key: np.asarray(value)}


def listening(explorer: str, function: Callable, found: dict) -> Callable:
    """The function, whose answers are kept in `found`."""
    calls = iter(range(1000))

    def asked(*given, **named):
        answer = function(*given, **named)
        found.update(flat(f"{explorer}/{next(calls)}", answer))
        return answer
    return asked


def of_hooks(records: dict) -> dict[str, np.ndarray]:
    """The gradients of every fourth step, rounded."""
    chosen = {step: records[step] for step in range(0, 45, 4)}
    found = {"hooks/steps": np.array(list(chosen)), "hooks/names": np.array([name for name, _ in chosen[0]])}
    for step, one in chosen.items():
        for k, (_, gradient) in enumerate(one):
            fraction, exponent = np.frexp(gradient.astype(np.float32))
            kept = np.ldexp(np.round(np.ldexp(fraction, DIGITS)), exponent - DIGITS)
            found[f"hooks/{step}/{k}"] = kept.astype(np.float32)
    return found


def records(notebooks: Path) -> dict[str, np.ndarray]:
    """What PyTorch answers to all explorers that ask it, computed now."""
    found: dict[str, np.ndarray] = {}
    for notebook in sorted(notebooks.glob("*.ipynb")):
        cells = code_cells(notebook)
        for last, cell in enumerate(cells):
            call = cell.rpartition("\n")[2]
            if call in RECORDED:
                names = run(cells, last)
                explorer = call.partition("(")[0]
                if explorer == "gradient_over_steps":
                    found |= of_hooks(names["records"])
                elif explorer == "layer_viewer":
                    state = names["trained"].state_dict()
                    found |= {f"trained/{name}": value for name, value in state.items()}
                elif "by_torch" in cell:
                    names[explorer](listening(explorer, names["by_torch"], found))
    return found


def data() -> dict[str, np.ndarray]:
    """The digits, and the photograph as its file."""
    import sklearn.datasets
    X, y = sklearn.datasets.load_digits(return_X_y=True)
    china = Path(sklearn.datasets.__file__).parent / "images" / "china.jpg"
    return {"digits": X.astype(np.uint8), "classes": y.astype(np.uint8),
            "china": np.frombuffer(china.read_bytes(), np.uint8)}


def main() -> None:
    """Write both files."""
    matplotlib.use("agg")
    np.savez_compressed(HERE / "python/sklearn/data.npz", **data())
    np.savez_compressed(HERE / "python/recorded.npz", **records(HERE.parent / "notebooks"))


if __name__ == "__main__":
    sys.exit(main())
