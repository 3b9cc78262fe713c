"""What a method sees of a pack, and how it answers.

Everything here is a value: NumPy arrays on the host, frozen once made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Shaped

from spiral.protocol.plan import Budget, Plan
from spiral.tasks.task import Task

Params = Float32[np.ndarray, "N P"]
Mask = Bool[np.ndarray, "N P"]


@dataclass(frozen=True)
class Change:
    """The changes a method requests at an event; ``None`` means unchanged.

    Parameters and momentum outside the masks are set to zero in any case.
    """

    masks: Mask | None = None
    params: Params | None = None
    reset_momentum: Mask | None = None
    """Entries whose momentum, or moments, are set to zero."""
    trainable: Mask | None = None
    """Entries that train while they are kept; the others are frozen."""
    lr_scale: Float[np.ndarray, " N"] | None = None
    """Factor on the learning rate from here on."""
    decay_scale: Float[np.ndarray, " N"] | None = None
    """Factor on the L2 penalty from here on."""
    variants: Int[np.ndarray, " N"] | None = None
    """Variant of the schedule from here on (see :func:`variant`)."""
    orders: Int[np.ndarray, " N"] | None = None
    """Number of the batch order from here on; 0 is the order of the config's seed."""
    batch: int | None = None
    """Points per batch from here on, for the whole pack; 0 restores the config's."""
    plain: bool = False
    """Plain training from here on, whatever the plan started with: no weight map or
    adapters, the config's own optimiser and label smoothing (SGD and none, unless the
    config sets them)."""
    active_counts: Int[np.ndarray, "N G"] | None = None
    """Weights of each group that a weight map keeps active from here on."""
    adapters: Float32[np.ndarray, "N Q"] | None = None
    """Adapters that train from here on, with the plan's optimiser."""
    trained: Int[np.ndarray, " N"] | None = None
    """Parameters changed by the last training, if not all that are kept."""
    status: Shaped[np.ndarray, " N"] | None = None
    """Status of each row: ``degenerate``, ``aborted``, or "" to leave it."""


@dataclass(frozen=True)
class View:
    """A method's view of a pack at an event; read-only, networks on axis 0."""

    width: int
    plan: Plan
    step: int
    params: Params
    masks: Mask
    initial: Params
    adapters: Float32[np.ndarray, "N Q"] | None
    keep: Int[np.ndarray, " N"]
    """Requested weights; 0 if the method has no ``keep``."""
    lr: Float[np.ndarray, " N"]
    """Base learning rates."""
    rates: Callable[[int, int], Float32[np.ndarray, "S N"]]
    """``rates(start, stop)`` are the learning rates of steps ``start`` … ``stop`` - 1:
    by the schedule, and by the factor that holds now."""
    options: Mapping[str, np.ndarray]
    """The options that may differ within a pack, one value per network."""
    batch: Callable[
        [int], tuple[Float32[np.ndarray, "N B 2"], Float32[np.ndarray, "N B"]]
    ]
    """``batch(i)`` is the batch of training step i."""
    task: Task
    """The data set that training sees."""
    stream: Callable[[int, str], np.random.Generator]
    """``stream(n, purpose)`` is a random stream that depends on network n's config
    alone. Every call starts it again: include the step in the purpose for new draws."""


class Method(Protocol):
    """A pruning method: decides masks, never trains."""

    def plan(self, budget: Budget) -> Plan:
        """Return the plan of the whole training, before it starts."""

    def start(self, view: View) -> Any:
        """Return the state that the method keeps between events."""

    def act(self, view: View, state: Any) -> tuple[Change, Any]:
        """Return the change at one event, and the new state."""
