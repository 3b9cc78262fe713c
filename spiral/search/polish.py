"""Polishing: adapt the weights of one network until no more points become right.

See ``descent`` for the loss and its minimiser. A *quick* polish on 806 evenly spaced
points ranks candidates; the *final* stages, on 3,124 to all points at rising sharpness,
settle the points beside the boundary; the last word has the count on all points.
Other tasks than the Cubist Spiral are polished on about as many.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral.model import mlp, seeds
from spiral.search import best_known, frontier_file
from spiral.search.candidate import (
    Candidate,
    balanced,
    compiled,
    from_network,
    to_network,
    with_params,
)
from spiral.search.network import Network, reduced, score, unpacked
from spiral.tasks import cubist
from spiral.tasks.task import Task

Points = tuple[Float[np.ndarray, "2 D"], Float[np.ndarray, " D"]]
"""Coordinates, and the sign of each class: 1.0 for class 1, -1.0 for class 0."""


class Stage(NamedTuple):
    """One polish: on which points, how sharp, how long."""

    every: int
    """Every n-th point of ``cubist``, or as many points of another task."""
    sharpness: tuple[float, ...]
    """Factors of logits of mean size 1, in turn."""
    iterations: int
    """BFGS iterations at each sharpness."""


# Measured on 92 networks, each a frontier network of 17 to 20 weights without one
# weight: 30, 60, 120 iterations reach mean accuracies 0.782, 0.792, 0.796 in 2.5, 4.3,
# 7.1 ms; sharpness (3, 10) 0.787 and (1, 3, 10, 30) 0.792 in 5.6 ms at 60.
QUICK = Stage(62, (2.0, 6.0, 20.0), 60)
FINAL = (
    Stage(16, (20.0, 60.0, 200.0), 150),
    Stage(4, (60.0, 200.0, 600.0), 150),
    Stage(1, (200.0, 600.0, 2000.0), 100),
)
"""Stages for the promising, in turn: 806 points alone leave hundreds of points wrong
that a better place of the boundary gets right."""

# 12 frontier networks of 15 to 32 weights with 5 % noise on all parameters come back
# from 0.784 to 0.9545 on average, in 0.3 s each; full-batch L-BFGS on the cross-entropy
# in torch reached 0.9546 in 2.4 s. Starting at softer steps (0.5 or 1) loses the
# network: 0.894 to 0.937.
STAGES = (QUICK, *FINAL)
"""The stages of :func:`refined`."""


@lru_cache(maxsize=32)
def spaced(task: Task, every: int) -> Points:
    """Return some points, in float64.

    Args:
        task: Whose points.
        every: Every n-th of ``cubist``; of another task as many, so that a polish takes
            as long.
    """
    stride = max(1, round(every * task.points / cubist.POINTS))
    return _points(task, slice(stride // 2, None, stride))


@lru_cache(maxsize=2)
def everything(task: Task) -> Points:
    """Return all points of a task, in float64."""
    return _points(task, slice(None))


def _points(task: Task, some: slice) -> Points:
    """Return a part of the points in the order of :func:`_order`."""
    chosen = np.sort(_order(task)[some])
    x = np.ascontiguousarray(task.x[chosen].T.astype(np.float64))
    sign = np.where(task.y[chosen] == 1, 1.0, -1.0)
    x.flags.writeable = sign.flags.writeable = False
    return x, sign


@lru_cache(maxsize=2)
def _order(task: Task) -> Int[np.ndarray, " D"]:
    """Return an order in which points at equal distances are representative.

    Along a curve that is their own, and segments are sampled alike. Others may lie on a
    lattice, of which every n-th point is a few lines; theirs is random, but fixed.
    """
    if task.curves is not None:
        return np.arange(task.points)
    found: Int[np.ndarray, " D"] = seeds.stream("sample", 0).permutation(task.points)
    return found


LARGEST = 1e12
"""Weights beyond are given up. Where a task leaves room between its classes a cliff may
grow without end; the best networks of the Cubist Spiral have weights of 6,000."""


def polish(candidate: Candidate, task: Task, stage: Stage = QUICK) -> Candidate | None:
    """Return the candidate with adapted weights; None if it came out constant."""
    from spiral.search import descent  # imported late: Numba loads slowly

    net, theta = compiled(candidate)
    points = spaced(task, stage.every)
    for sharpness in stage.sharpness:
        _, size = descent.count_right(net, theta, points)
        if not 0.0 < size < np.inf:
            return None
        try:
            descent.descend(net, theta, points, sharpness / size, stage.iterations)
        except ZeroDivisionError:  # fast arithmetic takes a NaN for any number, 0 too
            return None
    if not (np.abs(theta) < LARGEST).all():
        return None
    return balanced(with_params(candidate, theta), spaced(task, _BALANCING)[0])


_BALANCING = 500
"""Every n-th point suffices to measure how large units are."""


def through(
    stages: Iterable[Stage], candidate: Candidate, task: Task
) -> Candidate | None:
    """Return a candidate after several polishes; None if it came out constant."""
    found: Candidate | None = candidate
    for stage in stages:
        found = None if found is None else polish(found, task, stage)
    return found


def loss_of(candidate: Candidate, task: Task) -> float:
    """Return the loss by which candidates are compared, whatever polished them.

    On the points of the quick stage, at its last sharpness.
    """
    from spiral.search import descent

    net, theta = compiled(candidate)
    points = spaced(task, QUICK.every)
    _, size = descent.count_right(net, theta, points)
    if size == 0.0:
        return 1.0
    unused = np.empty(len(theta))
    sharpness = QUICK.sharpness[-1] / size
    return float(descent.loss(net, theta, points, sharpness, unused))


def right(candidate: Candidate, task: Task) -> int:
    """Return the number of all points classified correctly, computed in float64."""
    from spiral.search import descent

    return int(descent.count_right(*compiled(candidate), everything(task))[0])


def refined(network: Network, task: Task) -> Network:
    """Return the network with the most accurate weights found by all stages in turn.

    Scored as stored, in float32: a gain that rounding undoes is no gain.
    """
    best, candidate = network, from_network(network)
    reached = _correct(network, task)
    for stage in STAGES:
        polished = polish(candidate, task, stage)
        if polished is None:
            break
        candidate = polished
        found = to_network(candidate)
        if found is not None:
            correct = _correct(found, task)
            if correct > reached:
                best, reached = found, correct
    return best


def _correct(network: Network, task: Task) -> int:
    """Return how many points a network gets right in float32."""
    return score(network.matrices, network.params, np.float32, task).correct


def polish_all(entries: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return the entries of the polished networks."""
    found = []
    for row in entries.to_dict("records"):
        network = refined(best_known.network_of(row), task)
        facts = row["config_id"], _origin(row)
        found.append(best_known.entry(network, "any", *facts, task))
    return pd.DataFrame(found, columns=frontier_file.SCHEMA.names)


def thin(table: pd.DataFrame, tried: set[bytes], task: Task) -> pd.DataFrame:
    """Drop each weight of every leader in turn and polish the rest, largest first.

    Largest first, so that a new network with n - 1 weights is itself thinned in the
    same round.

    Args:
        table: A frontier.
        tried: Networks not to try again; those of this round are added.
        task: What the networks are for.
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
                refined(smaller, task),
                "any",
                row["config_id"],
                _origin(row, "thin"),
                task,
            )
            for row in here
            for smaller in _without_one(best_known.network_of(row))
        ]
        if found:
            thinner = pd.DataFrame(found, columns=frontier_file.SCHEMA.names)
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
