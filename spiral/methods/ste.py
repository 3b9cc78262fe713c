"""``ste``: the network runs on its largest weights, all of them train."""

from typing import Any

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.flow import Flow, FlowOptions, check, cost_profile


class SteOptions(FlowOptions):
    """Options of ``ste``."""


def build(**options: Any) -> Flow:
    """Return the method: D is 0, the gradient goes straight through."""
    return Flow(**options)


ENTRY = Entry(
    build=build,
    summary="runs on its largest weights and trains all of them",
    citation="Zhou et al., ICLR 2021, arXiv:2102.04010",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="magnitude",
        grow="magnitude",
        cost="dense",
    ),
    options=SteOptions,
    check=check,
    cost_profile=cost_profile,
)
