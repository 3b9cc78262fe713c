"""The document of the standings: all shipped methods ranked among each other."""

import pandas as pd

from spiral.report.stats.standings import Standings
from spiral.report.text import comparison
from spiral.report.text.document import Document, Table

SIZES = (26, 44)
"""Sizes at which the standings show the accuracy gap of the median network."""


def document(found: Standings) -> Document:
    """Return all of the standings."""
    ranks = Table(title(found), found.ranks, table(found), definitions(found))
    raw = {"excess": found.excess, "sizes": found.sizes}
    facts = {"width": found.width}
    rest = {name: Table(name, each) for name, each in raw.items()}
    return Document({"ranks": ranks} | rest, found.notes, facts=facts)


def table(found: Standings) -> pd.DataFrame:
    """Return the standings of many methods, a line each."""
    shown = found.ranks[["rank", "method", "better", "worse"]].copy()
    shown["epochs"] = [f"{each:.0f}" for each in found.ranks["epochs"]]
    lowest = found.excess["threshold"] == found.excess["threshold"].min()
    lines = found.excess[lowest].set_index("method").loc[shown["method"]]
    for cells in (comparison.needed(lines), comparison.yardsticks(lines)):
        shown = shown.join(cells.set_axis(shown.index))
    gaps = found.sizes.set_index(["keep", "method"])["accuracy_gap"]
    for size in SIZES:
        each = shown["method"].map(gaps[size])
        shown[f"accuracy gap at {size}"] = [f"{gap:.3f}" for gap in each]
    return shown


def title(found: Standings) -> str:
    """Return what was compared."""
    seeds, tried = found.ranks["seeds"].min(), found.tried
    setting = found.sizes.iloc[0]
    return (
        f"Methods at width {found.width}, {len(tried)} sizes from {tried[0]} to "
        f"{tried[-1]} weights, n = {seeds} seeds each, learning rate "
        f"{setting['lr']:g}, schedule {setting['schedule']} (unless the method sets "
        "its own), options at their defaults"
    )


def definitions(found: Standings) -> dict[str, str]:
    """Return what the columns of the standings mean."""
    lowest = found.excess.sort_values("threshold").iloc[0]
    accuracy, fewest = f"{lowest['threshold']:g}", lowest["best_known"]
    known = "none known" if pd.isna(fewest) else f"{fewest} weights"
    gap = (
        "accuracy of the best network known of this size, found by any means and no "
        "wider, minus the median; chance level loses 0.5"
    )
    return {
        "rank": "1 + the number of methods with a probability of improvement over this "
        "one above 0.5, in pairs of equal seed and size, a tie counting half; "
        "non-transitive results skip ranks",
        "better": "number of methods it is better than, with 95 % confidence in each",
        "worse": "number of methods it is worse than, with 95 % confidence in each",
        "epochs": "epochs trained in total (median)",
        "median": "fewest weights with which the median of the seeds reaches "
        f"{accuracy}; in brackets the excess over the best known by any means "
        f"({known}); > none of the sizes tried reaches it, ≤ the smallest size tried "
        "does. Methods that remove whole units keep at most the weights asked for, all "
        "others exactly as many",
        "interval": "95 % confidence interval of that number of weights",
        "best": "the same for the best of the seeds",
        **comparison.YARDSTICKS,
        **{f"accuracy gap at {size}": gap for size in SIZES},
    }
