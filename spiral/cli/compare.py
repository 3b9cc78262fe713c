"""``compare``: how far from the optimum methods land."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.options import as_json, folders, show
from spiral.cli.questions import by, distances, frontier, honest, thresholds, which


@click.command()
@folders
@thresholds
@by
@which
@honest
@frontier
@distances
@click.option(
    "--table",
    "tables",
    type=click.Choice(["gaps", "groups", "pairs", "masks", "distances"]),
    multiple=True,
    help="What to print [gaps and groups; as CSV groups]. Repeatable.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print one table as CSV.")
@as_json
def compare(
    folders: tuple[Path, ...],
    tables: tuple[str, ...],
    as_csv: bool,
    as_json: bool,
    **question: Any,
) -> None:
    """Say how far from the optimum methods land, with intervals.

    gaps: fewest weights that reach an accuracy. groups: accuracy at each size. pairs:
    which of two is better with equal seeds. masks: what a mask is worth trained from
    scratch (methods scratch, shuffled). distances: to the optimal masks. --json has
    them all, in full. In place of a folder: a summary, or the name of a shipped one,
    as standard, structured or budgets.
    """
    from spiral.report.stats import compare
    from spiral.report.text import comparison

    if as_csv and (as_json or len(tables) > 1):
        raise click.UsageError("--csv prints one --table, --json all; give one of them")
    wanted = tables or (("groups",) if as_csv else ("gaps", "groups"))
    if not as_json and "distances" not in wanted:
        question["masks"] = 0
    found = compare.of_folders(folders, compare.Question(**question))
    if as_json:
        show(comparison.document(found))
    elif as_csv:
        click.echo(found.tables[wanted[0]].to_csv(index=False), nl=False)
    else:
        click.echo(comparison.page(found, wanted))
