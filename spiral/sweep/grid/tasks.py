"""Tasks in a grid: names, and mappings like ``{planted: {seed: 0..4, nnz: 16}}``."""

from collections.abc import Callable
from itertools import product

import yaml

from spiral.errors import ConfigError
from spiral.model import initial
from spiral.sweep.grid import yaml_nodes
from spiral.sweep.grid.yaml_nodes import Item, Mistakes
from spiral.tasks import catalogue


def checked_task(text: str) -> str:
    """Return the canonical name of a task that exists.

    A file is stamped with the digest of its points. Like ``init``, its path refers to
    the working directory.

    Raises:
        ConfigError: There is no such task, or its points cannot be made or read.
    """
    name = catalogue.canonical(text)
    catalogue.load(name)
    return name


STAMPS: dict[str, Callable[[str], str]] = {
    "init": initial.stamp,
    "task": checked_task,
}
"""Key whose values may be files → a function to what configs have."""


def listed(part: yaml.MappingNode, file: str, mistakes: Mistakes) -> list[Item]:
    """Return the tasks of a mapping; parameters with several values multiply."""
    found = []
    for name, (place, body) in yaml_nodes.mapping(part, file, mistakes).items():
        for inside in _insides(body, file, mistakes):
            try:
                found.append(Item(catalogue.canonical({name: inside}), place))
            except ConfigError as error:
                mistakes.add(place, str(error))
    return found


def _insides(body: yaml.Node, file: str, mistakes: Mistakes) -> list[object]:
    """Return what a family gets: each choice of parameters, or each plain value."""
    if not isinstance(body, yaml.MappingNode):
        return [item.value for item in yaml_nodes.items(body, file, mistakes)]
    keys = yaml_nodes.mapping(body, file, mistakes)
    values = [
        [item.value for item in yaml_nodes.items(node, file, mistakes)]
        for _, node in keys.values()
    ]
    return [dict(zip(keys, chosen, strict=True)) for chosen in product(*values)]
