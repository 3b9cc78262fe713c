"""Train from Python: launch a grid, rank a method."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from spiral.errors import ConfigError, LaunchIncomplete, MethodError
from spiral.methods import plugin, registry
from spiral.methods.registry import METHODS
from spiral.results import buckets, store, versions
from spiral.sweep import launch as launches
from spiral.sweep import preflight, recover
from spiral.sweep.grid import grid as grids
from spiral.sweep.grid import shipped
from spiral.sweep.grid.grid import Grid
from spiral.sweep.launch import Launch, Settings
from spiral.sweep.progress import Meter
from spiral.sweep.status import Status, status

if TYPE_CHECKING:
    from spiral.report.stats.ranking import Ranking
    from spiral.report.text.document import Document

# Statistics are imported where a ranking is made: launches would load scipy.stats, with
# which a process that runs out of memory aborts instead of raising an error.

QUICK = ("lr=0.1", "schedule=cosine")
"""The part of the standard grid that a quick ranking trains: the default setting."""

Say = Callable[[str], None]


def to_stderr(text: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{text}\n")


def launch(
    grid: str | Path | Mapping[str, Any],
    out: str | Path,
    sets: Sequence[str] = (),
    sample: float | None = None,
    **settings: Any,
) -> Status:
    """Train the missing packs of a grid, as ``spiral-sweep launch`` does.

    A script must call it under ``if __name__ == "__main__"``, as workers are processes
    that import the script; notebooks and ``workers=1`` need no such line.

    Args:
        grid: A file, the name of a shipped grid, or the keys of a grid as a mapping.
        out: The results directory, a folder or a URL as ``s3://bucket/prefix``;
            launching into it again continues.
        sets: Overrides ``KEY=VALUE``, as of ``--set``.
        sample: Share of the configs; all by default.
        settings: ``executor`` ("local" here, or "ray"), ``address``, ``workers``,
            ``shard`` (index from 0, count), ``limit``, ``method`` (``FILE:CLASS``),
            ``gpus_per_pack``.

    Returns:
        How much of the grid has rows.

    Raises:
        ConfigError: The grid or a setting is wrong.
        LaunchIncomplete: Packs failed.

    >>> import tempfile, spiral
    >>> grid = {"method": ["gmp", "random"], "width": 3, "keep": 12, "epochs": 1}
    >>> with tempfile.TemporaryDirectory() as out:
    ...     done = spiral.launch(grid, out, workers=1)
    ...     rows = spiral.load_rows(out)
    >>> done.complete, rows["nnz"].tolist()
    (True, [12, 12])
    """
    chosen = settings_of({"executor": "local", **settings})
    if chosen.method is not None:
        sets = [*sets, f"method={load_method(chosen)}"]
    loaded = _grid(grid, sets, sample)
    if chosen.method is not None:
        warn(loaded, to_stderr)
    begun: list[Launch] = []
    place = buckets.at(out)
    train(loaded, place, chosen, begun)
    check(begun[0])
    return status(place)


def rank(
    method: str | None = None,
    out: str | Path | None = None,
    quick: bool = False,
    width: int = 16,
    **settings: Any,
) -> "Document":
    """Rank a method among the shipped ones, as ``spiral-sweep rank`` does.

    Args:
        method: ``FILE:CLASS`` (executes the file), or the name of a built-in one. By
            default nothing is trained, and the shipped ones are ranked.
        out: The results directory [runs/rank/METHOD].
        quick: Whether to train the default learning rate and schedule only.
        width: Width at which the shipped methods are ranked (without ``method``).
        settings: As of :func:`launch`.

    Raises:
        ConfigError: The method or a setting is wrong, or ``out`` has other rows.
        MethodError: The method breaches its contract.

    >>> import spiral
    >>> ranked = spiral.rank(width=16).tables["scores"].content
    >>> ranked["method"].iloc[0]
    'obs'
    """
    from spiral.report.stats import standings
    from spiral.report.text import ranking as ranking_text
    from spiral.report.text import standings as standings_text

    if method is None:
        found = standings.shipped(registry.options(), width)
        return standings_text.document(found)
    chosen = settings_of({"executor": "local", **settings, "method": method})
    planned = prepare(
        chosen, None if out is None else buckets.at(out), quick, to_stderr
    )
    begun: list[Launch] = []
    train(planned.grid, planned.out, chosen, begun)
    check(begun[0])
    ranked = ranked_of(planned)
    if len(ranked.miscounted):
        raise MethodError(ranking_text.miscounted(ranked))
    return ranking_text.document(ranked, planned.out)


def _grid(
    grid: str | Path | Mapping[str, Any], sets: Sequence[str], sample: float | None
) -> Grid:
    """Return an expanded grid, or a share of it."""
    if not isinstance(grid, Mapping):
        return shipped.load(str(grid), sets, sample)
    text = yaml.safe_dump(dict(grid), sort_keys=False)
    loaded = grids.loads(text, str(grid.get("name", "grid")), sets)
    return loaded if sample is None else grids.sample(loaded, sample)


# ---- steps that the command line takes, too


def settings_of(options: Mapping[str, Any]) -> Settings:
    """Return launch settings; all cores, and the method by its absolute path.

    Raises:
        ConfigError: They contradict each other, or one is unknown.
    """
    names = [field.name for field in fields(Settings)]
    unknown = [name for name in options if name not in names]
    if unknown:
        raise ConfigError(f"expected settings among {', '.join(names)}, got {unknown}")
    own = dict(options)
    if own.get("address") is not None and own.get("executor") != "ray":
        raise ConfigError("--address needs --executor ray")
    share = own.get("gpus_per_pack", 1.0)
    if not 0 < share <= 1:
        raise ConfigError(f"gpus_per_pack: expected a share from 0 to 1, got {share}")
    if share != 1 and own.get("executor") != "ray":
        raise ConfigError("--gpus-per-pack needs --executor ray")
    own["workers"] = own.get("workers") or launches.cores()
    if own.get("method") is not None:
        own["method"] = plugin.absolute(own["method"])
    return Settings(**own)


def load_method(settings: Settings) -> str:
    """Register the method of a launch; return its name."""
    assert settings.method is not None
    return plugin.load(settings.method, METHODS)


def warn(grid: Grid, say: Say) -> None:
    """Warn about probable mistakes in the plan of a user's method."""
    for text in preflight.hints(grid.configs):
        say(f"warning: {text}")


def train(
    grid: Grid, out: Path, settings: Settings, begun: list[Launch], say: Say = to_stderr
) -> None:
    """Train the missing packs of a grid and show the progress.

    Args:
        grid: What to train.
        out: The results directory.
        settings: How.
        begun: Gets the launch as soon as it is prepared, for messages about signals.
        say: Is told of damaged files.
    """
    prepared = launches.prepare(grid, out, settings)
    begun.append(prepared)
    for message in prepared.corrupt:
        say(f"damaged, will be trained again: {message}")
    with Meter(prepared, settings.workers) as meter:
        launches.run(prepared, settings, meter)


def check(prepared: Launch) -> None:
    """Raise LaunchIncomplete if packs failed."""
    if prepared.failed:
        lines = [f"  {o.pack}: {o.error}" for o in prepared.failed[:5]]
        failed, done = len(prepared.failed), len(prepared.done)
        saved = f"the other {done:,} are saved" if done else "none succeeded"
        raise LaunchIncomplete(
            f"{failed:,} of {failed + done:,} packs failed; {saved}. Run the same "
            "command to retry the failed ones:\n" + "\n".join(lines)
        )


class Planned(NamedTuple):
    """A ranking before it is trained."""

    method: str
    grid: Grid
    out: Path


def prepare(settings: Settings, out: Path | None, quick: bool, say: Say) -> Planned:
    """Check a method and the folder of its ranking; train nothing.

    Raises:
        ConfigError: The folder has rows of another ranking.
        MethodError: The method breaches its contract.
    """
    name = load_method(settings)
    standard = str(shipped.files()["standard"])  # not a local file of this name
    grid = shipped.load(standard, [f"method={name}", *(QUICK if quick else [])])
    out = out or Path("runs") / "rank" / name
    _check_folder(out, name, grid)
    preflight.check(grid.configs)
    warn(grid, say)
    return Planned(name, grid, out)


def ranked_of(planned: Planned) -> "Ranking":
    """Return the ranking of what was trained."""
    from spiral.report.stats import ranking

    return ranking.of_folder(planned.out, planned.method, registry.options())


def _check_folder(out: Path, name: str, grid: Grid) -> None:
    """Raise ConfigError if a folder has rows of another ranking."""
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
