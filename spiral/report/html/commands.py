"""The command that makes each table and figure of a page."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from spiral.report.stats.compare import Question
from spiral.report.stats.selection import TASK

DEFAULT = Question()


def report(folders: Sequence[Path], question: Question) -> str:
    """Return the command that makes the page."""
    return _spelled("report", folders, _tables(question), "-o", "report.html")


def table(name: str, folders: Sequence[Path], question: Question) -> str:
    """Return the command that prints a table."""
    return _spelled("compare", folders, _tables(question), "--table", name)


def figure(kind: str, folders: Sequence[Path], question: Question) -> str:
    """Return the command that draws a figure of rows."""
    return _spelled(f"plot {kind}", folders, _rows(question), "-o", f"{kind}.png")


def networks(sizes: Sequence[int], question: Question) -> str:
    """Return the command that draws networks of the frontier and their neurons."""
    file = ["--file", str(question.frontier)] if question.frontier else []
    file += _task(question)
    shown = ["--neurons", "--nnz", ",".join(map(str, sizes))]
    return _spelled("plot networks", [], [*shown, *file], "-o", "networks.png")


def _spelled(
    command: str, folders: Sequence[Path], options: Sequence[str], *more: str
) -> str:
    """Return a command line as it is typed."""
    words = ["spiral-sweep", *command.split(), *map(str, folders), *options, *more]
    return shlex.join(words)


def _rows(question: Question) -> list[str]:
    """Return the options that figures take, too."""
    found = []
    if tuple(question.thresholds) != tuple(DEFAULT.thresholds):
        found += ["--threshold", ",".join(f"{t:g}" for t in question.thresholds)]
    for axis, values in question.where.items():
        if axis != TASK:  # which may contain commas
            found += ["--where", f"{axis}={','.join(values)}"]
    found += _task(question)
    if question.seed_split:
        found.append("--seed-split")
    if question.each_size:
        found.append("--each-size")
    if question.equal_settings:
        found.append("--equal-settings")
    if question.frontier:
        found += ["--frontier", str(question.frontier)]
    return found


def _task(question: Question) -> list[str]:
    """Return the option that chooses a task, if one is chosen."""
    return [word for name in question.where.get(TASK, ()) for word in ("--task", name)]


def _tables(question: Question) -> list[str]:
    """Return the options that tables take."""
    found = _rows(question)
    if tuple(question.by) != tuple(DEFAULT.by):
        found += ["--by", ",".join(question.by)]
    if question.masks is not None:
        found += ["--distances", str(question.masks)]
    return found
