"""Listings: long lists of values that a grid file names instead of writing out.

::

    matrices: {paper_masks: {shape: [7, 3, 3], below: 33, first: 3}}

A listing is one line in ``LISTINGS``; grids, their JSON Schema and messages follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from spiral.config import Options
from spiral.search import enumerate as orbits
from spiral.search import paper


@dataclass(frozen=True)
class Listing:
    """One listing: which field its values are for, and how to make them."""

    field: str
    options: type[Options]
    """Its arguments in a grid file."""
    values: Callable[[Any], list[str]]
    """Takes the arguments; raises ValueError where they ask for too much."""


class Orbits(Options):
    """Arguments of the listing ``orbits``."""

    shape: list[int] = Field(description="hidden units of each layer")
    nnz: str | None = Field(
        None, description="weights, those of the dense output layer counted: 16..20"
    )


LISTINGS: dict[str, Listing] = {
    "orbits": Listing(
        "matrices", Orbits, lambda wanted: orbits.listing(wanted.shape, wanted.nnz)
    ),
    "paper_masks": Listing("matrices", paper.PaperMasks, paper.texts),
}
