"""The override grammar of Hydra: the examples of its documentation, and its edges."""

import pytest

from spiral.sweep.grid.imports import overrides


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mysql,postgresql", ("mysql", "postgresql")),
        ("choice(a, b ,c)", ("a", "b", "c")),
        ("choice(true,False,3,.5)", (True, False, 3, 0.5)),
        ("1", (1,)),
        ("'a,b'", ("a,b",)),
        ("'a,b',\"c)\"", ("a,b", "c)")),
        ("range(1,5)", (1, 2, 3, 4)),
        ("range(5)", (0, 1, 2, 3, 4)),
        ("range(0, 10, 3)", (0, 3, 6, 9)),
        ("range(0,10,step=5)", (0, 5)),
        ("range(start=1,stop=3)", (1, 2)),
        ("range(3,0,-1)", (3, 2, 1)),
        ("range(0.1,0.4,0.1)", (0.1, 0.2, 0.3)),
        ("shuffle(range(1,4))", (1, 2, 3)),
        ("shuffle(a,b)", ("a", "b")),
        ("sort(3,1,reverse=true)", (3, 1)),
        ("tag(t1, t2, choice(1,2))", (1, 2)),
        ("float(range(1,3))", (1.0, 2.0)),
        ("int(choice(1.0,2.0))", (1, 2)),
        ("str(1)", ("1",)),
    ],
)
def test_values_are_those_hydra_sweeps_over(text, expected):
    found = overrides.parse(text)
    assert found.values == expected
    assert [*map(type, found.values)] == [*map(type, expected)]
    assert not found.why


@pytest.mark.parametrize(
    "text",
    [
        "glob(*)",
        "interval(1,2)",
        "interval(a,2)",
        "interval(1)",
        "extend_list(1)",
        "[1,2]",
        "{a:1},{b:2}",
        "a,${x}",
        "a,",
        "",
        "range(1,1)",
        "range(5,1)",
        "range(1,5,0)",
        "range(a,b)",
        "range()",
        "int(choice(a,b))",
        "choice(choice(1,2),3)",
        "range(1e308,1e309)",
    ],
)
def test_what_lists_no_plain_values_is_explained(text):
    found = overrides.parse(text)
    assert found.values == ()
    assert found.why


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("interval(0,1)", (0, 1)),
        ("interval(0.0,1.0)", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("tag(log, interval(0.01, 1))", (0.01, 0.0316, 0.1, 0.316, 1.0)),
        ("tag(other, interval(end=4, start=0))", (0, 1, 2, 3, 4)),
        ("tag(log, interval(0, 1))", ()),
    ],
)
def test_intervals_suggest_values(text, suggested):
    assert overrides.parse(text).suggested == suggested
