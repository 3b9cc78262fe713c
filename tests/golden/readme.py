"""Rewrite the README's table of methods from the shipped baseline."""

from pathlib import Path

from spiral.report.stats import standings
from spiral.report.text import standings as standings_text

README = Path(__file__).parent.parent.parent / "README.md"
BEGIN, END = "<!-- standings: `make golden` -->\n", "\n<!-- end -->"


def parts(text: str) -> tuple[str, str, str]:
    """Return what is before the table, the table, and what is after it."""
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    return before, table, after


def fresh() -> str:
    """Return the table that the baseline makes."""
    return standings_text.markdown(standings.shipped())


if __name__ == "__main__":
    first, _, last = parts(README.read_text())
    README.write_text(first + BEGIN + fresh() + END + last)
