"""The exercises of notebooks/09_networks_of_today.ipynb: questions, worked solutions, usual mistakes.

Each truth is put together from helpers that have a proof of their own.
"""
import numpy as np

from helpers.exercises.break_it import break_it
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.hostile import scaled, tenths, whole
from helpers.functional.attention import attention_weights, scaled_dot_product_attention_backward
from helpers.functional.layer_normalization import layer_norm_backward
from helpers.functional.losses import softmax

# --- layer normalization backward -------------------------------------------------------------

def layer_norm_by_hand(dy, x, weight, eps):
    """Layer normalization, backward: the gradient dx.

    dy (m, n), x (m, n), m tokens of n features; weight (n,); eps a number
    → dx (m, n).
    """
    centred = x - x.mean(axis=1, keepdims=True)
    r = 1 / np.sqrt((centred**2).mean(axis=1, keepdims=True) + eps)
    xhat, g = centred * r, dy * weight
    along = xhat * (g * xhat).mean(axis=1, keepdims=True)
    return r * (g - g.mean(axis=1, keepdims=True) - along)


@scaled("dy")
def _layer_norm_cases(rng):
    for m, n, eps in ((1, 2, 1.0), (1, 3, 0.5), (2, 2, 0.1), (2, 3, 2.0), (4, 2, 0.1), (5, 3, 0.5), (3, 4,
                   0.2)):
        yield {"dy": whole(rng, m, n), "x": tenths(rng, m, n), "weight": tenths(rng, n), "eps": eps}


def _true_layer_norm(dy, x, weight, eps):
    return layer_norm_backward(dy, x, weight.shape, weight, eps)[0]


LAYER_NORM = Exercise(
    "transformers.layer_norm", "Layer normalization, backward", layer_norm_by_hand, _true_layer_norm,
    _layer_norm_cases,
    mistakes=(
        Mistake("no mean term", "The path through the mean is missing. Every feature changes the mean, which "
                "is "
                "subtracted from all features of the token: subtract the mean of g = dy·weight.",
                "- g.mean(axis=1, keepdims=True) →"),
        Mistake("no variance term", "The path through the variance is missing. Subtract x̂ times the mean of "
                "g·x̂, with g = dy·weight.", "- along →"),
        Mistake("constants", "The mean and the variance are treated as constants. Every feature changes "
                "both, "
                "and two terms are missing.", "- g.mean(axis=1, keepdims=True) - along →"),
        Mistake("weight outside", "The weight is multiplied last, as in batch normalization. Here it differs "
                "within a token, so it belongs inside both means: begin with g = dy·weight.",
                ("dy * weight → dy", "return r → return weight * r")),
        Mistake("no weight", "The weight is missing: y = weight·x̂ + bias, so the gradient of x̂ is "
                "dy·weight.",
                "dy * weight → dy"),
        Mistake("weight twice", "The weight is in it twice.", "dy * weight → dy * weight**2"),
        Mistake("weight in one mean", "dy stands in the place of g = dy·weight in the mean that is "
                "subtracted.",
                "- g.mean( → - dy.mean("),
        Mistake("weight in the other mean", "dy stands in the place of g = dy·weight in the mean of g·x̂.",
                "(g * xhat) → (dy * xhat)"),
        Mistake("batch norm", "The means run over the tokens: that is batch normalization. Here the features "
                "of "
                "one token are averaged, axis 1.", "axis=1 → axis=0"),
        Mistake("RMS norm", "This is RMS normalization, which does not subtract the mean of x. Layer "
                "normalization subtracts it, and there is a path through it.",
                ("x - x.mean(axis=1, keepdims=True) → x", "- g.mean(axis=1, keepdims=True) →")),
        Mistake("not centred", "x̂ lacks the subtraction of the mean.",
                "x - x.mean(axis=1, keepdims=True) → x"),
        Mistake("n − 1", "The variance divides by n − 1. For normalizing it divides by n.",
                "(centred**2).mean(axis=1, keepdims=True) → x.var(axis=1, keepdims=True, ddof=1)"),
        Mistake("sums for means", "The sums of g and of g·x̂ are not divided by n. One feature changes the "
                "mean "
                "by 1/n of itself.", ("g.mean → g.sum", "xhat).mean → xhat).sum")),
        Mistake("sum for the mean of g", "The sum of g is subtracted, not its mean.", "g.mean → g.sum"),
        Mistake("no scale", "The division by √(v + ε), v the variance, is missing in the last step.",
                "return r * → return"),
        Mistake("no root", "You divided by v + ε, without the root.",
                "np.sqrt((centred**2).mean(axis=1, keepdims=True) + eps) → "
                "((centred**2).mean(axis=1, keepdims=True) + eps)"),
        Mistake("ε left out", "ε is missing: the forward pass divides by √(v + ε).", "+ eps →"),
        Mistake("ε outside", "ε stands outside the root, √v + ε. It belongs inside, √(v + ε).",
                "np.sqrt((centred**2).mean(axis=1, keepdims=True) + eps) → "
                "(np.sqrt((centred**2).mean(axis=1, keepdims=True)) + eps)"),
        Mistake("no x̂ outside", "The mean of g·x̂ is subtracted as it is. It belongs times x̂.",
                "xhat * (g → (g"),
        Mistake("x − μ for x̂", "x − μ stands in the place of x̂. It must still be divided by √(v + ε).",
                "centred * r → centred"),
        Mistake("signs", "Both terms are added. The gradients through the mean and the variance have the "
                "opposite "
                "sign of the direct path: subtract them.", "g - g.mean(axis=1, keepdims=True) - → "
                "g + g.mean(axis=1, keepdims=True) +"),
        Mistake("all tokens together", "One mean and one variance for all tokens. Each token has its own: "
                "`axis=1`.", "axis=1, keepdims=True →"),
    ),
    hints=("It is batch normalization with the axes exchanged, and one thing more: the weight is not the "
           "same for "
           "all entries of a mean. First the gradient of x̂, g = dy·weight.",
           "dx = (g − mean of g − x̂ · mean of g·x̂)/√(v + ε), the means over the features of each token."))


# --- the query of attention -------------------------------------------------------------------

def dq_by_hand(dy, query, key, value):
    """Attention Y = softmax(Q Kᵀ/√E) V, backward: the gradient of the queries.

    dy (L, F), query (L, E), key (S, E), value (S, F) → dQ (L, E).
    """
    s = 1 / np.sqrt(query.shape[1])
    e = np.exp(s * query @ key.T)
    A = e / e.sum(axis=1, keepdims=True)
    dA = dy @ value.T
    dZ = A * (dA - (dA * A).sum(axis=1, keepdims=True))
    return s * dZ @ key


@scaled("dy")
def _dq_cases(rng):
    for L, S, E, V in ((2, 2, 1, 1), (1, 2, 1, 2), (1, 2, 2, 1), (2, 2, 2, 2), (2, 3, 4, 5), (5, 3, 2, 4),
                       (4, 5, 3, 2)):
        yield {"dy": whole(rng, L, V), "query": tenths(rng, L, E), "key": tenths(rng, S, E),
               "value": tenths(rng, S, V)}


def _true_dq(dy, query, key, value):
    return scaled_dot_product_attention_backward(dy, query, key, value)[0]


DQUERY = Exercise(
    "transformers.dquery", "The gradient of the queries", dq_by_hand, _true_dq, _dq_cases,
    mistakes=(
        Mistake("s once", "s = 1/√E is missing in the last step: Z = s·Q Kᵀ, so that dQ = s·dZ K.",
                "return s * → return"),
        Mistake("s missing", "s = 1/√E is missing, forward and backward.",
                "1 / np.sqrt(query.shape[1]) → 1.0"),
        Mistake("s missing forward", "s = 1/√E is missing in the forward pass: A is the softmax of s·Q Kᵀ.",
                "np.exp(s * → np.exp("),
        Mistake("s is E", "The scores are divided by E, not by its root.",
                "np.sqrt(query.shape[1]) → query.shape[1]"),
        Mistake("√S for √E", "s has the number of keys in it. It is 1/√E, with E the entries of a query.",
                "query.shape[1] → len(key)"),
        Mistake("no sum", "The sum is missing in the backward pass of softmax: a larger score lowers all "
                "other "
                "weights of the row. dZ = A ⊙ (dA − rowsum(A ⊙ dA)).",
                "(dA - (dA * A).sum(axis=1, keepdims=True)) → dA"),
        Mistake("sum of dA", "The sum is that of dA. It is that of dA ⊙ A.", "(dA * A) → dA"),
        Mistake("mean for sum", "A mean of dA ⊙ A is subtracted. It is their sum along the row.",
                "(dA * A).sum → (dA * A).mean"),
        Mistake("softmax skipped", "The gradient passes the softmax unchanged: dA is used as dZ.",
                "A * (dA - (dA * A).sum(axis=1, keepdims=True)) → dA"),
        Mistake("no A in front", "The factor A in front is missing: dZ = A ⊙ (dA − …).", "dZ = A * → dZ ="),
        Mistake("A(1 − A)", "The softmax is treated as a sigmoid of each score, with the slope A(1 − A). The "
                "scores of a row act on all weights of the row.",
                "(dA - (dA * A).sum(axis=1, keepdims=True)) → (1 - A) * dA"),
        Mistake("columns", "The softmax runs along the columns, over the queries. It runs along a row, over "
                "the "
                "keys: axis 1.", "axis=1 → axis=0"),
        Mistake("sum along the columns", "In the backward pass the sum runs along the columns. It runs along "
                "a "
                "row, over the keys, as the softmax does.", "(dA * A).sum(axis=1 → (dA * A).sum(axis=0"),
        Mistake("sign", "The sign of the sum is wrong: it is subtracted.", "(dA - → (dA +"),
        Mistake("no softmax forward", "e^Z is not divided by its sum: A are the weights, each row of which "
                "adds "
                "up to 1.", "e / e.sum(axis=1, keepdims=True) → e"),
        Mistake("s twice", "s stands twice in the last step.", "return s * → return s * s *"),
    ),
    hints=("Go back through Y = A V, then through the softmax of each row, then through Z = s·Q Kᵀ. The "
           "shapes tell "
           "what is transposed.",
           "dA = dY Vᵀ, (L, S). dZ = A ⊙ (dA − the sum of A ⊙ dA in each row). dQ = s·dZ K, with s = 1/√E."))


# --- the causal mask --------------------------------------------------------------------------

def causal_by_hand(query, key):
    """The weights of causal attention: token i looks at the tokens 0 … i.

    query (T, E) and key (T, E) of T tokens → A (T, T), softmax(Q Kᵀ/√E) of
    what each token may see; each row adds up to 1.
    """
    z = query @ key.T / np.sqrt(query.shape[1])
    seen = np.tril(np.ones(z.shape, bool))
    e = np.exp(np.where(seen, z, -np.inf))
    return e / e.sum(axis=1, keepdims=True)


def _causal_cases(rng):
    for T, E in ((2, 1), (2, 2), (2, 3), (3, 2), (3, 3), (4, 3), (4, 5), (5, 3)):
        yield {"query": tenths(rng, T, E), "key": tenths(rng, T, E)}


def _true_causal(query, key):
    return attention_weights(query, key, is_causal=True)


CAUSAL = Exercise(
    "transformers.causal", "The causal mask", causal_by_hand, _true_causal, _causal_cases,
    mistakes=(
        Mistake("mask after the softmax", "The future weights are set to 0 after the softmax, so that rows "
                "no "
                "longer add up to 1. The mask belongs before it, as −∞ in the scores.",
                ("np.exp(np.where(seen, z, -np.inf)) → np.exp(z)",
                 "return e / e.sum(axis=1, keepdims=True) → return seen * e / e.sum(axis=1, keepdims=True)")),
        Mistake("0 for −∞", "The future scores are set to 0, whose weight is e⁰ = 1. Only a score of −∞ has "
                "the "
                "weight 0.", "-np.inf → 0.0"),
        Mistake("no mask", "There is no mask: token i looks at later tokens too.",
                "np.where(seen, z, -np.inf) → z"),
        Mistake("future only", "The mask is turned round: token i looks at the tokens from i on. It may look "
                "at "
                "0 … i, the lower triangle.", "np.tril → np.triu"),
        Mistake("transposed", "A is transposed: a row is a query, and its weights add up to 1.",
                "return e / e.sum(axis=1, keepdims=True) → return (e / e.sum(axis=1, keepdims=True)).T"),
        Mistake("keys ask", "Queries and keys are exchanged: row i of Q Kᵀ belongs to query i.",
                "query @ key.T → key @ query.T"),
        Mistake("columns", "The softmax runs along the columns. A row is a query, and its weights add up to "
                "1.",
                "e / e.sum(axis=1, keepdims=True) → e / e.sum(axis=0, keepdims=True)"),
        Mistake("not itself", "A token does not look at itself. It may: the diagonal is allowed, and the "
                "first "
                "token has nothing else.", lambda query, key: _without_diagonal(query, key)),
        Mistake("one too far", "Token i looks at the tokens 0 … i + 1. The next token is the one to be "
                "predicted.", "np.tril(np.ones(z.shape, bool)) → np.tril(np.ones(z.shape, bool), 1)"),
        Mistake("no softmax", "These are the masked exponentials. Divide each row by its sum.",
                "return e / e.sum(axis=1, keepdims=True) → return e"),
        Mistake("sum of all", "The exponentials are divided by the sum of all. Each row has its own.",
                "e.sum(axis=1, keepdims=True) → e.sum()"),
        Mistake("no √E", "The scores are not divided by √E.", "/ np.sqrt(query.shape[1]) →"),
        Mistake("E for √E", "The scores are divided by E. It is the root, √E.",
                "np.sqrt(query.shape[1]) → query.shape[1]"),
        Mistake("T for E", "The scores are divided by √T, with the number of tokens in it. E is the number "
                "of "
                "entries of a query.", "query.shape[1] → len(query)"),
    ),
    hints=("Which scores must have the weight 0, and which score has e^z = 0?",
           "z = Q Kᵀ/√E; −∞ where the column is larger than the row; then the softmax along each row."))


def _without_diagonal(query, key):
    z = query @ key.T / np.sqrt(query.shape[1])
    A = np.tril(softmax(np.where(np.tri(len(z), k=-1), z, -1e9)), -1)
    A[0, 0] = 1.0
    return A


# --- loss scaling -----------------------------------------------------------------------------

def step_by_hand(W, dW, scale, eta):
    """A step of gradient descent whose gradient comes through float16.

    W (n,) weights; dW (n,) the gradient of the cost before it was rounded;
    the cost is multiplied by scale, the gradient rounded to float16, and
    unscaled in float64. If any entry overflowed, no weight is changed.
    → W after the step (n,).
    """
    with np.errstate(over="ignore"):
        half = (scale * dW).astype(np.float16)
    if not np.isfinite(half).all():
        return W.copy()
    return W - eta * half.astype(np.float64) / scale


def _step_cases(rng):
    for n, size, scale, eta in ((1, 1e-9, 1024.0, 1e9), (2, 1e-8, 65536.0, 1e8), (3, 1.0, 8192.0, 0.5),
                                (4, 100.0, 2048.0, 0.25), (5, 1e-4, 256.0, 1e4), (3, 1e-10, 4096.0, 1e10),
                                (4, 1e-7, 2.0, 1e7), (2, 1e6, 0.125, 1e-6), (2, 1e-3, 1.0, 1e3)):
        yield {"W": whole(rng, n) * min(1.0, eta * size), "dW": size * tenths(rng, n), "scale": scale,
               "eta": eta}
    yield {"W": whole(rng, 2), "dW": np.array([2.50001, 7.0]) / 2**24, "scale": 1024.0,
           "eta": 2e6}   # half way
    yield {"W": whole(rng, 2) * 1e6, "dW": np.array([1e6, 3.0]), "scale": 0.5, "eta": 1.0}
    yield {"W": whole(rng, 2) / 1e6, "dW": np.array([-1e-4, 3e-6]), "scale": 32.0, "eta": 0.1}


def _true_step(W, dW, scale, eta):
    with np.errstate(over="ignore"):
        got = np.array([np.float64(np.float16(scale * one)) for one in dW])
    return W - eta * got / scale if np.abs(got).max() < np.inf else W.copy()


SCALING = Exercise(
    "transformers.scaling", "Loss scaling", step_by_hand, _true_step, _step_cases,
    mistakes=(
        Mistake("not unscaled", "The gradient is not divided by scale again: the step is scale times too "
                "large.",
                "/ scale →"),
        Mistake("no scaling", "The gradient is rounded without scaling: what is below 3·10⁻⁸ becomes 0.",
                ("(scale * dW) → (1.0 * dW)", "/ scale →")),
        Mistake("scaled after rounding", "The gradient is multiplied by scale after it was rounded to "
                "float16: what "
                "was lost is not found again.", "(scale * dW).astype(np.float16) → scale * "
                "dW.astype(np.float16)"),
        Mistake("not rounded", "The gradient was not rounded to float16.",
                "astype(np.float16) → astype(np.float64)"),
        Mistake("rounded twice", "The gradient is unscaled in float16, where it underflows again. Convert it "
                "to "
                "float64 first.", "half.astype(np.float64) / scale → (half / "
                "np.float16(scale)).astype(float)"),
        Mistake("only the entry", "Only the entry that overflowed is left out. The step is left out for all "
                "weights: the others would move in another direction than the gradient.",
                lambda W, dW, scale, eta: _entrywise(W, dW, scale, eta)),
        Mistake("η scaled", "η is divided by scale once more.", "/ scale → / scale**2"),
        Mistake("sign", "The sign of the step is wrong: W − η·dW.", "W - eta → W + eta"),
    ),
    hints=("Three moments: scale before rounding, look for infinities, unscale in the wide format.",
           "half = (scale·dW) as float16; if one entry is infinite return W; else W − η·half/scale, with "
           "half "
           "converted to float64 before the division."))


def _entrywise(W, dW, scale, eta):
    with np.errstate(over="ignore"):
        half = (scale * dW).astype(np.float16).astype(np.float64)
    return np.where(np.isfinite(half), W - eta * np.where(np.isfinite(half), half, 0) / scale, W)


# --- break it ---------------------------------------------------------------------------------

def wrong_dq(dy, query, key, value):
    """A wrong gradient of the queries that the weak test accepts.

    dy (L, F), query (L, E), key (S, E), value (S, F) → dQ (L, E).
    """
    A = softmax(query @ key.T)
    return A * (dy @ value.T) @ key      # neither s nor the sum


def _weak_and_honest(rng):
    """The weak test's one input, then the honest ones."""
    yield {"dy": np.array([[2.0]]), "query": np.zeros((1, 1)), "key": np.array([[1.0], [-1.0]]),
           "value": np.array([[1.0], [-1.0]])}
    for L, S, E, V in ((1, 2, 4, 1), (2, 3, 2, 1), (3, 2, 2, 4), (2, 4, 3, 5)):
        yield {"dy": whole(rng, L, V), "query": tenths(rng, L, E), "key": tenths(rng, S, E),
               "value": tenths(rng, S, V)}


HOLES = (
    Mistake("neither", "E = 1 hides that s is missing, and a dA whose weighted sum is 0 hides that the sum "
            "of the "
            "softmax is.", wrong_dq),
    Mistake("s missing", "E = 1 hides that s = 1/√E is missing.", "1 / np.sqrt(query.shape[1]) → 1.0"),
    Mistake("s once", "E = 1 hides that s is missing in the last step.", "return s * → return"),
    Mistake("s missing forward", "E = 1 hides that s is missing in the forward pass.",
            "np.exp(s * → np.exp("),
    Mistake("s is E", "E = 1 hides that the root of E is missing.",
            "np.sqrt(query.shape[1]) → query.shape[1]"),
    Mistake("no sum", "A dA whose weighted sum is 0 hides that this sum is missing.",
            "(dA - (dA * A).sum(axis=1, keepdims=True)) → dA"),
    Mistake("sign of the sum", "A dA whose weighted sum is 0 hides that it has the wrong sign.",
            "(dA - → (dA +"),
    Mistake("sum of dA", "Equal weights hide that dA is not weighted in the sum.", "(dA * A) → dA"),
    Mistake("equal weights", "A query of 0 hides that A does not depend on it: all weights are 1/S.",
            "s * query @ key.T → 0 * query @ key.T"),
    Mistake("value for key", "Equal keys and values hide that one stands for the other.",
            lambda dy, query, key, value: dq_by_hand(dy, query, key, np.resize(key, value.shape))),
    Mistake("two keys", "Two equal weights hide that ½ stands for A.", "A * (dA → 0.5 * (dA"),
)

BREAK = break_it(
    "transformers.break_it", "Break it: a wrong gradient of the queries that a weak test accepts",
    wrong_dq, _true_dq, _weak_and_honest, HOLES, right=dq_by_hand,
    hints=("What is A when the query is 0? What is the weighted sum of dA = dY Vᵀ then?",
           "Which terms are 0, and which factors are 1, when E is 1, the query 0, and keys and values are "
           "±1?"))


EXERCISES = (LAYER_NORM, DQUERY, CAUSAL, SCALING, BREAK)
