"""``plot``: figures of the rows of launches."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.options import PLACE, folder, folders, register_looks, show
from spiral.cli.questions import frontier, honest, thresholds, which

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spiral.report.figures.catalogue import Source


JSON = f"{__name__}.json"
"""Where a command's context keeps whether it prints JSON."""


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
            return self.fail(f"expected numbers, as 3,16, got {value!r}", param, ctx)


def output(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where a figure goes and how that is printed."""
    command = click.option("-o", "--output", type=PLACE, help="File [KIND.png].")(
        command
    )
    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Print one JSON document: figure, file, caption.",
    )(command)


def _remember(ctx: click.Context, _: click.Parameter, as_json: bool) -> None:
    """Leave it to :func:`save`, which all commands call, how its file is printed."""
    ctx.meta[JSON] = as_json


widths = click.option(
    "--width",
    "widths",
    type=Numbers(),
    default=(),
    metavar="3,16,…",
    help="Only these widths.",
)


def source(command: Callable[..., None]) -> Callable[..., None]:
    """Read the rows of folders for a command, with the options of a comparison."""

    @folders
    @thresholds
    @which
    @honest
    @frontier
    @output
    @wraps(command)
    def reading(folders: tuple[Path, ...], output: Path | None, **options: Any) -> None:
        from spiral.report.figures import catalogue
        from spiral.report.stats import compare

        named = ("thresholds", "where", "honest", "frontier")
        asked = {name: options.pop(name) for name in named}
        rows = catalogue.read(folders, compare.Question(**asked))
        command(rows, output=output, **options)

    return reading


@click.group()
def plot() -> None:
    """Draw figures (png, svg or pdf)."""
    register_looks()


def save(figure: "Figure", output: Path | None, kind: str) -> None:
    """Write a figure and say where it is."""
    from spiral.report.figures import style

    path = output or Path(f"{kind}.png")
    style.save(figure, path)
    if click.get_current_context().meta[JSON]:
        caption = " ".join(figure.get_supxlabel().split())
        show({"figure": kind, "file": str(path), "caption": caption})
    else:
        click.echo(path)


@plot.command("accuracy")
@widths
@source
def accuracy(source: "Source", widths: tuple[int, ...], output: Path | None) -> None:
    """Accuracy over the weights kept, per method, with the best networks known."""
    from spiral.report.figures import catalogue

    save(catalogue.accuracy(source, widths), output, "accuracy")


@plot.command("width")
@click.option(
    "--keep",
    "keeps",
    type=Numbers(),
    default=(),
    metavar="20,26,…",
    help="Sizes, a panel each [six of those there are].",
)
@source
def over_width(source: "Source", keeps: tuple[int, ...], output: Path | None) -> None:
    """Accuracy over width, per method: what overparameterisation does."""
    from spiral.report.figures import catalogue

    save(catalogue.over_width(source, keeps), output, "width")


@plot.command("connected")
@widths
@source
def connected(source: "Source", widths: tuple[int, ...], output: Path | None) -> None:
    """Share of connected networks, and weights on a path, over the weights kept."""
    from spiral.report.figures import catalogue

    save(catalogue.connected(source, widths), output, "connected")


@plot.command("gaps")
@widths
@source
def gaps(source: "Source", widths: tuple[int, ...], output: Path | None) -> None:
    """Ranking: weights over the optimum that each method needs, with intervals."""
    from spiral.report.figures import catalogue

    save(catalogue.ranking(source, widths), output, "gaps")


@plot.command("fixed")
@source
def fixed(source: "Source", output: Path | None) -> None:
    """Pruners from fixed initial weights against the best network those contain."""
    from spiral.report.figures import catalogue

    save(catalogue.from_fixed(source), output, "fixed")


@plot.command("fidelity")
@source
def fidelity(source: "Source", output: Path | None) -> None:
    """How probably the exact algorithm beats the paper's code, seed by seed."""
    from spiral.report.figures import catalogue

    save(catalogue.fidelity(source), output, "fidelity")


@plot.command("pairs")
@click.option("--keep", type=int, help="Size [the usual one next to the optimum].")
@source
def pairs(source: "Source", keep: int | None, output: Path | None) -> None:
    """Decision maps of each method's best network, beside the best one known."""
    from spiral.report.figures import catalogue

    save(catalogue.best_maps(source, keep), output, "pairs")


@plot.command("boundary")
@folder
@click.argument("config_id", metavar="ID")
@output
def boundary(out: Path, config_id: str, output: Path | None) -> None:
    """Decision boundary of one network.

    ID is the beginning of a config_id, or METHOD@KEEP for the best such network.
    """
    from spiral.report.figures import layout, maps

    one = _network(out, config_id)
    figure = layout.draw(
        lambda axes: maps.boundary(axes, one.params, one.width, one.title),
        5.5,
        5.5,
    )
    save(figure, output, "boundary")


@plot.command("neurons")
@folder
@click.argument("config_id", metavar="ID")
@output
def neurons(out: Path, config_id: str, output: Path | None) -> None:
    """One network as a graph of maps: where in the plane each neuron is active.

    ID is the beginning of a config_id, or METHOD@KEEP for the best such network.
    """
    from spiral.report.figures import search

    save(search.inside([_network(out, config_id)]), output, "neurons")


def _network(out: Path, config_id: str) -> Any:
    """Return one network to draw."""
    from spiral.report.figures.networks import Drawn
    from spiral.results import columns, read

    row = read.find(out, config_id)
    title = (
        f"{row['method']}, width {row['width']}: {row['nnz']} weights "
        f"({row['effective_nnz']} on a path), accuracy {row['accuracy']:.4f}"
    )
    return Drawn(title, *columns.params_of(row), int(row["width"]))
