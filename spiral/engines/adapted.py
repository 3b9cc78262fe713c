"""Training with adapters (once a method has started it, ``Change.adapters``) or Adam.

For θ see ``losses``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from spiral.engines import forward, hiding, losses, optimisers, reparam
from spiral.engines.blocks import Carry, Tensors, Turn
from spiral.engines.devices import download, upload
from spiral.engines.forward import Rule
from spiral.engines.hiding import Hiding
from spiral.engines.losses import Losses
from spiral.engines.traced import Step
from spiral.model import gradients, mlp
from spiral.protocol.adapters import LowRank
from spiral.protocol.job import (
    Adam,
    AdamW,
    Mask,
    Reparam,
    Sgd,
    TrainJob,
    TrainState,
)
from spiral.protocol.reparam import Setting


def usual(job: TrainJob, state: TrainState) -> TrainJob:
    """Return the job without what has not started: maps without adapters, late Adam."""
    plan = job.plan
    if isinstance(plan.weight_map, LowRank | Reparam) and state.adapters is None:
        plan = replace(plan, weight_map=None)
    if isinstance(plan.optimiser, Adam | AdamW) and state.step < plan.optimiser.since:
        plan = replace(plan, optimiser=plan.controls.optimiser)
    return job if plan is job.plan else replace(job, plan=plan)


def trains(job: TrainJob, state: TrainState) -> bool:
    """Return whether a pack trains here: it has adapters, or Adam trains it."""
    return state.adapters is not None or optimisers.is_adam(job)


class Given(NamedTuple):
    """What is the same at every step of a segment."""

    which: Tensor  # the order seed of each network [N]
    counts: Tensor  # active or kept weights of each group [N, G]
    kept: Tensor  # the masks [N, P]
    moving: Tensor  # these six are those of ``optimisers.Facts``
    momentum: Tensor
    decay: Tensor
    pace: Tensor
    born: Tensor
    corrections: Tensor

    @property
    def facts(self) -> optimisers.Facts:
        """What the optimiser needs to know."""
        return optimisers.Facts(*self[3:])


class Now(NamedTuple):
    """What one step reads."""

    x: Tensor  # [K, 2, B]
    y: Tensor  # [K, B]
    rate: Tensor  # [N, 1]
    rest: Tensor  # D, a number
    number: Tensor  # of the step
    curve: Tensor  # these two are those of ``reparam.Now``
    noise: Tensor


@dataclass(frozen=True)
class Recipe:
    """See ``blocks.Recipe``."""

    networks: int
    width: int
    batch: int
    losses: Losses
    optimiser: Sgd | Adam | AdamW
    mask: Rule | None
    bound: float | None
    """Of the numbers s of a learned weight map."""
    noisy: bool
    device: str

    @classmethod
    def of(cls, job: TrainJob, device: str) -> "Recipe":
        """Return that of a job."""
        here, chosen = job.plan.weight_map, job.plan.optimiser
        assert isinstance(chosen, Sgd | Adam | AdamW)
        bound = here.bound if isinstance(here, Reparam) else None
        how = Losses.of(job), chosen, Rule.of(job), bound, reparam.noisy(job)
        return cls(job.networks, job.width, job.batch, *how, device)

    @property
    def beside(self) -> int:
        """The learning rates, or the noise."""
        return self.networks * (mlp.weight_count(self.width) if self.noisy else 1)

    def begin(self, job: TrainJob, state: TrainState) -> Carry:
        """Return θ and moments, losses, and the mask in force."""
        assert state.moments is not None
        shown = hiding.shown_at(job, state)
        arrays = _theta(state), state.moments, state.losses_so_far(), shown
        return Carry(*(upload(array, self.device) for array in arrays))

    def given(self, job: TrainJob, state: TrainState) -> Given:
        """Return what is the same at every step."""
        maps = isinstance(job.plan.weight_map, Reparam)
        counts = reparam.counts_of(job, state) if maps else hiding.counts_of(state)
        arrays = job.followers()[1], counts, state.masks
        facts = optimisers.Facts.of(job, state, self.device)
        return Given(*(upload(array, self.device) for array in arrays), *facts)  # type: ignore[call-arg]

    def reader(
        self, job: TrainJob, state: TrainState
    ) -> Callable[[int, int], Iterator[Tensor]]:
        """Return a function from steps to all of :class:`Now` but the batches."""
        of_map = reparam.reader(job, state.step, self.device)

        def read(first: int, last: int) -> Iterator[Tensor]:
            yield upload(job.rates(state, first, last), self.device).unsqueeze(2)
            yield upload(hiding.rests(job, first, last), self.device)
            yield upload(np.arange(first, last), self.device)
            yield from of_map(first, last)

        return read

    def step(self, turn: Turn, carry: Carry, given: Tensors, now: Tensors) -> Carry:
        """Train for one step."""
        known, here = Given(*given), Now(*now)
        theta, moments, sums, shown = carry
        x, y = (part.index_select(0, known.which) for part in (here.x, here.y))
        rule = known.counts, self.width, self.mask is not None and self.mask.stored
        theta, shown, factor = hiding.hide(turn.mask, theta, shown, here.rest, rule)
        seen = theta if factor is None else theta * factor
        read = reparam.Now(here.curve, here.noise)
        data = x, y, *self.beside_batch(theta, known, read)
        if turn.sums:
            sums = sums + self._traced(slopes=False)(seen, *data).double()
        slope = self._traced(slopes=True)(seen, *data)
        slope = forward.of_stored(self.mask, slope, theta, factor)
        slope = torch.where(known.moving, slope, 0.0)
        old = (theta, moments), slope, here.rate, here.number
        new, moments = optimisers.step(self.optimiser, known.facts, *old)
        new = torch.where(known.moving, new, theta)
        theta = reparam.bounded(new, mlp.param_count(self.width), self.bound)
        return Carry(theta, moments, sums, shown)

    def beside_batch(self, theta: Tensor, given: Given, read: reparam.Now) -> Tensors:
        """Return what losses take beside θ and the batch."""
        here = self.losses.map
        if not isinstance(here, Setting):
            return (given.kept,)
        return reparam.given(here.kind, self.width, theta, given.counts, read)

    def _traced(self, slopes: bool) -> Step:
        """Return the gradients of the pack, or its plain losses."""
        pack = self.networks, self.width, self.batch
        here = self.losses if slopes else self.losses.plain()
        return losses.graph(pack, here, self.device, slopes)

    def end(self, state: TrainState, carry: Carry) -> TrainState:
        """Return the state with new parameters, adapters and moments."""
        return _with(state, download(carry.params), download(carry.memory))


def advance_one(
    job: TrainJob, state: TrainState, stop: int, device: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Mask | None]:
    """Train one network with torch's optimisers.

    Returns:
        θ, its moments, the sum of losses, and the forward mask in force.
    """
    assert state.moments is not None
    arrays = _theta(state), state.moments, optimisers.moving_of(state)
    theta, moments, moving = (upload(array[0], device) for array in arrays)
    update = optimisers.update_of_one(job, state, theta, moments)
    recipe = Recipe.of(job, device)
    loss_of_one = losses.loss_of_one(job.width, recipe.losses)
    plain_loss = losses.loss_of_one(job.width, recipe.losses.plain())
    given, read = recipe.given(job, state), reparam.reader(job, state.step, device)
    sums, frozen = state.losses_so_far(), theta.clone()
    masks = Hiding.of(job, state, stop, device)
    for step, rate in enumerate(job.rates(state, state.step, stop)[:, 0], state.step):
        x, y = (torch.tensor(a[0], device=device) for a in job.batch_at(step))
        stored, factors = masks.at(theta[None], step)
        theta.copy_(stored[0])
        factor = None if factors is None else factors[0]
        seen = theta.clone() if factor is None else theta * factor
        now = reparam.Now(*(array[0] for array in read(step, step + 1)))
        beside = recipe.beside_batch(theta[None], given, now)
        data = (x.T, y, *(array[0] for array in beside))
        if step >= job.last_epoch:
            sums += plain_loss(seen, *data).item()
        seen.requires_grad_()
        (slope,) = torch.autograd.grad(loss_of_one(seen, *data), seen)
        slope = forward.of_stored(recipe.mask, slope, theta, factor)
        update(torch.where(moving, slope, 0.0), float(rate))
        theta.copy_(torch.where(moving, theta, frozen))
        theta.copy_(reparam.bounded(theta, job.initial.shape[1], recipe.bound))
    moments[:, ~moving] = 0
    return theta.cpu().numpy(), moments.cpu().numpy(), sums, masks.in_force


def advance_each(
    job: TrainJob, state: TrainState, stop: int, device: str
) -> TrainState:
    """Train network after network (engine ``reference``)."""
    found, state = [], with_moments(state)
    with gradients.one_thread():
        for n in range(job.networks):
            one = job.take(np.array([n])), state.take(np.array([n]))
            found.append(advance_one(*one, stop, device))
    *arrays, active = zip(*found, strict=True)
    theta, moments, sums = map(np.stack, arrays)
    lasting = None if active[0] is None else np.concatenate(active)
    state = replace(state, step=stop, losses=sums[:, 0], active=lasting)
    return _with(state, theta, moments)


def with_moments(state: TrainState) -> TrainState:
    """Return the state with moments, which begin now if it has none."""
    if state.moments is not None:
        return state
    own = 0 if state.adapters is None else state.adapters.shape[1]
    count, size = len(state.params), state.params.shape[1] + own
    moments = np.zeros((count, 2, size), np.float32)
    return replace(state, moments=moments, born=np.full((count, size), state.step))


def _theta(state: TrainState) -> np.ndarray:
    """Return θ [N, P+Q]."""
    parts = [state.params] if state.adapters is None else [state.params, state.adapters]
    return np.concatenate(parts, axis=1)


def _with(state: TrainState, theta: np.ndarray, moments: np.ndarray) -> TrainState:
    """Return the state with θ and moments."""
    size = state.params.shape[1]
    own = None if state.adapters is None else theta[:, size:].copy()
    params = theta[:, :size].copy()
    return replace(state, params=params, adapters=own, moments=moments)
