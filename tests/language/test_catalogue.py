"""The catalogues in Chinese: every message of the program, and what tools/messages.py takes for one."""
import ast
import re

import catalogue
import messages
import pytest
import translate

FIELD = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def stored():
    return [message for message in catalogue.stored(catalogue.HELPERS) if message.id]


def test_the_catalogues_are_in_step():
    """Each message has its Chinese, none is left over, and the .mo is what the .po compiles to."""
    assert translate._messages(check=True) == []


def test_fields_are_those_of_the_message(stored):
    of_the_page = [message for message in catalogue.stored(catalogue.PAGE) if message.id]
    assert len(of_the_page) > 20
    for message in stored + of_the_page:
        fields, said = FIELD.findall(message.id), FIELD.findall(message.string)
        assert not set(said) - set(fields), message.id
        for lost in set(fields) - set(said):          # the ending of a plural may go
            assert re.search(rf"[a-z]\{{{lost}\}}", message.id), message.id


def test_no_stop_stands_around_a_message(stored):
    for message in stored:
        assert message.string == message.string.strip(" ,;:.，；：。"), message.id


@pytest.mark.parametrize(("source", "found"), [
    ("say('two words')", ["two words"]),
    ("ax.text(0, 0, 'two  words: ', ha='left side')", ["two words"]),          # a setting is none
    ("say(f'step {step + 1} of {self.steps:.0f}')", ["step {step} of {steps}"]),
    ("say(f'{a}{b} of {a}')", ["{a} of {a_2}"]),                               # side by side: one field
    ("say(f'{x:.2f}, {y}')", []), ("say('dW, db')", []), ("say('x.y_z')", []), ("f'{width}em'", []),
    ("say(f'an {number}', f'a {number}')", ["an {number}", "a {number}"]),
    ("def f():\n    'What it does.'\n    return 'a text of it'", ["a text of it"]),
    ("x: 'a type' = say('one text')", ["one text"]), ("names['the key'] == 'the value'", []),
    ("assert x, 'a reason why'", []), ("import one.two", []),
    ("''.join(['one text', 'and another'])", ["one text", "and another"]),
    ("changed(f, 'old code → new code')", []),
    ("Mistake('name of it', 'What is wrong.', f)", ["What is wrong"]),
    ("say('one line\\nthe next')", ["one line", "the next"]), ("say('_marks of code')", []),
    ("say(f'{said}. The end.')", ["{said}. The end"]),
    ("Exercise('its.name', 'Its title', 1, 2, 3, ('A first hint.',))", ["Its title", "A first hint"]),
    ("explore(draw, the_rate=Slider(1), kind=Slider(1, description='what kind'))", ["what kind", "the rate"]),
])
def test_what_is_a_message(source, found):
    assert [text for _, text in messages.texts(ast.parse(source))] == found


@pytest.mark.parametrize(("file", "found"), [
    ("helpers/widgets/pathology/words.py", ["one", "two words"]),
    ("helpers/functional/losses.py", ["two words"])])
def test_one_word_is_a_label_where_labels_are(file, found):
    taken = messages._of(messages.ROOT / file, "say('one', 'two words')")
    assert [message.text for message in taken] == found and {message.file for message in taken} == {file}
