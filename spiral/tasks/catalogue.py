"""The catalogue of tasks: every family, and how a name becomes a task.

To add a family, write a function from its parameters to raw points, with an entry
beside it, and list the entry here.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from spiral.errors import ConfigError
from spiral.tasks import areas, cubist, curves, from_file, naming, planted, task
from spiral.tasks.parameters import Family
from spiral.tasks.task import Task

DEFAULT = "cubist"
FILE = "file"
"""In YAML, the key of a file of points."""

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (cubist.FAMILY, *curves.FAMILIES, *areas.FAMILIES, planted.FAMILY)
}


def names() -> list[str]:
    """Return the names of the shipped tasks, the families at their defaults."""
    return [*FAMILIES]


def canonical(text: str | Mapping[str, object], near: Path | None = None) -> str:
    """Return the one name by which rows and ids know a task.

    Defaults are left out and parameters have a fixed order, so equal tasks have equal
    names.

    Args:
        text: ``cubist(turns=3)``, or as YAML reads it, ``{"cubist": {"turns": 3}}``;
            ``points.csv`` or ``{"file": "points.csv"}``.
        near: The folder to which relative paths refer; the current one by default.

    Raises:
        ConfigError: There is no such task; the message names the nearest. Or a file
            does not hold two classes of points.
    """
    if (path := _path(text)) is not None:
        stamped = from_file.stamp(path, near)
        load(stamped)  # a grid with unusable points is refused when it is read
        return stamped
    if isinstance(text, str):
        return naming.written(*naming.parsed(text, FAMILIES))
    return naming.written(*_of_mapping(text))


def _path(text: str | Mapping[str, object]) -> str | None:
    """Return the file that is meant, if one is."""
    if isinstance(text, str):
        return text if from_file.is_meant(text) else None
    return str(text[FILE]) if [*text] == [FILE] else None


def _of_mapping(given: Mapping[str, object]) -> tuple[Family, naming.Values]:
    """Return the family and parameters of ``{name: {parameter: value}}``."""
    ((name, inside),) = given.items() if len(given) == 1 else [("", ())]
    if not isinstance(inside, Mapping | None):
        raise ConfigError(
            "expected a task with its parameters like {cubist: {turns: 3}}, "
            f"got {str(dict(given))[: naming.SHOWN]}"
        )
    return naming.checked(str(name), inside or {}, FAMILIES)


@lru_cache(maxsize=16)
def load(name: str) -> Task:
    """Return a task; the same object for the same name.

    Args:
        name: Canonical.

    Raises:
        ConfigError: There is no such task, or its file has changed.
    """
    if from_file.is_named(name):
        return task.of(name, from_file.load(name))
    family, values = naming.parsed(name, FAMILIES)
    return task.of(naming.written(family, values), family.build(**values))
