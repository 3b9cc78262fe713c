"""``plot budget``: what longer trainings change."""

from collections.abc import Sequence
from pathlib import Path

from spiral.cli.options import folders
from spiral.cli.plots import output, plot, save
from spiral.cli.questions import which


@plot.command("budget")
@folders
@which
@output
def plot_budget(
    folders: Sequence[Path], where: dict[str, list[str]], output: Path | None
) -> None:
    """Accuracy and entropy of outputs over the epochs trained, per weights kept."""
    from spiral.report.figures import undertraining as undertraining_figures
    from spiral.report.stats import undertraining

    summary = undertraining.of_folders(folders, where)
    save(undertraining_figures.draw(summary), output, "budget")
