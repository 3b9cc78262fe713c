"""The words that methods, engines and the experiment share.

Everything here is a value: NumPy arrays on the host, frozen once made. A method reads
a :class:`View` and answers with a :class:`Change`; an engine turns a :class:`TrainJob`
and a :class:`TrainState` into the next state. Neither knows the other.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Shaped

from spiral import cubist, schedules, seeds
from spiral.balls import Ball
from spiral.groups import Scope

Params = Float32[np.ndarray, "N P"]
Mask = Bool[np.ndarray, "N P"]

AHEAD = 10_000_000
"""Places in epoch orders that are kept for the next batches (40 MB)."""


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


Rescale = Literal["none", "diameter", "gradient", "fast_gradient"]


@dataclass(frozen=True)
class FrankWolfe:
    """Stochastic Frank-Wolfe within balls, one for each matrix and bias vector.

    Momentum gathers gradients; a step goes towards the corner v of the ball that lies
    farthest against it, θ + γ(v - θ). The share γ is the learning rate times what
    ``rescale`` says, at most 1. There is no L2 penalty.
    """

    ball: Ball
    """Of matrices (see ``spiral.balls``); biases have L2 balls."""
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
    method said last (``Change.shown``); until it has said so m keeps all. Biases are
    always shown.
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
    """A method's course, known before training; shared by every network of a pack.

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
    optimiser: Sgd | FrankWolfe = Sgd()
    label_smoothing: float = 0.0
    """ε of the targets y(1 - ε) + ε/2."""
    weight_map: ForwardMask | None = None
    """Map from stored to effective weights, applied in the forward pass only."""
    siblings: int = 1
    """Networks that one config trains; they differ in batch order."""
    exact: bool = True
    """The method keeps exactly ``keep`` weights; rows where it did not are marked."""
    whole: "Plan | None" = None
    """The plan that this one is the beginning of; it is what methods see."""

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


@dataclass(frozen=True)
class Change:
    """What a method wants changed at an event; ``None`` leaves a thing as it is.

    Parameters and momentum outside the masks are set to zero whatever a method asks.
    """

    masks: Mask | None = None
    params: Params | None = None
    forget: Mask | None = None
    """Entries whose momentum becomes zero."""
    trainable: Mask | None = None
    """Entries that train while they are kept; the others stay as they are."""
    lr_scale: Float[np.ndarray, " N"] | None = None
    """Factor on the learning rate from here on."""
    shown: Int[np.ndarray, "N G"] | None = None
    """Weights of each group that a weight map shows from here on."""
    status: Shaped[np.ndarray, " N"] | None = None
    """A word for each row to come, or "": ``degenerate`` or ``aborted``."""


@dataclass(frozen=True)
class View:
    """What a method may see of a pack at an event; read-only, pack-first."""

    width: int
    plan: Plan
    step: int
    params: Params
    masks: Mask
    initial: Params
    keep: Int[np.ndarray, " N"]
    """Requested weights; 0 where the method has no such number."""
    lr: Float[np.ndarray, " N"]
    """Base learning rates."""
    options: Mapping[str, np.ndarray]
    """Those options that may differ within a pack, one value per network."""
    batch: Callable[
        [int], tuple[Float32[np.ndarray, "N B 2"], Float32[np.ndarray, "N B"]]
    ]
    """``batch(i)`` is the batch that training sees at step i."""
    stream: Callable[[int, str], np.random.Generator]
    """``stream(n, purpose)`` is a random stream of network n's config alone, from its
    start at every call: name the step in the purpose to draw anew at each event."""


class Method(Protocol):
    """A pruning method: decides masks, never trains."""

    def plan(self, budget: Budget) -> Plan:
        """Say what will happen when, before anything happens."""

    def start(self, view: View) -> Any:
        """Return whatever the method remembers between events."""

    def act(self, view: View, state: Any) -> tuple[Change, Any]:
        """Answer one event."""


@lru_cache(maxsize=500)  # 200 KB each: 100 MB, the epochs of ten seeds
def epoch_order(seed: int, epoch: int) -> Int[np.ndarray, " D"]:
    """Return the order in which one seed visits the points in one epoch (int32)."""
    # NumPy shuffles integers of 8 bytes a quarter faster than those of 4
    drawn = seeds.stream("order", seed, epoch).permutation(cubist.POINTS)
    order = drawn.astype(np.int32)
    order.flags.writeable = False
    return order


@lru_cache(maxsize=1)
def _orders_ahead(
    some: tuple[int, ...], epoch: int, first: int, last: int
) -> Int[np.ndarray, "K S"]:
    """Return a stretch of an epoch for many seeds, more than are cached above."""
    return np.stack([epoch_order(seed, epoch)[first:last] for seed in some])


@dataclass(frozen=True)
class TrainJob:
    """All that an engine needs to know about a pack; complete before it starts."""

    width: int
    plan: Plan
    initial: Params
    lr: Float[np.ndarray, " N"]
    schedule: tuple[str, ...]
    """Name of each network's curve in ``plan.curves``."""
    momentum: Float[np.ndarray, " N"]
    weight_decay: Float[np.ndarray, " N"]
    order_seeds: Int[np.ndarray, " N"]
    batch: int = 128
    x: Float32[np.ndarray, "D 2"] = field(default_factory=lambda: cubist.load().x)
    y: Int[np.ndarray, " D"] = field(default_factory=lambda: cubist.load().y)

    def take(self, index: Int[np.ndarray, " M"]) -> "TrainJob":
        """Return the job of some of the networks."""
        return replace(
            self,
            initial=self.initial[index],
            lr=self.lr[index],
            schedule=tuple(self.schedule[n] for n in index),
            momentum=self.momentum[index],
            weight_decay=self.weight_decay[index],
            order_seeds=self.order_seeds[index],
        )

    @property
    def networks(self) -> int:
        """N."""
        return len(self.initial)

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches of an epoch; the incomplete last one is dropped."""
        return cubist.POINTS // self.batch

    @property
    def last_epoch(self) -> int:
        """The first step of the last epoch, of which engines sum the batch losses."""
        return max(0, self.plan.steps - self.steps_per_epoch)

    def rates(
        self, state: "TrainState", start: int, stop: int
    ) -> Float32[np.ndarray, "S N"]:
        """Return every network's learning rate from ``start`` to ``stop`` - 1."""
        names, which = np.unique(self.schedule, return_inverse=True)
        curves = np.stack([self.plan.curves[n][start:stop] for n in names], axis=1)
        scale = 1.0 if state.lr_scale is None else state.lr_scale
        return (curves[:, which] * (self.lr * scale)).astype(np.float32)

    def followers(self) -> tuple[list[int], Int[np.ndarray, " N"]]:
        """Return the distinct order seeds, and which of them each network follows."""
        distinct, which = np.unique(self.order_seeds, return_inverse=True)
        return distinct.tolist(), which

    def orders(
        self, some: Iterable[int], epoch: int, first: int, last: int
    ) -> Int[np.ndarray, "K S B"]:
        """Return batches ``first`` … ``last`` - 1 of an epoch for some order seeds.

        Returns:
            Indices into the points, [K, last - first, batch].
        """
        span = slice(first * self.batch, last * self.batch)
        rows = [epoch_order(seed, epoch)[span] for seed in some]
        return np.stack(rows).reshape(len(rows), last - first, self.batch)

    def batch_at(
        self, step: int
    ) -> tuple[Float32[np.ndarray, "N B 2"], Float32[np.ndarray, "N B"]]:
        """Return the batch that each network sees at one step.

        It draws some steps ahead: who asks for one batch often asks for the next.
        """
        epoch, k = divmod(step, self.steps_per_epoch)
        distinct, which = self.followers()
        stretch = max(1, AHEAD // (len(distinct) * self.batch))
        first = k - k % stretch
        span = first * self.batch, (first + stretch) * self.batch
        orders = _orders_ahead(tuple(distinct), epoch, *span)
        here = (k - first) * self.batch
        chosen = orders[which, here : here + self.batch]
        return self.x[chosen], self.y[chosen].astype(np.float32)


@dataclass(frozen=True)
class TrainState:
    """A pack between two steps; a law of every engine is that nothing else matters."""

    step: int
    params: Params
    masks: Mask
    momentum: Params
    trainable: Mask | None = None
    lr_scale: Float[np.ndarray, " N"] | None = None
    shown: Int[np.ndarray, "N G"] | None = None
    status: Shaped[np.ndarray, " N"] | None = None
    losses: Float[np.ndarray, " N"] | None = None
    """Sum of the losses of the last epoch's batches so far, without smoothing, each
    before its step; None is 0."""

    @classmethod
    def fresh(cls, job: TrainJob) -> "TrainState":
        """Return the state before training: initial parameters, nothing masked."""
        masks = np.ones(job.initial.shape, bool)
        return cls(0, job.initial, masks, np.zeros_like(job.initial))

    def losses_so_far(self) -> Float[np.ndarray, " N"]:
        """Return a copy of ``losses`` to add to."""
        return np.zeros(len(self.params)) if self.losses is None else self.losses.copy()

    @property
    def moving(self) -> Mask:
        """Entries that train: kept, and not frozen."""
        return self.masks if self.trainable is None else self.masks & self.trainable

    def take(self, index: Int[np.ndarray, " M"]) -> "TrainState":
        """Return the state of some of the networks, in the order of ``index``."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        taken = {name: a[index] for name, a in arrays.items() if a is not None}
        return replace(self, **taken)


@dataclass(frozen=True)
class Evaluation:
    """Every network on all points."""

    correct: Int[np.ndarray, " N"]
    loss: Float[np.ndarray, " N"]
    """Mean binary cross-entropy (without smoothing), summed in float64."""
    entropy: Float[np.ndarray, " N"]
    """Mean entropy of the outputs in nats, summed in float64."""


class Trainer(Protocol):
    """Moves a pack from event to event."""

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop``; masked entries stay exactly zero."""


class Engine(Trainer, Protocol):
    """A way of training packs: never decides masks."""

    @property
    def name(self) -> str:
        """How rows record it."""

    def evaluate(self, job: TrainJob, state: TrainState) -> Evaluation:
        """Return accuracy counts, loss and entropy on all points."""
