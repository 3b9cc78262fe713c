"""``methods`` and ``schema``: what a grid may say."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from spiral.cli.common import as_json, show
from spiral.cli.questions import where
from spiral.errors import ConfigError

if TYPE_CHECKING:
    from spiral.methods.entry import Entry


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@where
@as_json
def methods(names: tuple[str, ...], where: dict[str, list[str]], as_json: bool) -> None:
    """List the pruning methods and their options, or those of some."""
    from spiral import config
    from spiral.methods.registry import METHODS, of_kind

    unknown = [repr(name) for name in names if name not in METHODS]
    if unknown:
        raise ConfigError(
            f"method {', '.join(unknown)} unknown; known are {', '.join(METHODS)}"
        )
    chosen = {n: METHODS[n] for n in of_kind(where) if not names or n in names}
    if as_json:
        show({"methods": {name: _facts(entry) for name, entry in chosen.items()}})
        return
    for name, entry in chosen.items():
        click.echo(f"{name:<12}{entry.summary} ({entry.citation})")
        kind = ", ".join(f"{k}={v}" for k, v in asdict(entry.taxonomy).items())
        click.echo(f"{'':<13}{kind}")
        for option in config.fields(entry.options).values():
            cases = _presets(entry, option.name).items()
            default = "required" if option.required else f"default {option.default}"
            said = [default, *(f"{value} under {case}" for case, value in cases)]
            click.echo(
                f"{'':<13}{option.name}: {option.description}; {', '.join(said)}"
            )


def _facts(entry: "Entry") -> dict[str, Any]:
    """Return what JSON says of a method."""
    from spiral import config

    return {
        "summary": entry.summary,
        "citation": entry.citation,
        "needs_keep": entry.needs_keep,
        "taxonomy": asdict(entry.taxonomy),
        "options": {
            option.name: {
                "default": option.default,
                "meaning": option.description,
                "presets": _presets(entry, option.name),
            }
            for option in config.fields(entry.options).values()
        },
    }


def _presets(entry: "Entry", name: str) -> dict[str, Any]:
    """Return what each preset makes of an option, as ``fidelity=zp24`` → value."""
    from spiral import config

    found = config.presets(entry.options, name)
    return {f"{selector}={case}": value for selector, case, value in found}


@click.command()
def schema() -> None:
    """Print the JSON Schema of grid files, for editors."""
    from spiral.sweep.schema import grid_schema

    click.echo(json.dumps(grid_schema(), indent=1))
