"""The table of the paper's search: what its two phases find when they are repeated."""

from functools import cache
from typing import NamedTuple

import pandas as pd
from scipy.stats import binomtest

from spiral.protocol import identity
from tests.golden.findings import NINE, Lines, gaps_over_widths, rows_of


class Phase(NamedTuple):
    """A block of the paper's grids."""

    says: str
    summary: str
    method: str
    units: int | None
    """Of the first layer of the shape whose masks it trains."""


PHASES = (
    Phase("dense blocks", "random_init", "block", None),
    Phase("masks within 3-3-3", "random_init", "mask", 3),
    Phase("masks within 7-3-3", "random_init", "mask", 7),
    Phase("dense blocks, one draw (95 %)", "fixed_init_95", "block", None),
    Phase("masks within 3-2-2, one draw", "fixed_init_95", "mask", 3),
    Phase("dense blocks, one draw (99.5 %)", "fixed_init_995", "block", None),
    Phase("masks within 6-3-2, one draw", "fixed_init_995", "mask", 6),
)
HEAD = [
    *("what is trained", "networks", "trainings", "reach 95 %", "share"),
    *("fewest for 95 %", "reach 99.5 %", "fewest for 99.5 %"),
]


def phases() -> Lines:
    """Return for each phase how many trainings reach the paper's accuracies."""
    return HEAD, [_line(phase, of_phase(phase)) for phase in PHASES]


@cache
def _summary(name: str) -> pd.DataFrame:
    """Return the rows of a shipped summary; half a million take seconds to read."""
    return rows_of(name)


def of_phase(phase: Phase) -> pd.DataFrame:
    """Return the rows of a phase, with weights and biases counted together."""
    rows = _summary(phase.summary)
    rows = rows[rows["method"] == phase.method]
    if phase.method == "block":
        sizes = rows[["d1", "d2", "d3"]]
        name = sizes.astype(str).agg("-".join, axis=1)
        return rows.assign(name=name, units=sizes.sum(axis=1))
    layers = rows["matrices"].str.split("/")
    counts = [[len(rows.split(",")) for rows in each[:3]] for each in layers]
    units = pd.Series([sum(each) for each in counts], rows.index)
    rows = rows.assign(name=rows["matrices"], units=units)
    return rows[[each[0] == phase.units for each in counts]]


def _line(phase: Phase, rows: pd.DataFrame) -> list[str]:
    """Return the line of one phase."""
    hits = [rows[rows["accuracy"] >= least] for least in (0.95, 0.995)]
    limits = binomtest(len(hits[0]), len(rows)).proportion_ci(method="wilson")
    share = f"{_percent(len(hits[0]) / len(rows))} ({_percent(limits.low)}–"
    return [
        phase.says,
        f"{rows['name'].nunique():,}",
        f"{len(rows):,}",
        f"{len(hits[0]):,}",
        f"{share}{_percent(limits.high)} %)",
        _fewest(hits[0]),
        f"{len(hits[1]):,}",
        _fewest(hits[1]),
    ]


def _percent(share: float) -> str:
    """Return a share in percent, to two digits."""
    return f"{100 * share:.2g}"


def _fewest(hits: pd.DataFrame) -> str:
    """Return the fewest weights of hits, and with the biases."""
    if hits.empty:
        return "–"
    weights = hits["nnz"].astype(int)
    params = weights + hits["units"].astype(int) + 1
    return f"{weights.min()} ({params.min()})"


FIXED = {"fixed_init_95": 0.95, "fixed_init_995": 0.995}
"""The grids that start from one draw of initial weights, and their thresholds."""


def fixed() -> Lines:
    """Return what pruners reach from weights from which a sparse network is known."""
    head, columns = ["method"], []
    for name, least in FIXED.items():
        rows = _summary(name)
        found = rows.groupby("method")["accuracy"].agg(["size", "max"])
        found["hits"] = (rows["accuracy"] >= least).groupby(rows["method"]).sum()
        hits = rows[rows["accuracy"] >= least]
        found["fewest"] = hits.groupby("method")["nnz"].min()
        columns.append(found)
        percent = f"{100 * least:g} %"
        head += [f"best, {percent} grid", f"reach {percent}", "fewest weights"]
    order = [*NINE, "block", "mask"]
    return head, [
        [f"`{name}`", *(cell for found in columns for cell in _cells(found.loc[name]))]
        for name in order
    ]


def _cells(found: pd.Series) -> list[str]:
    """Return the best accuracy, hits of trainings, and weights of the smallest hit."""
    fewest = "–" if pd.isna(found["fewest"]) else str(int(found["fewest"]))
    hits = f"{int(found['hits']):,} of {int(found['size']):,}"
    return [f"{found['max']:.4f}", hits, fewest]


def exact() -> Lines:
    """Return how the paper's pruners do as published, beside as its code has them.

    The gaps of :func:`findings.published`, then the hits from fixed initial weights.
    """
    rows = _summary("exact")
    drawn = rows["seed"] >= identity.LEAST_FRESH
    ours = gaps_over_widths(rows[drawn])
    theirs = gaps_over_widths(rows_of("random_init", method=NINE))[[*ours]]
    cells = theirs.map("{:.2f}".format) + " → " + ours.map("{:.2f}".format)
    head = ["method", *(f"width {width}" for width in ours)]
    order = ours.sort_values(int(ours.columns.max())).index
    lines = [[f"`{name}`", *cells.loc[name]] for name in order]
    for name, least in FIXED.items():
        head.append(f"reach {100 * least:g} %")
        init = _summary(name)["init_seed"].iloc[0]
        same = rows[~drawn & (rows["init_seed"] == init)]
        for line in lines:
            method = line[0].strip("`")
            found = same.loc[same["method"] == method, "accuracy"]
            line.append(f"{(found >= least).sum():,} of {len(found):,}")
    return head, lines
