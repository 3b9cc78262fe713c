"""What a sweep file of another tool says: its keys with their values and places."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from spiral.errors import ConfigError
from spiral.sweep.grid import yaml_nodes
from spiral.sweep.grid.yaml_nodes import Mistakes

MAX_KEYS = 1_000
"""Of a file: aliases in aliases could multiply them, and one may contain itself."""
MAX_DEPTH = 20
MAX_VALUES = 10_000
"""Of one key; a longer list is better written as a range by hand."""


class Swept(NamedTuple):
    """The values of one key."""

    values: tuple[Any, ...] = ()
    """Empty if the file does not list them."""
    why: str = ""
    """What is lost, or why there are no values."""
    suggested: tuple[Any, ...] = ()
    """Values to choose from, where the file has a distribution instead."""


class Key(NamedTuple):
    """A key of a sweep file."""

    name: str
    """With the names of the mappings around it, separated by dots."""
    place: str
    swept: Swept


class Left(NamedTuple):
    """Something without a counterpart."""

    place: str
    name: str
    why: str
    field: str = ""
    """The key of a grid that it would set, if there is one."""
    suggested: tuple[Any, ...] = ()


@dataclass
class Foreign:
    """A sweep file of another tool."""

    tool: str
    keys: list[Key] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)
    """``name`` and ``description``, if it has them."""


@dataclass
class Walk:
    """A walk over a file, which ends when it has seen too many keys."""

    file: str
    mistakes: Mistakes
    keys: int = 0

    def mapping(
        self, node: yaml.Node, prefix: str, depth: int
    ) -> Iterator[tuple[str, str, yaml.Node]]:
        """Yield the dotted name, the place and the value of each key.

        Raises:
            ConfigError: There are too many, or they are nested too deeply.
        """
        for key, (place, value) in yaml_nodes.mapping(
            node, self.file, self.mistakes
        ).items():
            self.keys += 1
            if self.keys > MAX_KEYS or depth > MAX_DEPTH:
                raise ConfigError(
                    f"{place}: expected at most {MAX_KEYS:,} keys in {MAX_DEPTH} "
                    "levels, got more (aliases repeat keys); shorten the file"
                )
            yield prefix + key, place, value

    def leaves(
        self, node: yaml.Node, prefix: str = "", depth: int = 0
    ) -> Iterator[tuple[str, str, yaml.Node]]:
        """Yield the dotted name, the place and the value of each innermost key."""
        for name, place, value in self.mapping(node, prefix, depth):
            if isinstance(value, yaml.MappingNode) and value.value:
                yield from self.leaves(value, f"{name}.", depth + 1)
            else:
                yield name, place, value


def listed(nodes: list[yaml.Node]) -> Swept:
    """Return values that are written one by one."""
    plain = [node for node in nodes if isinstance(node, yaml.ScalarNode)]
    if len(plain) < len(nodes):
        return Swept(why="a value that is a list or mapping has no counterpart")
    if len(nodes) > MAX_VALUES:
        return too_many(len(nodes))
    return Swept(tuple(map(yaml_nodes.scalar, plain)))


def too_many(count: int) -> Swept:
    """Return a key with more values than are written out."""
    return Swept(why=f"expected at most {MAX_VALUES:,} values, got {count:,}")
