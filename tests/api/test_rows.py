"""Rows, comparisons and figures from Python: what the command line prints and draws."""

import json

import pytest
from matplotlib.figure import Figure

import spiral
from spiral.errors import ConfigError, StoreError
from spiral.report.text import document as documents
from spiral.search import best_known
from tests.cli import run
from tests.report import launches

GRID = """
defaults: {width: 3, seed: 0..3}
blocks:
  gmp: {method: gmp, keep: [12, 16, 20]}
  random: {method: random, keep: [12, 16, 20]}
  longer: {method: random, keep: 12, epochs: 100}
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    launches.write(folder, GRID)
    return folder


def test_rows_of_several_places_are_one_table(out):
    rows = spiral.load_rows([out, "structured"])
    assert rows["config_id"].is_unique
    assert set(rows["source"]) == {str(out), "structured"}
    assert len(spiral.load_rows(str(out))) == 28
    assert "mask" not in rows


def test_rows_come_with_networks_where_there_are_any(out):
    rows = spiral.load_rows(out, networks=True)
    assert rows["mask"].notna().all()
    assert [len(weights) for weights in rows["weights"]] == [
        sum(bin(byte).count("1") for byte in mask) for mask in rows["mask"]
    ]
    both = spiral.load_rows([out, "structured"], networks=True)
    assert both["weights"].notna().sum() == len(rows)
    with pytest.raises(ConfigError, match="most rows of summaries have none"):
        spiral.Network.from_row(both[both["weights"].isna()].iloc[0])
    with pytest.raises(ConfigError, match=r"a summary with networks, got .*structured"):
        spiral.load_rows("structured", networks=True)


def test_summaries_may_have_networks():
    rows = spiral.load_rows("gallery", networks=True)
    some = rows.iloc[0]
    assert spiral.Network.from_row(some).nnz == some["nnz"]


def test_remarks_on_rows_go_along(out):
    rows = spiral.load_rows([out, out])
    assert "28 rows are in several folders" in rows.attrs["notes"][0]
    assert spiral.load_rows(out).attrs["notes"] == []


def test_a_place_without_rows_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="expected a results directory"):
        spiral.load_rows(tmp_path / "nowhere")


def test_the_frontier_is_the_one_that_commands_use():
    assert best_known.same(spiral.frontier(), best_known.load())
    shipped = spiral.frontier("cubist", best_known.SHIPPED)
    assert best_known.same(shipped, best_known.load(best_known.SHIPPED))
    with pytest.raises(ConfigError, match="mooons"):
        spiral.frontier("mooons")


def test_compare_returns_what_the_command_prints(out):
    ran = run("compare", out, "--json", "--threshold", "0.6")
    found = spiral.compare(out, thresholds=[0.6])
    printed = json.loads(ran.out)
    assert printed == {"schema": 1, **documents.as_json(found)}
    assert "scores: Normalised gap" in str(found)


def test_rows_are_compared_as_their_places_are(out):
    """All but the distances of masks, which a table without masks cannot have."""
    of_rows = spiral.compare(spiral.load_rows(out)).tables
    of_places = spiral.compare(out).tables
    for name in ("scores", "groups", "pairwise"):
        one, other = of_rows[name].content, of_places[name].content
        assert documents.records(one) == documents.records(other)
    few = spiral.compare(spiral.load_rows(out), where={"method": ["gmp"]})
    assert few.tables["scores"].content["method"].tolist() == ["gmp"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("accuracy", {}),
        ("excess", {"widths": [3]}),
        ("success", {}),
        ("boundary", {"config_id": "gmp@20"}),
        ("budget", {}),
    ],
)
def test_figures_of_rows_are_drawn(name, options, out):
    assert isinstance(spiral.plot(name, out, **options), Figure)


def test_figures_are_drawn_of_a_table_and_of_the_frontier(out):
    assert isinstance(spiral.plot("accuracy", spiral.load_rows(out)), Figure)
    assert isinstance(spiral.plot("networks", nnz=[14]), Figure)


@pytest.mark.parametrize(
    ("name", "rows", "said"),
    [
        ("acuracy", "out", "there is no figure 'acuracy'"),
        ("robustness", "out", "there is no figure 'robustness'"),
        ("accuracy", None, "expected rows for this figure"),
        ("boundary", "table", "expected one results directory"),
        ("budget", "table", "expected results directories"),
        ("frontier", "table", "expected a frontier file"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(name, rows, said, out):
    given = {"out": out, "table": spiral.load_rows(out), None: None}[rows]
    with pytest.raises(ConfigError, match=said):
        spiral.plot(name, given)
