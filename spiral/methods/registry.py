"""The methods that come with the project, and what is known of all of them."""

import dataclasses

from spiral.methods.at_init import (
    force,
    grasp,
    npb,
    ntk_sap,
    phew,
    prospr,
    snip,
    synflow,
)
from spiral.methods.controls import block, dense, mask, random, scratch
from spiral.methods.dynamic import (
    acdc,
    cannistraci_hebb,
    deep_rewiring,
    granet,
    guided_exploration,
    mest,
    rigl,
    sparse_evolution,
    sparse_momentum,
)
from spiral.methods.entry import Entry
from spiral.methods.forward_mask import dpf, iht, mdgf, sdgf, ste
from spiral.methods.layerwise import alps, dsnot, obc, sparsegpt, wanda
from spiral.methods.learned import (
    cs,
    edge_popup,
    l0,
    movement,
    powerprop,
    sfw,
    sign_in,
    soft_threshold,
    spartan,
)
from spiral.methods.magnitude import gmp, lamp, lrr, lth, magnitude
from spiral.methods.retraining import imp, one_shot, perp, sms
from spiral.methods.second_order import cbs, chita, obs, obspa, woodfisher
from spiral.methods.units import (
    group_norm,
    l1_unit,
    slimming,
    soft_filter,
    spa,
    taylor_unit,
)
from spiral.protocol.config import (
    ConfigField,
    Options,
    every_field,
)
from spiral.protocol.methods import Methods

METHODS: dict[str, Entry] = {}
METHODS |= {
    "dense": dense.ENTRY,
    "random": random.RANDOM,
    "static": random.STATIC,
    "magnitude": magnitude.ENTRY,
    "gmp": gmp.ENTRY,
    "lamp": lamp.ENTRY,
    "lth": lth.ENTRY,
    "lrr": lrr.ENTRY,
    "snip": snip.ENTRY,
    "iter_snip": force.ITER_SNIP,
    "force": force.FORCE,
    "grasp": grasp.ENTRY,
    "synflow": synflow.ENTRY,
    "prospr": prospr.ENTRY,
    "ntk_sap": ntk_sap.ENTRY,
    "phew": phew.ENTRY,
    "npb": npb.ENTRY,
    "rigl": rigl.ENTRY,
    "set": sparse_evolution.ENTRY,
    "mest": mest.ENTRY,
    "granet": granet.ENTRY,
    "cht": cannistraci_hebb.CHT,
    "chts": cannistraci_hebb.CHTS,
    "deepr": deep_rewiring.ENTRY,
    "gse": guided_exploration.ENTRY,
    "snfs": sparse_momentum.ENTRY,
    "acdc": acdc.ACDC,
    "acdc_pp": acdc.ACDC_PP,
    "imp": imp.IMP,
    "bimp": imp.BIMP,
    "sms": sms.ENTRY,
    "perp": perp.ENTRY,
    "one_shot": one_shot.ENTRY,
    "scratch": scratch.scratch(METHODS),
    "shuffled": scratch.shuffled(METHODS),
    "ste": ste.STE,
    "sr_ste": ste.SR_STE,
    "ste_layer": ste.STE_LAYER,
    "sr_ste_layer": ste.SR_STE_LAYER,
    "mdgf_linear": mdgf.LINEAR,
    "mdgf_exp": mdgf.EXPONENTIAL,
    "sdgf_step": sdgf.STEPWISE,
    "sdgf_geometric": sdgf.GEOMETRIC,
    "dpf": dpf.ENTRY,
    "iht": iht.IHT,
    "aiht": iht.AIHT,
    "sfw": sfw.ENTRY,
    "str": soft_threshold.ENTRY,
    "powerprop": powerprop.ENTRY,
    "movement": movement.ENTRY,
    "cs": cs.ENTRY,
    "spartan": spartan.ENTRY,
    "l0": l0.ENTRY,
    "edge_popup": edge_popup.ENTRY,
    "sign_in": sign_in.ENTRY,
    "block": block.ENTRY,
    "mask": mask.ENTRY,
    "l1_unit": l1_unit.ENTRY,
    "taylor_unit": taylor_unit.ENTRY,
    "spa": spa.ENTRY,
    "obspa": obspa.ENTRY,
    "obs": obs.ENTRY,
    "woodfisher": woodfisher.ENTRY,
    "cbs": cbs.ENTRY,
    "chita": chita.ENTRY,
    "wanda": wanda.ENTRY,
    "sparsegpt": sparsegpt.ENTRY,
    "obc": obc.ENTRY,
    "alps": alps.ENTRY,
    "dsnot": dsnot.ENTRY,
    "soft_filter": soft_filter.ENTRY,
    "group_norm": group_norm.ENTRY,
    "slimming": slimming.ENTRY,
}
"""Every method by its name. Recipes are handed this mapping, so that they can wrap the
others, also those that a user adds later (``spiral.methods.plugin``)."""


def options() -> dict[str, type[Options]]:
    """Return every method's options class."""
    return {name: entry.options for name, entry in METHODS.items()}


def config_fields() -> dict[str, ConfigField]:
    """Return the fields of every config: the common ones, then all options."""
    return every_field(options())


def known() -> Methods:
    """Return what reports need to know of the methods."""
    kinds = {n: dataclasses.asdict(entry.taxonomy) for n, entry in METHODS.items()}
    return Methods(options(), kinds)


def looks() -> dict[str, tuple[str, str]]:
    """Return every method's colour and marker in figures."""
    return {name: (entry.colour, entry.marker) for name, entry in METHODS.items()}
