"""``methods`` and ``schema``: what a grid file may contain."""

import inspect
import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from spiral import spelling
from spiral.cli.options import as_json, check_names, show
from spiral.cli.questions import where

if TYPE_CHECKING:
    from spiral.methods.entry import Entry
    from spiral.protocol.config import ConfigField

KINDS = {
    "boolean": "true or false",
    "integer": "integer",
    "number": "number",
    "string": "text",
    "null": "None",
}
BOUNDS = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "exclusiveMaximum": "<",
}
"""Bounds of JSON Schema, as mathematical signs."""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@where
@as_json
def methods(names: tuple[str, ...], where: dict[str, list[str]], as_json: bool) -> None:
    """List the pruning methods and their options.

    With NAMEs, list only these methods, and how each departs from its source.
    """
    from spiral.methods.registry import METHODS, known
    from spiral.protocol import config

    check_names("method", names, METHODS, spelling.METHODS)
    kind = known().of_kind(where)
    chosen = {name: METHODS[name] for name in names or kind if name in kind}
    if as_json:
        show({"methods": {name: _facts(entry) for name, entry in chosen.items()}})
        return
    for name, entry in chosen.items():
        click.echo(f"{name:<12}{entry.summary} ({entry.citation})")
        axes = ", ".join(f"{k}={v}" for k, v in asdict(entry.taxonomy).items())
        click.echo(f"{'':<13}{axes}")
        for option in config.fields(entry.options).values():
            click.echo(f"{'':<13}{_option_text(entry, option)}")
        if names:
            click.echo(textwrap.indent(notes(entry), " " * 13))


def notes(entry: "Entry") -> str:
    """Return what the method's own documentation says; "" if it has none."""
    from spiral.methods.entry import method_class

    text = inspect.getdoc(method_class(entry)) or ""
    return text.replace("``", "`")


def _option_text(entry: "Entry", option: "ConfigField") -> str:
    """Return one line on an option: meaning, legal values, default, presets."""
    cases = presets(entry, option.name).items()
    values = [default_text(option), *(f"{value} under {c}" for c, value in cases)]
    legal = legal_text(option.legal())
    return f"{option.name}: {option.description}; {legal}; {', '.join(values)}"


def default_text(option: "ConfigField") -> str:
    """Return the default of an option, where it comes from, and what it was first."""
    if option.required:
        return "required"
    about = [option.origin] if option.origin else []
    if option.first_default != option.default:
        about.append(f"{option.first_default} in earlier versions")
    return f"default {option.default}" + (f" ({'; '.join(about)})" if about else "")


def legal_text(schema: dict[str, Any]) -> str:
    """Return the values that the JSON Schema of one option allows, as text."""
    if "anyOf" in schema:
        return " or ".join(map(legal_text, schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    bounds = [f"{BOUNDS[key]} {schema[key]}" for key in BOUNDS if key in schema]
    return " ".join([KINDS[schema["type"]], " and ".join(bounds)]).strip()


def _facts(entry: "Entry") -> dict[str, Any]:
    """Return the description of a method for JSON output."""
    from spiral.protocol import config

    return {
        "summary": entry.summary,
        "notes": notes(entry),
        "citation": entry.citation,
        "needs_keep": entry.needs_keep,
        "taxonomy": asdict(entry.taxonomy),
        "options": {
            option.name: {
                "type": option.kind.__name__,
                "legal": option.legal(),
                "default": option.default,
                "origin": option.origin,
                "first_default": option.first_default,
                "meaning": option.description,
                "presets": presets(entry, option.name),
            }
            for option in config.fields(entry.options).values()
        },
    }


def presets(entry: "Entry", name: str) -> dict[str, Any]:
    """Return the value each preset gives to an option: ``fidelity=zp24`` → value."""
    from spiral.protocol import config

    found = config.presets(entry.options, name)
    return {f"{selector}={case}": value for selector, case, value in found}


@click.command()
def schema() -> None:
    """Print the JSON Schema of grid files, for editors and validators."""
    from spiral.sweep.grid.schema import grid_schema

    click.echo(json.dumps(grid_schema(), indent=1))
