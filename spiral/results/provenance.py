"""What was run: grid, progress, versions, machine and time of each launch."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spiral.results import buckets, sealed, store
from spiral.results.columns import meanings

VERSIONS = {
    "version": "spiral-sweep",
    "python": "Python",
    "torch": "torch",
    "numpy": "NumPy",
    "numba": "Numba",
    "pyarrow": "pyarrow",
}
"""Facts of a pack that are versions, and their names for people."""


class Run(NamedTuple):
    """One launch."""

    folder: str
    facts: dict[str, str]
    """Lines to print: heading → text."""
    statuses: dict[str, int]
    """Rows by status; ok first, then the most frequent."""
    failures: dict[str, str]
    """Failed packs, with the last error of each."""

    @property
    def meanings(self) -> list[str]:
        """The meaning of each status except ok."""
        return meanings(self.statuses)


def runs(folders: Sequence[Path], rows: pd.DataFrame) -> list[Run]:
    """Return what was run.

    Args:
        folders: Results directories.
        rows: Their rows with the number of their ``folder``.

    Raises:
        StoreError: One of them is not a results directory.
    """
    return [
        _run(folder, rows[rows["folder"] == number])
        for number, folder in enumerate(folders)
    ]


def _run(folder: Path, rows: pd.DataFrame) -> Run:
    """Return the facts about one launch."""
    manifest, about = store.read_manifest(folder, columns=["pack"])
    packs = set(manifest["pack"])
    failures = {p: e for p, e in store.failures(folder).items() if p in packs}
    files = [p for p in store.pack_files(folder) if store.pack_of(p) in packs]
    footers = [*buckets.mapped(folder, footer, files)]
    done = sum(int(footer.get("rows", 0)) for footer in footers)
    counts = {"ok": 0} | rows["status"].value_counts().to_dict()
    given_up = [pack for pack in failures if store.pack_path(folder, pack) not in files]
    facts = {
        "grid": str(about.get("grid", "unknown")),
        "configs": f"{len(manifest):,}, {done:,} of them done",
        "packs": f"{len(packs):,}, {len(files):,} done, {len(given_up):,} given up",
        "methods": ", ".join(sorted(map(str, rows["method"].unique()))),
        "widths": ", ".join(map(str, sorted(rows["width"].unique()))),
        "seeds": f"{rows['seed'].nunique():,}",
        "training": _hours(sum(float(f.get("seconds", 0)) for f in footers)),
        "machine": _each(footers, ("system", "machine")),
        "processor": _each(footers, ("cpu", "instructions")),
        "versions": "; ".join(
            f"{called} {_each(footers, (name,))}" for name, called in VERSIONS.items()
        ),
    }
    return Run(str(folder), facts, counts, {p: failures[p] for p in given_up})


def footer(path: Path) -> dict[str, Any]:
    """Return the facts in a pack's footer; none if it cannot be read."""
    try:
        found: dict[str, Any] = json.loads(
            pq.read_metadata(buckets.footed(path)).metadata[sealed.FOOTER]
        )
    except (pa.ArrowException, OSError, KeyError, ValueError):
        return {}
    return found


def _each(footers: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """Return all values of some facts, separated by commas."""
    told = {" ".join(str(f.get(name, "unknown")) for name in names) for f in footers}
    return ", ".join(sorted(told)) or "unknown"


def _hours(seconds: float) -> str:
    """Return a time in a readable unit."""
    if seconds < 120:
        return f"{seconds:.0f} s, summed over packs"
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes, summed over packs"
    return f"{seconds / 3600:.1f} hours, summed over packs"
