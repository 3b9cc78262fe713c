"""``search``: masks up to renumbering hidden units."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

import click

from spiral.cli.common import as_json, show
from spiral.search import shape as shapes

Value = TypeVar("Value")


def _reads(read: Callable[[str], Value]) -> Callable[..., Value | None]:
    """Return a callback that reads an option, and says what is wrong with it."""

    def callback(_: object, __: object, text: str | None) -> Value | None:
        try:
            return None if text is None else read(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def _shape(text: str) -> shapes.Shape:
    """Read three sizes."""
    try:
        return shapes.checked([int(size) for size in text.split(",")])
    except ValueError:
        raise ValueError(f"expected three sizes, as 3,2,2, got {text!r}") from None


@click.group()
def search() -> None:
    """Masks up to renumbering hidden units."""


@search.command()
@click.option(
    "--shape",
    required=True,
    metavar="D1,D2,D3",
    callback=_reads(_shape),
    help="Units of the three hidden layers.",
)
@click.option(
    "--nnz",
    metavar="A..B",
    callback=_reads(shapes.span),
    help="Only masks with so many weights, those of the output layer included.",
)
@as_json
def count(shape: shapes.Shape, nnz: range | None, as_json: bool) -> None:
    """Count the masks of a shape without zero rows or columns.

    Labelled, and up to renumbering the hidden units of each layer (canonical); by_nnz
    are the canonical ones by weights, those of the output layer included.
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
