"""``bench``: measure the speed of the engines on this machine."""

import json
import math
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral import extras, spelling
from spiral.cli.options import PLACE, as_json, show
from spiral.errors import ConfigError

if TYPE_CHECKING:
    from spiral.bench.cases import Case

REPEATS, FULL_REPEATS = 3, 5
SECONDS = 90.0
"""Budget for the measurements of all cases together. Compiling and drawing masks cannot
be cut short: on a machine five times slower they add about a minute."""


@click.command()
@click.option(
    "--case", "cases", multiple=True, help="Measure only this case. Repeatable."
)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice(["compile", "jax"]),
    help="Also measure a baseline: torch.compile (compiles for minutes), or JAX, if "
    "installed. Repeatable.",
)
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Measure the engines of the CPU, or those of a GPU beside engine `sparse` on "
    "the CPU.",
)
@click.option(
    "--calibrate",
    is_flag=True,
    help="Only measure and save the speed factors that `plan` uses.",
)
@click.option(
    "--full",
    is_flag=True,
    help="Measure complete trainings and packs of all sizes, for figures to publish "
    "(many minutes). By default long trainings are extrapolated.",
)
@click.option(
    "--repeats",
    type=click.IntRange(1),
    help="Measure each engine N times, in turn [3; with --full 5].",
    metavar="N",
)
@click.option("-o", "--output", type=PLACE, help="Write the results to this JSON file.")
@as_json
def bench(
    cases: Sequence[str],
    calibrate: bool,
    output: Path | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Measure the speed of the engines on this machine.

    Takes about two minutes. Run nothing else meanwhile.
    """
    if calibrate:
        _calibrate(as_json)
        return
    extras.require("torch", "the command bench", "give --calibrate")
    if output is not None and not output.parent.is_dir():
        raise ConfigError(
            f"-o {output}: the folder does not exist; create it or give another path"
        )
    if "jax" in how["peers"] and find_spec("jax") is None:
        raise ConfigError("--peer jax: JAX is not installed; run pip install jax")
    _check(how["device"], how["peers"])
    found = _measure(_chosen(cases), Now(table=not as_json), **how)
    if output is not None:
        output.write_text(json.dumps({"schema": 1, **found}, indent=1) + "\n")
    if as_json:
        show(found)


def _check(device: str, peers: Sequence[str]) -> None:
    """Check that there is a device, and that it is compared with nothing else."""
    from spiral import engines

    if device == "cpu":
        return
    engines.check(f"vmap:{device}")
    if peers:
        raise ConfigError(f"--peer {peers[0]} is of the CPU; leave out --device")


def _calibrate(as_json: bool) -> None:
    """Measure and save the factors that scale time estimates to this machine."""
    from spiral.engines import ENGINES, installed
    from spiral.sweep import calibration

    able = (name for name in ENGINES if installed(name))
    names = [name for name in able if ENGINES[name].automatic]
    factors = {name: calibration.measure(name) for name in names}
    target = calibration.save(factors)
    show({"factors": factors}) if as_json else click.echo(f"{factors} → {target}")


def _chosen(names: Sequence[str]) -> "tuple[Case, ...]":
    """Return the named cases, each once; all of them if none is named."""
    from spiral.bench.cases import CASES

    known = {case.name: case for case in CASES}
    for name in names:
        if name not in known:
            hint = spelling.suggest(name, known)
            raise ConfigError(f"--case {name}: unknown case; {hint}")
    return tuple(known[name] for name in dict.fromkeys(names)) or CASES


def _measure(
    cases: "tuple[Case, ...]",
    now: "Now",
    *,
    full: bool,
    repeats: int | None,
    peers: Sequence[str],
    device: str,
) -> dict[str, Any]:
    """Measure some cases and print each line of the table as it is ready."""
    from spiral import bench
    from spiral.bench.cases import CASES

    found = bench.measure(
        cases,
        repeats or (FULL_REPEATS if full else REPEATS),
        peers,
        on_start=now.announce,
        on_line=now.line,
        seconds=math.inf if full else SECONDS * len(cases) / len(CASES),
        device=device,
    )
    now.clear()
    return found


class Now:
    """Shows the current measurement on stderr and lines of the table on stdout.

    On a terminal the current measurement is one changing line below the table.
    """

    def __init__(self, table: bool):
        self.table, self.terminal = table, sys.stderr.isatty()

    def announce(self, text: str) -> None:
        """Show the current measurement."""
        self.clear()
        click.echo(text, err=True, nl=not self.terminal)

    def line(self, text: str) -> None:
        """Print a line of the table, if a table is wanted."""
        if self.table:
            self.clear()
            click.echo(text)

    def clear(self) -> None:
        """Erase the current measurement from a terminal."""
        if self.terminal:
            click.echo("\r\033[K", err=True, nl=False)
