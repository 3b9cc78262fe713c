"""Axes of a block: keys whose values vary together, independently of other axes."""

from dataclasses import dataclass

from spiral.sweep.grid.yaml_nodes import Item


@dataclass(frozen=True)
class Column:
    """The values of one key, and the place of the key."""

    place: str
    items: list[Item]


Axis = dict[str, Column]
"""Columns that vary together; all have the same number of values."""


def length(axis: Axis) -> int:
    """Return the number of values of an axis."""
    return len(next(iter(axis.values())).items)


def is_even(axis: Axis) -> bool:
    """Return whether all keys have as many values; not where one is a mistake."""
    return len({len(column.items) for column in axis.values()}) == 1


def replaced(axes: list[Axis], key: str, column: Column) -> list[Axis]:
    """Return the axes with one key replaced by a separate axis."""
    return [*without(axes, key), {key: column}]


def without(axes: list[Axis], key: str) -> list[Axis]:
    """Return the axes without one key."""
    others = [{k: v for k, v in axis.items() if k != key} for axis in axes]
    return [axis for axis in others if axis]


def items(axes: list[Axis], key: str) -> list[Item]:
    """Return the values of one key."""
    return [item for axis in axes if key in axis for item in axis[key].items]


def product(one: Axis, other: Axis) -> Axis:
    """Return an axis of all pairs of the values of two axes, the second fastest."""
    found: Axis = {}
    for key, column in one.items():
        slow = [item for item in column.items for _ in range(length(other))]
        found[key] = Column(column.place, slow)
    for key, column in other.items():
        found[key] = Column(column.place, column.items * length(one))
    return found
