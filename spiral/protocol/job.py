"""The types that methods, engines and the experiment share.

All are immutable values of NumPy arrays in host memory. A method reads a ``View`` and
returns a ``Change`` (``protocol.method``); an engine turns a :class:`TrainJob` and a
:class:`TrainState` into the next state. Neither imports the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, Float32, Int, Shaped

from spiral.errors import MethodError
from spiral.model import seeds
from spiral.protocol import orders
from spiral.protocol.method import Change, Mask, Method, Params, View
from spiral.protocol.plan import (
    Adam,
    AdamW,
    Budget,
    Controls,
    ForwardMask,
    FrankWolfe,
    Plan,
    Rescale,
    Sam,
    Sgd,
    variant,
)
from spiral.protocol.reparam import Reparam
from spiral.tasks import catalogue
from spiral.tasks.task import Task

__all__ = [
    "Adam",
    "AdamW",
    "Budget",
    "Change",
    "Controls",
    "Engine",
    "Evaluation",
    "ForwardMask",
    "FrankWolfe",
    "Mask",
    "Method",
    "Params",
    "Plan",
    "Reparam",
    "Rescale",
    "Sam",
    "Sgd",
    "TrainJob",
    "TrainState",
    "View",
    "variant",
]


def default_task() -> Task:
    """Return the task of configs that name none."""
    return catalogue.load(catalogue.DEFAULT)


@dataclass(frozen=True)
class TrainJob:
    """All that an engine needs to know about a pack, complete before training."""

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
    task: Task = field(default_factory=default_task)

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

    def after(self, change: Change, begun: "TrainJob") -> "TrainJob":
        """Return the job after a change.

        Args:
            change: The change a method requested.
            begun: The job at the start of training, to which seeds and factors refer.

        Raises:
            MethodError: The plan has no such curve.
        """
        new: dict[str, Any] = {}
        if change.orders is not None:
            pairs = zip(begun.order_seeds.tolist(), change.orders.tolist(), strict=True)
            new["order_seeds"] = np.array([seeds.child(*pair) for pair in pairs])
        if change.variants is not None:
            numbers = zip(begun.schedule, change.variants.tolist(), strict=True)
            new["schedule"] = names = tuple(variant(*pair) for pair in numbers)
            if unknown := sorted(set(names) - self.plan.curves.keys()):
                raise MethodError(
                    f"expected a curve for {', '.join(unknown)} in the plan, got "
                    f"{', '.join(self.plan.curves)}"
                )
        if change.decay_scale is not None:
            new["weight_decay"] = begun.weight_decay * change.decay_scale
        if change.batch is not None:
            new["batch"] = change.batch or begun.batch
        if change.plain:
            new["plan"] = self.plan.plain()
        return replace(self, **new) if new else self

    @property
    def x(self) -> Float32[np.ndarray, "D 2"]:
        """The points of the task."""
        return self.task.x

    @property
    def y(self) -> Int[np.ndarray, " D"]:
        """Their labels, 0 or 1."""
        return self.task.y

    @property
    def networks(self) -> int:
        """N."""
        return len(self.initial)

    @property
    def steps_per_epoch(self) -> int:
        """Complete batches of an epoch; the incomplete last one is dropped."""
        return self.task.points // self.batch

    @property
    def last_epoch(self) -> int:
        """The first step of the last epoch, whose batch losses engines sum up."""
        return max(0, self.plan.steps - self.steps_per_epoch)

    def rates(
        self, state: "TrainState", start: int, stop: int
    ) -> Float32[np.ndarray, "S N"]:
        """Return every network's learning rate from ``start`` to ``stop`` - 1."""
        names, which = np.unique(self.schedule, return_inverse=True)
        curves = np.stack([self.plan.curves[n][start:stop] for n in names], axis=1)
        scale = 1.0 if state.lr_scale is None else state.lr_scale
        rates = curves[:, which] * (self.lr * scale)
        # In one memory layout whatever the shape: kernels are compiled for it
        return np.ascontiguousarray(rates, np.float32)

    def followers(self) -> tuple[list[int], Int[np.ndarray, " N"]]:
        """Return the distinct order seeds, and the index of each network's seed."""
        distinct, which = np.unique(self.order_seeds, return_inverse=True)
        return distinct.tolist(), which

    def orders(
        self, some: Iterable[int], epoch: int, first: int, last: int
    ) -> Int[np.ndarray, "K S B"]:
        """Return batches ``first`` … ``last`` - 1 of an epoch for some order seeds.

        Returns:
            Indices of points, [K, last - first, batch].
        """
        span = slice(first * self.batch, last * self.batch)
        points = self.task.points
        rows = [orders.epoch_order(seed, epoch, points)[span] for seed in some]
        return np.stack(rows).reshape(len(rows), last - first, self.batch)

    def batch_at(
        self, step: int
    ) -> tuple[Float32[np.ndarray, "N B 2"], Float32[np.ndarray, "N B"]]:
        """Return the batch of each network at one step.

        Draws some steps ahead, as a caller often asks for the next batch, too.
        """
        epoch, k = divmod(step, self.steps_per_epoch)
        distinct, which = self.followers()
        stretch = max(1, orders.AHEAD // (len(distinct) * self.batch))
        first = k - k % stretch
        span = first * self.batch, (first + stretch) * self.batch
        drawn = orders.ahead(tuple(distinct), epoch, self.task.points, span)
        here = (k - first) * self.batch
        chosen = drawn[which, here : here + self.batch]
        return self.x[chosen], self.y[chosen].astype(np.float32)


@dataclass(frozen=True)
class TrainState:
    """A pack between two steps; engines must not depend on any other state."""

    step: int
    params: Params
    masks: Mask
    momentum: Params
    trainable: Mask | None = None
    lr_scale: Float[np.ndarray, " N"] | None = None
    active_counts: Int[np.ndarray, "N G"] | None = None
    active: Mask | None = None
    """The mask in force of a weight map that does not choose one at every step."""
    adapters: Float32[np.ndarray, "N Q"] | None = None
    moments: Float32[np.ndarray, "N 2 PQ"] | None = None
    """Moments of parameters and adapters, while there are adapters or Adam trains."""
    born: Int[np.ndarray, "N PQ"] | None = None
    """The step from which each entry's moments count, for Adam's bias correction."""
    trained: Int[np.ndarray, " N"] | None = None
    status: Shaped[np.ndarray, " N"] | None = None
    losses: Float[np.ndarray, " N"] | None = None
    """Sum of the batch losses of the last epoch so far, without label smoothing, each
    before its step; None means 0."""
    explored: Mask | None = None
    """Entries that the masks of some training step kept; None before the first."""

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
        """Entries that train: kept and not frozen."""
        return self.masks if self.trainable is None else self.masks & self.trainable

    def take(self, index: Int[np.ndarray, " M"]) -> "TrainState":
        """Return the state of some of the networks, in the order of ``index``."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        taken = {name: a[index] for name, a in arrays.items() if a is not None}
        return replace(self, **taken)


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of every network on all points."""

    correct: Int[np.ndarray, " N"]
    loss: Float[np.ndarray, " N"]
    """Mean binary cross-entropy (without smoothing), summed in float64."""
    entropy: Float[np.ndarray, " N"]
    """Mean entropy of the outputs in nats, summed in float64."""


class Trainer(Protocol):
    """Trains a pack from event to event."""

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop``; masked entries stay exactly zero."""


class Engine(Trainer, Protocol):
    """A way of training packs; never decides masks."""

    @property
    def name(self) -> str:
        """The name recorded in rows."""

    def evaluate(self, job: TrainJob, state: TrainState) -> Evaluation:
        """Return accuracy counts, loss and entropy on all points."""
