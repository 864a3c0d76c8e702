"""A deep net that does not learn, with a switch for every remedy: a widget of 06_gradient_pathologies.ipynb.

The plain net and the net with the remedies begin with the same seed and are trained on the same batches of
digits, by helpers.widgets.remedy.runs. A training is run to its end, about 0.2 s, and cached: moving the step
slider, or returning to a setting, only redraws the picture.
"""
from collections import namedtuple
from functools import lru_cache

from ipywidgets import Checkbox, Dropdown, IntSlider

from helpers.explore.explorer import Explore, explore
from helpers.widgets.remedy.picture import SIZE, STEPS, draw_comparison, remedy_frame
from helpers.widgets.remedy.runs import Recipe, train
from helpers.widgets.remedy.words import describe_comparison, state

CLIP, DECAY = 1.0, 0.1
NETS = {
    "sigmoid, σ_w = 1": Recipe("sigmoid"),
    "tanh, σ_w = 3": Recipe("tanh", scale=3.0),
    "ReLU, σ_w = 2": Recipe("relu", scale=2.0),
    "ReLU, torch's start": Recipe("relu", "torch default"),
}
KEEP = "as it is"
SWITCHES = {"BN": "batch_norm", "residual": "residual", "clip": "clip", "L2": "weight_decay"}
OUTCOMES = {"learns": "learns", "diverged": "diverges"}
ACTIVATION_OPTIONS = {KEEP: None, "tanh": "tanh", "ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu"}
INITIALIZATION_OPTIONS = {KEEP: None, "Xavier": "Xavier", "He": "He", "orthogonal": "orthogonal"}

# The Records of the plain net and of the one with remedies; these remedies in words, and the step shown.
Comparison = namedtuple("Comparison", "plain modified remedies step")

training = lru_cache(maxsize=128)(train)


def with_remedies(net: str, activation: str, initialization: str, batch_norm: bool, residual: bool,
                  clip: bool, weight_decay: bool) -> Recipe:
    """The Recipe of a net of NETS with these remedies; a rule of initialization comes with its own scale."""
    recipe = NETS[net]._replace(batch_norm=batch_norm, residual=residual, clip=CLIP if clip else None,
                                weight_decay=DECAY * weight_decay)
    if ACTIVATION_OPTIONS[activation]:
        recipe = recipe._replace(activation=ACTIVATION_OPTIONS[activation])
    if INITIALIZATION_OPTIONS[initialization]:
        recipe = recipe._replace(initialization=INITIALIZATION_OPTIONS[initialization], scale=1.0)
    return recipe


def comparison(steps: int, net: str, **remedies: object) -> Comparison:
    """Train the plain and the modified net, or take them from the cache."""
    recipe, plain = with_remedies(net, **remedies), NETS[net]
    return Comparison(training(plain, STEPS), training(recipe, STEPS), changes(plain, recipe), steps)


def outcome(net: str, *remedies: str, steps: int = STEPS) -> str:
    """The outcome of training a net of NETS for `steps` steps: "learns", "does not learn" or "diverges".

    It learns when the mean cost of the last ten batches is below 0.9 ln 10, that of guessing being ln 10; a
    net that does not in 100 steps may in 400. A remedy is an activation of ACTIVATION_OPTIONS, a rule of
    INITIALIZATION_OPTIONS, "BN", "residual", "clip" or "L2". Raises ValueError for another.
    """
    on = dict.fromkeys(("batch_norm", "residual", "clip", "weight_decay"), False)
    on |= {"activation": KEEP, "initialization": KEEP}
    for remedy in remedies:
        if remedy in SWITCHES:
            on[SWITCHES[remedy]] = True
        elif remedy in ACTIVATION_OPTIONS or remedy in INITIALIZATION_OPTIONS:
            on["activation" if remedy in ACTIVATION_OPTIONS else "initialization"] = remedy
        else:
            known = ", ".join(dict.fromkeys([*SWITCHES, *ACTIVATION_OPTIONS, *INITIALIZATION_OPTIONS]))
            raise ValueError(f"remedies: got {remedy!r}, expected one of {known}")
    return OUTCOMES.get(state(training(with_remedies(net, **on), steps), steps), "does not learn")


def changes(plain: Recipe, recipe: Recipe) -> list[str]:
    """The remedies by which two recipes differ, in words; choosing what the net has already is no change."""
    start = recipe.initialization, recipe.scale
    said = [key for key, name in ACTIVATION_OPTIONS.items() if name == recipe.activation != plain.activation]
    said += [f"{recipe.initialization} initialization"] * (start != (plain.initialization, plain.scale))
    said += ["batch norm"] * recipe.batch_norm + ["residual connections"] * recipe.residual
    return said + ["clipping"] * (recipe.clip is not None) + ["L2"] * (recipe.weight_decay > 0)


def remedy_bench() -> Explore:
    """Switch remedies on; compare gradient, cost and update-to-weight ratio of each layer with the plain net.

    `result` is the Comparison of this moment.
    """
    return explore(
        _draw, remedy_frame, lambda **values: describe_comparison(comparison(**values), **values), size=SIZE,
        play=["steps"],
        net=Dropdown(options=list(NETS), description="plain net"),
        steps=IntSlider(STEPS, 0, STEPS, 5),
        activation=Dropdown(options=list(ACTIVATION_OPTIONS)),
        initialization=Dropdown(options=list(INITIALIZATION_OPTIONS)),
        batch_norm=Checkbox(True), residual=Checkbox(False, description="residual connections"),
        clip=Checkbox(False, description="clip gradients to norm 1"),
        weight_decay=Checkbox(False, description="L2, λ = 0.1"))


def _draw(ax, **values):
    one = comparison(**values)
    draw_comparison(ax, one)
    return one
