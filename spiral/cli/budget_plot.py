"""``plot budget``: what longer trainings change."""

from collections.abc import Sequence
from pathlib import Path

import click

from spiral.cli.results import output, plot


@plot.command("budget")
@click.argument(
    "folders", metavar="DIR…", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@output
def plot_budget(folders: Sequence[Path], output: Path | None) -> None:
    """Accuracy and entropy of outputs over the epochs trained, per weights kept."""
    from spiral.report import style, undertraining, undertraining_figures

    summary = undertraining.of_folders(folders)
    style.save(undertraining_figures.draw(summary), output or Path("budget.png"))
    click.echo(output or "budget.png")
