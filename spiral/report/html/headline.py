"""The numbers at the top of a page: the best known sizes and the closest pruners."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from spiral.report.figures.layout import counted
from spiral.report.stats.selection import GIVEN
from spiral.report.text import comparison


class Number(NamedTuple):
    """One number, what it counts, and how sure it is."""

    value: str
    label: str
    detail: str


def of(excess: pd.DataFrame, by: Sequence[str]) -> list[Number]:
    """Return for each threshold the best known size, and the closest pruned group.

    Args:
        excess: As ``excess.excess_weights`` returns it.
        by: The columns that name a group.
    """
    found = []
    for threshold, part in excess.groupby("threshold"):
        level = f"{100 * float(str(threshold)):g} %"
        if "best_known" in part and part["best_known"].notna().any():
            fewest = part["best_known"].min()
            label = f"weights reach {level}"
            found.append(Number(f"{fewest}", label, _yardsticks(part)))
        found.append(_nearest(part, by, level))
    return found


def _yardsticks(part: pd.DataFrame) -> str:
    """Return by which means the fewest weights are known, and what others need."""
    trained = part["best_known_protocol"].min()
    also = "no network" if pd.isna(trained) else f"{trained} weights"
    return (
        "the fewest known by any means, in a network no wider than these; trained as "
        f"in the paper, {also} {'does' if pd.isna(trained) else 'do'}"
    )


def _nearest(part: pd.DataFrame, by: Sequence[str], level: str) -> Number:
    """Return the group whose median needs the fewest weights."""
    pruned = part
    if "method" in part:
        pruned = part[~part["method"].isin(["dense", *GIVEN])]
    reaching = pruned[pruned["median"].notna()]
    if reaching.empty:
        label = f"no median reaches {level}"
        return Number("—", label, f"{len(pruned)} groups of pruners, at any size tried")
    order = reaching.sort_values(["median", "best", "any"], kind="stable")
    line = order.head(1).to_dict("records")[0]
    name = ", ".join(_named(line, column) for column in by)
    value = comparison.count(line, "median")
    return Number(value, f"weights for {name}", _detail(line, level))


def _named(line: dict[Any, Any], column: str) -> str:
    """Return the value of a column as a name."""
    return str(line[column]) if column == "method" else f"{column} {line[column]}"


def _detail(line: dict[Any, Any], level: str) -> str:
    """Return how sure a line is."""
    limits = comparison.limits(line)
    sure = "no interval" if limits == "-" else f"95 % interval {limits}"
    count = counted([line["median_n"]], "seeds")
    return f"fewest of any pruner whose median reaches {level}; {sure}; {count}"
