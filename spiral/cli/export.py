"""``export``: rows of launches as runs of an experiment tracker."""

from pathlib import Path

import click

from spiral.cli.options import as_json, folders, show


@click.command()
@folders
@click.option(
    "--mlflow",
    "uri",
    required=True,
    metavar="URI",
    help="Tracking URI of MLflow: a server, or file:FOLDER.",
)
@click.option(
    "--experiment",
    default="spiral-sweep",
    show_default=True,
    help="Export to the experiment of this name.",
)
@click.option(
    "--each",
    type=click.Choice(["config", "group"]),
    default="config",
    show_default=True,
    help="Make a run of each config, or of configs that differ in seeds only, with "
    "their medians.",
)
@as_json
def export(
    folders: tuple[Path, ...], uri: str, experiment: str, each: str, as_json: bool
) -> None:
    """Export the rows of launches to an experiment tracker.

    Runs that are there are found by their config and not written again, so the
    command can be repeated while a launch goes on, and after an interruption. Needs
    the extra `spiral-sweep[mlflow]`.
    """
    from spiral import extras
    from spiral.methods import registry
    from spiral.report.trackers import mlflow, runs
    from spiral.results import load

    extras.require("mlflow", "an export to MLflow")
    rows = load.read(folders, registry.options(), runs.MORE).rows
    found = mlflow.export(runs.EACH[each](rows, registry.options()), uri, experiment)
    if as_json:
        show(found._asdict())
        return
    click.echo(
        f"{experiment}: {found.new:,} new runs, {found.changed:,} changed, "
        f"{found.same:,} exported before"
    )
