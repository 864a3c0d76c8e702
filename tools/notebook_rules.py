"""The rules for a stored notebook that nbval does not look at.

    python tools/notebook_rules.py 01    what the notebook breaks and where; without a name, every notebook

A rule takes a notebook and its path and returns a list of complaints: sentences that name the
notebook, the cell (counted from 1, as `refresh.py` does) and what is expected. No rule runs
code, writes a file or opens a connection. tests/notebooks/test_notebooks.py applies all RULES to all
notebooks, and plants a fault for each of them.
"""
import ast
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import prose
import refresh
from nbformat import NotebookNode

Rule = Callable[[NotebookNode, Path], list[str]]

MAX_BYTES, MAX_CELLS = 500_000, 120
MEDIAN_LINES, USUAL_LINES, MAX_LINES, MAX_WIDTH = 4, 12, 25, 79
MAX_WORDS = 150
ALT_WORDS = 4
TAGS = {"exercise", "nbval-ignore-output", "nbval-skip"}
# What a comment in the cell must say, with four words or more after it, to exempt the cell.
REASONS = {"nbval-ignore-output": "not compared:", "nbval-skip": "not run:"}
REFRESH = "run `python tools/refresh.py`"


# --- reading ---------------------------------------------------------------------------------

def at(path: Path, index: int) -> str:
    """Name a cell in a complaint."""
    return f"{path.name}, cell {index + 1}"


def code_cells(nb: NotebookNode) -> list[tuple[int, NotebookNode]]:
    """List the code cells with their places in the notebook."""
    return [(i, cell) for i, cell in enumerate(nb.cells) if cell.cell_type == "code"]


def pages(nb: NotebookNode) -> list[tuple[int, prose.Page]]:
    """List the Markdown cells, read, with their places in the notebook."""
    return [(i, prose.read(cell.source)) for i, cell in enumerate(nb.cells) if cell.cell_type == "markdown"]


def tree(cell: NotebookNode) -> ast.Module:
    """Parse a cell; one that is not Python has no statements (`code_is_plain_python` says so)."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def code_lines(source: str) -> int:
    """Count lines of code: neither blank, nor a comment, nor a docstring; an import counts as one line."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        nodes = []
    hidden = {k for node in nodes if isinstance(node, ast.FunctionDef) and ast.get_docstring(node)
              for k in range(node.body[0].lineno, node.body[0].end_lineno + 1)}
    hidden |= {k for node in nodes if isinstance(node, ast.ImportFrom)
               for k in range(node.lineno + 1, node.end_lineno + 1)}
    lines = enumerate(map(str.strip, source.splitlines()), start=1)
    return sum(bool(line) and not line.startswith("#") and k not in hidden for k, line in lines)


def tags(cell: NotebookNode) -> list[str]:
    """List the tags of a cell."""
    return cell.get("metadata", {}).get("tags", [])


def outputs(nb: NotebookNode) -> Iterator[tuple[int, NotebookNode, str, str]]:
    """Yield every text of the outputs: place, output, kind ("text/html", "stdout", …), text."""
    for i, cell in code_cells(nb):
        for output in cell.outputs:
            texts = {output.name: output.text} if output.output_type == "stream" else output.get("data", {})
            for kind, text in texts.items():
                yield i, output, kind, text if isinstance(text, str) else str(text)


# --- committed as run ------------------------------------------------------------------------

def is_canonical(nb: NotebookNode, path: Path) -> list[str]:
    """The file's bytes are those of `refresh.canonical`: metadata of cells `tags` only."""
    wanted = refresh.canonical(nb)
    if path.read_bytes() == refresh.dumps(wanted).encode():
        return []
    found = [f"{at(path, i)}: {key} is not in canonical form; {REFRESH}"
             for i, (cell, good) in enumerate(zip(nb.cells, wanted.cells, strict=True))
             for key in sorted(set(cell) | set(good)) if cell.get(key) != good.get(key)]
    if nb.metadata != wanted.metadata:
        found.append(f"{path.name}: metadata of the notebook is not the minimal set; {REFRESH}")
    return found or [f"{path.name}: bytes are not in canonical form (order of keys, indent, line ends, "
                     f"version); {REFRESH}"]


def is_executed_in_order(nb: NotebookNode, path: Path) -> list[str]:
    """Executed top to bottom once: the code cells count 1, 2, …, n."""
    for wanted, (i, cell) in enumerate(code_cells(nb), start=1):
        counts = [cell.execution_count, *(output.execution_count for output in cell.outputs
                                          if output.output_type == "execute_result")]
        wrong = [count for count in counts if count != wanted]
        if wrong:
            return [f"{at(path, i)}: execution count {wanted} expected, got {wrong[0]}; {REFRESH}"]
    return []


def cells_say_something(nb: NotebookNode, path: Path) -> list[str]:
    """No empty cell and no raw cell: neither is shown to the learner."""
    return [f"{at(path, i)}: code or prose expected, got {'a raw' if cell.source.strip() else 'an empty'} "
            "cell" for i, cell in enumerate(nb.cells) if cell.cell_type == "raw" or not cell.source.strip()]


def has_no_errors(nb: NotebookNode, path: Path) -> list[str]:
    """No error is stored and nothing on stderr: a warning shown to learners is an unfinished cell."""
    found = []
    for i, cell in code_cells(nb):
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"{at(path, i)}: no error expected, got {output.ename}; "
                             "show an expected one with try / except / else: raise")
            if output.get("name") == "stderr":
                found.append(f"{at(path, i)}: nothing on stderr expected, got {output.text.strip()[:60]!r}")
    return found


def is_small(nb: NotebookNode, path: Path) -> list[str]:
    """At most 120 cells in the lesson, and less than 500 kB (500,000 bytes).

    Exercises come on top: a cell tagged `exercise`, and the prose before it that states it.
    """
    found, size = [], path.stat().st_size
    if size >= MAX_BYTES:
        found.append(f"{path.name}: less than {MAX_BYTES:,} bytes expected, got {size:,}")
    cells = len(nb.cells) - 2 * sum("exercise" in tags(cell) for cell in nb.cells)
    if cells > MAX_CELLS:
        found.append(f"{path.name}: at most {MAX_CELLS} cells besides the exercises expected, got {cells}")
    return found


# --- code ------------------------------------------------------------------------------------

def code_cells_are_short(nb: NotebookNode, path: Path) -> list[str]:
    """Lines of code: median at most 4, nineteen cells of twenty at most 12, none over 25.

    `code_lines` says what counts. In a notebook of fewer than twenty code cells one may be longer.
    """
    sizes = {i: code_lines(cell.source) for i, cell in code_cells(nb)} or {0: 0}
    found = [f"{at(path, i)}: at most {MAX_LINES} lines of code expected, got {n}"
             for i, n in sizes.items() if n > MAX_LINES]
    median = statistics.median(sizes.values())
    if median > MEDIAN_LINES:
        found.append(f"{path.name}: a median of at most {MEDIAN_LINES} lines a code cell expected, "
                     f"got {median:g}")
    long = [i for i, n in sizes.items() if n > USUAL_LINES]
    if len(long) > max(1, len(sizes) // 20):
        found.append(f"{at(path, long[-1])}: at most {USUAL_LINES} lines expected in 95 % of the code cells; "
                     f"longer are cells {', '.join(str(i + 1) for i in long)}")
    return found


def code_lines_fit(nb: NotebookNode, path: Path) -> list[str]:
    """No line of code is wider than 79 characters, comments included."""
    return [f"{at(path, i)}, line {k}: at most {MAX_WIDTH} characters expected, got {len(line)}"
            for i, cell in code_cells(nb)
            for k, line in enumerate(cell.source.splitlines(), start=1) if len(line) > MAX_WIDTH]


def code_is_introduced(nb: NotebookNode, path: Path) -> list[str]:
    """Prose stands between code cells.

    A code cell may follow a code cell once in ten code cells (once in a shorter notebook); never
    do three stand in a row. A cell that only defines functions may be followed by the cell that
    uses them: its docstrings are the prose.
    """
    kinds = [cell.cell_type for cell in nb.cells]
    follows = [i for i in range(1, len(kinds)) if kinds[i - 1:i + 1] == ["code"] * 2
               and not only_defines(nb.cells[i - 1].source)]
    allowed = max(1, kinds.count("code") // 10)
    found = [f"{at(path, i)}: prose expected before the third code cell in a row"
             for i in follows if i - 1 in follows]
    if len(follows) > allowed:
        found.append(f"{at(path, follows[-1])}: at most {allowed} code cells directly after a code cell "
                     f"expected, got {len(follows)}: cells {', '.join(str(i + 1) for i in follows)}")
    return found


def only_defines(source: str) -> bool:
    """Whether a cell holds nothing but functions that say in a docstring what they do."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return False
    return bool(statements) and all(isinstance(node, ast.FunctionDef) and ast.get_docstring(node)
                                    for node in statements)


def code_is_plain_python(nb: NotebookNode, path: Path) -> list[str]:
    """No magics and no shell (`%pip`, `!ls`, `name?`), no final semicolon.

    A semicolon hides a value in Jupyter but not under nbval, which then fails.
    """
    found = []
    for i, cell in code_cells(nb):
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            found.append(f"{at(path, i)}, line {error.lineno}: plain Python expected, no magics and no shell")
        if cell.source.rstrip().endswith(";"):
            found.append(f"{at(path, i)}: no final semicolon expected; assign the value, or call plt.show()")
    return found


def imports_are_by_name(nb: NotebookNode, path: Path) -> list[str]:
    """No `import *`: a reader must see where a name comes from."""
    return [f"{at(path, i)}: imports by name expected, got `from {node.module or '.'} import *`"
            for i, cell in code_cells(nb) for node in ast.walk(tree(cell))
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]


NETWORK = {"aiohttp", "ftplib", "gdown", "http", "httpx", "kagglehub", "pooch", "requests", "socket",
           "subprocess", "urllib", "urllib3", "wget"}
DOWNLOAD = re.compile(r"fetch_\w+|urlretrieve|urlopen|load_state_dict_from_url|download\w*|hub")


def nothing_is_downloaded(nb: NotebookNode, path: Path) -> list[str]:
    """No cell opens a connection or starts a program: the notebook runs on a train."""
    return [f"{at(path, i)}: no network and no other program expected, got `{name}`"
            for i, cell in code_cells(nb) for node in ast.walk(tree(cell)) for name in _outside(node)]


def _outside(node: ast.AST) -> list[str]:
    """Name what in this piece of code reaches out of the process."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        return [name for name in names if name.split(".")[0] in NETWORK or DOWNLOAD.fullmatch(name)]
    name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "arg", None)
    return [name] if isinstance(name, str) and DOWNLOAD.fullmatch(name) else []


def functions_are_not_pasted(nb: NotebookNode, path: Path) -> list[str]:
    """A function or class is written once: no other with its name and body here or in an earlier notebook.

    Bodies are compared without docstrings, comments and layout. The notebook that derives a
    function defines it; all later ones import it from `helpers`.
    """
    known = {}
    for other in sorted(path.parent.glob("*.ipynb")):
        if other.name < path.name:
            known |= {written: at(other, i) for i, _, written in definitions(refresh.load(other))}
    found = []
    for i, name, written in definitions(nb):
        if written in known:
            found.append(f"{at(path, i)}: `{name}` expected once, got a copy of {known[written]}; "
                         "import it from helpers")
        known.setdefault(written, at(path, i))
    return found


def definitions(nb: NotebookNode) -> Iterator[tuple[int, str, str]]:
    """Yield the top-level functions and classes: place, name, and all of it but docstrings."""
    for i, cell in code_cells(nb):
        for node in tree(cell).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                for part in ast.walk(node):
                    if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part):
                        part.body = part.body[1:]
                yield i, node.name, ast.dump(node)


# --- prose -----------------------------------------------------------------------------------

def prose_is_short(nb: NotebookNode, path: Path) -> list[str]:
    """At most 150 words a prose cell.

    Headings and the text of links count. An inline formula or a code span is one word. Displayed
    formulas, fenced code, tables (notation, maps of notebooks) and alternative texts do not count.
    """
    return [f"{at(path, i)}: at most {MAX_WORDS} words expected, got {page.words}"
            for i, page in pages(nb) if page.words > MAX_WORDS]


FILLER = re.compile(
    r"\b(?:it is (?:important|interesting|worth) (?:to note|noting)|needless to say|as you can see|of course"
    r"|simply|obviously|trivially|(?:is|are) clearly|clearly,"
    r"|just(?! (?:above|after|as|before|behind|below|beside|enough|inside|outside|over|under)\b))",
    re.IGNORECASE)
EMOJI = re.compile("[\U0001F000-\U0001FAFF\u2600-\u2604\u2607-\u26FF\u2705\u2728\u274C\u2753-\u2757\u2764"
                   "\uFE0F]")   # stars, ticks and crosses of text are none


def prose_is_plain(nb: NotebookNode, path: Path) -> list[str]:
    """No exclamation marks, no emoji, no filler that tells a stuck reader that it is easy.

    "just" is free where it is a place or a time ("just before"), "clearly" where it says how.
    Formulas and code are not looked at: 3! and != are no exclamations.
    """
    found = []
    for i, page in pages(nb):
        text = page.text + page.tables
        for what, pattern in (("exclamation mark", re.compile("!")), ("emoji", EMOJI), ("filler", FILLER)):
            found += [f"{at(path, i)}: no {what} expected, got {hit.group()!r} in "
                      f"{' '.join(text[max(0, hit.start() - 25):hit.end() + 15].split())!r}"
                      for hit in pattern.finditer(text)]
    return found


def headings_form_a_tree(nb: NotebookNode, path: Path) -> list[str]:
    """Exactly one H1, in the first cell; below it no level is skipped."""
    found, last = [], 0
    titles = [(i, level, text) for i, page in pages(nb) for level, text in page.headings]
    if [i for i, level, _ in titles if level == 1] != [0]:
        places = [i + 1 for i, level, _ in titles if level == 1]
        found.append(f"{path.name}: one H1 in cell 1 expected, got {len(places)} in cells {places}")
    for i, level, text in titles:
        if last and level > last + 1:
            found.append(f"{at(path, i)}: no level skipped expected after H{last}, got H{level} {text!r}")
        last = level
    return found


def links_lead_somewhere(nb: NotebookNode, path: Path) -> list[str]:
    """Files and headings exist, addresses of the web are https and well formed (not visited)."""
    return [f"{at(path, i)}: {complaint}"
            for i, page in pages(nb)
            for link in [*page.links, *(source for source, _ in page.images)]
            if (complaint := _dead(link, nb, path))]


def _dead(link: str, nb: NotebookNode, path: Path) -> str:
    """Say what is wrong with a link; nothing when it is good."""
    try:
        url = urlsplit(link)
    except ValueError:
        return f"a well formed address expected, got {link!r}"
    if url.scheme or url.netloc:
        good = url.scheme == "https" and re.fullmatch(r"[\w-]+(\.[\w-]+)*\.[a-z]{2,}", url.hostname or "")
        return "" if good else f"a file or an https address expected, got {link[:60]!r}"
    target = path.parent / unquote(url.path) if url.path else path
    if url.path.startswith("/") or not target.exists() or not link:
        return f"a file expected at {link!r}, seen from the notebook's folder"
    return _dead_anchor(link, unquote(url.fragment), target, nb if target == path else None)


def _dead_anchor(link: str, fragment: str, target: Path, nb: NotebookNode | None) -> str:
    if not fragment:
        return ""
    if target.suffix != ".ipynb":
        return f"an anchor of a notebook expected, got {link!r}"
    nb = nb or refresh.load(target)
    known = {prose.anchor(text) for _, page in pages(nb) for _, text in page.headings}
    if fragment in {f"cell-id={cell.id}" for cell in nb.cells}:
        return ""
    if fragment not in known:
        return f"a heading expected for {link!r}; {target.name} has {sorted(known)}"
    # JupyterLab compares the percent-encoded address with the plain heading: "#Größe" finds nothing; it
    # finds a cell by "#cell-id=…".
    if not re.fullmatch(r"[\w.,:;()'*+/?=&~@-]+", fragment, re.ASCII):
        return f"a heading of plain letters expected as target, got {link!r}, which JupyterLab does not find"
    return ""


# --- outputs ---------------------------------------------------------------------------------

def pictures_have_words(nb: NotebookNode, path: Path) -> list[str]:
    """Every picture, in prose and in outputs, has an alternative text of four words or more.

    In Chinese each sign is a word.
    """
    alts = [(i, alt) for i, page in pages(nb) for _, alt in page.images]
    for i, output, kind, text in outputs(nb):
        if kind in ("text/html", "text/markdown"):
            shown = prose.Html(text) if kind == "text/html" else prose.read(text)
            alts += [(i, alt) for _, alt in shown.images]
        elif kind.startswith("image/"):
            metadata = output.get("metadata", {})
            alts.append((i, metadata.get(kind, {}).get("alt", metadata.get("alt", ""))))
    return [f"{at(path, i)}: an alternative text of {ALT_WORDS} words or more expected, got {alt!r}; "
            "figures go through helpers.plotting.figures.show(figure, alt)"
            for i, alt in alts if len(re.findall(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+", alt)) < ALT_WORDS]


BARE = re.compile(r"<(?:[\w.]+\.)?(?:Axes|Figure|matplotlib)\b|Text\([-\d]|Line2D\(|BarContainer|<a list of "
                  r"|<(?:[\w.]+ )?(?:object|function|module|generator|bound method)\b|<[\w.]+ at ")


def values_are_meant_to_be_seen(nb: NotebookNode, path: Path) -> list[str]:
    """No return value that nobody asked for: `<Axes: …>`, `[<matplotlib.lines…>]`, `Text(0, 0, …)`."""
    return [f"{at(path, i)}: a value for the reader expected, got {text[:60]!r}; "
            "end the cell with helpers.plotting.figures.show(figure, alt), or assign the value"
            for i, _, kind, text in outputs(nb) if kind == "text/plain" and BARE.search(text)]


VARIES = {
    "address": re.compile(r"\b0x[0-9a-fA-F]{5,}"),
    "time": re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[-+]?\d+)? ?(?:ns|µs|μs|us|ms|s|seconds?)\b"),
    "speed": re.compile(r"\d ?(?:x|×|times) (?:as fast|faster|slower)\b"),
    "local path": re.compile(r"/home/|/Users/|/tmp/|[A-Z]:\\|site-packages|ipykernel_\d"),
}


def outputs_are_the_same_everywhere(nb: NotebookNode, path: Path) -> list[str]:
    """No addresses, measured times or local paths in outputs, unless the cell says why it is not compared."""
    found = []
    for i, _, kind, text in outputs(nb):
        if "nbval-ignore-output" in tags(nb.cells[i]) or kind.startswith("image/"):
            continue
        if kind == "text/html":
            text = prose.Html(text).text
        found += [f"{at(path, i)}: output that is the same on every machine expected, "
                  f"got {what} {hit.group()!r}"
                  for what, pattern in VARIES.items() if (hit := pattern.search(text))]
    return found


def tags_are_known_and_explained(nb: NotebookNode, path: Path) -> list[str]:
    """Tags come from a short list, and an exemption gives its reason in the cell.

    `nbval-ignore-output` needs a comment such as "# Output not compared: it is a time.", `nbval-skip`
    one such as "# Not run: …", with a reason of four words or more. nbval's own comments
    (`# NBVAL_SKIP`) are not used: they give no reason.
    """
    found = []
    for i, cell in enumerate(nb.cells):
        found += [f"{at(path, i)}: a tag out of {sorted(TAGS)} expected, got {tag!r}"
                  "; an expected error is shown with try / except / else: raise"
                  for tag in tags(cell) if tag not in TAGS]
        found += [f"{at(path, i)}: a comment `# {REASONS[tag]} why` expected beside the tag {tag!r}"
                  for tag in tags(cell) if tag in REASONS and not _reason(cell.source, REASONS[tag])]
        if cell.cell_type == "code" and re.search(r"^\s*#+\s*(?:NBVAL|PYTEST)_", cell.source, re.MULTILINE):
            found.append(f"{at(path, i)}: a tag and a reason expected in place of nbval's comment")
    return found


def _reason(source: str, opening: str) -> bool:
    comments = re.findall(r"^\s*#(.*)$", source.lower(), re.MULTILINE)
    return any(len(comment.partition(opening)[2].split()) >= 4 for comment in comments)


RULES: tuple[Rule, ...] = (
    is_canonical, is_executed_in_order, cells_say_something, has_no_errors, is_small,
    code_cells_are_short, code_lines_fit, code_is_introduced, code_is_plain_python, imports_are_by_name,
    nothing_is_downloaded, functions_are_not_pasted,
    prose_is_short, prose_is_plain, headings_form_a_tree, links_lead_somewhere,
    pictures_have_words, values_are_meant_to_be_seen, outputs_are_the_same_everywhere,
    tags_are_known_and_explained,
)


def complaints(path: Path) -> list[str]:
    """Apply every rule to one stored notebook."""
    nb = refresh.load(path)
    return [sentence for rule in RULES for sentence in rule(nb, path)]


if __name__ == "__main__":
    import sys
    said = [line for name in sys.argv[1:] or [""] for path in refresh.find(name) for line in complaints(path)]
    print("\n".join(said) or "No complaints.")
    sys.exit(bool(said))
