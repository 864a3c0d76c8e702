"""The exercises of notebooks/04_fully_connected_backprop.ipynb: questions, worked solutions, usual mistakes.

A batch is rows, as everywhere in code: Z = A Wᵀ + b, and the 1/m of the cost is in delta from the start.
Each truth is put together from helpers that have a proof of their own.
"""
from dataclasses import replace

import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.diagnosis import alike
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.grading import compare, compare_nan
from helpers.exercises.hostile import scaled, tenths, whole
from helpers.functional.activations import sigmoid, sigmoid_prime, tanh, tanh_prime
from helpers.functional.linear import linear_backward
from helpers.functional.losses import (  # noqa: F401, for changes
    log_softmax,
    softmax,
    softmax_cross_entropy_backward,
    squared_error_backward,
)

# --- delta of the last layer ------------------------------------------------------------------

def delta_output_by_hand(z, y):
    """The error δ = ∂C/∂z of the last layer; sigmoid and squared error.

    z (m, d), y (m, d) → delta (m, d), with a = σ(z), C = 1/m Σ ½‖a − y‖².
    """
    a = 1 / (1 + np.exp(-z))
    da = (a - y) / len(z)       # C is a mean over the m samples
    return da * a * (1 - a)     # σ′(z) = σ(z)·(1 − σ(z))


def _output_cases(rng):
    for m, d in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (2, 4), (4, 3)):
        yield {"z": tenths(rng, m, d), "y": rng.integers(1, 10, (m, d)) / 10}


def _true_output(z, y):
    return squared_error_backward(sigmoid(z), y) * sigmoid_prime(z)


OUTPUT = Exercise(
    "network.delta_output", "The error of the last layer", delta_output_by_hand, _true_output, _output_cases,
    mistakes=(
        Mistake("no σ′", "σ′ is missing: this is (a − y)/m, the gradient with respect to a. By the chain "
                "rule, the gradient with respect to z is that times σ′(z).", "* a * (1 - a) →"),
        Mistake("m forgotten", "This is the right delta times m: you forgot the average over the samples. "
                "Each sample's error is divided by m.", "/ len(z) →"),
        Mistake("no σ′, m forgotten", "Two things are missing: this is a − y alone. The mean over the "
                "samples divides by m, and the chain rule from a to z multiplies by σ′(z).",
                ("/ len(z) →", "* a * (1 - a) →")),
        Mistake("σ′ at a", "σ′ is taken at a. It belongs at z, where σ was applied; expressed by a, σ′(z) is "
                "a·(1 − a).", "a * (1 - a) → sigmoid_prime(a)"),
        Mistake("y − a", "The sign is wrong: the derivative of ½(a − y)² with respect to a is a − y. With y "
                "− a, gradient descent would raise the cost.", "a - y → y - a"),
        Mistake("mean over all", "This is the right delta divided by d: you averaged over the outputs too. C "
                "adds them up and averages over the samples only.", "len(z) → z.size"),
        Mistake("MSELoss", "This is the gradient of torch's MSELoss: it averages over the outputs too and "
                "has no ½, which together is a factor of 2/d.", "len(z) → z.size * 2"),
        Mistake("no σ′, MSELoss", "This is the gradient of torch's MSELoss with respect to a, which is 2/d "
                "times that of C. And σ′ is missing: by the chain rule, multiply by σ′(z).",
                ("len(z) → z.size * 2", "* a * (1 - a) →")),
        Mistake("2 kept", "Twice the right delta: the ½ of C cancels the 2 from the square.",
                "(a - y) → 2 * (a - y)"),
        Mistake("mean over the outputs", "You divided by d, the number of outputs. The samples are the rows, "
                "m of them, and `len(z)` counts them.", "len(z) → z.shape[1]"),
        Mistake("z − y", "The difference is taken before the activation, as z − y. The cost compares a with "
                "y.", "a - y → z - y"),
        Mistake("z(1 − z)", "σ′ is written as z·(1 − z). It is σ(z)·(1 − σ(z)), which is a·(1 − a).",
                "a * (1 - a) → z * (1 - z)"),
        Mistake("z for a", "You took z for the layer's output a = σ(z), in a − y and in a·(1 − a).",
                ("a - y → z - y", "a * (1 - a) → z * (1 - z)")),
        Mistake("σ for σ′", "You multiplied by σ(z), not by its derivative, which is σ(z)·(1 − σ(z)).",
                "* (1 - a) →"),
        Mistake("tanh's rule", "1 − a² is the derivative of tanh. The sigmoid's is a·(1 − a).",
                "a * (1 - a) → (1 - a**2)"),
        Mistake("square kept", "a − y is still squared: the derivative of ½(a − y)² is a − y.",
                "(a - y) → (a - y)**2 / 2"),
        Mistake("samples added", "You summed over the samples. Each keeps its own row; dW and db add them.",
                "da * a * (1 - a) → (da * a * (1 - a)).sum(axis=0)"),
        Mistake("mean of the errors", "Every sample got the mean of a − y over the samples. The 1/m divides "
                "each sample's own a − y; nothing is added up.", "(a - y) / len(z) → (a - y).mean(axis=0)"),
    ),
    hints=("Use the chain rule for one sample and one output: C depends on a, and a on z. What is ∂C/∂a, and "
           "what is ∂a/∂z?",
           "∂C/∂a = (a − y)/m for a mean over m samples, and ∂a/∂z = σ′(z) = a·(1 − a). Multiply the two."))


# --- delta of a hidden layer ------------------------------------------------------------------

def delta_hidden_by_hand(delta_next, W_next, z):
    """The error δ = ∂C/∂z of a hidden layer; its activation is tanh.

    delta_next (m, n_next), W_next (n_next, n), z (m, n) → delta (m, n).
    """
    da = delta_next @ W_next            # ∂C/∂a, a row for each sample
    return da * (1 - np.tanh(z)**2)     # tanh′ at z


@scaled("delta_next")
def _hidden_cases(rng):
    """Squares first: there a transpose too many raises nothing."""
    for m, n_next, n in ((1, 2, 2), (2, 2, 2), (1, 2, 3), (3, 3, 3), (2, 3, 1), (4, 3, 5)):
        yield {"delta_next": whole(rng, m, n_next), "W_next": whole(rng, n_next, n),
               "z": tenths(rng, m, n)}


def _true_hidden(delta_next, W_next, z):
    return linear_backward(delta_next, tanh(z), W_next)[0] * tanh_prime(z)


def _transposed(W):
    """W.T reshaped to the shape of W: where W is square, W.T itself."""
    return W.T.reshape(W.shape)


HIDDEN = Exercise(
    "network.delta_hidden", "The error of a hidden layer", delta_hidden_by_hand, _true_hidden, _hidden_cases,
    mistakes=(
        Mistake("no σ′", "σ′ is missing: this is the gradient with respect to a. By the chain rule, the "
                "gradient with respect to z is that times tanh′(z).", "* (1 - np.tanh(z)**2) →"),
        Mistake("σ′ at a", "σ′ is taken at a. It belongs at z, where tanh was applied; expressed by a, "
                "tanh′(z) is 1 − a².", "np.tanh(z) → np.tanh(np.tanh(z))"),
        Mistake("transposed", "W is transposed. The ᵀ of BP2 is for columns; in rows the same product is "
                "`delta_next @ W_next`. If you `reshape` W.T so that it fits, its numbers stand in wrong "
                "places.", "@ W_next → @ _transposed(W_next)"),
        Mistake("reshape for transpose", "`reshape` leaves the numbers of W in their places and is no "
                "transpose. In rows none is needed: `delta_next @ W_next`.",
                "@ W_next → @ W_next.reshape(W_next.shape[::-1]).T"),
        Mistake("σ′ before W", "σ′(z) is multiplied before the product with W. It belongs to this layer: "
                "first the product with W, then times σ′(z).",
                ("@ W_next → * np.resize(1 - np.tanh(z)**2, delta_next.shape) @ W_next",
                 "da * (1 - np.tanh(z)**2) → da")),
        Mistake("sigmoid's rule", "a·(1 − a) is the derivative of the sigmoid. tanh has 1 − a².",
                "* (1 - np.tanh(z)**2) → * np.tanh(z) * (1 - np.tanh(z))"),
        Mistake("sigmoid′", "This is the derivative of the sigmoid at z. tanh has 1 − tanh²(z).",
                "* (1 - np.tanh(z)**2) → * sigmoid_prime(z)"),
        Mistake("σ for σ′", "You multiplied by tanh(z), not by its derivative, 1 − tanh²(z).",
                "* (1 - np.tanh(z)**2) → * np.tanh(z)"),
        Mistake("σ′ twice", "σ′(z) is multiplied twice. Once is right: the other σ′ of the chain rule, that "
                "of the next layer, is in delta_next.", "(1 - np.tanh(z)**2) → (1 - np.tanh(z)**2)**2"),
        Mistake("1 − z²", "σ′ is written as 1 − z². It is 1 − tanh²(z), which is 1 − a².", "np.tanh(z) → z"),
        Mistake("1 − a", "The square is missing: tanh′(z) is 1 − a², here it is 1 − a.", "**2 →"),
        Mistake("m twice", "This is the right delta divided by m. delta_next has the 1/m already.",
                "return da → return da / len(z)"),
        Mistake("samples added", "You summed over the samples. Each keeps its own row; dW and db add them.",
                "da * (1 - np.tanh(z)**2) → (da * (1 - np.tanh(z)**2)).sum(axis=0)"),
        Mistake("summed apart", "You summed delta_next and W_next separately. The error of unit k is "
                "multiplied by row k of W_next: multiply first, then sum over k.",
                "delta_next @ W_next → delta_next.sum(axis=1, keepdims=True) * W_next.sum(axis=0)"),
        Mistake("no delta", "delta_next is not used: this is the gradient when every entry of it is 1.",
                "delta_next @ W_next → W_next.sum(axis=0)"),
        Mistake("= for +=", "Only the error of the next layer's last unit counts: is there an `=` for `+=`?",
                "delta_next @ W_next → delta_next[:, -1:] @ W_next[-1:]"),
    ),
    hints=("Unit j of this layer affects every unit k of the next one, through W_kj. Given the errors δ_k of "
           "those, what is ∂C/∂a_j? And ∂C/∂z_j?",
           "∂C/∂a_j = Σ_k δ_k·W_kj, and ∂C/∂z_j is that times σ′(z_j). The sum runs over the rows of W_next: "
           "as rows times matrix, which product is that?"))


# --- dW and db, for a batch -------------------------------------------------------------------

def dW_by_hand(delta, z_prev):
    """The gradients of a layer's weights and biases, side by side.

    delta (m, n), z_prev (m, n_prev) → [dW | db] (n, n_prev + 1),
    with a_prev = σ(z_prev), the layer's input; σ is the sigmoid.
    """
    a_prev = 1 / (1 + np.exp(-z_prev))
    one = np.ones((len(delta), 1))      # a bias has the input 1
    return delta.T @ np.hstack([a_prev, one])


@scaled("delta")
def _weights_cases(rng):
    for m, n, n_prev in ((1, 1, 2), (2, 2, 1), (2, 2, 2), (1, 2, 2), (3, 2, 3), (2, 3, 4), (4, 3, 5)):
        yield {"delta": whole(rng, m, n), "z_prev": tenths(rng, m, n_prev)}


def _gradients(delta, a_prev):
    """[dW | db] from the layer's input."""
    _, dW, db = linear_backward(delta, a_prev, np.zeros((delta.shape[1], a_prev.shape[1])))
    return np.column_stack([dW, db])


def _true_weights(delta, z_prev):
    return _gradients(delta, sigmoid(z_prev))


def _with_db(delta, a_prev, db):
    both = _gradients(delta, a_prev)
    both[:, -1] = db
    return both


def _reversed(delta, a_prev):
    return np.column_stack([(a_prev.T @ delta).reshape(delta.shape[1], -1), delta.sum(0)])


def _crossed(delta, a_prev):
    return np.column_stack([np.outer(delta.sum(0), a_prev.sum(0)), delta.sum(0)])


WEIGHTS = Exercise(
    "network.dW", "The gradients of weights and biases", dW_by_hand, _true_weights, _weights_cases,
    parts=lambda both: {"dW": both[:, :-1], "db": both[:, -1]},
    mistakes=(
        Mistake("z for a", "dW is computed with z_prev. The input of the layer is a_prev = σ(z_prev).",
                "1 / (1 + np.exp(-z_prev)) → z_prev"),
        Mistake("σ′ for a", "dW is computed with σ′(z_prev). Weight W_kj was multiplied by a_j = σ(z_j).",
                "1 / (1 + np.exp(-z_prev)) → sigmoid_prime(z_prev)"),
        Mistake("reversed", "This is the right answer transposed: the factors are in the wrong order. A "
                "gradient has the shape of its parameter, and row k of W belongs to output k.",
                "delta.T @ np.hstack([a_prev, one]) → (delta.T @ np.hstack([a_prev, one])).T"),
        Mistake("dW reversed, reshaped", "dW is `a_prev.T @ delta`, put into the right shape by `reshape`, "
                "which does not reorder the numbers. `delta.T @ a_prev` has the right order at once.",
                lambda delta, z: _reversed(delta, sigmoid(z))),
        Mistake("reshape for transpose", "`reshape` does not reorder delta's numbers; `delta.T` does.",
                lambda delta, z: _with_db(delta.reshape(delta.shape[::-1]).T, sigmoid(z), delta.sum(0))),
        Mistake("m twice", "This is the right gradient divided by m. delta has the 1/m of the cost already.",
                "delta.T → delta.T / len(delta)"),
        Mistake("db averaged", "dW is right, db is divided by m. The 1/m of the cost is in delta already.",
                "one] → one / len(delta)]"),
        Mistake("dW averaged", "db is right, dW is divided by m. The 1/m of the cost is in delta already.",
                "[a_prev → [a_prev / len(delta)"),
        Mistake("db over the wrong axis", "dW is right, db is summed over the wrong axis. Axis 0, the "
                "samples, is summed; axis 1, the outputs, stays: each has a bias.",
                lambda delta, z: _with_db(delta, sigmoid(z), np.resize(delta.sum(1), delta.shape[1]))),
        Mistake("one db for all", "dW is right, but db is the sum over everything. Sum along axis 0 alone.",
                lambda delta, z: _with_db(delta, sigmoid(z), delta.sum())),
        Mistake("db of the last sample", "dW is right, but db is the last sample's: `=` for `+=`, or no sum.",
                lambda delta, z: _with_db(delta, sigmoid(z), delta[-1])),
        Mistake("no db", "dW is right, but the last column is 0. BP3: db is the sum of delta over the batch.",
                "one] → 0 * one]"),
        Mistake("db left out", "dW is right, but the last column is missing: db.",
                "np.hstack([a_prev, one]) → a_prev"),
        Mistake("db first", "The numbers are right, but db stands in the first column, not in the last.",
                "a_prev, one → one, a_prev"),
        Mistake("last sample", "Only the last sample counts: `=` for `+=`, or no sum over the batch.",
                "delta.T @ np.hstack([a_prev, one]) → delta[-1:].T @ np.hstack([a_prev, one])[-1:]"),
        Mistake("first sample", "Only the first sample counts: the sum over the batch is missing.",
                "delta.T @ np.hstack([a_prev, one]) → delta[:1].T @ np.hstack([a_prev, one])[:1]"),
        Mistake("not summed", "Each sample has its own dW and db, but all used one W and one b: sum over "
                "axis 0.",
                "delta.T @ np.hstack([a_prev, one]) → delta[:, :, None] * np.hstack([a_prev, one])[:, None]"),
        Mistake("batch crossed", "You summed delta and a_prev over the batch separately, which multiplies "
                "every sample's delta by every other's a. Multiply row by row first, then sum.",
                lambda delta, z: _crossed(delta, sigmoid(z))),
        Mistake("no a", "Every column is db. Weight W_kj was multiplied by a_j, so its gradient is too.",
                "[a_prev → [np.ones_like(a_prev)"),
        Mistake("no delta", "delta is not used: this is the gradient when every entry of it is 1.",
                "delta.T → np.ones_like(delta).T"),
    ),
    hints=("One sample first: z_k = Σ_j W_kj·a_j + b_k. Given the error δ_k = ∂C/∂z_k, what are ∂C/∂W_kj and "
           "∂C/∂b_k? Which a is it?",
           "δ_k·a_j and δ_k: a bias is a weight whose input is always 1. All samples used the same W and b, "
           "so their gradients add up, and `delta.T @ …` adds them."))


# --- softmax and cross-entropy ----------------------------------------------------------------

def dz_by_hand(z, target):
    """The gradient of the mean cross-entropy of softmax(z), safe at ±20000.

    z (m, d), target (m,) integers, the right classes → dz (m, d).
    """
    e = np.exp(z - z.max(axis=1, keepdims=True))    # the largest is e⁰
    dz = e / e.sum(axis=1, keepdims=True)           # softmax
    dz[np.arange(len(z)), target] -= 1              # one entry a row
    return dz / len(z)


def _entropy_cases(rng):
    """Small numbers, then large ones (e^20000 is infinity in a long double, too), then small ones."""
    for m, d in ((1, 2), (2, 2), (2, 3), (3, 3), (3, 2)):
        yield {"z": tenths(rng, m, d), "target": rng.integers(0, d, m)}
    yield {"z": np.array([[1000.0, 999, -1000, -1000], [-1000, -1002, -1001, -1000], [2, -1, 1, 3]]),
           "target": np.array([1, 0, 2])}
    yield {"z": np.array([[2e4, 2e4 - 1, -2e4], [-2e4 - 1, -2e4, -2e4]]), "target": np.array([0, 2])}
    yield {"z": 2 * tenths(rng, 3, 5), "target": np.array([2, 4, 1])}


OVERFLOW = Mistake("overflow", "Right on small numbers, wrong on large ones, where e^z is infinity or 0. "
                   "Subtract each row's largest entry before `exp`, which leaves softmax as it is; and "
                   "divide by no probability, for some are 0.", "z - z.max(axis=1, keepdims=True) → z")
ADDED = Mistake("small number added", "It is right up to less than a millionth. Did you add a small number, "
                "as in `/ (e.sum(…) + 1e-8)`? With the row's largest entry subtracted, the sum is at least 1 "
                "and needs none.", "e / e.sum → e / (1 + 1e-8) / e.sum")


def _judge_entropy(exercise, answers):
    """`compare_nan`; and say so when an answer is almost right, or wrong for the large inputs only."""
    feedback = compare_nan(exercise, answers)
    if feedback.passed or feedback.mistake or any(a.dtype != float for a in answers):
        return feedback
    return _but_for_large(exercise, answers, feedback)


def _but_for_large(exercise, answers, feedback):
    """Feedback when the answers are almost right, or a named mistake fits all but the large inputs."""
    truths, cases = exercise.answers(exercise.truth), exercise.inputs()
    near = [alike(a, t, 1e-6) for a, t in zip(answers, truths, strict=True)]
    small = [i for i, case in enumerate(cases) if np.abs(case["z"]).max() < 100]
    if all(near[i] for i in small):
        mistake = ADDED if all(near) else OVERFLOW
        return replace(feedback, sentence=mistake.sentence, mistake=mistake.name)
    calm = replace(exercise, cases=lambda rng: [cases[i] for i in small])
    found = compare(calm, [answers[i] for i in small])
    if "No usual" in found.sentence or all(np.isfinite(a).all() for a in answers):
        return feedback
    said = f"Two things are wrong. First, it holds NaN or infinity where z is large. Second: {found.sentence}"
    return replace(feedback, sentence=said, mistake=found.mistake)


ENTROPY = Exercise(
    "network.cross_entropy", "Softmax with cross-entropy, backward", dz_by_hand,
    softmax_cross_entropy_backward, _entropy_cases, judge=_judge_entropy,
    mistakes=(
        OVERFLOW, ADDED,
        Mistake("one shift for all", "You subtracted the largest entry of the whole batch. In a row far "
                "below it every power is 0, and 0/0 is NaN. Each row needs its own: `z.max(axis=1, "
                "keepdims=True)`.", "z.max(axis=1, keepdims=True) → z.max()"),
        Mistake("clipped", "Right on small numbers, wrong on large ones: z is clipped, and 1000 and 999 "
                "became equal. Subtract each row's largest entry instead, which keeps the differences.",
                "z - z.max(axis=1, keepdims=True) → np.clip(z, -500, 500)"),
        Mistake("m forgotten", "This is the right gradient times m: C is a mean over the samples.",
                "dz / len(z) → dz"),
        Mistake("mean over all", "This is the right gradient divided by d: you averaged over the classes "
                "too. C has one logarithm for each sample, and its mean divides by m alone.",
                "dz / len(z) → dz / z.size"),
        Mistake("d for m", "You divided by d, the number of classes, where m, the number of samples, "
                "belongs.", "dz / len(z) → dz / z.shape[1]"),
        Mistake("sign", "The sign is wrong. Raising the right class's z lowers C: its entry is negative.",
                "return dz → return -dz"),
        Mistake("plus one-hot", "1 is added at the right class. C = −ln a has a minus, so it is subtracted.",
                "-= → +="),
        Mistake("no one-hot", "This is softmax alone: nothing is subtracted at the right class. `dz[rows][t] "
                "-= 1` would do it to a copy, `dz[rows, t] -= 1` does it in dz.", "-= 1 → -= 0"),
        Mistake("every row", "`dz[:, target]` means the columns of all targets in every row. Row i has its "
                "own class: `dz[np.arange(len(z)), target]` takes one entry a row.",
                "np.arange(len(z)), target → :, target"),
        Mistake("1 everywhere", "1 is subtracted everywhere. Subtract it at each row's right class alone.",
                "dz[np.arange(len(z)), target] → dz"),
        Mistake("predicted class", "1 is subtracted at the largest z, the class that is predicted. It "
                "belongs at the right class, `target`.",
                "np.arange(len(z)), target → np.arange(len(z)), z.argmax(axis=1)"),
        Mistake("class number", "The number of the class is subtracted. It says where 1 is subtracted.",
                "dz[np.arange(len(z)), target] -= 1 → dz -= target[:, None]"),
        Mistake("gradient of a", "This is −1/a at the right class: the gradient with respect to the class "
                "probabilities. Multiply it by softmax's Jacobian, where a cancels.",
                "dz[np.arange(len(z)), target] -= 1 → dz = np.where(np.eye(z.shape[1])[target], -1 / dz, 0)"),
        Mistake("right class only", "Only the right class has a gradient. Softmax divides by a sum that "
                "holds every z: raising another z lowers the right a, so its gradient is not 0.",
                "return dz → return np.eye(z.shape[1])[target] * dz"),
        Mistake("no logarithm", "This is a·(a − 1) at the right class, the derivative of −a. C is −ln a: its "
                "derivative is a − 1 there, and a at the other classes.",
                "return dz / len(z) → return np.eye(z.shape[1])[target] * (dz + 1) * dz / len(z)"),
        Mistake("σ′ once more", "a·(1 − a) is in it once more. a minus one-hot is the gradient of z already.",
                "return dz → return softmax(z) * (1 - softmax(z)) * dz"),
        Mistake("double softmax", "Softmax is applied twice. z comes before it, and the cost applies it.",
                "z - z.max(axis=1, keepdims=True) → softmax(z)"),
        Mistake("wrong axis", "Softmax runs along axis 0, the samples. It belongs along axis 1, the classes.",
                "axis=1 → axis=0"),
        Mistake("whole batch", "Softmax runs over the whole batch. Each row adds up to 1: `axis=1`.",
                "axis=1, keepdims=True →"),
        Mistake("sigmoid", "You used the sigmoid of each z. Softmax divides by the sum of the row.",
                "e / e.sum(axis=1, keepdims=True) → sigmoid(z)"),
        Mistake("ln a", "You used ln a, the logarithm of softmax, where a itself belongs.",
                "e / e.sum(axis=1, keepdims=True) → log_softmax(z)"),
    ),
    hints=("One sample, right class t: C = −ln a_t = −z_t + ln Σ_j e^(z_j). Take the derivative with respect "
           "to z_t, and with respect to any other z_i.",
           "It is softmax(z) minus 1 at the right class, and the mean divides by m. For large z: softmax "
           "does not change when a whole row is shifted, so shift its largest entry to 0."))


# --- break it ---------------------------------------------------------------------------------

def wrong_dW(delta_next, W_next, z, a_prev):
    """A wrong dW and db of a tanh layer that the weak test accepts.

    delta_next (m, n_next), W_next (n_next, n), z (m, n),
    a_prev (m, n_prev) → [dW | db] (n, n_prev + 1).
    """
    delta = delta_next @ W_next         # tanh′(z) is left out
    one = np.ones((len(delta), 1))
    return delta.T @ np.hstack([a_prev, one])


def _right(delta_next, W_next, z, a_prev):
    delta = _true_hidden(delta_next, W_next, z)
    return _gradients(delta, a_prev)


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones."""
    yield {"delta_next": np.ones((1, 2)), "W_next": np.array([[1.0, 2], [2, 1]]), "z": np.zeros((1, 2)),
           "a_prev": np.ones((1, 2))}
    for m, n_next, n, n_prev in ((2, 2, 2, 2), (1, 2, 3, 2), (3, 3, 3, 3), (4, 3, 5, 2)):
        yield {"delta_next": whole(rng, m, n_next), "W_next": whole(rng, n_next, n),
               "z": tenths(rng, m, n), "a_prev": tenths(rng, m, n_prev)}


HOLES = (
    Mistake("no σ′", "z = 0 hides a missing σ′, for tanh′(0) = 1.", wrong_dW),
    Mistake("σ′ at a", "z = 0 hides that σ′ is taken at a, for tanh(0) = 0.",
            lambda delta, W, z, a: _gradients(delta @ W * tanh_prime(tanh(z)), a)),
    Mistake("transposed", "A symmetric W hides that it is transposed.", "W_next → _transposed(W_next)"),
    Mistake("reshape for transpose", "A symmetric W hides that `reshape` is used instead of a transpose.",
            "W_next → W_next.reshape(W_next.shape[::-1]).T"),
    Mistake("m twice", "A batch of one hides a division by m, which delta_next has in it already.",
            "a_prev) → a_prev) / len(z)"),
    Mistake("db averaged", "A batch of one hides that db is a mean over the samples, and not a sum.",
            "_gradients(delta, a_prev) → _with_db(delta, a_prev, delta.mean(axis=0))"),
    Mistake("first sample", "A batch of one hides that the sum over the samples is missing.",
            "delta, a_prev → delta[:1], a_prev[:1]"),
    Mistake("batch crossed", "A batch of one hides that delta and a are summed over the samples separately.",
            "_gradients → _crossed"),
    Mistake("reversed", "Equal deltas and equal inputs hide that aδᵀ is computed instead of δaᵀ.",
            "_gradients → _reversed"),
    Mistake("one db for all", "Equal deltas hide that every bias got the mean of all deltas.",
            "_gradients(delta, a_prev) → _with_db(delta, a_prev, delta.mean())"),
    Mistake("no delta", "A delta_next of ones hides that it is not used.",
            "delta_next → np.ones_like(delta_next)"),
    Mistake("no a", "Inputs of ones hide that they are not in dW.", "a_prev → np.ones_like(a_prev)"),
    Mistake("db first", "Inputs of ones hide that db stands in the wrong column.",
            "_gradients(delta, a_prev) → np.roll(_gradients(delta, a_prev), 1, axis=1)"),
)


BREAK = break_it(
    "network.break_it", "Break it: a wrong backward step that a weak test accepts",
    wrong_dW, _right, _weak_and_honest, HOLES, right=_right,
    hints=("What could you change about the right step that makes no difference at z = 0? For a W that is "
           "its own transpose? With one sample? With ones?",
           "tanh′(0) is 1. What may be left out then, or taken at another place?"))


EXERCISES = (OUTPUT, HIDDEN, WEIGHTS, ENTROPY, BREAK)
