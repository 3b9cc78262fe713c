"""Training steps of a pack on its device, one after another or captured in blocks.

A step is a function of tensors alone. What differs between steps beyond their tensors
(whether a mask is chosen, whether losses are summed) is its :class:`Turn`, which is
known before training: so some steps in a row can be captured in a CUDA graph, which the
host replays by one call instead of some sixty launches a step.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from spiral.engines import forward, frank_wolfe, hiding, ranks
from spiral.engines.devices import record
from spiral.engines.traced import (
    Step,
    traced_loss,
    traced_masked_step,
    traced_move,
    traced_step,
)
from spiral.protocol.job import ForwardMask, FrankWolfe, Sam, Sgd, TrainJob

BLOCK = 16
"""Steps of a captured block; a block begins at a multiple, so that masks chosen at
intervals of 2, 4, 8 or 16 steps are chosen at the same steps of every block."""

CAPTURES = 8
"""Captured blocks that a process keeps; each holds the activations of a step."""


class Recipe(NamedTuple):
    """All that the operations of a step depend on, hashable."""

    networks: int
    width: int
    batch: int
    smoothing: float
    optimiser: Sgd | Sam | FrankWolfe
    mask: tuple[str, float, bool] | None
    """The forward mask's ``gradient``, ``pull`` and ``stored``."""
    device: str

    @classmethod
    def of(cls, job: TrainJob, device: str) -> "Recipe":
        """Return that of a job."""
        here, chosen = job.plan.weight_map, job.plan.optimiser
        assert isinstance(chosen, Sgd | Sam | FrankWolfe)
        mask = None
        if isinstance(here, ForwardMask):
            mask = here.gradient, here.pull, here.stored
        pack = job.networks, job.width, job.batch, job.plan.label_smoothing
        return cls(*pack, chosen, mask, device)


class Turn(NamedTuple):
    """What happens at one step."""

    mask: forward.Turn
    sums: bool
    """Whether the batch losses count."""


class Carry(NamedTuple):
    """What a step changes."""

    params: Tensor  # [N, P]
    velocity: Tensor  # [N, P]
    losses: Tensor  # float64 [N]
    shown: Tensor  # the forward mask in force, bool [N, P]


class Given(NamedTuple):
    """What is the same at every step of a segment."""

    trains: Tensor  # bool [N, P]
    momentum: Tensor  # [N, 1]
    decay: Tensor  # [N, 1]
    which: Tensor  # the order seed of each network [N]
    counts: Tensor  # active weights of each group [N, G]
    radius: Tensor  # these four are those of ``frank_wolfe.Balls``, empty without it
    diameter: Tensor
    flat: Tensor
    ball: Tensor

    @property
    def balls(self) -> frank_wolfe.Balls:
        """Facts about the balls of Frank-Wolfe."""
        return frank_wolfe.Balls(*self[5:])


class Data(NamedTuple):
    """What is read at some steps, the first axis."""

    rates: Tensor  # [S, N, 1]
    rests: Tensor  # D [S]
    x: Tensor  # [S, K, 2, B]
    y: Tensor  # [S, K, B]

    def part(self, first: int, last: int) -> "Data":
        """Return that of some of the steps."""
        return Data(*(t.narrow(0, first, last - first) for t in self))


def run(
    recipe: Recipe, turns: Sequence[Turn], carry: Carry, given: Given, data: Data
) -> Carry:
    """Train for some steps, operation after operation."""
    every = zip(turns, *(tensor.unbind(0) for tensor in data), strict=True)
    for turn, rate, rest, x, y in every:
        batch = x.index_select(0, given.which), y.index_select(0, given.which)
        carry = _step(recipe, turn, carry, given, (rate, rest, *batch))
    return carry


def _step(
    recipe: Recipe, turn: Turn, carry: Carry, given: Given, now: tuple[Tensor, ...]
) -> Carry:
    """Train for one step on (rates [N, 1], D, x [N, 2, B], y [N, B])."""
    (params, velocity, losses, shown), (rate, rest, x, y) = carry, now
    stored = recipe.mask is not None and recipe.mask[2]
    rule = given.counts, recipe.width, stored
    params, shown, factor = hiding.hide(turn.mask, params, shown, rest, rule)
    if turn.sums:
        seen = params if factor is None else params * factor
        shape = recipe.networks, recipe.width, recipe.batch, recipe.device
        losses = losses + traced_loss(*shape)(seen, x, y).double()
    old = params, velocity, given.trains, rate, given.momentum, given.decay, x, y
    if isinstance(recipe.optimiser, FrankWolfe):
        params, velocity = _frank_wolfe(recipe, given, old)
    elif factor is None:
        params, velocity = _sgd(recipe, False)(*old)
    else:
        params, velocity = _sgd(recipe, True)(*old, factor)
    return Carry(params, velocity, losses, shown)


def _sgd(recipe: Recipe, masked: bool) -> Step:
    """Return the step of SGD, under a forward mask or not."""
    chosen = recipe.optimiser
    steps = chosen if isinstance(chosen, Sgd | Sam) else Sgd()
    pack = recipe[:4]
    if not masked or recipe.mask is None:
        return traced_step(*pack, recipe.device, steps)
    nesterov = isinstance(chosen, Sgd) and chosen.nesterov
    return traced_masked_step(*pack, recipe.device, (*recipe.mask[:2], nesterov))


def _frank_wolfe(
    recipe: Recipe, given: Given, old: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor]:
    """Return parameters and momentum; a step of SGD without penalty supplies it."""
    assert isinstance(recipe.optimiser, FrankWolfe)
    setting = recipe.optimiser, recipe.width
    velocity = _sgd(recipe, False)(*old)[1]
    chosen = ranks.chosen(frank_wolfe.cells(*setting), velocity)
    move = traced_move(recipe.networks, setting, recipe.device)
    params, _, trains, rate = old[:4]
    return move(params, velocity, chosen, trains, rate, *given.balls), velocity


def cut(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut steps into whole blocks, and what is left before and after them."""
    while first < last:
        end = min(last, first - first % BLOCK + BLOCK)
        yield first, end
        first = end


def replay(
    recipe: Recipe, turns: Sequence[Turn], carry: Carry, given: Given, data: Data
) -> Carry:
    """Train for the steps of a whole block, which is captured when it is new."""
    shapes = tuple(t.shape for t in (*given, *data))
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

    def run(self, carry: Carry, given: Given, data: Data) -> Carry:
        """Train for these steps; the result lies in the block's own tensors."""
        tensors = [*carry, *data, *given]
        if self.again is None:
            self.own = [tensor.clone() for tensor in tensors]
            self.again = record(self._steps, self.recipe.device)
            self.given = self.own
        for mine, old, new in zip(self.own, self.given, tensors, strict=True):
            if new is not old:
                mine.copy_(new)
        changing = len(carry) + len(data)
        self.given = [*self.own[:changing], *tensors[changing:]]
        self.again()
        return Carry(*self.own[: len(carry)])

    def _steps(self) -> None:
        """Train in the own tensors."""
        carry, data = Carry(*self.own[:4]), Data(*self.own[4:8])
        after = run(self.recipe, self.turns, carry, Given(*self.own[8:]), data)
        for mine, new in zip(carry, after, strict=True):
            mine.copy_(new)


def advance(
    recipe: Recipe,
    turns: Sequence[Turn],
    carry: Carry,
    given: Given,
    data: Data,
    first: int | None = None,
) -> Carry:
    """Train for the steps of a piece, in blocks if ``first`` numbers its first step."""
    if first is None:
        return run(recipe, turns, carry, given, data)
    for begin, end in cut(first, first + len(turns)):
        here = slice(begin - first, end - first)
        how = replay if end - begin == BLOCK else run
        part = data.part(here.start, here.stop)
        carry = how(recipe, turns[here], carry, given, part)
    return carry
