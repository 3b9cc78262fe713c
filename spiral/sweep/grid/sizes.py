"""Relative sizes in a grid become numbers of weights: on each task its own."""

from functools import cache
from math import prod

from spiral.errors import ConfigError
from spiral.search import relative
from spiral.search.relative import Relative
from spiral.sweep.grid import axes as axes_of
from spiral.sweep.grid.axes import Axis, Column
from spiral.sweep.grid.yaml_nodes import Item, Mistakes
from spiral.tasks import catalogue

KEY, TASK = "keep", "task"


def settled(axes: list[Axis], mistakes: Mistakes) -> list[Axis]:
    """Return the axes of a block with every relative size as a number of weights.

    Sizes and tasks vary together from then on: their axes become their product.
    """
    wanted = axes_of.items(axes, KEY)
    holding = [axis for axis in axes if KEY in axis or TASK in axis]
    if not any(isinstance(item.value, Relative) for item in wanted):
        return axes
    if not all(map(axes_of.is_even, holding)):
        return axes  # values of theirs are mistakes, already reported
    mistakes.count(wanted[0].place, prod(map(axes_of.length, holding)))
    others = [axis for axis in axes if axis not in holding]
    joint = axes_of.product(*holding) if len(holding) > 1 else holding[0]
    return [*others, _numbered(joint, mistakes)]


def _numbered(axis: Axis, mistakes: Mistakes) -> Axis:
    """Return an axis of sizes, and of tasks unless all have the default, as numbers."""
    fewest = cache(relative.fewest)  # a frontier may be long, and sizes are several
    default = [Item(catalogue.DEFAULT, "")] * len(axis[KEY].items)
    tasks = axis[TASK].items if TASK in axis else default
    found = []
    for item, task in zip(axis[KEY].items, tasks, strict=True):
        size = item.value
        if isinstance(size, Relative):
            try:
                size = size.times(fewest(task.value, size.accuracy))
            except ConfigError as error:
                mistakes.add(item.place, f"{KEY}: {error}")
        found.append(Item(size, item.place))
    return axis | {KEY: Column(axis[KEY].place, found)}
