"""The canonical form and the program that writes it."""
import json
import subprocess
import sys

import pytest
import refresh
import sample
from nbformat import from_dict, v4


def code(*outputs, tags=(), **metadata):
    nb = sample.notebook(("code", "x = 1"))
    nb.cells[0].update(outputs=list(outputs), metadata=from_dict({"tags": list(tags), **metadata}))
    return refresh.canonical(nb)


def stream(text, name="stdout"):
    return v4.new_output("stream", name=name, text=text)


def bundle(view=None, **data):
    if view:
        data[refresh.WIDGET_VIEW] = {"model_id": view, "version_major": 2, "version_minor": 0}
    return v4.new_output("display_data", data={key.replace("_", "/"): value for key, value in data.items()})


# --- canonical -------------------------------------------------------------------------------

def test_canonical_is_idempotent(notebook):
    once = refresh.canonical(refresh.load(notebook))
    assert refresh.dumps(refresh.canonical(once)) == refresh.dumps(once)


def test_what_jupyter_leaves_behind_is_gone(good):
    nb, stored = refresh.load(good), good.read_bytes()
    nb.metadata.update(widgets={"state": {}}, toc={"base": 1}, signature="x")
    nb.metadata.language_info.update(version="3.99", codemirror_mode={"name": "ipython"})
    nb.nbformat_minor = 4
    for cell in nb.cells:
        cell.metadata.update(execution={"iopub.execute_input": "2020-01-01T00:00:00Z"}, collapsed=True)
        cell.source = cell.source.replace("\n", "\r\n") + "\n"
        for output in cell.get("outputs", []):
            output["transient"] = {"display_id": "random"}
    assert refresh.dumps(refresh.canonical(nb)).encode() == stored


def test_canonical_changes_no_argument(good):
    nb = refresh.load(good)
    nb.cells[1].metadata["collapsed"] = True
    before = json.dumps(nb)
    refresh.canonical(nb)
    assert json.dumps(nb) == before


def test_ids_are_kept_where_they_are_good_and_else_made_of_the_source():
    nb = sample.notebook(*(f"Cell {k // 2}" for k in range(6)))
    for cell, name in zip(nb.cells, ["kept", "kept", None, "not valid!", "x" * 65, "also-kept"], strict=True):
        cell["id"] = name
    del nb.cells[2]["id"]
    ids = [[cell.id for cell in refresh.canonical(nb).cells] for _ in range(2)]
    assert ids[0] == ids[1]
    assert ids[0][0] == "kept" and ids[0][5] == "also-kept"
    assert len(set(ids[0])) == 6
    assert ids[0][3] == f"{ids[0][2]}-2", "cells 3 and 4 have the same source"


def test_only_tags_stay_and_only_once():
    nb = code(tags=["exercise", "exercise"], jupyter={"source_hidden": True})
    assert nb.cells[0].metadata == {"tags": ["exercise"]}
    assert code(tags=[]).cells[0].metadata == {}


def test_a_stream_cut_in_pieces_is_joined_and_a_progress_bar_is_left_at_its_end():
    nb = code(stream("10 %\r"), stream("20 %\r100 %\n"), stream("warning", "stderr"), stream("end"))
    assert [(output.name, output.text) for output in nb.cells[0].outputs] == [
        ("stdout", "100 %\n"), ("stderr", "warning"), ("stdout", "end")]


def test_a_widget_is_stored_as_its_picture():
    output = code(bundle("8a3f", image_png="AAAA", text_plain="depth = 3")).cells[0].outputs[0]
    assert set(output.data) == {"image/png", "text/plain"}


def test_widgets_without_a_picture_are_numbered():
    def views(*names):
        outputs = code(*(bundle(name, text_plain="a slider") for name in names)).cells[0].outputs
        return [output.data[refresh.WIDGET_VIEW]["model_id"] for output in outputs]
    assert views("8a3f", "77c1", "8a3f") == views("01d2", "5b6e", "01d2") == [f"{k:032x}" for k in (1, 2, 1)]


def test_the_bytes_are_those_of_nbformat(good):
    stored = good.read_bytes()
    assert stored.endswith(b"}\n") and b"\r" not in stored
    assert "≤".encode() in stored, "UTF-8, not \\u escapes"
    again = json.dumps(json.loads(stored), indent=1, sort_keys=True, ensure_ascii=False)
    assert stored.decode() == again + "\n"


# --- execution and command -------------------------------------------------------------------

def test_two_runs_give_the_same_bytes(good):
    stored = good.read_bytes()
    nb = refresh.load(good)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    sample.write(nb, good)
    assert refresh.refresh(good, check=True) and good.read_bytes() != stored, "--check must not write"
    assert refresh.refresh(good) and good.read_bytes() == stored
    assert sorted(path.name for path in good.parent.iterdir()) == ["00_sample.ipynb", "01_neighbour.ipynb"]


def test_outputs_that_are_not_compared_are_kept(good):
    nb = refresh.load(good)
    cell = next(cell for cell in nb.cells if cell.cell_type == "code")
    cell.metadata["tags"] = ["nbval-ignore-output"]
    cell.outputs = []
    cell.source += "\n# not compared: it is a time\nimport time\nprint(time.perf_counter_ns())"
    sample.write(nb, good)
    assert refresh.refresh(good), "without an output there is nothing to keep"
    stored = good.read_bytes()
    assert not refresh.refresh(good) and good.read_bytes() == stored


def test_check_names_what_would_change_and_writes_nothing(good):
    neighbour = good.with_name("01_neighbour.ipynb")
    neighbour.write_bytes(neighbour.read_bytes() + b"\n")
    stored = neighbour.read_bytes()
    ran = subprocess.run([sys.executable, refresh.__file__, "--check", good, neighbour],
                         capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert ran.returncode == 1
    assert "01_neighbour.ipynb: would change" in ran.stdout and "00_sample.ipynb: unchanged" in ran.stdout
    assert neighbour.read_bytes() == stored


@pytest.mark.parametrize("source, said", [
    ("x = 1\ny = x / 0\nz = 2", ["cell 2, line 2", "    y = x / 0", "ZeroDivisionError: division by zero"]),
    ("def f():\n    return [][1]\n\n\nf()", ["cell 2, line 5", "    f()", "IndexError"]),
    ("x = = 1", ["cell 2, line 1", "    x = = 1", "SyntaxError"]),
    ("import os\nos._exit(1)", ["cell 2", "    os._exit(1)", "The kernel died"]),
])
def test_an_error_is_located_and_the_file_left_alone(tmp_path, capsys, source, said):
    nb = sample.notebook("# A fault", ("code", source))
    nb.cells[1].metadata["tags"] = ["raises-exception"]   # no excuse here
    path = sample.write(nb, tmp_path / "faulty.ipynb")
    stored = path.read_bytes()
    assert refresh.main([str(path)]) == 1
    printed = capsys.readouterr().err
    assert all(part in printed for part in ["faulty.ipynb", *said]), printed
    assert path.read_bytes() == stored and list(tmp_path.iterdir()) == [path]


def test_a_cell_that_does_not_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(refresh, "SECONDS_A_CELL", 1)
    path = sample.write(sample.notebook("# Endless", ("code", "while True:\n    pass")), tmp_path / "x.ipynb")
    with pytest.raises(refresh.ExecutionFailed, match=r"x.ipynb, cell 2:\n    while True:\n[^$]*within 1 s"):
        refresh.execute(path)


def test_figures_are_drawn_as_in_jupyter_wherever_the_tests_draw(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    source = "import os\nprint(os.environ['MPLBACKEND'], os.path.basename(os.getcwd()))"
    path = sample.write(sample.notebook("# Where", ("code", source)), tmp_path / "where.ipynb")
    text = refresh.execute(path).cells[1].outputs[0].text
    assert text == f"module://matplotlib_inline.backend_inline {tmp_path.name}\n"


def test_no_notebooks_is_a_failure(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(refresh, "FOLDER", tmp_path)
    assert refresh.main([]) == 1
    assert "No notebooks" in capsys.readouterr().err


def test_a_notebook_is_found_by_how_its_name_begins_and_a_file_by_its_name(good):
    first, *others = refresh.notebooks()
    assert refresh.find("00") == refresh.find(first.stem) == [first] and refresh.find("") == [first, *others]
    assert refresh.find(str(good)) == [good] and refresh.find("99") == [type(good)("99")]
