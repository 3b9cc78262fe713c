"""Rewrite what ``spiral-sweep rank`` prints about the shipped methods."""

from spiral.api import launching
from spiral.cli.rank import RANKINGS
from spiral.report.text.document import render

WIDTHS = (3, 16, 64)


def text(width: int) -> str:
    """Return the ranking of one width, computed anew."""
    return render(launching.rank(width=width))


if __name__ == "__main__":
    for each in WIDTHS:
        (RANKINGS / f"{each}.txt").write_text(text(each), "utf-8")
