"""``plot budget``: what longer trainings change."""

from collections.abc import Sequence
from pathlib import Path

from spiral.cli.common import folders
from spiral.cli.plots import output, plot, save


@plot.command("budget")
@folders
@output
def plot_budget(folders: Sequence[Path], output: Path | None) -> None:
    """Accuracy and entropy of outputs over the epochs trained, per weights kept."""
    from spiral.report import undertraining, undertraining_figures

    summary = undertraining.of_folders(folders)
    save(undertraining_figures.draw(summary), output, "budget")
