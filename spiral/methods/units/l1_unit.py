"""``l1_unit``: remove the hidden units with the smallest incoming weights, once."""

from typing import Any

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.magnitude import magnitude
from spiral.methods.parts import hidden_units
from spiral.methods.units import structured


class L1UnitOptions(structured.UnitOptions):
    """Options of ``l1_unit``."""

    scope: hidden_units.Scope = hidden_units.scope_option("layer")


def build(**options: Any) -> structured.Structured:
    """Pruning filters (Li et al., ICLR 2017, arXiv:1608.08710), on hidden units.

    A unit's score is the sum of the absolute values of its incoming weights, without
    its bias and its outgoing weights. All layers shrink alike by default.

    Departures: hidden units are the filters; a budget of weights replaces shares per
    layer chosen by hand; pruning falls inside the one budget and schedule.
    """
    return structured.Structured(
        **options, criterion="l1", aggregate="first", normalise="none", biases="ignore"
    )


ENTRY = Entry(
    build=build,
    summary="hidden units with the largest incoming weights stay",
    citation="Li et al., ICLR 2017, arXiv:1608.08710",
    taxonomy=Taxonomy(
        unit="neuron",
        when="during",
        schedule="once",
        criterion="magnitude",
        allocation="uniform",
        cost="dense to sparse",
        second_phase="fine-tune",
    ),
    options=L1UnitOptions,
    check=structured.check,
    cost_profile=magnitude.cost_profile,
    colour="#CC6677",
    marker="1",
)
