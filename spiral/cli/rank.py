"""``rank``: a method's place among the shipped ones."""

from pathlib import Path
from typing import Any

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
from spiral.cli.options import PLACE, as_json, grid_files, load_grid, show
from spiral.errors import ConfigError, MethodError

QUICK = "seed=0..7"
"""What ``--quick`` makes of the standard grid: all widths and sizes, fewer seeds."""


@click.command(context_settings={"default_map": {"executor": "local"}})
@click.option(
    "--method",
    metavar="FILE:CLASS",
    help="my_file.py:MyMethod (loads the file), one of an installed package, or a "
    "known one. Without it: the places of the shipped ones.",
)
@click.option(
    "--quick/--full",
    default=False,
    help="8 seeds, those that all have: minutes. --full has 20, as the nine pruners of "
    "Zhang & Papyan, and goes on from there.",
)
@click.option("--out", type=PLACE, help="Results [runs/rank/METHOD].")
@how
@as_json
@click.pass_context
def rank(
    context: click.Context,
    /,
    quick: bool,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a method on the standard grid and say where it stands.

    First it acts on a few rows, to see that it keeps its contract (seconds). The file's
    digest is part of the method's name: an edited file starts anew. It meets the
    shipped methods at all widths that both have. Without --method nothing is trained:
    the shipped ones are ranked among each other, at width 16.
    """
    from spiral.report.stats import ranking
    from spiral.report.text import ranking as ranking_text
    from spiral.sweep import preflight

    if options["method"] is None:
        _refuse_others(context)
        _show_standings(as_json)
        return
    settings = settings_of(options)
    name = load_method(settings)
    standard = str(grid_files()["standard"])  # not a file here that is called so
    grid = load_grid(standard, [f"method={name}", *([QUICK] if quick else [])], None)
    out = out or Path("runs") / "rank" / name
    _check_folder(out, name, set(grid.configs["config_id"]))
    preflight.check(grid.configs)
    warn(grid)
    with resumable() as begun:
        train(grid, out, settings, begun)
    check(begun[0])
    found = ranking.of_folder(out, name)
    if as_json:
        show(ranking_text.document(found, out))
    else:
        click.echo(ranking_text.page(found, out))
    if len(found.miscounted):
        raise MethodError(ranking_text.miscounted(found))


def _refuse_others(context: click.Context) -> None:
    """Raise UsageError for an option that only makes sense with a method."""
    given = [
        f"--{name}"
        for name in context.params
        if name != "as_json"
        and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{', '.join(given)} without --method: nothing trains")


def _show_standings(as_json: bool) -> None:
    """Print the places of the shipped methods."""
    from spiral.report.stats import standings
    from spiral.report.text import standings as standings_text

    found = standings.shipped()
    if as_json:
        show(standings_text.document(found))
    else:
        click.echo(standings_text.page(found))


def _check_folder(out: Path, name: str, wanted: set[str]) -> None:
    """Raise ConfigError if a folder holds another ranking than this one begins."""
    from spiral.results import store

    if not store.has_manifest(out):
        return
    known, _ = store.read_manifest(out, columns=["config_id", "method"])
    others = set(known["method"]) - {name}
    if others:
        raise ConfigError(
            f"{out} holds rows of {', '.join(sorted(others))}, expected {name} (an "
            "edited file is another method); give another --out"
        )
    if not set(known["config_id"]) <= wanted:
        raise ConfigError(f"{out} holds a full ranking: go on with --full")
