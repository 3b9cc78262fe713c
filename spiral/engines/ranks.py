"""The largest entries of tensors, chosen where the tensors are.

On the CPU the functions of ``model`` and ``protocol`` choose, which is faster there; on
a device the same entries are found by sorting, so that no step waits for the host.
"""

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from spiral.model import groups, mlp
from spiral.model.groups import Scope
from spiral.protocol import cuts, norm_balls
from spiral.protocol.norm_balls import Cell

NEWTON = 16
"""Steps towards τ; at most 10 were needed for 60,000 rows of 3 to 4,000 sizes, with
ties and heavy tails, sharp and soft."""


def top(
    values: Float[Tensor, "N P"], counts: Int[Tensor, "N G"], width: int, scope: Scope
) -> Bool[Tensor, "N P"]:
    """Keep the largest weights of every group and all biases (``groups.top``)."""
    if _on_host(values):
        return torch.from_numpy(
            groups.top(values.numpy(), counts.numpy(), width, scope)
        )
    return top_by_sorting(values, counts, width, scope)


def chosen(
    stack: tuple[Cell, ...], values: Float[Tensor, "N P"]
) -> Bool[Tensor, "N P"]:
    """Return the support of the corners that a direction selects.

    See ``norm_balls.chosen``.
    """
    if _on_host(values):
        return torch.from_numpy(norm_balls.chosen(stack, values.numpy()))
    return chosen_by_sorting(stack, values)


def highest(
    scores: Float[Tensor, "N W"], counts: Int[Tensor, "N G"], width: int
) -> Bool[Tensor, "N W"]:
    """Return the highest scores of all (G = 1) or each layer (``cuts.highest``)."""
    if _on_host(scores):
        return torch.from_numpy(cuts.highest(scores.numpy(), counts.numpy(), width))
    return highest_by_sorting(scores, counts, width)


def threshold(
    sizes: Float64[Tensor, "N W"], c: Float64[Tensor, ""], kept: Bool[Tensor, "N W"]
) -> Float64[Tensor, " N"]:
    """Return τ of soft gates whose sum is the number kept (``cuts.threshold``)."""
    if _on_host(sizes):
        k = kept.sum(1).numpy()
        return torch.from_numpy(cuts.threshold(sizes.numpy(), float(c), k))
    return threshold_by_steps(sizes, c, kept)


def _on_host(values: Tensor) -> bool:
    return values.device.type == "cpu"


def keep_top(
    scores: Float[Tensor, "R W"], keep: Int[Tensor, " R"] | int
) -> Bool[Tensor, "R W"]:
    """Keep exactly ``keep`` entries of each row, as ``masks.keep_top`` does."""
    lowest = torch.finfo(scores.dtype).min
    ranked = torch.where(scores.isnan(), -torch.inf, scores.clamp(min=lowest))
    order = ranked.argsort(dim=1, descending=True, stable=True)
    numbers = torch.arange(scores.shape[1], device=scores.device)
    places = torch.empty_like(order).scatter_(1, order, numbers.expand_as(order))
    return places < (keep if isinstance(keep, int) else keep.unsqueeze(1))


def top_by_sorting(
    values: Float[Tensor, "N P"], counts: Int[Tensor, "N G"], width: int, scope: Scope
) -> Bool[Tensor, "N P"]:
    """Do what :func:`top` does with operations of any device."""
    parts = groups.parts(width, scope)
    layers = [(w.flatten(1), b) for w, b in mlp.matrices(values.abs(), width)]
    if scope.kind == "global":
        biases = mlp.param_count(width) - mlp.weight_count(width)
        pairs = [(w, torch.full_like(b, torch.inf)) for w, b in layers]
        return keep_top(_joined(pairs), counts.select(1, 0) + biases)
    numbers = torch.split(counts, [p.groups.stop - p.groups.start for p in parts], 1)
    kept = []
    for part, (w, b), k in zip(parts, layers, numbers, strict=True):
        some = keep_top(w.reshape(-1, part.size), k.reshape(-1))
        kept.append((some.reshape(w.shape), torch.ones_like(b, dtype=torch.bool)))
    return _joined(kept)


def _joined(pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return weights and biases of layers side by side, [N, P]."""
    return torch.cat([part for pair in pairs for part in pair], 1)


def chosen_by_sorting(
    stack: tuple[Cell, ...], values: Float[Tensor, "N P"]
) -> Bool[Tensor, "N P"]:
    """Do what :func:`chosen` does with operations of any device."""
    sizes = [cell.columns.stop - cell.columns.start for cell in stack]
    parts = zip(stack, torch.split(values, sizes, 1), strict=True)
    return torch.cat([_chosen_of(cell, part) for cell, part in parts], 1)


def _chosen_of(cell: Cell, part: Float[Tensor, "N n"]) -> Bool[Tensor, "N n"]:
    """Return the parameters of the k largest units of one ball."""
    if cell.k == cell.units:
        return torch.ones_like(part, dtype=torch.bool)
    if cell.ball != "group_k_support":
        return keep_top(part.abs(), cell.k)
    weights, biases = torch.split(part, [part.shape[1] - cell.units, cell.units], 1)
    rows = weights.reshape(len(part), cell.units, -1)
    some = keep_top((rows.square().sum(2) + biases.square()).sqrt(), cell.k)
    return torch.cat([some.unsqueeze(2).expand_as(rows).flatten(1), some], 1)


def highest_by_sorting(
    scores: Float[Tensor, "N W"], counts: Int[Tensor, "N G"], width: int
) -> Bool[Tensor, "N W"]:
    """Do what :func:`highest` does with operations of any device."""
    if counts.shape[1] == 1:
        return keep_top(scores, counts.select(1, 0))
    sizes = [layer.outputs * layer.inputs for layer in mlp.layers(width)]
    parts = zip(torch.split(scores, sizes, 1), counts.unbind(1), strict=True)
    return torch.cat([keep_top(part, k) for part, k in parts], 1)


def threshold_by_steps(
    sizes: Float64[Tensor, "N W"], c: Float64[Tensor, ""], kept: Bool[Tensor, "N W"]
) -> Float64[Tensor, " N"]:
    """Do what :func:`threshold` does in a number of steps that is known before.

    It begins between the kept and the others, where the host begins in the middle of
    the bracket.
    """
    k, total = kept.sum(1).double(), sizes.shape[1]
    shift = torch.log((total - k.clamp(max=total - 0.5)) / k) / c
    low, high = sizes.amin(1) + shift, sizes.amax(1) + shift
    least = torch.where(kept, sizes, torch.inf).amin(1)
    most = torch.where(kept, -torch.inf, sizes).amax(1)
    found = ((least + most) / 2).clamp(low, high)
    for _ in range(NEWTON):
        gates = torch.sigmoid(c * (sizes - found.unsqueeze(1)))
        excess = gates.sum(1) - k
        low, high = (
            torch.where(excess > 0, found, low),
            torch.where(excess > 0, high, found),
        )
        newton = found + excess / (c * (gates * (1 - gates)).sum(1))
        inside = (newton > low) & (newton < high)
        moved = torch.where(inside, newton, (low + high) / 2)
        near = (excess.abs() > cuts.CLOSE * k).logical_not()  # NaN stays
        found = torch.where(near, found, moved)
    return torch.where(k >= total, cuts.OPEN, found)
