"""Engine ``vmap``: the loss of one network, differentiated and lifted over the pack.

``vmap(grad(loss))`` is traced once per pack shape into plain tensor operations, which
takes torch.func's own overhead out of the loop. Measured on one core (AMD EPYC Zen 5),
networks of 50 epochs a second, without → with tracing: 3-3-3 8.1 → 11.6 (256 networks),
16-16-16 3.0 → 4.2 (128 networks). What bounds it is the memory traffic of small batched
products; packs whose activations leave the cache are slower (16-16-16: 2.1 with 512).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from spiral import balls, cubist, gradients, mlp
from spiral.engines import adapted, forward, frank_wolfe
from spiral.engines.compact import narrowed
from spiral.engines.evaluate import evaluate
from spiral.job import Evaluation, ForwardMask, FrankWolfe, Sam, TrainJob, TrainState

Step = Callable[..., Any]

EVALUATION_BYTES = 64 * 2**20
"""Upper bound of one hidden layer's activations while evaluating."""

TINY = 1e-12
"""Added to a gradient's length before dividing by it, as in the authors' SAM."""

GATHER = 2**20
"""Points gathered at once (12 MB), whatever the number of order seeds."""


@lru_cache(maxsize=16)
def traced_step(
    networks: int,
    width: int,
    batch: int,
    smoothing: float,
    device: str,
    special: tuple[str, float] | None = None,
) -> Step:
    """Return one SGD step of a whole pack as a graph of tensor operations.

    The step maps (params [N, P], velocity [N, P], trains bool [N, P], rate [N, 1],
    momentum [N, 1], decay [N, 1], x [N, 2, B], y [N, B]) to the new (params, velocity).
    Under a weight map it takes a factor [N, P] too; ``special`` then is what becomes of
    hidden weights: the map's ``gradient`` and ``pull``. Or it is "sam" and its ρ.
    """
    slopes = vmap(grad(gradients.loss_of_one(width, smoothing)))
    rule, pull = special or ("", 0.0)

    def plain(  # noqa: PLR0913, PLR0917 - the tracer wants plain tensors
        params: Tensor,
        velocity: Tensor,
        trains: Tensor,
        rate: Tensor,
        momentum: Tensor,
        decay: Tensor,
        x: Tensor,
        y: Tensor,
    ) -> tuple[Tensor, Tensor]:
        gradient = slopes(params, x, y)
        if rule == "sam":
            first = torch.where(trains, gradient, 0.0)
            size = first.norm(dim=1, keepdim=True)
            gradient = slopes(params + pull * first / (size + TINY), x, y)
        gradient = gradient + decay * params
        # `where`, not a product: masked entries stay zero even beside NaN
        gradient = torch.where(trains, gradient, 0.0)
        velocity = momentum * velocity + gradient
        return params - rate * velocity, velocity

    def masked(  # noqa: PLR0913, PLR0917
        params: Tensor,
        velocity: Tensor,
        trains: Tensor,
        rate: Tensor,
        momentum: Tensor,
        decay: Tensor,
        x: Tensor,
        y: Tensor,
        factor: Tensor,
    ) -> tuple[Tensor, Tensor]:
        gradient = slopes(params * factor, x, y)
        gradient = gradient * factor if rule == "chain" else gradient
        penalty = decay + pull * (factor < 1) if pull else decay
        gradient = torch.where(trains, gradient + penalty * params, 0.0)
        velocity = momentum * velocity + gradient
        return params - rate * velocity, velocity

    pack = (networks, mlp.param_count(width))
    column, points = (networks, 1), (networks, 2, batch)
    shapes = [pack, pack, pack, column, column, column, points, (networks, batch)]
    if special and rule != "sam":
        return _trace(masked, [*shapes, pack], device, {2})
    return _trace(plain, shapes, device, {2})


@lru_cache(maxsize=16)
def traced_move(networks: int, setting: tuple[FrankWolfe, int], device: str) -> Step:
    """Return the step of ``frank_wolfe.move`` for a whole pack as a graph.

    It maps (params [N, P], velocity [N, P], chosen bool [N, P], trains bool [N, P],
    rate [N, 1]) to the new params.
    """

    def move(
        params: Tensor, velocity: Tensor, chosen: Tensor, trains: Tensor, rate: Tensor
    ) -> Tensor:
        moved = frank_wolfe.move(params, velocity, chosen, rate, setting)
        return torch.where(trains, moved, params)

    pack = (networks, mlp.param_count(setting[1]))
    return _trace(move, [pack, pack, pack, pack, (networks, 1)], device, {2, 3})


def _trace(
    function: Step, shapes: list[tuple[int, ...]], device: str, bools: set[int]
) -> Step:
    """Return a function of tensors of these shapes as a graph."""
    # every example is a tensor of its own: the tracer tells inputs apart by identity
    examples = [
        torch.zeros(shape, device=device, dtype=torch.bool if n in bools else None)
        for n, shape in enumerate(shapes)
    ]
    traced: Step = make_fx(function)(*examples)
    return traced


@dataclass(frozen=True)
class VmapEngine:
    """Trains all networks of a pack together on one device."""

    device: str = "cpu"

    @property
    def name(self) -> str:
        """How rows record this engine."""
        return "vmap" if self.device == "cpu" else f"vmap:{self.device}"

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop``."""
        if stop <= state.step:
            return state
        if state.adapters is not None:
            batches = self._batches(job, state.step, stop)
            with gradients.one_thread():
                return adapted.advance(job, state, stop, batches, self.device)
        job = adapted.usual(job, state)
        if job.plan.weight_map or isinstance(job.plan.optimiser, FrankWolfe):
            return self._advance(job, state, stop)  # groups and balls have their width
        params, momentum = state.params.copy(), state.momentum.copy()
        for rows, small, part, now in narrowed(job, state):
            after = self._advance(part, now, stop)
            if small is None:
                params[rows], momentum[rows] = after.params, after.momentum
            else:
                params[rows] = small.put(params[rows], after.params)
                momentum[rows] = small.put(momentum[rows], after.momentum)
        return replace(state, step=stop, params=params, momentum=momentum)

    def _advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train a pack at its full width."""
        with gradients.one_thread(), torch.no_grad():
            params, velocity = self._loop(job, state, stop)
        return replace(
            state,
            step=stop,
            params=params.cpu().numpy(),
            momentum=velocity.cpu().numpy(),
        )

    def evaluate(self, job: TrainJob, state: TrainState) -> Evaluation:
        """Return accuracy counts and loss on all points."""
        correct, loss = np.zeros(job.networks, np.int64), np.zeros(job.networks)
        for rows, _, part, now in narrowed(job, state):
            found = evaluate(part, now, self.device, self._chunk(part))
            correct[rows], loss[rows] = found.correct, found.loss
        return Evaluation(correct, loss)

    def _chunk(self, job: TrainJob) -> int:
        """Return how many networks to evaluate at once."""
        return max(1, EVALUATION_BYTES // (4 * cubist.POINTS * job.width))

    def _loop(
        self, job: TrainJob, state: TrainState, stop: int
    ) -> tuple[Tensor, Tensor]:
        """Run the training steps and return parameters and velocity [N, P]."""
        params, velocity = self._tensor(state.params), self._tensor(state.momentum)
        trains = self._tensor(state.moving)
        momentum = self._tensor(job.momentum.astype(np.float32)[:, None])
        decay = self._tensor(job.weight_decay.astype(np.float32)[:, None])
        rates = self._tensor(job.rates(state, state.step, stop)[:, :, None])
        batches = self._batches(job, state.step, stop)
        update = self._update(job, state)
        for step, rate, (x, y) in zip(
            range(state.step, stop), rates, batches, strict=True
        ):
            params, velocity = update(
                step, params, velocity, trains, rate, momentum, decay, x, y
            )
        return params, velocity

    def _update(self, job: TrainJob, state: TrainState) -> Step:
        """Return a function of a step's number and tensors to (params, velocity)."""
        pack = (job.networks, job.width, job.batch, job.plan.label_smoothing)
        chosen = job.plan.optimiser
        sam = ("sam", chosen.radius) if isinstance(chosen, Sam) else None
        plain = traced_step(*pack, self.device, sam)
        if isinstance(job.plan.optimiser, FrankWolfe):
            return self._frank_wolfe(job, plain)
        here = job.plan.weight_map
        if not isinstance(here, ForwardMask):
            return lambda step, *tensors: plain(*tensors)
        masked = traced_step(*pack, self.device, (here.gradient, here.pull))

        def update(step: int, params: Tensor, *others: Tensor) -> Any:
            factor = forward.factor(job, state, params.cpu().numpy(), step)
            if factor is None:
                return plain(params, *others)
            return masked(params, *others, self._tensor(factor))

        return update

    def _frank_wolfe(self, job: TrainJob, plain: Step) -> Step:
        """Return the same for Frank-Wolfe; the SGD step supplies the momentum."""
        assert isinstance(job.plan.optimiser, FrankWolfe)
        setting = (job.plan.optimiser, job.width)
        stack = frank_wolfe.cells(*setting)
        move = traced_move(job.networks, setting, self.device)

        def update(
            step: int, params: Tensor, velocity: Tensor, trains: Tensor, *rest: Tensor
        ) -> tuple[Tensor, Tensor]:
            rate, momentum, decay, x, y = rest
            none = torch.zeros_like(decay)
            old = (params, velocity, trains, rate, momentum, none, x, y)
            velocity = plain(*old)[1]
            chosen = self._tensor(balls.chosen(stack, velocity.cpu().numpy()))
            return move(params, velocity, chosen, trains, rate), velocity

        return update

    def _batches(
        self, job: TrainJob, start: int, stop: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (x [N, 2, B], y [N, B]) of every step, gathered piece by piece."""
        data_x = self._tensor(job.x.T.copy())
        data_y = self._tensor(job.y.astype(np.float32))
        distinct, which_seed = job.followers()
        which = self._tensor(which_seed)
        step = start
        while step < stop:
            epoch, first = divmod(step, job.steps_per_epoch)
            last = min(first + stop - step, job.steps_per_epoch)
            size = max(1, GATHER // (len(distinct) * job.batch))
            for begin in range(first, last, size):
                end = min(begin + size, last)
                some = job.orders(distinct, epoch, begin, end)
                indices = self._tensor(some.transpose(1, 0, 2).copy())
                x = data_x[:, indices].permute(1, 2, 0, 3).contiguous()  # [s, K, 2, B]
                y = data_y[indices]
                for k in range(len(indices)):
                    yield x[k][which], y[k][which]
            step += last - first

    def _tensor(self, array: np.ndarray) -> Tensor:
        """Copy an array to the engine's device."""
        return torch.tensor(array, device=self.device)


def build(device: str) -> VmapEngine:
    """Return the engine for one device."""
    return VmapEngine(device)
