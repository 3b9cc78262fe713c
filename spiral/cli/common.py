"""What several commands share: options, shipped grids, JSON."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import click

from spiral.errors import ConfigError

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document."
)
folder = click.argument("out", metavar="DIR", type=click.Path(path_type=Path))
sets = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace a key of the grid, written as in the file. Repeatable.",
)


def grid_files() -> dict[str, Path]:
    """Return the grids that come with the package, by name."""
    root = Path(str(resources.files("spiral"))) / "grids"
    return {
        str(path.relative_to(root).with_suffix("")): path
        for path in sorted(root.rglob("*.yaml"))
    }


def find_grid(name: str) -> Path:
    """Return a grid file by path, or one that comes with the package by name."""
    path = Path(name)
    if path.is_file():
        return path
    known = grid_files()
    if name in known:
        return known[name]
    if path.exists():
        return path  # a folder, say: reading it says what is wrong
    raise ConfigError(
        f"{name}: no such file, and no shipped grid; those are {', '.join(known)}"
    )


def show(document: dict[str, Any]) -> None:
    """Print a JSON document."""
    click.echo(json.dumps({"schema": 1, **document}, indent=1))
