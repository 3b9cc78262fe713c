"""``methods`` and ``schema``: what a grid may say."""

import json
from dataclasses import asdict

import click

from spiral.cli.common import as_json, show


@click.command()
@as_json
def methods(as_json: bool) -> None:
    """List the pruning methods and their options."""
    from spiral import config
    from spiral.methods import METHODS

    if as_json:
        listed = {
            name: {
                "summary": entry.summary,
                "citation": entry.citation,
                "needs_keep": entry.needs_keep,
                "taxonomy": asdict(entry.taxonomy),
                "options": {
                    f.name: {"default": f.default, "meaning": f.description}
                    for f in config.fields(entry.options).values()
                },
            }
            for name, entry in METHODS.items()
        }
        show({"methods": listed})
        return
    for name, entry in METHODS.items():
        click.echo(f"{name:<11}{entry.summary} ({entry.citation})")
        for f in config.fields(entry.options).values():
            default = "required" if f.required else f"default {f.default}"
            click.echo(f"{'':<13}{f.name}: {f.description}; {default}")


@click.command()
def schema() -> None:
    """Print the JSON Schema of grid files, for editors."""
    from spiral.sweep.schema import grid_schema

    click.echo(json.dumps(grid_schema(), indent=1))
