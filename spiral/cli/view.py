"""``view``: a page that shows networks think."""

from pathlib import Path

import click

from spiral.cli.options import PLACE, as_json, show


@click.command()
@click.argument("folders", metavar="[DIR]…", nargs=-1, type=PLACE)
@click.option(
    "--select",
    metavar="EXPR",
    help="Only rows for which this holds: \"method == 'gmp' and keep <= 30\".",
)
@click.option(
    "--frontier",
    "leaders",
    is_flag=True,
    help="Only rows that no smaller one of the same method and width equals.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Rows at most: the best of each method, width and size first.",
)
@click.option(
    "-o",
    "--output",
    type=PLACE,
    default=Path("view.html"),
    show_default=True,
    help="File.",
)
@as_json
def view(
    folders: tuple[Path, ...],
    select: str | None,
    leaders: bool,
    limit: int,
    output: Path,
    as_json: bool,
) -> None:
    """Write a page to look at networks and play with them; no server, no network.

    The best networks known are always on it; without DIR they are alone. --json prints
    file and bytes.
    """
    from spiral.report.viewer import page as view
    from spiral.results import atomic

    page = view.page(folders, select, leaders, limit)
    atomic.replace_atomically(output, page.encode(), output.absolute().parent)
    if as_json:
        show({"file": str(output), "bytes": output.stat().st_size})
    else:
        click.echo(output)
