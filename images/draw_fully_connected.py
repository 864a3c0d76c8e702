"""Draw fully_connected.svg: a 3–4–3–2 network, its forward pass and its backward pass."""
import numpy as np
from drawing import (
    CARD,
    FRAME,
    GRADIENT,
    INK,
    INPUT,
    KERNEL,
    NEUTRAL,
    OUTPUT,
    SERIF,
    arrow,
    card,
    formula,
    ink,
    line,
    rect,
    save,
    tag,
    tint,
    words,
)

SIZES = (3, 4, 3, 2)                           # neurons of layer 0, which is x, to layer L = 3
LAYER = 2                                      # the layer l that is labelled
W = [None] + [np.zeros((m, n)) for n, m in zip(SIZES, SIZES[1:], strict=False)]
b = [None] + [np.zeros(m) for m in SIZES[1:]]
FORWARD = W[LAYER] @ np.zeros(SIZES[LAYER - 1]) + b[LAYER]     # has the shape of z^l

IN, OUT = (62, 208, 352, 574), (62, 208, 456, 574)   # where a layer's edges end and begin
PITCH, CENTRE, RADIUS = (74, 62, 74, 74), 214, 21
COST = 666

DESCRIPTION = (
    "A network with 3 inputs, layers of 4 and 3 neurons and 2 outputs, every neuron joined to all of "
    "the layer before. The third column, layer l, is opened: the weights W of layer l and the biases "
    "b give the pre-activations z, and sigma turns them into the activations a. A forward arrow "
    "leads from x to the cost C. A backward lane shows the error delta, the gradient of C with "
    "respect to z, of layer L, of layer l and of layer l - 1. For the last layer it is a minus y, "
    "times sigma prime of z, entry by entry; for each earlier layer, the transposed weights times the "
    "error of the next layer, times sigma prime of z. Below: the pre-activation of the first neuron "
    "with all its four terms, the forward equations with their shapes, and the four equations of "
    "back-propagation.")


def heights(layer):
    """The heights of the neurons of a layer."""
    count, pitch = SIZES[layer], PITCH[layer]
    return [CENTRE + (k - (count - 1) / 2) * pitch for k in range(count)]


def edges(layer):
    """One line for each weight of a layer; those of the neuron spelled out are strong."""
    parts = []
    for k, end in enumerate(heights(layer)):
        chosen = layer == LAYER and k == 0
        color = KERNEL if chosen else tint(KERNEL, 0.6 if layer == LAYER else 0.42)
        parts += [line((OUT[layer - 1], start), (IN[layer], end), color=color,
                       weight=2.5 if chosen else 1.2) for start in heights(layer - 1)]
    return tag("g", *reversed(parts), id=f"weights-{layer}")


def neurons(x, layer, symbol, color, fill, name):
    """A column of circles, each with its letter and its index."""
    parts = []
    for k, y in enumerate(heights(layer), start=1):
        strong = layer == LAYER and k == 1
        parts += [tag("circle", cx=x, cy=y, r=RADIUS, fill=fill, stroke=color,
                      stroke_width=3 if strong else 1.6),
                  formula(x, y + 6, f"{symbol}_{{{k}}}", size=18, color=ink(color),
                          anchor="middle")]
    return tag("g", *parts, id=name)


def opened():
    """What happens inside layer l: the bias comes in, σ leads from z to a."""
    parts, left, right = [], IN[LAYER], OUT[LAYER]
    for k, y in enumerate(heights(LAYER), start=1):
        parts += [arrow((left + RADIUS + 5, y), (right - RADIUS - 5, y), OUTPUT, 2),
                  formula((left + right) / 2, y - 8, "σ", size=19, anchor="middle"),
                  formula(left + 29, y - 28, f"b^{{l}}_{{{k}}}", size=17, color=ink(KERNEL)),
                  arrow((left + 26, y - 30), (left + 15, y - 19), KERNEL, 1.6)]
    return tag("g", *parts)


def headings():
    """The number of each layer, and how many neurons it has."""
    places = ((IN[0], "|layer 0|", "inputs"), (IN[1], "|layer |l - 1", "neurons"),
              ((IN[2] + OUT[2]) / 2, "|layer |l", "neurons"),
              (IN[3], "|layer |l + 1 = L", "outputs"))
    parts = [formula(COST, 44, "|cost|", anchor="middle")]
    for size, (x, name, kind) in zip(SIZES, places, strict=True):
        parts += [formula(x, 44, name, size=17, anchor="middle"),
                  words(x, 64, f"{size} {kind}", 13, NEUTRAL, "middle")]
    return tag("g", *parts, id="headings")


def cost():
    """The cost C compares the outputs with the target y."""
    last = [arrow((OUT[3] + RADIUS, y), (COST - 20, CENTRE + (y - CENTRE) * 0.28), NEUTRAL, 1.4)
            for y in heights(3)]
    return tag("g", *last, arrow((COST, CENTRE + 58), (COST, CENTRE + 25), NEUTRAL, 1.4),
               tag("circle", cx=COST, cy=CENTRE, r=RADIUS, fill="#F3F3F3", stroke=INK,
                   stroke_width=1.6),
               formula(COST, CENTRE + 6, "C", anchor="middle"),
               formula(COST, CENTRE + 76, "y", anchor="middle"))


def lanes(forward, backward):
    """The forward pass, and the backward pass under it, one δ under each layer's z."""
    stops = ((IN[3], "δ^{L}"), (IN[2], "δ^{l}"), (IN[1], "δ^{l-1}"))
    parts = [words(36, forward + 5, "forward: values", color=ink(OUTPUT), bold=True),
             arrow((187, forward), (COST + RADIUS, forward), OUTPUT),
             words(36, backward + 5, "backward: error δ", color=ink(GRADIENT), bold=True)]
    start = COST + RADIUS
    for x, symbol in stops:
        parts += [arrow((start, backward), (x + RADIUS + 4, backward), GRADIENT),
                  tag("circle", cx=x, cy=backward, r=RADIUS, fill=tint(GRADIENT), stroke=GRADIENT,
                      stroke_width=1.6),
                  formula(x, backward + 6, symbol, size=18, color=ink(GRADIENT), anchor="middle")]
        start = x - RADIUS - 4
    return tag("g", *parts, factors(backward), id="lanes")


def factors(y):
    """What gives each δ: above the arrow the matrix product, or a − y, below it the slope, entry by entry."""
    places = (((IN[3] + COST + 42) / 2, "L", (("a^{L}", ink(OUTPUT)), " - y")),
              ((IN[2] + IN[3]) / 2, "l", ("(", ("W^{l+1}", ink(KERNEL)), ")^{T}")),
              ((IN[1] + IN[2]) / 2, "l-1", ("(", ("W^{l}", ink(KERNEL)), ")^{T}")))
    parts = []
    for x, layer, above in places:
        below = ("⊙ σ′(", (f"z^{{{layer}}}", ink(OUTPUT)), ")")
        parts += [formula(x + 2, y - 10, *above, size=17, anchor="middle"),
                  formula(x + 2, y + 22, *below, size=17, anchor="middle")]
    return tag("g", *parts, id="factors")


def spelled(y):
    """The pre-activation of the first neuron, every term."""
    terms = [piece for k in range(1, SIZES[LAYER - 1] + 1)
             for piece in ((f"W^{{l}}_{{1{k}}}", ink(KERNEL)), " ",
                           (f"a^{{l-1}}_{{{k}}}", ink(OUTPUT)), " + ")]
    return tag("g", words(36, y, "one neuron", bold=True),
               formula(150, y, ("z^{l}_{1}", ink(OUTPUT)), " = ", *terms,
                       ("b^{l}_{1}", ink(KERNEL)), id="neuron"))


def shaped(y):
    """The forward equation of a layer, the shape of each thing under it."""
    shape = " × ".join(map(str, W[LAYER].shape))
    pieces = ((160, "z^{l}", OUTPUT, FORWARD.size), (190, "=", INK, ""),
              (222, "W^{l}", KERNEL, shape), (262, "a^{l-1}", OUTPUT, SIZES[LAYER - 1]),
              (293, "+", INK, ""), (320, "b^{l}", KERNEL, b[LAYER].size))
    parts = [words(36, y, "forward", color=ink(OUTPUT), bold=True)]
    for x, symbol, color, size in pieces:
        parts += [formula(x, y, symbol, color=ink(color), anchor="middle"),
                  words(x, y + 20, str(size), 13, NEUTRAL, "middle")]
    return tag("g", *parts, id="shapes") + "\n" + tag(
        "g", formula(374, y, ("a^{l}", ink(OUTPUT)), " = σ(", ("z^{l}", ink(OUTPUT)), ")"),
        formula(490, y, "C ="), words(533, y - 8, "1", 13, anchor="middle", font_family=SERIF),
        line((527, y - 5), (539, y - 5)),
        words(533, y + 7, "2", 13, anchor="middle", font_family=SERIF),
        formula(544, y, "‖", ("a^{L}", ink(OUTPUT)), " - y‖^{2}"))


def derived(y):
    """The four equations of back-propagation."""
    delta, z, a = (("δ^{l}", ink(GRADIENT)), ("z^{l}", ink(OUTPUT)), ("a^{l-1}", ink(OUTPUT)))
    final = ("z^{L}", ink(OUTPUT))
    last = (("δ^{L}", ink(GRADIENT)), " = ∂C/∂", final, " = (", ("a^{L}", ink(OUTPUT)),
            " - y) ⊙ σ′(", final, ")")
    hidden = (delta, " = ∂C/∂", z, " = (", ("W^{l+1}", ink(KERNEL)), ")^{T} ",
              ("δ^{l+1}", ink(GRADIENT)), " ⊙ σ′(", z, ")")
    return tag("g", words(36, y, "backward", color=ink(GRADIENT), bold=True),
               formula(150, y, *last), formula(150, y + 34, *hidden),
               formula(490, y, "∂C/∂", ("W^{l}", ink(KERNEL)), " = ", delta, " (", a, ")^{T}"),
               formula(490, y + 34, "∂C/∂", ("b^{l}", ink(KERNEL)), " = ", delta))


def network():
    """Neurons and the lines between them; layer l with its z, its σ and its a."""
    return [rect(316, 86, 176, 250, fill="#F3F3F3", corner=12), *map(edges, (1, 2, 3)),
            neurons(IN[0], 0, "x", INPUT, tint(INPUT), "a-0"),
            neurons(IN[1], 1, "a^{l-1}", OUTPUT, tint(OUTPUT), "a-1"),
            neurons(IN[2], 2, "z^{l}", OUTPUT, CARD, "z-2"),
            neurons(OUT[2], 2, "a^{l}", OUTPUT, tint(OUTPUT), "a-2"),
            neurons(IN[3], 3, "a^{L}", OUTPUT, tint(OUTPUT), "a-3"),
            formula(284, 112, "W^{l}", color=ink(KERNEL), anchor="middle"),
            formula(530, 142, "W^{l+1}", color=ink(KERNEL), anchor="middle"),
            formula(IN[0], 338, "a^{0} = x", size=18, color=ink(INPUT), anchor="middle")]


def main():
    """Write the drawing."""
    parts = [*network(), opened(), headings(), cost(), lanes(372, 422),
             line((36, 466), (COST + RADIUS, 466), color=FRAME), spelled(504), shaped(548), derived(610)]
    save("fully_connected", card("fully-connected", "A fully connected network, forward and backward",
                                 DESCRIPTION, 672, *parts))


if __name__ == "__main__":
    main()
