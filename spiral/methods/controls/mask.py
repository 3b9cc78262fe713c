"""``mask``: train a given mask, or evaluate a network that another program trained."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy, without_effect
from spiral.methods.parts import cycles
from spiral.model import initial, mask_text, masks
from spiral.protocol.config import PER_NETWORK
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View


class MaskOptions(cycles.CyclicOptions):
    """Options of ``mask``."""

    matrices: str = Field(
        description="the four matrices, input side first, separated by '/'; rows "
        "(output units) by ','; a digit per input: 11,10/11,01/10,01/11",
        json_schema_extra=PER_NETWORK,
    )
    train: bool = Field(
        True,
        description="whether it is trained; otherwise the network of init is evaluated "
        "as it is, under the mask",
    )


@dataclass(frozen=True)
class GivenMask:
    """The second phase of the combinatorial search (Zhang & Papyan, ICML 2024).

    With ``train: false``, masks and weights of other programs become rows, so that a
    pruner can be compared without porting it.
    """

    train: bool = True

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget if self.train else replace(budget, epochs=0), 0)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Keep the weights of the given mask."""
        kept = np.stack(
            [mask_text.parse(text, view.width) for text in view.options["matrices"]]
        )
        return Change(masks=masks.with_biases(kept, view.width)), None


def check(table: pd.DataFrame) -> list[Mistake]:
    """Every text must be a mask that fits; only one of those of equal form is read.

    Every cycle needs an epoch, and a network that is not trained a file.
    """
    pairs = table[["matrices", "width"]].drop_duplicates()
    forms = pairs["matrices"].str.replace("1", "0", regex=False)
    found = cycles.check(table)
    for _, alike in pairs.groupby([forms, "width"], sort=False):
        for text, width in alike.itertuples(index=False):
            try:
                mask_text.parse(text, int(width))
                break
            except ValueError as error:
                message = f"{text!r} in width {width}: {error}"
                found.append(Mistake("matrices", message, text))
    return found + _untrained(table)


def _untrained(table: pd.DataFrame) -> list[Mistake]:
    """Networks that are evaluated as they are come from files, and have no cycles."""
    as_it_is = ~table["train"].astype(bool)
    found = without_effect(
        table, "schedule_cycles", 1, as_it_is, "train: false, which trains nothing"
    )
    drawn = [source for source in table["init"][as_it_is] if initial.drawn(source)]
    if drawn:
        message = f"train: false needs the file of a network as init, got {drawn[0]}"
        found.append(Mistake("train", message, False))
    return found


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The ones of the mask; evaluation is free."""
    return CostProfile.even(table["matrices"].str.count("1").to_numpy(np.float64))


ENTRY = Entry(
    build=cycles.cyclic(GivenMask),
    summary="a given mask",
    citation="Zhang & Papyan, ICML 2024 (search phase 2)",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="once",
        criterion="given",
        allocation="given",
        second_phase="train",
    ),
    options=MaskOptions,
    needs_keep=False,
    check=check,
    cost_profile=cost_profile,
    colour="#CC79A7",
    marker="v",
)
