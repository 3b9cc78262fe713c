"""``rank``: rank a method among the shipped ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from spiral.cli.launch import (
    check,
    how,
    load_method,
    resumable,
    settings_of,
    train,
    warn,
)
from spiral.cli.options import PLACE, as_json, present
from spiral.errors import ConfigError, MethodError

if TYPE_CHECKING:
    from spiral.sweep.grid.grid import Grid

QUICK = ("lr=0.1", "schedule=cosine")
"""The part of the standard grid that ``--quick`` trains: the default setting."""


@click.command(context_settings={"default_map": {"executor": "local"}})
@click.option(
    "--method",
    metavar="FILE:CLASS",
    help="Rank this method: my_file.py:MyMethod (executes the file), "
    "package.module:MyMethod, or the name of a built-in one [rank the shipped ones, "
    "train nothing].",
)
@click.option(
    "--quick/--full",
    default=False,
    help="Train the default learning rate and schedule only (minutes), and compare "
    "with the others at the same; --full tunes over all settings of the standard grid, "
    "as the shipped methods were, and resumes --quick.",
)
@click.option("--out", type=PLACE, help="Write results here [runs/rank/METHOD].")
@click.option(
    "--width",
    type=click.Choice(["3", "16", "64"]),
    default="16",
    show_default=True,
    help="Rank the shipped methods at this width (without --method).",
)
@how
@as_json
@click.pass_context
def rank(
    context: click.Context,
    /,
    quick: bool,
    out: Path | None,
    width: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Rank a method among the shipped methods.

    First checks on a few rows that the method fulfils its contract (seconds), then
    trains it on the standard grid. The digest of the file is part of the method's name,
    so an edited file is trained again. Methods are compared by their normalised gap to
    the best known networks, at each width. Without --method, nothing is trained and the
    shipped rows of the grid `standard` are ranked at one width.
    """
    from spiral.methods import registry
    from spiral.report.stats import ranking
    from spiral.report.text import ranking as ranking_text
    from spiral.sweep import preflight
    from spiral.sweep.grid import shipped

    if options["method"] is None:
        _refuse_others(context)
        _show_standings(int(width), as_json)
        return
    settings = settings_of(options)
    name = load_method(settings)
    standard = str(shipped.files()["standard"])  # not a local file of this name
    grid = shipped.load(standard, [f"method={name}", *(QUICK if quick else [])])
    out = out or Path("runs") / "rank" / name
    _check_folder(out, name, grid)
    preflight.check(grid.configs)
    warn(grid)
    with resumable() as begun:
        train(grid, out, settings, begun)
    check(begun[0])
    found = ranking.of_folder(out, name, registry.options())
    present(ranking_text.document(found, out), as_json)
    if not as_json:
        click.echo(f"rows: {out}")
    if len(found.miscounted):
        raise MethodError(ranking_text.miscounted(found))


def _refuse_others(context: click.Context) -> None:
    """Raise UsageError for an option that only makes sense with a method."""
    given = [
        f"--{name}"
        for name in context.params
        if name not in ("as_json", "width")
        and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"{', '.join(given)} without --method: expected a method to train"
        )


def _show_standings(width: int, as_json: bool) -> None:
    """Print the ranks of the shipped methods."""
    from spiral.methods import registry
    from spiral.report.stats import standings
    from spiral.report.text import standings as standings_text

    found = standings.shipped(registry.options(), width)
    present(standings_text.document(found), as_json)


def _check_folder(out: Path, name: str, grid: "Grid") -> None:
    """Raise ConfigError if a folder has rows of another ranking."""
    from spiral.methods import registry
    from spiral.results import store, versions
    from spiral.sweep import recover

    if not store.has_manifest(out):
        return
    known = versions.complete(store.read_manifest(out)[0], registry.options())
    others = set(known["method"]) - {name}
    if others:
        raise ConfigError(
            f"{out}: expected rows of {name}, got those of {', '.join(sorted(others))} "
            "(an edited file is another method); give another --out"
        )
    lost = known[~recover.among(known["config_id"], grid.configs["config_id"])]
    if since := recover.expanded_differently(grid.configs, lost):
        raise ConfigError(
            f"{out} has results of an earlier version; give another --out{since}"
        )
    if len(lost):
        raise ConfigError(
            f"{out} is the results directory of a full ranking; resume it with --full"
        )
