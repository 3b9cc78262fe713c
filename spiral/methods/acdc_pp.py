"""``acdc_pp``: AC/DC for longer, with smooth labels and a linear learning rate."""

from functools import partial
from typing import Any, Literal

from pydantic import Field

from spiral.config import preset
from spiral.methods import alternating
from spiral.methods.alternating import Alternating, AlternatingOptions, Rates
from spiral.methods.entry import Entry


class AcDcPpOptions(AlternatingOptions):
    """Options of ``acdc_pp``; longer trainings have more phases."""

    recipe: Literal["cifar", "imagenet"] = preset(
        "cifar",
        "whose phases, in epochs: those of AC/DC for CIFAR-100 in a quarter, or the "
        "authors' for ImageNet",
        {"imagenet": {"first_dense": 10.0, "last_dense": 10.0, "last_sparse": 15.0}},
    )
    smoothing: float = Field(
        0.1, ge=0, lt=1, description="ε of the targets y(1 - ε) + ε/2"
    )
    rates: Rates = Field(
        "linear",
        description="learning rate: linear to 0 after a warm-up, whatever `schedule` "
        "says, or what it says",
    )


def build(**options: Any) -> Alternating:
    """Return the method.

    AC/DC++ (Kuznedelev et al., 2023, arXiv:2308.02060): phases keep their length, so
    trainings of 50, 100, 200 and 500 epochs have 7, 17, 37 and 97 of them between the
    first and the last two (A1.4). Warm-up, linear decay and smoothing are those of the
    FFCV reference recipe (A1.1, from memory of the paper's appendix); the weight decay
    stays ours, and growing inputs mean nothing in the plane.
    """
    return Alternating(**options, stretched=False)


ENTRY = Entry(
    build=build,
    summary="AC/DC for longer, with smooth labels and a linear learning rate",
    citation="Kuznedelev et al. 2023, arXiv:2308.02060",
    taxonomy=alternating.TAXONOMY,
    options=AcDcPpOptions,
    check=partial(alternating.check, stretched=False),
    cost_profile=partial(alternating.cost_profile, stretched=False),
)
