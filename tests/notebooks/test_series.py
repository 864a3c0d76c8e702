"""The notebooks are one series: the map and the tables of symbols in notebook 00 hold for all of them."""
import re

import pytest
import refresh
import test_note

FIRST, *LATER = sorted(refresh.FOLDER.glob("0*.ipynb"))
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
# The words in a formula, which are no letters: \text{cols}, \begin{pmatrix}, \operatorname{vec}, \sum
WORD = re.compile(r"\\(?:text|operatorname|mathrm|begin|end)\s*\{[^}]*\}|\\[a-zA-Z]+")
GREEK = {*"alpha beta gamma delta epsilon varepsilon eta theta kappa lambda mu nu xi rho sigma tau".split(),
         *"phi varphi chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega".split()}
EULER = {"e"}
# Of the note's letters these count, or mark a step or a transpose; d stands before what it differentiates.
INDICES = {"d", "i", "j", "t", "T"}
# The first word of each table, and the first notebook that it is for.
TABLES = {"everywhere": 0, "windows": 1, "matrices": 3, "layers": 4, "steps": 5, "depth": 6,
          "tape": 8, "today": 9}


def prose(path):
    return "\n\n".join(cell.source for cell in refresh.load(path).cells if cell.cell_type == "markdown")


def symbols(text):
    """The letters of the formulas in a text, Greek ones by their names; words and functions are none."""
    formulas = " ".join(FORMULA.findall(text))
    greek = GREEK.intersection(re.findall(r"\\([a-zA-Z]+)", formulas))
    return (greek | set(re.findall("[a-zA-Z]", WORD.sub(" ", formulas)))) - EULER


def strangers(text, number, tables):
    """The symbols of notebook `number` that no table up to its own has in a first column."""
    known = set()
    for table in re.findall(r"(?:^\|.*\n?)+", tables, re.MULTILINE):
        heading = re.match(r"\| (\w+)", table)
        if heading and TABLES.get(heading[1], 99) <= number:
            known |= symbols(" ".join(row.split("|")[1] for row in table.splitlines()))
    return symbols(text) - known


@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_every_symbol_stands_in_a_table(path):
    found = strangers(prose(path), int(path.stem[:2]), prose(FIRST))
    assert not found, f"{path.name}: {', '.join(sorted(found))} in no table of {FIRST.name}"


@pytest.mark.parametrize("text, number, found", [
    (r"Let $\omega$ be", 7, {"omega"}),
    (r"$$\begin{aligned} \mathcal{Z}_{\text{all}} &= \chi \end{aligned}$$", 6, set()),
    (r"the factor $\chi$, too early", 5, {"chi"}),
    (r"a letter with an index, $w_\omega$", 7, {"omega"}),
    (r"no formula: \omega", 7, set())])
def test_a_symbol_that_stands_in_no_table_is_noticed(text, number, found):
    assert strangers(text, number, prose(FIRST)) == found


def test_the_symbols_of_the_note_stand_first():
    """Each row of the first table, up to the one with the last of them, has one."""
    formulas = " ".join(line.get("latex", "") for line in test_note.LINES.values())
    note = symbols(f"${formulas.replace('loss', 'C')}$") - INDICES
    [table] = re.findall(r"(?m)^\| everywhere.*\n\|[-| ]+\|\n((?:\|.*\n?)+)", prose(FIRST))
    rows, seen = table.splitlines(), set()
    while not note <= seen:
        here = symbols(rows.pop(0).split("|")[1])
        assert here & note - seen, f"a row before {note - seen}"
        seen |= here


@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_the_map_says_what_the_notebook_says_of_itself(path):
    rows = re.findall(r"(?m)^\| \[(.+?)\]\((.+?)\) \| (.+?) \| .+? \| (\d+) \|$", prose(FIRST))
    (title, _, question, minutes), = (row for row in rows if row[1] == path.name)
    first = " ".join(refresh.load(path).cells[0].source.split())
    assert first.startswith(f"# {title} **{question}**"), f"{path.name}: {title}. {question}"
    assert re.search(r"[Aa]bout (\d+) minutes", first)[1] == minutes


def test_the_total_is_that_of_the_map():
    minutes = re.findall(r"(?m)^\| .+? \| .+? \| .+? \| (\d+) \|$", prose(FIRST))
    assert len(minutes) == 1 + len(LATER)
    assert f"minutes = {', '.join(minutes)}" in "\n".join(cell.source for cell in refresh.load(FIRST).cells)


# Which lines of the note are wrong as they stand, and which need a condition; the others are right.
CORRECTED = {"vector-by-matrix", "matrix-by-matrix", "learning-rate", "momentum-range", "when-vanishing",
             "factor", "slopes-below-one", "remedy-batch-norm", "regularization-purpose"}
CONDITION = {"delta-last", "delta-hidden", "batch-weights", "batch-bias", "when-exploding",
             "layer-speeds", "remedy-clipping", "remedy-activations", "residual-gradient"}


def test_the_note_is_judged_as_it_deserves():
    """Row by row, in the note's order."""
    verdicts = [re.match(r"\*\*(right, if|right|corrected)\*\*", row[-1])[1] for row in test_note.rows()]
    assert verdicts == ["corrected" if line in CORRECTED else "right, if" if line in CONDITION else "right"
                        for line in test_note.LINES]


def test_the_tables_stand_behind_the_first_gradient_that_is_checked():
    """What is looked up does not stand before what is read; the note's table is the last."""
    cells = refresh.load(FIRST).cells
    [check] = [i for i, cell in enumerate(cells) if cell.source.startswith("x, dy = ")]
    notation = [i for i, cell in enumerate(cells) if "| name | shape | in code |" in cell.source]
    [note] = [i for i, cell in enumerate(cells) if re.search(r"(?m)^\| the note \|", cell.source)]
    assert check < notation[0] < notation[-1] < note == len(cells) - 3
