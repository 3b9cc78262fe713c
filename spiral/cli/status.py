"""``status`` and ``verify``: inspect a results directory."""

from dataclasses import asdict
from pathlib import Path

import click

from spiral.cli.options import as_json, folder, show


@click.command()
@folder
@as_json
def status(out: Path, as_json: bool) -> None:
    """Show the progress of a launch; works while it is running."""
    from spiral.sweep.status import status

    state = asdict(status(out))
    if as_json:
        show(state)
        return
    click.echo(f"configs  {state['done']:,} of {state['configs']:,} done")
    click.echo(f"packs    {state['packs_done']:,} of {state['packs']:,} done")
    for pack, error in state["errors"].items():
        click.echo(f"failed   {pack}: {error}")


@click.command()
@folder
@as_json
def verify(out: Path, as_json: bool) -> None:
    """Verify every byte of the results.

    Exits with code 4 if anything is damaged.
    """
    from spiral.sweep.status import verify

    verdict = verify(out)
    if as_json:
        show(asdict(verdict))
    else:
        click.echo(f"rows     {verdict.rows:,}")
        click.echo(f"missing  {verdict.missing:,}")
        for name, reason in verdict.reasons.items():
            click.echo(f"corrupt  {name}: {reason}")
    if not verdict.sound:
        click.echo(
            "error: expected intact packs only, got the files above; move foreign "
            "files elsewhere and run `spiral-sweep launch` to train damaged packs "
            "again",
            err=True,
        )
        raise SystemExit(4)
