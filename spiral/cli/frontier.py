"""``frontier``: the best known network of every size, with its weights as proof."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.options import PLACE, RESULTS, as_json, show
from spiral.cli.options import task as task_option

if TYPE_CHECKING:
    import pandas as pd

file = click.option(
    "--file",
    "path",
    type=PLACE,
    help="Use this frontier file [the shipped one merged with your own finds].",
)


task = task_option("Use the frontier of this task")


def size(default: str) -> Callable[..., Any]:
    """Return the option that chooses how size is counted."""
    return click.option(
        "--by",
        type=click.Choice(["nnz", "nnz_params"]),
        default=default,
        show_default=True,
        help="Count weights (nnz), or weights and biases as the paper does.",
    )


@click.group()
def frontier() -> None:
    """Show and extend the best known networks of every size."""


@frontier.command("show")
@click.option(
    "--kind",
    type=click.Choice(["any", "protocol"]),
    default="any",
    show_default=True,
    help="List networks found by any means, or trained by the paper's protocol.",
)
@size("nnz")
@click.option(
    "--width",
    type=click.IntRange(1),
    metavar="W",
    help="List only networks whose hidden layers have at most W units.",
)
@file
@task
@as_json
def show_frontier(
    kind: Any,
    by: Any,
    width: int | None,
    path: Path | None,
    task: str,
    as_json: bool,
) -> None:
    """List the best known networks.

    These are the networks more accurate than every smaller one. Also prints the
    smallest known size for each of the paper's accuracies, and how many weights are
    proven to be needed (`frontier certify`; of Cubist Spirals only).

    accuracy is the share of the points, arc_accuracy the share of the length of the
    curve that is classified correctly: a network may have every point right and yet be
    wrong between two of them. Points of other tasks than spirals lie on no curve.
    """
    from spiral.search import best_known
    from spiral.search.certify import record

    table = best_known.load(path, task)
    if width is not None:
        table = best_known.within(table, width)
    sizes = _smallest(table, kind, by)
    trained = _smallest(table, "protocol", by)
    # A network has more parameters than weights: what is proven of weights is too low
    proven = {level: record.at_least(float(level), task=task) for level in sizes}
    leaders = best_known.leaders(table, kind, by)
    if as_json:
        from spiral.report.text import document

        facts: dict[str, Any] = {"kind": kind, "by": by, "width": width, "task": task}
        facts["best_known"] = sizes
        facts["best_known_protocol"] = trained
        facts["proven"] = proven
        show({**facts, "networks": document.records(leaders)})
        return
    click.echo(leaders[COLUMNS].dropna(axis=1).to_string(index=False))
    for level, fewest in sizes.items():
        also = f" (trained as in the paper: {trained[level] or 'none'})"
        known = f"{fewest or 'none'}{'' if kind == 'protocol' else also}"
        click.echo(f"best known for accuracy {level}: {known}")
        if by == "nnz" and proven[level]:
            click.echo(f"  proven: {proven[level]} weights or more")
    if not any(proven.values()):
        click.echo("proven: no lower bound for this task")


COLUMNS = [
    *("nnz", "nnz_params", "accuracy", "arc_accuracy"),
    *("shape", "kind", "found"),
]
"""What `frontier show` lists of a network."""


def _smallest(table: "pd.DataFrame", kind: Any, by: Any) -> dict[str, int | None]:
    """Return the smallest known size for each of the paper's accuracies."""
    from spiral.search import best_known

    levels = best_known.THRESHOLDS
    return {str(level): best_known.fewest(table, level, kind, by) for level in levels}


def frontier_target(path: Path | None, task: str) -> Path:
    """Return the file to write: the given one, or the user's own frontier of a task."""
    from spiral import homes
    from spiral.search import best_known

    return path or homes.kept(best_known.file_name(task), "give --file")


def known_before(path: Path | None, task: str) -> "list[pd.DataFrame]":
    """Return the frontier to add to, if there is one yet."""
    from spiral.search import best_known

    there = best_known.exists(task) if path is None else path.exists()
    return [best_known.load(path, task)] if there else []


def keep(table: "pd.DataFrame", path: Path | None, target: Path, task: str) -> str:
    """Write a frontier, or the user's part of it; return a message about it."""
    from spiral.search import best_known

    if path is not None:
        best_known.save(table, path, task)
        return f"{path}: {len(table)} networks"
    own = best_known.finds(table, task)
    if own.empty:
        target.unlink(missing_ok=True)
        return "no network improves on the shipped frontier; nothing is saved"
    best_known.save(own, target, task)
    return f"{target}: {len(own)} own networks that improve on the shipped frontier"


@frontier.command()
@click.argument("folders", metavar="DIR…", nargs=-1, required=True, type=RESULTS)
@click.option(
    "--polish",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Also polish the N best rows of every size and kind.",
)
@file
@task
def update(
    folders: tuple[Path, ...], polish: int, path: Path | None, task: str
) -> None:
    """Add better networks to the frontier of a task.

    Reads results directories and files, and directories of `search evolve`. Rows of
    other tasks are left out.

    DIR may also be another frontier file, or a file of networks, which are evaluated
    again: saved by the viewer (.json), or of another program (.npz, .safetensors, or a
    PyTorch state dict). Without --file, networks that improve on the shipped
    frontier are saved in your data folder (XDG_DATA_HOME or ~/.local/share) as
    spiral-sweep/frontier.parquet; `compare`, the figures and all other commands use
    the best of both. The installed package is never written. To change the shipped
    frontier of a source tree, name it with --file.
    """
    from spiral.results import read
    from spiral.search import best_known, network_files, trained
    from spiral.sweep import evolve_files
    from spiral.tasks import catalogue

    target, data = frontier_target(path, task), catalogue.load(task)
    known = known_before(path, task)
    for folder in folders:
        if network_files.is_one(folder):
            known.append(network_files.entries(network_files.read(folder, data), data))
            continue
        if (folder / evolve_files.SETTINGS).exists():
            # its leaders are a frontier already
            known.append(best_known.load(folder / best_known.NAME, task))
            continue
        if folder.is_file():
            known.append(best_known.load(folder, task))
            continue
        sizes = trained.of_task(read.read(folder, trained.NEEDED), task)
        chosen = sizes.loc[trained.promising(sizes), "config_id"]
        known.append(trained.from_rows(read.read(folder, ids=chosen), data))
        if polish:
            from spiral.search.polish import polish_all

            best = sizes.loc[trained.promising(sizes, polish), "config_id"]
            entries = trained.from_rows(read.read(folder, ids=best), data)
            known.append(polish_all(entries, data))
        click.echo(f"{folder}: {len(sizes):,} rows, {len(chosen)} candidates")
    merged = best_known.merge(known)
    click.echo(keep(merged, path, target, task))


@frontier.command()
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    metavar="N",
    help="Stop after N rounds, or earlier if a round finds nothing.",
)
@file
@task
def thin(rounds: int, path: Path | None, task: str) -> None:
    """Drop each weight of the best networks in turn and polish the rest.

    Without --file, networks that improve on the shipped frontier are saved in your data
    folder (see `frontier update`).
    """
    from spiral.search import best_known
    from spiral.search.polish import thin
    from spiral.tasks import catalogue

    target, data = frontier_target(path, task), catalogue.load(task)
    table = best_known.load(path, task)
    tried: set[bytes] = set()
    for number in range(1, rounds + 1):
        better = thin(table, tried, data)
        if best_known.same(better, table):
            break
        table = better
        keep(table, path, target, task)
        sizes = [best_known.fewest(table, level) for level in best_known.THRESHOLDS]
        levels = best_known.THRESHOLDS
        click.echo(f"round {number}: best known for {levels}: {sizes}")


@frontier.command()
@file
@task
@as_json
def verify(path: Path | None, task: str, as_json: bool) -> None:
    """Verify the frontier by evaluating every network again.

    Evaluates in float64 and float32, and exits with code 4 on a mismatch.

    --json prints the file, the number of networks, and a list of mistakes.
    """
    from spiral.search import best_known

    table = best_known.load(path, task)
    wrong = best_known.mistakes(table, task)
    if as_json:
        file = str(path or best_known.shipped(task))
        show({"file": file, "networks": len(table), "mistakes": wrong})
    else:
        for mistake in wrong:
            click.echo(mistake)
        click.echo(f"{len(table)} networks, {len(wrong)} mistakes")
    if wrong:
        raise SystemExit(4)
