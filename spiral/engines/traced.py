"""Training steps of a whole pack as graphs of tensor operations, for engine ``vmap``.

Tracing once per pack shape removes the overhead of torch.func from the loop. Graphs are
traced on the CPU whatever the device, so that they are known on machines without it.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.fx import Node
from torch.fx.experimental.proxy_tensor import make_fx

from spiral.engines import frank_wolfe
from spiral.model import gradients, mlp
from spiral.protocol.job import FrankWolfe, Sam, Sgd

Step = Callable[..., Any]

GRAPHS = 64
"""Graphs of a kind that a process keeps; tracing one costs as much as many steps."""


@lru_cache(maxsize=GRAPHS)
def traced_step(
    networks: int,
    width: int,
    batch: int,
    smoothing: float,
    device: str,
    optimiser: Sgd | Sam,
) -> Step:
    """Return one SGD step of a whole pack as a graph of tensor operations.

    The step maps (params [N, P], velocity [N, P], trains bool [N, P], rate [N, 1],
    momentum [N, 1], decay [N, 1], x [N, 2, B], y [N, B]) to the new (params, velocity).
    """
    slopes = vmap(grad(gradients.loss_of_one(width, smoothing)))
    nesterov = isinstance(optimiser, Sgd) and optimiser.nesterov

    def step(  # noqa: PLR0913, PLR0917 - the tracer wants plain tensors
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
        if isinstance(optimiser, Sam):
            first = torch.where(trains, gradient, 0.0)
            size = first.norm(dim=1, keepdim=True)
            uphill = optimiser.radius * first / (size + Sam.tiny)
            gradient = slopes(params + uphill, x, y)
        gradient = gradient + decay * params
        # `where`, not a product: masked entries stay zero even beside NaN
        gradient = torch.where(trains, gradient, 0.0)
        velocity = momentum * velocity + gradient
        change = gradient + momentum * velocity if nesterov else velocity
        return params - rate * change, velocity

    return trace(step, _shapes(networks, width, batch), device, {2: torch.bool})


@lru_cache(maxsize=GRAPHS)
def traced_masked_step(
    networks: int,
    width: int,
    batch: int,
    smoothing: float,
    device: str,
    rule: tuple[str, float, bool],
) -> Step:
    """Return the step of :func:`traced_step` under a forward mask.

    It takes a factor [N, P] on the parameters, too. ``rule`` is the map's ``gradient``
    and ``pull``, and whether momentum is Nesterov's.
    """
    slopes = vmap(grad(gradients.loss_of_one(width, smoothing)))
    kind, pull, nesterov = rule

    def step(  # noqa: PLR0913, PLR0917 - the tracer wants plain tensors
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
        gradient = gradient * factor if kind == "chain" else gradient
        penalty = decay + pull * (factor < 1) if pull else decay
        gradient = torch.where(trains, gradient + penalty * params, 0.0)
        velocity = momentum * velocity + gradient
        change = gradient + momentum * velocity if nesterov else velocity
        return params - rate * change, velocity

    shapes = _shapes(networks, width, batch)
    return trace(step, [*shapes, shapes[0]], device, {2: torch.bool})


def _shapes(networks: int, width: int, batch: int) -> list[tuple[int, ...]]:
    """Return the shapes of what a step takes."""
    pack, column = (networks, mlp.param_count(width)), (networks, 1)
    data = [(networks, 2, batch), (networks, batch)]
    return [pack, pack, pack, column, column, column, *data]


@lru_cache(maxsize=GRAPHS)
def traced_loss(networks: int, width: int, batch: int, device: str) -> Step:
    """Return the losses of a pack as a graph: (params [N, P], x, y) → [N].

    Those of :func:`traced_step`, without label smoothing.
    """
    shapes = _shapes(networks, width, batch)
    losses = vmap(gradients.loss_of_one(width))
    return trace(losses, [shapes[0], *shapes[-2:]], device)


@lru_cache(maxsize=GRAPHS)
def traced_logits(networks: int, width: int, points: int, device: str) -> Step:
    """Return the logits of a pack as a graph: (params [N, P], x [2, D]) → [N, D]."""

    def logits(params: Tensor, x: Tensor) -> Any:
        return vmap(lambda p: mlp.logits(p, x, width, relu=torch.relu))(params)

    pack = (networks, mlp.param_count(width))
    return trace(logits, [pack, (mlp.INPUTS, points)], device)


@lru_cache(maxsize=GRAPHS)
def traced_move(networks: int, setting: tuple[FrankWolfe, int], device: str) -> Step:
    """Return the step of ``frank_wolfe.move`` for a whole pack as a graph.

    It maps (params [N, P], velocity [N, P], chosen bool [N, P], trains bool [N, P],
    rate [N, 1], and the four tensors of ``frank_wolfe.Balls``) to the new params.
    """

    def move(
        params: Tensor,
        velocity: Tensor,
        chosen: Tensor,
        trains: Tensor,
        rate: Tensor,
        *balls: Tensor,
    ) -> Tensor:
        known = frank_wolfe.Balls(*balls)
        moved = frank_wolfe.move(params, velocity, chosen, rate, setting, known)
        return torch.where(trains, moved, params)

    optimiser, width = setting
    pack = (networks, mlp.param_count(width))
    each = (len(frank_wolfe.cells(optimiser, width)),)
    kinds = {2: torch.bool, 3: torch.bool, 5: torch.float64, 6: torch.float64}
    kinds |= {7: torch.bool, 8: torch.int64}
    shapes = [pack, pack, pack, pack, (networks, 1), each, each, each, pack[1:]]
    return trace(move, shapes, device, kinds)


def trace(
    function: Step,
    shapes: list[tuple[int, ...]],
    device: str,
    kinds: Mapping[int, torch.dtype] | None = None,
) -> Step:
    """Return a function of tensors of these shapes as a graph for a device.

    Args:
        function: The function.
        shapes: The shapes of its arguments.
        device: Where the graph will compute.
        kinds: Number of an argument → its type, where it is not float32.
    """
    # each example is a separate tensor: the tracer identifies inputs by object identity
    examples = [
        torch.zeros(shape, dtype=(kinds or {}).get(n)) for n, shape in enumerate(shapes)
    ]
    # fake examples: nothing is computed, however large the pack
    traced = make_fx(function, tracing_mode="fake")(*examples)
    for node in traced.graph.nodes:
        _place(node, torch.device(device))
    traced.recompile()
    step: Step = traced
    return step


def _place(node: Node, device: torch.device) -> None:
    """Make an operation of a graph compute on a device."""
    if "device" in node.kwargs:
        node.update_kwarg("device", device)
    number = node.args and isinstance(node.args[0], float)
    if number and node.target is torch.ops.aten._to_copy.default:
        # a factor that torch.func made a tensor: it would lie in host memory
        node.target = torch.ops.aten.scalar_tensor.default
        node.kwargs = {"dtype": node.kwargs["dtype"], "device": device}
