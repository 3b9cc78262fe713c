"""``block``: train the dense d1×d2×d3 block of a wider network."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.model import masks
from spiral.protocol.config import PER_NETWORK, Options, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View

SIZES = ("d1", "d2", "d3")


class BlockOptions(Options):
    """Options of ``block``: hidden units of each layer that stay."""

    d1: int = Field(
        ge=1,
        description="units of hidden layer 1",
        json_schema_extra=PER_NETWORK | unit("units"),
    )
    d2: int = Field(
        ge=1,
        description="units of hidden layer 2",
        json_schema_extra=PER_NETWORK | unit("units"),
    )
    d3: int = Field(
        ge=1,
        description="units of hidden layer 3",
        json_schema_extra=PER_NETWORK | unit("units"),
    )


@dataclass(frozen=True)
class Block:
    """The first phase of the combinatorial search (Zhang & Papyan, ICML 2024).

    The leading units of each layer stay with the initial values of the full width.
    """

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget, 0)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Keep every weight between the leading units."""
        sizes = np.stack([view.options[name] for name in SIZES], axis=1)
        kept = masks.block(view.width, sizes)
        return Change(masks=masks.with_biases(kept, view.width)), None


def check(table: pd.DataFrame) -> list[Mistake]:
    """A block has at most as many units as its network."""
    found = []
    for name in SIZES:
        large = table[table[name] > table["width"]]
        if not large.empty:
            size, width = large[name].iloc[0], large["width"].iloc[0]
            found.append(
                Mistake(name, f"expected at most {width} units, got {size}", size)
            )
    return found


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The weights of the block."""
    d1, d2, d3 = (table[name].to_numpy(np.float64) for name in SIZES)
    return CostProfile.even(2 * d1 + d1 * d2 + d2 * d3 + d3)


ENTRY = Entry(
    build=Block,
    summary="the dense d1×d2×d3 block of a wider network",
    citation="Zhang & Papyan, ICML 2024 (search phase 1)",
    taxonomy=Taxonomy(
        unit="neuron",
        when="before",
        schedule="once",
        criterion="given",
        allocation="given",
        second_phase="train",
    ),
    options=BlockOptions,
    needs_keep=False,
    check=check,
    cost_profile=cost_profile,
    colour="#009E73",
    marker="D",
)
