"""Pruning methods: they decide masks and never train.

A method is one file: a class on the protocol ``spiral.job.Method`` and an ``ENTRY``.
One line in ``METHODS`` makes it known to grids, commands, contract tests and tables.
"""

from spiral.config import ConfigField, Options, fields
from spiral.methods import (
    acdc,
    acdc_pp,
    bimp,
    block,
    dense,
    force,
    gmp,
    grasp,
    imp,
    iter_snip,
    lth,
    magnitude,
    mask,
    mdgf_exp,
    mdgf_linear,
    perp,
    prospr,
    random,
    rigl,
    scratch,
    sdgf_geometric,
    sdgf_step,
    sfw,
    shuffled,
    sms,
    snip,
    sr_ste,
    ste,
    synflow,
)
from spiral.methods.entry import Entry

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
}


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
