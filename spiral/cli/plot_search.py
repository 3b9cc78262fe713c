"""``plot frontier|success|networks``: figures of the search."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.frontier import file, size
from spiral.cli.options import folder
from spiral.cli.plots import output, plot, save


@plot.command("frontier")
@size("nnz_params")
@file
@output
def plot_frontier(by: Any, path: Path | None, output: Path | None) -> None:
    """Best accuracy known over size."""
    from spiral.report.figures import layout, search
    from spiral.search import best_known

    table = best_known.load(path)
    best = {kind: best_known.best(table, kind, by) for kind in search.KINDS}
    figure = layout.draw(
        lambda axes: search.frontier(axes, best, by, best_known.THRESHOLDS)
    )
    save(figure, output, "frontier")


@plot.command("success")
@folder
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=float,
    help="Accuracy to reach [0.8, 0.9, 0.95]. Repeatable.",
)
@output
def plot_success(out: Path, levels: tuple[float, ...], output: Path | None) -> None:
    """Share of the trainings of given masks that succeed, over their weights."""
    from spiral.report.figures import layout, search
    from spiral.report.stats import success
    from spiral.results import read

    rows = read.read(out, success.COLUMNS)
    shares = success.over_nnz(rows, levels or (0.8, 0.9, 0.95))
    figure = layout.draw(lambda axes: search.success(axes, shares))
    save(figure, output, "success")


@plot.command("networks")
@click.option("--nnz", default="", help="Sizes, as 10,16 [the smallest per threshold].")
@click.option("--neurons", is_flag=True, help="Show what each neuron computes.")
@file
@output
def plot_networks(
    nnz: str, neurons: bool, path: Path | None, output: Path | None
) -> None:
    """Networks of the frontier as graphs, with their decision boundaries."""
    import numpy as np

    from spiral.report.figures import search
    from spiral.report.figures.networks import Drawn
    from spiral.search import best_known, network

    table = best_known.load(path)
    leaders = best_known.leaders(table)
    optima = [best_known.optimum(table, level) for level in best_known.THRESHOLDS]
    try:
        sizes = [int(size) for size in nnz.split(",")] if nnz else optima
    except ValueError:
        raise click.UsageError(f"--nnz: expected sizes as 10,16, got {nnz!r}") from None
    chosen = leaders[leaders["nnz"].isin([size for size in sizes if size])]
    if chosen.empty:
        known = ", ".join(map(str, leaders["nnz"]))
        raise click.UsageError(f"no leader of these sizes; there are {known}")
    drawn = [
        Drawn(
            f"{row['nnz']} weights, {row['nnz_params']} parameters\n"
            f"accuracy {row['accuracy']:.4f}",
            *network.unpacked(row["matrices"], np.asarray(row["params"])),
        )
        for row in chosen.to_dict("records")
    ]
    gallery = search.inside if neurons else search.gallery
    save(gallery(drawn), output, "networks")
