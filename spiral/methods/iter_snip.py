"""``iter_snip``: rounds of SNIP in which pruned weights stay pruned."""

from typing import Any

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.progressive import Progressive, ProgressiveOptions, rounds


def build(**options: Any) -> Progressive:
    """Return the method."""
    return Progressive(**options, returns=False)


ENTRY = Entry(
    build=build,
    summary="rounds of SNIP in which pruned weights stay pruned",
    citation="de Jorge et al., ICLR 2021, arXiv:2006.09081",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="iterative",
        criterion="|w·g|",
        grow="none",
        data="a batch a round",
    ),
    options=ProgressiveOptions,
    gradients=rounds,
)
