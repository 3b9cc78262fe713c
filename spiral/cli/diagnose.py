"""``diagnose``: what else there is to know of networks than their accuracy."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.options import PLACE, as_json, folders, register_looks, show
from spiral.cli.plots import Numbers
from spiral.cli.questions import frontier, which


@click.group()
def diagnose() -> None:
    """Look at networks from other sides than accuracy."""


@diagnose.command()
@folders
@click.option(
    "--keep", type=Numbers(), default=(), metavar="26,44,…", help="Only these sizes."
)
@which
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
@click.option("-o", "--output", type=PLACE, help="Draw a figure there, too.")
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
    from spiral.report.figures import style
    from spiral.report.studies.robustness import (
        diagnosis,
        text,
    )
    from spiral.report.studies.robustness import (
        figure as robustness_figures,
    )

    found = diagnosis.diagnose(folders, diagnosis.Question(**question))
    if output:
        register_looks()
        figure = robustness_figures.page(found.groups, found.curves, width)
        style.save(figure, output)
    if as_json:
        show(text.document(found))
    else:
        click.echo(text.page(found))


@diagnose.command()
@folders
@click.option(
    "--temperature", metavar="OPTION", help="Of one_shot [the one that varies most]."
)
@click.option("--width", type=int, help="Hidden width [the largest].")
@click.option(
    "--barrier",
    default=-0.02,
    show_default=True,
    help="Connectivity below which retrainings are apart.",
)
@click.option(
    "--alike", default=0.9, show_default=True, help="CKA from which they are alike."
)
@click.option("--split", is_flag=True, help="Or let 2-means of the cells' CKA say.")
@click.option(
    "--every",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Look at one point in so many.",
)
@frontier
@click.option("-o", "--output", type=PLACE, help="Draw a map there, too.")
@as_json
def regimes(
    folders: tuple[Path, ...],
    barrier: float,
    alike: float,
    output: Path | None,
    as_json: bool,
    **question: Any,
) -> None:
    """Map regimes over temperature and load, from retrainings of `one_shot`.

    Connected or not along a line, alike or not in their outputs, and how far from the
    best networks known. The grid seeds/regimes trains them.
    """
    from spiral.report.figures import style
    from spiral.report.studies.regimes import figure as regime_figures
    from spiral.report.studies.regimes import regime_map
    from spiral.report.studies.regimes.measure import Thresholds

    wanted = regime_map.Question(**question, thresholds=Thresholds(barrier, alike))
    found = regime_map.draw_map(folders, wanted)
    if output:
        style.save(regime_figures.page(found), output)
    if as_json:
        show(regime_map.document(found))
    else:
        click.echo(regime_map.page(found))
