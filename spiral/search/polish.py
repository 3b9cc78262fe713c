"""Polishing: train a promising network on all points until nothing improves.

Full-batch L-BFGS in float64 on the cross-entropy of logits times a factor: the larger
the factor, the more the loss counts wrong points and the less how wrong they are.
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
"""Factors of the logits, one after the other."""

ITERATIONS = 150
"""Of L-BFGS at each factor; more gained nothing in ten networks tried."""


def polish(network: Network, sharpness: Sequence[float] = SHARPNESS) -> Network:
    """Return the network with the weights that got most points right on the way.

    Args:
        network: With its float32 parameters.
        sharpness: Factors of the logits.
    """
    mask, start, width = unpacked(network.matrices, network.params)
    values = torch.tensor(start, dtype=torch.float64)
    free = torch.tensor(mask)
    best = (score(network.matrices, network.params, np.float32).correct, network.params)
    with gradients.one_thread():
        for factor in sharpness:
            values = _minimise(values, free, width, factor)
            found = values[free].numpy().astype(np.float32)
            if np.isfinite(found).all():
                right = score(network.matrices, found, np.float32).correct
                best = max(best, (right, found), key=lambda pair: pair[0])
    return network._replace(params=best[1])


def polish_all(entries: pd.DataFrame) -> pd.DataFrame:
    """Return the entries of the polished networks."""
    found = [
        best_known.entry(
            polish(best_known.network_of(row)), "any", row["config_id"], _told(row)
        )
        for row in entries.to_dict("records")
    ]
    return pd.DataFrame(found, columns=best_known.SCHEMA.names)


def thin(table: pd.DataFrame, tried: set[bytes]) -> pd.DataFrame:
    """Drop each weight of every leader in turn, polish what is left, largest first.

    So a network of n weights may become the start of one of n - 1 in the same round.

    Args:
        table: A frontier.
        tried: Networks that need not be tried again; those of this round are added.
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
                polish(smaller), "any", row["config_id"], _told(row, "thin")
            )
            for row in here
            for smaller in _without_one(best_known.network_of(row))
        ]
        if found:
            thinner = pd.DataFrame(found, columns=best_known.SCHEMA.names)
            table = best_known.merge([table, thinner])
    return table


def _without_one(network: Network) -> Iterator[Network]:
    """Yield the network without each of its weights, reduced, where inputs remain."""
    mask, params, width = unpacked(network.matrices, network.params)
    for place in np.flatnonzero(mask & mlp.is_weight(width)):
        left = mask.copy()
        left[place] = False
        smaller = reduced(left, params, width)
        if smaller is not None:
            yield smaller


def _told(row: Mapping[Any, Any], how: str = "polish") -> str:
    """Return how a network was found, given what it came from."""
    text: str = row["found"]
    return text if text.endswith(how) else f"{text}, {how}"


def _minimise(values: Tensor, free: Tensor, width: int, factor: float) -> Tensor:
    """Minimise the loss over the kept parameters from a starting point."""
    points = cubist.load()
    x = torch.tensor(points.x.T.copy(), dtype=torch.float64)
    signs = torch.tensor(1.0 - 2.0 * points.y)
    moving = values[free].clone().requires_grad_(True)
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
