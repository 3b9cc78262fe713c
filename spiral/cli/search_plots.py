"""``plot frontier|success|networks``: figures of the search."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.common import folder
from spiral.cli.frontier import file, size
from spiral.cli.results import output, plot


@plot.command("frontier")
@size("nnz_params")
@file
@output
def plot_frontier(by: Any, path: Path | None, output: Path | None) -> None:
    """Best accuracy known over size."""
    from spiral.report import figures, search_figures, style
    from spiral.search import frontier

    table = frontier.load(path)
    best = {kind: frontier.best(table, kind, by) for kind in search_figures.KINDS}
    figure = figures.draw(
        lambda axes: search_figures.frontier(axes, best, by, frontier.THRESHOLDS)
    )
    style.save(figure, output or Path("frontier.png"))
    click.echo(output or "frontier.png")


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
    from spiral.report import figures, results, search_figures, style, success

    rows = results.read(out, success.COLUMNS)
    shares = success.over_nnz(rows, levels or (0.8, 0.9, 0.95))
    figure = figures.draw(lambda axes: search_figures.success(axes, shares))
    style.save(figure, output or Path("success.png"))
    click.echo(output or "success.png")


@plot.command("networks")
@click.option("--nnz", default="", help="Sizes, as 10,16 [the smallest per threshold].")
@file
@output
def plot_networks(nnz: str, path: Path | None, output: Path | None) -> None:
    """Networks of the frontier as graphs, with their decision boundaries."""
    import numpy as np

    from spiral.report import search_figures, style
    from spiral.search import frontier, network

    table = frontier.load(path)
    leaders = frontier.leaders(table)
    optima = [frontier.optimum(table, level) for level in frontier.THRESHOLDS]
    try:
        sizes = [int(size) for size in nnz.split(",")] if nnz else optima
    except ValueError:
        raise click.UsageError(f"--nnz: expected sizes as 10,16, got {nnz!r}") from None
    chosen = leaders[leaders["nnz"].isin([size for size in sizes if size])]
    if chosen.empty:
        known = ", ".join(map(str, leaders["nnz"]))
        raise click.UsageError(f"no leader of these sizes; there are {known}")
    drawn = [
        search_figures.Drawn(
            f"{row['nnz']} weights, {row['nnz_params']} parameters\n"
            f"accuracy {row['accuracy']:.4f}",
            *network.unpacked(row["matrices"], np.asarray(row["params"])),
        )
        for row in chosen.to_dict("records")
    ]
    style.save(search_figures.gallery(drawn), output or Path("networks.png"))
    click.echo(output or "networks.png")
