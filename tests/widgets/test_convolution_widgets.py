"""The numbers in the two widgets of notebook 01 are torch's."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from shown import asked, stage

from helpers.data import KERNELS, digit
from helpers.plotting import grids
from helpers.widgets.convolution import explorer as exploring
from helpers.widgets.convolution import stepper as stepping
from helpers.widgets.convolution.explorer import OWN, convolution_explorer, read_kernel
from helpers.widgets.convolution.stepper import GRADIENT, KERNEL, X, backward_stepper, gathered, scattered


def by_torch(dy, x, K, s):
    x, K = (torch.tensor(a, requires_grad=True) for a in (x, K))
    y = F.conv2d(x[None, None], K[None, None], stride=s)[0, 0]
    return [grad.numpy() for grad in torch.autograd.grad(y, (x, K), torch.tensor(dy))]


@pytest.fixture(scope="module")
def explorer():
    return convolution_explorer()


@pytest.fixture(scope="module")
def stepper():
    return backward_stepper(by_torch)


# --- the stepper -----------------------------------------------------------------------------

@pytest.mark.parametrize("s, n", [(1, 3), (2, 2)])
def test_both_views_end_at_torch(s, n):
    dx, dK = by_torch(GRADIENT[:n, :n], X, KERNEL, s)
    assert np.array_equal(scattered(s, n * n)[0], dx) and np.array_equal(scattered(s, n * n)[1], dK)
    assert np.array_equal(gathered(s, X.size)[1], dx)
    assert not np.array_equal(scattered(s, n * n - 1)[0], dx), "the last step must matter"


def test_the_stepper_says_whether_it_agrees(stepper):
    assert "not complete yet" in asked(stepper)
    assert "equal torch's" in asked(stepper, step=9)
    liar = backward_stepper(lambda *a: [g + 1 for g in by_torch(*a)])
    assert "differ from torch's" in asked(liar, step=9)
    assert "not torch's" in asked(liar, view="gather")


def test_the_stepper_says_what_green_is(stepper):
    assert "complete" in stepping.LEGEND
    assert stepping.LEGEND in [text.get_text() for text in stepper.stage.figure.findobj(Text)]


# --- the explorer ----------------------------------------------------------------------------

@pytest.mark.parametrize("entries, stride, padding, dilation", [
    ("-1 1", 1, 0, 1), ("1 2; -1 0; 0 1/2", 3, 2, 2), ("1 2 3; 4 5 6; 7 8 9", 2, 1, 3)])
def test_the_explorer_shows_torchs_output(explorer, entries, stride, padding, dilation):
    said = asked(explorer, image="digit", entries=entries, stride=stride, padding=padding, dilation=dilation)
    pixels = exploring.IMAGES["digit"]()
    truth = F.conv2d(torch.tensor(pixels)[None, None], torch.tensor(read_kernel(entries))[None, None],
                     stride=stride, padding=padding, dilation=dilation)[0, 0]
    assert np.allclose(explorer.result, truth) and explorer.values["kernel"] == OWN
    assert f"+ 1 = {truth.shape[0]}, width" in said


def drawn(explorer, **values):
    """The axes with the picture for these values, and all that stands at its start."""
    axes = stage(exploring._frame_forward, exploring.SIZE)
    explorer.draw(axes, **{**explorer.start, **values})
    return axes


@pytest.mark.parametrize("padding, words", [(0, "of the input;"), (2, "of the padded input;")])
def test_an_input_without_padding_is_not_called_padded(explorer, padding, words):
    title = "padded input x" if padding else "input x"
    assert words in explorer.describe(**{**explorer.start, "padding": padding})
    assert title in [text.get_text() for text in drawn(explorer, padding=padding)[0].texts]


@pytest.mark.parametrize("image", exploring.IMAGES)
def test_the_numbers_shown_add_up_to_the_sum_shown(image):
    pixels = exploring.IMAGES[image]()
    assert np.array_equal([[float(f"{x:.2f}") for x in row] for row in pixels], pixels)
    assert np.array_equal(exploring.IMAGES["digit"](), digit(1).round(2))
    assert [exploring._equals(total) for total in (0.22, -1.3, 2 / 3)] == ["=", "=", "≈"]


@pytest.mark.parametrize("entries, dilation", [("1 2 3; 4 5 6; 7 8 9", 3), ("-1 1", 2), ("1 2; 3 4", 1)])
def test_the_window_frames_each_pixel_that_meets_the_kernel_and_no_other(explorer, entries, dilation):
    axes = drawn(explorer, image="digit", entries=entries, dilation=dilation, across=0, down=0)
    frames, = (one for one in axes[0].patches if isinstance(one, PathPatch))
    corners = frames.get_path().vertices.reshape(-1, 5, 2)[:, 0]
    places = np.round((corners - 0.01) / (0.98 / 8)).astype(int)      # 8 pixels in the unit square
    kh, kw = read_kernel(entries).shape
    assert sorted(map(tuple, places)) == sorted((dilation * j, dilation * i) for i, j in np.ndindex(kh, kw))


@pytest.mark.parametrize("entries", ["", "1 2; 3", "1/0", "a", "nan", "1e9", "1 2 3 4 5 6"])
def test_bad_entries_are_refused_in_words(entries):
    with pytest.raises(ValueError, match="entries: got"):
        read_kernel(entries)


@pytest.mark.parametrize("entry, words", [(1 / 9, "1/9"), (-1 / 16, "(−1/16)"), (0.5, "0.5"), (0.0, "0"),
                                          (0.33, "0.33")])
def test_a_factor_is_written_as_short_as_it_can_be(entry, words):
    assert exploring._factor(entry) == words


# --- letters ---------------------------------------------------------------------------------

@pytest.fixture
def letters(monkeypatch):
    """The sizes, in cells, of the letters that grids draw."""
    sizes, drawn = [], grids._moved

    def moved(text, size, x, y):
        sizes.append(min(size, grids.WIDEST / grids._glyphs(text)[2]))
        return drawn(text, size, x, y)

    monkeypatch.setattr(grids, "_moved", moved)
    return sizes


@pytest.mark.parametrize("view, stride, step", [("scatter", 1, 9), ("scatter", 2, 4), ("gather", 1, 25),
                                                ("gather", 2, 25)])
def test_the_numbers_of_the_stepper_are_at_least_9_points(stepper, letters, view, stride, step):
    stepper.draw(stage(stepping._frame_backward, stepping.SIZE), view=view, stride=stride, step=step)
    assert min(letters) * 0.72 * stepping.SIZE[0] / stepping.UNITS[0] >= 9        # 100 pixels an inch


@pytest.mark.parametrize("entries", [
    *(exploring._written(rows) for rows in KERNELS.values()), "-1 1",
    "1 2 3 4; 5 6 7 8; 0 0 0 0; -1 -2 -3 -4", "1 2 3 4 5; 0 0 1 2 3; 1 1 1 1 1; -1 -2 -3 -4 -5; 5 4 3 2 1"])
def test_the_numbers_of_the_explorer_are_at_least_9_points(explorer, entries, letters):
    drawn(explorer, image="digit", entries=entries)
    cell = 0.98 / max(read_kernel(entries).shape) * exploring.PANELS[1][3] * exploring.SIZE[0]
    assert min(letters) * 0.72 * cell >= 9
