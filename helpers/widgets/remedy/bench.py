"""A deep net that does not learn, with a switch for every remedy: a widget of 06_gradient_pathologies.ipynb.

The plain net and the net with the remedies begin with the same seeds and are trained on the same batches of
digits, by helpers.widgets.remedy.runs: a step of three nets takes some 2 ms. Trainings are kept: what has
been trained already is only drawn, and a longer training goes on from there.
"""
from collections import namedtuple
from functools import lru_cache

from ipywidgets import Checkbox, Dropdown, SelectionSlider

from helpers.explore.explorer import Explore, explore
from helpers.theory.mean_field import edge_of_chaos
from helpers.widgets.remedy.picture import SIZE, draw_comparison, remedy_frame
from helpers.widgets.remedy.runs import OPTIMIZERS, PLAIN, STATIONS, Recipe, Trainings
from helpers.widgets.remedy.words import conclusion, describe_comparison

CLIP, DECAY = 1.0, 0.1
NETS = {
    "sigmoid, σ_w = 1": Recipe("sigmoid"),
    "tanh, σ_w = 3": Recipe("tanh", scale=3.0),
    "ReLU, σ_w = 2": Recipe("relu", scale=2.0),
    "ReLU, torch's start": Recipe("relu", "torch default"),
}
KEEP, EDGE, NOTHING = "as it is", "edge of chaos", "no remedy"
SWITCHES = {"BN": "batch_norm", "residual": "residual", "clip": "clip", "L2": "weight_decay"}
ACTIVATION_OPTIONS = {KEEP: None, "tanh": "tanh", "ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu"}
INITIALIZATION_OPTIONS = {KEEP: None, "Xavier": "Xavier", "He": "He", "orthogonal": "orthogonal",
                          EDGE: PLAIN}
STRETCH = 50                            # steps, after which `outcome` looks whether to go on
ETAS = 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1
OFF = {"activation": KEEP, "initialization": KEEP, "batch_norm": False, "residual": False, "clip": False,
       "weight_decay": False}
_START = {**OFF, "batch_norm": True, "optimizer": "SGD", "eta": 0.1, "steps": 100}
PRESETS = {
    "no remedy": {**_START, **OFF}, "BN": _START, "residual": {**_START, **OFF, "residual": True},
    "edge of chaos, 1000 steps": {**_START, **OFF, "initialization": EDGE, "steps": 1000},
    "Adam, 1000 steps": {**_START, **OFF, "optimizer": "Adam", "eta": 0.001, "steps": 1000},
}

# Trainings of the plain net and of the one with remedies; these remedies in words; the step asked for, and
# how many of these steps both have done.
Comparison = namedtuple("Comparison", "plain modified remedies step done")

trainings = lru_cache(maxsize=48)(Trainings)
edge = lru_cache(edge_of_chaos)


def with_remedies(net: str, activation: str, initialization: str, batch_norm: bool, residual: bool,
                  clip: bool, weight_decay: bool) -> Recipe:
    """The Recipe of a net of NETS with these remedies; a rule of initialization comes with its own scale.

    At the edge of chaos it is that σ_w at which χ = 1 in a deep plain net of this activation.
    """
    recipe = NETS[net]._replace(batch_norm=batch_norm, residual=residual, clip=CLIP if clip else None,
                                weight_decay=DECAY * weight_decay)
    if ACTIVATION_OPTIONS[activation]:
        recipe = recipe._replace(activation=ACTIVATION_OPTIONS[activation])
    if INITIALIZATION_OPTIONS[initialization]:
        recipe = recipe._replace(initialization=INITIALIZATION_OPTIONS[initialization], scale=1.0)
    return recipe._replace(scale=edge(recipe.activation)) if initialization == EDGE else recipe


def comparison(net: str, steps: int, optimizer: str, eta: float, **remedies: object) -> Comparison:
    """The trainings of the plain and the modified net, as far as they are."""
    recipes = [recipe._replace(optimizer=optimizer, eta=eta)
               for recipe in (NETS[net], with_remedies(net, **remedies))]
    pair = [trainings(recipe) for recipe in recipes]
    done = [steps if one.reached(steps) else max(0, len(one.losses) - 1) for one in pair]
    return Comparison(*pair, changes(*recipes), steps, min(done))


def advance(seconds: float, **values: object) -> bool:
    """Go on with the two trainings of a setting for about so many seconds; whether they are done."""
    one = comparison(**values)
    return all([each.advance(max(1, one.step), seconds / 2) for each in (one.modified, one.plain)])


def outcome(net: str, *remedies: str, steps: int, optimizer: str = "SGD", eta: float = 0.1) -> str:
    """Whether a net of NETS learns within so many steps, from all three seeds, in words of `conclusion`.

    A net that is chaotic may need more or fewer steps on another machine. A remedy is an activation of
    ACTIVATION_OPTIONS, a start of INITIALIZATION_OPTIONS, "BN", "residual", "clip" or "L2". Raises ValueError
    for another.
    """
    on = dict(OFF)
    for remedy in remedies:
        if remedy in SWITCHES:
            on[SWITCHES[remedy]] = True
        elif remedy in ACTIVATION_OPTIONS or remedy in INITIALIZATION_OPTIONS:
            on["activation" if remedy in ACTIVATION_OPTIONS else "initialization"] = remedy
        else:
            known = ", ".join(dict.fromkeys([*SWITCHES, *ACTIVATION_OPTIONS, *INITIALIZATION_OPTIONS]))
            raise ValueError(f"remedies: got {remedy!r}, expected one of {known}")
    found = trainings(with_remedies(net, **on)._replace(optimizer=optimizer, eta=eta))
    for so_far in range(STRETCH, steps + STRETCH, STRETCH):    # nets that have learned need not go on
        found.advance(min(so_far, steps))
        if conclusion(found, steps) == "learns":
            break
    return conclusion(found, steps)


def outcomes(net: str, cases: str, *, steps: tuple[int, ...] = (100, 1000), optimizer: str = "SGD",
             eta: float = 0.1) -> str:
    """A line for each case, "BN, BN+residual, no remedy": what so many steps do to the net, by `outcome`."""
    lines = [f"{net}, {optimizer}, η = {eta:g}, in {' and '.join(map(str, steps))} steps:"]
    for case in cases.split(", "):
        remedies = () if case == NOTHING else case.split("+")
        found = [outcome(net, *remedies, steps=n, optimizer=optimizer, eta=eta) for n in steps]
        lines.append(f"  {case}: {'; '.join(found)}")
    return "\n".join(lines)


def changes(plain: Recipe, recipe: Recipe) -> list[str]:
    """The remedies by which two recipes differ, in words; choosing what the net has already is no change."""
    start = recipe.initialization, recipe.scale
    said = [key for key, name in ACTIVATION_OPTIONS.items() if name == recipe.activation != plain.activation]
    if start != (plain.initialization, plain.scale):
        edge_of = f"σ_w = {recipe.scale:.3g}, the edge of chaos"
        said.append(edge_of if recipe.initialization == PLAIN else f"{recipe.initialization} initialization")
    said += ["batch norm"] * recipe.batch_norm + ["residual connections"] * recipe.residual
    return said + ["clipping"] * (recipe.clip is not None) + ["L2"] * (recipe.weight_decay > 0)


def remedy_bench() -> Explore:
    """Switch remedies on; compare gradient, cost and update-to-weight ratio of each layer with the plain net.

    `result` is the Comparison of this moment.
    """
    steps = SelectionSlider(options=STATIONS, value=_START["steps"])
    steps.settings = [0, 10, _START["steps"]]        # what the sweep of the tests tries: each is trained
    rates = SelectionSlider(options=ETAS, value=_START["eta"], description="learning rate")
    rates.settings = [ETAS[0], _START["eta"], ETAS[-1]]
    return explore(
        _draw, remedy_frame, lambda **values: describe_comparison(comparison(**values), **values), size=SIZE,
        play=["steps"], presets=PRESETS, advance=advance,
        net=Dropdown(options=list(NETS), description="plain net"),
        optimizer=Dropdown(options=list(OPTIMIZERS)), steps=steps, eta=rates,
        activation=Dropdown(options=list(ACTIVATION_OPTIONS)),
        initialization=Dropdown(options=list(INITIALIZATION_OPTIONS)),
        batch_norm=Checkbox(True), residual=Checkbox(False, description="residual connections"),
        clip=Checkbox(False, description="clip gradients to norm 1"),
        weight_decay=Checkbox(False, description="L2, λ = 0.1"))


def _draw(ax, **values):
    one = comparison(**values)
    draw_comparison(ax, one)
    return one
