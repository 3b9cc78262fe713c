"""Multirun sweeps of Hydra: its configs, its ``multirun.yaml``, and command lines.

What is swept stands in ``hydra.sweeper.params``, or as ``KEY=VALUE`` in
``hydra.overrides.task``, in a list, or on a command line. Other keys outside ``hydra``
are single values.
"""

import re
import shlex
from collections.abc import Iterator

import yaml

from spiral.sweep.grid import yaml_nodes
from spiral.sweep.grid.imports import overrides
from spiral.sweep.grid.imports.found import Foreign, Key, Left, Swept, Walk

TOOL = "Hydra sweep"
OWN = "hydra"
PARAMS = "hydra.sweeper.params."
OVERRIDES = "hydra.overrides.task"
DEFAULTS = "defaults"
OVERRIDE = re.compile(r"(\+{0,2})([\w./-]+)(@[\w.:]+)?=(.*)", re.DOTALL)
"""``+key``, ``++key`` and ``group@package``, as Hydra has them."""
MULTIRUN = ("-m", "--multirun")


def recognises(root: yaml.Node) -> bool:
    """Return whether a file has Hydra's keys, or overrides."""
    if isinstance(root, yaml.MappingNode):
        keys = [key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)]
        return any(re.split(r"[./]", key)[0] == OWN for key in keys)
    several = isinstance(root, yaml.SequenceNode)
    texts = [n.value for n in (root.value if several else [root])]
    return any(isinstance(text, str) and "=" in text for text in texts)


def read(root: yaml.Node, walk: Walk) -> Foreign:
    """Read the sweep."""
    found = Foreign(TOOL)
    if not isinstance(root, yaml.MappingNode):
        _overrides(found, root, walk)
        return found
    for name, place, node in walk.leaves(root):
        if name.startswith(PARAMS):
            swept = _sweep(node)
            found.keys.append(Key(name.removeprefix(PARAMS), place, swept))
        elif name == OVERRIDES:
            _overrides(found, node, walk)
        elif name == DEFAULTS:
            _groups(found, node, walk)
        elif re.split(r"[./]", name)[0] == OWN:
            found.left.append(Left(place, name, "a setting of Hydra"))
        else:
            found.keys.append(Key(name, place, _constant(node)))
    found.keys = _last(found.keys)
    return found


def _last(keys: list[Key]) -> list[Key]:
    """Return each key once: what is swept overrides what a config has."""
    swept = {key.name: key for key in keys}
    for key in keys:
        if len(key.swept.values) > 1 or key.swept.suggested:
            swept[key.name] = key
    return [*swept.values()]


def _sweep(node: yaml.Node) -> Swept:
    """Return the values of an entry of ``hydra.sweeper.params``."""
    if not isinstance(node, yaml.ScalarNode):
        return Swept(why="a list or mapping is one value in Hydra; it has none here")
    return overrides.parse(node.value)


def _constant(node: yaml.Node) -> Swept:
    """Return the value of a key that is not swept."""
    if not isinstance(node, yaml.ScalarNode):
        return Swept(why="a list or mapping is one value in Hydra; it has none here")
    if "${" in node.value or node.value == "???":
        return Swept(why="refers to another value, which only Hydra can look up")
    return Swept((yaml_nodes.scalar(node),))


def _overrides(found: Foreign, node: yaml.Node, walk: Walk) -> None:
    """Add overrides: a list of them, or a command line."""
    for text, place in _words(node, walk.file):
        match = OVERRIDE.fullmatch(text)
        if match is None:
            if text not in MULTIRUN:
                found.left.append(Left(place, text, "no override; nothing is run"))
            continue
        swept = overrides.parse(match[4])
        found.keys.append(Key(match[2].replace("/", "."), place, swept))


def _words(node: yaml.Node, file: str) -> Iterator[tuple[str, str]]:
    """Yield the words of overrides, with their places."""
    if isinstance(node, yaml.SequenceNode):
        for part in node.value:
            if isinstance(part, yaml.ScalarNode):
                yield part.value, yaml_nodes.place(part, file)
        return
    where = yaml_nodes.place(node, file)
    text = node.value if isinstance(node, yaml.ScalarNode) else ""
    try:
        words = shlex.split(text.replace("\\\n", " ").replace("\\ ", " "))
    except ValueError:  # a quote that is not closed
        words = text.split()
    for word in words:
        yield word, where


def _groups(found: Foreign, node: yaml.Node, walk: Walk) -> None:
    """Add the choices of config groups, ``defaults: [optimizer: sgd]``."""
    parts = node.value if isinstance(node, yaml.SequenceNode) else []
    for part in parts:
        if not isinstance(part, yaml.MappingNode):
            continue  # another config file, or _self_
        for name, place, value in walk.mapping(part, "", 1):
            if name.startswith("override ") or "hydra/" in name:
                found.left.append(Left(place, name, "a setting of Hydra"))
            else:
                key = name.removeprefix("optional ").replace("/", ".")
                found.keys.append(Key(key, place, _constant(value)))
