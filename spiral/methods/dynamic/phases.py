"""When the phases of AC/DC and AC/DC++ begin."""

from typing import Any, NamedTuple

import numpy as np

from spiral.protocol.job import Budget

HOST_EPOCHS = 50
"""The training that stretched phases are given for."""


class Phases(NamedTuple):
    """How long phases are, in epochs."""

    first_dense: float
    phase: float
    last_dense: float
    last_sparse: float
    stretched: bool
    """Whether these are epochs of a training of 50, or epochs of any training."""

    def beginnings(self, budget: Budget) -> tuple[int, ...]:
        """Return the steps at which phases begin: sparse, dense, … sparse."""
        stretch = budget.epochs / HOST_EPOCHS if self.stretched else 1.0
        epoch = stretch * budget.steps_per_epoch
        first = self.first_dense * epoch
        sparse = budget.steps - self.last_sparse * epoch
        dense = sparse - self.last_dense * epoch
        count = max(1, round((dense - first) / (self.phase * epoch)))
        inner = [first + i * (dense - first) / count for i in range(count)]
        last = [dense, sparse] if self.last_dense else []
        return tuple(round(step) for step in (*inner, *last))

    def mistake(self, budget: Budget) -> str | None:
        """Return why phases do not fill the training, or None if they do."""
        epochs = HOST_EPOCHS if self.stretched else budget.epochs
        rest = epochs - self.first_dense - self.last_dense - self.last_sparse
        count = round(rest / self.phase)
        if count < 1 or count % 2 == 0 or abs(count * self.phase - rest) > 1e-6:
            return (
                "expected phases that fit an odd number of times into the "
                f"{rest:g} epochs between the first dense and the last phases, "
                f"got {self.phase:g} epochs"
            )
        begin = self.beginnings(budget)
        if min(np.diff(begin), default=1) < 1 or begin[-1] > budget.steps:
            return f"{self.phase:g} epochs are less than a step"
        return None


def phases_of(row: Any, stretched: bool) -> Phases:
    """Return the phases of a config, or of whatever else has them as attributes."""
    return Phases(
        float(row.first_dense),
        float(row.phase),
        float(row.last_dense),
        float(row.last_sparse),
        stretched,
    )
