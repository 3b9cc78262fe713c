"""Listings: long lists of values that a grid file names instead of spelling out.

::

    matrices: {paper_masks: {shape: [7, 3, 3], below: 33, first: 3}}
    keep: {relative: [1, 1.5, 2], of: 0.995}

The second form is that of a listing whose first argument has its name. A listing is one
line in ``LISTINGS``; grids, their JSON Schema and messages follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from spiral.protocol.config import Options
from spiral.search import enumerate as orbits
from spiral.search import paper, relative


@dataclass(frozen=True)
class Listing:
    """One listing: the field of its values, and how to generate them."""

    field: str
    options: type[Options]
    """Its arguments in a grid file."""
    values: Callable[[Any], list[Any]]
    """Takes the arguments; raises ValueError if there are too many values."""

    def named_by_argument(self, name: str) -> bool:
        """Return whether the listing's name is that of its first argument."""
        return name in self.options.model_fields


class Orbits(Options):
    """Arguments of the listing ``orbits``."""

    shape: list[paper.Size] = Field(
        min_length=3, max_length=3, description="units of the three hidden layers"
    )
    nnz: int | list[int] | None = Field(
        None, description="weights, dense output layer included, e.g. 16..20"
    )


def _orbits(wanted: Orbits) -> list[str]:
    """Return masks of a contiguous range of weights."""
    sizes = [wanted.nnz] if isinstance(wanted.nnz, int) else wanted.nnz
    if sizes is None:
        return orbits.listing(wanted.shape)
    if sizes != [*range(sizes[0], sizes[0] + len(sizes))]:
        raise ValueError(f"nnz: expected a range like 16..20, got {sizes}")
    return orbits.listing(wanted.shape, f"{sizes[0]}..{sizes[-1]}")


LISTINGS: dict[str, Listing] = {
    "orbits": Listing("matrices", Orbits, _orbits),
    "paper_masks": Listing("matrices", paper.PaperMasks, paper.texts),
    "relative": Listing("keep", relative.RelativeSizes, relative.sizes),
}
