"""``report``: all of a comparison on one page."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.options import PLACE, as_json, folders, register_looks, show
from spiral.cli.questions import by, distances, frontier, thresholds, tuning, which


@click.command()
@folders
@click.option(
    "-o",
    "--output",
    type=PLACE,
    default="report.html",
    show_default=True,
    help="Write the page to this file.",
)
@thresholds
@by
@which
@tuning
@frontier
@distances
@as_json
def report(
    folders: tuple[Path, ...], output: Path, as_json: bool, **question: Any
) -> None:
    """Write a report page with tables, figures and what was run.

    The page is one file and loads nothing from elsewhere. Each table and figure comes
    with the command that makes it. --json prints the file and its size in bytes.
    """
    from spiral.methods import registry
    from spiral.report import html
    from spiral.report.stats.compare import Question

    register_looks()
    page = html.report(folders, registry.known(), Question(**question))
    html.write(page, output)
    if as_json:
        show({"file": str(output), "bytes": output.stat().st_size})
    else:
        click.echo(output)
