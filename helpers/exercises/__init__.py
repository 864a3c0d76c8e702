"""Exercises that are graded at once, by a grader that knows the usual mistakes by name."""
from helpers.exercises.grading import find, grade

__all__ = ["find", "grade"]
