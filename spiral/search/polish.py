"""Polishing: train a promising network on all points until it no longer improves.

Full-batch L-BFGS in float64 on the cross-entropy of the logits times a factor s,
log(1 + exp(∓s·z)). For large s the loss divided by s tends to the hinge max(0, ∓z), so
points that are already right stop pulling, and the few near the boundary, which decide
the accuracy, dominate.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import softplus

from spiral.model import gradients, mlp
from spiral.search import best_known
from spiral.search.network import Network, reduced, score, unpacked
from spiral.tasks import cubist

SHARPNESS = (1.0, 4.0, 16.0)
"""Factors s of the logits, in turn: from the training loss to almost a hinge."""

ITERATIONS = 150
"""L-BFGS iterations at each factor; more gained nothing on ten networks tried."""


def polish(network: Network, sharpness: Sequence[float] = SHARPNESS) -> Network:
    """Return the network with the most accurate weights found on the way.

    Args:
        network: The network to start from.
        sharpness: Factors of the logits.
    """
    mask, start, width = unpacked(network.matrices, network.params)
    values = torch.tensor(start, dtype=torch.float64)
    free = torch.tensor(mask)
    best = (score(network.matrices, network.params, np.float32).correct, network.params)
    with gradients.one_thread():
        for factor in sharpness:
            values = _minimise(values, free, width, factor)
            # Scored as stored, in float32: a gain that rounding undoes is no gain
            found = values[free].numpy().astype(np.float32)
            if np.isfinite(found).all():
                right = score(network.matrices, found, np.float32).correct
                best = max(best, (right, found), key=lambda pair: pair[0])
    return network._replace(params=best[1])


def polish_all(entries: pd.DataFrame) -> pd.DataFrame:
    """Return the entries of the polished networks."""
    found = [
        best_known.entry(
            polish(best_known.network_of(row)), "any", row["config_id"], _origin(row)
        )
        for row in entries.to_dict("records")
    ]
    return pd.DataFrame(found, columns=best_known.SCHEMA.names)


def thin(table: pd.DataFrame, tried: set[bytes]) -> pd.DataFrame:
    """Drop each weight of every leader in turn and polish the rest, largest first.

    Largest first, so that a new network with n - 1 weights is itself thinned in the
    same round.

    Args:
        table: A frontier.
        tried: Networks not to try again; those of this round are added.
    """
    for size in sorted(best_known.leaders(table)["nnz"], reverse=True):
        leaders = best_known.leaders(table)
        new = {
            np.asarray(row["params"]).tobytes(): row
            for row in leaders[leaders["nnz"] == size].to_dict("records")
        }
        here = [row for key, row in new.items() if key not in tried]
        tried.update(new)
        found = [
            best_known.entry(
                polish(smaller), "any", row["config_id"], _origin(row, "thin")
            )
            for row in here
            for smaller in _without_one(best_known.network_of(row))
        ]
        if found:
            thinner = pd.DataFrame(found, columns=best_known.SCHEMA.names)
            table = best_known.merge([table, thinner])
    return table


def _without_one(network: Network) -> Iterator[Network]:
    """Yield the network without each of its weights, reduced; skip constant results."""
    mask, params, width = unpacked(network.matrices, network.params)
    for place in np.flatnonzero(mask & mlp.is_weight(width)):
        left = mask.copy()
        left[place] = False
        smaller = reduced(left, params, width)
        if smaller is not None:
            yield smaller


def _origin(row: Mapping[Any, Any], how: str = "polish") -> str:
    """Return the ``found`` text of a network, given the one it came from."""
    text: str = row["found"]
    return text if text.endswith(how) else f"{text}, {how}"


def _minimise(values: Tensor, free: Tensor, width: int, factor: float) -> Tensor:
    """Minimise the loss over the kept parameters from a starting point."""
    points = cubist.load()
    x = torch.tensor(points.x.T.copy(), dtype=torch.float64)
    signs = torch.tensor(1.0 - 2.0 * points.y)
    moving = values[free].clone().requires_grad_(True)
    # A Wolfe line search, as the loss is not convex; without it steps may diverge
    optimiser = torch.optim.LBFGS(
        [moving], max_iter=ITERATIONS, history_size=20, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        full = torch.zeros_like(values).masked_scatter(free, moving)
        z = mlp.logits(full, x, width, relu=torch.relu)
        total = softplus(signs * z * factor).mean()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return torch.zeros_like(values).masked_scatter(free, moving.detach())
