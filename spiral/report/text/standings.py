"""The standings of many methods in words and in tables; the numbers are in its JSON."""

import textwrap
from typing import Any

import pandas as pd

from spiral.methods.registry import METHODS
from spiral.report.stats.standings import Standings
from spiral.report.text import comparison

SIZES = (26, 44)
"""Sizes at which the standings show how much the median network misses."""


def table(found: Standings) -> pd.DataFrame:
    """Return the standings of many methods, a line each."""
    shown = found.places[["place", "method", "better", "worse"]].copy()
    shown["epochs"] = [f"{each:.0f}" for each in found.places["epochs"]]
    lines = found.gaps[found.gaps["threshold"] == found.gaps["threshold"].min()]
    needed = {line["method"]: line for line in lines.to_dict("records")}
    shown["median"] = [comparison.count(needed[m], "median") for m in shown["method"]]
    shown["interval"] = [comparison.limits(needed[m]) for m in shown["method"]]
    shown["best"] = [comparison.count(needed[m], "best") for m in shown["method"]]
    missed = found.sizes.set_index(["keep", "method"])["shortfall"]
    for size in SIZES:
        loss = shown["method"].map(missed[size])
        shown[f"misses at {size}"] = [f"{each:.3f}" for each in loss]
    return shown


def document(found: Standings) -> dict[str, Any]:
    """Return all of the standings, for JSON."""
    tables = {"places": found.places, "gaps": found.gaps, "sizes": found.sizes}
    return {
        "width": found.width,
        "notes": found.notes,
        "definitions": {"standing": definition(found)},
        **{name: comparison.records(table) for name, table in tables.items()},
    }


def definition(found: Standings) -> str:
    """Return what the columns of the standings are."""
    accuracy = found.gaps["threshold"].min()
    seeds, tried = found.places["seeds"].min(), found.tried
    setting = found.sizes.iloc[0]
    return (
        f"width {found.width}, {len(tried)} sizes from {tried[0]} to {tried[-1]} "
        f"weights, n = {seeds} seeds each, learning rate {setting['lr']:g}, "
        f"{setting['schedule']} (or a method's own), options at their defaults. place: "
        "1 + how many methods win more than half of their meetings with it (equal seed "
        "and size; a tie, as of two that guess, is half a win; circles leave places "
        "empty); better, worse: than how many others, with 95 % confidence in each; "
        "epochs: trained in all (median); "
        "median, best: the fewest weights with which the median or the best of the "
        f"seeds reaches {accuracy:g}, in brackets what that is over the optimum, with "
        f"an interval of 95 %; > and ≥: not with the most, ≤: with the fewest tried; "
        "misses at k: what the median network loses in accuracy to the best network "
        "known of its size (who guesses loses 0.5). Methods that remove whole units "
        "keep up to the weights asked for, all others exactly so many"
    )


def page(found: Standings) -> str:
    """Return the standings for people."""
    told = textwrap.fill(f"standings: {definition(found)}", 88)
    notes = [textwrap.fill(f"note: {note}", 88) for note in found.notes]
    return "\n".join([told, comparison.as_text(table(found)), *notes])


def markdown(found: Standings) -> str:
    """Return the standings and the names of the methods that have no place."""
    shown = table(found)
    shown["method"] = [f"`{name}`" for name in shown["method"]]
    lines = [[*shown.columns], ["---"] * len(shown.columns), *shown.to_numpy().tolist()]
    others = [f"`{name}`" for name in METHODS if name not in {*found.places["method"]}]
    told = definition(found)
    return "\n".join(
        [
            *("| " + " | ".join(map(str, line)) + " |" for line in lines),
            "",
            textwrap.fill(f"{told[0].upper()}{told[1:]}.", 88),
            textwrap.fill(f"Without a place: {', '.join(others)}.", 88),
        ]
    )
