"""Mark the exercises of a class: run every submission again, and ask the grader.

    python3 tasks.py marks --release FOLDER
    python3 tasks.py marks FOLDER [--to FOLDER] [--seconds 300]

The first writes the notebooks for a class, in which `grade` shows no worked solution. (The solutions are no
secret: helpers/exercises/questions/ holds them.) The second marks what comes back.

FOLDER holds one folder for each student, with the student's notebooks anywhere in it, or one notebook for
each student, named after the student. What is hidden is left out, and so are Jupyter's checkpoints. Written
are marks.csv (who, notebook, exercise, status, mistake, sentence), mistakes.md and mistakes.png (what the
class gets wrong most), into FOLDER-marks or where --to says. Marks that lie there already are kept, in a
folder of their own.

Submissions are programs, and run with all that you may do on this computer. Mark them in a container without
a network, or on a machine that has nothing to lose.
"""
import argparse
import csv
import itertools
import re
import sys
import time
from collections import Counter
from pathlib import Path

import marking
import mistakes
import release
import submissions
from marking import Row

WARNING = """\
Submissions are programs, and run with all that you may do on this computer: mark them in a
container without a network, or on a machine that has nothing to lose. Ctrl+C stops.
"""
FILES = ("marks.csv", "mistakes.md", "mistakes.png")
NO_NOTEBOOK = "The folder holds no notebook; it holds {}."


def mark(folder: Path, to: Path, seconds: float) -> list[Row]:
    """Mark each submission, in the order of names, and write its rows at once. Returns all rows."""
    students = submissions.submissions(folder)
    tasks = [(who, path) for who, paths in students.items() for path in paths or [None]]
    print(WARNING, flush=True)
    keep_earlier(to)
    found: list[Row] = []
    with (to / "marks.csv").open("w", encoding="utf-8-sig", newline="") as file:     # Excel needs the mark
        table = csv.writer(file)
        table.writerow(Row._fields)
        for number, (who, path) in enumerate(tasks, start=1):
            began, notebook = time.monotonic(), path and name_of(path, folder / who)
            print(f"{number}/{len(tasks)}  {who}  {notebook or ''}", end=" … ", flush=True)
            new = [*marking.rows(who, notebook, path, seconds)] if path else [without(folder, who)]
            table.writerows([harmless(text) for text in row] for row in new)
            file.flush()
            print(f"{in_short(new)}  ({time.monotonic() - began:.0f} s)", flush=True)
            found += new
    return found


def name_of(path: Path, own: Path) -> str:
    """What a notebook is called in the rows: its path in the student's own folder, or its file's name."""
    return path.relative_to(own).as_posix() if path.is_relative_to(own) else path.name


def without(folder: Path, who: str) -> Row:
    """The row of a student who handed in no notebook: it says what is there instead."""
    others = sorted(path.name for path in (folder / who).iterdir())
    return Row(who, "", "", "no notebook", "", NO_NOTEBOOK.format(", ".join(others[:3]) or "nothing"))


def harmless(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def in_short(rows: list[Row]) -> str:
    """How many rows have each status: "3 right, 1 not yet"."""
    counted = Counter(row.status for row in rows)
    ordered = sorted(counted, key=lambda status: (*marking.BEST, status).index(status))
    return ", ".join(f"{counted[status]} {status}" for status in ordered)


def keep_earlier(to: Path) -> None:
    """Make the folder; marks that lie in it are moved into a folder named after the time they were made."""
    to.mkdir(parents=True, exist_ok=True)
    earlier = [to / name for name in FILES if (to / name).exists()]
    if earlier:
        made = time.localtime(max(path.stat().st_mtime for path in earlier))
        name = time.strftime("until-%Y%m%d-%H%M%S", made)
        aside = next(path for n in itertools.count(1) if not (path := to / f"{name}-{n}").exists())
        aside.mkdir()
        for path in earlier:
            path.rename(aside / path.name)
        print(f"The marks that lay in {to} are kept in {aside.name}.")


def seconds(text: str) -> float:
    """A time limit from the command line."""
    if not re.fullmatch(r"\d+(\.\d+)?", text) or not float(text):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number of seconds above 0")
    return float(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser("python3 tasks.py marks", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("folder", type=Path, metavar="FOLDER",
                       help="the submissions; with --release, a folder that is new or empty")
    found.add_argument("--release", action="store_true", help="write the notebooks for a class into FOLDER")
    found.add_argument("--to", type=Path, metavar="FOLDER", help="where the marks go (default: FOLDER-marks)")
    found.add_argument("--seconds", type=seconds, default=300.0,
                       help="how long one notebook may run (default: 300)")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Mark a class, and return the exit status."""
    options = parser().parse_args(arguments)
    folder = options.folder.resolve()
    to = options.to or folder.with_name(f"{folder.name}-marks")
    try:
        if options.release:
            print(f"{len(release.release(folder))} notebooks for a class are written to {folder}.")
            return 0
        found = mark(folder, to, options.seconds)
        print(f"\n{mistakes.write(found, to)}\n")
        print(f"Written to {to}:", ", ".join(name for name in FILES if (to / name).exists()))
    except (ValueError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. {to / 'marks.csv'} holds what was marked before.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
