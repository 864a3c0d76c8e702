"""Scaled dot-product attention: forward and backward, as torch.nn.functional has it.

    Z = s·Q Kᵀ,   A = softmax(Z) by rows,   Y = A V           s = 1/√E

Row i of A says how much output i takes of each value; the rows of Q, K and V are the tokens of one
sequence. A mask forbids entries of Z: they become −∞, and those of A are 0. Backward, from dY:

    dV = Aᵀ dY,   dA = dY Vᵀ,   dZ = A ⊙ (dA − rowsum(A ⊙ dA)),   dQ = s·dZ K,   dK = s·dZᵀ Q

Source: Vaswani et al., "Attention is all you need" (2017), arXiv:1706.03762. Derived in
notebooks/09_networks_of_today.ipynb.
"""
import math

import numpy as np

from helpers import arguments as check
from helpers.functional.losses import softmax, softmax_backward

__all__ = ["attention_weights", "scaled_dot_product_attention", "scaled_dot_product_attention_backward"]

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


def attention_weights(query: np.ndarray, key: np.ndarray, attn_mask: np.ndarray | None = None,
                      is_causal: bool = False, *, scale: float | None = None) -> np.ndarray:
    """A = softmax(scale·Q Kᵀ + mask), (…, L, S): each row adds up to 1.

    query (…, L, E) and key (…, S, E), float32 or float64, the axes in front equal. attn_mask, broadcast to
    (…, L, S): bool, True where a query may look, or floats that are added. is_causal: query i looks at keys
    0 … i. scale: 1/√E when not given. Raises ValueError for what does not fit, for a mask beside
    is_causal, as torch does, and for a query that may look nowhere.
    """
    scale, allowed = _checked(query, key, attn_mask, is_causal, scale)
    z = scale * (query @ key.swapaxes(-1, -2))
    if allowed is not None:
        z = np.where(allowed, z, -np.inf) if allowed.dtype == bool else z + allowed
        if np.isneginf(z.max(axis=-1, initial=-np.inf)).any():
            raise ValueError("attn_mask: got a query that may look at no key, expected at least one for each")
    return softmax(z)


def scaled_dot_product_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray,
                                 attn_mask: np.ndarray | None = None, dropout_p: float = 0.0,
                                 is_causal: bool = False, *, scale: float | None = None,
                                 enable_gqa: bool = False) -> np.ndarray:
    """Y = softmax(scale·Q Kᵀ + mask) V, (…, L, Ev), for value (…, S, Ev); the rest as attention_weights.

    Raises ValueError also for another dropout_p than 0 (helpers.functional.dropout does that, on
    attention_weights) and for enable_gqa: repeat the heads of key and value with np.repeat.
    """
    _check_value(key, value, dropout_p, enable_gqa)
    return attention_weights(query, key, attn_mask, is_causal, scale=scale) @ value


def scaled_dot_product_attention_backward(dy: np.ndarray, query: np.ndarray, key: np.ndarray,
                                          value: np.ndarray, attn_mask: np.ndarray | None = None,
                                          dropout_p: float = 0.0, is_causal: bool = False, *,
                                          scale: float | None = None, enable_gqa: bool = False) -> Gradients:
    """The gradients (dquery, dkey, dvalue) for dy (…, L, Ev); the mask is held fixed."""
    _check_value(key, value, dropout_p, enable_gqa)
    A = attention_weights(query, key, attn_mask, is_causal, scale=scale)
    check.floats("dy", dy, _axes(dy, "L, Ev"))
    check.same_dtype(dy=dy, query=query)
    check.shape("dy", dy, (*query.shape[:-1], value.shape[-1]), "the shape of the output")
    s = _scale(query, scale)
    dvalue = A.swapaxes(-1, -2) @ dy
    dA = dy @ value.swapaxes(-1, -2)
    dZ = softmax_backward(dA, A)                                # where A is 0, so is dZ: behind a mask
    return s * (dZ @ key), s * (dZ.swapaxes(-1, -2) @ query), dvalue


def _checked(query, key, attn_mask, is_causal, scale):
    """Refuse what does not fit; the scale, and the mask or None."""
    check.floats("query", query, _axes(query, "L, E"))
    check.floats("key", key, _axes(key, "S, E"))
    check.same_dtype(query=query, key=key)
    check.shape("key", key, (*query.shape[:-2], key.shape[-2], query.shape[-1]),
                f"which fits query {query.shape}")
    if 0 in (*query.shape[-1:], *key.shape[-2:]):
        raise ValueError(f"key: got shape {key.shape}, expected at least one key of at least one entry")
    L, S = query.shape[-2], key.shape[-2]
    if check.flag("is_causal", is_causal):
        if attn_mask is not None:
            raise ValueError("attn_mask: got a mask and is_causal=True, expected one of the two, as in torch")
        attn_mask = np.tri(L, S, dtype=bool)
    return _scale(query, scale), _mask(attn_mask, (*query.shape[:-1], S), query.dtype)


def _mask(attn_mask, shape, dtype):
    if attn_mask is None:
        return None
    if not isinstance(attn_mask, np.ndarray) or attn_mask.dtype not in (bool, dtype):
        kind = getattr(attn_mask, "dtype", type(attn_mask).__name__)
        raise ValueError(f"attn_mask: got {kind}, expected an array of bool, True where a query may look, or "
                         f"of {dtype}, which is added")
    try:
        return np.broadcast_to(attn_mask, shape)
    except ValueError:
        raise ValueError(f"attn_mask: got shape {attn_mask.shape}, expected one that is broadcast to "
                         f"{shape}") from None


def _check_value(key, value, dropout_p, enable_gqa):
    check.floats("key", key, _axes(key, "S, E"))
    check.floats("value", value, _axes(value, "S, Ev"))
    check.same_dtype(key=key, value=value)
    check.shape("value", value, (*key.shape[:-1], value.shape[-1]), "a value for each key")
    if check.number("dropout_p", dropout_p) != 0:
        raise ValueError(f"dropout_p: got {dropout_p}, expected 0; dropout(attention_weights(…), p, rng=rng) "
                         "drops weights")
    if check.flag("enable_gqa", enable_gqa):
        raise ValueError("enable_gqa: got True, expected False; np.repeat(key, n, axis=-3) repeats each head")


def _scale(query, scale):
    number = 1 / math.sqrt(query.shape[-1]) if scale is None else check.number("scale", scale)
    return query.dtype.type(number)


def _axes(array, last):
    """The axes to name when they are refused: two at least, with any number in front."""
    return "…, " * (max(2, getattr(array, "ndim", 2)) - 2) + last
