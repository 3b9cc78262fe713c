"""Baselines for the engines: the code one would write instead."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

from spiral.engines import traced
from spiral.model import gradients, mlp
from spiral.protocol.job import Sgd, TrainJob, TrainState
from spiral.tasks import cubist

BATCH = 128
LEARNING_RATE, MOMENTUM, DECAY = 0.05, 0.9, 5e-4

Seconds = Callable[[TrainJob, TrainState, int], float]
"""Times some steps of a pack, after a warm-up."""


def loop(job: TrainJob, state: TrainState, steps: int, device: str = "cpu") -> float:
    """Time one network in a plain PyTorch loop on one core, or a device.

    DataLoader, ``nn.Linear``, autograd, SGD, and masks applied after each step.
    """
    data = cubist.load()
    points = torch.utils.data.TensorDataset(
        torch.tensor(data.x), torch.tensor(data.y).float()
    )
    loader = torch.utils.data.DataLoader(points, BATCH, shuffle=True, drop_last=True)
    model = _model(job.width).to(device)
    layers = mlp.matrices(state.masks[0], job.width)
    kept = [torch.tensor(mask, device=device) for layer in layers for mask in layer]
    optimiser = torch.optim.SGD(
        model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=DECAY
    )
    loss = torch.nn.BCEWithLogitsLoss()
    with gradients.one_thread():
        began = time.perf_counter()
        for step, (x, y) in enumerate(loader):
            if step == steps:
                break
            optimiser.zero_grad()
            loss(model(x.to(device))[:, 0], y.to(device)).backward()
            optimiser.step()
            with torch.no_grad():
                for parameter, mask in zip(model.parameters(), kept, strict=True):
                    parameter.mul_(mask)
        finish(device)
        return time.perf_counter() - began


def finish(device: str) -> None:
    """Wait until a device has done what it was asked to."""
    if device != "cpu":
        torch.cuda.synchronize()


def _model(width: int) -> torch.nn.Module:
    """Return the network as a module."""
    shapes = [(layer.inputs, layer.outputs) for layer in mlp.layers(width)]
    linears = [torch.nn.Linear(*shape) for shape in shapes]
    parts = [part for linear in linears for part in (linear, torch.nn.ReLU())]
    return torch.nn.Sequential(*parts[:-1])


def compiled(
    job: TrainJob, state: TrainState, steps: int, device: str = "cpu"
) -> float:
    """Time the step of engine ``vmap`` under torch.compile, on one core or a device."""
    step = _compiled_step(job.networks, job.width, device)
    arrays = state.params, state.momentum, state.masks
    params, velocity, trains = (torch.tensor(a, device=device) for a in arrays)
    column = torch.ones(job.networks, 1, device=device)
    rate, momentum, decay = LEARNING_RATE * column, MOMENTUM * column, DECAY * column
    x, y = (torch.tensor(array, device=device) for array in job.batch_at(0))
    x = x.transpose(1, 2).contiguous()
    with gradients.one_thread(), torch.no_grad():
        for count in (3, steps):
            began = time.perf_counter()
            for _ in range(count):
                params, velocity = step(
                    params, velocity, trains, rate, momentum, decay, x, y
                )
            finish(device)
        return time.perf_counter() - began


@cache
def _compiled_step(networks: int, width: int, device: str) -> Callable[..., Any]:
    """Compile the traced step of one pack shape."""
    step = traced.traced_step(networks, width, BATCH, 0.0, device, Sgd())
    return torch.compile(step)


def jax(job: TrainJob, state: TrainState, steps: int) -> float:
    """Time JAX's jit(vmap) over networks with a scan over steps, on its own threads.

    Raises:
        ImportError: JAX is not installed.
    """
    from jax import numpy as jnp

    kept = jnp.asarray(state.masks)
    batches = [job.batch_at(step) for step in range(8)]
    x = jnp.asarray(
        np.stack([b[0][0].T for b in batches])
    )  # all networks share the batches
    y = jnp.asarray(np.stack([b[1][0] for b in batches]))

    run = _jax_training(job.width, steps)
    params = jnp.asarray(state.params)
    run(params, kept, x, y).block_until_ready()
    began = time.perf_counter()
    run(params, kept, x, y).block_until_ready()
    return time.perf_counter() - began


@cache
def _jax_training(width: int, steps: int) -> Callable[..., Any]:
    """Compile some steps of networks of one width on shared batches."""
    import jax as j
    from jax import numpy as jnp

    def loss(params: Any, x: Any, y: Any) -> Any:
        z = mlp.logits(params, x, width, relu=j.nn.relu)
        return (j.nn.softplus(z) - z * y).mean()

    def train(params: Any, mask: Any, x: Any, y: Any) -> Any:
        def step(carry: Any, k: Any) -> Any:
            p, v = carry
            gradient = j.grad(loss)(p, x[k % 8], y[k % 8]) + DECAY * p
            v = MOMENTUM * v + gradient * mask
            return (p - LEARNING_RATE * v, v), None

        carry, _ = j.lax.scan(step, (params, jnp.zeros_like(params)), jnp.arange(steps))
        return carry[0]

    return j.jit(j.vmap(train, in_axes=(0, 0, None, None)))
