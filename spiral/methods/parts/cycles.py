"""Cyclic training: the schedule runs several times, with fresh momentum each time.

The epochs of each training are shared among cycles; everything else of a method stays.
``cycle_lengths`` decides how, for c cycles of E epochs in all:

- ``constant``: equal;
- ``linear_down``, ``linear_up``: in proportion to c … 1, or 1 … c;
- ``exponential_down``, ``exponential_up``: geometric, from 2 to 1 or from 1 to 2;
- ``peak``: linear up in the first half of the cycles, down in the second;
- ``alternating``: long and half as long in turns;
- ``plateau``: linear up in the first half of the cycles, then constant.

Source: Gadhikar et al. 2024, arXiv:2406.02773 (code: nelaturuharsha/TurboPrune,
utils/harness_utils.py), whose shapes and rounding these are. Departure: they lose the
epochs that rounding leaves over, 2 of 50 in four cycles; here the longest cycle gets
them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import Field

from spiral.methods.entry import Mistake, without_effect
from spiral.model import schedules
from spiral.protocol.config import Options, fields, origin, unit
from spiral.protocol.job import Budget, Change, Method, Plan, View

Lengths = Literal[
    "constant",
    "linear_down",
    "linear_up",
    "exponential_down",
    "exponential_up",
    "peak",
    "alternating",
    "plateau",
]
Shares = Float[np.ndarray, " C"]


class CyclicOptions(Options):
    """Options of methods whose trainings may be cyclic."""

    schedule_cycles: int = Field(
        1,
        ge=1,
        description="how often the schedule runs within one training, with fresh "
        "momentum each time",
        json_schema_extra=unit("cycles") | origin("ours: not cyclic"),
    )
    cycle_lengths: Lengths = Field(
        "constant",
        description="how the epochs are shared among the cycles",
        json_schema_extra=origin("Gadhikar et al. 2024: default of their code"),
    )


def epochs_of(cycles: int, lengths: Lengths, epochs: int) -> tuple[int, ...]:
    """Return how long each cycle is; the cycles add up to ``epochs``."""
    # Whole but for rounding is whole
    found = np.floor(np.round(epochs * SHAPES[lengths](cycles), 9)).astype(int)
    if found.sum() > epochs:
        found = np.floor(np.round(found * epochs / found.sum(), 9)).astype(int)
    found[found.argmax()] += epochs - found.sum()
    return tuple(found.tolist())


def _rising(cycles: int) -> Shares:
    return np.arange(1, cycles + 1) / (cycles * (cycles + 1) / 2)


def _exponential(cycles: int) -> Shares:
    powers: Shares = 2 ** (np.arange(cycles) / max(1, cycles - 1))
    return powers / powers.sum()


def _alternating(cycles: int) -> Shares:
    return np.where(np.arange(cycles) % 2, 0.5, 1) / ((cycles + 1) // 2)


def _half(cycles: int) -> Shares:
    return _rising(cycles // 2) if cycles > 1 else np.empty(0)


SHAPES: dict[Lengths, Callable[[int], Shares]] = {
    "constant": lambda c: np.full(c, 1 / c),
    "linear_down": lambda c: _rising(c)[::-1],
    "linear_up": _rising,
    "exponential_down": lambda c: _exponential(c)[::-1],
    "exponential_up": _exponential,
    "peak": lambda c: np.concatenate([_half(c), _rising(c - c // 2)[::-1]]),
    "alternating": _alternating,
    "plateau": lambda c: np.concatenate([_half(c), np.full(c - c // 2, 1 / c)]),
}
"""Cycles → their shares of the epochs, which are scaled if they add up to more."""


@dataclass(frozen=True)
class Cyclic:
    """A method whose trainings are cyclic.

    It must act only at the start of trainings, as long as the budget each, and at the
    start of all of them.
    """

    method: Method
    cycles: int
    lengths: Lengths

    def plan(self, budget: Budget) -> Plan:
        """The plan of the method, with an event at the start of every cycle."""
        plan = self.method.plan(budget)
        assert all(event % budget.steps == 0 for event in plan.events)
        epochs = epochs_of(self.cycles, self.lengths, budget.epochs)
        starts = accumulate([n * budget.steps_per_epoch for n in epochs], initial=0)
        once = list(starts)[:-1]
        runs = [schedules.curves(n, budget.steps_per_epoch) for n in epochs]
        trainings = plan.steps // budget.steps
        return replace(
            plan,
            events=tuple(n * budget.steps + s for n in range(trainings) for s in once),
            curves={
                name: np.tile(np.concatenate([run[name] for run in runs]), trainings)
                for name in plan.curves
            },
        )

    def start(self, view: View) -> Any:
        """Return what the method remembers at the start."""
        return self.method.start(view)

    def act(self, view: View, state: Any) -> tuple[Change, Any]:
        """Let the method act at the start of a training, else reset the momentum."""
        if view.plan.events.index(view.step) % self.cycles == 0:
            return self.method.act(view, state)
        return Change(reset_momentum=np.ones(view.masks.shape, bool)), state


def cyclic(build: Callable[..., Method]) -> Callable[..., Method]:
    """Return a builder that takes the options of :class:`CyclicOptions`, too."""

    def built(
        schedule_cycles: int = 1, cycle_lengths: Lengths = "constant", **options: Any
    ) -> Method:
        method = build(**options)
        if schedule_cycles == 1:
            return method
        return Cyclic(method, schedule_cycles, cycle_lengths)

    built.__wrapped__ = build  # type: ignore[attr-defined]
    return built


def check(table: pd.DataFrame) -> list[Mistake]:
    """Every cycle needs an epoch, and lengths several cycles."""
    cases = table[["schedule_cycles", "cycle_lengths", "epochs"]].drop_duplicates()
    for cycles, lengths, epochs in cases.itertuples(index=False):
        if min(epochs_of(int(cycles), lengths, int(epochs))) < 1:
            text = f"{cycles} cycles ({lengths}) do not fit into {epochs} epochs"
            return [
                Mistake(
                    "schedule_cycles",
                    f"expected at least an epoch each, got {text}",
                    cycles,
                )
            ]
    default = fields(CyclicOptions)["cycle_lengths"].default
    one = table["schedule_cycles"] == 1
    return without_effect(table, "cycle_lengths", default, one, "schedule_cycles: 1")
