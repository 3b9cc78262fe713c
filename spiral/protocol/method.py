"""What a method sees of a pack, and how it answers.

Everything here is a value: NumPy arrays on the host, frozen once made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Shaped

from spiral.protocol.plan import Budget, Plan

Params = Float32[np.ndarray, "N P"]
Mask = Bool[np.ndarray, "N P"]


@dataclass(frozen=True)
class Change:
    """What a method wants changed at an event; ``None`` leaves a thing as it is.

    Parameters and momentum outside the masks are set to zero whatever a method asks.
    """

    masks: Mask | None = None
    params: Params | None = None
    reset_momentum: Mask | None = None
    """Entries whose momentum is set to zero."""
    trainable: Mask | None = None
    """Entries that train while they are kept; the others stay as they are."""
    lr_scale: Float[np.ndarray, " N"] | None = None
    """Factor on the learning rate from here on."""
    decay_scale: Float[np.ndarray, " N"] | None = None
    """Factor on the L2 penalty from here on."""
    variants: Int[np.ndarray, " N"] | None = None
    """Number of the variant of its schedule from here on (see :func:`variant`)."""
    orders: Int[np.ndarray, " N"] | None = None
    """Number of the batch order from here on; 0 is that of the config's own seed."""
    batch: int | None = None
    """Points of a batch from here on, in every network of the pack; 0 is as before."""
    plain: bool = False
    """SGD on the plain loss from here on, whatever the plan began with."""
    active_counts: Int[np.ndarray, "N G"] | None = None
    """Weights of each group that a weight map leaves active from here on."""
    adapters: Float32[np.ndarray, "N Q"] | None = None
    """Adapters that train from here on, with the optimiser of the plan."""
    trained: Int[np.ndarray, " N"] | None = None
    """How many numbers the last training changes, if not all that is kept."""
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
    adapters: Float32[np.ndarray, "N Q"] | None
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
