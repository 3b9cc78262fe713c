"""What both phases of the search share: options, launch, and what they print."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from spiral.cli import halving, launch
from spiral.cli.options import PLACE, as_json, sets, show
from spiral.cli.plan import show_plans

if TYPE_CHECKING:
    import pandas as pd

    from spiral.search.halving import Rules
    from spiral.search.phases import Settings
    from spiral.sweep.grid.grid import Grid
    from spiral.sweep.launch import Launch

PHASE: list[Callable[[Any], Any]] = [
    click.option(
        "--threshold",
        "thresholds",
        type=click.FloatRange(0, 1),
        multiple=True,
        default=[0.95],
        show_default=True,
        help="Search for networks that reach this accuracy. Repeatable.",
    ),
    click.option(
        "--seeds",
        type=click.IntRange(1),
        default=1,
        metavar="N",
        help="Train each network with N seeds [1].",
    ),
    click.option(
        "--lr",
        default="0.05, 0.1",
        show_default=True,
        help="Train with each of these learning rates.",
    ),
    click.option(
        "--schedule",
        default="constant, cosine, step",
        show_default=True,
        help="Train with each of these learning-rate schedules.",
    ),
    sets,
    click.option(
        "--out", type=PLACE, help="Results directory; required unless --dry-run."
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Count the trainings as `plan` does; train nothing.",
    ),
    launch.how,
    as_json,
]


def phase(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that both phases share."""
    for option in reversed(PHASE):
        command = option(command)
    return command


def settings(options: dict[str, Any]) -> "Settings":
    """Return the training settings of each network."""
    from spiral.search.phases import Settings

    return Settings(options["lr"], options["schedule"], options["seeds"])


def search(
    text: str,
    rules: "Rules | None",
    summary: "Callable[[pd.DataFrame, float], pd.DataFrame]",
    options: dict[str, Any],
) -> None:
    """Launch a phase and print what its rows say."""
    from spiral.api import launching
    from spiral.results import read
    from spiral.search.phases import COLUMNS
    from spiral.sweep.grid import grid as grid_file
    from spiral.sweep.halving import first_rung

    grid = grid_file.loads(text, "search", options["sets"])
    if options["dry_run"]:
        start = grid if rules is None else first_rung(grid, rules.rungs[0])
        show_plans([start], options["as_json"])
        return
    begun = _launch(grid, rules, options)
    facts = [launch.outcome(each) for each in begun]
    tables = {}
    if facts[-1]["done"] and len(begun) > (0 if rules is None else len(rules.rungs)):
        rows = read.read(begun[-1].out, COLUMNS)
        tables = {level: summary(rows, level) for level in options["thresholds"]}
    _show(facts, tables, rules, options["as_json"])
    for each in begun:
        launching.check(each)


def _launch(
    grid: "Grid", rules: "Rules | None", options: dict[str, Any]
) -> "list[Launch]":
    """Launch all trainings, or the rungs of successive halving."""
    out, settings = options["out"], launch.settings_of(options)
    if out is None:
        raise click.UsageError("Missing option '--out'.")
    with launch.resumable() as begun:
        if rules is None:
            launch.train(grid, out, settings, begun)
        else:
            halving.run(grid, rules, out, settings, begun)
    return begun


def _show(
    facts: list[dict[str, Any]],
    tables: "dict[float, pd.DataFrame]",
    rules: "Rules | None",
    as_json: bool,
) -> None:
    """Print what was launched and found."""
    from spiral.report.text import document

    if as_json:
        texts = [table.to_json(orient="records") for table in tables.values()]
        found = [shape for text in texts for shape in json.loads(text)]
        last = {**facts[-1], "exhaustive": rules is None, "shapes": found}
        show(last if rules is None else {**last, "rungs": facts})
        return
    for each in facts:
        click.echo(launch.outcome_text(each))
    if rules is not None:
        click.echo(
            "Successive halving is not exhaustive: it drops some trainings that would "
            "have reached the threshold."
        )
    for level, table in tables.items():
        empty = f"no shape reached accuracy {level}"
        click.echo(empty if table.empty else document.as_text(table))
