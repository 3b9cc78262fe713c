"""``sfw``: stochastic Frank-Wolfe towards corners of few weights, pruned at the end."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts.allocation import Allocation, allocation_option, largest
from spiral.model import masks, schedules
from spiral.protocol import norm_balls
from spiral.protocol.config import Config, Options, fields, first_default, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, FrankWolfe, Plan, Rescale, View


class SfwOptions(Options):
    """Options of ``sfw``."""

    ball: norm_balls.Ball = Field(
        "k_support",
        description="set that a matrix stays in: convex hull of k weights, of k units, "
        "the k-sparse polytope, or an L2 ball",
    )
    ball_share: float = Field(
        0.02,
        gt=0,
        le=1,
        description="k as a share of a matrix's weights (or of its units)",
        json_schema_extra=unit("-")
        | first_default(0.3)
        | origin("ours, tuned on seeds 1000-1019 at width 16"),
    )
    ball_radius: float = Field(
        10.0,
        gt=0,
        le=1e6,
        description="half a ball's diameter, in mean norms of the initialisation",
        json_schema_extra=unit("-")
        | origin("a debug setting of the authors' script, kept by us"),
    )
    rescale: Rescale = Field(
        "gradient",
        description="a step's share of the way to the corner: the learning rate, or "
        "that over the diameter, or times |m| over the way, or over half the diameter",
    )
    rates: Literal["schedule", "linear"] = Field(
        "schedule",
        description="learning rate: the config's schedule, or from it down to 0 in "
        "equal steps",
    )
    allocation: Allocation = allocation_option("Zimmer et al. 2022")


@dataclass(frozen=True)
class Sfw:
    """Compression-aware training (Zimmer, Spiegel & Pokutta, arXiv:2205.11921).

    Parameters start scaled into their balls and never leave them. After training the
    ``keep`` weights of largest absolute value stay, over all layers, with no training
    after it: configs that differ in ``keep`` alone are one training. With ``rescale:
    gradient`` steps are as long as those of SGD.

    Assumptions: each matrix has a ball, each bias vector an L2 ball. The script of the
    authors has no default for k and the radius: its 0.3 and 10 are for debugging (one
    epoch of MNIST, another ball). Here 0.3 leaves little above chance at 65 of 560
    weights; 0.02 is the best of shares from 0.01 to 1 on seeds that no study reports.
    The share that is best for one ``keep`` grows with it (0.1 at 65). Schedules are
    those of the config, theirs is ``rates: linear``; exactly ``keep`` weights stay, and
    biases by the rule of Zhang & Papyan. With ``group_k_support`` a unit of a hidden
    layer is one group with its bias, and the output layer has L2 balls; weights, not
    units, are ranked in the end.

    SGD's solutions at width 16 have k-support norms of 2 to 3 mean initial norms in the
    hidden matrices and of 13 to 17 in the output's: a radius of 10 binds only there.

    There is no L2 penalty: the ``weight_decay`` of a config is not used.
    """

    ball: norm_balls.Ball
    ball_share: float
    ball_radius: float
    rescale: Rescale
    rates: Literal["schedule", "linear"]
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event to start within the balls, one to prune."""
        setting = (self.ball, self.ball_share, self.ball_radius, self.rescale)
        optimiser = FrankWolfe(*setting)
        plan = Plan.simple(budget, 0, budget.steps, optimiser=optimiser)
        if self.rates == "schedule":
            return plan
        line = schedules.ramp(budget.steps)
        return replace(plan, curves=dict.fromkeys(plan.curves, line))

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Scale into the balls; prune."""
        if view.step == 0:
            setting = (self.ball, self.ball_share, self.ball_radius)
            stack = norm_balls.cells(view.width, *setting)
            return Change(params=norm_balls.inside(stack, view.params)), None
        kept = largest(view, view.keep, self.allocation)
        return Change(masks=masks.with_biases(kept, view.width)), None


def check(table: pd.DataFrame) -> list[Mistake]:
    """An L2 penalty other than the default would be ignored."""
    usual = fields(Config)["weight_decay"].default
    chosen = table[~table["weight_decay"].isin([usual, 0.0])]
    if chosen.empty:
        return []
    value = chosen["weight_decay"].iloc[0]
    text = "sfw has no L2 penalty, since a ball bounds its weights; leave it out"
    return [Mistake("weight_decay", text, value)]


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights to the end, in one training for all configs that share it."""
    kept = np.full((1, len(table)), float(weights))
    return CostProfile(kept, 1 / sharing[None])


ENTRY = Entry(
    build=Sfw,
    summary="Frank-Wolfe towards corners of few weights; pruned once, after training",
    citation="Zimmer et al. 2022, arXiv:2205.11921; Pokutta et al., arXiv:2010.07243",
    taxonomy=Taxonomy(
        unit="weight",
        when="after",
        schedule="once",
        criterion="magnitude",
        cost="dense",
    ),
    options=SfwOptions,
    check=check,
    cost_profile=cost_profile,
    colour="#F0E442",
    marker="P",
)
