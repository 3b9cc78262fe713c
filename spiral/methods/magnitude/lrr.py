"""``lrr``: iterative magnitude pruning that rewinds learning rates, not weights."""

from dataclasses import replace
from functools import partial

from spiral.methods.magnitude import lth
from spiral.methods.parts.cycles import cyclic

ENTRY = replace(
    lth.ENTRY,
    build=cyclic(partial(lth.Lth, rewind="rates")),
    summary="iterative magnitude pruning with rewinding of the learning rates only",
    citation="Renda et al., ICLR 2020, arXiv:2003.02389 (code: "
    "nelaturuharsha/TurboPrune)",
    taxonomy=replace(lth.ENTRY.taxonomy, second_phase="train"),
    options=lth.LevelOptions,
    marker="X",
)
"""``lth`` with ``rewind: rates``: each level trains on for all epochs, with fresh
momentum and the schedule from its start (or from ``rewind_epoch``)."""
