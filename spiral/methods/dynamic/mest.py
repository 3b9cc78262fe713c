"""``mest``: rewiring with a surplus of weights that shrinks to none."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import rewire, scores, shares
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View

STAGES = (0.5625, 0.75)
"""Where the surplus is halved and ends: epochs 90 and 120 of the authors' 160."""
SURPLUS = {"soft": 0.5, "fixed": 0.2}
"""Of the authors' scripts at 10 % density: 15 % for 10, and 8 % for 10."""
Mode = Literal["soft", "fixed"]
Counts = rewire.LayerCounts


class MestOptions(Options):
    """Options of ``mest``."""

    update_interval: int = rewire.update_interval(
        585, "1.5 epochs of 50; authors' scripts: 5 of 160"
    )
    mode: Mode = Field(
        "soft",
        description="soft (EM&S of the paper): prune to `keep` and grow a surplus; "
        "fixed (EM): prune below `keep` and grow to it",
    )
    surplus: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="weights grown at first at an update, as a share of `keep`; half "
        "as many from 56 % of training on, none from 75 %; None: 0.5 if soft, 0.2 if "
        "fixed (authors' scripts at 10 % density)",
        json_schema_extra=unit("-"),
    )
    gradient_weight: float = Field(
        0.01,
        ge=0,
        description="λ of the score |w| + λ|g|",
        json_schema_extra=unit("-")
        | origin("code of CHT; the authors' command line has 0"),
    )


@dataclass(frozen=True)
class Mest:
    """MEST (Yuan et al., NeurIPS 2021, arXiv:2110.14032).

    Starts from a random mask. An update keeps the weights of each layer with the
    largest |w| + λ|g| and grows others at random places, at value 0: first ``keep``
    and half as many more, later a quarter more, from 75 % of training on ``keep``.

    Departures: counts are exact, where the authors' percentiles drop ties; layers have
    the budgets of ERK, where the authors' configuration files list densities; g is the
    gradient on the coming batch. No gradient of a pruned weight is used.
    There is no ``allocation``: ERK stands for the authors' lists, and a ranking over
    all layers would give the surplus no layer to grow in.
    """

    update_interval: int
    mode: Mode
    surplus: float | None
    gradient_weight: float

    def plan(self, budget: Budget) -> Plan:
        """The first mask, updates, and the last one at 75 %."""
        end = STAGES[1]
        events = rewire.events(budget, self.update_interval, end)
        return Plan.simple(budget, *sorted({*events, budget.at(end)}))

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw the first mask; prune and grow."""
        fewest, most = self._bounds(view)
        if view.step == 0:
            total = most.sum(axis=1)
            return rewire.first(view, total, "erk", "mest"), None
        kept = masks.of_weights(view.masks, view.width)
        staying = rewire.stay(self._worth(view, kept), fewest, view.width)
        gain = most - fewest
        noise = rewire.noise(view, np.flatnonzero(gain.any(axis=1)))
        grown = rewire.grow(staying, noise, gain, view.width)
        return rewire.change(view, staying, grown), None

    def _bounds(self, view: View) -> tuple[Counts, Counts]:
        """Return how many weights of each layer pruning leaves, and growth reaches."""
        passed = sum(view.step >= int(end * view.plan.steps) for end in STAGES)
        bounds = relative(self.mode, self.surplus, passed)
        total = mlp.weight_count(view.width)
        ends = (np.rint(view.keep * part).astype(np.int64) for part in bounds)
        few, many = (
            shares.quotas(np.minimum(n, total), view.width, "erk") for n in ends
        )
        return few, many

    def _worth(self, view: View, kept: rewire.WeightMask) -> np.ndarray:
        """Return |w| + λ|g| of kept weights; others rank below."""
        sizes = scores.sizes_left(view)
        if not self.gradient_weight:
            return sizes
        slopes = rewire.steepness(view, kept)
        return np.where(kept, sizes + self.gradient_weight * slopes, sizes)


def relative(mode: Mode, surplus: float | None, stage: int) -> tuple[float, float]:
    """Return the counts that pruning leaves and growth reaches, relative to ``keep``.

    Args:
        mode: Which of them is ``keep`` itself.
        surplus: The difference in the first stage; None for the authors'.
        stage: 0, 1 or 2.
    """
    share = (SURPLUS[mode] if surplus is None else surplus) * (1, 0.5, 0)[stage]
    return (1.0, 1 + share) if mode == "soft" else (1 - share, 1.0)


def updates(table: pd.DataFrame) -> np.ndarray:
    """Return the number of updates, each with a gradient unless λ is 0."""
    found = rewire.updates(table.assign(update_end=STAGES[1]))
    return np.where(table["gradient_weight"].to_numpy(np.float64) > 0, found, 0.0)


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The three stages."""
    keep = table["keep"].to_numpy(np.float64)
    surplus = table["surplus"].astype(object).where(table["surplus"].notna(), None)
    modes = list(zip(table["mode"], surplus, strict=True))
    most = [[relative(mode, s, stage)[1] for mode, s in modes] for stage in range(3)]
    shares = np.diff([0, *STAGES, 1])
    kept = np.minimum(keep * np.array(most), weights)
    return CostProfile(kept, np.repeat(shares[:, None], len(keep), axis=1))


ENTRY = Entry(
    build=Mest,
    summary="random ERK mask with a shrinking surplus; drops small |w| + λ|g|",
    citation="Yuan et al., NeurIPS 2021, arXiv:2110.14032; code: boone891214/MEST",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="|w| + λ|g|",
        grow="random",
        allocation="erk",
        data="a batch an update",
    ),
    options=MestOptions,
    gradients=updates,
    cost_profile=cost_profile,
    colour="#666633",
    marker="^",
)
