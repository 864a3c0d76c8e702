"""The sentence below the picture of the pathology explorer."""
import math

from helpers.plotting.panes import scientific

_FAR = 10        # times theory, or a tenth of it: worth a remark
FLAT = {"relu": "Inactive (slope 0)", "leaky_relu": "Inactive (slope 0.01)"}    # elsewhere: saturated


def describe_propagation(one: object, depth: int, width: int, activation: str, initialization: str,
                         scale: float, batch_norm: bool, residual: bool, seed: int) -> str:
    """The finding of a Propagation in words and numbers; the rest are the values of the controls."""
    extras = " and ".join(["batch norm"] * batch_norm + ["residual connections"] * residual)
    return (f"{depth} {activation} layers of width {width}{' with ' * bool(extras)}{extras}, weights: "
            f"{initialization} times {scale:g}, σ_w = {one.sigma_w:.2f}, seed {seed}. "
            f"{finding(one.norms[0])}: {_arrival(one, depth)} {_fractions(one, activation)}"
            f"{_remarks(one, width, batch_norm)}")


def finding(first: float) -> str:
    """One of three, by ‖δ‖ of the first layer where that of the last is 1."""
    if first < 0.1:
        return "Gradients vanish"
    return "Gradients explode" if first > 10 else "Gradients keep their order of magnitude"


def orders(ratio: float) -> str:
    """How much a ratio is, in whole orders of magnitude; nothing between a tenth and ten."""
    count = round(abs(math.log10(ratio)))
    if 0.1 <= ratio <= 10:
        return ""
    return f", {count} order{'s' * (count > 1)} of magnitude {'less' if ratio < 1 else 'more'}"


def _arrival(one, depth):
    """‖δ‖ of layer 1, and the mean factor of a layer, (first/last)^(1/(depth − 1))."""
    first, theory = one.norms[0], one.theory[0]
    each, expected = (scientific(norm**(1 / (depth - 1)), 3) for norm in (first, theory))
    if first == 0:
        return ("the gradient of layer 1 is exactly 0, since all units of some layer are dead (theory for "
                f"wide layers: {scientific(theory)}).")
    return (f"the gradient of layer 1 is {scientific(first)} times that of layer {depth}{orders(first)} "
            f"(theory: {scientific(theory)}). On average a layer multiplies it by {each} "
            f"(theory: {expected}).")


def _fractions(one, activation):
    saturated, dead = one.saturated.mean(), one.dead.mean()
    flat = FLAT.get(activation, "Saturated")
    return f"{flat}: {_part(saturated)} of the activations; dead: {_part(dead)} of the units."


def _part(fraction):
    if fraction == 0:
        return "none"
    return f"{100 * fraction:.0f} %" if fraction >= 0.005 else "below 0.5 %"


def _remarks(one, width, batch_norm):
    said = " With batch norm σ_w cancels out, but for ε." * batch_norm
    if one.norms[0] and not 1 / _FAR < one.norms[0] / one.theory[0] < _FAR:
        said += f" The theory is a mean over wide nets; one net of width {width} may be far from it."
    return said
