"""What the command ``tasks`` prints and the documentation lists."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from spiral.tasks import catalogue, from_file, naming
from spiral.tasks.parameters import Family

Explained = tuple[dict[str, str], ...]
"""Name, value, legal values and meaning of each parameter."""


class Listed(NamedTuple):
    """A task in numbers and words."""

    name: str
    points: int
    shares: tuple[float, float]
    """Of class 0 and of class 1."""
    digest: str
    """Of coordinates and labels."""
    suffices: int | None
    """A number of weights known to suffice for every point: those of the teacher."""
    meaning: str
    parameters: Explained


def listed(names: Iterable[str] = ()) -> list[Listed]:
    """Return tasks in the given order; by default those that are shipped.

    Args:
        names: Texts as in a grid.

    Raises:
        ConfigError: There is no such task.
    """
    chosen = [*map(catalogue.canonical, names)] or catalogue.names()
    return [_listed(name) for name in chosen]


def _listed(name: str) -> Listed:
    """Return one task."""
    task = catalogue.load(name)
    first, second = np.bincount(task.y, minlength=2) / task.points
    words: tuple[str, Explained] = ("points of a file", ())
    if not from_file.is_named(name):
        family, values = naming.parsed(name, catalogue.FAMILIES)
        words = family.meaning, explained(family, values)
    suffices = task.planted.nnz if task.planted else None
    shares = float(first), float(second)
    return Listed(name, task.points, shares, task.digest, suffices, *words)


def explained(family: Family, values: naming.Values | None = None) -> Explained:
    """Return the parameters of a family in words, with values or their defaults."""
    chosen = {p.name: p.default for p in family.parameters} | (values or {})
    return tuple(
        {
            "name": parameter.name,
            "value": parameter.kind.write(chosen[parameter.name]),
            "legal": parameter.kind.expected,
            "meaning": parameter.meaning,
        }
        for parameter in family.parameters
    )
