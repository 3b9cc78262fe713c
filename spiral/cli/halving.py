"""Successive halving: ``search masks --halving``, and ``search recall``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spiral.cli import launch
from spiral.cli.options import PLACE, as_json, show
from spiral.errors import ConfigError

if TYPE_CHECKING:
    from spiral.search.halving import Rules
    from spiral.sweep.grid.grid import Grid
    from spiral.sweep.launch import Launch, Settings


def read_rungs(text: str) -> list[int]:
    """Parse increasing numbers of epochs."""
    found = [int(part) if part.isdecimal() else 0 for part in text.split(",")]
    if found != sorted(set(found)) or found[0] < 1:
        raise ValueError(f"expected increasing epochs like 5,15, got {text!r}")
    return found


def run(
    grid: "Grid", rules: "Rules", out: Path, settings: "Settings", begun: "list[Launch]"
) -> None:
    """Train all configs briefly, then the survivors of each rung for longer.

    Stops after a rung that is incomplete because of ``--limit``, ``--shard`` or failed
    packs: its survivors are not known yet.
    """
    from spiral.results import read
    from spiral.search.halving import survivors
    from spiral.sweep import halving
    from spiral.sweep.status import status

    halving.check(grid, rules.rungs, out)
    rung = halving.first_rung(grid, rules.rungs[0])
    for number, epochs in enumerate([*rules.rungs[1:], None], start=1):
        folder = halving.folder(out, number)
        launch.train(rung, folder, settings, begun)
        if not status(folder).complete:
            return
        rows = read.read(folder, ["config_id", "loss"])
        rung = halving.next_rung(rung, survivors(rows, rules.share), epochs)
    launch.train(rung, halving.folder(out, len(rules.rungs) + 1), settings, begun)


@click.command()
@click.argument("search", metavar="SEARCH", type=PLACE)
@click.argument("census", metavar="CENSUS", type=PLACE)
@click.option(
    "--level",
    "levels",
    type=click.FloatRange(0, 1),
    multiple=True,
    default=[0.85, 0.9, 0.95],
    show_default=True,
    help="Count trainings that reach this accuracy. Repeatable.",
)
@as_json
def recall(search: Path, census: Path, levels: Sequence[float], as_json: bool) -> None:
    """Measure the recall of successive halving.

    SEARCH is the directory of a search with --halving, CENSUS that of the same search
    without it. Recall is the share of trainings in CENSUS that reach an accuracy and
    that SEARCH trained to the end, with a 95 % interval. The first accuracy is the one
    that the best 0.1 % of CENSUS reach.
    """
    import pandas as pd

    from spiral.methods.registry import options
    from spiral.report.stats.recall import recall as recall_at
    from spiral.report.text import document
    from spiral.results import read, store, versions
    from spiral.sweep.halving import finished, stopped

    folders = finished(search)
    first, last = (store.read_manifest(rung)[0] for rung in (folders[0], folders[-1]))
    whole = stopped(versions.complete(first, options()), None)["config_id"]
    found = read.read(census, ["config_id", "accuracy", "nnz", "steps", "seconds"])
    found = found[found["config_id"].isin(whole)]
    if found.empty:
        raise ConfigError(
            f"{census}: expected the trainings of {search}, got none of them; launch "
            "the same search without --halving"
        )
    levels = [float(found["accuracy"].quantile(0.999)), *levels]
    hits = [hit._asdict() for hit in recall_at(found, set(last["config_id"]), levels)]
    spent = sum(read.read(rung, ["steps", "seconds"]).sum() for rung in folders)
    faster = (found[["steps", "seconds"]].mean() * len(whole) / spent).to_dict()
    if as_json:
        show({"compared": len(found), "of": len(whole), "faster": faster, "hits": hits})
        return
    click.echo(f"compared {len(found):,} of {len(whole):,} trainings of the search")
    click.echo(document.as_text(pd.DataFrame(hits)))
    click.echo(
        f"successive halving took 1/{faster['steps']:.1f} of the training steps and "
        f"1/{faster['seconds']:.1f} of the time of the census"
    )
