"""``summary``: write the rows of a launch without networks to one small file."""

from pathlib import Path

import click

from spiral.cli.options import PLACE, as_json, folder, show

MORE = ("loss", "entropy", "running_loss")
"""Optional columns: those of ``undertraining.MORE``, without importing it."""


@click.command()
@folder
@click.option(
    "-o",
    "--output",
    required=True,
    type=PLACE,
    help="Write to this .parquet file; `compare` reads it instead of DIR.",
)
@click.option(
    "--with",
    "more",
    type=click.Choice(MORE),
    multiple=True,
    help="Also keep this column; `plot budget` needs all three. Repeatable.",
)
@as_json
def summary(out: Path, output: Path, more: tuple[str, ...], as_json: bool) -> None:
    """Write the rows of a launch without networks.

    The file has neither masks nor weights and is about a hundred times smaller. --json
    prints the file, the number of rows and the size in bytes.
    """
    from spiral.results import summary

    count = summary.write(out, output, more)
    size = output.stat().st_size
    if as_json:
        show({"file": str(output), "rows": count, "bytes": size})
    else:
        click.echo(f"{output}: {count:,} rows, {size / 1000:,.0f} KB")
