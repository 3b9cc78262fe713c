"""``compare``: excess weights over the best known, accuracy, and pairwise tests."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.options import PLACE, as_json, folders, present
from spiral.cli.questions import by, distances, frontier, thresholds, tuning, which

if TYPE_CHECKING:
    from spiral.report.stats.compare import Comparison

FORMER = {"gaps": "excess", "pairs": "pairwise"}
"""Former names of tables, which still work."""

LONG = 1000
"""The most lines of a table that is printed without being asked for."""


class TableName(click.Choice[str]):
    """The name of a table, or a former name."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the name that it has now."""
        return super().convert(FORMER.get(value, value), param, ctx)


@click.command()
@folders
@thresholds
@by
@which
@tuning
@frontier
@distances
@click.option(
    "--table",
    "tables",
    type=TableName(["scores", "excess", "groups", "pairwise", "masks", "distances"]),
    multiple=True,
    help="Print this table [scores, excess and groups, if they have no more than "
    f"{LONG:,} lines; as CSV groups]. Repeatable.",
)
@click.option(
    "--with",
    "others",
    metavar="DIR",
    type=PLACE,
    multiple=True,
    help="Compare also the networks in a folder of another program's files, evaluated "
    "as they are, under the name of the folder. Repeatable.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print one table as CSV.")
@as_json
def compare(
    folders: tuple[Path, ...],
    tables: tuple[str, ...],
    others: tuple[Path, ...],
    as_csv: bool,
    as_json: bool,
    **question: Any,
) -> None:
    """Report each method's gap and excess weights to the best known.

    \b
    scores     normalised gap to the best known, and rank
    excess     fewest weights that reach an accuracy, and the excess
    groups     accuracy at each size
    pairwise   probability of improvement, with equal seeds
    masks      ablation of masks and weights (methods scratch, shuffled)
    distances  distance to the best known masks

    All numbers have intervals. --json prints all tables in full. A DIR may also be a
    summary file, or the name of a shipped summary such as standard or leaders.
    """
    from spiral.api import elsewhere
    from spiral.methods import registry
    from spiral.report.stats import compare
    from spiral.report.text import comparison

    if as_csv and (as_json or len(tables) > 1):
        raise click.UsageError(
            "--csv prints one table: expected at most one --table and no --json; "
            "--json prints all tables"
        )
    default = ("groups",) if as_csv else ("scores", "excess", "groups")
    wanted = tables or default
    if not as_json and "distances" not in wanted:
        question["masks"] = 0  # computing them takes a second or two
    asked = compare.Question(**question)
    with elsewhere.evaluated(others, asked.task) as named:
        every = [*folders, *named]
        found = compare.of_folders(every, registry.known(), asked, named)
    if as_csv:
        click.echo(found.tables[wanted[0]].to_csv(index=False), nl=False)
        return
    if not tables and not as_json:
        found, wanted = _without_long_tables(found, default)
    present(comparison.document(found), as_json, wanted)


def _without_long_tables(
    found: "Comparison", names: tuple[str, ...]
) -> "tuple[Comparison, tuple[str, ...]]":
    """Return a comparison with notes on long tables, and the names of the others."""
    lines = {name: len(found.tables[name]) for name in names}
    left = [
        f"{name} has {lines[name]:,} lines, which are left out; `--table {name}` "
        "prints them"
        for name in names
        if lines[name] > LONG
    ]
    few = tuple(name for name in names if lines[name] <= LONG)
    return replace(found, notes=[*left, *found.notes]), few
