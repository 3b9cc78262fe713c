"""``search evolve``: evolve sparse networks, masks and weights together."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.launch import resume_command, settings_of, where
from spiral.cli.options import PLACE, as_json, show, task
from spiral.cli.search import read_goal, read_shape, read_span, reads

if TYPE_CHECKING:
    from spiral.search.candidate import Candidate
    from spiral.search.evolve.island import Settings
    from spiral.sweep.evolve import Progress

STARTS = ("random", "one-unit")


def read_mask(text: str) -> "Candidate":
    """Parse a mask in which every unit has inputs and outputs."""
    from spiral.search.candidate import from_mask, shape_of, simplified

    mask = from_mask(text)
    left = simplified(mask)
    if left is None or shape_of(left) != shape_of(mask):
        raise ValueError(f"expected inputs and outputs for every unit, got {text}")
    return mask


def _searched(options: Mapping[str, Any]) -> "Settings":
    """Return the settings of the search that options ask for."""
    from spiral.search.candidate import mask_of, nnz_of, shape_of
    from spiral.search.evolve.island import Settings

    starts, mask = tuple(sorted(set(options["starts"]))), options["mask"]
    found = Settings(
        options["seed"],
        starts,
        options["units"],
        (options["nnz"].start, options["nnz"].stop - 1),
        options["tries"],
        task=options["task"],
    )
    if mask is None:
        return found
    nnz = nnz_of(mask)
    return replace(found, largest=shape_of(mask), sizes=(nnz, nnz), mask=mask_of(mask))


@click.command(context_settings={"default_map": {"executor": "local"}})
@click.option("--out", required=True, type=PLACE, help="Directory of the search.")
@task("Search networks for this task")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Search independently of the searches with other seeds.",
)
@click.option(
    "--start",
    "starts",
    type=click.Choice(STARTS),
    multiple=True,
    default=STARTS,
    show_default=True,
    help="Start lines of networks from random masks and weights, or from networks with "
    "one unit in the second layer whose head is solved exactly. Repeatable.",
)
@click.option(
    "--units",
    metavar="D1,D2,D3",
    default="7,3,4",
    show_default=True,
    callback=reads(read_shape),
    help="Most units of the three hidden layers.",
)
@click.option(
    "--nnz",
    metavar="A..B",
    default="8..26",
    show_default=True,
    callback=reads(read_span),
    help="Keep networks of A to B weights, output layer included.",
)
@click.option(
    "--mask",
    metavar="MASK",
    callback=reads(read_mask),
    help="Search the weights of this mask only, by hops from basin to basin; written "
    "like matrices in `frontier show --json`, and instead of --units and --nnz.",
)
@click.option(
    "--islands",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    metavar="N",
    help="Evolve N archives that exchange their leaders.",
)
@click.option(
    "--tries",
    type=click.IntRange(1),
    default=4000,
    show_default=True,
    metavar="N",
    help="Moves and new networks tried on each island in a generation.",
)
@click.option(
    "--generations",
    type=click.IntRange(1),
    metavar="N",
    help="Stop after generation N.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    metavar="M",
    help="Begin no generation after M minutes.",
)
# Ours: longer than the longest search behind the shipped frontier took, 25 minutes
@click.option(
    "--patience",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="M",
    help="Stop when nothing has improved for M minutes.",
)
@click.option(
    "--goal",
    "goals",
    multiple=True,
    metavar="N:A",
    callback=reads(read_goal),
    help="Stop when a network of at most N weights reaches accuracy A; if repeated, "
    "when all are reached.",
)
@where
@as_json
def evolve(out: Path, as_json: bool, **options: Any) -> None:
    """Evolve sparse networks, masks and weights together.

    Keeps several networks for each number of weights and each class of shapes. A move
    changes one of them (drop, swap or add weights, add, merge or split units, add
    noise, ...), a fast polish adapts its weights, and the best results are kept.

    The networks of a generation depend on the options listed before --generations, not
    on workers or interruptions: run the same command to continue. To add what was found
    to the frontier, run `spiral-sweep frontier update DIR`.
    """
    from spiral.search import best_known
    from spiral.sweep import evolve as evolution
    from spiral.sweep import launch, signals, streams
    from spiral.sweep.evolve_files import Search
    from spiral.tasks.catalogue import DEFAULT

    def message(name: str) -> str:
        return (
            f"stopped by {name}; finished generations are saved. Continue with:\n  "
            f"{resume_command()}"
        )

    def report(progress: "Progress") -> None:
        better = [f"{size}: {best:.4f}" for size, best in progress.better.items()]
        news = f"; better at weights {', '.join(better)}" if better else ""
        click.echo(
            f"generation {progress.generation}: {progress.rate:,.0f} tries/s{news}",
            err=True,
        )

    names = ("generations", "minutes", "patience", "goals")
    limits = evolution.Limits(**{name: options[name] for name in names})
    streams.outlast_readers()
    with signals.ending(message):
        how = settings_of(options)
        table = evolution.run(
            Search(_searched(options), options["islands"]),
            out,
            limits,
            (launch.executor(how), how.workers),
            report,
        )
    leaders = best_known.leaders(table)
    if as_json:
        from spiral.report.text import document

        show({"out": str(out), "networks": document.records(leaders)})
        return
    columns = ["nnz", "nnz_params", "accuracy", "arc_accuracy", "shape", "found"]
    click.echo(leaders[columns].dropna(axis=1).to_string(index=False))
    of = "" if options["task"] == DEFAULT else f" --task {shlex.quote(options['task'])}"
    click.echo(f"add these to the frontier by `spiral-sweep frontier update {out}{of}`")
