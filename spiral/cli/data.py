"""``data``: the results that are shipped."""

import click

from spiral.cli.options import as_json, show


@click.group()
def data() -> None:
    """List the shipped results, or locate one of them."""


@data.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the shipped summaries: what they are of, and who trained them.

    Commands that read a DIR take the names, too: `spiral-sweep compare standard`.
    """
    from spiral.results import data_sets
    from spiral.sweep.grid import shipped

    found = data_sets.shipped(shipped.descriptions())
    if as_json:
        show({"data": [each._asdict() for each in found]})
        return
    for each in found:
        size = f"{each.rows:>9,} rows {each.bytes / 1000:>7,.0f} KB"
        click.echo(f"{each.name:<17}{size}  {each.meaning}")


@data.command()
@click.argument("name")
@as_json
def path(name: str, as_json: bool) -> None:
    """Print the path of the shipped summary NAME, a Parquet file."""
    from spiral.results import summary

    found = str(summary.shipped(name))
    if as_json:
        show({"path": found})
    else:
        click.echo(found)
