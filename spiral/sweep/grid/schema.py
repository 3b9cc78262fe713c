"""The JSON Schema of grid files, built from the fields that validate them."""

from typing import Any

from spiral import engines
from spiral.methods.registry import METHODS, config_fields
from spiral.protocol import config
from spiral.search import LISTINGS
from spiral.sweep.grid import listings
from spiral.tasks import catalogue

RANGE = {"type": "string", "pattern": r"^-?\d+\.\.-?\d+(\.\.\d+)?$"}


def grid_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a grid file."""
    block = _block()
    blocks = {"type": "object", "additionalProperties": block, "minProperties": 1}
    top = {"name": {"type": ["string", "number"]}, "description": {"type": "string"}}
    several = _object({**top, "defaults": block, "blocks": blocks})
    single = _object({**top, **block["properties"], "defaults": block})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "spiral-sweep grid",
        "anyOf": [{**several, "required": ["blocks"]}, single],
    }


def _block() -> dict[str, Any]:
    """Return the schema of a block, or of the defaults of all blocks."""
    keys = {name: _key(field) for name, field in config_fields().items()}
    group = _object(keys)
    condition = {"type": "string", "description": "e.g. keep < weights"}
    groups = {"anyOf": [group, {"type": "array", "items": group}]}
    return _object({**keys, "zip": groups, "where": {"anyOf": _or_list([condition])}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a mapping that has no other keys."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _or_list(kinds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the schemas of a value of some kinds, and of a list of such values."""
    items = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return [*kinds, {"type": "array", "items": items, "minItems": 1}]


def _key(field: config.ConfigField) -> dict[str, Any]:
    """Return the schema of a key: a value, range or listing, or a list of these."""
    ranges = [RANGE] if field.kind is int else []
    kinds = [_value(field), *ranges, *map(_listing, listings.names(field.name))]
    return {"description": field.description, "anyOf": _or_list(kinds)}


def _listing(name: str) -> dict[str, Any]:
    """Return the schema of a listing with its arguments."""
    arguments = LISTINGS[name].options.model_json_schema()
    if LISTINGS[name].named_by_argument(name):
        return arguments
    return {**_object({name: arguments}), "required": [name]}


def _tasks() -> dict[str, Any]:
    """Return the schema of tasks with parameters, each a value or several."""
    families = {}
    for name, family in catalogue.FAMILIES.items():
        inside = _object({parameter.name: {} for parameter in family.parameters})
        families[name] = {**inside, "type": ["object", "null"]}
    return {**_object({**families, "file": {"type": "string"}}), "minProperties": 1}


def _value(field: config.ConfigField) -> dict[str, Any]:
    """Return the schema of one value of a key, over all methods that have it."""
    if field.name == "method":
        return {"enum": [*METHODS]}
    if field.name == "engine":
        return {"enum": engines.names()}
    if field.name == "task":
        return {"anyOf": [{"type": "string"}, _tasks()]}
    fields = [field]
    if field.name not in config.fields(config.Config):
        own = [config.fields(entry.options) for entry in METHODS.values()]
        fields = [options[field.name] for options in own if field.name in options]
    kinds = [each.legal() for each in fields]
    if field.name == "seed":
        kinds.append({"const": config.FRESH})
    distinct = [kind for n, kind in enumerate(kinds) if kind not in kinds[:n]]
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
