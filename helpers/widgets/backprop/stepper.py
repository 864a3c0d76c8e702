"""Step through the forward and backward pass of a network: the stepper of 04_fully_connected_backprop.ipynb.

In the note's notation: one sample is a column (n, 1), and what belongs to layer l is found under l.
"""
from collections.abc import Callable, Mapping

import numpy as np
from ipywidgets import Dropdown, IntSlider

from helpers.explore.explorer import Explore, explore
from helpers.functional.activations import ACTIVATIONS
from helpers.functional.losses import squared_error
from helpers.plotting import figures
from helpers.plotting.lettering import write
from helpers.widgets.backprop.equations import UP, Sample, agrees, equation
from helpers.widgets.backprop.network_picture import (
    ROWS,
    SIZE,
    SIZES,
    draw_edges,
    draw_equation,
    draw_focus,
    draw_values,
    network_frame,
    write_below,
)

W = {1: np.array([[0.6, 0.5, -0.3], [-0.7, -0.8, 1.2], [-0.8, 0.6, -0.4], [-0.7, 0.8, -0.9]]),
     2: np.array([[-0.4, 0.9, 0.3, 0.3], [-1.0, 1.2, -0.8, 0.8], [0.5, -0.6, -0.6, -0.5]]),
     3: np.array([[0.6, 0.4, -0.3], [1.1, -0.5, 0.6]])}
B = {1: np.array([[0.3], [0.5], [-0.5], [0.4]]), 2: np.array([[-0.1], [-0.2], [0.3]]),
     3: np.array([[0.3], [-0.9]])}
X, Y = np.array([[0.5], [-0.4], [0.8]]), np.array([[0.0], [1.0]])
L = max(W)
STEPS = [*((kind, l) for l in W for kind in "za"), ("C", L), *((kind, l) for l in (3, 2, 1) for kind in "δ∂")]

Layers = Mapping[int, np.ndarray]


def feed_forward(W: Layers, b: Layers, x: np.ndarray, sigma: Mapping[int, Callable]) -> tuple[dict, dict]:
    """Forward pass: z^l = W^l a^(l−1) + b^l and a^l = σ(z^l) of every layer, beginning with a^0 = x."""
    z, a = {}, {0: x}
    for l in W:
        z[l] = W[l] @ a[l - 1] + b[l]
        a[l] = sigma[l](z[l])
    return z, a


def back_propagate(W: Layers, z: Layers, a: Layers, y: np.ndarray,
                   sigma_prime: Mapping[int, Callable]) -> tuple[dict, dict, dict]:
    """Backward pass: δ, ∂C/∂W and ∂C/∂b of every layer, for C = ½‖a^L − y‖²."""
    L = max(W)
    delta = {L: (a[L] - y) * sigma_prime[L](z[L])}                      # BP1
    for l in range(L - 1, 0, -1):
        delta[l] = W[l + 1].T @ delta[l + 1] * sigma_prime[l](z[l])     # BP2
    db = {l: delta[l] for l in W}                                       # BP3
    dW = {l: delta[l] @ a[l - 1].T for l in W}                          # BP4
    return delta, dW, db


def backprop_stepper(by_torch: Callable) -> Explore:
    """Step through the forward and backward pass of a 3–4–3–2 network, each equation with its numbers.

    `by_torch(weights, biases, x, y, hidden, output)` gets [W¹, W², W³], [b¹, b², b³], columns x and y, and
    two names of ACTIVATIONS; it returns the gradients of ½‖a³ − y‖², to be compared with ours, in two lists
    of the same shapes.
    Raises ValueError for other shapes. `result` is (dW, db), each a dictionary by layer.
    """
    passes = {(h, o): _passed(by_torch, h, o) for h in ACTIVATIONS for o in ACTIVATIONS}
    step, neuron = IntSlider(10, 1, len(STEPS)), IntSlider(1, 1, SIZES[2])
    neuron.settings = [1, 2]                      # what the sweep of the tests tries: there in every layer

    def fit(_change):
        neuron.max, neuron.disabled = SIZES[STEPS[step.value - 1][1]], STEPS[step.value - 1][0] == "C"

    step.observe(fit, "value")
    return explore(
        lambda axes, hidden, output, **v: _draw(axes, passes[hidden, output], **v),
        lambda figure: network_frame(figure, X, Y),
        lambda hidden, output, **v: _describe(passes[hidden, output], **v), size=SIZE, play=["step"],
        step=step, neuron=neuron,
        hidden=Dropdown(options=list(ACTIVATIONS), value="tanh", description="σ, layers 1, 2"),
        output=Dropdown(options=list(ACTIVATIONS), value="tanh", description="σ, layer 3"))


def _passed(by_torch, hidden, output):
    """The forward and backward pass with these two activations, by hand and by torch."""
    names = {l: output if l == L else hidden for l in W}
    z, a = feed_forward(W, B, X, {l: ACTIVATIONS[name][0] for l, name in names.items()})
    delta, dW, db = back_propagate(W, z, a, Y, {l: ACTIVATIONS[name][1] for l, name in names.items()})
    copies = [[array.copy() for array in part.values()] for part in (W, B)]
    given = by_torch(*copies, X.copy(), Y.copy(), hidden, output)
    if not isinstance(given, tuple | list):
        raise ValueError(f"by_torch: got {given!r}, expected two lists of gradients, of the W and of the b")
    truth = [list(map(np.asarray, part)) for part in given]
    shapes, expected = ([[array.shape for array in part] for part in parts] for parts in (truth, copies))
    if shapes != expected:
        raise ValueError(f"by_torch: got gradients of the shapes {shapes}, expected {expected}")
    return Sample(names, W, B, Y, z, a, delta, dW, db, [dict(zip(W, part, strict=True)) for part in truth])


def _draw(ax, one, step, neuron):
    (kind, l), i, done = STEPS[step - 1], neuron - 1, STEPS[:step]
    color, found = figures.GRADIENT if kind in "δ∂" else figures.OUTPUT, equation(one, kind, l, i)
    draw_focus(ax, 4 if kind == "C" else l, None if kind == "C" else i, color)
    columns = {"z": one.z, "a": one.a, "δ": one.delta}
    draw_values(ax, {(k, m): columns[k][m] for k, m in done if k in columns},
                squared_error(one.a[L].T, Y.T) if ("C", L) in done else None)
    labels = _draw_lines(ax, one, kind, l, i)
    for k, m in done:
        if k == "∂":
            write_below(ax, m, right=all(compared(one, [(k, m)]).values()))
    ax.text(SIZE[0] / 2, 283, f"{found.name}:  {found.letters}", ha="center", va="center", fontsize=12,
            color=ROWS["δ" if kind in "δ∂" else "a"], weight="bold")
    ax.text(SIZE[0] / 2, 311, "\n".join(found.lines), ha="center", va="center", linespacing=1.35)
    write(ax, labels + draw_equation(ax, found.parts, 354))
    return one.dW, one.db


def _draw_lines(ax, one, kind, l, i):
    """Highlight the lines that the equation is about, with the numbers on them."""
    if kind == "a":
        return []
    into = l + (kind in "δC")
    chosen = np.zeros(one.W[into].shape if into <= L else (1, len(Y)), bool)
    if kind == "C":
        return draw_edges(ax, into, ~chosen, [], figures.OUTPUT, 0)
    chosen[np.s_[:, i] if kind == "δ" else i] = True
    numbers = (one.dW if kind == "∂" else one.W).get(into)      # the lines to the cost have none
    return draw_edges(ax, into, chosen, [] if numbers is None else numbers[chosen],
                      figures.KERNEL if kind == "z" else figures.GRADIENT, 0.62 if kind == "δ" else 0.38)


def compared(one: Sample, done: list[tuple[str, int]]) -> dict[str, bool]:
    """Say of each gradient of these steps whether it equals torch's; δ is compared with torch's ∂C/∂b."""
    found = {}
    for kind, l in done:
        if kind in "δ∂":
            found[f"δ{UP[l]}"] = bool(agrees(one.delta[l], one.truth[1][l]).all())
        if kind == "∂":
            found[f"∂C/∂b{UP[l]}"] = found.pop(f"δ{UP[l]}")
            found[f"∂C/∂W{UP[l]}"] = bool(agrees(one.dW[l], one.truth[0][l]).all())
    return found


def _describe(one, step, neuron):
    kind, l = STEPS[step - 1]
    found = equation(one, kind, l, neuron - 1)
    place = "" if kind == "C" else f", layer {l}, neuron {neuron}"
    said = (f"Step {step} of {len(STEPS)}, {found.name}{place}: {found.letters}, here "
            f"{'; '.join(found.lines)}. {_comparison(compared(one, STEPS[:step]))}.")
    return " ".join(said.split())                 # in the picture there are wide blanks and new lines


def _comparison(same):
    right, wrong = ([name for name in same if same[name] == answer] for answer in (True, False))
    words = [f"{_listed(names)} {one if len(names) == 1 else more} torch's" for names, one, more in
             ((right, "equals", "equal"), (wrong, "differs from", "differ from")) if names]
    return "; ".join(words) or "There is no gradient yet to compare with torch's"


def _listed(names):
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + names[-1:])
