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

from spiral.errors import SchemaMismatch
from spiral.model import masks, mlp
from spiral.protocol import config
from spiral.protocol.config import OptionClasses
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


class Result(NamedTuple):
    """A result column."""

    type: pa.DataType
    unit: str
    """``-`` where it has none."""
    meaning: str


RESULTS: dict[str, Result] = {
    "status": Result(
        pa.string(),
        "-",
        "; ".join(f"{n} ({text})" if n != "ok" else n for n, text in STATUSES.items()),
    ),
    "accuracy": Result(
        pa.float64(), "-", "share of the 49,982 points with the right sign"
    ),
    "loss": Result(pa.float64(), "nats", "mean binary cross-entropy on all points"),
    "entropy": Result(
        pa.float64(), "nats", "mean entropy of the outputs on all points"
    ),
    "running_loss": Result(
        pa.float64(),
        "nats",
        "mean cross-entropy of the last epoch's batches as they were trained on, "
        "without label smoothing",
    ),
    "nnz": Result(pa.int64(), "weights", "weights the mask keeps"),
    "nnz_params": Result(pa.int64(), "parameters", "the same with biases"),
    "trained_params": Result(
        pa.int64(), "parameters", "numbers that the last training changed"
    ),
    "effective_nnz": Result(
        pa.int64(), "weights", "kept weights on a path from input to output"
    ),
    "connected": Result(pa.bool_(), "-", "whether there is such a path"),
    "nnz_1": Result(pa.int64(), "weights", "kept weights of layer 1 (inputs)"),
    "nnz_2": Result(pa.int64(), "weights", "kept weights of layer 2"),
    "nnz_3": Result(pa.int64(), "weights", "kept weights of layer 3"),
    "nnz_4": Result(pa.int64(), "weights", "kept weights of layer 4 (output)"),
    "mask": Result(pa.binary(), "-", "one bit per parameter, first in the highest bit"),
    "weights": Result(
        pa.list_(pa.float32()), "-", "final values of the kept parameters, in order"
    ),
    "engine_used": Result(pa.string(), "-", "engine that trained it"),
    "steps": Result(pa.int64(), "steps", "training steps"),
    "seconds": Result(
        pa.float64(), "seconds", "its share of the pack's time (varies between runs)"
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
"""Types of columns, as people are told them."""

SAID_BY_METHODS = ("degenerate", "aborted")
"""Statuses that only a method can know of."""

ADDED = (
    *("init", "stop_epoch", "connected", "entropy", "running_loss"),
    "trained_params",
)
"""Columns that files of the first version lack."""

MADE = ("source", "version")
"""How rows were made: the launch or summary they are from, and spiral-sweep's version.
They may make groups; otherwise rows of several stand together."""

ADDED_BY_LOAD = ("folder", *MADE)
"""Columns that a table of several launches has beside those of their files."""

NOT_VALUES = ("seconds",)
"""Columns that measure the run; all others are reproducible."""


def meanings(statuses: Collection[str]) -> list[str]:
    """Return what some statuses mean, in words; ok needs none."""
    known = [name for name in STATUSES if name in statuses and name != "ok"]
    return [f"{name}: {STATUSES[name]}" for name in known]


def config_fields(options: OptionClasses) -> dict[str, config.ConfigField]:
    """Return the config columns of a row: the common fields, then all options."""
    return config.fields(config.Config) | config.option_fields(options)


def schema(options: OptionClasses) -> pa.Schema:
    """Return the columns of every result file."""
    columns = [("config_id", pa.string())]
    fields = config_fields(options)
    columns += [(name, store.ARROW[f.kind]) for name, f in fields.items()]
    columns += [(name, result.type) for name, result in RESULTS.items()]
    return pa.schema(columns)


class Column(NamedTuple):
    """What people may want to know of a column."""

    name: str
    type: str
    unit: str
    meaning: str
    methods: list[str] | None
    """Methods whose option it is with this meaning; None where all rows have it."""


def explained(options: OptionClasses) -> list[Column]:
    """Return every column of a row in order; an option once for each of its meanings.

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
    """Return what is known of a config column."""
    kind = TYPES[store.ARROW[field.kind]]
    return Column(field.name, kind, field.unit or "-", field.description, methods)


def complete(table: pd.DataFrame, options: OptionClasses) -> pd.DataFrame:
    """Return configs or rows with what an earlier version did not have yet.

    A new option has a default that changes nothing, so that is what they had. No
    option whose default is a value may be empty, so an empty one was not known.

    Args:
        table: Configs or rows of any version.
        options: Those of the methods that this process knows.

    Raises:
        SchemaMismatch: They have no methods at all.
    """
    if "method" not in table:
        raise SchemaMismatch("these are no configs: they have no column `method`")
    code, methods = pd.factorize(table["method"])
    known = [config.fields_of(name, options) for name in methods]
    found = {}
    for name, field in config_fields(options).items():
        defaults = [own[name].default if name in own else None for own in known]
        values = _filled(table, field, code, defaults)
        if values is not None:
            found[name] = values
    if "connected" in table:
        reached = table["effective_nnz"] > 0
        found["connected"] = table["connected"].astype("boolean").fillna(reached)
    new = {name: values for name, values in found.items() if name not in table}
    old = {name: values for name, values in found.items() if name in table}
    table = table.assign(**old)
    return pd.concat([table, pd.DataFrame(new, index=table.index)], axis=1)


def _filled(
    table: pd.DataFrame,
    field: config.ConfigField,
    code: np.ndarray,
    defaults: list[Any],
) -> pd.Series | None:
    """Return a column with the defaults it lacks; None if it lacks nothing.

    Args:
        table: Configs or rows.
        field: The column.
        code: The number of each row's method.
        defaults: The default of each method; None where it has none.
    """
    missing = field.name not in table
    nothing = config.column(field, [None] * len(table)) if missing else None
    values = pd.Series(nothing, table.index) if missing else table[field.name]
    having = np.array([default is not None for default in defaults], bool)
    lacking = values.isna().to_numpy() & having[code]
    if not lacking.any():
        return values if missing else None
    values = values.copy()
    for each in np.unique(code[lacking]):
        values[lacking & (code == each)] = defaults[each]
    return values


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


def fits(table: pa.Table, options: OptionClasses) -> bool:
    """Return whether rows have the columns of this version or of an earlier one.

    Rows of a user's own method may have its options beside them.
    """
    unknown = set(table["method"].unique().to_pylist()) - options.keys()
    known = config.option_fields(options)
    others = [n for n in options_among(table.column_names) if n not in known]
    found = table.drop_columns(others).schema if unknown else table.schema
    return older_or_equal(found, options)


def readable(found: pa.Schema) -> bool:
    """Return whether a file has the columns that every version wrote, typed as here.

    Options of methods may be missing, and what was added since the first version.
    """
    wanted = schema({})
    return _typed_alike(found, wanted) and set(wanted.names) - set(ADDED) <= set(
        found.names
    )


def older_or_equal(found: pa.Schema, options: OptionClasses) -> bool:
    """Return whether a file has the columns of this version or of an earlier one."""
    wanted = schema(options)
    known = set(found.names) <= set(wanted.names)
    return known and readable(found) and _typed_alike(found, wanted)


def _typed_alike(found: pa.Schema, wanted: pa.Schema) -> bool:
    """Return whether the columns that two schemas share have the same types."""
    shared = [field for field in found if field.name in wanted.names]
    return all(wanted.field(field.name).type == field.type for field in shared)


def assemble(
    configs: pd.DataFrame, results: Mapping[str, Any], options: OptionClasses
) -> pa.Table:
    """Join configs and their results into rows.

    Args:
        configs: Resolved configs with their ``config_id``.
        results: Result columns, one value per config.
        options: Those of all methods; their columns are the same in every file.
    """
    wanted = schema(options)
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
