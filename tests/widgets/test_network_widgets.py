"""The numbers in the two widgets of notebook 04 are torch's, and what their sentences claim is true."""
import itertools
import math
import re

import numpy as np
import pytest
import sweep
import torch
import torch.nn.functional as F
from matplotlib.collections import LineCollection
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Polygon
from shown import asked, stage, text_width
from torch_nets import SIGMA, leaves

from helpers.functional.activations import ACTIVATIONS
from helpers.plotting.lettering import width_of
from helpers.widgets.backprop import network_picture
from helpers.widgets.backprop import stepper as stepping
from helpers.widgets.backprop.equations import DOWN, UP, Block, chain, shown, two_decimals
from helpers.widgets.backprop.stepper import (
    SIZES,
    STEPS,
    B,
    W,
    X,
    Y,
    back_propagate,
    backprop_stepper,
    feed_forward,
)
from helpers.widgets.decision_boundary import explorer as deciding
from helpers.widgets.decision_boundary import net as boundary_training
from helpers.widgets.decision_boundary.explorer import (
    RATES,
    boundary,
    cached_training,
    decision_boundary,
    sharpened,
    stray,
)
from helpers.widgets.decision_boundary.net import (
    DATA,
    DIVERGED,
    Training,
    learn,
    output,
    points,
    solved,
    start,
)

PAIRS = list(itertools.product(ACTIVATIONS, ACTIVATIONS))
SOME = [(hidden, list(ACTIVATIONS)[(k + 2) % 6]) for k, hidden in enumerate(ACTIVATIONS)]   # all in all
BENT = [name for name in ACTIVATIONS if name != "identity"]
PLACES = [(step, neuron) for step, (kind, l) in enumerate(STEPS, start=1)
          for neuron in range(1, 2 if kind == "C" else SIZES[l] + 1)]


def passed(weights, biases, x, y, hidden, output):
    """z¹, a¹, …, a³ and C, each of which torch can differentiate by."""
    weights, biases = leaves(weights), leaves(biases)
    found = {"W": dict(zip(W, weights, strict=True)), "b": dict(zip(W, biases, strict=True)), "z": {},
             "a": {0: torch.tensor(x)}}
    for l in W:
        found["z"][l] = found["W"][l] @ found["a"][l - 1] + found["b"][l]
        found["a"][l] = SIGMA[output if l == 3 else hidden](found["z"][l])
    return found, ((found["a"][3] - torch.tensor(y))**2).sum() / 2


def by_torch(weights, biases, x, y, hidden, output):
    found, C = passed(weights, biases, x, y, hidden, output)
    grads = torch.autograd.grad(C, [*found["W"].values(), *found["b"].values()])
    return grads[:3], grads[3:]


def truth(hidden, output):
    """All numbers of one pair of activations, by torch alone."""
    found, C = passed(W.values(), B.values(), X, Y, hidden, output)
    grads = {name: dict(zip(W, torch.autograd.grad(C, list(found[symbol].values()), retain_graph=True),
                            strict=True)) for name, symbol in (("dW", "W"), ("db", "b"), ("delta", "z"))}
    slopes = {l: torch.autograd.grad(found["a"][l].sum(), found["z"][l], retain_graph=True)[0] for l in W}
    both = {**found, **grads, "slope": slopes}
    return {name: {l: t.detach().numpy() for l, t in by_layer.items()} for name, by_layer in both.items()
            } | {"C": C.item()}


TRUTHS = {pair: truth(*pair) for pair in PAIRS}


@pytest.fixture(scope="module")
def stepper():
    return backprop_stepper(by_torch)


# --- the stepper -----------------------------------------------------------------------------

@pytest.mark.parametrize("hidden, output", PAIRS)
def test_forward_and_backward_are_torchs(hidden, output):
    true = TRUTHS[hidden, output]
    sigma, prime = ({l: ACTIVATIONS[output if l == 3 else hidden][k] for l in W} for k in (0, 1))
    z, a = feed_forward(W, B, X, sigma)
    delta, dW, db = back_propagate(W, z, a, Y, prime)
    for name, ours in {"z": z, "a": a, "delta": delta, "dW": dW, "db": db}.items():
        for l, array in ours.items():
            assert array.shape == true[name][l].shape
            assert np.allclose(array, true[name][l], rtol=1e-12, atol=1e-15)


def test_the_result_is_the_gradients(stepper):
    asked(stepper, hidden="elu", output="sigmoid")
    for ours, name in zip(stepper.result, ("dW", "db"), strict=True):
        assert all(np.allclose(ours[l], TRUTHS["elu", "sigmoid"][name][l], rtol=1e-12) for l in W)


def test_the_network_shows_something():
    """No neuron stands on a kink; some are dead with ReLU in each layer, and none is saturated."""
    for (hidden, last), true in TRUTHS.items():
        assert all(0.1 < np.abs(z).min() and np.abs(z).max() < 2.5 for z in true["z"].values())
        if (hidden, last) == ("relu", "relu"):
            assert [(a == 0).sum() for l, a in true["a"].items() if l] == [2, 1, 1]
        elif not {"relu", "leaky_relu"} & {hidden, last}:
            assert all((np.abs(true["delta"][l]) > 0.001).all() for l in W)


def close(printed, true):
    """Whether a printed number is the true one, rounded as `written` promises."""
    error = np.abs(printed - true)
    if abs(true) < 1e-12:
        return printed == 0
    return printed * true > 0 and error <= (0.00501 if abs(true) > 0.099 else 0.000501) and error < abs(true)


def value(words):
    """What a printed term evaluates to, with torch's σ and σ′."""
    for sign, meaning in (("−", "-"), ("·", "*"), ("²", "**2"), ("½", "0.5")):
        words = words.replace(sign, meaning)
    code = re.sub(r"(\w+)′\(", r"slope('\1', ", words)
    names = {name: lambda z, f=f: f(torch.tensor(float(z), dtype=torch.float64)).item()
             for name, f in SIGMA.items()}
    code = re.sub(r"(\*)(\([^()]*,[^()]*\))", r"\1array(\2)", code)
    return np.array(eval(code, {"array": np.array, "slope": slope, **names}), float)


def slope(name, z):
    z = torch.tensor(float(z), dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(SIGMA[name](z), z)[0].item()


def numbers(words):
    """All numbers of a term, without those of names and exponents."""
    words = words.replace("½", "").replace(")²", ")")
    found = re.findall(r"(?<![\w.])−?\d+(?:\.\d+)?(?:e−\d+)?", words)
    return [float(n.replace("−", "-")) for n in found]


def interleaved(first, second):
    return [n for pair in zip(first, second, strict=True) for n in pair]


def expected(true, kind, l, i):
    """For each statement of a step: its left side, its true value, and the true numbers substituted."""
    if kind == "z":
        pairs = interleaved(W[l][i], true["a"][l - 1][:, 0])
        return [(f"z{UP[l]}{DOWN[i]}", true["z"][l][i, 0], [*pairs, B[l][i, 0]])]
    if kind == "a":
        return [(f"a{UP[l]}{DOWN[i]}", true["a"][l][i, 0], [true["z"][l][i, 0]])]
    if kind == "C":
        return [("C", true["C"], interleaved(true["a"][3][:, 0], Y[:, 0]))]
    delta, z = true["delta"][l][i, 0], true["z"][l][i, 0]
    if kind == "δ" and l == 3:
        return [(f"δ³{DOWN[i]}", delta, [true["a"][3][i, 0], Y[i, 0], z])]
    if kind == "δ":
        pairs = interleaved(W[l + 1][:, i], true["delta"][l + 1][:, 0])
        return [(f"δ{UP[l]}{DOWN[i]}", delta, [*pairs, z])]
    return [(f"row {i + 1} of ∂C/∂W{UP[l]}", true["dW"][l][i], [delta, *true["a"][l - 1][:, 0]]),
            (f"∂C/∂b{UP[l]}{DOWN[i]} = δ{UP[l]}{DOWN[i]}", true["db"][l][i, 0], [])]


@pytest.mark.parametrize("pair", SOME, ids="-".join)
def test_every_number_of_the_sentence_is_true(stepper, pair):
    """At every step and neuron: what is substituted, each relation as it is printed, and the result."""
    for step, neuron in PLACES:
        kind, l = STEPS[step - 1]
        said = stepper.describe(step=step, neuron=neuron, hidden=pair[0], output=pair[1])
        statements = re.search(r", here (.*?)\. ", said)[1].split("; ")
        wanted = expected(TRUTHS[pair], kind, l, neuron - 1)
        for words, (left, true, substituted) in zip(statements, wanted, strict=True):
            assert words.startswith(left + " "), said
            parts = re.split(" ([=≈]) ", words[len(left):])
            signs, terms = parts[1::2], parts[2::2]
            values = [true, *(value(term) for term in terms)]
            for sign, before, after in zip(signs, values, values[1:], strict=False):
                assert (sign == "=") == np.allclose(before, after, rtol=0, atol=1e-9), said
            assert all(map(close, np.ravel(values[-1]), np.ravel(true))), said
            printed = numbers(terms[0]) if substituted else []
            assert len(printed) == len(substituted) and all(map(close, printed, substituted)), said
            if substituted:
                assert pair[l == 3] in terms[0] or kind in "zC∂", said
            if kind == "δ":
                arrived = TRUTHS[pair]["a"][3] - Y if l == 3 else W[l + 1].T @ TRUTHS[pair]["delta"][l + 1]
                factors = arrived[neuron - 1, 0], TRUTHS[pair]["slope"][l][neuron - 1, 0]
                assert all(map(close, numbers(terms[1]), factors)), said


def test_the_sentence_names_step_layer_and_equation(stepper):
    rules = {"z": "forward", "a": "forward", "C": "cost", "∂": "BP3 and BP4"}
    for step, neuron in PLACES:
        kind, l = STEPS[step - 1]
        said = stepper.describe(step=step, neuron=neuron, hidden="elu", output="tanh")
        rule = rules.get(kind, "BP1" if l == 3 else "BP2")
        place = "" if kind == "C" else f", layer {l}, neuron {neuron}"
        assert said.startswith(f"Step {step} of 13, {rule}{place}: ") and "  " not in said


def test_the_sentence_says_what_equals_torchs(stepper):
    ends = {7: "There is no gradient yet to compare with torch's.", 8: " δ³ equals torch's.",
            10: " ∂C/∂b³, ∂C/∂W³ and δ² equal torch's.",
            13: " ∂C/∂b³, ∂C/∂W³, ∂C/∂b², ∂C/∂W², ∂C/∂b¹ and ∂C/∂W¹ equal torch's."}
    for step, end in ends.items():
        for hidden, last in SOME:
            assert stepper.describe(step=step, neuron=1, hidden=hidden, output=last).endswith(end)


@pytest.mark.parametrize("part, l", list(itertools.product((0, 1), (1, 2, 3))))
def test_a_liar_is_exposed(monkeypatch, part, l):
    """One entry of one of the six gradients is wrong: sentence, remark and mark point to it alone."""
    def liar(*values):
        grads = [[np.array(g.numpy()) for g in grads] for grads in by_torch(*values)]
        grads[part][l - 1].flat[-1] += 1e-6
        return grads
    remarks, seen = {}, []
    monkeypatch.setattr(stepping, "write_below", lambda ax, layer, right: remarks.update({layer: right}))
    monkeypatch.setattr(stepping, "draw_equation", lambda ax, parts, top: seen.extend(parts) or [])
    one = backprop_stepper(liar)
    one.set(step=13)
    name = f"∂C/∂{'Wb'[part]}{UP[l]}"
    assert one.sentence.endswith(f"; {name} differs from torch's.")
    assert name not in re.search(r"\. (∂.*) equal torch's;", one.sentence)[1]
    assert remarks == {m: m != l for m in W}
    seen.clear()
    one.set(step=STEPS.index(("∂", l)) + 1, neuron=1, hidden="elu")
    blocks = {block.symbol: block.agree for block in seen if isinstance(block, Block)}
    assert not blocks[name].flat[-1] and blocks[name].sum() == blocks[name].size - 1
    assert blocks[f"∂C/∂{'bW'[part]}{UP[l]}"].all()
    if part:
        one.set(step=STEPS.index(("δ", l)) + 1)
        assert f"δ{UP[l]} differs from torch's" in one.sentence


def test_what_is_no_number_is_not_as_in_torch():
    one = backprop_stepper(lambda *values: [[g * float("nan") for g in grads] for grads in by_torch(*values)])
    one.set(step=13)
    assert "∂C/∂b³, ∂C/∂W³, ∂C/∂b², ∂C/∂W², ∂C/∂b¹ and ∂C/∂W¹ differ from torch's." in one.sentence


@pytest.mark.parametrize("wrong", [
    lambda *values: None,
    lambda *values: by_torch(*values)[0],
    lambda *values: [[g.T for g in grads] for grads in by_torch(*values)],
    lambda *values: [[g.ravel() for g in grads] for grads in by_torch(*values)],
    lambda *values: [grads[:2] for grads in by_torch(*values)]])
def test_gradients_of_other_shapes_are_refused(wrong):
    with pytest.raises(ValueError, match="by_torch: got"):
        backprop_stepper(wrong)


def test_by_torch_cannot_spoil_the_network():
    def greedy(weights, biases, x, y, *names):
        grads = by_torch(weights, biases, x, y, *names)
        for array in (*weights, *biases, x, y):
            array[:] = 0
        return grads
    assert backprop_stepper(greedy).sentence.endswith("equal torch's.") and W[1].any() and X.any() and Y.any()


def blank():
    return stage(lambda figure: network_picture.network_frame(figure, X, Y), network_picture.SIZE)


def labels_of(monkeypatch, stepper, **values):
    """What is written into the picture, by colour."""
    seen = {}

    def write(ax, labels, color="black"):
        seen.setdefault(color, []).extend(words for words, *_ in labels)
    for module in (network_picture, stepping):
        monkeypatch.setattr(module, "write", write)
    stepper.draw(blank(), **values)
    return seen


ONE_EACH = {step: (step, neuron) for step, neuron in PLACES if neuron <= 1 + step % 3}    # of its neurons


@pytest.mark.parametrize("step, neuron", ONE_EACH.values())
def test_boxes_lines_and_matrices_hold_torchs_numbers(monkeypatch, stepper, step, neuron):
    (kind, l), i, true, done = STEPS[step - 1], neuron - 1, TRUTHS["elu", "sigmoid"], STEPS[:step]
    seen = labels_of(monkeypatch, stepper, step=step, neuron=neuron, hidden="elu", output="sigmoid")
    values = [n for kind, l in done if kind in "za" for n in true[kind][l][:, 0]]
    cost = [two_decimals(true["C"])] if ("C", 3) in done else []
    assert seen[network_picture.ROWS["z"]] == [*map(two_decimals, values), *cost]
    deltas = [n for kind, l in done if kind == "δ" for n in true["delta"][l][:, 0]]
    assert seen[network_picture.ROWS["δ"]] == [*map(two_decimals, deltas)]
    on_lines = {"z": lambda: W[l][i], "∂": lambda: true["dW"][l][i],
                "δ": lambda: W[l + 1][:, i] if l < 3 else []}.get(kind, list)()
    slopes, before = true["slope"].get(l), true["a"].get(l - 1)
    cells = {"z": lambda: [true["z"][l], "=", W[l], before, "+", B[l]],
             "a": lambda: [true["a"][l], f"=  {'sigmoid' if l == 3 else 'elu'} of", true["z"][l]],
             "C": lambda: [[true["C"]], "=  ½ ‖", true["a"][3], "−", Y, "‖²"],
             "δ": lambda: [true["delta"][l], "=", W[l + 1].T, true["delta"][l + 1], "⊙", slopes] if l < 3 else
             [true["delta"][3], "=  (", true["a"][3], "−", Y, ")  ⊙", slopes],
             "∂": lambda: [true["dW"][l], "=", true["delta"][l], before.T, "   ", true["db"][l],
                           f"=  δ{UP[l]}"]}[kind]()
    flat = [words for cell in [on_lines, *cells]
            for words in ([cell] if isinstance(cell, str) else map(two_decimals, np.ravel(cell)))]
    assert seen["black"] == flat


def test_marks_and_remarks_say_what_they_should():
    ax = blank()
    before = len(ax.patches)
    agree = np.array([[True, False, True], [True, True, True]])
    network_picture.draw_equation(ax, ["=", Block("dW", np.ones((2, 3)), "red", None, agree)], 354)
    tinted, corners = [], []
    for patch in ax.patches[before:]:
        x, y = patch.get_xy()[0] if isinstance(patch, Polygon) else patch.get_xy()
        (corners if isinstance(patch, Polygon) else tinted).append((x, y))
    assert len(tinted) == 5 and len(corners) == 1
    left, top = min(x for x, _ in tinted), min(y for _, y in tinted)
    assert left + 50 < corners[0][0] < left + 100 and corners[0][1] == top
    for right, words in ((True, "gradients ✓ as in torch"), (False, "gradients ✗ differ")):
        network_picture.write_below(ax, 2, right)
        assert ax.texts[-1].get_text() == words


def test_the_neuron_is_one_of_the_layer():
    one = backprop_stepper(by_torch)
    one.set(step=13, neuron=4)
    one.set(step=10)
    assert one.values["neuron"] == 3 and one.controls["neuron"].max == 3
    one.set(step=7)
    assert one.controls["neuron"].disabled and one.values["neuron"] == 2
    one.set(step=1)
    assert not one.controls["neuron"].disabled and one.controls["neuron"].max == 4


@pytest.mark.parametrize("hidden, last", [("leaky_relu", "leaky_relu"), ("sigmoid", "leaky_relu"),
                                          ("tanh", "sigmoid")])
def test_everything_fits_into_the_picture(hidden, last):
    width, cell = network_picture.SIZE[0], network_picture.CELL[0]
    ax, one = blank(), stepping._passed(by_torch, hidden, last)
    for step, neuron in PLACES:
        found = stepping.equation(one, *STEPS[step - 1], neuron - 1)
        lines = "\n".join(found.lines).split("\n")
        assert len(lines) <= 2
        assert all(text_width(line, FontProperties(size=10)) < width - 8 for line in lines)
        title = f"{found.name}:  {found.letters}"
        assert text_width(title, FontProperties(size=12, weight="bold")) < width - 8
        labels = network_picture.draw_equation(ax, found.parts, 354)
        assert all(cell / 2 < x < width - cell / 2 for _, x, _, _ in labels)
        numbers = [words for words, *_ in labels if re.fullmatch(r"−?[\d.]+(e−\d)?", words)]
        assert max(map(width_of, numbers)) <= cell


@pytest.mark.parametrize("number, words", [
    (0, "0"), (-1e-15, "0"), (1, "1"), (-0.8, "−0.8"), (0.1 + 0.2, "0.3"), (1.426, "1.43"), (-0.898, "−0.90"),
    (0.0954, "0.095"), (0.0996, "0.10"), (0.0049, "0.005"), (-0.00049, "−5e−4")])
def test_numbers_are_written_to_be_read(number, words):
    assert two_decimals(number) == words
    assert shown(number) == float(words.replace("−", "-"))


def test_equal_and_almost_equal():
    assert chain(("z", 0.3), ("0.1 + 0.2", 0.1 + 0.2), ("0.30", 0.3)) == "z = 0.1 + 0.2 = 0.30"
    assert chain(("z", 0.304), ("0.30", 0.3)) == "z ≈ 0.30"
    assert chain(("z", [1, 2]), ("1, 2", np.array([1, 2.01]))) == "z ≈ 1, 2"


# --- the boundary ----------------------------------------------------------------------------

@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_learning_is_torchs(activation):
    (data, y), params = points("moons"), start(5)
    W1, b1, W2, b2 = leaves(params)
    for _ in range(40):
        z = F.linear(SIGMA[activation](F.linear(torch.tensor(data), W1, b1)), W2, b2)
        cost = F.binary_cross_entropy_with_logits(z, torch.tensor(y))
        params, ours = learn(params, data, y, activation, 0.5)
        assert abs(ours - cost.item()) < 1e-9
        for p, grad in zip((W1, b1, W2, b2), torch.autograd.grad(cost, (W1, b1, W2, b2)), strict=True):
            p.data -= 0.5 * grad
    for ours, p in zip(params, (W1, b1, W2, b2), strict=True):
        assert np.allclose(ours, p.detach(), rtol=1e-9)


@pytest.mark.parametrize("hidden, eta", [(2, 0.3), (3, 1.0)])
def test_many_starts_at_once_learn_as_torch_does_one_by_one(hidden, eta):
    X = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64)
    y = torch.tensor([[0.0, 1, 1, 0]], dtype=torch.float64)
    all_params, right = boundary_training._starts(hidden, 12), []
    for params in zip(*all_params, strict=True):
        W1, b1, W2, b2 = leaves(params)
        for _ in range(200):
            z = W2 @ torch.relu(W1 @ X.T + b1) + b2
            cost = F.binary_cross_entropy_with_logits(z, y)
            for p, grad in zip((W1, b1, W2, b2), torch.autograd.grad(cost, (W1, b1, W2, b2)), strict=True):
                p.data -= eta * grad
        z = W2 @ torch.relu(W1 @ X.T + b1) + b2
        right.append(bool(((z > 0) == (y > 0)).all()))
    assert list(solved(hidden, starts=12, eta=eta, steps=200)) == right
    assert 0 < sum(right) < 12


@pytest.mark.parametrize("activation", ["identity", "tanh", "relu"])
def test_at_the_largest_rate_the_cost_jumps_about_or_diverges(activation):
    one = boundary("XOR", activation, 4, RATES[-1], 1000)
    assert one.diverged or (np.diff(one.losses) > 0).sum() > 100


@pytest.mark.parametrize("data", list(DATA))
def test_with_the_identity_the_cost_is_above_100_at_the_two_largest_rates(data):
    assert all(boundary(data, "identity", hidden, eta, 1000).losses[-1] > 100
               for hidden in (1, 4, 16) for eta in RATES[-2:])


@pytest.mark.parametrize("wrong", [{"hidden": 0}, {"starts": 0}, {"steps": 1.5}, {"eta": 0}, {"eta": np.nan}])
def test_what_solved_refuses(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        solved(**{"hidden": 2, "starts": 3, "steps": 1, **wrong})


def test_data_and_beginning():
    for data in DATA:
        X, y = points(data)
        assert np.allclose(X.mean(axis=0), 0) and np.allclose(X.std(axis=0), 1) and y.mean() == 0.5
        assert np.abs(X).max() < deciding.LIMIT, "every point is in the picture"
    few, many = start(4), start(9)
    assert np.array_equal(few[0], many[0][:4]) and np.array_equal(few[1], many[1][:4])
    assert np.abs(many[0]).max() <= 2**-0.5 and np.abs(many[2]).max() <= 1 / 3


@pytest.mark.parametrize("data, hidden, steps", list(itertools.product(DATA, (1, 16), (0, 600))))
def test_with_the_identity_the_network_is_one_matrix_and_the_boundary_straight(data, hidden, steps):
    one = boundary(data, "identity", hidden, 1, steps)
    W1, b1, W2, b2 = one.params
    product, bias = (W2 @ W1)[0], (W2 @ b1 + b2)[0]
    assert one.nonaffine < 1e-12 and (one.stray or 0) < 1e-9
    for line in one.lines:
        assert np.abs(line @ product + bias).max() < 1e-8 * np.abs(product).max()
    assert one.wrong.mean() >= (0.25 if data == "XOR" else 0.05)


@pytest.mark.parametrize("data, activation, hidden", [
    ("XOR", "tanh", 2), ("XOR", "relu", 4), ("XOR", "sigmoid", 8), ("moons", "relu", 16)])
def test_others_bend_it_to_the_data(data, activation, hidden):
    one = boundary(data, activation, hidden, 1, 1000)
    assert one.wrong.sum() <= 1 and one.stray > 0.5 and one.nonaffine > 0.05 and not one.diverged


@pytest.mark.parametrize("data, activation", [(data, name) for data in DATA for name in BENT])
def test_a_single_unit_draws_a_straight_line_though_it_is_not_affine(data, activation):
    one = boundary(data, activation, 1, 3, 300)
    assert one.nonaffine > 1e-3 and one.wrong.sum() >= 5
    assert one.stray is None or one.stray < 1e-7


def test_what_strays():
    line = np.column_stack([np.linspace(-1, 1, 9), 0.3 - 2 * np.linspace(-1, 1, 9)])
    assert stray([line]) < 1e-14 and stray([line[:4], line[5:]]) < 1e-14 and stray([]) is None
    assert stray([line, line + [1, 2]]) > 0.8, "two parallel lines are not one"
    assert abs(stray([line + [[0, 0.1 * (k == 4)] for k in range(9)]]) - 0.1 / 5**0.5) < 0.02


def test_the_boundary_is_where_the_output_is_zero():
    one = boundary("moons", "tanh", 8, 3, 1000)
    for line in one.lines:
        assert np.abs(output(one.params, line, "tanh")).max() < 1e-6
        offset = (line + 2.5) * 24 % 1                     # of a cell: 0 on a line of the grid
        between = ((offset > 0.1) & (offset < 0.8)).any(axis=1)
        off = line[between] + np.where((offset > 0.1) & (offset < 0.8), 0.004, 0)[between]
        assert between.sum() > 20 and np.abs(output(one.params, off, "tanh")).min() > 1e-3
        assert np.allclose(sharpened(off, one.params, "tanh"), line[between], atol=1e-8)


def told(*setting):
    return deciding.describe(boundary(*setting), *setting)


@pytest.mark.parametrize("data, activation, hidden, eta, steps", [
    ("moons", "tanh", 4, 1, 600), ("XOR", "identity", 3, 0.1, 200), ("XOR", "relu", 8, 10, 50),
    ("moons", "elu", 2, 0.01, 0)])
def test_the_sentence_of_the_boundary_is_true(data, activation, hidden, eta, steps):
    one, said = (say(data, activation, hidden, eta, steps) for say in (boundary, told))
    X, y = (torch.tensor(a) for a in points(data))
    W1, b1, W2, b2 = (torch.tensor(p) for p in one.params)
    z = F.linear(SIGMA[activation](F.linear(X, W1, b1)), W2, b2)
    cost = F.binary_cross_entropy_with_logits(z, y).item()
    assert f"accuracy {((z > 0) == (y > 0)).double().mean().item():.0%}, cost {cost:.3f}" in said
    assert f"{data[1:]}, {activation}, {hidden} hidden units, learning rate {eta}, step {steps}: " in said
    if steps:
        assert ("down from" if cost < one.losses[0] else "above") + f" {one.losses[0]:.3f} at step 0" in said
    straight, affine = "boundary is a straight line, within 1e-06", "z² is an affine map of x"
    assert (straight in said, affine in said) == (activation == "identity",) * 2
    if activation != "identity":
        assert f"up to {one.stray:.2f} away" in said and f"deviates by {one.nonaffine:.0%}" in said


@pytest.mark.parametrize("data, eta", [("moons", 1), ("XOR", 100)])
def test_the_picture_of_the_boundary_is_that_of_the_view(data, eta):
    left, right = axes = stage(deciding._frame, deciding.SIZE)
    setting = {"data": data, "activation": "leaky_relu", "hidden": 3, "eta": eta, "steps": 40}
    deciding.keep_training(math.inf, **setting)
    one = deciding._draw(axes, **setting)
    *classes, rings = left.lines
    for which, drawn in enumerate(classes):
        assert np.array_equal(drawn.get_xydata(), one.X[one.y[:, 0] == which])
    assert np.array_equal(rings.get_xydata(), one.X[one.wrong]) and one.wrong.any()
    assert [drawn.get_marker() for drawn in classes] == ["o", "^"]
    units, boundary = (c.get_segments() for c in left.collections if isinstance(c, LineCollection))
    for ends, w, b in zip(units, *one.params[:2], strict=True):
        assert np.abs(ends @ w + b).max() < 1e-9 * np.abs(w).sum()
        assert np.linalg.norm(ends[1] - ends[0]) > 4 * deciding.LIMIT
    assert all(map(np.array_equal, boundary, one.lines)) and len(boundary) == len(one.lines)
    curve, now = right.lines
    assert list(curve.get_ydata()) == one.losses and list(now.get_xdata()) == [one.step]
    assert now.get_ydata() == np.clip(one.losses[-1], 1e-4, 1e2)
    words = "\n".join(text.get_text() for text in right.texts)
    assert f"accuracy {(~one.wrong).mean():.0%}, " in words
    assert (f"diverged at step {one.step + 1}" in words) == one.diverged == (eta == 100)


@pytest.mark.parametrize("setting", [("moons", "identity", 8, 30), ("XOR", "leaky_relu", 2, 100)])
def test_divergence_is_said_and_never_drawn(setting):
    one, said = (say(*setting, 1000) for say in (boundary, told))
    assert one.diverged and sweep.finite([one.z, one.losses, *one.params]) and one.losses[-1] <= DIVERGED
    assert f"It diverged at step {one.step + 1}, where the cost passed 1,000,000" in said
    assert f"; shown is step {one.step}. " in said
    _, activation, _, eta = setting
    _, cost = learn(learn(one.params, one.X, one.y, activation, eta)[0], one.X, one.y, activation, eta)
    assert not cost <= DIVERGED, "the next step is indeed beyond"
    before = one.step // 10 * 10
    assert not boundary(*setting, before).diverged and "diverged" not in told(*setting, before)


@pytest.mark.parametrize("cost", [np.nan, np.inf, 1.1 * DIVERGED])
def test_what_divergence_is(monkeypatch, cost):
    losses = [0.7, 0.9 * DIVERGED, 0.5, cost, 0.1]
    monkeypatch.setattr(boundary_training, "learn", lambda params, *_: (params + 1, losses[params]))
    monkeypatch.setattr(boundary_training, "start", lambda hidden: 0)
    one = Training("XOR", "tanh", 3, 1)
    assert one.params(0) == 0 and one.diverged is None
    assert one.params(20) == 2 and one.diverged == 3 and one.losses == losses[:3] and one.params(0) == 0


@pytest.mark.parametrize("eta", RATES[::2])
def test_no_rate_leads_to_a_picture_of_no_numbers(eta):
    with np.errstate(all="raise", under="ignore"):
        for k, (data, activation) in enumerate(itertools.product(DATA, ACTIVATIONS)):
            one = boundary(data, activation, (2, 16)[(k + RATES.index(eta) // 2) % 2], eta, 120)
            assert sweep.finite([one.z, one.losses, one.nonaffine, *one.params, *one.lines])


def test_training_goes_as_far_as_asked_and_is_not_repeated(monkeypatch):
    count = []
    monkeypatch.setattr(boundary_training, "learn", lambda *values: count.append(1) or learn(*values))
    one = Training("XOR", "tanh", 3, 1)
    early = one.params(50)
    assert len(count) == len(one.losses) == 51
    one.params(80)
    assert len(count) == 81
    assert one.params(50) is early and one.params(80) is one.kept[80] and len(count) == 81
    assert not np.array_equal(one.params(80)[0], early[0])
    assert cached_training.cache_info().maxsize == deciding.KEPT


def test_a_new_setting_is_shown_as_far_as_it_is_trained_and_then_fills_in():
    setting = {"data": "moons", "activation": "tanh", "hidden": 5, "eta": 0.3, "steps": 60}
    cached_training.cache_clear()
    assert deciding.by_now(**setting).step == 0, "a start is there at once"
    assert not deciding.keep_training(0, **setting)
    deciding.keep_training(math.inf, **{**setting, "steps": 25})
    one = deciding.by_now(**setting)
    assert one.step == 20 and ("20 of 60 steps", "bold") in deciding.remarks(one, 60)
    assert "step 20: accuracy" in deciding.describe(one, **setting)
    assert deciding.keep_training(math.inf, **setting) and deciding.by_now(**setting).step == 60
    assert "step 60: accuracy" in told(*setting.values())
    assert not [words for words, _ in deciding.remarks(boundary(**setting), 60) if "of 60" in words]


def test_the_picture_does_not_depend_on_earlier_settings():
    first, second = decision_boundary(), decision_boundary()
    second.set(steps=1000, hidden=7)
    second.set(steps=10, eta=30)
    cached_training.cache_clear()
    boundary.cache_clear()
    second.reset()
    assert second.png() == first.png() and second.sentence == first.sentence
