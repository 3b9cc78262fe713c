"""The columns of a result row, and how a pack's results become rows.

Columns are the same for every method and every grid, so that files can be read as one
table. Later versions only add columns.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from spiral.model import masks, mlp
from spiral.protocol import config
from spiral.protocol.config import OptionClasses
from spiral.results import store

STATUSES = {
    "ok": "trained as asked",
    "degenerate": "too few positive scores to rank all kept weights",
    "aborted": "the original code stops here and records nothing",
    "collapsed": "no path from input to output",
    "diverged": "weights or loss are NaN or infinite",
    "infeasible": "another number of weights than requested (`keep`)",
}
"""The statuses of rows, and what they mean."""


class Result(NamedTuple):
    """A result column."""

    type: pa.DataType
    unit: str
    """``-`` if it has none."""
    meaning: str


RESULTS: dict[str, Result] = {
    "status": Result(
        pa.string(),
        "-",
        "; ".join(f"{n} ({text})" if n != "ok" else n for n, text in STATUSES.items()),
    ),
    "accuracy": Result(
        pa.float64(), "-", "share of the task's points classified correctly"
    ),
    "task_points": Result(pa.int64(), "points", "points of the task"),
    "task_chance": Result(
        pa.float64(), "-", "accuracy of the better constant answer, 0.5 on `cubist`"
    ),
    "loss": Result(pa.float64(), "nats", "mean binary cross-entropy on all points"),
    "entropy": Result(
        pa.float64(), "nats", "mean entropy of the outputs on all points"
    ),
    "running_loss": Result(
        pa.float64(),
        "nats",
        "mean cross-entropy of the last epoch's batches as they were trained on, "
        "without label smoothing; NaN where `stop_epoch` ends a learned mask early, "
        "since these batches saw effective weights and the row has stored ones",
    ),
    "nnz": Result(pa.int64(), "weights", "weights the mask keeps"),
    "nnz_params": Result(pa.int64(), "parameters", "weights and biases kept"),
    "trained_params": Result(
        pa.int64(), "parameters", "parameters that the last training changed"
    ),
    "effective_nnz": Result(
        pa.int64(), "weights", "kept weights on a path from input to output"
    ),
    "connected": Result(pa.bool_(), "-", "whether a path leads from input to output"),
    "explored": Result(
        pa.float64(), "-", "share of all weights that the mask of some step kept"
    ),
    "nnz_1": Result(pa.int64(), "weights", "kept weights of layer 1 (inputs)"),
    "nnz_2": Result(pa.int64(), "weights", "kept weights of layer 2"),
    "nnz_3": Result(pa.int64(), "weights", "kept weights of layer 3"),
    "nnz_4": Result(pa.int64(), "weights", "kept weights of layer 4 (output)"),
    "mask": Result(pa.binary(), "-", "one bit per parameter, the first in the highest"),
    "weights": Result(
        pa.list_(pa.float32()), "-", "final values of the kept parameters, in order"
    ),
    "engine_used": Result(pa.string(), "-", "engine that trained it"),
    "steps": Result(pa.int64(), "steps", "training steps"),
    "seconds": Result(
        pa.float64(), "seconds", "its share of the pack's time (differs between runs)"
    ),
}
"""Result columns."""

TYPES: dict[pa.DataType, str] = {
    pa.string(): "text",
    pa.int64(): "int64",
    pa.float64(): "float64",
    pa.bool_(): "bool",
    pa.binary(): "bytes",
    pa.list_(pa.float32()): "float32s",
}
"""Names of types in listings of columns."""

METHOD_STATUSES = ("degenerate", "aborted")
"""Statuses that a method reports; all others follow from the network."""

ADDED = (
    *("init", "stop_epoch", "connected", "entropy", "running_loss"),
    *("trained_params", "explored", "optimiser", "nesterov", "label_smoothing"),
    *("replicate", "task", "task_points", "task_chance"),
)
"""Columns that files of the first version lack."""

MADE = ("source", "version")
"""The origin of rows: their launch or summary, and spiral-sweep's version. Rows of
different origin are pooled unless a comparison groups by it."""

ADDED_BY_LOAD = ("folder", *MADE)
"""Columns of a table of several launches besides those of their files."""


def meanings(statuses: Collection[str]) -> list[str]:
    """Return the meaning of some statuses; ok needs none."""
    known = [name for name in STATUSES if name in statuses and name != "ok"]
    return [f"{name}: {STATUSES[name]}" for name in known]


def config_fields(options: OptionClasses) -> dict[str, config.ConfigField]:
    """Return the config columns of a row: the common fields, then all options."""
    return config.every_field(options)


def schema(options: OptionClasses, others: pa.Schema | None = None) -> pa.Schema:
    """Return the columns of every result file of a directory.

    Args:
        options: Those of the methods that this process knows.
        others: Columns of the directory's configs. Options among them of methods that
            this process does not know come after those that it knows.
    """
    columns = [("config_id", pa.string())]
    fields = config_fields(options)
    columns += [(name, store.ARROW[f.kind]) for name, f in fields.items()]
    others = others or pa.schema([])
    for name in options_among(others.names):
        if name not in fields:
            columns.append((name, _plain(others.field(name).type)))
    columns += [(name, result.type) for name, result in RESULTS.items()]
    return pa.schema(columns)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of an option in a file; pandas writes long strings."""
    return pa.string() if kind == pa.large_string() else kind


def widened(table: pa.Table, wanted: pa.Schema) -> pa.Table | None:
    """Return rows with all columns of a directory, null where they had none.

    None if they have columns beyond these: a later version wrote them.
    """
    if set(table.column_names) - set(wanted.names):
        return None
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in wanted
    ]
    return pa.table(columns, schema=wanted)


class Column(NamedTuple):
    """The description of a column, as ``spiral-sweep columns`` prints it."""

    name: str
    type: str
    unit: str
    meaning: str
    methods: list[str] | None
    """Methods that have this option with this meaning; None for columns of all rows."""


def explained(options: OptionClasses) -> list[Column]:
    """Describe every column of a row, in order; an option once for each meaning.

    Args:
        options: Those of all methods.
    """
    found = [Column("config_id", "text", "-", "digest of the config, its id", None)]
    for field in config.fields(config.Config).values():
        found.append(_explained(field, None))
    for name in config.option_fields(options):
        users: dict[tuple[str, str | None], list[str]] = {}
        for method, model in options.items():
            own = config.fields(model).get(name)
            if own is not None:
                users.setdefault((own.description, own.unit), []).append(method)
        for methods in users.values():
            found.append(_explained(config.fields(options[methods[0]])[name], methods))
    found += [
        Column(name, TYPES[result.type], result.unit, result.meaning, None)
        for name, result in RESULTS.items()
    ]
    return found


def _explained(field: config.ConfigField, methods: list[str] | None) -> Column:
    """Describe a config column."""
    kind = TYPES[store.ARROW[field.kind]]
    return Column(field.name, kind, field.unit or "-", field.description, methods)


def options_among(names: Iterable[str]) -> list[str]:
    """Return the columns of a table that are options of methods.

    That is every column before the results which not all configs have; options of a
    user's own method are among them, whether or not this process knows it.
    """
    others = {
        "config_id",
        *config.fields(config.Config),
        *store.PLANNED,
        *ADDED_BY_LOAD,
    }
    before = takewhile(lambda name: name not in RESULTS, names)
    return [name for name in before if name not in others]


def assemble(
    configs: pd.DataFrame, results: Mapping[str, Any], options: OptionClasses
) -> pa.Table:
    """Join configs and their results into rows.

    Args:
        configs: Resolved configs with their ``config_id``; of a manifest, they have the
            options of all its methods, whether or not this process knows them.
        results: Result columns, one value per config.
        options: Those of all methods; their columns are the same in every file.
    """
    own = [n for n in options_among(configs) if n not in config_fields(options)]
    others = pa.Schema.from_pandas(configs[own], preserve_index=False)
    wanted = schema(options, others)
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
