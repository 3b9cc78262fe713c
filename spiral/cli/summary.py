"""``summary``: the rows of a launch without networks, in one small file."""

from pathlib import Path

import click

from spiral.cli.options import PLACE, as_json, folder, show

MORE = ("loss", "entropy", "running_loss")
"""What may be kept: as ``undertraining.MORE``, without its import."""


@click.command()
@folder
@click.option(
    "-o",
    "--output",
    required=True,
    type=PLACE,
    help="File (.parquet); `compare` reads it in place of the folder.",
)
@click.option(
    "--with",
    "more",
    type=click.Choice(MORE),
    multiple=True,
    help="Keep this too, as `plot budget` needs all three. Repeatable.",
)
@as_json
def summary(out: Path, output: Path, more: tuple[str, ...], as_json: bool) -> None:
    """Write the rows of a launch without masks and weights: a hundredth of its size.

    --json prints file, rows and bytes.
    """
    from spiral.results import summary

    count = summary.write(out, output, more)
    size = output.stat().st_size
    if as_json:
        show({"file": str(output), "rows": count, "bytes": size})
    else:
        click.echo(f"{output}: {count:,} rows, {size / 1000:,.0f} KB")
