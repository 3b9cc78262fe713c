"""Numbers of the findings computed a second time, from the files and the formulas.

Nothing of the package computes here: PyArrow reads the shipped files, NumPy and SciPy
do the rest as docs/statistics.md says it.
"""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy import stats

ROOT = Path(__file__).parent.parent.parent
SHIPPED = ROOT / "spiral" / "results" / "shipped"


@cache
def frontier():
    """Return kinds, widths, weights and accuracies of the best networks known."""
    table = pq.read_table(SHIPPED / "frontier.parquet")
    kind, shape, nnz, accuracy = (
        table[name].to_pylist() for name in ("kind", "shape", "nnz", "accuracy")
    )
    widths = np.array([max(map(int, text.split(","))) for text in shape])
    return np.array(kind), widths, np.array(nnz), np.array(accuracy)


def best(weights, width, kinds):
    """Return the best accuracy known with at most some weights, in as narrow a one."""
    kind, widths, nnz, accuracy = frontier()
    fits = np.isin(kind, kinds) & (widths <= width) & (nnz <= weights)
    return accuracy[fits].max()


def gaps(rows, width, kinds):
    """Return G of each seed of one method: trapezoids over log k from 16 to 65."""
    seeds, sizes, accuracies = (
        rows[name].to_numpy() for name in ("seed", "keep", "accuracy")
    )
    failed = pc.not_equal(rows["status"], "ok").to_numpy() | np.isnan(accuracies)
    accuracies = np.where(failed, 0.5, np.maximum(accuracies, 0.5))
    known = np.unique(sizes)
    low, high = max(16, known.min()), min(65, known.max())
    log = np.log(np.array([low, *known[(known > low) & (known < high)], high]))
    levels = np.array([best(size, width, kinds) for size in known])
    found = []
    for seed in np.unique(seeds):
        own = seeds == seed
        order = np.argsort(sizes[own])
        lack = (levels - accuracies[own][order]) / (levels - 0.5)
        at = np.interp(log, np.log(known), lack)
        found.append(np.trapezoid(at, log) / (log[-1] - log[0]))
    return np.array(found)


def table_of(page, name):
    """Return the lines of a generated table of a page."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    body = re.search(rf"<!-- {name}: .*?-->\n(.*?)\n<!-- end", text, re.DOTALL)[1]
    head, _, *lines = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in body.splitlines()
    ]
    return [dict(zip(head, line, strict=True)) for line in lines]


@pytest.mark.parametrize(
    ("name", "width"), [("leaders", 16), ("leaders3", 3), ("leaders64", 64)]
)
@pytest.mark.parametrize(
    ("column", "kinds"),
    [("gap", ["any", "protocol"]), ("gap_protocol", ["protocol"])],
)
def test_gaps_of_leaders_and_their_limits(name, width, column, kinds):
    table = pq.read_table(SHIPPED / "summaries" / "leaders.parquet")
    table = table.filter(pc.equal(table["width"], width))
    lines = table_of("findings.md", name)
    assert len(lines) == 10
    for line in lines:
        rows = table.filter(pc.equal(table["method"], line["method"]))
        found = gaps(rows, width, kinds)
        half = stats.t.ppf(0.975, len(found) - 1) * stats.sem(found)
        mean = found.mean()
        assert len(found) == int(line["n"])
        assert f"{mean:.2f} ({mean - half:.2f}–{mean + half:.2f})" == line[column]


def test_hits_of_pruners_from_fixed_initial_weights():
    for name, least, places in [
        ("fixed_init_95", 0.95, ("best, 95 % grid", "reach 95 %")),
        ("fixed_init_995", 0.995, ("best, 99.5 % grid", "reach 99.5 %")),
    ]:
        table = pq.read_table(SHIPPED / "summaries" / f"{name}.parquet")
        table = table.filter(pc.equal(table["width"], 16))
        for line in table_of("findings.md", "fixed"):
            rows = table.filter(pc.equal(table["method"], line["method"]))
            accuracy = rows["accuracy"].to_numpy()
            hits = int((accuracy >= least).sum())
            shown = [line[place] for place in places]
            assert shown == [f"{accuracy.max():.4f}", f"{hits:,} of {len(rows):,}"]


def test_hits_of_pruners_at_the_width_of_the_sparse_network():
    table = pq.read_table(SHIPPED / "summaries" / "same_draw.parquet")
    codes = {"zp24": "the paper's code", "exact": "as published"}
    for width, least, percent in [(3, 0.95, "95 %"), (6, 0.995, "99.5 %")]:
        for fidelity, says in codes.items():
            for line in table_of("findings.md", "same_draw"):
                own = pc.equal(table["method"], line["method"])
                own = pc.and_(own, pc.equal(table["width"], width))
                rows = table.filter(pc.and_(own, pc.equal(table["fidelity"], fidelity)))
                accuracy = rows["accuracy"].to_numpy()
                hits = rows["nnz"].to_numpy()[accuracy >= least]
                shown = f"{accuracy.max():.4f}; {len(hits)} of {len(rows)}"
                shown += f"; {hits.min()} weights" if len(hits) else ""
                assert line[f"width {width}, {percent}: {says}"] == shown


def test_shares_of_the_two_phases():
    table = pq.read_table(SHIPPED / "summaries" / "random_init.parquet")
    accuracy, methods = table["accuracy"].to_numpy(), table["method"].to_numpy()
    matrices = table["matrices"].to_pylist()
    first = np.array(
        [len(text.split("/")[0].split(",")) if text else 0 for text in matrices]
    )
    lines = {
        line["what is trained"]: line for line in table_of("findings.md", "phases")
    }
    for says, chosen in [
        ("dense blocks", methods == "block"),
        ("masks within 3-3-3", (methods == "mask") & (first == 3)),
        ("masks within 7-3-3", (methods == "mask") & (first == 7)),
    ]:
        n, line = int(chosen.sum()), lines[says]
        for least, place in [(0.95, "reach 95 %"), (0.995, "reach 99.5 %")]:
            assert line[place] == f"{(accuracy[chosen] >= least).sum():,}"
        assert line["trainings"] == f"{n:,}"
        share, z = (accuracy[chosen] >= 0.95).mean(), stats.norm.ppf(0.975)
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        a, b, c = (
            f"{100 * part:.2g}" for part in (share, centre - half, centre + half)
        )
        assert line["share"] == f"{a} ({b}–{c} %)"
