"""``search shapes`` and ``search masks``: the two phases of the search."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spiral.cli import halving, phase_launch
from spiral.cli.options import PLACE
from spiral.cli.search import read_shape, reads
from spiral.errors import ConfigError

if TYPE_CHECKING:
    from spiral.search.shape import Shape

EVERY = 16
"""Most weights for which all shapes are searched: 25,477 networks, three times as many
for one weight more."""


@click.command()
@click.option(
    "--shape",
    metavar="D1,D2,D3",
    default="16,16,16",
    show_default=True,
    callback=reads(read_shape),
    help="Train every block that fits into this one.",
)
@phase_launch.phase
def shapes(shape: "Shape", **options: Any) -> None:
    """Find the minimal shapes of dense networks (the paper's phase 1).

    Trains dense blocks and prints the minimal shapes that reach the threshold.

    A shape is minimal if some training of it reached the threshold and no other shape
    that is at most as large in every layer did. Run the same command to continue.
    """
    from spiral.search import phases

    text = phases.shapes_grid(shape, phase_launch.settings(options))
    phase_launch.search(text, None, phases.smallest, options)


@click.command()
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="D1,D2,D3",
    callback=reads(read_shape),
    help="Units of the three hidden layers. Repeatable.",
)
@click.option(
    "--from",
    "source",
    metavar="DIR",
    type=PLACE,
    help="Search every shape that `search shapes` found minimal in DIR.",
)
@click.option(
    "--nnz",
    metavar="A..B",
    help="Train only masks with A to B weights; without --shape and --from, those of "
    "every shape.",
)
@click.option(
    "--halving",
    "--race",
    "halve",
    is_flag=True,
    help="Use successive halving (not exhaustive).",
)
@click.option(
    "--rungs",
    default="5,15",
    show_default=True,
    callback=reads(halving.read_rungs),
    help="Select trainings after these epochs (successive halving).",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.25,
    show_default=True,
    help="Continue this share of the trainings at each rung (successive halving).",
)
@phase_launch.phase
def masks(
    shapes: list["Shape"], source: Path | None, nnz: str | None, **options: Any
) -> None:
    """Train every mask of some shapes (the paper's phase 2).

    Masks that differ only in the numbering of hidden units are trained once.

    Prints, for each shape and threshold, how many trainings reached the threshold and
    the sparsest network that did. Run the same command to continue.

    With --halving the search is NOT exhaustive: all networks train for a few epochs,
    the share with the lowest loss trains longer, and so on. With the default rungs it
    takes 1/4 of the steps. Measured recall: of the trainings that reach 0.95, it found
    163 of 171 for shape 3-3-3 and 2 of 3 for 3-2-2; of the best 0.1 %, 350 of 372 and
    70 of 82. `search recall` measures the recall of a search. Rungs are stored in
    DIR/rung-1, DIR/rung-2, …; a rung starts when the previous one is complete, so with
    --shard or --limit run the command again.
    """
    from spiral.search import phases
    from spiral.search.halving import Rules

    if source is not None:
        shapes = [*shapes, *_minimal(source, options["thresholds"])]
    try:
        if not shapes and nnz is not None:
            shapes = _every(nnz)
        if not shapes:
            raise click.UsageError("Missing option '--shape', '--from' or '--nnz'.")
        text = phases.masks_grid(shapes, nnz, phase_launch.settings(options))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    rules = Rules(options["rungs"], options["share"]) if options["halve"] else None
    phase_launch.search(text, rules, phases.summary, options)


def _every(nnz: str) -> list["Shape"]:
    """Return all shapes that have masks within a range of weights.

    Raises:
        ValueError: There are too many such shapes.
    """
    from spiral.search import shape

    most = shape.span(nnz)[-1]
    if most > EVERY:
        raise ValueError(
            f"expected at most {EVERY} weights without --shape, got {most}; "
            "give --shape or --from"
        )
    return shape.every(most)


def _minimal(source: Path, thresholds: Sequence[float]) -> list["Shape"]:
    """Return the shapes that a finished phase 1 found minimal.

    Raises:
        ConfigError: The directory is not a finished phase 1, or it found no shape.
    """
    from spiral.results import read
    from spiral.search import phases
    from spiral.sweep.status import status

    state = status(source)
    if not state.complete:
        raise ConfigError(
            f"--from {source}: expected a finished search, got {state.done:,} of "
            f"{state.configs:,} configs; run its `search shapes` to the end"
        )
    rows = read.read(source, ["method", *phases.COLUMNS])
    if set(rows["method"]) != {"block"}:
        raise ConfigError(
            f"--from {source}: expected results of `spiral-sweep search shapes`, got "
            f"those of other methods; give another directory"
        )
    found = [phases.minimal(phases.reached(rows, level)) for level in thresholds]
    if not any(found):
        raise ConfigError(
            f"--from {source}: no shape reached accuracy {min(thresholds)}; lower "
            "--threshold"
        )
    return [shape for some in found for shape in some]
