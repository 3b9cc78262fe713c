"""``bench``: how fast the engines are here."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from spiral.cli.common import as_json, show
from spiral.errors import ConfigError


@click.command()
@click.option("--case", "cases", multiple=True, help="Only these cases. Repeatable.")
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice(["compile", "jax"]),
    help="Measure a rival too: torch.compile, or JAX if installed. Repeatable.",
)
@click.option(
    "--calibrate", is_flag=True, help="Measure and keep what `plan` needs, no table."
)
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Save JSON.")
@as_json
def bench(
    cases: Sequence[str],
    peers: Sequence[str],
    calibrate: bool,
    repeats: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """Measure the engines on this machine (some minutes; let nothing else run)."""
    from spiral import bench
    from spiral.sweep import calibration

    if calibrate:
        factors = {name: calibration.measure(name) for name in ("sparse", "vmap")}
        target = calibration.save(factors)
        show({"factors": factors}) if as_json else click.echo(f"{factors} → {target}")
        return
    if output is not None and not output.parent.is_dir():
        raise ConfigError(f"-o {output}: its folder does not exist")
    if "jax" in peers and find_spec("jax") is None:
        raise ConfigError("--peer jax: JAX is not installed; pip install jax")
    known = {case.name: case for case in bench.CASES}
    unknown = [name for name in cases if name not in known]
    if unknown:
        raise ConfigError(f"--case {unknown[0]}: unknown; known are {', '.join(known)}")
    chosen = tuple(known[name] for name in cases) or bench.CASES
    found = bench.measure(
        chosen, repeats, peers, lambda line: click.echo(line, err=True)
    )
    if output is not None:
        output.write_text(json.dumps({"schema": 1, **found}, indent=1) + "\n")
    if as_json:
        show(found)
    else:
        click.echo(bench.as_text(found))
