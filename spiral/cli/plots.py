"""``plot``: the figures of the catalogue, a command for each."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from spiral.cli import frontier as frontier_command
from spiral.cli.options import (
    PLACE,
    folder,
    folders,
    of_task,
    register_looks,
    show,
)
from spiral.cli.questions import frontier, thresholds, tuning, which

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spiral.report.figures.entry import Entry, Option

    Command = Callable[..., None]
    Decorator = Callable[[Command], Command]


class Numbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers separated by commas."""

    name = "numbers"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """Read them."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in value.split(","))
        except ValueError:
            return self.fail(
                f"expected whole numbers like 3,16, got {value!r}", param, ctx
            )


output = click.option(
    "-o", "--output", type=PLACE, help="Write the figure to this file [NAME.png]."
)
json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document: figure, file, caption.",
)


def _of_rows(command: "Command") -> "Command":
    """Read the rows of folders for a command, with the options of a comparison."""

    @folders
    @thresholds
    @which
    @tuning
    @frontier
    @wraps(command)
    def reading(folders: tuple[Path, ...], **options: Any) -> None:
        from spiral.methods import registry
        from spiral.report.figures import rows
        from spiral.report.stats import compare

        tuned = ("seed_split", "each_size", "equal_settings")
        named = ("thresholds", "where", "frontier", *tuned)
        asked = {name: options.pop(name) for name in named}
        question = compare.Question(**asked)
        source = rows.read(folders, registry.known(), question)
        command(source=source, **options)

    return reading


def _of_tasks_rows(command: "Command") -> "Command":
    """Read the rows of folders, of several tasks, for a command."""

    @folders
    @which
    @tuning
    @wraps(command)
    def reading(folders: tuple[Path, ...], **options: Any) -> None:
        from spiral.methods import registry
        from spiral.report.stats import compare, transfer

        named = ("where", "seed_split", "each_size", "equal_settings")
        asked = {name: options.pop(name) for name in named}
        question = compare.Question(**asked)
        found = transfer.of_folders(folders, registry.known(), question)
        command(found=found, **options)

    return reading


def _of_budgets(command: "Command") -> "Command":
    """Name the folders and rows of a command, which also gets the methods known."""

    @folders
    @which
    @wraps(command)
    def knowing(**options: Any) -> None:
        from spiral.methods import registry

        command(methods=registry.known(), **options)

    return knowing


def _of_network(command: "Command") -> "Command":
    """Name one network of a results directory."""
    return folder(click.argument("config_id", metavar="ID")(command))


def _of_trainings(command: "Command") -> "Command":
    """Name the results directory of a search, and a task of its rows."""
    return folder(of_task(command))


def _of_frontier(command: "Command") -> "Command":
    """Name a frontier: its file, and its task."""
    return frontier_command.file(frontier_command.task(command))


_of_tasks = click.argument("names", nargs=-1, metavar="[TASK]...")

INPUTS: dict[str, "Decorator"] = {
    "rows": _of_rows,
    "transfer": _of_tasks_rows,
    "budgets": _of_budgets,
    "network": _of_network,
    "trainings": _of_trainings,
    "frontier": _of_frontier,
    "tasks": _of_tasks,
}
"""The arguments of a figure's command, by where its numbers come from."""

MORE = {
    "network": "ID is the beginning of a config_id, or METHOD@KEEP for the best "
    "network of a method and size.",
    "tasks": "TASKs are named as in a grid; by default all shipped ones are drawn.",
}
"""A sentence that the help of such a command adds."""

KINDS: dict[str, dict[str, Any]] = {
    "sizes": {"type": Numbers(), "default": ()},
    "size": {"type": int},
    "levels": {"type": float, "multiple": True},
    "flag": {"is_flag": True},
    "count": {
        "type": click.Choice(["nnz", "nnz_params"]),
        "default": "nnz_params",
        "show_default": True,
    },
}
"""The types of a figure's options."""


def _option(option: "Option") -> "Decorator":
    """Return an option of a figure as one of its command."""
    names = (f"--{option.name}", option.parameter)
    return click.option(
        *names, help=option.help, metavar=option.example, **KINDS[option.kind]
    )


def _command(entry: "Entry") -> click.Command:
    """Return the command that draws a figure."""

    def draw(output: Path | None, as_json: bool, **given: Any) -> None:
        _save(entry.draw(**given), output or Path(f"{entry.name}.png"), entry, as_json)

    command = output(json(draw))
    for option in reversed(entry.options):
        command = _option(option)(command)
    command = INPUTS[entry.takes](command)
    texts = [entry.shows, MORE.get(entry.takes, "")]
    return click.command(entry.name, help="\n\n".join(texts), short_help=entry.title)(
        command
    )


def _save(figure: "Figure", path: Path, entry: "Entry", as_json: bool) -> None:
    """Write a figure and print where it is."""
    from spiral.report.figures import style

    style.save(figure, path)
    if as_json:
        caption = " ".join(figure.get_supxlabel().split())
        show({"figure": entry.name, "file": str(path), "caption": caption})
    else:
        click.echo(path)


class Figures(Mapping[str, click.Command]):
    """The commands of the catalogue, loaded when one is needed.

    The catalogue imports matplotlib, for which the help of other commands need not
    wait. Former names of figures work but are not listed.
    """

    def __getitem__(self, name: str) -> click.Command:
        """Return the command of a figure."""
        from spiral.report.figures import catalogue

        entry = catalogue.find(name)
        if entry.takes not in INPUTS:
            raise KeyError(name)  # a study's: `diagnose` draws it
        return _command(entry)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of figures."""
        from spiral.report.figures import catalogue

        return (e.name for e in catalogue.FIGURES if e.takes in INPUTS)

    def __len__(self) -> int:
        """Return how many figures there are."""
        return sum(1 for _ in self)


@click.group(commands=cast("Any", Figures()))
def plot() -> None:
    """Draw figures (png, svg or pdf)."""
    register_looks()
