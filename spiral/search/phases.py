"""The two phases of the search: their grids, and summaries of their rows.

Phase 1 trains dense blocks. A shape that reaches a threshold is *minimal* if no other
shape that reaches it is at most as large in all three layers. Phase 2 trains every mask
of some shapes.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spiral.search.burnside import count
from spiral.search.shape import Shape, checked, dashed, outline, span

SIZES = ["d1", "d2", "d3"]
COLUMNS = ["config_id", "accuracy", "nnz", "nnz_params", "mask", "matrices", *SIZES]
"""Columns needed of a row."""


@dataclass(frozen=True)
class Settings:
    """The training settings of a network, written as in a grid file."""

    lr: str = "0.05, 0.1"
    schedule: str = "constant, cosine, step"
    seeds: int = 1

    def spell(self) -> str:
        """Return the settings as part of a grid file."""
        lists = f"lr: [{self.lr}], schedule: [{self.schedule}]"
        return f"width: 16, {lists}, seed: 0..{self.seeds - 1}"


def shapes_grid(largest: Shape, settings: Settings) -> str:
    """Return the grid of phase 1: all dense blocks that fit into the largest."""
    pairs = zip(SIZES, largest, strict=True)
    ranges = ", ".join(f"{d}: 1..{size}" for d, size in pairs)
    return f"{{name: shapes, method: block, {ranges}, {settings.spell()}}}\n"


def masks_grid(shapes: Iterable[Shape], nnz: str | None, settings: Settings) -> str:
    """Return the grid of phase 2: one mask of each orbit of these shapes.

    Args:
        shapes: Hidden units; shapes without masks in the range are left out.
        nnz: Weights, output layer included: ``20..22``; all by default.
        settings: Training settings.

    Raises:
        ValueError: No shape has a mask in the range.
    """
    wanted = None if nnz is None else span(nnz)
    some = [shape for shape in shapes if count(shape, wanted).canonical]
    if not some:
        raise ValueError(
            f"--nnz {nnz}: no mask of these shapes has as many weights; change --nnz "
            "or --shape"
        )
    extra = "" if nnz is None else f", nnz: {nnz}"
    lines = [
        f"  {dashed(shape)}: {{matrices: {{orbits: {{shape: {[*shape]}{extra}}}}}}}"
        for shape in dict.fromkeys(some)
    ]
    defaults = f"defaults: {{method: mask, {settings.spell()}}}"
    return "\n".join(["name: masks", defaults, "blocks:", *lines, ""])


def minimal(shapes: Collection[Shape]) -> list[Shape]:
    """Return the shapes of which no other is at most as large in all layers, sorted."""
    sizes = np.array(sorted(set(shapes))).reshape(-1, 3)
    below = (sizes[:, None] <= sizes).all(axis=2).sum(axis=0)  # 1 is the shape itself
    return [(a, b, c) for a, b, c in sizes[below == 1].tolist()]


def reached(rows: pd.DataFrame, threshold: float) -> list[Shape]:
    """Return the shapes with a training that reached a threshold, sorted."""
    texts = names(rows[rows["accuracy"] >= threshold]).unique()
    return sorted(checked([int(size) for size in text.split("-")]) for text in texts)


def summary(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Summarise each shape: trainings that reached a threshold, and the sparsest one.

    Args:
        rows: Rows of either phase, with ``COLUMNS``.
        threshold: Accuracy.

    Returns:
        One row per shape: ``shape``, ``threshold``, ``networks``, ``trainings``,
        ``hits``; and for the hit with the fewest weights (the most accurate of several)
        ``weights``, ``params``, ``accuracy`` and ``config_id``, or nulls.
    """
    rows = rows.assign(shape=names(rows), threshold=threshold)
    rows["hits"] = rows["accuracy"] >= threshold
    groups = rows.groupby(["shape", "threshold"])
    table = groups.agg(trainings=("hits", "size"), hits=("hits", "sum"))
    table.insert(0, "networks", groups["mask"].nunique())
    order = ["nnz", "accuracy", "config_id"]
    hits = rows[rows["hits"]].sort_values(order, ascending=[True, False, True])
    best = hits.drop_duplicates("shape").set_index(["shape", "threshold"])
    best = best.rename(columns={"nnz": "weights", "nnz_params": "params"})
    return table.join(
        best[["weights", "params", "accuracy", "config_id"]]
    ).reset_index()


def smallest(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Return the summary of the minimal shapes."""
    found = summary(rows, threshold)
    least = map(dashed, minimal(reached(rows, threshold)))
    return found[found["shape"].isin([*least])]


def names(rows: pd.DataFrame) -> pd.Series:
    """Return the shape of each row's network as a string."""
    first, second, third = (rows[size].astype("string") for size in SIZES)
    texts = rows["matrices"]
    known = {text: dashed(outline(text)) for text in texts.dropna().unique()}
    return texts.map(known).astype("string").fillna(first + "-" + second + "-" + third)
