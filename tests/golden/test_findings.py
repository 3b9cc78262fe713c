"""What the page of findings says follows from the tables that it shows."""

import re

import pandas as pd
import pytest

from spiral.methods.registry import options
from spiral.report.stats import standings
from spiral.report.stats.selection import clean
from spiral.search import best_known
from spiral.tasks import catalogue
from tests.golden import findings, paper, readme, several

PAGE = readme.ROOT / "docs" / "findings.md"
STUDIES = "## Are sparse networks fragile?"
"""Below it, numbers come from launches whose summaries have no networks."""


def prose():
    """Return the page without its tables, up to the studies."""
    text = PAGE.read_text().partition(STUDIES)[0]
    return re.sub(r"<!-- \w+: .*?<!-- end -->", "", text, flags=re.DOTALL)


def tables():
    """Return the generated tables of the page."""
    text = PAGE.read_text()
    names = [name for page, name in readme.TABLES if page == "docs/findings.md"]
    return "\n".join(readme.parts(text, name)[1] for name in names)


def test_every_number_of_the_prose_is_in_a_table():
    shown = tables()
    settings = {"0.1", "0.05", "0.02"}  # learning rates
    numbers = set(re.findall(r"\d+\.\d+", prose())) - settings
    assert numbers
    assert {number for number in numbers if number not in shown} == set()


def test_four_may_be_first_and_eight_seeds_flattered_the_leader():
    head, lines = findings.leaders()
    rank, name, gap = (head.index(column) for column in ("rank", "method", "gap"))
    assert lines[0][name] == "`obs`"
    first = {line[name] for line in lines if line[rank].startswith("1–")}
    assert first == {"`obs`", "`gmp`", "`cbs`", "`granet`"}
    scores = standings.shipped(options()).scores.set_index("method")
    half = scores.loc["obs", "gap"] / float(lines[0][gap].partition(" ")[0])
    assert 0.4 < half < 0.6
    assert (scores["gap_protocol_low"] > 0).all()


def test_leaders_of_width_3_are_not_separated():
    head, lines = findings.leaders(width=3)
    rank, gap = head.index("rank"), head.index("gap")
    assert sum(line[rank].startswith("1–") for line in lines) == 9
    gaps = [line[gap].partition(" ")[0] for line in lines]
    assert (min(gaps), max(gaps)) == ("0.61", "0.65")
    assert set(findings.rows_of("leaders", width=["3"])["lr"]) == {0.02}


def test_at_width_64_obs_leads_alone_and_width_hardly_hurts_the_leaders():
    gaps = {}
    for width in (16, 64):
        head, lines = findings.leaders(width=width)
        rank, gap = head.index("rank"), head.index("gap")
        gaps[width] = {
            line[1].strip("`"): float(line[gap].split()[0]) for line in lines
        }
    assert [line[rank] for line in lines[:4]] == ["1", "2–4", "2–4", "2–4"]
    assert [line[1] for line in lines[1:4]] == ["`cbs`", "`lamp`", "`gmp`"]
    more = {
        name: round(gap - gaps[16][name], 2)
        for name, gap in gaps[64].items()
        if name in gaps[16]
    }
    near = {name for name, by in more.items() if abs(by) <= 0.03}
    assert near == {"obs", "cbs", "gmp", "lamp", "l1_unit"}
    assert all(0.09 <= more[name] <= 0.11 for name in more.keys() - near)
    assert more.keys() - near == {"granet", "soft_filter", "sdgf_step"}
    few = standings.shipped(options(), 64).scores
    place = few["gap"].rank()[few["method"] == "group_norm"].item()
    few = few.set_index("method")["gap"]
    assert (place, f"{few['group_norm']:.2f}") == (2, "0.31")
    assert (lines[-1][1], gaps[64]["group_norm"]) == ("`group_norm`", 0.64)
    tried = findings.rows_of("standard", width=["64"], method=["group_norm"])["lr"]
    assert tried.max() == 0.2


@pytest.mark.parametrize("width", ["3", "16", "64"])
def test_leaders_have_the_settings_that_the_standings_prefer(width):
    rows = clean(findings.rows_of("standard", width=[width]))
    means = rows.groupby(["method", "lr", "schedule"])["accuracy"].mean()
    leaders = findings.rows_of("leaders", width=[width])[["method", "lr", "schedule"]]
    for method, lr, schedule in leaders.drop_duplicates().itertuples(index=False):
        own = means.loc[method]
        best = own.max()
        tried = own.loc[[place for place in own.index if place[0] == lr]]
        assert tried.max() == best
        assert pd.isna(schedule) or own.loc[(lr, schedule)] == best


def test_only_the_named_parts_make_a_difference():
    head, lines = findings.parts()
    p, width = head.index("p (Holm)"), head.index("width")
    clear = {
        (line[1].partition(" ")[0], line[2], line[width])
        for line in lines
        if line[p] == "< 0.001" or float(line[p]) < 0.05
    }
    assert clear == {
        ("ALLR", "`ft`", "16"),
        ("ALLR", "`ft`", "64"),
        ("LLR", "`ft`", "64"),
    }


def test_what_is_said_of_width_is_in_the_tables():
    head, lines = findings.published()
    gaps = {line[0].strip("`"): [*map(float, line[1:])] for line in lines}
    widths = [int(name.removeprefix("width ")) for name in head[1:]]
    best = {widths[row.index(min(row))] for row in gaps.values()}
    assert best == {4, 5, 6, 8}
    assert min(map(min, gaps.values())) == 0.40
    first, last = widths.index(4), widths.index(256)
    hurt = {name for name, row in gaps.items() if row[last] >= 0.92}
    assert hurt == {*findings.NINE} - {"gmp"}
    assert max(gaps[name][first] for name in hurt) <= 0.75
    assert gaps["gmp"][last] < gaps["gmp"][first]


def test_what_is_said_of_two_widths_is_in_the_tables():
    _, lines = findings.widths()
    overlap = set()
    for name, *cells in lines:
        (_, low, high), (_, other, _) = (
            map(float, re.findall(r"\d\.\d+", cell)) for cell in cells
        )
        assert low > 0
        overlap |= {name.strip("`")} if high >= other else set()
    assert overlap == {"gmp", "lth", "synflow", "prospr", "rigl"}


def test_the_ranking_transfers_to_other_tasks_and_the_gap_does_not():
    agreement = several.found().agreement
    with_first = agreement[agreement["a"] == catalogue.DEFAULT]
    assert len(with_first) == 11
    assert (with_first["low"] > 0).all()
    gaps = several.found().gaps.set_index(["task", "method"])
    best = gaps.loc[gaps.groupby("task")["gap"].idxmin()].reset_index()
    assert (best["method"] == "obs").sum() == 9
    turns = best[best["task"].str.startswith("cubist")].set_index("task")["gap"]
    assert (turns.round(2) < 0.3).sum() == 3
    assert sorted(turns.round(2))[3:] == [0.43, 0.47]
    reached = best[best["gap_low"] <= 0]
    assert {*reached["task"]} == {"planted", "moons", "xor"}
    for _, part in several.found().gaps.groupby("task"):
        last = part.sort_values("gap")["method"].tail(2)
        assert {*last} == {"snip", "random"}


def test_the_search_of_the_paper_is_repeated_and_pruners_miss_what_it_finds():
    head, lines = paper.phases()
    hits = dict(zip([line[0] for line in lines], lines, strict=True))
    fewest = [head.index("fewest for 95 %"), head.index("fewest for 99.5 %")]
    assert hits["masks within 3-3-3"][fewest[0]] == "20 (30)"
    assert hits["masks within 7-3-3"][fewest[1]] == "30 (44)"
    assert hits["dense blocks"][fewest[0]] == "24 (34)"
    assert hits["dense blocks"][fewest[1]] == "38 (50)"
    head, lines = paper.fixed()
    table = {line[0]: line for line in lines}
    pruners = [table[f"`{name}`"] for name in findings.NINE]
    assert {line[2] for line in pruners} == {"0 of 540"}
    assert (table["`block`"][3], table["`mask`"][6]) == ("18", "32")
    assert [line[0] for line in pruners if not line[5].startswith("0 ")] == ["`lth`"]
    assert table["`lth`"][5:] == ["1 of 630", "35"]


def test_at_the_width_of_the_sparse_network_gmp_finds_what_the_search_does():
    _, lines = paper.same_draw()
    table = {
        line[0].strip("`"): [cell.split("; ")[1:] for cell in line[1:]]
        for line in lines
    }
    assert [cells[1] for cells in table["gmp"]] == [
        *("19 weights", "18 weights", "30 weights", "29 weights")
    ]
    assert [cells[0] for cells in table["gmp"][2:]] == ["1 of 630"] * 2
    for name, cells in table.items():
        assert name == "gmp" or cells[2:] == [["0 of 630"]] * 2
    hits = [
        sum(int(cells[column][0].split()[0]) for cells in table.values())
        for column in (0, 1)
    ]
    assert hits == [48, 54]
    rows = findings.rows_of("fixed_init_95", method=findings.NINE, width=["3"])
    assert (len(rows), int((rows["accuracy"] >= 0.95).sum())) == (4860, 0)


def test_from_most_draws_gmp_reaches_95_percent_and_blocks_from_few():
    head, lines = paper.draws()
    table = {line[0]: dict(zip(head, line, strict=True)) for line in lines}
    draws = [line["draws that reach 95 %"] for line in table.values()]
    assert draws == ["5 of 20", "6 of 20", "17 of 20"]
    assert [line["trainings of a draw"] for line in table.values()] == [
        *("558", "540", "540")
    ]
    assert [line["fewest weights"] for line in table.values()] == [
        *("21 (median 24)", "16 (median 19)", "15 (median 23)")
    ]
    rows = findings.rows_of("draws", method=["gmp"], width=["16"])
    assert len(rows) == 10_800
    hits = rows[rows["accuracy"] >= 0.95]
    best = hits.loc[hits["effective_nnz"].idxmin()]
    assert (best["nnz"], best["effective_nnz"]) == (15, 14)
    assert round(best["accuracy"], 3) == 0.955
    for kind in ("any", "protocol"):
        known = best_known.load()
        fits = known["kind"].eq(kind) & (known["accuracy"] >= 0.95)
        assert known.loc[fits, "nnz"].min() == 14


def test_pruners_find_small_networks_more_often_than_the_search_of_masks():
    head, lines = paper.pruners()
    table = {line[0].strip("`"): dict(zip(head, line, strict=True)) for line in lines}
    order = [line[0].strip("`") for line in lines]
    assert (order[0], order[-2:]) == ("obs", ["gmp", "masks within 3-3-3"])
    shares = [line[2].partition("(")[2] for line in lines]
    assert [shares[0], *shares[-2:]] == ["8.2 %)", "0.6 %)", "0.11 %)"]
    small = {name for name, line in table.items() if not line[head[1]].startswith("0 ")}
    assert small == {"obs"}
    assert table["obs"][head[1]].startswith("1 of ")
    hits = {name for name, line in table.items() if line[head[5]] != "–"}
    assert hits == {"obs", "acdc"}
    for name in hits:
        assert table[name][head[5]] == "25"
        assert table[name][head[3]].startswith("1 of 2,000 ")
    rows = findings.rows_of("leaders", method=["group_norm"], width=["64"])
    best = rows[rows["accuracy"] >= 0.995]
    best = best[best["effective_nnz"] == best["effective_nnz"].min()]
    assert (best["effective_nnz"].item(), len(best)) == (26, 1)


def test_as_published_three_gaps_shrink_and_gmp_finds_what_the_search_does():
    head, lines = paper.exact()
    table = {line[0].strip("`"): dict(zip(head, line, strict=True)) for line in lines}
    reach = {
        name: (line["reach 95 %"], line["reach 99.5 %"]) for name, line in table.items()
    }
    assert reach.pop("gmp") == ("2 of 540; 23 weights", "6 of 630; 32 weights")
    assert set(reach.values()) == {("0 of 540", "0 of 630")}
    moved = {}
    for name, line in table.items():
        before, after = map(float, line["width 16"].split(" → "))
        moved[name] = round(after - before, 2)
    assert {name for name, by in moved.items() if by <= -0.1} == {"lth", "synflow"}
    assert moved["rigl"] == -0.09
    assert {name for name, by in moved.items() if by >= 0.05} == {"snip", "iter_snip"}
    wide = {
        name: [line[f"width {width}"].split(" → ")[1] for width in (128, 256)]
        for name, line in table.items()
    }
    assert (wide.pop("gmp"), wide.pop("lth")) == (["0.55", "–"], ["–", "–"])
    assert wide.pop("synflow") == ["0.88", "0.85"]
    assert {*map(tuple, wide.values())} == {("1.00", "1.00")}
    assert {name for name, by in moved.items() if abs(by) <= 0.01} == {
        "gmp",
        "force",
        "grasp",
    }
