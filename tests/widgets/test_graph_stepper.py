"""The graph stepper: its numbers are torch's, its graph has room for every line, and what it refuses."""
import itertools

import numpy as np
import pytest
import torch

from helpers.widgets.graph_stepper import graph_stepper
from helpers.widgets.graph_stepper.explorer import PRESETS
from helpers.widgets.graph_stepper.expression import LONGEST, read
from helpers.widgets.graph_stepper.layout import COLUMNS, ROOM, WIDE, laid_out
from helpers.widgets.graph_stepper.picture import BOX, RULES, centre

NUMBERS = {"x": 2.0, "W": -0.5, "b": 1.5, "t": 1.0}
TEXTS = [*PRESETS.values(), "x*W*b*t + x/W - b**3*exp(t)", "tanh(tanh(tanh(x*W) + b) + b) - t*x",
         "-x + 2*(3 - 1) - W**-2", "u = x*x; z = u + x; u*z", "log(b/t)*relu(x - t)*relu(W)", "x - x*x/x"]


def in_torch(text):
    """The gradients by torch of the same text; here, and only here, it is run as Python."""
    leaves = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
              for name, value in NUMBERS.items()}
    names = {**leaves, **{f: getattr(torch, f) for f in ("exp", "log", "tanh", "relu")}}
    *lines, last = text.split(";")
    for line in lines:
        exec(line.strip(), names)
    y = eval(last.strip(), names)
    y.backward()
    return y.item(), {name: leaf.grad.item() for name, leaf in leaves.items() if leaf.grad is not None}


@pytest.fixture(scope="module")
def stepper():
    return graph_stepper()


@pytest.mark.parametrize("text", TEXTS)
def test_value_and_gradients_are_torchs(stepper, text):
    stepper.set(expression=text, step=1)
    assert not any(stepper.result.values())
    stepper.set(step=stepper.controls["step"].max)
    y, gradients = in_torch(text)
    tape = read(text, NUMBERS)
    assert np.isclose(float(tape.forward[-1].value), y, rtol=1e-12)
    assert stepper.result.keys() == gradients.keys()
    assert all(np.isclose(stepper.result[name], gradients[name], rtol=1e-12) for name in gradients)


@pytest.mark.parametrize("text", TEXTS)
def test_no_line_passes_behind_a_box_and_no_box_lies_on_another(text):
    tape = read(text, NUMBERS)
    layout = laid_out(tape.forward)
    boxes = {v: centre((v, c), layout) for v, c in layout.column.items()}
    for one, other in itertools.combinations(boxes.values(), 2):
        assert (np.abs(one - other) >= np.array(BOX)).any()
    for place in boxes.values():
        assert BOX[0] / 2 <= place[0] <= 700 - BOX[0] / 2 and 20 < place[1] - BOX[1] / 2
    for (start, end), goals in layout.lines.items():
        assert end[1] == start[1] + 1 and goals                     # from column to column
        for v, c in layout.column.items():
            if c == end[1] and v is not end[0]:                     # a line that passes has a place there
                assert abs(layout.height[v, c] - layout.height[end]) >= 0.5 * WIDE
    reached = {(start[0], goal) for (start, _), goals in layout.lines.items() for goal in goals}
    assert reached == {(p, v) for v in tape.forward for p in v.node.parents}
    assert all(0 <= height <= ROOM for height in layout.height.values())


def test_steps_go_forward_then_backward_and_say_their_rule(stepper):
    stepper.set(expression="(tanh(W*x + b) - t)**2", step=1)
    assert stepper.controls["step"].max == 11
    said = []
    for step in range(1, 12):
        stepper.set(step=step)
        said.append(stepper.sentence)
    assert "forward: multiply, y = u·v. y = u·v, u = −0.5, v = 2: y = −1." in said[0]
    assert "dC = 1" in said[5] and "backward: power, du = dy·n·uⁿ⁻¹" in said[6]
    assert "dy = −1.08: − gets −1.08" not in said[7] and "t gets 1.08" in said[7]
    assert said[10].endswith("So far dx = 0.423, dW = −1.69, db = −0.846, dt = 1.08.")


def test_a_second_use_is_added_up_in_words(stepper):
    stepper.set(expression="z = W*x; z*tanh(z)", step=1)
    stepper.set(step=6)
    assert "× gets −0.42" in stepper.sentence and "together −1.18" in stepper.sentence
    stepper.set(expression="x*x", step=3)
    assert "x gets 2, together 2" not in stepper.sentence and "x gets 2, together 4" in stepper.sentence


def test_every_operation_has_a_rule_in_letters():
    seen = {v.node.name for text in TEXTS for v in read(text, NUMBERS).forward}
    assert seen == set(RULES)


@pytest.mark.parametrize("text, said", [
    ("x +", "cannot be read; expected a formula such as"), ("\0", "cannot be read"),
    ("x = ", "cannot be read"), ("", "got no formula at the end"), ("z = x", "got no formula at the end"),
    ("3", "no operation acts on"), ("x", "no operation acts on"), ("2*3", "no operation acts on"),
    ("y + 1", "got the name y, expected one of x"), ("x^2", r"expected \*\* for a power"),
    ("sin(x)", r"not sin\(…\) but exp, log"), ("tanh(x, t)", r"not tanh\(…, …\)"),
    ("tanh()", r"not tanh\(\)"), ("tanh(x=t)", "tanh"), ("x[0]", "not understood"),
    ("x.value", "not understood"), ("__import__('os').getcwd()", "not understood"),
    ("x @ W", "not understood"), ("(lambda: x)()", "not understood"), ("x if x else t", "not understood"),
    ("f'{x}'", "not understood"), ("x < t", "not understood"), ("not x", "not understood"),
    ("[x, t]", "not understood"), ("import os; x", "expected a definition such as"),
    ("x = 1; x*2", "second definition of x"), ("a, c = x, t; a*c", "expected a definition"),
    ("z = q = x; z*2", "expected a definition"), ("True*x", "got True, expected a number"),
    ("'a'*x", "expected a number"), ("2j*x", "expected a number"), ("x**W", "got W, expected a number"),
    ("x**10", "got the exponent 10"), ("2000000*x", "at most a million"), ("1e999*x", "at most a million"),
    ("log(-x)", "log of -2 is no finite"), ("x/(b - b)", "no finite number"),
    ("1/0*x", "constants is no finite"), ("exp(exp(exp(exp(x))))", "no finite"),
    ("relu(W)**-1 + x", "no finite"), ("relu(W)**0.5*x", "a gradient is no finite"),
    ("+".join("x" * LONGEST), f"expected at most {LONGEST}"),
    ("-" * (COLUMNS) + "x", f"got {COLUMNS} operations one after the other, expected at most {COLUMNS - 1}"),
    ("(x*W + x*b) + (x*t + W*b) + (W*t + b*t)", "side by side")])
def test_what_is_not_understood_is_told_and_the_picture_stays(stepper, text, said):
    stepper.reset()
    before = stepper.png(), len(stepper.errors)
    stepper.controls["expression"].value = text
    assert stepper.png() == before[0] and len(stepper.errors) == before[1] + 1
    with pytest.raises(ValueError, match=said):
        raise stepper.errors[-1]
    stepper.errors.clear()


def test_other_numbers_and_none():
    assert graph_stepper(x=3.0).result["W"] != graph_stepper().result["W"]
    with pytest.raises((ValueError, TypeError)):
        graph_stepper(x="a")
