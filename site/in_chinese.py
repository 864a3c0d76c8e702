"""What the page in Chinese has of its own: notebooks, words, letters; the rest it takes from the English."""
import json
import re
import shutil
from pathlib import Path

import letters
import sources
from babel.messages.pofile import read_po

MESSAGES = "helpers/language/locale"
OF_A_LANGUAGE = "documentation_options.js", "language_data.js", "translations.js"
IN_ENGLISH = re.compile(r"\[([^][]*)\]\(\.\./\.\./(benchmarks/\w+)\.md\)")     # such pages have no Chinese
TO_ENGLISH = r"<a href='../../\2.html' hreflang='en'>\1</a>"
TO_CELL = re.compile(r"\((?:(\w+)\.ipynb)?#cell-id=([\w-]+)\)")      # so link the notebooks in Chinese


# A formula and the stop after it, which Chromium would begin a line with.
STOP = re.compile(r'(<span class="math notranslate nohighlight">[^<]*</span>)([，。；：、？！）”》]+)')


def gather(folder: Path) -> None:
    """Bring the notebooks into zh/notebooks, and beside the index README, whose table of them it takes."""
    readme = (sources.ROOT / "README.zh.md").read_text(encoding="utf-8")
    (folder / "zh/README.txt").write_text(readme.replace("(notebooks/zh/", "(notebooks/"), encoding="utf-8")
    (folder / "zh/notebooks").mkdir()
    for path in sorted((sources.ROOT / "notebooks/zh").glob("*.ipynb")):
        text = IN_ENGLISH.sub(TO_ENGLISH, path.read_text(encoding="utf-8"))
        (folder / "zh/notebooks" / path.name).write_text(labelled(path.stem, text), encoding="utf-8")


def labelled(name: str, notebook: str) -> str:
    """The notebook with a label, in MyST, before each cell of text, and with links that lead there."""
    text = TO_CELL.sub(lambda link: f"(#{link[1] or name}-{link[2]})", notebook)
    told = json.loads(text)
    for cell in told["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = f"({name}-{cell['id']})=\n{''.join(cell['source'])}"
    return json.dumps(told)


def catalogue(name: str) -> dict[str, str]:
    """What this folder says in Chinese, by the English: for Sphinx, or on a page."""
    with (sources.HERE / f"locale/zh_CN/LC_MESSAGES/{name}.po").open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


def give_python(static: Path, folder: Path) -> None:
    """The words of the page; the messages of its Python and the font of its pictures, in one archive."""
    folder.mkdir()
    (static / "words.zh.json").write_text(json.dumps(catalogue("page")), encoding="utf-8")
    text = (sources.ROOT / MESSAGES / "zh/LC_MESSAGES/helpers.po").read_text(encoding="utf-8")
    if not letters.cut(text, folder / "chinese.otf"):
        print("No free Chinese font is here, such as fonts-noto-cjk: on the page, labels of pictures that "
              "wake up stay English.", flush=True)
    sources.pack(static / "zh.zip", [(sources.ROOT, MESSAGES), (folder, ".")])


def share(into: Path) -> None:
    """Let the pages in Chinese take from the English ones all that Sphinx does not make for a language.

    Translate what stands in English in furo's templates, and keep stops beside formulas.
    """
    for path in (into / "zh/_static").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in OF_A_LANGUAGE:
            path.unlink()
    shared = re.compile(f"(?<=[\"'/])_static/(?!{'|'.join(map(re.escape, OF_A_LANGUAGE))})")
    said, label = catalogue("sphinx"), re.compile('(?<=aria-label=")[^"]*|(?<=<title>)[^<]*')
    for path in (into / "zh").rglob("*.html"):
        text = shared.sub("../_static/", path.read_text(encoding="utf-8"))
        text = STOP.sub(r'<span class="with-stop">\1\2</span>', text)
        text = label.sub(lambda one: said.get(one[0], one[0]), text)
        path.write_text(text, encoding="utf-8")
