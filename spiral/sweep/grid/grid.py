"""Expand a grid file (YAML) to a table of configs.

::

    name: example
    defaults: {width: 16, seed: 0..4}     # for blocks that do not set these keys
    blocks:
      pruned:
        method: [gmp, random]
        keep: [15..26, 30, 33]            # lists, ranges, and ranges in lists
        zip:                              # keys that vary together
          - {lr: [0.05, 0.1], schedule: [cosine, step]}
        where: keep < weights             # weights of the dense network
      dense: {method: dense}

A block is the cross product of its keys, a grid is the union of its blocks. A file
without ``blocks`` is one block. A key multiplies only the methods it applies to.
All mistakes of a file are reported at once, each with its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import pandas as pd
import yaml

from spiral import spelling
from spiral.errors import ConfigError
from spiral.methods.registry import options
from spiral.protocol import identity
from spiral.sweep.grid import axes, resolve, yaml_nodes
from spiral.sweep.grid.blocks import NOT_FRESH, Block, Reader, parse_overrides
from spiral.sweep.grid.yaml_nodes import Mistakes

MAX_CONFIGS = 5_000_000
TOP_KEYS = ["name", "description", "defaults", "blocks"]


@dataclass(frozen=True)
class Grid:
    """An expanded grid."""

    name: str
    configs: pd.DataFrame
    """One row per config: ``config_id``, ``block``, then every field, resolved."""
    blocks: dict[str, int]
    """Configs of each block, including those dropped as duplicates."""
    duplicates: int
    """Configs dropped because the grid already contains them."""


def sample(grid: Grid, share: float) -> Grid:
    """Return a random share of a grid: the same configs every time.

    Ids are uniform digests, so the configs whose id, read as a number, is below
    ``share`` of the largest possible id are a random sample without a random generator:
    reproducible, and nested for growing shares.
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
            to which the key applies. Values are written as in the file.

    Raises:
        ConfigError: Lists every mistake, one per line, each with its place.
    """
    return _expand(yaml_nodes.read(path), str(path), path.stem, overrides)


def loads(text: str, name: str = "grid", overrides: Sequence[str] = ()) -> Grid:
    """Expand a grid given as a string (see :func:`load`)."""
    return _expand(yaml_nodes.parse(text, name), name, name, overrides)


def _expand(root: yaml.Node, file: str, stem: str, overrides: Sequence[str]) -> Grid:
    """Read the blocks, expand each, and join them."""
    mistakes = Mistakes()
    name, blocks = _read_blocks(root, file, stem, overrides, mistakes)
    mistakes.raise_any()
    _check_size(blocks, file)
    tables = [resolve.configs(block, mistakes) for block in blocks]
    mistakes.raise_any()
    table = pd.concat(tables, ignore_index=True)
    if table.empty:
        mistakes.add(
            file,
            "expected at least one config, got none that satisfies `where`; relax it",
        )
        mistakes.raise_any()
    table.insert(0, "config_id", identity.identify(table, options()))
    again = table["config_id"].duplicated()
    unique = table[~again].reset_index(drop=True) if again.any() else table
    counts = {b.name: len(t) for b, t in zip(blocks, tables, strict=True)}
    return Grid(name, unique, counts, len(table) - len(unique))


def _read_blocks(
    root: yaml.Node, file: str, stem: str, overrides: Sequence[str], mistakes: Mistakes
) -> tuple[str, list[Block]]:
    """Return the grid's name and its blocks; a file without ``blocks`` is one."""
    top = yaml_nodes.mapping(root, file, mistakes)
    mistakes.raise_any()  # without keys nothing else can be checked
    name = stem
    for key in ("name", "description"):
        place, node = top.pop(key, ("", None))
        if node is not None and (
            not isinstance(node, yaml.ScalarNode) or not node.value
        ):
            mistakes.add(place, f"{key}: expected a string; give one")
        elif node is not None and key == "name":
            name = node.value
    _, defaults = top.pop("defaults", ("", None))
    base = {} if defaults is None else yaml_nodes.mapping(defaults, file, mistakes)
    reader = Reader(file, base, parse_overrides(overrides, mistakes), mistakes)
    if "blocks" not in top:
        found = [reader.read(name, yaml_nodes.place(root, file), top)]
        _check_overrides(reader, found)
        return name, found
    _, written = top.pop("blocks")
    for key, (place, _) in top.items():
        hint = spelling.suggest(key, TOP_KEYS)
        mistakes.add(place, f"{key}: unknown key next to `blocks`; {hint}")
    found = [
        reader.read(block, place, yaml_nodes.mapping(node, file, mistakes))
        for block, (place, node) in yaml_nodes.mapping(written, file, mistakes).items()
        if isinstance(node, yaml.MappingNode)
        or yaml_nodes.mapping(node, file, mistakes)
    ]
    _check_overrides(reader, found)
    if not found and not mistakes.found:
        mistakes.add(
            yaml_nodes.place(written, file),
            "expected at least one block, got none; add one",
        )
    return name, found


def _check_overrides(reader: Reader, blocks: list[Block]) -> None:
    """Report overrides that apply to no block."""
    used = {key for block in blocks for axis in block.axes for key in axis}
    places = {key: column.place for key, column in reader.overrides.items()}
    places |= {key: place for key, (place, _) in reader.defaults.items()}
    if "replicate" in places.keys() - used:
        reader.mistakes.add(places["replicate"], NOT_FRESH)
    for key, column in reader.overrides.items():
        if key not in used | {"replicate"}:
            reader.mistakes.add(
                column.place,
                f"{key}: does not apply to any method of the grid; remove it",
            )


def _check_size(blocks: list[Block], file: str) -> None:
    """Raise ConfigError if the blocks together are too large, before expanding them."""
    sizes = {block.name: prod(map(axes.length, block.axes)) for block in blocks}
    total = sum(sizes.values())
    if total > MAX_CONFIGS:
        largest = max(sizes, key=sizes.__getitem__)
        raise ConfigError(
            f"{file}: expected at most {MAX_CONFIGS:,} combinations, got {total:,}; "
            f"split the largest block, {largest} with {sizes[largest]:,}"
        )
