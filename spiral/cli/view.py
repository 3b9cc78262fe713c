"""``view``: an interactive page of networks."""

from pathlib import Path

import click

from spiral.cli.options import PLACE, RESULTS, as_json, places, show


@click.command()
@click.argument("folders", metavar="[DIR]…", nargs=-1, type=RESULTS, callback=places)
@click.option(
    "--select",
    metavar="EXPR",
    help="Show only rows that satisfy this condition, e.g. \"method == 'gmp' and keep "
    '<= 30".',
)
@click.option(
    "--frontier",
    "leaders",
    is_flag=True,
    help="Show only networks better than all smaller ones of their method and width.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="N",
    help="Show at most N rows, the best of each method, width and size first.",
)
@click.option(
    "-o",
    "--output",
    type=PLACE,
    default=Path("view.html"),
    show_default=True,
    help="Write the page to this file.",
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
    """Write an interactive page of networks.

    In a browser, the page shows the best known networks and those of each DIR, to
    explore, edit and train. A DIR may also be a file of networks (see `network
    import`), or a summary with networks: `gallery` has one of every pruner. The page
    is one file that needs no server and loads nothing from elsewhere. --json prints
    the file and its size in bytes.

    What follows # in the address of the page says what is shown. To link to a network,
    write its method, perhaps with a number of weights, or its id: view.html#a=gmp or
    view.html#a=gmp@31&b=any-14-23.
    """
    from spiral.methods import registry
    from spiral.report.viewer import page as view
    from spiral.results import atomic

    page = view.page(folders, registry.options(), select, leaders, limit)
    atomic.replace_atomically(output, page.encode(), output.absolute().parent)
    if as_json:
        show({"file": str(output), "bytes": output.stat().st_size})
    else:
        click.echo(output)
