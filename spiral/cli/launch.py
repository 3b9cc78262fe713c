"""``launch``: train what is missing of a grid."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from spiral.cli.common import as_json, find_grid, sets, show
from spiral.errors import ConfigError, LaunchIncomplete


class Shard(click.ParamType[tuple[int, int]]):
    """``i/n``: the i-th of n parts, counted from 0."""

    name = "i/n"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        """Parse the text."""
        if isinstance(value, tuple):
            return value
        index, _, count = str(value).partition("/")
        if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
            self.fail(f"{value!r}: expected i/n with 0 <= i < n, e.g. 0/2")
        return int(index), int(count)


@click.command()
@click.argument("grid")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Results.")
@click.option(
    "--executor", type=click.Choice(["ray", "local"]), default="ray", show_default=True
)
@click.option("--address", help="Address of a running Ray cluster, or auto.")
@click.option("--workers", type=click.IntRange(1), help="Packs at once [all cores].")
@click.option("--shard", type=Shard(), default="0/1", help="Only the i-th of n parts.")
@click.option("--limit", type=click.IntRange(1), help="At most so many packs.")
@click.option("--engine", help="Use this engine for every config (like --set engine=).")
@sets
@as_json
def launch(
    grid: str,
    out: Path,
    engine: str | None,
    sets: Sequence[str],
    as_json: bool,
    **settings: Any,
) -> None:
    """Train what is missing of GRID (a file or a shipped name) into a directory."""
    from spiral.sweep import grid as grid_file
    from spiral.sweep import launch
    from spiral.sweep.progress import Meter

    if settings["address"] is not None and settings["executor"] != "ray":
        raise ConfigError("--address needs --executor ray")
    if engine is not None:
        sets = [*sets, f"engine={engine}"]
    if settings["workers"] is None:
        settings["workers"] = launch.cores()
    chosen = launch.Settings(**settings)
    prepared = None
    try:
        with launch.stop_on_signals():
            expanded = grid_file.load(find_grid(grid), sets)
            prepared = launch.prepare(expanded, out, chosen)
            for message in prepared.corrupt:
                click.echo(f"damaged, will be redone: {message}", err=True)
            with Meter(prepared, chosen.workers) as meter:
                launch.run(prepared, chosen, meter)
    except launch.Interrupted as stop:
        done = sum(outcome.networks for outcome in prepared.done) if prepared else 0
        click.echo(
            f"stopped by {stop}; {done:,} configs of this launch are saved. "
            f"Go on with:\n  {resume_command()}",
            err=True,
        )
        raise SystemExit(stop.exit_code) from None
    _launch_summary(prepared, as_json)


def resume_command() -> str:
    """Return the command line that this process was started with."""
    return shlex.join(["spiral-sweep", *sys.argv[1:]])


def _launch_summary(prepared: Any, as_json: bool) -> None:
    """Print what a launch did and raise LaunchIncomplete if packs failed."""
    from spiral.sweep.status import status

    state = asdict(status(prepared.out))
    statuses: dict[str, int] = {}
    for outcome in prepared.done:
        for name, count in outcome.statuses.items():
            statuses[name] = statuses.get(name, 0) + count
    trained = sum(outcome.networks for outcome in prepared.done)
    if as_json:
        show(
            {
                **state,
                "trained": trained,
                "statuses": statuses,
                "out": str(prepared.out),
            }
        )
    else:
        detail = ", ".join(f"{count:,} {name}" for name, count in statuses.items())
        click.echo(f"trained {trained:,} configs" + (f" ({detail})" if detail else ""))
        click.echo(f"{prepared.out}: {state['done']:,} of {state['configs']:,} configs")
    if prepared.failed:
        lines = [f"  {o.pack}: {o.error}" for o in prepared.failed[:5]]
        raise LaunchIncomplete(
            f"{len(prepared.failed)} packs failed; the others "
            "are saved, and the same command tries these again:\n" + "\n".join(lines)
        )
