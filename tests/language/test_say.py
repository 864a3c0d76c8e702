"""`say`: what a text becomes in Chinese, with a small catalogue; and which language is chosen."""
import io
import warnings

import matplotlib.pyplot as plt
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from helpers.language import catalogue, messages
from helpers.plotting import lettering

KNOWN = {
    "learning rate": "学习率", "batch norm": "批归一化", "input": "输入", "none": "无",
    "The sum is right": "和对了",
    "gradients vanish": "梯度消失", "is it a loop?": "是循环吗？", "the first axis": "第一条轴",
    "step {step} of {steps}": "第 {step} 步（共 {steps} 步）", "{depth} layer{s}": "{depth} 层",
    "{net} with {extras}": "{net}，带{extras}", "with {extras}": "采用{extras}",
    "cost {cost}, down from {first}": "代价 {cost}，低于 {first}",
    "the gradient is {value} times that of {layer}": "梯度是 {layer}的 {value} 倍",
    "{found} (theory: {theory})": "{found}（理论：{theory}）",
    "{name} is right but for {what}": "{name} 只差{what}",
    "the last value of the cost is {cost}": "代价最后是 {cost}", "{axis} of {name}": "{name} 的{axis}",
    "use {name}.astype(float)": "用 {name}.astype(float)", "cost {value}. None": "代价{value}。无",
    "{name}: got {value}, expected one of {names}": "{name}：得到 {value}，应为 {names} 之一",
    "d{name}: cost of {value}": "d{name}：代价 {value}", "`{name}` is {value}": "`{name}` 为 {value}",
    "residual connections": "残差连接", "its sign": "正负号",
}


@pytest.fixture
def chinese(monkeypatch):
    """Chinese with the catalogue KNOWN."""
    catalog, file = Catalog(locale="zh", charset="utf-8"), io.BytesIO()
    for english, said in KNOWN.items():
        catalog.add(english, said)
    write_mo(file, catalog)
    file.seek(0)
    known = catalogue.Catalogue(file)
    monkeypatch.setattr(messages, "catalogue", lambda language: known)
    monkeypatch.setattr(messages, "language", lambda: "zh")
    messages.translated.cache_clear()
    yield
    messages.translated.cache_clear()


@pytest.mark.parametrize(("english", "said"), [
    ("learning rate", "学习率"),
    ("Learning rate: ", "学习率："),                              # a capital, and the end of a label
    ("step 3 of 9", "第 3 步（共 9 步）"),
    ("1 layer", "1 层"), ("12 layers", "12 层"),
    ("30 layers with batch norm and residual connections", "30 层，带批归一化和残差连接"),
    ("30 layers with batch norm, residual connections and input", "30 层，带批归一化、残差连接和输入"),
    ("cost 0.205, down from 0.605", "代价 0.205，低于 0.605"),      # no field ends at a decimal point
    ("cost 0.205, down from 0.605. The sum is right.", "代价 0.205，低于 0.605。和对了。"),
    ("Gradients vanish: the gradient is 2.5 times that of step 3 of 9 (theory: 3)",
     "梯度消失：梯度是第 3 步（共 9 步）的 2.5 倍（理论：3）"),
    ("The sum is right. Is it a loop? Batch norm.", "和对了。是循环吗？批归一化。"),
    ("30 layers, with batch norm", "30 层，采用批归一化"),
    ("x (2, 3) is right but for its sign", "x (2, 3) 只差正负号"),      # a bracket is not divided
    ("what is it (input, none, unheard)", "what is it (input, none, unheard)"),
    ("step tanh(x + 1) of 9", "第 tanh(x + 1) 步（共 9 步）"),             # the name of a function is no word
    ("`a: b, c` is right but for its sign", "`a: b, c` 只差正负号"),     # nor is code
    ("`f(x[0` is right but for its sign", "`f(x[0` 只差正负号"),
    ("dW: cost of 3", "dW：代价 3"), ("learning rate (none)", "学习率（无）"),
    ("input x", "输入 x"), ("none\nlearning rate", "无\n学习率"),
    ("the first axis of x", "x 的第一条轴"),
    ("`input` is 3", "`input` 为 3"),                                 # code in a field stays
    ("input: got 3, expected one of input, none", "input：得到 3，应为 input, none 之一"),
    ("use input.astype(float)", "用 input.astype(float)"), ("cost input. None", "代价输入。无"),
    ("`x` is 3 and `input` is 4", "`x` 为 3 和 `input` 为 4"),
    ("learning rate W", "学习率 W"),
    ("0.5, −2; dW = 3", "0.5, −2; dW = 3"), ("", ""), ("W (2, 3)", "W (2, 3)"),
    ("something unheard of", "something unheard of"),
    ("stride = 2, input = 3", "stride = 2, input = 3"),             # arguments keep their names
    ("KeyError: 'no way of knowing'", "KeyError: 'no way of knowing'"),
    ("The last value of the cost is 3. Nobody can know.", "代价最后是 3。Nobody can know。"),
])
def test_what_a_text_becomes(chinese, english, said):
    assert messages.say(english) == said


@pytest.mark.parametrize(("variable", "folder", "expected"), [
    ("zh", "notebooks", "zh"), ("en", "zh", "en"), (None, "zh", "zh"), (None, "notebooks", "en"),
    ("", "zh", "zh")])
def test_the_variable_or_the_folder_chooses(monkeypatch, tmp_path, variable, folder, expected):
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    monkeypatch.delenv(messages.VARIABLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(messages.VARIABLE, variable)
    assert messages.language.__wrapped__() == expected


def test_no_other_language_is_taken(monkeypatch):
    monkeypatch.setenv(messages.VARIABLE, "fr")
    with pytest.raises(ValueError, match="GRADIENTS_LANGUAGE: got 'fr', expected one of en, zh"):
        messages.language.__wrapped__()


@pytest.mark.parametrize(("fonts", "expected"), [
    (("DejaVu Sans",), "learning rate"), (("DejaVu Sans", "Noto Sans CJK JP"), "学习率")])
def test_without_a_font_a_picture_stays_english(chinese, monkeypatch, fonts, expected):
    monkeypatch.setattr(lettering, "families", lambda: fonts)
    monkeypatch.setattr(lettering, "say", messages.say)
    figure, ax = plt.subplots()
    ax.set_title("learning rate")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lettering.translate(figure)
        if len(fonts) == 1:
            figure.canvas.draw()
    assert ax.get_title() == lettering.lettered("learning rate") == expected
    plt.close(figure)


def test_lines_are_as_wide_as_there_is_room(chinese, monkeypatch):
    monkeypatch.setattr(lettering, "lettered", lambda words: words)
    for words in "a few words of English that are too long for one line", "学习率，批归一化，残差连接，输入":
        lines = lettering.wrapped(words, 120)
        assert "".join(lines).replace(" ", "") == words.replace(" ", "")
        assert len(lines) > 1 and all(lettering.width_of(line) <= 120 for line in lines)
