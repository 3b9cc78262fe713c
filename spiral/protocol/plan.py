"""Plans: what a method will do when, and how an engine trains meanwhile.

A plan is known before training, so that an engine runs whole segments of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float

from spiral.model import schedules
from spiral.model.groups import Scope
from spiral.protocol.adapters import LowRank
from spiral.protocol.norm_balls import Ball


@dataclass(frozen=True)
class Budget:
    """How long a config trains."""

    epochs: int
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        """Training steps of the budget."""
        return self.epochs * self.steps_per_epoch

    def at(self, fraction: float) -> int:
        """Return the step that lies at this fraction of the budget, rounded down."""
        return int(fraction * self.steps)


@dataclass(frozen=True)
class Sgd:
    """SGD with momentum and an L2 penalty, each network with numbers of its own."""

    name: ClassVar[str] = "sgd"


@dataclass(frozen=True)
class AdamW:
    """AdamW with its usual numbers, from where a method begins it; before that SGD.

    It begins with ``Change.adapters``, be there any or none. Weight decay is decoupled.
    """

    since: int
    """The event at which it begins."""
    name: ClassVar[str] = "adamw"


@dataclass(frozen=True)
class Sam:
    """SGD with the gradient of a place ρ uphill: sharpness-aware minimisation."""

    radius: float
    """ρ: w + ρ·g/‖g‖, for the gradient g of what trains, without the L2 penalty."""
    name: ClassVar[str] = "sam"


Rescale = Literal["none", "diameter", "gradient", "fast_gradient"]


@dataclass(frozen=True)
class FrankWolfe:
    """Stochastic Frank-Wolfe within balls, one for each matrix and bias vector.

    Momentum gathers gradients; a step goes towards the corner v of the ball that lies
    farthest against it, θ + γ(v - θ). The share γ is the learning rate times what
    ``rescale`` says, at most 1. There is no L2 penalty.
    """

    ball: Ball
    """Of matrices (see ``spiral.protocol.norm_balls``); biases have L2 balls."""
    share: float
    """k as a share of a matrix's weights, or of its units."""
    radius: float
    """Half of a ball's diameter, in mean norms of the default initialisation."""
    rescale: Rescale
    name: ClassVar[str] = "sfw"


@dataclass(frozen=True)
class ForwardMask:
    """A weight map: the network runs on w·(m + (1 - m)·D), but w is what trains.

    m keeps the largest weights of every group as they are at this step, as many as the
    last ``Change.active_counts`` of the method asks for; before the first, m keeps all.
    Biases are always active.
    """

    scopes: Mapping[int, Scope]
    """Events, rising → who competes from there on."""
    rest: Float[np.ndarray, " T"]
    """D of every step: what is left of hidden weights."""
    gradient: Literal["ste", "chain"] = "ste"
    """Of hidden weights: that of what the network runs on, or D times it."""
    pull: float = 0.0
    """λ: an extra penalty on hidden weights, λ(1 - m)·w in the gradient."""
    name: ClassVar[str] = "forward_mask"

    def scope_at(self, step: int) -> Scope:
        """Return who competes at a step (no earlier than the first event)."""
        return self.scopes[max(event for event in self.scopes if event <= step)]


@dataclass(frozen=True)
class Plan:
    """What a method will do, known before training; shared by every network of a pack.

    An engine may decline a plan in words (``spiral.engines.unsupported``).
    """

    steps: int
    """Training steps in all."""
    events: tuple[int, ...]
    """Steps before which the method acts, rising; ``steps`` is after training."""
    curves: Mapping[str, Float[np.ndarray, " T"]]
    """Learning-rate factor of every step, for each schedule a config may name."""
    replaced: Collection[int] = ()
    """Events that take the place of the training step they precede (RigL)."""
    optimiser: Sgd | FrankWolfe | AdamW | Sam = Sgd()
    label_smoothing: float = 0.0
    """ε of the targets y(1 - ε) + ε/2."""
    weight_map: ForwardMask | LowRank | None = None
    """Map from stored to effective weights, applied in the forward pass only."""
    siblings: int = 1
    """Networks that one config trains, alike until the method tells them apart; the
    first carries the result."""
    exact: bool = True
    """The method keeps exactly ``keep`` weights; rows where it did not are marked."""
    whole: "Plan | None" = None
    """The plan that this one is the beginning of; it is what methods see."""
    first: "Plan | None" = None
    """The plan that a method of two parts begins with (see :meth:`then`)."""

    @classmethod
    def simple(cls, budget: Budget, *events: int, **more: Any) -> "Plan":
        """Return one phase of the config's own schedule with the given events."""
        curves = schedules.curves(budget.epochs, budget.steps_per_epoch)
        return cls(budget.steps, events, curves, **more)

    def until(self, step: int) -> "Plan":
        """Return the beginning of a plan: all that happens before a step."""
        if step >= self.steps:
            return self
        events = tuple(event for event in self.events if event < step)
        return replace(
            self,
            steps=step,
            events=events,
            curves={name: curve[:step] for name, curve in self.curves.items()},
            exact=self.exact and events == tuple(self.events),
            whole=self,
        )

    def then(self, second: "Plan") -> "Plan":
        """Return a plan that goes on with another, which begins with an event.

        If the second trains otherwise, that event must say so (``Change.plain``).
        """
        later = tuple(self.steps + event for event in second.events)
        names = second.curves.keys() & self.curves.keys()
        return replace(
            self,
            steps=self.steps + second.steps,
            events=(*(e for e in self.events if e < self.steps), *later),
            curves={
                name: np.concatenate([self.curves[name], second.curves[name]])
                for name in names
            },
            replaced=[event for event in self.replaced if event < self.steps],
            exact=second.exact,
            whole=None,
            first=self,
        )


OWN_WAYS = ("optimiser", "label_smoothing", "weight_map")
"""Fields of a plan by which a method trains otherwise than others."""


def variant(schedule: str, number: int) -> str:
    """Return the name of a schedule's curve for some networks; 0 is for all others."""
    return f"{schedule}#{number}" if number else schedule
