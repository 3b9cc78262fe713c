"""``gmp``: gradual magnitude pruning along a cubic."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Fidelity, Taxonomy, fidelity
from spiral.methods.parts import counts, fractions
from spiral.methods.parts.allocation import (
    SAYS_SCOPE,
    SCOPE,
    Allocation,
    Scope,
    allocation_option,
    build_scoped,
    check_scope,
    largest,
)
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View

INTERVAL: Any = Field(
    97,
    ge=1,
    description="steps between pruning events",
    json_schema_extra=unit("steps") | origin("ours: 150 events in 50 epochs"),
)
END: Any = fractions.above_zero(
    0.75, "fraction of training at which pruning ends", "ours"
)


class GmpOptions(Options):
    """Options of ``gmp``."""

    fidelity: Fidelity = fidelity(
        end=1.0, planned_events=199, rounding="down", selection="strict"
    )
    interval: int = INTERVAL
    end: float = END
    scope: Scope = SCOPE
    allocation: Allocation = allocation_option(
        "Zhang & Papyan 2024 (Zhu & Gupta: uniform)", **SAYS_SCOPE
    )
    planned_events: int | None = Field(
        None,
        ge=1,
        description="events after which the cubic is done, evenly over the training "
        "and going on until `end`; None: every `interval` steps, done at `end`",
        json_schema_extra=unit("events"),
    )
    rounding: Literal["nearest", "down"] = Field(
        "nearest", description="rounding of the weights kept after each event"
    )
    selection: Literal["rank", "strict"] = Field(
        "rank", description="keep exactly as many weights, or those above the last one"
    )


@dataclass(frozen=True)
class Gmp:
    """Gradual magnitude pruning (Zhu & Gupta 2017, arXiv:1710.01878).

    After event i of n the weights kept are W - (W - keep)(1 - (1 - i/n)³), rounded, so
    exactly ``keep`` from the last event on. Masks only shrink. At 50 epochs the default
    is 150 events, every 97 steps, the last at step 14,550.

    Departures: the ranking is global by default, as in *Sparsest Models Elude Pruning*
    (``allocation: uniform`` is the original); a pruned weight stays zero and cannot
    return. The code of Zhang & Papyan prunes until training ends: of its 201 events two
    come after the cubic is done, which rounds down to one weight less, 100 steps before
    the end (of 50 epochs); and a strict threshold takes another.
    """

    interval: int
    end: float
    allocation: Allocation = "global"
    planned_events: int | None = None
    rounding: Literal["nearest", "down"] = "nearest"
    selection: Literal["rank", "strict"] = "rank"

    def plan(self, budget: Budget) -> Plan:
        """Events every ``interval`` steps until ``end``; at least one."""
        last = max(1, budget.at(self.end))
        interval = self.interval
        if self.planned_events is not None:
            interval = max(1, budget.steps // (self.planned_events + 1))
        events = tuple(range(interval, last + 1, interval)) or (last,)
        exact = (self.planned_events, self.rounding, self.selection)
        return Plan.simple(budget, *events, exact=exact == (None, "nearest", "rank"))

    def start(self, view: View) -> int:
        """Return how many events have passed."""
        return 0

    def act(self, view: View, state: int) -> tuple[Change, int]:
        """Prune to the count that the cubic gives for this event."""
        passed = state + 1
        done = passed / (self.planned_events or len(view.plan.events))
        total = mlp.weight_count(view.width)
        count = counts.cubic(done, view.keep, total)
        rounded = np.rint(count) if self.rounding == "nearest" else np.floor(count)
        keep = np.clip(rounded, 0, total).astype(np.int64)
        chosen = largest(view, keep, self.allocation, self.selection)
        return Change(masks=masks.with_biases(chosen, view.width)), passed


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The cubic in eight parts, then ``keep``."""
    keep, end = (table[name].to_numpy(np.float64) for name in ("keep", "end"))
    return counts.cubic_profile(keep, weights, end)


ENTRY = Entry(
    build=partial(build_scoped, Gmp),
    summary="gradual magnitude pruning along a cubic",
    citation="Zhu & Gupta 2017, arXiv:1710.01878",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="gradual",
        criterion="magnitude",
        cost="dense to sparse",
    ),
    options=GmpOptions,
    check=check_scope,
    cost_profile=cost_profile,
    colour="#D55E00",
    marker="^",
)
