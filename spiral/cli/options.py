"""What several commands share: options, shipped grids, JSON."""

import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral import spelling
from spiral.errors import ConfigError

if TYPE_CHECKING:
    from spiral.report.text.document import Document
    from spiral.sweep.grid.grid import Grid


class Place(click.Path):
    """A path on this machine, as every option and argument takes it."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Refuse addresses, of which a path would make a folder named ``s3:``."""
        try:
            refuse_address(str(value))
        except ConfigError as error:
            self.fail(str(error), param, ctx)
        return super().convert(value, param, ctx)


def refuse_address(text: str) -> None:
    """Raise ConfigError if a text is an address rather than a path."""
    if ADDRESS.match(text):
        raise ConfigError(
            f"expected a path on this machine, got the address {text}; copy or mount "
            "what is there and give its path"
        )


ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
PLACE = Place(path_type=Path)

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document."
)
folder = click.argument("out", metavar="DIR", type=PLACE)


def _places(
    _: click.Context, __: click.Parameter, given: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Replace the name of a shipped summary by its file."""
    from spiral.results import summary

    known = summary.names()
    return tuple(
        summary.shipped(str(place))
        if str(place) in known and not place.exists()
        else place
        for place in given
    )


folders = click.argument(
    "folders",
    metavar="DIR…",
    nargs=-1,
    required=True,
    type=PLACE,
    callback=_places,
)
"""Results directories, summaries of some, or names of those that are shipped."""

sets = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace a key of the grid, written as in the file. Repeatable.",
)


sample = click.option(
    "--sample",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Only a random share of the configs, the same every time: 0.01.",
)

own_method = click.option(
    "--method",
    metavar="FILE:CLASS",
    help="This method in place of the grid's: my_file.py:MyMethod (loads the file), "
    "one of an installed package, or a known one.",
)


def shipped_grids() -> Path:
    """Return the folder of the grids that come with the package.

    The build copies sweeps/ to spiral/grids. A checkout, also one that is installed as
    editable, has no copy that could fall behind: its grids are read where they lie.
    """
    package = Path(str(resources.files("spiral")))
    built = package / "grids"
    return built if built.is_dir() else package.parent / "sweeps"


def grid_files() -> dict[str, Path]:
    """Return the grids that come with the package, by name."""
    root = shipped_grids()
    return {
        str(path.relative_to(root).with_suffix("")): path
        for path in sorted(root.rglob("*.yaml"))
    }


def find_grid(name: str) -> Path:
    """Return a grid file by path, or one that comes with the package by name."""
    refuse_address(name)
    path = Path(name)
    if path.is_file():
        return path
    known = grid_files()
    if name in known:
        return known[name]
    if path.exists():
        return path  # a folder, for example: reading it raises the error
    hint = spelling.suggest(name, known)
    raise ConfigError(f"{name}: no such file, and no shipped grid; {hint}")


def load_grid(name: str, sets: Sequence[str], sample: float | None) -> "Grid":
    """Return an expanded grid, or a share of it.

    Raises:
        ConfigError: With every mistake; or nothing is left of it.
    """
    from spiral.sweep.grid import grid as grid_file

    grid = grid_file.load(find_grid(name), sets)
    if sample is not None:
        grid = grid_file.sample(grid, sample)
        if grid.configs.empty:
            raise ConfigError(f"{name}: --sample {sample} leaves none of its configs")
    return grid


def show(document: dict[str, Any]) -> None:
    """Print a JSON document."""
    click.echo(json.dumps({"schema": 1, **document}, indent=1))


def present(
    document: "Document", as_json: bool, names: Sequence[str] | None = None
) -> None:
    """Print a document: all of it as JSON, or some of its tables for people."""
    from spiral.report.text import document as documents

    if as_json:
        show(documents.as_json(document))
    else:
        click.echo(documents.render(document, names))


def register_looks() -> None:
    """Hand the registry's colours and markers to figures, which know no methods."""
    from spiral.methods import registry
    from spiral.report.figures import style

    style.register(registry.looks())
