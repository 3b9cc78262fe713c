"""``frontier``: the best networks known, and the proof of each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from spiral.cli.common import as_json, show

file = click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    help="A frontier of one's own [the shipped one].",
)


def size(default: str) -> Callable[..., Any]:
    """Return the option that says what counts as size."""
    return click.option(
        "--by",
        type=click.Choice(["nnz", "nnz_params"]),
        default=default,
        show_default=True,
        help="Size: weights, or weights and biases (which the paper counts).",
    )


@click.group()
def frontier() -> None:
    """The best network known of every size, with the weights that prove it."""


@frontier.command("show")
@click.option(
    "--kind",
    type=click.Choice(["any", "protocol"]),
    default="any",
    show_default=True,
    help="Found by any means, or trained as the paper trains.",
)
@size("nnz")
@file
@as_json
def show_frontier(kind: Any, by: Any, path: Path | None, as_json: bool) -> None:
    """List the networks that no smaller one equals, and the optima."""
    from spiral.search import frontier

    table = frontier.load(path)
    optima = {
        str(level): frontier.optimum(table, level, kind, by)
        for level in frontier.THRESHOLDS
    }
    leaders = frontier.leaders(table, kind, by)
    if as_json:
        from spiral.report import tell

        listed = tell.records(leaders)
        show({"kind": kind, "by": by, "optima": optima, "networks": listed})
        return
    columns = ["nnz", "nnz_params", "accuracy", "shape", "kind", "found"]
    click.echo(leaders[columns].to_string(index=False))
    for level, size in optima.items():
        click.echo(f"fewest for {level}: {size}")


@frontier.command()
@click.argument("folders", metavar="DIR…", nargs=-1, required=True)
@click.option(
    "--polish",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Also polish so many rows of every size and kind.",
)
@file
def update(folders: tuple[str, ...], polish: int, path: Path | None) -> None:
    """Enter what is better in the rows of launches, or in files.

    Files are other frontiers, or networks that the viewer saved (.json), which are
    evaluated anew. Without --file this changes the frontier that the package ships,
    which `compare` and the figures use.
    """
    from spiral.report import results
    from spiral.search import exported, frontier

    target = path or frontier.SHIPPED
    known = [frontier.load(target)] if target.exists() else []
    for folder in map(Path, folders):
        if folder.suffix == ".json":
            known.append(exported.entries(folder))
            continue
        if folder.is_file():
            known.append(frontier.load(folder))
            continue
        sizes = results.read(folder, frontier.NEEDED)
        chosen = sizes.loc[frontier.promising(sizes), "config_id"]
        known.append(frontier.from_rows(results.read(folder, ids=chosen)))
        if polish:
            from spiral.search.polish import polish_all

            best = sizes.loc[frontier.promising(sizes, polish), "config_id"]
            entries = frontier.from_rows(results.read(folder, ids=best))
            known.append(polish_all(entries))
        click.echo(f"{folder}: {len(sizes):,} rows, {len(chosen)} looked at")
    merged = frontier.merge(known)
    frontier.save(merged, target)
    click.echo(f"{target}: {len(merged)} networks")


@frontier.command()
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="At most so many.",
)
@file
def thin(rounds: int, path: Path | None) -> None:
    """Drop each weight of the best networks in turn and polish what is left.

    Without --file this changes the frontier that the package ships.
    """
    from spiral.search import frontier
    from spiral.search.polish import thin

    target = path or frontier.SHIPPED
    table = frontier.load(target)
    tried: set[bytes] = set()
    for number in range(1, rounds + 1):
        better = thin(table, tried)
        if frontier.same(better, table):
            break
        table = better
        frontier.save(table, target)
        optima = [frontier.optimum(table, level) for level in frontier.THRESHOLDS]
        click.echo(f"round {number}: fewest for {frontier.THRESHOLDS}: {optima}")


@frontier.command()
@file
@as_json
def verify(path: Path | None, as_json: bool) -> None:
    """Evaluate every network anew, in float64 and float32; exit 4 if one disagrees.

    --json prints file, networks (their number) and mistakes (a sentence each).
    """
    from spiral.search import frontier

    table = frontier.load(path)
    wrong = frontier.mistakes(table)
    if as_json:
        file = str(path or frontier.SHIPPED)
        show({"file": file, "networks": len(table), "mistakes": wrong})
    else:
        for mistake in wrong:
            click.echo(mistake)
        click.echo(f"{len(table)} networks, {len(wrong)} mistakes")
    if wrong:
        raise SystemExit(4)
