"""The command line: parse, call one function, print."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import click

from spiral import __version__
from spiral.errors import ConfigError, LaunchIncomplete, SpiralError

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document."
)
folder = click.argument("out", metavar="DIR", type=click.Path(path_type=Path))
sets = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace a key of the grid, written as in the file. Repeatable.",
)


class Commands(click.Group):
    """Turns the project's errors into a message and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SpiralError as error:
            click.echo(f"error: {error}", err=True)
            raise SystemExit(error.exit_code) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Rank pruners against the sparsest networks of the Cubist Spiral.

    Exit codes: 0 done, 1 internal error, 2 wrong usage or grid, 3 packs failed,
    4 damaged results, 130 and 143 stopped by a signal (run again to go on).
    """


def grid_files() -> dict[str, Path]:
    """Return the grids that come with the package, by name."""
    root = Path(str(resources.files("spiral"))) / "grids"
    return {
        str(path.relative_to(root).with_suffix("")): path
        for path in sorted(root.rglob("*.yaml"))
    }


def find_grid(name: str) -> Path:
    """Return a grid file by path, or one that comes with the package by name."""
    path = Path(name)
    if path.exists():
        return path
    known = grid_files()
    if name in known:
        return known[name]
    raise ConfigError(
        f"{name}: no such file, and no shipped grid; those are {', '.join(known)}"
    )


def show(document: dict[str, Any]) -> None:
    """Print a JSON document."""
    click.echo(json.dumps({"schema": 1, **document}, indent=1))


@main.command()
@click.argument("grids", metavar="GRID...", nargs=-1, required=True)
@sets
@as_json
def plan(grids: Sequence[str], sets: Sequence[str], as_json: bool) -> None:
    """Count what a grid would train; trains nothing."""
    from spiral.sweep import grid as grid_file
    from spiral.sweep import launch, plan

    found = []
    for name in grids:
        expanded = grid_file.load(find_grid(name), sets)
        packs = plan.pack(expanded.configs)
        found.append(
            {
                "grid": expanded.name,
                "configs": len(expanded.configs),
                "duplicates": expanded.duplicates,
                "packs": len(packs.table),
                "blocks": expanded.blocks,
                "bytes": plan.estimate_bytes(expanded.configs),
                "core_seconds": round(float(packs.table["seconds"].sum()), 1),
            }
        )
    total = found[0] if len(found) == 1 else _sum_plans(found)
    if as_json:
        show(total)
    else:
        click.echo(_plan_text(total, launch.cores()))


def _sum_plans(plans: list[dict[str, Any]]) -> dict[str, Any]:
    """Return several plans as one, with the single ones under ``grids``."""
    total: dict[str, Any] = {"grid": " + ".join(p["grid"] for p in plans)}
    for key in ("configs", "duplicates", "packs", "bytes", "core_seconds"):
        total[key] = sum(p[key] for p in plans)
    total["blocks"] = {
        f"{p['grid']}/{name}": count
        for p in plans
        for name, count in p["blocks"].items()
    }
    return {**total, "grids": plans}


def _plan_text(plan: dict[str, Any], cores: int) -> str:
    """Return a plan for people."""
    from spiral.sweep.progress import duration

    lines = [f"grid {plan['grid']}"]
    lines += [f"  {name:<24}{count:>9,}" for name, count in plan["blocks"].items()]
    lines += [
        f"configs     {plan['configs']:,}, after {plan['duplicates']:,} duplicates",
        f"packs       {plan['packs']:,}",
        f"disk        about {plan['bytes'] / 1e6:,.1f} MB",
        f"time        about {duration(plan['core_seconds'] / cores)} on {cores} cores "
        "(rough: measured on another machine)",
    ]
    return "\n".join(lines)


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


@main.command()
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
    expanded = grid_file.load(find_grid(grid), sets)
    prepared = launch.prepare(expanded, out, chosen)
    for message in prepared.corrupt:
        click.echo(f"damaged, will be redone: {message}", err=True)
    try:
        with Meter(prepared, chosen.workers) as meter:
            launch.run(prepared, chosen, meter)
    except launch.Interrupted as stop:
        done = sum(outcome.networks for outcome in prepared.done)
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
            f"{len(prepared.failed)} packs failed after 3 attempts each; the others "
            "are saved, and the same command tries these again:\n" + "\n".join(lines)
        )


@main.command()
@folder
@as_json
def status(out: Path, as_json: bool) -> None:
    """Show how far a launch is; works while it runs."""
    from spiral.sweep.status import status

    state = asdict(status(out))
    if as_json:
        show(state)
        return
    click.echo(f"configs  {state['done']:,} of {state['configs']:,} done")
    click.echo(f"packs    {state['packs_done']:,} of {state['packs']:,} done")
    for pack, error in state["errors"].items():
        click.echo(f"failed   {pack}: {error}")


@main.command()
@folder
@as_json
def verify(out: Path, as_json: bool) -> None:
    """Read every result byte by byte; exit 4 if anything is damaged."""
    from spiral.sweep.status import verify

    verdict = verify(out)
    if as_json:
        show(asdict(verdict))
    else:
        click.echo(f"rows     {verdict.rows:,}")
        click.echo(f"missing  {verdict.missing:,}")
        for name, reason in verdict.reasons.items():
            click.echo(f"corrupt  {name}: {reason}")
    if not verdict.sound:
        click.echo("error: `spiral-sweep launch` redoes damaged packs", err=True)
        raise SystemExit(4)


@main.command()
@as_json
def methods(as_json: bool) -> None:
    """List the pruning methods and their options."""
    from spiral import config
    from spiral.methods import METHODS

    if as_json:
        listed = {
            name: {
                "summary": entry.summary,
                "citation": entry.citation,
                "needs_keep": entry.needs_keep,
                "taxonomy": asdict(entry.taxonomy),
                "options": {
                    f.name: {"default": f.default, "meaning": f.description}
                    for f in config.fields(entry.options).values()
                },
            }
            for name, entry in METHODS.items()
        }
        show({"methods": listed})
        return
    for name, entry in METHODS.items():
        click.echo(f"{name:<11}{entry.summary} ({entry.citation})")
        for f in config.fields(entry.options).values():
            default = "required" if f.required else f"default {f.default}"
            click.echo(f"{'':<13}{f.name}: {f.description}; {default}")


@main.command()
def schema() -> None:
    """Print the JSON Schema of grid files, for editors."""
    from spiral.sweep.schema import grid_schema

    click.echo(json.dumps(grid_schema(), indent=1))


@main.command()
@folder
@click.option("--by", default="method,width,keep", show_default=True, help="Groups.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@as_json
def compare(out: Path, by: str, as_csv: bool, as_json: bool) -> None:
    """Print accuracy per group: median and best over seeds, with counts."""
    from spiral.report import compare, results

    table = compare.summarise(
        results.read(out), [name.strip() for name in by.split(",")]
    )
    if as_json:
        show({"groups": json.loads(table.to_json(orient="records"))})
    elif as_csv:
        click.echo(table.to_csv(index=False), nl=False)
    else:
        click.echo(compare.as_text(table))


@main.command()
@click.option("--case", "cases", multiple=True, help="Only these cases. Repeatable.")
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Save JSON.")
@as_json
def bench(
    cases: Sequence[str], repeats: int, output: Path | None, as_json: bool
) -> None:
    """Measure the engines on this machine (some minutes; let nothing else run)."""
    from spiral import bench

    known = {case.name: case for case in bench.CASES}
    unknown = [name for name in cases if name not in known]
    if unknown:
        raise ConfigError(f"--case {unknown[0]}: unknown; known are {', '.join(known)}")
    chosen = tuple(known[name] for name in cases) or bench.CASES
    found = bench.measure(chosen, repeats, lambda line: click.echo(line, err=True))
    if output is not None:
        output.write_text(json.dumps({"schema": 1, **found}, indent=1) + "\n")
    if as_json:
        show(found)
    else:
        click.echo(bench.as_text(found))


@main.group()
def plot() -> None:
    """Draw figures (png, svg or pdf)."""


output = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File [KIND.png]."
)


@plot.command("accuracy")
@folder
@output
def plot_accuracy(out: Path, output: Path | None) -> None:
    """Accuracy over the weights kept, per method."""
    from spiral.report import compare, figures, results, style

    rows = results.read(out, results.SUMMARY_COLUMNS)
    summary = compare.summarise(rows, ["method", "keep"])
    figure = figures.draw(lambda axes: figures.accuracy_over_keep(axes, summary))
    style.save(figure, output or Path("accuracy.png"))
    click.echo(output or "accuracy.png")


@plot.command("boundary")
@folder
@click.argument("config_id", metavar="ID")
@output
def plot_boundary(out: Path, config_id: str, output: Path | None) -> None:
    """Decision boundary of one network.

    ID is the beginning of a config_id, or METHOD@KEEP for the best such network.
    """
    from spiral import rows
    from spiral.report import figures, results, style

    row = results.find(out, config_id)
    _, params = rows.params_of(row)
    title = (
        f"{row['method']}, width {row['width']}: {row['nnz']} weights "
        f"({row['effective_nnz']} on a path), accuracy {row['accuracy']:.4f}"
    )
    figure = figures.draw(
        lambda axes: figures.boundary(axes, params, int(row["width"]), title), 5.5, 5.5
    )
    style.save(figure, output or Path("boundary.png"))
    click.echo(output or "boundary.png")
