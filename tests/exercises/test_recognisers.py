"""What the grader says of wrong answers that have no name: true on every input, and specific."""
import inspect
import re

import numpy as np
import pytest

from helpers.exercises import recognisers
from helpers.exercises.grading import find, grade
from helpers.exercises.questions import matrices, network, optimizers, pathologies, pooling, pytorch
from helpers.functional.pooling import max_pool2d

UNNAMED = "No usual mistake gives this"


def given(solution, **changes):
    """The worked solution, whose arguments of these names are changed before."""
    names = list(inspect.signature(solution).parameters)

    def function(*arguments):
        named = dict(zip(names, arguments, strict=True))
        return solution(**named | {name: change(named[name]) for name, change in changes.items()})
    return function


def first_sample(a):
    kept = np.zeros_like(a)
    kept[:1] = a[:1]
    return kept


def first_row_only(d, W, z):
    """A loop over samples that returns too early, in an array of whatever was there."""
    whole = network.delta_hidden_by_hand(d, W, z)
    found = np.full_like(whole, 7)
    found[0] = whole[0]
    return found


def but_the_last_unit(d, W, z):
    found = network.delta_hidden_by_hand(d, W, z)
    found[:, -1] = 7
    return found


@pytest.mark.parametrize("name, function, sentence", [
    ("network.delta_hidden", first_row_only,
     "Right at the first index along axis 0, and nowhere else: does a loop end too early?"),
    ("network.delta_hidden", but_the_last_unit, "Right everywhere but at the last index along axis 1."),
    ("pathologies.batch_norm", given(pathologies.dx_by_hand, weight=np.abs),
     "It is what comes out for |`weight`|: signs are lost."),
    ("matrices.softmax", given(matrices.dz_by_hand, da=first_sample),
     "It is what comes out when `da` is 0 but at the first index along axis 0: does a loop end too"),
    ("matrices.trace", lambda X, W: matrices.tied_by_hand(X, W) + W,
     "It is the right one plus `W`: is it added once too often?"),
    ("optimizers.momentum", given(optimizers.momentum_by_hand, W=lambda W: -W),
     "It is what comes out for −`W`: is there a sign too many, or one missing?"),
    ("network.delta_output", lambda z, y: network.delta_output_by_hand(z.astype("float32"), y).astype(float),
     "Right to five digits, and not to nine"),
    ("optimizers.adamw", given(optimizers.adamw_by_hand, eps=lambda eps: 1.0),
     "It is what comes out when `eps` is 1 in every input: where is `eps` used?"),
    ("optimizers.adamw", lambda *given: optimizers.adamw_by_hand(*given[:3], (0.8, 0.95), *given[4:]),
     "It is what comes out when `betas` is (0.8, 0.95) in every input: where is `betas` used?"),
    ("pooling.max", lambda x, size, s, p: max_pool2d(
        np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=-100), size, stride=s),
     "Wherever it is wrong, your answer is -100: where does this number come from?"),
    ("convolution.size", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s + 1 + (p > 0) * 3,
     "inputs, those in which `p` is 0."),
    ("pooling.max_backward", lambda *given: pooling.max_dx_by_hand(*given).astype(int).astype(float),
     "Wrong only where all numbers are tiny: is a number rounded,"),
    ("pooling.max_backward", lambda dy, x, k, s: pooling.max_dx_by_hand(dy, x, k, s) * (2 - (k[0] == k[1])),
     "inputs, those in which both numbers of `kernel_size` are equal."),
    ("pathologies.chi", lambda z, s: pathologies.chi_by_hand(z, s) * z.shape[1],
     "It is the right one times the length of `z` along axis 1."),
    ("pytorch.accumulate", lambda g, n: pytorch.accumulate_by_hand(g, n) / g.shape[1],
     "It is the right one divided by the length of `gradients` along axis 1."),
    ("network.dW", lambda d, z: network.dW_by_hand(d, z) * np.r_[np.ones(z.shape[1]), -1],
     "dW is right. db is right but for its sign."),
    ("network.dW", lambda d, z: np.column_stack([d.T @ z, d.mean(0)]),
     "dW: dW is computed with z_prev. The input of the layer is a_prev = σ(z_prev). db: This is"),
    ("pathologies.running", lambda *given: pathologies.running_by_hand(*given) + [[0], [1]],
     "The mean is right. The variance is wrong."),
    ("convolution.size", lambda n, k, s, p, d: (n + 2 * p - s * (k - 1) - 1) // d + 1,
     "It is right with `s` and `d` exchanged."),
    ("matrices.trace", lambda X, W: matrices.tied_by_hand(X, W) - W,
     "It is the right one minus `W`: is it left out, or subtracted?"),
    ("matrices.softmax", given(matrices.dz_by_hand, da=lambda a: a - np.vstack([a[:-1], 0 * a[-1:]])),
     "at the last index along axis 0: is there an `=` in the place of `+=`?"),
    ("convolution.db", lambda dy: np.clip(dy, -1e3, 1e3).sum((0, 2, 3)),
     "Wrong only where numbers are large: does something overflow, or is a number compared with?"),
    ("convolution.dx", lambda *given: find("convolution.dx").solution(*given) / given[3],
     "It is the right one divided by `stride`."),
])
def test_what_holds_on_every_input_is_said(name, function, sentence):
    feedback = grade(name, function)
    assert sentence in feedback.sentence and not feedback.passed, feedback


@pytest.mark.parametrize("name", ["network.delta_hidden", "matrices.batch", "pathologies.residual"])
def test_what_holds_on_most_inputs_only_is_not_said(name):
    exercise, count = find(name), []

    def function(*arguments):
        count.append(1)
        right = exercise.truth(*arguments)
        return right + arguments[0].sum() * len(count) if len(count) % 3 else 3.3 * right
    assert UNNAMED in grade(name, function).sentence


@pytest.mark.parametrize("name, wrong", [
    # right at the last index, with no loop; on two inputs, whose stride is 3 by chance; on the first two
    ("steps.warmup_cosine", lambda right, *_: right * (1 + (np.arange(len(right)) < len(right) - 1))),
    ("convolution.size", lambda right, n, k, s, p, d: right + (s != 3)),
    ("convolution.dx", lambda right, dy, W, shape, s, p: right * (1 + (dy.shape[2] > 1 or p > 0))),
    # small, but no rounding
    ("network.delta_output", lambda right, z, y: right + 1e-7),
])
def test_a_cause_that_need_not_be_one_is_not_said(name, wrong):
    exercise = find(name)
    said = grade(name, lambda *given: wrong(exercise.truth(*given), *given)).sentence
    assert not re.search(r"`=`|those in which|float32(?! on its way, or)", said), said


def as_columns(dY, X):
    return dY @ X


def without_axis(da, a):
    return a * (da - (da * a).sum(1))


def too_far(W, x):
    return W[5, 0] * x


def not_turned_back(delta_next, W_next, z):
    return np.ones((5, 4)) * np.ones((4, 5))


def too_short(delta_next, W_next, z):
    found = np.zeros(z.shape)
    found[:] = z[:, :-1].repeat(3, axis=1)
    return found


@pytest.mark.parametrize("name, function, words", [      # a sentence quotes the line in which it went wrong
    ("matrices.batch", as_columns, "columns taken for rows, or is a `.T` missing, or one too many?"),
    ("matrices.softmax", without_axis, "is a `keepdims=True` or a `[:, None]` missing?"),
    ("matrices.rank3", too_far, "does a loop run too far"),
    ("network.delta_hidden", not_turned_back, "as the transpose of the other should be"),
    ("network.delta_hidden", too_short, "does a slice reach past the end, or is it too short?"),
])
def test_an_error_about_shapes_has_its_usual_cause(name, function, words):
    assert words in grade(name, function).sentence


def test_a_word_in_the_learners_own_line_is_no_cause():
    assert recognisers.cause("no message") == ""
    for function in (lambda da, a: np.broadcast_to(unknown, a.shape),  # noqa: F821
                     lambda da, a: np.matmul(da, unknown)):  # noqa: F821
        said = grade("matrices.softmax", function).sentence
        assert "NameError" in said and "keepdims" not in said and "columns" not in said
