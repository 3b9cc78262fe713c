"""``grid``: grids from the sweep files of other tools."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from spiral.cli.options import PLACE, as_json, show
from spiral.errors import ConfigError

if TYPE_CHECKING:
    from spiral.sweep.grid.imports.writing import Imported


@click.group()
def grid() -> None:
    """Convert sweep files of other tools to grids."""


@grid.command("import")
@click.argument("file", type=PLACE)
@click.option(
    "-o", "--output", type=PLACE, help="Write the grid to this new file [stdout]."
)
@as_json
def import_(file: Path, output: Path | None, as_json: bool) -> None:
    """Convert a W&B sweep or a Hydra multirun sweep to a grid to edit.

    Maps the keys that have a counterpart, by the names that papers and libraries use,
    and lists every other key with its place. Sparsities become numbers of weights.
    Distributions without a list of values are never sampled: the grid suggests values
    in a comment. Nothing in FILE is executed.
    """
    from spiral.sweep.grid.imports import writing

    found = writing.read(file)
    if output is not None:
        _write(output, found.text)
    if as_json:
        mapped = [one._asdict() for one in found.mapped]
        left = [one._asdict() for one in found.left]
        show(found._asdict() | {"mapped": mapped, "left": left})
        return
    if output is None:
        click.echo(found.text, nl=False)
    for line in _report(found):
        click.echo(line, err=True)


def _write(output: Path, text: str) -> None:
    """Write a new file; one that is there may have been edited."""
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(
            f"-o {output}: expected a new file, got one that exists; give another name"
        ) from None


def _report(found: "Imported") -> list[str]:
    """Return what was mapped, and what was not."""
    from spiral.sweep.grid.imports import writing

    lines = [
        f"{one.name or 'added'} → {one.field}: {writing.values(one.values)}"
        + (one.note and f" ({one.note})")
        for one in found.mapped
    ]
    if found.left:
        lines += ["without counterpart:"]
        lines += [f"  {one.place}: {one.name}: {one.why}" for one in found.left]
    if found.mistakes:
        lines += ["the grid needs editing:", *(f"  {each}" for each in found.mistakes)]
    return lines
