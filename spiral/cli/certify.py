"""``frontier certify``: prove how many weights an accuracy needs at least."""

from pathlib import Path
from typing import Any

import click

from spiral.cli.options import PLACE, as_json, show, task


def _share(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> list[str]:
    """Accept decimal fractions above one half, as written."""
    for text in texts:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0.5 < value <= 1 or not text.replace(".", "", 1).isdigit():
            raise click.BadParameter(
                f"expected an accuracy like 0.95, above 0.5, got {text}"
            )
    return list(dict.fromkeys(texts))


@click.command()
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    default=("0.95", "0.995", "1"),
    show_default=True,
    metavar="ACCURACY",
    callback=_share,
    help="Prove a bound for this accuracy. Repeatable.",
)
@click.option("--out", type=PLACE, help="Write the record of the proof to this file.")
@click.option(
    "--verify",
    "check",
    is_flag=True,
    help="Check a record instead of proving anew, with independent code.",
)
@click.option(
    "--file",
    "path",
    type=PLACE,
    help="With --verify, check this record [the shipped one].",
)
@task("Prove it for this task of the family cubist")
@as_json
def certify(
    thresholds: list[str],
    out: Path | None,
    check: bool,
    path: Path | None,
    task: str,
    as_json: bool,
) -> None:
    """Prove how many weights an accuracy needs at least.

    Proves for each accuracy that no network with fewer weights reaches it on a Cubist
    Spiral, whatever its mask; nothing is proven of tasks whose points do not lie on
    polygons. Takes minutes. --verify re-checks a record in exact arithmetic, with code
    that shares nothing with the proof, and exits with code 4 on a mismatch.
    """
    if check and out is not None:
        raise click.UsageError("--verify writes no record: leave out --out")
    if path is not None and not check:
        raise click.UsageError("--file is the record to check: add --verify")
    if check:
        _verify(path, task, as_json)
        return
    from spiral.search.certify import exact, prove, record

    effort = prove.Effort()
    data = prove.spiral(effort.points, task)
    found = prove.record(thresholds, data, effort, exact.Grid())
    if out is not None:
        record.write(found, out)
    if as_json:
        show({"bounds": found["bounds"], "file": None if out is None else str(out)})
        return
    for bound in found["bounds"]:
        click.echo(_sentence(bound))
    if out is not None:
        click.echo(f"{out}: record of {len(found['bounds'])} bounds")


def _sentence(bound: dict[str, Any]) -> str:
    """Return what a bound says."""
    weights = bound["weights"]
    left, masks = bound["open"][str(weights)]
    return (
        f"accuracy {bound['threshold']}: at least {weights} weights, "
        f"{bound['lines']} lines; open at {weights} weights: {left} of {masks} masks"
    )


def _verify(path: Path | None, task: str, as_json: bool) -> None:
    """Check a record of a task and print the result."""
    from spiral.search.certify import record, verify
    from spiral.tasks import catalogue

    path = path or record.shipped(task)
    found, data = record.read(path), catalogue.load(task)
    wrong = verify.mistakes(found, data.x, data.y)
    if as_json:
        show({"file": str(path), "bounds": found["bounds"], "mistakes": wrong})
    else:
        for bound in found["bounds"]:
            click.echo(_sentence(bound))
        for mistake in wrong:
            click.echo(mistake)
        click.echo(f"{len(found['bounds'])} bounds, {len(wrong)} mistakes")
    if wrong:
        raise SystemExit(4)
