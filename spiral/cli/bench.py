"""``bench``: how fast the engines are here."""

import json
import math
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral import spelling
from spiral.cli.options import PLACE, as_json, show
from spiral.errors import ConfigError

if TYPE_CHECKING:
    from spiral.bench.cases import Case

REPEATS, FULL_REPEATS = 3, 5
SECONDS = 90.0
"""For the measurements of all cases. What cannot be cut short on a machine that is five
times slower (compiling, drawing masks) takes another minute there."""


@click.command()
@click.option("--case", "cases", multiple=True, help="Only these cases. Repeatable.")
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice(["compile", "jax"]),
    help="Measure a rival too: torch.compile (compiles for minutes), or JAX if "
    "installed. Repeatable.",
)
@click.option(
    "--calibrate", is_flag=True, help="Measure and keep what `plan` needs, no table."
)
@click.option(
    "--full",
    is_flag=True,
    help="Measure whole trainings and packs of all sizes, as for a result to publish "
    "(many minutes). Otherwise long trainings are extrapolated.",
)
@click.option(
    "--repeats",
    type=click.IntRange(1),
    help="Measurements of each, taken in turn [3; with --full 5].",
)
@click.option("-o", "--output", type=PLACE, help="Save JSON.")
@as_json
def bench(
    cases: Sequence[str],
    calibrate: bool,
    output: Path | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Measure the engines on this machine (two minutes; let nothing else run)."""
    if calibrate:
        _calibrate(as_json)
        return
    if output is not None and not output.parent.is_dir():
        raise ConfigError(f"-o {output}: its folder does not exist")
    if "jax" in how["peers"] and find_spec("jax") is None:
        raise ConfigError("--peer jax: JAX is not installed; pip install jax")
    found = _measure(_chosen(cases), Now(table=not as_json), **how)
    if output is not None:
        output.write_text(json.dumps({"schema": 1, **found}, indent=1) + "\n")
    if as_json:
        show(found)


def _calibrate(as_json: bool) -> None:
    """Measure and keep what estimates of time need."""
    from spiral.engines import ENGINES
    from spiral.sweep import calibration

    names = [name for name, engine in ENGINES.items() if engine.automatic]
    factors = {name: calibration.measure(name) for name in names}
    target = calibration.save(factors)
    show({"factors": factors}) if as_json else click.echo(f"{factors} → {target}")


def _chosen(names: Sequence[str]) -> "tuple[Case, ...]":
    """Return the cases of some names, each once; all if none are named."""
    from spiral.bench.cases import CASES

    known = {case.name: case for case in CASES}
    for name in names:
        if name not in known:
            hint = spelling.suggest(name, known)
            raise ConfigError(f"--case {name}: unknown; {hint}")
    return tuple(known[name] for name in dict.fromkeys(names)) or CASES


def _measure(
    cases: "tuple[Case, ...]",
    now: "Now",
    *,
    full: bool,
    repeats: int | None,
    peers: Sequence[str],
) -> dict[str, Any]:
    """Measure some cases, showing each line of the table when it is known."""
    from spiral import bench
    from spiral.bench.cases import CASES

    found = bench.measure(
        cases,
        repeats or (FULL_REPEATS if full else REPEATS),
        peers,
        say=now.say,
        show=now.line,
        seconds=math.inf if full else SECONDS * len(cases) / len(CASES),
    )
    now.clear()
    return found


class Now:
    """Shows what is measured now on stderr, and lines of the table on stdout.

    On a terminal it is one line that changes, below the table.
    """

    def __init__(self, table: bool):
        self.table, self.terminal = table, sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Show what is measured now."""
        self.clear()
        click.echo(text, err=True, nl=not self.terminal)

    def line(self, text: str) -> None:
        """Print a line of the table, if it is wanted."""
        if self.table:
            self.clear()
            click.echo(text)

    def clear(self) -> None:
        """Remove what was said last, if a terminal shows it."""
        if self.terminal:
            click.echo("\r\033[K", err=True, nl=False)
