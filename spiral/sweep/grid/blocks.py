"""Blocks of a grid file before expansion: checked keys and values with places."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import yaml
from pydantic import ValidationError

from spiral import engines, spelling
from spiral.errors import ConfigError
from spiral.methods.registry import METHODS, config_fields
from spiral.protocol import config
from spiral.protocol.config import ConfigField
from spiral.search.relative import Relative
from spiral.sweep.grid import axes as axes_of
from spiral.sweep.grid import listings, sizes, yaml_nodes
from spiral.sweep.grid.axes import Axis, Column
from spiral.sweep.grid.tasks import STAMPS
from spiral.sweep.grid.yaml_nodes import Item, Mistakes

NOT_FRESH = (
    "replicate: expected with `seed: fresh`, which it repeats, got other seeds; write "
    "`seed: fresh`, or leave `replicate` out and list the seeds"
)


TO_DERIVE = -1
"""Stands for a fresh seed until ``resolve`` derives it."""

Keys = Mapping[str, tuple[str, yaml.Node]]
"""key → (place of the key, its value node)."""


@dataclass(frozen=True)
class Block:
    """One block: the cross product of its axes, filtered by its conditions."""

    name: str
    place: str
    axes: tuple[Axis, ...]
    conditions: tuple[Item, ...]

    def place_of(self, field: str, value: Any) -> str:
        """Return the place of a field's value, or else that of the block."""
        for axis in self.axes:
            for item in axis[field].items if field in axis else []:
                if item.value == value:
                    return item.place
        return self.place


@dataclass(frozen=True)
class Reader:
    """Reads the blocks of one file."""

    file: str
    defaults: Keys
    overrides: Mapping[str, Column]
    mistakes: Mistakes

    def read(self, name: str, place: str, keys: Keys) -> Block:
        """Read one block with the defaults and overrides that apply to it."""
        axes = list(self._axes(keys))
        self._check_once(axes)
        own = set(chain.from_iterable(axes))
        conditions = self._conditions(keys) + self._conditions(self.defaults)
        axes += [a for a in self._axes(self.defaults) if not own & set(a)]
        # First the method: it decides which of the other overrides apply
        if "method" in self.overrides:
            axes = axes_of.replaced(axes, "method", self.overrides["method"])
        methods = self._methods(axes, place)
        for key, column in self.overrides.items():
            if any(applies(key, method) for method in methods):
                axes = axes_of.replaced(axes, key, column)
        axes = self._repeatable(axes, own)
        axes = [self._checked(axis, methods, own) for axis in axes]
        axes = sizes.settled([axis for axis in axes if axis], self.mistakes)
        return Block(name, place, tuple(axes), tuple(conditions))

    def _axes(self, keys: Keys) -> Iterator[Axis]:
        """Yield the axes of a mapping: one for each key, one for each zip group."""
        for key, (place, node) in keys.items():
            if key == "zip":
                yield from self._zips(place, node)
            elif key != "where":
                if key not in config_fields():
                    known = [*config_fields(), "zip", "where"]
                    hint = spelling.suggest(key, known, spelling.KEYS)
                    self.mistakes.add(place, f"{key}: unknown key; {hint}")
                    continue
                items = listings.items(key, node, self.file, self.mistakes)
                yield {key: Column(place, items)}

    def _zips(self, place: str, node: yaml.Node) -> Iterator[Axis]:
        """Yield the groups under ``zip``; columns of a group have equal lengths."""
        groups = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for group in groups:
            axis: Axis = {}
            keys = yaml_nodes.mapping(group, self.file, self.mistakes)
            for key in {"zip", "where"} & keys.keys():
                text = f"{key}: not allowed inside zip; move it to the block"
                self.mistakes.add(keys.pop(key)[0], text)
            for part in self._axes(keys):
                axis |= part
            sizes = {key: len(column.items) for key, column in axis.items()}
            if len(set(sizes.values())) > 1:
                self.mistakes.add(
                    place, f"zip: expected lists of equal length, got {sizes}"
                )
            elif axis:
                yield axis

    def _check_once(self, axes: list[Axis]) -> None:
        """Report keys that occur in several axes of one block."""
        seen: dict[str, str] = {}
        for axis in axes:
            for key, column in axis.items():
                first = seen.setdefault(key, column.place)
                if first != column.place:
                    text = f"{key}: expected once, got it again (first at {first})"
                    self.mistakes.add(column.place, text)

    def _conditions(self, keys: Keys) -> list[Item]:
        """Return the conditions under ``where``."""
        if "where" not in keys:
            return []
        found = yaml_nodes.items(keys["where"][1], self.file, self.mistakes)
        for item in found:
            if not isinstance(item.value, str):
                text = (
                    f"where: expected a condition like keep < weights, got {item.value}"
                )
                self.mistakes.add(item.place, text)
        return [item for item in found if isinstance(item.value, str)]

    def _methods(self, axes: list[Axis], place: str) -> list[str]:
        """Return the known methods of a block; report a missing or unknown one."""
        columns = [axis["method"] for axis in axes if "method" in axis]
        items = [item for column in columns for item in column.items]
        if not columns:
            self.mistakes.add(
                place, f"method: missing; choose from {', '.join(METHODS)}"
            )
        for item in items:
            if item.value not in METHODS:
                hint = spelling.suggest(str(item.value), METHODS, spelling.METHODS)
                self.mistakes.add(
                    item.place, f"method: unknown method {item.value!r}; {hint}"
                )
        return [item.value for item in items if item.value in METHODS]

    def _repeatable(self, axes: list[Axis], own: set[str]) -> list[Axis]:
        """Return the axes, without ``replicate`` if no seed of the block is fresh."""
        if any(item.value == config.FRESH for item in axes_of.items(axes, "seed")):
            return axes
        told = [i for i in axes_of.items(axes, "replicate") if i.value is not None]
        if told and "replicate" in own:
            self.mistakes.add(told[0].place, NOT_FRESH)
        return axes_of.without(axes, "replicate")

    def _checked(self, axis: Axis, methods: list[str], own: set[str]) -> Axis:
        """Return an axis with parsed values, without keys that apply to no method."""
        checked: Axis = {}
        for key, column in axis.items():
            users = [m for m in methods if applies(key, m)]
            if users or not methods:
                kinds = fields_named(key, users)
                parsed = [self._parsed(key, item, kinds) for item in column.items]
                good = [item for item in parsed if item is not None]
                checked[key] = Column(column.place, good)
            elif key in own and column.items:
                self.mistakes.add(column.items[0].place, _no_user(key, methods))
        return checked

    def _parsed(self, key: str, item: Item, kinds: list[ConfigField]) -> Item | None:
        """Return one value converted to its field's type; report why it cannot be."""
        # Methods were checked; relative sizes are numbers once tasks are known (sizes)
        if key == "method" or isinstance(item.value, Relative):
            return item
        if key == "engine" and item.value not in engines.names():
            hint = spelling.suggest(str(item.value), engines.names(), spelling.ENGINES)
            self.mistakes.add(
                item.place, f"engine: unknown engine {item.value!r}; {hint}"
            )
            return None
        if key == "seed" and item.value == config.FRESH:
            return Item(TO_DERIVE, item.place)
        value = item.value
        for field in kinds:
            try:
                value = field.parse(item.value)
                value = STAMPS[key](value) if key in STAMPS else value
            except ConfigError as error:
                self.mistakes.add(item.place, str(error))
                return None
            except ValidationError as error:
                reason = error.errors()[0]["msg"].removeprefix("Input ")
                text = f"{key}: {reason}, got {str(item.value)[:80]!r}"
                if field.kind is bool:
                    text = f"{key}: expected true or false, got {item.value}"
                if field.kind is str and not isinstance(item.value, str):
                    text = (
                        f"{key}: expected a string, got {item.value}; put it in quotes"
                    )
                self.mistakes.add(item.place, text + _meant(field, item.value))
                return None
        return Item(value, item.place)


def _meant(field: ConfigField, value: Any) -> str:
    """Return "; did you mean X?" where a value is another word for a legal one."""
    legal = [config.FRESH] if field.name == "seed" else field.legal().get("enum", [])
    hint = spelling.suggest(str(value), legal, spelling.VALUES) if legal else ""
    return f"; {hint}" if hint.startswith("did you mean") else ""


def applies(key: str, method: str) -> bool:
    """Return whether a field applies to a method."""
    if key == "keep":
        return METHODS[method].needs_keep
    common = key in config.fields(config.Config)
    return common or key in config.fields(METHODS[method].options)


def fields_named(key: str, methods: Iterable[str]) -> list[ConfigField]:
    """Return the fields of a name: the common one, the options of some methods."""
    common = config.fields(config.Config)
    own = [config.fields(METHODS[method].options) for method in methods]
    options = [some[key] for some in own if key in some]
    if key in common and not (own and len(options) == len(own)):
        return [common[key], *options]
    return options


def parse_overrides(texts: Sequence[str], mistakes: Mistakes) -> dict[str, Column]:
    """Read ``KEY=VALUE`` texts; values are written as in a grid file.

    A text that is repeated counts once.
    """
    found: dict[str, Column] = {}
    for text in dict.fromkeys(texts):
        key, equals, value = text.partition("=")
        place = f"--set {text}"
        if not equals or not key:
            mistakes.add(place, f"expected KEY=VALUE, got {text!r}")
        elif key not in config_fields():
            hint = spelling.suggest(key, config_fields(), spelling.KEYS)
            mistakes.add(place, f"{key}: unknown key; {hint}")
        elif key in found:
            first = found[key].place
            mistakes.add(
                place,
                f"{key}: expected once, got it again (first by {first}); remove one",
            )
        else:
            try:
                node = yaml_nodes.parse(value or "''", place)
            except ConfigError as error:
                mistakes.add(place, str(error).partition(": ")[2])
                continue
            values = listings.items(key, node, place, mistakes)
            found[key] = Column(place, [Item(item.value, place) for item in values])
    return found


def _no_user(key: str, methods: list[str]) -> str:
    """Return the message for a key that applies to no method of its block."""
    users = [method for method in METHODS if applies(key, method)]
    others = [method for method in METHODS if method not in users]
    told = ", ".join(users)
    if len(others) < len(users):
        told = f"every method but {', '.join(others)}"
    return (
        f"{key}: does not apply to method {', '.join(dict.fromkeys(methods))} "
        f"(applies to: {told}); remove it"
    )
