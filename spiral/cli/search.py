"""``search``: count and train masks up to renumbering hidden units."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.options import as_json, show

if TYPE_CHECKING:
    from spiral.search.shape import Shape


def reads(read: Callable[[str], Any]) -> Callable[..., Any]:
    """Return a callback that parses an option and reports ValueErrors as usage."""

    def callback(_: click.Context, __: click.Parameter, text: Any) -> Any:
        try:
            if isinstance(text, tuple):  # the option may be repeated
                return [read(part) for part in text]
            return None if text is None else read(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def read_shape(text: str) -> "Shape":
    """Parse three sizes."""
    from spiral.search.shape import checked

    try:
        return checked([int(size) for size in text.split(",")])
    except ValueError:
        raise ValueError(f"expected three sizes like 3,2,2, got {text!r}") from None


def read_goal(text: str) -> tuple[int, float]:
    """Parse a number of weights and an accuracy."""
    size, _, accuracy = text.partition(":")
    try:
        return int(size), float(accuracy)
    except ValueError:
        message = f"expected weights and accuracy like 14:0.95, got {text!r}"
        raise ValueError(message) from None


def read_span(text: str) -> range:
    """Parse a range of weight counts."""
    from spiral.search.shape import span

    return span(text)


@click.group()
def search() -> None:
    """Search for the sparsest networks."""


@search.command()
@click.option(
    "--shape",
    required=True,
    metavar="D1,D2,D3",
    callback=reads(read_shape),
    help="Units of the three hidden layers.",
)
@click.option(
    "--nnz",
    metavar="A..B",
    callback=reads(read_span),
    help="Count only masks with A to B weights, output layer included.",
)
@as_json
def count(shape: tuple[int, int, int], nnz: range | None, as_json: bool) -> None:
    """Count the masks of a shape.

    Counts masks that use every hidden unit and both inputs. Prints the number of
    labelled masks, the number up to renumbering the hidden units of each layer
    (canonical), and the canonical masks by their number of weights, output layer
    included (by_nnz).
    """
    from spiral.search.burnside import count

    found = count(shape, nnz)
    if as_json:
        show({"shape": shape, **asdict(found)})
        return
    click.echo(f"labelled   {found.labelled:,}")
    click.echo(f"canonical  {found.canonical:,}")
    for weights, masks in found.by_nnz.items():
        click.echo(f"{weights:>9}  {masks:,}")
