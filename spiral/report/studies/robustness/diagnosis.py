"""Robustness of the networks of launches: which are measured, and their tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from spiral.errors import ConfigError
from spiral.protocol.methods import Methods
from spiral.report.stats.frontier_notes import no_frontier
from spiral.report.stats.row_filter import select
from spiral.report.stats.selection import choose, task_of
from spiral.report.studies.robustness import measure
from spiral.report.studies.robustness.measure import KINDS, Probe, Reading
from spiral.results import columns, load
from spiral.search import best_known
from spiral.search.network import unpacked
from spiral.tasks import catalogue

BY = ("method", "width", "keep")
BEST_KNOWN: dict[best_known.Kind, str] = {
    "any": "best_known",
    "protocol": "best_known_protocol",
}
"""Names of the best known networks, and of those trained as in the paper."""


@dataclass(frozen=True)
class Question:
    """Which networks to measure, and on what."""

    each: int = 5
    """Networks of each method, width and size: its first seeds at the best setting."""
    every: int = 10
    """Measure on every N-th point."""
    keep: Sequence[int] = ()
    """Sizes; all by default, dense networks too."""
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Columns, or axes of the taxonomy, and values (see ``select``); dense networks are
    kept whatever is asked of methods."""
    frontier: Path | None = None
    """The file; the shipped one by default."""


class Diagnosis(NamedTuple):
    """Tables, and notes on them."""

    networks: pd.DataFrame
    """A line for each network: what it is, and ``measure.numbers``."""
    groups: pd.DataFrame
    """Medians over the networks of each method, width and size."""
    curves: pd.DataFrame
    """Median accuracy of the same under each kind at each severity."""
    overlap: pd.DataFrame
    """How alike the fragile points of two methods are (medians over equal seeds)."""
    redundancy: pd.DataFrame
    """How alike two corruptions move margins."""
    notes: list[str]


class Read(NamedTuple):
    """A network and its reading."""

    facts: dict[str, Any]
    reading: Reading


def diagnose(
    folders: Sequence[Path], methods: Methods, question: Question | None = None
) -> Diagnosis:
    """Measure networks of launches and the best known networks of their sizes.

    Args:
        folders: Results directories.
        methods: Those that this process knows.
        question: Which networks, and on what.

    Raises:
        ConfigError: No network is left.
        StoreError: A folder holds no rows, or the file no frontier.
    """
    question = question or Question()
    chosen, notes = _chosen(folders, methods, question)
    task = task_of(chosen)
    probe = measure.probe(catalogue.load(task), question.every)
    read = [*_pruned(folders, chosen, probe)]
    sizes = sorted({r.facts["nnz"] for r in read if r.facts["method"] != "dense"})
    if question.frontier or best_known.exists(task):
        read += _best_known(best_known.load(question.frontier, task), sizes, probe)
    else:
        notes.append(no_frontier(task))
    networks = _numbers(read)
    groups = _medians(networks)
    notes = [*notes, *_notes(groups, question)]
    return Diagnosis(
        networks, groups, _curves(read), _overlap(read), _redundancy(read), notes
    )


def _chosen(
    folders: Sequence[Path], methods: Methods, question: Question
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows to read: the first seeds of each group's best setting."""
    table, notes = load.read(folders, methods.options)
    table = select(table, question.where, methods, always=("dense",))
    if question.keep:
        sizes = table["keep"].isin([*question.keep])
        table = table[sizes | (table["method"] == "dense")]
    table = table[table["status"] != "diverged"].reset_index(drop=True)
    if table.empty:
        raise ConfigError(
            "expected networks to measure, got none; see --keep and --where"
        )
    choice = choose(table, ("method", "width"))
    reported = choice.rows[choice.reported].sort_values(["group", "seed"])
    return reported.groupby("group").head(question.each), notes


def _pruned(folders: Sequence[Path], chosen: pd.DataFrame, probe: Probe) -> list[Read]:
    """Read the networks of rows, dense ones first: others are compared with them."""
    dense: dict[tuple[int, int], Reading] = {}
    found = []
    order = chosen.assign(first=chosen["method"] != "dense").sort_values("first")
    for line in load.networks(folders, order).to_dict("records"):
        width, seed = int(line["width"]), int(line["seed"])
        _, params = columns.params_of(line)
        reading = measure.read(params, width, probe)
        if line["method"] == "dense":
            dense.setdefault((width, seed), reading)
        facts: dict[str, Any] = {
            "method": str(line["method"]),
            "width": width,
            "keep": None if pd.isna(line["keep"]) else int(line["keep"]),
            "seed": seed,
            "nnz": int(line["nnz"]),
            "lost": _lost(dense.get((width, seed)), reading),
        }
        found.append(Read(facts, reading))
    return found


def _lost(dense: Reading | None, pruned: Reading) -> np.ndarray | None:
    """Return the points that only the dense network of this seed has correct."""
    return None if dense is None else dense.right & ~pruned.right


def _best_known(known: pd.DataFrame, sizes: Sequence[int], probe: Probe) -> list[Read]:
    """Measure the best networks known with as many weights as the others, or fewer."""
    found = []
    for kind, name in BEST_KNOWN.items():
        leaders = best_known.leaders(known, kind)
        place = np.searchsorted(leaders["nnz"], sizes, side="right") - 1
        for number in sorted({*place.tolist()} - {-1}):
            entry = leaders.iloc[number]
            _, params, width = unpacked(entry["matrices"], np.asarray(entry["params"]))
            nnz = int(entry["nnz"])
            facts = {"method": name, "width": width, "keep": nnz, "seed": None}
            reading = measure.read(params, width, probe)
            found.append(Read(facts | {"nnz": nnz, "lost": None}, reading))
    return found


def _numbers(read: Sequence[Read]) -> pd.DataFrame:
    """Return the numbers of each network."""
    lines = []
    for facts, reading in read:
        shown = {name: value for name, value in facts.items() if name != "lost"}
        lost = facts["lost"]
        shown["lost"] = np.nan if lost is None else float(lost.mean())
        lines.append(shown | measure.numbers(reading))
    kinds = dict.fromkeys(("width", "keep", "seed", "nnz"), "Int64")
    return pd.DataFrame(lines).astype(kinds)


def _medians(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the medians of each method, width and size."""
    grouped = networks.groupby([*BY], dropna=False, sort=False)
    found = grouped.median(numeric_only=True).drop(columns="seed")
    found.insert(0, "n", grouped.size())
    return found.reset_index()


def _curves(read: Sequence[Read]) -> pd.DataFrame:
    """Return the median accuracy under each kind at each severity."""
    lines = [
        {name: facts[name] for name in BY}
        | {"kind": kind, "severity": severity, "accuracy": float(value)}
        for facts, reading in read
        for kind, values in zip(KINDS, reading.accuracy, strict=True)
        for severity, value in enumerate(values)
    ]
    table = pd.DataFrame(lines).astype({"width": "Int64", "keep": "Int64"})
    names = [*BY, "kind", "severity"]
    return (
        table.groupby(names, dropna=False, sort=False)["accuracy"]
        .median()
        .reset_index()
    )


def _overlap(read: Sequence[Read]) -> pd.DataFrame:
    """Return how alike two methods' sets of points are, for equal width, size, seed."""
    places: dict[tuple[Any, ...], dict[str, Read]] = {}
    for one in read:
        if one.facts["keep"] is not None and one.facts["seed"] is not None:
            place = (one.facts["width"], one.facts["keep"], one.facts["seed"])
            places.setdefault(place, {})[one.facts["method"]] = one
    lines = []
    for (width, keep, _), here in places.items():
        for a, b in combinations(sorted(here), 2):
            (of_a, reading_a), (of_b, reading_b) = here[a], here[b]
            line = {"a": a, "b": b, "width": width, "keep": keep}
            line["fragile"] = measure.jaccard(reading_a.fragile, reading_b.fragile)
            if of_a["lost"] is not None:  # both have the same dense network
                line["lost"] = measure.jaccard(of_a["lost"], of_b["lost"])
            lines.append(line)
    names = ["a", "b", "width", "keep"]
    if not lines:
        return pd.DataFrame(columns=[*names, "n", "fragile", "lost"])
    table = pd.DataFrame(lines, columns=[*names, "fragile", "lost"])
    grouped = table.groupby(names)
    found = grouped.median()
    found.insert(0, "n", grouped.size())
    return found.reset_index()


def _redundancy(read: Sequence[Read]) -> pd.DataFrame:
    """Return how alike two corruptions move margins, over all networks of rows."""
    own = [r.reading for r in read if r.facts["method"] not in BEST_KNOWN.values()]
    table = pd.DataFrame(measure.redundancy(own), index=KINDS, columns=KINDS)
    return table.rename_axis("kind").reset_index()


def _notes(groups: pd.DataFrame, question: Question) -> list[str]:
    """Return what was measured, and how the best known networks compare."""
    points = "all points" if question.every == 1 else f"one point in {question.every}"
    found = [
        f"measured on {points}, for up to {question.each} networks of each line; "
        "angle, length, margin and room are medians over the points (_low: the 5 % "
        "quantile), then over the networks"
    ]
    names = [*BEST_KNOWN.values()]
    best = groups[groups["method"] == BEST_KNOWN["any"]].sort_values("nnz")
    pruned = groups[~groups["method"].isin([*names, "dense"])]
    place = np.searchsorted(best["nnz"], pruned["nnz"], side="right") - 1
    ours, known = pruned[place >= 0], best.iloc[place[place >= 0]]
    higher = known["mean_corruption"].to_numpy() > ours["mean_corruption"].to_numpy()
    milder = known["drop"].to_numpy() < ours["drop"].to_numpy()
    if len(ours):
        found.append(
            f"of {len(ours)} lines of pruned networks, the best known network of equal "
            f"size or smaller is more accurate under corruption in {higher.sum()} and "
            f"has the smaller drop in {milder.sum()}"
        )
    return found
