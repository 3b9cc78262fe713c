"""One frontier in a Parquet file, which names its task unless that is the default."""

import shlex
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spiral import formats
from spiral.errors import StoreError
from spiral.protocol import identity
from spiral.results import atomic
from spiral.tasks import catalogue

CURVE = "arc_accuracy"
"""Accuracy by length of the curve (see ``search.arc``)."""

TASK = b"task"
"""Key of the metadata of files that are not of the default task."""

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
        (CURVE, pa.float64()),  # null where the points do not lie on curves
    ]
)

MEANINGS = {
    "kind": "protocol (trained as by Zhang & Papyan) or any (by any means)",
    "shape": "units of the three hidden layers",
    "matrices": "mask: layers after /, one text of bits for each unit, a bit an input",
    "nnz": "weights the mask keeps",
    "nnz_params": "weights and biases kept",
    "correct": "points classified correctly, computed in float64",
    "correct_float32": "the same, computed in float32",
    "accuracy": "the lower of the two, as a share of the task's points",
    "loss": "mean binary cross-entropy on all points [nats]",
    "params": "values of the kept parameters, in order",
    "config_id": "id of the config that trained it; empty if none did",
    "found": "how it was found",
    CURVE: "share of the curves' length that is right; null where there are no curves",
}
"""What each column means."""

LATER = (CURVE,)
"""Columns that files of 0.1.0 lack; they are computed when such a file is read."""


def read(path: Path, task: str) -> pd.DataFrame:
    """Return the frontier in a file; one of 0.1.0 lacks the columns ``LATER``.

    Raises:
        StoreError: The file is missing, cannot be read, or is of another task.
    """
    try:
        schema = pq.read_schema(path)
        if not _known(schema):
            raise StoreError(
                f"{path}: not a frontier file: expected the columns "
                f"{', '.join(SCHEMA.names)}, got {', '.join(schema.names)[:200]}"
            )
        _check_task(path, schema, task)
        table = pq.read_table(path, page_checksum_verification=True)
        whole = table.drop_columns([n for n in LATER if n in table.column_names])
        if any(column.null_count for column in whole.itercolumns()):
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
    return found


def _known(schema: pa.Schema) -> bool:
    """Return whether a schema is that of a frontier of this version or before."""
    before = [field for field in SCHEMA if field.name not in LATER]
    return schema in (SCHEMA, pa.schema(before))


def _check_task(path: Path, schema: pa.Schema, task: str) -> None:
    """Raise StoreError if a file is of another task."""
    named = (schema.metadata or {}).get(TASK)
    found = catalogue.DEFAULT if named is None else named.decode(errors="replace")
    if identity.content(found) != identity.content(task):
        raise StoreError(
            f"{path}: expected the frontier of task {task}, got that of task {found}; "
            f"give --task {shlex.quote(found)}, or another file"
        )


def write(table: pd.DataFrame, path: Path, task: str) -> None:
    """Write the frontier of a task atomically; a crash leaves the old one."""
    arrow = pa.Table.from_pandas(table, SCHEMA, preserve_index=False)
    buffer = BytesIO()
    named = None if task == catalogue.DEFAULT else {TASK: task.encode()}
    pq.write_table(
        arrow.replace_schema_metadata(named),
        buffer,
        compression="zstd",
        write_page_checksum=True,
    )
    atomic.replace_atomically(path, buffer.getvalue(), path.parent)
