"""Options, checks and output that several commands share."""

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral import paths, spelling
from spiral.errors import ConfigError

if TYPE_CHECKING:
    from spiral.report.text.document import Document


class Place(click.Path):
    """A local path; the type of path options and arguments."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Reject URLs."""
        try:
            paths.refuse_url(str(value))
        except ConfigError as error:
            self.fail(str(error), param, ctx)
        return super().convert(value, param, ctx)


class Results(Place):
    """A results directory: a local path, or one in a bucket."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return a path, which for a bucket's URL knows how to read it."""
        from spiral.results import buckets

        try:
            place = buckets.at(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)
        if isinstance(place, buckets.InBucket):
            return place
        return super().convert(value, param, ctx)


PLACE = Place(path_type=Path)
RESULTS = Results(path_type=Path)

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document."
)
folder = click.argument("out", metavar="DIR", type=RESULTS)


def places(
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
    type=RESULTS,
    callback=places,
)
"""Results directories, summary files, or names of shipped summaries."""

of_task = click.option(
    "--task",
    metavar="NAME",
    help="Use only the rows of this task; needed where DIR has those of several. A "
    "file may be named without its folder.",
)


def _canonical(_: click.Context, __: click.Parameter, text: str) -> str:
    """Return the canonical name of a task."""
    from spiral.tasks import catalogue

    return catalogue.canonical(text)


def task(text: str) -> Callable[..., Any]:
    """Return the option that names a task, given what it is for."""
    return click.option(
        "--task",
        metavar="NAME",
        default="cubist",
        show_default=True,
        callback=_canonical,
        help=f"{text} (`spiral-sweep tasks`, or a file of points).",
    )


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


def check_names(
    kind: str, names: Sequence[str], known: Collection[str], words: spelling.Words
) -> None:
    """Raise ConfigError, with a suggestion for each, if some names are unknown."""
    unknown = [
        f"unknown {kind} {name!r}; {spelling.suggest(name, known, words)}"
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
