"""What masks are worth alone, on rows with planted answers."""

import pytest

from spiral.methods.registry import options
from spiral.report.stats import compare
from spiral.report.stats.ablation import ablation
from spiral.report.text import comparison
from spiral.report.text.document import as_json, render
from spiral.results import columns, load
from spiral.sweep.grid import grid
from tests.report import frontier

GRID = """
defaults: {width: 16, keep: [30, 40], seed: [0, 1, 2], lr: [0.1, 0.2]}
blocks:
  own: {method: [gmp, snip, lth]}
  masks: {method: [scratch, shuffled], of: [gmp, snip]}
  others: {method: scratch, of: gmp, second_phase: [scratch_b, fine_tune]}
  redrawn: {method: scratch, of: gmp, restart: fresh}
"""
OWN = {"gmp": 0.8, "snip": 0.7, "lth": 0.6}
ALONE = {"gmp": 0.75, "snip": 0.72}


def accuracy(row):
    """Plant a median for each method; seed 1 is in the middle, rate 0.2 is worse."""
    spread = 0.01 * (row["seed"] - 1) - (0.05 if row["lr"] == 0.2 else 0)
    larger = 0.1 if row["keep"] == 40 else 0.0
    if row["method"] in OWN:
        return OWN[row["method"]] + larger + spread
    if row["second_phase"] != "scratch_e" or row["restart"] != "original":
        return 0.99
    alone = ALONE[row["of"]] + larger + spread
    return alone if row["method"] == "scratch" else alone - 0.2


@pytest.fixture(scope="module")
def planted():
    table = grid.loads(GRID).configs
    table["accuracy"] = [accuracy(row) for row in table.to_dict("records")]
    results = {"status": "ok", "nnz": table["keep"], "effective_nnz": table["keep"]}
    results |= {"task_points": 49_982, "task_chance": 0.5}
    return table.assign(**results, connected=True, steps=19_500, folder=0)


FRONTIER = frontier(("any", 20, 0.9), ("protocol", 40, 1.0))


def test_masks_and_weights_have_their_own_gaps(planted):
    found = ablation(planted, FRONTIER)
    lines = {(r["method"], r["keep"]): r for r in found.to_dict("records")}
    assert set(lines) == {(m, k) for m in ("gmp", "snip") for k in (30, 40)}
    for (method, keep), line in lines.items():
        larger, best = (0.1, 1.0) if keep == 40 else (0.0, 0.9)
        assert line["own"] == pytest.approx(OWN[method] + larger)
        assert line["mask"] == pytest.approx(ALONE[method] + larger)
        assert line["shuffled"] == pytest.approx(ALONE[method] + larger - 0.2)
        assert line["positions"] == pytest.approx(0.2)
        assert line["mask_gap"] == pytest.approx(best - line["mask"])
        assert line["weight_gap"] == pytest.approx(ALONE[method] - OWN[method])
        total = line["mask_gap"] + line["weight_gap"]
        assert total == pytest.approx(best - line["own"])
        assert (line["n"], line["n_mask"]) == (3, 3)


def test_without_a_frontier_there_are_no_gaps(planted):
    found = ablation(planted)
    assert len(found) == 4
    assert not {"mask_gap", "weight_gap"} & set(found)


def test_without_shuffled_masks_their_place_is_empty(planted):
    found = ablation(planted[planted["method"] != "shuffled"], FRONTIER)
    assert len(found) == 4
    assert found["shuffled"].isna().all()


def test_without_scratch_there_is_nothing_to_say(planted):
    assert ablation(planted[planted["method"].isin(OWN)], FRONTIER).empty


def test_compare_has_the_table(planted):
    assert {"of", "second_phase", "restart"} <= columns.config_fields(options()).keys()
    assert set(load.MEASURED) <= set(planted)
    found = compare.of_rows(planted, compare.Question(), FRONTIER)
    text = render(comparison.document(found), ["masks"])
    assert "weight_gap" in text
    assert len(as_json(comparison.document(found))["masks"]) == 4
