"""Pruning methods: they decide masks and never train.

A method is one file: a class on the protocol ``spiral.job.Method`` and an ``ENTRY``.
One line in ``METHODS`` makes it known to grids, commands, contract tests and tables.
"""

import dataclasses
from collections.abc import Collection, Mapping

from spiral import spelling
from spiral.config import ConfigField, Options, fields
from spiral.errors import ConfigError
from spiral.methods import (
    acdc,
    acdc_pp,
    bimp,
    block,
    dense,
    force,
    gmp,
    grasp,
    group_norm,
    imp,
    iter_snip,
    l1_unit,
    lth,
    magnitude,
    mask,
    mdgf_exp,
    mdgf_linear,
    obspa,
    one_shot,
    perp,
    prospr,
    random,
    rigl,
    scratch,
    sdgf_geometric,
    sdgf_step,
    sfw,
    shuffled,
    slimming,
    sms,
    snip,
    soft_filter,
    spa,
    sr_ste,
    ste,
    synflow,
    taylor_unit,
)
from spiral.methods.entry import Entry, NoOptions, Taxonomy

METHODS: dict[str, Entry] = {
    "dense": dense.ENTRY,
    "random": random.ENTRY,
    "magnitude": magnitude.ENTRY,
    "gmp": gmp.ENTRY,
    "lth": lth.ENTRY,
    "snip": snip.ENTRY,
    "iter_snip": iter_snip.ENTRY,
    "force": force.ENTRY,
    "grasp": grasp.ENTRY,
    "synflow": synflow.ENTRY,
    "prospr": prospr.ENTRY,
    "rigl": rigl.ENTRY,
    "acdc": acdc.ENTRY,
    "acdc_pp": acdc_pp.ENTRY,
    "imp": imp.ENTRY,
    "bimp": bimp.ENTRY,
    "sms": sms.ENTRY,
    "perp": perp.ENTRY,
    "one_shot": one_shot.ENTRY,
    "scratch": scratch.ENTRY,
    "shuffled": shuffled.ENTRY,
    "ste": ste.ENTRY,
    "sr_ste": sr_ste.ENTRY,
    "mdgf_linear": mdgf_linear.ENTRY,
    "mdgf_exp": mdgf_exp.ENTRY,
    "sdgf_step": sdgf_step.ENTRY,
    "sdgf_geometric": sdgf_geometric.ENTRY,
    "sfw": sfw.ENTRY,
    "block": block.ENTRY,
    "mask": mask.ENTRY,
    "l1_unit": l1_unit.ENTRY,
    "taylor_unit": taylor_unit.ENTRY,
    "spa": spa.ENTRY,
    "obspa": obspa.ENTRY,
    "soft_filter": soft_filter.ENTRY,
    "group_norm": group_norm.ENTRY,
    "slimming": slimming.ENTRY,
}


def options_of(name: str) -> type[Options]:
    """Return a method's options class.

    None are known of a user's own method whose file this process has not loaded: its
    rows can be read all the same.
    """
    return METHODS[name].options if name in METHODS else NoOptions


def options() -> dict[str, type[Options]]:
    """Return every method's options class."""
    return {name: entry.options for name, entry in METHODS.items()}


def option_fields() -> dict[str, ConfigField]:
    """Return the options of all methods; an option has one type wherever it occurs."""
    found: dict[str, ConfigField] = {}
    for entry in METHODS.values():
        for name, field in fields(entry.options).items():
            known = found.setdefault(name, field)
            assert known.kind is field.kind, f"option {name} has two types"
    return found


def axes() -> dict[str, frozenset[str]]:
    """Return the axes of the taxonomy, and the values that methods have on them."""
    kinds = [dataclasses.asdict(entry.taxonomy) for entry in METHODS.values()]
    names = [axis.name for axis in dataclasses.fields(Taxonomy)]
    return {name: frozenset(kind[name] for kind in kinds) for name in names}


def of_kind(where: Mapping[str, Collection[str]]) -> list[str]:
    """Return the methods that have one of some values on each axis of the taxonomy.

    Raises:
        ConfigError: An axis does not exist, or no method has a value on it.
    """
    known = axes()
    kinds = {n: dataclasses.asdict(entry.taxonomy) for n, entry in METHODS.items()}
    for axis, values in where.items():
        if axis not in known:
            hint = spelling.suggest(axis, known)
            raise ConfigError(f"no axis {axis!r} of methods; {hint}")
        for value in values:
            if value not in known[axis]:
                hint = spelling.suggest(value, sorted(known[axis]))
                raise ConfigError(f"no method has {axis}={value!r}; {hint}")
    return [
        name
        for name, kind in kinds.items()
        if all(kind[axis] in values for axis, values in where.items())
    ]
