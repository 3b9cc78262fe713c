"""Training steps of a pack on its device, one after another or captured in blocks.

A step is a function of tensors alone. What differs between steps beyond their tensors
(whether a mask is chosen, whether losses are summed) is its :class:`Turn`, which is
known before training: so some steps in a row can be captured in a CUDA graph, which the
host replays by one call instead of some sixty launches a step.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from spiral.engines import forward, hiding
from spiral.engines.devices import record
from spiral.protocol.job import TrainJob, TrainState

BLOCK = 16
"""Steps of a captured block; a block begins at a multiple, so that masks chosen at
intervals of 2, 4, 8 or 16 steps are chosen at the same steps of every block."""

CAPTURES = 8
"""Captured blocks that a process keeps; each holds the activations of a step."""

Tensors = tuple[Tensor, ...]


class Turn(NamedTuple):
    """What happens at one step."""

    mask: forward.Turn
    sums: bool
    """Whether the batch losses count."""


def turns(job: TrainJob, state: TrainState, stop: int) -> tuple[list[Turn], bool]:
    """Return what happens at the steps up to ``stop``.

    Returns:
        turns: One for each step.
        lasting: Whether the step at ``stop`` needs to know the mask in force.
    """
    masks, lasting = hiding.turns(job, state, stop)
    steps = enumerate(masks, start=state.step)
    return [Turn(mask, step >= job.last_epoch) for step, mask in steps], lasting


class Carry(NamedTuple):
    """What a step changes."""

    params: Tensor  # [N, P], or with adapters [N, P+Q]
    memory: Tensor  # of the optimiser: momentum [N, P], or moments [N, 2, P+Q]
    losses: Tensor  # float64 [N]
    shown: Tensor  # the forward mask in force, bool [N, P]


class Recipe(Protocol):
    """A way to train: all that the operations of a step depend on, hashable."""

    def __hash__(self) -> int:
        """Return the same for equal recipes."""

    @property
    def device(self) -> str:
        """Where it trains."""

    @property
    def beside(self) -> int:
        """How many numbers a step reads beside its batch."""

    def begin(self, job: TrainJob, state: TrainState) -> Carry:
        """Return what steps change, as it is at the first."""

    def given(self, job: TrainJob, state: TrainState) -> Tensors:
        """Return what is the same at every step of a segment."""

    def reader(
        self, job: TrainJob, state: TrainState
    ) -> Callable[[int, int], Iterator[Tensor]]:
        """Return a function from steps to what they read beside their batches.

        It is called for pieces of a segment in turn. The first axis are the steps.
        """

    def step(self, turn: Turn, carry: Carry, given: Tensors, now: Tensors) -> Carry:
        """Train for one step on x [K, 2, B], y [K, B], and what it reads besides."""

    def end(self, state: TrainState, carry: Carry) -> TrainState:
        """Return the state with what the steps have trained."""


def run(
    recipe: Recipe, turns: Sequence[Turn], carry: Carry, given: Tensors, data: Tensors
) -> Carry:
    """Train for some steps, operation after operation."""
    every = zip(turns, *(tensor.unbind(0) for tensor in data), strict=True)
    for turn, *now in every:
        carry = recipe.step(turn, carry, given, tuple(now))
    return carry


def cut(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut steps into whole blocks, and what is left before and after them."""
    while first < last:
        end = min(last, first - first % BLOCK + BLOCK)
        yield first, end
        first = end


def replay(
    recipe: Recipe, turns: Sequence[Turn], carry: Carry, given: Tensors, data: Tensors
) -> Carry:
    """Train for the steps of a whole block, which is captured when it is new."""
    shapes = tuple(tensor.shape for tensor in (*given, *data))
    block = _captured(recipe, tuple(turns), shapes)
    return block.run(carry, given, data)


@lru_cache(maxsize=CAPTURES)
def _captured(
    recipe: Recipe, turns: tuple[Turn, ...], shapes: tuple[torch.Size, ...]
) -> "Block":
    """Return the block of some steps for tensors of these shapes."""
    return Block(recipe, turns)


class Block:
    """Some steps that work in tensors of their own, captured at the first call."""

    def __init__(self, recipe: Recipe, turns: tuple[Turn, ...]):
        self.recipe, self.turns = recipe, turns
        self.own: list[Tensor] = []
        self.given: list[Tensor] = []
        """What the own tensors were last copied from; it never changes in place."""
        self.again: Callable[[], None] | None = None

    def run(self, carry: Carry, given: Tensors, data: Tensors) -> Carry:
        """Train for these steps; the result lies in the block's own tensors."""
        tensors = [*carry, *data, *given]
        changing = len(carry) + len(data)
        if self.again is None:
            self.own = [tensor.clone() for tensor in tensors]
            steps = partial(self._steps, changing)
            self.again = record(steps, self.recipe.device)
            self.given = self.own
        for mine, old, new in zip(self.own, self.given, tensors, strict=True):
            if new is not old:
                mine.copy_(new)
        self.given = [*self.own[:changing], *tensors[changing:]]
        self.again()
        return Carry(*self.own[: len(carry)])

    def _steps(self, changing: int) -> None:
        """Train in the own tensors, of which the first are carried or data."""
        size = len(Carry._fields)
        carry, data = Carry(*self.own[:size]), tuple(self.own[size:changing])
        given = tuple(self.own[changing:])
        after = run(self.recipe, self.turns, carry, given, data)
        for mine, new in zip(carry, after, strict=True):
            mine.copy_(new)


def advance(
    recipe: Recipe,
    turns: Sequence[Turn],
    carry: Carry,
    given: Tensors,
    data: Tensors,
    first: int | None = None,
) -> Carry:
    """Train for the steps of a piece, in blocks if ``first`` numbers its first step."""
    if first is None:
        return run(recipe, turns, carry, given, data)
    for begin, end in cut(first, first + len(turns)):
        here = slice(begin - first, end - first)
        how = replay if end - begin == BLOCK else run
        part = tuple(t.narrow(0, here.start, end - begin) for t in data)
        carry = how(recipe, turns[here], carry, given, part)
    return carry
