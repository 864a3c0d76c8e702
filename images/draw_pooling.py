"""Draw pooling.svg: the output of max and average pooling, and the gradient of the input."""
import numpy as np
from drawing import (
    CARD,
    FRAME,
    GRADIENT,
    INK,
    INPUT,
    NEUTRAL,
    OUTPUT,
    arrow,
    card,
    formula,
    grid,
    ink,
    line,
    number,
    rect,
    save,
    tag,
    tint,
    words,
)

X = np.array([[ 3, -1,  0,  2],
              [ 1,  5, -4,  4],
              [-2, -6,  7,  1],
              [-1, -3,  4, -8]])
DY = np.array([[ 8, -4],
               [12, -8]])                      # the upstream gradient


def blocks(x: np.ndarray) -> np.ndarray:
    """The four windows of x, one to a row and column of the output: (2, 2, 4)."""
    return x.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(2, 2, 4)


def unblocks(windows: np.ndarray) -> np.ndarray:
    """The input whose windows these are: the inverse of `blocks`."""
    return windows.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)


FIRST = np.arange(4) == blocks(X).argmax(axis=2, keepdims=True)
Y = {"max": blocks(X).max(axis=2), "average": blocks(X).mean(axis=2)}
LOCAL = {"max": unblocks(FIRST.astype(float)), "average": np.full(X.shape, 0.25)}
DX = {kind: local * DY.repeat(2, axis=0).repeat(2, axis=1) for kind, local in LOCAL.items()}

ROW, COLUMN = 1, 0                             # the window that is worked out
WINDOW = blocks(X)[ROW, COLUMN]

CELL, GAP = 38, 6
LEFT = {"x": 28, "y": 262, "dx": 386, "dy": 616}
TOP = {"max": 122, "average": 372}
WIDE, MIDDLE = 4 * CELL + GAP, 2 * CELL + GAP / 2

DESCRIPTION = (
    "Two rows, max pooling above and average pooling below, on the same input of 4 by 4 numbers "
    "with windows of 2 by 2 and stride 2. Forward, max pooling keeps the largest number of each "
    "window and average pooling the mean of its four. Backward, max pooling routes the upstream "
    "gradient of a window to the largest cell and 0 to the other three; average pooling gives a "
    "quarter of it to each of the four.")


def fills(kind, color):
    """The cells with a nonzero local gradient, thinned in `color`: one of each window, or all four."""
    return np.where(LOCAL[kind] == 1, tint(color, 0.3), np.where(LOCAL[kind], tint(color), CARD))


def inks(kind, color):
    """Dark where the local gradient is nonzero, grey where it is zero."""
    return np.where(LOCAL[kind] > 0, ink(color), NEUTRAL)


def frame(x, y, side, color):
    """A thick frame round a window or round its output entry."""
    return rect(x, y, side, side, stroke=color, weight=3, corner=2)


def pair(kind, big, small, matrices, color):
    """The two matrices of one direction, the window and its entry framed, their letters above."""
    top, row = TOP[kind], TOP[kind] + MIDDLE
    step, names = 2 * CELL + GAP, ("x", "y") if big == "x" else ("dx", "dy")
    shades = {} if big == "x" else {"inks": inks(kind, color)}
    return tag(
        "g",
        formula(LEFT[big] + WIDE / 2, top - 12, names[0], size=21, anchor="middle",
                color=ink(INPUT if big == "x" else GRADIENT)),
        formula(LEFT[small] + CELL, row - CELL - 12, names[1], size=21, anchor="middle",
                color=ink(color)),
        grid(f"{kind}-{big}", LEFT[big], top, matrices[0], CELL, INPUT, gap=GAP,
             fills=fills(kind, color), **shades),
        grid(f"{kind}-{small}", LEFT[small], row - CELL, matrices[1], CELL, color,
             fills=np.full(DY.shape, tint(color))),
        frame(LEFT[big] + COLUMN * step, top + ROW * step, 2 * CELL, color),
        frame(LEFT[small] + COLUMN * CELL, row - CELL + ROW * CELL, CELL, color))


def forward(kind, sign):
    """What is kept: from the input to the output."""
    row, start, end = TOP[kind] + MIDDLE, LEFT["x"] + WIDE + 9, LEFT["y"] - 9
    return [pair(kind, "x", "y", (X, Y[kind]), OUTPUT),
            arrow((start, row), (end, row), OUTPUT),
            words((start + end) / 2, row - 12, sign, 14, ink(OUTPUT), "middle", bold=True)]


def backward(kind, sign):
    """The gradient of the input: from the output back to the input."""
    row, start, end = TOP[kind] + MIDDLE, LEFT["dy"] - 9, LEFT["dx"] + WIDE + 9
    return [pair(kind, "dx", "dy", (DX[kind], DY), GRADIENT),
            arrow((start, row), (end, row), GRADIENT),
            words((start + end) / 2, row - 12, sign, 14, ink(GRADIENT), "middle", bold=True)]


def examples():
    """The framed window worked out, forward and backward, max and average."""
    listed = ", ".join(map(number, WINDOW))
    added = number(WINDOW[0]) + "".join(f" {'−' if entry < 0 else '+'} {number(abs(entry))}"
                                        for entry in WINDOW[1:])
    dy, dx = DY[ROW, COLUMN], {kind: blocks(DX[kind])[ROW, COLUMN] for kind in TOP}
    kept = {kind: (number(Y[kind][ROW, COLUMN]), ink(OUTPUT)) for kind in TOP}
    given = {kind: (number(dx[kind].max()), ink(GRADIENT)) for kind in TOP}
    return [
        example("max-kept", LEFT["x"], "max", "max(", (listed, ink(INPUT)), ") = ", kept["max"]),
        example("average-kept", LEFT["x"], "average", "(", (added, ink(INPUT)), ") / 4 = ",
                kept["average"]),
        example("max-gradient", LEFT["dx"], "max", given["max"], " to the largest, 0 to the others"),
        example("average-gradient", LEFT["dx"], "average", f"{number(dy)} / 4 = ",
                given["average"], " to each of the four")]


def example(name, x, kind, *pieces):
    """One line of arithmetic under its matrices."""
    spans = [tag("tspan", piece) if isinstance(piece, str) else
             tag("tspan", piece[0], fill=piece[1]) for piece in pieces]
    return tag("text", *spans, x=x, y=TOP[kind] + WIDE + 28, font_size=15, fill=INK, id=name)


def main():
    """Write the drawing."""
    parts = [words(LEFT["x"], 44, "Forward: what is kept", 16, ink(OUTPUT), bold=True),
             words(LEFT["dx"], 44, "Backward: the gradient dx", 16, ink(GRADIENT), bold=True),
             words(LEFT["x"], 67, "windows 2 × 2, stride 2", color=NEUTRAL),
             formula(LEFT["dx"], 67, "dx = ∂C/∂x|  and  |dy = ∂C/∂y", size=17, color=NEUTRAL),
             line((362, 28), (362, 560), color=FRAME),
             *forward("max", "max"), *forward("average", "average"),
             *backward("max", "to one"), *backward("average", "1/4 each"), *examples()]
    save("pooling", card("pooling", "Max and average pooling, forward and backward", DESCRIPTION,
                         588, *parts))


if __name__ == "__main__":
    main()
