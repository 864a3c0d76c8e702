"""What the grader says beyond the names of mistakes, and how it looks."""
import re

import numpy as np
import pytest
from test_exercises import judged

from helpers.exercises import break_it
from helpers.exercises.exercise import Exercise
from helpers.exercises.grading import find, grade
from helpers.exercises.questions import convolution


def test_a_view_of_the_input_is_judged_by_its_numbers():
    identity = Exercise("convolution.db", "Identity", np.copy, np.copy, convolution.DB.cases, (), ())
    assert judged(identity, lambda dy: dy).passed
    said = judged(identity, lambda dy: dy[::-1]).sentence
    assert said == "It is right but for its direction: it is reversed along axis 0."


# --- what the grader says beyond the table ------------------------------------------------------

right_dW, right_dx = convolution.dW_by_hand, convolution.dx_by_hand


@pytest.mark.parametrize("name, function, mistake, sentence", [
    ("db", lambda dy: -dy.sum((0, 2, 3)), None, "It is right but for its sign."),
    ("db", lambda dy: dy.sum((0, 2, 3)) / 2, None, "It is right but for a factor of 1/2."),
    ("db", lambda dy: dy.sum((0, 2, 3)) * (1 + 1e-6), None, "It is right but for a factor of 1.000001."),
    ("size", lambda n, k, s, p, d: 0, None, "Right on 0 of 9 inputs. On every input your answer is 0."),
    ("size", lambda n, k, s, p, d: np.nan, None, "It returned a float"),
    ("dW", lambda dy, x, d: right_dW(dy, x, d) * dy.size, None,
     "It is the right one times the number of entries of `dy`."),
    ("dW", lambda dy, x, d: right_dW(dy, x, d) * (1 + dy.size), None,
     "It is right but for a factor that changes with the input: 3, 5, 3, 5, 5, 37, 145, 61, 61, 61."),
    ("dW", lambda dy, x, d: right_dW(dy, x, d).transpose(2, 3, 0, 1), None,
     "It is right but for the order of its axes: yours is the right one after `transpose(2, 3, 0, 1)`."),
    ("dW", lambda dy, x, d: right_dW(dy, x, d)[..., ::-1], None,
     "It is right but for its direction: it is reversed along axis 3."),
    ("dx", lambda *given: right_dx(*given).ravel(), None,
     "It is right but for its shape: it is (3,), expected (1, 1, 1, 3)."),
    ("dW", lambda dy, x, d: -right_dW(dy, x, d)[..., ::-1, ::-1], "flipped",
     "But for its sign, it is what a known mistake gives: The kernel's gradient is turned by 180°"),
    ("size", lambda n, k, s, p, d: 2 * ((n + 2 * p - d * (k - 1) - 1) // s), "no + 1",
     "But for a factor of 2, it is what a known mistake gives: One place is missing"),
    ("size", lambda n, k, s, p, d: np.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1, None,
     "It returned a float; a number of things is an int."),
    ("db", lambda dy: dy.sum((0, 2)).astype("float32").sum(1) + 1, None,
     "It returned numbers of float32; expected float64. Its numbers are not right either."),
    ("db", lambda dy: dy.sum().reshape(1), "all in one",
     "But for its shape, it is what a known mistake gives: You summed over everything"),
    ("size", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1, "not rounded",
     "You divided and did not round"),
    ("size", lambda n, k, s, p, d: (n + p - k) // s + 1, None, "Right on 5 of 9 inputs. No usual mistake"),
])
def test_what_is_wrong_is_said(name, function, mistake, sentence):
    verdict = grade(f"convolution.{name}", function)
    assert verdict.sentence.startswith(sentence), verdict
    assert verdict.mistake == mistake and not verdict.passed
    assert verdict.evidence or "returned a float;" in sentence     # a type is not to be seen in numbers


def test_an_unnamed_mistake_is_shown_on_the_smallest_failing_input():
    verdict = grade("convolution.db", lambda dy: (dy**2).sum((0, 2, 3)))
    assert verdict.mistake is None
    assert repr(verdict) == """\
✗ The gradient of the bias: not yet
Right on 0 of 8 inputs. No usual mistake gives this.
The smallest input on which it is wrong:
dy (1, 1, 1, 2) =
[ 25. -19.]
expected (1,) =
[6.]
yours (1,) =
[986.]"""


def test_answers_that_print_alike_are_told_by_their_largest_difference():
    verdict = grade("convolution.db", lambda dy: dy.sum((0, 2, 3)) + 1e-6)
    assert verdict.evidence.splitlines()[2:] == [
        "expected (1,) =", "[6.]", "yours prints alike; the largest difference is 1e-06"]
    verdict = grade("convolution.dx", lambda *given: right_dx(*given) + 1e-5 * (len(given[0]) == 3))
    assert re.search(r"yours (\S+); the largest difference is 1e-05$", verdict.evidence), verdict


@pytest.mark.parametrize("name", ["size", "db", "dW", "dx", "weak_test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, 1e308])
def test_no_number_makes_the_grader_warn(name, value, recwarn):
    exercise = find(f"convolution.{name}")
    for function in (lambda *given: np.full(np.shape(exercise.truth(*given)), value),
                     lambda *given: exercise.truth(*given) + value):
        verdict = grade(exercise.name, function)
        assert value == 0 or not verdict.passed
        assert not [str(warning.message) for warning in recwarn]


def test_a_stray_value_is_named_with_its_article():
    said = [grade("convolution.db", value).sentence for value in (3, None, "db", np.zeros(1))]
    assert [text.partition("; it got ")[2] for text in said] == ["an int.", "None.", "a str.", "an ndarray."]
    assert grade("convolution.size", lambda n, k, s, p, d: [n]).sentence.startswith(
        "It returned a list; expected a number. It was called with n = 3")

@pytest.mark.parametrize("name", ["channels swapped", "channels added", "filters added"])
def test_the_smallest_failing_input_of_dW_is_small(name):
    function = next(m.function for m in convolution.DW.mistakes if m.name == name)
    assert len(grade("convolution.dW", function).evidence.splitlines()) <= 20


def test_a_large_failing_input_is_shown_by_its_first_wrong_entry():
    def late(*given):
        dx = right_dx(*given)
        dx[2:, :, :1, -1] += 5 * (len(dx) == 3)
        return dx
    verdict = grade("convolution.dx", late)
    assert verdict.sentence == "Right on 9 of 10 inputs. No usual mistake gives this."
    *lines, last = verdict.evidence.splitlines()
    assert lines == ["dy (3, 2, 5, 4)", "W (2, 4, 3, 5)", "x_shape = (3, 4, 7, 8), stride = 2, padding = 2",
                     "expected (3, 4, 7, 8)", "yours (3, 4, 7, 8)"]
    assert re.match(r"4 of 672 entries differ, first \[2, 0, 0, 7\]: expected ", last)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_on_an_honest_input_is_noticed(value):
    def spoilt(dy, W):
        return convolution.wrong_dx(dy, W) if (dy == 1).all() else convolution.wrong_dx(dy, W) + value
    verdict = grade("convolution.weak_test", spoilt)
    assert not verdict.passed and verdict.sentence == break_it.NOT_FINITE
    assert "The smallest input on which it is wrong:\n" in repr(verdict)


def test_the_weak_tests_own_input_is_called_that():
    verdict = grade("convolution.weak_test", lambda dy, W: 2 * convolution.wrong_dx(dy, W))
    assert verdict.sentence == break_it.REJECTED
    for text in (repr(verdict), verdict._repr_html_()):
        assert "The weak test's input" in text and "smallest" not in text


def test_an_unknown_hole_passes_too():
    verdict = grade("convolution.weak_test", lambda dy, W: convolution.wrong_dx(dy, W) * len(dy))
    assert verdict.passed and verdict.sentence.endswith(break_it.OWN)


@pytest.mark.parametrize("name", ["db", "convolution.bias", "nowhere.db", "", "../convolution.db", len])
def test_an_unknown_exercise_is_refused(name):
    with pytest.raises(ValueError, match="^name: got .*, expected "):
        grade(name, len)


# --- how it looks -------------------------------------------------------------------------------

def test_what_the_learner_wrote_cannot_become_markup():
    def stray(dy):
        raise ValueError("<script>alert(1)</script> & `x < y`")
    page = grade("convolution.db", stray)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; <code>x &lt; y</code>" in page


def test_the_status_is_a_word_and_a_sign_not_only_a_colour():
    for function, words in ((convolution.db_by_hand, "✓ The gradient of the bias: right"),
                            (lambda dy: dy.sum(), "✗ The gradient of the bias: not yet")):
        verdict = grade("convolution.db", function)
        assert repr(verdict).startswith(words)
        assert f"<strong>{words}</strong>" in verdict._repr_html_()


def test_the_input_is_open_when_it_is_all_there_is_to_say():
    page = grade("convolution.db", lambda dy: dy.sum((0, 2, 3)) + 1)._repr_html_()
    assert "<details open><summary>The smallest input" in page
    page = grade("convolution.db", lambda dy: dy.sum())._repr_html_()
    assert "<details><summary>The smallest input" in page


def test_the_stub_is_told_from_code_that_returns_nothing():
    def only_passes(dy):
        pass

    def returns_dots(dy):
        """Dots."""
        return ...

    def began(dy):
        """Dots follow a first try."""
        dy.sum()
        ...
    assert grade("convolution.db", only_passes).status == grade("convolution.db", returns_dots).status
    assert grade("convolution.db", returns_dots).status == "not attempted"
    assert grade("convolution.db", began).sentence.startswith("It returned None.")
