"""The frontier: for each number of weights, and of parameters, the best network known.

Every entry holds the float32 weights that prove it. ``protocol`` entries are trained
exactly as Zhang & Papyan train (SGD, 50 epochs, batch 128); ``any`` entries by any
means. Among all, ``any`` comes to the best of both.

The package ships one. What a user finds beyond it is kept in a file of the user's own,
which holds nothing else: reading unites both, so that neither hides the other.
"""

import os
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spiral import formats, homes, results
from spiral.errors import StoreError
from spiral.results import atomic, columns
from spiral.search.network import Network, reduced, score
from spiral.search.shape import read
from spiral.tasks import cubist

Kind = Literal["protocol", "any"]
Size = Literal["nnz", "nnz_params"]

NAME = "frontier.parquet"
SHIPPED = Path(results.__file__).parent / "shipped" / NAME

SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("shape", pa.string()),
        ("matrices", pa.string()),
        ("nnz", pa.int64()),
        ("nnz_params", pa.int64()),
        ("correct", pa.int64()),  # in float64
        ("correct_float32", pa.int64()),
        ("accuracy", pa.float64()),  # the lower of the two
        ("loss", pa.float64()),
        ("params", pa.list_(pa.float32())),
        ("config_id", pa.string()),
        ("found", pa.string()),
    ]
)

THRESHOLDS = (0.95, 0.995)
"""The accuracies of the paper."""

IDENTITY = ("kind", "matrices", "accuracy", "loss")
"""Columns that identify a network of a frontier."""

PROVED = ("shape", "nnz", "nnz_params", "correct", "correct_float32", "accuracy")
"""Columns that follow from mask and weights."""

PROTOCOL: dict[str, tuple[Any, ...]] = {
    "epochs": (50,),
    "batch": (128,),
    "momentum": (0.9,),
    "weight_decay": (5e-4,),
    "steps": (50 * 390,),
    "lr": (0.05, 0.1, 0.2),
    "init": ("default",),
}
"""What a row may have to be trained as the paper trains."""

SIZES = ("effective_nnz", "nnz_params")
NEEDED = ("config_id", "status", "accuracy", *SIZES, *PROTOCOL)
"""Columns by which rows are chosen."""


def load(path: Path | None = None) -> pd.DataFrame:
    """Return a frontier, one row per network.

    Args:
        path: Its file; by default the shipped one, united with the user's own finds.

    Raises:
        StoreError: There is none, or it cannot be read.
    """
    if path is not None:
        return _read(path)
    folder = homes.data()
    own = folder and folder / NAME
    if own is None or not os.path.exists(own):  # nor where one may not look
        return _read(SHIPPED)
    return merge([_read(SHIPPED), _read(own)])


def finds(table: pd.DataFrame) -> pd.DataFrame:
    """Return the networks of a frontier that the shipped one lacks."""
    shipped = pd.MultiIndex.from_frame(_read(SHIPPED)[[*IDENTITY]])
    known = pd.MultiIndex.from_frame(table[[*IDENTITY]]).isin(shipped)
    return table[~known].reset_index(drop=True)


def _read(path: Path) -> pd.DataFrame:
    """Return the frontier in a file."""
    try:
        schema = pq.read_schema(path)
        if schema != SCHEMA:
            raise StoreError(
                f"{path}: not a frontier file: expected the columns "
                f"{', '.join(SCHEMA.names)}, got {', '.join(schema.names)[:200]}"
            )
        table = pq.read_table(path, page_checksum_verification=True)
        if any(column.null_count for column in table.itercolumns()):
            raise StoreError(f"{path}: not a frontier file: some values are missing")
    except FileNotFoundError:
        raise StoreError(
            f"{path}: no frontier here; `spiral-sweep frontier update DIR --file "
            f"{path}` makes one from the rows of a search"
        ) from None
    except (pa.ArrowException, OSError):
        raise StoreError(
            f"{path}: not a frontier file: expected the Parquet file that "
            f"`spiral-sweep frontier update` writes, got {formats.broken(path)}"
        ) from None
    found: pd.DataFrame = table.to_pandas()
    return found


def save(table: pd.DataFrame, path: Path) -> None:
    """Write a frontier; a crash leaves the old one."""
    arrow = pa.Table.from_pandas(table, SCHEMA, preserve_index=False)
    buffer = BytesIO()
    pq.write_table(
        arrow.replace_schema_metadata(None),
        buffer,
        compression="zstd",
        write_page_checksum=True,
    )
    atomic.replace_atomically(path, buffer.getvalue(), path.parent)


def of_kind(table: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Return the networks that count: all for ``any``."""
    return table if kind == "any" else table[table["kind"] == "protocol"]


def fewest(
    table: pd.DataFrame, threshold: float, kind: Kind = "any", by: Size = "nnz"
) -> int | None:
    """Return the fewest weights (or parameters) that reach an accuracy, if any do."""
    reaching = of_kind(table, kind).query("accuracy >= @threshold")[by]
    return None if reaching.empty else int(reaching.min())


def best(table: pd.DataFrame, kind: Kind = "any", by: Size = "nnz") -> pd.Series:
    """Return the best accuracy known with at most so many weights (or parameters)."""
    each = of_kind(table, kind).groupby(by)["accuracy"].max().sort_index()
    return each.cummax()


def leaders(table: pd.DataFrame, kind: Kind = "any", by: Size = "nnz") -> pd.DataFrame:
    """Return the networks that are better than every smaller one, smallest first."""
    order = of_kind(table, kind).sort_values(
        [by, "accuracy", "loss"], ascending=[True, False, True], kind="stable"
    )
    before = order["accuracy"].cummax().shift(fill_value=-1.0)
    return order[order["accuracy"] > before].reset_index(drop=True)


def merge(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Unite frontiers: of each kind the best network of every size, by either count.

    Of equal accuracy the lower loss counts.
    """
    every = pd.concat([*tables], ignore_index=True)
    every = every.sort_values(
        ["accuracy", "loss"], ascending=[False, True], kind="stable"
    )
    leaders = [every.drop_duplicates(["kind", by]) for by in ("nnz", "nnz_params")]
    kept = pd.concat(leaders)
    kept = kept[~kept.index.duplicated()]
    return kept.sort_values(["kind", "nnz", "nnz_params"]).reset_index(drop=True)


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Return whether two frontiers hold the same networks."""
    return one[[*IDENTITY]].equals(other[[*IDENTITY]])


def entry(network: Network, kind: Kind, config_id: str, found: str) -> dict[str, Any]:
    """Return a row of the frontier: a network with its evaluation."""
    double = score(network.matrices, network.params, np.float64)
    single = score(network.matrices, network.params, np.float32)
    return {
        "kind": kind,
        "shape": ",".join(map(str, network.shape)),
        "matrices": network.matrices,
        "nnz": network.matrices.count("1"),
        "nnz_params": len(network.params),
        "correct": double.correct,
        "correct_float32": single.correct,
        "accuracy": min(double.correct, single.correct) / cubist.POINTS,
        "loss": double.loss,
        "params": network.params,
        "config_id": config_id,
        "found": found,
    }


def promising(results: pd.DataFrame, each: int = 3) -> pd.Index:
    """Return the rows worth a look: the best of every size.

    Args:
        results: Rows with the columns ``NEEDED``.
        each: How many of each size.
    """
    usable = results["status"].isin(["ok", "degenerate", "infeasible"])
    good = results[usable].assign(protocol=in_protocol(results)[usable])
    good = good.sort_values("accuracy", ascending=False, kind="stable")
    parts = [good.groupby(["protocol", by]).head(each) for by in SIZES]
    return pd.concat(parts).index.unique()


def in_protocol(results: pd.DataFrame) -> pd.Series:
    """Return which rows were trained from random weights just as the paper trains."""
    drawn = results.assign(init=results["init"].fillna("default"))
    return drawn[[*PROTOCOL]].isin(PROTOCOL).all(axis=1)


def from_rows(results: pd.DataFrame) -> pd.DataFrame:
    """Return the entries of whole result rows, reduced to what they compute with."""
    found = []
    as_in_the_paper = in_protocol(results)
    for number, row in results.iterrows():
        network = reduced(*columns.params_of(row), int(row["width"]))
        if network is not None:
            kind: Kind = "protocol" if as_in_the_paper[number] else "any"
            text = f"{row['method']}, lr {row['lr']}, {row['schedule']}"
            found.append(entry(network, kind, row["config_id"], text))
    return pd.DataFrame(found, columns=SCHEMA.names)


def network_of(entry: Mapping[Any, Any]) -> Network:
    """Return the network of a frontier's row.

    Raises:
        ValueError: Its mask cannot be read.
    """
    shape, _ = read(entry["matrices"])
    return Network(shape, entry["matrices"], np.asarray(entry["params"], np.float32))


def mistakes(table: pd.DataFrame) -> list[str]:
    """Evaluate every network anew and return what does not agree, in words."""
    found = []
    for number, row in enumerate(table.to_dict("records")):
        name = f"network {number} ({row['nnz']} weights, {row['shape']})"
        try:
            again = entry(network_of(row), row["kind"], row["config_id"], row["found"])
        except ValueError as error:
            found.append(f"{name}: {error}")
            continue
        for key in PROVED:
            if again[key] != row[key]:
                found.append(f"{name}: {key} is {again[key]}, not {row[key]}")
        if not np.isclose(again["loss"], row["loss"], rtol=1e-9):
            found.append(f"{name}: loss is {again['loss']}, not {row['loss']}")
    return found
