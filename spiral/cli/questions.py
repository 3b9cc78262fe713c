"""What is asked about rows: options that comparisons, figures and reports share."""

import click

from spiral.cli.common import PLACE


def _numbers(_: click.Context, __: click.Parameter, text: str) -> tuple[float, ...]:
    """Read numbers separated by commas, each once."""
    try:
        return tuple(dict.fromkeys(float(number) for number in text.split(",")))
    except ValueError:
        message = f"expected numbers, as .95,.995, got {text!r}"
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
                f"expected AXIS=VALUE, as when=before, got {text!r}"
            )
        found.setdefault(axis.strip(), []).extend(v.strip() for v in values.split(","))
    return found


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
where = click.option(
    "--where",
    multiple=True,
    metavar="AXIS=VALUE,…",
    callback=_axes,
    help="Only methods of a kind, as when=before or unit=neuron. Repeatable.",
)
honest = click.option(
    "--honest",
    is_flag=True,
    help="Choose learning rate, schedule and options on half of the seeds and report "
    "the other half.",
)
frontier = click.option(
    "--frontier",
    type=PLACE,
    help="Use this frontier file [the shipped one united with your own finds].",
)
distances = click.option(
    "--distances",
    "masks",
    type=click.IntRange(0),
    help="Masks of each line held against the optimal ones [100 in all].",
)
