"""Sizes of networks relative to the best known one: a fair scale across tasks.

One task needs 14 weights for 95 %, another three times as many. Equal multiples of what
each is known to need are equally hard, as far as the frontiers are equally good.
"""

import shlex
from math import floor
from typing import Annotated, NamedTuple

from pydantic import Field

from spiral.errors import ConfigError
from spiral.protocol.config import Options
from spiral.search import best_known

Multiple = Annotated[float, Field(gt=0, le=1000)]


class RelativeSizes(Options):
    """Arguments of ``relative``: multiples of the best known number of weights."""

    relative: list[Multiple] = Field(
        min_length=1,
        description="multiples of the fewest weights known to reach `of` on the task",
    )
    of: float = Field(
        best_known.THRESHOLDS[0],
        gt=0.5,
        le=1,
        description="accuracy that the best known network reaches",
    )


class Relative(NamedTuple):
    """A number of weights that depends on the task."""

    multiple: float
    accuracy: float

    def times(self, fewest: int) -> int:
        """Return the number of weights: the nearest, halves up, at least 1."""
        return max(1, floor(self.multiple * fewest + 0.5))


def sizes(wanted: RelativeSizes) -> list[Relative]:
    """Return the sizes that are asked for."""
    return [Relative(multiple, wanted.of) for multiple in wanted.relative]


def fewest(task: str, accuracy: float) -> int:
    """Return the fewest weights known to reach an accuracy on a task, by any means.

    Raises:
        ConfigError: No such network is known.
    """
    known = best_known.exists(task)
    found = best_known.fewest(best_known.load(task=task), accuracy) if known else None
    if found is None:
        raise ConfigError(
            f"expected a network known to reach {accuracy:g} on task {task}, got none: "
            f"run `spiral-sweep search evolve --task {shlex.quote(task)}` and "
            "`spiral-sweep frontier update`, or write numbers of weights"
        )
    return found
