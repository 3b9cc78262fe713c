"""Medians, choices and counts on hand-made rows."""

import pandas as pd
import pytest

from spiral.errors import ConfigError
from spiral.report import compare

COLUMNS = ["method", "keep", "lr", "schedule", "seed", "status", "accuracy"]


def rows(*values, integer="Int64"):
    frame = pd.DataFrame(values, columns=COLUMNS)
    return frame.astype({"keep": integer})


def two_rates():
    """Return one group: 0.1 has the better median, 0.2 the best single seed."""
    return [
        ("gmp", 20, 0.1, "cosine", 0, "ok", 0.7),
        ("gmp", 20, 0.1, "cosine", 1, "ok", 0.8),
        ("gmp", 20, 0.1, "cosine", 2, "collapsed", 0.5),
        ("gmp", 20, 0.2, "cosine", 0, "ok", 0.6),
        ("gmp", 20, 0.2, "cosine", 1, "ok", 0.99),
        ("gmp", 20, 0.2, "cosine", 2, "diverged", 0.0),
    ]


def only(table):
    (row,) = table.to_dict("records")
    return row


def test_the_setting_with_the_highest_median_is_shown():
    found = only(compare.summarise(rows(*two_rates()), ["method", "keep"]))
    assert (found["lr"], found["schedule"]) == (0.1, "cosine")
    assert (found["median"], found["best"], found["n"]) == (0.7, 0.8, 3)


def test_counts_are_over_all_settings():
    found = only(compare.summarise(rows(*two_rates()), ["method", "keep"]))
    assert (found["settings"], found["rows"]) == (2, 6)
    assert found["ok"] == pytest.approx(4 / 6)
    assert found["best_any"] == 0.99


def test_the_median_of_an_even_number_is_the_middle():
    found = compare.summarise(rows(*two_rates()[:2]), ["method"])
    assert only(found)["median"] == pytest.approx(0.75)


def test_the_schedule_is_part_of_the_setting():
    step = [(*row[:3], "step", *row[4:-1], 0.9) for row in two_rates()]
    found = only(compare.summarise(rows(*two_rates(), *step), ["method"]))
    assert (found["settings"], found["schedule"], found["median"]) == (4, "step", 0.9)


def test_options_are_part_of_the_setting():
    """Two intervals are two settings of three seeds, not one of six."""
    frame = rows(*two_rates()).assign(lr=0.1)
    frame["interval"] = pd.array([50, 50, 50, 97, 97, 97], "Int64")
    found = only(compare.summarise(frame, ["method"]))
    assert (found["settings"], found["n"]) == (2, 3)
    assert (found["median"], found["best"]) == (0.7, 0.8)


def test_a_setting_that_is_a_group_is_not_chosen_among():
    found = compare.summarise(rows(*two_rates()), ["method", "lr"])
    assert found["lr"].tolist() == [0.1, 0.2]
    assert found["median"].tolist() == [0.7, 0.6]
    assert found["settings"].tolist() == [1, 1]


@pytest.mark.parametrize("integer", ["Int64", "float64"])
def test_rows_without_keep_are_a_group(integer):
    dense = [
        ("dense", None, 0.1, "cosine", seed, "ok", accuracy)
        for seed, accuracy in enumerate((0.9, 0.95, 1.0))
    ]
    frame = rows(*two_rates(), *dense, integer=integer)
    found = compare.summarise(frame, ["method", "keep"])
    assert found["method"].tolist() == ["dense", "gmp"]
    assert found["keep"].isna().tolist() == [True, False]
    assert found["median"].tolist() == [0.95, 0.7]
    assert found["rows"].tolist() == [3, 6]
    assert found["settings"].tolist() == [1, 2]
    assert found["ok"].tolist() == pytest.approx([1, 4 / 6])
    assert found["best_any"].tolist() == [1.0, 0.99]


@pytest.mark.parametrize("by", [["keep"], ["schedule"], ["method", "schedule"]])
def test_any_columns_can_make_groups(by):
    found = compare.summarise(rows(*two_rates()), by)
    assert only(found)["rows"] == 6
    assert list(found.columns[: len(by)]) == by


def test_groups_come_sorted():
    more = [("block", 9, *row[2:]) for row in two_rates()]
    less = [("gmp", 8, *row[2:]) for row in two_rates()]
    found = compare.summarise(rows(*two_rates(), *less, *more), ["method", "keep"])
    expected = [("block", 9), ("gmp", 8), ("gmp", 20)]
    assert list(zip(found["method"], found["keep"], strict=True)) == expected


def test_the_order_of_rows_does_not_matter():
    frame = rows(*two_rates())
    mixed = frame.iloc[[5, 2, 0, 4, 1, 3]]
    first, second = (compare.summarise(f, ["method"]) for f in (frame, mixed))
    pd.testing.assert_frame_equal(first, second)


def test_an_unknown_column_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="no column 'kep'; known are method, keep"):
        compare.summarise(rows(*two_rates()), ["method", "kep"])


def test_text_has_four_digits_and_dashes():
    table = pd.DataFrame({"method": ["dense"], "keep": [None], "median": [0.123456]})
    lines = compare.as_text(table).splitlines()
    assert lines[0].split() == ["method", "keep", "median"]
    assert lines[1].split() == ["dense", "-", "0.1235"]


def test_only_seeds_are_pooled():
    """Another width, size or option is another setting, never another seed."""
    found = []
    for name, values in {
        "width": (4, 16),
        "keep": (20, 30),
        "interval": (50, 97),
    }.items():
        frame = pd.concat([rows(*two_rates()).assign(**{name: v}) for v in values])
        found.append(only(compare.summarise(frame, ["method"])))
    assert [(row["n"], row["settings"], row["rows"]) for row in found] == [
        (3, 4, 12)
    ] * 3


def test_size_is_what_was_asked_or_else_what_there_is():
    frame = rows(*two_rates()).assign(width=3, nnz=18)
    block = frame.assign(method="block", keep=pd.NA)
    dense = frame.assign(method="dense", keep=pd.NA)
    found = compare.over_size(pd.concat([frame, block, dense]))
    sizes = found.set_index("method")["keep"]
    assert (sizes["gmp"], sizes["block"]) == (20, 18)
    assert pd.isna(sizes["dense"])
