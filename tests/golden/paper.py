"""The table of the paper's search: what its two phases find when they are repeated."""

from typing import NamedTuple

import numpy as np
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


def of_phase(phase: Phase) -> pd.DataFrame:
    """Return the rows of a phase, with weights and biases counted together."""
    rows = rows_of(phase.summary)
    rows = rows[rows["method"] == phase.method]
    if phase.method == "block":
        sizes = [rows[name] for name in ("d1", "d2", "d3")]
        first, *others = (size.astype("string") for size in sizes)
        return rows.assign(name=first.str.cat(others, "-"), units=sum(sizes))
    code, masks = pd.factorize(rows["matrices"])  # many rows have the same mask
    layers = [text.split("/")[:3] for text in masks]
    units = np.array([[layer.count(",") + 1 for layer in each] for each in layers])
    rows = rows.assign(name=rows["matrices"], units=units.sum(1)[code])
    return rows[units[code, 0] == phase.units]


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

DRAWN = 16
"""The width of these draws; networks of other widths draw others from the same seed."""


def fixed() -> Lines:
    """Return what pruners reach from weights from which a sparse network is known."""
    head, columns = ["method"], []
    for name, least in FIXED.items():
        rows = rows_of(name)
        rows = rows[rows["width"] == DRAWN]
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


EXACT_WIDTHS = (4, 8, 16, 64, 128, 256)


def exact() -> Lines:
    """Return how the paper's pruners do as published, beside as its code has them.

    The gaps of :func:`findings.published` at some widths, then the hits from fixed
    initial weights.
    """
    rows = rows_of("exact")
    drawn = rows["seed"] >= identity.LEAST_FRESH
    pair = [
        gaps_over_widths(each)
        .reindex(columns=EXACT_WIDTHS)
        .map("{:.2f}".format)
        .replace("nan", "–")
        for each in (rows_of("random_init", method=NINE), rows[drawn])
    ]
    cells = pair[0] + " → " + pair[1]
    head = ["method", *(f"width {width}" for width in cells)]
    lines = [[f"`{name}`", *cells.loc[name]] for name in NINE]
    for name, least in FIXED.items():
        head.append(f"reach {100 * least:g} %")
        same = rows[~drawn & _from_draw_of(name, rows) & (rows["width"] == DRAWN)]
        for line in lines:
            found = same[same["method"] == line[0].strip("`")]
            line.append(_reached(found, least))
    return head, lines


def _from_draw_of(grid: str, rows: pd.DataFrame) -> pd.Series:
    """Return which rows start from the draw that a grid of one draw has."""
    (draw,) = rows_of(grid)["init_seed"].unique()
    same: pd.Series = rows["init_seed"] == draw
    return same


def _reached(rows: pd.DataFrame, least: float) -> str:
    """Return the hits of trainings, and the weights of the smallest hit."""
    hits = rows.loc[rows["accuracy"] >= least, "nnz"]
    fewest = "" if hits.empty else f"; {hits.min()} weights"
    return f"{len(hits):,} of {len(rows):,}{fewest}"


CODES = {"zp24": "the paper's code", "exact": "as published"}
"""Values of ``fidelity``, in words."""


def same_draw() -> Lines:
    """Return what pruners reach at the width of the best block found, from its draw.

    Cells have the best accuracy, hits of trainings, and weights of the smallest hit.
    """
    every = rows_of("same_draw")
    head, lines = ["method"], [[f"`{name}`"] for name in NINE]
    for grid, least in FIXED.items():
        here = every[_from_draw_of(grid, every)]
        for fidelity, says in CODES.items():
            rows = here[here["fidelity"] == fidelity]
            head.append(f"width {rows['width'].iloc[0]}, {100 * least:g} %: {says}")
            for name, line in zip(NINE, lines, strict=True):
                found = rows[rows["method"] == name]
                best = f"{found['accuracy'].max():.4f}"
                line.append(f"{best}; {_reached(found, least)}")
    return head, lines


def draws() -> Lines:
    """Return in how many draws of initial weights what is trained reaches 95 %.

    In all, and in those in which a block does; and the fewest weights that reach it, in
    the best draw and in the middle of those that do.
    """
    rows = rows_of("draws")
    wide = rows["width"] == DRAWN
    kinds = {
        "a block": rows["method"] == "block",
        "`gmp`, width 3": (rows["method"] == "gmp") & ~wide,
        f"`gmp`, width {DRAWN}": (rows["method"] == "gmp") & wide,
    }
    every, lines, holding = set(rows["init_seed"]), [], set[int]()
    for says, of in kinds.items():
        hits = rows[of & (rows["accuracy"] >= 0.95)]
        fewest = hits.groupby("init_seed")["nnz"].min()
        holding = holding or {*fewest.index}
        lines.append(
            [
                says,
                f"{of.sum() // len(every):,}",
                f"{len(fewest)} of {len(every)}",
                f"{len(holding & {*fewest.index})} of {len(holding)}",
                f"{len(hits):,} of {of.sum():,}",
                f"{fewest.min()} (median {fewest.median():g})",
            ]
        )
    head = ["what is trained", "trainings of a draw", "draws that reach 95 %"]
    head += ["of those with such a block", "trainings that reach", "fewest weights"]
    return head, lines


SMALL, MIDDLE = range(13, 16), range(22, 26)
"""The sizes of `search/pruners`: those of the smallest networks known that are trained
as the paper trains and reach 95 %, and 99.5 %."""


def pruners() -> Lines:
    """Return what pruners reach from many draws at the sizes of the smallest networks.

    Beside them the masks of the paper's search that have these sizes. The fewest
    weights are those on a path from input to output.
    """
    rows = rows_of("pruners")
    trained = {f"`{name}`": own for name, own in rows.groupby("method")}
    masks = of_phase(PHASES[1])
    trained[PHASES[1].says] = masks.assign(keep=masks["nnz"])
    reach = [(SMALL, 0.95), (MIDDLE, 0.95), (MIDDLE, 0.995)]
    head = ["what is trained"]
    for sizes, least in reach:
        head.append(f"{min(sizes)} to {max(sizes)} weights: reach {100 * least:g} %")
    head += [f"fewest for {100 * least:g} %" for least in (0.95, 0.995)]
    lines = []
    for name, own in sorted(trained.items(), key=lambda item: -_success(item[1])):
        line = [name]
        for sizes, least in reach:
            part = own[own["keep"].isin(sizes)]
            hits = int((part["accuracy"] >= least).sum())
            line.append(f"{hits:,} of {len(part):,} ({_percent(hits / len(part))} %)")
        both = own[own["keep"].isin([*SMALL, *MIDDLE])]
        for least in (0.95, 0.995):
            found = both.loc[both["accuracy"] >= least, "effective_nnz"]
            line.append("–" if found.empty else str(found.min()))
        lines.append(line)
    return head, lines


def _success(rows: pd.DataFrame) -> float:
    """Return the share of networks of the larger sizes that reach 95 %."""
    return float((rows.loc[rows["keep"].isin(MIDDLE), "accuracy"] >= 0.95).mean())
