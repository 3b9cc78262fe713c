"""What is asked about rows: options that comparisons, figures and reports share."""

from pathlib import Path

import click


def _numbers(_: click.Context, __: click.Parameter, text: str) -> tuple[float, ...]:
    """Read numbers separated by commas."""
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        message = f"expected numbers, as .95,.995, got {text!r}"
        raise click.BadParameter(message) from None


def _names(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    """Read names separated by commas."""
    return tuple(name.strip() for name in text.split(","))


thresholds = click.option(
    "--threshold",
    "thresholds",
    default=".95,.995",
    show_default=True,
    callback=_numbers,
    help="Accuracies to reach.",
)
by = click.option(
    "--by",
    default="method,width",
    show_default=True,
    callback=_names,
    help="Config columns that make groups; values of the first meet in pairs.",
)
honest = click.option(
    "--honest",
    is_flag=True,
    help="Choose learning rate, schedule and options on half of the seeds and report "
    "the other half.",
)
frontier = click.option(
    "--frontier",
    type=click.Path(path_type=Path),
    help="A frontier of one's own [the shipped one].",
)
distances = click.option(
    "--distances",
    "masks",
    type=click.IntRange(0),
    help="Masks of each line held against the optimal ones [100 in all].",
)
