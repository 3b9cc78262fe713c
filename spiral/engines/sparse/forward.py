"""Training under a forward mask (``protocol.plan.ForwardMask``), in engine ``sparse``.

The kernels are ``forward_kernel`` and, in plain loops, ``forward_plain``. Where the map
hides nothing, networks train as without it, to the same bits: before the first event,
where D is 1, and networks all of whose weights are active.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int, Int32

from spiral.engines.forward import Active
from spiral.engines.sparse.forward_choice import ACTIVE, ALWAYS, HIDDEN, group_ends
from spiral.engines.sparse.forward_lists import Units, padded, units
from spiral.engines.sparse.layout import aligned, batches, pieces
from spiral.engines.sparse.lists import LANES
from spiral.model import mlp
from spiral.protocol.job import ForwardMask, TrainJob, TrainState

Advance = Callable[[TrainJob, TrainState, int], TrainState]


class Ways(NamedTuple):
    """How an engine trains."""

    plainly: Advance
    """Without the map."""
    run: Callable[..., None]
    """Runs the kernel on some networks of a pack."""


class Rule(NamedTuple):
    """What the map does, in the kernels' layout."""

    units: Units
    first: Int[np.ndarray, " G"]
    """Where each group of weights that compete begins."""
    last: Int[np.ndarray, " G"]
    interval: int
    stored: bool
    chain: bool
    pull: np.float32
    shaped: bool
    """Whether gradients of hidden weights depend on their being hidden."""
    nesterov: bool
    """Whether momentum is Nesterov's."""
    begin: int
    """The step at which a piece begins."""
    rest: Float32[np.ndarray, " S"]
    """D of each step of the piece."""


class Pack(NamedTuple):
    """The state of a pack: flat parameters, padded to whole vectors."""

    params: Float32[np.ndarray, "N S"]
    bits: Int32[np.ndarray, "N S"]
    """The same memory as integers."""
    velocity: Float32[np.ndarray, "N S"]
    trains: Float32[np.ndarray, "N S"]
    """1 for parameters that train; 0 for padding, frozen and masked ones."""
    state: Int32[np.ndarray, "N S"]
    """Which are active (see ``forward_choice``)."""
    momentum: Float32[np.ndarray, " N"]
    decay: Float32[np.ndarray, " N"]
    rates: Float32[np.ndarray, "S N"]
    losses: Float[np.ndarray, " N"]


def kernel(vectors: bool) -> ModuleType:
    """Return the vector kernel, or the one of plain loops."""
    if vectors:
        from spiral.engines.sparse import forward_kernel

        return forward_kernel
    from spiral.engines.sparse import forward_plain

    return forward_plain


def advance(job: TrainJob, state: TrainState, stop: int, ways: Ways) -> TrainState:
    """Train from ``state.step`` to ``stop`` under the map of the job's plan."""
    here = job.plan.weight_map
    assert isinstance(here, ForwardMask)
    for end, hides in stretches(here, state.step, stop):
        if hides and state.active_counts is not None:
            state = _hiding(job, state, end, ways)
        else:
            state = replace(ways.plainly(job, state, end), active=None)
    return state


def stretches(here: ForwardMask, start: int, stop: int) -> Iterator[tuple[int, bool]]:
    """Cut steps where groups change, or D from or to 1.

    Yields:
        The end of each stretch, and whether D is below 1 there.
    """
    hides = here.rest[start:stop] < 1
    turns = start + 1 + np.flatnonzero(hides[1:] != hides[:-1])
    scopes = [event for event in here.scopes if start < event < stop]
    for end in sorted({*turns.tolist(), *scopes, stop}):
        yield end, bool(here.rest[end - 1] < 1)


def _hiding(job: TrainJob, state: TrainState, stop: int, ways: Ways) -> TrainState:
    """Train while D is below 1; networks that hide nothing train plainly."""
    active = Active.of(job, state)
    active.factor(state.params, state.step)
    mask = active.mask
    assert mask is not None
    if active.emptied is not None:
        state = replace(state, params=np.where(mask, state.params, np.float32(0)))
    state = replace(state, active=mask)

    def under(job: TrainJob, state: TrainState, stop: int) -> TrainState:
        return _train(job, state, stop, ways)

    arrays = state.params, state.momentum, mask
    params, momentum, mask = (array.copy() for array in arrays)
    losses, full = state.losses_so_far(), mask.all(axis=1)
    for rows, how in ((full, ways.plainly), (~full, under)):
        some = np.flatnonzero(rows)
        if len(some):
            after = how(job.take(some), state.take(some), stop)
            params[some], momentum[some] = after.params, after.momentum
            losses[some], mask[some] = after.losses, after.active
    active.mask = mask
    return replace(
        state,
        step=stop,
        params=params,
        momentum=momentum,
        losses=losses,
        active=active.in_force,
    )


def _train(job: TrainJob, state: TrainState, stop: int, ways: Ways) -> TrainState:
    """Train networks under the map, from the mask in force on."""
    pack, size = _lay_out(job, state), job.initial.shape[1]
    here = job.plan.weight_map
    assert isinstance(here, ForwardMask)
    rule = _rule(here, job, state.step)
    for start, end in pieces(job, state.step, stop):
        now = pack._replace(rates=job.rates(state, start, end))
        rest = here.rest[start:end].astype(np.float32)
        part = rule._replace(begin=start, rest=rest)
        for data, members in batches(job, start, end):
            some = np.flatnonzero(members)
            ways.run(some, part, now, data, _scratch_size(job.width))
    return replace(
        state,
        step=stop,
        params=pack.params[:, :size].copy(),
        momentum=pack.velocity[:, :size].copy(),
        losses=pack.losses,
        active=pack.state[:, :size] != HIDDEN,
    )


def _rule(here: ForwardMask, job: TrainJob, step: int) -> Rule:
    """Return what the map does from a step on."""
    first, last = group_ends(job.width, here.scope_at(step))
    return Rule(
        units=units(job.width),
        first=first,
        last=last,
        interval=here.interval,
        stored=here.stored,
        chain=here.gradient == "chain",
        pull=np.float32(here.pull),
        shaped=here.gradient == "chain" or here.pull != 0,
        nesterov=job.plan.nesterov,
        begin=step,
        rest=np.empty(0, np.float32),
    )


def _lay_out(job: TrainJob, state: TrainState) -> Pack:
    """Return a pack's state in the kernels' layout, still without learning rates."""
    assert state.active is not None
    size = padded(job.width)

    def flat(values: np.ndarray) -> Float32[np.ndarray, "N S"]:
        found = aligned(job.networks * size).reshape(job.networks, size)
        found[:, : values.shape[1]] = values
        return found

    params = flat(state.params)
    states = np.full(params.shape, ALWAYS, np.int32)
    weights = np.flatnonzero(mlp.is_weight(job.width))
    states[:, weights] = np.where(state.active[:, weights], ACTIVE, HIDDEN)
    return Pack(
        params=params,
        bits=params.view(np.int32),
        velocity=flat(state.momentum),
        trains=flat(state.moving),
        state=states,
        momentum=job.momentum.astype(np.float32),
        decay=job.weight_decay.astype(np.float32),
        rates=np.empty((0, 0), np.float32),
        losses=state.losses_so_far(),
    )


def _scratch_size(width: int) -> int:
    """Return the floats of scratch that a network needs.

    A row of activations per unit and input, 16 partial sums per parameter, and room to
    align them and to add up.
    """
    return (3 * width + 4) * LANES + padded(width) * 16 + 32
