"""The exercises of notebooks/03_matrix_derivatives.ipynb: questions, worked solutions, usual mistakes.

No helper computes these derivatives, so `truth` finds each in another way: from the images of the unit
vectors, or from the whole Jacobian, built and contracted.
"""
import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.hostile import mixed, scaled, whole

# --- the whole derivative of y = Wx with respect to W -----------------------------------------

def derivatives_by_hand(W, x):
    """All derivatives of y = Wx with respect to W: D[i, k, j] = ∂y_i/∂W_kj.

    W (o, n), x (n,) → D (o, o, n).
    """
    o, n = W.shape
    D = np.zeros((o, o, n))
    for i in range(o):
        D[i, i] = x             # y_i holds row i of W and no other
    return D


@scaled("x")
def _rank3_cases(rng):
    """At first no more outputs than inputs: i and j, or k and j, can be mixed up without an IndexError."""
    for o, n in ((1, 2), (2, 2), (2, 3), (3, 3), (3, 4), (4, 2)):
        yield {"W": whole(rng, o, n), "x": whole(rng, n)}


def _true_rank3(W, x):
    """D[:, k, j] is the output for a W that has a 1 at (k, j) and 0 elsewhere: y is linear in W."""
    units = np.eye(W.size).reshape(*W.shape, *W.shape)
    return np.stack([[unit @ x for unit in row] for row in units]).transpose(2, 0, 1)


RANK3 = Exercise(
    "matrices.rank3", "All derivatives of y = Wx with respect to W", derivatives_by_hand, _true_rank3,
    _rank3_cases,
    mistakes=(
        Mistake("diagonal only", "Every row is x, and the axis k is missing. ∂y_i/∂W_ij = x_j is true, but "
                "only for k = i: every output has a whole matrix of derivatives, and its other rows are 0.",
                "return D → return D.sum(axis=1)"),
        Mistake("no δ", "Every row k is x, for every output i. W_kj occurs in y_k only: where i ≠ k the "
                "derivative is 0.", "D[i, i] → D[i]"),
        Mistake("δ turned round", "The zeros and x are exchanged: y_i contains row i of W, so the "
                "derivative is x_j where k = i.", "D[i, i] → D[i, np.arange(o) != i]"),
        Mistake("W for x", "The rows are those of W: that is ∂y_i/∂x_j, the derivative with respect to x. "
                "With respect to W_ij it is the factor of W_ij, which is x_j.", "= x → = W[i]"),
        Mistake("terms", "These are the terms W_ij·x_j of the sum y_i. The derivative of such a term with "
                "respect to W_ij is x_j alone.", "= x → = x * W[i]"),
        Mistake("no x", "There is a 1 in place of x_j: this says which output a weight changes, not how "
                "much.", "= x → = 1"),
        Mistake("x_i", "The row index is used for x: weight W_ij is multiplied by x_j, so x has the column "
                "index.", "= x → = x[i % n]"),
        Mistake("y = xW", "This is δ_ij·x_k, the rule for y = xW, where output i uses a column of W. In y "
                "= Wx it uses a row: δ_ik·x_j.", "D[i, i] = x → D[i, :, i % n] = np.resize(x, o)"),
        Mistake("δ_ij", "The δ compares the output i with the column j. Output i uses row i of W: compare i "
                "with k.", "D[i, i] = x → D[i, :, i % n] = x[i % n]"),
        Mistake("δ_kj", "The δ compares the row k of W with its column j. Output i uses row i of W: compare "
                "i with k.", "D[i, i] = x → D[:, i, i % n] = x[i % n]"),
        Mistake("W's axes swapped", "The two axes of W are exchanged: D has the output first and then the "
                "shape of W, (o, o, n).", "return D → return D.swapaxes(1, 2)"),
        Mistake("column first", "The column j comes first here. D has the output first and then the shape of "
                "W, (o, o, n).", "return D → return D.transpose(2, 0, 1)"),
        Mistake("one output", "Only the first output is filled: every output i has x in its own row i.",
                "range(o) → range(1)"),
        Mistake("square only", "Only the first o columns are filled: j runs over the n entries of x, i and k "
                "over the o outputs.", "D[i, i] = x → D[i, i, :o] = x[:o]"),
    ),
    hints=("Write y_i as a sum over j. In which of the o outputs does W_kj occur?",
           "W_kj occurs in y_k and nowhere else, with the factor x_j. So D[i, k, j] is x_j where k = i, and "
           "0 elsewhere: δ_ik·x_j. At most o·n entries are not 0, one for each weight."))


# --- the gradient of the weights, for a batch in rows -----------------------------------------

def dW_by_hand(dY, X):
    """The gradient of the weights of Y = X Wᵀ + b, a sample in each row.

    dY (m, o), X (m, n) → dW (o, n), the shape of W.
    """
    dW = np.zeros((dY.shape[1], X.shape[1]))
    for dy, x in zip(dY, X, strict=True):
        dW += np.outer(dy, x)       # one sample: dW_kj = dy_k x_j
    return dW


@scaled("dY", "X")
def _batch_cases(rng):
    for m, o, n in ((1, 1, 2), (2, 1, 1), (1, 2, 2), (2, 2, 2), (3, 2, 3), (4, 3, 5)):
        yield {"dY": whole(rng, m, o), "X": whole(rng, m, n)}


def _true_batch(dY, X):
    """The whole ∂Y/∂W, built sample by sample and contracted with dY."""
    D = np.stack([_true_rank3(np.zeros((dY.shape[1], x.size)), x) for x in X])
    return np.einsum("ni,nikj->kj", dY, D)


BATCH = Exercise(
    "matrices.batch", "The gradient of the weights, for a batch in rows", dW_by_hand, _true_batch,
    _batch_cases,
    mistakes=(
        Mistake("transposed", "This is dWᵀ, the outer products x ⊗ dy: right for Y = XW, whose W is (n, o). "
                "A gradient has the shape of its array, and here W is (o, n).", lambda dY, X: X.T @ dY),
        Mistake("transposed, reshaped", "This is dWᵀ, put into the right shape by `reshape`, which does "
                "not exchange rows and columns. `dY.T @ X` has the right order at once.",
                lambda dY, X: (X.T @ dY).reshape(dY.shape[1], -1)),
        Mistake("reshape for transpose", "dY is in the wrong order: `reshape` does not exchange rows and "
                "columns, `dY.T` does.", lambda dY, X: dY.reshape(dY.shape[::-1]) @ X),
        Mistake("mean over the batch", "This is the right gradient divided by m: you averaged over the "
                "batch. If the cost is an average, dY already contains the factor 1/m.",
                lambda dY, X: dY.T @ X / len(X)),
        Mistake("mean over all", "This is the right gradient divided by m·o, the number of entries of dY. If "
                "the cost is an average, dY already contains the factor.", lambda dY, X: dY.T @ X / dY.size),
        Mistake("not summed", "Here each sample has its own dW. All samples use the same W: sum over axis 0.",
                lambda dY, X: dY[:, :, None] * X[:, None]),
        Mistake("first sample", "Only the first sample counts: the sum over the batch is missing.",
                lambda dY, X: np.outer(dY[0], X[0])),
        Mistake("last sample", "Only the last sample counts: `=` stands where `+=` should, or the sum over "
                "the batch is missing.", lambda dY, X: np.outer(dY[-1], X[-1])),
        Mistake("batch crossed", "You summed dY and X over the batch separately, so that every sample is "
                "multiplied by every other. Only rows of the same sample belong together: multiply first, "
                "then sum.", lambda dY, X: np.outer(dY.sum(0), X.sum(0))),
        Mistake("the bias", "This is db, the sum of dY over the batch. W is multiplied by X, so dW contains "
                "X.", lambda dY, X: dY.sum(0)),
        Mistake("no X", "X is missing: every column is db, the gradient of the bias. Weight W_kj is "
                "multiplied by x_j, so its gradient contains the factor x_j.",
                lambda dY, X: dY.T @ np.ones_like(X)),
        Mistake("ones upstream", "dY is missing: this is dW when every entry of dY is 1. Multiply each "
                "sample by the upstream gradient of its outputs.", lambda dY, X: np.ones_like(dY).T @ X),
        Mistake("outputs added", "Every output received the gradients of all outputs: row k of W changes "
                "column k of Y and nothing else.", lambda dY, X: mixed(dY, 1).T @ X),
        Mistake("inputs added", "Every column has the sum over all inputs: W_kj is multiplied by x_j and by "
                "no other.", lambda dY, X: dY.T @ mixed(X, 1)),
    ),
    hints=("One sample first: y_k = Σ_j W_kj·x_j + b_k. Given the upstream gradient dy_k, what is the "
           "gradient of W_kj?",
           "dy_k·x_j, an outer product. Every sample uses the same W, so the outer products of the batch "
           "are summed. Which single matrix product does both, and in the shape of W?"))


# --- softmax, backward ------------------------------------------------------------------------

def dz_by_hand(da, a):
    """Softmax, backward: the gradient of z, with a = softmax(z) in each row.

    da (m, n), a (m, n) → dz (m, n). No Jacobian is built.
    """
    average = (da * a).sum(axis=1, keepdims=True)   # weighted by a
    return a * (da - average)


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@scaled("da")
def _softmax_cases(rng):
    for m, n in ((1, 2), (1, 3), (2, 2), (3, 3), (4, 3), (3, 5)):
        weights = np.stack([rng.permutation(9)[:n] + 1 for _ in range(m)])     # no two alike in a row
        yield {"da": whole(rng, m, n), "a": weights / weights.sum(axis=1, keepdims=True)}


def _true_softmax(da, a):
    """Each row's whole Jacobian, a_i·(δ_ij − a_j), built and contracted."""
    J = np.eye(a.shape[1]) * a[:, None] - a[:, :, None] * a[:, None]
    return np.einsum("ni,nij->nj", da, J)


SOFTMAX = Exercise(
    "matrices.softmax", "Softmax, backward", dz_by_hand, _true_softmax, _softmax_cases,
    mistakes=(
        Mistake("diagonal only", "This is da·a·(1 − a), as for the sigmoid: only the diagonal of the "
                "Jacobian. z_j also changes the other a_i of its row, through the sum in the denominator: "
                "−a_i·a_j.", lambda da, a: da * a * (1 - a)),
        Mistake("diagonal itself", "This is a·(1 − a), the diagonal of the Jacobian, and da is missing. "
                "The rest of the Jacobian, −a_i·a_j, is needed too.", lambda da, a: a * (1 - a)),
        Mistake("no subtraction", "This is a·da, only the first term: increasing z_j also lowers every "
                "output, through the sum in the denominator. That term is −a_j·Σ da_i·a_i.",
                lambda da, a: a * da),
        Mistake("plus", "The sum has the wrong sign: increasing one z lowers the other outputs, so it is "
                "subtracted.", "da - average → da + average"),
        Mistake("no a in front", "This is da − Σ da_i·a_i: the factor a in front of the bracket is missing.",
                "a * (da - average) → da - average"),
        Mistake("a on one term", "The a in front belongs to both terms, a·da and the sum: put the difference "
                "into brackets.", "a * (da - average) → a * da - average"),
        Mistake("second term only", "The term a·da is missing, the δ_ij of the Jacobian.",
                "da - average → -average"),
        Mistake("sum of da", "The sum is not weighted: subtract Σ da_i·a_i, not Σ da_i. The weight of "
                "each da_i is a_i.", "(da * a) → da"),
        Mistake("mean of da", "You subtracted the plain mean of da. It is a mean weighted by a: `(da * "
                "a).sum(axis=1, keepdims=True)`.", "(da * a).sum → da.mean"),
        Mistake("mean for sum", "You took the mean of da·a in place of the sum: a sums to 1 already, so the "
                "sum is the weighted mean.", "sum → mean"),
        Mistake("sum of a", "da is missing from the sum, and the sum of a is 1: subtract Σ da_i·a_i.",
                "(da * a) → a"),
        Mistake("wrong axis", "The sum runs over the batch, along axis 0. Each row is a softmax of its own: "
                "sum along axis 1.", "axis=1 → axis=0"),
        Mistake("whole batch", "The sum runs over the whole batch: is its `axis` missing? Each row is a "
                "softmax of its own, so sum along axis 1.", "axis=1, keepdims=True →"),
        Mistake("first row", "The Jacobian of the first row is used for all of them. Each row has its own a, "
                "and so its own Jacobian.", lambda da, a: _true_softmax(da, np.broadcast_to(a[:1], a.shape))),
        Mistake("ones upstream", "All zeros: this is right if every entry of da is 1, since the outputs of a "
                "row always sum to 1. Here da has different entries.", lambda da, a: np.zeros_like(a)),
        Mistake("cross-entropy", "This is a − da, the short gradient of softmax and cross-entropy together, "
                "with da for the label. Here da is an upstream gradient, and no cross-entropy follows.",
                lambda da, a: a - da),
        Mistake("log-softmax", "This is the backward pass of ln a, da − a·Σ da. The outputs here are a.",
                "a * (da - average) → da - a * da.sum(axis=1, keepdims=True)"),
        Mistake("softmax twice", "You applied softmax to a, which is its output already: the rows of a sum "
                "to 1.", lambda da, a: _true_softmax(da, _softmax(a))),
        Mistake("mean over the batch", "This is the right gradient divided by m: each row has its own dz, "
                "and nothing is averaged.", lambda da, a: _true_softmax(da, a) / len(a)),
    ),
    hints=("The Jacobian of one row is J_ij = ∂a_i/∂z_j = a_i·(δ_ij − a_j). Write down dz_j = Σ_i "
           "da_i·J_ij.",
           "The δ leaves one term, da_j·a_j. In the other, a_j does not depend on i: take it out of the "
           "sum. The sum is then one number for each row."))


# --- by differentials: a weight matrix that is used twice -------------------------------------

def tied_by_hand(X, W):
    """The gradient G of C = ½ ‖X W Wᵀ − X‖² with respect to W.

    X (m, n), W (n, r) → G (n, r), so that dC = tr(Gᵀ dW).
    """
    E = X @ W @ W.T - X
    A = X.T @ E
    return A @ W + A.T @ W      # from W, from Wᵀ


@scaled("X", "W")
def _trace_cases(rng):
    for m, n, r in ((1, 2, 1), (1, 2, 2), (2, 2, 3), (3, 3, 1), (2, 4, 3), (4, 3, 2)):
        yield {"X": whole(rng, m, n, most=9), "W": whole(rng, n, r, most=9)}


def _true_trace(X, W):
    """The gradients of −tr(WᵀSW) and of ½ tr(WᵀSW WᵀW), S = XᵀX: C is their sum and a constant."""
    S = X.T @ X
    return -2 * S @ W + S @ W @ (W.T @ W) + W @ (W.T @ S @ W)


TRACE = Exercise(
    "matrices.trace", "By differentials: a matrix used twice", tied_by_hand, _true_trace, _trace_cases,
    mistakes=(
        Mistake("first place only", "Only the first W was differentiated, Wᵀ was treated as a constant. W "
                "occurs twice, and dE = X·dW·Wᵀ + X·W·dWᵀ has a term for each.", "+ A.T @ W →"),
        Mistake("second place only", "Only Wᵀ was differentiated, the first W was treated as a constant. W "
                "occurs twice, and dE = X·dW·Wᵀ + X·W·dWᵀ has a term for each.", "A @ W + →"),
        Mistake("twice the first", "This is 2·XᵀE·W: you took the two terms to be equal. They would be if "
                "XᵀE were symmetric; the second has its transpose, EᵀX·W.", "A.T @ W → A @ W"),
        Mistake("twice the second", "This is 2·EᵀX·W: you took the two terms to be equal. They would be if "
                "XᵀE were symmetric; the first has its transpose, XᵀE·W.", "A @ W + → A.T @ W +"),
        Mistake("minus", "The two terms are subtracted. In the differential of a product they are added, and "
                "a transpose does not change the sign of a trace.", "W + A.T → W - A.T"),
        Mistake("2 kept", "Twice the right gradient: the ½ in C cancels the 2 from the square.",
                "X.T → 2 * X.T"),
        Mistake("Gᵀ", "This is the gradient's transpose: dC = tr(Gᵀ·dW), so what stands before dW in the "
                "trace is Gᵀ. A gradient has the shape of W.", "A @ W + A.T @ W → (A @ W + A.T @ W).T"),
        Mistake("no last factor", "The last factor W is missing: this is (n, n), and a gradient has the "
                "shape of W.", "A @ W + A.T @ W → A + A.T"),
        Mistake("no target", "The target X is missing: this is the gradient of ½ ‖X W Wᵀ‖². The "
                "backward pass begins with E = X W Wᵀ − X.", "W.T - X → W.T"),
        Mistake("sign of E", "The sign is wrong: if you take the error as X − X W Wᵀ, its differential has a "
                "minus too.", "X.T → -X.T"),
        Mistake("mean over the batch", "This is the right gradient divided by m: C has no average in it.",
                "X.T @ E → X.T @ E / len(X)"),
        Mistake("mean over all", "This is the right gradient divided by m·n: C is a sum of squares and not a "
                "mean.", "X.T @ E → X.T @ E / X.size"),
    ),
    hints=("dC = tr(Eᵀ·dE), and W occurs in E twice: dE = X·dW·Wᵀ + X·W·dWᵀ. Treat the two terms one by "
           "one.",
           "Write each in the form tr(Gᵀ·dW). In the first, move the last factor to the front: "
           "tr(Eᵀ X dW Wᵀ) = tr(Wᵀ Eᵀ X dW). In the second, transpose first, since tr M = tr Mᵀ: "
           "tr(Eᵀ X W dWᵀ) = tr(dW Wᵀ Xᵀ E)."))


# --- break it ---------------------------------------------------------------------------------

def wrong_dX(dY, W):
    """A wrong gradient of the input of Y = XW that the weak test accepts.

    dY (m, o), W (n, o) → dX (m, n).
    """
    return dY @ W.reshape(W.shape[::-1])    # reshape is no transpose


def _right(dY, W):
    return np.einsum("nk,jk->nj", dY, W)


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones."""
    yield {"dY": np.ones((1, 2)), "W": np.array([[1.0, 2], [2, 3]])}
    for m, n, o in ((1, 2, 2), (2, 2, 3), (3, 2, 4)):
        yield {"dY": whole(rng, m, o), "W": whole(rng, n, o)}


HOLES = (
    Mistake("reshape for transpose", "A symmetric W hides that `reshape` is used in place of a transpose.",
            wrong_dX),
    Mistake("no transpose", "A symmetric W hides a missing transpose; with a square W the shapes do not "
            "show it either.", lambda dY, W: dY @ W if len(W) == W.shape[1] else dY @ W.T),
    Mistake("ones upstream", "A dY of ones hides that dY is not used.", "dY, W → np.ones_like(dY), W"),
    Mistake("dY squared", "A dY of ones hides that dY is squared.", "dY, W → dY**2, W"),
    Mistake("size of dY", "A dY without negative numbers hides that its signs are lost.",
            "dY, W → np.abs(dY), W"),
    Mistake("mean of dY", "A dY that is the same everywhere hides that all outputs have its mean.",
            "dY, W → mixed(dY, 1) / dY.shape[1], W"),
    Mistake("dY reversed", "A dY that is the same everywhere hides that the outputs are in the wrong "
            "order.", "dY, W → dY[:, ::-1], W"),
    Mistake("size of W", "A W without negative numbers hides that its signs are lost.",
            "dY, W → dY, np.abs(W)"),
    Mistake("mean over the batch", "A batch of one hides a division by m.", "W) → W) / len(dY)"),
    Mistake("batch added", "A batch of one hides that every sample received the gradients of all samples.",
            "dY, W → mixed(dY, 0), W"),
    Mistake("first sample", "A batch of one hides that every sample received the gradient of the first.",
            "dY, W → dY[[0] * len(dY)], W"),
    Mistake("last sample", "A batch of one hides that every sample received the gradient of the last.",
            "dY, W → dY[[-1] * len(dY)], W"),
)


BREAK = break_it(
    "matrices.break_it", "Break it: a wrong dX that a weak test accepts",
    wrong_dX, _right, _weak_and_honest, HOLES, right=_right,
    hints=("What could you change about dY Wᵀ that makes no difference when every entry of dY is 1? When W "
           "is its own transpose? When there is one sample?",
           "For a symmetric W, `W.reshape(o, n)` and `W.T` are the same numbers. Are they for any other?"))


EXERCISES = (RANK3, BATCH, SOFTMAX, TRACE, BREAK)
