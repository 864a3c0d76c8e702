"""The parts of pictures: panes and their scales, letters, maps, written numbers."""
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers.explore.raster import Stage
from helpers.plotting import digit_pictures, panes
from helpers.plotting.digit_pictures import colored, place, short, tiles
from helpers.plotting.lettering import EM, Canvas, width_of, write

# --- panes and letters -----------------------------------------------------------------------

@pytest.mark.parametrize("write, value, words", [
    *((panes.scientific, *pair) for pair in (
        (0, "0"), (0.25, "0.25"), (-1, "−1"), (344, "340"), (0.0012345, "0.0012"), (9999, "1·10⁴"),
        (5.24e-19, "5.2·10⁻¹⁹"), (-2e36, "−2·10³⁶"), (0.999, "1"), (1600.4, "1600"))),
    *((short, *pair) for pair in (
        (0.0, "0"), (-0.0123, "−0.012"), (3e-6, "3e−6"), (-1234.0, "−1.2e3"), (12.3, "12")))])
def test_numbers_are_written_to_be_read(write, value, words):
    assert write(value) == words


def test_scales():
    assert panes.decades(-18.3, 0) == (-20, 1) and panes.decades(0, 35.1) == (-1, 40)
    with pytest.raises(ValueError, match="least, most: got -500"):
        panes.decades(-500, 0)
    assert panes.steps(30, 8) == 5 and panes.steps(8, 8) == 1
    pane = panes.Pane(10, 20, 100, 50).scaled(1, 5, -2, 2)
    assert np.allclose(pane.at([1, 3, 5, 99], [-2, 0, 2, -7]), [(10, 70), (60, 45), (110, 20), (110, 70)])
    marks = [[words for words, *_ in panes.counts_along(pane, 1, last)] for last in (2, 5, 30, 60)]
    assert marks[0] == ["1", "2"] and marks[1] == list("12345") and marks[2][:2] == ["1", "5"]
    assert all(row[-1] == str(last) for row, last in zip(marks, (2, 5, 30, 60), strict=True))


def test_letters_stand_where_they_should():
    stage = Stage(lambda figure: panes.sheet(figure, (200, 100)), (200, 100), 1)
    for words, x, anchor in (("−0.88", 100, 0.5), ("0 8", 180, 1), ("8", 20, 0)):
        stage.perform(lambda ax, w=words, x=x, a=anchor: write(ax, [(w, x, 50, a)]), {})
        rows, columns = np.nonzero(np.asarray(stage.canvas.buffer_rgba())[..., 0] < 128)
        assert abs((columns.min() + columns.max()) / 2 - (x + (0.5 - anchor) * width_of(words))) < 2
        assert abs((rows.min() + rows.max()) / 2 - 50) < 2 and abs(np.ptp(rows) - 0.73 * EM) < 2
        assert 0.6 * width_of(words) < np.ptp(columns) <= width_of(words)


@pytest.mark.parametrize("style", [
    {}, {"ha": "right", "weight": "bold"}, {"va": "top", "rotation": 90}, {"ha": "center", "va": "center"},
    {"fontsize": 14, "rotation": 30}])
@pytest.mark.parametrize("words", ["‖δˡ‖ = 4.9·10⁻¹⁹", "two\nlines", "a $10^2$ b"])
def test_letters_on_the_canvas_stand_where_those_of_matplotlib_do(words, style):
    dark = []
    for canvas in (Canvas, FigureCanvasAgg):
        one = canvas(Figure(figsize=(4, 4), dpi=200))
        one.figure.text(0.5, 0.5, words, **style)
        one.draw()
        dark.append(255.0 - np.asarray(one.buffer_rgba())[..., 0])
    ends = [[(np.min(at), np.max(at)) for at in np.nonzero(each)] for each in dark]
    assert np.abs(np.subtract(*ends)).max() <= 3
    assert dark[0].sum() == pytest.approx(dark[1].sum(), rel=0.1)


# --- maps of numbers -------------------------------------------------------------------------

class Paper:
    """Takes the picture of the maps, to be read back."""

    def pcolormesh(self, x, y, cells):
        self.x, self.y, self.cells = x, y, cells


@pytest.mark.parametrize("signed", [False, True])
def test_every_number_has_its_cell(signed):
    maps, paper = np.random.default_rng(0).normal(size=(7, 3, 2)), Paper()
    tiling = tiles(maps.shape, (60, 30))
    digit_pictures.draw_maps(paper, maps, (5, 9), tiling, signed=signed)
    for k, i, j in np.ndindex(maps.shape):
        left, top = place(tiling, (3, 2), k) + np.multiply((j, i), tiling.scale) + (5, 9)
        row, column = list(paper.y).index(top), list(paper.x).index(left)
        assert (paper.y[row + 1], paper.x[column + 1]) == (top + tiling.scale, left + tiling.scale)
        assert np.array_equal(paper.cells[row, column], colored(maps, signed=signed)[k, i, j])


def test_colours_are_grey_with_zero_black_or_signed_with_zero_in_the_middle():
    grey = colored(np.array([0.0, 1, 2]))
    assert grey.tolist() == [[0] * 3, [128] * 3, [255] * 3] or grey[1, 0] in (127, 128)
    for ends in ((-2.0, 1.0), (-1.0, 2.0)):
        negative, zero, positive = colored(np.array([ends[0], 0, ends[1]]), signed=True).astype(int)
        assert zero.min() > 240 and negative[2] > negative[1] + 30 and positive[0] > positive[2] + 50
    assert (colored(np.zeros(2), signed=True).astype(int) > 240).all() and not colored(np.zeros(2)).any()


@pytest.mark.parametrize("maps", [(8, 8, 8), (1, 8, 8), (64, 1, 1), (10, 1, 1), (128, 28, 28), (16, 2, 2),
                                  (1, 300, 9)])
def test_maps_have_room(maps):
    tiling = tiles(maps, (352, 164))
    left, top = place(tiling, maps[1:], tiling.shown - 1)
    across = min(tiling.columns, tiling.shown) - 1
    right = place(tiling, maps[1:], across)[0] + maps[2] * tiling.scale
    assert tiling.shown >= 1 and (maps[1] > 164 or right <= 352 and top + maps[1] * tiling.scale <= 164)
    assert tiling.shown == maps[0] or tiling.scale == 1


def test_maps_stand_in_rows_with_a_gap_between_them():
    tiling = digit_pictures.Tiles(shown=7, columns=3, scale=5)
    assert [place(tiling, (3, 2), k) for k in (0, 1, 2, 3, 6)] == [(0, 0), (14, 0), (28, 0), (0, 19), (0, 38)]
