"""``launch``: train the missing packs of a grid."""

import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.options import RESULTS, as_json, own_method, sample, sets, show
from spiral.sweep import signals, streams

if TYPE_CHECKING:
    from spiral.sweep.grid.grid import Grid
    from spiral.sweep.launch import Launch, Settings


SLURM = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN")
"""Variables of a task of a SLURM array: its number, how many there are, the first."""


class Shard(click.ParamType[tuple[int, int]]):
    """``i/n``: the i-th of n parts, counted from ``--shard-base``."""

    name = "i/n"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        """Parse the text; return the number counted from 0, and n."""
        if isinstance(value, tuple):
            return value
        base: int = ctx.params["shard_base"]  # eager, so it is there
        index, _, count = str(value).partition("/")
        numbers = index.isdecimal() and count.isdecimal()
        if not numbers or not base <= int(index) < base + int(count):
            wanted = "0 <= i < n" if base == 0 else "1 <= i <= n"
            other = 1 - base
            self.fail(
                f"expected i/n with {wanted}, e.g. {base}/2, got {value!r}; if shards "
                f"are counted from {other}, add --shard-base {other}"
            )
        task, tasks, first = map(os.environ.get, SLURM)
        if (index, count) == (task, tasks) and first not in (None, str(base)):
            known = first in ("0", "1")
            self.fail(
                f"expected a SLURM array that begins at {base}, got task {task} of one "
                f"that begins at {first}, whose tasks would leave out a share; "
                + (f"add --shard-base {first}" if known else "begin it at 0 or 1")
            )
        return int(index) - base, int(count)


EXECUTOR = [
    click.option(
        "--executor",
        type=click.Choice(["ray", "local"]),
        default="ray",
        show_default=True,
        help="Run packs on Ray, or in plain processes of this machine.",
    ),
    click.option(
        "--address", help="Connect to the Ray cluster at this address, or `auto`."
    ),
    click.option(
        "--workers",
        type=click.IntRange(1),
        help="Train N packs at the same time [all cores].",
        metavar="N",
    ),
]

GPUS = click.option(
    "--gpus-per-pack",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="On Ray, give each pack that trains on a GPU this share of it, e.g. 0.25 for "
    "four packs on each GPU.",
    metavar="SHARE",
)

OPTIONS = [
    *EXECUTOR,
    GPUS,
    click.option(
        "--shard-base",
        type=click.Choice([0, 1]),
        default=0,
        show_default=True,
        is_eager=True,
        help="Number the shares of --shard from 0 or from 1, as your array job does.",
    ),
    click.option(
        "--shard",
        type=Shard(),
        default=(0, 1),
        help="Train only share i of n equal shares of the packs, e.g. "
        "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT [all].",
    ),
    click.option(
        "--limit", type=click.IntRange(1), help="Train at most N packs.", metavar="N"
    ),
]


def how(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that control a launch; see :func:`settings_of`."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def where(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose an executor; see :func:`settings_of`."""
    for option in reversed(EXECUTOR):
        command = option(command)
    return command


def settings_of(options: Mapping[str, Any]) -> "Settings":
    """Return the launch settings given by the options of :func:`how`."""
    from spiral.api import launching
    from spiral.sweep import launch

    names = [field.name for field in fields(launch.Settings) if field.name in options]
    return launching.settings_of({name: options[name] for name in names})


@click.command()
@click.argument("grid")
@click.option(
    "--out",
    required=True,
    type=RESULTS,
    help="Results directory: a folder, or s3://, gs:// or az://BUCKET/PREFIX.",
)
@how
@click.option(
    "--engine", help="Use this engine for every config (same as --set engine=NAME)."
)
@own_method
@sets
@sample
@as_json
def launch(
    grid: str,
    out: Path,
    engine: str | None,
    sets: Sequence[str],
    sample: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train the missing packs of a grid.

    GRID is a file or the name of a shipped grid. Run the same command to continue an
    interrupted launch.
    """
    with resumable() as begun:
        from spiral.api import launching  # slow: signals may arrive meanwhile
        from spiral.sweep.grid import shipped

        settings = settings_of(options)
        if settings.method is not None:
            sets = [*sets, f"method={launching.load_method(settings)}"]
        if engine is not None:
            sets = [*sets, f"engine={engine}"]
        loaded = shipped.load(grid, sets, sample)
        if settings.method is not None:
            launching.warn(loaded, complain)
        train(loaded, out, settings, begun)
        conclude(begun[0], as_json)


def conclude(prepared: "Launch", as_json: bool) -> None:
    """Print what a launch trained; raise LaunchIncomplete if packs failed."""
    from spiral.api import launching

    facts = outcome(prepared)
    if as_json:
        show(facts)
    else:
        click.echo(outcome_text(facts))
    launching.check(prepared)


def complain(text: str) -> None:
    """Print a line on stderr."""
    click.echo(text, err=True)


@contextmanager
def resumable() -> Iterator[list["Launch"]]:
    """Run launches so that a signal ends them cleanly and prints how to continue.

    A closed stdout or stderr does not end them. Wrap the whole command: the
    preparations before the first launch take seconds, and signals may arrive then.

    Yields:
        A list to which the caller adds every launch that begins.
    """
    begun: list[Launch] = []

    def message(name: str) -> str:
        done = sum(outcome.networks for each in begun for outcome in each.done)
        return (
            f"stopped by {name}; {done:,} configs of this launch are saved. "
            f"Continue with:\n  {resume_command()}"
        )

    streams.outlast_readers()
    with signals.ending(message):
        yield begun


def train(grid: "Grid", out: Path, settings: "Settings", begun: list["Launch"]) -> None:
    """Train the missing packs of a grid and show the progress."""
    from spiral.api import launching

    launching.train(grid, out, settings, begun, complain)


def resume_command() -> str:
    """Return the command line that this process was started with."""
    return shlex.join(["spiral-sweep", *sys.argv[1:]])


def outcome(prepared: "Launch") -> dict[str, Any]:
    """Return what a launch trained and how complete its directory is."""
    from spiral.sweep.status import status

    statuses: Counter[str] = Counter()
    for each in prepared.done:
        statuses.update(each.statuses)
    return {
        **asdict(status(prepared.out)),
        "trained": sum(each.networks for each in prepared.done),
        "statuses": dict(statuses),
        "out": str(prepared.out),
    }


def outcome_text(facts: dict[str, Any]) -> str:
    """Return the outcome of a launch as text."""
    from spiral.results.columns import meanings

    detail = ", ".join(f"{n:,} {status}" for status, n in facts["statuses"].items())
    trained = f"trained {facts['trained']:,} configs" + (detail and f" ({detail})")
    lines = [trained, *(f"  {text}" for text in meanings(facts["statuses"]))]
    done = f"{facts['out']}: {facts['done']:,} of {facts['configs']:,} configs"
    return "\n".join([*lines, done])
