"""The whole comparison: tables that agree with each other, and its questions."""

import numpy as np
import pandas as pd
import pytest

from spiral.errors import ConfigError, StoreError
from spiral.model import masks
from spiral.report.stats import mask_distance
from spiral.report.stats.compare import Besides, Question, of_folders, of_rows
from spiral.report.text import comparison
from spiral.report.text.document import render
from spiral.results import load
from spiral.search import best_known as frontier_file
from tests.report import METHODS, frontier, row, seeds, table
from tests.results.test_load import GRID, written

KNOWN = frontier(("any", 16, 0.96), ("protocol", 24, 0.98))


def rows():
    return table(
        *seeds([0.9] * 8, keep=16),
        *seeds([0.97] * 8, keep=26),
        *seeds([0.96] * 8, keep=26, method="lth"),
        *seeds([1.0] * 8, keep=None, method="dense"),
        *seeds([0.7] * 8, keep=26, method="random", status="collapsed"),
    )


def test_controls_are_in_every_table():
    block = masks.with_biases(masks.block(16, np.array([[2, 2, 2]])), 16)

    def read(chosen):
        bits = [masks.to_bits(block[0])] * len(chosen)
        return pd.Series(bits, chosen["config_id"])

    found = of_rows(rows(), Question(thresholds=[0.95]), KNOWN, Besides(read)).tables
    for name in ("excess", "groups", "distances"):
        assert set(found[name]["method"]) == {"dense", "gmp", "lth", "random"}
    met = set(zip(found["pairwise"]["a"], found["pairwise"]["b"], strict=True))
    assert {("dense", "gmp"), ("gmp", "random"), ("dense", "random")} < met


def test_one_number_with_an_interval():
    gaps = of_rows(rows(), Question(thresholds=[0.95]), KNOWN).tables["excess"]
    line = gaps.set_index("method").loc["gmp"]
    assert line[["median_excess", "best_excess", "any_excess"]].tolist() == [10] * 3
    assert (line["median_excess_low"], line["median_excess_high"]) == (1, 10)


def test_without_frontier_it_says_so():
    found = of_rows(rows(), Question())
    assert any("no best known networks" in note for note in found.notes)
    assert found.tables["distances"].empty
    assert "accuracy_gap" not in found.tables["groups"]
    assert not any(
        "no best known networks" in n for n in of_rows(rows(), Question(), KNOWN).notes
    )


def test_a_missing_method_is_missing_and_nothing_else():
    some = rows()[lambda frame: frame["method"] != "lth"]
    found = of_rows(some, Question(), KNOWN).tables
    whole = of_rows(rows(), Question(), KNOWN).tables
    for name in ("excess", "groups"):
        rest = whole[name][whole[name]["method"] != "lth"].reset_index(drop=True)
        pd.testing.assert_frame_equal(found[name], rest)


def test_a_comparison_is_reproducible():
    mixed = rows().sample(frac=1, random_state=0)
    one, other = (of_rows(r, Question(), KNOWN).tables for r in (rows(), mixed))
    for name in ("excess", "groups", "pairwise"):
        pd.testing.assert_frame_equal(one[name], other[name])


@pytest.mark.parametrize("thresholds", [[], [0.5], [0.95, 1.01], [95]])
def test_thresholds_that_make_no_sense_are_refused(thresholds):
    with pytest.raises(ConfigError, match=r"above 0\.5 and up to 1, got"):
        Question(thresholds=thresholds)


def test_left_out_distances_are_pointed_out(monkeypatch):
    monkeypatch.setattr(
        mask_distance, "SAMPLE", 4
    )  # lines; a rate has one for each threshold
    many = table(*[row(keep=k, lr=k / 100) for k in (15, 16, 17)])
    question = Question(by=["lr"], thresholds=[0.95, 0.995])
    said = of_rows(many, question, KNOWN).notes
    assert any("more than 4 lines" in note for note in said)
    few = of_rows(many.head(2), question, KNOWN).notes
    asked = of_rows(many, Question(by=["lr"], masks=1), KNOWN).notes
    assert not any("left out" in note for note in few + asked)


# ---- folders


def test_folders_are_compared_with_the_shipped_frontier_if_there_is_one(
    tmp_path, monkeypatch
):
    written(tmp_path / "0", GRID.format(keep=20, seed="0..3"), accuracy=0.96)
    written(tmp_path / "1", GRID.format(keep=22, seed="0..3"), accuracy=0.97)
    folders = [tmp_path / "0", tmp_path / "1"]
    missing = tmp_path / "none.parquet"
    monkeypatch.setattr(frontier_file, "SHIPPED", missing)
    alone = of_folders(folders, METHODS, Question())
    assert alone.tables["groups"]["keep"].tolist() == [20, 22]
    assert any("no best known networks" in note for note in alone.notes)
    with pytest.raises(StoreError, match="expected a frontier file, got none"):
        of_folders(folders, METHODS, Question(frontier=missing))
    known = frontier(("any", 16, 0.96, "10,01/11,11/11,11/11"))
    known = known.reindex(columns=frontier_file.SCHEMA.names).assign(
        **{"shape": "2,2,2", "config_id": "made up", "found": "made up", "loss": 0.1},
        **dict.fromkeys(
            ["nnz_params", "correct", "correct_float32", "arc_accuracy"], 1
        ),
        params=[[0.5]],
    )
    frontier_file.save(known, missing)
    found = of_folders(folders, METHODS, Question())
    gaps, distances = found.tables["excess"], found.tables["distances"]
    assert gaps["median_excess"].fillna(-1).tolist() == [-9, -1]  # 7 weights each
    assert distances["n"].tolist() == [4]
    chosen = load.read(folders, METHODS.options).rows.head(4)
    assert len(load.masks(folders, chosen)) == 4


def test_only_methods_of_a_kind_are_compared_where_asked(tmp_path):
    for name in ("gmp", "snip", "spa"):
        written(tmp_path / name, f"{{method: {name}, width: 3, keep: 20, seed: 0..1}}")
    folders = [tmp_path / name for name in ("gmp", "snip", "spa")]

    def left(**where):
        return set(
            of_folders(folders, METHODS, Question(where=where)).tables["groups"][
                "method"
            ]
        )

    assert left() == {"gmp", "snip", "spa"}
    assert left(unit=["neuron"]) == {"spa"}
    assert left(when=["before", "during"], unit=["weight"]) == {"gmp", "snip"}
    with pytest.raises(
        ConfigError,
        match="no rows have when=after; the methods present are gmp, snip, spa",
    ):
        left(when=["after"])


def test_random_masks_are_drawn_from_even_where_only_others_are_compared(tmp_path):
    text = "{{method: {}, width: 3, keep: 20, seed: 0..1}}"
    for name in ("gmp", "random"):
        written(tmp_path / name, text.format(name), accuracy=0.96)
    folders = [tmp_path / name for name in ("gmp", "random")]
    found = of_folders(folders, METHODS, Question(where={"method": ["gmp"]}))
    assert found.tables["groups"]["random_pool"].tolist() == [2]
    assert found.tables["groups"]["random_best"].tolist() == [0.96]
    alone = of_folders(folders[:1], METHODS)
    assert alone.tables["groups"]["random_best"].isna().all()
    assert any("too few random masks" in note for note in alone.notes)


def test_single_rows_are_compared_too():
    found = of_rows(table(row()), Question(), KNOWN).tables
    assert len(found["excess"]) == 2
    assert len(found["groups"]) == 1
    assert found["pairwise"].empty


def two(tmp_path, first, second):
    """Return the folders A and B of two launches."""
    written(tmp_path / "A", "{width: 3, keep: 20, " + first)
    written(tmp_path / "B", "{width: 3, keep: 20, " + second)
    return [tmp_path / "A", tmp_path / "B"]


def test_folders_of_other_budgets_are_told_apart(tmp_path):
    folders = two(
        tmp_path,
        "method: gmp, epochs: 2, seed: 0..5}",
        "method: lth, epochs: 10, seed: 0..5}",
    )
    found = of_folders(folders, METHODS)
    assert found.conditions == ["epochs", "source"]
    text = render(comparison.document(found), ["excess", "groups"])
    words = [line.split() for line in text.splitlines()]
    heads = [line for line in words if line[:2] == ["method", "width"]]
    assert len(heads) == 2
    assert all({"epochs", "source"} < set(head) for head in heads)
    assert found.tables["groups"]["source"].tolist() == [*map(str, folders)]


def test_folders_of_one_method_are_never_pooled_silently(tmp_path):
    folders = two(
        tmp_path,
        "method: gmp, epochs: 2, seed: 0..5}",
        "method: gmp, epochs: 10, seed: 0..5}",
    )
    notes = [n for n in of_folders(folders, METHODS).notes if "are pooled in" in n]
    assert [note.split()[3] for note in notes] == ["epochs", "source"]
    apart = of_folders(folders, METHODS, Question(by=["source", "method", "width"]))
    assert apart.tables["pairwise"]["n"].tolist() == [6, 6]  # of equal seeds
    assert not any("are pooled in" in note for note in apart.notes)
    one = of_folders(folders, METHODS, Question(where={"source": [str(folders[1])]}))
    assert set(one.tables["groups"]["rows"]) == {6}


def test_folders_that_share_all_but_seeds_are_pooled_with_a_word(tmp_path):
    folders = two(tmp_path, "method: gmp, seed: 0..5}", "method: gmp, seed: 6..9}")
    found = of_folders(folders, METHODS)
    (note,) = [n for n in found.notes if "are pooled in" in n]
    assert "rows of different source (" in note
    assert "better" not in note
    assert found.tables["groups"]["n"].tolist() == [10]
