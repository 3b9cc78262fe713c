"""The combinatorial search: the paper's masks, and masks of a shape up to symmetry.

A *listing* is a long list of values that a grid file names instead of writing out::

    matrices: {paper_masks: {shape: [7, 3, 3], below: 33, first: 3}}

It is one line in ``LISTINGS``; grids, their JSON Schema and messages follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spiral.config import Options
from spiral.search import paper


@dataclass(frozen=True)
class Listing:
    """One listing: which field its values are for, and how to make them."""

    field: str
    options: type[Options]
    """Its arguments in a grid file."""
    values: Callable[[Any], list[str]]
    """Takes the arguments; raises ValueError where they ask for too much."""


LISTINGS: dict[str, Listing] = {
    "paper_masks": Listing("matrices", paper.PaperMasks, paper.texts),
}
