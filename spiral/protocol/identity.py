"""The id of a config: a digest of all that its row depends on.

Finished work is found by ids, so none may change from version to version
(``tests/golden/config_ids.json``).
"""

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd

from spiral.protocol.config import ConfigField, OptionClasses, fields_of


def identify(table: pd.DataFrame, options: OptionClasses) -> list[str]:
    """Return the id of every config of a resolved table.

    An id is the BLAKE2b digest (128 bits, hex) of the fields that differ from their
    first defaults, sorted by name. So neither the order of a grid nor an option that is
    added later with a no-op default changes an id, nor does a default that changes: a
    config that leaves the option out then gets another value, and another id.
    ``init_seed`` and ``order_seed`` are left out where they equal ``seed``, and an
    option where an older one says the same (``ConfigField.said_by``).

    Args:
        table: One row per config.
        options: Those of all methods in the table that have any.
    """
    texts = np.full(len(table), "", object)
    methods = table["method"].to_numpy(object)
    for method in pd.unique(methods):
        rows = np.flatnonzero(methods == method)
        known = fields_of(method, options)
        for name in sorted(known):
            found = _texts(table, rows, known[name])
            if found is not None:
                texts[rows] += found
    return [hashlib.blake2b(t.encode(), digest_size=16).hexdigest() for t in texts]


def _texts(
    table: pd.DataFrame, rows: np.ndarray, field: ConfigField
) -> np.ndarray | None:
    """Return the contribution of one field to each id; None if there is none."""
    codes, values = pd.factorize(table[field.name].array.take(rows))
    if field.name == "init":  # path@digest: the contents identify a file
        values = [value.rpartition("@")[2] for value in values]
    parts = [
        ""
        if value == field.first_default
        else f"{field.name}={_canonical(field.kind(value))};"
        for value in values
    ]
    if not any(parts):
        return None
    texts = np.array([*parts, ""], object)[codes]  # code -1 is null: the last entry
    if field.name in ("init_seed", "order_seed"):
        same = table[field.name].array.take(rows) == table["seed"].array.take(rows)
        texts[np.asarray(same.fillna(True), bool)] = ""
    for other, cases in field.said_by.items():
        for said, meant in cases.items():
            same = (table[other].array == said) & (table[field.name].array == meant)
            texts[np.asarray(same.fillna(False), bool)[rows]] = ""
    return texts


def _canonical(value: Any) -> str:
    """Return the string of one value that enters an id.

    Floats are written by ``repr``, the shortest string that reads back as equal.
    """
    return json.dumps(value) if isinstance(value, str) else repr(value)
