"""``plan``: preview what a grid trains."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.options import as_json, sample, sets, show

if TYPE_CHECKING:
    from spiral.sweep.grid.grid import Grid


@click.command()
@click.argument("grids", metavar="GRID...", nargs=-1, required=True)
@sets
@sample
@as_json
def plan(
    grids: Sequence[str], sets: Sequence[str], sample: float | None, as_json: bool
) -> None:
    """Estimate the size and time of grids; train nothing."""
    from spiral.sweep.grid import shipped

    expanded = [shipped.load(name, sets, sample) for name in grids]
    show_plans(expanded, as_json)


def show_plans(grids: "Sequence[Grid]", as_json: bool) -> None:
    """Print the plan of one grid, or the sum of several."""
    from spiral.sweep import launch

    found = [_count(grid) for grid in _each_once(grids)]
    total = found[0] if len(found) == 1 else _sum_plans(found)
    if as_json:
        show(total)
    else:
        click.echo(_plan_text(total, launch.cores()))


def _each_once(grids: "Sequence[Grid]") -> "Iterator[Grid]":
    """Yield each grid without the configs of earlier grids.

    Repeated configs count as duplicates, as they do within one grid: a launch into the
    same directory would train them once.
    """
    import pandas as pd

    ids = pd.concat([grid.configs["config_id"] for grid in grids])
    repeated, end = ids.duplicated().to_numpy(), 0
    for grid in grids:
        again = repeated[end : end + len(grid.configs)]
        end += len(again)
        if not again.any():  # selecting rows would copy a wide table
            yield grid
            continue
        left = grid.configs[~again].reset_index(drop=True)
        duplicates = grid.duplicates + int(again.sum())
        yield replace(grid, configs=left, duplicates=duplicates)


def _count(grid: "Grid") -> dict[str, Any]:
    """Return the counts and estimates of one grid."""
    from spiral.sweep.packs import pack

    packs = pack(grid.configs)
    return {
        "grid": grid.name,
        "configs": len(grid.configs),
        "duplicates": grid.duplicates,
        "packs": len(packs.table),
        "blocks": grid.blocks,
        "bytes": packs.bytes,
        "core_seconds": round(float(packs.table["seconds"].sum()), 1),
        "block_core_seconds": {
            name: round(packs.blocks.get(name, 0.0), 1) for name in grid.blocks
        },
    }


def _sum_plans(plans: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up several plans; the individual ones are under ``grids``."""
    total: dict[str, Any] = {"grid": " + ".join(p["grid"] for p in plans)}
    for key in ("configs", "duplicates", "packs", "bytes", "core_seconds"):
        total[key] = sum(p[key] for p in plans)
    for key in ("blocks", "block_core_seconds"):
        sums: Counter[str] = Counter()  # two grids may have the same name
        for plan in plans:
            sums.update({f"{plan['grid']}/{k}": v for k, v in plan[key].items()})
        total[key] = dict(sums)
    return {**total, "grids": plans}


def _plan_text(plan: dict[str, Any], cores: int) -> str:
    """Return a plan as text."""
    from spiral.sweep.progress import duration

    lines = [f"grid {plan['grid']}"]
    for name, count in plan["blocks"].items():
        seconds = plan["block_core_seconds"][name] / cores
        lines.append(f"  {name:<24}{count:>9,} configs, about {duration(seconds)}")
    lines += [
        f"configs     {plan['configs']:,} ({plan['duplicates']:,} duplicates dropped)",
        f"packs       {plan['packs']:,}",
        f"disk        about {plan['bytes'] / 1e6:,.1f} MB",
        f"time        about {duration(plan['core_seconds'] / cores)} on {cores} cores",
    ]
    return "\n".join(lines)
