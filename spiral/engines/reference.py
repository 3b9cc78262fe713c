"""Engine ``reference``: one network at a time, torch autograd, torch.optim.SGD.

Slow and plain on purpose: it defines what the other engines must agree with.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from spiral import gradients
from spiral.engines.evaluate import evaluate
from spiral.job import Evaluation, TrainJob, TrainState


@dataclass(frozen=True)
class ReferenceEngine:
    """Trains network after network."""

    device: str = "cpu"

    @property
    def name(self) -> str:
        """How rows record this engine."""
        return "reference" if self.device == "cpu" else f"reference:{self.device}"

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop``."""
        params, momentum = state.params.copy(), state.momentum.copy()
        losses = state.losses_so_far()
        with gradients.one_thread():
            for n in range(job.networks):
                one = job.take(np.array([n])), state.take(np.array([n]))
                params[n], momentum[n] = self._train(*one, stop, losses[n : n + 1])
        return replace(
            state, step=stop, params=params, momentum=momentum, losses=losses
        )

    def evaluate(self, job: TrainJob, state: TrainState) -> Evaluation:
        """Return accuracy counts, loss and entropy on all points."""
        return evaluate(job, state, self.device, chunk=1)

    def _train(
        self, job: TrainJob, state: TrainState, stop: int, losses: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Train a pack of one network and return its parameters and momentum."""
        weights = torch.tensor(state.params[0], device=self.device, requires_grad=True)
        trains = torch.tensor(state.moving[0], device=self.device)
        frozen = torch.where(trains, 0.0, weights.detach())
        optimiser = torch.optim.SGD(
            [weights],
            lr=0.0,
            momentum=float(job.momentum[0]),
            weight_decay=float(job.weight_decay[0]),
        )
        buffer = torch.tensor(state.momentum[0], device=self.device)
        optimiser.state[weights]["momentum_buffer"] = buffer
        loss_of_one = gradients.loss_of_one(job.width, job.plan.label_smoothing)
        plain_loss = gradients.loss_of_one(job.width)
        rates = job.rates(state, state.step, stop)[:, 0]
        for step, rate in enumerate(rates, start=state.step):
            optimiser.param_groups[0]["lr"] = float(rate)
            x, y = job.batch_at(step)
            batch = [torch.tensor(a, device=self.device) for a in (x[0].T, y[0])]
            if step >= job.last_epoch:
                losses += plain_loss(weights.detach(), *batch).item()
            optimiser.zero_grad()
            loss_of_one(weights, *batch).backward()  # type: ignore[no-untyped-call]
            assert weights.grad is not None
            weights.grad[~trains] = 0
            optimiser.step()
            # Masked entries: gradient, decay and momentum are zero, so they stay zero.
            # Frozen ones decay inside the optimiser and are put back.
            with torch.no_grad():
                weights.copy_(torch.where(trains, weights, frozen))
        buffer[~trains] = 0
        return weights.detach().cpu().numpy(), buffer.cpu().numpy()


def build(device: str) -> ReferenceEngine:
    """Return the engine for one device."""
    return ReferenceEngine(device)
