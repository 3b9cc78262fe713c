"""``compare``: how far from the optimum methods land."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.common import as_json, show, where


def _numbers(_: click.Context, __: click.Parameter, text: str) -> tuple[float, ...]:
    """Read numbers separated by commas."""
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        message = f"expected numbers, as .95,.995, got {text!r}"
        raise click.BadParameter(message) from None


def _names(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    """Read names separated by commas."""
    return tuple(name.strip() for name in text.split(","))


@click.command()
@click.argument(
    "folders", metavar="DIR…", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--threshold",
    "thresholds",
    default=".95,.995",
    show_default=True,
    callback=_numbers,
    help="Accuracies to reach.",
)
@click.option(
    "--by",
    default="method,width",
    show_default=True,
    callback=_names,
    help="Config columns that make groups; values of the first meet in pairs.",
)
@where
@click.option(
    "--honest",
    is_flag=True,
    help="Choose learning rate, schedule and options on half of the seeds and report "
    "the other half.",
)
@click.option(
    "--frontier",
    type=click.Path(path_type=Path),
    help="A frontier of one's own [the shipped one].",
)
@click.option(
    "--distances",
    "masks",
    type=click.IntRange(0),
    help="Masks of each line held against the optimal ones [100 in all].",
)
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
    them all, in full.
    """
    from spiral.report import compare, tell

    if as_csv and len(tables) > 1:
        raise click.UsageError("--csv prints one --table")
    wanted = tables or (("groups",) if as_csv else ("gaps", "groups"))
    if not as_json and "distances" not in wanted:
        question["masks"] = 0
    found = compare.of_folders(folders, compare.Question(**question))
    if as_json:
        show(tell.document(found))
    elif as_csv:
        click.echo(found.tables[wanted[0]].to_csv(index=False), nl=False)
    else:
        click.echo(tell.page(found, wanted))
