"""The sentence below the picture of the pathology explorer."""
import math

from helpers.plotting.panes import scientific
from helpers.widgets.pathology.picture import FLAT_NAMES, mean_factor

_FAR = 10        # times theory, or a tenth of it: worth a remark


def describe_propagation(one: object, depth: int, width: int, activation: str, initialization: str,
                         scale: float, batch_norm: bool, residual: bool, seed: int,
                         apart: float = 0.0) -> str:
    """The finding of a Propagation in words and numbers; the rest are the values of the controls."""
    extras = " and ".join(["batch norm"] * batch_norm + ["residual connections"] * residual)
    nets = f"{depth} {activation} layers of width {width}"
    nets = f"{nets} with {extras}" if extras else nets
    return " ".join(filter(None, (
        f"{nets}, weights: {initialization} times {scale:.3g}, σ_w = {one.sigma_w:.2f}, seed {seed}.",
        f"{finding(one.norms[0])}: {_arrival(one, depth)}.", *_factors(one, depth, extras),
        _fractions(one, activation), _inputs(one, depth, apart), *_remarks(one, width, batch_norm))))


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
    """‖δ‖ of layer 1, where that of the last is 1."""
    first, theory = one.norms[0], scientific(one.theory[0])
    if first == 0:
        return ("the gradient of layer 1 is exactly 0, since all units of some layer are dead (theory for "
                f"wide layers: {theory})")
    found = f"the gradient of layer 1 is {scientific(first)} times that of layer {depth}" + orders(first)
    return f"{found} (theory: {theory})"


def _factors(one, depth, extras):
    """The mean factor of a layer, (first/last)^(1/(depth − 1)), and its two parts, by geometric means."""
    if not one.norms[0]:
        return
    each, theory = (scientific(norms[0]**(1 / (depth - 1)), 3) for norms in (one.norms, one.theory))
    yield f"On average a layer multiplies it by {each} (theory: {theory})."
    weights, slopes = (scientific(mean_factor(values), 3) for values in (one.weights, one.slopes))
    parts = f"Its weights multiply by {weights}, the slopes of its activations by {slopes}"
    yield parts + (f"; the rest is due to {extras}." if extras else ".")


def _fractions(one, activation):
    name = FLAT_NAMES.get(activation, "saturated").capitalize()
    flat, dead = _part(one.flat.mean()), _part(one.dead.mean())
    return f"{name}: {flat} of the activations; dead: {dead} of the units."


def _part(fraction):
    if fraction == 0:
        return "none"
    return f"{100 * fraction:.0f} %" if fraction >= 0.005 else "below 0.5 %"


def _inputs(one, depth, apart):
    """How far apart two inputs end."""
    if not apart:
        return ""
    start = "Two independent inputs" if apart > 1 else "Two inputs 10⁻⁶ apart"
    last, theory = one.distances[-1], scientific(one.distances_theory[-1])
    if last == 0:
        return f"{start}: they move together until rounding errors hide their distance (theory: {theory})."
    relative = last / one.growth
    way = ("move together" if relative < 0.5 else "move apart" if relative > 2 else
           "stay as alike as they were")
    return (f"{start}: in layer {depth} their distance is {scientific(last)} times that in layer 1 (theory: "
            f"{theory}). Relative to the size of z it is {scientific(relative)} times as large: they {way}.")


def _remarks(one, width, batch_norm):
    if batch_norm:
        yield "With batch norm the weight scale has no effect, but for ε."
    if one.norms[0] and not 1 / _FAR < one.norms[0] / one.theory[0] < _FAR:
        yield f"The theory is a mean over wide nets; one net of width {width} may be far from it."
