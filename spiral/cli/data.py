"""``data``: the results that are shipped."""

import click

from spiral.cli.options import as_json, show


@click.group()
def data() -> None:
    """List the shipped results, or locate one of them."""


@data.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the shipped summaries with their contents, and the other shipped files.

    Commands that read a DIR take the names of summaries: `spiral-sweep compare
    standard`.
    """
    from spiral.results import data_sets
    from spiral.sweep.grid import shipped

    found = data_sets.shipped(shipped.descriptions())
    others = {name: path.stat().st_size for name, path in data_sets.others().items()}
    if as_json:
        show({"data": [each._asdict() for each in found], "others": others})
        return
    for each in found:
        about = f"{each.rows:>9,} rows {each.bytes / 1000:>7,.0f} KB"
        click.echo(f"{each.name:<17}{about}  {each.meaning}")
    for name, size in others.items():
        click.echo(f"{name:<31} {size / 1000:>7,.0f} KB")


@data.command()
@click.argument("name")
@as_json
def path(name: str, as_json: bool) -> None:
    """Print the path of the shipped file NAME."""
    from spiral.results import data_sets

    found = str(data_sets.file(name))
    if as_json:
        show({"path": found})
    else:
        click.echo(found)
