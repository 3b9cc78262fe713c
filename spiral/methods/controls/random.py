"""``random`` and ``static``: random masks of ``keep`` weights at initialisation."""

from dataclasses import dataclass, replace

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts.allocation import Allocation, allocation_option, choose
from spiral.methods.parts.cycles import CyclicOptions, check, cyclic
from spiral.methods.parts.scores import drawn
from spiral.model import masks
from spiral.protocol.config import Options
from spiral.protocol.job import Budget, Change, Plan, View


class RandomOptions(Options):
    """Options of ``random``."""

    allocation: Allocation = allocation_option("ours")


class StaticOptions(CyclicOptions):
    """Options of ``static``."""

    allocation: Allocation = allocation_option("Mocanu et al. 2018", "erk")


@dataclass(frozen=True)
class Random:
    """Draws from the config's own stream: the mask depends on seed and width.

    ``static`` is the same under Erdős–Rényi densities: the start of sparse training
    (Mocanu et al. 2018) without any rewiring. Liu et al. find that, with wide layers,
    such masks train about as well as dense networks.

    Departure: counts are exact, where codes that draw each weight with its layer's
    density have random ones (a standard deviation of 5 weights at 26 of width 16).
    """

    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget, 0)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Keep the weights with the highest of W independent uniform numbers."""
        scores = drawn(view, "random")
        kept = choose(scores, view.keep, self.allocation, "rank", view.width)
        return Change(masks=masks.with_biases(kept, view.width)), None


RANDOM = Entry(
    build=Random,
    summary="a random mask at initialisation, then train",
    citation="control",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="once",
        criterion="random",
        second_phase="train",
    ),
    options=RandomOptions,
    colour="#999999",
    marker="x",
)

STATIC = replace(
    RANDOM,
    build=cyclic(Random),
    check=check,
    summary="a random mask with Erdős–Rényi densities at initialisation, then train",
    citation="Mocanu et al. 2018, arXiv:1707.04780; Liu et al., ICLR 2022, "
    "arXiv:2202.02643; code: VITA-Group/Random_Pruning",
    taxonomy=replace(RANDOM.taxonomy, allocation="erk"),
    options=StaticOptions,
    marker="+",
)
