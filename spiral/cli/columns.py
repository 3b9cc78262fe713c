"""``columns``: what the columns of rows mean."""

import click

from spiral import spelling
from spiral.cli.options import as_json, check_names, show


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_json
def columns(names: tuple[str, ...], as_json: bool) -> None:
    """List the columns of result files: name, type, unit and meaning.

    With NAMEs, list only these columns. Options of methods are listed with the methods
    that have them.
    """
    from spiral.methods.registry import options
    from spiral.results.columns import explained

    every = explained(options())
    known = list(dict.fromkeys(column.name for column in every))
    check_names("column", names, known, spelling.KEYS)
    chosen = [column for column in every if column.name in (names or known)]
    if as_json:
        show({"columns": [column._asdict() for column in chosen]})
        return
    for name, kind, unit, meaning, methods in chosen:
        users = "" if methods is None else f" ({', '.join(methods)})"
        click.echo(f"{name:<15} {kind:<9} {unit:<11} {meaning}{users}")
