"""Grid files: YAML in, a table of configs out, every mistake named with its place.

::

    name: example
    defaults: {width: 16, seed: 0..4}     # for every block that does not say otherwise
    blocks:
      pruned:
        method: [gmp, random]
        keep: [15..26, 30, 33]            # lists, ranges, and ranges in lists
        zip:                              # these vary together
          - {lr: [0.05, 0.1], schedule: [cosine, step]}
        where: keep < weights             # weights: those of the dense network
      dense: {method: dense}

A block is the cross product of its keys; a grid is the union of its blocks. A file
without ``blocks`` is one block. An axis counts only for the methods that have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from spiral import config, initial, mlp, where
from spiral.errors import ConfigError
from spiral.methods import METHODS, options
from spiral.rows import config_fields
from spiral.sweep import nodes
from spiral.sweep.blocks import (
    Axis,
    Block,
    Reader,
    applies,
    parse_overrides,
)
from spiral.sweep.nodes import Mistakes

MAX_CONFIGS = 5_000_000
TOP_KEYS = ["name", "description", "defaults", "blocks"]


@dataclass(frozen=True)
class Grid:
    """An expanded grid."""

    name: str
    configs: pd.DataFrame
    """One row per config: ``config_id``, ``block``, then every field, resolved."""
    blocks: dict[str, int]
    """Configs of each block, those dropped as duplicates included."""
    duplicates: int
    """Configs dropped because they stand earlier in the grid."""


def sample(grid: Grid, share: float) -> Grid:
    """Return a random share of a grid: the same configs every time.

    Chance is that of the ids: the configs whose id, read as a number, is among the
    lowest of all possible ids.
    """
    digits = grid.configs["config_id"].str[:8].map(lambda text: int(text, 16))
    kept = grid.configs[digits.to_numpy() < share * 16**8].reset_index(drop=True)
    counts = kept["block"].value_counts()
    blocks = {name: int(counts.get(name, 0)) for name in grid.blocks}
    return replace(grid, configs=kept, blocks=blocks, duplicates=0)


def load(path: Path, overrides: Sequence[str] = ()) -> Grid:
    """Read and expand a grid file.

    Args:
        path: The YAML file.
        overrides: ``KEY=VALUE`` texts; each replaces a key in every block with a method
            that knows the key. Values are written as in the file.

    Raises:
        ConfigError: With every mistake found, one a line, each with its place.
    """
    return _expand(nodes.read(path), str(path), path.stem, overrides)


def loads(text: str, name: str = "grid", overrides: Sequence[str] = ()) -> Grid:
    """Expand a grid given as text (see :func:`load`)."""
    return _expand(nodes.parse(text, name), name, name, overrides)


def _expand(root: yaml.Node, file: str, stem: str, overrides: Sequence[str]) -> Grid:
    """Read the blocks, expand each, unite them."""
    mistakes = Mistakes()
    name, blocks = _read_blocks(root, file, stem, overrides, mistakes)
    mistakes.raise_any()
    _check_size(blocks, file)
    tables = [_block_table(block, mistakes) for block in blocks]
    mistakes.raise_any()
    table = pd.concat(tables, ignore_index=True)
    if table.empty:
        mistakes.add(file, "the grid is empty: no config satisfies its `where`")
        mistakes.raise_any()
    table.insert(0, "config_id", config.identify(table, options()))
    unique = table[~table["config_id"].duplicated()].reset_index(drop=True)
    counts = {b.name: len(t) for b, t in zip(blocks, tables, strict=True)}
    return Grid(name, unique, counts, len(table) - len(unique))


def _read_blocks(
    root: yaml.Node, file: str, stem: str, overrides: Sequence[str], mistakes: Mistakes
) -> tuple[str, list[Block]]:
    """Return the grid's name and its blocks; a file without ``blocks`` is one."""
    top = nodes.mapping(root, file, mistakes)
    mistakes.raise_any()  # without keys there is nothing else to say
    name = stem
    for key in ("name", "description"):
        place, node = top.pop(key, ("", None))
        if node is not None and (
            not isinstance(node, yaml.ScalarNode) or not node.value
        ):
            mistakes.add(place, f"{key}: expected text")
        elif node is not None and key == "name":
            name = node.value
    _, defaults = top.pop("defaults", ("", None))
    base = {} if defaults is None else nodes.mapping(defaults, file, mistakes)
    reader = Reader(file, base, parse_overrides(overrides, mistakes), mistakes)
    if "blocks" not in top:
        found = [reader.read(name, nodes.place(root, file), top)]
        _check_overrides(reader, found)
        return name, found
    _, written = top.pop("blocks")
    for key, (place, _) in top.items():
        hint = nodes.suggestion(key, TOP_KEYS)
        mistakes.add(place, f"{key}: unknown key beside `blocks`; {hint}")
    found = [
        reader.read(block, place, nodes.mapping(node, file, mistakes))
        for block, (place, node) in nodes.mapping(written, file, mistakes).items()
        if isinstance(node, yaml.MappingNode) or nodes.mapping(node, file, mistakes)
    ]
    _check_overrides(reader, found)
    if not found and not mistakes.found:
        mistakes.add(nodes.place(written, file), "the grid is empty: it has no block")
    return name, found


def _check_overrides(reader: Reader, blocks: list[Block]) -> None:
    """Note overrides that no block uses."""
    used = {key for block in blocks for axis in block.axes for key in axis}
    for key, column in reader.overrides.items():
        if key not in used:
            reader.mistakes.add(column.place, f"{key}: no block has a use for it")


def _check_size(blocks: list[Block], file: str) -> None:
    """Raise ConfigError if the blocks together are too large."""
    sizes = {block.name: prod(map(_length, block.axes)) for block in blocks}
    total = sum(sizes.values())
    if total > MAX_CONFIGS:
        largest = max(sizes, key=sizes.__getitem__)
        raise ConfigError(
            f"{file}: {total:,} combinations, over {MAX_CONFIGS:,}; the largest block "
            f"is {largest} with {sizes[largest]:,}"
        )


def _block_table(block: Block, mistakes: Mistakes) -> pd.DataFrame:
    """Return the resolved configs of one block."""
    sizes = [_length(axis) for axis in block.axes]
    table = _resolve(_product(block, sizes), block, mistakes)
    for condition in block.conditions:
        try:
            table = table[_holds(condition.value, table)].reset_index(drop=True)
        except where.WhereError as error:
            mistakes.add(condition.place, f"where: {error}")
    _check_values(table, block, mistakes)
    table.insert(0, "block", pd.array([block.name] * len(table), "string"))
    return table


def _length(axis: Axis) -> int:
    """Return how many values an axis has."""
    return len(next(iter(axis.values())).items)


def _product(block: Block, sizes: list[int]) -> pd.DataFrame:
    """Return the cross product of the axes; fields foreign to a method are null.

    An axis without any column that a method knows is not multiplied out for it.
    """
    total = prod(sizes)
    codes = np.unravel_index(np.arange(total), sizes)
    columns = {}
    for axis, code in zip(block.axes, codes, strict=True):
        for key, column in axis.items():
            field = config_fields()[key]
            values = config.column(field, [item.value for item in column.items])
            columns[key] = values.take(code)
    table = pd.DataFrame(columns)
    wanted = np.ones(total, bool)
    for method in table["method"].unique():
        rows = (table["method"] == method).to_numpy(bool)
        for axis, code in zip(block.axes, codes, strict=True):
            foreign = [key for key in axis if not applies(key, method)]
            if len(foreign) == len(axis):
                wanted &= ~rows | (code == 0)
            for key in foreign:
                table.loc[rows, key] = pd.NA
    return table[wanted].reset_index(drop=True)


def _resolve(table: pd.DataFrame, block: Block, mistakes: Mistakes) -> pd.DataFrame:
    """Fill in defaults, so that every field of every config has its value."""
    columns = {}
    methods = table["method"].to_numpy(object)
    of_method = {method: methods == method for method in dict.fromkeys(methods)}
    nowhere = np.zeros(len(table), int)
    common = config.fields(config.Config)
    for key, field in config_fields().items():
        if key in table:
            values = table[key].array.copy()
        else:
            values = config.column(field, [None]).take(nowhere)
        for method, of_it in of_method.items():
            own = common if key in common else config.fields(METHODS[method].options)
            if key not in own or not applies(key, method):
                continue
            rows = of_it & np.asarray(values.isna(), bool)
            if key not in common:
                _preset(values, rows, table, METHODS[method].options, field)
                rows &= np.asarray(values.isna(), bool)
            required = own[key].required or key == "keep"
            if required and rows.any():
                mistakes.add(block.place, f"{key}: method {method} needs it")
            elif own[key].default is not None:
                values[rows] = own[key].default
        columns[key] = values
    for key in ("init_seed", "order_seed"):
        missing = np.asarray(columns[key].isna(), bool)
        columns[key][missing] = columns["seed"][missing]
    return _derive(pd.DataFrame(columns))


def _preset(
    values: pd.api.extensions.ExtensionArray,
    rows: np.ndarray,
    table: pd.DataFrame,
    model: type[config.Options],
    field: config.ConfigField,
) -> None:
    """Fill an option that was left out with what a preset that was chosen says."""
    for selector, case, value in config.presets(model, field.name):
        if selector in table:
            chosen = np.asarray((table[selector] == case).fillna(False), bool)
            values[rows & chosen] = value


def _derive(table: pd.DataFrame) -> pd.DataFrame:
    """Fill in the options that follow from the rest of a config."""
    for method in table["method"].unique():
        rows = (table["method"] == method).to_numpy(bool)
        for name, values in METHODS[method].derive(table[rows]).items():
            table.loc[rows, name] = table.loc[rows, name].fillna(values)
    return table


def _holds(condition: str, table: pd.DataFrame) -> np.ndarray:
    """Evaluate a condition for every config of a block."""
    columns: dict[str, np.ndarray] = {}
    for name in where.names(condition):
        if name == "weights":
            width = table["width"].to_numpy(np.float64)
            columns[name] = 3 * width + 2 * width**2
        elif name in table:
            columns[name] = _plain(name, table)
        else:
            known = [k for k in table if not table[k].isna().all()]
            hint = nodes.suggestion(name, [*known, "weights"])
            raise where.WhereError(f"{name!r} unknown; {hint}")
    return np.broadcast_to(where.evaluate(condition, columns), len(table))


def _plain(name: str, table: pd.DataFrame) -> np.ndarray:
    """Return a column without nulls as plain numbers or text."""
    column = table[name]
    if column.isna().any():
        method = table["method"][column.isna()].iloc[0]
        raise where.WhereError(
            f"{name} has no value for method {method}; give it a block of its own"
        )
    text = pd.api.types.is_string_dtype(column.dtype)
    return column.to_numpy(str if text else np.float64)


def _check_values(table: pd.DataFrame, block: Block, mistakes: Mistakes) -> None:
    """Note values that cannot work together."""
    weights = table["width"].map(mlp.weight_count)
    large = (table["keep"] > weights).fillna(False)
    if large.any():
        first = large.idxmax()
        keep, width = table["keep"][first], table["width"][first]
        mistakes.add(
            block.place_of("keep", keep),
            f"keep: {keep} is more than the {weights[first]} weights of width {width} "
            f"({large.sum()} configs); lower it or add `where: keep <= weights`",
        )
    _check_init(table, block, mistakes)
    late = (table["stop_epoch"] > table["epochs"]).fillna(False)
    if late.any():
        stop, epochs = table[late].iloc[0][["stop_epoch", "epochs"]]
        mistakes.add(
            block.place_of("stop_epoch", stop),
            f"stop_epoch: {stop} is after the end of a training of {epochs} epochs",
        )
    for method in table["method"].unique():
        for field, message, value in METHODS[method].check(
            table[table["method"] == method]
        ):
            mistakes.add(block.place_of(field, value), f"{field}: {message}")


def _check_init(table: pd.DataFrame, block: Block, mistakes: Mistakes) -> None:
    """Note files of initial weights that are too narrow for a network."""
    for source in set(table["init"].unique()) - {initial.DEFAULT}:
        widest = int(table.loc[table["init"] == source, "width"].max())
        try:
            initial.params(source, 0, widest)
        except ConfigError as error:
            mistakes.add(block.place_of("init", source), str(error))
