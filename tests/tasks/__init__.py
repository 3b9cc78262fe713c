"""Legal parameters of tasks, for property tests, and comparison with twins."""

import numpy as np
from hypothesis import strategies as st

from spiral.errors import ConfigError
from spiral.tasks import catalogue
from spiral.tasks.parameters import Multiple, Sizes, Whole
from tests.tasks.twins import standardised
from tests.tolerances import tolerance

VALUES = {
    Whole: lambda kind: st.integers(kind.least, kind.most),
    Multiple: lambda kind: st.integers(
        round(kind.least / kind.of), round(kind.most / kind.of)
    ).map(lambda count: round(count * kind.of, 2)),
    Sizes: lambda kind: st.tuples(
        *[st.integers(kind.least, kind.most) for _ in range(kind.layers)]
    ),
}
"""Kind of parameter → its values."""


def tasks_with_parameters():
    """Return a strategy for the name of a family with some of its parameters."""
    return st.sampled_from([*catalogue.FAMILIES]).flatmap(
        lambda name: st.tuples(st.just(name), parameters_of(catalogue.FAMILIES[name]))
    )


def parameters_of(family):
    """Return a strategy for some parameters of a family, by name."""
    every = {p.name: VALUES[type(p.kind)](p.kind) for p in family.parameters}
    return st.fixed_dictionaries({}, optional=every).map(
        lambda values: possible(family, values)
    )


def possible(family, values):
    """Return parameters without those that do not go together with others."""
    defaults = {p.name: p.default for p in family.parameters}
    while values:
        try:
            family.check(**defaults | values)
            break
        except ConfigError:
            values = dict([*values.items()][:-1])
    return values


def agrees(task, twin):
    """Assert that the points of a task are those of its twin, class 0 first."""
    twin = np.array(twin)
    order = np.argsort(twin[:, 2], kind="stable")
    assert np.array_equal(task.y, twin[order, 2])
    wanted = standardised(twin[:, :2])[order]
    assert np.abs(task.x - wanted).max() <= tolerance("point")
