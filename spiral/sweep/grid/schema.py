"""The JSON Schema of grid files, built from the fields that validate them."""

from typing import Any

from spiral import engines
from spiral.methods.registry import METHODS, config_fields
from spiral.protocol import config
from spiral.search import LISTINGS
from spiral.sweep.grid import listings

RANGE = {"type": "string", "pattern": r"^-?\d+\.\.-?\d+(\.\.\d+)?$"}


def _values(key: str, one: dict[str, Any], whole: bool) -> dict[str, Any]:
    """Return the schema of a key: a value, range or listing, or a list of these."""
    kinds = [one, *([RANGE] if whole else []), *map(_listing, listings.names(key))]
    return {
        "anyOf": [*kinds, {"type": "array", "items": {"anyOf": kinds}, "minItems": 1}]
    }


def _listing(name: str) -> dict[str, Any]:
    """Return the schema of a listing with its arguments."""
    arguments = LISTINGS[name].options.model_json_schema()
    return {
        "type": "object",
        "properties": {name: arguments},
        "required": [name],
        "additionalProperties": False,
    }


def _one(name: str) -> dict[str, Any]:
    """Return the schema of one value of a key, over all methods that have it."""
    fields = [config_fields()[name]]
    if name not in config.fields(config.Config):
        own = [config.fields(entry.options) for entry in METHODS.values()]
        fields = [options[name] for options in own if name in options]
    kinds = [field.adapter.json_schema() for field in fields]
    for kind in kinds:
        kind.pop("description", None)  # the key has one
        kind.pop("default", None)
        kind.pop("unit", None)  # `columns` tells it
    distinct = [kind for n, kind in enumerate(kinds) if kind not in kinds[:n]]
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}


def grid_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a grid file."""
    keys: dict[str, Any] = {}
    for name, field in config_fields().items():
        one = _one(name)
        if name == "method":
            one = {"enum": [*METHODS]}
        if name == "engine":
            one = {"enum": engines.names()}
        keys[name] = {
            "description": field.description,
            **_values(name, one, field.kind is int),
        }
    condition = {"type": "string", "description": "e.g. keep < weights"}
    lists = {"type": "object", "properties": keys, "additionalProperties": False}
    block: dict[str, Any] = {
        "type": "object",
        "properties": {
            **keys,
            "zip": {"anyOf": [lists, {"type": "array", "items": lists}]},
            "where": {
                "anyOf": [
                    condition,
                    {"type": "array", "items": condition, "minItems": 1},
                ]
            },
        },
        "additionalProperties": False,
    }
    top = {"name": {"type": ["string", "number"]}, "description": {"type": "string"}}
    several = {
        "type": "object",
        "properties": {
            **top,
            "defaults": block,
            "blocks": {
                "type": "object",
                "additionalProperties": block,
                "minProperties": 1,
            },
        },
        "required": ["blocks"],
        "additionalProperties": False,
    }
    properties = {**top, **block["properties"], "defaults": block}
    single = {**block, "properties": properties}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "spiral-sweep grid",
        "anyOf": [several, single],
    }
