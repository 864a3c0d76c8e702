"""The pictures of a run are the stored ones, as far as a reader can see; and nothing else changes.

nbval compares words and numbers. It does not look at pictures, so they are compared here, and
here every fault that it would let pass is planted.
"""
import base64
import functools
import io

import matplotlib
import numpy as np
import pictures
import pytest
import refresh
import sample
from matplotlib.figure import Figure
from PIL import Image

from helpers.plotting import figures


def test_stored_pictures_show_something(notebook):
    complaints = pictures.shows_nothing(refresh.load(notebook), notebook)
    assert not complaints, "\n".join(complaints)


def test_a_run_draws_pictures_that_show_something(notebook, fresh):
    complaints = pictures.shows_nothing(fresh(notebook), notebook)
    assert not complaints, "\n".join(complaints)


def test_a_run_draws_the_stored_pictures(notebook, fresh):
    if reason := pictures.other_matplotlib():
        pytest.skip(reason)
    complaints = pictures.compare(refresh.load(notebook), fresh(notebook), notebook)
    assert not complaints, "\n".join(complaints)


def test_a_run_stores_the_same_bytes_but_for_pictures(notebook, fresh):
    assert pictures.without_pictures(fresh(notebook)) == pictures.without_pictures(refresh.load(notebook))


# --- what must be noticed, and what must not -------------------------------------------------

def curves(rates=(.2, .45, .8), colors=(figures.INPUT, figures.KERNEL, figures.OUTPUT)):
    """Three damped oscillations in one figure."""
    figure, t = Figure(), np.linspace(0, 10, 200)
    axes = figure.subplots()
    for k, (rate, color) in enumerate(zip(rates, colors, strict=True)):
        axes.plot(t, np.exp(-rate * t) * np.cos(k * t), color=color)
    axes.set(title="The strongest brake stops first", xlabel="time, seconds", ylabel="height, metres")
    return figure


def matrices(change=lambda x, y: (x, y), cmap=figures.SIGNED, panels=2):
    """Two matrices of signed numbers, written into their fields."""
    rng, figure = np.random.default_rng(0), Figure()
    both = change(rng.integers(-9, 10, (4, 5)), rng.integers(-9, 10, (4, 5)))
    for axes, numbers in list(zip(figure.subplots(1, 2), both, strict=True))[:panels]:
        axes.imshow(numbers, cmap=cmap, vmin=-9, vmax=9)
        for (i, j), number in np.ndenumerate(numbers):
            axes.text(j, i, number, ha="center", va="center")
    return figure


def png(figure, **options):
    return figures.png(figure, **options)


def plain(figure):
    """The same picture in full colour, as another program would store it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160)
    return buffer.getvalue()


@functools.cache
def stored(draw):
    """The picture as a notebook stores it."""
    return pictures.decode(drawn(draw))


def drawn(draw, *arguments, write=png, settings=(), **options):
    """A picture's base64, drawn in the style of the course with some settings changed."""
    with matplotlib.rc_context():
        figures.use_style()
        matplotlib.rcParams.update(dict(settings))
        return base64.b64encode(write(draw(*arguments), **options)).decode()


def shifted(figure):
    """One pixel to the right."""
    picture = Image.open(io.BytesIO(png(figure))).convert("RGB")
    moved = Image.new("RGB", picture.size, "white")
    moved.paste(picture, (1, 0))
    buffer = io.BytesIO()
    moved.save(buffer, format="png")
    return buffer.getvalue()


ROUGH = {"text.antialiased": False, "lines.antialiased": False, "patch.antialiased": False}


@pytest.mark.parametrize("draw", [curves, matrices])
@pytest.mark.parametrize("how", [
    {}, {"colors": 256}, {"colors": 48}, {"write": plain}, {"write": shifted}, {"settings": ROUGH},
    {"settings": {"text.hinting": "none"}}, {"settings": {"text.hinting": "force_autohint"}}, {"dpi": 160.5},
], ids=["same", "more colours", "fewer colours", "no palette", "shifted", "not anti-aliased", "not hinted",
        "hinted otherwise", "a pixel or two wider"])
def test_the_same_figure_drawn_elsewhere_passes(draw, how):
    assert pictures.difference(stored(draw), pictures.decode(drawn(draw, **how))) == ""


@pytest.mark.parametrize("draw, arguments", [
    (curves, [(.2, .6, .8)]), (curves, [(.2, .45, np.nan)]),
    (curves, [(.2, .45, .8), (figures.KERNEL, figures.INPUT, figures.OUTPUT)]),
    (curves, [(.2, .45, .8), (figures.INPUT, figures.GRADIENT, figures.OUTPUT)]),
    (matrices, [lambda x, y: (x, y.T.reshape(4, 5))]), (matrices, [lambda x, y: (y, x)]),
    (matrices, [lambda x, y: (x, -y)]), (matrices, [lambda x, y: (x, np.roll(y, 1, 1))]),
    (matrices, [lambda x, y: (x, y + (y == y.max()) * -9)]),
    (matrices, [lambda x, y: (x, y), "PuOr"]), (matrices, [lambda x, y: (x, y), "gray"]),
    (matrices, [lambda x, y: (x, y), figures.SIGNED, 1]),
], ids=["a curve", "no curve", "swapped colours", "a colour", "transposed", "swapped", "sign", "rolled",
        "a number", "reversed map", "another map", "a panel"])
def test_another_figure_is_noticed(draw, arguments):
    said = pictures.difference(stored(draw), pictures.decode(drawn(draw, *arguments)))
    assert "looks different" in said


def test_another_size_is_noticed():
    picture = stored(curves)
    cut = picture.crop((0, 0, picture.width - 5, picture.height))
    assert "another size" in pictures.difference(picture, cut)


def empty_axes():
    figure = Figure()
    figure.subplots().set(title="Nothing to see but words", xlabel="step", ylabel="cost")
    return figure


def without_numbers():
    figure = Figure()
    for axes in figure.subplots(1, 3):
        axes.imshow(np.full((4, 5), np.nan))
    return figure


def tiny():
    figure = Figure(figsize=(1, 1))
    figure.subplots().set_axis_off()
    return figure


FAULTY = {"blank": Figure, "data": empty_axes, "no data": without_numbers, "smaller": tiny,
          "but no data": lambda: curves((np.nan,) * 3)}


@pytest.mark.parametrize("said, draw", FAULTY.items(), ids=FAULTY)
def test_a_picture_that_shows_nothing_is_noticed(said, draw):
    assert said in pictures.fault(pictures.decode(drawn(draw)))


@pytest.mark.parametrize("draw", [curves, matrices])
def test_a_picture_that_shows_something_passes(draw):
    assert pictures.fault(stored(draw)) == ""


def test_a_transparent_picture_lies_on_white():
    with_hole = io.BytesIO()
    Image.new("RGBA", (300, 200), (0, 0, 0, 0)).save(with_hole, format="png")
    assert pictures.fault(pictures.decode(base64.b64encode(with_hole.getvalue()).decode())) == "is blank"


@pytest.mark.parametrize("source", ["AAAA", "not base64", "iVBORw0KGgoAAAANSUhEUgAA"])
def test_what_is_no_picture_is_noticed(source):
    with pytest.raises(ValueError, match="cannot be read as a picture"):
        pictures.decode(source)


# --- in a notebook ---------------------------------------------------------------------------

@pytest.fixture
def pair(good):
    """The good notebook as it is stored and as a run would return it."""
    return refresh.load(good), refresh.load(good)


def test_pictures_are_found_in_html_and_beside_widgets(pair):
    nb, _ = pair
    one = pictures.found(nb.cells[7])
    assert len(one) == 1
    nb.cells[7].outputs *= 2
    nb.cells[7].outputs += [sample.shown({"image/png": "AAAA\n", "text/plain": "x"})]
    assert pictures.found(nb.cells[7]) == [*one, *one, "AAAA\n"]
    assert [i for i, cell in enumerate(nb.cells) if pictures.found(cell)] == [7]


def test_the_picture_that_nbval_lets_pass_is_noticed(pair, good):
    stored, run = pair
    other = f'<img alt="x" src="data:image/png;base64,{drawn(matrices)}">'
    assert pictures.compare(stored, run, good) == []
    stored.cells[7].outputs[0].data["text/html"] = other
    assert "cell 8: picture 1 looks different" in "".join(pictures.compare(stored, run, good))
    assert pictures.compare(stored, stored, good) == []


def test_a_missing_and_an_additional_picture_are_noticed(pair, good):
    stored, run = pair
    run.cells[7].outputs = []
    assert "cell 8: 1 pictures are stored, 0 are drawn now" in "".join(pictures.compare(stored, run, good))
    assert "cell 8: 0 pictures are stored, 1 are drawn now" in "".join(pictures.compare(run, stored, good))


def test_an_exempt_cell_may_draw_another_picture_but_not_a_blank_one(pair, good):
    stored, run = pair
    for nb in pair:
        nb.cells[7].metadata["tags"] = ["nbval-ignore-output"]
    run.cells[7].outputs = [sample.shown({"image/png": drawn(Figure)})]
    assert pictures.compare(stored, run, good) == []
    assert pictures.shows_nothing(run, good) == [f"{good.name}, cell 8: picture 1 is blank"]


def test_all_but_pictures_is_compared_by_bytes(pair):
    stored, run = pair
    html = f'<img alt="x" src="data:image/png;base64,{drawn(matrices)}">'
    run.cells[7].outputs[0].data["text/html"] = stored.cells[7].outputs[0].data["text/html"].replace(
        pictures.found(stored.cells[7])[0], drawn(matrices))
    assert pictures.without_pictures(stored) == pictures.without_pictures(run)
    run.cells[7].outputs[0].data["text/html"] = html
    assert pictures.without_pictures(stored) != pictures.without_pictures(run), "the words changed"
    run = refresh.canonical(stored)
    run.cells[3].outputs[0].text = "4.0\n"
    assert pictures.without_pictures(stored) != pictures.without_pictures(run)


def test_pixels_are_compared_only_with_the_locked_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setattr(refresh, "ROOT", tmp_path)
    assert pictures.other_matplotlib() == ""
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"numpy==2.0\nmatplotlib=={matplotlib.__version__}\n")
    assert pictures.other_matplotlib() == ""
    lock.write_text("matplotlib==1.5.0\n")
    assert "matplotlib 1.5" in pictures.other_matplotlib()
