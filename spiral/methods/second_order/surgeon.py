"""What the methods of the optimal brain surgeon's family share.

They differ in which weights they keep (``parts.supports``) and in their defaults.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from spiral.methods.magnitude import gmp, magnitude
from spiral.methods.parts import batches, counts, supports
from spiral.methods.second_order.path import (
    Choose,
    Model,
    Network,
    Path,
)
from spiral.model import mlp
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View


@dataclass(frozen=True)
class Surgeon:
    """Prune by a quadratic model of the loss around the current weights.

    Biases compensate and are not removed. Where the matrix is computed anew, it is that
    of the weights which are left, and the counts at which that happens do not depend on
    ``keep``: equal dense networks that differ in ``keep`` share one path.

    Assumptions: the gradient at a trained network is zero (unless ``slope`` says
    otherwise). The points are those that training sees next (C3.4: 4,096 of them give
    about what every 12th of all gives). The counts at which the matrix is computed are
    those of C3.5, and λ is absolute (C3.6: the largest eigenvalue is 0.2 to 2).

    Weights of different layers do not interact by default (``matrix_blocks: network``
    is the published brain surgeon). What the whole matrix says of them holds for small
    changes only: at width 16, pruned to 26 weights at once, mean accuracy is 0.55 with
    it and 0.82 with blocks (20 seeds; ``gmp`` 0.79), which take half the time.

    A network whose output no input moves gets status degenerate: its matrix is little
    more than λI, so magnitude decides. Networks that have diverged are pruned by
    magnitude.
    """

    timing: Literal["once", "gradual"]
    at_epoch: int | None
    events: int
    end: float
    points: int
    model: Model
    choose: Choose = supports.greedy

    def plan(self, budget: Budget) -> Plan:
        """One event, or some that are evenly spread until ``end``."""
        if self.timing == "once":
            epoch = _epoch(budget.epochs, self.at_epoch)
            return Plan.simple(budget, epoch * budget.steps_per_epoch)
        last = max(1, budget.at(self.end))
        steps = {max(1, last * i // self.events) for i in range(1, self.events + 1)}
        return Plan.simple(budget, *sorted(steps))

    def start(self, view: View) -> int:
        """Return how many events have passed."""
        return 0

    def act(self, view: View, state: int) -> tuple[Change, int]:
        """Prune to this event's counts; networks that are equal so far go together."""
        passed = state + 1
        done, total = passed / len(view.plan.events), mlp.weight_count(view.width)
        goals = np.rint(counts.cubic(done, view.keep, total)).astype(np.int64)
        points, labels = batches.next_points(view, self.points)
        together: dict[bytes, list[int]] = {}
        for n in range(len(goals)):
            parts = (view.params[n], view.masks[n], points[n], labels[n])
            together.setdefault(b"".join(p.tobytes() for p in parts), []).append(n)
        kept, params = view.masks.copy(), view.params.copy()
        status = np.full(len(goals), "", "U10")
        for rows in together.values():
            one = rows[0]
            path = Path(self.model, self.choose, points[one], labels[one], view.width)
            begin = Network(view.params[one].astype(np.float64), view.masks[one])
            found = path.walk(begin, goals[rows].tolist())
            for n in rows:
                params[n], kept[n] = found[int(goals[n])]
            if path.silent(begin):
                status[rows] = "degenerate"
        return Change(
            masks=kept,
            params=params,
            reset_momentum=np.ones_like(kept),
            status=status,
        ), passed


def build(
    choose: Choose = supports.greedy, first_order: bool = False, **options: Any
) -> Surgeon:
    """Return a method of the family from its options."""
    own = {name: options.pop(name) for name in Model._fields if name in options}
    model = Model(**own, first_order=first_order)
    return Surgeon(**options, model=model, choose=choose)


def _epoch(epochs: int, at_epoch: int | None) -> int:
    """Return the epoch before which a network is pruned once."""
    return epochs * 4 // 5 if at_epoch is None else at_epoch


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights until they are pruned once, a shared prefix; or the cubic."""
    if table["timing"].iloc[0] == "gradual":
        return gmp.cost_profile(table, weights, sharing)
    at_epoch = table["at_epoch"].fillna(table["epochs"] * 4 // 5)
    return magnitude.cost_profile(table.assign(at_epoch=at_epoch), weights, sharing)


COST = {1: 700, 3: 740, 16: 5_900, 32: 77_000, 33: 8_000, 64: 9_000, 256: 40_000}
"""Width → what pruning a network once costs, in gradients of a batch of 128: 0.01, .25,
7.8, 0.9, 2.8 and 150 seconds from width 3 on."""

ALIKE = [
    "order_seed",
    "init_seed",
    "init",
    "lr",
    "schedule",
    "momentum",
    "weight_decay",
]


def gradients(table: pd.DataFrame) -> np.ndarray:
    """Return what matrices and choices cost, in dense gradients of a batch.

    Of 4,096 points; fewer make the matrices cheaper. Networks that are equal until they
    are pruned once share a path.
    """
    widths = table["width"].to_numpy(np.float64)
    each = np.exp(np.interp(np.log(widths), np.log([*COST]), np.log([*COST.values()])))
    share = 0.3 + 0.7 * table["points"].to_numpy(np.float64) / 4096
    found = each * share * 128 / table["batch"].to_numpy(np.float64)
    if table["timing"].iloc[0] == "gradual":
        return 2 * found  # a matrix and its inverse at each event
    sharing = table.groupby(ALIKE)["width"].transform("size")
    return found / sharing.to_numpy(np.float64)
