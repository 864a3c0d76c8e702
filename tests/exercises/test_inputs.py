"""Inputs tell right from wrong in every argument, and a weak test's one input is what its notebook says."""
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from helpers.exercises.diagnosis import all_same
from helpers.exercises.grading import find
from helpers.exercises.questions import (
    autograd,
    convolution,
    matrices,
    network,
    optimizers,
    pathologies,
    pooling,
    pytorch,
    steps,
    transformers,
)
from helpers.functional.losses import softmax

TOPICS = (convolution, pooling, matrices, network, optimizers, steps, pathologies, pytorch, autograd,
          transformers)
SEVERAL = [exercise for topic in TOPICS for exercise in topic.EXERCISES if not exercise.holes]
# What has a scale of its own: activations are saturated by large numbers, probabilities and labels are small.
OF_THEIR_OWN_SIZE = {
    *"z z0 z_prev y a V W_next target eta sizes weight b beta".split(), "x of pathologies.batch_norm",
    "x of pytorch.block", "x of pytorch.swish", "W of matrices.rank3", "W of pytorch.block",
    "W of pathologies.residual", "dW of optimizers.adamw", "X of autograd.hessian", "w of autograd.hessian",
    "t of autograd.hessian", "x of transformers.layer_norm",
    *(f"{name} of transformers.dquery" for name in ("query", "key", "value")),
    *(f"{name} of transformers.causal" for name in ("query", "key"))}


def scalars(exercise):
    """The numbers among the arguments, and those in tuples, each with its values."""
    found = {}
    for case in exercise.inputs():
        for name, value in case.items():
            for i, number in enumerate(value if isinstance(value, tuple) else [value]):
                if isinstance(number, int | float):
                    found.setdefault((name, i), []).append(number)
    return found


def tame(exercise):
    """What its inputs leave open, each in a phrase."""
    inputs, numbers = exercise.inputs(), scalars(exercise)
    yield from (f"{key} takes two values" for key, values in numbers.items() if len(set(values)) < 3)
    yield from (f"{one} and {other} in proportion" for one, other in itertools.combinations(numbers, 2)
                if len({x * numbers[other][0] - numbers[one][0] * y
                        for x, y in zip(numbers[one], numbers[other], strict=True)}) == 1)
    for name in (name for name, value in inputs[0].items() if isinstance(value, np.ndarray)):
        shapes = [case[name].shape for case in inputs]
        yield from (f"axes {i} and {k} of {name} in one order"
                    for i, k in itertools.combinations(range(len(shapes[0])), 2)
                    if not {-1, 1} <= {np.sign(shape[i] - shape[k]) for shape in shapes})
        sizes = [np.abs(case[name]).max() for case in inputs]
        own = {name, f"{name} of {exercise.name}"} & OF_THEIR_OWN_SIZE
        if not own and not min(sizes) < 1e-2 < 1e5 < max(sizes):
            yield f"{name} neither small nor large"


def frozen(exercise):
    """Each other reading of an argument, and its answers: a number fixed, all samples like the first."""
    truth, inputs = exercise.called(exercise.truth), exercise.inputs()
    for name, value in inputs[0].items():
        if isinstance(value, np.ndarray):
            readings = {"like its first": lambda array: np.repeat(array[:1], len(array), axis=0)}
        else:
            readings = {case[name]: lambda _, fixed=case[name]: fixed for case in inputs}
        for what, read in readings.items():
            try:
                yield f"{name} {what}", [np.asarray(truth(*(case | {name: read(case[name])}).values()))
                                         for case in inputs]
            except (ValueError, IndexError, TypeError):      # another shape: that is noticed
                continue


@pytest.mark.parametrize("exercise", SEVERAL, ids=lambda exercise: exercise.name)
def test_inputs_are_hostile_in_every_argument(exercise):
    assert not list(tame(exercise))


@pytest.mark.parametrize("exercise", SEVERAL, ids=lambda exercise: exercise.name)
def test_an_argument_that_is_not_read_is_noticed(exercise):
    truths = exercise.answers(exercise.truth)
    with np.errstate(all="ignore"):
        unnoticed = [what for what, answers in frozen(exercise) if all_same(answers, truths)]
    assert unnoticed == ["W like its first"] * (exercise is matrices.RANK3)   # only its shape counts


def test_tame_inputs_are_noticed():
    small = replace(optimizers.MOMENTUM, cases=lambda rng: [
        case | {"gamma": 0.8, "lam": 0.4} for case in optimizers.MOMENTUM.inputs()[:6]])
    assert {"('gamma', 0) takes two values", "('gamma', 0) and ('lam', 0) in proportion",
            "W neither small nor large"} <= set(tame(small))
    assert [what for what, answers in frozen(small) if all_same(answers, small.answers(small.truth))]
    square = replace(convolution.DB, cases=lambda rng: convolution.DB.inputs()[:1])
    assert "axes 0 and 1 of dy in one order" in set(tame(square))


@pytest.mark.parametrize("name, given, honest", [
    ("convolution.weak_test", {"dy": [[[[1, 1], [1, 1]]]], "W": [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]}, 3),
    ("matrices.break_it", {"dY": [[1, 1]], "W": [[1, 2], [2, 3]]}, 3),
    ("network.break_it",
     {"delta_next": [[1, 1]], "W_next": [[1, 2], [2, 1]], "z": [[0, 0]], "a_prev": [[1, 1]]}, 4),
    ("optimizers.break_it",
     {"W": [1, 3], "dC0": [[[2, 2]]] * 3, "eta": [0.1] * 3, "gamma": 0.5, "lam": 0}, 4),
    ("pathologies.break_it",
     {"dy": [[1], [-1], [-1], [1]], "x": [[-3], [-1], [1], [3]], "weight": [1], "eps": 1e-12}, 4),
    ("transformers.break_it", {"dy": [[2]], "query": [[0]], "key": [[1], [-1]], "value": [[1], [-1]]}, 4),
    ("pytorch.break_it", {"gradients": [[2, 1], [2, 1]], "sizes": [4, 4]}, 4),
    ("autograd.break_it", {"dy": [[[1] * 4] * 3] * 2, "shape": [1, 1]}, 4),
])
def test_the_weak_test_is_what_the_notebook_says(name, given, honest):
    first, *others = find(name).inputs()
    assert {key: np.asarray(value).tolist() for key, value in first.items()} == given
    assert len(others) == honest


def test_the_weak_test_of_pooling_holds_each_number_once():
    case = pooling.BREAK.inputs()[0]
    assert case["x"].shape == (1, 1, 8, 8) and case["kernel_size"] == case["stride"] == 2
    assert (np.sort(case["x"].ravel()) == np.arange(1, 65)).all()
    assert (np.sort(case["dy"].ravel()) == np.arange(1, 17)).all() and case["dy"].shape == (1, 1, 4, 4)


def windows(case):
    """Each window of an input of max pooling, as one row."""
    kh, kw = np.broadcast_to(case["kernel_size"], 2)
    seen = np.lib.stride_tricks.sliding_window_view(case["x"], (kh, kw), axis=(2, 3))
    return seen[:, :, ::case["stride"], ::case["stride"]].reshape(-1, kh * kw)


def test_max_poolings_inputs_hold_ties_overlap_and_windows_below_zero():
    for exercise, least in ((pooling.MAX_BACK, 5), (pooling.BREAK, 2)):
        seen = [windows(case) for case in exercise.inputs()]
        ties = [((rows == rows.max(1, keepdims=True)).sum(1) > 1).any() for rows in seen]
        assert sum(ties) >= least and sum((rows < 0).all(1).any() for rows in seen) >= 2
        assert any(case["stride"] < np.max(case["kernel_size"]) for case in exercise.inputs())
    first = pooling.MAX_BACK.inputs()[0]
    assert (windows(first).argmax(1) == [1, 0]).all()   # the pixel between, for both windows


def test_where_a_row_is_mixed_up_with_a_column_no_error_gives_it_away():
    for case in matrices.RANK3.inputs()[:5]:
        assert case["W"].shape[0] <= case["W"].shape[1]
    for case in pooling.MAX_BACK.inputs():
        kernel, places = case["kernel_size"], case["dy"].shape[2:]
        last = [(n - 1) * case["stride"] for n in places]
        assert all(i + k <= n for i, k, n in zip(last, kernel[::-1], case["x"].shape[2:], strict=True))


def test_every_row_of_softmax_sums_to_1_and_has_no_two_alike():
    for case in matrices.SOFTMAX.inputs():
        assert np.allclose(case["a"].sum(1), 1) and (case["a"] > 0).all()
        assert all(len(set(row)) == len(row) for row in case["a"].tolist())


def test_nothing_is_saturated_and_no_square_is_symmetric():
    for exercise in (network.OUTPUT, network.HIDDEN, network.WEIGHTS, network.BREAK):
        for case in exercise.inputs()[exercise is network.BREAK:]:
            assert all(np.abs(case[name]).max() <= 2 for name in case if name[0] in "za")
            for name in ("delta_next", "W_next", "delta"):
                array = case.get(name, np.zeros((1, 1)))
                square = array.shape[0] == array.shape[1] > 1
                assert not square or not np.allclose(array, array.T)


def test_the_large_logits_tell_the_ways_to_overflow_apart():
    case = next(c for c in network.ENTROPY.inputs() if np.abs(c["z"]).max() >= 1000)
    rows = case["z"].max(1)
    assert rows[0] == 1000 and rows[1] == -1000 and abs(rows[2]) < 10
    assert ((softmax(case["z"]) > 0.05).sum(1) >= 2).all()      # no row is settled by its largest entry
    assert np.isfinite(network.ENTROPY.truth(*case.values())).all()


def test_clippings_inputs_are_too_long_together_and_short_apart():
    kinds = set()
    for case in steps.CLIP.inputs():
        dW, db, most = case.values()
        parts, together = [np.linalg.norm(dW), np.linalg.norm(db)], np.hypot(*map(np.linalg.norm, (dW, db)))
        kinds.add(("long" if together > most else "short", sum(part > most for part in parts)))
    assert {("short", 0), ("long", 2)} <= kinds and kinds & {("long", 0), ("long", 1)}


def test_rates_change_from_step_to_step_and_batches_are_larger_than_one():
    for case in optimizers.MOMENTUM.inputs()[2:]:
        assert len(set(case["eta"])) == len(case["eta"]) > 1
    assert sum(case["dC0"].shape[1] > 1 for case in optimizers.MOMENTUM.inputs()) >= 3
    for case in optimizers.BREAK.inputs()[1:]:
        assert case["lam"] and len(set(case["eta"])) > 1


def test_eps_counts_in_every_input_of_adamw():
    for case in optimizers.ADAM.inputs():
        other = optimizers.ADAM.truth(*{**case, "eps": 1e-8}.values())
        assert np.abs(other - optimizers.ADAM.truth(*case.values())).max() > 1e-3


def test_relu_and_pool_matter_in_the_block():
    """Some windows are silent, and in others the largest in size is negative."""
    for case in pytorch.BLOCK.inputs()[1:]:
        z = F.conv2d(*(torch.tensor(case[name]) for name in ("x", "W", "b")))
        assert (z < 0).any() and (F.max_pool2d(z, 2) > 0).any()
