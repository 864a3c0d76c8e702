"""The notebooks for a class: no worked solution in them, and none from `grade`."""
import html
import json
import re

import claims
import marks
import nbformat
import pytest
import refresh
from nbformat.v4 import new_code_cell, new_notebook

from helpers.exercises import grade, withheld
from helpers.exercises.grading import find

SETTING = {"gradients_by_hand": {"solutions": False}}
ASKS = """\
import os
from helpers.exercises import grade

os.chdir("/")
grade("convolution.db", lambda dy: ...)"""


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The folder that a class gets."""
    folder = tmp_path_factory.mktemp("released") / "for a class"
    assert marks.main(["--release", str(folder)]) == 0
    return folder


def plain(text):
    """A text without its white space: as a JSON file, or HTML, may break the lines elsewhere."""
    return "".join(text.split())


def body(exercise):
    """The worked solution below its docstring."""
    return exercise.source().split('"""')[2]


def shows_a_solution(nb, exercises):
    """The exercises whose worked solution stands in a notebook, in a cell or an output."""
    text = plain(json.dumps([[cell.source, cell.get("outputs", [])] for cell in nb.cells], ensure_ascii=False)
                 .replace("\\n", "\n").replace('\\"', '"'))
    return [one.name for one in exercises
            if plain(body(one)) in text or plain(html.escape(body(one))) in text]


def test_the_class_gets_all_notebooks_and_no_solution(released):
    names = [path.name for path in refresh.notebooks()]
    assert sorted(path.name for path in released.glob("*.ipynb")) == names
    exercises, found = claims.exercises().values(), 0
    for name in names:
        nb, ours = refresh.load(released / name), refresh.load(refresh.FOLDER / name)
        assert nb.metadata.gradients_by_hand == {"solutions": False} and nb.metadata.kernelspec
        assert shows_a_solution(nb, exercises) == []
        found += len(shows_a_solution(ours, exercises))
        assert "Worked solution" not in str(nb.cells)
        assert [cell.source for cell in nb.cells if cell.cell_type == "code"] == [
            cell.source for cell in ours.cells if cell.cell_type == "code"]
    assert found == len(exercises)      # the same search finds every one in our own notebooks


def test_the_prose_promises_no_solution_and_links_hold(released):
    for path in released.glob("*.ipynb"):
        prose = "\n\n".join(cell.source for cell in refresh.load(path).cells if cell.cell_type == "markdown")
        assert not re.search(r"hints\s+and\s+a\s+worked", prose)
        assert "worked solution" not in prose or path.stem[:2] == "07"     # its labs run one, and show none
        for name in re.findall(r"\]\((?!https?:|#)([^)#]+)", prose):
            assert (released / name).is_file(), name
    first = refresh.load(released / "01_convolution.ipynb")
    assert any("Two hints are\nfolded" in cell.source for cell in first.cells)


def test_nothing_is_overwritten(tmp_path, capsys):
    (tmp_path / "03_matrix_derivatives.ipynb").write_text("mine")
    assert marks.main([str(tmp_path), "--release"]) == 1
    assert "holds 03_matrix_derivatives.ipynb already: name a folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["03_matrix_derivatives.ipynb"]


# --- what `grade` reads ------------------------------------------------------------------------

@pytest.fixture
def here(tmp_path, monkeypatch):
    """The folder of a kernel, where the notebook's path is not known."""
    monkeypatch.setattr(withheld, "FOLDER", tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path


def put(path, metadata, *cells):
    """A notebook with these metadata."""
    nb = new_notebook(cells=list(map(new_code_cell, cells)), metadata=metadata)
    path.write_text(nbformat.writes(nb), encoding="utf-8")
    return path


def shown():
    """Whether a right and a wrong answer are shown the worked solution."""
    exercise = find("convolution.db")
    said = [grade(exercise.name, function)._repr_html_() for function in (exercise.solution, len)]
    assert ["Hint 2" in page for page in said] == [False, True]
    assert len({"Worked solution" in page for page in said}) == 1
    return "Worked solution" in said[0]


@pytest.mark.parametrize("metadata, says", [
    (SETTING, False), ({}, True), ({"gradients_by_hand": {"solutions": True}}, True),
    ({"gradients_by_hand": {}}, True), ({"gradients_by_hand": "no"}, True)])
def test_the_notebooks_metadata_decide(here, monkeypatch, metadata, says):
    monkeypatch.setenv("JPY_SESSION_NAME", str(put(here / "own.ipynb", metadata)))
    put(here / "other.ipynb", {} if metadata == SETTING else SETTING)
    assert shown() is says


def test_where_the_path_is_not_known_the_folder_decides(here, monkeypatch):
    assert shown()
    put(here / "a.ipynb", {})
    (here / "b.ipynb").write_text("no notebook")
    (here / "c.ipynb").write_text("[]")
    assert shown()
    put(here / "d.ipynb", SETTING)
    assert not shown()
    for gone in (here / "renamed.ipynb", here, here / "console-1"):
        monkeypatch.setenv("JPY_SESSION_NAME", str(gone))
        assert not shown()
    monkeypatch.setenv("JPY_SESSION_NAME", str(here / "a.ipynb"))
    assert shown()


def test_vs_code_says_where_the_notebook_lies(here, monkeypatch):
    shell = type("Shell", (), {"user_ns": {"__vsc_ipynb_file__": str(put(here / "a.ipynb", SETTING))}})
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setenv("JPY_SESSION_NAME", str(put(here / "outer.ipynb", {})))
    assert not shown()


@pytest.mark.parametrize("metadata, says", [(SETTING, False), ({}, True)])
def test_a_run_without_a_server_reads_them_too(tmp_path, metadata, says):
    """The kernel is in another folder by then."""
    nb = refresh.execute(put(tmp_path / "a.ipynb", metadata, ASKS))
    assert ("Worked solution" in str(nb.cells[0].outputs)) is says and "Hint 2" in str(nb.cells[0].outputs)


def test_a_solution_that_is_left_is_found():
    nb = new_notebook(cells=[new_code_cell(find("matrices.trace").source())])
    assert shows_a_solution(nb, claims.exercises().values()) == ["matrices.trace"]
