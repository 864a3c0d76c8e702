"""The numbers in the widgets of notebook 07 are torch's, and what their sentences claim is true."""
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import refresh
import sweep
import torch
import torch.nn.functional as F
from shown import asked, number
from torch import nn
from torch_nets import twin_of

from helpers.exercises.labs_mended import mended_one
from helpers.nn.modules import Flatten, Linear, Sequential
from helpers.nn.optim import SGD
from helpers.nn.trained_cnn import trained_cnn
from helpers.nn.training import fit
from helpers.plotting.digit_pictures import short
from helpers.widgets import layer_viewer, wrong_digits
from helpers.widgets.gradient_hooks import gradient_by_layer, gradient_over_steps, summaries
from helpers.widgets.gradient_hooks.curve_names import APART, name_ends
from helpers.widgets.layer_viewer import OF, look
from helpers.widgets.wrong_digits import PLAIN, confusion

T = trained_cnn()
Z = T.net(T.images)
T.net.forget()
SCORE = list(OF)[1]
WRONG = np.flatnonzero(Z.argmax(1) != T.labels)


def by_hooks(model, image, label, of):
    """Outputs of all modules and the gradients there, by forward hooks; the input's first."""
    outputs = [torch.tensor(image[None], requires_grad=True)]
    hooks = [module.register_forward_hook(lambda m, x, y: outputs.append(y)) for module in model]
    z = model(outputs[0])
    for hook in hooks:
        hook.remove()
    C = F.cross_entropy(z, torch.tensor([label])) if of == "cost" else z.max()
    grads = torch.autograd.grad(C, outputs)
    return [y.detach().numpy()[0] for y in outputs], [g.numpy()[0] for g in grads]


MODEL = twin_of(T.net).eval()


def drawn_everywhere(explorer):
    """Whether each setting of each control draws finite numbers; the sweep of the notebook asks for more."""
    for name, control in explorer.controls.items():
        for value in sweep.settings(control):
            asked(explorer, **{name: value})
    return sweep.finite(explorer.result) and not explorer.errors


# --- the layer viewer ----------------------------------------------------------------------------

@pytest.fixture(scope="module")
def viewer():
    return layer_viewer.layer_viewer(T.net, T.images, T.labels)


@pytest.mark.parametrize("digit, of", [(0, "cost"), (int(WRONG[0]), SCORE)])
def test_outputs_and_gradients_are_those_of_hooks_in_torch(viewer, digit, of):
    outputs, grads = by_hooks(MODEL, T.images[digit], T.labels[digit], OF[of])
    for k in range(len(T.net)):
        viewer.set(digit=digit, layer=k, of=of)
        shown = viewer.result
        for name, true in (("output", outputs[k + 1]), ("gradient", grads[k + 1]), ("input", outputs[0]),
                           ("input_gradient", grads[0])):
            assert shown[name].shape == true.shape
            assert np.allclose(shown[name], true, rtol=1e-9, atol=1e-14), (k, name)
        p = torch.softmax(torch.tensor(outputs[-1]), 0).numpy()
        assert np.allclose(shown["probabilities"], p, rtol=1e-9)


ONE = r"(?:an (?=8)|a (?!8))(\d)"     # a digit with its article


@pytest.mark.parametrize("digit, layer, of", [
    (0, 0, "cost"), (WRONG[0], 3, "cost"), (WRONG[1], 5, SCORE), (7, 7, "cost"), (9, 6, SCORE)])
def test_the_sentence_of_the_viewer_is_true(viewer, digit, layer, of):
    viewer.set(digit=int(digit), layer=layer, of=of)
    outputs, grads = by_hooks(MODEL, T.images[digit], T.labels[digit], OF[of])
    p = torch.softmax(torch.tensor(outputs[-1]), 0).numpy()
    found = re.fullmatch(
        r"Test digit (\d+) is " + ONE + r"; the network predicts (\d) with probability (\S+), which is "
        r"(right|wrong; (\d) has (\S+))\. The gradient of the (cost|score of \d) after layer (\d), "
        r"(\w+), is largest at \[(.*?)\], (\S+); at the input it is largest at \[(.*?)\], (\S+)\.",
        viewer.sentence)
    assert found, viewer.sentence
    assert (int(found[1]), int(found[2]), int(found[3])) == (digit, T.labels[digit], p.argmax())
    assert abs(float(found[4]) - p.max()) <= 0.00501
    assert (found[5] == "right") == (p.argmax() == T.labels[digit])
    if found[6]:
        assert int(found[6]) == T.labels[digit] and abs(float(found[7]) - p[T.labels[digit]]) <= 0.00501
    assert int(found[9]) == layer and found[10] == type(MODEL[layer]).__name__
    for at, value, true in ((found[11], found[12], grads[layer + 1]), (found[13], found[14], grads[0])):
        place = tuple(map(int, at.split(", ")))
        assert abs(true[place]) == np.abs(true).max() and abs(number(value) / true[place] - 1) < 0.051


def test_batch_normalization_is_looked_at_in_evaluation_mode():
    net = mended_one(np.random.default_rng(0))
    fit(net, [SGD(net.parameters(), 0.05)], T.images[:128], T.labels[:128], epochs=1, size=64,
        rng=np.random.default_rng(0))
    before = net.state_dict()
    viewer = layer_viewer.layer_viewer(net, T.images[:9], T.labels[:9])
    for k in range(len(net)):
        viewer.set(digit=4, layer=k)
        outputs, grads = by_hooks(twin_of(net).eval(), T.images[4], T.labels[4], "cost")
        assert np.allclose(viewer.result["output"], outputs[k + 1], rtol=1e-9, atol=1e-12)
        assert np.allclose(viewer.result["gradient"], grads[k + 1], rtol=1e-9, atol=1e-12)
    assert net.training
    assert all(np.array_equal(before[name], value) for name, value in net.state_dict().items())


def test_the_viewer_leaves_the_network_alone(viewer):
    grads = [p.grad.copy() for p in T.net.parameters()]
    viewer.set(digit=3, layer=2)
    assert all(np.array_equal(a, p.grad) for a, p in zip(grads, T.net.parameters(), strict=True))


def test_a_network_of_another_kind_can_be_looked_at():
    """Colours, an image that is not square, vectors only, float32."""
    rng = np.random.default_rng(0)
    net = Sequential(Flatten(), Linear(3 * 5 * 7, 4, rng=rng, dtype=np.float32))
    viewer = layer_viewer.layer_viewer(net, rng.random((3, 3, 5, 7)), np.array([3, 1, 0]))
    assert viewer.result["output"].dtype == np.float32 and drawn_everywhere(viewer)


def test_a_gradient_that_is_zero_is_said_to_be():
    net = Sequential(Flatten(), Linear(4, 2, rng=np.random.default_rng(0)))
    net[1].weight.value[:] = 0
    viewer = layer_viewer.layer_viewer(net, np.ones((1, 1, 2, 2)), np.array([1]))
    assert "at the input it is zero everywhere." in viewer.sentence


@pytest.mark.parametrize("given, said", [
    ((T.net[7], T.images, T.labels), "net: got Linear, expected a Sequential"),
    ((Sequential(), T.images, T.labels), "net: got Sequential"),
    ((T.net, T.images[:, 0], T.labels), r"images: got ndarray of shape \(360, 8, 8\), expected an array"),
    ((T.net, T.images, T.labels[:5]), r"labels: got int64 of shape \(5,\), expected 360 classes"),
    ((T.net, T.images, T.labels * 1.0), "labels: got float64"),
    ((T.net, T.images, T.labels + 1), r"net: it returns shape \(1, 10\) .* above the largest label, 10"),
    ((T.net[:3], T.images, T.labels), r"net: it returns shape \(1, 8, 4, 4\)"),
])
def test_the_viewer_refuses_what_it_cannot_show(given, said):
    with pytest.raises(ValueError, match=said):
        layer_viewer.layer_viewer(*given)


def test_look_refuses_another_subject():
    with pytest.raises(ValueError, match="of: got 'loss', expected 'cost' or 'score'"):
        look(T.net, T.images[0], 1, "loss")


# --- the wrong digits ----------------------------------------------------------------------------

@pytest.fixture(scope="module")
def browser():
    return wrong_digits.wrong_digits(T.images, T.labels, Z)


@pytest.fixture(scope="module")
def leafed(browser):
    """Result and sentence of every wrong digit, the most confident first."""
    return [(asked(browser, which=which), browser.result) for which in range(1, len(WRONG) + 1)]


def test_all_wrong_digits_are_shown_and_no_other(browser, leafed):
    z = MODEL(torch.tensor(T.images)).detach()
    p, said = torch.softmax(z, 1).numpy(), z.argmax(1).numpy()
    for _, one in leafed:
        assert (one["label"], one["predicted"]) == (T.labels[one["index"]], said[one["index"]])
        assert np.allclose(one["probabilities"], p[one["index"]], rtol=1e-9)
    seen = [one["index"] for _, one in leafed]
    assert sorted(seen) == WRONG.tolist() and (np.diff([p[i].max() for i in seen]) <= 0).all()
    asked(browser, which=3, order=PLAIN)
    assert browser.result["index"] == WRONG[2]


def test_the_sentence_of_the_browser_is_true(leafed):
    p = torch.softmax(torch.tensor(Z), 1).numpy()
    for which, (sentence, _) in enumerate(leafed, start=1):
        found = re.fullmatch(
            r"Wrong digit (\d+) of (\d+), most confident first: test digit (\d+) is " + ONE
            + r" and was classified as " + ONE + r", with probability (\S+)\. The right class has (\S+), "
            r"place (\d+) of 10\. Of (\d+) digits (\d), "
            r"(1 was|\d+ were) classified as " + ONE + r"\.", sentence)
        assert found, sentence
        i, label, said = int(found[3]), int(found[4]), int(found[5])
        assert (int(found[1]), int(found[2])) == (which, len(WRONG))
        assert (label, said) == (T.labels[i], Z[i].argmax()) == (int(found[10]), int(found[12]))
        assert abs(float(found[6]) - p[i, said]) < 0.00501 and abs(float(found[7]) - p[i, label]) < 0.00501
        assert int(found[8]) == 1 + (p[i] > p[i, label]).sum() and int(found[9]) == (T.labels == label).sum()
        times = int(((T.labels == label) & (Z.argmax(1) == said)).sum())
        assert found[11] == f"{times} {'was' if times == 1 else 'were'}"


def test_the_confusions_are_scikit_learns():
    from sklearn.metrics import confusion_matrix
    counts = confusion(T.labels, Z)
    assert np.array_equal(counts, confusion_matrix(T.labels, Z.argmax(1), labels=range(10)))
    assert counts.sum() == 360 and not np.array_equal(counts, counts.T)


@pytest.mark.parametrize("given, said", [
    ((T.images[:5], T.labels, Z), r"images: got shape \(5, 1, 8, 8\)"),
    ((T.images, T.labels, Z[0]), r"scores: got float64 of shape \(10,\)"),
    ((T.images, T.labels, Z * np.nan), "scores: got float64 .* expected finite logits"),
    ((T.images, T.labels, Z.argmax(1)), "scores: got int64"),
    ((T.images, T.labels, Z[:, :9]), "labels: got 0 … 9, expected 0 … 8"),
    ((T.images, T.labels - 1, Z), "labels: got -1 … 8"),
    ((T.images, T.labels * 1.0, Z), "labels: got float64"),
    ((T.images, T.labels, torch.softmax(torch.tensor(Z), 1).numpy()), "scores: got probabilities"),
    ((T.images, Z.argmax(1), Z), "scores: all 360 are right; expected a wrong one to show"),
])
def test_the_browser_refuses_what_it_cannot_show(given, said):
    with pytest.raises(ValueError, match=said):
        wrong_digits.wrong_digits(*given)


# --- gradients by layer --------------------------------------------------------------------------

def collected(steps):
    """What hooks of a model see, at each step of a short training: {step: [(name, gradient), …]}."""
    torch.manual_seed(0)
    model, seen, records = twin_of(T.net), [], {}
    for module in model:
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    for name, module in model.named_children():
        name = f"{name} {type(module).__name__}"
        module.register_full_backward_hook(
            lambda module, dx, dy, name=name: seen.append((name, dy[0].numpy().copy())))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for step in range(steps):
        seen.clear()
        optimizer.zero_grad()
        x = torch.tensor(T.images[:32], requires_grad=True)
        F.cross_entropy(model(x), torch.tensor(T.labels[:32])).backward()
        optimizer.step()
        records[10 * step] = list(seen)
    return records


RECORDS = collected(4)
NAMES = [f"{k} {type(layer).__name__}" for k, layer in enumerate(T.net)]


def test_summaries_are_true():
    found = summaries(RECORDS[0])
    assert list(found) == NAMES[::-1]
    for name, gradient in RECORDS[0]:
        g = torch.tensor(gradient)
        assert np.isclose(found[name].rms, g.square().mean().sqrt().item(), rtol=1e-12)
        assert np.isclose(found[name].zeros, (g == 0).double().mean().item())
        sizes = np.sort(np.abs(gradient[gradient != 0]))
        assert np.allclose(np.sort(10 ** found[name].sizes), sizes, rtol=1e-9)


def test_the_figure_has_a_row_for_each_layer_the_first_on_top():
    figure = gradient_by_layer(RECORDS[0])
    ax, = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == NAMES
    assert ax.get_ylim()[0] > ax.get_ylim()[1]                     # y runs down
    said = [text.get_text() for text in ax.texts][2:]
    gradients = dict(RECORDS[0])
    assert said[::2] == [short(float(np.sqrt((gradients[name]**2).mean()))) for name in NAMES]
    assert said[1::2] == [f"{(gradients[name] == 0).mean():.0%}" for name in NAMES]
    for line, name in zip(ax.collections[-1].get_segments(), NAMES, strict=True):
        assert np.isclose(10 ** line[0, 0], np.sqrt((gradients[name]**2).mean()), rtol=1e-9)
    other = gradient_by_layer(RECORDS[0][::-1], backward_order=False).axes[0]
    assert [label.get_text() for label in other.get_yticklabels()] == NAMES


def test_steps_are_moved_through():
    explorer = gradient_over_steps(RECORDS)
    for step, record in RECORDS.items():
        explorer.set(step=step, mark="3 Conv2d")
        gradients = dict(record)
        true = [np.sqrt((gradients[name]**2).mean()) for name in NAMES]
        assert np.allclose(explorer.result["rms"], true, rtol=1e-12)
        assert np.allclose(explorer.result["zeros"], [(gradients[name] == 0).mean() for name in NAMES])
        small, large = NAMES[np.argmin(true)], NAMES[np.argmax(true)]
        zeros = (gradients["3 Conv2d"] == 0).mean()
        assert explorer.sentence == (
            f"Step {step}: the gradient of 3 Conv2d has the root mean square {short(true[3])}, and "
            f"{zeros:.0%} of its entries are exactly 0. Smallest is that of {small}, {short(min(true))}, "
            f"largest that of {large}, {short(max(true))}, {short(max(true) / min(true))} times as large.")


def ends(last, names=None):
    """The words that name_ends writes, from bottom to top, and their heights."""
    figure, ax = plt.subplots()
    ax.set(yscale="log", ylim=(last[last > 0].min() / 1.5, last.max() * 1.5))
    name_ends(ax, names or [f"{k} ReLU" for k in range(len(last))], last)
    plt.close(figure)
    heights = [text.get_position()[1] for text in ax.texts]
    assert np.all(np.diff(heights) > APART - 1e-9) and 0 <= min(heights) and max(heights) <= 1
    return [text.get_text() for text in ax.texts], heights


def test_each_curve_has_its_name_where_it_ends():
    last = np.geomspace(1e-2, 1e-4, 8)
    words, heights = ends(last)
    assert words == list("76543210")
    assert np.allclose(heights, np.log(last[::-1] / (last.min() / 1.5)) / np.log(225), atol=1e-12)


def test_names_of_curves_that_end_together_share_a_line_and_others_are_kept_apart():
    last = np.array([1.9e-3, 1.92e-3, 3.5e-3, 1.4e-3, 1.43e-3, 3e-3, 3e-3, 5e-3, 0])
    assert ends(last)[0] == ["3, 4", "0, 1", "5, 6", "2", "7"]
    assert ends(np.full(3, 1e-3))[0] == ["0, 1, 2"] and ends(np.full(9, 1e-3))[0] == ["0, 1, …"]
    words, heights = ends(np.append(1e-3 * 1.3**np.arange(5), 1.0))        # five within a sixth of the height
    assert words == list("012345") and np.diff(heights)[:4].max() < 1.01 * APART
    assert ends(np.ones(1), ["encoder.layer.0 Linear"])[0] == ["encode…"]
    assert ends(np.geomspace(1e-9, 1, 20))[0] == ["0", "19"], "of too many the lowest and the highest"


def watch_of_the_notebook():
    """The function that notebook 07 writes, as it stands there."""
    [path] = refresh.FOLDER.glob("07_*.ipynb")
    [source] = [cell.source for cell in refresh.load(path).cells if cell.source.startswith("def watch(")]
    found = {"torch": torch, "np": np}
    exec(source, found)
    return found["watch"]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_hooks_of_the_notebook_see_every_innermost_layer_in_every_type(dtype):
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(6, 5), nn.Sequential(nn.ReLU(inplace=True), nn.Linear(5, 4)))
    model, seen = nn.Sequential(inner, nn.LayerNorm(4)).to(dtype), []
    handles = watch_of_the_notebook()(model, seen)
    x, dy = torch.randn(3, 6).to(dtype), torch.randn(3, 4).to(dtype)
    model(x).backward(dy)
    assert [name for name, _ in seen] == ["1 LayerNorm", "0.1.1 Linear", "0.1.0 ReLU", "0.0 Linear"]
    assert all(gradient.dtype == np.float64 for _, gradient in seen)
    assert np.array_equal(seen[0][1], dy.double().numpy())
    assert list(summaries(seen)) == [name for name, _ in seen]
    assert np.allclose(model[0][0].bias.grad.double(), seen[-1][1].sum(axis=0), rtol=2e-2, atol=2e-2)
    for handle in handles:
        handle.remove()
    model(x).backward(dy)
    assert len(seen) == 4


def test_the_hooks_of_the_notebook_pass_over_what_is_no_tensor():
    model, seen = nn.LSTM(3, 2), []
    watch_of_the_notebook()(model, seen)
    model(torch.randn(4, 1, 3))[0].sum().backward()
    with torch.no_grad():
        model(torch.randn(4, 1, 3))
    assert seen == []


def test_gradients_that_vanish_or_are_zero_can_be_drawn():
    rng = np.random.default_rng(0)
    dead = [("a name that is far too long", 1e-30 * rng.normal(size=(3, 2))), ("dead", np.zeros((2, 5))),
            ("one", np.array([0.5])), ("one", rng.normal(size=3))]
    explorer = gradient_over_steps([dead, dead[:1] + [("dead", np.ones(2))] + dead[2:]])
    assert list(summaries(dead)) == ["a name that is far too long", "dead", "one", "one #2"]
    assert drawn_everywhere(explorer)
    gradient_by_layer([("dead", np.zeros(3))])


@pytest.mark.parametrize("given, said", [
    ([], "collected: got \\[\\], expected a list of pairs"),
    ([np.ones(3)], "collected: got ndarray, expected pairs"),
    ([("conv", np.array([1.0, np.nan]))], "conv: got a gradient that holds NaN"),
    ([("conv", np.ones(0))], r"conv: got float64 of shape \(0,\)"),
    ([("conv", np.ones(2, int))], "conv: got int64"),
])
def test_odd_collections_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        gradient_by_layer(given)


def test_records_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="records: got 1, expected two steps or more"):
        gradient_over_steps([RECORDS[0]])
    with pytest.raises(ValueError, match="records: got the layers .* at step 1, expected those of the first"):
        gradient_over_steps([RECORDS[0], RECORDS[0][1:]])
