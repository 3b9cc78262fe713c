"""``woodfisher``: the inverse Fisher matrix ranks all weights at once."""

from typing import Any

from pydantic import Field

from spiral.methods.parts import supports
from spiral.methods.parts.supports import Compensate
from spiral.methods.second_order import surgeon, surgeon_options
from spiral.methods.second_order.path import Allocation, Matrix
from spiral.protocol.config import origin, unit


class WoodfisherOptions(surgeon_options.SurgeonOptions):
    """Options of ``woodfisher``."""

    matrix: Matrix = surgeon_options.matrix("fisher", "authors' code")
    compensate: Compensate = surgeon_options.compensate("single", "authors' code")
    damping: float = Field(
        1e-5,
        gt=0,
        description="λ added to the diagonal of the matrix",
        json_schema_extra=unit("-") | origin("authors' scripts"),
    )
    allocation: Allocation = surgeon_options.allocation("Singh & Alistarh 2020")


def build(**options: Any) -> surgeon.Surgeon:
    """WoodFisher (Singh & Alistarh, NeurIPS 2020, arXiv:2004.14340).

    M is the empirical Fisher matrix; the weights of lowest w²/[M⁻¹]_ii go at once, and
    the others take the sum of what the removal of each alone asks for. M-FAC (Frantar
    et al., NeurIPS 2021, arXiv:2107.03356) has the same matrix, its products computed
    without storing it, so at this size it is this method.

    Departures: M is inverted and not built up by rank-one updates (equal to 1e-14); all
    gradients are those of single points by default, where the authors' scripts average
    400 or 2,400 for each of 400; M is computed anew as weights go, also within one
    pruning (``renewal: 0`` is theirs).
    """
    return surgeon.build(supports.independent, **options)


ENTRY = surgeon_options.entry(
    build=build,
    summary="weights of lowest w²/[F⁻¹]_ii go at once, F the empirical Fisher matrix",
    citation="Singh & Alistarh, NeurIPS 2020, arXiv:2004.14340; "
    "code: IST-DASLab/WoodFisher",
    options=WoodfisherOptions,
    colour="#E69F00",
)
