"""Options, shipped grids and JSON output that several commands share."""

import json
import re
from collections.abc import Collection, Sequence
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
    """A local path; the type of every path option and argument."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Reject URLs, from which a path would make a folder named ``s3:``."""
        try:
            refuse_address(str(value))
        except ConfigError as error:
            self.fail(str(error), param, ctx)
        return super().convert(value, param, ctx)


def refuse_address(text: str) -> None:
    """Raise ConfigError if the text is a URL rather than a path."""
    if ADDRESS.match(text):
        raise ConfigError(
            f"expected a local path, got the URL {text}; copy or mount its contents "
            "and give that path"
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

    return tuple(map(summary.located, given))


folders = click.argument(
    "folders",
    metavar="DIR…",
    nargs=-1,
    required=True,
    type=PLACE,
    callback=_places,
)
"""Results directories, summary files, or names of shipped summaries."""

sets = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of the grid; VALUE is written as in the file. Repeatable.",
)


sample = click.option(
    "--sample",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Use only this random share of the configs, e.g. 0.01; always the same ones.",
)

own_method = click.option(
    "--method",
    metavar="FILE:CLASS",
    help="Use this method instead of the grid's: my_file.py:MyMethod (executes the "
    "file), package.module:MyMethod, or the name of a built-in one.",
)


def shipped_grids() -> Path:
    """Return the folder of the grids that come with the package.

    The build copies sweeps/ to spiral/grids. A source tree (also when installed as
    editable) reads sweeps/ directly, so that no stale copy can be used.
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
        return path  # e.g. a folder: reading it raises the right error
    hint = spelling.suggest(name, known)
    raise ConfigError(
        f"expected a grid file or the name of a shipped grid, got {name}; {hint}"
    )


def load_grid(name: str, sets: Sequence[str], sample: float | None) -> "Grid":
    """Return an expanded grid, or a random share of it.

    Raises:
        ConfigError: Lists every mistake; or the share contains no config.
    """
    from spiral.sweep.grid import grid as grid_file

    grid = grid_file.load(find_grid(name), sets)
    if sample is not None:
        grid = grid_file.sample(grid, sample)
        if grid.configs.empty:
            raise ConfigError(
                f"{name}: --sample {sample} selects no config; give a larger share"
            )
    return grid


def check_names(
    kind: str, names: Sequence[str], known: Collection[str], words: spelling.Words
) -> None:
    """Raise ConfigError, with a suggestion for each, if some names are unknown."""
    unknown = [
        f"{kind} {name!r} unknown; {spelling.suggest(name, known, words)}"
        for name in names
        if name not in known
    ]
    if unknown:
        raise ConfigError("\n".join(unknown))


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
    """Give the figures the methods' colours and markers; figures import no method."""
    from spiral.methods import registry
    from spiral.report.figures import style

    style.register(registry.looks())
