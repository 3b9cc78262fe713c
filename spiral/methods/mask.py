"""``mask``: train a given mask."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pydantic import Field

from spiral import masks, mlp
from spiral.config import PER_NETWORK, Options
from spiral.job import Budget, Change, Plan, View
from spiral.methods.entry import CostProfile, Entry, Mistake, Taxonomy


class MaskOptions(Options):
    """Options of ``mask``."""

    matrices: str = Field(
        description="the four matrices, input side first, separated by '/'; rows "
        "(output units) by ','; a digit per input: 11,10/11,01/10,01/11",
        json_schema_extra=PER_NETWORK,
    )


def parse(text: str, width: int) -> Bool[np.ndarray, " W"]:
    """Read a mask text into the weight mask of a network of this width.

    The matrices may be smaller than the network; they fill its leading units.

    Raises:
        ValueError: With what was expected and what arrived.
    """
    parts = [part.split(",") for part in text.split("/")]
    if len(parts) != len(mlp.layers(width)):
        raise ValueError(f"expected 4 matrices separated by '/', got {len(parts)}")
    kept = np.zeros(mlp.weight_count(width), bool)
    inputs = mlp.INPUTS
    for number, (rows, layer) in enumerate(
        zip(parts, mlp.layers(width), strict=True), start=1
    ):
        if any(len(row) != inputs or set(row) - {"0", "1"} for row in rows):
            raise ValueError(
                f"matrix {number}: each row needs {inputs} digits 0 or 1, got {rows}"
            )
        if len(rows) > layer.outputs or (number == len(parts) and len(rows) != 1):
            raise ValueError(
                f"matrix {number}: {len(rows)} rows do not fit into {layer.outputs}"
            )
        place = kept[layer.columns].reshape(layer.outputs, layer.inputs)
        place[: len(rows), :inputs] = np.array([list(row) for row in rows]) == "1"
        inputs = len(rows)
    return kept


@dataclass(frozen=True)
class GivenMask:
    """The second phase of the combinatorial search (Zhang & Papyan, ICML 2024)."""

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget, 0)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Keep the weights of the given mask."""
        kept = np.stack([parse(text, view.width) for text in view.options["matrices"]])
        return Change(masks=masks.with_biases(kept, view.width)), None


def check(table: pd.DataFrame) -> list[Mistake]:
    """Every text must be a mask that fits; only one of those of equal form is read."""
    pairs = table[["matrices", "width"]].drop_duplicates()
    forms = pairs["matrices"].str.replace("1", "0", regex=False)
    found = []
    for _, alike in pairs.groupby([forms, "width"], sort=False):
        for text, width in alike.itertuples(index=False):
            try:
                parse(text, int(width))
                break
            except ValueError as error:
                message = f"{text!r} in width {width}: {error}"
                found.append(Mistake("matrices", message, text))
    return found


def cost_profile(table: pd.DataFrame, weights: int, twins: np.ndarray) -> CostProfile:
    """The ones of the mask."""
    return CostProfile.even(
        np.array([text.count("1") for text in table["matrices"]], np.float64)
    )


ENTRY = Entry(
    build=GivenMask,
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
