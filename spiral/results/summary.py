"""Summaries: the rows of a launch without networks, small enough to ship.

A row keeps the columns that comparisons use, without its mask and weights, which make
up more than nine tenths of a file. The same functions read launches and summaries.
Those in ``SHIPPED`` have the names of their grids, without folders; ``standard`` is the
baseline of rankings.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from spiral import formats, spelling
from spiral.errors import ConfigError, StoreError
from spiral.protocol import config
from spiral.results import atomic, buckets, sealed, store
from spiral.results import read as results
from spiral.results.read import MEASURED

SHIPPED = Path(__file__).parent / "shipped" / "summaries"

FACTS = (
    *("version", "machine", "system", "cpu", "instructions"),
    *("python", "numpy", "numba", "torch"),
)
"""Facts about the making of packs in their footers."""


Only = Mapping[str, Sequence[Any]]
"""Columns, and which values to read."""
ALL: Only = MappingProxyType({})

NETWORK = ("config_id", "mask", "weights")
"""Columns of rows whose networks a summary has; null in others."""


class Hits(NamedTuple):
    """Which networks a summary keeps."""

    weights: int
    """The most that they have."""
    accuracy: float
    """The least that they reach."""

    def among(self, rows: pd.DataFrame) -> pd.Series:
        """Return which rows are hits."""
        small = rows["nnz"] <= self.weights
        found: pd.Series = (small & (rows["accuracy"] >= self.accuracy)).fillna(False)
        return found.astype(bool)


def names() -> list[str]:
    """Return the names of the summaries that are shipped."""
    return sorted(path.stem for path in SHIPPED.glob("*.parquet"))


def shipped(name: str) -> Path:
    """Return the file of a shipped summary, as ``standard``.

    Raises:
        StoreError: No shipped summary has this name.
    """
    if name not in names():
        raise StoreError(
            f"{name}: expected the name of a shipped summary; "
            f"{spelling.suggest(name, names())}"
        )
    return SHIPPED / f"{name}.parquet"


def located(place: Path) -> Path:
    """Return the file of a shipped summary for its name; other paths as they are."""
    named = str(place) in names() and not place.exists()
    return shipped(str(place)) if named else place


def write(
    places: Sequence[Path],
    file: Path,
    more: Sequence[str] = (),
    hits: Hits | None = None,
) -> int:
    """Write the summary of launches; return its rows.

    Args:
        places: Results directories, complete or not, and summaries of others. A config
            that several have counts once, with the row of the first.
        file: The Parquet file to write or replace.
        more: Results to keep besides ``MEASURED``.
        hits: Rows whose networks to keep, too; None for no row.

    Raises:
        ConfigError: The name of the file does not end in .parquet.
        StoreError: There are no rows, or the file cannot be written.
    """
    if file.suffix != ".parquet":
        raise ConfigError(f"{file}: expected a name ending in .parquet")
    kept = [*MEASURED, *more, *(NETWORK if hits else ())]
    parts = [_rows(place, kept, hits) for place in places]
    table = pd.concat([table for table, _ in parts], ignore_index=True)
    for name in ("init_seed", "order_seed"):
        table[name] = table[name].mask(table[name] == table["seed"])
    names = [name for name in table if name not in kept]
    told = [name for name in names if table[name].notna().any()]
    table = table.drop_duplicates(told)
    order = [name for name in told if name not in ("seed", "keep")]
    # Sorted, equal values are adjacent: 75 KB instead of 168 KB for `standard`
    table = table.sort_values([*order, "keep", "seed"], kind="stable")
    found = pa.Table.from_pandas(table[[*told, *kept]], preserve_index=False)
    footer = {"summary": 1, "rows": len(table), **_joined([f for _, f in parts])}
    data = sealed.to_bytes(found, footer)
    atomic.replace_atomically(file, data, file.parent)
    return len(table)


def _rows(
    place: Path, kept: Sequence[str], hits: Hits | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the configs and some results of a launch or summary, and who made them."""
    if place.is_file():
        table, facts = read(place)
        lacking = [name for name in kept if name not in table]
        return table.assign(**dict.fromkeys(lacking, pd.NA)), facts
    measured = [name for name in kept if name not in NETWORK]
    names = [*config.fields(config.Config), *results.options(place), *measured]
    if hits is None:
        return results.read(place, names), _made_by(place)
    table = results.read(place, ["config_id", *names])
    # Only those of hits are read: all weights of a large launch do not fit in memory
    table["config_id"] = table["config_id"].where(hits.among(table))
    ids = table["config_id"].dropna()
    networks = results.read(place, NETWORK, ids=ids).set_index("config_id")
    return table.join(networks, on="config_id"), _made_by(place)


def _joined(facts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return facts about the making of several parts as those of one."""
    found: dict[str, Any] = {}
    for name in ("grid", "blocks"):
        values = [each[name] for each in facts if each.get(name) is not None]
        found[name] = values[0] if len(values) == 1 else values or None
    for name in FACTS:
        every = [value for each in facts for value in each.get(name) or []]
        found[name] = list(dict.fromkeys(every))
    return found


def read(file: Path, only: Only = ALL) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows of a summary, without ids, and its footer.

    Args:
        file: The summary.
        only: Columns that every summary has, and the values of rows to return.

    Raises:
        StoreError: There is no such file, or it is not a summary.
        CorruptPack: It is damaged.
    """
    kind = formats.kind(file)
    if kind != formats.PARQUET and file.is_file():
        raise StoreError(
            f"{file}: expected the folder of a launch, or a summary that "
            f"`spiral-sweep summary` writes (a Parquet file), got {kind}"
        )
    try:
        found, facts = sealed.from_bytes(file.read_bytes(), str(file))
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}") from None
    if "summary" not in facts:
        raise StoreError(
            f"{file}: expected a summary; write one by `spiral-sweep summary DIR`"
        )
    for name, values in only.items():
        wanted = pa.array(values, found[name].type)
        found = found.filter(pc.is_in(found[name], wanted))
    table = found.to_pandas(types_mapper=store.NULLABLE.get)
    for name in ("init_seed", "order_seed"):
        told = table[name] if name in table else table["seed"]
        table[name] = told.fillna(table["seed"])
    return table, facts


def _made_by(out: Path) -> dict[str, Any]:
    """Return the grid of a launch, and all versions and machines that trained it."""
    _, manifest = store.read_manifest(out, columns=["config_id"])
    found: dict[str, list[str]] = {name: [] for name in FACTS}
    footed = partial(store.read_pack, columns=[])
    for _, footer in buckets.mapped(out, footed, store.pack_files(out)):
        for name in FACTS:
            if footer.get(name) not in (None, *found[name]):
                found[name].append(footer[name])
    return {"grid": manifest.get("grid"), "blocks": manifest.get("blocks"), **found}
