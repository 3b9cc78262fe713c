"""Which masks are compared with the best known, and how."""

import numpy as np
import pandas as pd
import pytest

from spiral.model import masks
from spiral.model.mask_text import parse
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.mask_distance import COLUMNS, SAMPLE, distances, smallest_masks
from spiral.report.stats.selection import choose
from tests.report import frontier, only, row, seeds, table

SMALLEST = "10,01/11/1/1"
LARGER = "11,11/11/1/1"
KNOWN = frontier(
    ("any", 6, 0.96, SMALLEST),
    ("protocol", 6, 0.97, "01,10/11/1/1"),
    ("protocol", 6, 0.97, SMALLEST),
    ("any", 8, 0.99, LARGER),
    ("any", 6, 0.90, "11,11/11/1/1"),
)


def near(rows, texts, levels=(0.95,), each=None, known=KNOWN, **options):
    """Compare rows whose masks are given as texts; also return the ids read."""
    frame = table(*rows)
    asked = []

    def read(chosen):
        asked.extend(chosen["config_id"])
        bits = [
            masks.to_bits(
                masks.with_biases(parse(texts(r), r["width"])[None], r["width"])[0]
            )
            for r in chosen.to_dict("records")
        ]
        return pd.Series(bits, chosen["config_id"])

    choice = choose(frame, **options)
    groups = summarise(choice, levels, known)
    found = distances(choice, groups, levels, known, read, each)
    return found, [int(name, 16) for name in asked]


def test_best_known_masks_are_the_smallest_that_reach_each_once():
    assert len(smallest_masks(KNOWN, 0.95)) == 2
    ((shape, flat),) = smallest_masks(KNOWN, 0.98)
    assert (shape, flat.sum()) == ((2, 1, 1), 8)
    assert smallest_masks(KNOWN, 0.999) == []


def test_distances_are_medians_of_a_sample():
    texts = {0: SMALLEST, 1: LARGER, 2: "11,01/11/1/1"}
    found, _ = near(seeds([0.9] * 3, keep=6), lambda r: texts[r["seed"]])
    line = only(found)
    assert (line["threshold"], line["weights"], line["n"]) == (0.95, 6, 3)
    assert (line["hamming"], line["hamming_least"], line["exact"]) == (1, 0, 1)
    assert line["jaccard"] == pytest.approx(1 / 7)


def test_looked_at_is_the_smallest_size_that_is_no_smaller_than_the_best_known():
    rows = [r for k in (4, 5, 7, 9) for r in seeds([0.9, 0.8], keep=k)]
    found, read = near(rows, lambda r: SMALLEST)
    assert only(found)["weights"] == 7
    assert read == [4, 5]


def test_or_else_the_largest():
    rows = [r for k in (3, 5, 4) for r in seeds([0.9, 0.8], keep=k)]
    found, read = near(rows, lambda r: SMALLEST)
    assert only(found)["weights"] == 5
    assert read == [2, 3]


def test_only_rows_reported_are_looked_at():
    rows = [*seeds([0.9] * 4, lr=0.1), *seeds([0.8] * 4, lr=0.2)]
    assert near(rows, lambda r: SMALLEST)[1] == [0, 1, 2, 3]
    assert near(rows, lambda r: SMALLEST, seed_split=True)[1] == [1, 3]


def test_a_sample_is_of_the_first_seeds():
    rows = seeds([0.9] * 30)[::-1]
    found, read = near(rows, lambda r: SMALLEST, each=4)
    assert (only(found)["n"], sorted(read)) == (4, [26, 27, 28, 29])
    assert only(near(rows, lambda r: SMALLEST)[0])["n"] == 10


def test_each_threshold_has_its_own_best_known():
    rows = [r for k in (6, 8) for r in seeds([0.9], keep=k)]
    found, _ = near(rows, lambda r: SMALLEST, levels=(0.95, 0.98, 0.999))
    assert found["threshold"].tolist() == [0.95, 0.98]
    assert found["weights"].tolist() == [6, 8]
    assert found["hamming"].tolist() == [0, 2]


def test_every_group_has_a_line_of_its_own():
    rows = [*seeds([0.9, 0.9]), *seeds([0.9], method="dense", keep=None), row(width=3)]
    found, _ = near(rows, lambda r: LARGER)
    lines = found[["method", "width", "n"]].values.tolist()
    assert lines == [["dense", 16, 1], ["gmp", 3, 1], ["gmp", 16, 2]]


def test_many_groups_share_the_sample_or_have_none():
    half = [row(interval=i, seed=s) for i in range(SAMPLE // 2) for s in range(3)]
    found, _ = near(half, lambda r: SMALLEST, by=["interval"])
    assert found["n"].tolist() == [2] * (SAMPLE // 2)
    many = [row(interval=i) for i in range(SAMPLE + 1)]
    found, read = near(many, lambda r: SMALLEST, by=["interval"])
    assert (len(found), read) == (0, [])
    assert list(found) == ["interval", "threshold", *COLUMNS]
    found, read = near(many, lambda r: SMALLEST, by=["interval"], each=1)
    assert len(found) == len(read) == SAMPLE + 1


def test_nothing_is_read_where_nothing_is_known():
    found, read = near([row()], lambda r: SMALLEST, levels=(0.999,))
    assert (len(found), read) == (0, [])


def test_a_group_without_rows_to_report_has_no_line():
    found, _ = near(
        [row(), *seeds([0.9] * 4, method="lth")], lambda r: SMALLEST, seed_split=True
    )
    assert found["method"].tolist() == ["lth"]
    assert np.isfinite(found["hamming"]).all()


def test_without_any_row_to_report_nothing_is_read():
    found, read = near([row()], lambda r: SMALLEST, seed_split=True)
    assert (len(found), read) == (0, [])


WIDE = "10,01,10/111/1/1"
FITTING = frontier(("any", 8, 0.96, WIDE), ("any", 9, 0.97, "11,11/11,11/10/1"))


def test_only_masks_that_fit_in_the_width_are_compared_with():
    rows = [row(keep=k, width=w) for k in (8, 9) for w in (1, 2, 3)]
    found, read = near(rows, lambda r: "10/1/1/1", known=FITTING)
    assert found[["width", "weights"]].values.tolist() == [[2, 9], [3, 8]]
    assert len(read) == 2
