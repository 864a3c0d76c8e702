"""The Chinese notebooks are in step with the English; what is not is named."""
import re
from collections import Counter

import chinese
import notebook_rules as rules
import pytest
import refresh
import translate
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

TITLE = "# 03 Slopes\n\nThe slope of $x^2$ at 1.5 is `2 * x`, see [there](#2-Another-one).\n\n- one\n- two\n"
CHINESE = "# 03 斜率\n\n$x^2$ 在 1.5 处的斜率是 `2 * x`，见[那里](#2-Another-one)。\n\n- 一\n- 二\n"


def test_all_notebooks_are_in_step():
    faults = [fault for path in refresh.notebooks() for fault in chinese.in_step(path)[1]]
    assert faults + translate.main(["--check"]) * ["see what --check says"] == []
    assert len(list(chinese.FOLDER.glob("*.ipynb"))) == len(refresh.notebooks()) > 0


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_each_rule_of_notebooks_holds_in_chinese(rule):
    assert [fault for path in refresh.find("zh") for fault in rule(refresh.load(path), path)] == []


@pytest.mark.parametrize("english", refresh.notebooks(), ids=lambda path: path.stem)
def test_the_outputs_have_the_same_numbers_in_both_languages(english):
    pairs = zip(refresh.load(english).cells, refresh.load(chinese.FOLDER / english.name).cells, strict=True)
    different = [(one.id, numbers_in(one), numbers_in(two)) for one, two in pairs
                 if one.cell_type == "code" and numbers_in(one) != numbers_in(two)]
    assert different == []


def numbers_in(cell):
    """The numbers that the outputs of a cell say as text."""
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs
             if "nbval-ignore-output" not in cell.metadata.get("tags", [])]
    return Counter(re.findall(r"\d+(?:\.\d+)?", "\n".join(texts)))


@pytest.fixture
def english(tmp_path, monkeypatch):
    """A small notebook in English, and its translation, in a course of their own."""
    monkeypatch.setattr(refresh, "FOLDER", tmp_path)
    monkeypatch.setattr(chinese, "FOLDER", tmp_path / "zh")
    monkeypatch.setattr(translate, "_messages", lambda check: [])
    nb = new_notebook(cells=[
        new_markdown_cell(TITLE, id="title"), new_code_cell("1 + 1", id="sum", execution_count=1, outputs=[
            new_output("execute_result", {"text/plain": "2"}, execution_count=1)]),
        new_markdown_cell("## 2 Another one", id="second")])
    path = tmp_path / "03_slopes.ipynb"
    refresh.save(refresh.dumps(refresh.canonical(nb)), path)
    (tmp_path / "text").write_text(f"%% title\n{CHINESE}\n%% second\n## 2 再来一个\n", encoding="utf-8")
    assert translate.main(["--take", "03", str(tmp_path / "text")]) == 0
    return path


def changed(path, change):
    """Store a notebook with a change."""
    nb = refresh.load(path)
    change(nb.cells)
    refresh.save(refresh.dumps(refresh.canonical(nb)), path)


def test_what_is_taken_has_the_code_the_outputs_and_the_headings_of_the_notebook(english):
    title, code, _ = refresh.load(chinese.FOLDER / english.name).cells
    assert "见[那里](#cell-id=second)" in title.source and code == refresh.load(english).cells[1]
    assert translate.main(["--check"]) == 0 and chinese.draft(english) == ""


def edit(old, new):
    return lambda cells: cells[0].update(source=cells[0].source.replace(old, new))


@pytest.mark.parametrize("change, fault", [
    (lambda cells: cells.pop(0), "title: there is no translation"),
    (lambda cells: cells.append(new_markdown_cell("多", id="more")), "more: no English cell has this id"),
    (lambda cells: cells.reverse(), "its cells stand in another order"),
    (lambda cells: cells[1].update(source="1 + 2"), "not as `python3 tasks.py translate` writes it"),
    (edit("x^2", "x^3"), "title: it lacks the formula '$x^2$'"),
    (edit("2 * x", "2x"), "title: it adds the code '`2x`'"),
    (edit("#cell", "01.ipynb#cell"), "title: it adds a link to '01.ipynb#cell-id=second'"),
    (edit("# 03", "## 03"), "title: it lacks a heading of level (1, '03')"),
    (edit("1.5", "15"), "title: it lacks the number '1.5'"),
    (edit("- 二", ""), "title: it lacks a row '- '"),
    (edit("处的斜率是", "the slope of the parabola at this place is"), "title: it is in English")])
def test_a_fault_of_the_translation_is_named(english, capsys, change, fault):
    changed(chinese.FOLDER / english.name, change)
    assert translate.main(["--check"]) == 1 and f"zh/{english.name}" in (said := capsys.readouterr().out)
    assert fault in said


def test_a_change_of_the_english_makes_its_translation_old(english, capsys):
    changed(english, edit("slope", "steepness"))
    changed(english, lambda cells: cells[1].update(source="2 + 2", outputs=[]))
    assert translate.main([]) == 1 and "title: the English has changed since" in capsys.readouterr().out
    assert refresh.load(chinese.FOLDER / english.name).cells[1].source == "2 + 2"
    assert chinese.draft(english).startswith("%% title\n# 03 Slopes\n\nThe steepness")


def test_a_translation_of_an_unknown_cell_is_refused(english, tmp_path):
    (tmp_path / "text").write_text("%% other\n什么\n", encoding="utf-8")
    with pytest.raises(ValueError, match="got 'other', expected the id of a Markdown cell"):
        translate.main(["--take", "03", str(tmp_path / "text")])
