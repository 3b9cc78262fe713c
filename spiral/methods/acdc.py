"""``acdc``: dense and sparse phases take turns."""

from functools import partial
from typing import Any, Literal

from spiral.config import preset
from spiral.methods import alternating
from spiral.methods.alternating import Alternating, AlternatingOptions
from spiral.methods.entry import Entry


class AcDcOptions(AlternatingOptions):
    """Options of ``acdc``; longer trainings stretch its phases."""

    recipe: Literal["cifar", "imagenet"] = preset(
        "cifar",
        "whose phases: the authors' for CIFAR-100, or for ImageNet, in 50 epochs",
        {"imagenet": {"first_dense": 5.0, "phase": 2.5}},
    )


def build(**options: Any) -> Alternating:
    """Return the method."""
    return Alternating(**options, stretched=True)


ENTRY = Entry(
    build=build,
    summary="dense and sparse phases take turns; each sparse one begins with the top",
    citation="Peste et al., NeurIPS 2021, arXiv:2106.12379",
    taxonomy=alternating.TAXONOMY,
    options=AcDcOptions,
    check=partial(alternating.check, stretched=True),
    cost_profile=partial(alternating.cost_profile, stretched=True),
)
