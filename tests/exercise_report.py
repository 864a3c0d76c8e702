"""Which input exposes which mistake of the exercises, printed at the end of a test run.

A table travels from the test to the end of the run as a property of the test's report, which
pytest-xdist carries from its workers too. To have it printed, tests/conftest.py imports the hook:

    from exercise_report import pytest_terminal_summary  # noqa: F401

The process that prints them needs no helpers, which take seconds to import: they are imported where used.
"""

PROPERTY = "mistakes caught"


def kills(exercise) -> dict[str, list[bool]]:
    """For each mistake, for each input: is the answer to it another than the right one?"""
    from helpers.exercises.diagnosis import same
    truths, answers = exercise.answers(exercise.truth), exercise.answers
    return {mistake.name: [not same(a, t) for a, t in zip(answers(mistake.function), truths, strict=True)]
            for mistake in exercise.mistakes}


def table(exercise) -> str:
    """Mistakes × inputs, × where the input exposes the mistake; all of them are caught and named."""
    from helpers.exercises.diagnosis import in_short
    found, cases = kills(exercise), exercise.inputs()
    wide = max(map(len, found))
    lines = [f"{exercise.name}: {len(found)} mistakes caught and named"]
    lines += [f"  input {i}: {in_short(case)}" for i, case in enumerate(cases, start=1)]
    for name, row in found.items():
        marks = " ".join("×" if hit else "·" for hit in row)
        lines.append(f"  {name:{wide}}  {marks}  {sum(row)}/{len(row)}")
    hits = sum(map(sum, found.values()))
    return "\n".join([*lines, f"  {'all':{wide}}  {hits} of {len(found) * len(cases)} pairs"])


def pytest_terminal_summary(terminalreporter):
    """Print the tables that passed and failed tests have left, once each."""
    tables = {text: None for reports in terminalreporter.stats.values() for report in reports
              for name, text in getattr(report, "user_properties", ()) if name == PROPERTY}
    if tables:
        terminalreporter.section("exercises: mistakes × inputs")
        for text in sorted(tables):
            terminalreporter.write_line(text + "\n")
