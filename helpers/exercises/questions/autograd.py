"""The exercises of notebooks/08_autograd_by_hand.ipynb: questions, worked solutions, usual mistakes.

Each truth is what the tape of helpers/autograd/ answers.
"""
import numpy as np

from helpers.autograd import Variable, grad, hessian_vector_product
from helpers.autograd.sweep import sweep
from helpers.exercises.break_it import break_it
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.hostile import scaled, tenths, whole

# --- broadcast forward, sum backward ----------------------------------------------------------

def sum_by_hand(dy, shape):
    """The gradient of an array that was broadcast.

    dy (K, M, N): the upstream gradient; shape: that of the array, (M, N),
    (M, 1), (1, N) or (1, 1) → its gradient, of this shape.
    """
    dx = dy.sum(axis=0)
    for axis in 0, 1:
        if shape[axis] == 1:
            dx = dx.sum(axis=axis, keepdims=True)
    return dx


@scaled("dy")
def _sum_cases(rng):
    for dy, shape in (((2, 1, 2), (1, 1)), ((2, 2, 3), (2, 1)), ((3, 4, 2), (1, 2)), ((4, 2, 3), (2, 3)),
                      ((2, 3, 3), (3, 1)), ((3, 3, 2), (1, 1)), ((4, 3, 5), (3, 1)), ((5, 4, 3), (1, 3)),
                      ((3, 4, 5), (1, 1))):
        yield {"dy": whole(rng, *dy), "shape": shape}


def _true_sum(dy, shape):
    x = Variable(np.zeros(shape), requires_grad=True)
    return grad(x.broadcast_to(dy.shape), [x], dy)[0].value


SUM = Exercise(
    "autograd.sum", "Broadcast forward, sum backward", sum_by_hand, _true_sum, _sum_cases,
    mistakes=(
        Mistake("mean", "The gradients are averaged. One number was used many times, and each use adds to "
                "the change of the cost: sum them.", "sum → mean"),
        Mistake("new axis averaged", "Over the axis in front you took the mean: it is a sum too.",
                "dy.sum → dy.mean"),
        Mistake("length 1 averaged", "Over the axes of length 1 you took the mean: it is a sum too.",
                "dx.sum → dx.mean"),
        Mistake("first of the new axis", "Only dy[0] counts. The array was repeated along the axis in front: "
                "sum over it.", "dy.sum(axis=0) → dy[0]"),
        Mistake("last of the new axis", "Only dy[-1] counts: is there an `=` for `+=`?",
                "dy.sum(axis=0) → dy[-1]"),
        Mistake("first of each axis", "Along the axes of length 1 you kept the first entry. All entries came "
                "from it: sum them.", "dx.sum(axis=axis, keepdims=True) → dx.take([0], axis)"),
        Mistake("last of each axis", "Along the axes of length 1 you kept the last entry: is there an `=` "
                "for `+=`?", "dx.sum(axis=axis, keepdims=True) → dx.take([-1], axis)"),
        Mistake("largest", "You took the largest entry. Routing to the largest belongs to max pooling; "
                "what was repeated gets the sum.", "sum → max"),
        Mistake("signs lost", "The sizes are summed: gradients of opposite sign cancel.",
                lambda dy, shape: _true_sum(np.abs(dy), shape)),
        Mistake("always everything", "You summed over all axes and repeated the result. Where the length is "
                "not 1, nothing was repeated along the axis.",
                lambda dy, shape: np.broadcast_to(dy.sum(), shape).copy()),
        Mistake("times the number", "The sum is multiplied by the number of repetitions: the sum has them "
                "already.", "dy.sum(axis=0) → dy.sum(axis=0) * len(dy)"),
    ),
    hints=("Write y[k, m, n] = x[m, n], and x[m, 0] where an axis has length 1. Which entries of y does one "
           "entry of x stand in?",
           "Sum over the axis in front, then over each axis where `shape` is 1, with keepdims=True."))


# --- the backward pass over a list of operations ----------------------------------------------

def backward_by_hand(inputs, slopes, dy):
    """The gradients of all values on a tape, last to first.

    Operation k, from 0, makes v[k + 1] out of v[i] and v[j], where i, j =
    inputs[k]; slopes (K, 2) holds ∂v[k + 1]/∂v[i] and ∂v[k + 1]/∂v[j].
    dy is the gradient of v[K] → those of v[0] … v[K], (K + 1,).
    """
    dv = np.zeros(len(slopes) + 1)
    dv[-1] = dy
    for k in reversed(range(len(slopes))):
        i, j = inputs[k]
        dv[i] += dv[k + 1] * slopes[k, 0]
        dv[j] += dv[k + 1] * slopes[k, 1]
    return dv


@scaled("slopes")
def _backward_cases(rng):
    tapes = (((0, 0),), ((0, 0), (0, 1)), ((0, 0), (1, 0), (2, 1)), ((0, 0), (0, 1), (2, 1), (3, 3)),
             ((0, 0), (1, 1), (0, 0), (3, 2), (4, 3)), ((0, 0), (1, 0), (1, 2), (2, 1), (4, 3)))
    for k, inputs in enumerate(tapes):
        yield {"inputs": inputs, "slopes": whole(rng, len(inputs), 2, most=9), "dy": 0.5 * (-1)**k * (k + 3)}


def _recorded(inputs, slopes):
    v = [Variable(0.0, requires_grad=True)]
    for (i, j), (s, r) in zip(inputs, slopes, strict=True):
        v.append(s * v[i] + r * v[j])
    return v


def _true_backward(inputs, slopes, dy):
    v = _recorded(inputs, slopes)
    found = sweep(v[-1], np.asarray(dy), wrt=v)
    return np.array([float(found[one].value) if one in found else 0.0 for one in v])


def _first_to_last(inputs, slopes, dy):
    dv = np.zeros(len(slopes) + 1)
    dv[-1] = dy
    for k, (i, j) in enumerate(inputs):
        dv[i] += dv[k + 1] * slopes[k, 0]
        dv[j] += dv[k + 1] * slopes[k, 1]
    return dv


BACKWARD = Exercise(
    "autograd.backward", "Last to first", backward_by_hand, _true_backward, _backward_cases,
    mistakes=(
        Mistake("overwritten", "A value that is used twice keeps what the last use gave it: `=` for `+=`. "
                "What it gets adds up.", "+= → ="),
        Mistake("second overwrites", "The second input's gradient overwrites what was there: `=` for `+=`. "
                "An operation may use one value twice.", "dv[j] += → dv[j] ="),
        Mistake("first overwrites", "The first input's gradient overwrites what was there: `=` for `+=`.",
                "dv[i] += → dv[i] ="),
        Mistake("first to last", "You went from the first operation to the last. Then the gradient of a "
                "value is passed on before all its uses have added to it.", _first_to_last),
        Mistake("no dy", "The gradient of the last value is 1 in your answer. It is `dy`.", "= dy → = 1"),
        Mistake("dy everywhere", "Each operation is given `dy` itself. Its upstream gradient is that of the "
                "value it made, dv[k + 1].", "dv[k + 1] * → dy *"),
        Mistake("upstream left out", "The slopes are added, without the upstream gradient in front.",
                "dv[k + 1] * →"),
        Mistake("wrong upstream", "The upstream gradient of operation k is that of v[k + 1], the value it "
                "made, not of v[k].", "dv[k + 1] * → dv[k] *"),
        Mistake("slopes exchanged", "The two slopes are exchanged: the first belongs to i, the second to j.",
                ("slopes[k, 0] → slopes[k, -1]", "slopes[k, 1] → slopes[k, 0]")),
        Mistake("one slope", "Both inputs get the first slope.", "slopes[k, 1] → slopes[k, 0]"),
        Mistake("second input only", "The first input gets nothing.", "dv[i] += dv[k + 1] * slopes[k, 0] →"),
        Mistake("first input only", "The second input gets nothing.", "dv[j] += dv[k + 1] * slopes[k, 1] →"),
        Mistake("slopes added to", "You added the slope to the upstream gradient. The chain rule multiplies.",
                "dv[k + 1] * → dv[k + 1] +"),
        Mistake("first operation left out", "The loop ends before operation 0.",
                "range(len(slopes)) → range(1, len(slopes))"),
    ),
    hints=("Begin with zeros and dv[-1] = dy. When operation k's turn comes, all uses of v[k + 1] must have "
           "added to dv[k + 1]: in which order do you go?",
           "For k from the last to the first: dv[i] += dv[k + 1] · slopes[k, 0], and the same for j."))


# --- a VJP of one's own -----------------------------------------------------------------------

def cumsum_by_hand(dy):
    """The VJP of the cumulative sum along each row.

    Forward y[m, n] = x[m, 0] + … + x[m, n]; dy (M, N) → dx (M, N).
    """
    return np.cumsum(dy[:, ::-1], axis=1)[:, ::-1]


@scaled("dy")
def _cumsum_cases(rng):
    for M, N in ((1, 2), (2, 2), (3, 2), (2, 3), (4, 3), (3, 5)):
        yield {"dy": whole(rng, M, N)}


def _true_cumsum(dy):
    x = Variable(np.zeros(dy.shape), requires_grad=True)
    return grad(x @ np.triu(np.ones((dy.shape[1],) * 2)), [x], dy)[0].value


CUMSUM = Exercise(
    "autograd.cumsum", "A VJP of your own", cumsum_by_hand, _true_cumsum, _cumsum_cases,
    mistakes=(
        Mistake("forward again", "This is the cumulative sum of dy, the forward pass again. x[n] stands in "
                "y[n] and in all that follow: the sum runs from n to the end.",
                lambda dy: np.cumsum(dy, axis=1)),
        Mistake("not turned back", "The sums are right, but in reverse: turn the result back.",
                "axis=1)[:, ::-1] → axis=1)"),
        Mistake("turned only behind", "You turned the result and not dy: turn both.", "dy[:, ::-1] → dy"),
        Mistake("down the columns", "You summed down the columns. Forward runs along the rows.",
                lambda dy: np.cumsum(dy[::-1], axis=0)[::-1]),
        Mistake("without itself", "x[n] stands in y[n] too: dy[n] belongs to the sum.",
                "axis=1)[:, ::-1] → axis=1)[:, ::-1] - dy"),
        Mistake("whole row", "Each entry got the sum of its whole row. y[0] … y[n − 1] do not depend on "
                "x[n].", lambda dy: np.broadcast_to(dy.sum(1, keepdims=True), dy.shape).copy()),
        Mistake("dy itself", "This is dy unchanged. x[n] stands in more than one y.", lambda dy: +dy),
        Mistake("difference", "These are differences, which undo the cumulative sum. A VJP is the transpose "
                "of the matrix, not its inverse.",
                lambda dy: np.diff(dy, axis=1, prepend=0)),
        Mistake("differences to the right", "These are differences of neighbours: the inverse of the "
                "transpose. The VJP is the transpose itself.",
                lambda dy: dy - np.pad(dy, ((0, 0), (0, 1)))[:, 1:]),
        Mistake("averaged", "The sums are divided by the number of terms.",
                "axis=1)[:, ::-1] → axis=1)[:, ::-1] / np.arange(dy.shape[1], 0, -1)"),
        Mistake("times the count", "Each dy is multiplied by the number of y that x[n] stands in. They have "
                "different gradients: sum these.", lambda dy: dy * np.arange(dy.shape[1], 0, -1)),
    ),
    hints=("Write the row as y = xU. Which entries of U are 1? The VJP is dx = dy·Uᵀ.",
           "dx[n] = dy[n] + dy[n + 1] + … : a cumulative sum from the other end."))


# --- the gradient of a gradient ---------------------------------------------------------------

def hessian_by_hand(X, w, t, v):
    """The Hessian of C = ½‖tanh(Xw) − t‖² times a vector, without H.

    X (m, n), w (n,), t (m,), v (n,) → H v, (n,).
    """
    a = np.tanh(X @ w)
    slope = 1 - a**2
    curvature = slope**2 + (a - t) * (-2 * a * slope)
    return X.T @ (curvature * (X @ v))


@scaled("v")
def _hessian_cases(rng):
    for m, n in ((1, 1), (1, 2), (3, 2), (2, 3), (4, 3), (5, 4)):
        yield {"X": tenths(rng, m, n) / 2, "w": tenths(rng, n), "t": tenths(rng, m), "v": whole(rng, n)}


def _true_hessian(X, w, t, v):
    w = Variable(w.reshape(-1, 1), requires_grad=True)
    C = 0.5 * (((X @ w).tanh() - t[:, None])**2).sum()
    return hessian_vector_product(grad(C, [w], create_graph=True), [w], [v[:, None]])[0][:, 0]


HESSIAN = Exercise(
    "autograd.hessian", "The gradient of a gradient", hessian_by_hand, _true_hessian, _hessian_cases,
    mistakes=(
        Mistake("without the second term", "This is slope² alone, as if tanh were straight (the Gauss–Newton "
                "matrix). The slope in the gradient (a − t)·slope depends on w too.",
                "+ (a - t) * (-2 * a * slope) →"),
        Mistake("second term only", "This is the second term alone. a − t depends on w too: slope².",
                "slope**2 + →"),
        Mistake("sign of the second", "The derivative of 1 − a² has a minus: −2a·slope.", "-2 * a → 2 * a"),
        Mistake("without the 2", "The derivative of a² is 2a·slope: the 2 is missing.", "-2 * a → -a"),
        Mistake("without a", "The derivative of a² is 2a·slope: the a is missing.", "-2 * a * → -2 *"),
        Mistake("inner slope", "The derivative of 1 − a² with respect to z is −2a·slope: the slope is "
                "missing.", "(-2 * a * slope) → (-2 * a)"),
        Mistake("without the error", "The second term is multiplied by the error a − t.",
                "(a - t) * (-2 * a * slope) → (-2 * a * slope)"),
        Mistake("t for the error", "The second term has the error a − t, not a alone: t is left out.",
                "(a - t) → a"),
        Mistake("slope once", "The first term has the slope twice: once from the gradient, once from a.",
                "slope**2 → slope"),
        Mistake("the gradient", "This is the gradient. H v needs its change along v.",
                lambda X, w, t, v: X.T @ ((np.tanh(X @ w) - t) * (1 - np.tanh(X @ w)**2))),
        Mistake("diagonal", "Each entry of v is multiplied by the diagonal of H: H has entries beside it.",
                "X.T @ (curvature * (X @ v)) → (X.T**2 @ curvature) * v"),
        Mistake("doubled", "This is twice the right one: the ½ of the cost takes away the 2.",
                "X.T @ → 2 * X.T @"),
    ),
    hints=("With z = Xw the gradient is Xᵀ[(a − t)·slope], slope = 1 − a². Differentiate the bracket with "
           "respect to z by the product rule.",
           "The bracket changes by [slope² + (a − t)·(−2a·slope)]·dz, and dz = Xv. Then Xᵀ in front."))


# --- break it ---------------------------------------------------------------------------------

def wrong_sum(dy, shape):
    """A wrong gradient of a broadcast array that the weak test accepts.

    dy (K, M, N), shape (M, N), (M, 1), (1, N) or (1, 1) → an array of this
    shape.
    """
    return np.full(shape, dy.size / np.prod(shape))      # dy is not read


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones."""
    yield {"dy": np.ones((2, 3, 4)), "shape": (1, 1)}
    for dy, shape in (((3, 2, 4), (2, 1)), ((2, 4, 3), (1, 3)), ((3, 5, 4), (5, 4)), ((4, 2, 3), (1, 1))):
        yield {"dy": whole(rng, *dy), "shape": shape}


def _counted(of):
    """The sum, in which each dy is replaced."""
    return lambda dy, shape: _true_sum(of(dy), shape)


HOLES = (
    Mistake("counted", "Gradients that are all 1 hide that they are not read, only counted.", wrong_sum),
    Mistake("always everything", "The shape (1, 1) hides that the sum is always taken over all axes.",
            lambda dy, shape: np.full(shape, dy.sum())),
    Mistake("spread over the entries", "The shape (1, 1) hides that the whole sum is divided over the "
            "entries.", lambda dy, shape: np.full(shape, dy.sum() / np.prod(shape))),
    Mistake("absolute", "Positive gradients hide that signs are lost.", _counted(np.abs)),
    Mistake("squared", "Gradients that are all 1 hide that they are squared.", _counted(np.square)),
    Mistake("cubed", "Gradients that are all 1 hide a third power.", _counted(lambda dy: dy**3)),
    Mistake("sign", "Gradients that are all 1 hide that only signs are summed.", _counted(np.sign)),
    Mistake("positive part", "Positive gradients hide that negative ones are left out.",
            _counted(lambda dy: np.maximum(dy, 0))),
    Mistake("inverse", "Gradients that are all 1 hide that they are divided by.",
            _counted(lambda dy: 1 / dy)),
    Mistake("first repeated", "Gradients that are all alike hide that only the first of the new axis counts.",
            lambda dy, shape: len(dy) * _true_sum(dy[:1], shape)),
    Mistake("last repeated", "Gradients that are all alike hide that only the last of the new axis counts.",
            lambda dy, shape: len(dy) * _true_sum(dy[-1:], shape)),
    Mistake("largest repeated", "Gradients that are all alike hide that only the largest counts.",
            _counted(lambda dy: np.full(dy.shape, dy.max()))),
    Mistake("columns reversed", "One entry hides the order: the columns are reversed.",
            lambda dy, shape: _true_sum(dy, shape)[:, ::-1]),
    Mistake("rows reversed", "One entry hides the order: the rows are reversed.",
            lambda dy, shape: _true_sum(dy, shape)[::-1]),
)

BREAK = break_it(
    "autograd.break_it", "Break it", wrong_sum, _true_sum, _weak_and_honest, HOLES,
    hints=("All gradients are 1, and the array was a single number. What cannot be seen then?",
           "Signs, sizes, the order, and which axes are summed: change one of them."))

EXERCISES = (SUM, BACKWARD, CUMSUM, HESSIAN, BREAK)
