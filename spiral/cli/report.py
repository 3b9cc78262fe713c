"""``report``: all that a comparison finds, on one page."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.common import folders, register_looks
from spiral.cli.questions import by, distances, frontier, honest, thresholds, where


@click.command()
@folders
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="report.html",
    show_default=True,
    help="File.",
)
@thresholds
@by
@where
@honest
@frontier
@distances
def report(folders: tuple[Path, ...], output: Path, **question: Any) -> None:
    """Write one page with numbers, figures and what was run.

    It stands alone and needs no network; each table and figure says the command that
    makes it.
    """
    from spiral.report import html
    from spiral.report.compare import Question

    register_looks()
    html.write(html.report(folders, Question(**question)), output)
    click.echo(output)
