"""The id of a config: a digest of all that its row depends on.

Finished work is found by ids, so none may change from version to version
(``tests/golden/config_ids.json``).
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from spiral.protocol.config import (
    MAX_SEED,
    ConfigField,
    OptionClasses,
    Options,
    fields,
    fields_of,
)

LEAST_FRESH = 2**52
"""The smallest derived seed: seeds that people write are smaller, so none is drawn
twice. Among 400,000 configs two share a seed with a probability of 2e-5."""

FILES = ("init", "task")
"""Fields that may name a file, as ``path@digest``."""

UNSEEDED = ("method", "seed", "stop_epoch", "engine")
"""Fields that do not enter a derived seed. A training that stops early is the beginning
of the whole one, and an engine is a way of computing the same training."""


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
    known = {m: fields_of(m, options) for m in table["method"].unique()}
    texts = _described(table, {m: found.values() for m, found in known.items()})
    return [hashlib.blake2b(t.encode(), digest_size=16).hexdigest() for t in texts]


def content(value: str) -> str:
    """Return what identifies a value of ``FILES``: of a file its digest, not its path.

    A file that was moved is the same, and one that has changed is another.
    """
    return value.rpartition("@")[2]


def words(task: str) -> str:
    """Return the name of a task as a part of file names: ``cubist-turns-3``."""
    return re.sub(r"[^a-z0-9.]+", "-", content(task).lower()).strip("-")


def fresh_seeds(
    table: pd.DataFrame, options: OptionClasses, given: Collection[str]
) -> np.ndarray:
    """Return the seed that each config gets where a grid says ``seed: fresh``.

    It is an integer from ``LEAST_FRESH`` on, below ``MAX_SEED``: a digest of the config
    without what ``UNSEEDED`` lists. A method's options are left out, too, so that
    methods start in pairs from equal initial weights; but those of methods that are
    given their mask are the mask, and enter. A field at its first default does not
    enter, as in ids: so a seed is the same in every grid, on every machine, and in
    every version that adds options.

    Args:
        table: One row per config; ``init_seed`` and ``order_seed`` where they are not
            the seed's.
        options: Those of all methods in the table that have any.
        given: The methods that are given their mask.
    """
    known = {}
    for method in table["method"].unique():
        own = () if method in given else fields(options.get(method, Options))
        known[method] = [
            field
            for name, field in fields_of(method, options).items()
            if name not in UNSEEDED and name not in own
        ]
    texts = _described(table, known)
    digests = [hashlib.blake2b(t.encode(), digest_size=8).digest() for t in texts]
    bits = np.frombuffer(b"".join(digests), "<u8") % (MAX_SEED - LEAST_FRESH)
    return bits.astype(np.int64) + LEAST_FRESH


def _described(
    table: pd.DataFrame, known: Mapping[str, Iterable[ConfigField]]
) -> np.ndarray:
    """Return what differs from first defaults in each config, sorted by name.

    Args:
        table: One row per config.
        known: The fields of each method that count.
    """
    methods = table["method"].to_numpy(object)
    one = len(known) == 1  # then selecting rows would only copy
    rows = {m: slice(None) if one else np.flatnonzero(methods == m) for m in known}
    owners: dict[str, list[tuple[str, ConfigField]]] = {}
    for method, fields_ in known.items():
        for field in fields_:
            owners.setdefault(field.name, []).append((method, field))
    parts: dict[str, list[list[str]]] = {method: [] for method in known}
    for name in sorted(owners):  # each is read once: of all methods it has one type
        codes, values = _distinct(table, name)
        written: dict[object, np.ndarray | None] = {}
        for method, field in owners[name]:
            default = field.first_default
            if default not in written:
                written[default] = _written(field, values)
            texts = written[default]
            if texts is not None:
                found = texts[codes[rows[method]]]
                if field.said_by:
                    found[_said_elsewhere(table, field)[rows[method]]] = ""
                parts[method].append(found.tolist())
    described = np.full(len(table), "", object)
    for method, found in parts.items():
        if found:  # joined at once: adding one after the other takes longer
            described[rows[method]] = [*map("".join, zip(*found, strict=True))]
    return described


def _distinct(table: pd.DataFrame, name: str) -> tuple[np.ndarray, list[object]]:
    """Return a number for the value of each row, -1 for null, and the values.

    A seed is null where it equals ``seed``.
    """
    column = table[name].array
    if name in ("init_seed", "order_seed"):
        same = (column == table["seed"].array).fillna(False)
        column = column.copy()
        column[np.asarray(same, bool)] = None
    codes, values = pd.factorize(column)
    return codes, values.tolist()


def _written(field: ConfigField, values: list[object]) -> np.ndarray | None:
    """Return the texts of values, then that of null; None if all are empty."""
    own = [field.kind(value) for value in values]
    if field.name in FILES:
        own = [content(value) for value in own]
    # Floats by `repr`, the shortest string that reads back as equal
    write = json.dumps if field.kind is str else repr
    texts = [
        "" if value == field.first_default else f"{field.name}={write(value)};"
        for value in own
    ]
    return np.array([*texts, ""], object) if any(texts) else None


def _said_elsewhere(table: pd.DataFrame, field: ConfigField) -> np.ndarray:
    """Return the rows in which an older option says the same."""
    found = np.zeros(len(table), bool)
    for other, cases in field.said_by.items():
        for said, meant in cases.items():
            same = (table[other].array == said) & (table[field.name].array == meant)
            found |= np.asarray(same.fillna(False), bool)
    return found
