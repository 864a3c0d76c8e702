"""Draw convolution.svg: one window, one output entry, and the sum that computes it."""
import numpy as np
from drawing import (
    CARD,
    INK,
    INPUT,
    KERNEL,
    NEUTRAL,
    OUTPUT,
    card,
    factor,
    formula,
    grid,
    heading,
    ink,
    line,
    number,
    rect,
    save,
    star,
    tag,
    tint,
    words,
)

X = np.array([[ 2, -1,  0,  3,  1],
              [ 1,  0,  2, -2,  4],
              [-3,  1,  3,  1,  0],
              [ 0,  2, -1,  4, -2],
              [ 1, -2,  0,  1,  3]])
K = np.array([[ 1,  0, -2],
              [ 2, -1,  1],
              [ 0,  3, -1]])
I, J = 1, 2                                    # the output entry that is worked out


def correlate(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Slide the kernel over x, unflipped: y_pq = Σ_u Σ_v x_{p+u, q+v} K_uv."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape)
    return np.einsum("ijuv,uv->ij", windows, kernel)


Y = correlate(X, K)
TURNED = K[::-1, ::-1]                         # as in a true convolution
WINDOW = X[I:I + 3, J:J + 3]
PRODUCTS = WINDOW * K

CELL, TOP = 44, 116
LEFT = {"input": 84, "kernel": 362, "output": 554}
SUM = (84, 398)                                # where the worked sum begins
TURN = (484, 398)                              # where the two small kernels begin

DESCRIPTION = (
    f"An input x of 5 by 5 numbers, a kernel K of 3 by 3 weights and an output y of 3 by 3. The "
    f"kernel lies unflipped on the window whose first cell is row {I}, column {J} of x, and each "
    f"weight stands in the corner of the cell it multiplies. The nine products are written out; "
    f"their sum, {number(Y[I, J])}, is entry {I}, {J} of y. A kernel turned by 180 degrees, as in "
    f"a true convolution, would give {number(correlate(X, TURNED)[I, J])} instead.")


def lit(shape, rows, columns, color):
    """A matrix of fills: `color` thinned in the chosen cells, the card's elsewhere."""
    fills = np.full(shape, CARD, dtype=object)
    fills[rows, columns] = tint(color)
    return fills


def frame(name, row, column, size, color):
    """A thick frame round a square of cells of the grid `name`."""
    return rect(LEFT[name] + column * CELL, TOP + row * CELL, size * CELL, size * CELL,
                stroke=color, weight=3, corner=2)


def ticks(name, count):
    """The indices along both sides of a grid."""
    left, middles = LEFT[name], [CELL * (k + 0.5) for k in range(count)]
    row, column = (I, J) if name == "output" else (None, None)
    across = [words(left + middle, TOP - 8, str(k), 12, INK if k == column else NEUTRAL, "middle",
                    bold=k == column) for k, middle in enumerate(middles)]
    down = [words(left - 9, TOP + middle + 4, str(k), 12, INK if k == row else NEUTRAL, "end",
                  bold=k == row) for k, middle in enumerate(middles)]
    return tag("g", *across, *down)


def letters(name, row, column):
    """The index that runs down the rows of a grid, and the one that runs across."""
    left, middle = LEFT[name], 1.5 * CELL
    return tag("g", formula(left - 30, TOP + middle + 5, row, anchor="middle"),
               formula(left + middle, TOP - 28, column, anchor="middle"))


def brackets():
    """Where the window lies: rows p + u and columns q + v of the input."""
    x, y = LEFT["input"] + J * CELL + 2, TOP + I * CELL + 2
    side, above, long = LEFT["input"] - 24, TOP - 24, 3 * CELL - 4
    return tag(
        "g",
        line((side + 5, y), (side, y), (side, y + long), (side + 5, y + long)),
        line((x, above + 5), (x, above), (x + long, above), (x + long, above + 5)),
        formula(side - 4, y + long / 2 + 5, "p + u", size=17, anchor="end"),
        formula(x + long / 2, above - 8, "q + v", size=18, anchor="middle"))


def weights():
    """The kernel as it lies on the window: each weight in the corner of its cell."""
    corners = [words(LEFT["input"] + (J + v + 1) * CELL - 5, TOP + (I + u + 1) * CELL - 6,
                     number(K[u, v]), 13, ink(KERNEL), "end", bold=True)
               for u, v in np.ndindex(K.shape)]
    return tag("g", *corners, id="weights")


def headings():
    """The equation of the whole picture, x ⋆ K = y, over the three grids."""
    return tag("g", heading(LEFT["input"], 46, "x", "input, 5 × 5", INPUT),
               heading(LEFT["kernel"], 46, "K", "kernel, 3 × 3", KERNEL),
               heading(LEFT["output"], 46, "y", "output, 3 × 3", OUTPUT),
               star(LEFT["kernel"] - 36, 39), words(LEFT["output"] - 42, 47, "=", 24))


def grids():
    """Input, kernel and output, with the window and its entry lit."""
    window, nudge = (slice(I, I + 3), slice(J, J + 3)), np.zeros(X.shape)
    nudge[window] = 6
    return tag(
        "g",
        grid("input", LEFT["input"], TOP, X, CELL, INPUT, nudge=nudge,
             fills=lit(X.shape, *window, KERNEL)),
        grid("kernel", LEFT["kernel"], TOP, K, CELL, KERNEL, fills=np.full(K.shape, tint(KERNEL))),
        grid("output", LEFT["output"], TOP, Y, CELL, OUTPUT, fills=lit(Y.shape, I, J, OUTPUT)),
        ticks("input", 5), ticks("kernel", 3), ticks("output", 3),
        letters("kernel", "u", "v"), letters("output", "p", "q"), brackets(), weights(),
        frame("input", I, J, 3, KERNEL), frame("kernel", 0, 0, 3, KERNEL),
        frame("output", I, J, 1, OUTPUT))


def definition(x, y):
    """The sum for every entry."""
    return tag(
        "g",
        formula(x, y, ("y_{pq}", ink(OUTPUT)), " =", size=22),
        *[formula(x + 64 + 30 * k, y + 2, "Σ", size=30, anchor="middle") for k in range(2)],
        *[formula(x + 64 + 30 * k, y + 20, "uv"[k], size=16, anchor="middle") for k in range(2)],
        formula(x + 112, y, ("x_{p+u, q+v}", ink(INPUT)), " ", ("K_{uv}", ink(KERNEL)), size=22),
        words(x, y + 46, "stride 1, no padding", color=NEUTRAL))


def term(u, v, x, y):
    """One product of the sum: the input under the window times the weight on it."""
    return tag("g", words(x - 6, y, factor(WINDOW[u, v]), 16, ink(INPUT), "end"),
               words(x, y, "·", 16, INK, "middle"),
               words(x + 6, y, factor(K[u, v]), 16, ink(KERNEL)), class_="term")


def worked_sum(x, y):
    """The nine products in the places of their cells, the sum of each row, and the total."""
    where = f"|The sum under the window for |p|\u2009=\u2009{I} and |q|\u2009=\u2009{J}|"
    parts = [formula(x, y, where, size=16, bold=True)]
    for u in range(3):
        base = y + 36 + 30 * u
        parts += [term(u, v, x + 36 + 100 * v, base) for v in range(3)]
        parts += [words(x + 86 + 100 * v, base, "+", 16, INK, "middle") for v in range(2)]
        parts += [words(x + 296, base, "=", 16, INK, "middle"),
                  words(x + 340, base, number(PRODUCTS[u].sum()), 16, INK, "end", class_="row")]
    parts += [line((x + 308, y + 108), (x + 346, y + 108)),
              formula(x + 302, y + 134, (f"y_{{{I},{J}}}", ink(OUTPUT)), " =", anchor="end"),
              words(x + 340, y + 134, number(PRODUCTS.sum()), 19, ink(OUTPUT), "end", bold=True,
                    class_="total")]
    return tag("g", *parts, id="sum")


def small(name, x, y, kernel, caption, meaning, color):
    """A small kernel, how it lies, and what it would give at this place."""
    return tag(
        "g", words(x + 36, y - 10, caption, 13, INK, "middle"),
        grid(name, x, y, kernel, 24, KERNEL, size=13, fills=np.full(K.shape, tint(KERNEL))),
        words(x + 36, y + 96, number(correlate(X, kernel)[I, J]), 19, color, "middle", bold=True,
              class_="gives"),
        words(x + 36, y + 118, meaning, 13, color, "middle"))


def no_flip(x, y):
    """The kernel as a layer uses it, beside the turned kernel of a true convolution."""
    return tag("g", words(x, y, "No flip", bold=True),
               small("lying", x, y + 38, K, "as it lies", "cross-correlation", ink(OUTPUT)),
               small("turned", x + 122, y + 38, TURNED, "turned by 180°", "true convolution",
                     NEUTRAL))


def main():
    """Write the drawing."""
    parts = headings(), grids(), definition(362, 296), worked_sum(*SUM), no_flip(*TURN)
    save("convolution", card("convolution", "Convolution of a 5 × 5 input with a 3 × 3 kernel",
                             DESCRIPTION, 582, *parts))


if __name__ == "__main__":
    main()
