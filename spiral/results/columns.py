"""The columns of a result row, and how a pack's results become rows.

Columns are the same for every method and every grid, so that files can be read as one
table. Later versions only add columns.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import takewhile
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from spiral.errors import SchemaMismatch
from spiral.methods import registry
from spiral.model import masks, mlp
from spiral.protocol import config
from spiral.results import store

STATUSES = {
    "ok": "trained as asked",
    "degenerate": "too few positive scores to rank all that is kept",
    "aborted": "the original code stops here and leaves no record",
    "collapsed": "no path from input to output",
    "diverged": "weights or loss are NaN or infinite",
    "infeasible": "not exactly as many weights as asked for (`keep`)",
}
"""What a row's status means."""

RESULTS: dict[str, tuple[pa.DataType, str]] = {
    "status": (
        pa.string(),
        "; ".join(f"{n} ({text})" if n != "ok" else n for n, text in STATUSES.items()),
    ),
    "accuracy": (pa.float64(), "share of the 49,982 points with the right sign"),
    "loss": (pa.float64(), "mean binary cross-entropy on all points"),
    "entropy": (pa.float64(), "mean entropy of the outputs on all points, in nats"),
    "running_loss": (
        pa.float64(),
        "mean cross-entropy of the last epoch's batches as they were trained on, "
        "without label smoothing",
    ),
    "nnz": (pa.int64(), "weights the mask keeps"),
    "nnz_params": (pa.int64(), "the same with biases"),
    "trained_params": (pa.int64(), "numbers that the last training changed"),
    "effective_nnz": (pa.int64(), "kept weights on a path from input to output"),
    "connected": (pa.bool_(), "whether there is such a path"),
    "nnz_1": (pa.int64(), "kept weights of layer 1 (inputs)"),
    "nnz_2": (pa.int64(), "kept weights of layer 2"),
    "nnz_3": (pa.int64(), "kept weights of layer 3"),
    "nnz_4": (pa.int64(), "kept weights of layer 4 (output)"),
    "mask": (pa.binary(), "one bit per parameter, first in the highest bit"),
    "weights": (
        pa.list_(pa.float32()),
        "final values of the kept parameters, in order",
    ),
    "engine_used": (pa.string(), "engine that trained it"),
    "steps": (pa.int64(), "training steps"),
    "seconds": (pa.float64(), "its share of the pack's time (varies between runs)"),
}
"""Result columns: type and meaning."""

SAID_BY_METHODS = ("degenerate", "aborted")
"""Statuses that only a method can know of."""

ADDED = (
    *("init", "stop_epoch", "connected", "entropy", "running_loss"),
    "trained_params",
)
"""Columns that files of the first version lack."""

NOT_VALUES = ("seconds",)
"""Columns that measure the run; all others are reproducible."""


def meanings(statuses: Collection[str]) -> list[str]:
    """Return what some statuses mean, in words; ok needs none."""
    known = [name for name in STATUSES if name in statuses and name != "ok"]
    return [f"{name}: {STATUSES[name]}" for name in known]


def config_fields() -> dict[str, config.ConfigField]:
    """Return the config columns of a row: the common fields, then all options."""
    return config.fields(config.Config) | registry.option_fields()


def schema() -> pa.Schema:
    """Return the columns of every result file."""
    columns = [("config_id", pa.string())]
    columns += [(name, store.ARROW[f.kind]) for name, f in config_fields().items()]
    columns += [(name, kind) for name, (kind, _) in RESULTS.items()]
    return pa.schema(columns)


def complete(configs: pd.DataFrame) -> pd.DataFrame:
    """Return configs with the columns that an earlier version did not have yet.

    A new option has a default that changes nothing, so that is what they had.

    Raises:
        SchemaMismatch: They have no methods at all.
    """
    if "method" not in configs:
        raise SchemaMismatch("these are no configs: they have no column `method`")
    missing = [name for name in config_fields() if name not in configs]
    added = {}
    for name in missing:
        values = config.column(config_fields()[name], [None] * len(configs))
        for method in configs["method"].unique():
            fields = config.fields(config.Config) | config.fields(
                registry.options_of(method)
            )
            if name in fields and fields[name].default is not None:
                values[(configs["method"] == method).to_numpy()] = fields[name].default
        added[name] = values
    return configs.assign(**added)


def foreign(names: Iterable[str]) -> list[str]:
    """Return the config columns of a file that this process does not know.

    Options of a user's own method are among them; they stand before the results.
    """
    known = {"config_id", *config_fields()}
    before = takewhile(lambda name: name not in RESULTS, names)
    return [name for name in before if name not in known]


def fits(table: pa.Table) -> bool:
    """Return whether rows have the columns of this version or of an earlier one.

    Rows of a user's own method may have its options beside them.
    """
    unknown = set(table["method"].unique().to_pylist()) - registry.METHODS.keys()
    others = foreign(table.column_names) if unknown else []
    return older_or_equal(table.drop_columns(others).schema)


def readable(found: pa.Schema) -> bool:
    """Return whether a file has the columns that every version wrote, typed as here.

    Options of methods may be missing, and what was added since the first version.
    """
    wanted = schema()
    typed = all(
        wanted.field(field.name).type == field.type
        for field in found
        if field.name in wanted.names
    )
    always = set(wanted.names) - registry.option_fields().keys() - set(ADDED)
    return typed and always <= set(found.names)


def older_or_equal(found: pa.Schema) -> bool:
    """Return whether a file has the columns of this version or of an earlier one."""
    return readable(found) and set(found.names) <= set(schema().names)


def assemble(configs: pd.DataFrame, results: Mapping[str, Any]) -> pa.Table:
    """Join configs and their results into rows.

    Args:
        configs: Resolved configs with their ``config_id``.
        results: Result columns, one value per config.
    """
    wanted = schema()
    known = [name for name in wanted.names if name not in RESULTS]
    table = pa.Table.from_pandas(configs[known], preserve_index=False)
    for name in RESULTS:
        table = table.append_column(
            wanted.field(name), pa.array(results[name], wanted.field(name).type)
        )
    return table.cast(wanted)


def params_of(row: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask bool [P] and the parameters float32 [P] of one row."""
    size = mlp.param_count(int(row["width"]))
    mask = masks.from_bits(row["mask"], size)
    params = np.zeros(size, np.float32)
    params[mask] = row["weights"]
    return mask, params
