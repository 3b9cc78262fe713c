"""Legal parameters of tasks, for property tests."""

from hypothesis import strategies as st

from spiral.tasks import catalogue
from spiral.tasks.parameters import Multiple, Whole

VALUES = {
    Whole: lambda kind: st.integers(kind.least, kind.most),
    Multiple: lambda kind: st.integers(
        round(kind.least / kind.of), round(kind.most / kind.of)
    ).map(lambda count: count * kind.of),
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
    return st.fixed_dictionaries({}, optional=every)
