"""The standings of many methods in words and in tables; the numbers are in its JSON."""

import json
import textwrap
from typing import Any

import pandas as pd

from spiral.methods import METHODS
from spiral.report import tell
from spiral.report.standings import Standings

SIZES = (26, 44)
"""Sizes at which the standings show how much the median network misses."""


def table(found: Standings) -> pd.DataFrame:
    """Return the standings of many methods, a line each."""
    shown = found.places[["place", "method", "better", "worse"]].copy()
    lines = found.gaps[found.gaps["threshold"] == found.gaps["threshold"].min()]
    needed = {line["method"]: line for line in lines.to_dict("records")}
    for name in ("median", "best"):
        shown[name] = [tell.count(needed[m], name) for m in shown["method"]]
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
        "definitions": {"standing": definition(found)},
        **{
            name: json.loads(table.to_json(orient="records", double_precision=15))
            for name, table in tables.items()
        },
    }


def definition(found: Standings) -> str:
    """Return what the columns of the standings are."""
    accuracy = found.gaps["threshold"].min()
    seeds = found.places["seeds"].min()
    return (
        "place: behind all that win more than half of their meetings with it (equal "
        "seeds, widths and sizes, a tie is half a win); better, worse: than how many, "
        f"with 95 % confidence each; median, best: the fewest weights at width "
        f"{found.width} with which the median or the best of n = {seeds} seeds reaches "
        f"{accuracy:g}, in brackets what that is over the optimum; misses: what the "
        "median network loses in accuracy to the best network known of its size"
    )


def page(found: Standings) -> str:
    """Return the standings for people."""
    told = textwrap.fill(f"standings: {definition(found)}", 88)
    return f"{told}\n{tell.as_text(table(found))}"


def markdown(found: Standings) -> str:
    """Return the standings with what each method is, and those that have no place."""
    shown = table(found)
    known = [METHODS[name] for name in shown["method"]]
    said = [f"{each.summary} ({each.citation})" for each in known]
    shown["what it is"] = [each.replace("|", r"\|") for each in said]
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
