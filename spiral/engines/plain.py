"""Steps of SGD, SAM and Frank-Wolfe, also under forward masks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from torch import Tensor

from spiral.engines import frank_wolfe, hiding, ranks
from spiral.engines.blocks import Carry, Tensors, Turn
from spiral.engines.devices import download, upload
from spiral.engines.forward import Rule
from spiral.engines.traced import (
    Step,
    traced_loss,
    traced_masked_step,
    traced_move,
    traced_step,
)
from spiral.protocol import norm_balls
from spiral.protocol.job import FrankWolfe, Sam, Sgd, TrainJob, TrainState


class Given(NamedTuple):
    """What is the same at every step of a segment."""

    which: Tensor  # the order seed of each network [N]
    counts: Tensor  # active weights of each group [N, G]
    trains: Tensor  # bool [N, P]
    momentum: Tensor  # [N, 1]
    decay: Tensor  # [N, 1]
    radius: Tensor  # these four are those of ``frank_wolfe.Balls``, empty without it
    diameter: Tensor
    flat: Tensor
    ball: Tensor

    @property
    def balls(self) -> frank_wolfe.Balls:
        """Facts about the balls of Frank-Wolfe."""
        return frank_wolfe.Balls(*self[5:])


class Now(NamedTuple):
    """What one step reads."""

    x: Tensor  # [K, 2, B]
    y: Tensor  # [K, B]
    rate: Tensor  # [N, 1]
    rest: Tensor  # D, a number


@dataclass(frozen=True)
class Recipe:
    """See ``blocks.Recipe``."""

    networks: int
    width: int
    batch: int
    smoothing: float
    optimiser: Sgd | Sam | FrankWolfe
    mask: Rule | None
    device: str

    @classmethod
    def of(cls, job: TrainJob, device: str) -> "Recipe":
        """Return that of a job."""
        chosen = job.plan.optimiser
        assert isinstance(chosen, Sgd | Sam | FrankWolfe)
        pack = job.networks, job.width, job.batch, job.plan.label_smoothing
        return cls(*pack, chosen, Rule.of(job), device)

    @property
    def beside(self) -> int:
        """The learning rates."""
        return self.networks

    def begin(self, job: TrainJob, state: TrainState) -> Carry:
        """Return parameters and momentum, losses, and the mask in force."""
        trained = state.params, state.momentum, state.losses_so_far()
        arrays = *trained, hiding.shown_at(job, state)
        return Carry(*(upload(array, self.device) for array in arrays))

    def given(self, job: TrainJob, state: TrainState) -> Given:
        """Return what is the same at every step."""
        decay = job.weight_decay
        stack: tuple[norm_balls.Cell, ...] = ()
        if isinstance(self.optimiser, FrankWolfe):  # which has no penalty
            decay, stack = 0 * decay, frank_wolfe.cells(self.optimiser, job.width)
        arrays = (
            job.followers()[1],
            hiding.counts_of(state),
            state.moving,
            job.momentum.astype(np.float32)[:, None],
            decay.astype(np.float32)[:, None],
        )
        balls = frank_wolfe.Balls.of(stack, self.device)
        return Given(*(upload(array, self.device) for array in arrays), *balls)  # type: ignore[call-arg]

    def reader(
        self, job: TrainJob, state: TrainState
    ) -> Callable[[int, int], Iterator[Tensor]]:
        """Return a function from steps to learning rates [S, N, 1] and D [S]."""

        def read(first: int, last: int) -> Iterator[Tensor]:
            yield upload(job.rates(state, first, last), self.device).unsqueeze(2)
            yield upload(hiding.rests(job, first, last), self.device)

        return read

    def step(self, turn: Turn, carry: Carry, given: Tensors, now: Tensors) -> Carry:
        """Train for one step."""
        known, here = Given(*given), Now(*now)
        params, velocity, losses, shown = carry
        x, y = (part.index_select(0, known.which) for part in (here.x, here.y))
        rule = known.counts, self.width, self.mask is not None and self.mask.stored
        params, shown, factor = hiding.hide(turn.mask, params, shown, here.rest, rule)
        if turn.sums:
            seen = params if factor is None else params * factor
            shape = self.networks, self.width, self.batch, self.device
            losses = losses + traced_loss(*shape)(seen, x, y).double()
        how = known.trains, here.rate, known.momentum, known.decay
        old = params, velocity, *how, x, y
        if isinstance(self.optimiser, FrankWolfe):
            params, velocity = self._frank_wolfe(known, old)
        elif factor is None:
            params, velocity = self.sgd(masked=False)(*old)
        else:
            params, velocity = self.sgd(masked=True)(*old, factor)
        return Carry(params, velocity, losses, shown)

    def sgd(self, masked: bool) -> Step:
        """Return the step of SGD, under a forward mask or not."""
        chosen = self.optimiser
        steps = chosen if isinstance(chosen, Sgd | Sam) else Sgd()
        pack = self.networks, self.width, self.batch, self.smoothing
        if not masked or self.mask is None:
            return traced_step(*pack, self.device, steps)
        nesterov = isinstance(chosen, Sgd) and chosen.nesterov
        rule = self.mask.gradient, self.mask.pull, nesterov
        return traced_masked_step(*pack, self.device, rule)

    def _frank_wolfe(self, given: Given, old: Tensors) -> tuple[Tensor, Tensor]:
        """Return parameters and momentum; a step of SGD without penalty supplies it."""
        assert isinstance(self.optimiser, FrankWolfe)
        setting = self.optimiser, self.width
        velocity = self.sgd(masked=False)(*old)[1]
        chosen = ranks.chosen(frank_wolfe.cells(*setting), velocity)
        move = traced_move(self.networks, setting, self.device)
        params, _, trains, rate = old[:4]
        return move(params, velocity, chosen, trains, rate, *given.balls), velocity

    def end(self, state: TrainState, carry: Carry) -> TrainState:
        """Return the state with new parameters and momentum."""
        params, momentum = download(carry.params), download(carry.memory)
        return replace(state, params=params, momentum=momentum)
