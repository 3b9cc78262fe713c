"""Questions about rows: options that comparisons, figures and reports share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from spiral.cli.options import PLACE, of_task


def _numbers(_: click.Context, __: click.Parameter, text: str) -> tuple[float, ...]:
    """Read numbers separated by commas, each once."""
    try:
        return tuple(dict.fromkeys(float(number) for number in text.split(",")))
    except ValueError:
        message = f"expected accuracies like .95,.995, got {text!r}"
        raise click.BadParameter(message) from None


def _names(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    """Read names separated by commas."""
    return tuple(name.strip() for name in text.split(","))


def _axes(
    _: click.Context, __: click.Parameter, given: tuple[str, ...]
) -> dict[str, list[str]]:
    """Read AXIS=VALUE,VALUE."""
    found: dict[str, list[str]] = {}
    for text in given:
        axis, sign, values = text.partition("=")
        if not sign:
            raise click.BadParameter(
                f"expected AXIS=VALUE like when=before, got {text!r}"
            )
        found.setdefault(axis.strip(), []).extend(v.strip() for v in values.split(","))
    return found


thresholds = click.option(
    "--threshold",
    "thresholds",
    default=".95,.995",
    show_default=True,
    callback=_numbers,
    help="Count the weights needed to reach these accuracies.",
)
by = click.option(
    "--by",
    default="method,width",
    show_default=True,
    callback=_names,
    help="Group rows by these config columns; the first is compared pairwise.",
)
where = click.option(
    "--where",
    multiple=True,
    metavar="AXIS=VALUE,…",
    callback=_axes,
    help="Select methods of a kind, e.g. when=before or unit=neuron. Repeatable.",
)
rows_where = click.option(
    "--where",
    multiple=True,
    metavar="NAME=VALUE,…",
    callback=_axes,
    help="Select rows by the value of a column, e.g. method=gmp,lth or epochs=50, or "
    "by the kind of their method, e.g. when=before. Repeatable.",
)
only_methods = click.option(
    "--methods",
    "only",
    metavar="A,B,…",
    callback=lambda ctx, param, text: text and _names(ctx, param, text),
    help="Select these methods; short for --where method=A,B.",
)


def which(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select rows; the command gets ``where``."""

    @rows_where
    @only_methods
    @of_task
    @wraps(command)
    def asking(
        *args: Any,
        where: dict[str, list[str]],
        only: tuple[str, ...] | None,
        task: str | None,
        **more: Any,
    ) -> None:
        named = {"method": [*where.get("method", []), *only]} if only else {}
        if task is not None:
            named["task"] = [task]
        command(*args, where=where | named, **more)

    return asking


_seed_split = click.option(
    "--seed-split",
    "--honest",
    "seed_split",
    is_flag=True,
    help="Choose learning rate, schedule and options on half of the seeds and report "
    "the other half [report both, each at the setting that the other chooses] "
    "(--honest is the former name).",
)
_each_size = click.option(
    "--each-size",
    is_flag=True,
    help="Choose settings for each size alone [for all sizes of a line at once].",
)


_equal_settings = click.option(
    "--equal-settings",
    is_flag=True,
    help="Report rows of all settings, and compare those with equal settings [choose "
    "settings].",
)


def tuning(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of how settings are chosen."""
    return _seed_split(_each_size(_equal_settings(command)))


frontier = click.option(
    "--frontier",
    type=PLACE,
    help="Compare with this frontier file [the shipped one and your own finds].",
)
distances = click.option(
    "--distances",
    "masks",
    type=click.IntRange(0),
    metavar="N",
    help="Compare N masks of each row of the table with the best known ones [100 in "
    "all].",
)
