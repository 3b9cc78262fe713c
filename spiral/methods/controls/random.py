"""``random``: a uniformly random mask of ``keep`` weights at initialisation."""

from dataclasses import dataclass

import numpy as np

from spiral.methods.entry import Entry, Taxonomy
from spiral.model import masks, mlp
from spiral.protocol.job import Budget, Change, Plan, View


@dataclass(frozen=True)
class Random:
    """Draws from the config's own stream: the mask depends on seed and width."""

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget, 0)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Keep the weights with the highest of W independent uniform numbers."""
        weights = mlp.weight_count(view.width)
        networks = range(len(view.keep))
        scores = np.stack([view.stream(n, "random").random(weights) for n in networks])
        kept = masks.keep_top(scores, view.keep)
        return Change(masks=masks.with_biases(kept, view.width)), None


ENTRY = Entry(
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
    colour="#999999",
    marker="x",
)
