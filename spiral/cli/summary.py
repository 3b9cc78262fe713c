"""``summary``: write the rows of a launch without networks to one small file."""

from pathlib import Path

import click

from spiral.cli.options import PLACE, as_json, folders, show
from spiral.cli.search import read_goal, reads

MORE = ("loss", "entropy", "running_loss")
"""Optional columns: those of ``undertraining.MORE``, without importing it."""


@click.command()
@folders
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
@click.option(
    "--networks",
    metavar="N:A",
    callback=reads(read_goal),
    help="Also keep the networks of at most N weights that reach accuracy A.",
)
@as_json
def summary(
    folders: tuple[Path, ...],
    output: Path,
    more: tuple[str, ...],
    networks: tuple[int, float] | None,
    as_json: bool,
) -> None:
    """Write the rows of launches to one small file, without networks.

    The file has no masks and weights, but for those that --networks asks for, and is
    about a hundred times smaller. A DIR may also be a summary, so that those of the
    shards of a launch become one. --json prints the file, the number of rows and the
    size in bytes.
    """
    from spiral.results import summary

    hits = None if networks is None else summary.Hits(*networks)
    count = summary.write(folders, output, more, hits)
    size = output.stat().st_size
    if as_json:
        show({"file": str(output), "rows": count, "bytes": size})
    else:
        click.echo(f"{output}: {count:,} rows, {size / 1000:,.0f} KB")
