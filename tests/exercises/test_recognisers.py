"""What the grader says of wrong answers that have no name: true on every input, and specific."""
import inspect

import numpy as np
import pytest

from helpers.exercises import recognisers
from helpers.exercises.grading import find, grade
from helpers.exercises.questions import matrices, network, optimizers, pathologies
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
     "Right at the first index along axis 0, and nowhere else: is the `return` inside the loop?"),
    ("network.delta_hidden", but_the_last_unit, "Right everywhere but at the last index along axis 1."),
    ("pathologies.batch_norm", given(pathologies.dx_by_hand, weight=np.abs),
     "It is what comes out for |`weight`|: signs are lost."),
    ("matrices.softmax", given(matrices.dz_by_hand, da=first_sample),
     "It is what comes out when of `da` only the first entry along axis 0 counts: is the `return` inside"),
    ("matrices.trace", lambda X, W: matrices.tied_by_hand(X, W) + W,
     "It differs from the right one by `W`, which is added once too often."),
    ("optimizers.momentum", given(optimizers.momentum_by_hand, W=lambda W: -W),
     "It is what comes out for −`W`: a sign is lost."),
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


@pytest.mark.parametrize("name, function, words", [
    ("matrices.batch", lambda dY, X: dY @ X, "columns taken for rows, or is a `.T` missing?"),
    ("matrices.softmax", lambda da, a: a * (da - (da * a).sum(1)),
     "is a `keepdims=True` or a `[:, None]` missing?"),
    ("matrices.rank3", lambda W, x: W[5, 0] * x, "does a loop run too far"),
])
def test_an_error_about_shapes_has_its_usual_cause(name, function, words):
    assert words in grade(name, function).sentence
    assert recognisers.cause("no message") == ""
