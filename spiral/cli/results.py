"""``status``, ``verify``, ``plot``: look at a results directory."""

from dataclasses import asdict
from pathlib import Path

import click

from spiral.cli.common import as_json, folder, show


@click.command()
@folder
@as_json
def status(out: Path, as_json: bool) -> None:
    """Show how far a launch is; works while it runs."""
    from spiral.sweep.status import status

    state = asdict(status(out))
    if as_json:
        show(state)
        return
    click.echo(f"configs  {state['done']:,} of {state['configs']:,} done")
    click.echo(f"packs    {state['packs_done']:,} of {state['packs']:,} done")
    for pack, error in state["errors"].items():
        click.echo(f"failed   {pack}: {error}")


@click.command()
@folder
@as_json
def verify(out: Path, as_json: bool) -> None:
    """Read every result byte by byte; exit 4 if anything is damaged."""
    from spiral.sweep.status import verify

    verdict = verify(out)
    if as_json:
        show(asdict(verdict))
    else:
        click.echo(f"rows     {verdict.rows:,}")
        click.echo(f"missing  {verdict.missing:,}")
        for name, reason in verdict.reasons.items():
            click.echo(f"corrupt  {name}: {reason}")
    if not verdict.sound:
        click.echo(
            "error: not everything is sound; move foreign files elsewhere, then "
            "`spiral-sweep launch` redoes damaged packs",
            err=True,
        )
        raise SystemExit(4)


@click.group()
def plot() -> None:
    """Draw figures (png, svg or pdf)."""


output = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File [KIND.png]."
)


@plot.command("accuracy")
@folder
@output
def plot_accuracy(out: Path, output: Path | None) -> None:
    """Accuracy over the weights kept, per method."""
    from spiral.report import compare, figures, gather, style

    summary = compare.over_size(gather.read([out]).rows)
    figure = figures.draw(lambda axes: figures.accuracy_over_keep(axes, summary))
    style.save(figure, output or Path("accuracy.png"))
    click.echo(output or "accuracy.png")


@plot.command("boundary")
@folder
@click.argument("config_id", metavar="ID")
@output
def plot_boundary(out: Path, config_id: str, output: Path | None) -> None:
    """Decision boundary of one network.

    ID is the beginning of a config_id, or METHOD@KEEP for the best such network.
    """
    from spiral import rows
    from spiral.report import figures, results, style

    row = results.find(out, config_id)
    _, params = rows.params_of(row)
    title = (
        f"{row['method']}, width {row['width']}: {row['nnz']} weights "
        f"({row['effective_nnz']} on a path), accuracy {row['accuracy']:.4f}"
    )
    figure = figures.draw(
        lambda axes: figures.boundary(axes, params, int(row["width"]), title), 5.5, 5.5
    )
    style.save(figure, output or Path("boundary.png"))
    click.echo(output or "boundary.png")
