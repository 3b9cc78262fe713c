"""``plan``: what a grid would train."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.common import as_json, load_grid, sample, sets, show

if TYPE_CHECKING:
    from spiral.sweep.grid import Grid


@click.command()
@click.argument("grids", metavar="GRID...", nargs=-1, required=True)
@sets
@sample
@as_json
def plan(
    grids: Sequence[str], sets: Sequence[str], sample: float | None, as_json: bool
) -> None:
    """Count what a grid would train; trains nothing."""
    expanded = [load_grid(name, sets, sample) for name in grids]
    show_plans(expanded, as_json)


def show_plans(grids: "Sequence[Grid]", as_json: bool) -> None:
    """Print what grids would train, one or several added up."""
    from spiral.sweep import launch

    found = [_count(grid) for grid in grids]
    ids = {config_id for grid in grids for config_id in grid.configs["config_id"]}
    total = found[0] if len(found) == 1 else _sum_plans(found, len(ids))
    if as_json:
        show(total)
    else:
        click.echo(_plan_text(total, launch.cores()))


def _count(grid: "Grid") -> dict[str, Any]:
    """Return what one grid would train."""
    from spiral.sweep import plan

    packs = plan.pack(grid.configs)
    return {
        "grid": grid.name,
        "configs": len(grid.configs),
        "duplicates": grid.duplicates,
        "packs": len(packs.table),
        "blocks": grid.blocks,
        "bytes": plan.estimate_bytes(grid.configs),
        "core_seconds": round(float(packs.table["seconds"].sum()), 1),
        "block_core_seconds": {
            name: round(packs.blocks.get(name, 0.0), 1) for name in grid.blocks
        },
    }


def _sum_plans(plans: list[dict[str, Any]], distinct: int) -> dict[str, Any]:
    """Return several plans as one, with the single ones under ``grids``.

    A config of several grids counts once; its cost counts for each, as each is
    launched on its own.
    """
    total: dict[str, Any] = {"grid": " + ".join(p["grid"] for p in plans)}
    for key in ("configs", "duplicates", "packs", "bytes", "core_seconds"):
        total[key] = sum(p[key] for p in plans)
    total["duplicates"] += total["configs"] - distinct
    total["configs"] = distinct
    for key in ("blocks", "block_core_seconds"):
        total[key] = {f"{p['grid']}/{k}": v for p in plans for k, v in p[key].items()}
    return {**total, "grids": plans}


def _plan_text(plan: dict[str, Any], cores: int) -> str:
    """Return a plan for people."""
    from spiral.sweep.progress import duration

    lines = [f"grid {plan['grid']}"]
    for name, count in plan["blocks"].items():
        seconds = plan["block_core_seconds"][name] / cores
        lines.append(f"  {name:<24}{count:>9,} configs, about {duration(seconds)}")
    lines += [
        f"configs     {plan['configs']:,}, after {plan['duplicates']:,} duplicates",
        f"packs       {plan['packs']:,}",
        f"disk        about {plan['bytes'] / 1e6:,.1f} MB",
        f"time        about {duration(plan['core_seconds'] / cores)} on {cores} cores",
    ]
    return "\n".join(lines)
