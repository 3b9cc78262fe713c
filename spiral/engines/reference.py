"""Engine ``reference``: one network at a time, torch autograd, torch.optim.SGD.

Slow and simple on purpose: it defines the results that other engines must agree with.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from spiral.engines import adapted, forward, frank_wolfe, optimisers, ranks
from spiral.engines.devices import exact, settle
from spiral.engines.evaluate import evaluate
from spiral.engines.hiding import Hiding
from spiral.model import gradients
from spiral.protocol.job import (
    Evaluation,
    FrankWolfe,
    Sam,
    TrainJob,
    TrainState,
)


@dataclass(frozen=True)
class ReferenceEngine:
    """Trains one network after the other."""

    device: str = "cpu"

    @property
    def name(self) -> str:
        """How rows record this engine."""
        return "reference" if self.device == "cpu" else f"reference:{self.device}"

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop``."""
        job = adapted.usual(job, state)
        if adapted.trains(job, state):
            with exact():
                return adapted.advance_each(job, state, stop, self.device)
        params, momentum = state.params.copy(), state.momentum.copy()
        losses, active = state.losses_so_far(), []
        with gradients.one_thread(), exact():
            for n in range(job.networks):
                one = job.take(np.array([n])), state.take(np.array([n]))
                each = Hiding.of(*one, stop, self.device)
                found = self._train(*one, stop, losses[n : n + 1], each)
                params[n], momentum[n] = found
                active += [] if each.in_force is None else [each.in_force]
        return replace(
            state,
            step=stop,
            params=params,
            momentum=momentum,
            losses=losses,
            active=np.concatenate(active) if active else None,
        )

    def evaluate(self, job: TrainJob, state: TrainState) -> Evaluation:
        """Return accuracy counts, loss and entropy on all points."""
        return evaluate(job, state, self.device, together=1)

    def _train(
        self,
        job: TrainJob,
        state: TrainState,
        stop: int,
        losses: np.ndarray,
        hiding: Hiding,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Train a pack of one network and return its parameters and momentum."""
        weights = torch.tensor(state.params[0], device=self.device)
        trains = torch.tensor(state.moving[0], device=self.device)
        frozen = torch.where(trains, 0.0, weights)
        buffer = torch.tensor(state.momentum[0], device=self.device)
        update = _optimiser(job, weights, buffer)
        loss_of_one = gradients.loss_of_one(job.width, job.plan.label_smoothing)
        plain_loss = gradients.loss_of_one(job.width)
        rates, rule = job.rates(state, state.step, stop)[:, 0], forward.Rule.of(job)
        for step, rate in enumerate(rates, start=state.step):
            x, y = job.batch_at(step)
            batch = [torch.tensor(a, device=self.device) for a in (x[0].T, y[0])]
            stored, factors = hiding.at(weights[None], step)
            weights.copy_(stored[0])
            factor = None if factors is None else factors[0]
            effective = weights if factor is None else weights * factor
            if step >= job.last_epoch:
                losses += plain_loss(effective.detach(), *batch).item()
            slope = _slope(loss_of_one, effective, batch)
            if isinstance(job.plan.optimiser, Sam):
                first = torch.where(trains, slope, 0.0)
                uphill = job.plan.optimiser.radius * first / (first.norm() + Sam.tiny)
                slope = _slope(loss_of_one, effective + uphill, batch)
            gradient = forward.of_stored(rule, slope, weights, factor)
            update(torch.where(trains, gradient, 0.0), float(rate))
            # Masked entries: gradient, decay and momentum are zero, so they stay zero.
            # Frozen ones decay inside the optimiser and are put back.
            weights.copy_(torch.where(trains, weights, frozen))
        buffer[~trains] = 0
        return weights.cpu().numpy(), buffer.cpu().numpy()


def _slope(loss: Callable[..., Tensor], at: Tensor, data: list[Tensor]) -> Tensor:
    """Return the gradient of a loss at some parameters."""
    place = at.detach().requires_grad_()
    return torch.autograd.grad(loss(place, *data), place)[0]


def _optimiser(
    job: TrainJob, weights: Tensor, buffer: Tensor
) -> Callable[[Tensor, float], None]:
    """Return a function of gradient and rate that updates weights and momentum."""
    momentum, chosen = float(job.momentum[0]), job.plan.optimiser
    if isinstance(chosen, FrankWolfe):
        stack, device = frank_wolfe.cells(chosen, job.width), str(weights.device)
        balls = frank_wolfe.Balls.of(stack, device)

        def towards_corners(gradient: Tensor, rate: float) -> None:
            buffer.mul_(momentum).add_(gradient)
            rates = torch.full((1, 1), rate, device=weights.device)
            both = weights[None], buffer[None], ranks.chosen(stack, buffer[None])
            moved = frank_wolfe.move(*both, rates, (chosen, job.width), balls)
            weights.copy_(moved[0])

        return towards_corners
    return optimisers.torch_sgd(job, weights, buffer)


def build(device: str) -> ReferenceEngine:
    """Return the engine for one device."""
    settle(device)
    return ReferenceEngine(device)
