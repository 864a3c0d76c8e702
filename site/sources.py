"""What Sphinx reads: the notebooks and their pictures beside the pages of this folder."""
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def anchor(title: str) -> str:
    """The address of a heading, as Jupyter makes it: links between notebooks lead there."""
    return title.replace(" ", "-")


def gather(folder: Path) -> None:
    """Bring everything that Sphinx reads into this folder, as it stands in the repository."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("conf.py", "index.md"):
        shutil.copy(HERE / name, folder)
    shutil.copytree(HERE / "static", folder / "static")
    for name, pattern in {"notebooks": "*.ipynb", "images": "*.*", "benchmarks": "results.md"}.items():
        (folder / name).mkdir()
        for path in sorted((ROOT / name).glob(pattern)):
            shutil.copy(path, folder / name)
