"""The data: what the arrays are, that a seed gives the same ones everywhere, what is refused."""
import numpy as np
import pytest
from checks import refused, rng
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from helpers.data import KERNELS, digit, digits, kernel, moons, photograph, randn, xor

pytestmark = pytest.mark.filterwarnings("error")


# --- digits ----------------------------------------------------------------------------------

def test_digits_are_all_there_once():
    X_train, X_test, y_train, y_test = digits(rng())
    assert X_train.shape == (1437, 64) and X_test.shape == (360, 64)
    assert y_train.shape == (1437,) and y_test.shape == (360,)
    assert X_train.dtype == X_test.dtype == np.float64 and y_train.dtype.kind == y_test.dtype.kind == "i"
    X, y = load_digits(return_X_y=True)
    rows = np.column_stack([np.concatenate([X_train, X_test]) * 16, np.concatenate([y_train, y_test])])
    truth = np.column_stack([X, y])
    assert not np.array_equal(rows, truth)
    np.testing.assert_array_equal(rows[np.lexsort(rows.T)], truth[np.lexsort(truth.T)])
    assert X_train.min() == X_test.min() == 0 and X_train.max() == X_test.max() == 1


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.99])
def test_each_class_has_its_share(share):
    *_, y_train, y_test = digits(rng(), share)
    expected = share * np.bincount(load_digits().target)
    assert (np.abs(np.bincount(y_test, minlength=10) - expected) <= 1).all()
    assert set(y_train) == set(y_test) == set(range(10))


def test_classes_are_mixed():
    """A batch of 64 in the order given holds nearly every class."""
    _, _, y_train, _ = digits(rng())
    assert all(len(set(y_train[n:n + 64])) >= 9 for n in range(0, 1280, 64))


def test_rows_are_images_when_reshaped():
    X, _, y, _ = digits(rng())
    images = X.reshape(-1, 1, 8, 8)
    pictures = load_digits().images / 16
    place = next(i for i, picture in enumerate(pictures) if np.array_equal(picture, images[0, 0]))
    np.testing.assert_array_equal(digit(place), images[0, 0])
    assert load_digits().target[place] == y[0]


@pytest.mark.parametrize("make", [digits, moons, xor])
def test_a_seed_says_it_all(make):
    for one, other, third in zip(make(rng(1)), make(rng(1)), make(rng(2)), strict=True):
        np.testing.assert_array_equal(one, other)
        assert not np.array_equal(one, third)
    generator = rng(1)
    make(generator)
    assert not all(np.array_equal(*pair) for pair in zip(make(generator), make(rng(1)), strict=True))


# --- points in the plane ---------------------------------------------------------------------

@pytest.mark.parametrize("make", [moons, xor])
@pytest.mark.parametrize("n", [4, 7, 200])
def test_points_and_classes(make, n):
    X, y = make(rng(), n)
    assert X.shape == (n, 2) and X.dtype == np.float64 and X.flags.c_contiguous
    assert y.shape == (n,) and y.dtype.kind == "i" and set(y) == {0, 1}
    assert abs(2 * y.sum() - n) <= 2 and len(np.unique(X, axis=0)) == n


def test_moons_are_half_circles():
    X, y = moons(rng(), 300, noise=0)
    upper, lower = X[y == 0], X[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1)
    assert (upper[:, 1] >= 0).all() and (lower[:, 1] <= 0.5).all()
    assert upper[:, 0].min() < -0.9 and lower[:, 0].max() > 1.9
    assert (np.abs(upper[:, 0]) < 0.3).any() and (np.abs(lower[:, 0] - 1) < 0.3).any()


def test_xor_is_the_table_of_xor():
    X, y = xor(rng(), 4, noise=0)
    assert {(*map(int, point), int(cls)) for point, cls in zip(X, y, strict=True)} == {
        (-1, -1, 0), (-1, 1, 1), (1, -1, 1), (1, 1, 0)}
    X, y = xor(rng(), 400, noise=0.1)
    assert ((X[:, 0] * X[:, 1] < 0) == y).all()


@pytest.mark.parametrize("make", [moons, xor])
def test_noise_is_a_standard_deviation(make):
    still, y = make(rng(), 4000, noise=0)
    moved, same = make(rng(), 4000, noise=0.3)
    np.testing.assert_array_equal(y, same)
    np.testing.assert_allclose((moved - still).std(axis=0), 0.3, rtol=0.05)


@pytest.mark.parametrize("make, best", [(moons, 0.92), (xor, 0.6)])
def test_no_line_parts_them(make, best):
    """What a hidden layer is for; the four corners without noise leave a line 3 of 4 at most."""
    X, y = make(rng(), 400)
    assert LogisticRegression().fit(X, y).score(X, y) < best


# --- what was there before -------------------------------------------------------------------

def test_kernels():
    for name in KERNELS:
        assert kernel(name).shape == (3, 3) and kernel(name).dtype == np.float64
    assert kernel("blur").sum() == pytest.approx(1) and kernel("Sobel →")[1].tolist() == [-2, 0, 2]
    kernel("blur")[:] = 7
    assert kernel("blur")[0, 0] == 1 / 9


def test_photographs():
    image = photograph(shrink=4)
    assert image.shape == (3, 106, 160) and 0 <= image.min() < image.max() <= 1
    gray = photograph("flower", shrink=4, gray=True)
    assert gray.shape == (1, 106, 160)
    np.testing.assert_allclose(gray[0], photograph("flower", shrink=4).mean(axis=0))
    np.testing.assert_allclose(photograph(shrink=2)[:, :2, :2].mean(axis=(1, 2)), image[:, 0, 0])


def test_a_digit():
    assert digit(0).shape == (8, 8) and digit(0).max() <= 1
    np.testing.assert_array_equal(digit(1796) * 16, load_digits().images[-1])


# --- what is refused -------------------------------------------------------------------------

@pytest.mark.parametrize("value", [None, 0, "0", np.random.RandomState(0)], ids=str)
def test_a_seed_is_no_generator(value):
    for make in (digits, moons, xor):
        said = refused(lambda make=make: make(value), "rng: got")
        assert said.endswith("expected a generator, such as np.random.default_rng(0)")


@pytest.mark.parametrize("share", [0, 1, 0.001, 0.999, -0.2, 20, "0.2", None, np.nan, 0.2j], ids=str)
def test_odd_shares(share):
    assert refused(lambda: digits(rng(), share), "test_size") == (
        f"test_size: got {share!r}, expected a number of at least 0.01 and at most 0.99")


@pytest.mark.parametrize("noise", [-0.1, np.nan, np.inf, "0.1", None, 1j], ids=str)
def test_odd_noise(noise):
    for make in (moons, xor):
        assert refused(lambda make=make: make(rng(), 8, noise), "noise") == (
            f"noise: got {noise!r}, expected a number of at least 0")


@pytest.mark.parametrize("call, sentence", [
    (lambda: moons(rng(), 1), "n: got 1, expected an integer of at least 2"),
    (lambda: xor(rng(), 3), "n: got 3, expected an integer of at least 4"),
    (lambda: xor(rng(), 10.0), "n: got 10.0, expected an integer of at least 4"),
    (lambda: digit(1797), "index: got 1797, expected an integer from 0 to 1796"),
    (lambda: photograph("dog"), 'name: got \'dog\', expected "china" or "flower"'),
    (lambda: photograph(shrink=0), "shrink: got 0, expected an integer from 1 to 200"),
    (lambda: kernel("sharp"),
     "name: got 'sharp', expected one of identity, blur, Gaussian, sharpen, Sobel →, Sobel ↓, Laplacian, "
     "emboss"),
])
def test_sentences(call, sentence):
    assert refused(call, "") == sentence


def test_normal_numbers_have_their_shapes_and_both_signs():
    square, number, empty = randn(np.random.default_rng(0), (40, 50), (), (0, 3))
    assert (square.shape, number.shape, empty.shape) == ((40, 50), (), (0, 3))
    assert all(type(array) is np.ndarray and array.dtype == np.float64 for array in (square, number, empty))
    assert abs(square.mean()) < 0.1 < 0.9 < square.std() < 1.1 and square.min() < 0 < square.max()
    with pytest.raises(ValueError, match="rng: got 0"):
        randn(0, (2,))
