"""What the page of findings says follows from the tables that it shows."""

import re

from spiral.methods.registry import METHODS
from tests.golden import findings, readme

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
    settings = {"0.1", "0.05"}  # learning rates
    numbers = set(re.findall(r"\d+\.\d+", prose())) - settings
    assert numbers
    assert {number for number in numbers if number not in shown} == set()


def test_the_leader_is_apart_from_all_others():
    head, lines = findings.leaders()
    ranks = [line[head.index("rank")] for line in lines]
    names = [line[head.index("method")] for line in lines]
    assert (ranks[0], names[0]) == ("1", "`obs`")


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
    best = [widths[row.index(min(row))] for row in gaps.values()]
    assert (min(best), max(best)) == (4, 7)
    assert min(map(min, gaps.values())) == 0.23
    at_64 = {name: row[widths.index(64)] for name, row in gaps.items()}
    grown = {name: at_64[name] - row[widths.index(8)] for name, row in gaps.items()}
    assert {name for name, gap in at_64.items() if gap >= 0.9} == {*findings.NINE} - {
        "gmp",
        "lth",
        "synflow",
    }
    assert all(grown[name] <= 0.15 + 1e-9 for name in ("gmp", "lth", "synflow"))


def test_claims_count_the_methods_beside_the_paper():
    others = set(findings.rows_of("standard")["method"]) - {*findings.NINE, "random"}
    assert f"{len(others)} methods that the paper does not have" in prose()
    assert others < {*METHODS}
