"""Values of a key, including listings: ``key: {listing: {argument: value}}``.

A listing whose first argument has its name takes its arguments beside it:
``keep: {relative: [1, 2], of: 0.995}``.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from spiral import spelling
from spiral.search import LISTINGS
from spiral.sweep.grid import tasks, yaml_nodes
from spiral.sweep.grid.yaml_nodes import Item, Mistakes


class Argument(NamedTuple):
    """One argument of a listing: a value or a list of values, with places."""

    place: str
    items: list[Item]
    listed: bool

    @property
    def value(self) -> Any:
        """The argument as the listing takes it."""
        values = [item.value for item in self.items]
        return values if self.listed else values[0]


def names(key: str) -> list[str]:
    """Return the names of the listings for a field."""
    return [name for name, listing in LISTINGS.items() if listing.field == key]


def items(key: str, node: yaml.Node, file: str, mistakes: Mistakes) -> list[Item]:
    """Return the values of one key (see ``yaml_nodes.items``), listings expanded."""
    if key == "task":
        special = partial(tasks.listed, file=file, mistakes=mistakes)
        return yaml_nodes.items(node, file, mistakes, special)
    known = names(key)

    def listing(part: yaml.MappingNode) -> list[Item]:
        found = yaml_nodes.mapping(part, file, mistakes)
        for name in found.keys() & {*known}:
            if LISTINGS[name].named_by_argument(name):
                return _values(name, found[name][0], part, file, mistakes)
        if len(found) != 1:
            text = f"{key}: expected one listing of {', '.join(known)}"
            mistakes.add(yaml_nodes.place(part, file), text)
            return []
        ((name, (place, body)),) = found.items()
        if name in known:
            return _values(name, place, body, file, mistakes)
        hint = spelling.suggest(name, known)
        mistakes.add(place, f"{key}: unknown listing {name!r}; {hint}")
        return []

    return yaml_nodes.items(node, file, mistakes, listing if known else None)


def _values(
    name: str, place: str, body: yaml.Node, file: str, mistakes: Mistakes
) -> list[Item]:
    """Return the values of a listing; report mistakes in its arguments."""
    before = len(mistakes.found)
    arguments = {}
    for key, (where, node) in yaml_nodes.mapping(body, file, mistakes).items():
        found = yaml_nodes.items(node, file, mistakes)
        listed = isinstance(node, yaml.SequenceNode) or len(found) > 1
        arguments[key] = Argument(where, found, listed)
    if len(mistakes.found) > before:
        return []
    listing = LISTINGS[name]
    try:
        wanted = listing.options(**{k: a.value for k, a in arguments.items()})
        values = listing.values(wanted)
    except ValidationError as error:
        for mistake in error.errors():
            mistakes.add(*_explain(name, place, mistake, arguments))
    except ValueError as error:
        mistakes.add(place, f"{name}: {error}")
    else:
        if not values:
            mistakes.add(
                place,
                f"{name}: expected at least one value, got none; relax the arguments",
            )
        return [Item(value, place) for value in values]
    return []


def _explain(
    name: str, place: str, mistake: Mapping[str, Any], arguments: dict[str, Argument]
) -> tuple[str, str]:
    """Translate a pydantic error about an argument to a place and a message."""
    key, *inner = mistake["loc"]
    if key not in arguments:
        return place, f"{name}: missing argument {key}; add it"
    argument = arguments[key]
    what = name if key == name else f"{name}: {key}"
    if mistake["type"] == "extra_forbidden":
        hint = spelling.suggest(key, LISTINGS[name].options.model_fields)
        return argument.place, f"{what}: unknown argument; {hint}"
    reason = mistake["msg"].removeprefix("Input ")
    if inner and inner[0] < len(argument.items):
        item = argument.items[inner[0]]
    else:
        item = Item(argument.value, argument.items[0].place)
    return item.place, f"{what}: {reason}, got {str(item.value)[:80]!r}"
