"""Rows of other versions: which files can be read, and what earlier ones lack.

Columns and options are only added, and what an option's first default does is what
every row did before. So a file of an earlier version is completed by first defaults,
and a file of a later version has columns that this one does not know.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from spiral.errors import SchemaMismatch
from spiral.protocol import config
from spiral.protocol.config import OptionClasses
from spiral.results.columns import (
    ADDED,
    RESULTS,
    config_fields,
    options_among,
    schema,
)
from spiral.results.store import NULLABLE
from spiral.tasks import cubist

FIRST_TASK = {"task_points": cubist.POINTS, "task_chance": 0.5}
"""Results that follow from the task: those of rows from before there were others."""


def complete(table: pd.DataFrame, options: OptionClasses) -> pd.DataFrame:
    """Fill in the options and columns that an earlier version did not have.

    The first default of an option changes nothing, so earlier rows get it, whatever the
    default is now. An option with a default is never null in its own version, so a null
    means that the option was unknown.

    Args:
        table: Configs or rows of any version.
        options: Those of the methods that this process knows, or of those in the table
            alone: the result has a column for each.

    Raises:
        SchemaMismatch: There is no column ``method``.
    """
    if "method" not in table:
        raise SchemaMismatch("expected configs, got a table with no column `method`")
    code, methods = pd.factorize(table["method"])
    known = [config.fields_of(name, options) for name in methods]
    found = {}
    for name, field in config_fields(options).items():
        defaults = [own[name].first_default if name in own else None for own in known]
        values = _filled(table, field, code, defaults)
        if values is not None:
            found[name] = values
    if "connected" in table:
        reached = table["effective_nnz"] > 0
        found["connected"] = table["connected"].astype("boolean").fillna(reached)
    if "accuracy" in table:  # rows, not configs
        for name, value in FIRST_TASK.items():
            known = table[name] if name in table else pd.Series(pd.NA, table.index)
            found[name] = known.fillna(value).astype(NULLABLE[RESULTS[name].type])
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
    """Return a column with missing values filled in; None if none is missing.

    Args:
        table: Configs or rows.
        field: The column.
        code: The number of each row's method.
        defaults: The first default for each method; None where it has none.
    """
    missing = field.name not in table
    nothing = pd.Series(pd.NA, table.index, field.dtype) if missing else None
    values = table[field.name] if nothing is None else nothing
    having = np.array([default is not None for default in defaults], bool)
    lacking = values.isna().to_numpy() & having[code]
    if not lacking.any():
        return values if missing else None
    values = values.copy()
    for each in np.unique(code[lacking]):
        values[lacking & (code == each)] = defaults[each]
    return values


def fits(
    table: pa.Table, options: OptionClasses, planned: Collection[str] = ()
) -> bool:
    """Return whether rows have the columns of this version or of an earlier one.

    Rows may have the options of a user's method, too.

    Args:
        table: The rows of a pack.
        options: Those of the methods that this process knows.
        planned: Columns of the manifest: options of all methods of the directory.
    """
    unknown = set(table["method"].unique().to_pylist()) - options.keys()
    known = config.option_fields(options)
    others = [n for n in options_among(table.column_names) if n not in known]
    others = [name for name in others if unknown or name in planned]
    return older_or_equal(table.drop_columns(others).schema, options)


def readable(found: pa.Schema) -> bool:
    """Return whether a file has the columns that every version wrote, of equal types.

    Options of methods may be missing, and columns added since the first version.
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
    types = {field.name: field.type for field in wanted}
    shared = [field for field in found if field.name in types]
    return all(types[field.name] == field.type for field in shared)
