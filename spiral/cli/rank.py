"""``rank``: rank a method among the shipped ones."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from spiral.cli.launch import complain, how, resumable, settings_of, train
from spiral.cli.options import PLACE, as_json, present
from spiral.errors import MethodError

RANKINGS = Path(__file__).parents[1] / "results/shipped/rankings"
"""What is printed about the shipped methods at each width, WIDTH.txt. ``make golden``
writes it, since ranking them takes 3 s of processor time; a test ranks them again."""

TABLES = ("scores", "pairwise", "excess", "sizes")
"""The tables of a ranking that ``--table`` names."""


@click.command(context_settings={"default_map": {"executor": "local"}})
@click.option(
    "--method",
    metavar="FILE:CLASS",
    help="Rank this method: my_file.py:MyMethod (executes the file), "
    "package.module:MyMethod, or the name of a built-in one [rank the shipped ones, "
    "train nothing].",
)
@click.option(
    "--quick/--full",
    default=False,
    show_default=True,
    help="Train the default learning rate and schedule only (minutes), and compare "
    "with the others at the same; --full tunes over all settings of the standard grid, "
    "as the shipped methods were, and resumes --quick.",
)
@click.option("--out", type=PLACE, help="Write results here [runs/rank/METHOD].")
@click.option(
    "--width",
    type=click.Choice(["3", "16", "64"]),
    default="16",
    show_default=True,
    help="Rank the shipped methods at this width (without --method).",
)
@click.option(
    "--table",
    type=click.Choice([*TABLES, "all"]),
    multiple=True,
    help="Print this table instead of the summary, and all notes in full. Repeatable.",
)
@how
@as_json
@click.pass_context
def rank(
    context: click.Context,
    /,
    quick: bool,
    out: Path | None,
    width: str,
    table: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Rank a method among the shipped methods.

    First checks on a few rows that the method fulfils its contract (seconds), then
    trains it on the standard grid. The digest of the file is part of the method's name,
    so an edited file is trained again. Methods are compared by their normalised gap to
    the best known networks, at each width. Prints one screen; --table has the rest.
    Without --method, nothing is trained and the shipped rows of the grid `standard` are
    ranked at one width.
    """
    if options["method"] is None:
        _refuse_others(context)
        _show_shipped(int(width), as_json)
        return
    from spiral.api import launching
    from spiral.report.text import ranking as ranking_text

    settings = settings_of(options)
    planned = launching.prepare(settings, out, quick, complain)
    with resumable() as begun:
        train(planned.grid, planned.out, settings, begun)
    launching.check(begun[0])
    found = launching.ranked_of(planned)
    if as_json or table:
        names = None if "all" in table else table
        present(ranking_text.document(found, planned.out), as_json, names)
    else:
        present(ranking_text.brief(found), as_json)
        click.echo("more: --table all prints all tables and notes, --json all numbers")
    if not as_json:
        click.echo(f"rows: {planned.out}")
    if len(found.miscounted):
        raise MethodError(ranking_text.miscounted(found))


def _show_shipped(width: int, as_json: bool) -> None:
    """Print the ranking of the shipped methods: for people, or all of it as JSON."""
    if not as_json:
        click.echo((RANKINGS / f"{width}.txt").read_text("utf-8"))
        return
    from spiral.api import launching

    present(launching.rank(width=width), as_json)


def _refuse_others(context: click.Context) -> None:
    """Raise UsageError for an option that only makes sense with a method."""
    given = [
        f"--{name}"
        for name in context.params
        if name not in ("as_json", "width")
        and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"{', '.join(given)} without --method: expected a method to train"
        )
