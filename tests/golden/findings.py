"""Tables of the findings: what the shipped summaries say, computed anew each time."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import pandas as pd

from spiral.methods import registry
from spiral.report.stats import compare, multiple, normalised_gap, standings
from spiral.report.stats.ablation import ablation
from spiral.report.stats.connection import connection
from spiral.report.stats.pairwise import pairwise
from spiral.report.stats.row_filter import select
from spiral.report.stats.selection import codes
from spiral.report.text import scores as scores_text
from spiral.report.text.document import interval
from spiral.results import load, summary
from spiral.search import best_known

Lines = tuple[list[str], list[list[str]]]
"""The head of a table, and its lines."""

WIDTHS = (16, 64)
NINE = [
    *("gmp", "lth", "snip", "iter_snip", "force", "grasp", "synflow", "prospr", "rigl")
]
"""The pruners of Zhang & Papyan."""


class Part(NamedTuple):
    """One option of a method, compared at two values, all else being equal."""

    says: str
    summary: str
    method: str
    option: str
    better: object
    other: object


PARTS = (
    Part(
        "momentum kept at each switch",
        "training_methods",
        "acdc",
        "buffers",
        "kept",
        "reset",
    ),
    Part(
        "label smoothing of 0.1", "training_methods", "acdc_pp", "smoothing", 0.1, 0.0
    ),
    Part("ALLR", "training_methods", "imp", "retraining", "allr", "ft"),
    Part("LLR", "training_methods", "imp", "retraining", "llr", "ft"),
    Part("ALLR", "training_methods", "imp", "retraining", "allr", "llr"),
    Part(
        "ranking over all layers", "training_methods", "ste", "scope", "global", "layer"
    ),
    Part(
        "ranking over all layers",
        "training_methods",
        "mdgf_exp",
        "scope",
        "global",
        "layer",
    ),
    Part(
        "ranking over all layers",
        "training_methods",
        "sdgf_step",
        "scope",
        "global",
        "layer",
    ),
    Part("full gradient", "training_methods", "mdgf_exp", "gradient", "chain", "ste"),
    Part("k-support ball", "training_methods", "sfw", "ball", "k_support", "l2"),
    Part(
        "rescaling by the gradient",
        "training_methods",
        "sfw",
        "rescale",
        "gradient",
        "diameter",
    ),
    Part("before training", "structured", "spa", "at_epoch", 0, 50),
    Part("random data", "structured", "obspa", "samples", "free", "id"),
    Part("200 epochs", "budgets", "gmp", "epochs", 200, 50),
    Part("500 epochs", "budgets", "gmp", "epochs", 500, 50),
    Part("500 epochs", "budgets", "acdc_pp", "epochs", 500, 50),
)


def rows_of(name: str, **where: Sequence[str]) -> pd.DataFrame:
    """Return rows of a shipped summary that have some values."""
    values = {key: [*some] for key, some in where.items()}
    return select(_every(name), values, registry.known())


@cache
def _every(name: str) -> pd.DataFrame:
    """Return all rows of a shipped summary; half a million take seconds to read."""
    return load.read([summary.shipped(name)], registry.options()).rows


def parts() -> Lines:
    """Return what parts of methods are worth, a line for each part and width."""
    lines = []
    for part in PARTS:
        rows = rows_of(part.summary, method=[part.method])
        rows = rows[rows[part.option].isin([part.better, part.other])]
        for width in WIDTHS:
            found = _duel(rows[rows["width"] == width], part)
            if found is not None:
                lines.append((part, width, found))
        assert lines[-1][0] == part, f"{part}: no rows to compare"
    p = pd.Series([found["p"] for *_, found in lines])
    corrected = multiple.holm(p.to_numpy(float), p.to_numpy(int) * 0)
    head = ["method", "what", "against", "width", "P(better)", "p (Holm)", "n", "pairs"]
    return head, [
        [
            f"`{part.method}`",
            f"{part.says} (`{part.option}: {part.better}`)",
            f"`{part.other}`",
            str(width),
            f"{found['probability']:.2f} ({interval(found['low'], found['high'], 2)})",
            f"{value:.3f}" if value >= 0.001 else "< 0.001",
            str(found["n"]),
            str(found["pairs"]),
        ]
        for (part, width, found), value in zip(lines, corrected, strict=True)
    ]


def _duel(rows: pd.DataFrame, part: Part) -> dict[str, float] | None:
    """Return how one value compares with the other at equal settings."""
    if rows[part.option].nunique() < 2:
        return None
    question = compare.Question(by=(part.option, "width"), equal_settings=True)
    found = pairwise(question.choose(rows))
    found = found[found["keep"].isna()]
    if found.empty:
        return None
    line = found.to_dict("records")[0]
    if line["a"] == part.better:
        return line
    low, high = 1 - line["high"], 1 - line["low"]
    turned = {"probability": 1 - line["probability"], "low": low, "high": high}
    return line | turned


def leaders(name: str = "leaders", width: int = 16) -> Lines:
    """Return gaps and ranks of the rows of a summary at a width."""
    rows = rows_of(name, width=[str(width)])
    found = standings.standings(rows, best_known.load(), registry.options())
    table = scores_text.shown(found.scores, ["method"])
    names = ["rank", "method", "gap", "gap_protocol", "strength", "n"]
    table["method"] = [f"`{method}`" for method in table["method"]]
    return names, table[names].astype(str).to_numpy().tolist()


def widths() -> Lines:
    """Return the gaps of the paper's pruners at default settings at two widths.

    Each cell also has the share of networks without a path from input to output.
    """
    rows = rows_of("standard", method=NINE, lr=["0.1"], schedule=["cosine"])
    rows = rows[rows["width"].isin(WIDTHS)].reset_index(drop=True)
    choice = compare.Question().choose(rows)
    table = normalised_gap.of_lines(choice, best_known.load(), "protocol")
    apart = connection(choice).groupby(["method", "width"])["connected"].mean()
    table = table.join(apart, on=["method", "width"])
    table["cell"] = [
        f"{gap:.2f} ({interval(low, high, 2)}); {100 - 100 * connected:.0f} %"
        for gap, low, high, connected in table[
            ["gap", "gap_low", "gap_high", "connected"]
        ].itertuples(index=False)
    ]
    cells = table.pivot(index="method", columns="width", values="cell").fillna("–")
    gaps = table.pivot(index="method", columns="width", values="gap")
    order = gaps.sort_values([*reversed(WIDTHS)]).index
    head = ["method", *(f"width {width}" for width in cells)]
    return head, [[f"`{name}`", *cells.loc[name]] for name in order]


SPAN = (16, 40)
"""Weights that the paper's grid has at every width from 4."""


def published() -> Lines:
    """Return the gaps of the paper's own grid: its code, fresh seeds, best of nine."""
    gaps = gaps_over_widths(rows_of("random_init", method=NINE))
    order = gaps.sort_values(int(gaps.columns.max())).index
    head = ["method", *(f"width {width}" for width in gaps)]
    return head, [
        [f"`{name}`", *(f"{gap:.2f}" for gap in gaps.loc[name])] for name in order
    ]


def gaps_over_widths(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the gap of each method (a line) at each width from 4 (a column)."""
    rows = rows[rows["width"] > 3].reset_index(drop=True)
    choice = compare.Question().choose(rows)
    known = best_known.load()
    seeds = normalised_gap.of_seeds(choice, known, "protocol", SPAN)
    assert set(seeds["least"]) == {SPAN[0]}
    assert set(seeds["most"]) == {SPAN[1]}
    _, lines = codes(choice.groups, choice.by)
    table = lines.join(normalised_gap.with_limits(seeds, len(lines)))
    return table.pivot(index="method", columns="width", values="gap")


def masks() -> Lines:
    """Return what masks are worth without their weights, at 44 and 65 weights."""
    rows = rows_of("recipes")
    table = ablation(rows, best_known.load())
    shown = table[table["keep"].isin([44, 65]) & table["width"].isin(WIDTHS)]
    names = ["method", "width", "keep", "own", "mask", "shuffled", "n"]
    lines = shown.sort_values(["width", "keep", "own"], ascending=[True, True, False])
    return names, [
        [
            f"`{line['method']}`",
            str(line["width"]),
            str(line["keep"]),
            *(f"{line[name]:.2f}" for name in ("own", "mask", "shuffled")),
            str(line["n"]),
        ]
        for line in lines.to_dict("records")
    ]
