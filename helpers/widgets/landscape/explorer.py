"""Six update rules on a landscape, with one learning rate: a widget of notebooks/05_optimizers.ipynb."""
from collections import namedtuple

import numpy as np
from ipywidgets import Dropdown, IntSlider, SelectionSlider

from helpers.explore.explorer import Explore, explore
from helpers.plotting.contrast import ink
from helpers.plotting.lettering import write
from helpers.plotting.panes import axes_at, curve, polyline
from helpers.theory.landscapes import LANDSCAPES
from helpers.widgets.landscape.controls import StartPoint, Switches
from helpers.widgets.landscape.map import draw_landscape, leaves, placed, side_by_side, sides, ticks
from helpers.widgets.landscape.races import BENDABLE, COLORS, MARKERS, SIGNS, STEPS, STRETCH, race

SIZE = 700, 396                                   # pixels
MAP, PLOT = (40, 26, 324, 324), (432, 26, 164, 324)          # left, top, width, height
LOWEST, HIGHEST = 1e-10, 1e5                      # of the costs in the picture
KAPPAS = 1, 2, 5, 10, 20, 30, 50, 100
_RATES = *(round(n * 10.0**e, 4) for e in range(-4, 0) for n in (1, 1.5, 2, 3, 5, 7)), 1, 1.5, 2, 3, 5
TINY, LEAST_GAP = 1e-20, 1.005                    # a cost that is as good as 0; a lead worth a word
LETTER_GAP, CROSS = 15, 18                        # pixels from label to label, from cross to cross
Race = namedtuple("Race", "landscape kappa start steps runs")


def landscape_explorer() -> Explore:
    """Compare update rules on a landscape: their paths, their costs, and which of them diverged.

    `result` is a Race; its `runs` has, for each rule that is on, the path and the losses up to this step.
    """
    landscape = Dropdown(options=list(LANDSCAPES), description="landscape")
    kappa = SelectionSlider(options=KAPPAS, value=30, description="condition number κ")
    first = LANDSCAPES[landscape.value].start
    start = StartPoint(sides(landscape.value), first, [(-2, -1), (0, 0.5), (2, 1.75)], "9ch")
    eta = SelectionSlider(options=_RATES, value=0.05, description="learning rate η")
    eta.settings = [_RATES[0], 0.001, 0.05, _RATES[-1]]            # what the sweep of the tests tries

    def follow(change):
        kappa.disabled = change.new not in BENDABLE
        start.fit(sides(change.new), LANDSCAPES[change.new].start)
    landscape.observe(follow, "value")            # before explore does: one picture for both
    return explore(
        _draw, _frame, _describe, size=SIZE, ground=_ground, play=["steps"], landscape=landscape, kappa=kappa,
        eta=eta, gamma=SelectionSlider(options=(0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99), value=0.8,
                                       description="momentum γ"),
        steps=IntSlider(100, 1, STEPS), optimizers=Switches(COLORS, SIGNS, tuple(COLORS)), start=start)


def raced(landscape: str, kappa: float, eta: float, gamma: float, steps: int, optimizers: tuple[str, ...],
          start: tuple[float, float]) -> Race:
    """The runs of the rules that are switched on, up to this step."""
    far = -(-steps // STRETCH) * STRETCH          # the next full stretch
    runs = race(landscape, kappa if landscape in BENDABLE else 1, eta, gamma, start, far)
    return Race(landscape, kappa, start, steps, {name: runs[name].until(steps) for name in optimizers})


def standings(runs: dict) -> list[tuple[float, str]]:
    """(cost, name) of all that are on the map, from the lowest cost."""
    return sorted((run.losses[-1], name) for name, run in runs.items() if run.left is None)


# --- the picture -----------------------------------------------------------------------------

def _frame(figure):
    """A map, a plot of the costs, and a sheet over both with a unit of one pixel."""
    sheet, left, right = axes_at(figure, (0, 0, *SIZE), MAP, PLOT)
    sheet.set(xlim=(0, SIZE[0]), ylim=(SIZE[1], 0))
    sheet.axis("off")
    sheet.set_zorder(2)
    sheet.patch.set_visible(False)
    left.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    left.spines[:].set_visible(True)
    left.set_title("the paths", fontsize=10.5)
    right.set(xlim=(0, STEPS), ylim=(LOWEST, HIGHEST), yscale="log", xticks=range(0, STEPS + 1, 100),
              yticks=10.0 ** np.arange(-10, 6, 3))
    right.set_title("the cost after each step", fontsize=10.5)
    right.set_xlabel("step", labelpad=1)
    right.minorticks_off()
    right.grid(axis="y")
    return sheet, left, right


def _ground(axes, landscape, kappa):
    draw_landscape(axes[1], landscape, kappa if landscape in BENDABLE else 1)
    _number_sides(axes[0], landscape)


def _draw(axes, **values):
    sheet, left, right = axes
    one = raced(**values)
    exits = {}
    for name, run in one.runs.items():
        if (edge := _draw_run(left, right, name, run, placed(one.landscape, run.path))) is not None:
            exits[name] = edge
    for name, place in zip(exits, side_by_side(exits.values(), CROSS / MAP[2]), strict=True):
        _cross(left, name, place)
    _draw_places(left, one)
    _label_curves(sheet, one)
    return one


def _cross(left, name, place):
    """The rule's own marker, which tells the rule without its colour, and a white cross on it."""
    for marker, style in ((MARKERS[name], {"color": COLORS[name], "ms": 12, "mec": "white", "mew": 1}),
                          ("x", {"color": "white", "ms": 6, "mew": 1.8})):
        curve(left, *place, marker=marker, zorder=5, clip_on=False, **style)


def _number_sides(sheet, landscape):
    x, y, width, height = MAP
    along, up = ticks(landscape)
    write(sheet, [(words, x + at * width, y + height + 11, 0.5) for at, words in along]
          + [(words, x - 6, y + (1 - at) * height, 1) for at, words in up])
    marks = [[(x + at * width, y + height + end) for end in (0, 4)] for at, _ in along]
    marks += [[(x - end, y + (1 - at) * height) for end in (0, 4)] for at, _ in up]
    polyline(sheet, marks, "black", lw=0.8, capstyle="butt")
    write(sheet, [("w₁", x + width / 2, y + height + 32, 0.5), ("w₂", x - 22, y - 14, 0.5)])


def _draw_run(left, right, name, run, path):
    """Draw a path and its costs; return where the path leaves the map, or None."""
    color, inside = COLORS[name], (np.abs(path - 0.5) <= 0.5).all(axis=1)
    end = {"marker": MARKERS[name], "ms": 7, "mec": "white", "mew": 0.8, "zorder": 4, "clip_on": False}
    curve(right, np.arange(len(run.losses)), run.losses, color=color, lw=1.6, zorder=2)
    edge = None
    if run.left is not None:                      # its swings outside would only cross the map again
        path = np.vstack([path[:np.flatnonzero(inside)[-1] + 1], edge := leaves(path, inside)])
    else:
        faint = {} if inside[-1] else {"mfc": "white", "mec": color, "mew": 1.6}
        curve(left, *np.clip(path[-1], 0, 1), color=color, **{**end, **faint})
        curve(right, len(run.losses) - 1, np.clip(run.losses[-1], LOWEST, HIGHEST), color=color, **end)
    curve(left, *path.T, color=color, lw=1.3, marker=".", ms=3, zorder=2)
    return edge


def _draw_places(left, one):
    curve(left, *placed(one.landscape, LANDSCAPES[one.landscape].minima).T, ls="", marker="*", color="black",
          mec="white", mew=0.9, ms=14, zorder=3)
    curve(left, *placed(one.landscape, one.start), marker="o", mfc="none", mec="black", mew=1.6, ms=10,
          zorder=6, clip_on=False)


def _label_curves(sheet, one):
    """A name at the end of each curve, kept apart, in the order of the costs; × before one that left."""
    x, y, width, height = PLOT
    level = {name: np.log(np.clip(run.losses[-1], LOWEST, HIGHEST) / LOWEST) / np.log(HIGHEST / LOWEST)
             if run.left is None else 1 for name, run in one.runs.items()}
    floor, lines = y + height + LETTER_GAP - 4, []
    for name in sorted(level, key=level.get):
        floor = min(y + height * (1 - level[name]), floor - LETTER_GAP)
        lines.append([floor, name])
    for k, line in enumerate(reversed(lines)):    # pushed down again from the top
        line[0] = max(line[0], y + 8 + LETTER_GAP * k)       # below the topmost line of the grid
    for at, name in lines:
        words = ("× " if one.runs[name].left is not None else "") + name
        write(sheet, [(words, x + width * one.steps / STEPS + 9, at, 0)], ink(COLORS[name]))


# --- the sentence ----------------------------------------------------------------------------

def _describe(**values):
    one = raced(**values)
    kappa = f", κ = {one.kappa}" * (one.landscape in BENDABLE)
    x, y = (f"{n:.3g}".replace("-", "−") for n in one.start)
    return (f"{one.landscape[0].upper()}{one.landscape[1:]}{kappa}, η = {values['eta']:g}, γ = "
            f"{values['gamma']:g}, from ({x}, {y}), step {one.steps}: {_leader(one.runs)}"
            f"{_diverged(one.runs)}")


def _leader(runs):
    order = standings(runs)
    if not order:
        return "all have diverged." if runs else "no optimizer is on."
    (best, name), *others = order
    if not others:
        return f"{name} is at cost {short_number(best)}."
    (second, follower), *_ = others
    lead = f"{name} has the lowest cost, {short_number(best)}, "
    if second <= best * LEAST_GAP or second < TINY:
        return lead + f"about equal to {follower}'s."
    if best < TINY:
        return lead + f"then {follower} with {short_number(second)}."
    return lead + (f"{1 - best / second:.0%} lower than {follower}." if second < 2 * best else
                   f"{short_number(second / best)} times lower than {follower}.")


def _diverged(runs):
    gone = [f"{name} at step {run.left}" for name, run in runs.items() if run.left is not None]
    return f" Diverged, beyond a million: {', '.join(gone)}." if gone else ""


def short_number(value: float) -> str:
    """Two digits, with a real minus sign: 0.034, 1.5, 12, 3.4e−7; what is smaller than TINY has none."""
    if value < TINY:
        return f"below {TINY:.0e}".replace("-", "−")
    two = float(f"{value:.1e}")
    if 1e-3 <= two < 1e5:
        return f"{two:.2g}" if two < 1 else f"{two:.1f}" if two < 10 else f"{two:,.0f}"
    mantissa, power = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(power)}".replace("-", "−")
