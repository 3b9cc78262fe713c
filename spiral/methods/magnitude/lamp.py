"""``lamp``: gradual pruning by magnitudes that are normalised within each layer."""

from dataclasses import dataclass, replace

from spiral.methods.entry import nothing_to_check
from spiral.methods.magnitude import gmp
from spiral.methods.parts.allocation import Allocation
from spiral.protocol.config import Options


class LampOptions(Options):
    """Options of ``lamp``."""

    interval: int = gmp.INTERVAL
    end: float = gmp.END


@dataclass(frozen=True)
class Lamp(gmp.Gmp):
    """LAMP (Lee et al., ICLR 2021, arXiv:2010.07611), along the cubic of ``gmp``.

    The square of a weight is divided by the sum of the squares that are not smaller in
    its layer, and ranked over all layers (``parts.allocation.lamp``).

    Departure: the authors prune a fifth of the weights at a time and retrain.
    """

    allocation: Allocation = "lamp"


ENTRY = replace(
    gmp.ENTRY,
    build=Lamp,
    summary="gradual pruning by magnitudes that are normalised within each layer",
    citation="Lee et al., ICLR 2021, arXiv:2010.07611; code: "
    "jaeho-lee/layer-adaptive-sparsity",
    taxonomy=replace(gmp.ENTRY.taxonomy, allocation="lamp"),
    options=LampOptions,
    check=nothing_to_check,
    marker="D",
)
