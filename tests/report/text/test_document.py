"""One renderer: tables, footnotes below them, notes; JSON has everything."""

import pandas as pd

from spiral.report.text.document import Document, Table, as_json, render

FULL = pd.DataFrame({"method": ["gmp"], "median": [0.5], "hidden": [1]})
MEANINGS = {"median": "of the seeds", "hidden": "what only JSON has"}
FOUND = Document(
    {
        "a": Table("First", FULL, FULL[["method", "median"]], MEANINGS),
        "b": Table("Second", FULL),
        "c": Table("Third", FULL[:0], FULL[:0]),
    },
    ["a note " + "that goes on " * 20],
    "One sentence.",
    {"width": 16},
)


def test_people_get_headline_tables_footnotes_and_notes_in_this_order():
    text = render(FOUND)
    order = ["One sentence.", "a: First", "gmp", "  median: of the", "note: a note"]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "b: Second" not in text
    assert "c: no lines" in text
    assert max(map(len, text.splitlines())) <= 88


def test_only_columns_shown_have_footnotes():
    assert "hidden" not in render(FOUND)


def test_tables_come_as_asked_for():
    text = render(FOUND, ["c", "a"])
    assert text.index("c: ") < text.index("a: First")


def test_json_has_all_columns_facts_and_definitions():
    found = as_json(FOUND)
    assert found["a"] == found["b"] == [{"method": "gmp", "median": 0.5, "hidden": 1}]
    assert found["c"] == []
    assert found["width"] == 16
    assert found["definitions"]["a"] == MEANINGS
    assert found["notes"] == [*FOUND.notes]
