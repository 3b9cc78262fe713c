"""``tasks``: the data sets that networks can be trained on."""

import click

from spiral.cli.options import as_json, show


@click.command()
@click.argument("names", nargs=-1, metavar="[TASK]...")
@as_json
def tasks(names: tuple[str, ...], as_json: bool) -> None:
    """List the shipped tasks: points, shares of the classes, meaning, parameters.

    With TASKs, list these, as a grid names them: moons, "cubist(turns=3, sides=6)",
    or a file of your own points (.npz, .csv or .parquet).
    """
    from spiral.tasks import listing

    every = listing.listed(names)
    if as_json:
        show({"tasks": [task._asdict() for task in every]})
        return
    for task in every:
        shares = " / ".join(f"{share:.0%}" for share in task.shares)
        click.echo(
            f"{task.name:<13} {task.points:>9,} points  {shares}  {task.meaning}"
        )
        for parameter in task.parameters:
            setting = f"{parameter['name']}={parameter['value']}"
            legal = f"({parameter['legal']})"
            click.echo(f"    {setting:<14} {parameter['meaning']} {legal}")
        if task.suffices:
            click.echo(f"    {task.suffices} weights suffice for every point")
