"""Plans: when a method acts, and how an engine trains in between.

A plan is known before training, so that an engine runs whole segments without Python
in its inner loop.
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
from spiral.protocol.reparam import Reparam


@dataclass(frozen=True)
class Budget:
    """The training time of a config."""

    epochs: int
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        """Training steps of the budget."""
        return self.epochs * self.steps_per_epoch

    def at(self, fraction: float) -> int:
        """Return the step at this fraction of the budget, rounded down."""
        return int(fraction * self.steps)


@dataclass(frozen=True)
class Sgd:
    """SGD with momentum and an L2 penalty; all other settings are per network."""

    nesterov: bool = False
    """Whether a step goes along g + μv rather than v = μv + g, where g is the gradient
    with the L2 penalty (Nesterov's momentum, as in ``torch.optim.SGD``)."""
    name: ClassVar[str] = "sgd"


@dataclass(frozen=True)
class Adam:
    """Adam with torch's default settings, the L2 penalty in the gradient.

    β is 0.9 and 0.999, ε 1e-8. Moments of entries that a method resets, or brings back,
    begin anew, with the bias correction of a first step.
    """

    since: int = 0
    """The step at which it starts, 0 or an event; the config's optimiser before it."""
    name: ClassVar[str] = "adam"


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay, otherwise as :class:`Adam`."""

    since: int = 0
    """The step at which it starts, 0 or an event; the config's optimiser before it."""
    name: ClassVar[str] = "adamw"


@dataclass(frozen=True)
class Controls:
    """How a config trains networks wherever its method has no way of its own.

    Equal for all methods, so that a comparison of them is fair.
    """

    optimiser: Sgd | Adam | AdamW = Sgd()
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class Sam:
    """Sharpness-aware minimisation: SGD with the gradient at a point ρ uphill."""

    radius: float
    """ρ: the point is w + ρ·g/‖g‖, with g the gradient of trainable parameters, without
    the L2 penalty."""
    tiny: ClassVar[float] = 1e-12
    """Added to ‖g‖ before dividing by it, as in the authors' code."""
    name: ClassVar[str] = "sam"


Rescale = Literal["none", "diameter", "gradient", "fast_gradient"]


@dataclass(frozen=True)
class FrankWolfe:
    """Stochastic Frank-Wolfe within balls, one for each matrix and bias vector.

    Momentum accumulates gradients; a step θ + γ(v - θ) moves towards the corner v of
    the ball that minimises the product with it. γ is the learning rate times the factor
    chosen by ``rescale``, at most 1. There is no L2 penalty.
    """

    ball: Ball
    """Kind of the matrices' balls (see ``norm_balls``); biases have L2 balls."""
    share: float
    """k as a share of a matrix's weights or units."""
    radius: float
    """Half a ball's diameter, in mean norms of the default initialisation."""
    rescale: Rescale
    name: ClassVar[str] = "sfw"


@dataclass(frozen=True)
class ForwardMask:
    """A weight map: w trains, but the forward pass uses w·(m + (1 - m)·D).

    m selects the largest weights of every group, as many as the latest
    ``Change.active_counts`` requests; all weights before the first. Biases are always
    active.
    """

    scopes: Mapping[int, Scope]
    """Increasing events → the groups that compete from there on."""
    rest: Float[np.ndarray, " T"]
    """D of every step: the factor on inactive weights."""
    gradient: Literal["ste", "chain"] = "ste"
    """Gradient of inactive weights: that of the effective weights, or D times it."""
    pull: float = 0.0
    """λ: an extra penalty on inactive weights, λ(1 - m)·w in the gradient."""
    interval: int = 1
    """Steps between two choices of m: it is chosen at the multiples of the interval,
    and at once where none is in force, as after an event that sets the counts."""
    stored: bool = False
    """Whether each choice of m sets the inactive weights to zero (hard thresholding).
    Their momentum stays."""
    name: ClassVar[str] = "forward_mask"

    def scope_at(self, step: int) -> Scope:
        """Return the scope at a step (no earlier than the first event)."""
        return self.scopes[max(event for event in self.scopes if event <= step)]


@dataclass(frozen=True)
class Plan:
    """What a method will do, known before training; shared by all networks of a pack.

    An engine may not support a plan (``spiral.engines.unsupported`` gives the reason).
    """

    steps: int
    """Total training steps."""
    events: tuple[int, ...]
    """Increasing steps before which the method acts; ``steps`` is after training."""
    curves: Mapping[str, Float[np.ndarray, " T"]]
    """Learning-rate factor of every step, for each schedule a config may name."""
    replaced: Collection[int] = ()
    """Events that replace the training step they precede (RigL)."""
    optimiser: Sgd | FrankWolfe | Adam | AdamW | Sam = Sgd()
    label_smoothing: float = 0.0
    """ε in the targets y(1 - ε) + ε/2."""
    weight_map: ForwardMask | LowRank | Reparam | None = None
    """Map from stored to effective weights, applied in the forward pass only."""
    siblings: int = 1
    """Networks that one config trains, identical until the method separates them; the
    first yields the row."""
    exact: bool = True
    """The method keeps exactly ``keep`` weights; other rows get status infeasible."""
    whole: "Plan | None" = None
    """The complete plan, if this one is cut short; methods see the complete one."""
    first: "Plan | None" = None
    """The first plan of a method with two parts (see :meth:`then`)."""
    controls: Controls = Controls()
    """Those of the config; methods leave them alone (see :meth:`under`)."""

    @property
    def nesterov(self) -> bool:
        """Whether momentum is Nesterov's."""
        return isinstance(self.optimiser, Sgd) and self.optimiser.nesterov

    @classmethod
    def simple(cls, budget: Budget, *events: int, **more: Any) -> "Plan":
        """Return one run of the config's schedule with the given events."""
        curves = schedules.curves(budget.epochs, budget.steps_per_epoch)
        return cls(budget.steps, events, curves, **more)

    def until(self, step: int) -> "Plan":
        """Return the plan cut at a step."""
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

    def under(self, controls: Controls) -> "Plan":
        """Return the plan under a config's controls.

        They hold wherever the method deviates from plain training in nothing, or no
        longer (see :meth:`plain`).
        """
        own = {name: getattr(self, name) for name in CONTROLLED}
        usual = {n: getattr(controls, n) for n, v in own.items() if v == PLAIN[n]}
        return replace(self, controls=controls, **usual)

    def plain(self) -> "Plan":
        """Return the plan without deviations: the config's controls, no weight map."""
        usual = {name: getattr(self.controls, name) for name in CONTROLLED}
        return replace(self, weight_map=None, **usual)

    def then(self, second: "Plan") -> "Plan":
        """Return a plan that continues with another, which starts with an event.

        If the second part trains plainly, that event must request it
        (``Change.plain``).
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


CONTROLLED = ("optimiser", "label_smoothing")
"""Fields of a plan that a config controls, unless its method sets them."""

PLAIN = {name: getattr(Controls, name) for name in CONTROLLED}
"""Their values where neither config nor method sets them."""


def variant(schedule: str, number: int) -> str:
    """Return the name of a variant of a schedule's curve; 0 is the schedule itself."""
    return f"{schedule}#{number}" if number else schedule
