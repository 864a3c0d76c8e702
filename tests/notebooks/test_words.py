"""Words that the series used before it had the field's words do not return, in no file that is read."""
import re

import nbformat
import pytest
import refresh
import test_series

# Each with what is said instead. Plain English needs none of them here.
OLD = {
    r"\w*blam(?:e|es|ed|ing)\b\w*|\w*blames?_\w*": "gradient, upstream gradient dy, error δ",
    r"\w*testimon(?:y|ies)\w*": "report",
    r"\bweav(?:e|es|ing)\b|\bwoven\b": "the two forms side by side",
    r"\bcontests?\b|\w*winners?\b\w*": "argmax; ties go to the first index",
    r"\bkill[ _]scores?\b": "mutation score",
    r"\bways?[ _]back\b": "backward pass",
    r"\b(?:the|its|their) way there\b|\bway_there\b": "forward pass",
    r"\b(?:the|its|mean|average|of) surprise\b|\bsurprises the\b": "negative log-likelihood",
    r"\bparts? from torch\b": "differs from torch",
    r"\b(?:fly|flies|flew) (?:away|off)\b": "diverges",
    r"\b_?verdicts?\b": "feedback, report, state",
}
# The tests call what the grader returns a verdict among themselves.
AMONG_TESTS = ("verdict",)
FOLDERS = ("benchmarks", "helpers", "images", "notebooks", "tests", "tools", ".")
READ = {".ipynb", ".md", ".py", ".svg", ".toml"}
PICTURE = 5             # so often the picture of blame may be named, in one cell of notebook 00


def old_words(text):
    """The words of OLD in a text, each with what is said instead."""
    plain = re.sub(r"\s+", " ", text)
    return [f"{found[0]} (say: {instead})" for old, instead in OLD.items()
            for found in re.finditer(old, plain, re.IGNORECASE)]


def shown(cell):
    """What a cell says: its source and its text outputs, without pictures."""
    parts = [cell.source]
    for output in cell.get("outputs", []):
        parts += [output.get("text", "")]
        parts += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return re.sub(r"data:[\w/+;,-]*base64,[\w+/=\s]*", "", "\n".join(parts))


def picture_of_blame():
    """The one cell of notebook 00 that may say blame."""
    [said] = [text for text in map(shown, refresh.load(test_series.FIRST).cells) if "blame" in text.lower()]
    return said


def said_in(path):
    """All that a file says to a reader; of notebook 00 without the picture of blame."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    said = [shown(cell) for cell in refresh.load(path).cells]
    if path == test_series.FIRST:
        said.remove(picture_of_blame())
    return "\n".join(said)


def found_in(folder):
    """The old words of each file of a folder, this one excepted."""
    paths = (refresh.ROOT / folder).glob("*" if folder == "." else "**/*")
    found = {path.relative_to(refresh.ROOT).as_posix(): old_words(said_in(path)) for path in sorted(paths)
             if path.suffix in READ and path.name != "test_words.py" and "-checkpoint" not in path.name}
    if folder == "tests":
        found = {path: [word for word in words if not word.lower().startswith(AMONG_TESTS)]
                 for path, words in found.items()}
    return {path: words for path, words in found.items() if words}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_old_words_do_not_return(folder):
    assert found_in(folder) == {}


def test_the_picture_of_blame_stands_in_one_cell():
    found = old_words(picture_of_blame())
    assert len(found) <= PICTURE and {word.split()[0].lower() for word in found} <= {"blame"}


@pytest.mark.parametrize("text", [
    "the blame of z", "who is blamed", "def image_blame(net):", "test_blame_adds_up", "the testimony",
    "no winner", "the winners", "kill score", "on the way\nback", "ways_back", "the way there",
    "the surprise is", "it parts from torch", "it flies away", "_verdict", "a verdict"])
def test_an_old_word_is_noticed(text):
    assert len(old_words(f"Here is {text}, and more.")) == 1


@pytest.mark.parametrize("text", [
    "a surprising output", "you may be surprised", "go back to section 2", "three witnesses",
    "the way to do it", "parts of the sum", "the length of a vector", "this is the way", "a problem"])
def test_plain_english_is_let_pass(text):
    assert old_words(text) == []


def test_text_outputs_are_read_and_pictures_are_not():
    picture = '<img src="data:image/png;base64,ab/blame+c=">no winner'
    cell = nbformat.v4.new_code_cell("x", outputs=[
        nbformat.v4.new_output("stream", text="the blame"),
        nbformat.v4.new_output("display_data", {"text/html": picture})])
    assert [word.split()[0] for word in old_words(shown(cell))] == ["blame", "winner"]


def test_an_old_word_in_a_file_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(refresh, "ROOT", tmp_path)
    (tmp_path / "tests").mkdir()
    for name in ("README.md", "tests/test_x.py", "x.png"):
        (tmp_path / name).write_text("verdict = blame", encoding="utf-8")
    assert {path: len(words) for path, words in found_in(".").items()} == {"README.md": 2}
    assert [len(words) for words in found_in("tests").values()] == [1]
