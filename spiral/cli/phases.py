"""The phases of the search: ``search shapes`` and ``search masks``."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral.cli import halving, launch
from spiral.cli.options import PLACE, as_json, sets, show
from spiral.cli.plan import show_plans
from spiral.cli.search import read_shape, reads
from spiral.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from spiral.search.halving import Rules
    from spiral.search.phases import Settings
    from spiral.search.shape import Shape
    from spiral.sweep.grid.grid import Grid
    from spiral.sweep.launch import Launch

EVERY = 16
"""Up to here every network of every shape is listed: 25,477; threefold for one more."""

PHASE: list[Callable[[Any], Any]] = [
    click.option(
        "--threshold",
        "thresholds",
        type=click.FloatRange(0, 1),
        multiple=True,
        default=[0.95],
        show_default=True,
        help="Accuracy to reach. Repeatable.",
    ),
    click.option("--seeds", type=click.IntRange(1), default=1, help="How many [1]."),
    click.option("--lr", default="0.05, 0.1", show_default=True),
    click.option("--schedule", default="constant, cosine, step", show_default=True),
    sets,
    click.option("--out", type=PLACE, help="Results."),
    click.option("--dry-run", is_flag=True, help="Only count, as `plan` does."),
    launch.how,
    as_json,
]


def phase(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that both phases have."""
    for option in reversed(PHASE):
        command = option(command)
    return command


@click.command()
@click.option(
    "--shape",
    metavar="D1,D2,D3",
    default="16,16,16",
    show_default=True,
    callback=reads(read_shape),
    help="The largest block; all that fit into it.",
)
@phase
def shapes(shape: "Shape", **options: Any) -> None:
    """Phase 1: train dense blocks within width 16, find which shapes suffice.

    Prints every minimal one: some training of the shape reached the threshold, and none
    of another shape that is as small in each layer. The same command goes on.
    """
    from spiral.search import phases

    text = phases.shapes_grid(shape, _settings(options))
    _search(text, None, phases.smallest, options)


@click.command()
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="D1,D2,D3",
    callback=reads(read_shape),
    help="Units of the three hidden layers. Repeatable.",
)
@click.option(
    "--from",
    "source",
    metavar="DIR",
    type=PLACE,
    help="Every shape that `search shapes` found minimal there.",
)
@click.option(
    "--nnz",
    metavar="A..B",
    help="Only masks with so many weights; without a shape, those of every shape.",
)
@click.option("--race", "racing", is_flag=True, help="Drop most early; see above.")
@click.option(
    "--rungs",
    default="5,15",
    show_default=True,
    callback=reads(halving.read_rungs),
    help="Epochs after which a race chooses.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.25,
    show_default=True,
    help="What goes on from each rung to the next.",
)
@phase
def masks(
    shapes: list["Shape"], source: Path | None, nnz: str | None, **options: Any
) -> None:
    """Phase 2: train every network of some shapes, up to renumbering hidden units.

    Prints for each shape and threshold how many trainings reached it, and the sparsest
    that did. The same command goes on.

    With --race it is NOT exhaustive: all train for some epochs, the share of lowest
    loss trains again for more, and so on. Measured with the defaults, in 1/4 of the
    steps: of 171 trainings of 3-3-3 that reach 0.95 it finds 163, of 3 of 3-2-2 two; of
    the best 0.1 % of these shapes 350 of 372 and 70 of 82. Rungs lie in DIR/rung-1 and
    so on; a rung begins when the one before is complete, so with --shard or --limit run
    it again. `search recall` measures a race.
    """
    from spiral.search import phases
    from spiral.search.halving import Rules

    if source is not None:
        shapes = [*shapes, *_minimal(source, options["thresholds"])]
    try:
        if not shapes and nnz is not None:
            shapes = _every(nnz)
        if not shapes:
            raise click.UsageError("Missing option '--shape', '--from' or '--nnz'.")
        text = phases.masks_grid(shapes, nnz, _settings(options))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    rules = Rules(options["rungs"], options["share"]) if options["racing"] else None
    _search(text, rules, phases.summary, options)


def _every(nnz: str) -> list["Shape"]:
    """Return all shapes that have masks with so few weights.

    Raises:
        ValueError: There are too many.
    """
    from spiral.search import shape

    most = shape.span(nnz)[-1]
    if most > EVERY:
        raise ValueError(f"{most} weights without a --shape: expected at most {EVERY}")
    return shape.every(most)


def _settings(options: dict[str, Any]) -> "Settings":
    """Return how each network is trained."""
    from spiral.search.phases import Settings

    return Settings(options["lr"], options["schedule"], options["seeds"])


def _minimal(source: Path, thresholds: Sequence[float]) -> list["Shape"]:
    """Return the shapes that a finished phase 1 found minimal.

    Raises:
        ConfigError: It is no phase 1, is not finished, or found none.
    """
    from spiral.results import read
    from spiral.search import phases
    from spiral.sweep.status import status

    state = status(source)
    if not state.complete:
        raise ConfigError(f"{source}: {state.done:,} of {state.configs:,} configs done")
    rows = read.read(source, ["method", *phases.COLUMNS])
    if set(rows["method"]) != {"block"}:
        raise ConfigError(f"{source} was not made by `spiral-sweep search shapes`")
    found = [phases.minimal(phases.reached(rows, level)) for level in thresholds]
    if not any(found):
        raise ConfigError(f"no shape of {source} reached {min(thresholds)}")
    return [shape for some in found for shape in some]


def _search(
    text: str,
    rules: "Rules | None",
    summary: "Callable[[pd.DataFrame, float], pd.DataFrame]",
    options: dict[str, Any],
) -> None:
    """Launch a phase and print what its rows say."""
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
        launch.check(each)


def _launch(
    grid: "Grid", rules: "Rules | None", options: dict[str, Any]
) -> "list[Launch]":
    """Launch all trainings, or the rungs of a race."""
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
        click.echo("A race is not exhaustive: it drops trainings that would succeed.")
    for level, table in tables.items():
        empty = f"no shape reached {level}"
        click.echo(empty if table.empty else document.as_text(table))
