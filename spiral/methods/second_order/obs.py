"""``obs``: optimal brain surgeon, one weight at a time."""

from typing import Any

from spiral.methods.second_order import surgeon, surgeon_options


def build(**options: Any) -> surgeon.Surgeon:
    """Optimal brain surgeon (Hassibi & Stork, NeurIPS 1992).

    Removing weight i costs w_i²/2[M⁻¹]_ii if all others compensate for it; the cheapest
    goes, the others change, and so on.

    Departures: M is the Gauss-Newton matrix by default and not the exact Hessian, which
    is indefinite at trained networks (``matrix: exact``), and it is computed anew
    whenever 0.7 of the weights are left. The authors prune a trained network until the
    error grows and do not train on; here pruning falls within the one budget.
    """
    return surgeon.build(**options)


ENTRY = surgeon_options.entry(
    build=build,
    summary="optimal brain surgeon: the cheapest weight goes, the others compensate",
    citation="Hassibi & Stork, NeurIPS 1992",
    options=surgeon_options.SurgeonOptions,
    colour="#009E73",
)
