"""Step through the graph of an expression: values forward, gradients backward, the VJP in use lit."""
from functools import lru_cache

from ipywidgets import IntSlider, Text

from helpers.explore import explore
from helpers.explore.explorer import Explore
from helpers.plotting import figures
from helpers.plotting.panes import scientific, sheet
from helpers.widgets.graph_stepper.expression import Tape, read
from helpers.widgets.graph_stepper.layout import laid_out
from helpers.widgets.graph_stepper.picture import (
    RULES,
    SIZE,
    draw_boxes,
    draw_lines,
    draw_numbers,
    draw_rules,
)

PRESETS = {   # the cost of a neuron; a value used twice; two paths from x; a graph that relu cuts
    "neuron": "(tanh(W*x + b) - t)**2", "used twice": "z = W*x + b; z*tanh(z)",
    "two paths": "x*exp(-x**2) + log(1 + x**2)", "cut": "(relu(W*x) + b - t)**2",
}


def graph_stepper(x: float = 2.0, W: float = -0.5, b: float = 1.5, t: float = 1.0) -> Explore:
    """Type an expression of x, W, b and t, and step through its graph, forward and then backward.

    What may be typed is said in expression.py; for anything else there is a sentence, and the picture stays.
    Raises ValueError for numbers that are none. `result` holds the gradient of each name, as far as the
    step has come.
    """
    numbers = {"x": x, "W": W, "b": b, "t": t}
    tape_of = lru_cache(maxsize=32)(lambda text: _both(text, numbers))
    tape = tape_of(PRESETS["neuron"])[0]
    expression = Text(PRESETS["neuron"], continuous_update=False)
    expression.settings = list(PRESETS.values())
    step = IntSlider(_count(tape), 1, _count(tape))
    step.settings = [1, 3, 5]

    def fit(_change):
        try:
            step.max = _count(tape_of(expression.value)[0])
        except ValueError:          # the picture says it
            pass

    expression.observe(fit, "value")
    return explore(lambda ax, expression, step: _draw(ax, *tape_of(expression), step),
                   lambda figure: sheet(figure, SIZE),
                   lambda expression, step: _describe(expression, tape_of(expression)[0], step),
                   size=SIZE, play=["step"], expression=expression, step=step,
                   presets={name: {"expression": text, "step": 1} for name, text in PRESETS.items()})


def _both(text, numbers):
    tape = read(text, numbers)
    return tape, laid_out(tape.forward)


def _count(tape: Tape) -> int:
    """Each operation forward, the gradient of the output, each operation backward."""
    return 2 * len(tape.forward) + 1


def _place(tape, step):
    """How many operations have been done forward and backward, and the one in focus, None for dC/dC = 1."""
    n = len(tape.forward)
    if step <= n:
        return step, 0, tape.forward[step - 1]
    return n, step - n - 1, tape.backward[step - n - 2].variable if step > n + 1 else None


def _sums(tape, done):
    """The gradients after so many operations of the backward pass."""
    return {tape.forward[-1]: 1.0} | {v: total for one in tape.backward[:done] for v, _, total in one.passed}


def _draw(ax, tape, layout, step):
    forward, backward, focus = _place(tape, step)
    back = step > len(tape.forward)
    color = figures.GRADIENT if back else figures.OUTPUT
    inputs = focus.node.parents if focus else ()
    draw_lines(ax, layout, {(v, focus) for v in inputs if not back or v.requires_grad}, color)
    draw_boxes(ax, tape, layout, focus or tape.forward[-1], color)
    leaves = [v for v in layout.column if v.is_leaf]
    sums = _sums(tape, backward) if back else {}
    draw_numbers(ax, layout, {v: float(v.value) for v in [*leaves, *tape.forward[:forward]]}, sums)
    names = [name for name in RULES if name in {v.node.name for v in tape.forward}]
    draw_rules(ax, names, focus.node.name if focus else None, back, _line(tape, step))
    return {name: sums.get(leaf, 0.0) for name, leaf in tape.leaves.items()}


def _line(tape, step):
    """The step with its numbers."""
    forward, backward, focus = _place(tape, step)
    if focus is None:
        return f"dC = 1: the backward pass starts at C = {scientific(float(tape.forward[-1].value), 3)}"
    name, inputs = focus.node.name, [float(v.value) for v in focus.node.parents]
    given = ", ".join(f"{letter} = {scientific(number, 3)}"
                      for letter, number in zip("uv", inputs, strict=False))
    if step <= len(tape.forward):
        return f"{RULES[name][0]},  {given}:  y = {scientific(float(focus.value), 3)}"
    dy = _sums(tape, backward - 1)[focus]
    got = "; ".join(_got(tape.labels[v], gradient, total) for v, gradient, total
                    in tape.backward[backward - 1].passed)
    return f"dy = {scientific(dy, 3)}:  {got}"


def _got(label, gradient, total):
    """What an input gets; where it had something already, the sum."""
    added = abs(total - gradient) > 1e-12 * abs(total)
    words = f"{label} gets {scientific(gradient, 3)}"
    return words + (f", together {scientific(total, 3)}" if added else "")


def _describe(expression, tape, step):
    forward, backward, focus = _place(tape, step)
    found = ", ".join(f"d{name} = {scientific(total, 3)}" for name, leaf in tape.leaves.items()
                      if (total := _sums(tape, backward).get(leaf)) is not None)
    way = "forward" if step <= len(tape.forward) else "backward"
    name = focus.node.name if focus else None
    rule = f"{name}, {RULES[name][way == 'backward']}" if name else "the output itself"
    said = [f"Step {step} of {_count(tape)} of {expression}, {way}: {rule}.", f"{_line(tape, step)}."]
    if way == "backward" and found:
        said.append(f"So far {found}.")
    return " ".join(" ".join(said).split())     # in the picture there are wide blanks
