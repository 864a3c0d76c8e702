"""One deep net that does not learn, and every remedy a switch: a widget of 06_gradient_pathologies.ipynb.

The plain net and the treated one begin with the same seed and are trained on the same batches of digits, by
helpers.widgets.remedy.runs. A training is done to its end, about 0.2 s, and kept: to move the steps, or to
come back to a setting, costs only the picture.
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
FATES = {"learns": "learns", "diverged": "diverges"}
BENDS = {KEEP: None, "tanh": "tanh", "ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu"}
STARTS = {KEEP: None, "Xavier": "Xavier", "He": "He", "orthogonal": "orthogonal"}

# The plain net and the treated one: both Records, which remedies are on, in words, and the step shown.
Comparison = namedtuple("Comparison", "plain treated remedies step")

training = lru_cache(maxsize=128)(train)


def treated(net: str, activation: str, initialization: str, batch_norm: bool, residual: bool, clip: bool,
            weight_decay: bool) -> Recipe:
    """The Recipe of a net with these remedies; a rule of initialization comes with its own scale."""
    recipe = NETS[net]._replace(batch_norm=batch_norm, residual=residual, clip=CLIP if clip else None,
                                weight_decay=DECAY * weight_decay)
    if BENDS[activation]:
        recipe = recipe._replace(activation=BENDS[activation])
    if STARTS[initialization]:
        recipe = recipe._replace(initialization=STARTS[initialization], scale=1.0)
    return recipe


def comparison(steps: int, net: str, **remedies: object) -> Comparison:
    """Train both nets, or remember them."""
    recipe, plain = treated(net, **remedies), NETS[net]
    return Comparison(training(plain, STEPS), training(recipe, STEPS), changes(plain, recipe), steps)


def fate(net: str, *remedies: str, steps: int = STEPS) -> str:
    """What becomes of a net of NETS within so many steps: it "learns", "does not learn", or "diverges".

    It learns when the mean cost of the last ten batches is below 0.9 ln 10, that of guessing being ln 10; a
    net that does not in 100 steps may in 400. A remedy is an activation of BENDS, an initialization of
    STARTS, "BN", "residual", "clip" or "L2". Raises ValueError for another.
    """
    on = dict.fromkeys(("batch_norm", "residual", "clip", "weight_decay"), False)
    on |= {"activation": KEEP, "initialization": KEEP}
    for remedy in remedies:
        if remedy in SWITCHES:
            on[SWITCHES[remedy]] = True
        elif remedy in BENDS or remedy in STARTS:
            on["activation" if remedy in BENDS else "initialization"] = remedy
        else:
            known = ", ".join(dict.fromkeys([*SWITCHES, *BENDS, *STARTS]))
            raise ValueError(f"remedies: got {remedy!r}, expected one of {known}")
    return FATES.get(state(training(treated(net, **on), steps), steps), "does not learn")


def changes(plain: Recipe, recipe: Recipe) -> list[str]:
    """What is changed, in words; a choice of what is there already is no change."""
    start = recipe.initialization, recipe.scale
    said = [key for key, name in BENDS.items() if name == recipe.activation != plain.activation]
    said += [f"{recipe.initialization} initialization"] * (start != (plain.initialization, plain.scale))
    said += ["batch norm"] * recipe.batch_norm + ["residual connections"] * recipe.residual
    return said + ["clipping"] * (recipe.clip is not None) + ["L2"] * (recipe.weight_decay > 0)


def remedy_bench() -> Explore:
    """Switch remedies on; see the blame, the cost and the speed of each layer beside those of the plain net.

    `result` is the Comparison of this moment.
    """
    return explore(
        _draw, remedy_frame, lambda **values: describe_comparison(comparison(**values), **values), size=SIZE,
        net=Dropdown(options=list(NETS), description="plain net"),
        steps=IntSlider(STEPS, 0, STEPS, 5),
        activation=Dropdown(options=list(BENDS)),
        initialization=Dropdown(options=list(STARTS)),
        batch_norm=Checkbox(True), residual=Checkbox(False, description="residual connections"),
        clip=Checkbox(False, description="clip gradients to norm 1"),
        weight_decay=Checkbox(False, description="L2, λ = 0.1"))


def _draw(ax, **values):
    one = comparison(**values)
    draw_comparison(ax, one)
    return one
