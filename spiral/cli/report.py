"""``report``: all that a comparison finds, on one page."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.options import PLACE, as_json, folders, register_looks, show
from spiral.cli.questions import by, distances, frontier, honest, thresholds, which


@click.command()
@folders
@click.option(
    "-o",
    "--output",
    type=PLACE,
    default="report.html",
    show_default=True,
    help="File.",
)
@thresholds
@by
@which
@honest
@frontier
@distances
@as_json
def report(
    folders: tuple[Path, ...], output: Path, as_json: bool, **question: Any
) -> None:
    """Write one page with numbers, figures and what was run.

    It stands alone and needs no network; each table and figure says the command that
    makes it. --json prints file and bytes.
    """
    from spiral.report import html
    from spiral.report.stats.compare import Question

    register_looks()
    html.write(html.report(folders, Question(**question)), output)
    if as_json:
        show({"file": str(output), "bytes": output.stat().st_size})
    else:
        click.echo(output)
