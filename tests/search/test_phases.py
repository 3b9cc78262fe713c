"""Both phases as grids, minimal shapes, and what a summary says."""

from itertools import product

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiral.search import phases
from spiral.search.enumerate import listing
from spiral.search.phases import Settings
from spiral.sweep.grid import grid, shipped

pytestmark = pytest.mark.slow  # counts the paper's phases

SIZES = st.tuples(*[st.integers(1, 4)] * 3)
TWO = Settings("0.1", "step", 2)


def rows(**columns):
    """Return rows of phase 2, or of phase 1 where sizes are given."""
    table = pd.DataFrame(columns)
    table["config_id"] = [f"id{n}" for n in range(len(table))]
    table["nnz_params"] = table["nnz"] + 10
    for name in ("mask", "matrices", *phases.SIZES):
        if name not in table:
            table[name] = pd.NA
    return table


def values(text, *columns):
    table = grid.loads(text).configs
    return [*zip(*(table[name].tolist() for name in columns), strict=True)]


def test_phase_1_is_that_of_the_paper_by_default():
    paper = grid.load(shipped.find("paper/random_init")).configs
    paper = paper[paper["block"] == "first_phase"]
    text = phases.shapes_grid((16, 16, 16), Settings())
    fresh = grid.loads(text, overrides=["seed=fresh"]).configs  # 0 by default
    assert set(fresh["config_id"]) == set(paper["config_id"])


def test_phase_1_trains_every_block_that_fits():
    text = phases.shapes_grid((2, 1, 3), TWO)
    found = values(text, "method", "width", *phases.SIZES, "lr", "schedule", "seed")
    expected = product(["block"], [16], [1, 2], [1], [1, 2, 3], [0.1], ["step"], [0, 1])
    assert found == [*expected]


def test_phase_2_trains_every_orbit_of_every_shape():
    text = phases.masks_grid([(2, 1, 1), (2, 2, 1), (2, 1, 1)], None, TWO)
    orbits = listing([2, 1, 1]) + listing([2, 2, 1])
    found = values(text, "method", "width", "matrices", "lr", "schedule", "seed")
    assert found == [*product(["mask"], [16], orbits, [0.1], ["step"], [0, 1])]
    assert grid.loads(text).blocks == {"2-1-1": 2 * 4, "2-2-1": 2 * 15}


def test_phase_2_can_be_cut_to_some_numbers_of_weights():
    text = phases.masks_grid([(2, 1, 1), (3, 2, 2)], "10..11", Settings())
    found = grid.loads(text)
    assert found.blocks == {"3-2-2": 6 * 27}
    weights = {text.count("1") for text in found.configs["matrices"]}
    assert weights == {10, 11}


def test_a_range_without_any_mask_is_refused():
    with pytest.raises(
        ValueError, match=r"no mask of these shapes has as many weights"
    ):
        phases.masks_grid([(2, 1, 1), (3, 2, 2)], "40..41", Settings())


@given(shapes=st.sets(SIZES))
def test_minimal_shapes_are_those_with_none_below(shapes):
    found = phases.minimal(shapes)
    assert found == sorted(
        shape
        for shape in shapes
        if not any(
            other != shape and all(a <= b for a, b in zip(other, shape, strict=True))
            for other in shapes
        )
    )


def test_all_minimal_shapes_not_one():
    shapes = [(3, 3, 2), (2, 3, 3), (3, 2, 3), (3, 3, 3), (16, 16, 2), (2, 3, 3)]
    assert phases.minimal(shapes) == [(2, 3, 3), (3, 2, 3), (3, 3, 2)]


def test_a_shape_reaches_a_threshold_if_any_training_of_it_does():
    found = rows(
        d1=[2, 2, 11, 3], d2=[1, 1, 2, 1], d3=1, nnz=7, accuracy=[0.4, 0.6, 0.6, 0.59]
    )
    assert phases.reached(found, 0.6) == [(2, 1, 1), (11, 2, 1)]
    assert phases.reached(found, 0.7) == []


def test_the_smallest_are_the_minimal_ones_with_their_sparsest_training():
    found = rows(
        d1=[2, 3, 3, 1, 1],
        d2=[2, 2, 3, 3, 3],
        d3=1,
        nnz=9,
        accuracy=[0.5, 0.8, 0.9, 0.7, 0.75],
    )
    table = phases.smallest(found, 0.7)
    assert table["shape"].tolist() == ["1-3-1", "3-2-1"]
    assert table["config_id"].tolist() == ["id4", "id1"]
    assert table["hits"].tolist() == [2, 1]
    assert phases.smallest(found, 0.95).empty


def test_a_summary_counts_hits_and_names_the_sparsest_of_each_shape():
    a, b, c = listing([2, 2, 1])[:3]
    (d, *_) = listing([2, 1, 1])
    found = rows(
        matrices=[a, a, b, b, c, d],
        mask=[b"a", b"a", b"b", b"b", b"c", b"d"],
        nnz=[9, 9, 8, 8, 7, 5],
        accuracy=[0.99, 0.5, 0.7, 0.8, 0.69, 0.6],
    )
    small, large = phases.summary(found, 0.7).to_dict("records")
    assert (small["shape"], small["networks"], small["trainings"]) == ("2-1-1", 1, 1)
    assert small["hits"] == 0
    assert all(pd.isna(small[name]) for name in ("weights", "params", "config_id"))
    assert large == {
        "shape": "2-2-1",
        "threshold": 0.7,
        "networks": 3,
        "trainings": 5,
        "hits": 3,
        "weights": 8,
        "params": 18,
        "accuracy": 0.8,
        "config_id": "id3",
    }
