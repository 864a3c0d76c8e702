"""What prose says has its twin in code: each displayed equation, and each number (tools/said.py)."""
import copy
import re

import pytest
import refresh
import said

NOTEBOOKS = sorted(refresh.FOLDER.glob("0*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_equations_and_numbers_of_the_prose_are_computed_somewhere(path):
    found = said.complaints(path)
    assert not found, "\n".join(found)


# --- faults, planted --------------------------------------------------------------------------

MARKDOWN, CODE = "a1", "b2"
PROSE = r"""## 1 Halves

Half of 14 is 7; with 3.14 digits the error is below $10^{-5}$ in 97 % of 1,024 cases.

$$y = x - \tfrac12 b$$
"""
SOURCE = "y = x - b / 2\nprint(14 / 2, 3.141, 1e-5, 0.9712, 2**10, 1024)"
ENTRY = {"cell": MARKDOWN, "latex": r"y = x - \tfrac12 b", "twin": CODE, "code": ["y = x - b / 2"]}


def notebook(text=PROSE, source=SOURCE):
    new = refresh.nbformat.v4
    return new.new_notebook(cells=[new.new_markdown_cell(text, id=MARKDOWN),
                                   new.new_code_cell(source, id=CODE)])


def test_a_notebook_that_says_what_it_computes():
    assert said.untwinned(notebook(), [ENTRY]) == []
    assert said.unexplained(notebook(), []) == []


@pytest.mark.parametrize("old, new", [("14 is", "41 is"), ("3.14", "3.16"), ("{-5}", "{-6}"), ("97", "79"),
                                      ("1,024", "1,204")])
def test_a_number_changed_in_prose_is_noticed(old, new):
    assert old in PROSE
    [sentence] = said.unexplained(notebook(PROSE.replace(old, new)), [])
    assert "no code, output or formula" in sentence


def test_a_number_may_have_a_source_in_words_and_must_then_be_there():
    text = PROSE.replace("14 is", "2015 and 14 is")
    listed = {"cell": MARKDOWN, "number": "2015", "source": "the year of a paper"}
    assert said.unexplained(notebook(text), [listed]) == []
    assert "no number that needs a source" in said.unexplained(notebook(), [listed])[0]
    assert "no source in words" in said.unexplained(notebook(text), [listed | {"source": "year"}])[0]


@pytest.mark.parametrize("text, found", [
    ("[01 §12](01_x.ipynb#12-y), section 13, sections 14 and 15", []), ("## 16 Title", []),
    ("about 120 minutes", []),
    ("a layer of $64 \\times 64$", ["64", "64"]), ("$a_{64}$ and `128`", []), ("1.7·10⁴", ["1.7·10⁴"]),
    ("1 to 9 of them", []), ("[see 77](x.ipynb)", ["77"])])
def test_what_counts_as_a_number(text, found):
    section = said.Section(cells=[(MARKDOWN, text)])
    assert [number for _, number in said.strangers(section)] == found


def test_a_number_of_another_section_is_no_source():
    nb = notebook("## 1 One\n\nIt is 77.\n\n## 2 Two\n\nsaid", "print(77)")
    assert len(said.unexplained(nb, [])) == 1


@pytest.mark.parametrize("text, source", [
    (PROSE.replace("x - ", "x + "), SOURCE), (PROSE, SOURCE.replace("x - b", "x + b")),
    (PROSE + "\n$$z = 1$$\n", SOURCE), (PROSE.replace("$$y", "$$z"), SOURCE)])
def test_an_equation_or_its_twin_that_changes_is_noticed(text, source):
    assert said.untwinned(notebook(text, source), [ENTRY])


@pytest.mark.parametrize("change", [{"twin": "c3"}, {"code": []}, {"code": [""]}, {"cell": CODE},
                                    {"no_twin": "because"}])
def test_an_entry_that_says_nothing_is_noticed(change):
    assert said.untwinned(notebook(), [ENTRY | change])


def test_an_equation_in_a_block_quote_is_somebody_elses():
    assert said.displayed("> $$a = b$$\n\n$$c = d$$") == ["c = d"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_in_the_notebooks_themselves_a_flipped_sign_is_noticed(path):
    """The first sign of each displayed equation is turned round."""
    nb, entries = refresh.load(path), said.table(path.stem)["equation"]
    for k, cell in enumerate(nb.cells):
        for latex in said.displayed(cell.source) if cell.cell_type == "markdown" else []:
            flipped = copy.deepcopy(nb)
            other = re.sub(r"[-+=]", lambda sign: {"-": "+", "+": "-", "=": r"\ne"}[sign[0]], latex, count=1)
            flipped.cells[k].source = cell.source.replace(latex, other)
            assert said.untwinned(flipped, entries) or other == latex, latex
