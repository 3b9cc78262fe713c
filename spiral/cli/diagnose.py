"""``diagnose``: what else there is to know of networks than their accuracy."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.common import as_json, folders, show
from spiral.cli.plots import Numbers
from spiral.cli.questions import frontier, where


@click.group()
def diagnose() -> None:
    """Look at networks from other sides than accuracy."""


@diagnose.command()
@folders
@click.option(
    "--keep", type=Numbers(), default=(), metavar="26,44,…", help="Only these sizes."
)
@where
@click.option(
    "--each",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Networks of each method, width and size.",
)
@click.option(
    "--every",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Look at one point in so many.",
)
@frontier
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Draw a figure there, too."
)
@click.option("--width", type=int, help="Width that the figure shows [the largest].")
@as_json
def robustness(
    folders: tuple[Path, ...],
    output: Path | None,
    width: int | None,
    as_json: bool,
    **question: Any,
) -> None:
    """Say how networks bear corrupted points, beside the optimum of their size.

    Eight corruptions of the plane at five severities; angle, length and margin of what
    the output layer sees; which points are fragile, and for whom.
    """
    from spiral.report import diagnosis, diagnosis_text, robustness_figures, style

    found = diagnosis.diagnose(folders, diagnosis.Question(**question))
    if output:
        figure = robustness_figures.page(found.groups, found.curves, width)
        style.save(figure, output)
    if as_json:
        show(diagnosis_text.document(found))
    else:
        click.echo(diagnosis_text.page(found))
