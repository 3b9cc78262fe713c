"""``diagnose``: robustness and regimes, beyond accuracy."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.options import (
    PLACE,
    as_json,
    folders,
    of_task,
    present,
    register_looks,
)
from spiral.cli.plots import Numbers
from spiral.cli.questions import frontier, which


@click.group()
def diagnose() -> None:
    """Analyse networks beyond accuracy."""


@diagnose.command()
@folders
@click.option(
    "--keep",
    type=Numbers(),
    default=(),
    metavar="26,44,…",
    help="Measure only networks with these numbers of weights.",
)
@which
@click.option(
    "--each",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    metavar="N",
    help="Measure N networks of each method, width and size.",
)
@click.option(
    "--every",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    metavar="N",
    help="Measure on every N-th point.",
)
@frontier
@click.option("-o", "--output", type=PLACE, help="Also draw a figure to this file.")
@click.option("--width", type=int, help="Draw the figure for this width [the largest].")
@as_json
def robustness(
    folders: tuple[Path, ...],
    output: Path | None,
    width: int | None,
    as_json: bool,
    **question: Any,
) -> None:
    """Measure robustness to corrupted inputs.

    Networks are compared with the best known ones of equal size. Inputs are corrupted
    in eight ways at five severities. Reported are accuracies under corruption; angle,
    length and margin of the last features; and how much the points that two methods
    get wrong overlap.
    """
    from spiral.methods import registry
    from spiral.report.studies.robustness import diagnosis, text

    wanted = diagnosis.Question(**question)
    found = diagnosis.diagnose(folders, registry.known(), wanted)
    if output:
        _draw("robustness", output, found=found, width=width)
    present(text.document(found), as_json)


@diagnose.command()
@folders
@click.option(
    "--temperature",
    metavar="OPTION",
    help="Use this option of one_shot as temperature [the one that varies most].",
)
@click.option("--width", type=int, help="Map networks of this width [the largest].")
@click.option(
    "--barrier",
    default=-0.02,
    show_default=True,
    help="Count retrainings below this connectivity as not connected.",
)
@click.option(
    "--alike",
    default=0.9,
    show_default=True,
    help="Count retrainings with at least this CKA as alike.",
)
@click.option(
    "--split",
    is_flag=True,
    help="Choose --alike by 2-means clustering of the cells' CKA.",
)
@click.option(
    "--every",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Measure on every N-th point.",
)
@of_task
@frontier
@click.option("-o", "--output", type=PLACE, help="Also draw the map to this file.")
@as_json
def regimes(
    folders: tuple[Path, ...],
    barrier: float,
    alike: float,
    output: Path | None,
    as_json: bool,
    **question: Any,
) -> None:
    """Map regimes of retraining over temperature and load (weights kept).

    Retrainings of one pruned network (method `one_shot`) are linearly connected or not,
    and alike or not in their outputs. Each cell also shows the accuracy gap to the best
    known network. The grid seeds/regimes trains them.
    """
    from spiral.methods import registry
    from spiral.report.studies.regimes import regime_map, text
    from spiral.report.studies.regimes.measure import Thresholds

    wanted = regime_map.Question(**question, thresholds=Thresholds(barrier, alike))
    found = regime_map.draw_map(folders, registry.options(), wanted)
    if output:
        _draw("regimes", output, found=found)
    present(text.document(found), as_json)


def _draw(name: str, output: Path, **given: Any) -> None:
    """Write a figure of the catalogue."""
    from spiral.report.figures import catalogue, style

    register_looks()
    style.save(catalogue.find(name).draw(**given), output)
