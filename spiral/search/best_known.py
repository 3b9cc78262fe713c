"""The frontier: the best known network for each number of weights and of parameters.

Every entry contains the float32 weights that prove its accuracy. ``protocol`` entries
were trained exactly as by Zhang & Papyan (SGD, 50 epochs, batch 128), ``any`` entries
by any means; a query for ``any`` includes both.

The package ships a frontier. Networks of the user that improve on it are saved in a
separate file of the user; reading merges both, so that an update of the package and the
user's finds do not hide each other.
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
from spiral.results import atomic
from spiral.search import arc
from spiral.search.network import Network, score
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
        ("correct", pa.int64()),  # computed in float64
        ("correct_float32", pa.int64()),
        ("accuracy", pa.float64()),  # the lower of the two
        ("loss", pa.float64()),
        ("params", pa.list_(pa.float32())),
        ("config_id", pa.string()),
        ("found", pa.string()),
        ("arc_accuracy", pa.float64()),  # by length of the curve (see search.arc)
    ]
)

LATER = ("arc_accuracy",)
"""Columns that files of 0.1.0 lack; they are computed when such a file is read."""

THRESHOLDS = (0.95, 0.995)
"""The accuracies of the paper."""

IDENTITY = ("kind", "matrices", "accuracy", "loss")
"""Columns that identify a network of a frontier."""

PROVED = ("shape", "nnz", "nnz_params", "correct", "correct_float32", "accuracy")
"""Columns that are computed from mask and weights."""


def load(path: Path | None = None) -> pd.DataFrame:
    """Return a frontier, one row per network.

    Args:
        path: Its file; by default the shipped one, merged with the user's own finds.

    Raises:
        StoreError: The file is missing or cannot be read.
    """
    if path is not None:
        return _read(path)
    folder = homes.data()
    own = folder and folder / NAME
    if own is None or not os.path.exists(own):  # False for unreadable folders, too
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
        if not _known(schema):
            raise StoreError(
                f"{path}: not a frontier file: expected the columns "
                f"{', '.join(SCHEMA.names)}, got {', '.join(schema.names)[:200]}"
            )
        table = pq.read_table(path, page_checksum_verification=True)
        if any(column.null_count for column in table.itercolumns()):
            raise StoreError(f"{path}: not a frontier file: expected no missing values")
    except FileNotFoundError:
        raise StoreError(
            f"{path}: expected a frontier file, got none; create it from the rows of a "
            f"search by `spiral-sweep frontier update DIR --file {path}`"
        ) from None
    except (pa.ArrowException, OSError):
        raise StoreError(
            f"{path}: not a frontier file: expected a Parquet file written by "
            f"`spiral-sweep frontier update`, got {formats.broken(path)}"
        ) from None
    found: pd.DataFrame = table.to_pandas()
    return found if schema == SCHEMA else _completed(found)


def _known(schema: pa.Schema) -> bool:
    """Return whether a schema is that of a frontier of this version or before."""
    before = [field for field in SCHEMA if field.name not in LATER]
    return schema in (SCHEMA, pa.schema(before))


def _completed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a frontier of 0.1.0 with the columns of this version."""
    lengths = [arc.accuracy(network_of(row)) for row in table.to_dict("records")]
    return table.assign(arc_accuracy=lengths)


def save(table: pd.DataFrame, path: Path) -> None:
    """Write a frontier atomically; a crash leaves the old one."""
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
    """Return the networks of a kind; ``any`` includes all."""
    return table if kind == "any" else table[table["kind"] == "protocol"]


def fewest(
    table: pd.DataFrame, threshold: float, kind: Kind = "any", by: Size = "nnz"
) -> int | None:
    """Return the fewest weights (or parameters) that reach an accuracy, if any do."""
    networks = of_kind(table, kind)
    reaching = networks.loc[networks["accuracy"] >= threshold, by]
    return None if reaching.empty else int(reaching.min())


def best(table: pd.DataFrame, kind: Kind = "any", by: Size = "nnz") -> pd.Series:
    """Return the best known accuracy at each number of weights (or parameters)."""
    each = of_kind(table, kind).groupby(by)["accuracy"].max().sort_index()
    return each.cummax()


def leaders(table: pd.DataFrame, kind: Kind = "any", by: Size = "nnz") -> pd.DataFrame:
    """Return the networks that are better than every smaller one, smallest first."""
    order = of_kind(table, kind).sort_values(
        [by, "accuracy", "loss"], ascending=[True, False, True], kind="stable"
    )
    before = order["accuracy"].cummax().shift(fill_value=-1.0)
    return order[order["accuracy"] > before].reset_index(drop=True)


def within(table: pd.DataFrame, width: int) -> pd.DataFrame:
    """Return the networks of a frontier that fit in a hidden width."""
    return table[_widths(table) <= width]


def _widths(table: pd.DataFrame) -> pd.Series:
    """Return the units of the widest hidden layer."""
    return table["shape"].map(lambda shape: max(map(int, shape.split(","))))


KEPT = (("nnz",), ("nnz_params",), ("nnz", "width"), ("nnz", "second"))
"""Sizes and classes of shapes for which the best network is kept: by weights, by
parameters, by weights and width, by weights and units in layer 2."""


def merge(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Merge frontiers: the best network of each kind, size and class of shapes.

    Best by accuracy on the points, and best by accuracy on the curve. The lower loss
    breaks ties.
    """
    every = pd.concat([*tables], ignore_index=True)
    second = every["shape"].str.split(",").str[1]
    classed = every.assign(width=_widths(every), second=second)
    places: set[int] = set()
    for measure in ("accuracy", "arc_accuracy"):
        order = classed.sort_values(
            [measure, "loss"], ascending=[False, True], kind="stable"
        )
        for keys in KEPT:
            places.update(order.drop_duplicates(["kind", *keys]).index)
    kept = every.loc[sorted(places)]
    order = ["kind", "nnz", "nnz_params", "accuracy", "loss"]
    return kept.sort_values(order, kind="stable").reset_index(drop=True)


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Return whether two frontiers contain the same networks."""
    return one[[*IDENTITY]].equals(other[[*IDENTITY]])


def entry(network: Network, kind: Kind, config_id: str, found: str) -> dict[str, Any]:
    """Return a row of the frontier: a network with its evaluation.

    The accuracy is the lower of float64 and float32, so that no entry owes a point to
    rounding in one of them.
    """
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
        "arc_accuracy": arc.accuracy(network),
    }


def network_of(entry: Mapping[Any, Any]) -> Network:
    """Return the network of a row of the frontier.

    Raises:
        ValueError: Its mask cannot be parsed.
    """
    shape, _ = read(entry["matrices"])
    return Network(shape, entry["matrices"], np.asarray(entry["params"], np.float32))


def mistakes(table: pd.DataFrame) -> list[str]:
    """Evaluate every network again and return a message per mismatch."""
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
                found.append(f"{name}: expected {key} {row[key]}, got {again[key]}")
        for key in ("loss", "arc_accuracy"):
            if not np.isclose(again[key], row[key], rtol=1e-9):
                found.append(f"{name}: expected {key} {row[key]}, got {again[key]}")
    return found
